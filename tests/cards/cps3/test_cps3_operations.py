from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from card_driver import CONTENTS, PIN, PUK, Driver, Maker
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.hashing import advance
from bifente.simulator.iso7816.image import CardImage, Digest

Keys = dict[str, RSAPrivateKey]
INITIAL = {
    Digest.SHA1: bytes.fromhex("67452301EFCDAB8998BADCFE10325476C3D2E1F0"),
    Digest.SHA256: bytes.fromhex("6A09E667BB67AE853C6EF372A54FF53A510E527F9B05688C1F83D9AB5BE0CD19"),
}
ALGORITHMS = {Digest.SHA1: ("10", "12", hashes.SHA1()), Digest.SHA256: ("40", "42", hashes.SHA256())}  # noqa: S303
SET_SIGN = "002241B606800142840181"
SET_AUTHENTICATE = "002241A406800102840182"
SET_DECIPHER = "002241B80680011A840182"
SIGN = "002A9E9A00"


@pytest.fixture
def drive(drive: Maker) -> Maker:
    """A powered card in the folder where its keys lie."""

    def start(*arguments: CardImage, **options: object) -> Driver:
        card = drive(*arguments, **options)
        assert card.sw("00A4090C043F000001") == 0x9000
        return card

    return start


def partial(digest: Digest, message: bytes) -> str:
    """PSO HASH as a real client cuts it: whole blocks but the last on the host, 1 to 64 bytes for the card."""
    whole = max(0, (len(message) - 1) // 64) * 64
    body = b"\x90\x00"
    if whole:
        state = advance(digest, INITIAL[digest], message[:whole]) + (8 * whole).to_bytes(8, "big")
        body = bytes((0x90, len(state))) + state
    rest = message[whole:]
    body += bytes((0x80, len(rest))) + rest
    return f"002A90A0{len(body):02X}{body.hex()}"


def prepare(card: Driver, digest: Digest, message: bytes) -> None:
    hash_reference, sign_reference, _ = ALGORITHMS[digest]
    card.data(f"002241AA038001{hash_reference}")
    card.data(partial(digest, message))
    card.data(f"002241B6068001{sign_reference}840181")


def check(keys: Keys, digest: Digest, signature: bytes, message: bytes) -> None:
    keys["signature"].public_key().verify(signature, message, padding.PKCS1v15(), ALGORITHMS[digest][2])


# -- signature ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("digest", list(Digest))
@pytest.mark.parametrize("size", [1, 55, 56, 63, 64, 65, 128, 129, 1000])
def test_a_hash_begun_by_the_host_is_ended_and_signed(card: Driver, keys: Keys, digest: Digest, size: int) -> None:
    message = bytes(i % 251 for i in range(size))
    card.login()
    prepare(card, digest, message)
    check(keys, digest, card.data(SIGN), message)


def test_the_answer_is_read_as_a_real_client_does(card: Driver, keys: Keys) -> None:
    # CARD-CPS3-03: 61 00, 231 bytes, 61 19, 25 bytes.
    card.login()
    prepare(card, Digest.SHA256, b"message")
    assert card.raw(SIGN) == bytes.fromhex("6100")
    first = card.raw("00C00000E7")
    assert (len(first), first[-2:]) == (233, bytes.fromhex("6119"))
    second = card.raw("00C0000019")
    assert second[-2:] == b"\x90\x00"
    check(keys, Digest.SHA256, first[:-2] + second[:-2], b"message")


def test_the_other_client_reads_256_at_once(card: Driver) -> None:
    card.login()
    prepare(card, Digest.SHA256, b"message")
    assert card.raw(SIGN) == bytes.fromhex("6100")
    assert len(card.raw("00C0000000")) == 258


def test_the_hash_survives_refusal_verification_and_a_new_choice(card: Driver, keys: Keys) -> None:
    # CARD-CPS3-26: what a real client does when the code was lost.
    prepare(card, Digest.SHA256, b"message")
    assert card.sw(SIGN) == 0x6982
    assert card.sw(SIGN) == 0x6982
    card.login()
    card.data(SET_SIGN)
    check(keys, Digest.SHA256, card.data(SIGN), b"message")


def test_a_signature_uses_the_hash_up(card: Driver) -> None:
    card.login()
    prepare(card, Digest.SHA256, b"message")
    card.data(SIGN)
    assert card.sw(SIGN) == 0x6985


def test_one_code_serves_many_signatures(card: Driver) -> None:
    card.login()
    for message in (b"one", b"two", b"three"):
        prepare(card, Digest.SHA1, message)
        card.data(SIGN)
    assert card.sw("0020000100") == 0x9000


def test_a_code_may_be_spent_at_each_signature(drive: Maker, layout: Layout, keys: Keys) -> None:
    # CARD-CPS3-62: the other model, with the client's recovery.
    image = layout.fill(contents=CONTENTS, codes={"pin": PIN, "puk": PUK}, keys=keys, consent=["signature"])
    card = drive(image)
    card.login()
    prepare(card, Digest.SHA256, b"one")
    card.data(SIGN)
    assert card.sw("0020000100") == 0x63C3
    prepare(card, Digest.SHA256, b"two")
    assert card.sw(SIGN) == 0x6982
    card.login()
    card.data(SET_SIGN)
    check(keys, Digest.SHA256, card.data(SIGN), b"two")
    card.login()
    card.data(SET_AUTHENTICATE)
    card.data("008800000401020304")
    assert card.sw("0020000100") == 0x9000  # the other key asks for no consent


@pytest.mark.parametrize(("digest", "size"), [(Digest.SHA1, 20), (Digest.SHA256, 32)])
def test_a_bare_hash_is_signed_as_given(card: Driver, keys: Keys, digest: Digest, size: int) -> None:
    value = hashlib.new(digest, b"message").digest()
    card.login()
    card.data(f"002241B6068001{ALGORITHMS[digest][1]}840181")
    check(keys, digest, card.data(f"002A9E9A{size:02X}{value.hex()}"), b"message")
    for wrong in (size - 1, size + 1, 52 - size):
        assert card.sw(f"002A9E9A{wrong:02X}" + "00" * wrong) == 0x6700


def test_a_signature_of_another_message_does_not_verify(card: Driver, keys: Keys) -> None:
    card.login()
    prepare(card, Digest.SHA256, b"message")
    with pytest.raises(InvalidSignature):
        check(keys, Digest.SHA256, card.data(SIGN), b"massage")


def test_a_hash_of_one_kind_is_not_signed_as_another(card: Driver) -> None:
    card.login()
    prepare(card, Digest.SHA1, b"message")
    card.data(SET_SIGN)
    assert card.sw(SIGN) == 0x6985


def test_nothing_chosen_nothing_done(card: Driver) -> None:
    card.login()
    assert card.sw(SIGN) == 0x6985
    assert card.sw(partial(Digest.SHA256, b"x")) == 0x6985
    assert card.sw("0088000001AA") == 0x6985
    assert card.sw("002A80860181") == 0x6985
    card.data(SET_SIGN)
    assert card.sw(SIGN) == 0x6985  # no hash
    card.data("002241B603800142")
    assert card.sw("002A9E9A20" + "00" * 32) == 0x6985  # no key
    card.data("002241B603840181")
    assert card.sw("002A9E9A20" + "00" * 32) == 0x6985  # no algorithm


@pytest.mark.parametrize("order", ["80014284 0181", "840181800142"])
def test_the_objects_of_mse_come_in_any_order(card: Driver, order: str) -> None:
    assert card.sw("002241B606" + order.replace(" ", "")) == 0x9000
    assert card.card.state().channels["ias"].environments == {"B6": "signature 42"}


def test_an_empty_mse_forgets_the_choice(card: Driver) -> None:
    card.data(SET_SIGN)
    assert card.sw("002241B600") == 0x9000
    assert card.card.state().channels["ias"].environments == {}
    assert card.sw("002241A4") == 0x9000


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [
        ("002241B606800142840183", 0x6A88),
        ("002241B606800100840181", 0x6A88),
        ("002241B606800102840181", 0x6A88),  # an authentication algorithm
        ("002241AA03800142", 0x6A88),
        ("002241AA06800140840181", 0x6A80),  # a hash has no key
        ("002241B60380 0242".replace(" ", ""), 0x6A80),
        ("002241B60480020042", 0x6A80),
        ("002241B603810142", 0x6A80),
        ("002241B606800142800142", 0x6A80),
        ("002241B60180", 0x6A80),
        ("002281B606800142840181", 0x6A86),
        ("0022F1B606800142840181", 0x6A86),
        ("002241B406800142840181", 0x6A86),
    ],
)
def test_a_refused_mse_keeps_the_former_choice(card: Driver, apdu: str, sw: int) -> None:
    card.data(SET_SIGN)
    assert card.sw(apdu) == sw
    assert card.card.state().channels["ias"].environments == {"B6": "signature 42"}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "9000",
        "900080",
        "90008000",
        "800161",
        "8001619000",
        "9000800161800162",
        "900080" + "41" + "00" * 65,
        "9014" + "00" * 20 + "800161",
        "9027" + "00" * 39 + "800161",
        "901C" + "00" * 20 + "0000000000000200" + "800161",  # the state of SHA-1
        "9028" + "00" * 32 + "0000000000000000" + "800161",
        "9028" + "00" * 32 + "0000000000000201" + "800161",
        "9028" + "00" * 32 + "FFFFFFFFFFFFFE00" + "8040" + "00" * 64,
    ],
)
def test_a_hash_that_makes_no_sense_keeps_the_former(card: Driver, keys: Keys, body: str) -> None:
    card.login()
    prepare(card, Digest.SHA256, b"message")
    assert card.sw(f"002A90A0{len(body) // 2:02X}{body}") == 0x6A80
    check(keys, Digest.SHA256, card.data(SIGN), b"message")


@pytest.mark.parametrize("parameters", ["9080", "9E9E", "8680", "0000"])
def test_other_security_operations_are_refused(card: Driver, parameters: str) -> None:
    assert card.sw(f"002A{parameters}01AA") == 0x6A86


# -- authentication -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 35, 51, 83, 102])
def test_data_are_padded_and_signed_as_given(card: Driver, keys: Keys, size: int) -> None:
    data = bytes((i * 7 + 1) % 256 for i in range(size))
    card.login()
    card.data(SET_AUTHENTICATE)
    signature = card.data(f"00880000{size:02X}{data.hex()}")
    public = keys["authentication"].public_key()
    assert public.recover_data_from_signature(signature, padding.PKCS1v15(), None) == data


def test_no_more_than_forty_percent_of_the_modulus(card: Driver) -> None:
    # CARD-CPS3-27
    card.login()
    card.data(SET_AUTHENTICATE)
    assert card.sw("0088000067" + "AA" * 103) == 0x6700
    assert card.sw("0088000000") == 0x6700
    assert card.sw("0088000101AA") == 0x6A86
    assert card.sw("0088000066" + "AA" * 102) == 0x9000


# -- decipherment ---------------------------------------------------------------------------------------------------


def decipher(card: Driver, cryptogram: bytes, indicator: str = "81") -> bytes | int:
    """The chain of a real client: 255 bytes, then the rest."""
    body = bytes.fromhex(indicator) + cryptogram
    while len(body) > 255:
        assert card.raw("102A8086FF" + body[:255].hex()) == b"\x90\x00"
        body = body[255:]
    answer = card.send(f"002A8086{len(body):02X}{body.hex()}")
    return answer.data if answer.sw == 0x9000 else answer.sw


@pytest.mark.parametrize("plain", [b"", b"k", bytes(32), b"\x00\x01" * 122 + b"\x02"])
def test_a_chained_cryptogram_is_deciphered(card: Driver, keys: Keys, plain: bytes) -> None:
    card.login()
    card.data(SET_DECIPHER)
    cryptogram = keys["authentication"].public_key().encrypt(plain, padding.PKCS1v15())
    assert decipher(card, cryptogram) == plain


def test_a_bad_cryptogram_is_refused(card: Driver, keys: Keys) -> None:
    card.login()
    card.data(SET_DECIPHER)
    good = keys["authentication"].public_key().encrypt(b"key", padding.PKCS1v15())
    assert decipher(card, bytes(255) + b"\x02") == 0x6A80
    assert decipher(card, b"\xff" * 256) == 0x6A80
    assert decipher(card, good, "00") == 0x6A80
    assert decipher(card, good[:-1]) == 0x6700
    assert decipher(card, good + b"\x00") == 0x6700
    assert decipher(card, good) == b"key"


def test_the_parts_of_a_chain_are_joined_in_order(card: Driver, keys: Keys) -> None:
    card.login()
    card.data(SET_DECIPHER)
    body = b"\x81" + keys["authentication"].public_key().encrypt(b"key", padding.PKCS1v15())
    for part in (body[:1], body[1:2], body[2:200]):
        assert card.raw(f"102A8086{len(part):02X}{part.hex()}") == b"\x90\x00"
    assert card.data(f"002A8086{len(body) - 200:02X}{body[200:].hex()}") == b"key"


# -- who may do what ------------------------------------------------------------------------------------------------


def _sign_with(key: str) -> Callable[[Driver], int]:
    def run(card: Driver) -> int:
        card.data("002241B6068001428401" + key)
        return card.sw("002A9E9A20" + "00" * 32)

    return run


def _authenticate_with(key: str) -> Callable[[Driver], int]:
    def run(card: Driver) -> int:
        card.data("002241A4068001028401" + key)
        return card.sw("0088000004AABBCCDD")

    return run


def _decipher_with(key: str) -> Callable[[Driver], int]:
    def run(card: Driver) -> int:
        card.data("002241B80680011A8401" + key)
        card.raw("102A8086FF81" + "00" * 254)
        return card.sw("002A8086020001")

    return run


@pytest.mark.parametrize(
    ("operation", "after"),
    [
        (_sign_with("81"), 0x9000),
        (_sign_with("82"), 0x6982),
        (_authenticate_with("81"), 0x6982),
        (_authenticate_with("82"), 0x9000),
        (_decipher_with("81"), 0x6982),
        (_decipher_with("82"), 0x6A80),  # allowed, and 0...01 is no padded block
    ],
)
def test_a_key_does_only_what_it_is_for_and_only_with_the_code(
    card: Driver, operation: Callable[[Driver], int], after: int
) -> None:
    # CARD-CPS3-24, CARD-CPS3-29
    assert operation(card) == 0x6982
    assert card.sw("0020000208" + PUK.hex()) == 0x9000
    assert operation(card) == 0x6982
    card.login()
    assert operation(card) == after


@pytest.mark.parametrize(
    ("acl", "sw"),
    [
        ("7B 00 FF FF FF FF 00", 0x9000),
        ("7B FF FF FF FF FF 00", 0x6982),
        ("7B 41 FF FF FF FF 00", 0x6982),
        ("01 00", 0x6982),
    ],
)
def test_the_rule_of_a_key_is_data(drive: Maker, image: CardImage, acl: str, sw: int) -> None:
    signature, authentication = image.keys
    card = drive(replace(image, keys=(replace(signature, acl=bytes.fromhex(acl)), authentication)))
    assert _sign_with("81")(card) == sw
