"""A short summary in Markdown, for the page of a CI job."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from bifente.ground.text import Lang
from bifente.reports import explain
from bifente.reports.clean import one_line
from bifente.reports.events import Judged
from bifente.reports.model import Run, ScenarioResult, SuiteResult
from bifente.reports.words import duration, labelled, percent, say

MOST_DETAILED = 20
"""Most scenarios told in full: a job page has a size limit, the HTML report has none."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#|~&!$@])")


def _safe(text: str) -> str:
    """Return `text` on one line with every character that Markdown or HTML would act on escaped."""
    return _SPECIAL.sub(r"\\\1", one_line(text)).replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;")


def pieces(run: Run, lang: Lang) -> Iterator[str]:
    """Yield what `write` returns: it is short."""
    yield write(run, lang)


def write(run: Run, lang: Lang) -> str:
    """Return a summary of `run`: conclusion, counts, suites, coverage, and what failed with how to see it again."""
    parts = [
        f"# {labelled(say('report', lang) + ' Bifente', run.verdict.say(lang), lang)}",
        f"**{explain.conclusion(run, lang)}**",
        *(f"> **⚠ {words}**" for words in explain.warnings(run, lang)),
        " · ".join(
            labelled(say(name, lang), _safe(value), lang)
            for name, value in (
                ("run", run.start.run_id),
                ("product", run.start.product or ""),
                ("target", run.start.target),
                ("reader", run.start.reader or ""),
                ("profile", run.start.profile or ""),
                ("seed", str(run.start.seed)),
                ("tool", f"{run.start.tool.version} {run.start.tool.commit}".strip()),
                ("duration", duration(run.duration_us, lang)),
            )
            if value
        ),
        _counts(run, lang),
        _judged(run, lang),
        _suites(run, lang),
        _coverage(run, lang),
        *_failures(run, lang),
        f"_{say('not_an_approval', lang)}_",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _counts(run: Run, lang: Lang) -> str:
    rows = [f"| {verdict.say(lang)} | {count} |" for verdict, count in run.counts.items()]
    if run.missing:
        rows.append(f"| {say('never_begun', lang)} | {run.missing} |")
    return "\n".join([f"| {say('verdict', lang)} | {say('scenarios', lang)} |", "| --- | ---: |", *rows])


def _judged(run: Run, lang: Lang) -> str:
    """Whom the scenarios judge, where they say so."""
    found = Counter(item.start.judges for item in run.scenarios if item.start.judges is not None)
    told = ", ".join(f"{say(f'judges_{judged}', lang)} {found[judged]}" for judged in Judged if found[judged])
    return labelled(say("judges", lang), told, lang) if told else ""


def _suites(run: Run, lang: Lang) -> str:
    if not run.suites:
        return ""
    head = [say(name, lang) for name in ("suite", "verdict", "scenarios", "duration")]
    rows = [
        f"| {_safe(item.suite.title.get(lang))} | {item.verdict.say(lang)} "
        f"| {_counted(item, lang)} | {duration(item.duration_us, lang)} |"
        for item in run.suites
    ]
    return "\n".join([f"| {' | '.join(head)} |", "| --- | --- | ---: | ---: |", *rows])


def _counted(item: SuiteResult, lang: Lang) -> str:
    """How many scenarios a suite has, those that a matrix gave told apart."""
    count, generated = len(item.scenarios) + item.missing, item.suite.generated
    return f"{count} ({labelled(say('generated', lang), str(generated), lang)})" if generated else str(count)


def _coverage(run: Run, lang: Lang) -> str:
    coverage = run.coverage
    if not coverage.total:
        return ""
    shares = {
        f"{name}_pc": percent(coverage.percent(getattr(coverage, name)), lang) for name in ("cited", "judged", "met")
    }
    return say(
        "matrix_intro",
        lang,
        total=coverage.total,
        cited=coverage.cited,
        judged=coverage.judged,
        met=coverage.met,
        **shares,
    )


def _failures(run: Run, lang: Lang) -> list[str]:
    bad = run.to_look_at
    if not bad:
        return []
    found = [f"## {say('failures', lang)}", *(_failure(scenario, lang) for scenario in bad[:MOST_DETAILED])]
    return [*found, f"… + {len(bad) - MOST_DETAILED}"] if len(bad) > MOST_DETAILED else found


def _failure(scenario: ScenarioResult, lang: Lang) -> str:
    body = "\n".join(explain.lines(scenario, lang))
    longest = max((len(run) for run in re.findall("`+", body)), default=0)
    fence = "`" * max(3, longest + 1)
    title = f"### {labelled(scenario.verdict.say(lang), _safe(scenario.start.title.get(lang)), lang)}"
    place = explain.where(scenario.start.file, scenario.start.line)
    return f"{title}\n\n{_safe(scenario.id)} ({_safe(place)})\n\n{fence}text\n{body}\n{fence}"
