"""What one sheet costs the practice's store while it grows from 100 to 100,000: kept, listed, moved on.

One table, printed, with a bare insert of as many bytes into SQLite under the same promise in the same run. Only growth
of what does not depend on the disk is asserted. An ordinary run stops at 10,000;
``BIFENTE_STORE_SHEETS=100000 ./run bench tests/benchmarks/test_fse_store.py`` goes all the way.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.fse.numbers import Sequence
from bifente.simulator.software.billing.store import Store, work_list
from bifente.simulator.tarification.deadlines import Deadlines

MOST = int(os.environ.get("BIFENTE_STORE_SHEETS", "10000"))
SIZES = [size for size in (100, 1_000, 10_000, 100_000) if size <= MOST]
SAMPLE = 100
CONTENT, SECURED = bytes(600), bytes(4_400)
DAY = date(2026, 3, 2)
FLAT = 3
"""A sheet in the largest store costs at most so many times what it costs in the smallest one: the tree is deeper."""


class Growing:
    """A store whose sheets are closed but for those of today, as in a practice.

    ``now`` measures it: the wall's clock where it waits for the disk, else the processor's, for others are at work too.
    """

    def __init__(
        self,
        path: Path,
        factory: type[sqlite3.Connection] = sqlite3.Connection,
        now: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.now = now
        clock = VirtualClock(datetime(2026, 3, 2, 9, tzinfo=UTC))
        self.store = Store(path, clock, "991000019", factory=factory)
        self.count = 0

    def insert(self) -> None:
        self.count = self.store.next_number(Sequence.SHEET)
        self.store.add_sheet(self.count, CONTENT, DAY, "013490349", third_party=False, amo=2100, amc=0, proof=False)

    def secure(self) -> None:
        self.store.secure_sheet(self.count, SECURED)

    def grow(self, size: int) -> None:
        """Fill up at once; what is filled in is closed."""
        with self.store.transaction():
            while self.count < size:
                self.insert()
                self.secure()
            self.store._db.run("UPDATE sheets SET state = 'accepted', closed = ? WHERE closed IS NULL", DAY.isoformat())

    def open_some(self, count: int) -> None:
        with self.store.transaction():
            for _ in range(count):
                self.insert()


def timed(work: Callable[[], object], count: int = SAMPLE, now: Callable[[], float] = time.perf_counter) -> float:
    """The median of some runs, in seconds."""
    seconds = []
    for _ in range(count):
        start = now()
        work()
        seconds.append(now() - start)
    return median(seconds)


def bare(path: Path) -> float:
    """The least that keeps so many bytes for good."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE sheets (number INTEGER PRIMARY KEY, content BLOB)")

    def insert() -> None:
        connection.execute("INSERT INTO sheets (content) VALUES (?)", (CONTENT,))

    took = timed(insert)
    connection.close()
    return took


class SwiftConnection(sqlite3.Connection):
    """Does not wait for the disk: what is left is our own time and that of SQLite, the same on a busy machine."""

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return super().execute(statement.replace("synchronous = FULL", "synchronous = OFF"), *values)


@dataclass
class Row:
    insert: float
    move: float
    line: float


def measured(growing: Growing, size: int) -> Row:
    """What a sheet costs in a store of this size."""
    growing.grow(size)
    inserts, moves = [], []
    for _ in range(SAMPLE):
        inserts.append(timed(growing.insert, 1, growing.now))
        moves.append(timed(growing.secure, 1, growing.now))
    deadlines = Deadlines()
    assert len(work_list(growing.store, deadlines)) == SAMPLE
    line = timed(lambda: work_list(growing.store, deadlines), 10, growing.now) / SAMPLE
    growing.grow(growing.count)
    return Row(median(inserts), median(moves), line)


def test_growth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = Growing(tmp_path / "kept.db")
    swift = Growing(tmp_path / "swift.db", SwiftConnection, time.thread_time)
    rows: dict[int, tuple[Row, Row, float]] = {}
    for size in SIZES:
        rows[size] = measured(swift, size), measured(kept, size), bare(tmp_path / f"bare{size}.db")
    with capsys.disabled():
        print("\n  microseconds a sheet      number+insert       state change    work list line   bare insert")
        print("                           (with the disk)     (with the disk)                   (with the disk)")
        for size, (ours, whole, least) in rows.items():
            print(
                f"  {size:>7,} in the store   {ours.insert * 1e6:5.0f} {whole.insert * 1e6:8.0f}"
                f"   {ours.move * 1e6:8.0f} {whole.move * 1e6:8.0f}   {ours.line * 1e6:14.1f}   {least * 1e6:12.0f}"
            )
    smallest, largest = rows[SIZES[0]][0], rows[SIZES[-1]][0]
    assert largest.insert < FLAT * smallest.insert
    assert largest.move < FLAT * smallest.move
    assert largest.line < FLAT * smallest.line


def test_the_list_of_a_practice_that_lets_everything_lie(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    growing = Growing(tmp_path / "practice.db", SwiftConnection, time.thread_time)
    lines = {}
    for size in (100, min(MOST, 10_000)):
        growing.open_some(size - growing.count)
        lines[size] = timed(lambda: work_list(growing.store, Deadlines()), 3, growing.now) / size
    with capsys.disabled():
        told = ", ".join(f"{line * 1e6:.1f} of {size:,}" for size, line in lines.items())
        print(f"\n  microseconds a line of a work list: {told}")
    assert max(lines.values()) < FLAT * lines[100]
