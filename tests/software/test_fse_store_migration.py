"""A store of version 1 of the tables, as it was written without the SHA-256 of its files and with it."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest
from store_bench import SENDER, Desk, practice

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.software.billing.store import Store

WITHOUT_SHA256 = """
CREATE TABLE files_before (
  rank INTEGER PRIMARY KEY,
  number TEXT NOT NULL,
  name TEXT NOT NULL UNIQUE,
  body TEXT NOT NULL,
  made TEXT NOT NULL,
  data BLOB,
  state TEXT NOT NULL CHECK (state IN ('ready', 'sent', 'answered', 'given-up')),
  first_sent TEXT,
  last_sent TEXT,
  sendings INTEGER NOT NULL DEFAULT 0,
  refused TEXT,
  refusal TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO files_before
  SELECT rank, number, name, body, made, data, state, first_sent, last_sent, sendings, refused, refusal FROM files;
DROP TABLE files;
ALTER TABLE files_before RENAME TO files;
CREATE INDEX files_ready ON files (rank) WHERE state = 'ready';
CREATE INDEX files_sent ON files (rank) WHERE state = 'sent';
"""
BEFORE = """
DROP TABLE former;
ALTER TABLE payments DROP COLUMN examined;
PRAGMA user_version = 1;
"""


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A practice with files of which the body has not said anything yet."""
    made = Desk(tmp_path)
    made.transport.keeps_returns = True
    made.ready(3)
    made.practice.send()
    made.store.close()
    return made


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def edited(path: Path, *scripts: str) -> None:
    connection = sqlite3.connect(path)
    for script in scripts:
        connection.executescript(script)
    connection.close()


@pytest.mark.parametrize("scripts", [(WITHOUT_SHA256, BEFORE), (BEFORE,)], ids=["without", "with"])
def test_it_goes_on_where_it_was(desk: Desk, tmp_path: Path, scripts: tuple[str, ...]) -> None:
    path = tmp_path / "practice.db"
    edited(path, *scripts)
    store = Store(path, desk.clock, SENDER)
    assert store._db.value("PRAGMA user_version") == 2
    assert {row["name"]: row["sha256"] for row in store._db.rows("SELECT name, sha256 FROM files")} == {
        file.name: digest(file.data) for file in desk.transport.sent
    }
    desk.store, desk.practice = store, practice(store, desk.transport)
    desk.transport.keeps_returns = False
    for file in desk.transport.sent:
        desk.transport.inbox += desk.body.receive(file.data, file.name)
    desk.practice.receive()
    assert set(desk.states().values()) == {"accepted"}
    desk.pay()
    assert desk.states() == {1: "accepted", 2: "accepted", 3: "paid"}
    store.close()


def test_it_is_refused_where_the_bytes_are_gone(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "practice.db"
    edited(path, WITHOUT_SHA256, BEFORE, "UPDATE files SET data = NULL WHERE rank = 1;")
    for _ in range(2):  # nothing of it was changed the first time
        with pytest.raises(FseError, match="of version 1 of the tables and has purged it") as caught:
            Store(path, desk.clock, SENDER)
        assert caught.value.cure
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    assert "sha256" not in [row[1] for row in connection.execute("PRAGMA table_info(files)")]
    connection.close()


def test_one_that_kept_what_was_purged_is_not_refused(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "practice.db"
    edited(path, BEFORE, "UPDATE files SET data = NULL WHERE rank = 1;")
    store = Store(path, desk.clock, SENDER)
    assert store._db.value("SELECT sha256 FROM files WHERE rank = 1") == digest(desk.transport.sent[1].data)
    store.close()


def test_a_new_store_has_the_version_of_today(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.store._db.value("PRAGMA user_version") == 2
    desk.store.close()
