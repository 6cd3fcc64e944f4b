"""The service on a real port with real TLS."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from cloud_tools import KEYS, Cloud
from cryptography import x509

from bifente.simulator.pki.authority import Pki
from bifente.simulator.serving.loopback import LoopbackServer, ServingError
from bifente.simulator.serving.tls import ServerIdentity


@pytest.fixture(scope="module")
def identity() -> ServerIdentity:
    return ServerIdentity.make(Pki(KEYS), KEYS, datetime.now(UTC))


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


@pytest.fixture
def server(cloud: Cloud, identity: ServerIdentity) -> Iterator[LoopbackServer]:
    with LoopbackServer(cloud.app, identity.context()) as server:
        yield server


def trusting(identity: ServerIdentity) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=identity.trust.decode())


def test_a_client_that_trusts_the_laboratory_gets_the_answer(
    cloud: Cloud, server: LoopbackServer, identity: ServerIdentity
) -> None:
    path = f"/fsv/1.40.14/ssv/LireConfig?terminalId={cloud.terminal.id}"
    with httpx.Client(verify=trusting(identity), trust_env=False) as client:
        for host in ("127.0.0.1", "localhost"):
            response = client.get(f"https://{host}:{server.port}{path}", headers=cloud.headers())
            assert response.status_code == 200
            assert response.content == cloud.call().content


def test_a_client_that_does_not_is_warned(server: LoopbackServer) -> None:
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(server.url, trust_env=False)


def test_plain_http_and_old_tls_get_nothing(server: LoopbackServer, identity: ServerIdentity) -> None:
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{server.port}/", trust_env=False)
    old = trusting(identity)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", server.port), 5) as plain, pytest.raises(ssl.SSLError):
        old.wrap_socket(plain, server_hostname="localhost")


def test_the_certificate_is_a_test_one_for_this_machine_only(identity: ServerIdentity) -> None:
    certificate = identity.chain[0]
    assert "TEST" in certificate.subject.rfc4514_string()
    assert "TEST" in certificate.issuer.rfc4514_string()
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


def test_no_key_is_left_on_disk(identity: ServerIdentity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    identity.context()
    assert not list(tmp_path.iterdir())


def test_it_listens_on_loopback_alone(server: LoopbackServer) -> None:
    listening = [
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{server.port:04X}")
    ]
    assert listening == [f"0100007F:{server.port:04X}"]


def test_a_busy_port_is_told_in_one_sentence(server: LoopbackServer, cloud: Cloud, identity: ServerIdentity) -> None:
    with pytest.raises(ServingError, match=rf"port {server.port} is taken: give another by --port, or 0"):
        LoopbackServer(cloud.app, identity.context(), server.port)


def test_many_at_once_get_an_answer_or_are_told_to_wait(
    cloud: Cloud, server: LoopbackServer, identity: ServerIdentity
) -> None:
    path = f"{server.url}/fsv/1.40.14/ssv/LireConfig?terminalId={cloud.terminal.id}"

    def call(number: int) -> set[int]:
        seen = set()
        with httpx.Client(verify=trusting(identity), trust_env=False) as client:
            for _ in range(20):
                seen.add(client.get(path, headers=cloud.headers()).status_code)
                if number == 0:
                    # Renewed under the others' feet: their token is one too old, and that is no error of ours.
                    cloud.token = cloud.terminal.renew_session(cloud.token)
        return seen

    with ThreadPoolExecutor(6) as pool:
        seen = set().union(*pool.map(call, range(6)))
    assert 200 in seen
    assert seen <= {200, 401, 503}
    assert len(cloud.recorder.asked) <= 120


def test_closed_it_answers_no_more(cloud: Cloud, identity: ServerIdentity) -> None:
    with LoopbackServer(cloud.app, identity.context()) as server:
        port = server.port
        assert server.alive
    assert not server.alive
    with pytest.raises(OSError, match=r"refused|Connection"):
        socket.create_connection(("127.0.0.1", port), 2)
