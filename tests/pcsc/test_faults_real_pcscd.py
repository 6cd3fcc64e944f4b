"""Every fault that concerns PC/SC, behind a real pcscd: what a client sees, and that the bench is usable afterwards."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pcsc_tools import PATIENCE, Client, ScriptedCard, new_reader

from bifente.ground.clock import WallClock
from bifente.simulator.fault import UNREADABLE, Fault, Undo
from bifente.simulator.faults import catalogue, fault
from bifente.simulator.pcsc import PrivatePcscd
from bifente.simulator.pcsc.bridge import MUTE, NO_ANSWER
from bifente.simulator.pcsc.discovery import Installation
from bifente.simulator.readers import PcscCode, ScardError, Share
from bifente.simulator.readers.faults import Mechanism, Spot, When, inject
from bifente.simulator.readers.wireless import Platform, Terminal, TerminalParameters
from bifente.simulator.readers.wireless.faults import TerminalSpot
from bifente.simulator.readers.wireless.faults import inject as inject_wireless

COMMAND = "00B0000001AA"
ANSWER = "30aa9000"
CLOCK = WallClock()


class Chain:
    """A bi-slot reader with a card in each slot, behind a pcscd, and two clients."""

    def __init__(self, installation: Installation) -> None:
        self.reader = new_reader("Faulty")
        self.slots = {"cps": self.reader.slots[0], "vitale": self.reader.slots[1]}
        self.cards = [ScriptedCard(bytes([0x30 + number])) for number in range(2)]
        for slot, card in zip(self.reader.slots, self.cards, strict=True):
            slot.insert(card)
        self.pcscd = PrivatePcscd.start([self.reader], installation=installation)
        self.name = self.pcscd.reader_names[0]
        self.client = Client(self.pcscd.environment)
        self.other = Client(self.pcscd.environment)

    def settle(self) -> None:
        states = {
            name: "present" if slot.answering is not None else "empty"
            for name, slot in zip(self.pcscd.reader_names, self.reader.slots, strict=True)
        }
        assert self.client.ask(do="wait", states=states, timeout=PATIENCE)["code"] == 0

    def spot(self) -> Spot:
        return Spot(
            slot=self.slots["cps"],
            clock=CLOCK,
            slots=self.slots,
            rival=lambda share: Rival(self, share),
            settle=self.settle,
        )

    def transmit(self) -> str:
        """What one command comes to: a PC/SC error by its name, or the answer in hexadecimal."""
        told = self.client.ask(do="transmit", reader=self.name, command=COMMAND)
        return PcscCode.label(told["code"]) if told["code"] else str(told["response"])

    def connect(self) -> str:
        return PcscCode.label(self.client.ask(do="connect", reader=self.name)["code"])

    def close(self) -> None:
        self.client.close()
        self.other.close()
        self.pcscd.close()


class Rival:
    """The other client's dialogue with the card."""

    def __init__(self, chain: Chain, share: Share) -> None:
        self.chain = chain
        self._ask("connect", share=int(share))

    def reset(self, *, cold: bool) -> bytes:
        assert not cold, "the client resets warm"
        self._ask("reset")
        return b""

    def begin(self) -> None:
        self._ask("begin")

    def end(self) -> None:
        self._ask("end")

    def disconnect(self) -> None:
        self._ask("disconnect")

    def _ask(self, order: str, **more: int) -> None:
        code = self.chain.other.ask(do=order, reader=self.chain.name, **more)["code"]
        if code:
            raise ScardError(code, order)


@pytest.fixture(scope="module")
def shared(installation: Installation) -> Iterator[Chain]:
    chain = Chain(installation)
    yield chain
    chain.close()


@pytest.fixture
def chain(shared: Chain) -> Iterator[Chain]:
    shared.settle()
    yield shared
    assert shared.pcscd.alive
    assert shared.pcscd.defects == (), "a fault of the catalogue is no defect of the bench"
    for slot, card in zip(shared.reader.slots, shared.cards, strict=True):
        assert slot.card is card
        assert slot.interference is None


def usable(chain: Chain, undo: Undo) -> None:
    """The fault gone, a new dialogue works."""
    undo()
    chain.client.ask(do="leave")
    chain.settle()
    assert chain.connect() == "00000000"
    assert chain.transmit() == ANSWER
    chain.client.ask(do="disconnect", reader=chain.name)


def expected(one: Fault) -> tuple[str, ...]:
    """Any of these."""
    if one.artefact is not None:
        return one.artefact.shows
    return (one.codes.pcsc,) if one.codes.pcsc is not None else ()


AT_THE_NEXT_CONNECTION = {Mechanism.REMOVED, Mechanism.DEAD, Mechanism.HELD}
ELSEWHERE = {Mechanism.SERVICE, Mechanism.CARD}
CONCERNED = [
    one for one in catalogue().values() if one.room == "readers" and one.mechanism not in ELSEWHERE and expected(one)
]


def until_shown(chain: Chain, one: Fault) -> list[str]:
    """What connecting comes to, again while a mute card is for vpcd one that has left."""
    ends = time.monotonic() + PATIENCE
    seen = [chain.connect()]
    while one.mechanism == Mechanism.DEAD and seen[-1] == "NO_SMARTCARD" and time.monotonic() < ends:
        seen.append(chain.connect())
    return seen


@pytest.mark.parametrize("one", CONCERNED, ids=lambda one: one.id)
def test_a_fault_shows_what_its_entry_says(chain: Chain, one: Fault) -> None:
    at_connection = one.mechanism in AT_THE_NEXT_CONNECTION
    if not at_connection:
        assert chain.connect() == "00000000"
    undo = inject(one, chain.spot())
    if at_connection:
        seen = until_shown(chain, one)
    elif one.mechanism == Mechanism.LOST:
        seen = [chain.transmit(), chain.connect()]
    else:
        seen = [chain.transmit(), chain.transmit()]
    shown = [UNREADABLE if len(each) < 4 else each for each in seen]
    usable(chain, undo)
    assert set(expected(one)) & set(shown), seen


@pytest.mark.parametrize("identifier", ["terminal-out-of-range", "terminal-battery-empty", "terminal-session-ended"])
def test_a_terminal_that_is_gone_shows_empty_slots(chain: Chain, identifier: str) -> None:
    platform = Platform(CLOCK, TerminalParameters(), random.Random(1))
    terminal = Terminal(chain.slots, platform, random.Random(1))
    platform.pair(terminal.id)
    terminal.open_session()
    chain.settle()
    undo = inject_wireless(fault(identifier), TerminalSpot(terminal, terminal.open_session, chain.settle))
    seen = chain.connect()
    undo()
    terminal.detach()
    chain.settle()
    assert (seen,) == expected(fault(identifier)) == ("NO_SMARTCARD",)


def test_a_weak_link_loses_one_exchange(chain: Chain) -> None:
    platform = Platform(CLOCK, TerminalParameters(), random.Random(1))
    terminal = Terminal(chain.slots, platform, random.Random(1))
    platform.pair(terminal.id)
    terminal.open_session()
    chain.settle()
    assert chain.connect() == "00000000"
    undo = inject_wireless(fault("terminal-link-weak"), TerminalSpot(terminal, terminal.open_session, chain.settle))
    seen = [chain.transmit(), chain.transmit()]
    undo()
    terminal.detach()
    chain.settle()
    chain.client.ask(do="leave")
    assert seen == [NO_ANSWER.hex(), ANSWER]


@pytest.mark.parametrize("command", [1, 3])
def test_exactly_the_chosen_command_is_struck(chain: Chain, command: int) -> None:
    assert chain.connect() == "00000000"
    undo = inject(fault("card-unpowered"), chain.spot(), When(command=command))
    seen = [chain.transmit() for _ in range(5)]
    usable(chain, undo)
    assert seen == [NO_ANSWER.hex() if number == command else ANSWER for number in range(1, 6)]


def test_the_third_try_succeeds(chain: Chain) -> None:
    assert chain.connect() == "00000000"
    undo = inject(fault("intermittent-read"), chain.spot())
    seen = [chain.transmit() for _ in range(3)]
    usable(chain, undo)
    assert seen == [NO_ANSWER.hex(), NO_ANSWER.hex(), ANSWER]


def test_a_mute_card_is_given_up_in_time_and_a_reset_helps(chain: Chain) -> None:
    assert chain.connect() == "00000000"
    undo = inject(fault("card-mute"), chain.spot(), When(times=1))
    told: Any = chain.client.ask(do="transmit", reader=chain.name, command=COMMAND)
    assert MUTE <= told["seconds"] < MUTE + 1
    assert chain.client.ask(do="reset", reader=chain.name)["code"] == 0, "no card is given up by pcscd for it"
    assert chain.transmit() == ANSWER
    usable(chain, undo)


def test_the_answer_before_a_removal_comes_through(chain: Chain) -> None:
    assert chain.connect() == "00000000"
    undo = inject(fault("withdrawn-between-commands"), chain.spot(), When(command=2))
    assert [chain.transmit() for _ in range(2)] == [ANSWER, ANSWER]
    chain.settle()  # a command before the connection has ended would be one during the removal: an empty success
    assert chain.transmit() == "REMOVED_CARD"
    usable(chain, undo)


def test_a_dead_card_cannot_be_reset_either(chain: Chain) -> None:
    undo = inject(fault("card-mute-at-reset"), chain.spot())
    seen = {chain.connect() for _ in range(3)}
    chain.settle()
    seen |= {chain.connect() for _ in range(3)}
    # vpcd tells presence by the ATR: between two looks of pcscd, a card without one is there or is not.
    assert seen <= {"UNPOWERED_CARD", "NO_SMARTCARD"}
    usable(chain, undo)
