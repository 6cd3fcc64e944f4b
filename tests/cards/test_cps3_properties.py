"""Whatever is sent: no exception, a legal answer, no protected content without its code, no try gained."""

from __future__ import annotations

from random import Random

import pytest
from card_driver import CONTENTS, PIN, PROTECTED, PUK
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from simulator.cards.cps3 import card as make
from simulator.cards.layout import Layout
from simulator.iso7816.engine import SmartCard
from simulator.iso7816.image import CardImage
from simulator.iso7816.memory import VolatileMemory
from simulator.iso7816.status import is_legal

BYTES = st.integers(0, 255)
FIDS = st.sampled_from(
    ["3F00", "2F00", "2F01", "D003", "0001", "5031", "D101", "D107", "D120", "7F01", "4000", "4010", "FFFF"]
)
CODES = st.sampled_from([PIN, b"4321", b"0000", b"1", PUK, b"00000000", b"123456789"])
TLVS = st.sampled_from(
    ["800142", "800112", "800110", "800140", "800102", "80011A", "840181", "840182", "840183", "8000", "FF"]
)


def _apdu(cla: int, ins: int, p1: int, p2: int, body: bytes, le: int | None) -> bytes:
    raw = bytes((cla, ins, p1, p2))
    if body:
        raw += bytes((len(body),)) + body
    return raw if le is None else raw + bytes((le,))


def _commands(
    ins: int, p1: st.SearchStrategy[int], p2: st.SearchStrategy[int], body: st.SearchStrategy[bytes]
) -> st.SearchStrategy[bytes]:
    classes = st.sampled_from([0x00] * 6 + [0x10, 0xA0, 0xA0])
    return st.builds(_apdu, classes, st.just(ins), p1, p2, body, st.none() | st.sampled_from([0, 1, 12, 231]) | BYTES)


NOTHING = st.just(b"")
GRAMMAR = st.one_of(
    _commands(
        0xA4,
        st.sampled_from([0, 1, 2, 3, 4, 8, 9]),
        st.sampled_from([0, 4, 12]),
        st.lists(FIDS, max_size=3).map("".join).map(bytes.fromhex),
    ),
    _commands(0xB0, st.sampled_from([0, 0, 0, 0x91, 0x9C, 0xE0]) | BYTES, st.sampled_from([0, 0, 16]) | BYTES, NOTHING),
    _commands(0xD6, st.just(0), st.sampled_from([0, 60, 64]), st.binary(max_size=8)),
    _commands(0xC0, st.just(0), st.just(0), NOTHING),
    _commands(0x20, st.just(0), st.sampled_from([1, 2, 3]), CODES | NOTHING),
    _commands(0x24, st.sampled_from([0, 0, 1]), st.sampled_from([1, 2]), st.builds(bytes.__add__, CODES, CODES)),
    _commands(0x2C, st.sampled_from([2, 2, 3]), st.sampled_from([1, 2]), CODES),
    _commands(
        0x22,
        st.just(0x41),
        st.sampled_from([0xA4, 0xAA, 0xB6, 0xB8]),
        st.lists(TLVS, max_size=2).map("".join).map(bytes.fromhex),
    ),
    _commands(
        0x2A,
        st.just(0x90),
        st.just(0xA0),
        st.binary(max_size=64).map(lambda end: b"\x90\x00\x80" + bytes((len(end),)) + end),
    ),
    _commands(0x2A, st.just(0x9E), st.just(0x9A), st.sampled_from([b"", bytes(20), bytes(32), bytes(33)])),
    _commands(0x2A, st.just(0x80), st.just(0x86), st.sampled_from([b"\x81" + bytes(254), b"\x00\x01", b"\x81"])),
    _commands(0x88, st.just(0), st.just(0), st.sampled_from([b"", b"data", bytes(102), bytes(103)])),
    _commands(0x84, st.just(0), st.just(0), NOTHING),
    _commands(
        0xCB,
        st.just(0x3F),
        st.just(0xFF),
        st.sampled_from(["4D087006BF810102A080", "4D087006BF900202A080", "4D097007BF8101037F4180", "4D02"]).map(
            bytes.fromhex
        ),
    ),
    st.builds(_apdu, BYTES, BYTES, BYTES, BYTES, st.binary(max_size=20), st.none() | BYTES),
    st.binary(max_size=12),
)


def _free(card: SmartCard) -> bool:
    return card.state().secrets["pin"].verified


def _check(card: SmartCard, command: bytes) -> bytes:
    """One exchange, and what must hold of any."""
    known, before = _free(card), card.state()
    answer = card.transmit(command)
    assert len(answer) >= 2
    assert is_legal(int.from_bytes(answer[-2:], "big")), answer[-2:].hex()
    assert len(answer) <= 258
    if not known:
        assert not any(secret in answer for secret in PROTECTED)
    for name, after in card.state().secrets.items():
        gained = after.tries_left > before.secrets[name].tries_left
        assert not gained or answer == b"\x90\x00", "tries come back only with a good answer"
    return answer


@given(st.lists(GRAMMAR, max_size=25))
@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, derandomize=True
)
def test_any_commands_get_legal_answers(image: CardImage, commands: list[bytes]) -> None:
    card = make(image, random=Random(2).randbytes)
    for command in commands:
        _check(card, command)


@given(st.lists(st.binary(max_size=300), max_size=20))
@settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, derandomize=True
)
def test_any_bytes_get_legal_answers(image: CardImage, commands: list[bytes]) -> None:
    card = make(image, random=Random(3).randbytes)
    for command in commands:
        _check(card, command)


@pytest.mark.parametrize("interface", ["contact", "contactless"])
def test_without_the_code_no_protected_byte_leaves(
    layout: Layout, keys: dict[str, RSAPrivateKey], interface: str
) -> None:
    image = layout.fill(contents=CONTENTS, codes={"pin": PIN, "puk": PUK}, keys=keys, interface=interface)  # type: ignore[arg-type]

    @given(st.lists(GRAMMAR.filter(lambda raw: PIN not in raw), max_size=25))
    @settings(max_examples=100, deadline=None, derandomize=True)
    def run(commands: list[bytes]) -> None:
        card = make(image, random=Random(4).randbytes)
        for command in commands:
            if card.state().secrets["puk"].verified and command[1:2] == b"\x2c":
                continue
            assert not any(secret in card.transmit(command) for secret in PROTECTED)

    run()


def _machine(image: CardImage) -> type[RuleBasedStateMachine]:
    class Life(RuleBasedStateMachine):
        """A card against the simplest model of its codes: values, tries, verified or not."""

        @initialize()
        def born(self) -> None:
            self.store = VolatileMemory()
            self.card = make(image, memory=self.store, random=Random(5).randbytes)
            self.values = {1: PIN, 2: PUK}
            self.tries = {1: 3, 2: 10}
            self.most = {1: 3, 2: 10}
            self.uses = 100
            self.verified: set[int] = set()

        def _present(self, reference: int, code: bytes) -> int:
            if not self.tries[reference] or (reference == 2 and not self.uses):
                return 0x6983
            self.verified.discard(reference)
            if code != self.values[reference]:
                self.tries[reference] -= 1
                return 0x63C0 | self.tries[reference]
            self.tries[reference] = self.most[reference]
            self.verified.add(reference)
            self.uses -= reference == 2
            return 0x9000

        def _send(self, command: bytes) -> int:
            return int.from_bytes(_check(self.card, command)[-2:], "big")

        @rule(reference=st.sampled_from([1, 2]), right=st.booleans())
        def verify(self, reference: int, right: bool) -> None:
            code = self.values[reference] if right else b"0" * len(self.values[reference])
            assert self._send(_apdu(0, 0x20, 0, reference, code, None)) == self._present(reference, code)

        @rule(right=st.booleans(), new=st.sampled_from([b"1111", b"2222"]))
        def change(self, right: bool, new: bytes) -> None:
            old = self.values[1] if right else b"0000"
            expected = self._present(1, old)
            assert self._send(_apdu(0, 0x24, 0, 1, old + new, None)) == expected
            if expected == 0x9000:
                self.values[1] = new

        @rule(new=st.sampled_from([b"3333", b"4444"]))
        def unblock(self, new: bytes) -> None:
            allowed = 2 in self.verified
            assert self._send(_apdu(0, 0x2C, 2, 1, new, None)) == (0x9000 if allowed else 0x6982)
            if allowed:
                self.values[1], self.tries[1] = new, 3
                self.verified.discard(1)

        @rule(command=GRAMMAR.filter(lambda raw: raw[1:2] not in (b"\x20", b"\x24", b"\x2c")))
        def anything_else(self, command: bytes) -> None:
            self._send(command)

        @rule()
        def reset(self) -> None:
            self.card.reset()
            self.verified.clear()

        @rule()
        def power_off(self) -> None:
            self.card.power_off()
            self.verified.clear()

        @rule()
        def another_day(self) -> None:
            self.card = make(image, memory=self.store, random=Random(6).randbytes)
            self.verified.clear()

        @rule()
        def read_protected(self) -> None:
            self.card.transmit(bytes.fromhex("00A4090C063F000001D120"))
            assert self._send(bytes.fromhex("00B0000022")) == (0x9000 if 1 in self.verified else 0x6982)

        @invariant()
        def the_card_agrees(self) -> None:
            if not hasattr(self, "card"):
                return
            state = self.card.state()
            for reference, name in ((1, "pin"), (2, "puk")):
                assert state.secrets[name].tries_left == self.tries[reference]
                assert state.secrets[name].verified == (reference in self.verified)
            assert state.secrets["puk"].uses_left == self.uses

    return Life


def test_a_whole_life_agrees_with_the_model(image: CardImage) -> None:
    run_state_machine_as_test(
        _machine(image), settings=settings(max_examples=60, stateful_step_count=30, deadline=None, derandomize=True)
    )
