"""Signing with the cards in the readers, whether those are in process or behind a PC/SC service.

A professional's code is presented once for as many signatures as the card gives, and never again by itself if it was
refused. What a card or its line refuses comes as ``SsvError``, with the codes of sources#ssv-codes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from enum import Enum
from functools import lru_cache
from typing import Protocol

from cryptography import x509

from bifente.ground.clock import Clock, WallClock
from bifente.simulator.cards.host import NotOnThisCardError
from bifente.simulator.formats.fse.canonical import parse
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import CardSignature, Invoice, Signer
from bifente.simulator.formats.fse.securing.modes import wants
from bifente.simulator.formats.fse.securing.rsa import signed_by
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.ssv.line import PS, VITALE, Line
from bifente.simulator.middleware.ssv.meeting import vitale_on
from bifente.simulator.middleware.ssv.professional import MAY_SIGN_INVOICE, MAY_SIGN_LOT, ProfessionalCard
from bifente.simulator.middleware.ssv.vitale import VitaleCard
from bifente.simulator.readers import Connection
from bifente.simulator.software.billing.securing.refusals import SecuringError, SecuringRefusal
from bifente.simulator.zones import Group

_OK, _NOT_ALLOWED = 0x9000, 0x6982
_KEY, _DIGEST = "signature", "sha256"
_INSURED_GROUP, _BENEFICIARY_GROUP = 101, 104
_NIR_KEY = 2


class Right(Enum):
    """What a billing situation of a professional's card may sign (SV-FSE-23)."""

    INVOICE = MAY_SIGN_INVOICE
    LOT = MAY_SIGN_LOT


class SigningCard(Protocol):
    """A card ready to sign, however it is reached: by its commands, or by a PKCS#11 module."""

    def sign(self, content: bytes) -> tuple[bytes, bytes]:
        """The certificate (DER) and the signature of a content: RSA PKCS#1 v1.5, SHA-256. Raises SsvError."""
        ...


class ProfessionalSession:
    """A professional's card that was met and given its code, for one signature or a batch.

    Raises SsvError: F001 absent, F002 blocked, F003 wrong code, F004 expired or without billing situation, F802 for
    what is no code (it is not presented), FF30 for what the card does not do. ``clock`` says whether the card is in
    force and when a signature is made. ``spends``: each signature wants the code anew; None lets the session ask the
    card, which a CPS3 tells and a CPS4 does not (CARD-CPS3-62).
    """

    def __init__(self, connection: Connection, code: str, clock: Clock, *, spends: bool | None = None) -> None:
        self.card = ProfessionalCard(Line(connection, PS, clock))
        self.card.check_in_force(clock.now().date())
        self.card.present(code)
        self.card.check_domain()
        self._clock = clock
        self._code = code
        self._spends = spends
        self._spent = False

    def resume(self, connection: Connection) -> None:
        """Go on with the same card on another connection.

        Its code, which was right, is presented again where a signature spent it, and to a card that forgets it on being
        recognised anew and cannot tell (CPS4). Raises SsvError: as the line; FF21, nothing being presented, for another
        card and for one that says it has lost its code.
        """
        card = ProfessionalCard(Line(connection, PS, self._clock))
        if (card.identity.card_number or "") != self.number:
            raise SsvError(SsvCode.CODE_LOST, "another card is in the reader: its code was not presented")
        self.card = card
        self.ready()
        presented = card.code_is_presented()
        if presented is None:
            card.present(self._code)
        elif not presented:
            raise SsvError(SsvCode.CODE_LOST, "the card no longer has its code: present it again")

    @property
    def number(self) -> str:
        """The number of the card."""
        return self.card.identity.card_number or ""

    def check_right(self, right: Right, situation: int | None) -> None:
        """Refuse to go on for a situation that may not sign (any one may, if none is named). Raises SecuringError."""
        billing = self.card.billing
        held = [item for number, item in billing.items() if situation is None or number == situation]
        if not any((item.signing_rights or 0) & right.value for item in held):
            where = "no situation" if situation is None else f"situation {situation}"
            raise SecuringError(
                SecuringRefusal.NO_RIGHT_TO_SIGN, f"{where} of the card has the right: {right.name.lower()}"
            )

    def ready(self) -> None:
        """Present the code again to a card that a signature has made forget it, as it wants. Raises SsvError."""
        if self._spent:
            self.card.present(self._code)
            self._spent = False

    def sign(self, content: bytes) -> tuple[bytes, bytes]:
        """Certificate and signature of a content, no right checked.

        Raises SsvError: F002 if the card was blocked meanwhile, FF21 if it has lost the code, which is not presented
        again (a card that wants it for each signature gets it: it was right).
        """
        certificate = self.card.signature_certificate
        self.ready()
        try:
            answer = self.card.host.sign(_KEY, _DIGEST, content)
        except NotOnThisCardError as error:
            raise SsvError(SsvCode.CPS_API, str(error)) from error
        if answer.sw == _NOT_ALLOWED:
            self.card.code_is_presented()  # F002 if it was blocked
            raise SsvError(SsvCode.CODE_LOST, "the card no longer has its code: present it again")
        if answer.sw != _OK:
            raise SsvError(SsvCode.CPS_API, f"the card answered {answer.sw:04X} to a signature")
        if self._spends is None:
            self._spends = self.card.code_is_presented() is False
        self._spent = self._spends
        return certificate, answer.data


def sign_as_professional(
    content: bytes,
    connection: Connection,
    code: str,
    clock: Clock | None = None,
    *,
    right: Right = Right.INVOICE,
    situation: int | None = None,
) -> CardSignature:
    """The professional's signature of a content: a sheet (``situation`` and card are then its own) or a lot.

    Raises SsvError as ``ProfessionalSession``, SecuringError for a card of another or without the right.
    """
    clock = clock or WallClock()
    session = ProfessionalSession(connection, code, clock)
    if right is Right.INVOICE:
        return sheet_signed_by_professional(content, session, clock)
    session.check_right(right, situation)
    return signed(content, session, Signer.PROFESSIONAL, clock)


def sign_as_insured(
    content: bytes,
    vitale: Connection,
    professional: Connection,
    code: str,
    clock: Clock | None = None,
    *,
    anchors: Iterable[x509.Certificate] = (),
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> CardSignature:
    """The insured's signature of a sheet, by the Vitale in the presence of the professional's card.

    Raises SsvError: as ``ProfessionalSession``; F011, F014, F015 of the Vitale; SecuringError.
    """
    clock = clock or WallClock()
    met = vitale_on(Line(vitale, VITALE, clock), random, tuple(anchors))
    session = ProfessionalSession(professional, code, clock)
    return sheet_signed_by_insured(content, met, session, clock)


def sheet_signed_by_professional(content: bytes, session: ProfessionalSession, clock: Clock) -> CardSignature:
    """The signature of a sheet by the card that its content names, and by no other."""
    sheet = sheet_of(content)
    check_mode(sheet, Signer.PROFESSIONAL)
    if session.number != sheet.professional.card_number:
        raise SecuringError(
            SecuringRefusal.CPS_SUBSTITUTED, f"card {session.number}, the sheet names {sheet.professional.card_number}"
        )
    if not session.card.test == sheet.professional.test == sheet.beneficiary.test:
        raise SecuringError(SecuringRefusal.TEST_AND_REAL)
    session.check_right(Right.INVOICE, sheet.professional.situation)
    return signed(content, session, Signer.PROFESSIONAL, clock)


def sheet_signed_by_insured(
    content: bytes, vitale: VitaleCard, session: ProfessionalSession, clock: Clock
) -> CardSignature:
    """The signature of a sheet by the Vitale whose rights made it, and by no other."""
    sheet = sheet_of(content)
    check_mode(sheet, Signer.INSURED)
    if sheet.beneficiary.apcv:
        raise SecuringError(SecuringRefusal.APCV_CANNOT_SIGN)
    if not session.card.test == vitale.test == sheet.beneficiary.test:
        raise SecuringError(SecuringRefusal.TEST_AND_REAL)
    check_same_vitale(sheet, vitale)
    if not vitale.can_sign:
        raise SecuringError(SecuringRefusal.VITALE_CANNOT_SIGN)
    session.ready()
    vitale.open_to(session.card)
    return signed(content, vitale, Signer.INSURED, clock)


def signed(content: bytes, card: SigningCard, signer: Signer, clock: Clock) -> CardSignature:
    """A signature by a card that is ready, checked before it is given: what comes from a line may have suffered.

    Raises SsvError: what the card raises; FF30 or F014 for a signature that is not the one of the content.
    """
    certificate, value = card.sign(content)
    if not signed_by(certificate, content, value):
        fault = SsvCode.CPS_API if signer is Signer.PROFESSIONAL else SsvCode.VITALE_COMMUNICATION
        raise SsvError(fault, "the signature that came is not that of the content")
    return CardSignature(signer, certificate, value, f"{clock.now():%Y%m%d%H%M%S}")


@lru_cache(maxsize=8)  # each check of a sheet asks in its turn, and reading it again costs more than signing it
def sheet_of(content: bytes) -> Invoice:
    """The sheet in its canonical form. Raises SecuringError."""
    try:
        return parse(content)
    except FseError as error:
        raise SecuringError(SecuringRefusal.CONTENT_UNREADABLE, str(error)) from error


def check_mode(sheet: Invoice, signer: Signer) -> None:
    """Refuse a signature that the mode of the sheet does not want. Raises SecuringError."""
    if signer not in wants(sheet.mode):
        raise SecuringError(
            SecuringRefusal.NOT_IN_THIS_MODE, f"mode {int(sheet.mode)} wants no signature of the {signer}"
        )


def check_same_vitale(sheet: Invoice, vitale: VitaleCard) -> None:
    """Refuse another Vitale than the one whose rights made the sheet: its serial number and the NIR on it."""
    head, *others = vitale.administrative
    serial, nir = _text(head, 1), _text(head, 7)
    certified = {_text(group, 8) + _text(group, 9) for group in others if group.id == _BENEFICIARY_GROUP}
    who = sheet.beneficiary
    if head.id != _INSURED_GROUP or serial != who.card_serial:
        raise SecuringError(
            SecuringRefusal.VITALE_SUBSTITUTED, f"serial {serial}, the sheet was made with {who.card_serial}"
        )
    if who.nir not in {nir, *(number[:-_NIR_KEY] for number in certified)}:
        raise SecuringError(SecuringRefusal.VITALE_SUBSTITUTED, "the NIR of the sheet is not on the card")
    if who.certified_nir and who.certified_nir not in certified:
        raise SecuringError(SecuringRefusal.VITALE_SUBSTITUTED, "the certified NIR of the sheet is not on the card")


def _text(group: Group, field: int) -> str:
    return group.fields[field].decode("ascii", "replace")
