"""The grammar of thresholds: what is read, what is refused and why, and what can never be judged."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.metrics.instruments import Catalogue, Trend
from mop_locust.metrics.labels import sorted_tags
from mop_locust.verdict.threshold import FITTING, OPERATORS, Threshold, ThresholdError, check, parse, parse_all, split_list

CATALOGUE = Catalogue(
    [Trend("reply_size", "bytes")],
    {
        "transport": frozenset({"http", "sse", "websocket"}),
        "method": frozenset({"initialize", "tools/list", "tools/call"}),
        "scenario": frozenset(),
        "tool": None,
    },
)


def one(text: str) -> Threshold:
    """The only condition of a text."""
    (threshold,) = parse(text)
    return threshold


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ws_failures: rate<0.05", Threshold("ws_failures", (), "rate<0.05", "rate", None, "<", 0.05)),
        ("ws_failures:rate<5%", Threshold("ws_failures", (), "rate<5%", "rate", None, "<", 0.05)),
        ("  a : p( 99.9 )  <=  .5  ", Threshold("a", (), "p(99.9)<=.5", "p", 99.9, "<=", 0.5)),
        ("a:p(0)>0", Threshold("a", (), "p(0)>0", "p", 0.0, ">", 0.0)),
        ("a:med!=2.50", Threshold("a", (), "med!=2.50", "med", None, "!=", 2.5)),
        (
            "calls{transport:http}: count>=1000",
            Threshold("calls", (("transport", "http"),), "count>=1000", "count", None, ">=", 1000),
        ),
        (
            "calls { transport : http , method : tools/call } : max === 3",
            Threshold("calls", (("method", "tools/call"), ("transport", "http")), "max===3", "max", None, "===", 3),
        ),
        (r"calls{tool:a\,b\{c\}\\ d}: min == 1", Threshold("calls", (("tool", "a,b{c}\\ d"),), "min==1", "min", None, "==", 1)),
        ("calls{tool:a:b}:avg<1", Threshold("calls", (("tool", "a:b"),), "avg<1", "avg", None, "<", 1)),
        ("calls{tool:}:avg<1", Threshold("calls", (("tool", ""),), "avg<1", "avg", None, "<", 1)),
    ],
)
def test_a_threshold_is_read(text: str, expected: Threshold) -> None:
    """Spaces are free; the expression is kept as written, without them."""
    assert parse(text) == [expected]


def test_several_expressions_on_one_metric_are_several_thresholds() -> None:
    """Each is judged on its own."""
    assert [(t.metric, t.expression) for t in parse("a{x:1}: p(95)<250, max<1000,count>1")] == [
        ("a", "p(95)<250"),
        ("a", "max<1000"),
        ("a", "count>1"),
    ]


def test_percent_is_divided_exactly() -> None:
    """7 % and 0.07 are the same limit, which 7 / 100 in binary is not bound to be."""
    for percent in range(101):
        assert one(f"a:rate<{percent}%").limit == float(f"0.{percent:02d}" if percent < 100 else "1")


@pytest.mark.parametrize(
    ("text", "column", "problem", "allowed"),
    [
        ("", 1, "the name of a metric is missing, found the end", "letters, digits and _"),
        ("9lives:rate<1", 1, "the name of a metric is missing, found '9lives:rate<1'", "letters, digits and _"),
        ("a rate<1", 3, "':' is missing between the metric and its expression, found 'rate<1'", ":"),
        ("a", 2, "':' is missing between the metric and its expression, found the end", ":"),
        ("a:", 3, "an aggregation is missing, found the end", "count, rate, avg, min, med, max or p(N)"),
        ("a: p95<250", 4, "an aggregation is missing, found 'p95<250'", "count, rate, avg, min, med, max or p(N)"),
        ("a:p(<1", 5, "a percentile is missing, found '<1'", "a number from 0 to 100"),
        ("a:p(100.5)<1", 5, "there is no percentile 100.5", "a number from 0 to 100"),
        ("a:p(95<1", 7, "')' is missing behind the percentile, found '<1'", ")"),
        ("a:rate=0.05", 7, "an operator is missing, found '=0.05'", "< <= > >= == === !="),
        ("a:rate<", 8, "a number is missing, found the end", "a number such as 250 or 0.05"),
        ("a:rate<-1", 8, "a number is missing, found '-1'", "a number such as 250 or 0.05"),
        ("a:rate<٣", 8, "a number is missing, found '٣'", "a number such as 250 or 0.05"),
        ("a:max<5%", 8, "something is left over, found '%'", "the end, or a comma and another expression"),
        ("a:max<250ms", 10, "something is left over, found 'ms'", "the end, or a comma and another expression"),
        ("a:max<1,", 9, "an aggregation is missing, found the end", "count, rate, avg, min, med, max or p(N)"),
        ("a:rate<0,05", 10, "an aggregation is missing, found '05'", "count, rate, avg, min, med, max or p(N)"),
        ("a{}:max<1", 3, "the name of a tag is missing, found '}:max<1'", "letters, digits and _"),
        ("a{b}:max<1", 4, "':' is missing between a tag and its value, found '}:max<1'", ":"),
        ("a{b:c:max<1", 12, "'}' is missing behind the tags, found the end", "}"),
        ("a{b:1,b:2}:max<1", 7, "tag b is given twice", "each tag once"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, column: int, problem: str, allowed: str) -> None:
    """What is wrong, where, and what may stand there."""
    with pytest.raises(
        ThresholdError, match=re.escape(f"threshold {text!r}, column {column}: {problem}; allowed: {allowed}")
    ) as caught:
        parse(text)
    error = caught.value
    assert (error.text, error.column, error.problem, error.allowed) == (text, column, problem, allowed)


@given(st.text(st.sampled_from("ab{}:,<>=! p(9)5.%\\ rate"), max_size=30))
def test_any_text_is_thresholds_or_a_threshold_error(text: str) -> None:
    """And whatever is read can be written out and read again."""
    thresholds: list[Threshold] = []
    with suppress(ThresholdError):
        thresholds = parse(text)
    assert [one(f"{t.name}:{t.expression}") for t in thresholds] == thresholds


@given(
    st.dictionaries(st.from_regex(r"[a-z_]{1,6}", fullmatch=True), st.text(max_size=8).map(str.strip), max_size=3),
    st.sampled_from(sorted(OPERATORS)),
    st.integers(0, 9999),
)
def test_a_written_threshold_reads_back(tags: dict[str, str], comparison: str, limit: int) -> None:
    """Any value of a tag, any operator."""
    clean = tuple((tag, value.strip()) for tag, value in sorted_tags(tags.items()))
    expected = Threshold("mine", clean, f"max{comparison}{limit}", "max", None, comparison, limit)
    assert one(f"{expected.name}: {expected.expression}") == expected


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
        ("==", False, True, False),
        ("===", False, True, False),
        ("!=", True, False, True),
    ],
)
def test_the_seven_operators(comparison: str, below: bool, equal: bool, above: bool) -> None:
    """On both sides of the limit and on it."""
    threshold = one(f"a:max{comparison}5")
    assert (threshold.holds(4.999), threshold.holds(5), threshold.holds(5.001)) == (below, equal, above)


def test_all_mistakes_come_at_once() -> None:
    """The good ones are read all the same."""
    thresholds, mistakes = parse_all(["a:max<1", "b", "c:rate<5%", "d:p(200)<1"])
    assert [threshold.metric for threshold in thresholds] == ["a", "c"]
    assert [mistake.split(",")[0] for mistake in mistakes] == ["threshold 'b'", "threshold 'd:p(200)<1'"]


def test_a_list_is_split_at_lines_and_semicolons() -> None:
    """Commas stay inside a threshold."""
    assert split_list(" a:max<1, min>0 ; b{x:1,y:2}:count>1\n\nc:rate<5%;") == [
        "a:max<1, min>0",
        "b{x:1,y:2}:count>1",
        "c:rate<5%",
    ]
    assert split_list("") == []


@pytest.mark.parametrize(
    "text",
    [
        "call_failures{transport:http,method:tools/call,tool:anything}: rate<5%, rate<=1, count>1",
        "calls: count>1000, rate>10",
        "reply_size: avg<1, min<1, med<1, max<1, p(95)<1, count>1",
    ],
)
def test_what_a_run_can_have_is_no_mistake(text: str) -> None:
    """Every aggregation on the kinds it fits."""
    assert check(parse(text), CATALOGUE) == []


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("call_latncy: max<1", ["threshold 'call_latncy: max<1': there is no metric call_latncy; did you mean call_latency?"]),
        ("calls: p(95)<1", ["threshold 'calls: p(95)<1': calls is a counter and has no p(N); allowed: count, rate"]),
        ("ws_failures: avg<1", ["threshold 'ws_failures: avg<1': ws_failures is a rate and has no avg; allowed: rate, count"]),
        (
            "loop_lag: rate<1",
            ["threshold 'loop_lag: rate<1': loop_lag is a trend and has no rate; allowed: avg, min, med, max, p(N), count"],
        ),
        ("ws_failures: rate<5", ["threshold 'ws_failures: rate<5': a rate lies between 0 and 1; 5 % is written 0.05 or 5%"]),
        ("calls: rate>5%", ["threshold 'calls: rate>5%': the rate of a counter is per second and takes no %"]),
        ("calls{metod:x}: count>1", ["threshold 'calls{metod:x}: count>1': there is no tag metod; did you mean method?"]),
        (
            "calls{zzz:x}: count>1",
            ["threshold 'calls{zzz:x}: count>1': there is no tag zzz; known: method, scenario, tool, transport"],
        ),
        (
            "calls{transport:websockets}: count>1",
            ["threshold 'calls{transport:websockets}: count>1': transport is never 'websockets'; did you mean websocket?"],
        ),
        ("calls{scenario:x}: count>1", ["threshold 'calls{scenario:x}: count>1': scenario is never 'x'; known: none"]),
        (
            "zzz_zzz{method:qqq}: max<1",
            [
                "threshold 'zzz_zzz{method:qqq}: max<1': there is no metric zzz_zzz; known: "
                + ", ".join(sorted(CATALOGUE.instruments)),
                "threshold 'zzz_zzz{method:qqq}: max<1': method is never 'qqq'; known: initialize, tools/call, tools/list",
            ],
        ),
    ],
)
def test_what_can_never_be_judged_is_a_mistake(text: str, mistakes: list[str]) -> None:
    """Said before the run, each with what is near or known."""
    assert check(parse(text), CATALOGUE) == mistakes


def test_the_mistakes_of_all_thresholds_come_together() -> None:
    """In the order of the thresholds."""
    mistakes = check([one("calls: max<1"), one("calls: count>1"), one("loop_lag: rate<1")], CATALOGUE)
    assert [mistake.split(":")[0] for mistake in mistakes] == ["threshold 'calls", "threshold 'loop_lag"]


def test_count_fits_every_kind() -> None:
    """So that any metric can be asked for a least number of samples."""
    assert all("count" in fitting for fitting in FITTING.values())


@pytest.mark.parametrize(
    ("text", "expression", "over", "abort_after"),
    [
        ("a: max<1 over 1m", "max<1 over 1m", 60, None),
        ("a: max<1over10m", "max<1 over 10m", 600, None),
        ("a: rate < 5 % over 1m30s abort  after 10s", "rate<5% over 1m30s abort after 10s", 90, 10),
        ("a: max<1 abort after 2h1s", "max<1 abort after 2h1s", 0, 7201),
        ("a: max<1", "max<1", 0, None),
    ],
)
def test_windows_and_aborts(text: str, expression: str, over: int, abort_after: int | None) -> None:
    """The durations in seconds; the expression reads back as what it was."""
    (threshold,) = parse(text)
    assert (threshold.expression, threshold.over, threshold.abort_after) == (expression, over, abort_after)
    assert threshold.needs_windows is (over > 0 or abort_after is not None)
    assert parse(f"a: {expression}") == [threshold]


def test_the_words_belong_to_one_expression() -> None:
    """Each expression of a text has its own."""
    first, second = parse("a: max<1 over 2s, avg<3 abort after 4s")
    assert [(one.over, one.abort_after) for one in (first, second)] == [(2, None), (0, 4)]


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("a: max<1 over", 14, "a duration behind over is missing, found the end"),
        ("a: max<1 over 5", 15, "a duration behind over is missing, found '5'"),
        ("a: max<1 over 5x", 15, "a duration behind over is missing, found '5x'"),
        ("a: max<1 over 0s", 15, "0s is out of range"),
        ("a: max<1 over 10m1s", 15, "10m1s is out of range"),
        ("a: max<1 overs 5s", 10, "something is left over, found 'overs 5s'"),
        ("a: max<1 abort 5s", 16, "after is missing, found '5s'"),
        ("a: max<1 abort after 1s over 1s", 25, "something is left over, found 'over 1s'"),
        ("a: max<1 abort after 0s", 22, "0s is out of range"),
    ],
)
def test_mistakes_in_windows_and_aborts(text: str, column: int, problem: str) -> None:
    """To the column."""
    with pytest.raises(ThresholdError) as caught:
        parse(text)
    assert (caught.value.column, caught.value.problem) == (column, problem)


def test_the_stage_chooses_and_the_other_tags_stay() -> None:
    """No series carries it."""
    (threshold,) = parse("a{stage:steady,transport:http}: max<1")
    assert (threshold.stage, threshold.series_tags) == ("steady", (("transport", "http"),))
    assert parse("a: max<1")[0].stage is None
