"""The process stops anywhere in a day: no sheet is lost, none is sent twice, no number is given twice, and no return
is lost or applied twice.

A cut comes before a statement of SQL (BEGIN and COMMIT too), or before or after an operation of the transport. The
store then goes on from its file and log as they were at that moment.

``BIFENTE_CRASH_POINTS=2000 pytest tests/software/test_fse_crash.py`` cuts days of 500 sheets so many times.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from crash_day import evening, morning, note, notes, prepare
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from securing_bench import AT
from store_bench import (
    FUSE,
    SENDER,
    Body,
    CutConnection,
    CutTransport,
    DirectTransport,
    PowerCut,
    copy_store,
    practice,
    secured,
    sheet,
)

from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.fse.files import open_file
from bifente.simulator.formats.fse.lots import invoice_number
from bifente.simulator.formats.fse.model import Arl, Rsp, SheetState
from bifente.simulator.formats.fse.returns import encode_return
from bifente.simulator.services.frontal.parameters import FrontalParameters
from bifente.simulator.software.billing.practice import Practice
from bifente.simulator.software.billing.store import Store

pytestmark = pytest.mark.long

POINTS = int(os.environ.get("BIFENTE_CRASH_POINTS", "20"))
HERE = Path(__file__).resolve().parent


@pytest.fixture(autouse=True)
def _whole_fuse() -> Iterator[None]:
    FUSE.disarm()
    yield
    FUSE.disarm()


class Day:
    """A day of ``count`` sheets under power cuts; the body stays up, its mail too."""

    def __init__(self, folder: Path, count: int, transport: type[DirectTransport] | None = None) -> None:
        self.folder, self.count = folder, count
        self.boots = 0
        self.clock = VirtualClock(AT)
        self.body = Body(self.clock, FrontalParameters(rsp_delay=timedelta(0)))
        self.transport = (transport or DirectTransport)(self.body)
        self.receptions: list[range] = []
        """The operations from each look into the mailbox to its deletion, of a day that nothing cut."""
        self.numbers: list[int] = []
        self.path = folder / "boot0.db"
        self.cuts = 0

    def run(self, cuts: Iterable[int]) -> None:
        """Live the day, cut after so many operations each time, until it is over."""
        for after in cuts:
            if self._live(after):
                return
        assert self._live(None)

    def _live(self, after: int | None) -> bool:
        """From boot to the end of the day (True) or to the cut."""
        target = self.folder / f"boot{self.boots + 1}.db"
        FUSE.on_cut = lambda: copy_store(self.path, target)
        FUSE.disarm()
        if after is not None:
            FUSE.arm(after)
        store = None
        try:
            store = Store(self.path, self.clock, SENDER, factory=CutConnection)
            transport = CutTransport(self.transport)
            self.receptions = transport.receptions
            desk = practice(store, transport)
            half = self.count // 2
            if len(store.sheets()) < half:
                morning(desk, half, sheet, secured, self.numbers.append)
            self._evening(desk)
            morning(desk, self.count, sheet, secured, self.numbers.append)
            self._evening(desk)
        except PowerCut:
            self.cuts += 1
            self.boots += 1
            self.path = target
            return False
        finally:
            FUSE.disarm()
            if store is not None:
                store.close()
        return True

    def _evening(self, desk: Practice) -> None:
        """Then the body pays, and says so once only: an RSP that is lost does not come again."""
        evening(desk)
        for rsp in self.body.frontal.settle():
            self.transport.post(encode_return(rsp))
        desk.receive()

    def check(self) -> None:
        """Nothing lost, nothing twice."""
        store = Store(self.path, self.clock, SENDER)
        sheets = store.sheets()
        assert len(sheets) == self.count
        assert [
            row for row in sheets if row.state is not (SheetState.PAID if row.third_party else SheetState.ACCEPTED)
        ] == []
        assert [number for number, times in Counter(self.numbers).items() if times > 1] == []
        assert {row.number for row in sheets} <= set(self.numbers)
        assert self.body.carried() == sorted(row.number for row in sheets)
        lots = self.body.lots()
        assert len(set(lots)) == len(lots)
        # No number of a lot was lost either: the body sees a sequence without holes.
        assert sorted(number for _, number in lots) == [f"{rank:03}" for rank in range(len(lots))]
        answers = self.body.frontal.returns()
        assert {answer.kind.value for answer in answers if isinstance(answer, Arl)} == {"positive"}
        lines = [line for answer in answers if isinstance(answer, Rsp) for line in answer.lines]
        assert {line.invoice for line in lines} == {row.number for row in sheets if row.third_party}
        told = Counter(subject for _, subject, what, _ in store.history() if what == "paid")
        assert told == Counter(f"sheet {line.invoice}" for line in lines)
        assert store.returns("refused") == ()
        assert self.transport.inbox == []
        store.close()


def operations(folder: Path, count: int) -> int:
    """How many operations a day has that nothing cuts."""
    before = FUSE.count
    Day(folder, count).run(iter(()))
    return FUSE.count - before


@pytest.fixture(scope="module")
def length(tmp_path_factory: pytest.TempPathFactory) -> int:
    return operations(tmp_path_factory.mktemp("whole"), 4)


def test_every_operation_of_a_small_day(tmp_path: Path, length: int) -> None:
    step = max(1, length // POINTS)
    for point in range(0, length, step):
        folder = tmp_path / str(point)
        folder.mkdir()
        day = Day(folder, 4)
        day.run(iter([point]))
        assert day.cuts == 1
        day.check()


def days_cut_while_receiving(folder: Path, transport: type[DirectTransport] | None = None) -> Iterator[Day]:
    """A small day for each operation between a look into the mailbox and the deletion of what was there."""
    before = FUSE.count
    whole = Day(folder, 4, transport)
    whole.run(iter(()))
    points = [point - before for reception in whole.receptions for point in reception]
    assert len(points) > 40
    for point in points:
        (folder / str(point)).mkdir()
        day = Day(folder / str(point), 4, transport)
        day.run(iter([point]))
        assert day.cuts == 1
        yield day


def test_every_operation_from_the_mailbox_to_the_store(tmp_path: Path) -> None:
    for day in days_cut_while_receiving(tmp_path):
        day.check()


class Forgetful(DirectTransport):
    """Empties its mailbox as it is looked into."""

    def receive(self) -> list[bytes]:
        found, self.inbox = self.inbox, []
        return found

    def delete(self, count: int) -> None:
        """Nothing is left to delete."""


def test_a_mailbox_that_forgets_too_early_loses_payments(tmp_path: Path) -> None:
    lost = 0
    for day in days_cut_while_receiving(tmp_path, Forgetful):
        try:
            day.check()
        except AssertionError:
            lost += 1
    assert lost > 0


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(0, 400), min_size=1, max_size=6))
def test_cut_again_and_again(tmp_path_factory: pytest.TempPathFactory, cuts: list[int]) -> None:
    day = Day(tmp_path_factory.mktemp("cuts"), 4)
    day.run(iter(cuts))
    day.check()


def growing(points: int, chance: Random) -> Iterator[int]:
    """Cuts after some operations; now and then far enough for the longest transaction to pass."""
    for _ in range(points):
        yield chance.randrange(1, 400) if chance.random() < 0.9 else chance.randrange(400, 8000)


def test_a_day_of_500(tmp_path: Path) -> None:
    """As many days as it takes to be cut so many times: one, in an ordinary run."""
    cuts, seed = 0, 20260303
    while cuts < POINTS:
        folder = tmp_path / str(seed)
        folder.mkdir()
        day = Day(folder, 500)
        day.run(growing(POINTS - cuts, Random(seed)))
        day.check()
        cuts, seed = cuts + day.cuts, seed + 1
        shutil.rmtree(folder)


def test_the_check_can_fail(tmp_path: Path) -> None:
    day = Day(tmp_path, 4)
    day.run(iter(()))
    day.numbers.append(day.numbers[0])
    with pytest.raises(AssertionError):
        day.check()


@pytest.mark.parametrize("kept", [1, 5, 12, 13])
def test_a_note_that_was_cut_is_left_out_and_spoils_no_other(tmp_path: Path, kept: int) -> None:
    log = tmp_path / "notes.log"
    note(log, number=1)
    log.write_bytes(log.read_bytes() + b'\n{"number": 23'[:kept])
    note(log, number=3)
    assert list(notes(log)) == [{"number": 1}, {"number": 3}]


def test_a_note_that_is_spoilt_otherwise_is_not_left_out(tmp_path: Path) -> None:
    log = tmp_path / "notes.log"
    note(log, number=1)
    log.write_bytes(log.read_bytes().replace(b":", b";"))
    with pytest.raises(ValueError, match="delimiter"):
        list(notes(log))


def test_killed_for_real(tmp_path: Path) -> None:
    count, kills = 60, 4
    prepare(tmp_path, count)
    chance, killed = Random(7), 0
    environment = {
        **os.environ,
        "PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parent / 'formats'}{os.pathsep}{HERE.parents[1]}",
    }
    for attempt in range(40):
        child = subprocess.Popen(
            [sys.executable, str(HERE / "crash_day.py"), str(tmp_path), str(count)], env=environment
        )
        ledger = tmp_path / "practice.db"
        if killed < kills:
            # Not before it works: a process that is killed while it imports proves nothing.
            before = ledger.stat().st_mtime_ns if ledger.exists() else 0
            wal = tmp_path / "practice.db-wal"
            give_up = time.monotonic() + 60
            while child.poll() is None and not (wal.exists() and wal.stat().st_mtime_ns > before):
                assert time.monotonic() < give_up, "it does not begin to work"
                time.sleep(0.005)
            time.sleep(chance.random() * 0.25)
            child.send_signal(signal.SIGKILL)
        if child.wait(timeout=60) == 0:
            break
        assert child.returncode == -signal.SIGKILL, f"attempt {attempt}"
        killed += 1
    assert killed >= 2

    store = Store(tmp_path / "practice.db", VirtualClock(AT), SENDER)
    sheets = store.sheets()
    assert len(sheets) == count
    assert {row.state for row in sheets} == {SheetState.ACCEPTED}
    numbers = [line["number"] for line in notes(tmp_path / "numbers.log")]
    assert len(set(numbers)) == len(numbers)
    seen: dict[str, set[bytes]] = {}
    for line in notes(tmp_path / "received.log"):
        seen.setdefault(line["name"], set()).add(bytes.fromhex(line["data"]))
    carried = [invoice_number(one) for (data,) in seen.values() for lot in open_file(data) for one in lot.invoices]
    assert sorted(carried) == [row.number for row in sheets]
    store.close()
