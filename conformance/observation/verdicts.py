"""The rules applied to a story, and what came of it: as words for a person, and as scenarios of the record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bifente.conformance.observation.rules.all import RULES
from bifente.conformance.observation.rules.rule import Breach, Rule
from bifente.conformance.observation.story import Story
from bifente.conformance.requirements import load_catalogue
from bifente.ground.text import Text
from bifente.reports.events import (
    Event,
    Expectation,
    Requirement,
    ScenarioFinished,
    ScenarioStarted,
    StepFinished,
    StepStarted,
    Suite,
)
from bifente.reports.verdict import Verdict

SUITE = "observation"
_FILE = "conformance/observation/rules"
_SILENT = Text("rien de ce que la règle regarde ne s'est produit", "nothing that the rule is about happened")
_MOST_TOLD = 20


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """What came of one rule: every breach, or None where nothing happened that it is about."""

    rule: Rule
    breaches: Sequence[Breach] | None

    @property
    def verdict(self) -> Verdict:
        """Passed, failed, or not run."""
        if self.breaches is None:
            return Verdict.NOT_RUN
        return Verdict.FAILED if self.breaches else Verdict.PASSED


def judge(story: Story, rules: Mapping[str, Rule] = RULES) -> Sequence[RuleVerdict]:
    """Return what came of each rule."""
    return [RuleVerdict(rule, rule.judge(story)) for rule in rules.values()]


def suite() -> Suite:
    """Return the rules as a suite of the record."""
    title = Text("Règles pour tout programme", "Rules that hold for every program")
    return Suite(id=SUITE, title=title, file=_FILE, scenarios=len(RULES))


def cited() -> Sequence[Requirement]:
    """Return the requirements that rules cite."""
    return load_catalogue().cited(name for rule in RULES.values() for name in rule.requirements)


def as_events(found: RuleVerdict, command: str) -> Iterator[Event]:
    """Yield what came of a rule as a scenario of the record: its one step, the breaches as expectations not met."""
    rule = found.rule
    scenario = f"{SUITE}/{rule.name}"
    yield ScenarioStarted(
        scenario=scenario,
        suite=SUITE,
        title=rule.title,
        file=_FILE,
        line=0,
        requirements=rule.requirements,
        fidelity=rule.fidelity,
        reproduce=command,
    )
    yield StepStarted(scenario=scenario, index=0, name="observe", title=rule.why, file=_FILE, line=0)
    breaches = found.breaches or ()
    shown = tuple(
        Expectation(name=rule.name, expected=rule.title, observed=_shown(one), ok=False)
        for one in breaches[:_MOST_TOLD]
    )
    # What happened, then what cures it: who reads the reason alone has to know both.
    broken = Text.of("{}. {}", breaches[0].said, rule.cure) if breaches else None
    reason = _SILENT if found.breaches is None else broken
    yield StepFinished(scenario=scenario, index=0, verdict=found.verdict, expectations=shown, reason=reason)
    yield ScenarioFinished(scenario=scenario, verdict=found.verdict, reason=reason, fidelity=rule.fidelity)


def _shown(one: Breach) -> Text:
    events = ", ".join(map(str, one.evidence))
    return Text.of("{}{}", one.said, f" [{events}]" if events else "")
