"""The bench as a client whose key is in a card: what it opens, and why it does not."""

from __future__ import annotations

import random
import re
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from certificates_bench import Laboratory
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bifente.conformance.model import CardChoice
from bifente.ground.clock import VirtualClock
from bifente.simulator.cards.dialogue import Dialogue, Exchanged
from bifente.simulator.cards.families import host_for
from bifente.simulator.iso7816.card import Card
from bifente.simulator.pki.judging import CertificateJudge, Purpose, authorities_of
from bifente.simulator.pki.refusals import CertificateRefusal, TlsAlert
from bifente.simulator.serving.calling import RefusedConnectionError
from bifente.simulator.serving.client_certificates import ClientCertificates, client_chain
from bifente.simulator.serving.handshake.calling import over_own_tls, server_look, shaken_in_process
from bifente.simulator.serving.handshake.card_key import CardSignatureError, card_identity
from bifente.simulator.serving.handshake.front import TlsFront
from bifente.simulator.serving.handshake.keys import TlsIdentity
from bifente.simulator.serving.handshake.terms import LPS, NEWEST_ALONE, PSS_ALONE, WEB, TlsTerms
from bifente.simulator.serving.loopback import LoopbackServer

BOTH = pytest.mark.parametrize("family", ["cps3", "cps4"])


class Direct:
    """A line to a card of this process."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self.atr = card.power_on()

    def transmit(self, command: bytes) -> bytes:
        return self._card.transmit(command)

    def reset(self, *, cold: bool) -> bytes:
        return self._card.reset()

    def begin(self) -> None: ...

    def end(self) -> None: ...

    def disconnect(self) -> None: ...


class Seat:
    """A card with its code given, or not, and what passed."""

    def __init__(self, lab: Laboratory, family: str, code: str | None = "1234") -> None:
        made = lab.workshop.make(
            CardChoice(template="medecin-generaliste", family=family), random.Random(1), at=lab.clock.now()
        )
        self.sent: list[Exchanged] = []
        assert made.smart is not None
        self.host = host_for(Dialogue(Direct(made.smart), self.sent.append), made.layout)
        self.host.open()
        if code is not None:
            self.host.verify(made.layout.secrets["pin"].reference, code.encode())
        self.certificates = made.facts["certificates"]

    def identity(self, role: str = "authentication") -> TlsIdentity:
        return card_identity(self.host, self.certificates[role], role)

    @property
    def signatures(self) -> int:
        """How many private operations were asked for."""
        return sum(one.command[1:4] in {b"\x88\x00\x00", b"\x2a\x9e\x9a", b"\x2a\x80\x86"} for one in self.sent)


async def who(request: Request) -> Response:
    return PlainTextResponse(client_chain(request.scope)[0].subject.rfc4514_string())


APPLICATION = Starlette(routes=[Route("/who", who)])


@pytest.fixture(scope="module")
def lab() -> Laboratory:
    return Laboratory(VirtualClock(datetime.now(UTC)))


def front(lab: Laboratory, terms: TlsTerms) -> TlsFront:
    return TlsFront(lab.server, ClientCertificates(CertificateJudge(authorities_of(lab.pki), lab.clock)), terms)


@BOTH
@pytest.mark.parametrize("terms", [LPS, WEB], ids=["lps", "web"])
def test_a_card_opens_a_service_by_one_signature(lab: Laboratory, family: str, terms: TlsTerms) -> None:
    seat = Seat(lab, family)
    look = server_look(authorities_of(lab.pki), lab.clock)
    with shaken_in_process(APPLICATION, front(lab, terms), look, seat.identity()) as caller:
        for _call in range(3):
            assert caller.get("/who").text.startswith("2.5.4.4=")
    assert seat.signatures <= 2 if family == "cps4" else seat.signatures == 1


@BOTH
def test_the_same_over_a_socket(lab: Laboratory, family: str) -> None:
    seat = Seat(lab, family)
    look = server_look(authorities_of(lab.pki), lab.clock, "127.0.0.1")
    with LoopbackServer(APPLICATION, front(lab, WEB)) as server:
        with over_own_tls(server.url, look, seat.identity()) as caller:
            assert [caller.get("/who").status_code for _ in range(3)] == [200, 200, 200]
        with over_own_tls(server.url, look, seat.identity("signature")) as caller:
            with pytest.raises(httpx.ConnectError) as refused:
                caller.get("/who")
            assert isinstance(refused.value, RefusedConnectionError)
            assert refused.value.alert == TlsAlert.UNSUPPORTED_CERTIFICATE
        with over_own_tls(server.url, server_look(authorities_of(lab.pki), lab.clock, "autre.test")) as caller:
            with pytest.raises(RefusedConnectionError) as wrong:
                caller.get("/who")
            assert wrong.value.refused is not None
            assert wrong.value.refused.refusal is CertificateRefusal.WRONG_NAME


@BOTH
def test_without_the_holder_code_the_card_does_not_sign(lab: Laboratory, family: str) -> None:
    seat = Seat(lab, family, code=None)
    with (
        shaken_in_process(APPLICATION, front(lab, LPS), None, seat.identity()) as caller,
        pytest.raises(CardSignatureError, match="holder code was not given") as refused,
    ):
        caller.get("/who")
    assert refused.value.sw == 0x6982


@pytest.mark.parametrize(
    ("terms", "said", "alert"),
    [(PSS_ALONE, "RSA-PSS", TlsAlert.HANDSHAKE_FAILURE), (NEWEST_ALONE, "TLS 1.2", TlsAlert.PROTOCOL_VERSION)],
    ids=["pss", "1.3"],
)
def test_what_a_cps3_cannot_do_a_cps4_can(lab: Laboratory, terms: TlsTerms, said: str, alert: TlsAlert) -> None:
    old = Seat(lab, "cps3")
    with shaken_in_process(APPLICATION, front(lab, terms), None, old.identity()) as caller:
        with pytest.raises(RefusedConnectionError, match="CPS3") as refused:
            caller.get("/who")
        assert said in refused.value.text.fr
        assert refused.value.alert == alert
    assert old.signatures == 0
    with shaken_in_process(APPLICATION, front(lab, terms), None, Seat(lab, "cps4").identity()) as caller:
        assert caller.get("/who").status_code == 200


@contextmanager
def openssl_server(lab: Laboratory, folder: Path, *options: str) -> Iterator[int]:
    """``openssl s_server`` that demands a certificate of the laboratory."""
    shown = b"".join(one.public_bytes(Encoding.PEM) for one in lab.server.chain[:-1])
    (folder / "server.pem").write_bytes(shown + lab.server.key)
    known = authorities_of(lab.pki)
    (folder / "cas.pem").write_bytes(
        b"".join(one.public_bytes(Encoding.PEM) for one in (*known.roots, *known.authorities))
    )
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", "-Verify", "3", "-verify_return_error"]
    files = ["-cert", "server.pem", "-cert_chain", "server.pem", "-CAfile", "cas.pem"]
    with subprocess.Popen([*command, *files, *options], cwd=folder, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = b""
        while (found := re.search(rb"ACCEPT \S+:(\d+)\n", said)) is None:
            assert select.select([process.stdout], [], [], 20)[0], said
            said += process.stdout.read1()  # type: ignore[attr-defined]
        try:
            yield int(found[1])
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("family", "option"),
    [("cps3", "-tls1_2"), ("cps4", "-tls1_2"), ("cps4", "-tls1_3")],
)
def test_a_server_of_openssl_lets_the_card_in(lab: Laboratory, tmp_path: Path, family: str, option: str) -> None:
    seat = Seat(lab, family)
    look = server_look(authorities_of(lab.pki), lab.clock, "127.0.0.1")
    with openssl_server(lab, tmp_path, option) as port:
        with over_own_tls(f"https://127.0.0.1:{port}", look, seat.identity()) as caller:
            page = caller.get("/").text
        assert "s_server" in page
        with over_own_tls(f"https://127.0.0.1:{port}", look, seat.identity("signature")) as caller:
            with pytest.raises(RefusedConnectionError) as refused:
                caller.get("/")
            assert refused.value.alert == TlsAlert.UNSUPPORTED_CERTIFICATE


def test_a_server_of_openssl_that_insists_is_explained(lab: Laboratory, tmp_path: Path) -> None:
    look = server_look(authorities_of(lab.pki), lab.clock, "127.0.0.1")
    for options, said in (
        (("-tls1_3",), r"TLS 1\.2 alone"),
        (("-tls1_2", "-client_sigalgs", "RSA-PSS+SHA256"), "RSA-PSS"),
    ):
        with (
            openssl_server(lab, tmp_path, *options) as port,
            over_own_tls(f"https://127.0.0.1:{port}", look, Seat(lab, "cps3").identity()) as caller,
            pytest.raises(RefusedConnectionError, match=said),
        ):
            caller.get("/")


def test_purposes_are_told_apart(lab: Laboratory) -> None:
    made = lab.card()
    signing = CertificateJudge(authorities_of(lab.pki), lab.clock, Purpose.SIGNATURE)
    assert signing.judge([made.certificates["signature"]])[0] == made.certificates["signature"]
