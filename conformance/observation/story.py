"""The record of a live bench as one story: who spoke to which card when, in the order in which it happened."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from bifente.conformance.observation.facts import Fact
from bifente.conformance.run.scribe.calls import BENCH, SUCCESS
from bifente.reports.events import BenchChange, Call, Direction, Event, Exchange, Message, SeenMovement

_VERIFY, _SELECT, _READ, _GET_RESPONSE, _GET_DATA = 0x20, 0xA4, 0xB0, 0xC0, 0xCB
_PRIVATE = frozenset({0x9E, 0x80})
_WEB = frozenset({"http", "https", "websocket", "ws", "wss"})
_NO_LONGER = frozenset({"REMOVED_CARD", "NO_SMARTCARD", "READER_UNAVAILABLE"})


@dataclass(frozen=True, slots=True)
class Moment:
    """An event of the story: ``at`` is in seconds since its beginning, ``client`` is empty for what no program did."""

    event: Event
    at: float

    @property
    def seq(self) -> int:
        """Its number in the journal."""
        return self.event.seq

    @property
    def client(self) -> str:
        """Program and dialogue, ``4242/1``."""
        return getattr(self.event, "client", None) or ""

    @property
    def pid(self) -> str:
        """The program."""
        return self.client.partition("/")[0]

    @property
    def slot(self) -> str:
        """The slot, or nothing."""
        return getattr(self.event, "slot", None) or ""

    @property
    def call(self) -> str:
        """The function called, or nothing."""
        return self.event.function if isinstance(self.event, Call) else ""

    @property
    def result(self) -> str:
        """The result of a call, or nothing."""
        return self.event.result if isinstance(self.event, Call) else ""

    @property
    def header(self) -> bytes:
        """The first four bytes of a command, sent or tried; else nothing."""
        event = self.event
        said = event.command if isinstance(event, Exchange) else ""
        if isinstance(event, Call) and event.function == "SCardTransmit":
            said = event.arguments.get("command", "")
        try:
            return bytes.fromhex(said[:8])
        except ValueError:
            return b""

    @property
    def instruction(self) -> int | None:
        """The INS byte of a command."""
        return self.header[1] if len(self.header) == 4 else None

    @property
    def sw(self) -> int | None:
        """The status word of an exchange; None for what got none."""
        return int(self.event.sw, 16) if isinstance(self.event, Exchange) and self.event.sw else None

    @property
    def has_data(self) -> bool:
        """Whether the command brings data."""
        return isinstance(self.event, Exchange) and len(self.event.command) > 10

    @property
    def presents_code(self) -> bool:
        """A VERIFY with a code."""
        return self.instruction == _VERIFY and self.has_data

    @property
    def asks_tries(self) -> bool:
        """A VERIFY without a code, or a GET DATA, which tell the counter without using it."""
        return (self.instruction == _VERIFY and not self.has_data) or self.instruction == _GET_DATA

    @property
    def selects(self) -> bool:
        """A SELECT."""
        return self.instruction == _SELECT

    @property
    def reads(self) -> bool:
        """A READ BINARY or GET DATA that gave something."""
        return self.instruction in (_READ, _GET_DATA) and self.sw is not None and self.sw >> 8 in (0x90, 0x62, 0x61)

    @property
    def signs(self) -> bool:
        """PSO COMPUTE DIGITAL SIGNATURE or DECIPHER, or INTERNAL AUTHENTICATE: what a private key does."""
        return self.instruction == 0x88 or (self.instruction == 0x2A and self.header[2] in _PRIVATE)

    @property
    def gets_response(self) -> bool:
        """GET RESPONSE."""
        return self.instruction == _GET_RESPONSE

    @property
    def refused_code(self) -> bool:
        """A code that was refused."""
        return self.presents_code and self.sw is not None and (self.sw >> 4 == 0x63C or self.sw == 0x6983)

    @property
    def unanswered(self) -> bool:
        """A command that got no answer, though a card was there: it is mute, or the line failed."""
        if self.call == "SCardTransmit":
            return self.result not in _NO_LONGER and self.result not in ("SHARING_VIOLATION", "RESET_CARD")
        return isinstance(self.event, Exchange) and self.sw is None

    @property
    def moved(self) -> bool:
        """A card or its reader moved."""
        return isinstance(self.event, BenchChange) and self.event.movement is not None

    @property
    def brings_card(self) -> bool:
        """A card came into a slot."""
        return isinstance(self.event, BenchChange) and self.event.movement in (
            SeenMovement.INSERTED,
            SeenMovement.REPLACED,
        )

    @property
    def entry(self) -> bool:
        """The user typed a code."""
        return self.call == Fact.USER and isinstance(self.event, Call) and self.event.arguments.get("code") == "typed"

    def tells_tries(self, left: int) -> bool:
        """Whether the program let its user know of so many tries."""
        said = self.event.body or "" if isinstance(self.event, Message) and self.output else ""
        return re.search(rf"(?<!\w){left}(?!\w)", said) is not None

    @property
    def request(self) -> Message | None:
        """What the program sent to a service, if it is that."""
        event = self.event
        asked = isinstance(event, Message) and event.protocol in _WEB and event.direction is Direction.SENT
        return event if asked and isinstance(event, Message) else None

    @property
    def response(self) -> Message | None:
        """What a service answered, if it is that."""
        event = self.event
        told = isinstance(event, Message) and event.protocol in _WEB and event.direction is Direction.RECEIVED
        return event if told and isinstance(event, Message) else None

    @property
    def output(self) -> bool:
        """The program printed or showed something."""
        return isinstance(self.event, Message) and self.event.protocol == "output"


@dataclass(slots=True)
class CardDialogue:
    """What one program did with one card between a connection and its end."""

    client: str
    slot: str
    share: str
    opened: Moment
    moments: list[Moment] = field(default_factory=list)
    closed: Moment | None = None

    @property
    def commands(self) -> Iterator[Moment]:
        """The commands, answered or not."""
        return (one for one in self.moments if one.instruction is not None)


class Story:
    """The whole, with what can be asked of it. What the bench itself did as another application is left out."""

    def __init__(self, events: Iterable[Event]) -> None:
        told = [event for event in events if event.time]
        origin = _seconds(told[0].time) if told else 0.0
        self.moments: Sequence[Moment] = [
            one for one in (Moment(event, _seconds(event.time) - origin) for event in told) if not _of_bench(one)
        ]

    @cached_property
    def dialogues(self) -> Sequence[CardDialogue]:
        """Every dialogue with a card, in the order in which they began."""
        found: dict[str, CardDialogue] = {}
        for one in self.moments:
            if one.call == "SCardConnect" and one.result == SUCCESS and isinstance(one.event, Call):
                share = one.event.arguments.get("share", "")
                found[one.client] = CardDialogue(one.client, one.slot, share, one)
            elif one.client in found:
                found[one.client].moments.append(one)
                if one.call == "SCardDisconnect":
                    found[one.client].closed = one
            elif one.call in ("SCardReleaseContext", "disconnected"):
                for dialogue in found.values():
                    if (
                        dialogue.closed is None
                        and dialogue.client.startswith(f"{one.client}/")
                        and _open(one, dialogue)
                    ):
                        dialogue.closed = one
        return list(found.values())

    @cached_property
    def programs(self) -> dict[str, str]:
        """The programs that spoke to the service, by process id."""
        return {
            one.pid: one.event.arguments.get("program", "?")
            for one in self.moments
            if one.call == "SCardEstablishContext" and isinstance(one.event, Call)
        }

    def whole(self, one: Moment) -> str:
        """Return the program that a user started: what a single observed one started itself speaks for it."""
        started = {call.client or "" for call in self.facts(Fact.STARTED)}
        return started.pop() if len(started) == 1 else one.pid

    @cached_property
    def commands(self) -> Sequence[Moment]:
        """Every command of every program."""
        return [one for one in self.moments if one.instruction is not None]

    @cached_property
    def codes(self) -> Sequence[Moment]:
        """Every code presented."""
        return [one for one in self.commands if one.presents_code]

    def facts(self, kind: Fact) -> Iterator[Call]:
        """Yield what the observation told of one kind."""
        for one in self.moments:
            if one.call == kind and isinstance(one.event, Call):
                yield one.event

    @property
    def duration(self) -> float:
        """Seconds from beginning to end."""
        return self.moments[-1].at if self.moments else 0.0

    def between(self, first: Moment, last: Moment) -> Iterator[Moment]:
        """Yield what happened after one moment and before another."""
        return (one for one in self.moments if first.seq < one.seq < last.seq)


def _of_bench(one: Moment) -> bool:
    return one.pid == BENCH


def _open(one: Moment, dialogue: CardDialogue) -> bool:
    """Whether the end of a context or of a connection ends this dialogue: it names those that were open."""
    assert isinstance(one.event, Call)  # noqa: S101 - a call
    number = dialogue.client.partition("/")[2]
    return number in one.event.arguments.get("open", "").split(", ")


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
