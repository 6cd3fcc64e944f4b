"""The process stops anywhere in a day: no sheet is lost, none is sent twice, no number is given twice.

``BIFENTE_CRASH_POINTS=2000 pytest tests/fse/test_fse_crash.py`` cuts days of 500 sheets so many times.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

import pytest
from crash_day import evening, morning, prepare
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

from simulator.clock import VirtualClock
from simulator.fse.files import open_file
from simulator.fse.lots import invoice_number
from simulator.fse.model import State
from simulator.fse.store import Store

POINTS = int(os.environ.get("BIFENTE_CRASH_POINTS", "20"))
HERE = Path(__file__).resolve().parent


@pytest.fixture(autouse=True)
def _whole_fuse() -> Iterator[None]:
    FUSE.disarm()
    yield
    FUSE.disarm()


class Day:
    """A day of ``count`` sheets under power cuts; the body stays up, its mail too."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count
        self.boots = 0
        self.clock = VirtualClock(AT)
        self.body = Body(self.clock)
        self.transport = DirectTransport(self.body)
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
            desk = practice(store, CutTransport(self.transport))
            half = self.count // 2
            if len(store.sheets()) < half:
                morning(desk, half, sheet, secured, self.numbers.append)
            evening(desk)
            morning(desk, self.count, sheet, secured, self.numbers.append)
            evening(desk)
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

    def check(self) -> None:
        """Nothing lost, nothing twice."""
        store = Store(self.path, self.clock, SENDER)
        sheets = store.sheets()
        assert len(sheets) == self.count
        assert {row.state for row in sheets} == {State.ACCEPTED}
        assert [number for number, times in Counter(self.numbers).items() if times > 1] == []
        assert {row.number for row in sheets} <= set(self.numbers)
        assert self.body.carried() == sorted(row.number for row in sheets)
        lots = self.body.lots()
        assert len(set(lots)) == len(lots)
        # No number of a lot was lost either: the body sees a sequence without holes.
        assert sorted(number for _, number in lots) == [f"{rank:03}" for rank in range(len(lots))]
        positive = {answer.kind.value for answer in self.body.frontal.returns()}
        assert positive == {"positive"}
        assert store.returns("refused") == ()
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


def test_killed_for_real(tmp_path: Path) -> None:
    count, kills = 60, 4
    prepare(tmp_path, count)
    chance, killed = Random(7), 0
    environment = {**os.environ, "PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parents[1]}"}
    for attempt in range(40):
        child = subprocess.Popen(
            [sys.executable, str(HERE / "crash_day.py"), str(tmp_path), str(count)], env=environment
        )
        ledger = tmp_path / "practice.db"
        if killed < kills:
            # Not before it works: a process that is killed while it imports proves nothing.
            before = ledger.stat().st_mtime_ns if ledger.exists() else 0
            wal = tmp_path / "practice.db-wal"
            while child.poll() is None and not (wal.exists() and wal.stat().st_mtime_ns > before):
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
    assert {row.state for row in sheets} == {State.ACCEPTED}
    numbers = [int(line) for line in (tmp_path / "numbers.log").read_text().split()]
    assert len(set(numbers)) == len(numbers)
    seen: dict[str, set[bytes]] = {}
    with (tmp_path / "received.log").open("rb") as log:
        while True:
            try:
                name, data = pickle.load(log)  # noqa: S301 - ours
            except (EOFError, pickle.UnpicklingError):
                break
            seen.setdefault(name, set()).add(data)
    carried = [invoice_number(one) for (data,) in seen.values() for lot in open_file(data) for one in lot.invoices]
    assert sorted(carried) == [row.number for row in sheets]
    store.close()
