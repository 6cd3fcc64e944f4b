"""TLS client authentication: an unmodified server and unmodified clients, the key in the card."""

from __future__ import annotations

import ipaddress
import re
import select
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from clients_bench import AUT_ID, PIN, Bench, Done, opensc_module, shared_object, tool, write_pem
from conftest import CardMaker
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

pytestmark = pytest.mark.timeout(60)

AUTHENTICATE = "00880000"
KEY = "pkcs11:object=CPS_PRIV_AUT;type=private"
CERTIFICATE = "pkcs11:id=%" + "%".join(re.findall("..", AUT_ID)) + ";type=cert"
REQUEST = "GET / HTTP/1.0\r\n\r\n"
# The card has no RSA-PSS: a server for it offers PKCS#1 signatures.
PKCS1 = ("-tls1_2", "-client_sigalgs", "RSA+SHA256")


class Server:
    """A real ``openssl s_server`` that demands a certificate, and shows in its page which one it got."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [tool("openssl"), "s_server", "-accept", "127.0.0.1:0", "-www", "-Verify", "3"]
        trust = ["-verify_return_error", "-cert", "server.pem", "-key", "server.key", "-CAfile", "chain.pem"]
        self._process = subprocess.Popen(
            [*command, *trust, *options],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        try:
            self.port = self._port()
        except BaseException:
            self.close()
            raise

    def _port(self) -> str:
        assert self._process.stdout is not None
        deadline, said = time.monotonic() + 10, b""
        while (found := re.search(rb"ACCEPT \S+:(\d+)\n", said)) is None:
            assert select.select([self._process.stdout], [], [], max(0, deadline - time.monotonic()))[0], said
            chunk = self._process.stdout.read1()  # type: ignore[attr-defined]
            assert chunk, said
            said += chunk
        return found[1].decode()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@pytest.fixture(scope="module")
def folder(make: CardMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A server's key, certificate, trusted chain and revocation list, and the settings of OpenSSL's engine."""
    folder = tmp_path_factory.mktemp("tls")
    now = datetime.now(UTC)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    write_pem(folder / "server.pem", certificate)
    (folder / "server.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    practitioner, revoked = make().made, make("pharmacien", lifecycle="revoked").made
    write_pem(folder / "chain.pem", *practitioner.chain)
    assert practitioner.authority is revoked.authority
    (folder / "crl.pem").write_bytes(revoked.authority.crl(revoked.revocations, at=now).public_bytes(Encoding.PEM))
    (folder / "openssl.cnf").write_text(
        "openssl_conf = start\n[start]\nengines = engines\n[engines]\npkcs11 = pkcs11\n"
        f"[pkcs11]\nengine_id = pkcs11\nMODULE_PATH = {opensc_module()}\ninit = 0\n",
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """TLS 1.2, PKCS#1 signatures, revocation checked."""
    with Server(folder, *PKCS1, "-crl_check", "-CRL", "crl.pem") as server:
        yield server


class Caller:
    """Calls a server with the certificate and key of the card in the reader."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench, self.folder = bench, folder
        self.shown: x509.Certificate | None = None
        """The certificate to show; that of the card unless set."""

    def _certificate(self) -> Path:
        own = self.bench.seated.made.certificates["authentication"]
        return write_pem(self.folder / "card.pem", self.shown or own)

    def _call(self, command: list[str | Path], text: str = "") -> Done:
        shared_object("OpenSSL's PKCS#11 engine", "libengine-pkcs11-openssl", "*/engines-*/pkcs11.so")
        return self.bench.run(command, text=text, env={"OPENSSL_CONF": str(self.folder / "openssl.cnf")})

    def s_client(self, server: Server, *options: str) -> Done:
        engine = ["-engine", "pkcs11", "-keyform", "engine", "-key", f"{KEY};pin-value={PIN}"]
        trust = ["-cert", self._certificate(), "-CAfile", self.folder / "server.pem", "-verify_return_error"]
        command = [tool("openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}"]
        return self._call([*command, *engine, *trust, "-ign_eof", *options], REQUEST)

    def curl(self, server: Server, *options: str, pin: str = PIN) -> Done:
        engine = ["--engine", "pkcs11", "--key-type", "ENG", "--key", f"{KEY};pin-value={pin}"]
        trust = ["--cert", self._certificate(), "--cacert", self.folder / "server.pem"]
        command = [tool("curl"), "-sS", "--disable", *engine, *trust, *options, f"https://localhost:{server.port}/"]
        return self._call(command)

    def gnutls_cli(self, server: Server, *options: str, versions: str = "-VERS-TLS1.3") -> Done:
        card = ["--provider", opensc_module(), "--x509keyfile", f"{KEY};pin-value={PIN}"]
        trust = ["--x509certfile", CERTIFICATE, "--x509cafile", self.folder / "server.pem"]
        command: list[str | Path] = [tool("gnutls-cli"), *card, *trust, "--priority", f"NORMAL:{versions}"]
        return self._call([*command, *options, "--port", server.port, "localhost"], REQUEST)


@pytest.fixture
def caller(bench: Bench, folder: Path) -> Caller:
    return Caller(bench, folder)


CLIENTS: dict[str, Callable[[Caller, Server], Done]] = {
    "openssl s_client": lambda caller, server: caller.s_client(server, "-tls1_2"),
    "curl": lambda caller, server: caller.curl(server, "--tls-max", "1.2"),
    "gnutls-cli": lambda caller, server: caller.gnutls_cli(server),
}
CLIENTS_ALLOWING_TLS_1_3: dict[str, Callable[[Caller, Server], Done]] = {
    "openssl s_client": lambda caller, server: caller.s_client(server),
    "curl": lambda caller, server: caller.curl(server),
    "gnutls-cli": lambda caller, server: caller.gnutls_cli(server, versions="+VERS-TLS1.3"),
}


def _accepted(done: Done) -> x509.Certificate | None:
    """The client certificate in the server's page; None if there was no page."""
    found = re.findall("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", done.text, re.DOTALL)
    if "<HTML>" not in done.text:
        return None
    assert found, done.text
    return x509.load_pem_x509_certificate(found[-1].encode())


@pytest.mark.parametrize("client", CLIENTS)
def test_the_card_opens_a_tls_1_2_server(caller: Caller, server: Server, client: str) -> None:
    done = CLIENTS[client](caller, server)
    assert done.code == 0, done.text
    assert _accepted(done) == caller.bench.seated.made.certificates["authentication"]
    asked = caller.bench.commands(AUTHENTICATE)
    assert len(asked) == 1, "one signature, made by the card"
    assert asked[0].startswith(f"{AUTHENTICATE}33"), "a SHA-256 DigestInfo"
    print(f"{client}: {done.cost} APDU, {1000 * done.seconds:.0f} ms")


def test_gnutls_copes_with_a_server_that_offers_pss_too(caller: Caller, folder: Path) -> None:
    with Server(folder, "-tls1_2") as server:
        done = caller.gnutls_cli(server)
        assert _accepted(done) == caller.bench.seated.made.certificates["authentication"], done.text


def test_openssl_must_be_told_not_to_choose_pss(caller: Caller, folder: Path) -> None:
    with Server(folder, "-tls1_2") as server:
        done = caller.s_client(server, "-tls1_2")
        assert done.code != 0
        assert not caller.bench.commands(AUTHENTICATE)
        done = caller.s_client(server, "-tls1_2", "-sigalgs", "RSA+SHA256")
        assert _accepted(done) == caller.bench.seated.made.certificates["authentication"], done.text


@pytest.mark.parametrize("client", CLIENTS_ALLOWING_TLS_1_3)
def test_tls_1_3_is_out_of_reach(caller: Caller, folder: Path, client: str) -> None:
    """TLS 1.3 signs with RSA-PSS alone, which neither the card nor its modules have."""
    with Server(folder, "-tls1_3") as server:
        done = CLIENTS_ALLOWING_TLS_1_3[client](caller, server)
        assert _accepted(done) is None, done.text
        assert "Mechanism invalid" in done.text or "No certificate was sent to peer" in done.text
        assert not caller.bench.commands(AUTHENTICATE)


def test_a_revoked_card_is_refused(caller: Caller, server: Server, make: CardMaker) -> None:
    caller.bench.seat(make("pharmacien", lifecycle="revoked"))
    done = caller.s_client(server, "-tls1_2")
    assert "alert certificate revoked" in done.text
    assert _accepted(done) is None
    assert caller.bench.commands(AUTHENTICATE), "the card did its part: the server refuses"


def test_a_card_of_another_authority_is_refused(caller: Caller, server: Server, make: CardMaker) -> None:
    specimen = caller.bench.seat(make("cpe-nominative"))
    assert specimen.made.chain[-1] != make().made.chain[-1]
    done = caller.s_client(server, "-tls1_2")
    assert "alert unknown ca" in done.text
    assert _accepted(done) is None


def test_an_expired_card_is_refused(caller: Caller, server: Server, make: CardMaker) -> None:
    caller.bench.seat(make("infirmier", lifecycle="expired"))
    done = caller.s_client(server, "-tls1_2")
    assert "alert certificate expired" in done.text
    assert _accepted(done) is None


def test_the_certificate_of_another_card_does_not_go_with_this_one(
    caller: Caller, server: Server, make: CardMaker
) -> None:
    caller.shown = make("infirmier").made.certificates["authentication"]
    done = caller.s_client(server, "-tls1_2")
    assert "key values mismatch" in done.text
    assert _accepted(done) is None


def test_a_wrong_code_opens_nothing_and_costs_a_try(caller: Caller, server: Server) -> None:
    done = caller.curl(server, "--tls-max", "1.2", pin="0000")
    assert "Login to token failed" in done.text
    assert _accepted(done) is None
    assert not caller.bench.commands(AUTHENTICATE)
    assert caller.bench.seated.tries == (2, 10)


def test_no_certificate_opens_nothing(caller: Caller, server: Server) -> None:
    command = [tool("openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2", "-ign_eof"]
    done = caller.bench.run(command, text=REQUEST)
    assert _accepted(done) is None
    assert done.code != 0
