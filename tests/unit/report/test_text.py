"""Text of strangers is inert in each format."""

from __future__ import annotations

import csv
import io
import unicodedata
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from mop_locust.report.text import CUT, csv_cell, html, markdown, markdown_code, plain, xml
from tests.unit.report.sample_summary import HOSTILE

anything = st.text(st.characters(), max_size=40) | st.sampled_from(HOSTILE)
pieces = [
    "\x1b[",
    "\x1b]",
    "\x9b",
    "\x07",
    "31m",
    "@",
    "#1",
    "|",
    "`",
    "\\",
    "*a*",
    "[x](y)",
    "<b>",
    "&lt;",
    "http://a.b",
    "www.a.b",
    "-",
    " ",
]
assembled = st.lists(st.sampled_from([*pieces, "\n", "=1", ";", "~~", "_a_", "1. ", "+", "$", "GH-1"]), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tools/list", "tools/list"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://example.org\x1b\\link", "link"),
        ("\x9b2Jcleared", "cleared"),
        ("\x1b(Bset", "set"),
        ("\x1b[\x1b[31mtwice", "twice"),
        ("an \x1b]unended", "an unended"),
        ("two\r\nlines\tand\u2028more", "two lines and more"),
        ("nul\x00 bell\x07 del\x7f", "nul bell del"),
        ("\u202egnp.exe", "gnp.exe"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("tag\U000e0041", "tag"),
        ("lone \ud800", "lone \ufffd"),
        ("  around  ", "around"),
        ("", ""),
    ],
)
def test_plain_shows_what_is_there_and_nothing_else(text: str, shown: str) -> None:
    """Each kind of unseen or commanding character is gone, the rest stands."""
    assert plain(text) == shown


def test_plain_cuts_with_a_sign() -> None:
    """At most so many characters, the last a sign that there was more."""
    assert plain("x" * CUT) == "x" * CUT
    assert plain("x" * (CUT + 1)) == "x" * (CUT - 1) + "…"
    assert plain("abcdef", 4) == "abc…"


@given(anything | assembled)
def test_plain_is_one_printable_line(text: str) -> None:
    """No control, format, surrogate or line-breaking character gets through, and doing it again changes nothing."""
    result = plain(text)
    assert len(result) <= CUT
    assert len(result.splitlines()) <= 1
    assert not [c for c in result if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in "\u202e\u200b\ufeff"]
    assert plain(result) == result


@given(anything | assembled)
def test_html_has_no_markup(text: str) -> None:
    """Neither element nor quote can begin or end in it."""
    assert not set(html(text)) & set("<>\"'")


def test_html_keeps_the_text() -> None:
    """What a person reads is what the server said."""
    assert html('<b title="a">&\'') == "&lt;b title=&quot;a&quot;&gt;&amp;&#x27;"


@given(anything | assembled)
def test_csv_has_no_formula(text: str) -> None:
    """No cell, split at commas or semicolons, begins as a formula does."""
    file = io.StringIO()
    csv.writer(file).writerow(["first", csv_cell(text), "last"])
    (row,) = csv.reader(io.StringIO(file.getvalue()))
    assert row == ["first", csv_cell(text), "last"]
    for cell in row[1].split(";"):
        assert not cell.lstrip(" \"'\u3000\xa0").startswith(tuple("=+-@\uff1d\uff0b\uff0d\uff20")) or cell.lstrip(
            ' "'
        ).startswith("'")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("-2", "'-2"),
        ("\t@SUM(A1)", "'@SUM(A1)"),
        ("\uff1d1", "'\uff1d1"),
        ("a;=1", "a;'=1"),
        ("a; +1", "a;' +1"),
        ('"=1', "'\"=1"),
        ("tools/list", "tools/list"),
        ("a-b=c", "a-b=c"),
    ],
)
def test_csv_marks_only_formulas(text: str, cell: str) -> None:
    """The mark stands before what would be a formula, and nowhere else."""
    assert csv_cell(text) == cell


@given(anything | assembled)
def test_xml_can_be_written_and_read_back(text: str) -> None:
    """Whatever the text, the document is well-formed and says the same."""
    element = ElementTree.Element("a", b=xml(text))
    element.text = xml(text)
    read = ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8"))
    assert (read.text or "") == xml(text).replace("\r\n", "\n").replace("\r", "\n")


def test_xml_keeps_lines_and_drops_what_is_forbidden() -> None:
    """XML 1.0 section 2.2: of the controls only tab and line ends, no surrogates, no U+FFFE and U+FFFF."""
    assert xml("a\n\tb\x00\x0b\ufffe\uffff\ud800\x1b[31mc") == "a\n\tbc"


@given(anything | assembled)
def test_markdown_renders_as_plain_text(text: str) -> None:
    """A CommonMark renderer makes nothing of it but one paragraph of text, with no mention, reference or link left."""
    source = markdown(text)
    rendered = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(f"said: {source}\n\n{source}\n")
    kinds = {token.type for token in rendered}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline"}
    inline = {child.type for token in rendered for child in token.children or []}
    assert inline <= {"text", "text_special"}
    shown = "".join(child.content for token in rendered[:3] for child in token.children or [])
    assert shown.replace("\u200b", "") == f"said: {plain(text, 1000)}".strip()
    for found in ("@", "#", "://", "www."):
        position = shown.find(found)
        while position >= 0:
            assert "\u200b" in shown[position : position + 5]
            position = shown.find(found, position + 1)


@given(anything | assembled)
def test_markdown_code_is_one_span(text: str) -> None:
    """A code span holds whatever the text is, in a table cell too."""
    source = markdown_code(text)
    if not source:
        assert plain(text) == ""
        return
    (paragraph,) = (token for token in MarkdownIt("commonmark").parse(f"a {source} b") if token.type == "inline")
    assert [child.type for child in paragraph.children or []] == ["text", "code_inline", "text"]
    assert "|" not in source


def test_markdown_examples() -> None:
    """A zero-width character unlinks, a backslash unmarks, and a table cell stays one."""
    assert markdown("@team #1 see https://a.b") == "@\u200bteam \\#\u200b1 see :\u200b//a.b".replace("see :", "see https:")
    assert markdown("| a | <b>") == "\\| a \\| &lt;b&gt;"
    assert markdown("- x") == "\\- x"
    assert markdown("1. x") == "1\\. x"
    assert markdown_code("a`b|c") == "`a'b¦c`"
