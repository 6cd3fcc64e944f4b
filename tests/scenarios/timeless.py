"""What a run tells, without times: neither those of the machine nor how long a step took."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from bifente.reports.events import Event


def timeless(events: Iterable[Event]) -> list[Event]:
    dateless = [structs.replace(event, time="") for event in events]
    return [structs.replace(one, duration_us=0) if hasattr(one, "duration_us") else one for one in dateless]
