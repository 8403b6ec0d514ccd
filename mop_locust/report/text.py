"""Text of strangers made inert, one function for each format.

A server chooses tool names, error texts and its own name, so all of them are hostile until they have gone through here.
Sources: OWASP "CSV Injection"; ECMA-48 (escape sequences); XML 1.0 section 2.2 (Char); GitHub Flavored Markdown.
"""

from __future__ import annotations

import html as stdlib_html
import re
from typing import Final

CUT: Final = 200  # characters of a name, a label, a cell
CUT_PROSE: Final = 1000  # characters of a sentence

_ESCAPE_SEQUENCE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # control sequences: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # strings: titles, links
    r"|\x1b[ -/]*[0-~]"
)
_SPACE: Final = re.compile(r"[\t-\r\x85\u2028\u2029 ]+")
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_FORBIDDEN_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_MARKDOWN: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;"} | {character: "\\" + character for character in "\\`*_[]|~$#"}
)
_MARKDOWN_BLOCK: Final = re.compile(r"^(\d*)([-+=.)])")
_MARKDOWN_REFERENCE: Final = re.compile(r"(?i)@|#|:(?=//)|www(?=\.)|gh-(?=\d)")
_UNLINKED: Final = "\u200b"  # zero width: a person reads the same, the software that looks for names and links does not

_FORMULA: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20"
_CSV_FORMULA: Final = re.compile(rf"^(?=[\s\"']*[{_FORMULA}])|(?<=;)(?=[\s\"']*[{_FORMULA}])")


def plain(text: str, cut: int = CUT) -> str:
    """One line that shows what it holds: no escape sequences, control, unseen or direction characters, at most `cut` long."""
    text = text[: 4 * cut]  # before the work, which a text of megabytes must not make slow
    text = _SURROGATE.sub("\ufffd", _ESCAPE_SEQUENCE.sub("", text))
    text = _SPACE.sub(" ", _UNSEEN.sub("", _SPACE.sub(" ", text))).strip()
    return text if len(text) <= cut else text[: cut - 1] + "…"


def html(text: str, cut: int = CUT) -> str:
    """Text for an HTML element or a quoted attribute."""
    return stdlib_html.escape(plain(text, cut))


def markdown(text: str, cut: int = CUT_PROSE) -> str:
    """Text for a Markdown paragraph, list item or table cell: no markup, HTML, mention, reference or link comes out of it."""
    text = _MARKDOWN_BLOCK.sub(r"\1\\\2", plain(text, cut).translate(_MARKDOWN))
    return _MARKDOWN_REFERENCE.sub(lambda found: found[0] + _UNLINKED, text)


def markdown_code(text: str, cut: int = CUT) -> str:
    """A Markdown code span; a backtick becomes ' and a pipe becomes ¦, since either would end the span or the table cell."""
    text = plain(text, cut).replace("`", "'").replace("|", "¦")
    return f"`{text}`" if text else ""


def csv_cell(text: str, cut: int = CUT) -> str:
    """Text for a CSV cell: a ' before what a spreadsheet would take for a formula, after a `;` too, which some split at."""
    return _CSV_FORMULA.sub("'", plain(text, cut))


def xml(text: str) -> str:
    """Text for an XML writer that escapes markup itself: no escape sequences and no character that XML 1.0 forbids."""
    return _FORBIDDEN_IN_XML.sub("", _ESCAPE_SEQUENCE.sub("", text))
