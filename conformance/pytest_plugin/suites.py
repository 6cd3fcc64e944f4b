"""Suites as tests: a file is a collector, a scenario an item, its verdict the outcome."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.factory import BenchPool, BenchUnavailableError
from bifente.conformance.loading import InputError
from bifente.conformance.options import RunOptions, TargetKind
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.card_references import CardReferences
from bifente.conformance.run.preparing import check_bench
from bifente.conformance.run.scenario import run_scenario
from bifente.conformance.scenario.loader import load_suite
from bifente.conformance.scenario.plan import PlannedScenario
from bifente.ground.french import in_lang, locale_lang
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.explain import headline, lines
from bifente.reports.model import Fold
from bifente.reports.verdict import Verdict
from bifente.simulator.pcsc.services import ServiceKind
from bifente.simulator.pki.keystore import KeyStore, KeyStoreError

_POOL = pytest.StashKey[BenchPool]()
_REFERENCES = pytest.StashKey[CardReferences]()
_WORKSHOP = pytest.StashKey[Workshop]()


class SuiteFile(pytest.File):
    """A suite: one test per scenario."""

    def collect(self) -> Iterable[pytest.Item]:
        """Read the suite; what is wrong with it is a collection error in plain words."""
        chosen = self.config.getoption("--bifente-profile")
        try:
            suite = load_suite(self.path, load_catalogue(), profile=chosen)
            for scenario in suite.scenarios:
                check_bench(scenario, workshop_of(self.config), chosen_profile=chosen)
                references_of(self.config).check(scenario)
        except InputError as error:
            raise self.CollectError(error.say(locale_lang())) from None
        for scenario in suite.scenarios:
            yield ScenarioItem.from_parent(self, name=scenario.id.partition("/")[2], scenario=scenario)


class ScenarioItem(pytest.Item):
    """One scenario."""

    def __init__(self, *, scenario: PlannedScenario, **rest: Any) -> None:
        super().__init__(**rest)
        self.scenario = scenario
        self._report: str | None = None
        for requirement in scenario.model.requirements:
            self.user_properties.append(("requirement", requirement))
        self.user_properties.append(("fidelity", scenario.fidelity.value))

    def setup(self) -> None:
        """Run it on a bench shared by the session. A bench error ends here: pytest calls it an error, not a failure."""
        events: list[Event] = []
        try:
            bench = pool_of(self.config).get(self.scenario.bench.profile)
        except BenchUnavailableError as error:
            pytest.skip(str(error))
        seed = self.config.getoption("--bifente-seed")
        command = ("bifente", "run", str(self.path))
        verdict = run_scenario(self.scenario, bench, seed=seed, command=command, emit=events.append)
        finished = events[-1]
        reason = (
            finished.reason.get(locale_lang()) if isinstance(finished, ScenarioFinished) and finished.reason else ""
        )
        if verdict in (Verdict.NOT_RUN, Verdict.NOT_APPLICABLE):
            pytest.skip(reason)
        self.user_properties.append(("verdict", verdict.value))
        if verdict is Verdict.PASSED:
            return
        report = _report(self.scenario.id, verdict, events)
        if verdict is Verdict.BENCH_ERROR:
            pytest.fail(report, pytrace=False)
        if verdict.good:
            self.add_report_section("call", "verdict", report)
        else:
            self._report = report

    def runtest(self) -> None:
        """Say what its verdict was, in the scenario's own words rather than by a traceback of ours."""
        if self._report is not None:
            pytest.fail(self._report, pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """File and line of the scenario."""
        return self.path, self.scenario.line - 1, self.scenario.id


def _report(scenario: str, verdict: Verdict, events: Iterable[Event]) -> str:
    fold = Fold()
    for event in events:
        fold.add(event)
    told = fold.scenario(scenario)
    lang = locale_lang()
    first = headline(told, lang)
    return "\n".join([f"{verdict.say(lang)} {first}", *(line for line in lines(told, lang) if line != first)])


def workshop_of(config: pytest.Config) -> Workshop:
    """Return the workshop of the session."""
    if _WORKSHOP not in config.stash:
        keys = KeyStore(config.getoption("--bifente-keys"))
        try:
            keys.check()
        except KeyStoreError as error:  # told once, not as an error of every test
            pytest.exit(in_lang(str(error), locale_lang()), returncode=pytest.ExitCode.USAGE_ERROR)
        config.stash[_WORKSHOP] = Workshop(keys)
    return config.stash[_WORKSHOP]


def references_of(config: pytest.Config) -> CardReferences:
    """Return who checks references to what is known of cards, for the whole session."""
    if _REFERENCES not in config.stash:
        config.stash[_REFERENCES] = CardReferences(workshop_of(config))
    return config.stash[_REFERENCES]


def pool_of(config: pytest.Config) -> BenchPool:
    """Return the benches of the session."""
    if _POOL not in config.stash:
        target = TargetKind(config.getoption("--bifente-target"))
        options = RunOptions(
            paths=(),
            target=target,
            module=config.getoption("--bifente-module"),
            service=ServiceKind(config.getoption("--bifente-service")),
        )
        config.stash[_POOL] = BenchPool(options, workshop_of(config))
    return config.stash[_POOL]


def close_benches(config: pytest.Config) -> None:
    """Close the benches of the session, if there were any."""
    if _POOL in config.stash:
        config.stash[_POOL].close()
