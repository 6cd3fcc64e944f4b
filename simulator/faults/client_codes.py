"""Codes as programs and logs write them: PC/SC, PKCS#11, Windows, browsers, USB; by name or number, in any writing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from bifente.ground.shipped import shipped
from bifente.ground.text import Text


@dataclass(frozen=True, slots=True)
class ClientCode:
    """A code that a program's library returned: its name as the ``layer`` writes it, what it leads to.

    ``number`` has 32 bits, None where programs write the name alone. ``leads`` are ids of the catalogue of faults or of
    everyday causes, the likeliest first.
    """

    layer: str
    number: int | None
    name: str
    aliases: tuple[str, ...]
    meaning: Text
    leads: tuple[str, ...]
    source: str


@cache
def _data() -> Mapping[str, Any]:
    data: Mapping[str, Any] = shipped(__package__, "client_codes.yaml")
    return data


_LAYERS = ("pcsc", "pkcs11", "windows", "browser", "usb")


@cache
def client_codes() -> tuple[ClientCode, ...]:
    """Return every code, layer by layer."""
    data = _data()
    return tuple(code for layer in _LAYERS for code in _layer(layer, data[layer], data[layer]["prefixes"]))


def _layer(layer: str, data: Mapping[str, Any], prefixes: list[str]) -> Iterator[ClientCode]:
    for row in data["codes"]:
        name = row["name"]
        yield ClientCode(
            layer=layer,
            number=int(row["code"], 16) if "code" in row else None,
            name=f"CKR_{name}" if layer == "pkcs11" else name,
            aliases=(name, *(f"{prefix}{name}" for prefix in prefixes)),
            meaning=Text(row["fr"], row["en"]),
            leads=tuple(row.get("leads", ())),
            source=data["source"],
        )


@cache
def _by_name() -> Mapping[str, ClientCode]:
    # What two layers call alike (CANCELLED) is the first's: PC/SC is what most logs speak of.
    found: dict[str, ClientCode] = {}
    for code in client_codes():
        for alias in code.aliases:
            found.setdefault(alias.upper(), code)
    return found


@cache
def _functions() -> Mapping[str, tuple[str, ...]]:
    functions = _data()["functions"]
    return {name.lower(): tuple(leads) for name, leads in functions.items()}


def function_leads(word: str) -> tuple[str, ...]:
    """Return what a function named in a log leads to, nothing for one that is not known."""
    return _functions().get(word.lower(), ())


_HEX = re.compile(r"(0x)?([0-9a-f]{1,8})(u?l)?", re.IGNORECASE)
_DECIMAL = re.compile(r"-?[0-9]{1,10}")


def named(word: str) -> tuple[ClientCode, ...]:
    """Return the codes that one word stands for: a name with or without its prefix, or a number.

    Numbers come as ``0x80100068``, ``80100068``, ``-2146434968`` (signed) or ``2148532328``. A short number without
    ``0x`` stands for none: too many things are numbered so.
    """
    if (known := _by_name().get(word.upper())) is not None:
        return (known,)
    numbers = frozenset(_numbers(word))
    return tuple(code for code in client_codes() if code.number in numbers)


def _numbers(word: str) -> Iterator[int]:
    if (hexadecimal := _HEX.fullmatch(word)) and (hexadecimal[1] or len(hexadecimal[2]) == 8):
        yield int(hexadecimal[2], 16)
    if _DECIMAL.fullmatch(word) and len(word) >= 9:
        yield int(word) & 0xFFFFFFFF
