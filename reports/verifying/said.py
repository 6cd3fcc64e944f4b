"""What a `report.json` of any version says of its run and of each verdict, read without the rest."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from bifente.ground.files import read_file
from bifente.ground.text import Text
from bifente.reports.model import Run
from bifente.reports.verdict import Verdict

_MOST = 256 * 1024 * 1024


class _ScenarioStart(Struct, frozen=True):
    scenario: str


class _Scenario(Struct, frozen=True):
    start: _ScenarioStart
    verdict: Verdict


class _Suite(Struct, frozen=True):
    scenarios: tuple[_Scenario, ...]


class _RunStart(Struct, frozen=True):
    run_id: str
    tool: dict[str, str]


class _Run(Struct, frozen=True):
    start: _RunStart
    suites: tuple[_Suite, ...]
    verdict: Verdict


class _Document(Struct, frozen=True):
    counts: dict[Verdict, int]
    run: _Run


def contradiction(report: Path, run: Run) -> Text | None:
    """Return where the JSON report of another version contradicts `run`; None where it does not, or cannot be read.

    Raise OSError where it is no regular file.
    """
    written = read_file(report, _MOST)
    try:
        document = msgspec.json.decode(written, type=_Document) if len(written) <= _MOST else None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        document = None
    if document is None:
        return None
    start = document.run.start
    if start.run_id != run.start.run_id or start.tool != msgspec.to_builtins(run.start.tool):
        return Text(
            "il n'est ni de ce passage ni de ce banc, selon le journal",
            "it is of another run or bench than the journal",
        )
    told = {one.id: one.verdict for one in run.scenarios}
    said = {one.start.scenario: one.verdict for suite in document.run.suites for one in suite.scenarios}
    for name in (*said, *told):
        one, other = said.get(name), told.get(name)
        if one is not other:
            return Text(
                f"{name} : {_label(one).fr} dans le rapport, {_label(other).fr} dans le journal",
                f"{name}: {_label(one).en} in the report, {_label(other).en} in the journal",
            )
    if document.counts != run.counts or document.run.verdict is not run.verdict:
        return Text("ses comptes ne sont pas ceux du journal", "its counts are not those of the journal")
    return None


def _label(verdict: Verdict | None) -> Text:
    return verdict.label if verdict is not None else Text("absent", "absent")
