"""``bifente zone``: zones of the SSV functions shown by name, and made from named groups."""

from __future__ import annotations

import base64
import binascii
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from bifente.conformance.cli.app import Exit, app, err, fail, out
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.conformance.cli.speaking import say
from bifente.conformance.loading import MAX_BYTES, Document, load_document, parse_document
from bifente.ground.files import read_file
from bifente.ground.text import Lang, Text
from bifente.simulator.zones import (
    GROUPS,
    ORDERS,
    Group,
    OrderError,
    ZoneError,
    check_order,
    decode,
    encode,
    fault,
    named,
    unnamed,
)

zone = typer.Typer(help="Zones of the SSV functions.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(zone, name="zone")

_STDIN = "-"
#: The longest input read: the longest zone as spaced hexadecimal text, and then some.
_MAX_INPUT = 512 * 1024


class ZoneForm(StrEnum):
    """How a zone is written in a file."""

    BINARY = "binary"
    HEX = "hex"
    BASE64 = "base64"


@zone.command(name="decode")
def decode_zone(
    source: Annotated[str, typer.Argument(metavar="FILE|-", help="Zone as bytes, hexadecimal or base64 text.")],
    form: Annotated[ZoneForm | None, typer.Option("--as", help="How it is written (default: recognised).")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what ``zone encode`` takes.")] = False,
    lang: LangOption = None,
) -> None:
    """Show the groups and fields of a zone by name; what looks wrong in them is noted on the error output."""
    language = chosen_lang(lang)
    try:
        groups = decode(_bytes_of(_read(source), form))
    except ValueError as error:
        raise fail(f"{_name(source)}: {error}", Exit.BAD_INPUT) from None
    if as_json:
        out.print(_json(groups), markup=False)
    else:
        for line in _lines(groups, language):
            out.print(line, markup=False)
    _note(groups)


@zone.command(name="encode")
def encode_zone(
    source: Annotated[
        str, typer.Argument(metavar="FILE|-", help="YAML or JSON: a list of {group: number, fields: {name: value}}.")
    ],
    target: Annotated[
        Path | None, typer.Option("--out", help="File for the bytes (default: hexadecimal text).")
    ] = None,
) -> None:
    """Make a zone. Values that a field should not hold are written all the same, and noted on the error output."""
    name = _name(source)
    if source == _STDIN:
        document = parse_document(Path(name), sys.stdin.buffer.read(MAX_BYTES + 1))
    else:
        document = load_document(Path(source))
    groups = tuple(_groups(document))
    try:
        raw = encode(groups)
    except ZoneError as error:
        raise fail(f"{name}: {error}", Exit.BAD_INPUT) from None
    if target is None:
        out.print(raw.hex().upper(), markup=False)
    else:
        try:
            target.write_bytes(raw)
        except OSError as error:
            raise fail(f"{target}: cannot be written: {error.strerror}", Exit.BAD_INPUT) from None
        out.print(say(f"{target}: {len(raw)} bytes"), markup=False)
    _note(groups)


# -- reading ----------------------------------------------------------------------------------------------------------


def _name(source: str) -> str:
    return "standard input" if source == _STDIN else source


def _read(source: str) -> bytes:
    if source == _STDIN:
        raw = sys.stdin.buffer.read(_MAX_INPUT + 1)
    else:
        path = Path(source)
        try:
            raw = read_file(path, _MAX_INPUT)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise ValueError(f"cannot be read: {reason}") from None
    if not raw.strip():
        raise ValueError("is empty; a zone has at least one group")
    if len(raw) > _MAX_INPUT:
        raise ValueError(f"is larger than {_MAX_INPUT // 1024} KiB, more than any zone; give one zone")
    return raw


def _bytes_of(raw: bytes, form: ZoneForm | None) -> bytes:
    """The zone itself. A zone as bytes holds a byte that no text has, if only in the number of its first group."""
    form = form or _recognised(raw)
    if form is ZoneForm.BINARY:
        return raw
    text = b"".join(raw.split())
    try:
        return bytes.fromhex(text.decode("ascii")) if form is ZoneForm.HEX else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise ValueError(f"is not {form} text; correct it, or say with --as how it is written") from None


def _recognised(raw: bytes) -> ZoneForm:
    if re.fullmatch(rb"[0-9A-Fa-f\s]+", raw):
        return ZoneForm.HEX
    return ZoneForm.BASE64 if re.fullmatch(rb"[0-9A-Za-z+/=\s]+", raw) else ZoneForm.BINARY


def _groups(document: Document) -> Iterator[Group]:
    if not isinstance(document.data, list):
        raise document.error((), "must be a list of groups", "begin each with - group: number")
    for index, item in enumerate(document.data):
        yield _group(document, index, item)


def _group(document: Document, index: int, item: Any) -> Group:
    if not isinstance(item, dict) or not {"group"} <= item.keys() <= {"group", "fields"}:
        raise document.error((index,), "a group has a number (group) and named fields (fields), nothing else")
    number, fields = item["group"], item.get("fields") or {}
    if type(number) is not int or not 0 <= number <= 0xFFFF:
        raise document.error((index, "group"), "a group number is between 0 and 65535, without leading zero")
    if not isinstance(fields, dict):
        raise document.error((index, "fields"), "fields are given by name", "write name: value")
    texts = {str(name): _text(document, index, name, value) for name, value in fields.items()}
    return _tried(document, (index, "fields"), lambda: unnamed(number, texts))


def _text(document: Document, index: int, name: str, value: Any) -> str:
    if value is None:
        return ""
    if type(value) not in (int, str):
        raise document.error((index, "fields", name), "a field is text", "quote it")
    return str(value)


def _tried(document: Document, location: tuple[str | int, ...], work: Callable[[], Group]) -> Group:
    try:
        return work()
    except ValueError as error:
        raise document.error(location, str(error)) from None


# -- showing ----------------------------------------------------------------------------------------------------------


def _json(groups: Sequence[Group]) -> str:
    items = [{"group": group.id, "fields": named(group)} for group in groups]
    return json.dumps(items, indent=2, ensure_ascii=True)


def _lines(groups: Sequence[Group], lang: Lang) -> Iterator[str]:
    for group in groups:
        known = GROUPS.get(group.id)
        unknown = Text(fr="groupe inconnu", en="unknown group")
        yield f"{group.id} {_say(known.name if known else unknown, lang)}"
        fields = known.fields if known else ()
        for index, (name, text) in enumerate(named(group).items()):
            field = fields[index] if index < len(fields) else None
            value = field.values.get(text) if field else None
            meaning = f"{text} ({_say(value, lang)})" if value else text
            label = _say(field.label, lang) if field else ""
            yield f"  {index + 1:2} {name:24} {meaning:34} {label}".rstrip()


def _say(sentence: Text, lang: Lang) -> str:
    return sentence.fr if lang == "fr" else sentence.en


def _note(groups: Sequence[Group]) -> None:
    for note in _notes(groups):
        err.print(f"note: {note}", markup=False)


def _notes(groups: Sequence[Group]) -> Iterator[str]:
    """What the catalogue has against groups that are well formed."""
    for rank, group in enumerate(groups):
        known = GROUPS.get(group.id)
        if known is None:
            yield f"group at rank {rank}: group {group.id} is not in the catalogue"
            continue
        texts = list(named(group).values())
        for field, text in zip(known.fields, texts, strict=False):
            if problem := fault(field, text):
                yield f"group at rank {rank}: group {group.id} ({known.name}): {problem}"
    for order, places in ORDERS.items():
        if groups and groups[0].id == places[0].group:
            try:
                check_order(groups, order)
            except OrderError as error:
                yield str(error)
