"""An act of the nomenclature as data: who may bill it, with what, on which days, at which price."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bifente.simulator.formats.fse.model import Nomenclature
from bifente.simulator.tarification.tables.base import LabelledRow, TableModel


class Price(TableModel):
    """A price in force from a day on."""

    since: Annotated[date, Field(alias="from")]
    base: Annotated[int, Field(gt=0)]


class ActType(LabelledRow):
    """An act that may be billed.

    Its unit price is its ``base``, one of its ``prices`` by the day, or none if it is ``free``; ``tariffs`` are the
    prices of a profession or a specialty that has others; ``until``: its last day. Of its professions it is for the
    ``specialties`` alone, or for all ``unless`` some.

    ``coefficient``: it may have one, ``highest`` at most; ``classes``: its class of rate for some professions;
    ``accompanies``: the acts that a supplement goes with, of a coefficient up to ``most``, ``each``: no more often than
    they; ``below``: the age that a patient has not reached, ``from_age``: the one he has, either if it has both;
    ``paths``: the letters of the care path, where one is told; ``once``: once a day for one patient, ``a_day``: so
    often at most; ``holiday``: from Saturday to Sunday and on holidays alone; ``group``: one act of it a day;
    ``with_consultation``: a CCAM act that a consultation of the same day goes with; ``heavy``: how it counts for the
    flat participation; ``prevention``: what exoneration 7 is for.
    """

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,6}$")]
    nomenclature: Nomenclature
    base: Annotated[int, Field(gt=0)] | None = None
    prices: tuple[Price, ...] = ()
    rate_class: Annotated[str, Field(alias="class")]
    classes: Mapping[str, str] = {}
    professions: tuple[str, ...]
    specialties: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    until: date | None = None
    prescribed: bool = False
    care_path: bool = False
    coefficient: bool = False
    highest: Decimal | None = None
    free: bool = False
    accompanies: Annotated[tuple[str, ...], Field(alias="with")] = ()
    most: Decimal | None = None
    below: int | None = None
    from_age: int | None = None
    paths: tuple[str, ...] = ()
    once: bool = False
    a_day: int | None = None
    each: bool = False
    holiday: bool = False
    group: str | None = None
    with_consultation: bool = False
    tariffs: Mapping[str, tuple[Price, ...]] = {}
    heavy: Literal["together", "alone"] | None = None
    prevention: bool = False

    @model_validator(mode="after")
    def _priced(self) -> Self:
        if sum((self.free, self.base is not None, bool(self.prices))) != 1:
            raise ValueError(f"act {self.code} has a base, prices or is free, one of the three")
        for prices in (self.prices, *self.tariffs.values()):
            if [price.since for price in prices] != sorted((price.since for price in prices), reverse=True):
                raise ValueError(f"act {self.code} has its newest price first")
        return self

    def price_on(self, day: date, profession: str | None = None, specialty: str = "") -> int | None:
        """Return the unit price in cents of a profession on a day; None if it is free, or not known for that day."""
        prices = self._prices(profession, specialty)
        if not prices:
            return self.base
        return next((price.base for price in prices if price.since <= day), None)

    def is_of(self, day: date, profession: str | None = None, specialty: str = "") -> bool:
        """Whether the act can be billed for care of that day: not before its first known price, nor after its end."""
        prices = self._prices(profession, specialty)
        return not (prices and day < prices[-1].since) and (self.until is None or day <= self.until)

    def is_for(self, profession: str | None, specialty: str) -> bool:
        """Whether someone of a specialty may bill it; of one that is not known nothing is said."""
        if profession is None:
            return True
        if profession not in self.professions or specialty in self.unless:
            return False
        return not self.specialties or specialty in self.specialties

    def is_of_age(self, years: int) -> bool:
        """Whether it is for a patient of that age."""
        young = self.below is not None and years < self.below
        old = self.from_age is not None and years >= self.from_age
        return young or old or (self.below is None and self.from_age is None)

    def _prices(self, profession: str | None, specialty: str) -> tuple[Price, ...]:
        return self.tariffs.get(specialty, self.tariffs.get(profession or "", self.prices))

    def class_of(self, profession: str | None) -> str:
        """Return the class of its rate when someone of that profession does it."""
        return self.classes.get(profession or "", self.rate_class)
