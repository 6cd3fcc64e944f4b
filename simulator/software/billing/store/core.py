"""What every part of a store stands on: its file, its day, its history."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

from bifente.ground.clock import Clock
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.numbers import Sequence as Numbers
from bifente.simulator.software.billing.store.database import Database
from bifente.simulator.tarification.deadlines import civil_day


class Core:
    """The store of one ``sender`` (AM number, 9 digits) in the file at ``path``, made if it is not there.

    Without ``path`` it is kept in memory. ``factory`` makes the connection. Raises FseError for a file that is no
    store, or the store of another sender.
    """

    def __init__(
        self, path: Path | None, clock: Clock, sender: str, *, factory: type[sqlite3.Connection] = sqlite3.Connection
    ) -> None:
        self.sender = sender
        self._clock = clock
        self._db = Database(path, factory)
        with self._db.transaction():
            self._db.run("INSERT OR IGNORE INTO practice VALUES (1, ?)", sender)
            for sequence in Numbers:
                self._db.run("INSERT OR IGNORE INTO counters VALUES (?, 0)", sequence.value)
        owner = self._db.value("SELECT sender FROM practice")
        if owner != sender:
            self.close()
            raise FseError(str(path), f"it is the store of sender {owner}", f"open another one for {sender}")

    def close(self) -> None:
        """Let the file go."""
        self._db.close()

    def transaction(self) -> AbstractContextManager[None]:
        """Several changes that happen together or not at all."""
        return self._db.transaction()

    def today(self) -> date:
        """The day in France."""
        return civil_day(self._clock.now())

    def history(self, subject: str | None = None) -> Iterator[tuple[str, str, str, str]]:
        """What happened, to all or to one subject (``sheet 12``, ``file ...``): moment, subject, what, detail."""
        if subject is None:
            rows = self._db.rows("SELECT at, subject, what, detail FROM events ORDER BY id")
        else:
            rows = self._db.rows("SELECT at, subject, what, detail FROM events WHERE subject = ? ORDER BY id", subject)
        return ((row["at"], row["subject"], row["what"], row["detail"]) for row in rows)

    def _tell(self, subject: str, what: str, detail: str = "") -> None:
        at = self._clock.now().isoformat(timespec="milliseconds")
        self._db.run("INSERT INTO events (at, subject, what, detail) VALUES (?, ?, ?, ?)", at, subject, what, detail)
