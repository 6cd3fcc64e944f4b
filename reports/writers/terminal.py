"""The terminal: one line a scenario as it ends, what failed in full, and a table at the end.

On a terminal a live line says what is under way; elsewhere (a file, a CI log) only stable lines are written. Words
and symbols carry the meaning, colour only repeats it.
"""

from __future__ import annotations

from rich.console import Console
from rich.measure import Measurement
from rich.status import Status
from rich.table import Table
from rich.text import Text as Line

from bifente.ground.text import Lang
from bifente.reports import explain
from bifente.reports.clean import one_line, printable
from bifente.reports.events import (
    Event,
    Level,
    Note,
    RunFinished,
    RunStarted,
    ScenarioFinished,
    ScenarioStarted,
    StepStarted,
)
from bifente.reports.model import Fold, Run, ScenarioResult
from bifente.reports.verdict import Verdict
from bifente.reports.words import duration, labelled, percent, say

_STYLES = {
    Verdict.PASSED: "green",
    Verdict.PASSED_WITH_REMARK: "cyan",
    Verdict.FAILED: "bold red",
    Verdict.BLOCKED: "yellow",
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.NOT_RUN: "yellow",
    Verdict.BENCH_ERROR: "bold magenta",
}

_WIDEST = 1_000
_TOLD = (Verdict.FAILED, Verdict.BLOCKED, Verdict.BENCH_ERROR, Verdict.PASSED_WITH_REMARK)
"""The verdicts explained under the line of their scenario; the others only give their reason beside it."""


class TerminalWriter:
    """A listener that writes to a console. Feed it live, or replay the events of a journal through it.

    Call `finish` in the end, whatever happened: it sums up a run that stopped early, and gives the cursor back.
    """

    def __init__(self, console: Console, lang: Lang | None = None) -> None:
        """Write to `console`, in `lang` or else in the language of the run."""
        self._console = console
        self._live = console.is_terminal  # the answer is long in coming, and wanted at every step
        self._chosen = lang
        self._lang: Lang = lang or "fr"
        self._fold = Fold()
        self._total = 0
        self._done = 0
        self._began = False
        self._status: Status | None = None
        self._summed_up = False

    def see(self, event: Event) -> None:
        """Show what `event` changes."""
        self._fold.add(event)
        match event:
            case RunStarted():
                self._lang = self._chosen or event.lang
                self._total = sum(suite.scenarios for suite in event.suites)
                product = f" · {event.product}" if event.product else ""
                head = f"bifente {event.tool.version} · {event.target} · {event.run_id}{product}"
                self._print(Line(one_line(head), "bold"))
            case ScenarioStarted():
                self._began = True
                self._progress(event.scenario)
            case StepStarted():
                self._progress(f"{event.scenario} · {event.index + 1}. {event.name}")
            case ScenarioFinished():
                self._done += 1
                self._scenario(self._fold.scenario(event.scenario))
            case Note() if event.level is not Level.INFO:
                self._print(Line(f"! {one_line(event.text.get(self._lang))}", "yellow"))
            case RunFinished() if event.interrupted and not self._began:
                self._summed_up = True  # whoever stopped it says why; there is nothing to sum up
            case RunFinished():
                self._summary(self._fold.run())

    def finish(self, *, truncated: bool = False) -> None:
        """Write the summary of events that stop before the end of the run; does nothing when it is already there."""
        if not self._summed_up:
            self._summary(self._fold.run(truncated=truncated))

    def _progress(self, what: str) -> None:
        if not self._live:
            return
        words = Line(one_line(f"{self._done + 1}/{self._total or '?'} {what}"))
        if self._status is None:
            self._status = self._console.status(words)
            self._status.start()
        else:
            self._status.update(words)

    def _print(self, line: Line) -> None:
        self._console.print(line, soft_wrap=True)

    def _scenario(self, scenario: ScenarioResult) -> None:
        verdict = scenario.verdict
        line = Line.assemble(
            (verdict.say(self._lang), _STYLES[verdict]),
            "  ",
            one_line(scenario.id),
            (f"  {duration(scenario.duration_us, self._lang)}", "dim"),
        )
        if verdict in _TOLD:
            self._print(line)
            for words in explain.lines(scenario, self._lang):
                self._print(Line("    " + printable(words)))
            place = explain.where(scenario.start.file, scenario.start.line)
            self._print(Line(f"    {one_line(place)}", "dim"))
        else:
            if reason := explain.headline(scenario, self._lang):
                line.append(f"  {reason}", "dim")
            self._print(line)

    def _summary(self, run: Run) -> None:
        if self._status is not None:
            self._status.stop()
        self._summed_up = True
        lang = self._lang
        self._print(Line())
        table = _table(run, lang)
        # A name is never broken: where the terminal is too narrow for the table, the table goes past its edge.
        table.width = Measurement.get(self._console, self._console.options.update(width=_WIDEST), table).maximum
        self._console.print(table, crop=False)
        if generated := sum(suite.suite.generated for suite in run.suites):
            self._print(Line(labelled(say("generated", lang), str(generated), lang), "dim"))
        counted = (f"{verdict.say(lang)} {count}" for verdict, count in run.counts.items() if count)
        self._print(Line("  ".join(counted) or f"{Verdict.PASSED.say(lang)} 0"))
        if run.coverage.total:
            share = percent(run.coverage.percent(run.coverage.cited), lang)
            self._print(
                Line(labelled(say("requirements", lang), f"{run.coverage.cited}/{run.coverage.total} ({share})", lang))
            )
        for words in explain.warnings(run, lang):
            self._print(Line(words, "bold yellow"))
        self._print(Line(f"{explain.conclusion(run, lang)}  {duration(run.duration_us, lang)}", _STYLES[run.verdict]))


def _table(run: Run, lang: Lang) -> Table:
    """Return the suites that had something to run, with symbols whose words stand in the legend below."""
    table = Table(title=say("summary", lang), title_justify="left", show_edge=False)
    table.add_column("")
    table.add_column(say("suite", lang), no_wrap=True)
    table.add_column(say("scenarios", lang), justify="right", no_wrap=True)
    for verdict in Verdict:
        table.add_column(verdict.symbol, justify="right", style=_STYLES[verdict], no_wrap=True)
    for suite in run.suites:
        if not suite.suite.scenarios:
            continue
        table.add_row(
            Line(suite.verdict.symbol, _STYLES[suite.verdict]),
            Line(one_line(suite.suite.id)),
            str(len(suite.scenarios) + suite.missing),
            *(str(count) if count else "·" for count in suite.counts.values()),
        )
    return table
