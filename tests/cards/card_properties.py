"""Whatever is sent to a card of any family: the commands, and what must hold of every answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import ClassVar

from card_driver import PIN, PROTECTED, PUK
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from bifente.simulator.cards.families import make_card
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.image import CardImage
from bifente.simulator.iso7816.memory import VolatileMemory
from bifente.simulator.iso7816.status import is_legal

Commands = st.SearchStrategy[bytes]
BYTES = st.integers(0, 255)
CODES = st.sampled_from([PIN, b"4321", b"0000", b"1", PUK, b"00000000", b"123456789"])
NOTHING = st.just(b"")


def apdu(cla: int, ins: int, p1: int, p2: int, body: bytes, le: int | None) -> bytes:
    raw = bytes((cla, ins, p1, p2))
    if body:
        raw += bytes((len(body),)) + body
    return raw if le is None else raw + bytes((le,))


def joined(parts: Sequence[str], most: int) -> st.SearchStrategy[bytes]:
    """Some of these hexadecimal strings, one after the other."""
    return st.lists(st.sampled_from(parts), max_size=most).map("".join).map(bytes.fromhex)


@dataclass(frozen=True)
class Grammar:
    """The commands that make sense to a family, more or less.

    ``classes`` as often as they are to come; ``own`` are instructions no other family has.
    """

    classes: Sequence[int]
    files: Sequence[str]
    names: Sequence[str]
    secrets: Sequence[int]
    environments: Sequence[tuple[int, int]]
    choices: Sequence[str]
    own: Sequence[tuple[int, int, int, st.SearchStrategy[bytes]]] = field(default=())

    def commands(
        self, ins: int, p1: st.SearchStrategy[int], p2: st.SearchStrategy[int], body: st.SearchStrategy[bytes]
    ) -> Commands:
        le = st.none() | st.sampled_from([0, 1, 12, 231]) | BYTES
        return st.builds(apdu, st.sampled_from(self.classes), st.just(ins), p1, p2, body, le)

    def any(self) -> Commands:
        """Sensible commands for the most part, then anything."""
        secrets = st.sampled_from(self.secrets)
        small = st.sampled_from([0, 0, 16]) | BYTES
        choose = [
            self.commands(0x22, st.just(p1), st.just(p2), joined(self.choices, 2)) for p1, p2 in self.environments
        ]
        return st.one_of(
            self.commands(
                0xA4, st.sampled_from([0, 1, 2, 3, 4, 8, 9]), st.sampled_from([0, 4, 12]), joined(self.files, 3)
            ),
            self.commands(0xA4, st.just(4), st.sampled_from([0, 4, 12]), joined(self.names, 1)),
            self.commands(0xB0, st.sampled_from([0, 0, 0, 0x91, 0x9C, 0xE0]) | BYTES, small, NOTHING),
            self.commands(0xD6, st.just(0), st.sampled_from([0, 60, 64]), st.binary(max_size=8)),
            self.commands(0xC0, st.just(0), st.just(0), NOTHING),
            self.commands(0x20, st.just(0), secrets, CODES | NOTHING),
            self.commands(0x24, st.sampled_from([0, 1]), secrets, st.builds(bytes.__add__, CODES, CODES) | CODES),
            self.commands(0x2C, st.sampled_from([2, 3]), secrets, CODES | NOTHING),
            *choose,
            self.commands(0x2A, st.just(0x9E), st.just(0x9A), st.sampled_from([b"", bytes(20), bytes(32), bytes(33)])),
            self.commands(
                0x2A, st.just(0x80), st.just(0x86), st.sampled_from([b"\x81" + bytes(254), b"\x00\x01", b"\x81"])
            ),
            self.commands(0x84, st.just(0), st.just(0), NOTHING),
            *(self.commands(ins, st.just(p1), st.just(p2), body) for ins, p1, p2, body in self.own),
            st.builds(apdu, BYTES, BYTES, BYTES, BYTES, st.binary(max_size=20), st.none() | BYTES),
            st.binary(max_size=12),
        )


def check(card: SmartCard, command: bytes) -> bytes:
    """One exchange, and what must hold of any."""
    before = card.state()
    known = before.secrets["pin"].verified
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


def answers(image: CardImage, commands: Sequence[bytes], seed: int) -> list[bytes]:
    """What a fresh card answers to these commands."""
    card = make_card(image, random=Random(seed).randbytes)
    return [check(card, command) for command in commands]


class Life(RuleBasedStateMachine):
    """A card against the simplest model of its codes: values, tries, verified or not.

    A family says how codes are changed and unblocked, and what a SELECT does to the verified ones.
    """

    image: ClassVar[CardImage]
    cla: ClassVar[int]
    start: ClassVar[bytes] = b""
    protected: ClassVar[bytes]
    most: ClassVar[dict[int, int]]
    uses: int | None = None

    @initialize()
    def born(self) -> None:
        self.store = VolatileMemory()
        self.values = {1: PIN, 2: PUK}
        self.tries = dict(self.most)
        self.verified: set[int] = set()
        self.seed = 5
        self.another_day()

    def send(self, command: bytes) -> int:
        return int.from_bytes(check(self.card, command)[-2:], "big")

    def order(self, ins: int, p1: int, p2: int, body: bytes = b"") -> int:
        return self.send(apdu(self.cla, ins, p1, p2, body, None))

    def present(self, reference: int, code: bytes) -> int:
        if not self.tries[reference] or (reference == 2 and self.uses == 0):
            return 0x6983
        self.verified.discard(reference)
        if code != self.values[reference]:
            self.tries[reference] -= 1
            return 0x63C0 | self.tries[reference]
        self.tries[reference] = self.most[reference]
        self.verified.add(reference)
        if self.uses is not None:
            self.uses -= reference == 2
        return 0x9000

    def begin(self) -> None:
        """What a client does first, after each reset."""
        self.verified.clear()
        if self.start:
            assert self.send(self.start) == 0x9000

    @rule(reference=st.sampled_from([1, 2]), right=st.booleans())
    def verify(self, reference: int, right: bool) -> None:
        code = self.values[reference] if right else b"0" * len(self.values[reference])
        assert self.order(0x20, 0, reference, code) == self.present(reference, code)

    @rule()
    def reset(self) -> None:
        self.card.reset()
        self.begin()

    @rule()
    def power_off(self) -> None:
        self.card.power_off()
        self.begin()

    @rule()
    def another_day(self) -> None:
        self.seed += 1
        self.card = make_card(self.image, memory=self.store, random=Random(self.seed).randbytes)
        self.begin()

    @rule()
    def read_protected(self) -> None:
        self.card.transmit(self.protected)
        assert self.send(apdu(self.cla, 0xB0, 0, 0, b"", 0x22)) == (0x9000 if 1 in self.verified else 0x6982)

    @invariant()
    def the_card_agrees(self) -> None:
        if not hasattr(self, "card"):
            return
        state = self.card.state()
        for reference, name in ((1, "pin"), (2, "puk")):
            assert state.secrets[name].tries_left == self.tries[reference]
            assert state.secrets[name].verified == (reference in self.verified)
        assert state.secrets["puk"].uses_left == self.uses
