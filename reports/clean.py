"""Characters that no page, terminal or XML file should receive from the outside."""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""What a harmful character becomes: visible, so that nobody takes the text for the original."""

# Control characters drive terminals and are illegal in XML; surrogates cannot be encoded; directional overrides make a
# text read otherwise than it is written. Tab and line feed stay.
_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]",
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    """Return `text` with control characters, directional overrides and lone surrogates made visible."""
    return _HARMFUL.sub(REPLACEMENT, text)


def encodable(text: str) -> str:
    """Return `text` with lone surrogates replaced, so that it can be written as UTF-8."""
    return _SURROGATE.sub(REPLACEMENT, text)


def one_line(text: str) -> str:
    """Return `text` printable and on a single line, its runs of blanks reduced to one space."""
    return " ".join(printable(text).split())
