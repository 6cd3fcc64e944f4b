"""Whatever is sent: no exception, a legal answer, no protected content without its code, no try gained."""

from __future__ import annotations

from random import Random
from typing import ClassVar

import pytest
from card_driver import CONTENTS, PIN, PROTECTED, PUK, ROOT
from card_properties import Grammar, Life, answers
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from bifente.simulator.cards.families import make_card
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.image import CardImage

GRAMMAR = Grammar(
    classes=[0x00] * 6 + [0x10, 0xA0, 0xA0],
    files=["3F00", "2F00", "2F01", "D003", "0001", "5031", "A001", "D107", "D121", "7F01", "4000", "4010", "FFFF"],
    names=[ROOT, "E828BD080F8025000001FF0010"],
    secrets=[1, 2, 3],
    environments=[(0x41, template) for template in (0xA4, 0xAA, 0xB6, 0xB8)],
    choices=["800142", "800112", "800110", "800140", "800102", "80011A", "840181", "840182", "840183", "8000", "FF"],
    own=[
        (0x2A, 0x90, 0xA0, st.binary(max_size=64).map(lambda end: b"\x90\x00\x80" + bytes((len(end),)) + end)),
        (0x88, 0x00, 0x00, st.sampled_from([b"", b"data", bytes(102), bytes(103)])),
        (
            *(0xCB, 0x3F, 0xFF),
            st.sampled_from(["4D087006BF810102A080", "4D087006BF900202A080", "4D097007BF8101037F4180", "4D02"]).map(
                bytes.fromhex
            ),
        ),
    ],
).any()
FIXTURE = [HealthCheck.function_scoped_fixture]


@given(st.lists(GRAMMAR, max_size=25))
@settings(max_examples=150, suppress_health_check=FIXTURE, deadline=None, derandomize=True)
def test_any_commands_get_legal_answers(image: CardImage, commands: list[bytes]) -> None:
    answers(image, commands, seed=2)


@given(st.lists(st.binary(max_size=300), max_size=20))
@settings(max_examples=100, suppress_health_check=FIXTURE, deadline=None, derandomize=True)
def test_any_bytes_get_legal_answers(image: CardImage, commands: list[bytes]) -> None:
    answers(image, commands, seed=3)


@pytest.mark.parametrize("interface", ["contact", "contactless"])
def test_without_the_code_no_protected_byte_leaves(
    layout: Layout, keys: dict[str, RSAPrivateKey], interface: str
) -> None:
    image = layout.fill(contents=CONTENTS, codes={"pin": PIN, "puk": PUK}, keys=keys, interface=interface)  # type: ignore[arg-type]

    @given(st.lists(GRAMMAR.filter(lambda raw: PIN not in raw), max_size=25))
    @settings(max_examples=100, deadline=None, derandomize=True)
    def run(commands: list[bytes]) -> None:
        card = make_card(image, random=Random(4).randbytes)
        for command in commands:
            if card.state().secrets["puk"].verified and command[1:2] == b"\x2c":
                continue
            assert not any(secret in card.transmit(command) for secret in PROTECTED)

    run()


class Cps3Life(Life):
    cla = 0x00
    protected = bytes.fromhex("00A4090C063F000001D121")
    most: ClassVar = {1: 3, 2: 10}
    uses = 100

    @rule(right=st.booleans(), new=st.sampled_from([b"1111", b"2222"]))
    def change(self, right: bool, new: bytes) -> None:
        old = self.values[1] if right else b"0000"
        expected = self.present(1, old)
        assert self.order(0x24, 0, 1, old + new) == expected
        if expected == 0x9000:
            self.values[1] = new

    @rule(new=st.sampled_from([b"3333", b"4444"]))
    def unblock(self, new: bytes) -> None:
        allowed = 2 in self.verified
        assert self.order(0x2C, 2, 1, new) == (0x9000 if allowed else 0x6982)
        if allowed:
            self.values[1], self.tries[1] = new, 3
            self.verified.discard(1)

    @rule(command=GRAMMAR.filter(lambda raw: raw[1:2] not in (b"\x20", b"\x24", b"\x2c")))
    def anything_else(self, command: bytes) -> None:
        self.send(command)


def test_a_whole_life_agrees_with_the_model(image: CardImage) -> None:
    run_state_machine_as_test(
        type("Machine", (Cps3Life,), {"image": image}),
        settings=settings(max_examples=60, stateful_step_count=30, deadline=None, derandomize=True),
    )
