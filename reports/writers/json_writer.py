"""The run as one JSON document, with a published schema; for programs that want more than JUnit or CTRF say.

It holds every verdict, and all that happened where the verdict is not plainly good; of the other scenarios, `span`
says which lines and bytes of the journal tell the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bifente.ground.text import Lang
from bifente.reports.journal import FILE_NAME
from bifente.reports.model import Run, ScenarioResult
from bifente.reports.verdict import Verdict

VERSION: Literal[3] = 3
"""Version of the document: raised when a field changes its meaning or goes away."""


class RunDocument(Struct, frozen=True, kw_only=True):
    """The whole document. `counts` has every verdict; scenarios that never began are in `run.missing` only.

    `journal` is the file, beside this one, that spans point into.
    """

    format: Literal["bifente-run"] = "bifente-run"
    version: Literal[3] = VERSION
    journal: str = FILE_NAME
    counts: dict[Verdict, int]
    run: Run


def write(run: Run, lang: Lang) -> str:
    """Return `run` as JSON; every sentence is in it in both languages, so `lang` changes nothing."""
    return "".join(pieces(run, lang))


def pieces(run: Run, lang: Lang) -> Iterator[str]:
    """Yield the document that `write` returns, a scenario at a time."""
    del lang
    # Each list of the tree is written by itself, between the two halves of the object that would hold it.
    hollow = RunDocument(counts=run.counts, run=replace(run, suites=()))
    head, tail = _around(hollow, "suites")
    yield head
    for number, suite in enumerate(run.suites):
        before, after = _around(replace(suite, scenarios=()), "scenarios")
        yield f"{',' if number else ''}\n{before}"
        for place, scenario in enumerate(suite.scenarios):
            yield f"{',' if place else ''}\n{_text(_brief(scenario))}"
        yield after
    yield f"{tail}\n"


def _text(value: Struct) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=0).decode()


def _around(hollow: Struct, name: str) -> tuple[str, str]:
    """The JSON of an object whose list `name` is empty, cut within the brackets of that list."""
    head, found, tail = _text(hollow).rpartition(f'"{name}": []')
    assert found  # noqa: S101 - the field has no default: it is always written
    return f'{head}"{name}": [', f"]{tail}"


def _brief(scenario: ScenarioResult) -> ScenarioResult:
    """A scenario as the document has it: the evidence of one that plainly passed stays in the journal."""
    if scenario.verdict is not Verdict.PASSED or scenario.span is None:
        return scenario
    return replace(scenario, steps=(), between=(), in_full=False)


def read(text: str | bytes) -> Run:
    """Return the run of a document; raises `ValueError` (msgspec) when it is none of this version."""
    return msgspec.json.decode(text, type=RunDocument).run


def schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of the document."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **msgspec.json.schema(RunDocument),
        "title": "Bifente run",
    }


def pretty(schema: dict[str, Any]) -> str:
    """Return a schema as the text of its published file."""
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"
