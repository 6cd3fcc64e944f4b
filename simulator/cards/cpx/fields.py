"""How the fields of a business data object are written: codecs from Python values to bytes and back.

A codec checks what it is given: ``encode`` raises ValueError in words for a value the card could not hold, ``decode``
for bytes that cannot have been written by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol

from bifente.simulator.cards.layout import Fidelity

#: How text is written. No source says it; first names separated by FF exclude UTF-16, and accents must fit: modelled.
TEXT_ENCODING = "iso-8859-1"


class Codec(Protocol):
    """One way of writing a value. ``size`` is its length in bytes if it is always the same, else None."""

    @property
    def size(self) -> int | None:
        """Length in bytes, None if it varies."""
        ...

    def encode(self, value: Any) -> bytes:
        """The bytes of a value."""
        ...

    def decode(self, data: bytes) -> Any:
        """The value of some bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Byte:
    """A number of one byte."""

    size: int | None = 1

    def encode(self, value: int) -> bytes:
        """The byte."""
        if not 0 <= value <= 0xFF:
            raise ValueError(f"{value} does not fit in one byte")
        return bytes([value])

    def decode(self, data: bytes) -> int:
        """The number."""
        if len(data) != 1:
            raise ValueError(f"{len(data)} bytes given, 1 expected")
        return data[0]


@dataclass(frozen=True, slots=True)
class Words:
    """Text of at most ``longest`` bytes; ``check`` may restrict it further."""

    longest: int
    check: Callable[[str], object] | None = None
    size: int | None = None

    def encode(self, value: str) -> bytes:
        """The text in ISO 8859-1."""
        try:
            data = value.encode(TEXT_ENCODING)
        except UnicodeEncodeError as error:
            raise ValueError(f"{value!r} has a character the card cannot hold: {value[error.start]!r}") from None
        if not 1 <= len(data) <= self.longest:
            raise ValueError(f"{value!r} has {len(data)} bytes; 1 to {self.longest} are allowed")
        if not value.isprintable():
            raise ValueError(f"{value!r} has a character that cannot be printed")
        if self.check:
            self.check(value)
        return data

    def decode(self, data: bytes) -> str:
        """The text."""
        value = data.decode(TEXT_ENCODING)
        self.encode(value)
        return value


@dataclass(frozen=True, slots=True)
class Texts:
    """Several texts separated by FF, at most ``most`` of ``longest`` bytes each."""

    most: int
    longest: int
    size: int | None = None

    def encode(self, value: Sequence[str]) -> bytes:
        """The texts joined by FF."""
        if not 1 <= len(value) <= self.most:
            raise ValueError(f"{len(value)} texts given; 1 to {self.most} are allowed")
        parts = [Words(self.longest).encode(text) for text in value]
        if any(b"\xff" in part for part in parts):
            raise ValueError("'ÿ' cannot be written: its code separates the texts")
        return b"\xff".join(parts)

    def decode(self, data: bytes) -> tuple[str, ...]:
        """The texts."""
        value = tuple(part.decode(TEXT_ENCODING) for part in data.split(b"\xff"))
        self.encode(value)
        return value


@dataclass(frozen=True, slots=True)
class Digits:
    """A number of ``least`` to ``most`` digits in BCD, an odd one out filled with F."""

    least: int
    most: int
    check: Callable[[str], object] | None = None

    @property
    def size(self) -> int | None:
        """Length in bytes, None if it varies."""
        return (self.most + 1) // 2 if self.least == self.most else None

    def encode(self, value: str) -> bytes:
        """Two digits a byte."""
        if not re.fullmatch(r"\d*", value, re.ASCII):
            raise ValueError(f"{value!r} must be digits only")
        if not self.least <= len(value) <= self.most:
            allowed = str(self.most) if self.least == self.most else f"{self.least} to {self.most}"
            raise ValueError(f"{value!r} has {len(value)} digits, not {allowed}")
        if self.check:
            self.check(value)
        return bytes.fromhex(value + "F" * (len(value) % 2))

    def decode(self, data: bytes) -> str:
        """The digits."""
        value = data.hex().upper()
        value = value[:-1] if value.endswith("F") else value
        self.encode(value)
        return value


@dataclass(frozen=True, slots=True)
class Day:
    """A date as eight BCD digits, YYYYMMDD."""

    size: int | None = 4

    def encode(self, value: date) -> bytes:
        """Four bytes."""
        return bytes.fromhex(f"{value:%Y%m%d}".zfill(8))

    def decode(self, data: bytes) -> date:
        """The date."""
        text = data.hex()
        if not re.fullmatch(r"\d{8}", text, re.ASCII):
            raise ValueError(f"{text.upper()} is no date YYYYMMDD")
        try:
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError as error:
            raise ValueError(f"{text} is no date YYYYMMDD: {error}") from None


@dataclass(frozen=True, slots=True)
class Hex:
    """Bytes shown as hexadecimal digits, at most ``longest`` of them."""

    longest: int
    size: int | None = None

    def encode(self, value: str) -> bytes:
        """The bytes."""
        if not re.fullmatch(r"([0-9A-F]{2})+", value):
            raise ValueError(f"{value!r} must be pairs of hexadecimal digits 0-9 A-F")
        if len(value) > 2 * self.longest:
            raise ValueError(f"{value!r} has {len(value) // 2} bytes; 1 to {self.longest} are allowed")
        return bytes.fromhex(value)

    def decode(self, data: bytes) -> str:
        """The digits."""
        value = data.hex().upper()
        self.encode(value)
        return value


@dataclass(frozen=True, slots=True)
class Tagged:
    """Where a field lies and what it is called: put in the ``Annotated`` of a model's field.

    Fields that share a tag follow each other in its value, in the order of the model.
    """

    tag: int
    codec: Codec
    fr: str
    en: str
    fidelity: Fidelity

    def label(self, language: Literal["fr", "en"]) -> str:
        """The name of the field for people."""
        return self.fr if language == "fr" else self.en
