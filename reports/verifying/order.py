"""Whether scenarios and steps begin and end in order, one at a time, each within the suites that the run announced."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from bifente.ground.text import Text
from bifente.reports.events import (
    BenchChange,
    Call,
    Event,
    Exchange,
    Message,
    Phase,
    RunFinished,
    RunStarted,
    ScenarioFinished,
    ScenarioStarted,
    StepFinished,
    StepStarted,
)
from bifente.reports.verdict import Verdict
from bifente.reports.verifying.checks import CheckedPart, Counterexample, VerifiedCheck, fails

LIVE = "live"
"""How the target of a live bench begins: it announces no scenario that it must play."""

_BROKEN_OFF = (Verdict.BENCH_ERROR, Verdict.NOT_RUN, Verdict.NOT_APPLICABLE)
"""What a scenario may be whose step under way was never ended."""
_PHASES = list(Phase)


@dataclass(slots=True)
class RunOrder:
    """Sees the events of a journal in order; `wrong` is the first that is out of place.

    Scenarios that several workers play do not interleave: what one of them tells arrives together.
    """

    wrong: Counterexample | None = None
    steps: int = 0
    _announced: dict[str, int] = field(default_factory=dict)
    _begun: Counter[str] = field(default_factory=Counter)
    _seen: set[str] = field(default_factory=set)
    _scenario: str | None = None
    _step: int | None = None
    _next: int = 0
    _phase: Phase = Phase.SETUP
    _line: int = 0
    _live: bool = False

    def see(self, event: Event, line: int) -> None:
        """Take the event of a line into account."""
        self._line = line
        if self.wrong is None and (why := self._out_of_place(event)) is not None:
            self.wrong = Counterexample(line, why)

    def _out_of_place(self, event: Event) -> Text | None:
        match event:
            case Exchange() | Call() | Message() | BenchChange():
                if event.scenario is None or self._under_way(event.scenario, event.index):
                    return None
                return self._elsewhere(event.scenario, event.index)
            case StepStarted():
                return self._step_begins(event)
            case StepFinished():
                if not self._under_way(event.scenario, event.index):
                    return self._elsewhere(event.scenario, event.index)
                self._step = None
                self.steps += 1
            case ScenarioStarted():
                return self._begins(event)
            case ScenarioFinished():
                return self._ends(event)
            case RunStarted():
                self._announced = {suite.id: suite.scenarios for suite in event.suites}
                self._live = event.target.startswith(LIVE)
        return None

    def _under_way(self, scenario: str, index: int | None) -> bool:
        return scenario == self._scenario and (index is None or index == self._step)

    def _elsewhere(self, scenario: str, index: int | None) -> Text:
        if scenario != self._scenario:
            return Text(f"{scenario} n'est pas en cours", f"{scenario} is not under way")
        number = _number(index)
        return Text(
            f"l'étape {number} de {scenario} n'est pas en cours", f"step {number} of {scenario} is not under way"
        )

    def _step_begins(self, event: StepStarted) -> Text | None:
        if event.scenario != self._scenario:
            return self._elsewhere(event.scenario, None)
        if self._step is not None:
            return Text(
                f"l'étape {_number(event.index)} commence avant la fin de l'étape {_number(self._step)}",
                f"step {_number(event.index)} begins before the end of step {_number(self._step)}",
            )
        if event.index != self._next:
            return Text(
                f"l'étape {_number(event.index)} où l'étape {_number(self._next)} devrait être",
                f"step {_number(event.index)} where step {_number(self._next)} should be",
            )
        if _PHASES.index(event.phase) < _PHASES.index(self._phase):
            return Text(
                f"une étape de {event.phase} après une de {self._phase}",
                f"a step of {event.phase} after one of {self._phase}",
            )
        self._step, self._phase = event.index, event.phase
        self._next += 1
        return None

    def _begins(self, event: ScenarioStarted) -> Text | None:
        name, suite = event.scenario, event.suite
        if self._scenario is not None:
            return Text(
                f"{name} commence avant la fin de {self._scenario}", f"{name} begins before the end of {self._scenario}"
            )
        if suite not in self._announced:
            return Text(
                f"la suite {suite} n'est pas de celles du passage", f"the suite {suite} is none of those of the run"
            )
        if not name.startswith(f"{suite}/"):
            return Text(
                f"{name} ne porte pas le nom de sa suite {suite}", f"{name} does not bear its suite's name {suite}"
            )
        if name in self._seen:
            return Text(f"{name} commence une seconde fois", f"{name} begins a second time")
        self._seen.add(name)
        self._begun[suite] += 1
        if self._begun[suite] > self._announced[suite]:
            count = self._announced[suite]
            return Text(
                f"un scénario de plus que les {count} annoncés de {suite}",
                f"one scenario more than the {count} announced of {suite}",
            )
        self._scenario, self._step, self._next, self._phase = name, None, 0, Phase.SETUP
        return None

    def _ends(self, event: ScenarioFinished) -> Text | None:
        if event.scenario != self._scenario:
            return self._elsewhere(event.scenario, None)
        if self._step is not None and event.verdict not in _BROKEN_OFF:
            return Text(
                f"{event.scenario} finit avant la fin de son étape {_number(self._step)}",
                f"{event.scenario} ends before the end of its step {_number(self._step)}",
            )
        self._scenario = None
        return None

    def check(self, end: RunFinished | None) -> VerifiedCheck:
        """Return what came of it once the journal was read, `end` being how it ends."""
        missing = {suite: count - self._begun[suite] for suite, count in self._announced.items()}
        left = sum(missing.values())
        stopped = end is None or end.interrupted
        if self.wrong is None and not stopped:
            if self._scenario is not None:
                why = Text(f"{self._scenario} ne finit pas", f"{self._scenario} does not end")
                self.wrong = Counterexample(self._line, why)
            elif left and not self._live:
                suite = next(name for name, count in missing.items() if count)
                why = Text(
                    f"{missing[suite]} scénario(s) annoncé(s) de {suite} n'ont pas commencé",
                    f"{missing[suite]} announced scenario(s) of {suite} did not begin",
                )
                self.wrong = Counterexample(self._line, why)
        if self.wrong is not None:
            return fails(CheckedPart.STRUCTURE, self.wrong)
        count, steps = len(self._seen), self.steps
        said = Text(
            f"{count} scénario(s), {steps} étape(s), dans l'ordre", f"{count} scenario(s), {steps} step(s), in order"
        )
        if left:
            not_begun = Text(f" ; {left} annoncé(s) n'ont pas commencé", f"; {left} announced did not begin")
            said = Text.of("{}{}", said, not_begun)
        return VerifiedCheck(part=CheckedPart.STRUCTURE, holds=True, text=said)


def _number(index: int | None) -> int:
    """A step as reports number it, from 1."""
    return (index or 0) + 1
