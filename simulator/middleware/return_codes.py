"""Every return code of the workstation's middleware, as people need it: what it means, why it comes, what cures it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from bifente.ground.shipped import shipped
from bifente.ground.text import Text


class Layer(StrEnum):
    """Which component speaks."""

    GALSS = "galss"
    PSS = "pss"
    SSV = "ssv"
    SGD = "sgd"
    CLOUD = "cloud"


@dataclass(frozen=True, slots=True)
class ReturnCode:
    """One code (16 bits), or one HTTP status of the cloud service.

    ``cause`` and ``remedy`` are None for success and where the meaning is ``unknown``; ``fidelity`` is one of
    documented, observed, modelled.
    """

    code: int
    id: str
    layer: Layer
    meaning: Text
    cause: Text | None
    remedy: Text | None
    source: str
    fidelity: str
    unknown: bool = False

    @property
    def hex(self) -> str:
        """Four hexadecimal digits."""
        return f"{self.code:04X}"


def return_code(code: int) -> ReturnCode:
    """What is known of a code. Raises LookupError, its message a sentence, for one that no source tells of."""
    try:
        return return_codes()[code]
    except KeyError:
        raise LookupError(f"no source tells of the return code {code & 0xFFFF:04X} ({code})") from None


@lru_cache(maxsize=1)
def return_codes() -> Mapping[int, ReturnCode]:
    """Every code in ascending order, ranges written out."""
    known = [one for entry in shipped(__package__, "codes.yaml")["codes"] for one in _written_out(entry)]
    return {one.code: one for one in sorted(known, key=lambda one: one.code)}


@lru_cache(maxsize=1)
def http_statuses() -> Mapping[int, ReturnCode]:
    """What the cloud service answers by an HTTP status instead of a code."""
    return {
        entry["status"]: _one(entry, entry["status"], entry["id"])
        for entry in shipped(__package__, "codes.yaml")["http"]
    }


def readings(text: str) -> tuple[int, ...]:
    """The numbers that a code as people write it may stand for, the likeliest first.

    ``0xF001`` and ``F001`` are hexadecimal, ``-4095`` is a signed 16-bit decimal; digits alone are a decimal number
    (61441) or a hexadecimal one (8001): both come back, four digits as hexadecimal first. Raises ValueError.
    """
    word = text.strip()
    if word[:2].lower() == "0x":
        return (_sixteen_bits(int(_digits(word[2:], text), 16), text),)
    if word.startswith("-"):
        number = int(_digits(word[1:], text, decimal=True))
        if not 1 <= number <= 0x8000:
            raise ValueError(f"{text!r} is no 16-bit number")
        return (0x10000 - number,)
    as_hex = int(_digits(word, text), 16)
    if not (word.isascii() and word.isdecimal()):
        return (_sixteen_bits(as_hex, text),)
    both = (as_hex, int(word)) if len(word) == 4 else (int(word), as_hex)
    return tuple(dict.fromkeys(number for number in both if number <= 0xFFFF)) or (_sixteen_bits(int(word), text),)


def _digits(digits: str, text: str, *, decimal: bool = False) -> str:
    allowed = "0123456789" if decimal else "0123456789abcdefABCDEF"
    if not 1 <= len(digits) <= 8 or any(digit not in allowed for digit in digits):
        raise ValueError(f"{text!r} is no return code: write it 61441, F001 or 0xF001")
    return digits


def _sixteen_bits(number: int, text: str) -> int:
    if number > 0xFFFF:
        raise ValueError(f"{text!r} is more than 16 bits")
    return number


def _written_out(entry: Mapping[str, Any]) -> list[ReturnCode]:
    first = int(entry["code"], 16)
    if "last" not in entry:
        return [_one(entry, first, entry["id"])]
    codes = range(first, int(entry["last"], 16) + 1)
    return [_one(entry, code, f"{entry['id']}-{code & 0xF}", n=code & 0xF) for code in codes]


def _one(entry: Mapping[str, Any], code: int, identifier: str, **values: int) -> ReturnCode:
    def sentence(key: str) -> Text | None:
        said = entry.get(key)
        return Text(fr=said["fr"].format(**values), en=said["en"].format(**values)) if said else None

    meaning = sentence("meaning")
    if meaning is None:
        raise ValueError(f"the code {identifier} has no meaning")
    return ReturnCode(
        code=code,
        id=identifier,
        layer=Layer(entry["layer"]),
        meaning=meaning,
        cause=sentence("cause"),
        remedy=sentence("remedy"),
        source=entry["source"],
        fidelity=entry["fidelity"],
        unknown=entry.get("unknown", False),
    )
