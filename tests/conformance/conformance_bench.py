"""What the tests of the conformance package share: suites written as text, and a way to run them in process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.factory import BenchPool
from bifente.conformance.loading import InputError
from bifente.conformance.options import RunOptions
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.scenario import run_scenario
from bifente.conformance.scenario.loader import load_suite
from bifente.conformance.scenario.plan import PlannedSuite
from bifente.reports.events import Event, Exchange, ScenarioFinished, StepFinished, StepStarted
from bifente.reports.verdict import Verdict
from bifente.simulator.cards.families import families

TEMPLATES, VITALE_TEMPLATES = (
    Path(str(folder.path)) for family in families().values() if (folder := family.templates) is not None
)
"""The templates of professionals' cards and of Vitale cards that come with the bench."""
CARD = "bench: {cards: {cps: medecin-generaliste}}"
ANY = "requirements: [CARD-CPS3-16]"


def suite_text(*scenarios: str, head: str = CARD, name: str = "t.one") -> str:
    """A suite around scenarios (or around the steps of a single one)."""
    return "\n".join(
        [f"suite: {name}", "title: {fr: Essai, en: Test}", "fidelity: observed", dedent(head).strip(), "scenarios:"]
        + [_item(text) for text in scenarios]
    )


def scenario_text(body: str, identifier: str = "only") -> str:
    """A scenario around its body (``steps:`` and what stands beside)."""
    return f"id: {identifier}\ntitle: {{fr: Un, en: One}}\n{ANY}\n{dedent(body).strip()}"


def steps_text(steps: str, *, head: str = CARD) -> str:
    """A suite of one scenario around its steps."""
    return suite_text(scenario_text("steps:\n" + indent(dedent(steps).strip(), "  ")), head=head)


def _item(text: str) -> str:
    return "  - " + indent(dedent(text).strip(), "    ").lstrip()


def write(folder: Path, text: str, name: str = "suite.yaml") -> Path:
    """A file with this text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, text: str, **options: str) -> PlannedSuite:
    """The suite in this text, planned."""
    return load_suite(write(folder, text), load_catalogue(), **options)


def complaints(folder: Path, text: str) -> list[str]:
    """What the loader says of this text: ``LINE:COLUMN: message (cure)`` each; the path is left out."""
    path = write(folder, text)
    try:
        load_suite(path, load_catalogue())
    except InputError as error:
        return [str(problem).removeprefix(f"{path}:") for problem in error.problems]
    return []


def place(text: str, part: str) -> str:
    """``LINE:COLUMN`` where a part first stands in a text."""
    before = text[: text.index(part)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


@dataclass(slots=True)
class Ran:
    """The events of some scenarios, and their verdicts by id (without the suite's name)."""

    events: list[Event] = field(default_factory=list)
    verdicts: dict[str, Verdict] = field(default_factory=dict)

    @property
    def verdict(self) -> Verdict:
        """The verdict of the only scenario."""
        (verdict,) = self.verdicts.values()
        return verdict

    @property
    def reason(self) -> str:
        """Why the last scenario ended as it did, in English."""
        finished = [event for event in self.events if isinstance(event, ScenarioFinished)][-1]
        return finished.reason.en if finished.reason else ""

    @property
    def steps(self) -> list[StepFinished]:
        """Every step that ended."""
        return [event for event in self.events if isinstance(event, StepFinished)]

    @property
    def started(self) -> list[StepStarted]:
        """Every step that began."""
        return [event for event in self.events if isinstance(event, StepStarted)]

    @property
    def exchanges(self) -> list[Exchange]:
        """Every exchange with a card."""
        return [event for event in self.events if isinstance(event, Exchange)]

    @property
    def step_verdicts(self) -> list[str]:
        """The verdicts of the steps as words."""
        return [step.verdict.value for step in self.steps]

    def told(self) -> str:
        """Every reason and every deviation of the steps, for a failed assertion."""
        return "\n".join(
            [f"{step.index} {step.verdict.value} {step.reason.en if step.reason else ''}" for step in self.steps]
            + [str(bad) for step in self.steps for bad in step.expectations if not bad.ok]
        )


@dataclass(frozen=True, slots=True)
class Lab:
    """Runs suites in process; cards and benches are shared, which scenarios must not notice."""

    workshop: Workshop
    pool: BenchPool

    @classmethod
    def open(cls) -> Lab:
        """With an embedded bench."""
        workshop = Workshop.default()
        return cls(workshop, BenchPool(RunOptions(paths=()), workshop))

    def run(self, folder: Path, text: str, *, seed: int = 1, profile: str | None = None) -> Ran:
        """Run every scenario of a suite."""
        suite = load_suite(write(folder, text), load_catalogue(), profile=profile)
        ran = Ran()
        for scenario in suite.scenarios:
            verdict = run_scenario(
                scenario,
                self.pool.get(scenario.bench.profile),
                seed=seed,
                command=("bifente", "run", "x"),
                emit=ran.events.append,
            )
            ran.verdicts[scenario.id.partition("/")[2]] = verdict
        return ran
