"""A hand-made Vitale 2, and the two certificates and keys that a professional's card would bring."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from bifente.simulator.cards.layout import Layout
from bifente.simulator.cards.vitale2 import contents
from bifente.simulator.cards.vitale2.engine import card as vitale2_card
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.image import Anchor, CardImage
from bifente.simulator.zones import Group, make

LAYOUT = Layout.load("vitale2")
VITALE = "D250000002564954414C45"
SECRET_SITUATION = "0177"
GROUPS: tuple[Group, ...] = (
    make(101, {"card-type": "T", "serial-number": "999000099"}),
    make(104, {"usual-name": "TESTPREMIER"}),
    make(105, {"start": "202001010000"}),
    make(106, {"ald-code": "3", "situation-code": SECRET_SITUATION}),
    make(104, {"usual-name": "TESTSECOND"}),
    make(106, {"ald-code": "2", "situation-code": SECRET_SITUATION}),
)
KIND = "1.2.3.4"
AUTHORITY, FOREIGN, PROFESSIONAL, OWN, SIGNING = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(5)
)
ISSUER = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])


def certificate(kind: bytes = b"\x02\x01\x00", signer: rsa.RSAPrivateKey = AUTHORITY) -> bytes:
    """The certificate of ``PROFESSIONAL``, 800 bytes or so."""
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "professional")]))
        .issuer_name(ISSUER)
        .public_key(PROFESSIONAL.public_key())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2049, 1, 1, tzinfo=UTC))
        .serial_number(7)
        .add_extension(usage, critical=True)
        .add_extension(x509.UnrecognizedExtension(x509.ObjectIdentifier(KIND), kind), critical=False)
        .sign(signer, hashes.SHA256())
        .public_bytes(serialization.Encoding.DER)
    )


GOOD, EMPLOYEE, FORGED = certificate(), certificate(b"\x02\x01\x02"), certificate(signer=FOREIGN)


def image() -> CardImage:
    """The card's image."""
    people = [
        contents.HolderEntry("TESTPREMIER", "UN", "19541914", "FR"),
        contents.HolderEntry("TESTSECOND", "DEUX", "20110101", "FR"),
    ]
    return LAYOUT.fill(
        contents={
            "EF.DIR": contents.directory({"VITALE": LAYOUT.aids["vitale"]}),
            "EF.PAN": contents.account_number("999000099"),
            "EF.HOLDERS": contents.holders(people),
            "EF.POINTERS": contents.pointers([(LAYOUT.aids["vitale"], [("NIR", 0x2002)])]),
            "EF.NIR": contents.numbers(["154191334900136", "154191334900136"]),
            "EF.CARD": contents.card_start("20240101"),
            "EF.RIGHTS": contents.rights(GROUPS),
            "EF.COVERAGE": contents.coverage(GROUPS),
            "EF.C.ICC": b"certificate of the card",
            "EF.C.SIG": b"certificate of its signature",
        },
        codes={},
        keys={"authentication": OWN, "signature": SIGNING},
        anchors=(
            Anchor(
                "authority", ISSUER.public_bytes(), AUTHORITY.public_key(), "professional", {KIND: {b"\x02\x01\x00"}}
            ),
        ),
    )


IMAGE = image()
COVERAGE = contents.coverage(GROUPS)


def proof(challenge: bytes, key: rsa.RSAPrivateKey = PROFESSIONAL) -> bytes:
    """What a professional's card makes of a challenge."""
    return key.sign(challenge, padding.PKCS1v15(), hashes.SHA256())


class Talk:
    """A short way to talk to the card: T=0 followed, bodies chained."""

    def __init__(self, card: SmartCard | None = None) -> None:
        self.card = card or vitale2_card(IMAGE)
        self.card.power_on()

    def raw(self, command: str) -> tuple[bytes, int]:
        """One exchange as it is."""
        answer = self.card.transmit(bytes.fromhex(command))
        return answer[:-2], int.from_bytes(answer[-2:], "big")

    def ask(self, command: str) -> tuple[bytes, int]:
        """One command to its end."""
        data, sw = self.raw(command)
        if sw >> 8 == 0x6C:
            data, sw = self.raw(f"{command[:-2]}{sw & 0xFF:02X}")
        while sw >> 8 == 0x61:
            more, sw = self.raw(f"00C00000{sw & 0xFF:02X}")
            data += more
        return data, sw

    def chain(self, ins_p1_p2: str, body: bytes) -> int:
        """A command with a long body; its status word."""
        *first, last = (body[at : at + 255] for at in range(0, len(body) or 1, 255))
        for part in first:
            _data, sw = self.raw(f"10{ins_p1_p2}{len(part):02X}{part.hex()}")
            if sw != 0x9000:
                return sw
        return self.ask(f"00{ins_p1_p2}{len(last):02X}{last.hex()}" if last else f"00{ins_p1_p2}00")[1]

    def present(self, raw: bytes = GOOD) -> int:
        """PSO VERIFY CERTIFICATE."""
        return self.chain("2A00BE", raw)

    def challenge(self) -> bytes:
        """GET CHALLENGE."""
        data, sw = self.ask("0084000010")
        assert sw == 0x9000
        return data

    def prove(self, signature: bytes) -> int:
        """EXTERNAL AUTHENTICATE."""
        return self.chain("820000", signature)

    def open(self) -> int:
        """The whole recognition."""
        assert self.present() == 0x9000
        return self.prove(proof(self.challenge()))

    def coverage(self) -> tuple[bytes, int]:
        """The protected file, by its path."""
        sw = self.ask("00A4090C06" + "3F0020002005")[1]
        return self.ask("00B0000000") if sw == 0x9000 else (b"", sw)

    def sign(self, digest: bytes) -> tuple[bytes, int]:
        """PSO COMPUTE DIGITAL SIGNATURE."""
        return self.ask(f"002A9E9A{len(digest):02X}{digest.hex()}00")
