"""Numbers: their forms, their ends, their rounds; none is given twice."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from securing_bench import AT
from store_bench import SENDER, Desk

from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.numbers import Sequence
from bifente.simulator.software.billing.store import Store


def test_each_sequence_counts_for_itself(tmp_path: Path) -> None:
    store = Desk(tmp_path).store
    assert [store.next_number(Sequence.SHEET) for _ in range(3)] == [1, 2, 3]
    assert store.next_number(Sequence.CLAIM) == 1
    assert [store.reserve(Sequence.FILE) for _ in range(2)] == [0, 1]


def test_a_number_outlives_the_process(tmp_path: Path) -> None:
    clock = VirtualClock(AT)
    store = Store(tmp_path / "a.db", clock, SENDER)
    assert store.next_number(Sequence.SHEET) == 1
    store.close()
    store = Store(tmp_path / "a.db", clock, SENDER)
    assert store.next_number(Sequence.SHEET) == 2


def test_what_a_failed_transaction_reserved_is_given_again_with_it(tmp_path: Path) -> None:
    store = Desk(tmp_path).store

    def interrupted() -> None:
        with store.transaction():
            assert store.reserve(Sequence.LOT_FSE) == 0
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert store.reserve(Sequence.LOT_FSE) == 0  # nobody has seen it: no hole for the body to stumble on


def test_two_programs_on_one_store(tmp_path: Path) -> None:
    given: list[int] = []

    def take() -> None:
        store = Store(tmp_path / "a.db", VirtualClock(AT), SENDER)
        given.extend(store.next_number(Sequence.SHEET) for _ in range(40))
        store.close()

    Store(tmp_path / "a.db", VirtualClock(AT), SENDER).close()
    threads = [threading.Thread(target=take) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == list(range(1, 121))


def far(desk: Desk, sequence: Sequence, rank: int) -> None:
    """As if so many numbers had been used."""
    desk.store._db.run("UPDATE counters SET next = ? WHERE sequence = ?", rank, sequence.value)


def test_a_lot_number_comes_back_when_its_bearer_is_over(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ready()
    desk.practice.send()
    far(desk, Sequence.LOT_FSE, 1000)
    with pytest.raises(FseError, match="waits for its ARL"):
        desk.store.reserve(Sequence.LOT_FSE)
    desk.practice.receive()
    with pytest.raises(FseError, match="given today already"):
        desk.store.reserve(Sequence.LOT_FSE)
    desk.days(1)
    assert desk.store.reserve(Sequence.LOT_FSE) == 1000
    assert desk.store.reserve(Sequence.LOT_FSE) == 1001  # nobody had that form


def test_a_file_number_comes_back_when_its_bearer_is_over(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.ready()
    desk.practice.send()
    far(desk, Sequence.FILE, 1000)
    with pytest.raises(FseError, match="waits for its ARL"):
        desk.store.reserve(Sequence.FILE)
    desk.practice.receive()
    desk.days(1)
    desk.ready()
    (name,) = desk.practice.send().sent
    assert "-20260304-000." in name


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE counters SET next = next - 1 WHERE sequence = 'sheet'",
        "DELETE FROM counters",
        "DELETE FROM events",
        "UPDATE events SET detail = ''",
    ],
)
def test_the_file_itself_refuses_to_forget(tmp_path: Path, statement: str) -> None:
    desk = Desk(tmp_path)
    desk.add()
    other = sqlite3.connect(tmp_path / "practice.db")
    with pytest.raises(sqlite3.IntegrityError, match=r"twice|history"):
        other.execute(statement)
    other.close()
