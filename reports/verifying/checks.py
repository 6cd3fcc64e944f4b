"""What a verification says: one check after the other, each with what came of it and where it fails first."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from bifente.ground.text import Text
from bifente.reports.events import RunStarted
from bifente.reports.journal import FILE_NAME


class CheckedPart(StrEnum):
    """The parts of a record that are checked."""

    DIGEST = "digest"
    JOURNAL = "journal"
    STRUCTURE = "structure"
    VERDICTS = "verdicts"
    REPORTS = "reports"
    INPUTS = "inputs"


class Counterexample(Struct, frozen=True):
    """The first line of a journal at which a check does not hold, and why."""

    line: int
    text: Text


class VerifiedCheck(Struct, frozen=True, kw_only=True):
    """What came of a check. `holds` is None where it could not be made; `file` is the report it is about, if one.

    `place` is where the first counterexample stands: a file, and its line after a colon.
    """

    part: CheckedPart
    file: str = ""
    holds: bool | None
    place: str | None = None
    text: Text

    @property
    def id(self) -> str:
        """The name of the check: its part, and after `/` the file it is about."""
        return f"{self.part}/{self.file}" if self.file else str(self.part)


class Verification(Struct, frozen=True, kw_only=True):
    """A record verified: the SHA-256 of its journal, how the run began, and every check."""

    sha256: str
    start: RunStarted
    checks: tuple[VerifiedCheck, ...]

    @property
    def holds(self) -> bool:
        """Whether all that could be checked holds."""
        return all(check.holds is not False for check in self.checks)

    @property
    def known(self) -> bool:
        """Whether the journal is the one whose digest was given."""
        return any(check.part is CheckedPart.DIGEST and check.holds for check in self.checks)


def fails(part: CheckedPart, found: Counterexample) -> VerifiedCheck:
    """Return a check that does not hold at a line of the journal."""
    return VerifiedCheck(part=part, holds=False, place=f"{FILE_NAME}:{found.line}", text=found.text)
