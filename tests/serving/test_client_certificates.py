"""A service that asks for client certificates: who comes in, who does not, by which alert, and what is told of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from certificates_bench import Laboratory, of_cps3
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bifente.ground.clock import VirtualClock
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.certificate_profiles import AUTHENTICATION, PRODUCT_CATEGORY, Validity
from bifente.simulator.pki.judging import CertificateJudge, Purpose, authorities_of
from bifente.simulator.pki.keystore import MemoryKeys
from bifente.simulator.pki.refusals import CertificateRefusal, CertificateRefusedError, TlsAlert
from bifente.simulator.serving.calling import RefusedConnectionError, in_process
from bifente.simulator.serving.client_certificates import ClientCertificates, client_chain
from bifente.simulator.serving.handshake.engine import TlsEngine, TlsError, TlsKeyError, TlsRefusedError
from bifente.simulator.serving.handshake.front import TlsFront
from bifente.simulator.serving.handshake.keys import SoftKey, TlsIdentity
from bifente.simulator.serving.handshake.terms import LPS, NEWEST_ALONE, PSS_ALONE, WEB, TlsTerms, TlsVersion
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.recording import Passed

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def lab() -> Laboratory:
    return Laboratory(VirtualClock(AT))


def judge_of(lab: Laboratory, **more: Any) -> CertificateJudge:
    return CertificateJudge(authorities_of(lab.pki), lab.clock, **more)


def shaken(
    lab: Laboratory,
    client: TlsIdentity | None,
    *,
    server: TlsTerms = WEB,
    terms: TlsTerms = WEB,
    required: bool = True,
    judge: CertificateJudge | None = None,
) -> tuple[TlsEngine, TlsEngine]:
    """Both sides once they agreed. Raises what a side raises; the other one has then heard the alert."""
    front = TlsFront(lab.server, ClientCertificates(judge or judge_of(lab), required), server)
    there = front.engine()
    here = TlsEngine.client("localhost", terms, judge_of(lab, purpose=Purpose.SERVER).judge_der, client)
    here.start()
    while said := here.take():
        try:
            there.feed(said)
        except TlsError as refused:
            answer = there.take()
            check_heard(here, answer, refused)
            raise
        if answer := there.take():
            here.feed(answer)
    return here, there


def check_heard(here: TlsEngine, answer: bytes, refused: TlsError) -> None:
    with pytest.raises(TlsError) as heard:
        here.feed(answer)
    assert heard.value.alert == refused.alert
    assert not heard.value.ours


@pytest.mark.parametrize(
    ("server", "version"), [(LPS, TlsVersion.TLS_1_2), (WEB, TlsVersion.TLS_1_3), (PSS_ALONE, TlsVersion.TLS_1_2)]
)
def test_a_card_comes_in(lab: Laboratory, server: TlsTerms, version: TlsVersion) -> None:
    card = lab.client(lab.card())
    here, there = shaken(lab, card, server=server)
    assert here.version is there.version is version
    assert there.presented == [card.chain[0].public_bytes(Encoding.DER)]
    here.write(b"x" * 100_000)
    there.feed(here.take())
    assert there.read() == b"x" * 100_000


@pytest.mark.parametrize(
    ("cipher", "suite"),
    [
        ("chacha20-poly1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
        ("aes128gcm", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("aes256gcm", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("aes256", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    ],
)
def test_the_four_suites_of_the_dmp(lab: Laboratory, cipher: str, suite: str) -> None:
    here, there = shaken(lab, lab.client(lab.card()), server=LPS, terms=replace(LPS, ciphers=(cipher,)))
    assert there.suite_name == suite
    for size in (0, 1, 15, 16, 40_000):
        there.write(bytes(size))
        if said := there.take():
            here.feed(said)
        assert here.read() == bytes(size)


def test_no_other_suite_is_spoken(lab: Laboratory) -> None:
    with pytest.raises(TlsError) as refused:
        shaken(lab, None, server=LPS, terms=replace(LPS, ciphers=("aes128",), macs=("sha256",)))
    assert refused.value.alert == TlsAlert.HANDSHAKE_FAILURE


def impostor(lab: Laboratory) -> TlsIdentity:
    """The same names under other keys."""
    return lab.structure(Pki(MemoryKeys()))


def marked_real(lab: Laboratory) -> TlsIdentity:
    made = lab.card()
    own = made.certificates["authentication"]
    issued = made.authority.issue(
        subject=own.subject,
        public_key=own.public_key(),  # type: ignore[arg-type]
        validity=Validity(date(2025, 1, 1), date(2027, 1, 1)),
        profile=AUTHENTICATION,
        private_extensions=[x509.UnrecognizedExtension(PRODUCT_CATEGORY, b"\x04\x01\x00")],
    )
    return TlsIdentity((issued,), lab.client(made).key)


WRONG: dict[str, tuple[Callable[[Laboratory], TlsIdentity | None], CertificateRefusal]] = {
    "nothing": (lambda lab: None, CertificateRefusal.MISSING),
    "signature certificate": (lambda lab: lab.client(lab.card(), "signature"), CertificateRefusal.WRONG_PURPOSE),
    "expired": (lambda lab: lab.client(lab.card("infirmier", lifecycle="expired")), CertificateRefusal.EXPIRED),
    "not yet valid": (
        lambda lab: lab.client(
            lab.card("pharmacien", certificates={"authentication": {"start": "2047-01-01", "end": "2049-12-31"}})
        ),
        CertificateRefusal.NOT_YET_VALID,
    ),
    "other authority": (impostor, CertificateRefusal.UNKNOWN_AUTHORITY),
    "said to be real": (marked_real, CertificateRefusal.REAL_PRODUCT),
    "server certificate": (
        lambda lab: TlsIdentity(lab.server.chain[:1], SoftKey(lab.keys.key("serving/server"))),
        CertificateRefusal.WRONG_PURPOSE,
    ),
}


@pytest.mark.parametrize("who", WRONG)
@pytest.mark.parametrize("server", [LPS, WEB], ids=["1.2", "1.3"])
def test_who_is_refused_and_by_which_alert(lab: Laboratory, who: str, server: TlsTerms) -> None:
    make, refusal = WRONG[who]
    with pytest.raises(TlsRefusedError) as refused:
        shaken(lab, make(lab), server=server)
    assert refused.value.refused.refusal is refusal
    wanted = refusal.alert
    if refusal is CertificateRefusal.MISSING and server is LPS:
        wanted = TlsAlert.HANDSHAKE_FAILURE
    assert refused.value.alert == wanted


def test_a_structure_is_refused_where_persons_are_wanted(lab: Laboratory) -> None:
    persons = CertificateJudge(authorities_of(lab.pki, branches=[Branch.PERSONNES]), lab.clock)
    structure = lab.structure()
    shaken(lab, structure)
    with_issuer = replace(structure, chain=(*structure.chain, *_organisations(lab)))
    with pytest.raises(TlsRefusedError) as refused:
        shaken(lab, with_issuer, judge=persons)
    assert refused.value.refused.refusal is CertificateRefusal.OTHER_BRANCH


def _organisations(lab: Laboratory) -> tuple[x509.Certificate, ...]:
    return (lab.pki.authority(CertificateLevel.ELEMENTAIRE, Branch.ORGANISATIONS).certificate,)


def test_the_key_must_be_that_of_the_certificate(lab: Laboratory) -> None:
    stolen = TlsIdentity(lab.client(lab.card("pharmacien")).chain, lab.client(lab.card()).key)
    for server in (LPS, WEB):
        with pytest.raises(TlsError):
            shaken(lab, stolen, server=server)


def test_a_certificate_expires_by_the_clock_of_the_bench() -> None:
    lab = Laboratory(VirtualClock(AT))
    card = lab.client(lab.card())
    shaken(lab, card)
    lab.clock.restart(datetime(2048, 1, 1, tzinfo=UTC))
    with pytest.raises(TlsError):
        shaken(lab, card)


def test_a_client_may_come_without_where_none_is_required(lab: Laboratory) -> None:
    _here, there = shaken(lab, None, required=False)
    assert there.shaken
    assert there.presented == []
    with pytest.raises(TlsRefusedError):
        shaken(lab, lab.client(lab.card(), "signature"), required=False)


def test_a_cps3_says_why_it_cannot(lab: Laboratory) -> None:
    card = of_cps3(lab.client(lab.card()))
    here, _there = shaken(lab, card, server=WEB)
    assert here.version is TlsVersion.TLS_1_2
    front = TlsFront(lab.server, ClientCertificates(judge_of(lab)), PSS_ALONE).engine()
    client = TlsEngine.client("localhost", WEB, None, card)
    client.start()
    front.feed(client.take())
    with pytest.raises(TlsKeyError, match="RSA-PSS") as unable:
        client.feed(front.take())
    assert "une CPS3 n'a pas RSA-PSS" in unable.value.text.fr
    with pytest.raises(TlsError) as refused:
        shaken(lab, card, server=NEWEST_ALONE)
    assert refused.value.alert == TlsAlert.PROTOCOL_VERSION


def test_a_client_looks_at_the_server_too(lab: Laboratory) -> None:
    other = Laboratory(VirtualClock(AT))
    other.pki = Pki(MemoryKeys())
    there = TlsFront(other.server).engine()
    here = TlsEngine.client("localhost", WEB, judge_of(lab, purpose=Purpose.SERVER).judge_der)
    here.start()
    there.feed(here.take())
    with pytest.raises(TlsRefusedError) as refused:
        here.feed(there.take())
    assert refused.value.refused.refusal is CertificateRefusal.UNKNOWN_AUTHORITY


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=400))
def test_noise_is_refused_in_words(noise: bytes) -> None:
    lab = Laboratory(VirtualClock(AT))
    for side in (TlsFront(lab.server).engine(), TlsEngine.client("localhost", WEB, None)):
        side.start()
        with pytest.raises(TlsError) as refused:
            _ended(side, noise)
        assert refused.value.text.fr != refused.value.text.en


def _ended(side: TlsEngine, said: bytes) -> None:
    side.feed(said)
    side.feed(b"")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=3))
def test_what_is_no_certificate_is_unreadable_or_missing(presented: list[bytes]) -> None:
    lab = Laboratory(VirtualClock(AT))
    with pytest.raises(CertificateRefusedError) as refused:
        judge_of(lab).judge_der(presented)
    expected = CertificateRefusal.UNREADABLE if presented else CertificateRefusal.MISSING
    assert refused.value.refusal is expected


# -- over sockets, by clients that we did not write ---------------------------------------------------------------


async def who(request: Request) -> Response:
    chain = client_chain(request.scope)
    tls = request.scope["extensions"]["tls"]
    return JSONResponse({"name": tls["client_cert_name"], "certificates": len(chain), "version": tls["tls_version"]})


APPLICATION = Starlette(routes=[Route("/who", who)])
HEARD: list[Passed] = []


@pytest.fixture(scope="module")
def files(lab: Laboratory, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clients")
    (folder / "ca.pem").write_bytes(lab.server.trust)
    for name, identity in {"good": lab.client(lab.card()), "signature": lab.client(lab.card(), "signature")}.items():
        assert isinstance(identity.key, SoftKey)
        key = identity.key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.pem").write_bytes(identity.chain[0].public_bytes(Encoding.PEM) + key)
    return folder


@pytest.fixture(scope="module", params=[LPS, WEB], ids=["1.2", "1.3"])
def served(lab: Laboratory, request: pytest.FixtureRequest) -> Iterator[LoopbackServer]:
    now = Laboratory(VirtualClock(datetime.now(UTC)))
    clients = ClientCertificates(judge_of(lab), peer="who", hear=HEARD.append)
    with LoopbackServer(APPLICATION, TlsFront(now.server, clients, request.param)) as server:
        server.version = request.param.newest  # type: ignore[attr-defined]
        yield server


def curl(served: LoopbackServer, files: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = ["curl", "-sS", "--disable", "--cacert", str(files / "ca.pem"), *more, f"{served.url}/who"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_curl_comes_in_with_a_card_certificate(served: LoopbackServer, files: Path, lab: Laboratory) -> None:
    HEARD.clear()
    done = curl(served, files, "--cert", str(files / "good.pem"))
    assert '"certificates":1' in done.stdout, done.stderr
    assert lab.card().template.national_id in done.stdout
    assert f'"version":{int(served.version)}' in done.stdout  # type: ignore[attr-defined]
    assert [(one.protocol, one.method) for one in HEARD] == [("tls", "handshake")]


@pytest.mark.parametrize(("certificate", "reason"), [("signature", "wrong-purpose"), (None, "missing")])
def test_curl_is_refused_with_the_alert_and_the_record_has_a_line(
    served: LoopbackServer, files: Path, certificate: str | None, reason: str
) -> None:
    HEARD.clear()
    done = curl(served, files, *(["--cert", str(files / f"{certificate}.pem")] if certificate else []))
    assert done.returncode in {35, 56}
    assert "alert" in done.stderr
    assert done.stdout == ""
    (told,) = HEARD
    assert told.line.startswith("alert ")
    assert told.line.partition(" ")[2].partition(" ")[2] in done.stderr
    assert ("reason", reason) in told.headers


def test_gnutls_and_openssl_come_in(served: LoopbackServer, files: Path) -> None:
    pem, ca = str(files / "good.pem"), str(files / "ca.pem")
    said = "GET /who HTTP/1.0\r\n\r\n"
    openssl = ["openssl", "s_client", "-connect", f"127.0.0.1:{served.port}", "-CAfile", ca, "-cert", pem]
    done = subprocess.run([*openssl, "-ign_eof"], input=said, capture_output=True, text=True, check=False, timeout=120)
    assert "Verify return code: 0 (ok)" in done.stdout
    assert '"certificates":1' in done.stdout
    gnutls = ["gnutls-cli", "--x509cafile", ca, "--x509certfile", pem, "--x509keyfile", pem, "-p", str(served.port)]
    done = subprocess.run([*gnutls, "localhost"], input=said, capture_output=True, text=True, check=False, timeout=120)
    assert "The certificate is trusted" in done.stdout
    assert "Handshake was completed" in done.stdout


@pytest.mark.parametrize("name", ["127.0.0.1", "::1", "bench_host", "localhost", "localhost."])
def test_a_server_name_that_no_dns_has_chooses_nothing(served: LoopbackServer, files: Path, name: str) -> None:
    pem, ca = str(files / "good.pem"), str(files / "ca.pem")
    openssl = ["openssl", "s_client", "-connect", f"127.0.0.1:{served.port}", "-CAfile", ca, "-cert", pem]
    done = subprocess.run(
        [*openssl, "-servername", name, "-ign_eof"],
        input="GET /who HTTP/1.0\r\n\r\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert '"certificates":1' in done.stdout, done.stderr


def test_in_process_the_judgement_is_the_same(lab: Laboratory) -> None:
    told: list[Passed] = []
    clients = ClientCertificates(judge_of(lab), peer="who", hear=told.append)
    made = lab.card()
    with in_process(APPLICATION, clients=clients, presented=(made.certificates["authentication"],)) as caller:
        assert caller.get("/who").json()["certificates"] == 1
    with in_process(APPLICATION, clients=clients, presented=(made.certificates["signature"],)) as caller:
        with pytest.raises(RefusedConnectionError) as refused:
            caller.get("/who")
        assert refused.value.alert is TlsAlert.UNSUPPORTED_CERTIFICATE
    with in_process(APPLICATION, clients=clients) as caller, pytest.raises(RefusedConnectionError):
        caller.get("/who")
    assert [one.line.partition(" ")[0] for one in told] == ["handshake", "alert", "alert"]


def test_each_request_shows_the_certificate_of_its_own_client(lab: Laboratory) -> None:
    seen: list[tuple[x509.Certificate, ...]] = []

    async def heard(request: Request) -> Response:
        seen.append(client_chain(request.scope))
        return Response()

    application = Starlette(routes=[Route("/", heard)])
    made = lab.card().certificates
    shown = [made["authentication"], made["signature"], made["authentication"]]
    for one in shown:
        with in_process(application, presented=(one,)) as caller:
            caller.get("/")
    assert seen == [(one,) for one in shown]
    for broken in ("", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"):
        for _ in range(2):
            with pytest.raises(ValueError, match=r"."):
                client_chain({"extensions": {"tls": {"client_cert_chain": [broken]}}})


def test_every_refusal_has_a_sentence_in_both_languages_and_an_alert() -> None:
    for refusal in CertificateRefusal:
        assert refusal.text.fr != refusal.text.en
        assert isinstance(refusal.alert, TlsAlert)
    assert len({refusal.key for refusal in CertificateRefusal}) == len(CertificateRefusal)


def test_a_certificate_signed_by_a_card_is_no_certificate(lab: Laboratory) -> None:
    """What an end certificate signs is not believed: it is no authority."""
    made = lab.card()
    key = lab.key(made)
    forged = (
        x509.CertificateBuilder()
        .subject_name(made.certificates["authentication"].subject)
        .issuer_name(made.certificates["authentication"].subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2025, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    with pytest.raises(CertificateRefusedError) as refused:
        judge_of(lab).judge([forged, made.certificates["authentication"], *made.chain])
    assert refused.value.refusal is CertificateRefusal.UNKNOWN_AUTHORITY


def test_who_was_let_in_once_opens_to_nobody_else(lab: Laboratory) -> None:
    """What is remembered of two certificates is of these two: not of one that differs, nor for other authorities."""
    (good,), strangers = lab.structure().chain, Pki(MemoryKeys())
    (foreign,) = lab.structure(strangers).chain
    der = good.public_bytes(Encoding.DER)
    tampered = x509.load_der_x509_certificate(der[:-1] + bytes([der[-1] ^ 1]))
    theirs = CertificateJudge(authorities_of(strangers), lab.clock)
    for _ in range(2):
        assert judge_of(lab).judge([good])[0] == good
        assert theirs.judge([foreign])[0] == foreign
        for judge, refused in ((judge_of(lab), foreign), (judge_of(lab), tampered), (theirs, good)):
            with pytest.raises(CertificateRefusedError) as told:
                judge.judge([refused])
            assert told.value.refusal is CertificateRefusal.UNKNOWN_AUTHORITY
    clock = VirtualClock(datetime(2031, 1, 1, tzinfo=UTC))
    with pytest.raises(CertificateRefusedError) as late:
        replace(judge_of(lab), clock=clock).judge([good])
    assert late.value.refusal is CertificateRefusal.EXPIRED
