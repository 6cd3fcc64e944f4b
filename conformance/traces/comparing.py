"""Two traces side by side: what was asked in one and not in the other, what was answered otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from bifente.conformance.loading import InputError
from bifente.conformance.traces.digits import agrees
from bifente.conformance.traces.seen import SeenApdu
from bifente.reports.masking import mask_command

MOST_COMPARED = 5_000
"""Exchanges of each trace: what it takes grows with their product at worst."""

# Their data are drawn at random or computed from what was: only their status words can be compared.
_DRAWN = frozenset({"2A", "82", "84", "86", "87", "88"})


class DifferenceKind(StrEnum):
    """How two traces differ at a place."""

    STATUS = "status"
    DATA = "data"
    ONLY_FIRST = "only-in-first"
    ONLY_SECOND = "only-in-second"


@dataclass(frozen=True, slots=True)
class TraceDifference:
    """One difference: the exchange of each trace, None where it has none."""

    kind: DifferenceKind
    first: tuple[int, SeenApdu] | None
    second: tuple[int, SeenApdu] | None


def differences(first: Sequence[SeenApdu], second: Sequence[SeenApdu]) -> list[TraceDifference]:
    """Return the differences in order. Raise InputError for traces too long to be compared."""
    if max(len(first), len(second)) > MOST_COMPARED:
        raise InputError.at(
            "trace", f"more than {MOST_COMPARED} exchanges", cure="record the failing act alone, nothing before it"
        )
    return [*_differences(first, second)]


def _differences(first: Sequence[SeenApdu], second: Sequence[SeenApdu]) -> Iterator[TraceDifference]:
    shapes = ([_shape(seen.command) for seen in first], [_shape(seen.command) for seen in second])
    for what, a, b, c, d in SequenceMatcher(None, shapes[0], shapes[1], autojunk=False).get_opcodes():
        if what == "equal":
            for one, two in zip(range(a, b), range(c, d), strict=True):
                if (kind := answered(first[one], second[two].response)) is not None:
                    yield TraceDifference(kind, (one, first[one]), (two, second[two]))
            continue
        for one in range(a, b):
            yield TraceDifference(DifferenceKind.ONLY_FIRST, (one, first[one]), None)
        for two in range(c, d):
            yield TraceDifference(DifferenceKind.ONLY_SECOND, None, (two, second[two]))


def answered(seen: SeenApdu, response: str) -> DifferenceKind | None:
    """Return how a response differs from that of an exchange; None where it does not."""
    if seen.response[-4:] != response[-4:]:
        return DifferenceKind.STATUS
    if seen.command[2:4] in _DRAWN or agrees(seen.response, response):
        return None
    return DifferenceKind.DATA


def _shape(command: str) -> str:
    """A command less what is masked or drawn in it."""
    return f"{command[:8]}/{len(command)}" if command[2:4] in _DRAWN else mask_command(command)
