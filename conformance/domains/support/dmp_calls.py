"""The DMP asked for a patient's record: from the software with the card's signature, or behind the Web PS."""

from __future__ import annotations

from dataclasses import dataclass, field

from bifente.conformance.domains.dmp.bench import DmpBench
from bifente.conformance.domains.dmp.signers import user_from
from bifente.conformance.domains.support.journeys import JourneyStep
from bifente.conformance.domains.support.running import RunningPoste
from bifente.conformance.domains.support.stopping import JourneyStoppedError
from bifente.simulator.middleware.cryptolib import CryptolibToken
from bifente.simulator.pki.judging import Chain
from bifente.simulator.software.lps.client import UnreachableError
from bifente.simulator.software.lps.identity import LpsUser


@dataclass(frozen=True, slots=True)
class TokenSigner:
    """A card as a signer, reached by the Cryptolib."""

    token: CryptolibToken
    certificate: bytes = field(repr=False)

    def sign(self, content: bytes) -> bytes:
        """Return the signature of a content. Raise CryptolibError."""
        return self.token.sign("signature", content)


def ask_from_software(running: RunningPoste) -> None:
    """Ask as a practice software does: the assertion signed by the card. Raise JourneyStoppedError."""
    from bifente.conformance.domains.support.tokens import token_of

    with token_of(running) as token:
        with running.step(JourneyStep.READ_CERTIFICATE):
            certificate = token.certificate("signature")
        user = user_from(running.act().card.facts, TokenSigner(token, certificate), None)
        _ask(running, user)


def ask_from_web(running: RunningPoste, chain: Chain) -> None:
    """Ask as the Web PS does once the card opened it. Its session with the DMP is modelled: the card signs."""
    from bifente.conformance.domains.support.tokens import BROWSER_BITS

    running.load("cryptolib", BROWSER_BITS)
    library = running.cryptolib()
    token = library.open(library.tokens()[0])
    try:
        token.login(running.code)
        user = user_from(running.act().card.facts, TokenSigner(token, token.certificate("signature")), None)
        _ask(running, user)
    finally:
        token.close()


def _ask(running: RunningPoste, user: LpsUser) -> None:
    dmp = running.scene.part(DmpBench)
    dmp.connect_user(running.act(), user)
    _shape(running, dmp)
    with running.step(JourneyStep.CALL_DMP):
        try:
            reply, _found = dmp.client.existence(dmp.patient)
        except UnreachableError as error:
            raise JourneyStoppedError("network", "UNREACHABLE", str(error)) from error
        if not reply.ok:
            raise JourneyStoppedError("service-dmp", reply.code, reply.reason)


def _shape(running: RunningPoste, dmp: DmpBench) -> None:
    """The line to the service as the workstation has it."""
    if dmp.line is not None:
        dmp.line.down = running.poste.get("network") == "down"
