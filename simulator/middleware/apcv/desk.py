"""The apCV on a workstation: one context at a time, beside the plastic card that the same software reads."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bifente.ground.clock import Clock
from bifente.simulator.middleware.apcv.context import ApcvContext
from bifente.simulator.middleware.apcv.refusals import ApcvError, ApcvRefusal
from bifente.simulator.middleware.apcv.remote import ApcvRemote
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.resources import Resources
from bifente.simulator.middleware.ssv.answer import Answer
from bifente.simulator.middleware.ssv.library import Ssv
from bifente.simulator.middleware.ssv.line import PS, Line
from bifente.simulator.middleware.ssv.professional import ProfessionalCard
from bifente.simulator.serving.calling import Caller
from bifente.simulator.zones import Group, encode, named

_INSURED, _COVERAGE, _MUTUELLE, _AMC = 101, 106, 107, 109
_TEST_MARK = "T"


@dataclass(frozen=True, slots=True)
class ApcvReply(Answer):
    """What a reading gives: as for the card, and whether it came from a phone. ``refusal`` says why it gave nothing."""

    apcv: bool = False
    refusal: ApcvRefusal | None = None


@dataclass(frozen=True, slots=True)
class RightsCall:
    """The arguments of LireDroitsVitale, those of a phone's reading too: ``consultation`` is YYYYMMDD."""

    ps: str
    reader: str
    code: str = field(repr=False)
    consultation: str


class ReadingStation(Protocol):
    """What a reading goes through: the library, and the way to the professional's card."""

    @property
    def ssv(self) -> Ssv:
        """The library of the software that reads."""
        ...

    @property
    def resources(self) -> Resources:
        """How it reaches the cards."""
        ...


class Presented(Protocol):
    """A phone held at a reader."""

    def answer(self, challenge: bytes) -> str:
        """Return what it answers by NFC to a challenge."""
        ...


class ApcvDesk:
    """The apCV operations of one software, which calls the service by ``caller``.

    ``restart`` is that software closed and opened again.

    The context survives a restart where the workstation keeps it; it is in use again once it was restored.
    """

    def __init__(self, caller: Caller, clock: Clock) -> None:
        self._service = ApcvRemote(caller)
        self._clock = clock
        self._kept: ApcvContext | None = None
        self._in_use = False

    # -- contexts ------------------------------------------------------------------------------------------------------

    @property
    def context(self) -> ApcvContext | None:
        """The context in use, expired or not."""
        return self._kept if self._in_use else None

    def acquire_by_nfc(self, phone: Presented | None) -> ApcvContext:
        """A context from the phone at the reader. Raises ApcvError; the context there was stays then."""
        if phone is None:
            raise ApcvError(ApcvRefusal.NO_PHONE)
        challenge = self._service.challenge()
        return self._replaced(self._service.by_nfc(phone.answer(challenge), challenge))

    def acquire_by_qr(self, code: str) -> ApcvContext:
        """A context from the text of a QR code read by the software. Raises ApcvError; see ``acquire_by_nfc``."""
        return self._replaced(self._service.by_qr(code))

    def restore(self) -> ApcvContext:
        """The context kept, in use again. Raises ApcvError: NO_CONTEXT, CONTEXT_EXPIRED, TAMPERED."""
        if self._kept is None:
            raise ApcvError(ApcvRefusal.NO_CONTEXT)
        try:
            expired = self._kept.expired(self._clock.now())
        except ValueError as error:
            raise ApcvError(ApcvRefusal.TAMPERED, str(error)) from None
        if expired:
            raise ApcvError(ApcvRefusal.CONTEXT_EXPIRED)
        self._in_use = True
        return self._kept

    def renew(self, invoice: str) -> ApcvContext:
        """The expired context in use, renewed for one invoice. Raises ApcvError; see ``ApcvRemote.renew``."""
        self._kept = self._service.renew(self._current(), invoice)
        return self._kept

    def delete(self) -> None:
        """Forget the context, here and at the service. Raises ApcvError (NO_CONTEXT).

        A service that does not answer keeps nobody from deleting: what is not kept here cannot be read with.
        """
        if self._kept is None:
            raise ApcvError(ApcvRefusal.NO_CONTEXT)
        self._destroy()

    def pass_in(self, context: ApcvContext) -> None:
        """Use a context that the software kept itself. It is believed when it is used, not before."""
        self._kept, self._in_use = context, True

    def restart(self) -> None:
        """The software starts again: no context is in use."""
        self._in_use = False

    # -- readings ------------------------------------------------------------------------------------------------------

    def read_phone(self, workstation: ReadingStation, call: RightsCall, *, invoice: str | None = None) -> ApcvReply:
        """The rights of the holder of the context in use. Never raises.

        As for the card: without a professional's card F001 and no group 106; F026 if one of the two is a test one; F0F0
        if there are two complementary covers. The context is looked at first, so that a refusal costs no try.
        """
        # The library says first whether it runs and knows the reader (F600, F101).
        ready = workstation.ssv.lire_date_lecteur(call.reader)
        if ready.code != SsvCode.OK:
            return ApcvReply(ready.code, detail=ready.detail, apcv=True)
        try:
            _check_day(call.consultation)
            groups = self._service.rights(self._current(), invoice)
            alone = not self._professional_there(workstation, call, groups)
        except ApcvError as error:
            return ApcvReply(error.refusal.code, detail=str(error), apcv=True, refusal=error.refusal)
        except SsvError as error:
            return ApcvReply(error.code, detail=error.detail, apcv=True)
        if alone:
            free = tuple(group for group in groups if group.id != _COVERAGE)
            return ApcvReply(SsvCode.PS_ABSENT, encode(free), "administrative data only", apcv=True)
        both = {_MUTUELLE, _AMC} <= {group.id for group in groups}
        return ApcvReply(SsvCode.BOTH_COMPLEMENTARIES if both else SsvCode.OK, encode(groups), apcv=True)

    def read_card(self, ssv: Ssv, call: RightsCall) -> ApcvReply:
        """The rights on the plastic card (LireDroitsVitale); the context is destroyed first, whatever comes of it."""
        self._destroy()
        answer = ssv.lire_droits_vitale(call.ps, call.reader, call.code, call.consultation)
        return ApcvReply(answer.code, answer.zone, answer.detail)

    # ------------------------------------------------------------------------------------------------------------------

    def _current(self) -> ApcvContext:
        context = self.context
        if context is None:
            raise ApcvError(ApcvRefusal.NO_CONTEXT)
        return context

    def _replaced(self, context: ApcvContext) -> ApcvContext:
        self._destroy()
        self._kept, self._in_use = context, True
        return context

    def _destroy(self) -> None:
        context, self._kept, self._in_use = self._kept, None, False
        if context is not None:
            with suppress(ApcvError):
                self._service.close(context)

    def _professional_there(self, workstation: ReadingStation, call: RightsCall, groups: tuple[Group, ...]) -> bool:
        """Whether a professional's card is there, and lets its holder read. Raises SsvError for one that does not."""
        pair = workstation.resources.pair(call.ps, call.reader)
        try:
            card = ProfessionalCard(Line(pair.ps(), PS, self._clock))
            card.check_in_force(workstation.ssv.reader_time.date())
            card.present(call.code)
            card.check_domain()
            if card.test != _is_test(groups):
                raise SsvError(SsvCode.TEST_AND_REAL, "one of the card and the phone's rights is a test one")
        except SsvError as error:
            if error.code != SsvCode.PS_ABSENT:
                raise
            return False
        finally:
            pair.release()
        return True


def _is_test(groups: tuple[Group, ...]) -> bool:
    insured = next((group for group in groups if group.id == _INSURED), None)
    return insured is not None and named(insured)["card-type"] == _TEST_MARK


def _check_day(consultation: str) -> None:
    try:
        if not re.fullmatch(r"[0-9]{8}", consultation):
            raise ValueError
        datetime.strptime(consultation, "%Y%m%d")
    except ValueError:
        raise SsvError(SsvCode.BAD_INPUT, f"{consultation!r} is no day YYYYMMDD") from None
