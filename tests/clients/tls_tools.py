"""A real TLS server that demands a client certificate, and real clients whose key is in the card."""

from __future__ import annotations

import ipaddress
import re
import select
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
from clients_bench import PIN, Bench, Done, Specimen, shared_object, tool, write_pem
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

REQUEST = "GET / HTTP/1.0\r\n\r\n"
# The card has no RSA-PSS: a server for it offers PKCS#1 signatures.
PKCS1 = ("-tls1_2", "-client_sigalgs", "RSA+SHA256")

CommandLine: TypeAlias = list[str | Path]


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
        deadline, said = time.monotonic() + 60, b""
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


def server_files(folder: Path, trusted: Specimen, revoked: Specimen) -> Path:
    """A server's key and certificate, the chain it trusts and the revocation list it reads."""
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
    authority = trusted.made.authority
    assert revoked.made.authority is authority
    write_pem(folder / "chain.pem", *authority.chain)
    crl = authority.crl(revoked.made.revocations, at=now)
    (folder / "crl.pem").write_bytes(crl.public_bytes(Encoding.PEM))
    return folder


class Caller:
    """Calls a server with the certificate and key of the card in the reader, through a PKCS#11 module."""

    def __init__(self, bench: Bench, folder: Path, module: Path) -> None:
        self.bench, self.folder, self.module = bench, folder, module
        (folder / "openssl.cnf").write_text(
            "openssl_conf = start\n[start]\nengines = engines\n[engines]\npkcs11 = pkcs11\n"
            f"[pkcs11]\nengine_id = pkcs11\nMODULE_PATH = {module}\ninit = 0\n",
            encoding="utf-8",
        )
        self.shown: x509.Certificate | None = None
        """The certificate to show; that of the card unless set."""
        # OpenSC shows the token of the contactless application too: it must be told which one is meant.
        self.suffix = "%20(Code%20porteur)" if "opensc" in module.name else ""

    @property
    def key(self) -> str:
        """What clients know the key by."""
        label = self.bench.seated.made.token_label
        return f"pkcs11:token={label}{self.suffix};object=CPS_PRIV_AUT;type=private"

    def _certificate(self) -> Path:
        own = self.bench.seated.made.certificates["authentication"]
        return write_pem(self.folder / "card.pem", self.shown or own)

    def _call(self, command: CommandLine, text: str = "") -> Done:
        return self.bench.run(command, text=text, env={"OPENSSL_CONF": str(self.folder / "openssl.cnf")})

    @staticmethod
    def _needs_engine() -> None:
        shared_object("OpenSSL's PKCS#11 engine", "libengine-pkcs11-openssl", "*/engines-*/pkcs11.so")

    def s_client(self, server: Server, *options: str) -> Done:
        self._needs_engine()
        engine: CommandLine = ["-engine", "pkcs11", "-keyform", "engine", "-key", f"{self.key};pin-value={PIN}"]
        trust: CommandLine = [
            "-cert",
            self._certificate(),
            "-CAfile",
            self.folder / "server.pem",
            "-verify_return_error",
        ]
        command = [tool("openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}"]
        return self._call([*command, *engine, *trust, "-ign_eof", *options], REQUEST)

    def curl(self, server: Server, *options: str, pin: str = PIN) -> Done:
        self._needs_engine()
        if "<none>" in self.bench.run([tool("curl"), "--engine", "list"]).text:
            pytest.skip("needs a curl built with OpenSSL engines")
        engine: CommandLine = ["--engine", "pkcs11", "--key-type", "ENG", "--key", f"{self.key};pin-value={pin}"]
        trust: CommandLine = ["--cert", self._certificate(), "--cacert", self.folder / "server.pem"]
        command = [tool("curl"), "-sS", "--disable", *engine, *trust, *options, f"https://localhost:{server.port}/"]
        return self._call(command)

    def gnutls_cli(self, server: Server, *options: str, versions: str = "-VERS-TLS1.3") -> Done:
        card: CommandLine = ["--provider", self.module, "--x509keyfile", f"{self.key};pin-value={PIN}"]
        identifier = "%".join(["", *re.findall("..", self.bench.seated.key_id("authentication"))])
        shown = f"pkcs11:id={identifier};type=cert"
        trust: CommandLine = ["--x509certfile", shown, "--x509cafile", self.folder / "server.pem"]
        command = [tool("gnutls-cli"), *card, *trust, "--priority", f"NORMAL:{versions}"]
        return self._call([*command, *options, "--port", server.port, "localhost"], REQUEST)


def accepted(done: Done) -> x509.Certificate | None:
    """The client certificate in the server's page; None if there was no page."""
    found = re.findall("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", done.text, re.DOTALL)
    if "<HTML>" not in done.text:
        return None
    assert found, done.text
    return x509.load_pem_x509_certificate(found[-1].encode())
