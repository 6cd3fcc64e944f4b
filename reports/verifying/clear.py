"""Whether a line says one thing to every reader: JSON lets a field stand twice, and readers differ on which counts."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from bifente.ground.text import Text
from bifente.reports.events import Event, Exchange, StepStarted

_ENCODE = msgspec.json.Encoder().encode
_SEQ = len(b'"seq":0,')
_DURATION = len(b',"duration_us":0')
_UNWRITABLE = Text(
    "une valeur qu'aucun banc n'écrit (trop grande, trop imbriquée)",
    "a value that no bench writes (too large, too deeply nested)",
)


class _TwiceError(Exception):
    pass


def unclear(event: Event, line: bytes) -> Text | None:
    """Return why `line`, read as `event`, may be read otherwise or not be written again; None for any line of ours."""
    try:
        length = len(_ENCODE(event)) + 1
        # Left out where they are 0, but for these places: there a bench writes them.
        length += _SEQ * (not event.seq)
        length += _DURATION * (isinstance(event, Exchange) and not event.duration_us)
        # Nothing that counts is said twice in a line as long as it has to be; only a free number could be shortened.
        if len(line) != length or (isinstance(event, StepStarted) and event.arguments):
            json.loads(line, object_pairs_hook=_once, parse_int=len, parse_float=len)
    except _TwiceError as error:
        return Text(f"le champ {error} y est deux fois", f"the field {error} is there twice")
    except (ValueError, OverflowError, RecursionError):
        return _UNWRITABLE
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _TwiceError(name)
        found[name] = value
    return found
