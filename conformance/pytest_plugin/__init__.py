"""Bifente under pytest: YAML suites are collected as tests, and fixtures give an editor's own tests a bench.

``pytest scenarios/`` runs suites (pytest-xdist spreads them). Fixtures: ``reader`` (a device in process, a card in
it), ``card`` (that card), ``bench`` (the same device behind a PC/SC service, watched: ``bench.exchanges``,
``bench.expect(...)``, ``bench.inject(...)``). The marker ``bifente(profile=..., cards={slot: template})`` chooses what
they are made of.

Every pytest of whoever has the bench installed imports this module: the bench itself is imported when a suite is met
or a fixture asked for.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bifente.conformance.bench.cards import SeatedCard
    from bifente.conformance.model import CardChoice
    from bifente.conformance.observation.fixtures import ReaderAtHand, WatchedBench
    from bifente.conformance.pytest_plugin.suites import SuiteFile

_SUITE = re.compile(rb"^suite:", re.MULTILINE)
_SUITES = f"{__name__}.suites"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the YAML suites."""
    from bifente.conformance.options import TargetKind
    from bifente.simulator.pcsc.services import ServiceKind

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
        if not file_path.is_file():  # a pipe would hold the collection up
            return None
        with file_path.open("rb") as file:
            start = file.read(4096)
    except OSError:
        return None
    if not _SUITE.search(start):
        return None
    from bifente.conformance.pytest_plugin.suites import SuiteFile

    return SuiteFile.from_parent(parent, path=file_path)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close the benches, if there were any."""
    if _SUITES in sys.modules:
        sys.modules[_SUITES].close_benches(config)


_MARKED = ("profile", "cards")


def _choices(request: pytest.FixtureRequest) -> tuple[str, dict[str, CardChoice]]:
    from bifente.conformance.bench.choosing import load_readers
    from bifente.conformance.loading import InputError, nearest
    from bifente.conformance.loading.located import beside
    from bifente.conformance.model import CardChoice
    from bifente.conformance.pytest_plugin.suites import workshop_of
    from bifente.conformance.scenario.loader import DEFAULT_PROFILE
    from bifente.ground.french import in_lang, locale_lang

    marker = request.node.get_closest_marker("bifente")
    chosen = dict(marker.kwargs) if marker is not None else {}
    if marker is not None and marker.args:
        pytest.fail(in_lang(f"the marker bifente takes names only: {', '.join(_MARKED)}", locale_lang()), pytrace=False)
    for name in chosen:
        if name not in _MARKED:
            pytest.fail(
                in_lang(f"the marker bifente has no {name!r} ({nearest(name, _MARKED)})", locale_lang()), pytrace=False
            )
    folder = request.node.path.parent
    cards = chosen.get("cards", {"cps": "medecin-generaliste"})
    profile = chosen.get("profile", DEFAULT_PROFILE)
    if not isinstance(cards, dict) or not isinstance(profile, str):
        pytest.fail(
            in_lang("the marker bifente: profile is a name, cards maps slots to templates", locale_lang()),
            pytrace=False,
        )
    wrong = ""
    try:
        choices = {
            role: CardChoice(template=beside(card, folder))
            if isinstance(card, str)
            else CardChoice(**{**card, "template": beside(str(card.get("template", "")), folder)})
            for role, card in cards.items()
        }
        profile = beside(profile, folder)
        roles = [slot.role for slot in load_readers(profile)[0].slots]
        for role, choice in choices.items():
            workshop_of(request.config).check(choice)
            if role not in roles:
                wrong = f"{profile} has no slot {role!r} ({nearest(role, roles)})"
    except InputError as error:
        wrong = error.say(locale_lang())
    if wrong:
        pytest.fail(in_lang(f"the marker bifente: {wrong}", locale_lang()), pytrace=False)
    return profile, choices


@pytest.fixture
def reader(request: pytest.FixtureRequest) -> ReaderAtHand:
    """A reader in process, its cards inserted; two slots and a physician's card unless the marker says otherwise."""
    from bifente.conformance.bench.live import Device
    from bifente.conformance.observation.fixtures import ReaderAtHand
    from bifente.conformance.pytest_plugin.suites import workshop_of

    profile, choices = _choices(request)
    return ReaderAtHand(Device.assemble(profile, choices, workshop_of(request.config), seed=1))


@pytest.fixture
def card(reader: ReaderAtHand) -> SeatedCard:
    """The first card of ``reader``: its ``facts`` (code, serial, certificates ...) and its ``state()``."""
    return next(iter(reader.cards.values()))


@pytest.fixture
def bench(
    request: pytest.FixtureRequest, reader: ReaderAtHand, monkeypatch: pytest.MonkeyPatch
) -> Iterator[WatchedBench]:
    """``reader`` behind a PC/SC service, watched; the test's environment names it. Skipped where none can be."""
    from bifente.conformance.observation.fixtures import WatchedBench
    from bifente.conformance.observation.standing import Standing, Wanted
    from bifente.conformance.pytest_plugin.suites import workshop_of
    from bifente.simulator.pcsc import PcscdError
    from bifente.simulator.pcsc.services import ServiceKind

    profile, choices = _choices(request)
    wanted = Wanted(
        profile=profile,
        cards=choices,
        workshop=workshop_of(request.config),
        service=ServiceKind(request.config.getoption("--bifente-service")),
        command=("pytest", request.node.nodeid),
    )
    try:
        standing = Standing(wanted, reader.device)
    except PcscdError as error:
        pytest.skip(str(error))
    with standing:
        if not standing.bench.wait_seen():
            pytest.fail("clients do not see the cards in time: bifente doctor names the broken link", pytrace=False)
        for name, value in standing.environment.items():
            monkeypatch.setenv(name, value)
        with reader.live(standing):
            yield WatchedBench(standing)
