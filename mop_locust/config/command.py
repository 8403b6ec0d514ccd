"""A command line as it may be shown to anybody."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from mop_locust.config.key import ApiKey, redact

HIDDEN: Final = "***"

_TELLING: Final = re.compile(r"(?i)^--?[\w-]*(key|token|secret|passw|auth|credential|header|login)[\w-]*$")
_LOGIN: Final = re.compile(r"(?<=://)[^/?#@\s]*@")
_QUERY: Final = re.compile(r"(?<=[?&])([^=&#\s]+)=[^&#\s]*")


def redact_command(words: Sequence[str], key: ApiKey) -> list[str]:
    """The words with *** for the key, for the value of every option that sounds like a secret, and for logins and query
    values in URLs."""
    shown: list[str] = []
    hide_next = False
    for word in words:
        option, equals, value = word.partition("=")
        if hide_next and not word.startswith("-"):
            shown.append(HIDDEN)
        elif equals and _TELLING.match(option):
            shown.append(f"{option}={HIDDEN}")
        elif equals and option.startswith("-"):
            shown.append(f"{option}={_redact_urls(redact(value, key))}")
        else:
            shown.append(_redact_urls(redact(word, key)))
        hide_next = not equals and _TELLING.match(word) is not None
    return shown


def _redact_urls(text: str) -> str:
    if "://" not in text:
        return text
    return _QUERY.sub(rf"\1={HIDDEN}", _LOGIN.sub(f"{HIDDEN}@", text))
