"""The full run as one JSON document, with a published schema; for programs that want more than JUnit or CTRF say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter

from bifente.ground.text import Lang
from bifente.reports.model import Run
from bifente.reports.verdict import Verdict

VERSION = 1
"""Version of the document: raised when a field changes its meaning or goes away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The whole document. `counts` has every verdict; scenarios that never began are in `run.missing` only."""

    format: Literal["bifente-run"] = "bifente-run"
    version: int = VERSION
    counts: dict[Verdict, int]
    run: Run


@cache
def _adapter() -> TypeAdapter[Document]:
    return TypeAdapter(Document)


def write(run: Run, lang: Lang) -> str:
    """Return `run` as JSON; every sentence is in it in both languages, so `lang` changes nothing."""
    del lang
    return _adapter().dump_json(Document(counts=run.counts, run=run), indent=1).decode() + "\n"


def read(text: str | bytes) -> Run:
    """Return the run of a document; raises `ValueError` (pydantic) when it is none of this version."""
    return _adapter().validate_json(text, strict=True).run


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_adapter().json_schema(mode="serialization"),
        "title": "Bifente run",
    }


def pretty(schema: dict[str, Any]) -> str:
    """Return a schema as the text of its published file."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
