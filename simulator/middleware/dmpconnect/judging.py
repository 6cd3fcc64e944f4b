"""What can be said of a page by what DmpConnect-JS heard of it: each finding names the rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bifente.ground.text import Text
from bifente.simulator.middleware.dmpconnect.conventions import INVALID_SESSION, ConnectError, ConnectErrorType

WRONG_CODE = "F003"
AGAIN = timedelta(seconds=2)
"""Nobody types a code anew in less (modelled)."""


@dataclass(frozen=True, slots=True)
class HeardCommand:
    """One command, its name in lower case, and the error that it was answered; None where it went well."""

    at: datetime
    session: str
    command: str
    error: ConnectError | None = None

    @property
    def lost(self) -> bool:
        """Return whether the session was no session any more."""
        return (
            self.error is not None and self.error.kind is ConnectErrorType.SERVER and self.error.code == INVALID_SESSION
        )


@dataclass(frozen=True, slots=True)
class PageFinding:
    """A rule that a page broke; ``requirement`` is its id in the catalogue."""

    rule: str
    requirement: str
    text: Text
    at: datetime


def page_findings(heard: Iterable[HeardCommand]) -> tuple[PageFinding, ...]:
    """Return what is to be said of a page, in order of time."""
    log = list(heard)
    found = [*_tokens(log), *_sessions(log), *_codes(log)]
    return tuple(sorted(found, key=lambda one: one.at))


def _tokens(log: list[HeardCommand]) -> Iterator[PageFinding]:
    for one in log:
        if one.lost and one.error is not None and "token" in one.error.extended:
            yield PageFinding(
                "token-not-renewed",
                "SEED-TOKEN-04",
                Text(
                    "le jeton de la carte n'a pas été renouvelé à temps : la session est coupée",
                    "the token of the card was not renewed in time: the session is cut",
                ),
                one.at,
            )


def _sessions(log: list[HeardCommand]) -> Iterator[PageFinding]:
    lost: dict[str, int] = {}
    for one in log:
        lost[one.session] = lost.get(one.session, 0) + 1 if one.lost else 0
        if lost[one.session] == 2:
            yield PageFinding(
                "session-not-opened-again",
                "LOCAL-DCJS-04",
                Text(
                    "une session perdue sert encore : en ouvrir une autre",
                    "a session that was lost is used again: open another one",
                ),
                one.at,
            )


def _codes(log: list[HeardCommand]) -> Iterator[PageFinding]:
    wrong: dict[str, datetime] = {}
    for one in log:
        if one.error is None or one.error.context != WRONG_CODE:
            continue
        before = wrong.get(one.session)
        wrong[one.session] = one.at
        if before is not None and one.at - before < AGAIN:
            yield PageFinding(
                "wrong-code-again",
                "SEED-CPS-03",
                Text(
                    "un code faux est présenté de nouveau sans que l'utilisateur l'ait tapé : la carte se bloque",
                    "a wrong code is presented again, its user not having typed it: the card gets blocked",
                ),
                one.at,
            )
