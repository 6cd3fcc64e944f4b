"""Mailboxes with client certificates: what SMTP takes Dovecot gives to its holder alone, and to no revoked card."""

from __future__ import annotations

import imaplib
import re
import shutil
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from serving_bench import serving_bench

from bifente.conformance.bench.serving import ServedService, ServingBench
from bifente.conformance.domains.mail.serving import start
from bifente.conformance.domains.pki.serving import points
from bifente.simulator.pki.authority import Branch, CertificateLevel, Pki
from bifente.simulator.pki.certificate_profiles import AUTHENTICATION, SIGNATURE, Profile, Validity
from bifente.simulator.pki.keystore import KeySource, KeyStore, OtherKeys
from bifente.simulator.serving.dovecot import Dovecot, DovecotError

MINE, OTHER = "generaliste.testmedecin@mssante.test", "officine.testpharmacien@mssante.test"
WORDS = "Resultats du patient de test"


@dataclass
class Standing:
    bench: ServingBench
    served: ServedService

    @property
    def client(self) -> Path:
        return next(Path(v) for k, v in self.served.settings.items() if k.startswith("certificate of "))

    def context(self, shown: Path | None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.served.settings["ca"])
        if shown is not None:
            context.load_cert_chain(shown)
        return context

    def send(self, shown: Path | None, sender: str = MINE, to: str = OTHER, subject: str = "Test") -> None:
        host, port = self.served.settings["smtp"].split(":")
        with smtplib.SMTP(host, int(port)) as client:
            client.starttls(context=self.context(shown))
            client.sendmail(sender, [to], f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\n{WORDS}\r\n")

    def imap(self, shown: Path | None) -> imaplib.IMAP4_SSL:
        found = re.match(r"localhost:(\d+)", self.served.settings["imap"])
        if found is None:
            pytest.skip(f"needs Dovecot: {self.served.settings['imap']}")
        return imaplib.IMAP4_SSL("localhost", int(found[1]), ssl_context=self.context(shown), timeout=120)

    def made(self, name: str, profile: Profile = AUTHENTICATION, keys: KeySource | None = None) -> Path:
        """A certificate of a person, with its key; ``keys``: of authorities of the same names."""
        store = self.bench.keys
        pki = Pki(keys) if keys is not None else self.bench.pki
        own = x509.load_pem_x509_certificate(self.client.read_bytes())
        day = self.bench.clock.now().date()
        key = store.key(f"tests/{name}")
        authority = pki.authority(CertificateLevel.FORT, Branch.PERSONNES)
        certificate = authority.issue(
            subject=own.subject,
            public_key=key.public_key(),
            validity=Validity(day, day.replace(year=day.year + 1)),
            profile=profile,
        )
        path = self.bench.folder / f"{name}.pem"
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
        return path

    def revoke(self, path: Path) -> None:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        points(self.bench).set_state({"revoked": {"ACI-FO-PP-TEST": [f"{certificate.serial_number:X}"]}})


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    store = KeyStore()
    with ExitStack() as stack:
        bench = serving_bench(store, tmp_path_factory.mktemp("mail"), stack)
        yield Standing(bench, start(bench))


def said(name: str = "") -> Callable[[bytes], bytes]:
    """What a client answers: whom it wants to be; nothing: whom its certificate names."""
    return lambda challenge: name.encode()


def test_a_mail_goes_by_smtp_and_is_read_by_imap(standing: Standing) -> None:
    standing.send(standing.client, to=MINE)
    with standing.imap(standing.client) as box:
        assert box.authenticate("EXTERNAL", said())[0] == "OK"
        assert box.select("INBOX")[0] == "OK"
        _status, found = box.search(None, "SUBJECT", "Test")
        number = found[0].split()[-1].decode()
        _status, parts = box.fetch(number, "(RFC822)")
        assert isinstance(parts[0], tuple)
        assert WORDS.encode() in parts[0][1]
        box.store(number, "+FLAGS", "\\Deleted")
        box.expunge()
        assert box.search(None, "SUBJECT", "Test")[1] == [b""]


def test_mail_of_another_holder_is_not_opened(standing: Standing) -> None:
    standing.send(standing.client, to=OTHER, subject="Ailleurs")
    with standing.imap(standing.client) as box:
        for name in ("899900000029", OTHER, f"899900000011/{MINE}", "inconnu@mssante.test"):
            with pytest.raises(imaplib.IMAP4.error):
                box.authenticate("EXTERNAL", said(name))
        with pytest.raises(imaplib.IMAP4.error):
            box.login("899900000011", "1234")
        box.authenticate("EXTERNAL", said("899900000011"))
        box.select("INBOX")
        assert box.search(None, "SUBJECT", "Ailleurs")[1] == [b""]


def test_a_client_may_name_its_mailbox_by_the_address(standing: Standing) -> None:
    standing.send(standing.client, to=MINE, subject="Adresse")
    with standing.imap(standing.client) as box:
        assert box.authenticate("EXTERNAL", said(MINE))[0] == "OK"
        box.select("INBOX")
        assert box.search(None, "SUBJECT", "Adresse")[1] != [b""]


@pytest.mark.parametrize("what", ["none", "signature", "stranger"])
def test_without_a_right_certificate_nothing_opens(standing: Standing, what: str) -> None:
    shown = {  # type: ignore[no-untyped-call]
        "none": lambda: None,
        "signature": lambda: standing.made("signature", SIGNATURE),
        "stranger": lambda: standing.made("stranger", keys=OtherKeys(standing.bench.keys, "strange")),
    }[what]()
    with pytest.raises((smtplib.SMTPException, OSError)):
        standing.send(shown)
    with pytest.raises((imaplib.IMAP4.error, OSError)):
        standing.imap(shown).authenticate("EXTERNAL", said())


def test_who_shows_no_certificate_is_told_so(standing: Standing) -> None:
    with pytest.raises(smtplib.SMTPResponseException, match="certificate refused: no certificate"):
        standing.send(None)


def test_a_sender_is_who_the_certificate_says(standing: Standing) -> None:
    with pytest.raises(smtplib.SMTPSenderRefused, match="not of this sender"):
        standing.send(standing.client, sender=OTHER, to=MINE)


def test_a_revoked_certificate_sends_nothing_from_then_on(standing: Standing) -> None:
    shown = standing.made("revoked")
    standing.send(shown)
    standing.revoke(shown)
    with pytest.raises(smtplib.SMTPResponseException, match=r"certificate refused: .*revoked"):
        standing.send(shown)
    points(standing.bench).suffer("pki-ocsp-down", "pki-crl-missing")
    try:
        with pytest.raises(smtplib.SMTPResponseException, match="certificate refused: "):
            standing.send(standing.client)
    finally:
        points(standing.bench).suffer()


def test_dovecot_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda *given, **named: None)
    with pytest.raises(DovecotError, match="dovecot-imapd"):
        Dovecot(tmp_path, "imap", {}, "", port=1, files={})
    assert not list(tmp_path.iterdir())
