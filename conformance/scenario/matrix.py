"""One written scenario, many to run: the values of its axes combined, all of them or so that every pair meets once.

The lists of a bench (``profile``, ``cards``) are axes like those of ``matrix``: one mechanism spreads them all.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from allpairspy import AllPairs
from pydantic import BaseModel

from bifente.conformance.bench.choosing import load_readers
from bifente.conformance.bench.several import label_of as readers_label
from bifente.conformance.loading import InputError
from bifente.conformance.model import BenchModel, Card, CardChoice, Combine, Matrix
from bifente.conformance.scenario.plan import BenchPlan
from bifente.conformance.scenario.references import is_reference, root, substitute
from bifente.simulator.faults import catalogue

MOST = 2000
"""Most scenarios that one matrix may give."""
NAME = "matrix"
"""How steps refer to the values of a row: ``$matrix.<axis>``."""
FAULT = "fault"
"""The axis whose values are faults of the catalogue: what a profile cannot have is left out."""

Row = Mapping[str, Any]
"""One value for each axis (some axes only, while rows are being built)."""


class MatrixError(Exception):
    """A matrix that cannot be spread. One sentence, and a cure."""

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(message)
        self.cure = cure


@dataclass(frozen=True, slots=True)
class Spread:
    """One scenario of a matrix: what tells it apart (empty if it is the only one), its bench and its axis values."""

    label: str
    bench: BenchPlan
    values: Mapping[str, Any]


def spread(bench: BenchModel, matrix: Matrix | None, *, default: str, profile: str | None, seed: str) -> list[Spread]:
    """Every scenario of a matrix, in the order its axes are written.

    ``default`` is the profile of a bench that names none, ``profile`` one chosen for the run, which replaces all
    others. ``seed`` decides which combinations meet the pairs, nothing else. Raises MatrixError, BadReferenceError.
    """
    axes = _axes(bench, matrix, default, profile)
    combine = matrix.combine if matrix else Combine.ALL
    fits = _fitting(axes, matrix)
    rows = list(_pairwise(axes, fits, seed) if combine is Combine.PAIRWISE else _all(axes, fits))
    if not rows:
        raise MatrixError(
            "the matrix leaves nothing to run", "without, or the faults its profiles cannot have, take all"
        )
    if len(rows) > MOST:
        raise MatrixError(f"the matrix gives more than {MOST} scenarios", "combine: pairwise, or fewer values")
    own = set(matrix.axes) if matrix else set()
    varied = [name for name, values in axes.items() if len(values) > 1]
    found = []
    for row in rows:
        label = ",".join(label_of(row[name]) for name in varied)
        values = {name: value for name, value in row.items() if name in own}
        found.append(Spread(f"[{label}]" if label else "", _bench(row, values, bench), values))
    if twice := {one.label for one in found if [other.label for other in found].count(one.label) > 1}:
        raise MatrixError(f"the matrix has {min(twice)[1:-1]!r} twice", "keep one")
    return found


def label_of(value: Any) -> str:
    """How a value shows in the id of a scenario: its ``id`` if it is a mapping that has one."""
    if isinstance(value, CardChoice):
        return value.label
    if isinstance(value, Mapping):
        return str(value.get("id", ";".join(f"{key}={label_of(item)}" for key, item in value.items())))
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _axes(bench: BenchModel, matrix: Matrix | None, default: str, profile: str | None) -> dict[str, list[Any]]:
    own = {name: list(values) for name, values in matrix.axes.items()} if matrix else {}
    profiles = _listed(readers_label(bench.readers) if bench.readers else bench.profile or default)
    if profile is not None:
        for axis in [_axis_of(written) for written in profiles]:
            if axis in own:
                own[axis] = [profile]
        if not all(_axis_of(written) in own for written in profiles):
            profiles = [profile]
    cards = {f"cards.{role}": _listed(card) for role, card in (bench.cards or {}).items()}
    return {"bench.profile": profiles, **cards, **own}


def _axis_of(written: str) -> str | None:
    """``profile`` of ``$matrix.profile``."""
    return written.partition(".")[2] if is_reference(written) and root(written[1:]) == NAME else None


def _fitting(axes: Mapping[str, list[Any]], matrix: Matrix | None) -> Callable[[Row], bool]:
    without = matrix.without if matrix else []

    def fits(row: Row) -> bool:
        return not any(_covers(one, row) for one in without) and _possible(row)

    return fits


def _covers(excluded: Mapping[str, Any], row: Row) -> bool:
    """Whether a row has every value of an exclusion; an axis that the row lacks so far is not had."""
    return all(
        name in row and label_of(row[name]) in {label_of(value) for value in _listed(values)}
        for name, values in excluded.items()
    )


def _possible(row: Row) -> bool:
    """Whether the row's profile can have the row's fault."""
    if FAULT not in row or "bench.profile" not in row:
        return True
    fault = catalogue().get(label_of(row[FAULT]))
    written = row["bench.profile"]
    axis = _axis_of(written)
    profile = written if axis is None else row.get(axis)
    if fault is None or profile is None:
        return True
    try:
        offered = load_readers(str(profile))[0].capabilities
    except InputError:
        return True  # told where the profile itself is looked at
    return fault.needs <= offered


def _all(axes: Mapping[str, list[Any]], fits: Callable[[Row], bool]) -> Iterator[Row]:
    rows = (dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values()))
    yield from itertools.islice((row for row in rows if fits(row)), MOST + 1)


def _pairwise(axes: Mapping[str, list[Any]], fits: Callable[[Row], bool], seed: str) -> Iterator[Row]:
    """Rows in which every pair of values that may meet does meet."""
    varied = {name: values for name, values in axes.items() if len(values) > 1}
    if len(varied) < 2:
        yield from _all(axes, fits)
        return
    fixed = {name: values[0] for name, values in axes.items() if len(values) == 1}
    # The generator is greedy: another order of the values is another choice of rows, as good.
    chance = random.Random(seed)  # noqa: S311 - a draw, no secret
    orders = [chance.sample(range(len(values)), len(values)) for values in varied.values()]

    def row(numbers: Sequence[int]) -> Row:
        chosen = {name: varied[name][number] for name, number in zip(varied, numbers, strict=False)}
        found = {**fixed, **chosen}
        return {name: found[name] for name in axes if name in found}

    def fit(numbers: Sequence[int]) -> bool:
        return fits(row(numbers))

    found = {tuple(numbers) for numbers in itertools.islice(AllPairs(orders, filter_func=fit), MOST + 1)}
    # With values that may not meet, the generator stops as soon as one row brings nothing new.
    for pair in sorted(_pairs_of(orders) - {pair for numbers in found for pair in _pairs_in(numbers)}):
        if not any(pair in _pairs_in(numbers) for numbers in found):
            found |= {numbers for numbers in [_row_with(pair, orders, fit)] if numbers is not None}
    yield from (row(numbers) for numbers in sorted(found))


Numbers = tuple[int, ...]
Pair = tuple[int, int, int, int]
"""An axis and the number of its value, and another axis with its own."""


def _pairs_in(numbers: Numbers) -> set[Pair]:
    return {(i, one, j, other) for (i, one), (j, other) in itertools.combinations(enumerate(numbers), 2)}


def _pairs_of(orders: Sequence[Sequence[int]]) -> set[Pair]:
    return {
        (i, one, j, other)
        for (i, ones), (j, others) in itertools.combinations(enumerate(orders), 2)
        for one in ones
        for other in others
    }


def _row_with(pair: Pair, orders: Sequence[Sequence[int]], fit: Callable[[Sequence[int]], bool]) -> Numbers | None:
    """A row in which a pair meets, or None if it never may."""
    fixed = {pair[0]: pair[1], pair[2]: pair[3]}

    def grown(numbers: Numbers) -> Numbers | None:
        if numbers and not fit(numbers):
            return None
        index = len(numbers)
        if index == len(orders):
            return numbers
        choices = [fixed[index]] if index in fixed else orders[index]
        return next((whole for choice in choices if (whole := grown((*numbers, choice))) is not None), None)

    return grown(())


def _bench(row: Row, values: Mapping[str, Any], bench: BenchModel) -> BenchPlan:
    profile = _valued(row["bench.profile"], values)
    if not isinstance(profile, str):
        raise MatrixError(f"a profile is a name, not {label_of(profile)!r}")
    cards = {name.partition(".")[2]: _card(row[name], values) for name in row if name.startswith("cards.")}
    sections = tuple(value for _name, value in bench if isinstance(value, BaseModel))
    return BenchPlan(profile, cards, _day(_valued(bench.day, values)), sections)


def _day(written: Any) -> date | None:
    try:
        return None if written is None else date.fromisoformat(written)
    except (TypeError, ValueError):
        raise MatrixError(f"a day is written YYYY-MM-DD, not {label_of(written)!r}", "e.g. 2027-07-13") from None


def _card(card: Card, values: Mapping[str, Any]) -> CardChoice:
    written = card.model_dump() if isinstance(card, CardChoice) else card
    chosen = _valued(written, values)
    if isinstance(chosen, str):
        return _plain_card(chosen)
    if not isinstance(chosen, Mapping) or not isinstance(chosen.get("template"), str):
        raise MatrixError(f"a card is a template, or a mapping with one, not {label_of(chosen)!r}")
    return CardChoice.model_validate(chosen)


@lru_cache(maxsize=256)
def _plain_card(template: str) -> CardChoice:
    return CardChoice(template=template)


def _valued(written: Any, values: Mapping[str, Any]) -> Any:
    return substitute(written, NAME, values)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def substituted(written: Any, values: Mapping[str, Any]) -> Any:
    """A part of a scenario with the values of its row. Raises BadReferenceError for an axis that does not exist."""
    return substitute(written, NAME, values) if values else written
