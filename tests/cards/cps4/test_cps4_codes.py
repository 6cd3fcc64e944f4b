from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from card_driver import CHIPDOC, CPS4_CONTENTS, PIN, PUK, Driver, Maker
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.image import CardImage
from bifente.simulator.iso7816.memory import CardMemoryError, PersistentMemory, VolatileMemory

ASK_PIN, ASK_PUK, UNBLOCK = "0120000100", "0120000200", "012C038100"


def verify(code: bytes, reference: int = 1) -> str:
    return f"012000{reference:02X}{len(code):02X}{code.hex()}"


def assign(code: bytes, reference: int = 1) -> str:
    return f"012401{reference:02X}{len(code):02X}{code.hex()}"


def test_asking_tells_the_tries_even_when_verified(cps4: Driver) -> None:
    # CARD-CPS4-10: 9000 here and a real client shows the code as locked.
    assert cps4.raw(ASK_PIN) == cps4.raw("01200001") == bytes.fromhex("63C3")
    cps4.login()
    assert cps4.raw(ASK_PIN) == bytes.fromhex("63C3")
    assert cps4.card.state().secrets["pin"].verified
    assert cps4.sw(verify(PUK, 2)) == 0x9000
    assert cps4.raw(ASK_PUK) == bytes.fromhex("63C3")


def test_a_whole_unblocking(cps4: Driver) -> None:
    # Facts, 7.3 and 7.4, in the order of a real client.
    assert [cps4.sw(verify(b"0000")) for _ in range(4)] == [0x63C2, 0x63C1, 0x63C0, 0x6983]
    assert cps4.sw(verify(PIN)) == cps4.sw(ASK_PIN) == 0x6983
    assert cps4.sw(verify(b"00000000", 2)) == 0x63C2
    assert cps4.sw(ASK_PUK) == 0x63C2
    assert cps4.sw(verify(PUK, 2)) == 0x9000
    assert cps4.raw(UNBLOCK) == b"\x90\x00"
    assert cps4.raw(assign(b"4321")) == b"\x90\x00"
    assert cps4.sw(ASK_PIN) == cps4.sw(ASK_PUK) == 0x63C3
    assert cps4.sw(verify(PIN)) == 0x63C2
    assert cps4.sw(verify(b"4321")) == 0x9000


def test_unblocking_alone_keeps_the_former_code(cps4: Driver) -> None:
    cps4.sw(verify(b"0000"))
    cps4.data(verify(PUK, 2))
    assert cps4.sw(UNBLOCK) == 0x9000
    assert cps4.sw(ASK_PIN) == 0x63C3
    assert not cps4.card.state().secrets["pin"].verified
    assert cps4.sw(verify(PIN)) == 0x9000


@pytest.mark.parametrize("before", [(), (verify(PIN),), (verify(b"00000000", 2),)])
def test_unblocking_needs_the_unblocking_code(cps4: Driver, before: tuple[str, ...]) -> None:
    # CARD-CPS4-13: the holder's own code does not give its tries back.
    for apdu in before:
        cps4.sw(apdu)
    assert cps4.sw(UNBLOCK) == 0x63C3


def test_a_right_to_unblock_goes_with_the_selection(cps4: Driver) -> None:
    for again in (f"01A4040C08{CHIPDOC}", None):
        cps4.data(verify(PUK, 2))
        if again:
            cps4.data(again)
        else:
            cps4.sw(verify(b"00000000", 2))
        assert cps4.sw(UNBLOCK) == cps4.sw(assign(b"4321")) == 0x63C3


def test_a_change_is_a_verification_then_the_new_code(cps4: Driver) -> None:
    # CARD-CPS4-14
    assert cps4.sw(assign(b"4321")) == 0x63C3
    cps4.login()
    assert cps4.sw(assign(b"4321")) == 0x9000
    assert cps4.card.state().secrets["pin"].verified
    cps4.card.reset()
    cps4.data(f"01A4040C08{CHIPDOC}")
    assert cps4.sw(assign(b"1111")) == 0x63C3
    assert cps4.sw(verify(PIN)) == 0x63C2
    assert cps4.sw(verify(b"4321")) == 0x9000


def test_a_blocked_code_is_not_changed_before_its_tries_are_back(cps4: Driver) -> None:
    for _ in range(3):
        cps4.sw(verify(b"0000"))
    cps4.data(verify(PUK, 2))
    assert cps4.sw(assign(b"4321")) == 0x6983
    cps4.data(UNBLOCK)
    assert cps4.sw(assign(b"4321")) == 0x9000


def test_the_unblocking_code_cannot_be_changed_nor_unblocked(cps4: Driver) -> None:
    cps4.login()
    cps4.data(verify(PUK, 2))
    assert cps4.sw(assign(b"87654321", 2)) == 0x63C3
    assert cps4.sw("012C038200") == 0x63C3
    for _ in range(3):
        cps4.sw(verify(b"00000000", 2))
    assert cps4.sw(verify(PUK, 2)) == cps4.sw(ASK_PUK) == 0x6983
    assert cps4.sw(UNBLOCK) == 0x63C3


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [
        # CL-SRC-06: a refusal tells the tries left, or says blocked; a real client hears the rest as success.
        ("0120000304" + PIN.hex(), 0x6983),
        ("0120008104" + PIN.hex(), 0x6983),
        ("0124018104" + PIN.hex(), 0x6983),
        ("0124010304" + PIN.hex(), 0x6983),
        ("0124010103" + PIN[:3].hex(), 0x63C2),
        ("0124010105" + PIN.hex() + "35", 0x63C2),
        ("0124010100", 0x63C2),
        ("012C030100", 0x6983),
        ("012C038300", 0x6983),
        ("012C038104" + PIN.hex(), 0x63C2),
        # Wrong parameters stay so: the client then selects the application anew and asks once more.
        ("0120010104" + PIN.hex(), 0x6A86),
        ("0120FF0100", 0x6A86),
        ("0124000108" + PIN.hex() * 2, 0x6A86),  # the way of the CPS3
        ("0124020104" + PIN.hex(), 0x6A86),
        ("012C020104" + PIN.hex(), 0x6A86),  # the way of the CPS3
        ("012C028104" + PIN.hex(), 0x6A86),
        ("012C000100", 0x6A86),
    ],
)
def test_malformed_presentations_cost_and_give_nothing(cps4: Driver, apdu: str, sw: int) -> None:
    cps4.sw(verify(b"0000"))
    cps4.data(verify(PUK, 2))
    assert cps4.sw(apdu) == sw
    state = cps4.card.state().secrets
    assert (state["pin"].tries_left, state["puk"].tries_left) == (2, 3)
    assert cps4.sw(verify(PIN)) == 0x9000


@pytest.mark.parametrize("code", [PIN[:3], PIN + b"5", b"1"])
def test_a_code_of_a_wrong_length_is_a_wrong_code(cps4: Driver, code: bytes) -> None:
    cps4.login()
    assert [cps4.sw(verify(code)) for _ in range(3)] == [0x63C2, 0x63C1, 0x6983]
    assert not cps4.card.state().secrets["pin"].verified
    assert cps4.sw(verify(PIN)) == 0x6983


@pytest.mark.parametrize(
    ("acl", "with_pin", "with_puk"),
    [
        ("F3 12 00 13 FF FF", 0x9000, 0x9000),
        ("F3 11 00 13 FF FF", 0x9000, 0x63C3),
        ("F3 13 00 13 FF FF", 0x63C3, 0x9000),
        ("F3 FF 00 13 FF FF", 0x63C3, 0x63C3),
        ("B3 00 13 FF FF", 0x63C3, 0x63C3),  # no word about changing
    ],
)
def test_who_may_change_a_code_is_data(
    drive4: Maker, cps4_image: CardImage, acl: str, with_pin: int, with_puk: int
) -> None:
    pin, puk = cps4_image.secrets
    image = replace(cps4_image, secrets=(replace(pin, acl=bytes.fromhex(acl)), puk))
    for presented, expected in ((verify(PIN), with_pin), (verify(PUK, 2), with_puk)):
        card = drive4(image)
        card.data(presented)
        assert card.sw(assign(b"4321")) == expected
        unblocks = card.sw(UNBLOCK)
        assert unblocks == (0x9000 if presented != verify(PIN) else 0x63C3)


def test_references_with_the_local_bit_work_too(drive4: Maker, cps4_image: CardImage) -> None:
    # Facts, 6.5: 81 and 82; RESET RETRY COUNTER names 81 in both cases.
    pin, puk = cps4_image.secrets
    card = drive4(replace(cps4_image, secrets=(replace(pin, reference=0x81), replace(puk, reference=0x82))))
    assert card.sw(verify(PIN)) == 0x6983
    assert card.sw(verify(PUK, 0x82)) == 0x9000
    assert card.sw("012C030100") == 0x6983
    assert card.sw(UNBLOCK) == 0x9000
    assert card.sw(assign(b"4321", 0x81)) == 0x9000
    assert card.sw(verify(b"4321", 0x81)) == 0x9000


def test_a_card_may_say_that_it_is_verified(drive4: Maker, cps4_image: CardImage) -> None:
    pin, puk = cps4_image.secrets
    card = drive4(replace(cps4_image, secrets=(replace(pin, tells_verified=True), puk)))
    card.login()
    assert card.sw(ASK_PIN) == 0x9000


def test_counters_and_codes_survive_in_a_file(drive4: Maker, tmp_path: object) -> None:
    store = PersistentMemory(tmp_path / "card.json")  # type: ignore[operator]
    first = drive4(memory=store)
    first.login()
    first.data(assign(b"4321"))
    assert first.sw(verify(b"0000")) == 0x63C2
    store.close()
    second = drive4(memory=PersistentMemory(store.path))
    assert second.sw(ASK_PIN) == 0x63C2
    assert second.sw(verify(b"4321")) == 0x9000


def test_a_memory_that_cannot_be_written_gives_nothing(drive4: Maker) -> None:
    class Full(VolatileMemory):
        def save(self, memory: object) -> None:
            raise OSError("no room")

    card = drive4(memory=Full())
    assert card.sw(verify(PIN)) == 0x6581
    assert not card.card.state().secrets["pin"].verified


def test_a_card_may_be_born_blocked(drive4: Maker, cps4_layout: Layout, keys: dict[str, RSAPrivateKey]) -> None:
    codes = {"pin": PIN, "puk": PUK}
    card = drive4(cps4_layout.fill(contents=CPS4_CONTENTS, codes=codes, keys=keys, tries_left={"pin": 0, "puk": 0}))
    assert card.sw(ASK_PIN) == card.sw(ASK_PUK) == card.sw(verify(PIN)) == card.sw(verify(PUK, 2)) == 0x6983


def test_another_cards_memory_is_refused(drive4: Maker, cps4_image: CardImage, tmp_path: Path) -> None:
    store = PersistentMemory(tmp_path / "card.json")
    assert drive4(memory=store).sw(verify(b"0000")) == 0x63C2
    store.close()
    first, second, *others = cps4_image.keys
    swapped = (
        replace(first, private_key=second.private_key),
        replace(second, private_key=first.private_key),
        *others,
    )
    with pytest.raises(CardMemoryError, match="another card"):
        drive4(replace(cps4_image, keys=swapped), memory=PersistentMemory(store.path))


def test_asking_how_a_code_stands_takes_the_right_to_present_it(drive4: Maker, cps4_image: CardImage) -> None:
    pin, puk = cps4_image.secrets
    card = drive4(replace(cps4_image, secrets=(replace(pin, acl=bytes.fromhex("F3 00 FF 13 FF 00")), puk)))
    assert card.sw(verify(PIN)) == 0x63C3  # CL-SRC-06
    assert not card.card.state().secrets["pin"].verified
    assert card.sw(ASK_PIN) == 0x63C3
