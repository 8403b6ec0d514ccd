"""How load arrives, in words: rates, stages, scenarios; and every mistake told at once."""

from __future__ import annotations

import pytest

from mop_locust.config import ConfigError, parse_settings
from mop_locust.config.arrivals import ANY, Arrivals, common_stages, read_arrivals, read_rate
from mop_locust.config.stages import Stage


def flat(rate: float) -> tuple[Stage, ...]:
    """The stages of a plain rate."""
    return (Stage("", 0, rate),)


@pytest.mark.parametrize(
    ("text", "rate"), [("200/s", 200), ("90/m", 1.5), (" 3600 / h ", 1), ("0.25/s", 0.25), ("0/s", 0), ("1000000/s", 1e6)]
)
def test_rates(text: str, rate: float) -> None:
    """A second, a minute, an hour."""
    assert read_rate(text) == rate


@pytest.mark.parametrize("text", ["", "200", "200/d", "-1/s", "1e3/s", "1./s", "/s", "200/s/s", "٣/s"])
def test_what_is_no_rate(text: str) -> None:
    """The unit is never guessed."""
    with pytest.raises(ValueError, match="is not a rate such as 200/s, 90/m or 3600/h"):
        read_rate(text)


def test_a_rate_beyond_every_machine() -> None:
    """It is a typing error."""
    with pytest.raises(ValueError, match="is out of range"):
        read_rate("1000001/s")


STEADY = (Stage("ramp", 30, 10.0), Stage("steady", 300, 200.0), Stage("recovery", 30, 0.0))


@pytest.mark.parametrize(
    ("text", "arrivals"),
    [
        ("", {}),
        ("  ", {}),
        ("200/s", {ANY: flat(200)}),
        ("30s:10/s,steady=5m:200/s,30s:0/s", {ANY: STEADY}),
        ("steady=5m:200/s", {ANY: (Stage("steady", 300, 200.0),)}),
        ("ws_connect_storm=50/s,tools_call_rps=200/s", {"ws_connect_storm": flat(50), "tools_call_rps": flat(200)}),
        (" a = 60/m , b = ( 30s:10/s, steady=5m:200/s, 30s:0/s ) ", {"a": flat(1), "b": STEADY}),
        ("b=(3/s)", {"b": flat(3)}),
        ("my-scenario.2=3/s", {"my-scenario.2": flat(3)}),
    ],
)
def test_what_can_be_said(text: str, arrivals: Arrivals) -> None:
    """A rate, stages, and either for each scenario."""
    assert read_arrivals(text) == arrivals


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("200", ["has '200', which is not a rate such as 200/s, 90/m or 3600/h"]),
        ("0/s", ["lets nothing arrive"]),
        ("30s:0/s", ["lets nothing arrive"]),
        ("a=0/s", ["for 'a' lets nothing arrive"]),
        ("30s:10", ["'10' at column 5", "is not a rate"]),
        ("a=50,b=(30s:x)", ["for 'a' has '50'", "for 'b' has 'x' at column 5"]),
        ("a=1/s,a=2/s", ["has 'a' twice"]),
        ("a=1/s,", ["has '' where SCENARIO=RATE or SCENARIO=(STAGES) should stand"]),
        ("a=1/s,5m:200/s", ["has '5m:200/s' where"]),
        ("a=(1/s", ["is not"]),
        ("a=(1/s),b=(2", ["has 'b=(2' where"]),
    ],
)
def test_what_cannot_be_said(text: str, mistakes: list[str]) -> None:
    """What is wrong and where; two mistakes are two."""
    with pytest.raises(ValueError) as caught:
        read_arrivals(text)
    assert [mistake for mistake in mistakes if mistake not in str(caught.value)] == []


def test_the_setting_says_variable_option_and_what_is_allowed() -> None:
    """As every other setting."""
    with pytest.raises(ConfigError) as caught:
        parse_settings({"MOP_ARRIVALS": "200", "MOP_ARRIVALS_CLOCK": "swiss"})
    first, second = caught.value.mistakes
    assert first.startswith("MOP_ARRIVALS (--mop-arrivals): '200' has '200', which is not a rate")
    assert "a rate such as 200/s, 90/m or 3600/h; stages DURATION:RATE" in first
    assert "MOP_ARRIVALS_CLOCK (--mop-arrivals-clock): 'swiss' is not one of the choices; allowed: constant or poisson" in second
    assert parse_settings({"MOP_ARRIVALS": "a=1/s"}).arrivals == {"a": flat(1)}


@pytest.mark.parametrize(
    ("text", "seconds", "stages"),
    [
        ("200/s", 60, ()),
        ("a=5/s,b=60/m", 60, ()),
        ("30s:10/s,steady=5m:200/s,30s:0/s", 360, STEADY),
        ("30s:10/s", 90, (Stage("ramp", 30, 10.0), Stage("steady", 60, 10.0))),
        ("30s:10/s,5m:200/s", 15, (Stage("ramp", 15, 5.0),)),
        ("a=(10s:4/s,5s:4/s),b=(10s:60/s,5s:60/s)", 15, (Stage("ramp", 10, 64.0), Stage("steady", 5, 64.0))),
        ("a=(10s:4/s,5s:4/s),b=7/s", 5, (Stage("ramp", 5, 9.0),)),
        ("a=(10s:4/s),b=(10s:8/s,5s:8/s)", 15, (Stage("ramp", 10, 12.0), Stage("steady", 5, 12.0))),
        ("a=(10s:4/s,5s:4/s),b=(x=10s:4/s,5s:4/s)", 15, None),
        ("a=(10s:4/s,5s:4/s),b=(9s:4/s,6s:4/s)", 15, None),
        ("a=(10s:4/s,5s:4/s),b=(10s:4/s,5s:5/s)", 15, None),
        ("a=(10s:4/s,5s:4/s),b=(10s:4/s,5s:5/s)", 10, (Stage("ramp", 10, 8.0),)),
    ],
)
def test_the_stages_of_a_run(text: str, seconds: float, stages: tuple[Stage, ...] | None) -> None:
    """They fit its time and add up what arrives; scenarios that go through others have none in common."""
    assert common_stages(read_arrivals(text), seconds) == stages
