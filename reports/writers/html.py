"""The report to read, print and file: one HTML page, self-contained, offline, readable without colour nor script."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Lang
from bifente.reports import explain, words
from bifente.reports.clean import printable
from bifente.reports.events import BenchChange, Call, Exchange, Message
from bifente.reports.model import Run, ScenarioResult, StepResult
from bifente.reports.timeline import timeline
from bifente.reports.verdict import Verdict
from bifente.reports.writers.bench_picture import Picture, picture
from bifente.reports.writers.exchange_html import MOST_BYTES, exchange_row, message_row

INLINE_EXCHANGES = 6
"""A step with more happenings than this shows them folded."""
_BUFFERED = 256
"""How many bits of a page make one piece."""


def _cut(value: str) -> str:
    """A value of a call, cut where the page has shown enough of it: the journal has it all."""
    return value if len(value) <= 2 * MOST_BYTES else f"{value[: 2 * MOST_BYTES]}…"


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _states(step: StepResult) -> list[tuple[str, str, str]]:
    """Return (name, before, after) for each card state told before or after `step`."""
    before, after = step.state_before or {}, step.state_after or {}
    return [(name, before.get(name, ""), after.get(name, "")) for name in before | after]


def _clean(value: object) -> object:
    """Make what the template shows harmless to look at; escaping comes after, from the template engine."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("bifente.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_clean,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["exchange"] = lambda item: isinstance(item, Exchange)
    environment.tests["call"] = lambda item: isinstance(item, Call)
    environment.tests["message"] = lambda item: isinstance(item, Message)
    environment.tests["change"] = lambda item: isinstance(item, BenchChange)
    environment.filters["cut"] = _cut
    environment.filters["value"] = _value
    environment.filters["states"] = _states
    return environment


def _asset(name: str) -> Markup:
    source = (PackageLoader("bifente.reports").get_source(_environment(), name)[0]).strip()
    return Markup(source)  # noqa: S704 - our own file


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def _anchors(names: Iterable[str], prefix: str) -> dict[str, str]:
    return {name: f"{prefix}{number}" for number, name in enumerate(names, 1)}


def write(run: Run, lang: Lang) -> str:
    """Return `run` as one HTML page in `lang`."""
    return "".join(pieces(run, lang))


def pieces(run: Run, lang: Lang) -> Iterator[str]:
    """Yield `run` as one HTML page in `lang`, piece by piece."""
    footer = words.say("not_an_approval", lang).replace('"', "")
    style = Markup(f'{_asset("report.css")}\n@page {{ @bottom-left {{ content: "{footer}"; }} }}')  # noqa: S704 - our words
    script = _asset("report.js")
    # Were an escape ever forgotten, the page would still run no script but its own, and load nothing.
    policy = f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}"
    page = (
        _environment()
        .get_template("report.html.j2")
        .stream(
            run=run,
            start=run.start,
            lang=lang,
            style=style,
            script=script,
            policy=policy,
            verdicts=tuple(Verdict),
            fidelities=tuple(Fidelity),
            conclusion=explain.conclusion(run, lang),
            warnings=explain.warnings(run, lang),
            headline=lambda scenario: explain.headline(scenario, lang),
            where=explain.where,
            picture=lambda scenario: _picture(scenario, lang),
            scenario_anchor=_anchors((scenario.id for scenario in run.scenarios), "s"),
            requirement_anchor=_anchors((row.requirement.id for row in run.requirements), "r"),
            say=lambda word, **values: words.say(word, lang, **values),
            labelled=lambda label, value: words.labelled(label, value, lang),
            told=lambda said: words.told(said, lang),
            label=lambda name: words.label(name, lang),
            translated=lambda kind, value: words.translated(kind, value, lang),
            duration=lambda microseconds: words.duration(microseconds, lang),
            percent=lambda value: words.percent(value, lang),
            moment=lambda time: words.moment(time, lang),
            command=shlex.join(run.start.command),
            bar=_bar(run),
            inline_exchanges=INLINE_EXCHANGES,
            exchange_row=lambda item: exchange_row(item, lang),
            message_row=lambda item: message_row(item, lang),
        )
    )
    page.enable_buffering(_BUFFERED)
    yield from page
    yield "\n"


def _picture(scenario: ScenarioResult, lang: Lang) -> Picture | None:
    """The drawing of the bench of `scenario`, where something of it changed."""
    found = timeline(scenario)
    return picture(found, lang) if found is not None and any(column.changes for column in found.columns) else None


def _bar(run: Run) -> list[tuple[Verdict, float, float]]:
    """Return (verdict, x, width) in percent for the verdicts that occur, scenarios that never began as not run."""
    counts = run.counts
    counts[Verdict.NOT_RUN] += run.missing
    total = sum(counts.values()) or 1
    segments, at = [], 0.0
    for verdict in Verdict:
        if width := 100 * counts[verdict] / total:
            segments.append((verdict, round(at, 3), round(width, 3)))
            at += width
    return segments
