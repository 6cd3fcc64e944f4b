"""Which certificates are revoked, since when and why; and when that is published where (rhythms are modelled)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum

from cryptography import x509

from bifente.ground.text import Text
from bifente.simulator.pki.authority import Authority, Revocation


@dataclass(frozen=True, slots=True)
class _What:
    reason: x509.ReasonFlags
    then: Text


class Incident(Enum):
    """What happened to a card (SEED-CPS-15); ``then`` is what its holder does about it."""

    LOST = _What(
        x509.ReasonFlags.key_compromise,
        Text(
            "déclarer la perte à l'ANS sans attendre : la carte est mise en opposition, une autre est fabriquée avec "
            "un nouveau code ; retrouvée, elle ne sert plus et se détruit",
            "report the loss to the ANS at once: the card is barred, another one is made with a new code; found "
            "again, it no longer serves and is destroyed",
        ),
    )
    STOLEN = _What(
        x509.ReasonFlags.key_compromise,
        Text(
            "déclarer le vol à l'ANS sans attendre et porter plainte : la carte est mise en opposition, une autre est "
            "fabriquée avec un nouveau code ; vérifier ce qui a été fait avec la carte depuis le vol",
            "report the theft to the ANS at once and to the police: the card is barred, another one is made with a "
            "new code; look at what was done with the card since",
        ),
    )
    DAMAGED = _What(
        x509.ReasonFlags.superseded,
        Text(
            "demander une carte de remplacement ; l'ancienne est révoquée quand la nouvelle part : jusque-là, feuilles "
            "de soins en mode dégradé ou papier",
            "ask for a replacement; the old card is revoked when the new one leaves: until then, care sheets without "
            "the card or on paper",
        ),
    )

    @property
    def reason(self) -> x509.ReasonFlags:
        """The reason that lists and answers give."""
        return self.value.reason

    @property
    def then(self) -> Text:
        """What the holder does."""
        return self.value.then


class RevocationRegister:
    """Every revocation, by authority. Complete lists come each ``day``, delta lists each ``hour``; OCSP knows at once.

    A revocation is thus in the lists only after the next one was published.
    """

    day = timedelta(days=1)
    hour = timedelta(hours=1)

    def __init__(self) -> None:
        self._lines: dict[str, dict[int, Revocation]] = {}

    def revoke(
        self, authority: Authority, serials: Iterable[int], at: datetime, reason: x509.ReasonFlags
    ) -> tuple[Revocation, ...]:
        """Revoke certificates of an authority from ``at`` on; one that is revoked already stays as it was."""
        mine = self._lines.setdefault(authority.stem, {})
        moment = at.astimezone(UTC).replace(microsecond=0)
        for serial in serials:
            mine.setdefault(serial, Revocation(serial, moment.date(), reason, moment))
        return tuple(mine[serial] for serial in serials)

    def add(self, authority: Authority, lines: Iterable[Revocation]) -> None:
        """Take over revocations that were made elsewhere: those of a card that came revoked."""
        mine = self._lines.setdefault(authority.stem, {})
        for line in lines:
            mine.setdefault(line.serial_number, line)

    def found(self, stem: str, serial: int, at: datetime) -> Revocation | None:
        """Return the revocation of a certificate as it is known at a moment."""
        line = self._lines.get(stem, {}).get(serial)
        return line if line is not None and line.start <= at else None

    def lines(self, stem: str) -> tuple[Revocation, ...]:
        """Return those of an authority."""
        return tuple(self._lines.get(stem, {}).values())

    def published(self, at: datetime, rhythm: timedelta) -> datetime:
        """Return when what is published at this rhythm last came out."""
        seconds = rhythm.total_seconds()
        return datetime.fromtimestamp(at.timestamp() // seconds * seconds, UTC)
