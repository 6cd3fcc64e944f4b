"""TLS with the card: the bench calls a service that asks for a client certificate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

import httpx
from pydantic import Field
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.pki.certificates import Shown, identity
from bifente.conformance.domains.pki.part import By, PkiOfScene
from bifente.conformance.expectations import ChoiceMatcher, ValueMatcher
from bifente.conformance.scenario.step import CardStep, Observation, Observes
from bifente.ground.text import Text
from bifente.simulator.pki import subjects
from bifente.simulator.pki.authority import Branch, Pki
from bifente.simulator.pki.judging import authorities_of
from bifente.simulator.pki.refusals import CertificateRefusal, TlsAlert
from bifente.simulator.serving.calling import RefusedConnectionError
from bifente.simulator.serving.client_certificates import ClientCertificates, client_chain
from bifente.simulator.serving.handshake.calling import InProcessTls, server_look
from bifente.simulator.serving.handshake.card_key import CardSignatureError
from bifente.simulator.serving.handshake.front import TlsFront
from bifente.simulator.serving.handshake.primitives import drawing
from bifente.simulator.serving.handshake.terms import LPS, NEWEST_ALONE, PSS_ALONE, WEB, TlsTerms
from bifente.simulator.serving.tls import ServerIdentity

ACCEPTED, REFUSED, UNABLE = "accepted", "refused", "unable"
SERVERS: Mapping[str, TlsTerms] = {
    "lps": LPS,
    "web": WEB,
    "pss-alone": PSS_ALONE,
    "tls-1.3-alone": NEWEST_ALONE,
}
_BRANCHES: Mapping[str, tuple[Branch, ...]] = {
    "anybody": tuple(Branch),
    "persons": (Branch.PERSONNES,),
    "structures": (Branch.ORGANISATIONS,),
}
_ALERTS = frozenset({"none", *(alert.word for alert in TlsAlert)})
_REASONS = frozenset({"none", "card", "server", *(refusal.key for refusal in CertificateRefusal)})


async def _who(request: Request) -> Response:
    chain = client_chain(request.scope)
    return PlainTextResponse(subjects.told(chain[0].subject) if chain else "")


_APPLICATION = Starlette(routes=[Route("/", _who)])


class TlsConnect(CardStep):
    """Call a service by TLS with a certificate and the key in the card; the service judges who comes.

    ``unable``: the card, or the handshake, could not go so far that the certificate was judged.
    """

    name: ClassVar[str] = "tls-connect"
    title: ClassVar[Text] = Text("Se connecter en TLS avec la carte", "Connect by TLS with the card")
    shorthand: ClassVar[str] = "certificate"
    success: ClassVar[tuple[str, str]] = ("outcome", ACCEPTED)
    observes: ClassVar[Observes] = {
        "outcome": ChoiceMatcher(frozenset({ACCEPTED, REFUSED, UNABLE})),
        "alert": ChoiceMatcher(_ALERTS),
        "reason": ChoiceMatcher(_REASONS),
        "version": ValueMatcher(),
        "suite": ValueMatcher(),
        "who": ValueMatcher(),
        "said": ValueMatcher(),
    }

    certificate: Shown = Field(default="authentication", description="what is shown, and signed for by the card")
    server: Literal["lps", "web", "pss-alone", "tls-1.3-alone"] = Field(
        default="lps", description="what the service speaks: lps is TLS 1.2 as the DMP does, web 1.2 and 1.3"
    )
    accepts: Literal["anybody", "persons", "structures"] = Field(default="anybody", description="whom it lets in")
    revocation: By = Field(default="ocsp", description="how it asks for the status of a certificate")
    soft: bool = Field(default=False, description="whether it accepts a certificate whose status cannot be had")
    required: bool = Field(default=True, description="whether it insists on a certificate")
    impostor: bool = Field(default=False, description="whether the service itself shows a certificate of strangers")

    def run(self, act: Act) -> Observation:
        """Connect, and ask it who came."""
        pki = act.scene.part(PkiOfScene)
        judge = pki.judge(self.revocation, branches=_BRANCHES[self.accepts], soft=self.soft)
        clients = ClientCertificates(judge, self.required, "tls", act.scene.hear)
        front = TlsFront(self._identity(pki), clients, SERVERS[self.server])
        look = server_look(authorities_of(pki.authorities), pki.clock)
        try:
            shown = identity(act, act.host, self.certificate)
        except LookupError:
            said = Text("la carte ne donne pas son certificat", "the card does not give its certificate")
            return _told({"outcome": UNABLE, "alert": "none", "reason": "card", "said": said.en}, said)
        transport = InProcessTls(_APPLICATION, front, look, shown, WEB)
        try:
            with (
                drawing(act.scene.random.randbytes),
                httpx.Client(transport=transport, base_url="https://localhost") as caller,
            ):
                who = caller.get("/").text
        except RefusedConnectionError as refused:
            return _refused(refused)
        except CardSignatureError as error:
            said = error.text
            return _told({"outcome": UNABLE, "alert": "none", "reason": "card", "said": said.en}, said)
        assert transport.client is not None  # noqa: S101 - it shook hands
        version, suite = transport.client.version.word, transport.client.suite_name
        told = {"outcome": ACCEPTED, "alert": "none", "reason": "none", "version": version, "suite": suite, "who": who}
        return _told(told, Text(f"{version}, {who}", f"{version}, {who}"))

    def _identity(self, pki: PkiOfScene) -> ServerIdentity:
        if not self.impostor:
            return pki.server_identity
        foreign: Pki = pki.foreign
        return ServerIdentity.make(foreign, pki.workshop.keys, pki.clock.now())


def _refused(error: RefusedConnectionError) -> Observation:
    alert = TlsAlert(error.alert).word if error.alert is not None else "none"
    if error.refused is None:
        return _told({"outcome": UNABLE, "alert": alert, "reason": "server", "said": error.text.en}, error.text)
    reason, said = error.refused.refusal.key, error.refused.text
    return _told({"outcome": REFUSED, "alert": alert, "reason": reason, "said": said.en}, said)


def _told(values: Mapping[str, object], said: Text) -> Observation:
    return Observation(dict(values), (("TLS", said),))
