from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from card_driver import CHIPDOC, CPS4_CONTENTS, PIN, PUK, Driver, Maker
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.image import CardImage

Keys = dict[str, RSAPrivateKey]
SHA1, SHA256 = hashes.SHA1(), hashes.SHA256()  # noqa: S303
# Facts, 7.6: the whole algorithm table; salt as long as the hash (CARD-CPS4-17).
TABLE: dict[str, tuple[hashes.HashAlgorithm, padding.AsymmetricPadding]] = {
    "0A": (SHA1, padding.PKCS1v15()),
    "28": (SHA256, padding.PKCS1v15()),
    "15": (SHA1, padding.PSS(padding.MGF1(SHA1), 20)),
    "2C": (SHA256, padding.PSS(padding.MGF1(SHA256), 32)),
}
REFERENCES = {"signature": "90", "authentication": "A0"}
SET_SIGN, SET_DECIPHER = "012281B60491022890", "012241B803830120"
MESSAGE = b"message"


@pytest.fixture
def drive4(drive4: Maker) -> Maker:
    """The same in the folder where the keys lie."""

    def start(*arguments: CardImage, **options: object) -> Driver:
        card = drive4(*arguments, **options)
        assert card.sw("01A4080C020001") == 0x9000
        return card

    return start


def sign(card: Driver, value: bytes) -> str:
    return f"012A9E9A{len(value):02X}{value.hex()}"


def digest(algorithm: hashes.HashAlgorithm, message: bytes = MESSAGE) -> bytes:
    return hashlib.new(algorithm.name, message).digest()


# -- signature ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", TABLE)
@pytest.mark.parametrize("key", REFERENCES)
def test_a_finished_hash_is_padded_and_signed(cps4: Driver, keys: Keys, reference: str, key: str) -> None:
    algorithm, filling = TABLE[reference]
    cps4.login()
    assert cps4.data("01A4080C020001") == b""
    assert cps4.raw(f"012281B6049102{reference}{REFERENCES[key]}") == b"\x90\x00"
    assert cps4.raw(sign(cps4, digest(algorithm))) == bytes.fromhex("6100")
    answer = cps4.raw("01C0000000")
    assert (len(answer), answer[-2:]) == (258, b"\x90\x00")
    public = keys[key].public_key()
    public.verify(answer[:-2], MESSAGE, filling, algorithm)
    for wrong in (b"massage", b""):
        with pytest.raises(InvalidSignature):
            public.verify(answer[:-2], wrong, filling, algorithm)
    for other in {"0A", "28", "15", "2C"} - {reference}:
        if TABLE[other][0] is algorithm:
            with pytest.raises(InvalidSignature):
                public.verify(answer[:-2], MESSAGE, TABLE[other][1], algorithm)
    other_key = keys["authentication" if key == "signature" else "signature"].public_key()
    with pytest.raises(InvalidSignature):
        other_key.verify(answer[:-2], MESSAGE, filling, algorithm)


def test_salts_are_drawn_anew_and_exact(cps4: Driver, keys: Keys) -> None:
    cps4.login()
    cps4.data("012281B60491022C90")
    first, second = (cps4.data(sign(cps4, digest(SHA256))) for _ in range(2))
    assert first != second
    for size in (0, 20, 31):
        with pytest.raises(InvalidSignature):
            keys["signature"].public_key().verify(first, MESSAGE, padding.PSS(padding.MGF1(SHA256), size), SHA256)


@pytest.mark.parametrize(
    ("reference", "size"), [("0A", 19), ("0A", 32), ("28", 20), ("28", 33), ("28", 51), ("15", 32), ("2C", 20)]
)
def test_a_hash_of_another_size_is_refused(cps4: Driver, reference: str, size: int) -> None:
    cps4.login()
    cps4.data(f"012281B6049102{reference}90")
    assert cps4.sw(sign(cps4, bytes(size))) == 0x6700


def test_there_is_no_hash_on_the_card(cps4: Driver) -> None:
    # CARD-CPS4-16
    cps4.login()
    cps4.data(SET_SIGN)
    assert cps4.sw("012A9E9A00") == 0x6985
    assert cps4.sw("012A90A0059000800161") == 0x6A86
    assert cps4.sw("012241AA03800140") == 0x6A86
    assert cps4.sw("0188000004AABBCCDD") == 0x6D00


def test_the_choice_survives_refusal_and_verification(cps4: Driver, keys: Keys) -> None:
    # CARD-CPS4-20 and -21: MSE needs no code, and the client repeats from it or not.
    assert cps4.sw(SET_SIGN) == 0x9000
    for _ in range(2):
        assert cps4.sw(sign(cps4, digest(SHA256))) == 0x6982
    cps4.login()
    signature = cps4.data(sign(cps4, digest(SHA256)))
    keys["signature"].public_key().verify(signature, MESSAGE, padding.PKCS1v15(), SHA256)
    assert len(cps4.data(sign(cps4, digest(SHA256)))) == 256  # one code serves many signatures


def test_a_code_may_be_spent_at_each_signature(drive4: Maker, cps4_layout: Layout, keys: Keys) -> None:
    codes = {"pin": PIN, "puk": PUK}
    card = drive4(cps4_layout.fill(contents=CPS4_CONTENTS, codes=codes, keys=keys, consent=["signature"]))
    card.login()
    card.data(SET_SIGN)
    card.data(sign(card, digest(SHA256)))
    assert card.sw(sign(card, digest(SHA256))) == 0x6982
    card.login()
    assert card.sw(sign(card, digest(SHA256))) == 0x9000


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [
        ("012281B60491020090", 0x6A88),  # what a client sends when it has no algorithm
        *((f"012281B6049102{other}90", 0x6A88) for other in ("09", "1E", "27", "29", "2A", "2B", "2D", "2E", "FF")),
        ("012281B60491022810", 0x6A88),  # the key without b8
        ("012281B60491022820", 0x6A88),
        ("012281B604910228B0", 0x6A88),
        ("012281B60491022880", 0x6A88),
        ("012241B8038301A0", 0x6A88),  # the key with b8
        ("012241B803830130", 0x6A88),
        ("012281B603910128", 0x6A80),
        ("012281B6059103289000", 0x6A80),
        ("012281B606800128840190", 0x6A80),  # the way of the CPS3
        ("012281B60892022890", 0x6700),
        ("012281B60492022890", 0x6A80),
        ("012281B60891022890" + "91022890", 0x6A80),
        ("012281B603910290", 0x6A80),
        ("012241B803840120", 0x6A80),
        ("012241B80483020020", 0x6A80),
        ("012241B60491022890", 0x6A86),
        ("012281B803830120", 0x6A86),
        ("0122C1B60491022890", 0x6A86),
        ("012241A403830120", 0x6A86),
        ("012281AA0491022890", 0x6A86),
        ("112281B60491022890", 0x6884),
    ],
)
def test_a_refused_mse_keeps_the_former_choice(cps4: Driver, apdu: str, sw: int) -> None:
    cps4.data(SET_SIGN)
    cps4.data(SET_DECIPHER)
    assert cps4.sw(apdu) == sw
    main = cps4.card.state().main
    assert main is not None
    assert main.environments == {"B6": "signature 28", "B8": "authentication -"}


def test_an_empty_mse_forgets_the_choice(cps4: Driver) -> None:
    cps4.data(SET_SIGN)
    assert cps4.sw("012281B600") == 0x9000
    cps4.login()
    assert cps4.sw(sign(cps4, bytes(32))) == 0x6985


# -- the raw operation ----------------------------------------------------------------------------------------------


def raw(card: Driver, block: bytes) -> bytes | int:
    """The two commands of a real client: 255 bytes, then the last (facts, 7.7)."""
    assert card.raw("112A8086FF" + block[:255].hex()) == b"\x90\x00"
    answer = card.send(f"012A8086{len(block) - 255:02X}{block[255:].hex()}")
    return answer.data if answer.sw == 0x9000 else answer.sw


@pytest.mark.parametrize("size", [1, 35, 51, 83, 245])
def test_what_the_host_pads_is_signed(cps4: Driver, keys: Keys, size: int) -> None:
    # CARD-CPS4-18
    data = bytes((i * 7 + 1) % 256 for i in range(size))
    cps4.login()
    assert cps4.raw(SET_DECIPHER) == b"\x90\x00"
    result = raw(cps4, b"\x00\x01" + b"\xff" * (253 - size) + b"\x00" + data)
    assert isinstance(result, bytes)
    public = keys["authentication"].public_key()
    assert public.recover_data_from_signature(result, padding.PKCS1v15(), None) == data


@pytest.mark.parametrize("plain", [b"", b"k", bytes(32), b"\x00\x01" * 122 + b"\x02"])
def test_a_deciphered_block_keeps_its_padding(cps4: Driver, keys: Keys, plain: bytes) -> None:
    # CARD-CPS4-19
    cps4.login()
    cps4.data(SET_DECIPHER)
    block = raw(cps4, keys["authentication"].public_key().encrypt(plain, padding.PKCS1v15()))
    assert isinstance(block, bytes)
    assert len(block) == 256
    assert block[:2] == b"\x00\x02"
    assert block[2:].partition(b"\x00")[2] == plain


def test_blocks_that_are_none(cps4: Driver) -> None:
    cps4.login()
    cps4.data(SET_DECIPHER)
    assert raw(cps4, b"\xff" * 256) == 0x6A80  # above the modulus
    assert raw(cps4, b"\x81" + bytes(256)) == 0x6700  # no padding indicator here
    assert raw(cps4, bytes(256)) == bytes(256)
    assert cps4.sw("012A8086FF" + "00" * 255) == 0x6700
    assert cps4.sw("012A808600") == 0x6700
    assert cps4.sw("012A80840100") == 0x6A86


def test_the_parts_may_be_cut_elsewhere(cps4: Driver, keys: Keys) -> None:
    cps4.login()
    cps4.data(SET_DECIPHER)
    block = keys["authentication"].public_key().encrypt(b"key", padding.PKCS1v15())
    for part in (block[:1], block[1:2], block[2:200]):
        assert cps4.raw(f"112A8086{len(part):02X}{part.hex()}") == b"\x90\x00"
    assert cps4.data(f"012A8086{56:02X}{block[200:].hex()}").endswith(b"\x00key")


@pytest.mark.parametrize("other", ["01A4080C0400015031", "012A9E9A00", "0120000100", "112A9E9A01AA"])
def test_a_chain_not_continued_is_forgotten(cps4: Driver, other: str) -> None:
    cps4.login()
    cps4.data(SET_DECIPHER)
    assert cps4.raw("112A8086FF" + "00" * 255) == b"\x90\x00"
    cps4.raw(other)
    assert cps4.sw("012A80860100") == 0x6700


@pytest.mark.parametrize(
    "other", ["00A4000C023F00", "01FF0000", "8000000000", "01A4", "012A80860201", "01C0000000", "012A808602AA"]
)
def test_whatever_does_not_continue_a_chain_ends_it(cps4: Driver, other: str) -> None:
    cps4.login()
    cps4.data(SET_DECIPHER)
    assert cps4.raw("112A8086FF" + "00" * 255) == b"\x90\x00"
    assert cps4.data("012A80860100") == bytes(256)
    assert cps4.raw("112A8086FF" + "00" * 255) == b"\x90\x00"
    cps4.raw(other)
    assert cps4.sw("012A80860100") == 0x6700


def test_a_chain_is_completed_on_its_own_channel_only(drive4: Maker, cps4_image: CardImage) -> None:
    lives = {name: replace(life, exclusive=False) for name, life in cps4_image.applications.items()}
    card = drive4(replace(cps4_image, applications=lives))
    assert card.sw(f"00A4040C08{CHIPDOC}") == 0x9000
    card.login()
    assert card.sw("00A4080C020001") == 0x9000
    for channel in "01":
        assert card.sw(f"0{channel}2241B803830120") == 0x9000
    assert card.raw("112A8086FF" + "00" * 255) == b"\x90\x00"
    assert card.data("012A80860100") == bytes(256)
    assert card.raw("112A8086FF" + "00" * 255) == b"\x90\x00"
    assert card.sw("002A80860100") == 0x6700
    assert card.sw("012A80860100") == 0x6700


# -- who may do what ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prepare", "command", "after"),
    [
        ("012281B60491022890", "012A9E9A20" + "00" * 32, 0x9000),
        ("012281B604910228A0", "012A9E9A20" + "00" * 32, 0x9000),
        ("012241B803830120", "012A80860100", 0x6700),  # allowed, and one byte is no block
        ("012241B803830110", "012A80860100", 0x6982),  # the signature key deciphers nothing (CARD-CPS4-15)
    ],
)
def test_a_key_does_only_what_it_is_for_and_only_with_the_code(
    cps4: Driver, prepare: str, command: str, after: int
) -> None:
    assert cps4.sw(command) == 0x6985
    cps4.data(prepare)
    assert cps4.sw(command) == 0x6982
    assert cps4.sw("0120000208" + PUK.hex()) == 0x9000
    assert cps4.sw(command) == 0x6982
    cps4.login()
    assert cps4.sw(command) == after


@pytest.mark.parametrize(
    ("acl", "sw"), [("7B 00 FF FF FF FF FF", 0x9000), ("7B FF 00 00 FF FF FF", 0x6982), ("01 00", 0x6982)]
)
def test_the_rule_of_a_key_is_data(drive4: Maker, cps4_image: CardImage, acl: str, sw: int) -> None:
    signature, authentication = cps4_image.keys
    card = drive4(replace(cps4_image, keys=(replace(signature, acl=bytes.fromhex(acl)), authentication)))
    card.data(SET_SIGN)
    assert card.sw(sign(card, bytes(32))) == sw
