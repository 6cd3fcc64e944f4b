"""The envelope of a file and the signature of a lot, opened and checked by OpenSSL alone."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from clients_bench import PATIENCE, tool
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bifente.ground.clock import VirtualClock
from bifente.simulator.cards.cpx.loading import shipped_templates
from bifente.simulator.cards.cpx.personalise import personalise
from bifente.simulator.cards.families import make_card
from bifente.simulator.formats.fse.canonical import canonical
from bifente.simulator.formats.fse.files import make_file, open_file
from bifente.simulator.formats.fse.lots import make_lots, numbers, signed_content
from bifente.simulator.formats.fse.model import (
    CareAct,
    CareBeneficiary,
    Insurance,
    Invoice,
    Lot,
    LotKind,
    Nomenclature,
    PayerShare,
    Payment,
    Professional,
    Proof,
    SecuredInvoice,
    SecuringMode,
)
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.body_certificates import BodyIdentity, body_identity
from bifente.simulator.pki.certificate_profiles import Validity
from bifente.simulator.pki.keystore import MemoryKeys
from bifente.simulator.readers import PcscService, Reader
from bifente.simulator.software.billing.series import LotSeries

TODAY = date(2026, 3, 2)
BODY = "013490349"


@pytest.fixture(scope="session", autouse=True)
def _chain() -> None:
    """These clients need no reader: OpenSSL alone."""
    tool("openssl")


def invoice(number: int) -> Invoice:
    who = Professional(
        *("991000019", "TESTMEDECIN", "ANNE", "99900000008", 1, "01", "1", "30", "01"),
        *(("0", "0", "0"), "9", True, True, True),
    )
    patient = CareBeneficiary(
        *("1801913055001", "55", "TESTASSURE", "PAUL", "19801913", 1, 0, "01", "349", "0349", "999000001")
    )
    act = CareAct(Nomenclature.NGAP, "G", TODAY, 1, Decimal(1), 3000, 3000, 70)
    return Invoice(
        number=number,
        on=TODAY,
        mode=SecuringMode.SECURED,
        professional=who,
        beneficiary=patient,
        insurance=Insurance.MALADIE,
        payment=Payment.DIRECT,
        proof=Proof.VITALE,
        care_path="T",
        acts=(act,),
        amo=PayerShare(2100),
        amc=PayerShare(0),
        body=BODY,
    )


@dataclass(frozen=True)
class Parts:
    folder: Path
    body: BodyIdentity
    lots: tuple[Lot, ...]

    def openssl(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [tool("openssl"), *arguments], cwd=self.folder, capture_output=True, timeout=PATIENCE, check=False
        )

    def decrypt(self, name: str, key: str = "body") -> subprocess.CompletedProcess[bytes]:
        return self.openssl(
            *("cms", "-decrypt", "-binary", "-inform", "DER", "-in", name),
            *("-recip", f"{key}.pem", "-inkey", f"{key}.key"),
        )


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    folder = tmp_path_factory.mktemp("cms")
    keys = MemoryKeys()
    pki = Pki(keys)
    year = Validity(date(2026, 1, 1), date(2026, 12, 31))
    mine = body_identity(BODY, pki, keys, year)
    for name, who in (("body", mine), ("other", body_identity("023490349", pki, keys, year))):
        (folder / f"{name}.pem").write_bytes(who.certificate.public_bytes(Encoding.PEM))
        secret = who.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.key").write_bytes(secret)
    (folder / "ca.pem").write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in mine.chain[1:]))

    made = personalise(shipped_templates()["medecin-generaliste"], keys, at=TODAY, pki=pki)
    clock = VirtualClock(datetime(2026, 3, 2, 9, tzinfo=UTC))
    reader = Reader.of("Bench", ["Bench 0"], clock)
    reader.slots[0].insert(make_card(made.image))
    connection = PcscService([reader], clock).establish().connect("Bench 0")
    sheets = [SecuredInvoice(canonical(invoice(number))) for number in range(1, 4)]
    lots = make_lots(sheets, on=TODAY, numbers=numbers(LotKind.FSE))
    return Parts(folder, mine, LotSeries.on(connection, clock).run(lots, "1234").formatted)


def test_openssl_opens_the_envelope_and_finds_the_same_bytes(parts: Parts) -> None:
    file = make_file(parts.lots, parts.body.certificate)
    (parts.folder / file.name).write_bytes(file.data)
    done = parts.decrypt(file.name)
    assert done.returncode == 0, done.stderr
    assert done.stdout == make_file(parts.lots).data
    assert open_file(done.stdout) == parts.lots


def test_openssl_says_the_same_of_its_make(parts: Parts) -> None:
    file = make_file(parts.lots, parts.body.certificate)
    (parts.folder / "made.p7m").write_bytes(file.data)
    shown = parts.openssl("cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "made.p7m").stdout
    for words in (b"pkcs7-envelopedData", b"aes-256-cbc", b"rsaEncryption"):
        assert words in shown
    assert shown.count(b"d.ktri") == 1


def test_openssl_with_another_key_opens_nothing(parts: Parts) -> None:
    file = make_file(parts.lots, parts.body.certificate)
    (parts.folder / "foreign.p7m").write_bytes(file.data)
    done = parts.decrypt("foreign.p7m", "other")
    assert done.stdout != make_file(parts.lots).data
    assert done.returncode != 0


def test_an_envelope_made_by_openssl_is_opened_here(parts: Parts) -> None:
    plain = make_file(parts.lots).data
    (parts.folder / "plain.fse").write_bytes(plain)
    done = parts.openssl(
        *("cms", "-encrypt", "-binary", "-aes256", "-outform", "DER", "-nodetach", "-in", "plain.fse"),
        *("-out", "theirs.p7m", "body.pem"),
    )
    assert done.returncode == 0, done.stderr
    theirs = (parts.folder / "theirs.p7m").read_bytes()
    assert open_file(theirs, parts.body.key, parts.body.certificate) == parts.lots


def test_the_certificate_of_the_body_verifies(parts: Parts) -> None:
    when = str(int(datetime(2026, 6, 1, tzinfo=UTC).timestamp()))
    done = parts.openssl("verify", "-CAfile", "ca.pem", "-attime", when, "body.pem")
    assert done.returncode == 0, done.stderr + done.stdout


def test_openssl_alone_verifies_the_signature_of_a_lot(parts: Parts) -> None:
    signature = parts.lots[0].signature
    assert signature is not None
    (parts.folder / "lot.bin").write_bytes(signed_content(parts.lots[0]))
    (parts.folder / "lot.sig").write_bytes(signature.value)
    (parts.folder / "cps.der").write_bytes(signature.certificate)
    public = parts.openssl("x509", "-inform", "DER", "-in", "cps.der", "-noout", "-pubkey").stdout
    (parts.folder / "cps.pub").write_bytes(public)
    check = ("dgst", "-sha256", "-verify", "cps.pub", "-signature", "lot.sig")
    assert parts.openssl(*check, "lot.bin").returncode == 0
    changed = bytearray(signed_content(parts.lots[0]))
    changed[len(changed) // 2] ^= 1
    (parts.folder / "changed.bin").write_bytes(changed)
    assert parts.openssl(*check, "changed.bin").returncode != 0
