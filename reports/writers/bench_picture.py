"""The bench of a scenario as a drawing: the device and its slots on the left, what becomes of them to the right.

Only sizes and places are computed here, in units of the drawing; `report.html.j2` draws. The drawing reads without
colour: a card is a filled bar with its name, an empty slot a dashed line, a fault or a lost link a hatched bar.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bifente.ground.text import Lang
from bifente.reports import words
from bifente.reports.timeline import Column, Lane, Span, Timeline

_GUTTER = 150
_WIDE, _NARROW, _ALL = 190, 74, 900
_LANE, _BAR, _TOP, _AXIS = 30, 22, 16, 34
_LETTER = 6.4
_MOST_MARKS = 8
_GOOD = re.compile(r"up|\d+ s|[1-9]\d* %")
"""A link that is up, the time that a session or the share that a battery has left: any other value is a trouble."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A value during a stretch. `kind` is `card`, `empty`, `good` or `bad`; `text` fits, `title` is the whole."""

    x: float
    width: float
    kind: str
    text: str
    title: str


@dataclass(frozen=True, slots=True)
class Row:
    """A lane of the drawing: `y` is the top of its bars."""

    y: int
    label: str
    slot: bool
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something the bench did, on the axis; `number` is the step under way, 0 for none, `time` that of its column."""

    x: float
    number: int
    title: str
    time: str


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole drawing. `ticks` are (x, time) where columns begin."""

    width: int
    height: int
    gutter: int
    bar: int
    device: int
    axis: int
    rows: tuple[Row, ...]
    ticks: tuple[tuple[float, str], ...]
    marks: tuple[Mark, ...]
    description: str


def picture(found: Timeline, lang: Lang) -> Picture:
    """Return the drawing of `found` with words in `lang`."""
    count = len(found.columns)
    step = max(_NARROW, min(_WIDE, (_ALL - _GUTTER) / count))
    rows = tuple(_row(number, lane, step, lang) for number, lane in enumerate(found.lanes))
    slots = sum(lane.slot for lane in found.lanes)
    axis = _TOP + _LANE * len(rows) + 6
    return Picture(
        width=round(_GUTTER + step * count) + 1,
        height=axis + _AXIS,
        gutter=_GUTTER,
        bar=_BAR,
        device=_LANE * slots,
        axis=axis,
        rows=rows,
        ticks=_ticks(found.columns, step, lang),
        marks=tuple(mark for number, column in enumerate(found.columns) for mark in _marks(number, column, step, lang)),
        description="; ".join(
            words.labelled(row.label, ", ".join(bar.title for bar in row.bars), lang) for row in rows
        ),
    )


def _row(number: int, lane: Lane, step: float, lang: Lang) -> Row:
    label = lane.name if lane.slot else words.translated("picture", lane.name, lang)
    show: Callable[[Span], Bar] = lambda span: _bar(lane, span, step, lang)  # noqa: E731
    return Row(_TOP + _LANE * number, label, lane.slot, tuple(show(span) for span in lane.spans))


def _bar(lane: Lane, span: Span, step: float, lang: Lang) -> Bar:
    width = step * span.columns - 4
    if lane.slot and span.value.startswith("!"):
        kind, title = "bad", words.labelled(words.say("picture_out_of_reach", lang), span.value[1:], lang)
    elif lane.slot:
        kind, title = ("card", span.value) if span.value else ("empty", words.say("picture_empty", lang))
    else:
        kind = "good" if _GOOD.fullmatch(span.value) else "bad"
        title = words.translated("picture", span.value or "unknown", lang)
    room = int((width - 10) / _LETTER)
    return Bar(
        _GUTTER + step * span.first, width, kind, title if len(title) <= room else f"{title[: room - 1]}…", title
    )


def _ticks(columns: tuple[Column, ...], step: float, lang: Lang) -> tuple[tuple[float, str], ...]:
    found: list[tuple[float, str]] = []
    for number, column in enumerate(columns):
        if number == 0 or column.at_ms != columns[number - 1].at_ms:
            found.append((_GUTTER + step * number, _time(column, lang)))
    return tuple(found)


def _time(column: Column, lang: Lang) -> str:
    return words.duration(column.at_ms * 1000, lang) if column.at_ms else "0 s"


def _marks(number: int, column: Column, step: float, lang: Lang) -> list[Mark]:
    shown = column.changes[:_MOST_MARKS]
    left = _GUTTER + step * number
    return [
        Mark(
            round(left + (step - 12) * place / max(1, len(shown)), 1),
            (change.index + 1) if change.index is not None else 0,
            change.what.get(lang),
            _time(column, lang),
        )
        for place, change in enumerate(shown)
    ]
