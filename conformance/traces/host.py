"""A trace sent again by the bench's own engine: to a virtual card, or to a real one behind the guard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.factory import BenchPool
from bifente.conformance.loading import Document
from bifente.conformance.options import RunOptions
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.scenario import run_scenario
from bifente.conformance.run.session import declare
from bifente.conformance.scenario.plan import PlannedScenario
from bifente.conformance.traces.digits import agrees
from bifente.conformance.traces.seen import SeenApdu
from bifente.conformance.traces.suite import ANYTHING, DraftedStep, LeftOut, drafted, suite_text
from bifente.ground.temporary import HeldFolder
from bifente.ground.text import Text
from bifente.reports.events import Event, Exchange, ScenarioFinished, StepFinished, StepStarted
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict

TITLE = Text("Rejeu d'une trace", "Replay of a trace")


@dataclass(frozen=True, slots=True)
class SentAgain:
    """What came of one command of the trace: the response, or the PC/SC failure in its place."""

    number: int
    response: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class HostReplay:
    """What was answered this time, in order; what was left out; why it stopped early, if it did."""

    sent: Sequence[SentAgain]
    left: Sequence[LeftOut]
    stopped: Text | None = None


@dataclass(slots=True)
class _Heard:
    """The exchanges of a run, by step: the last one of a step is its own, what came before it is procedure."""

    by_step: dict[int, Exchange] = field(default_factory=dict)
    errors: dict[int, str] = field(default_factory=dict)
    begun: int = -1
    reason: Text | None = None
    refused: Text | None = None

    def __call__(self, event: Event) -> None:
        match event:
            case StepStarted():
                self.begun = event.index
            case Exchange() if event.index is not None:
                self.by_step[event.index] = event
            case StepFinished():
                for one in event.expectations:
                    if one.name == "error":
                        self.errors[event.index] = str(one.observed)
                if event.reason is not None and event.verdict is not Verdict.NOT_RUN:
                    self.refused = self.refused or event.reason
            case ScenarioFinished():
                self.reason = event.reason


class Replayer:
    """Sends the commands of a trace, or a part of them, each time to cards as they were at first.

    A context manager. ``faults`` are steps ``inject-fault``, as YAML writes them, done before. Raise InputError for
    a profile, a card or a fault that is not known, BenchUnavailableError for a reader that is not there.
    """

    def __init__(
        self,
        exchanges: Sequence[SeenApdu],
        *,
        cards: Mapping[str, str],
        profile: str,
        workshop: Workshop,
        options: RunOptions,
        faults: Sequence[str] = (),
    ) -> None:
        self._exchanges = exchanges
        self.faults = tuple(faults)
        self.steps, self.left = drafted(exchanges, real=bool(options.readers))
        text = suite_text(
            self.steps,
            expect=lambda step: ANYTHING,
            name="replay",
            title=TITLE,
            cards=cards,
            profile=profile,
            first=[f"inject-fault: {fault}" for fault in self.faults],
        )
        self._secrets = Secrets()
        with HeldFolder("bifente-trace-") as folder:
            path = Path(folder) / "replay.yaml"
            path.write_text(text, encoding="utf-8")
            self._plan: RunPlan = prepare(replace(options, paths=(path,)), workshop)
        declare(self._plan, workshop, self._secrets)
        self._scenario: PlannedScenario = self._plan.scenarios[0]
        self._pool = BenchPool(self._plan.options, workshop, self._plan.profiles)

    def __enter__(self) -> Replayer:
        return self

    def __exit__(self, *details: object) -> None:
        self._pool.close()

    @property
    def documents(self) -> Sequence[Document]:
        """The files that the replay was made from."""
        return self._plan.inputs

    def send(self, part: Sequence[DraftedStep] | None = None, faults: Sequence[str] | None = None) -> HostReplay:
        """Send these steps, all of them unless they are named, and return what was answered."""
        chosen = self.steps if part is None else part
        first = len(self.faults)
        wanted = [rank for rank, fault in enumerate(self.faults) if faults is None or fault in faults]
        ranks = {step.number: first + rank for rank, step in enumerate(self.steps)}
        steps = [self._scenario.steps[rank] for rank in (*wanted, *(ranks[step.number] for step in chosen))]
        heard = _Heard()
        bench = self._pool.get(self._scenario.bench.profile)
        run_scenario(
            replace(self._scenario, steps=tuple(steps)), bench, seed=1, command=(), emit=heard, secrets=self._secrets
        )
        sent = []
        for rank, step in enumerate(chosen, len(wanted)):
            if rank in heard.errors:
                sent.append(SentAgain(step.number, "", heard.errors[rank]))
                break
            if rank not in heard.by_step:
                break
            sent.append(SentAgain(step.number, heard.by_step[rank].response))
        stopped = (heard.refused or heard.reason) if len(sent) < len(chosen) else None
        return HostReplay(sent, self.left, stopped)


def same(seen: SeenApdu, sent: SentAgain) -> bool:
    """Whether the answer is that of the trace, as far as that is not masked."""
    return agrees(seen.response, sent.response)
