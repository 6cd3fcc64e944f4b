"""Bifente under pytest: YAML suites are collected as tests, and fixtures give an editor's own tests a bench.

``pytest scenarios/`` runs suites (pytest-xdist spreads them). Fixtures: ``reader`` (a device in process, a card in
it), ``card`` (that card), ``bench`` (the same device behind a PC/SC service). The marker
``bifente(profile=..., cards={slot: template})`` chooses what they are made of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bifente.conformance.bench.cards import SeatedCard, Workshop
from bifente.conformance.bench.factory import BenchPool, BenchUnavailableError
from bifente.conformance.bench.live import Device, LiveBench
from bifente.conformance.loading import InputError
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions, TargetKind
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.scenario import run_scenario
from bifente.conformance.run.session import check_bench
from bifente.conformance.scenario.loader import DEFAULT_PROFILE, load_suite
from bifente.conformance.scenario.plan import PlannedScenario
from bifente.ground.files import open_file
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.explain import headline, lines
from bifente.reports.model import Fold
from bifente.reports.verdict import Verdict
from bifente.simulator.pcsc import PcscdError
from bifente.simulator.pcsc.services import ServiceKind

_SUITE = re.compile(rb"^suite:", re.MULTILINE)
_POOL = pytest.StashKey[BenchPool]()
_WORKSHOP = pytest.StashKey[Workshop]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the YAML suites."""
    group = parser.getgroup("bifente", "Bifente scenarios")
    group.addoption("--bifente-target", choices=[kind.value for kind in TargetKind], default="embedded")
    group.addoption("--bifente-service", choices=[kind.value for kind in ServiceKind], default=ServiceKind.OWN.value)
    group.addoption("--bifente-module", type=Path, default=None, help="the PKCS#11 module of the pkcs11 target")
    group.addoption("--bifente-profile", default=None, help="reader profile instead of the suites' own")
    group.addoption("--bifente-seed", type=int, default=1, help="seed of everything drawn at random")
    group.addoption("--bifente-keys", type=Path, default=None, help="folder of the laboratory keys")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line("markers", "bifente(profile, cards): what the fixtures reader, card and bench are made of")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
    """A YAML file that holds a suite; others are none of our business."""
    if file_path.suffix not in (".yaml", ".yml"):
        return None
    try:
        with open_file(file_path) as file:
            start = file.read(4096)
    except OSError:
        return None
    return SuiteFile.from_parent(parent, path=file_path) if _SUITE.search(start) else None


class SuiteFile(pytest.File):
    """A suite: one test per scenario."""

    def collect(self) -> Iterable[pytest.Item]:
        """Read the suite; what is wrong with it is a collection error in plain words."""
        chosen = self.config.getoption("--bifente-profile")
        try:
            suite = load_suite(self.path, load_catalogue(), profile=chosen)
            for scenario in suite.scenarios:
                check_bench(scenario, _workshop(self.config), chosen_profile=chosen)
        except InputError as error:
            raise self.CollectError(str(error)) from None
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
            bench = _pool(self.config).get(self.scenario.bench.profile)
        except BenchUnavailableError as error:
            pytest.skip(str(error))
        seed = self.config.getoption("--bifente-seed")
        command = ("bifente", "run", str(self.path))
        verdict = run_scenario(self.scenario, bench, seed=seed, command=command, emit=events.append)
        finished = events[-1]
        reason = finished.reason.get("en") if isinstance(finished, ScenarioFinished) and finished.reason else ""
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
    first = headline(told, "en")
    return "\n".join([f"{verdict.say('en')} {first}", *(line for line in lines(told, "en") if line != first)])


def _workshop(config: pytest.Config) -> Workshop:
    if _WORKSHOP not in config.stash:
        config.stash[_WORKSHOP] = Workshop.default(config.getoption("--bifente-keys"))
    return config.stash[_WORKSHOP]


def _pool(config: pytest.Config) -> BenchPool:
    if _POOL not in config.stash:
        target = TargetKind(config.getoption("--bifente-target"))
        options = RunOptions(
            paths=(),
            target=target,
            module=config.getoption("--bifente-module"),
            service=ServiceKind(config.getoption("--bifente-service")),
        )
        config.stash[_POOL] = BenchPool(options, _workshop(config))
    return config.stash[_POOL]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the benches."""
    if _POOL in config.stash:
        config.stash[_POOL].close()


@pytest.fixture
def reader(request: pytest.FixtureRequest) -> Device:
    """A reader in process, its cards inserted; two slots and a physician's card unless the marker says otherwise."""
    marker = request.node.get_closest_marker("bifente")
    chosen = dict(marker.kwargs) if marker is not None else {}
    cards = chosen.get("cards", {"cps": "medecin-generaliste"})
    choices = {
        role: CardChoice(template=card) if isinstance(card, str) else CardChoice(**card) for role, card in cards.items()
    }
    return Device.assemble(chosen.get("profile", DEFAULT_PROFILE), choices, _workshop(request.config), seed=1)


@pytest.fixture
def card(reader: Device) -> SeatedCard:
    """The first card of ``reader``: its ``facts`` (code, serial, certificates ...) and its ``state()``."""
    return next(iter(reader.cards.values()))


@pytest.fixture
def bench(request: pytest.FixtureRequest, reader: Device, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveBench]:
    """``reader`` behind a PC/SC service; the test's environment already names it. Skipped where none can be."""
    try:
        live = LiveBench(reader, kind=ServiceKind(request.config.getoption("--bifente-service")))
    except PcscdError as error:
        pytest.skip(str(error))
    with live:
        if not live.wait_seen():
            pytest.fail("clients do not see the cards in time: bifente doctor names the broken link", pytrace=False)
        for name, value in live.environment.items():
            monkeypatch.setenv(name, value)
        yield live
