"""A kept trace, in memory: what a replay, a comparison or a reduction works on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bifente.conformance.loading import InputError, nearest
from bifente.conformance.traces.seen import SeenApdu, SeenAtr
from bifente.conformance.traces.sources import journal
from bifente.conformance.traces.sources.known import file_of, source_of

MOST = 50_000
"""Exchanges that are held at once; a session at a desk has some hundreds."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The exchanges with one card, in order, and its answer to reset where it is known."""

    exchanges: Sequence[SeenApdu]
    atr: str | None = None


def load_trace(path: Path, slot: str | None = None) -> Trace:
    """Return what a kept trace holds of the card in a slot, of the one most spoken to unless it is named.

    Raise InputError for what is no kept trace, holds no exchange or too many, OSError.
    """
    path = file_of(path)
    if source_of(path) is not journal.SOURCE:
        raise InputError.at(
            str(path), "a log, not a kept trace", cure=f"mask it first: bifente trace import {path} -o trace.jsonl"
        )
    exchanges: list[SeenApdu] = []
    atrs: dict[str | None, str] = {}
    for seen in journal.read(path):
        if isinstance(seen, SeenApdu):
            exchanges.append(seen)
            if len(exchanges) > MOST:
                raise InputError.at(
                    str(path), f"more than {MOST} exchanges", cure="record the failing act alone, nothing before it"
                )
        elif isinstance(seen, SeenAtr):
            atrs[seen.slot] = seen.atr
        else:
            raise InputError.at(str(path), seen.what.en, line=seen.place, cure="import the log again: this was altered")
    if not exchanges:
        raise InputError.at(str(path), "no exchange with a card", cure="record while the failing act is done")
    spoken_to = Counter(seen.slot for seen in exchanges)
    if slot is not None and slot not in spoken_to:
        raise InputError.at(str(path), f"no slot {slot!r}", cure=nearest(slot, (one for one in spoken_to if one)))
    chosen = slot if slot is not None else spoken_to.most_common(1)[0][0]
    ours = [seen for seen in exchanges if seen.slot == chosen]
    return Trace(ours, atrs.get(chosen) or atrs.get(None))
