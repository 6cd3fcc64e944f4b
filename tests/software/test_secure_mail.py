"""Secure mail, with ``openssl cms`` on the other side: both ways, and refused as it should be."""

from __future__ import annotations

import random
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from certificates_bench import Laboratory
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.ground.clock import VirtualClock
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.software.secure_mail import (
    MailRefusal,
    SecureMailError,
    decipher,
    encipher,
    parts,
    sign,
    verify,
)

NOW = datetime.now(UTC)
HEAD = parts.heads("a@mssante.test", "b@mssante.test", "Courrier de test")
TEXT = "Compte rendu : tension 12/8, à revoir.\nDeuxième ligne."


class Desk:
    """Two holders, their files, and OpenSSL."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.lab = Laboratory(VirtualClock(NOW))
        self.made, self.other = self.lab.card(), self.lab.card("pharmacien")
        chain = b"".join(one.public_bytes(Encoding.PEM) for one in self.made.chain)
        (folder / "chain.pem").write_bytes(chain)
        for name, role in (("sig", "signature"), ("aut", "authentication")):
            key = self.lab.key(self.made, role).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            (folder / f"{name}.pem").write_bytes(self.made.certificates[role].public_bytes(Encoding.PEM) + key)

    def signer(self, made: PersonalisedCard | None = None) -> Callable[[bytes], bytes]:
        key = self.lab.key(made or self.made, "signature")
        return lambda data: key.sign(data, padding.PKCS1v15(), hashes.SHA256())

    def opener(self, made: PersonalisedCard | None = None) -> Callable[[bytes], bytes]:
        key = self.lab.key(made or self.made)
        return lambda cryptogram: key.decrypt(cryptogram, padding.PKCS1v15())

    def signed(self, text: str = TEXT) -> bytes:
        certificate = self.made.certificates["signature"]
        return sign(HEAD, parts.text_part(text), certificate, NOW, self.signer(), "limite-de-test")

    def openssl(self, *command: str, mail: bytes = b"") -> tuple[int, bytes, str]:
        (self.folder / "in.eml").write_bytes(mail)
        done = subprocess.run(
            ["openssl", "cms", *command, "-in", "in.eml"],
            cwd=self.folder,
            capture_output=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout, done.stderr.decode()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("mail"))


VERIFY = ("-verify", "-CAfile", "chain.pem")


def test_openssl_verifies_what_the_card_signs(desk: Desk) -> None:
    code, out, said = desk.openssl(*VERIFY, mail=desk.signed())
    assert code == 0, said
    assert "successful" in said
    assert parts.text_of(out) == TEXT


def test_openssl_refuses_what_was_altered(desk: Desk) -> None:
    mail = desk.signed().replace(parts.text_part(TEXT).split(b"\r\n")[3], parts.text_part("Autre").split(b"\r\n")[3])
    code, _out, said = desk.openssl(*VERIFY, mail=mail)
    assert code != 0
    assert "digest failure" in said or "verification failure" in said


def test_openssl_refuses_the_certificate_for_authentication_and_another_authority(desk: Desk) -> None:
    wrong = sign(HEAD, parts.text_part(TEXT), desk.made.certificates["authentication"], NOW, desk.signer(), "x")
    assert desk.openssl(*VERIFY, mail=wrong)[0] != 0
    (desk.folder / "server.pem").write_bytes(desk.lab.server.trust)
    code, _out, said = desk.openssl("-verify", "-CAfile", "server.pem", mail=desk.signed())
    assert code != 0
    assert "unable to get local issuer" in said


def test_what_openssl_signs_is_verified(desk: Desk) -> None:
    part = parts.text_part(TEXT)
    code, mail, said = desk.openssl("-sign", "-signer", "sig.pem", "-md", "sha256", mail=part)
    assert code == 0, said
    signed = verify(mail)
    assert signed.text == TEXT
    assert signed.certificate == desk.made.certificates["signature"]
    with pytest.raises(SecureMailError) as refused:
        verify(mail.replace(part.split(b"\r\n")[3][:8], b"QUFBQUFB"))
    assert refused.value.refusal is MailRefusal.ALTERED


@pytest.mark.parametrize("digest", ["md5", "sha1"])
def test_old_hashes_are_refused(desk: Desk, digest: str) -> None:
    code, mail, said = desk.openssl("-sign", "-signer", "sig.pem", "-md", digest, mail=parts.text_part(TEXT))
    assert code == 0, said
    with pytest.raises(SecureMailError) as refused:
        verify(mail)
    assert refused.value.refusal is MailRefusal.FORBIDDEN_ALGORITHM


def test_openssl_opens_what_is_enciphered_for_the_holder(desk: Desk) -> None:
    mail = encipher(HEAD, parts.text_part(TEXT), desk.made.certificates["authentication"], random.Random(1))
    assert b"tension" not in mail
    code, out, said = desk.openssl("-decrypt", "-recip", "aut.pem", mail=mail)
    assert code == 0, said
    assert parts.text_of(out) == TEXT
    assert desk.openssl("-decrypt", "-recip", "sig.pem", mail=mail)[0] != 0


def test_what_openssl_enciphers_is_opened_by_the_holder_alone(desk: Desk) -> None:
    (desk.folder / "in.eml").write_bytes(parts.text_part(TEXT))
    done = subprocess.run(
        ["openssl", "cms", "-encrypt", "-aes256", "-in", "in.eml", "aut.pem"],
        cwd=desk.folder, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    own = desk.made.certificates["authentication"]
    assert decipher(done.stdout, own, desk.opener()) == TEXT
    with pytest.raises(SecureMailError) as refused:
        decipher(done.stdout, desk.other.certificates["authentication"], desk.opener(desk.other))
    assert refused.value.refusal is MailRefusal.OTHER_ADDRESSEE


def test_triple_des_is_refused(desk: Desk) -> None:
    (desk.folder / "in.eml").write_bytes(parts.text_part(TEXT))
    done = subprocess.run(
        ["openssl", "cms", "-encrypt", "-des3", "-in", "in.eml", "aut.pem"],
        cwd=desk.folder, capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    with pytest.raises(SecureMailError) as refused:
        decipher(done.stdout, desk.made.certificates["authentication"], desk.opener())
    assert refused.value.refusal is MailRefusal.FORBIDDEN_ALGORITHM


def test_a_field_cannot_break_out(desk: Desk) -> None:
    for fields in (("a\r\nBcc: x", "b", "c"), ("a", "b\nX: y", "c"), ("a", "b", "c\rd")):
        with pytest.raises(SecureMailError):
            parts.heads(*fields)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_mail_is_refused_or_says_the_same(data: st.DataObject) -> None:
    mail = bytearray(signed_once())
    place = data.draw(st.integers(0, len(mail) - 1))
    mail[place] ^= data.draw(st.integers(1, 255))
    with suppress(SecureMailError):
        assert verify(bytes(mail)).text == TEXT


@cache
def signed_once() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return Desk(Path(folder)).signed()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_noise_is_refused_in_words(noise: bytes) -> None:
    with pytest.raises(SecureMailError):
        verify(noise)
    with pytest.raises(SecureMailError):
        parts.envelope_of(noise)


def test_the_same_inputs_give_the_same_mail(desk: Desk) -> None:
    assert desk.signed() == desk.signed()
