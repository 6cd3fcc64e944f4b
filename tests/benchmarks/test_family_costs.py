"""What each operation costs on a CPS4 beside a CPS3: APDUs, time in the card, time for the client on every way to it.

One table, printed; only the counts of APDUs are asserted, since they are the same on any machine. Times lie on shared
machines: the echo card, measured in the same run, tells what an exchange through PC/SC costs by itself.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import pytest
from benchmark_tools import TimedCard, behind_pcscd, listener

from bifente.conformance.bench.cards import SeatedCard, Workshop
from bifente.conformance.model import CardChoice
from bifente.conformance.targets.base import Target
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.ground.clock import WallClock
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.cards.dialogue import Dialogue
from bifente.simulator.cards.families import host_for
from bifente.simulator.cards.host import CardHost
from bifente.simulator.cards.padding import digest_info, enciphered
from bifente.simulator.pcsc import EchoCard
from bifente.simulator.readers import Reader

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "clients"))  # their way to PKCS#11 modules
from clients_bench import PIN, PUK, Bench, Specimen, opensc_module  # noqa: E402

REPEATS, MODULE_REPEATS = 15, 5
OPTIONS: Mapping[str, dict[str, str]] = {"cps3": {}, "cps4": {"cps_data": "modifiable"}}
"""A CPS4 has no CPS_DATA by itself: these have, so that writing is measured."""
FAMILIES = tuple(OPTIONS)
MESSAGE = b"Feuille de soins TEST"
DIRECTORIES = ("EF.SN", "EF.DIR", "EF.ODF", "EF.TokenInfo", "EF.AODF", "EF.PrKDF", "EF.CDF", "EF.DODF")
_PIECE = 255

# What makes the difference. CPS3: its counters are data objects, it ends the hash itself, its billing situations lie on
# the CPS2ter side, a key is used in its folder, which is selected first, and its CPS_DATA of 4096 bytes takes more
# pieces than the 512 of a CPS4's. CPS4: its object directory is longer, what it authenticates is a whole block in two
# parts.
APDUS = {
    "first contact": {"cps3": 30, "cps4": 30},
    "login": {"cps3": 1, "cps4": 1},
    "sign SHA-256": {"cps3": 6, "cps4": 3},
    "authenticate": {"cps3": 4, "cps4": 4},
    "decipher": {"cps3": 5, "cps4": 4},
    "read the business objects": {"cps3": 48, "cps4": 28},
    "write CPS_DATA": {"cps3": 18, "cps4": 4},
    "unblock": {"cps3": 2, "cps4": 3},
}


@dataclass(frozen=True, slots=True)
class Work:
    """A host at work on a card."""

    host: CardHost
    card: SeatedCard

    def first_contact(self) -> int:
        answers = [self.host.open().sw]
        answers += [self.host.read(self.card.path(name)).sw for name in DIRECTORIES]
        for secret in self.card.layout.secrets.values():
            self.host.counters(secret.reference)
        return max(answers)

    def login(self) -> int:
        return self.host.verify(self._reference("pin"), PIN.encode()).sw

    def sign(self) -> int:
        return self.host.sign("signature", "sha256", MESSAGE).sw

    def authenticate(self) -> int:
        return self.host.authenticate("authentication", digest_info("sha256", MESSAGE)).sw

    def decipher(self) -> int:
        public = self.card.facts["certificates"]["authentication"].public_key()
        return self.host.decipher("authentication", enciphered(public, MESSAGE, Random(1))).sw

    def read_objects(self) -> int:
        names = self.card.facts["personalised"].objects
        return max(self.host.read(self.card.path(name), self.card.volume(name)).sw for name in names)

    def write(self) -> int:
        body = bytes(self.card.layout.size("CPS_DATA") or 0)
        answers = [self.host.select_file(self.card.path("CPS_DATA")).sw]
        for at in range(0, len(body), _PIECE):
            answers.append(self.host.update_binary(at, body[at : at + _PIECE]).sw)
        return max(answers)

    def unblock(self) -> int:
        verified = self.host.verify(self._reference("puk"), PUK.encode()).sw
        return max(verified, self.host.reset_retry(self._reference("pin"), PIN.encode()).sw)

    def _reference(self, secret: str) -> int:
        return self.card.layout.secrets[secret].reference


OPERATIONS: Mapping[str, Callable[[Work], int]] = {
    "first contact": Work.first_contact,
    "login": Work.login,
    "sign SHA-256": Work.sign,
    "authenticate": Work.authenticate,
    "decipher": Work.decipher,
    "read the business objects": Work.read_objects,
    "write CPS_DATA": Work.write,
    "unblock": Work.unblock,
}


@dataclass(slots=True)
class Cost:
    """Of one operation: APDUs, seconds in the card, seconds for the client."""

    counts: list[int] = field(default_factory=list)
    card: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    @property
    def apdus(self) -> int:
        assert len(set(self.counts)) == 1, self.counts
        return self.counts[0]

    @contextmanager
    def measured(self, card: TimedCard) -> Iterator[None]:
        count, seconds, start = card.count, card.seconds, time.perf_counter()
        yield
        self.wall.append(time.perf_counter() - start)
        self.card.append(card.seconds - seconds)
        self.counts.append(card.count - count)


Costs = dict[str, Cost]


def costs(target: Target, reader: str, seated: SeatedCard, timed: TimedCard) -> Costs:
    """Every operation in turn, again and again, each time from a card just powered."""
    found = {name: Cost() for name in OPERATIONS}
    connection = target.connect(reader)
    for _ in range(REPEATS):
        dialogue = Dialogue(connection, lambda exchanged: None)
        dialogue.reset(cold=True)
        assert len(dialogue.connection.atr) > 1
        work = Work(host_for(dialogue, seated.layout), seated)
        assert not dialogue.block_protocol
        for name, operation in OPERATIONS.items():
            with found[name].measured(timed):
                status = operation(work)
            assert status == 0x9000, (name, hex(status))
    connection.disconnect()
    return found


@pytest.fixture(scope="module")
def workshop() -> Workshop:
    return Workshop.default()


def seat(workshop: Workshop, family: str) -> SeatedCard:
    choice = CardChoice.model_validate(
        {"template": "medecin-generaliste", "family": family, "options": OPTIONS[family]}
    )
    return workshop.make(choice, Random(1), at=WallClock().now())


@pytest.fixture(scope="module")
def in_process(workshop: Workshop) -> dict[str, Costs]:
    found = {}
    for family in FAMILIES:
        seated, reader = seat(workshop, family), Reader.of("Benchmark", [family], WallClock())
        timed = TimedCard(seated.card)
        reader.slots[0].insert(timed)
        found[family] = costs(EmbeddedTarget([reader]), family, seated, timed)
    return found


@dataclass(frozen=True, slots=True)
class ThroughPcsc:
    """The costs by family, and those of one exchange with the echo card."""

    families: dict[str, Costs]
    echo: float


@pytest.fixture(scope="module")
def through_pcsc(workshop: Workshop) -> ThroughPcsc:
    reader = Reader.of("Benchmark", ["echo", *FAMILIES], WallClock())
    with behind_pcscd(reader) as (target, readers):
        seated = {family: seat(workshop, family) for family in FAMILIES}
        timed = {family: TimedCard(seated[family].card) for family in FAMILIES}
        for slot, card in zip(reader.slots, (EchoCard(), *timed.values()), strict=True):
            slot.insert(card)  # type: ignore[arg-type]
        for name in readers:
            assert target.wait(name, present=True, timeout=3)
        names = dict(zip(("echo", *FAMILIES), readers, strict=True))
        spent: list[float] = []
        listen = listener(target.connect(names["echo"]).transmit, spent)
        # Before, between and after, so that a busy moment of the machine falls on all.
        found = {}
        for family in FAMILIES:
            listen()
            found[family] = costs(target, names[family], seated[family], timed[family])
        listen()
    return ThroughPcsc(found, median(spent))


# -- through PKCS#11 --------------------------------------------------------------------------------------------------


def ask_all(talker: Any, specimen: Specimen) -> dict[str, Callable[[], list[dict[str, Any]]]]:
    """The same operations as orders to a module."""
    key = {role: specimen.key_id(role) for role in ("signature", "authentication")}
    secret = enciphered(specimen.public_key("authentication"), MESSAGE, Random(1)).hex()
    size = specimen.made.layout.size("CPS_DATA") or 0

    def sign(role: str, mechanism: str, data: bytes) -> dict[str, Any]:
        answer: dict[str, Any] = talker.ask("sign", key=key[role], mechanism=mechanism, data=data.hex())
        return answer

    def objects() -> list[dict[str, Any]]:
        # OpenSC does not know all of them as objects of its own: those that it lists.
        names = set(talker.ask("labels", kind="data")["labels"])
        return [talker.ask("read", label=name) for name in specimen.made.objects if name in names]

    return {
        "login": lambda: [talker.ask("login", code=PIN)],
        "sign SHA-256": lambda: [sign("signature", "SHA256-RSA-PKCS", MESSAGE)],
        "authenticate": lambda: [sign("authentication", "RSA-PKCS", digest_info("sha256", MESSAGE))],
        "decipher": lambda: [talker.ask("decrypt", key=key["authentication"], data=secret)],
        "read the business objects": objects,
        "write CPS_DATA": lambda: [talker.ask("write", label="CPS_DATA", data=bytes(size).hex())],
        "unblock": lambda: [
            talker.ask("logout"),
            talker.ask("login", code=PUK, user="so"),
            talker.ask("init_pin", code=PIN),
        ],
    }


def module_costs(bench: Bench, specimen: Specimen, module: Path) -> dict[str, str]:
    """APDUs and milliseconds of each operation through a module; the code of the refusal for one that it refuses."""
    found: dict[str, list[tuple[int, float]]] = {name: [] for name in OPERATIONS}
    refused: dict[str, str] = {}
    for _ in range(MODULE_REPEATS):
        before, start = len(bench.commands()), time.perf_counter()
        with bench.talk("raw_pkcs11.py", module) as talker:
            assert talker.ask("open")["rv"] == "0x0"
            found["first contact"].append((len(bench.commands()) - before, time.perf_counter() - start))
            for name, orders in ask_all(talker, specimen).items():
                before, start = len(bench.commands()), time.perf_counter()
                wrong = [answer["rv"] for answer in orders() if answer["rv"] != "0x0"]
                found[name].append((len(bench.commands()) - before, time.perf_counter() - start))
                refused.update({name: wrong[0]} if wrong else {})
    return {
        name: refused.get(name) or f"{median(n for n, _ in spent):.0f} / {median(s for _, s in spent) * 1e3:.1f}"
        for name, spent in found.items()
    }


def specimen(workshop: Workshop, family: str) -> Specimen:
    seated = workshop.make(
        CardChoice.model_validate({"template": "medecin-generaliste", "family": family, "options": OPTIONS[family]}),
        Random(1),
        at=WallClock().now(),
    )
    made = seated.made_as(PersonalisedCard)
    assert made is not None
    assert made.calendar.card.start <= datetime.now(UTC).date()
    return Specimen(made, seated.card)  # type: ignore[arg-type]


def through_module(
    workshop: Workshop, folder: Path, family: str, module: Path, hidden: tuple[str, ...] = ()
) -> dict[str, str]:
    """``hidden`` are folders of the machine that the module shall see empty."""
    card = specimen(workshop, family)
    mounts = [(folder / name.strip("/"), Path(name)) for name in hidden]
    for source, _ in mounts:
        (source / "santesocial/CPS/cache").mkdir(parents=True)
    with Bench(card, folder, mounts=mounts) as bench:
        if mounts:
            bench.behind = (*bench.pcscd.enter, "/usr/bin/env", f"--chdir={folder}")
        return module_costs(bench, card, module)


@pytest.fixture(scope="module")
def through_modules(
    workshop: Workshop, through_pcsc: ThroughPcsc, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], dict[str, str]]:
    """By module and family. OpenSC knows no CPS4; the Cryptolib where BIFENTE_CRYPTOLIB names it."""
    found = {}
    try:
        opensc = opensc_module()
    except pytest.skip.Exception:
        opensc = None
    if opensc is not None:
        found["OpenSC", "cps3"] = through_module(workshop, tmp_path_factory.mktemp("opensc"), "cps3", opensc)
    if (cryptolib := os.environ.get("BIFENTE_CRYPTOLIB")) and Path("/var/opt").is_dir():
        for family in FAMILIES:
            folder = tmp_path_factory.mktemp(f"cryptolib-{family}")
            library = Path(cryptolib).resolve()
            found["Cryptolib", family] = through_module(workshop, folder, family, library, ("/etc/opt", "/var/opt"))
    return found


# -- the table --------------------------------------------------------------------------------------------------------


def test_apdus_of_each_operation(in_process: dict[str, Costs]) -> None:
    found = {name: {family: in_process[family][name].apdus for family in FAMILIES} for name in OPERATIONS}
    assert found == APDUS


def test_as_many_apdus_through_pcsc(through_pcsc: ThroughPcsc) -> None:
    found = {name: {family: through_pcsc.families[family][name].apdus for family in FAMILIES} for name in OPERATIONS}
    assert found == APDUS


def test_the_families_side_by_side(
    in_process: dict[str, Costs],
    through_pcsc: ThroughPcsc,
    through_modules: dict[tuple[str, str], dict[str, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def ms(seconds: list[float]) -> str:
        return f"{median(seconds) * 1e3:.2f}"

    lines = [
        f"{'milliseconds, medians':26} {'card':5} {'APDU':>4} {'in card':>8} {'process':>8} {'PC/SC':>8} {'x echo':>7}"
        f" {'OpenSC':>14} {'Cryptolib':>14}"
    ]
    for name in OPERATIONS:
        for family in FAMILIES:
            near, far = in_process[family][name], through_pcsc.families[family][name]
            echoes = near.apdus * through_pcsc.echo
            modules = [through_modules.get((module, family), {}).get(name, "-") for module in ("OpenSC", "Cryptolib")]
            lines.append(
                f"{name:26} {family:5} {near.apdus:4} {ms(near.card):>8} {ms(near.wall):>8} {ms(far.wall):>8}"
                f" {median(far.wall) / echoes:7.2f} {modules[0]:>14} {modules[1]:>14}"
            )
    lines += [
        f"{'echo card, one exchange':26} {'':5} {1:4} {'':8} {'':8} {through_pcsc.echo * 1e3:8.2f}",
        "x echo: beside as many exchanges with the echo card. Through a module: APDUs / ms (the first contact with the",
        "start of the client's process), or the code of its refusal; -: not measured.",
    ]
    with capsys.disabled():
        print("\n\n  " + "\n  ".join(lines))
