"""What was observed in a scenario, less what no two runs share: times, numbers of events, wording."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bifente.ground.text import Text
from bifente.reports.events import (
    Call,
    Direction,
    Event,
    Exchange,
    Message,
    RunFinished,
    RunStarted,
    ScenarioFinished,
    ScenarioStarted,
    StepFinished,
    StepStarted,
)
from bifente.reports.journal import JournalReader
from bifente.reports.verdict import Verdict
from bifente.reports.words import INTERRUPTED

_PAIRS = tuple[tuple[str, str], ...]


class Answered(Struct, frozen=True):
    """What was asked, and what was answered: pairs of what it is and its value."""

    kind: str
    """What is alike where the same is asked with other data: a command's header, a function."""
    asked: str
    said: _PAIRS
    words: Text
    """What was asked, for a reader."""


class StepSeen(Struct, frozen=True, kw_only=True):
    """A step: its verdict, what its expectations observed, what passed in it."""

    name: str
    verdict: Verdict = Verdict.NOT_RUN
    observed: _PAIRS = ()
    passed: tuple[Answered, ...] = ()
    duration_us: int = 0


class ScenarioSeen(Struct, frozen=True, kw_only=True):
    """A scenario. `complete` is false when its end is not in the journal."""

    id: str
    verdict: Verdict = Verdict.NOT_RUN
    reason: Text | None = None
    steps: tuple[StepSeen, ...] = ()
    outside: tuple[Answered, ...] = ()
    complete: bool = False


class RunSeen:
    """The scenarios of a journal, each as it ends; then who ran it and whether it went to its end.

    The memory it takes follows one scenario, and not the run.
    """

    def __init__(self, path: Path) -> None:
        """Read the journal at `path`."""
        self._reader = JournalReader(path)
        self.start: RunStarted | None = None
        """The identity of the run; known once the first scenario was given."""
        self.complete = False
        """Whether the journal tells the end of the run, and that nothing interrupted it; known at the end."""

    def __iter__(self) -> Iterator[ScenarioSeen]:
        """Yield each scenario at its end, those that never ended at the end of the journal. Raise JournalError."""
        open_ones: dict[str, _Draft] = {}
        for event, _place in self._reader:
            match event:
                case RunStarted():
                    self.start = event
                case RunFinished():
                    self.complete = not event.interrupted
                case ScenarioStarted():
                    open_ones[event.scenario] = _Draft(event.scenario)
                case ScenarioFinished():
                    yield open_ones.pop(event.scenario, _Draft(event.scenario)).done(event)
                case _:
                    scenario = getattr(event, "scenario", None)
                    if scenario is not None and (draft := open_ones.get(scenario)) is not None:
                        draft.add(event)
        self.complete = self.complete and not self._reader.truncated and not open_ones
        for draft in open_ones.values():
            yield draft.done(None)


class _Draft:
    def __init__(self, scenario: str) -> None:
        self._id = scenario
        self._steps: dict[int, StepSeen] = {}
        self._passed: dict[int | None, list[Answered]] = {}

    def add(self, event: Event) -> None:
        match event:
            case StepStarted():
                self._steps[event.index] = StepSeen(name=event.name)
            case StepFinished():
                begun = self._steps.get(event.index) or StepSeen(name="?")
                self._steps[event.index] = replace(
                    begun,
                    verdict=event.verdict,
                    observed=tuple((item.name, item.observed) for item in event.expectations if item.name != "within"),
                    duration_us=event.duration_us,
                )
            case Exchange() | Call() | Message():
                self._passed.setdefault(event.index, []).append(_passed(event))

    def done(self, end: ScenarioFinished | None) -> ScenarioSeen:
        steps = (
            replace(step, passed=tuple(self._passed.get(index, ()))) for index, step in sorted(self._steps.items())
        )
        return ScenarioSeen(
            id=self._id,
            verdict=end.verdict if end else Verdict.NOT_RUN,
            reason=end.reason if end else INTERRUPTED,
            steps=tuple(steps),
            outside=tuple(self._passed.get(None, ())),
            complete=end is not None,
        )


SW, DATA, RESULT, LINE = "sw", "data", "result", "line"
"""What a happening can say; whatever else a call gave is there under its own name."""


def _passed(event: Exchange | Call | Message) -> Answered:
    slot = f"{event.slot}: " if event.slot else ""
    match event:
        case Exchange():
            asked = event.command.replace(" ", "").upper()
            # Without a status word the whole answer is data: a reader that cuts one is a difference.
            data = event.response.replace(" ", "").upper()
            data = data[: -len(event.sw)] if event.sw else data
            words = Text(f"{slot}{event.command_text.fr}", f"{slot}{event.command_text.en}")
            return Answered(slot + asked[:8], slot + asked, ((SW, event.sw.upper()), (DATA, data)), words)
        case Call():
            asked = f"{event.function}({_told(tuple(sorted(event.arguments.items())))})"
            said = ((RESULT, event.result), *sorted(event.answer.items()))
            return Answered(slot + event.function, slot + asked, said, Text.same(f"{slot}{event.function}"))
        case Message():
            way = ">" if event.direction is Direction.SENT else "<"
            # Texts of messages bear numbers and times of their own: what begins one tells what was asked and answered.
            asked = f"{slot}{way} {event.protocol} {event.peer}"
            return Answered(asked, asked, ((LINE, event.line),), Text.same(asked))


def _told(pairs: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{name}={value}" for name, value in pairs)
