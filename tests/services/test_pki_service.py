"""The points of the PKI, judged by OpenSSL and curl: valid, revoked, expired, of another authority, wrong use."""

from __future__ import annotations

import subprocess
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from certificates_bench import Laboratory
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bifente.ground.clock import VirtualClock
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki, Publication
from bifente.simulator.pki.certificate_profiles import AUTHENTICATION, Validity
from bifente.simulator.pki.judging import CertificateJudge, authorities_of
from bifente.simulator.pki.keystore import OtherKeys
from bifente.simulator.pki.revocation import OcspSource
from bifente.simulator.services.pki import Incident, PkiService, PkiTrouble
from bifente.simulator.serving.calling import in_process
from bifente.simulator.serving.client_certificates import ClientCertificates
from bifente.simulator.serving.fetching import fetching
from bifente.simulator.serving.handshake.front import TlsFront
from bifente.simulator.serving.handshake.terms import LPS
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.service import ServiceError

FORT = (CertificateLevel.FORT, Branch.PERSONNES)


class Points:
    """The PKI on a port, and certificates whose status it gives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = datetime.now(UTC)
        self.lab = Laboratory(VirtualClock(self.now))
        self.service = PkiService(self.lab.pki, Pki(OtherKeys(self.lab.keys, "foreign")), self.lab.clock)
        self.server = LoopbackServer(self.service.application, None)
        self.pki = Pki(self.lab.keys, Publication(web=self.server.url, ocsp=f"{self.server.url}/ocsp"))
        self.service.pki = self.pki
        self.authority = self.pki.authority(*FORT)
        self.keys: dict[str, str] = {}
        pems = [one.public_bytes(Encoding.PEM) for one in self.authority.chain]
        (folder / "issuer.pem").write_bytes(pems[0])
        (folder / "chain.pem").write_bytes(b"".join(pems))
        (folder / "root.pem").write_bytes(pems[-1])
        self.good = self.certificate("good")
        self.revoked = self.certificate("revoked")
        self.expired = self.certificate("expired", Validity(date(2020, 1, 1), date(2021, 1, 1)))
        self.other = self.certificate("other", pki=Pki(OtherKeys(self.lab.keys, "foreign")))
        self.service.register.revoke(
            self.authority, [self.revoked.serial_number], self.now - timedelta(days=2), Incident.STOLEN.reason
        )

    def certificate(self, name: str, validity: Validity | None = None, pki: Pki | None = None) -> x509.Certificate:
        key = self.lab.keys.key(f"test/{name}")
        today = self.now.date()
        made = (
            (pki or self.pki)
            .authority(*FORT)
            .issue(
                subject=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"TEST {name}")]),
                public_key=key.public_key(),
                validity=validity or Validity(today - timedelta(days=30), today + timedelta(days=30)),
                profile=AUTHENTICATION,
            )
        )
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / f"{name}.pem").write_bytes(made.public_bytes(Encoding.PEM) + pem)
        return made

    def openssl(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["openssl", *command], cwd=self.folder, capture_output=True, text=True, check=False, timeout=120
        )

    def ocsp(self, name: str, *more: str) -> str:
        asked = ("ocsp", "-issuer", "issuer.pem", "-cert", f"{name}.pem", "-CAfile", "chain.pem")
        done = self.openssl(*asked, "-url", f"{self.server.url}/ocsp", *more)
        return done.stdout + done.stderr

    def verify(self, name: str, *more: str) -> str:
        done = self.openssl(
            "verify", "-crl_check", "-CRLfile", "list.pem", "-CAfile", "chain.pem", "-purpose", "sslclient", *more,
            f"{name}.pem",
        )  # fmt: skip
        return done.stdout + done.stderr

    def fetch_list(self, name: str = "list.pem", delta: str = "") -> None:
        url = f"{self.server.url}/CRL/{self.authority.stem}{delta}.crl"
        subprocess.run(
            ["curl", "-sS", "--disable", "-f", "-o", "list.der", url], cwd=self.folder, check=True, timeout=120
        )
        assert self.openssl("crl", "-inform", "DER", "-in", "list.der", "-out", name).returncode == 0


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Points]:
    made = Points(tmp_path_factory.mktemp("pki"))
    yield made
    made.server.close()


@pytest.fixture(autouse=True)
def sound(points: Points) -> Iterator[None]:
    yield
    points.service.suffer()


def test_openssl_ocsp_tells_good_from_revoked(points: Points) -> None:
    said = points.ocsp("good")
    assert "good.pem: good" in said
    assert "Response verify OK" in said
    assert "WARNING: no nonce" not in said
    said = points.ocsp("revoked")
    assert "revoked.pem: revoked" in said
    assert "Reason: keyCompromise" in said
    assert "Response verify OK" in said


def test_openssl_ocsp_does_not_believe_a_stranger(points: Points) -> None:
    points.service.suffer(PkiTrouble.OCSP_FOREIGN)
    assert "Response Verify Failure" in points.ocsp("revoked")
    points.service.suffer(PkiTrouble.OCSP_STALE)
    assert "WARNING: Status times invalid" in points.ocsp("revoked")
    points.service.suffer(PkiTrouble.OCSP_TRY_LATER)
    assert "trylater" in points.ocsp("good")
    points.service.suffer(PkiTrouble.OCSP_DOWN)
    assert "503" in points.ocsp("good")
    points.service.suffer(PkiTrouble.OCSP_UNKNOWN)
    assert "good.pem: unknown" in points.ocsp("good")


def test_openssl_ocsp_of_another_authority_is_unauthorized(points: Points) -> None:
    foreign = Pki(OtherKeys(points.lab.keys, "foreign")).authority(*FORT).certificate
    (points.folder / "foreign.pem").write_bytes(foreign.public_bytes(Encoding.PEM))
    asked = ("ocsp", "-issuer", "foreign.pem", "-cert", "other.pem", "-CAfile", "chain.pem")
    done = points.openssl(*asked, "-url", f"{points.server.url}/ocsp")
    assert "unauthorized" in done.stdout + done.stderr


def test_openssl_verify_with_the_list(points: Points) -> None:
    points.fetch_list()
    assert "good.pem: OK" in points.verify("good")
    assert "certificate revoked" in points.verify("revoked")
    assert "certificate has expired" in points.verify("expired")
    assert "unable to get local issuer" in points.verify("other") or "signature failure" in points.verify("other")
    signature = points.lab.card().certificates["signature"]
    (points.folder / "signature.pem").write_bytes(signature.public_bytes(Encoding.PEM))
    assert "unsupported certificate purpose" in points.verify("signature") or "unsuitable" in points.verify("signature")


def test_openssl_refuses_a_stale_or_foreign_list(points: Points) -> None:
    points.service.suffer(PkiTrouble.CRL_STALE)
    points.fetch_list()
    assert "CRL has expired" in points.verify("good")
    points.service.suffer(PkiTrouble.CRL_FOREIGN)
    points.fetch_list()
    said = points.verify("good")
    assert "good.pem: OK" not in said
    assert "CRL signature failure" in said or "unable to get certificate CRL" in said


def test_openssl_uses_the_delta_list(points: Points) -> None:
    late = points.certificate("late")
    moment = points.service.register.published(points.now, points.service.register.day) + timedelta(seconds=1)
    points.service.register.revoke(points.authority, [late.serial_number], moment, Incident.LOST.reason)
    points.lab.clock.restart(moment + timedelta(hours=2))
    points.fetch_list("list.pem")
    text = points.openssl("crl", "-in", "list.pem", "-noout", "-text").stdout
    assert f"{late.serial_number:X}" not in text.replace(":", "")
    points.fetch_list("delta.pem", "-delta")
    text = points.openssl("crl", "-in", "delta.pem", "-noout", "-text").stdout
    assert "Delta CRL Indicator: critical" in text
    assert f"{late.serial_number:X}" in text.replace(":", "")
    points.lab.clock.restart(points.now)


def test_issuer_and_ocsp_by_get(points: Points) -> None:
    with in_process(points.service.application) as caller:
        der = caller.get(f"/AC%20TEST/{points.authority.stem}.cer")
        assert x509.load_der_x509_certificate(der.content) == points.authority.certificate
        request = ocsp.OCSPRequestBuilder().add_certificate(
            points.revoked, points.authority.certificate, hashes.SHA256()
        )
        encoded = b64encode(request.build().public_bytes(Encoding.DER)).decode().replace("/", "%2F").replace("+", "%2B")
        answer = ocsp.load_der_ocsp_response(caller.get(f"/ocsp/{encoded}").content)
        assert answer.certificate_status is ocsp.OCSPCertStatus.REVOKED
        assert answer.produced_at_utc == points.now.replace(microsecond=0)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(["POST /", "POST /ocsp", "GET /ocsp/", "GET /CRL/", "GET /AC/"]))
def test_no_request_breaks_it(noise: bytes, where: str) -> None:
    lab = Laboratory(VirtualClock())
    service = PkiService(lab.pki, lab.pki, lab.clock)
    method, _space, path = where.partition(" ")
    with in_process(service.application) as caller:
        if method == "POST":
            answer = caller.post(path, content=noise)
            assert answer.status_code == 200
            assert ocsp.load_der_ocsp_response(answer.content).response_status.name == "MALFORMED_REQUEST"
        else:
            assert caller.get(path + noise.hex()).status_code < 500


def test_state_is_told_and_set(points: Points) -> None:
    stem = points.authority.stem
    points.service.set_state({"revoked": {stem: ["0ABC"]}})
    assert points.service.state()["revoked"][stem]["ABC"] == "unspecified"
    mistakes: tuple[dict[str, Any], ...] = (
        {"x": 1},
        {"revoked": 1},
        {"revoked": {"nobody": []}},
        {"revoked": {stem: ["zz"]}},
    )
    for wrong in mistakes:
        with pytest.raises(ServiceError, match=r"^pki: "):
            points.service.set_state(wrong)


def test_curl_is_refused_as_the_responder_says(points: Points) -> None:
    """The chain of the whole: curl, TLS, the judge, OCSP over HTTP."""
    lab = points.lab
    with httpx.Client(trust_env=False) as caller:
        judge = CertificateJudge(
            authorities_of(points.pki), lab.clock, revocation=OcspSource(fetching(caller, lab.clock))
        )
        application = Starlette(routes=[Route("/", lambda request: PlainTextResponse("in"))])
        (points.folder / "ca.pem").write_bytes(lab.server.trust)
        with LoopbackServer(application, TlsFront(lab.server, ClientCertificates(judge), LPS)) as server:

            def curl(name: str) -> str:
                command = ["curl", "-sSv", "--disable", "--cacert", "ca.pem", "--cert", f"{name}.pem", server.url]
                done = subprocess.run(
                    command, cwd=points.folder, capture_output=True, text=True, check=False, timeout=120
                )
                return done.stdout + done.stderr

            assert curl("good").startswith("in")
            assert "(IN), TLS alert, certificate revoked" in curl("revoked")
            assert "(IN), TLS alert, certificate expired" in curl("expired")
            assert "(IN), TLS alert, unknown CA" in curl("other")
            points.service.suffer(PkiTrouble.OCSP_DOWN)
            assert "(IN), TLS alert, certificate unknown" in curl("good")
