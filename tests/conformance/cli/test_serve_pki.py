"""``bifente serve --services pki,annuaire,mssante``: what it prints is what a software needs."""

from __future__ import annotations

import random
import smtplib
import ssl
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from conformance_cli import Cli
from cryptography import x509
from serving_bench import serving_bench

from bifente.conformance.bench.serving import ServingBench, services
from bifente.ground.clock import WallClock
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.services.pki import PkiService
from bifente.simulator.serving.calling import over_tls


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


def test_what_is_printed(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = cli("serve", "--services", "pki,annuaire,mssante", "--for", "0.1", "--out", "out", "--lang", "fr")
    said = ran.ok()
    assert f" {tmp_path}/out/igc-sante-test.pem" in said, "it is found from any folder"
    assert "Ctrl-C arrête" in ran.err
    for word in ("pki ocsp ", "annuaire api key ", "mssante smtp ", "ESANTE-API-KEY", "igc-sante-test.pem"):
        assert word in said
    found = x509.load_pem_x509_certificates((tmp_path / "out" / "igc-sante-test.pem").read_bytes())
    assert len(found) == 9


def test_an_unknown_service_is_the_users_mistake(cli: Cli) -> None:
    cli("serve", "--services", "annuair", "--for", "0.1").fails(2, "annuaire")


def test_what_the_pki_revokes_no_service_of_the_command_believes(tmp_path: Path) -> None:
    """Client certificate of an organisation at the provider: let in, then not, then again not for want of a status."""
    store, clock = KeyStore(), WallClock()
    with ExitStack() as stack:
        bench = serving_bench(store, tmp_path, stack, clock=clock)
        told = services()["psc"]()(bench)
        points = services()["pki"]()(bench).services[0]
        assert isinstance(points, PkiService)
        assert points in told.services, "faults find it, whichever of the two was named first"
        path = next(Path(value) for key, value in told.settings.items() if key.startswith("certificate of "))
        context = ssl.create_default_context(cafile=told.settings["ca"])
        context.load_cert_chain(path)

        def shown() -> int:
            with httpx.Client(verify=context, trust_env=False) as caller:
                return caller.get(told.settings["discovery"]).status_code

        assert shown() == 200
        points.suffer("pki-ocsp-down")
        assert shown() == 200, "the lists answer"
        points.suffer("pki-ocsp-down", "pki-crl-missing")
        with pytest.raises(httpx.TransportError, match=r"(?i)certificate.unknown"):
            shown()
        points.suffer()
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        asked = services()["pki"]()(bench)
        (told_at_end,) = asked.ended()
        assert "PKI-06" in told_at_end, "what services ask inside is not the software's asking"
        with httpx.Client(trust_env=False) as caller:
            caller.get(asked.settings["crl ACI-FO-PP-TEST"])
        assert asked.ended() == []
        points.set_state({"revoked": {"ACI-EL-ORG-TEST": [f"{certificate.serial_number:X}"]}})
        with pytest.raises(httpx.TransportError, match=r"(?i)certificate.revoked"):
            shown()


def test_each_answers_with_what_it_told(tmp_path: Path) -> None:
    store, clock = KeyStore(), WallClock()
    with ExitStack() as stack:
        bench = ServingBench(
            clock=clock,
            keys=store,
            pki=Pki(store),
            chance=random.SystemRandom(),
            folder=tmp_path,
            stack=stack,
            declare=lambda secret: None,
            hear=lambda passed: None,
        )
        told = {name: services()[name]()(bench).settings for name in ("pki", "annuaire", "mssante")}
        with httpx.Client(trust_env=False) as caller:
            found = x509.load_der_x509_crl(caller.get(told["pki"]["crl ACI-FO-PP-TEST"]).content)
            assert found.issuer.rfc4514_string().startswith("CN=TEST AC IGC-SANTE FORT PERSONNES")
        annuaire = told["annuaire"]
        trust = Path(annuaire["ca"]).read_bytes()
        url = f"{annuaire['url']}/Practitioner?family=TESTMEDECIN"
        with over_tls("https://127.0.0.1", trust, {annuaire["api key header"]: annuaire["api key"]}) as caller:
            assert caller.get(url).json()["total"] == 1
        with over_tls("https://127.0.0.1", trust) as caller:
            assert caller.get(url).status_code == 401
        host, _colon, port = told["mssante"]["smtp"].partition(":")
        with smtplib.SMTP(host, int(port)) as client:
            assert client.has_extn("starttls") or client.ehlo()[0] == 250
