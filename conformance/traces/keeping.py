"""A trace as it is kept: one journal of the bench, masked before anything is written, and looked through afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bifente.conformance.loading import InputError
from bifente.conformance.run import environment
from bifente.conformance.run.telling import event_of
from bifente.conformance.traces import digits
from bifente.conformance.traces.hiding import Hiding
from bifente.conformance.traces.seen import BEGINNING, Seen, SeenApdu, SeenAtr, SeenOddity
from bifente.conformance.traces.sources.journal import RESET
from bifente.conformance.traces.sources.known import file_of, source_of
from bifente.ground.clock import Clock
from bifente.ground.text import Lang, Text
from bifente.reports.events import Call, Exchange, Level, Note, RunFinished, RunStarted
from bifente.reports.journal import JournalReader, Recorder
from bifente.reports.secrets import Secrets
from bifente.simulator.cards.dialogue import Exchanged

_MOST_ODDITIES = 20
"""Oddities told one by one; the rest are counted."""

TARGET = "trace/"
"""How the target of a kept trace begins; the kind of log follows."""


@dataclass(slots=True)
class KeptTrace:
    """What came of keeping a trace: counts, what was odd, and whether what was masked was looked for and not found."""

    exchanges: int = 0
    unanswered: int = 0
    oddities: list[SeenOddity] = field(default_factory=list)
    odd: int = 0
    codes: int = 0
    names: int = 0
    searched: int = 0
    full: bool = False


class TraceWriter:
    """Writes what is seen of a session to one file. A context manager.

    Raise JournalPlaceError where a file is already, JournalError when it cannot be written.
    """

    def __init__(
        self, path: Path, kind: str, *, clock: Clock, lang: Lang = "fr", names: Iterable[str] = (), live: bool = False
    ) -> None:
        self.secrets = Secrets(nir=True, names=names)
        self.hiding = Hiding(self.secrets)
        self.kept = KeptTrace()
        self._at = clock.now() if live else BEGINNING
        self._atrs: dict[str | None, str] = {}
        self._recorder = Recorder(path, now=lambda: self._at, secrets=self.secrets)
        self._path = path
        # The place and the name of the log stay out of it: they may name the customer.
        self._recorder.emit(
            RunStarted(
                run_id=environment.run_id(clock, "trace"),
                tool=environment.tool(),
                command=("bifente", "trace"),
                target=f"{TARGET}{kind}",
                seed=0,
                lang=lang,
            )
        )

    def __enter__(self) -> TraceWriter:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def see(self, seen: Seen) -> None:
        """Take what a source tells, and write what can be told."""
        match seen:
            case SeenApdu():
                for told in self.hiding.take(seen):
                    self._tell(told)
            case SeenAtr():
                self._reset(seen)
            case SeenOddity():
                self.kept.odd += 1
                if len(self.kept.oddities) < _MOST_ODDITIES:
                    self.kept.oddities.append(seen)
                    place = f"{seen.place} : {seen.what.fr}", f"{seen.place}: {seen.what.en}"
                    self._recorder.emit(Note(level=Level.WARNING, text=Text(*place)))

    def close(self) -> None:
        """Write what was held, and the end."""
        for told in self.hiding.rest():
            self._tell(told)
        self._recorder.emit(RunFinished())
        self._recorder.close()
        self.kept.codes, self.kept.names = self.hiding.codes, len(self.hiding.names)
        self.kept.full = self.hiding.full

    def _reset(self, seen: SeenAtr) -> None:
        if self._atrs.get(seen.slot) == seen.atr or len(self._atrs) > 64:
            return
        self._atrs[seen.slot] = seen.atr
        self._at = seen.at
        self._recorder.emit(
            Call(slot=self.hiding.name(seen.slot), function=RESET, result="SCARD_S_SUCCESS", answer={"atr": seen.atr})
        )

    def _tell(self, seen: SeenApdu) -> None:
        self._at = seen.at
        self.kept.exchanges += 1
        self.kept.unanswered += not seen.response
        self._recorder.emit(exchange(seen, self.secrets, self.hiding.name(seen.slot)))


def exchange(seen: SeenApdu, secrets: Secrets, slot: str | None) -> Exchange:
    """Return the event of an exchange, in words too; what is masked of it is not looked at."""
    plain = Exchanged(digits.filled(seen.command, 0), digits.filled(seen.response, 0), seen.duration_us / 1_000_000)
    told = event_of(plain, secrets, slot=slot, client=seen.client)
    assert isinstance(told, Exchange)  # noqa: S101 - of an exchange
    return Exchange(
        slot=told.slot,
        client=told.client,
        command=seen.command,
        response=seen.response,
        command_text=told.command_text,
        response_text=told.response_text,
        sw=told.sw,
        duration_us=told.duration_us,
    )


def import_trace(
    log: Path,
    kept: Path,
    *,
    clock: Clock,
    kind: str | None = None,
    lang: Lang = "fr",
    names: Sequence[str] = (),
    codes: Sequence[str | bytes] = (),
) -> KeptTrace:
    """Return what came of a log, kept masked in a new file that holds none of what was masked.

    ``names`` and ``codes`` are masked wherever they are. Raise InputError for a file that is no log, or of which
    nothing can be read; nothing is then left in its place.
    """
    log = file_of(log)
    source = source_of(log, kind)
    known = tuple(names)
    # A name met at the end may stand, in another form, at the beginning: then all is written again, knowing it.
    for _ in range(_ROUNDS):
        half = kept.with_name(f".{kept.name}.half")
        half.unlink(missing_ok=True)
        try:
            with TraceWriter(half, source.name, clock=clock, lang=lang, names=known) as writer:
                writer.secrets.declare(*codes)
                for seen in source.read(log):
                    writer.see(seen)
            if not writer.kept.exchanges:
                raise _nothing(log, source.name, writer.kept)
            left = still_there(half, writer.secrets)
            if left is None:
                os.link(half, kept)
                writer.kept.searched = len(writer.secrets.declared) + len({*known, *writer.hiding.names})
                return writer.kept
            known, codes = (*names, *writer.hiding.names), writer.secrets.declared
        finally:
            half.unlink(missing_ok=True)
    raise InputError.at(str(log), "what was masked is still found in what would be kept", cure="please report this log")


_ROUNDS = 3


def still_there(path: Path, secrets: Secrets) -> int | None:
    """Return the first line of a kept trace in which one of the secrets is found; None where there is none."""
    for event, place in JournalReader(path):
        if isinstance(event, Exchange):
            texts = [event.slot or "", event.client or "", event.command_text.fr, event.response_text.fr]
            masked = secrets.raw(event.command) != event.command or secrets.raw(event.response) != event.response
        else:
            texts, masked = [event.text.fr] if isinstance(event, Note) else [], False
            if isinstance(event, Call):
                texts = [event.slot or "", *event.answer.values()]
        if masked or any(secrets.text(text) != text for text in texts):
            return place.line
    return None


def _nothing(log: Path, kind: str, kept: KeptTrace) -> InputError:
    if kept.oddities:
        first = kept.oddities[0]
        return InputError.at(
            str(log), f"no exchange can be read; first, at {first.place}: {first.what.en}", cure=_CURES.get(kind, "")
        )
    return InputError.at(str(log), "no exchange with a card", cure=_CURES.get(kind, _ANY_CURE))


_ANY_CURE = "repeat the failing act while the log is on, then import it"
_CURES = {
    "pcscd": "start pcscd with --apdu: without it the log has no command",
    "opensc": "set OPENSC_DEBUG=9: below, the log has no command",
    "cryptolib": "set Debug to 10 (0Ah) beside Traces: below, the log has no command",
}


def begun(at: datetime) -> bool:
    """Whether a time is one of a calendar, and not of a log that gave no day."""
    return at.year > BEGINNING.year
