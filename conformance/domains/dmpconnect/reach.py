"""How a connector of DmpConnect-JS speaks for the card in the reader: met, given its code, and let go each time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from bifente.conformance.domains.dmp.bench import DmpBench
from bifente.ground.clock import Clock, WallClock
from bifente.simulator.cards.cpx.business import Activity
from bifente.simulator.middleware.codes import SsvError
from bifente.simulator.middleware.dmpconnect.conventions import FUNCTIONAL, ConnectError, ConnectErrorType, malformed
from bifente.simulator.software.card_signer import CardSigner
from bifente.simulator.software.connect.connector import LOCATION
from bifente.simulator.software.lps.identity import SECRETARY, LpsUser, shown_names
from bifente.simulator.software.lps.network import ShapedLine

Meet = Callable[[str], AbstractContextManager[CardSigner]]
"""Meets the professional's card and gives it its code. Raises SsvError."""


def card_refused(error: SsvError) -> ConnectError:
    """Return the error of a card or reader that refused."""
    return ConnectError(
        ConnectErrorType.API, FUNCTIONAL, error.detail or str(error), "card or reader", f"{int(error.code):04X}"
    )


@dataclass(slots=True)
class MeetingSigner:
    """A card as a signer. Its code is presented for each signature, as nothing is held between two of them."""

    meet: Meet
    code: str = field(repr=False)
    certificate: bytes = field(repr=False)

    def sign(self, content: bytes) -> bytes:
        """Return the signature of a content. Raise ConnectError: another card, or what the card refuses."""
        try:
            with self.meet(self.code) as card:
                if card.certificate != self.certificate:
                    raise ConnectError(
                        ConnectErrorType.API,
                        FUNCTIONAL,
                        "the CPx card was changed: hl_createDmpConnector again",
                        "card or reader",
                        "card-changed",
                    )
                return card.sign(content)
        except SsvError as error:
            raise card_refused(error) from None


class SceneReach:
    """The DMP of a scene, reached for the card in its reader."""

    def __init__(self, dmp: DmpBench, meet: Meet) -> None:
        self._dmp, self._meet = dmp, meet
        self._held: tempfile.TemporaryDirectory[str] | None = None
        self.base = dmp.base
        self.clock: Clock = WallClock() if dmp.section.url else dmp.clock
        self.web = "https://localhost"
        """Set where the pages are served."""

    @property
    def folder(self) -> Path:
        """Return where documents that are fetched lie, made when the first is."""
        if self._held is None:
            self._held = tempfile.TemporaryDirectory(prefix="bifente-dmpconnect-")
        return Path(self._held.name)

    def user(self, code: str, location: int | None) -> LpsUser:
        """Return the holder of the card at a place of practice, the first one for None. Raise ConnectError."""
        try:
            with self._meet(code) as card:
                user = _user(card, MeetingSigner(self._meet, code, card.certificate), location)
                self._dmp.know(user, _places(card.activities.values()))
        except SsvError as error:
            raise card_refused(error) from None
        return user

    def caller(self, user: LpsUser) -> ShapedLine:
        """Return what carries the calls of a user."""
        return self._dmp.caller(user)

    def new_id(self) -> str:
        """Return a fresh UUID."""
        return self._dmp.new_id()

    def number(self) -> int:
        """Return a fresh number for identifiers of documents."""
        return self._dmp.number()

    def close(self) -> None:
        """Forget the documents that were fetched."""
        if self._held is not None:
            self._held.cleanup()


def _places(activities: Iterable[Activity]) -> list[tuple[str, str, str]]:
    return [(one.structure_id, one.structure or "", one.sector or "") for one in activities if one.structure_id]


def _user(card: CardSigner, signer: MeetingSigner, location: int | None) -> LpsUser:
    place = card.situation(location)
    if place is None and location is not None:
        raise malformed(f"{LOCATION}: the card has no practice location {location}")
    holder, names = card.card.profession, card.card.names
    subject = {
        one.oid.dotted_string: str(one.value) for one in x509.load_der_x509_certificate(card.certificate).subject
    }
    family, given = shown_names(
        names.family_name or "",
        names.given_name or " ".join(names.given_names or ()),
        subject.get("2.5.4.10", ""),
        subject.get("2.5.4.3", ""),
    )
    return LpsUser(
        id=subject.get("2.5.4.3", "") if not holder.national_id else holder.national_id,
        family=family,
        given=given,
        profession=holder.profession or "",
        speciality=(holder.speciality or "").strip(),
        structure=(place.structure_id or "") if place is not None else "",
        structure_name=(place.structure or "") if place is not None else "",
        sector=(place.sector or "") if place is not None else "",
        signer=signer,
        role=None if holder.profession else SECRETARY,
        presented=(x509.load_der_x509_certificate(card.card.certificate),),
    )
