"""What the tests of the wireless terminal share: a platform, terminals on slots, a card that counts."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from bifente.ground.clock import VirtualClock
from bifente.simulator.readers import Slot
from bifente.simulator.readers.wireless import Platform, Terminal, TerminalParameters

ATR = bytes.fromhex("3B00")


@dataclass(slots=True)
class CountingCard:
    """Answers every command with 9000 and says how many it got; without power it must not be spoken to."""

    atr: bytes = ATR
    powered: bool = False
    commands: list[bytes] = field(default_factory=list)

    def power_on(self) -> bytes:
        self.powered = True
        return self.atr

    def power_off(self) -> None:
        self.powered = False

    def reset(self, warm: bool = True) -> bytes:
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        assert self.powered
        self.commands.append(command)
        return b"\x90\x00"


@dataclass(slots=True)
class Field:
    """A workstation with a platform and one terminal of two slots, a card in each, paired and in session."""

    clock: VirtualClock
    platform: Platform
    terminal: Terminal
    slots: dict[str, Slot]
    cards: dict[str, CountingCard]
    token: str = ""

    @classmethod
    def make(cls, parameters: TerminalParameters | None = None, *, seed: int = 1, session: bool = True) -> Field:
        clock = VirtualClock()
        platform = Platform(clock, parameters or TerminalParameters(), random.Random(seed))
        slots = {role: Slot(role, clock) for role in ("cps", "vitale")}
        terminal = Terminal(slots, platform, random.Random(seed))
        cards = {role: CountingCard() for role in slots}
        for role, slot in slots.items():
            slot.insert(cards[role])
        bench = cls(clock, platform, terminal, slots, cards)
        if session:
            platform.pair(terminal.id)
            bench.open()
        terminal.look()
        return bench

    def open(self) -> str:
        self.token = self.terminal.open_session()
        return self.token

    def renew(self, token: str | None = None) -> str:
        self.token = self.terminal.renew_session(token or self.token)
        return self.token

    def ask(self, role: str = "cps", command: bytes = b"\x00\xb0\x00\x00\x00") -> bytes:
        card = self.cards[role]
        if not card.powered:
            self.slots[role].power_on()
        return self.slots[role].exchange(command)
