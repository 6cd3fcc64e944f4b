"""The service behind the apCV: knows the phones, believes what they sign, issues contexts and gives the rights."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.formats.jose.claims import moment as seconds
from bifente.simulator.formats.jose.claims import text
from bifente.simulator.formats.jose.refusals import SealError, SealRefusal
from bifente.simulator.formats.jose.seal import Key, SigningKey
from bifente.simulator.middleware.apcv.context import ApcvContext, moment, written
from bifente.simulator.middleware.apcv.refusals import ApcvError, ApcvRefusal
from bifente.simulator.services.apcv.parameters import ApcvParameters
from bifente.simulator.services.apcv.phone import NFC, QR, QR_PREFIX, SEAL, Phone
from bifente.simulator.serving.service import Asgi, Declare, Service, to_nobody
from bifente.simulator.zones import Group

_INVOICE = re.compile(r"[0-9]{1,9}", re.ASCII)
#: Refusals of a token that mean that somebody changed or made it.
_FORGED = frozenset({SealRefusal.SIGNATURE, SealRefusal.ALGORITHM, SealRefusal.COMPRESSION})


class Holder(Protocol):
    """Whose phone it is: a personalised Vitale, or anything that gives the groups of one."""

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups of the card, in their order, coverage periods (106) included."""
        ...


@dataclass(slots=True)
class _Open:
    """A context that was issued; ``invoice`` is the only one it serves once it was renewed."""

    holder: Holder
    token: str
    end: str
    invoice: str | None = None


UNREACHABLE = "apcv-service-unreachable"
"""The fault it can suffer: every operation is refused as UNREACHABLE."""


class ApcvService(Service):
    """The service. Its application answers what ``bifente.simulator.middleware.apcv.remote`` asks."""

    name = "apcv"
    title = Text("Service apCV", "apCV service")
    offered = frozenset({UNREACHABLE})

    def __init__(
        self,
        clock: Clock,
        parameters: ApcvParameters | None = None,
        *,
        random: Callable[[int], bytes] = secrets.token_bytes,
        declare: Declare = to_nobody,
    ) -> None:
        super().__init__(declare)
        self.parameters = parameters or ApcvParameters()
        self._clock = clock
        self._random = random
        self._key = SigningKey.es256("apcv-service")
        self._phones: dict[str, tuple[Mapping[str, Key], Holder]] = {}
        self._contexts: dict[str, _Open] = {}
        self._used: dict[str, float] = {}
        self._challenges: set[bytes] = set()

    @cached_property
    def application(self) -> Asgi:
        """Return its ASGI application."""
        from bifente.simulator.services.apcv.app import application

        return application(self)

    def learn(self, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Declare what a phone proved, and the token of a context."""
        from bifente.simulator.services.apcv.app import secrets_in

        for secret in secrets_in(body):
            self.declare(secret)

    def state(self) -> Mapping[str, Any]:
        """Return ``phones`` it believes, and ``contexts``: their ends, by identifier."""
        # Taken at once: the thread that serves may give another one meanwhile.
        contexts = {key: one.end for key, one in list(self._contexts.items())}
        return {"phones": sorted(self._phones), "contexts": contexts}

    # -- phones --------------------------------------------------------------------------------------------------------

    def enrol(self, phone: Phone, holder: Holder) -> None:
        """Believe a phone from now on; its private key is not looked at. A serial enrolled again changes hands."""
        self._phones[phone.serial] = (phone.key.public, holder)

    def revoke(self, phone: Phone) -> None:
        """Believe it no longer: a phone lost, an application removed. Contexts already issued go on."""
        self._phones.pop(phone.serial, None)

    # -- acquisition ---------------------------------------------------------------------------------------------------

    def challenge(self) -> bytes:
        """What a reader asks a phone to sign by NFC; good for one answer. Raises ApcvError (UNREACHABLE)."""
        self._check_online()
        challenge = self._random(16)
        self._challenges.add(challenge)
        return challenge

    def by_qr(self, code: str) -> ApcvContext:
        """A context from the text of a QR code. Raises ApcvError."""
        self._check_online()
        if not code.startswith(QR_PREFIX):
            raise ApcvError(ApcvRefusal.UNREADABLE, f"does not begin with {QR_PREFIX}")
        holder, _claims = self._proven(code.removeprefix(QR_PREFIX), QR)
        return self._issue(holder)

    def by_nfc(self, answer: str, challenge: bytes) -> ApcvContext:
        """A context from the answer of a phone to a challenge of this service. Raises ApcvError."""
        self._check_online()
        # Good once, whatever comes of it.
        asked = challenge in self._challenges
        self._challenges.discard(challenge)
        holder, claims = self._proven(answer, NFC)
        if not asked or claims.get("challenge") != challenge.hex():
            raise ApcvError(ApcvRefusal.WRONG_CHALLENGE)
        return self._issue(holder)

    def _proven(self, proof: str, channel: str) -> tuple[Holder, Mapping[str, Any]]:
        """Whose phone signed a proof, and what it says."""
        keys = {kid: key for public, _holder in self._phones.values() for kid, key in public.items()}
        claims = _unsealed(proof, keys)
        if claims.get("use") != channel:
            raise ApcvError(ApcvRefusal.WRONG_CHANNEL)
        try:
            serial, unique = text(claims, "sub"), text(claims, "jti")
            issued, expires = seconds(claims, "iat"), seconds(claims, "exp")
        except SealError as error:
            raise ApcvError(ApcvRefusal.UNREADABLE, str(error)) from None
        phone = self._phones.get(serial)
        if phone is None or not _signed_by(proof, phone[0]):
            raise ApcvError(ApcvRefusal.TAMPERED, "signed with the key of another phone")
        now = self._clock.now().timestamp()
        if issued > now + self.parameters.leeway.total_seconds():
            raise ApcvError(ApcvRefusal.NOT_YET, f"by {issued - now:.0f} s")
        # A phone does not choose how long it is believed.
        if now >= min(expires, issued + self.parameters.proof.total_seconds()):
            raise ApcvError(ApcvRefusal.PROOF_EXPIRED)
        self._used = {known: end for known, end in self._used.items() if end > now}
        if f"{serial}/{unique}" in self._used:
            raise ApcvError(ApcvRefusal.REPLAYED)
        # Remembered longer than any proof can be good, the leeway included.
        memory = self.parameters.proof + self.parameters.leeway
        self._used[f"{serial}/{unique}"] = now + memory.total_seconds()
        return phone[1], claims

    # -- contexts ------------------------------------------------------------------------------------------------------

    def renew(self, context: ApcvContext, invoice: str) -> ApcvContext:
        """An expired context for one more life, good for one invoice alone.

        Raises ApcvError: STILL_VALID, OTHER_INVOICE if it was renewed for another one before, BAD_INVOICE, and what
        ``rights`` raises for a context that is not what it was.
        """
        self._check_online()
        if not _INVOICE.fullmatch(invoice):
            raise ApcvError(ApcvRefusal.BAD_INVOICE)
        known = self._known(context)
        if self._clock.now() < moment(known.end):
            raise ApcvError(ApcvRefusal.STILL_VALID)
        if known.invoice not in (None, invoice):
            raise ApcvError(ApcvRefusal.OTHER_INVOICE)
        return self._keep(context.identifier, known.holder, invoice)

    def close(self, context: ApcvContext) -> None:
        """Forget a context, known or not: nothing reads with it any more, and it cannot be renewed."""
        self._check_online()
        self._contexts.pop(context.identifier, None)

    def rights(self, context: ApcvContext, invoice: str | None = None) -> tuple[Group, ...]:
        """The groups of the holder, coverage included.

        Raises ApcvError: NO_CONTEXT closed or never issued; TAMPERED not as it was issued; CONTEXT_EXPIRED;
        OTHER_INVOICE when it was renewed, for any reading but that of its invoice.
        """
        self._check_online()
        known = self._known(context)
        if self._clock.now() >= moment(known.end):
            raise ApcvError(ApcvRefusal.CONTEXT_EXPIRED)
        if known.invoice is not None and known.invoice != invoice:
            raise ApcvError(ApcvRefusal.OTHER_INVOICE)
        return known.holder.groups

    def _issue(self, holder: Holder) -> ApcvContext:
        return self._keep(self._random(8).hex(), holder, None)

    def _keep(self, identifier: str, holder: Holder, invoice: str | None) -> ApcvContext:
        end = written(self._clock.now() + self.parameters.context)
        claims = {"cid": identifier, "end": end, "jti": self._random(8).hex()}
        if invoice is not None:
            claims["invoice"] = invoice
        token = SEAL.close(claims, self._key.key, self._key.kid)
        self.declare(token)
        self._contexts[identifier] = _Open(holder, token, end, invoice)
        return ApcvContext(identifier, token, end)

    def _known(self, context: ApcvContext) -> _Open:
        try:
            claims = SEAL.open(context.token, self._key.public)
        except SealError as error:
            raise ApcvError(ApcvRefusal.TAMPERED, str(error)) from None
        if (claims.get("cid"), claims.get("end")) != (context.identifier, context.end):
            raise ApcvError(ApcvRefusal.TAMPERED, "the context is not the one its token was issued for")
        known = self._contexts.get(context.identifier)
        if known is None or known.token != context.token:
            # Closed, or replaced by its renewal.
            raise ApcvError(ApcvRefusal.NO_CONTEXT)
        return known

    def _check_online(self) -> None:
        if UNREACHABLE in self.troubles:
            raise ApcvError(ApcvRefusal.UNREACHABLE)


def _signed_by(token: str, keys: Mapping[str, Key]) -> bool:
    try:
        SEAL.open(token, keys)
    except SealError:
        return False
    return True


def _unsealed(token: str, keys: Mapping[str, Key]) -> Mapping[str, Any]:
    try:
        return SEAL.open(token, keys)
    except SealError as error:
        if error.reason is SealRefusal.UNKNOWN_KEY:
            raise ApcvError(ApcvRefusal.UNKNOWN_PHONE, str(error)) from None
        refusal = ApcvRefusal.TAMPERED if error.reason in _FORGED else ApcvRefusal.UNREADABLE
        raise ApcvError(refusal, str(error)) from None
