"""Our own PC/SC service beside an echo card on pcscd and vpcd, in the same minute: exchanges, movements, crowds.

``BIFENTE_LOAD_SECONDS=60 ./run bench tests/benchmarks/test_own_pcsc.py`` keeps the eight clients at it for a minute.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles

import pytest

from bifente.ground.clock import WallClock
from bifente.simulator.pcsc import EchoCard, PcscdError, PrivatePcscd
from bifente.simulator.pcsc.own.service import OwnPcsc
from bifente.simulator.readers import Reader, Slot

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "pcsc"))
from benchmark_tools import sized
from own_tools import RawClient
from pcsc_load import compiled, load, shares
from pcsc_tools import Client, new_reader

pytestmark = pytest.mark.long

SECONDS = float(os.environ.get("BIFENTE_LOAD_SECONDS", sized(3000, 300) / 1000))
COMMAND = "00DA00000A" + "01" * 10
ROUNDS = sized(5, 3)
EXCHANGES, MOVEMENTS, CONTEXTS = sized(3000, 600), sized(20, 7), sized(1000, 100)
Service = PrivatePcscd | OwnPcsc
OURS, THEIRS = "ours", "pcscd and vpcd"
STARTS: dict[str, Callable[[list[Reader]], Service]] = {OURS: OwnPcsc.start, THEIRS: PrivatePcscd.start}


def say(capsys: pytest.CaptureFixture[str], what: str, figure: str) -> None:
    with capsys.disabled():
        print(f"\n  {what:52} {figure}", end="")


def started(kind: str, readers: list[Reader]) -> Service:
    try:
        return STARTS[kind](readers)
    except PcscdError as error:
        pytest.skip(f"nothing to compare with: {error}")


def test_one_exchange(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("smartcard")
    spent: dict[str, list[list[float]]] = {kind: [] for kind in STARTS}
    for _ in range(ROUNDS):
        for kind in STARTS:
            reader = new_reader("Echo")
            reader.slots[0].insert(EchoCard())
            with started(kind, [reader]) as service, Client(service.environment) as client:
                name = service.reader_names[0]
                assert client.ask(do="wait", states={name: "present"}, timeout=5)["code"] == 0
                assert client.ask(do="connect", reader=name)["code"] == 0
                client.ask(do="measure", reader=name, command=COMMAND, count=EXCHANGES // 10)
                spent[kind].append(client.ask(do="measure", reader=name, command=COMMAND, count=EXCHANGES)["seconds"])
    ours, theirs = (median(map(median, spent[kind])) for kind in (OURS, THEIRS))
    figure = f"{1e6 * ours:.0f} us, pcscd and vpcd {1e6 * theirs:.0f} us: {ours / theirs:.2f} x"
    say(capsys, f"an exchange with an echo card, medians of {ROUNDS}", figure)
    # The quickest tenth of the quietest round: what else the machine does strikes one or the other.
    ours, theirs = (min(quantiles(one, n=10)[0] for one in spent[kind]) for kind in (OURS, THEIRS))
    assert ours < 1.5 * theirs, "the goal is below 1.0 on a quiet machine"


MONITOR = """
import json, sys, time
from smartcard import scard
context = scard.SCardEstablishContext(0)[1]
name, state = sys.argv[1], 0
state = scard.SCardGetStatusChange(context, 0, [(name, 0)])[1][0][1]
print(flush=True)
while True:
    state = scard.SCardGetStatusChange(context, 5000, [(name, state)])[1][0][1]
    print(json.dumps(time.monotonic()), flush=True)
"""


def notices(service: Service, slot: Slot, movements: int) -> list[float]:
    """Seconds from a movement to a waiting client's return.

    Hands come at any moment: moved right after pcscd has looked, a card would always wait for a whole poll of 0.4 s.
    """
    moments = random.Random(1)
    command = [sys.executable, "-P", "-c", MONITOR, service.name_of(slot)]
    environment = {"PATH": os.defpath, **service.environment}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        client.stdout.readline()
        found = []
        for _ in range(movements):
            time.sleep(moments.uniform(0, 0.4))
            begun = time.monotonic()
            slot.remove() if slot.card is not None else slot.insert(EchoCard())
            found.append(json.loads(client.stdout.readline()) - begun)
        client.kill()
    return found


def test_a_movement_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("smartcard")
    figures = {}
    for kind in STARTS:
        reader = new_reader("Moves")
        reader.slots[0].insert(EchoCard())
        with started(kind, [reader]) as service:
            service.bridges[0].wait_seen(5)
            time.sleep(0.5)  # pcscd has looked
            figures[kind] = notices(service, reader.slots[0], MOVEMENTS)
    ours, theirs = (1000 * median(figures[kind]) for kind in (OURS, THEIRS))
    say(capsys, "from a movement to a waiting client, median", f"{ours:.2f} ms, pcscd and vpcd {theirs:.0f} ms")
    assert ours < 20, "the goal is 5 ms on a quiet machine"


class Shares:
    """Processor seconds from ``start`` to ``stop``: of whoever serves, of the bench, of the clients that ended."""

    def __init__(self, served_by: list[int]) -> None:
        self._served_by = served_by
        self._before: tuple[float, ...] = ()

    def start(self) -> None:
        self._before = self._now()

    def stop(self) -> tuple[float, ...]:
        return tuple(after - before for before, after in zip(self._before, self._now(), strict=True))

    def _now(self) -> tuple[float, ...]:
        here, ended = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return (
            sum(self._of(pid) for pid in self._served_by),
            here.ru_utime + here.ru_stime,
            ended.ru_utime + ended.ru_stime,
        )

    @staticmethod
    def _of(pid: int) -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and those it started."""
    found = [pid]
    for thread in Path(f"/proc/{pid}/task").iterdir():
        for child in (thread / "children").read_text().split():
            found += family(int(child))
    return found


@pytest.mark.parametrize("client", ["pyscard", "C"])
def test_sixteen_slots_under_eight_clients(capsys: pytest.CaptureFixture[str], client: str, tmp_path: Path) -> None:
    """Who takes the time of an exchange. Clients' starts are counted with them, but for those in C it is nothing.

    ``alone`` is what two cores would do of it if they had nothing else to do: the processes run side by side.
    """
    pytest.importorskip("smartcard")
    program = compiled(tmp_path) if client == "C" else None
    if client == "C" and program is None:
        pytest.skip("needs gcc and libpcsclite-dev")
    for kind in STARTS:
        readers = [new_reader(f"OLAQIN {number} TL") for number in range(8)]
        slots = [slot for reader in readers for slot in reader.slots]
        marks = [bytes((0xC0, number, 0xFF ^ number)) for number in range(16)]
        with started(kind, readers) as service:
            for slot, mark in zip(slots, marks, strict=True):
                slot.insert(EchoCard(mark))
            assert all(bridge.wait_seen(5) for bridge in service.bridges)
            own = dict(zip(service.reader_names, [mark.hex() for mark in marks], strict=True))
            assert service.pid is not None
            taken = Shares(family(service.pid))
            heard = load(service.environment, shares(own), SECONDS, program=program, started=taken.start)
            assert [client["wrong"] + client["refused"] for client in heard] == [[]] * 8
            count = sum(client["count"] for client in heard)
            serving, bench, clients = (1e6 * seconds / count for seconds in taken.stop())
        rate = sum(client["count"] / client["seconds"] for client in heard)
        each = serving + bench + clients
        figure = (
            f"{rate:,.0f} a second on {rate * each / 1e6:.1f} cores; alone on two {2e6 / each:,.0f}; "
            f"us: serving {serving:.0f}, bench {bench:.0f}, client {clients:.0f}"
        )
        say(capsys, f"16 echo cards, 8 clients in {client}, {kind}, {SECONDS:g} s", figure)


def test_many_connections(capsys: pytest.CaptureFixture[str]) -> None:
    figures = {}
    for kind in STARTS:
        reader = new_reader("Crowd")
        reader.slots[0].insert(EchoCard())
        with started(kind, [reader]) as service:
            service.bridges[0].wait_seen(5)
            begun = time.perf_counter()
            for _ in range(CONTEXTS):
                RawClient(service).establish().close()  # type: ignore[arg-type]
            figures[kind] = time.perf_counter() - begun
    figure = f"{figures[OURS]:.2f} s, pcscd and vpcd {figures[THEIRS]:.2f} s"
    say(capsys, f"{CONTEXTS:,} contexts, one after the other", figure)


def test_a_hundred_idle_clients(capsys: pytest.CaptureFixture[str]) -> None:
    def resident() -> int:
        lines = Path(f"/proc/{service.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    with OwnPcsc.start([Reader.of("Idle", ["Idle 0"], WallClock())]) as service:
        before = resident()
        clients = [RawClient(service).establish() for _ in range(100)]
        for client in clients:
            client.wait()
        after = resident()
        for client in clients:
            client.close()
    say(
        capsys,
        "memory of the process that serves",
        f"{before / 1024:.1f} MB, with 100 idle clients {after / 1024:.1f} MB",
    )
    assert after - before < 16 * 1024
