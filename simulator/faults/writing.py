"""Codes as logs and people write them, turned into the one writing of the tables.

A code is found wherever it stands in a line: ``SW1=0x6A, SW2=0x82``, ``SW: 69 82``, ``6A82h``, ``&HF101``, ``F 101``,
``80 10 00 68`` and ``-2146434968`` are 6A82, 6982, 6A82, F101, F101, 80100068 and 80100068. Nothing else is touched.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_BYTE = r"(?:0x)?([0-9A-F]{2})h?"
_SEPARATOR = r"[\s:,;/]{1,3}"
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    # The two bytes of a status word, each under its name.
    (
        re.compile(rf"\bSW1\W{{0,4}}{_BYTE}\W{{1,4}}SW2\W{{0,4}}{_BYTE}\b", re.IGNORECASE),
        lambda found: f"SW {found[1]}{found[2]}",
    ),
    # What Python makes of a signed number that it writes as hexadecimal.
    (re.compile(r"\b0x-([0-9A-F]{8})\b", re.IGNORECASE), lambda found: f"{-int(found[1], 16) & 0xFFFFFFFF:08X}"),
    # A name in a URL-like writing.
    (re.compile(r"\bnet::(?=ERR_)", re.IGNORECASE), lambda found: ""),
    # 0x, &H and h say no more than that it is hexadecimal.
    (re.compile(r"(?:\b0x|&H|\b(?=[0-9A-F]{4,8}h\b))([0-9A-F]{4,8})h?\b", re.IGNORECASE), lambda found: found[1]),
    # Bytes apart, but not among the pairs of a telephone number: the four of PC/SC, the two of a status word, of the
    # SSV and of the GALSS.
    (
        re.compile(rf"\b80{_SEPARATOR}10{_SEPARATOR}([0-9A-F]{{2}}){_SEPARATOR}([0-9A-F]{{2}})\b", re.IGNORECASE),
        lambda found: f"8010{found[1]}{found[2]}",
    ),
    (
        re.compile(
            rf"(?<![0-9][ .])\b([69][0-9A-F]|F[01689F]|80){_SEPARATOR}"
            r"([0-9][0-9A-F]|[A-F][0-9]|FF)\b(?![ .][0-9]{2}\b)",
            re.IGNORECASE,
        ),
        lambda found: f"{found[1]}{found[2]}",
    ),
    # Bits are told by the names of what has them.
    (re.compile(r"\b32[- ]?bits?\b", re.IGNORECASE), lambda found: f"x86 {found[0]}"),
    (re.compile(r"\b64[- ]?bits?\b", re.IGNORECASE), lambda found: f"x64 {found[0]}"),
    # What stands between letter and digits on the telephone.
    (re.compile(r"\b(F)\s+([0-9]{3})\b", re.IGNORECASE), lambda found: f"{found[1]}{found[2]}"),
    # A name and its code with nothing between: SW=6982 is two words.
    (re.compile(r"\bSW(?:1SW2|12)?\s*[=:]\s*", re.IGNORECASE), lambda found: "SW "),
    # A signed number of 32 bits, as Windows and Java print it.
    (re.compile(r"(?<![\w-])-([12][0-9]{9})\b"), lambda found: f"{-int(found[1]) & 0xFFFFFFFF:08X}"),
)


def one_writing(text: str) -> str:
    """Return the text with each code in it as the tables write codes."""
    for pattern, written in _RULES:
        text = pattern.sub(written, text)
    return text


def pieces(text: str) -> list[str]:
    """Return what stands in a line between spaces and the signs that logs put around a code."""
    return [piece for piece in re.split(r"[\s=:,;()\[\]<>\"'«»]+|\.+(?=\s|$)", text) if piece]
