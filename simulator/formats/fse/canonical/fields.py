"""The fields of one group of a form, by name: each reading takes one writing of a value and refuses every other."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import TypeVar

from bifente.simulator.formats.fse.canonical.forms import COEFFICIENT, called, names_of, shown
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.zones import Group

T = TypeVar("T")

_NUMBER = re.compile(r"0|[1-9][0-9]{0,8}")


class Fields:
    """The fields of the group at a rank. Raises FseError, with the place, for other fields than it has, and for each
    value that is not written as it must be.
    """

    def __init__(self, group: Group, rank: int) -> None:
        self._place = f"{called(group.id)} at rank {rank}"
        names = names_of(group.id)
        if len(names) != len(group.fields):
            raise FseError(
                self._place, f"it has {len(names)} fields, not {len(group.fields)}", "write empty ones as 00"
            )
        self._values = dict(zip(names, group.fields, strict=True))

    def place(self, name: str) -> str:
        """Where a field is, for an error."""
        return f"{self._place}, {name}"

    def text(self, name: str) -> str:
        """Any text, ASCII."""
        value = self._values[name]
        try:
            return value.decode("ascii")
        except UnicodeDecodeError:
            raise FseError(self.place(name), f"{shown(value)} is no ASCII", "write ASCII characters") from None

    def number(self, name: str) -> int:
        """A whole number of 9 digits or less, without leading zero."""
        text = self.text(name)
        if not _NUMBER.fullmatch(text):
            raise FseError(self.place(name), f"{text[:20]!r} is no whole number of 9 digits or less", "no leading zero")
        return int(text)

    def coefficient(self, name: str) -> Decimal:
        """The coefficient of an act."""
        text = self.text(name)
        if not COEFFICIENT.fullmatch(text):
            raise FseError(self.place(name), f"{text[:20]!r} is no coefficient", "a decimal without needless zeros")
        return Decimal(text)

    def digits(self, name: str) -> str:
        """The 8 digits of a date that may be of a lunar month."""
        text = self.text(name)
        if not re.fullmatch(r"[0-9]{8}0000", text):
            raise FseError(self.place(name), f"{text[:20]!r} must be YYYYMMDD0000", "correct it")
        return text[:8]

    def date(self, name: str) -> date:
        """A day of the calendar."""
        text = self.digits(name)
        try:
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            raise FseError(self.place(name), f"{text} is no date", "write YYYYMMDD0000") from None

    def maybe(self, name: str, read: Callable[[str], T]) -> T | None:
        """What ``read`` gives of a field, None of an empty one."""
        return read(name) if self._values[name] else None

    def flag(self, name: str) -> bool:
        """Yes or no."""
        return self.one_of(name, {False: "0", True: "1"})

    def one_of(self, name: str, forms: Mapping[T, str]) -> T:
        """The value of which a field holds the form."""
        text = self.text(name)
        for value, form in forms.items():
            if form == text:
                return value
        raise FseError(self.place(name), f"{text[:20]!r} is unknown", f"one of: {', '.join(forms.values())}")
