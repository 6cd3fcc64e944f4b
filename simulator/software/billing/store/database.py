"""The one file of a store, opened so that what was committed stays, and its transactions.

Journal WAL with ``synchronous=FULL``: each commit waits until the log is on the disk. With NORMAL the last commits may
be gone after a power cut, and a number that is already on a signed sheet would be given again; in the older DELETE mode
FULL is not enough either (the removal of the journal may be undone: EXTRA is needed, at more syncs a commit). On macOS
only ``fullfsync`` reaches the disk. A WAL needs a file system of this machine, not of the network.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.software.billing.store.schema import APPLICATION_ID, MIGRATIONS

_MEMORY = ":memory:"
_PATIENCE = 10.0
"""Seconds that a writer waits for another one."""


class Database:
    """A store's file, made if it is not there; without ``path`` all is kept in memory.

    Raises FseError for a file that is something else, or newer than us.
    """

    def __init__(self, path: Path | None, factory: type[sqlite3.Connection] = sqlite3.Connection) -> None:
        self._path = path
        self._connection = sqlite3.connect(path or _MEMORY, timeout=_PATIENCE, isolation_level=None, factory=factory)
        self._connection.row_factory = sqlite3.Row
        try:
            if path is None:
                self._connection.deserialize(_empty())
            self._prepare()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise FseError(str(path), f"it is no store: {error}", "name another file, or restore a copy") from error
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Put the log into the file and let it go."""
        self._connection.close()

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing, alone to write from its start: numbers are read and moved on under the same lock."""
        return _transaction(self._connection)

    def run(self, statement: str, *values: object) -> int:
        """Change something, and tell how many rows were."""
        return self._connection.execute(statement, values).rowcount

    def rows(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """The rows that a question has for an answer."""
        return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: object) -> sqlite3.Row | None:
        """The first row of an answer."""
        found: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
        return found

    def value(self, statement: str, *values: object) -> Any:
        """The first value of an answer, None if there is none."""
        found = self.row(statement, *values)
        return None if found is None else found[0]

    def _prepare(self) -> None:
        version = self.value("PRAGMA user_version")
        mark = self.value("PRAGMA application_id")
        empty = self.value("SELECT count(*) FROM sqlite_master") == 0
        if not empty and mark != APPLICATION_ID:
            raise FseError(str(self._path), "it is a database, but no store of the bench", "name another file")
        if version > len(MIGRATIONS):
            raise FseError(
                str(self._path),
                f"it has version {version} of the tables, known up to {len(MIGRATIONS)}",
                "use the version of the bench that wrote it, or a newer one",
            )
        self.run("PRAGMA journal_mode = WAL")
        self.run("PRAGMA synchronous = FULL")
        self.run("PRAGMA fullfsync = ON")
        self.run("PRAGMA foreign_keys = ON")
        _migrate(self._connection, version)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _migrate(connection: sqlite3.Connection, version: int) -> None:
    """Bring a store from a version of its tables to the last one."""
    for number, parts in enumerate(MIGRATIONS[version:], version + 1):
        with _transaction(connection):
            if connection.execute("PRAGMA user_version").fetchone()[0] >= number:
                continue  # another process did it meanwhile
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            for part in parts:
                if isinstance(part, str):
                    for statement in _statements(part):
                        connection.execute(statement)
                else:
                    part(connection)
            connection.execute(f"PRAGMA user_version = {number}")


@cache
def _empty() -> bytes:
    """A store with its tables and nothing in them: making those anew costs more than all that a day writes."""
    with closing(sqlite3.connect(_MEMORY, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        _migrate(connection, 0)
        return connection.serialize()


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: ``executescript`` would commit before it starts."""
    part = ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            yield part
            part = ""
