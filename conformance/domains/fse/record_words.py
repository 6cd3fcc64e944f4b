"""Records of anybody in words: each with its type, each field with its columns, what is unknown as it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bifente.conformance.domains.fse.sheet_words import both, euros, same
from bifente.ground.text import Text
from bifente.simulator.formats.fse.records import LooseField, LooseRecord

RECORDS = Text("fichier d'enregistrements", "file of records")
NOT_OURS = Text("lu tel quel, sans rien y vérifier", "read as it stands, nothing of it checked")
ENCODINGS = {"cp500": "EBCDIC", "utf-8": "UTF-8", "utf-16": "UTF-16"}
"""What is said of how a file is written, where it is not one byte a letter."""
_UNKNOWN = Text("type inconnu de la banque", "type unknown to this bench")
_UNEXPECTED = Text("ce n'est pas ce que ce champ porte", "not what this field holds")


def printable(text: str) -> str:
    """Return a text with a dot for each character that a terminal would act upon."""
    return "".join(letter if letter.isprintable() else "·" for letter in text)


def record_lines(record: LooseRecord) -> Iterator[Text]:
    """Yield the lines of one record: its head, then one for each thing that stands in it."""
    label = record.label or _UNKNOWN
    kind = same(printable(record.type.strip()) or "?")
    form = f"{{}} {record.rank}, type {{}}: {{}} ({record.width} {{}})"
    yield both(form, Text("Enregistrement", "Record"), kind, label, Text("caractères", "characters"))
    for field in record.fields:
        yield _field(field)


def record_plain(record: LooseRecord) -> dict[str, Any]:
    """Return one record as JSON holds it."""
    return {
        "rank": record.rank,
        "type": record.type,
        "known": record.label is not None,
        "width": record.width,
        "fields": [
            {"name": one.name, "at": one.at, "to": one.end, "value": one.value, "expected": one.fault is None}
            for one in record.fields
        ],
    }


def _field(field: LooseField) -> Text:
    value = printable(field.value.rstrip(" "))
    columns = f"{field.at}-{field.end}" if field.end > field.at else str(field.at)
    line = same(f"  {columns:8} {field.name or '':16} {value}")
    if field.kind == "amount" and value.isdigit():
        return both("{} ({})", line, euros(int(value)))
    return both("{}  <- {}", line, _UNEXPECTED) if field.fault is not None else line
