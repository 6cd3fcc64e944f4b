"""Groups by the names of their fields: made from text, shown as text, checked against their catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from bifente.simulator.zones.catalogue import GROUPS, FieldKind, FieldType
from bifente.simulator.zones.codec import Group

#: How bytes that are no printable ASCII are written as text.
_HEX = "hex:"
_NO_DATE = "0" * 12
_WRITTEN = {
    FieldKind.TEXT: (r"[ -`{-~]*", "upper-case ASCII"),
    FieldKind.LABEL: (r"[ -~]*", "printable ASCII"),
    FieldKind.DIGITS: (r"[0-9]*", "digits"),
    FieldKind.CODE: (r"[0-9A-Z ]*", "digits and upper-case letters"),
    FieldKind.DATE: (r"([0-9]{12})?", "12 digits YYYYMMDDHHMM, or empty"),
}
_SHAPES = {kind: (re.compile(shape).fullmatch, words) for kind, (shape, words) in _WRITTEN.items()}


def make(group_id: int, values: Mapping[str, str]) -> Group:
    """A group of the catalogue from its fields by name; those not given are empty.

    Raises ValueError, in words, for an unknown group or field and for a value that its field cannot hold.
    """
    known = GROUPS.get(group_id)
    if known is None:
        raise ValueError(f"no group {group_id} is known; make it from its raw fields")
    for name in values:
        if name not in known.positions:
            names = ", ".join(known.positions) or "none that is public"
            raise ValueError(f"group {group_id} ({known.name}) has no field {name!r}; its fields: {names}")
    for field in known.fields:
        if problem := fault(field, values.get(field.name, "")):
            raise ValueError(f"group {group_id} ({known.name}): {problem}")
    return Group(group_id, tuple(values.get(field.name, "").encode("ascii") for field in known.fields))


def fault(field: FieldType, value: str) -> str | None:
    """Why a field cannot hold a text, in words; None if it can. Every field may be empty."""
    if not value:
        return None
    fits, words = _SHAPES[field.kind]
    if not fits(value):
        return f"{field.name} {value!r} must be {words}"
    if len(value) < field.min or (field.max is not None and len(value) > field.max):
        most = "" if field.max is None else f" and at most {field.max}"
        return f"{field.name} {value!r} must have at least {field.min}{most} characters"
    if field.kind is FieldKind.DATE and value != _NO_DATE and not _is_moment(value, lunar=field.lunar):
        return f"{field.name} {value!r} is no date YYYYMMDDHHMM"
    return None


def _is_moment(value: str, *, lunar: bool) -> bool:
    # A birth date that is not known in full has a month above 12 or at 0, or a day at 0, and stands as it is.
    return lunar or _is_a_minute(value)


@lru_cache(maxsize=1024)
def _is_a_minute(value: str) -> bool:
    try:
        datetime.strptime(value, "%Y%m%d%H%M")
    except ValueError:
        return False
    return True


def names(group: Group) -> tuple[str, ...]:
    """The name of each field of a group, ``field-N`` (from 1) where the catalogue has none."""
    known = GROUPS.get(group.id)
    given = () if known is None else tuple(known.positions)
    return (*given, *(f"field-{rank}" for rank in range(len(given) + 1, len(group.fields) + 1)))


def named(group: Group) -> dict[str, str]:
    """The fields of a group by name, in order, as text: see ``text_of``."""
    return dict(zip(names(group), map(text_of, group.fields), strict=True))


def unnamed(group_id: int, values: Mapping[str, str]) -> Group:
    """The group that ``named`` shows so, whatever its fields hold; those not given are empty.

    Raises ValueError, in words, for a name that is neither in the catalogue nor ``field-N``.
    """
    known = GROUPS.get(group_id)
    positions = {} if known is None else known.positions
    fields: dict[int, bytes] = {}
    for name, value in values.items():
        rank = positions.get(name)
        if rank is None:
            rank = _rank(name)
            if rank is None or rank < len(positions):
                names_ = ", ".join((*positions, f"field-{len(positions) + 1}..."))
                raise ValueError(f"group {group_id} has no field {name!r}; its fields: {names_}")
        fields[rank] = bytes_of(value)
    count = max(len(positions), max(fields, default=-1) + 1)
    return Group(group_id, tuple(fields.get(rank, b"") for rank in range(count)))


def _rank(name: str) -> int | None:
    match = re.fullmatch(r"field-([1-9][0-9]{0,4})", name, re.ASCII)
    return int(match[1]) - 1 if match else None


def text_of(field: bytes) -> str:
    """The text of a field: itself if it is printable ASCII, else ``hex:`` and its bytes."""
    text = field.decode("ascii", "replace")
    if re.fullmatch(r"[ -~]*", text) and not text.startswith(_HEX):
        return text
    return _HEX + field.hex().upper()


def bytes_of(text: str) -> bytes:
    """The bytes of such a text. Raises ValueError, in words."""
    try:
        return bytes.fromhex(text.removeprefix(_HEX)) if text.startswith(_HEX) else text.encode("ascii")
    except ValueError:
        raise ValueError(f"{text!r} must be printable ASCII, or hex: and pairs of hex digits") from None
