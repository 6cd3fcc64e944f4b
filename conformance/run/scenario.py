"""One scenario on one bench: its events and its verdict.

The verdict of a scenario: blocked if its setup failed, bench error if we failed, else the worst of its steps.
"""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Any

from pydantic import ValidationError

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.facets import Destructive, Inspection, Personalisation
from bifente.conformance.bench.scene import Act, Scene
from bifente.conformance.expectations.circumstances import ON_THE_BENCH_CLOCK
from bifente.conformance.features import features
from bifente.conformance.loading.validation import sentence
from bifente.conformance.run.judging import BadExpectationError, judge
from bifente.conformance.run.reproduce import reproduce_line
from bifente.conformance.run.telling import Told, event_of
from bifente.conformance.scenario.plan import PlannedScenario, PlannedStep
from bifente.conformance.scenario.references import CARDS, BadReferenceError, is_reference, references, resolve, root
from bifente.conformance.scenario.step import CardStep, ImpossibleStepError, Observation, Step
from bifente.conformance.targets.base import GuardRefusalError, PcscCode, ScardError
from bifente.conformance.targets.facets import Facet, PrivateClock
from bifente.ground.french import in_both
from bifente.ground.text import Text
from bifente.reports.events import (
    BenchChange,
    Event,
    EventError,
    Expectation,
    Phase,
    ScenarioFinished,
    ScenarioStarted,
    StepFinished,
    StepStarted,
)
from bifente.reports.journal import JournalError
from bifente.reports.masking import SHORTEST_SECRET
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict, verdict_of, verdict_of_phases
from bifente.simulator.cards.dialogue import Exchanged
from bifente.simulator.cards.host import NotOnThisCardError
from bifente.simulator.fault import UNREADABLE
from bifente.simulator.faults import catalogue
from bifente.simulator.iso7816.apdu import ApduError
from bifente.simulator.readers.slot import SlotError

Emit = Callable[[Event], object]

_STOPPED = Text("une étape précédente n'a pas abouti", "an earlier step did not succeed")
_UNDESCRIBED = Text(
    "le scénario parle d'une carte connue : dire laquelle par --card MODÈLE",
    "the scenario speaks of a known card: say which with --card TEMPLATE",
)


def run_scenario(
    plan: PlannedScenario,
    bench: Bench,
    *,
    seed: int,
    command: Sequence[str],
    emit: Emit,
    secrets: Secrets | None = None,
) -> Verdict:
    """Run one scenario and emit its events; what it learns that is secret is declared to `secrets` before.

    Raises nothing a scenario can cause.
    """
    return _Run(plan, bench, seed, emit, secrets or Secrets()).run(command)


def leave_out(plan: PlannedScenario, why: Text, *, command: Sequence[str], emit: Emit) -> Verdict:
    """Tell of a scenario that is not run, and why."""
    emit(_started(plan, (), command))
    emit(ScenarioFinished(scenario=plan.id, verdict=Verdict.NOT_RUN, reason=why, fidelity=plan.fidelity, duration_us=0))
    return Verdict.NOT_RUN


def _started(plan: PlannedScenario, slots: tuple[str, ...], command: Sequence[str]) -> ScenarioStarted:
    return ScenarioStarted(
        scenario=plan.id,
        suite=plan.suite,
        title=plan.model.title.text,
        file=plan.file,
        line=plan.line,
        requirements=tuple(plan.model.requirements),
        fidelity=plan.fidelity,
        destructive=plan.model.destructive,
        profile=plan.bench.profile,
        slots=slots,
        cards={role: choice.template for role, choice in plan.bench.cards.items()},
        judges=plan.model.judges,
        reproduce=reproduce_line(command, plan.id),
    )


@dataclass(slots=True)
class _Run:
    plan: PlannedScenario
    bench: Bench
    seed: int
    emit: Emit
    secrets: Secrets
    index: int | None = None
    began: float = 0.0
    verdicts: dict[Phase, list[Verdict]] = field(default_factory=dict)
    refusal: Text | None = None
    inapplicable: Text | None = None
    artefacts: dict[Text, None] = field(default_factory=dict)
    """Why what was seen behind vpcd is not what a real reader shows, each reason once."""

    def run(self, command: Sequence[str]) -> Verdict:
        plan, start = self.plan, time.perf_counter()
        self.emit(_started(plan, tuple(slot.role for slot in self.bench.profile.slots), command))
        verdict, reason = self._verdict()
        self.emit(
            ScenarioFinished(
                scenario=plan.id,
                verdict=verdict,
                reason=reason,
                fidelity=plan.fidelity,
                duration_us=_microseconds(start),
            )
        )
        return verdict

    def _verdict(self) -> tuple[Verdict, Text | None]:
        for need in sorted(self.plan.requires):
            if need not in self.bench.profile.capabilities:
                return Verdict.NOT_APPLICABLE, features()[need]
        offered = self.bench.facets
        for kind in sorted(self._needs(), key=lambda kind: kind.key):
            if kind not in offered:
                return Verdict.NOT_RUN, kind.lacking
        for attachment in self.bench.attachments:
            why = attachment.inapplicable(self.plan.bench.cards.values(), self.plan.model.requires_module)
            if why is not None:
                return Verdict.NOT_APPLICABLE, why
        faults = len(self.bench.faults())
        # Seeded by the scenario's own name: neither the order nor the number of workers changes what it draws.
        chance = random.Random(f"{self.seed}/{self.plan.id}")  # noqa: S311
        scene = Scene(self.bench, chance, self._told, self._changed, self.plan.bench.sections, self._declare)
        try:
            day = self.plan.bench.day
            self.bench.seat(self.plan.bench.cards, chance, destructive=self.plan.model.destructive, day=day)
            self.began = self.bench.clock.monotonic()
            if day is not None:
                self._changed(None, Text(f"le scénario commence le {day}", f"the scenario begins on {day}"))
            if any(not name.startswith("slot:") for name in self.bench.picture()):
                # What is in the slots is told with the scenario; how a link or a session stands is not.
                self._changed(None, Text("banc monté", "bench set up"))
            if self._speaks_of_a_card() and not all(card.facts for card in self.bench.seated.values()):
                return Verdict.NOT_RUN, _UNDESCRIBED
            verdict, reason = self._phases(scene)
            if len(ours := self.bench.faults()) > faults:
                return Verdict.BENCH_ERROR, Text.same(ours[-1])
            return verdict, reason
        except GuardRefusalError as refusal:
            return Verdict.NOT_RUN, refusal.why
        except NotOnThisCardError as absent:
            return Verdict.NOT_APPLICABLE, Text(absent.why.fr, absent.why.en)
        except ScardError as error:
            return Verdict.BENCH_ERROR, Text.of(
                "{}{}", Text("le banc n'a pu être monté : ", "the bench could not be set: "), in_both(error)
            )
        except (JournalError, EventError):
            # There is no record to tell it to.
            raise
        except Exception as error:
            return Verdict.BENCH_ERROR, _ours(error)
        finally:
            scene.close()

    def _needs(self) -> set[type[Facet]]:
        needs = {need for step in self.plan.steps for need in step.kind.needs}
        expected = {key for step in self.plan.steps for key in (*step.expect, *step.should)}
        if {"before", "after"} & expected:
            needs.add(Inspection)
        if self.plan.model.destructive:
            needs.add(Destructive)
        if self.plan.bench.day is not None or ON_THE_BENCH_CLOCK & expected:
            needs.add(PrivateClock)
        # A card of another family may be there; one made to measure may not.
        if any(choice.parameters.keys() - {"family"} for choice in self.plan.bench.cards.values()):
            needs.add(Personalisation)
        return needs

    def _speaks_of_a_card(self) -> bool:
        written = [(step.raw, step.expect, step.should, step.bindings) for step in self.plan.steps]
        return any(root(reference) in CARDS for reference in references(written))

    def _phases(self, scene: Scene) -> tuple[Verdict, Text | None]:
        numbered = list(enumerate(self.plan.steps))
        stopped: Text | None = None
        for phase, steps in groupby(numbered, key=lambda pair: pair[1].phase):
            verdicts = self.verdicts.setdefault(phase, [])
            for index, step in steps:
                skip = stopped is not None and phase is not Phase.TEARDOWN
                verdict = self._skipped(index, step) if skip else self._step(scene, index, step)
                verdicts.append(verdict)
                if verdict.bad or verdict in (Verdict.NOT_RUN, Verdict.NOT_APPLICABLE):
                    stopped = stopped or _STOPPED
        return self._sum()

    def _sum(self) -> tuple[Verdict, Text | None]:
        verdict = verdict_of_phases(*(self.verdicts.get(phase, ()) for phase in Phase))
        match verdict:
            case Verdict.BENCH_ERROR:
                return verdict, Text("le banc s'est trompé", "the bench went wrong")
            case Verdict.BLOCKED:
                return verdict, Text("la préparation a échoué", "the setup failed")
            case Verdict.NOT_APPLICABLE:
                return verdict, self.inapplicable
            case Verdict.NOT_RUN:
                return verdict, self.refusal
            case Verdict.PASSED_WITH_REMARK if not all(one.good for one in self.verdicts.get(Phase.TEARDOWN, ())):
                return verdict, Text("le nettoyage n'a pas abouti", "the teardown did not succeed")
            case Verdict.PASSED_WITH_REMARK if self.artefacts:
                return verdict, _artefacts(self.artefacts)
            case _:
                return verdict, None

    # -- one step ---------------------------------------------------------------------------------------------------

    def _started(self, index: int, step: PlannedStep) -> None:
        self.index = index
        self.emit(
            StepStarted(
                scenario=self.plan.id,
                index=index,
                name=step.kind.name,
                title=step.title or step.kind.title,
                arguments=_written(step, self.secrets),
                file="" if step.document.path == self.plan.document.path else str(step.document.path),
                line=step.line,
                phase=step.phase,
                via=step.via,
            )
        )

    def _skipped(self, index: int, step: PlannedStep) -> Verdict:
        self._started(index, step)
        self.emit(StepFinished(scenario=self.plan.id, index=index, verdict=Verdict.NOT_RUN, reason=_STOPPED))
        self.index = None
        return Verdict.NOT_RUN

    def _step(self, scene: Scene, index: int, step: PlannedStep) -> Verdict:
        self._started(index, step)
        role = step.slot or scene.main
        before = scene.state(role)
        start, moment = time.perf_counter(), self.bench.clock.monotonic()
        reason: Text | None = None
        judged: tuple[Expectation, ...] = ()
        decoded: tuple[tuple[str | Text, str | Text], ...] | None = None
        try:
            scope = self._scope(scene, step)
            artefact = step.artefact if step.artefact and step.artefact.of in self.bench.artefacts else None
            observation = self._act(scene, role, step, scope, artefact.expect if artefact else step.expect)
            seconds = time.perf_counter() - start
            after = scene.state(role)
            lasts = round((self.bench.clock.monotonic() - moment) * 1000)
            around = {"before": before, "after": after, "within": seconds, "lasts-ms": lasts}
            observed = {**observation.values, **around}
            judged = judge(step, scope, observed, artefact)
            decoded = observation.decoded or None
            scene.captured |= {name: observed[key] for name, key in step.capture.items() if key in observed}
            verdict = verdict_of(judged)
            if artefact is not None and verdict is Verdict.PASSED_WITH_REMARK:
                reason = artefact.why
                self.artefacts[artefact.why] = None
        except GuardRefusalError as refusal:
            verdict, reason, after = Verdict.NOT_RUN, refusal.why, before
            self.refusal = self.refusal or reason
        except NotOnThisCardError as absent:
            verdict, reason, after = Verdict.NOT_APPLICABLE, Text(absent.why.fr, absent.why.en), before
            self.inapplicable = self.inapplicable or reason
        except SlotError as error:
            # The scenario asks for a movement that cannot be: a card put where one is, taken where none is.
            verdict, after = Verdict.FAILED, before
            reason = in_both(f"{step.document.path}:{step.line}: {error}")
        except (BadReferenceError, BadExpectationError, ValidationError) as error:
            # What a captured value or a parameter turned out to be: the scenario's mistake, not the bench's.
            verdict, after = Verdict.FAILED, before
            reason = in_both(f"{step.document.path}:{step.line}: {_first_line(error)}")
        except ImpossibleStepError as impossible:
            verdict, reason, after = Verdict.FAILED, impossible.why, before
        except ApduError as error:
            verdict, after = Verdict.FAILED, before
            reason = Text.of("{}{}", Text("réponse illisible : ", "unreadable response: "), in_both(error))
        except (JournalError, EventError):
            raise
        except Exception as error:
            # Whatever else goes wrong is ours: it must never look like a pass nor like the product's failure.
            verdict, after, reason = Verdict.BENCH_ERROR, before, _ours(error)
        self.emit(
            StepFinished(
                scenario=self.plan.id,
                index=index,
                verdict=verdict,
                expectations=judged,
                state_before=_strings(before, after),
                state_after=_strings(after, before),
                decoded=decoded,
                reason=reason,
                duration_us=_microseconds(start),
            )
        )
        self.index = None
        return verdict

    def _scope(self, scene: Scene, step: PlannedStep) -> Mapping[str, Any]:
        scope: Mapping[str, Any] = {**scene.scope(), "faults": _faults()}
        # A stage's parameters may themselves be references, to the caller's parameters among others.
        for name, value in step.bindings.items():
            scope = {**scope, name: resolve(value, scope)}
        return scope

    def _act(
        self, scene: Scene, role: str, step: PlannedStep, scope: Mapping[str, Any], expect: Mapping[str, Any]
    ) -> Observation:
        given = resolve(step.kind.arguments(step.raw), scope)
        self.secrets.declare(*secret_values(step.kind, given))
        action = step.kind.model_validate(given)
        try:
            return action.run(Act(scene, role))
        except ScardError as error:
            if not issubclass(step.kind, CardStep):
                raise
            return Observation({"error": PcscCode.label(error.code)})
        except ApduError:
            if not issubclass(step.kind, CardStep) or "error" not in expect:
                raise
            return Observation({"error": UNREADABLE})

    def _told(self, role: str, told: Told) -> None:
        if isinstance(told, Exchanged):
            # A code born in a command is a secret from then on, wherever it turns up.
            self.secrets.learn(told.command)
        self.emit(event_of(told, self.secrets, self.plan.id, self.index, role))

    def _declare(self, secret: str | bytes) -> None:
        if len(secret) >= SHORTEST_SECRET:
            self.secrets.declare(secret)

    def _changed(self, role: str | None, what: Text) -> None:
        self.emit(
            BenchChange(
                scenario=self.plan.id,
                index=self.index,
                slot=role,
                what=what,
                at_ms=max(0, round((self.bench.clock.monotonic() - self.began) * 1000)),
                picture=dict(self.bench.picture()),
            )
        )


@cache
def _faults() -> Mapping[str, Any]:
    """What ``$faults.<id>`` leads to: the codes the catalogue promises."""
    return {identifier: fault.facts() for identifier, fault in catalogue().items()}


def _artefacts(whys: Iterable[Text]) -> Text:
    return Text(
        "artefact de ce qui montre le lecteur : " + " ; ".join(why.fr for why in whys),
        "artefact of what shows the reader: " + "; ".join(why.en for why in whys),
    )


def _written(step: PlannedStep, secrets: Secrets) -> dict[str, Any]:
    """The arguments as the record shows them: as in YAML, secrets masked unless they are references."""
    arguments = dict(step.kind.arguments(step.raw))
    return secrets.named(arguments, {key for key in step.kind.secrets() if not is_reference(arguments.get(key))})


def secret_values(kind: type[Step], given: Any) -> Iterator[str]:
    """The values of the secret arguments of a step, once their references have theirs."""
    for key in kind.secrets():
        value = given.get(key) if isinstance(given, Mapping) else None
        if isinstance(value, str | int) and not isinstance(value, bool) and len(str(value)) >= SHORTEST_SECRET:
            yield str(value)


def _strings(state: Mapping[str, Any] | None, other: Mapping[str, Any] | None) -> dict[str, str] | None:
    """What a state has that the other one has otherwise."""
    if state is None:
        return None
    return {
        key: ("true" if value else "false") if isinstance(value, bool) else str(value)
        for key, value in state.items()
        if other is None or key not in other or other[key] != value
    }


def _ours(error: Exception) -> Text:
    where = traceback.extract_tb(error.__traceback__)[-1]
    return Text.same(f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})")


def _first_line(error: Exception) -> str:
    return sentence(error) if isinstance(error, ValidationError) else str(error)


def _microseconds(start: float) -> int:
    return round((time.perf_counter() - start) * 1_000_000)
