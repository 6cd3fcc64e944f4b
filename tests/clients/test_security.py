"""Each security rule of the card broken on purpose, through real PC/SC, and refused."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from clients_bench import PIN, PUK, Bench, CardMaker, Specimen, Talker, digest_info
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from bifente.simulator.cards.families import layout

DONE, REFUSED, BLOCKED, NOTHING_CHOSEN = "9000", "6982", "6983", "6985"
MESSAGE = b"Ordonnance TEST"


class Card:
    """The card in the reader, one APDU at a time."""

    def __init__(self, talker: Talker, bench: Bench) -> None:
        self._talker, self._bench = talker, bench
        talker.ask("connect", reader=bench.name)

    def send(self, header: str, body: bytes = b"", expected: str = "") -> tuple[str, bytes]:
        """Status word and data."""
        data = f"{len(body):02x}{body.hex()}" if body else ""
        answer: dict[str, Any] = self._talker.ask("send", apdu=header + data + expected)
        return answer["sw"], bytes.fromhex(answer["data"])

    def reset(self, *, cold: bool) -> None:
        self._talker.ask("reset", cold=cold)

    def verify(self, code: str, reference: int = 1) -> str:
        return self.send(f"002000{reference:02x}", code.encode())[0]

    def new_code(self, code: str) -> str:
        return self.send("002c0201", code.encode())[0]

    def read(self, name: str) -> tuple[str, bytes]:
        assert self.send("00a4090c", layout("cps3").path(name))[0] == DONE
        return self.send("00b00000", expected="00")

    def write(self, name: str, data: bytes) -> str:
        assert self.send("00a4090c", layout("cps3").path(name))[0] == DONE
        return self.send("00d60000", data)[0]

    def hash(self, message: bytes, algorithm: int = 0x40) -> None:
        """Let the card finish the hash of a message of at most 64 bytes."""
        assert self.send("002241aa", bytes((0x80, 1, algorithm)))[0] == DONE
        assert self.send("002a90a0", b"\x90\x00\x80" + bytes((len(message),)) + message)[0] == DONE

    def choose(self, template: str, algorithm: int, key: int) -> None:
        assert self.send("00a4090c", layout("cps3").path("ADF.CPX-IAS"))[0] == DONE
        assert self.send(f"002241{template}", bytes((0x80, 1, algorithm, 0x84, 1, key)))[0] == DONE

    def sign(self, message: bytes) -> tuple[str, bytes]:
        self.hash(message)
        self.choose("b6", 0x42, 0x81)
        return self.send("002a9e9a", expected="00")

    def authenticate(self, data: bytes) -> tuple[str, bytes]:
        self.choose("a4", 0x02, 0x82)
        return self.send("00880000", data)

    def decipher(self, cryptogram: bytes) -> tuple[str, bytes]:
        self.choose("b8", 0x1A, 0x82)
        assert self.send("102a8086", b"\x81" + cryptogram[:254])[0] == DONE
        return self.send("002a8086", cryptogram[254:])


@pytest.fixture(scope="module")
def talker(shared_bench: Bench) -> Iterator[Talker]:
    with shared_bench.client() as talker:
        yield talker


@pytest.fixture
def card(bench: Bench, talker: Talker) -> Card:
    return Card(talker, bench)


@pytest.fixture
def seated(bench: Bench) -> Specimen:
    return bench.seated


def _verifies(specimen: Specimen, role: str, signature: bytes, message: bytes) -> bool:
    try:
        specimen.public_key(role).verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


# -- codes ----------------------------------------------------------------------------------------------------------


def test_wrong_codes_are_counted_and_the_third_blocks(card: Card, seated: Specimen) -> None:
    assert [card.verify(code) for code in ("0000", "1235", "9999")] == ["63c2", "63c1", "63c0"]
    assert card.verify(PIN) == BLOCKED
    assert seated.tries == (0, 10)
    assert card.sign(MESSAGE)[0] == REFUSED


def test_a_good_code_gives_the_tries_back(card: Card, seated: Specimen) -> None:
    card.verify("0000")
    assert seated.tries == (2, 10)
    assert card.verify(PIN) == DONE
    assert seated.tries == (3, 10)


def test_a_wrong_code_takes_the_rights_away(card: Card) -> None:
    assert card.verify(PIN) == DONE
    assert card.verify("0000") == "63c2"
    assert card.sign(MESSAGE)[0] == REFUSED


def test_tries_survive_a_power_cut(card: Card) -> None:
    for left in (2, 1, 0):
        assert card.verify("0000") == f"63c{left}"
        card.reset(cold=True)
    assert card.verify(PIN) == BLOCKED


@pytest.mark.parametrize("cold", [True, False], ids=["cold", "warm"])
def test_a_reset_forgets_the_code(card: Card, cold: bool) -> None:
    assert card.verify(PIN) == DONE
    assert card.sign(MESSAGE)[0] == DONE
    card.reset(cold=cold)
    assert card.sign(MESSAGE)[0] == REFUSED
    assert card.read("CPS_ACTIVITY_01_PS")[0] == REFUSED


def test_a_blocked_code_is_only_opened_by_the_unblocking_code(card: Card, bench: Bench, make: CardMaker) -> None:
    bench.seat(make(lifecycle="pin-blocked"))
    card.reset(cold=True)
    assert card.verify(PIN) == BLOCKED
    assert card.new_code("4321") == REFUSED
    assert card.verify("00000000", reference=2) == "63c9"
    assert card.new_code("4321") == REFUSED
    assert card.verify(PUK, reference=2) == DONE
    assert card.new_code("4321") == DONE
    assert card.verify(PIN) == "63c2"
    assert card.verify("4321") == DONE


def test_ten_wrong_unblocking_codes_close_the_card_for_ever(card: Card, seated: Specimen) -> None:
    for _ in range(3):
        card.verify("0000")
    answers = [card.verify("00000000", reference=2) for _ in range(10)]
    assert answers == [f"63c{left:x}" for left in range(9, -1, -1)]
    assert card.verify(PUK, reference=2) == BLOCKED
    assert card.new_code("4321") == REFUSED
    assert card.verify(PIN) == BLOCKED
    assert seated.tries == (0, 0)


def test_the_unblocking_code_opens_neither_keys_nor_files(card: Card) -> None:
    assert card.verify(PUK, reference=2) == DONE
    assert card.sign(MESSAGE)[0] == REFUSED
    assert card.authenticate(digest_info(MESSAGE))[0] == REFUSED
    assert card.read("CPS_ACTIVITY_01_PS")[0] == REFUSED


def test_a_change_with_a_wrong_old_code_is_refused(card: Card, seated: Specimen) -> None:
    assert card.send("00240001", b"00004321")[0] == "63c2"
    assert card.verify("4321") == "63c1"
    assert card.verify(PIN) == DONE


# -- files ----------------------------------------------------------------------------------------------------------


def test_private_files_need_the_code(card: Card, seated: Specimen) -> None:
    assert card.read("CPS_NAME_PS") == (DONE, seated.made.objects["CPS_NAME_PS"].encode())
    assert card.read("CPS_ACTIVITY_01_PS") == (REFUSED, b"")
    assert card.verify(PIN) == DONE
    assert card.read("CPS_ACTIVITY_01_PS") == (DONE, seated.made.objects["CPS_ACTIVITY_01_PS"].encode())


def test_billing_data_need_the_code(card: Card, seated: Specimen) -> None:
    content = seated.made.objects["CPS_SIT_FACT"].encode()

    def read() -> tuple[str, bytes]:
        for file in ("3f00", "7f01", "4000"):
            assert card.send("a0a40000", bytes.fromhex(file))[0].startswith("9f")
        return card.send("a0b00000", expected=f"{len(content):02x}")

    assert read() == (REFUSED, b"")
    assert card.verify(PIN) == DONE
    assert read() == (DONE, content)


def test_only_the_holder_writes_and_only_in_one_file(card: Card) -> None:
    assert card.write("CPS_DATA", b"mine") == REFUSED
    assert card.verify(PIN) == DONE
    assert card.write("CPS_DATA", b"mine") == DONE
    assert card.read("CPS_DATA")[1][:4] == b"mine"
    for name in ("CPS_NAME_PS", "EF.C.AUT", "CPS_ACTIVITY_01_PS", "EF.AODF"):
        assert card.write(name, b"mine") == REFUSED


# -- keys -----------------------------------------------------------------------------------------------------------


def test_no_key_works_without_the_code(card: Card, seated: Specimen) -> None:
    secret = seated.public_key("authentication").encrypt(MESSAGE, padding.PKCS1v15())
    assert card.sign(MESSAGE) == (REFUSED, b"")
    assert card.authenticate(digest_info(MESSAGE)) == (REFUSED, b"")
    assert card.decipher(secret) == (REFUSED, b"")
    assert card.verify(PIN) == DONE
    assert card.sign(MESSAGE)[0] == DONE
    assert card.authenticate(digest_info(MESSAGE))[0] == DONE
    assert card.decipher(secret) == (DONE, MESSAGE)


def test_a_signature_is_of_its_message_and_of_its_card_alone(card: Card, seated: Specimen, make: CardMaker) -> None:
    card.verify(PIN)
    for role, (status, signature) in {
        "signature": card.sign(MESSAGE),
        "authentication": card.authenticate(digest_info(MESSAGE)),
    }.items():
        assert status == DONE
        assert _verifies(seated, role, signature, MESSAGE)
        assert not _verifies(seated, role, signature, MESSAGE[:-1] + b"X")
        assert not _verifies(seated, role, signature[:-1] + bytes((signature[-1] ^ 1,)), MESSAGE)
        assert not _verifies(make("infirmier"), role, signature, MESSAGE), "another card's certificate"
        other = {"signature": "authentication", "authentication": "signature"}[role]
        assert not _verifies(seated, other, signature, MESSAGE), "the other key of the same card"


def test_a_hash_altered_on_its_way_gives_another_signature(card: Card, seated: Specimen) -> None:
    card.verify(PIN)
    card.choose("b6", 0x42, 0x81)
    value = bytearray(hashlib.sha256(MESSAGE).digest())
    value[0] ^= 1
    status, signature = card.send("002a9e9a", bytes(value))
    assert status == DONE
    assert not _verifies(seated, "signature", signature, MESSAGE)
    key = seated.public_key("signature")
    key.verify(signature, bytes(value), padding.PKCS1v15(), Prehashed(hashes.SHA256()))


def test_a_refused_signature_keeps_the_hash_until_the_code_comes(card: Card, seated: Specimen) -> None:
    assert card.sign(MESSAGE)[0] == REFUSED
    card.verify(PIN)
    card.choose("b6", 0x42, 0x81)
    status, signature = card.send("002a9e9a", expected="00")
    assert status == DONE
    assert _verifies(seated, "signature", signature, MESSAGE)


def test_nothing_is_signed_that_was_not_hashed(card: Card) -> None:
    card.verify(PIN)
    card.choose("b6", 0x42, 0x81)
    assert card.send("002a9e9a", expected="00")[0] == NOTHING_CHOSEN
    card.hash(MESSAGE, algorithm=0x10)
    assert card.send("002a9e9a", expected="00")[0] == NOTHING_CHOSEN, "a SHA-1 is no SHA-256"
    assert card.sign(MESSAGE)[0] == DONE
    assert card.send("002a9e9a", expected="00")[0] == NOTHING_CHOSEN, "a hash is signed once"


def test_a_key_does_what_it_is_for_and_no_more(card: Card) -> None:
    card.verify(PIN)
    card.hash(MESSAGE)
    card.choose("b6", 0x42, 0x82)
    assert card.send("002a9e9a", expected="00")[0] == REFUSED, "the authentication key signs no document"
    card.choose("a4", 0x02, 0x81)
    assert card.send("00880000", digest_info(MESSAGE))[0] == REFUSED, "the signature key authenticates nobody"
    card.choose("b8", 0x1A, 0x81)
    assert card.send("102a8086", b"\x81" + bytes(254))[0] == DONE
    assert card.send("002a8086", bytes(2))[0] == REFUSED, "nor does it decipher"
    assert card.authenticate(bytes(103))[0] == "6700", "more than 40 % of the modulus"


def test_a_damaged_cryptogram_is_not_deciphered(card: Card, seated: Specimen) -> None:
    card.verify(PIN)
    secret = bytearray(seated.public_key("authentication").encrypt(MESSAGE, padding.PKCS1v15()))
    secret[-1] ^= 1
    status, plain = card.decipher(bytes(secret))
    assert (status, plain) != (DONE, MESSAGE)
    assert status != DONE or MESSAGE not in plain


def test_a_card_that_asks_for_the_code_each_time_signs_once(card: Card, bench: Bench, make: CardMaker) -> None:
    bench.seat(make(options={"pin_consumed_by_signature": True}))
    card.reset(cold=True)
    assert card.verify(PIN) == DONE
    assert card.sign(MESSAGE)[0] == DONE
    assert card.sign(MESSAGE)[0] == REFUSED
    assert card.verify(PIN) == DONE
    assert card.sign(MESSAGE)[0] == DONE
