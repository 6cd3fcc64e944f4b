"""A record verified, from its folder or its journal alone: read once, nothing of it trusted, nothing of it kept."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bifente.ground.files import open_file
from bifente.ground.french import in_both
from bifente.ground.text import Text
from bifente.reports.events import EventError, Exchange, RunFinished, RunStarted, Tool, parse_event
from bifente.reports.journal import LINE_LIMIT, JournalError, JournalReader
from bifente.reports.model import Run
from bifente.reports.render import Format
from bifente.reports.verifying.beside import check_reports, forms_beside
from bifente.reports.verifying.bounded import BoundedFold
from bifente.reports.verifying.checks import CheckedPart, Counterexample, Verification, VerifiedCheck, fails
from bifente.reports.verifying.clear import unclear
from bifente.reports.verifying.following import VerdictsFollow
from bifente.reports.verifying.order import RunOrder
from bifente.reports.verifying.sources import check_inputs

_PIECE = 1 << 20
_MOST_SAID = 200
"""Characters of an error that are put into French: it may quote what somebody wrote to hold us up."""


def verify(
    journal: Path,
    *,
    known: Mapping[str, Format],
    ours: Tool,
    here: Path,
    bench: Path,
    digest: str | None = None,
    inputs_needed: bool = False,
) -> Verification:
    """Return what came of every check of the record whose journal is at `journal`.

    `known` are the forms of report there are, `ours` the bench that verifies; inputs are looked for in `here` and
    `bench`. `digest` is the SHA-256 that the journal had, where somebody kept it. Raise `JournalError` for a file that
    cannot be read, or whose first line is no event: that is no record at all.
    """
    found, there = sha256_of(journal), forms_beside(journal, known)
    reading = _Reading(journal)
    if not there:
        reading.fold.give_up()
    reading.read()
    assert reading.start is not None  # noqa: S101 - its absence was raised
    return Verification(
        sha256=found,
        start=reading.start,
        checks=(
            *_check_digest(found, digest),
            reading.check(),
            *reading.checks(),
            *check_reports(journal, there, reading.run(), ours),
            check_inputs(reading.start, here=here, bench=bench, needed=inputs_needed),
        ),
    )


def sha256_of(journal: Path) -> str:
    """Return the SHA-256 of a journal. Raise `JournalError` where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open_file(journal) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError as error:
        raise JournalError(journal, f"cannot read the journal: {error.strerror}") from error
    return digest.hexdigest()


def _check_digest(found: str, given: str | None) -> Iterator[VerifiedCheck]:
    part = CheckedPart.DIGEST
    if given is None:
        why = Text("à comparer à celle que vous gardez (--sha256)", "to be compared with one that you keep (--sha256)")
        yield VerifiedCheck(part=part, holds=None, text=why)
    elif given == found:
        yield VerifiedCheck(part=part, holds=True, text=Text("est celle qui est donnée", "is the one that is given"))
    else:
        why = Text(f"n'est pas celle qui est donnée, {given}", f"is not the one that is given, {given}")
        yield VerifiedCheck(part=part, holds=False, text=why)


@dataclass(slots=True)
class _Reading:
    """A journal on its way through the checks."""

    path: Path
    start: RunStarted | None = None
    end: RunFinished | None = None
    events: int = 0
    truncated: bool = False
    wrong: Counterexample | None = None
    order: RunOrder = field(default_factory=RunOrder)
    verdicts: VerdictsFollow = field(default_factory=VerdictsFollow)
    fold: BoundedFold = field(default_factory=BoundedFold)

    def read(self) -> None:
        """Read to the end, or to the first line that is wrong. Raise `JournalError` where nothing of ours is there."""
        reader = JournalReader(self.path)
        try:
            for event, place, line in reader.written():
                if (why := self._odd(line) or unclear(event, line)) is not None:
                    self.wrong = Counterexample(place.line, why)
                    return
                if isinstance(event, Exchange):
                    event = reader.whole(event, place.line)
                elif isinstance(event, RunStarted):
                    self.start = event
                elif isinstance(event, RunFinished):
                    self.end = event
                self.events = place.line
                self.order.see(event, place.line)
                self.verdicts.see(event, place.line)
                self.fold.add(event, place)
                if self.order.wrong is not None:
                    self.fold.give_up()
        except JournalError as error:
            self.wrong = Counterexample(error.line or self.events + 1, in_both(error.message[:_MOST_SAID]))
            if self.start is None:
                self.start = self._without_start(error)
        if self.start is None:
            raise JournalError(self.path, "holds no whole event; give the journal of a run that began")
        self.truncated = reader.truncated

    def _odd(self, line: bytes) -> Text | None:
        if self.end is not None:
            return Text("un événement après la fin du passage", "an event after the end of the run")
        if not line.endswith(b"\n"):
            return Text(
                "la dernière ligne n'a pas de fin : le journal est coupé",
                "the last line has no end: the journal is cut",
            )
        return None

    def _without_start(self, error: JournalError) -> RunStarted:
        """What stands for the beginning of a journal that begins with another event. Raise what is no journal."""
        try:
            with open_file(self.path) as file:
                parse_event(file.readline(LINE_LIMIT))
        except (OSError, EventError):
            raise error from None
        return RunStarted(run_id="?", tool=Tool(name="bifente", version="?"), command=(), target="?", seed=0)

    def check(self) -> VerifiedCheck:
        """Return whether the journal is whole."""
        part, count = CheckedPart.JOURNAL, self.events
        if self.wrong is not None:
            return fails(part, self.wrong)
        if self.truncated:
            why = Text("la dernière ligne est coupée", "the last line is cut short")
            return fails(part, Counterexample(count + 1, why))
        if self.end is None:
            why = Text(
                "la fin du passage n'y est pas : le journal est coupé, ou le passage est en cours",
                "the end of the run is not there: the journal is cut, or the run goes on",
            )
            return fails(part, Counterexample(count, why))
        said = Text(f"{count} événements, du début à la fin", f"{count} events, from beginning to end")
        if self.end.interrupted:
            said = Text.of("{}{}", said, Text(" ; le passage a été interrompu", "; the run was interrupted"))
        return VerifiedCheck(part=part, holds=True, text=said)

    def checks(self) -> Iterator[VerifiedCheck]:
        """Yield whether what the journal holds is in order and follows; unknown beyond a line that is wrong."""
        for one in (self.order.check(self.end if self.wrong is None else None), self.verdicts.check()):
            if self.wrong is None or one.holds is False:
                yield one
            else:
                why = Text(f"lu jusqu'à la ligne {self.events} seulement", f"read up to line {self.events} only")
                yield VerifiedCheck(part=one.part, holds=None, text=why)

    def run(self) -> Run | None:
        """Return what reports are made of; None where the journal cannot be read to its end or is out of order."""
        return self.fold.run(truncated=self.truncated) if self.wrong is None and self.order.wrong is None else None
