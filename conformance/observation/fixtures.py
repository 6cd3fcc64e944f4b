"""What an editor's own tests hold in their hands: a reader, and a bench that tells what a program did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from bifente.conformance.bench.cards import SeatedCard
from bifente.conformance.bench.live import Device
from bifente.conformance.observation.channel.filters import Filter
from bifente.conformance.observation.channel.orders import ChannelOrders
from bifente.conformance.observation.channel.server import ChannelServer
from bifente.conformance.observation.standing import Standing
from bifente.ground.text import Text
from bifente.reports.events import Call, Event, Exchange, to_dict
from bifente.simulator.readers import Reader, Slot

_SHOWN = 20


class ReaderAtHand:
    """A reader in process. Its hands are those of the control channel once a bench stands around it."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self._standing: Standing | None = None

    @contextmanager
    def live(self, standing: Standing) -> Iterator[None]:
        """Be the reader of a live bench for a while."""
        self._standing = standing
        try:
            yield
        finally:
            self._standing = None

    @property
    def reader(self) -> Reader:
        """The device, or several that stand together."""
        return self.device.reader

    @property
    def slots(self) -> Mapping[str, Slot]:
        """The slots by role."""
        return self.device.slots

    @property
    def cards(self) -> Mapping[str, SeatedCard]:
        """The cards by role, inserted or not."""
        return self.device.cards

    def insert(self, role: str) -> Text:
        """Put the card of a slot in. Raise SlotError if it is there."""
        return self.device.insert(role)

    def remove(self, role: str) -> Text:
        """Take the card of a slot out. Raise SlotError if there is none."""
        return self.device.remove(role)

    def inject(self, fault: str, **aim: Any) -> None:
        """Make a fault of the catalogue strike programs: ``reader.inject("card-mute", at="verify", command=2)``.

        Raise OrderRefusedError where it cannot be made; it strikes those of the fixture ``bench``.
        """
        if self._standing is None:
            raise RuntimeError("faults strike programs: ask for the fixture bench too")
        given = {key.replace("_", "-"): value for key, value in aim.items()}
        ChannelOrders(self._standing).carry_out("inject", {"fault": fault, **given})


class WatchedBench:
    """A live bench as a test sees it: the channel's orders, and what passed."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self._orders = ChannelOrders(standing)

    @property
    def environment(self) -> Mapping[str, str]:
        """What a program's environment needs to reach the readers; the test's own has it already."""
        return self.standing.environment

    @property
    def channel(self) -> ChannelServer:
        """The control channel over HTTP, for programs that drive the bench themselves."""
        return self.standing.channel

    def name(self, role: str) -> str:
        """Return the PC/SC name of a slot."""
        return self.standing.bench.name(role)

    def order(self, name: str, **given: Any) -> Mapping[str, Any]:
        """Give an order of the channel (``help`` lists them) and return its answer. Raise OrderRefusedError."""
        return self._orders.carry_out(name, given).plain(name)

    def inject(self, fault: str, **aim: Any) -> None:
        """Make a fault of the catalogue strike. Raise OrderRefusedError where it cannot be made."""
        self.order("inject", fault=fault, **{key.replace("_", "-"): value for key, value in aim.items()})

    def clear(self, fault: str | None = None) -> None:
        """Take a fault away, or all."""
        self.order("clear", **({"fault": fault} if fault else {}))

    @property
    def events(self) -> Sequence[Event]:
        """All that passed so far, as the record has it."""
        return self.standing.events()

    @property
    def exchanges(self) -> Sequence[Exchange]:
        """The commands that programs sent, and the answers."""
        return [event for event in self.events if isinstance(event, Exchange)]

    @property
    def calls(self) -> Sequence[Call]:
        """The calls of PC/SC and PKCS#11 that programs made."""
        return [event for event in self.events if isinstance(event, Call)]

    @property
    def mark(self) -> int:
        """This moment: what passes from now on has this number or a greater one."""
        return len(self.events)

    def expect(
        self, *, since: int = 0, times: int | None = None, at_least: int = 1, within: float = 0.0, **only: Any
    ) -> Sequence[Event]:
        """Return the events that have all of what is given: ``bench.expect(command="0020*", sw="9000", times=1)``.

        ``times`` is how many exactly, 0 for none; else ``at_least`` so many, waited for during ``within`` seconds.
        Raise AssertionError, which shows what passed, where it is otherwise; TypeError for what is no such key.
        """
        try:
            wanted = Filter.model_validate(only)
        except ValidationError as error:
            raise TypeError(str(error)) from None
        if times is None and within:
            self.order("wait", until=only, since=since, times=at_least, seconds=within)
        window = self.events[since:]
        found = [one for one in window if wanted.meets(one)]
        good = len(found) >= at_least if times is None else len(found) == times
        if not good:
            expected = f"at least {at_least}" if times is None else f"exactly {times}"
            shown = "\n".join(f"  {told}" for told in map(_line, window[-_SHOWN:]))
            raise AssertionError(f"{expected} of {only} expected, {len(found)} seen; the last of what passed:\n{shown}")
        return found


def _line(event: Event) -> str:
    plain = to_dict(event)
    shown = ("event", "slot", "client", "function", "command", "sw", "result", "movement", "what", "text")
    return " ".join(str(plain[key]) for key in shown if key in plain)
