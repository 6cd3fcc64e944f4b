from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from clients_bench import Bench, CardMaker, Specimen, tool
from cryptolib_tools import CPS3, CPS4, MOUNTED, VARIABLE, Cryptolib, Family

from bifente.simulator.cards.cpx.loading import shipped_templates
from bifente.simulator.cards.cpx.personalise import PersonalisedCard, personalise
from bifente.simulator.cards.families import make_card
from bifente.simulator.pcsc.discovery import find_installation
from bifente.simulator.pcsc.errors import PcscdError
from bifente.simulator.pcsc.private_pcscd import try_namespaces
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeyStore


@pytest.fixture(scope="session", autouse=True)
def _client() -> None:
    """pyscard, or a skip."""
    if importlib.util.find_spec("smartcard") is None:
        pytest.skip("needs pyscard: pip install bifente[pcsc]")


@pytest.fixture(scope="session")
def chain() -> None:
    """A real pcscd with vpcd in namespaces, or a skip that says what is missing."""
    try:
        find_installation()
    except PcscdError as error:
        pytest.skip(f"needs a real pcscd: {error}")
    if (refused := try_namespaces()) is not None:
        pytest.skip(f"needs namespaces: {refused}")


@pytest.fixture(scope="session")
def make() -> CardMaker:
    """A fresh card of a template that comes with the bench; keyword arguments replace values of the template."""
    keys = KeyStore()
    pki = Pki(keys)
    made: dict[str, PersonalisedCard] = {}
    at = datetime.now(UTC).date()  # real clients look at the machine's clock

    def make(template: str = "medecin-generaliste", **overrides: Any) -> Specimen:
        key = f"{template} {sorted(overrides.items())}"
        if key not in made:
            made[key] = personalise(shipped_templates()[template], keys, at=at, overrides=overrides, pki=pki)
        return Specimen(made[key], make_card(made[key].image))

    return make


@pytest.fixture(scope="module", params=["own", "pcscd"])
def shared_bench(
    request: pytest.FixtureRequest, make: CardMaker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """One service for a module, ours and then a private pcscd: no client may tell them apart. Use ``bench``."""
    own = request.param == "own"
    if not own:
        request.getfixturevalue("chain")
    with Bench(make(), tmp_path_factory.mktemp("bench"), own=own) as bench:
        yield bench


@pytest.fixture
def bench(shared_bench: Bench, make: CardMaker) -> Iterator[Bench]:
    """A service with a fresh practitioner's card in its reader."""
    shared_bench.seat(make())
    with shared_bench.faultless():
        yield shared_bench


# -- the Cryptolib --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[CPS3, CPS4], ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> Family:
    """The family of the card in the reader; a module about a single one has a fixture of its own."""
    assert isinstance(request.param, Family)
    return request.param


@pytest.fixture(scope="session")
def library() -> Path:
    path = Path(os.environ[VARIABLE])
    assert path.is_file(), f"{VARIABLE} names no file: {path}"
    return path.resolve()


@pytest.fixture(scope="module")
def cryptolib_bench(
    chain: None, make: CardMaker, family: Family, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """A pcscd whose namespace has the folders of the module, empty."""
    for name in MOUNTED:
        if not Path(name).is_dir():
            pytest.skip(f"needs the folder {name}, to hide it behind a private one")
    tool("nsenter")
    folder = tmp_path_factory.mktemp("cryptolib")
    mounts = [(folder.joinpath(name.strip("/")), Path(name)) for name in MOUNTED]
    for source, _ in mounts:
        source.joinpath("santesocial/CPS/cache").mkdir(parents=True)
    with Bench(make(family=family.name), folder, mounts=mounts) as bench:
        # nsenter goes to the folder of this process; the clients work in that of the bench.
        bench.behind = (*bench.pcscd.enter, tool("env"), f"--chdir={folder}")
        yield bench


@pytest.fixture
def cryptolib(cryptolib_bench: Bench, library: Path, make: CardMaker, family: Family) -> Iterator[Cryptolib]:
    """The module, its cache empty, a fresh practitioner's card in the first slot and nothing in the other."""
    bench = cryptolib_bench
    if bench.other_slot.card is not None:
        bench.other_slot.remove()
        bench.wait({bench.other_name: "empty"})
    cache = bench.folder / "etc/opt/santesocial/CPS/cache"
    cryptolib = Cryptolib(bench, library, cache, family, make)
    cryptolib.forget()
    cryptolib.seat()
    with bench.faultless():
        yield cryptolib
