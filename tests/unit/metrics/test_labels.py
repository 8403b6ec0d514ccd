"""Names of series that read back, and error texts that stay few."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mop_locust.metrics.labels import normalise_error, printable, series_name, sorted_tags, split_series_name

names = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
tag_values = st.text(max_size=12)


@pytest.mark.parametrize("label", ["refused", "HTTP 503", "JSON-RPC -32601", "closed 1006", "tls: certificate verify failed"])
def test_a_label_of_ours_stays_as_it_is(label: str) -> None:
    """Status, code and close code are what the classes are for."""
    assert normalise_error(label) == label


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("session 6f9619ff-8b86-d011-b42d-00cf4fc964ff gone", "session # gone"),
        ("at 0x7F3a", "at #"),
        ("id deadbeef01 and sess_0a1b2c3d4e", "id # and sess_#"),
        ("after 1234567 us", "after # us"),
        ("12345 stays", "12345 stays"),
        ("two\r\nlines\tand\x00\x1b[31m red \u2028", "two lines and [31m red"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("", ""),
    ],
)
def test_what_varies_becomes_a_sign(text: str, expected: str) -> None:
    """Ids, addresses, counts and control characters do not make new classes."""
    assert normalise_error(text) == expected


@given(st.text(st.characters(), max_size=400))
def test_a_class_is_short_printable_and_encodable(text: str) -> None:
    """Whatever a server says fits a report."""
    label = normalise_error(text)
    assert len(label) <= 120
    assert label == label.strip()
    assert not any(ord(character) < 32 for character in label)
    label.encode()


def test_megabytes_of_error_text_are_cut() -> None:
    """The text is cut before it is searched."""
    assert normalise_error("x " * 1_000_000) == ("x " * 60).strip()


@given(st.text(max_size=300))
def test_printable_is_stable_and_encodable(text: str) -> None:
    """Cleaning twice changes nothing, so a cleaned key is its own key."""
    clean = printable(text)
    assert printable(clean) == clean
    assert len(clean) <= 120
    clean.encode()


def test_tags_are_sorted_by_name() -> None:
    """One order for one set of tags."""
    assert sorted_tags([("transport", "http"), ("method", "a\nb")]) == (("method", "a b"), ("transport", "http"))


@pytest.mark.parametrize("name", ["", "1st", "a:b", "a b", "x" * 65])
def test_a_bad_tag_name_is_refused(name: str) -> None:
    """A tag name must not break the name of the series."""
    with pytest.raises(ValueError, match="a tag name is"):
        sorted_tags([(name, "x")])


def test_a_doubled_tag_is_refused() -> None:
    """Two values for one tag are a fault of the caller."""
    with pytest.raises(ValueError, match="tag a is given twice"):
        sorted_tags([("a", "1"), ("a", "2")])


def test_the_name_of_a_series_is_as_the_reports_show_it() -> None:
    """The example of the design."""
    tags = sorted_tags([("transport", "http"), ("scenario", "tools_call_rps"), ("method", "tools/list")])
    assert series_name("calls", tags) == "calls{method:tools/list,scenario:tools_call_rps,transport:http}"
    assert series_name("calls", ()) == "calls"


@given(names, st.dictionaries(names, tag_values, max_size=3))
def test_the_name_of_a_series_reads_back(name: str, tags: dict[str, str]) -> None:
    """Commas, braces, colons and backslashes in values included."""
    clean = sorted_tags(tags.items())
    assert split_series_name(series_name(name, clean)) == (name, clean)


def test_empty_braces_are_no_tags() -> None:
    """How a summary names the untagged series beside tagged ones."""
    assert split_series_name("calls{}") == ("calls", ())


@pytest.mark.parametrize("text", ["a{", "a{b}", "a{b:c", "a{b:c,d}", "a{b:c}}", "a{b:c\\}", "a{:c}", "a{b:c{}", "a{}}"])
def test_a_text_that_names_no_series_is_refused(text: str) -> None:
    """A damaged summary is a sentence."""
    with pytest.raises(ValueError, match="not the name of a series"):
        split_series_name(text)
