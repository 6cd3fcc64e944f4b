"""The DMP asked for a patient's record: from the software with the card's signature, or behind the Web PS."""

from __future__ import annotations

from dataclasses import dataclass, field

from bifente.conformance.domains.dmp.bench import DmpBench
from bifente.conformance.domains.dmp.signers import user_from
from bifente.conformance.domains.support.journeys import JourneyStep
from bifente.conformance.domains.support.running import RunningPoste
from bifente.conformance.domains.support.stopping import JourneyStoppedError
from bifente.conformance.domains.support.tokens import token_of
from bifente.ground.clock import ShiftedClock
from bifente.simulator.middleware.cryptolib import CryptolibToken
from bifente.simulator.software.lps.client import UnreachableError
from bifente.simulator.software.lps.identity import LpsUser

_HASH = 32


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """A card as a signer, reached by the Cryptolib."""

    token: CryptolibToken
    certificate: bytes = field(repr=False)

    def sign(self, content: bytes) -> bytes:
        """Return the signature of a content. Raise CryptolibError."""
        return self.token.sign("signature", content)


def ask_from_software(running: RunningPoste, bits: int | None = None) -> None:
    """Ask as a practice software does: the assertion signed by the card. Raise JourneyStoppedError."""
    with token_of(running, bits) as token:
        with running.step(JourneyStep.READ_CERTIFICATE):
            certificate = token.certificate("signature")
        if running.software.engine:
            _prove_by_engine(running, token)
        dmp = _connected(running, user_from(running.act().card.facts, TokenSigner(token, certificate), None))
        with running.step(JourneyStep.CALL_DMP):
            _ask(running, dmp)


def ask_from_web(running: RunningPoste) -> None:
    """Ask as the Web PS does once the card opened it. Its session with the DMP is modelled: the card signs."""
    library = running.cryptolib()
    with running.step(JourneyStep.READ_CERTIFICATE):
        token = library.open(library.tokens()[0])
    try:
        with running.step(JourneyStep.SIGN):
            token.login(running.code)
            signer = TokenSigner(token, token.certificate("signature"))
        dmp = _connected(running, user_from(running.act().card.facts, signer, None))
        with running.step(JourneyStep.CALL_DMP):
            _ask(running, dmp)
    finally:
        token.close()


def _prove_by_engine(running: RunningPoste, token: CryptolibToken) -> None:
    """The tunnel's TLS: OpenSSL makes the hash, and asks the library to sign it as it is."""
    with running.step(JourneyStep.SIGN):
        token.sign_hash("authentication", running.scene.random.randbytes(_HASH))


def _connected(running: RunningPoste, user: LpsUser) -> DmpBench:
    dmp = running.scene.part(DmpBench)
    dmp.connect_user(running.act(), user)
    if dmp.line is not None and running.line:
        dmp.line.down = running.line.get("down") == "yes"
        dmp.line.latency = float(running.line.get("latency", "0"))
    return dmp


def _ask(running: RunningPoste, dmp: DmpBench) -> None:
    client = dmp.client
    client.clock = ShiftedClock(running.scene.bench.clock, running.clock_ahead)
    try:
        reply, _found = client.existence(dmp.patient)
    except UnreachableError as error:
        raise JourneyStoppedError("network", "UNREACHABLE", str(error)) from error
    if not reply.ok:
        who = "clock" if running.clock_ahead else "service-dmp"
        raise JourneyStoppedError(who, reply.code, reply.reason)
