"""The terminal against a model of a few lines, under any order of events."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from wireless_bench import Field

from bifente.simulator.readers import LineError, SlotError
from bifente.simulator.readers.wireless import (
    BatteryModel,
    RadioLink,
    TerminalParameters,
    TerminalSession,
    TokenRefusedError,
)

HOURS, EXCHANGES = 0.5, 200


class WirelessMachine(RuleBasedStateMachine):
    """What must hold: cards answer exactly while paired, charged, in range, and within 120 s of the last renewal."""

    def __init__(self) -> None:
        super().__init__()
        battery = BatteryModel(hours=HOURS, exchanges=EXCHANGES)
        self.bench = Field.make(TerminalParameters(battery=battery), session=False)
        self.now = 0.0
        self.paired = False
        self.link = True
        self.charged, self.charged_at, self.read_since = 100.0, 0.0, 0
        self.ends: float | None = None
        """When the session ends by itself; None if there is none."""
        self.code = False
        self.old: list[str] = []

    # -- the model --

    @property
    def battery(self) -> float:
        spent = (self.now - self.charged_at) / (HOURS * 3600) + self.read_since / EXCHANGES
        return max(0.0, self.charged - 100 * spent)

    @property
    def running(self) -> bool:
        return self.ends is not None and self.now < self.ends

    @property
    def ready(self) -> bool:
        return self.paired and self.battery > 0 and self.link and self.running

    def settle(self) -> None:
        if not self.paired or self.battery <= 0:
            self.ends = None
        if not self.running:
            self.code = False

    # -- what may happen --

    @rule(seconds=st.sampled_from([1, 10, 60, 100, 119, 120, 121, 600]))
    def time_passes(self, seconds: int) -> None:
        self.bench.clock.advance(seconds)
        self.now += seconds
        self.bench.terminal.look()
        self.settle()

    @rule()
    def pair(self) -> None:
        if not self.paired:
            self.bench.platform.pair(self.bench.terminal.id)
            self.paired = True

    @rule(revoked=st.booleans())
    def unpair(self, revoked: bool) -> None:
        self.bench.platform.unpair(self.bench.terminal.id, revoked=revoked)
        self.bench.terminal.look()
        self.paired = False
        self.settle()

    @rule(up=st.booleans())
    def link_changes(self, up: bool) -> None:
        self.bench.terminal.set_link(RadioLink.UP if up else RadioLink.LOST)
        self.link = up

    @rule(percent=st.sampled_from([0.0, 5.0, 100.0]))
    def charge(self, percent: float) -> None:
        self.bench.terminal.charge(percent)
        self.charged, self.charged_at, self.read_since = percent, self.now, 0
        self.settle()

    @rule()
    def open(self) -> None:
        allowed = self.paired and self.battery > 0 and self.link
        try:
            before = self.bench.token
            self.bench.open()
        except TokenRefusedError:
            assert not allowed
        else:
            assert allowed
            self.old += [before] if before else []
            self.ends = self.now + 120
            self.code = False

    @rule()
    def renew(self) -> None:
        if not self.bench.token:
            return
        allowed = self.paired and self.battery > 0 and self.link and self.running
        before = self.bench.token
        try:
            self.bench.renew()
        except TokenRefusedError:
            assert not allowed
        else:
            assert allowed
            self.old.append(before)
            self.ends = self.now + 120

    @rule()
    def replay(self) -> None:
        for token in self.old[-3:]:
            for act in (self.bench.terminal.open, self.bench.terminal.renew, self.bench.terminal.authorise):
                try:
                    act(token)
                except TokenRefusedError:
                    continue
                raise AssertionError("an old token was taken")

    @rule()
    def code_presented(self) -> None:
        self.bench.terminal.remember_code("1234", self.bench.terminal.occasion)
        self.code = self.code or self.ready

    @rule()
    def code_lost(self) -> None:
        self.bench.terminal.forget_code()
        self.code = False

    @rule()
    def read(self) -> None:
        before, powered = len(self.bench.cards["cps"].commands), self.bench.cards["cps"].powered
        try:
            self.bench.ask()
        except (LineError, SlotError):
            assert not self.ready
            assert len(self.bench.cards["cps"].commands) == before
        else:
            assert self.ready
            self.read_since += 1 if powered else 2  # the reset is an exchange as well
            # What it took may have been the last of the battery.
            self.bench.terminal.look()
            self.settle()

    # -- what always holds --

    @invariant()
    def as_the_model_says(self) -> None:
        terminal = self.bench.terminal
        assert (terminal.session is TerminalSession.OPEN) == self.running
        assert all(slot.reachable == self.ready for slot in self.bench.slots.values())
        assert abs(terminal.battery - self.battery) < 1e-6
        assert (terminal.code is not None) == self.code


WirelessMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestWirelessMachine = WirelessMachine.TestCase
