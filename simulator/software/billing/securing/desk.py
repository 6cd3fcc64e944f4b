"""Securing sheets at a workstation: the two cards found as the SSV functions find them, by resource names or by PC/SC.

Modelled on ``SSV_FormaterFactures`` and ``SSV_SecuriserFacture``, of which only the prototypes are known: the cards are
met before a code is presented, so that a missing one costs no try; the insured signs before the professional.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from cryptography import x509

from bifente.ground.clock import Clock
from bifente.simulator.formats.fse.canonical import canonical
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import CardSignature, Invoice, SecuredInvoice, SecuringMode, Signer
from bifente.simulator.formats.fse.securing.modes import MODES, WITH_PAPER, wants
from bifente.simulator.formats.fse.securing.rsa import signed_by
from bifente.simulator.middleware.codes import SsvError
from bifente.simulator.middleware.resources import Pair, Resources
from bifente.simulator.middleware.ssv.line import VITALE, Line
from bifente.simulator.middleware.ssv.meeting import vitale_on
from bifente.simulator.middleware.ssv.vitale import VitaleCard
from bifente.simulator.software.billing.securing.cards import (
    ProfessionalSession,
    check_same_vitale,
    sheet_of,
    sheet_signed_by_insured,
    sheet_signed_by_professional,
)
from bifente.simulator.software.billing.securing.refusals import SecuringError, SecuringRefusal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Batch:
    """What came of several sheets or lots: ``done`` in their order, and what stopped the rest, if anything did."""

    done: tuple[SecuredInvoice, ...]
    refusal: SsvError | None = None


@dataclass(frozen=True, slots=True)
class SecuringDesk:
    """The signing side of one workstation.

    ``ps`` and ``reader`` name the resources (they are looked for by ATR without GALSS); ``anchors`` are the authorities
    that Vitale cards must come from, ``random`` gives the challenge they must sign; ``spends`` as in
    ``ProfessionalSession``. Every method raises SsvError; what was signed before a refusal by ``secure`` is not given.
    """

    resources: Resources
    clock: Clock
    ps: str = "CPS"
    reader: str = "Vitale"
    anchors: tuple[x509.Certificate, ...] = ()
    random: Callable[[int], bytes] = field(default=secrets.token_bytes, repr=False)
    spends: bool | None = None

    def secure(self, invoice: Invoice, code: str, *, paper: bool = False) -> SecuredInvoice:
        """A sheet with every signature its mode wants, now. ``paper``: a form signed on paper goes along.

        Raises SecuringError for a sheet that cannot be one, for a degraded one without its paper, and another with it.
        """
        return self._completed(unsigned(invoice, paper=paper), code)

    def secure_all(self, invoices: Iterable[Invoice], code: str) -> Batch:
        """Sheets of one patient or none, the code presented once; the first refusal ends it, and keeps what was done.

        A degraded sheet counts as having its paper.
        """
        done: list[SecuredInvoice] = []
        try:
            with self._pair() as pair:
                cards = _Cards(self, pair, code)
                for invoice in invoices:
                    done.append(cards.complete(unsigned(invoice, paper=invoice.mode in WITH_PAPER), frozenset(Signer)))
        except SsvError as error:
            return Batch(tuple(done), error)
        return Batch(tuple(done))

    def begin(self, invoice: Invoice, code: str, signer: Signer) -> SecuredInvoice:
        """One signature of a desynchronised sheet; the other comes later, in either order (``complete``)."""
        if invoice.mode is not SecuringMode.DESYNCHRONISED:
            raise SecuringError(
                SecuringRefusal.NOT_IN_THIS_MODE, f"mode {int(invoice.mode)} wants its signatures together"
            )
        return self._completed(unsigned(invoice), code, frozenset({signer}))

    def complete(self, secured: SecuredInvoice, code: str, invoice: Invoice | None = None) -> SecuredInvoice:
        """The signature that a desynchronised sheet still lacks. Refused if its content is no longer what was signed,
        or no longer that of ``invoice`` if the software gives the sheet as it has it now.
        """
        if invoice is not None and _content(invoice) != secured.content:
            raise SecuringError(SecuringRefusal.CONTENT_CHANGED)
        return self._completed(secured, code)

    def check_vitale(self, invoice: Invoice) -> None:
        """Refuse another Vitale than the one whose rights made the sheet, no code being asked (non-substitution)."""
        with self._pair() as pair:
            check_same_vitale(invoice, _vitale(self, pair))

    def _completed(
        self, secured: SecuredInvoice, code: str, whose: Collection[Signer] = frozenset(Signer)
    ) -> SecuredInvoice:
        with self._pair() as pair:
            return _Cards(self, pair, code).complete(secured, whose)

    @contextmanager
    def _pair(self) -> Iterator[Pair]:
        pair = self.resources.pair(self.ps, self.reader)
        try:
            yield pair
        finally:
            pair.release()


def unsigned(invoice: Invoice, *, paper: bool = False) -> SecuredInvoice:
    """A sheet before any signature. Raises SecuringError."""
    if not MODES[invoice.mode].takes_paper(paper):
        raise SecuringError(SecuringRefusal.PAPER_NEEDED, f"mode {int(invoice.mode)}, paper form: {paper}")
    return SecuredInvoice(_content(invoice), paper=paper)


def lacking(secured: SecuredInvoice) -> frozenset[Signer]:
    """Whose signatures a sheet still wants. Raises SecuringError for a content that is no sheet."""
    return wants(sheet_of(secured.content).mode) - {item.signer for item in _signatures(secured)}


class _Cards:
    """Both cards of one call, the code presented when the first signature needs it."""

    def __init__(self, desk: SecuringDesk, pair: Pair, code: str) -> None:
        self._desk = desk
        self._pair = pair
        self._code = code
        self._session: ProfessionalSession | None = None
        self._met: VitaleCard | None = None

    def complete(self, secured: SecuredInvoice, whose: Collection[Signer]) -> SecuredInvoice:
        possible = lacking(secured) & frozenset(whose)
        wanted = [signer for signer in Signer if signer in possible]
        _check_before(secured, bool(wanted))
        if not wanted:
            return secured
        clock, content = self._desk.clock, secured.content
        if Signer.INSURED in wanted and not sheet_of(content).beneficiary.apcv:
            # Before the code: a Vitale that is not there, or not the right one, costs no try.
            check_same_vitale(sheet_of(content), self._vitale())
        session = self._professional()
        for signer in wanted:
            if signer is Signer.INSURED:
                if sheet_of(content).beneficiary.apcv:
                    raise SecuringError(SecuringRefusal.APCV_CANNOT_SIGN)
                made = sheet_signed_by_insured(content, self._vitale(), session, clock)
                secured = replace(secured, insured=made)
            else:
                secured = replace(secured, professional=sheet_signed_by_professional(content, session, clock))
        return secured

    def _vitale(self) -> VitaleCard:
        self._met = self._met or _vitale(self._desk, self._pair)
        return self._met

    def _professional(self) -> ProfessionalSession:
        desk = self._desk
        if self._session is None:
            self._session = ProfessionalSession(self._pair.ps(), self._code, desk.clock, spends=desk.spends)
        return self._session


def _vitale(desk: SecuringDesk, pair: Pair) -> VitaleCard:
    return vitale_on(Line(pair.vitale(), VITALE, desk.clock), desk.random, desk.anchors)


def _check_before(secured: SecuredInvoice, wanted: bool) -> None:
    """What is signed already must still be signed. Raises SecuringError."""
    present = _signatures(secured)
    if present and not wanted:
        raise SecuringError(SecuringRefusal.ALREADY_SIGNED)
    for signature in present:
        if not signed_by(signature.certificate, secured.content, signature.value):
            raise SecuringError(SecuringRefusal.CONTENT_CHANGED, f"it is not what the {signature.signer} signed")


def _signatures(secured: SecuredInvoice) -> tuple[CardSignature, ...]:
    return tuple(item for item in (secured.insured, secured.professional) if item is not None)


def _content(invoice: Invoice) -> bytes:
    try:
        return canonical(invoice)
    except FseError as error:
        raise SecuringError(SecuringRefusal.CONTENT_UNREADABLE, str(error)) from error
