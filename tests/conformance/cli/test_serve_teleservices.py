"""``bifente serve --services``: what it prints works, what it cannot serve is said."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from conformance_cli import Cli
from cryptography import x509

from bifente.conformance import domain
from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.serving import ServingDesk
from bifente.conformance.cli.teleservices import serve_teleservices
from bifente.conformance.domain import Domain, DomainError
from bifente.ground.text import Text


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


def test_the_list_names_each_service(cli: Cli) -> None:
    assert "pki " in cli("serve", "--services", "list").ok()


@pytest.mark.parametrize("names", ["pkl", "pki,nothing", " , "])
def test_an_unknown_service_is_the_users_mistake(cli: Cli, names: str) -> None:
    cli("serve", "--services", names, "--for", "0.1").fails(2, "--services")


def test_what_is_printed_is_in_a_file_of_this_user_alone(cli: Cli, tmp_path: Path) -> None:
    said = cli("serve", "--services", "pki", "--for", "0.1", "--out", tmp_path / "out").ok()
    path = tmp_path / "out" / "configuration.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told["pki"]["ocsp"] in said
    assert path.stat().st_mode & 0o077 == 0
    found = x509.load_pem_x509_certificates(Path(told["pki"]["authorities"]).read_bytes())
    assert len(found) == 9


def test_it_answers_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lists: list[x509.CertificateRevocationList] = []

    def looked(desk: ServingDesk, seconds: float | None) -> None:
        told = json.loads((desk.folder / "configuration.json").read_text(encoding="utf-8"))
        with httpx.Client(trust_env=False) as caller:
            lists.append(x509.load_der_x509_crl(caller.get(told["pki"]["crl-aci-fo-pp-test"]).content))
        assert not desk.dead()

    monkeypatch.setattr("bifente.conformance.cli.teleservices._wait", looked)
    serve_teleservices("pki", 0, None, tmp_path / "out", None, None, "fr")
    assert lists[0].issuer.rfc4514_string().startswith("CN=TEST AC IGC-SANTE FORT PERSONNES")


def test_two_domains_may_not_serve_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Domain(name="one", title=Text("un", "one"), services={"x": "m:f"})
    other = Domain(name="other", title=Text("deux", "two"), services={"x": "m:f"})
    monkeypatch.setattr(domain, "domains", lambda: (one, other))
    with pytest.raises(DomainError, match="both serve 'x'"):
        domain.services()


def test_ports_follow_each_other() -> None:
    desk = ServingDesk(None, Path(), Workshop.default(), None, print, print, 8443)  # type: ignore[arg-type]
    assert [desk.next_port() for _ in range(3)] == [8443, 8444, 8445]
    free = ServingDesk(None, Path(), Workshop.default(), None, print, print)  # type: ignore[arg-type]
    assert [free.next_port() for _ in range(2)] == [0, 0]
