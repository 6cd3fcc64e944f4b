"""Common Test Report Format: one JSON document that many CI dashboards read."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from bifente.ground.text import Lang
from bifente.reports import explain
from bifente.reports.clean import one_line, printable
from bifente.reports.model import Run, ScenarioResult

_UNFINISHED = "other"
SPEC_VERSION = "0.0.0"
"""The version the specification gives itself: a working draft, not yet 1.0."""

# Any fixed UUID will do: with the run id it makes a report id that is the same each time the run is rendered.
_NAMESPACE = uuid.UUID("6f1d2f0e-6c1c-5b0a-9d52-2b1f6e0b7a11")


def write(run: Run, lang: Lang) -> str:
    """Return `run` as a CTRF document. Durations and times are whole milliseconds, as the format wants them."""
    return "".join(pieces(run, lang))


def pieces(run: Run, lang: Lang) -> Iterator[str]:
    """Yield the document that `write` returns, a test at a time."""
    head, found, tail = _text(_document(run)).partition('"tests": []')
    assert found  # noqa: S101 - the key is ours, and no value that precedes it can hold a bare quote
    yield f'{head}"tests": ['
    for number, test in enumerate(_tests(run, lang)):
        yield f"{',' if number else ''}\n{_text(test)}"
    yield f"]{tail}\n"


def _text(value: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=1).decode()


def _tests(run: Run, lang: Lang) -> Iterator[dict[str, Any]]:
    for scenario in run.scenarios:
        yield _test(scenario, run, lang)
    if run.interrupted or run.missing:
        yield _unfinished(run, lang)


def _document(run: Run) -> dict[str, Any]:
    """The document, less its tests."""
    start = _epoch_ms(run.start.time)
    return {
        "reportFormat": "CTRF",
        "specVersion": SPEC_VERSION,
        "reportId": str(uuid.uuid5(_NAMESPACE, run.start.run_id)),
        "runId": run.start.run_id or "?",
        "timestamp": run.ended or "1970-01-01T00:00:00.000Z",
        "generatedBy": f"{run.start.tool.name} {run.start.tool.version}",
        "results": {
            "tool": {
                "name": run.start.tool.name or "bifente",
                "version": run.start.tool.version,
                "extra": {"commit": run.start.tool.commit},
            },
            "summary": {
                **_counts(run),
                "suites": len(run.suites),
                "start": start,
                "stop": max(start, _epoch_ms(run.ended)),
                "duration": _ms(run.duration_us),
                "extra": {
                    "verdict": run.verdict,
                    "verdicts": run.counts,
                    "neverBegun": run.missing,
                    "interrupted": run.interrupted,
                },
            },
            "tests": [],
            "environment": {
                "healthy": not (run.interrupted or run.missing or run.to_look_at),
                "testEnvironment": run.start.target,
                "extra": {
                    "reader": run.start.reader,
                    "profile": run.start.profile,
                    "seed": run.start.seed,
                    **run.start.environment,
                },
            },
        },
    }


def _test(scenario: ScenarioResult, run: Run, lang: Lang) -> dict[str, Any]:
    start = scenario.start
    began = _epoch_ms(start.time)
    test: dict[str, Any] = {
        "testId": scenario.id or "?",
        "name": one_line(start.title.get(lang)) or scenario.id or "?",
        "status": scenario.verdict.ctrf,
        "rawStatus": scenario.verdict.value,
        "duration": _ms(scenario.duration_us),
        "start": began,
        "stop": max(began, _epoch_ms(scenario.ended)),
        "suite": [one_line(start.suite) or "?"],
        "filePath": start.file,
        "line": start.line,
        "tags": list(start.requirements),
        "labels": {"fidelity": scenario.fidelity.value, "target": run.start.target, "destructive": start.destructive},
        "steps": [
            {
                "name": one_line(f"{number}. {step.name}"),
                "status": step.verdict.ctrf,
                "extra": {"verdict": step.verdict.value},
            }
            for number, step in enumerate(scenario.outcomes, 1)
        ],
        "extra": {
            "verdict": scenario.verdict.value,
            "fidelity": scenario.fidelity.value,
            "requirements": list(start.requirements),
            "reproduce": start.reproduce,
        },
    }
    if scenario.verdict.value != "passed":
        test["message"] = explain.headline(scenario, lang) or scenario.verdict.label.get(lang)
        test["trace"] = printable("\n".join(explain.lines(scenario, lang)))
    return test


def _unfinished(run: Run, lang: Lang) -> dict[str, Any]:
    return {
        "testId": "bifente/run-complete",
        "name": "run-complete",
        "status": _UNFINISHED,
        "rawStatus": "interrupted",
        "duration": 0,
        "suite": ["bifente"],
        "message": " ".join(explain.warnings(run, lang)),
    }


def _counts(run: Run) -> dict[str, int]:
    found: Counter[str] = Counter(scenario.verdict.ctrf for scenario in run.scenarios)
    if run.interrupted or run.missing:
        found[_UNFINISHED] += 1
    return {
        "tests": found.total(),
        **{status: found[status] for status in ("passed", "failed", "skipped", "pending", "other")},
    }


def _ms(microseconds: int) -> int:
    return round(microseconds / 1000)


def _epoch_ms(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000) if time else 0
