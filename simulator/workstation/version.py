"""Versions of components, compared as versions: 1.40.9 is below 1.40.14."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache, total_ordering

_VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,7}")
_BOUND = re.compile(r"(>=|<=|<|>|=)\s*([0-9.]+)")


@total_ordering
@dataclass(frozen=True, eq=False)
class ComponentVersion:
    """A version as it is printed. ``3.43`` and ``3.43.00`` are one, ``3.42.03`` and ``3.42.3`` too."""

    written: str

    def __post_init__(self) -> None:
        if not _VERSION.fullmatch(self.written):
            raise ValueError(f"{self.written!r} is no version: numbers with dots between, e.g. 5.1.8")

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """The numbers, without the zeros at the end."""
        found = [int(part) for part in self.written.split(".")]
        while len(found) > 1 and found[-1] == 0:
            found.pop()
        return tuple(found)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComponentVersion) and self.numbers == other.numbers

    def __lt__(self, other: ComponentVersion) -> bool:
        return self.numbers < other.numbers

    def __hash__(self) -> int:
        return hash(self.numbers)

    def __str__(self) -> str:
        return self.written


@lru_cache(maxsize=256)
def version(written: str) -> ComponentVersion:
    """Return a version, read once: rules compare the same few again and again. Raise ValueError."""
    return ComponentVersion(written)


@dataclass(frozen=True, slots=True)
class VersionSpan:
    """A span of versions: bounds that all hold, ``>=5.1.6, <5.2.0``."""

    bounds: tuple[tuple[str, ComponentVersion], ...]

    @classmethod
    def parse(cls, written: str) -> VersionSpan:
        """Read a span. Raise ValueError."""
        bounds = []
        for part in written.split(","):
            found = _BOUND.fullmatch(part.strip())
            if found is None:
                raise ValueError(f"{written!r} is no span of versions, e.g. '>=5.1.6, <5.2.0'")
            bounds.append((found[1], ComponentVersion(found[2])))
        return cls(tuple(bounds))

    def covers(self, version: ComponentVersion) -> bool:
        """Whether a version lies in the span."""
        return all(_holds(version, sign, bound) for sign, bound in self.bounds)

    def example(self) -> ComponentVersion:
        """Return a version that lies in the span. Raise ValueError if none was found."""
        told = [bound for sign, bound in self.bounds if sign in (">=", "=", "<=")]
        below = [_just_below(bound) for sign, bound in self.bounds if sign == "<"]
        above = [ComponentVersion(f"{bound}.1") for sign, bound in self.bounds if sign == ">"]
        for found in (*told, *below, *above):
            if self.covers(found):
                return found
        raise ValueError(f"no version was found in {self}")


def _just_below(bound: ComponentVersion) -> ComponentVersion:
    *first, last = bound.numbers
    return ComponentVersion(".".join(map(str, (*first, last - 1, 99) if last else (*first, 0))))


def _holds(version: ComponentVersion, sign: str, bound: ComponentVersion) -> bool:
    if sign == "=":
        return version == bound
    if sign == "<":
        return version < bound
    if sign == "<=":
        return version <= bound
    return version > bound if sign == ">" else version >= bound
