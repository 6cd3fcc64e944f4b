"""Whether each verdict follows: a step's from its expectations, a scenario's from its steps."""

from __future__ import annotations

from dataclasses import dataclass, field

from bifente.ground.text import Text
from bifente.reports.events import Event, Phase, ScenarioFinished, ScenarioStarted, StepFinished, StepStarted
from bifente.reports.verdict import Verdict, verdict_of, verdict_of_phases
from bifente.reports.verifying.checks import CheckedPart, Counterexample, VerifiedCheck, fails


@dataclass(slots=True)
class VerdictsFollow:
    """Sees the events of a journal in order; `wrong` is the first verdict that does not follow."""

    wrong: Counterexample | None = None
    judged: int = 0
    _phase: Phase = Phase.STEPS
    _open: bool = False
    _verdicts: dict[Phase, list[Verdict]] = field(default_factory=dict)

    def see(self, event: Event, line: int) -> None:
        """Take the event of a line into account."""
        why: Text | None = None
        match event:
            case StepStarted():
                self._phase, self._open = event.phase, True
            case StepFinished():
                self._open = False
                self._verdicts.setdefault(self._phase, []).append(event.verdict)
                why = _against_expectations(event)
            case ScenarioStarted():
                self._verdicts, self._open = {}, False
            case ScenarioFinished():
                why = self._against_steps(event)
                self.judged += 1
        if why is not None and self.wrong is None:
            self.wrong = Counterexample(line, why)

    def _against_steps(self, event: ScenarioFinished) -> Text | None:
        due = verdict_of_phases(*(self._verdicts.get(phase, ()) for phase in Phase))
        if event.verdict is due:
            return None
        if _reasoned(event):
            # The bench may find afterwards that it was wrong; a scenario may be left out before its first step.
            if event.verdict is Verdict.BENCH_ERROR:
                return None
            if event.verdict in (Verdict.NOT_RUN, Verdict.NOT_APPLICABLE) and (not self._verdicts or self._open):
                return None
        return _otherwise(Text.same(event.scenario), event.verdict, due, Text("ses étapes donnent", "its steps give"))

    def check(self) -> VerifiedCheck:
        """Return what came of it."""
        if self.wrong is not None:
            return fails(CheckedPart.VERDICTS, self.wrong)
        if not self.judged:
            return VerifiedCheck(
                part=CheckedPart.VERDICTS, holds=None, text=Text("le relevé n'en porte aucun", "the record has none")
            )
        said = Text(
            "chacun suit de ce qui a été attendu et observé", "each follows from what was expected and observed"
        )
        return VerifiedCheck(part=CheckedPart.VERDICTS, holds=True, text=said)


def _against_expectations(event: StepFinished) -> Text | None:
    due = verdict_of(event.expectations)
    judged, why = bool(event.expectations), _reasoned(event)
    match event.verdict:
        case Verdict.PASSED | Verdict.PASSED_WITH_REMARK:
            follows = event.verdict is due
        case Verdict.FAILED:
            # A step that could not be taken failed before anything was judged: then its reason says so.
            follows = event.verdict is due or (why and not judged)
        case Verdict.BENCH_ERROR:
            follows = why
        case _:
            follows = why and not judged
    if follows:
        return None
    number = event.index + 1
    step = Text(f"l'étape {number} de {event.scenario}", f"step {number} of {event.scenario}")
    if event.verdict is due or not judged:
        unsaid = Text("et rien n'en donne la raison", "and nothing says why")
        return Text.of("{} {}", _told(step, event.verdict), unsaid)
    return _otherwise(step, event.verdict, due, Text("ses attentes donnent", "its expectations give"))


def _reasoned(event: StepFinished | ScenarioFinished) -> bool:
    return event.reason is not None and bool(event.reason.fr or event.reason.en)


def _otherwise(what: Text, said: Verdict, due: Verdict, ground: Text) -> Text:
    return Text.of("{}, {} {}", _told(what, said), ground, _QUOTED[due])


def _told(what: Text, said: Verdict) -> Text:
    return Text.of("{} {}", Text(f"{what.fr} : dit", f"{what.en}: told"), _QUOTED[said])


# No line of a terminal ends between a word and its quotation marks.
_QUOTED = {one: Text(f"«\u00a0{one.label.fr}\u00a0»", f'"{one.label.en}"') for one in Verdict}
