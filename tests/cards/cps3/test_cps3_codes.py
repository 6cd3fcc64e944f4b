from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from card_driver import CONTENTS, PIN, PUK, Driver, Maker
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.files import ImageError
from bifente.simulator.iso7816.image import CardImage
from bifente.simulator.iso7816.memory import CardMemory, CardMemoryError, PersistentMemory, VolatileMemory

ASK_PIN, ASK_PUK = "0020000100", "0020000200"


def verify(code: bytes, reference: int = 1) -> str:
    return f"002000{reference:02X}{len(code):02X}{code.hex()}"


def change(old: bytes, new: bytes, reference: int = 1) -> str:
    return f"002400{reference:02X}{len(old + new):02X}{(old + new).hex()}"


def unblock(new: bytes) -> str:
    return f"002C0201{len(new):02X}{new.hex()}"


def test_tries_go_down_to_the_block_and_the_right_code_then_fails(card: Driver) -> None:
    assert [card.sw(verify(b"0000")) for _ in range(4)] == [0x63C2, 0x63C1, 0x63C0, 0x6983]
    assert card.sw(verify(PIN)) == 0x6983
    assert card.sw(ASK_PIN) == 0x6983
    assert card.sw(ASK_PUK) == 0x63CA


def test_a_good_code_gives_the_tries_back(card: Driver) -> None:
    assert card.sw(verify(b"0000")) == 0x63C2
    assert card.sw(verify(PIN)) == 0x9000
    assert card.card.state().secrets["pin"].tries_left == 3
    assert card.sw(verify(b"0000")) == 0x63C2


def test_asking_costs_nothing(card: Driver) -> None:
    # CARD-CPS3-20, in the T=0 form (P3 = 00) and the bare one.
    for _ in range(5):
        assert card.raw(ASK_PIN) == bytes.fromhex("63C3")
        assert card.raw("00200001") == bytes.fromhex("63C3")
    card.login()
    assert card.raw(ASK_PIN) == b"\x90\x00"


@pytest.mark.parametrize(
    ("apdu", "sw"),
    [
        ("0020000304" + PIN.hex(), 0x6A88),
        ("0020008104" + PIN.hex(), 0x6A88),
        ("0020000004" + PIN.hex(), 0x6A88),
        ("0020010104" + PIN.hex(), 0x6A86),
        ("0024010104" + PIN.hex(), 0x6A86),
        ("0024000308" + PIN.hex() * 2, 0x6A88),
        ("002C000104" + PIN.hex(), 0x6A86),
        ("002C030100", 0x6A86),
        ("002C020304" + PIN.hex(), 0x6A88),
        ("0020000103" + PIN[:3].hex(), 0x6700),
        ("0020000105" + PIN.hex() + "35", 0x6700),
        ("0024000104" + PIN.hex(), 0x6700),
        ("0024000100", 0x6700),
        ("0024000109" + PIN.hex() * 2 + "31", 0x6700),
    ],
)
def test_malformed_presentations_cost_no_try(card: Driver, apdu: str, sw: int) -> None:
    assert card.sw(apdu) == sw
    assert card.sw(ASK_PIN) == 0x63C3
    assert card.sw(ASK_PUK) == 0x63CA


def test_a_change_takes_old_and_new_joined(card: Driver) -> None:
    assert card.sw(change(PIN, b"4321")) == 0x9000
    assert card.sw(ASK_PIN) == 0x9000  # CARD-CPS3-21: success leaves it verified
    card.card.reset()
    assert card.sw(verify(PIN)) == 0x63C2
    assert card.sw(verify(b"4321")) == 0x9000


def test_a_change_with_a_wrong_old_code_is_a_try(card: Driver) -> None:
    assert [card.sw(change(b"0000", b"4321")) for _ in range(4)] == [0x63C2, 0x63C1, 0x63C0, 0x6983]
    assert card.sw(change(PIN, b"4321")) == 0x6983


def test_the_unblocking_code_cannot_be_changed_nor_unblocked(card: Driver) -> None:
    assert card.sw(change(PUK, b"87654321", 2)) == 0x6982
    card.data(verify(PUK, 2))
    assert card.sw("002C020208" + b"87654321".hex()) == 0x6982


def test_unblocking_needs_the_unblocking_code(card: Driver) -> None:
    # CARD-CPS3-22
    for _ in range(3):
        card.sw(verify(b"0000"))
    assert card.sw(unblock(b"4321")) == 0x6982
    assert card.sw(verify(b"00000000", 2)) == 0x63C9
    assert card.sw(unblock(b"4321")) == 0x6982
    assert card.sw(verify(PUK, 2)) == 0x9000
    assert card.sw(unblock(b"432")) == 0x6700
    assert card.sw(unblock(b"")) == 0x6700
    assert card.sw(unblock(b"4321")) == 0x9000
    assert card.sw(ASK_PIN) == 0x63C3  # all tries back, not verified
    assert card.sw(verify(b"4321")) == 0x9000


def test_unblocking_takes_an_earlier_verification_back(card: Driver) -> None:
    card.login()
    card.data(verify(PUK, 2))
    assert card.sw(unblock(b"4321")) == 0x9000
    assert card.sw(ASK_PIN) == 0x63C3


def test_the_pin_opens_no_unblocking(card: Driver) -> None:
    card.login()
    assert card.sw(unblock(b"4321")) == 0x6982


def test_the_unblocking_code_wears_out(drive: Maker, layout: Layout, keys: dict[str, RSAPrivateKey]) -> None:
    image = layout.fill(contents=CONTENTS, codes={"pin": PIN, "puk": PUK}, keys=keys, uses_left={"puk": 2})
    card = drive(image)
    assert [card.sw(verify(PUK, 2)) for _ in range(3)] == [0x9000, 0x9000, 0x6983]
    card.card.reset()
    assert card.sw(ASK_PUK) == 0x6983
    assert card.card.state().secrets["puk"].uses_left == 0


def test_a_card_may_be_born_blocked(drive: Maker, layout: Layout, keys: dict[str, RSAPrivateKey]) -> None:
    codes = {"pin": PIN, "puk": PUK}
    card = drive(layout.fill(contents=CONTENTS, codes=codes, keys=keys, tries_left={"pin": 0, "puk": 1}))
    assert card.sw(verify(PIN)) == 0x6983
    assert card.sw(verify(b"00000000", 2)) == 0x63C0
    assert card.sw(verify(PUK, 2)) == 0x6983
    for arguments in ({"tries_left": {"other": 0}}, {"uses_left": {"other": 0}}, {"consent": ["other"]}):
        with pytest.raises(ValueError, match="has no"):
            layout.fill(contents={}, codes=codes, keys=keys, **arguments)


@pytest.mark.parametrize(
    "change_of_secret",
    [
        {"max_tries": 0},
        {"max_tries": 16},
        {"tries_left": 4},
        {"tries_left": -1},
        {"value": b"1"},
        {"reference": 2},
        {"name": "puk"},
    ],
)
def test_an_image_that_contradicts_itself_is_no_card(
    drive: Maker, image: CardImage, change_of_secret: dict[str, object]
) -> None:
    pin, puk = image.secrets
    with pytest.raises(ImageError):
        drive(replace(image, secrets=(replace(pin, **change_of_secret), puk)))  # type: ignore[arg-type]


def test_the_rule_of_a_code_is_data(drive: Maker, image: CardImage) -> None:
    pin, puk = image.secrets
    card = drive(replace(image, secrets=(replace(pin, acl=bytes.fromhex("F3 FF 00 11 FF FF")), puk)))
    assert card.sw(change(PIN, b"4321")) == 0x6982
    card.login()
    assert card.sw(unblock(b"4321")) == 0x9000
    assert card.sw("00CB3FFF0A4D087006BF810102A080") == 0x6982
    never = drive(replace(image, secrets=(replace(pin, acl=bytes.fromhex("F3 00 FF 13 FF 00")), puk)))
    assert never.sw(verify(PIN)) == 0x6982
    assert never.sw(verify(b"0000")) == 0x6982
    assert never.card.state().secrets["pin"].tries_left == 3


# -- what survives without power ------------------------------------------------------------------------------------


def test_counters_codes_and_contents_survive_in_a_file(drive: Maker, tmp_path: Path) -> None:
    store = PersistentMemory(tmp_path / "card.json")
    first = drive(memory=store)
    first.data(change(PIN, b"4321"))
    first.data("00A4090C063F000001D107")
    first.data("00D6000002CAFE")
    assert first.sw(verify(b"0000")) == 0x63C2
    assert first.sw(verify(b"00000000", 2)) == 0x63C9
    store.close()
    second = drive(memory=PersistentMemory(store.path))
    assert second.sw(ASK_PIN) == 0x63C2
    assert second.sw(ASK_PUK) == 0x63C9
    second.data("00A4090C063F000001D107")
    assert second.data("00B0000002") == b"\xca\xfe"
    assert second.sw(verify(b"4321")) == 0x9000


class PowerCutError(Exception):
    """The power goes."""


class Spy(VolatileMemory):
    """A store that tells what it is given, and may cut the power right after."""

    def __init__(self) -> None:
        super().__init__()
        self.saved: list[CardMemory] = []
        self.then: Callable[[], None] = lambda: None

    def save(self, memory: CardMemory) -> None:
        super().save(memory)
        self.saved.append(memory)
        self.then()


def test_a_try_is_spent_before_the_code_is_looked_at(drive: Maker) -> None:
    store = Spy()
    card = drive(memory=store)

    def cut() -> None:
        raise PowerCutError

    store.then = cut
    for code in (b"0000", PIN):  # even with the right one, power lost too early gives nothing back
        with pytest.raises(PowerCutError):
            card.raw(verify(code))
        card = drive(memory=store)
    assert [memory.secrets["pin"].tries_left for memory in store.saved] == [2, 1]
    assert card.sw(ASK_PIN) == 0x63C1


def test_everything_is_stored_before_it_is_answered(drive: Maker) -> None:
    store = Spy()
    card = drive(memory=store)
    for apdu in (verify(b"0000"), verify(PIN), change(PIN, b"4321"), verify(PUK, 2), unblock(PIN)):
        count = len(store.saved)
        card.raw(apdu)
        assert len(store.saved) > count
        assert store.saved[-1] == card.card.memory.state


def test_a_memory_that_cannot_be_written_refuses_and_gives_nothing(drive: Maker) -> None:
    store = Spy()
    card = drive(memory=store)

    def fail() -> None:
        raise OSError("no room")

    store.then = fail
    assert card.sw(verify(PIN)) == 0x6581
    assert card.sw(verify(b"0000")) == 0x6581
    assert not card.card.state().secrets["pin"].verified
    store.then = lambda: None
    card.login()
    card.data("00A4090C063F000001D107")
    store.then = fail
    assert card.sw("00D6000001FF") == 0x6581
    assert card.data("00B0000001") == b"\x00"


@pytest.mark.parametrize("name", ["secrets", "tries", "value", "uses", "content", "unknown file"])
def test_the_memory_of_another_card_is_refused(drive: Maker, image: CardImage, name: str) -> None:
    memory = CardMemory.personalised(image)
    pin, puk = memory.secrets["pin"], memory.secrets["puk"]
    others = {
        "secrets": CardMemory({"pin": pin}),
        "tries": memory.with_secret("pin", replace(pin, tries_left=4)),
        "value": memory.with_secret("pin", replace(pin, value=b"12345")),
        "uses": memory.with_secret("puk", replace(puk, uses_left=None)),
        "content": memory.with_content("ias:3F00/0001/D107", bytes(63)),
        "unknown file": memory.with_content("ias:3F00/0001/FFFF", bytes(64)),
    }
    with pytest.raises(CardMemoryError):
        drive(memory=VolatileMemory(others[name]))


def test_no_code_shows_in_a_state_or_a_repr(card: Driver, image: CardImage) -> None:
    card.login()
    for text in (repr(card.card.state().to_dict()), repr(image), repr(card.card.memory.state)):
        assert "1234'" not in text
        assert "12345678" not in text


def test_a_state_is_a_snapshot(card: Driver) -> None:
    before = card.card.state()
    card.login()
    card.data("00A4090C043F000001")
    card.sw("002241A406800102840182")
    after = card.card.state()
    assert not before.secrets["pin"].verified
    assert after.secrets["pin"].verified
    assert after.channels["ias"].environments == {"A4": "authentication 02"}
    assert isinstance(card.card, SmartCard)
