from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from clients_bench import Bench, CardMaker, Specimen

from simulator.cards import cps3
from simulator.pcsc.discovery import find_installation
from simulator.pcsc.errors import PcscdError
from simulator.pcsc.private_pcscd import try_namespaces
from simulator.personalisation.authority import Pki
from simulator.personalisation.keystore import KeyStore
from simulator.personalisation.loading import shipped_templates
from simulator.personalisation.personalise import PersonalisedCard, personalise


@pytest.fixture(scope="session", autouse=True)
def _chain() -> None:
    """A real pcscd, vpcd and pyscard, or a skip that says what is missing."""
    try:
        find_installation()
    except PcscdError as error:
        pytest.skip(f"needs a real pcscd: {error}")
    if (refused := try_namespaces()) is not None:
        pytest.skip(f"needs namespaces: {refused}")
    if importlib.util.find_spec("smartcard") is None:
        pytest.skip("needs pyscard: pip install bifente[pcsc]")


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> CardMaker:
    """A fresh card of a template that comes with the bench; keyword arguments replace values of the template."""
    base = tmp_path_factory.getbasetemp()
    # One key store for all workers of a run (pytest-xdist): keys are the slow part of a card.
    keys = KeyStore((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "client-keys")
    pki = Pki(keys)
    made: dict[str, PersonalisedCard] = {}
    at = date.today()  # real clients look at the machine's clock

    def make(template: str = "medecin-generaliste", **overrides: Any) -> Specimen:
        key = f"{template} {sorted(overrides.items())}"
        if key not in made:
            made[key] = personalise(shipped_templates()[template], keys, at=at, overrides=overrides, pki=pki)
        return Specimen(made[key], cps3.card(made[key].image))

    return make


@pytest.fixture(scope="module")
def shared_bench(make: CardMaker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One pcscd for a module; use ``bench``."""
    with Bench(make(), tmp_path_factory.mktemp("bench")) as bench:
        yield bench


@pytest.fixture
def bench(shared_bench: Bench, make: CardMaker) -> Iterator[Bench]:
    """A pcscd with a fresh practitioner's card in its reader."""
    shared_bench.seat(make())
    with shared_bench.faultless():
        yield shared_bench
