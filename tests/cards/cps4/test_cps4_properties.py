"""The same of a CPS4, and of a CPS3 and a CPS4 side by side."""

from __future__ import annotations

from random import Random
from typing import ClassVar

from card_driver import APPLICATION, CHIPDOC, CPS2TER_AID, PIN, PROTECTED, SECURITY_DOMAIN
from card_properties import Grammar, Life, answers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test
from test_cps3_properties import GRAMMAR as CPS3

from bifente.simulator.cards.families import make_card
from bifente.simulator.iso7816.image import CardImage

SELECT = bytes.fromhex(f"01A4040C08{CHIPDOC}")
GRAMMAR = Grammar(
    classes=[0x01] * 6 + [0x11, 0x00, 0x00, 0x02, 0xA0],
    files=["3F00", "2F00", "D003", "0001", "5031", "C010", "D107", "D108", "D110", "D210", "FFFF"],
    names=[CHIPDOC, CHIPDOC, CPS2TER_AID, SECURITY_DOMAIN, APPLICATION, "A0"],
    secrets=[1, 2, 3, 0x81, 0x82],
    environments=[(0x81, 0xB6), (0x41, 0xB8), (0x41, 0xB6), (0x41, 0xA4)],
    choices=[
        *("91022890", "91022CA0", "91020A90", "910215A0", "91020090", "91022810"),
        *("830120", "830110", "8301A0", "80", "9100", "FF"),
    ],
    own=[(0x2A, 0x80, 0x86, st.sampled_from([bytes(255), b"\x01", bytes(1)]))],
).any()
# Most sequences begin as a client does, else nearly all would meet a closed channel.
SEQUENCES = st.lists(GRAMMAR, max_size=25).flatmap(
    lambda commands: st.sampled_from([[SELECT, *commands]] * 4 + [commands])
)
FIXTURE = [HealthCheck.function_scoped_fixture]


@given(SEQUENCES)
@settings(max_examples=150, suppress_health_check=FIXTURE, deadline=None, derandomize=True)
def test_any_commands_get_legal_answers(cps4_image: CardImage, commands: list[bytes]) -> None:
    answers(cps4_image, commands, seed=2)


@given(st.lists(st.binary(max_size=300), max_size=20).map(lambda commands: [SELECT, *commands]))
@settings(max_examples=100, suppress_health_check=FIXTURE, deadline=None, derandomize=True)
def test_any_bytes_get_legal_answers(cps4_image: CardImage, commands: list[bytes]) -> None:
    answers(cps4_image, commands, seed=3)


@given(SEQUENCES)
@settings(max_examples=150, suppress_health_check=FIXTURE, deadline=None, derandomize=True)
def test_without_the_code_no_protected_byte_leaves(cps4_image: CardImage, commands: list[bytes]) -> None:
    card = make_card(cps4_image, random=Random(4).randbytes)
    for command in commands:
        # Neither the code itself, nor the unblocking code followed by a code of one's own.
        if PIN in command or (card.state().secrets["puk"].verified and command[1:2] in (b"\x24", b"\x2c")):
            continue
        assert not any(secret in card.transmit(command) for secret in PROTECTED)


@given(st.lists(CPS3, max_size=20), SEQUENCES, st.randoms(use_true_random=False))
@settings(max_examples=150, suppress_health_check=FIXTURE, deadline=None, derandomize=True)
def test_two_cards_side_by_side_answer_as_each_does_alone(
    image: CardImage, cps4_image: CardImage, left: list[bytes], right: list[bytes], chance: Random
) -> None:
    alone = answers(image, left, seed=7), answers(cps4_image, right, seed=8)
    cards = make_card(image, random=Random(7).randbytes), make_card(cps4_image, random=Random(8).randbytes)
    order = [0] * len(left) + [1] * len(right)
    chance.shuffle(order)
    rest = iter(left), iter(right)
    together: tuple[list[bytes], list[bytes]] = [], []
    for turn in order:
        together[turn].append(cards[turn].transmit(next(rest[turn])))
    assert together == alone


class Cps4Life(Life):
    cla = 0x01
    start = SELECT
    protected = bytes.fromhex("01A4080C040001D110")
    most: ClassVar = {1: 3, 2: 3}

    def refused(self) -> int:
        """CL-SRC-06: the tries left, or blocked, and nothing else."""
        return 0x63C0 | self.tries[1] if self.tries[1] else 0x6983

    @rule(new=st.sampled_from([b"1111", b"2222"]))
    def assign(self, new: bytes) -> None:
        expected = 0x9000 if self.verified and self.tries[1] else self.refused()
        assert self.order(0x24, 1, 1, new) == expected
        if expected == 0x9000:
            self.values[1] = new

    @rule()
    def unblock(self) -> None:
        allowed = 2 in self.verified
        assert self.send(bytes.fromhex("012C038100")) == (0x9000 if allowed else self.refused())
        if allowed:
            self.tries[1] = 3
            self.verified.discard(1)

    @rule()
    def select_anew(self) -> None:
        self.begin()

    @rule(name=st.sampled_from([CPS2TER_AID, SECURITY_DOMAIN]))
    def leave_and_come_back(self, name: str) -> None:
        assert self.send(bytes.fromhex(f"01A4040C{len(name) // 2:02X}{name}")) == 0x9000
        self.verified.clear()
        assert not self.card.state().secrets["pin"].verified
        self.begin()

    @rule(
        command=GRAMMAR.filter(
            # What concerns the codes is told above; a selection by name on channel 1 is one such thing.
            lambda raw: (
                raw[1:2] not in (b"\x20", b"\x24", b"\x2c") and not (raw[:1] == b"\x01" and raw[1:3] == b"\xa4\x04")
            )
        )
    )
    def anything_else(self, command: bytes) -> None:
        self.send(command)


def test_a_whole_life_agrees_with_the_model(cps4_image: CardImage) -> None:
    run_state_machine_as_test(
        type("Machine", (Cps4Life,), {"image": cps4_image}),
        settings=settings(max_examples=60, stateful_step_count=30, deadline=None, derandomize=True),
    )
