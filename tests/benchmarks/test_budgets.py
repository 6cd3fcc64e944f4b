"""The budgets of the bench, each figure printed beside its bound; only what holds on any machine is asserted.

Absolute times lie on shared machines: where a reference exists (an echo card, a bare cryptographic call) it is
measured in the same run and the ratio is what counts. ``./run bench`` shows them all.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pytest
from benchmark_tools import BENCHMARK, behind_pcscd

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions, TargetKind
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.suites import default_paths
from bifente.conformance.targets.pcsc import PcscTarget
from bifente.ground.clock import WallClock
from bifente.simulator.cards.families import make_card
from bifente.simulator.pcsc import EchoCard
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.readers import Reader

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
DAY = datetime(2026, 6, 1, tzinfo=UTC)
PHYSICIAN = CardChoice(template="medecin-generaliste")


@pytest.fixture(scope="module")
def keys() -> Path:
    folder = KeyStore().folder
    Workshop.default(folder).personalised(PHYSICIAN, DAY.date())
    return folder


def say(capsys: pytest.CaptureFixture[str], what: str, figure: str, budget: str) -> None:
    with capsys.disabled():
        print(f"\n  {what:58} {figure:>28}   budget {budget}", end="")


def timed(work: Callable[[], object], count: int) -> list[float]:
    seconds = []
    for _ in range(count):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return seconds


def test_embedded_round_trips(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    card = make_card(Workshop.default(keys).personalised(PHYSICIAN, DAY.date()).image)
    card.power_on()
    select, fetch, read = (bytes.fromhex(apdu) for apdu in ("00A40904043F00D003", "00C0000027", "00B000000C"))

    def round_trip() -> None:
        card.transmit(select)
        card.transmit(fetch)
        card.transmit(read)

    def without_answer() -> None:
        card.transmit(quiet)
        card.transmit(read)

    quiet = bytes.fromhex("00A4090C043F00D003")
    assert [card.transmit(command)[-2:] for command in (quiet, read)] == [b"\x90\x00"] * 2
    rate = 1 / median(timed(without_answer, 5000))
    say(capsys, "SELECT + READ BINARY, in process", f"{rate:,.0f} a second", ">= 100,000")
    rate = 1 / median(timed(round_trip, 5000))
    say(capsys, "SELECT + GET RESPONSE + READ BINARY, in process", f"{rate:,.0f} a second", ">= 60,000")
    assert rate > 2_000


def test_a_card_is_ready_from_a_template(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def ready() -> None:
        make_card(Workshop(KeyStore(keys)).personalised(PHYSICIAN, DAY.date()).image)

    took = median(timed(ready, 10))
    say(capsys, "card ready from a template, keys on disk", f"{took * 1000:.1f} ms", "<= 50 ms")
    assert took < 0.5


@pytest.fixture(scope="module")
def through_pcscd(keys: Path) -> Iterator[tuple[PcscTarget, tuple[str, ...]]]:
    reader = Reader.of("Benchmark", ["echo", "card"], WallClock())
    with behind_pcscd(reader) as (target, names):
        reader.slots[0].insert(EchoCard())
        reader.slots[1].insert(make_card(Workshop.default(keys).personalised(PHYSICIAN, DAY.date()).image))
        for name in names:
            assert target.wait(name, present=True, timeout=3)
        yield target, names


def test_apdu_through_pcscd(
    through_pcscd: tuple[PcscTarget, tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    target, names = through_pcscd
    echo, card = (target.connect(name) for name in names)
    card.transmit(bytes.fromhex("00A4090C043F00D003"))
    # Twelve bytes and a status word come back from both.
    asked, read = bytes.fromhex("00DA00000C") + bytes(12), bytes.fromhex("00B000000C")
    assert len(echo.transmit(asked)) == len(card.transmit(read)) == 14
    echoes: list[float] = []
    reads: list[float] = []
    for _ in range(20):
        # Turn about, so that a busy moment of the machine falls on both.
        echoes += timed(lambda: echo.transmit(asked), 100)
        reads += timed(lambda: card.transmit(read), 100)
    ratio = median(reads) / median(echoes)
    figure = f"{median(reads) * 1e6:.0f} us = {ratio:.2f} x echo"
    say(capsys, "APDU through pcscd and vpcd", figure, "<= 1.3 x echo")
    assert ratio < 2


def test_the_built_in_suites(keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a user runs them: two processes, the record and every report. What a core does of plain Python tells the day:
    the same suites took 7.5 s and 12.5 s on two days of one shared machine.
    """
    plain = min(timed(lambda: sum(range(1_000_000)), 20))
    every, workshop = default_paths(TargetKind.EMBEDDED), Workshop.default(keys)
    # All of them are played by other tests.
    paths = every if BENCHMARK else (default_paths()[0] / "card",)
    for card in set(prepare(RunOptions(paths=paths), workshop).cards):
        workshop.personalised(card, datetime.now(UTC).date())  # its keys are made once for all runs of a user
    options = ("--workers", "2", "--quiet", "--keys", keys, "--out", tmp_path)
    command = (sys.executable, "-c", "from bifente.conformance.cli import main; main()", "run", *paths, *options)
    before, start = _of_children(), time.perf_counter()
    done = subprocess.run([*map(str, command)], capture_output=True, check=False)
    took, worked = time.perf_counter() - start, _of_children() - before
    assert done.returncode == 0, done.stderr
    told = json.loads((tmp_path / "ctrf.json").read_text(encoding="utf-8"))["results"]["summary"]["tests"]
    figure = f"{took:.1f} s for {told} = {took / plain:.0f} x a plain loop of {plain * 1000:.1f} ms"
    say(capsys, "the built-in suites, two cores, with their reports", figure, "<= 10 s")
    names = ("journal.jsonl", "report.json", "report.html")
    figure = " / ".join(f"{(tmp_path / name).stat().st_size / 1e6:.1f}" for name in names) + " MB"
    say(capsys, "their journal, JSON and HTML", figure, "<= 30 / 5 / 5 MB")
    # Of the processors: what others do on the machine makes it wait, and says nothing of us.
    assert worked < 10 * told * plain


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


SUITE = """suite: growth
title: {fr: Croissance, en: Growth}
fidelity: modelled
bench: {cards: {cps: medecin-generaliste}}
scenarios:
"""
SCENARIO = """  - id: scenario-{number}
    title: {{fr: Un, en: One}}
    requirements: [CARD-CPS3-08]
    steps:
      - read: EF.SN
        expect: {{data: {{length: 12}}}}
      - verify-code: $card.code
"""


WITH_REPORTS = """
import resource, sys
from bifente.conformance.cli import main
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
"""


def test_cost_per_scenario_as_suites_grow(keys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run as a user has it, with its record and every report; BIFENTE_LARGE=1 adds 10,000 scenarios."""
    counts = (10, 100, 1000, *((10_000,) if os.environ.get("BIFENTE_LARGE") else ()))
    costs, peaks, sizes = {}, {}, {}
    Workshop.default(keys).personalised(PHYSICIAN, datetime.now(UTC).date())
    for count in counts:
        path, out = tmp_path / f"growth-{count}.yaml", tmp_path / str(count)
        path.write_text(SUITE + "".join(SCENARIO.format(number=number) for number in range(count)), encoding="utf-8")
        command = (sys.executable, "-c", WITH_REPORTS, "run", path, "--quiet", "--keys", keys, "--out", out)
        before = _of_children()
        done = subprocess.run([*map(str, command)], capture_output=True, check=False, text=True)
        costs[count] = (_of_children() - before) / count
        assert done.returncode == 0, done.stderr
        peaks[count] = int(done.stderr.split()[-1])
        sizes[count] = sum(file.stat().st_size for file in out.iterdir()) / count
    named = " / ".join(map(str, counts))
    figure = " / ".join(f"{cost * 1000:.2f}" for cost in costs.values()) + " ms"
    say(capsys, f"cost per scenario with {named}", figure, "flat")
    figure = " / ".join(f"{size / 1000:.1f}" for size in sizes.values()) + " kB"
    say(capsys, "record and reports per scenario", figure, "<= 28 kB")
    figure = " / ".join(map(str, peaks.values())) + " MB"
    say(capsys, "peak of memory", figure, "flat")
    assert costs[1000] < 3 * costs[100]
    assert peaks[1000] < 3 * peaks[10]


MEMORY = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from bifente.conformance.bench.cards import Workshop
from bifente.conformance.model import CardChoice
from bifente.simulator.cards.families import make_card
from bifente.ground.clock import WallClock
from bifente.simulator.pcsc import PcscdError, PrivatePcscd
from bifente.simulator.readers import Reader

def resident(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024 if "VmRSS:" in status else 0

def below(pid):
    children = [int(p) for t in Path(f"/proc/{pid}/task").iterdir() for p in (t / "children").read_text().split()]
    return [pid, *(found for child in children for found in below(child))]

workshop = Workshop.default(Path(sys.argv[1]))
readers = [Reader.of(f"Memory {n}", [f"{n} a", f"{n} b"], WallClock()) for n in range(8)]
try:
    pcscd = PrivatePcscd.start(readers)
except PcscdError as error:
    print(json.dumps({"skip": str(error)}))
    sys.exit()
with pcscd:
    for number, slot in enumerate(slot for reader in readers for slot in reader.slots):
        choice = CardChoice(template="medecin-generaliste", card={"serial": f"9911{number:04}"})
        slot.insert(make_card(workshop.personalised(choice, datetime(2026, 6, 1, tzinfo=UTC).date()).image))
    assert all(bridge.wait_seen(5) for bridge in pcscd.bridges)
    print(json.dumps({"megabytes": sum(map(resident, below(__import__("os").getpid())))}))
"""


def test_memory_of_sixteen_cards(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(keys)], capture_output=True, text=True, timeout=600, cwd=ROOT, check=True
    )
    said = json.loads(done.stdout)
    if "skip" in said:
        pytest.skip(said["skip"])
    figure = f"{said['megabytes']:.0f} MB"
    say(capsys, "8 two-slot readers and 16 cards, pcscd included", figure, "<= 200 MB")
    assert said["megabytes"] < 200
