"""The tables, by version: a store of an older version is brought up to date when it is opened."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable

from bifente.simulator.formats.fse.errors import FseError

APPLICATION_ID = 0x42494645
"""Says in the header of the file that it is a store of this bench."""

_FIRST = """
CREATE TABLE practice (id INTEGER PRIMARY KEY CHECK (id = 1), sender TEXT NOT NULL) STRICT;

-- The next rank of each sequence: what is below has been given out, used or not, and is never given again.
CREATE TABLE counters (sequence TEXT PRIMARY KEY, next INTEGER NOT NULL CHECK (next >= 0)) STRICT, WITHOUT ROWID;
CREATE TRIGGER counters_only_grow BEFORE UPDATE ON counters WHEN new.next < old.next
BEGIN SELECT RAISE(ABORT, 'a number would be given twice'); END;
CREATE TRIGGER counters_stay BEFORE DELETE ON counters
BEGIN SELECT RAISE(ABORT, 'numbers would be given twice'); END;

CREATE TABLE files (
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
CREATE INDEX files_ready ON files (rank) WHERE state = 'ready';
CREATE INDEX files_sent ON files (rank) WHERE state = 'sent';

CREATE TABLE lots (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('fse', 'dre')),
  rank INTEGER NOT NULL,
  number TEXT NOT NULL,
  body TEXT NOT NULL,
  made TEXT NOT NULL,
  data BLOB,
  signed INTEGER NOT NULL DEFAULT 0,
  file INTEGER REFERENCES files (rank),
  state TEXT NOT NULL CHECK (state IN ('open', 'accepted', 'rejected', 'given-up')),
  UNIQUE (kind, rank),
  UNIQUE (kind, number, made)
) STRICT;
CREATE INDEX lots_without_file ON lots (id) WHERE file IS NULL;
CREATE INDEX lots_of_file ON lots (file);

CREATE TABLE sheets (
  number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 999999999),
  generation INTEGER NOT NULL DEFAULT 1,
  state TEXT NOT NULL,
  made TEXT NOT NULL,
  third_party INTEGER NOT NULL,
  amo INTEGER NOT NULL,
  amc INTEGER NOT NULL,
  body TEXT NOT NULL,
  content BLOB,
  secured BLOB,
  lot INTEGER REFERENCES lots (id),
  since TEXT NOT NULL,
  retry_since TEXT,
  reason TEXT NOT NULL DEFAULT '',
  proof TEXT NOT NULL DEFAULT '' CHECK (proof IN ('', 'due', 'failed', 'sent')),
  proof_since TEXT,
  closed TEXT,
  purged TEXT
) STRICT;
CREATE INDEX sheets_open ON sheets (number) WHERE closed IS NULL;
CREATE INDEX sheets_to_send ON sheets (number) WHERE state = 'validated' AND lot IS NULL;
CREATE INDEX sheets_kept ON sheets (closed) WHERE purged IS NULL;

CREATE TABLE claims (
  number INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 999999999),
  sheet INTEGER NOT NULL REFERENCES sheets (number),
  state TEXT NOT NULL,
  amc TEXT NOT NULL,
  asked INTEGER NOT NULL,
  cancels INTEGER UNIQUE REFERENCES claims (number),
  data BLOB,
  made TEXT NOT NULL,
  lot INTEGER REFERENCES lots (id),
  since TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  closed TEXT
) STRICT;
CREATE INDEX claims_of_sheet ON claims (sheet);
CREATE INDEX claims_open ON claims (number) WHERE closed IS NULL;
CREATE INDEX claims_to_send ON claims (number) WHERE state = 'validated' AND lot IS NULL;

-- What each lot carried, also once a sheet has gone out again in another.
CREATE TABLE members (
  lot INTEGER NOT NULL REFERENCES lots (id),
  number INTEGER NOT NULL,
  generation INTEGER NOT NULL,
  PRIMARY KEY (lot, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_by_number ON members (number);

CREATE TABLE returns (
  id INTEGER PRIMARY KEY,
  received TEXT NOT NULL,
  data BLOB NOT NULL,
  digest BLOB NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('new', 'applied', 'again', 'refused', 'examined')),
  body TEXT,
  return_id TEXT,
  reason TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE UNIQUE INDEX returns_applied ON returns (body, return_id) WHERE state = 'applied';
CREATE INDEX returns_new ON returns (id) WHERE state = 'new';
CREATE INDEX returns_refused ON returns (id) WHERE state = 'refused';

CREATE TABLE payments (
  id INTEGER PRIMARY KEY,
  sheet INTEGER NOT NULL REFERENCES sheets (number),
  generation INTEGER NOT NULL,
  payer TEXT NOT NULL,
  outcome TEXT NOT NULL,
  asked INTEGER NOT NULL,
  paid INTEGER NOT NULL,
  code TEXT NOT NULL,
  label TEXT NOT NULL,
  return_id INTEGER NOT NULL REFERENCES returns (id)
) STRICT;
CREATE INDEX payments_of_sheet ON payments (sheet);

-- The history: what happened, in its order. It is only added to.
CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  subject TEXT NOT NULL,
  what TEXT NOT NULL,
  detail TEXT NOT NULL
) STRICT;
CREATE INDEX events_of_subject ON events (subject);
CREATE TRIGGER events_stay BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'the history stays'); END;
CREATE TRIGGER events_do_not_change BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'the history stays'); END;
"""

_SECOND = """
-- What earlier contents of a rectified sheet asked, and of whom: a late return may still speak of them.
CREATE TABLE former (
  sheet INTEGER NOT NULL REFERENCES sheets (number),
  generation INTEGER NOT NULL,
  body TEXT NOT NULL,
  amo INTEGER NOT NULL,
  amc INTEGER NOT NULL,
  PRIMARY KEY (sheet, generation)
) STRICT, WITHOUT ROWID;
-- The day on which somebody looked at a payment in part.
ALTER TABLE payments ADD COLUMN examined TEXT;
"""


def _digests(connection: sqlite3.Connection) -> None:
    """``files.sha256``: of the bytes, in hexadecimal as an ARL tells it; it stays when they are purged.

    Stores of version 1 were made with this column and without. Raises FseError where the bytes are gone already.
    """
    if any(name == "sha256" for _, name, *_ in connection.execute("PRAGMA table_info(files)")):
        return
    connection.execute("ALTER TABLE files ADD COLUMN sha256 TEXT NOT NULL DEFAULT ''")
    for rank, name, data in connection.execute("SELECT rank, name, data FROM files").fetchall():
        if data is None:
            raise FseError(
                f"file {name}",
                "this store is of version 1 of the tables and has purged it: its SHA-256 cannot be had any more",
                "finish this store with the version of the bench that wrote it, and begin another one",
            )
        connection.execute("UPDATE files SET sha256 = ? WHERE rank = ?", (hashlib.sha256(data).hexdigest(), rank))


MIGRATIONS: tuple[tuple[str | Callable[[sqlite3.Connection], None], ...], ...] = ((_FIRST,), (_digests, _SECOND))
"""What leads from version n to version n + 1: scripts and what SQL alone cannot do, in their order."""
