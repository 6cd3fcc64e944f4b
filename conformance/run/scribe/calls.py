"""What a witness of the PC/SC service tells, as events: exchanges of APDUs, calls of PC/SC, movements of cards.

The numbers by which the service knows contexts and handles are its own; here each dialogue with a card bears a small
number, in the order in which the record met it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bifente.conformance.run.telling import event_of
from bifente.ground.text import Text
from bifente.reports.events import BenchChange, Call, Event, SeenMovement
from bifente.reports.secrets import Secrets
from bifente.simulator.cards.dialogue import Exchanged
from bifente.simulator.pcsc.own.messages import ServiceCommand
from bifente.simulator.readers import PcscCode
from bifente.simulator.readers.pin_pad import CONTROLS, GET_FEATURE_REQUEST

BENCH = "bench"
"""The client by which the bench itself speaks to its readers, as another application of the workstation."""

SUCCESS = "SCARD_S_SUCCESS"


def age_of(told: Sequence[Any]) -> timedelta:
    """Return how long ago it happened what a witness on this machine tells, a call when it was answered.

    Whoever hears of it late, or of many things at once, dates it by this: rules compare the times of what programs do.
    """
    happened = told[1] + (told[-1] if told[0] == "call" else 0)
    return timedelta(microseconds=max(0, time.monotonic_ns() // 1000 - happened))


def code_name(code: int) -> str:
    """Return the name of a PC/SC code as pcsc-lite numbers it."""
    return _NAMES.get(code) or PcscCode.label(code)


_NAMES: Mapping[int, str] = {
    0: SUCCESS,
    0x80100002: "CANCELLED",
    0x80100006: "NO_MEMORY",
    0x80100008: "INSUFFICIENT_BUFFER",
    0x80100011: "INVALID_VALUE",
    0x8010001F: "UNSUPPORTED_FEATURE",
}
_SHARES = {1: "exclusive", 2: "shared", 3: "direct"}
_DISPOSITIONS = {0: "leave", 1: "reset", 2: "unpower", 3: "eject"}
_PROTOCOLS = {0: "none", 1: "T=0", 2: "T=1", 3: "T=0 or T=1", 4: "raw"}
_CONTROLS = {GET_FEATURE_REQUEST: "GET_FEATURE_REQUEST", **{code: one.name for one, code in CONTROLS.items()}}
_MOVED: Mapping[SeenMovement, Text] = {
    SeenMovement.INSERTED: Text("les programmes voient la carte insérée", "programs see the card inserted"),
    SeenMovement.REMOVED: Text("les programmes voient la carte retirée", "programs see the card removed"),
    SeenMovement.REPLACED: Text("une autre carte répond", "another card answers"),
    SeenMovement.LOST: Text("les programmes perdent le lecteur", "programs lose the reader"),
    SeenMovement.BACK: Text("les programmes retrouvent le lecteur", "programs have the reader back"),
}


@dataclass(slots=True)
class _Client:
    pid: int
    program: str
    waits_since: int | None = None
    dialogues: dict[int, tuple[int, str]] = field(default_factory=dict)
    """From the service's handle to the number of the dialogue and the slot."""


class ClientCalls:
    """Turns what is told into events. ``roles`` are slot roles by PC/SC name; ``bench`` is the bench's own process."""

    def __init__(self, secrets: Secrets, bench: int) -> None:
        self.roles: dict[str, str] = {}
        self._secrets = secrets
        self._bench = bench
        self._clients: dict[int, _Client] = {}
        self._dialogues = 0

    def events(self, told: Sequence[Any]) -> list[Event]:
        """Return the events of one thing told."""
        match told:
            case ["call", began, client, command, asked, said, sent, got, duration]:
                who = self._clients.setdefault(client, _Client(0, "?"))
                made = _CALLS.get(command)
                return made(self, who, _Asked(began, asked, said, sent, got, duration)) if made is not None else []
            case ["came", _at, client, pid, program]:
                self._clients[client] = _Client(pid, program)
            case ["left", at, client]:
                return self._left(self._clients.pop(client, None), at)
            case ["moved", _at, reader, movement]:
                moved = SeenMovement(movement)
                return [BenchChange(slot=self.roles.get(reader, reader), what=_MOVED[moved], movement=moved)]
            case ["missed", _at, count]:
                return [Call(function="witness", result=f"{count} calls were not recorded")]
        return []

    def _who(self, who: _Client, number: int | None = None) -> str:
        name = BENCH if who.pid == self._bench else str(who.pid)
        return name if number is None else f"{name}/{number}"

    def _left(self, who: _Client | None, at: int) -> list[Event]:
        if who is None:
            return []
        open_still = sorted(number for number, _slot in who.dialogues.values())
        events: list[Event] = []
        if who.waits_since is not None:
            events.append(self._waited(who, at, "CANCELLED"))
        events.append(
            Call(
                function="disconnected",
                client=self._who(who),
                arguments={"open": ", ".join(map(str, open_still))} if open_still else {},
                result=SUCCESS,
            )
        )
        return events

    def _waited(self, who: _Client, ended: int, result: str) -> Call:
        since, who.waits_since = who.waits_since or ended, None
        return Call(
            function="SCardGetStatusChange",
            client=self._who(who),
            result=result,
            duration_us=max(0, ended - since),
        )

    # -- the calls ----------------------------------------------------------------------------------------------------

    def establish(self, who: _Client, told: _Asked) -> list[Event]:
        """A context."""
        return [
            Call(
                function="SCardEstablishContext",
                client=self._who(who),
                arguments={"program": who.program},
                result=told.result,
                duration_us=told.duration,
            )
        ]

    def release(self, who: _Client, told: _Asked) -> list[Event]:
        """A context given back, its dialogues with it."""
        open_still = sorted(number for number, _slot in who.dialogues.values())
        who.dialogues.clear()
        return [
            Call(
                function="SCardReleaseContext",
                client=self._who(who),
                arguments={"open": ", ".join(map(str, open_still))} if open_still else {},
                result=told.result,
                duration_us=told.duration,
            )
        ]

    def connect(self, who: _Client, told: _Asked) -> list[Event]:
        """A dialogue."""
        _context, reader, share, protocols, *_rest = told.asked
        slot = self.roles.get(reader, reader)
        number = None
        answer: dict[str, str] = {}
        if told.result == SUCCESS:
            self._dialogues += 1
            number = self._dialogues
            who.dialogues[told.said[4]] = (number, slot)
            answer = {"protocol": _PROTOCOLS.get(told.said[5], str(told.said[5]))}
        return [
            Call(
                function="SCardConnect",
                slot=slot,
                client=self._who(who, number),
                arguments={
                    "share": _SHARES.get(share, str(share)),
                    "protocols": _PROTOCOLS.get(protocols & 7, str(protocols)),
                },
                result=told.result,
                answer=answer,
                duration_us=told.duration,
            )
        ]

    def reconnect(self, who: _Client, told: _Asked) -> list[Event]:
        """A dialogue taken up anew."""
        arguments = {
            "share": _SHARES.get(told.asked[1], str(told.asked[1])),
            "initialization": _DISPOSITIONS.get(told.asked[3], str(told.asked[3])),
        }
        return [self.call("SCardReconnect", who, told, arguments)]

    def disconnect(self, who: _Client, told: _Asked) -> list[Event]:
        """A dialogue ended."""
        call = self.call("SCardDisconnect", who, told, {"disposition": _disposition(told.asked[1])})
        who.dialogues.pop(told.asked[0], None)
        return [call]

    def end(self, who: _Client, told: _Asked) -> list[Event]:
        """A transaction ended."""
        return [self.call("SCardEndTransaction", who, told, {"disposition": _disposition(told.asked[1])})]

    def transmit(self, who: _Client, told: _Asked) -> list[Event]:
        """A command: an exchange, or a call that failed."""
        command = bytes.fromhex(told.sent)
        self._secrets.learn(command)
        if told.result != SUCCESS:
            return [self.call("SCardTransmit", who, told, {"command": command.hex().upper()})]
        number, slot = who.dialogues.get(told.asked[0], (None, ""))
        exchanged = Exchanged(command, bytes.fromhex(told.got), told.duration / 1_000_000)
        return [event_of(exchanged, self._secrets, slot=slot or None, client=self._who(who, number))]

    def control(self, who: _Client, told: _Asked) -> list[Event]:
        """A control of the reader: by its name alone, for what it carries may be a code."""
        name = _CONTROLS.get(told.asked[1], f"{told.asked[1]:08X}")
        return [self.call("SCardControl", who, told, {"control": name})]

    def get_attribute(self, who: _Client, told: _Asked) -> list[Event]:
        """An attribute."""
        return [self.call("SCardGetAttrib", who, told, {"attribute": f"{told.asked[1]:08X}"})]

    def set_attribute(self, who: _Client, told: _Asked) -> list[Event]:
        """An attribute set."""
        return [self.call("SCardSetAttrib", who, told, {"attribute": f"{told.asked[1]:08X}"})]

    def wait(self, who: _Client, told: _Asked) -> list[Event]:
        """A wait begins, or goes on."""
        if who.waits_since is None:
            who.waits_since = told.began
        return []

    def stop_waiting(self, who: _Client, told: _Asked) -> list[Event]:
        """A wait is over."""
        return [self._waited(who, told.began, SUCCESS)]

    def call(self, function: str, who: _Client, told: _Asked, arguments: dict[str, str]) -> Call:
        """Return a call as it is told, in the dialogue it belongs to."""
        number, slot = who.dialogues.get(told.asked[0], (None, "")) if told.asked else (None, "")
        return Call(
            function=function,
            slot=slot or None,
            client=self._who(who, number),
            arguments=arguments,
            result=told.result,
            duration_us=told.duration,
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call: its fields asked and answered, the data sent and got in hexadecimal, times in microseconds."""

    began: int
    asked: Sequence[Any]
    said: Sequence[Any]
    sent: str
    got: str
    duration: int

    @property
    def result(self) -> str:
        return code_name(self.said[-1]) if self.said else SUCCESS


def _disposition(value: int) -> str:
    return _DISPOSITIONS.get(value, str(value))


def _plain(function: str) -> Callable[[ClientCalls, _Client, _Asked], list[Event]]:
    return lambda calls, who, told: [calls.call(function, who, told, {})]


_CALLS: Mapping[int, Callable[[ClientCalls, _Client, _Asked], list[Event]]] = {
    ServiceCommand.ESTABLISH_CONTEXT: ClientCalls.establish,
    ServiceCommand.RELEASE_CONTEXT: ClientCalls.release,
    ServiceCommand.CONNECT: ClientCalls.connect,
    ServiceCommand.RECONNECT: ClientCalls.reconnect,
    ServiceCommand.DISCONNECT: ClientCalls.disconnect,
    ServiceCommand.BEGIN: _plain("SCardBeginTransaction"),
    ServiceCommand.END: ClientCalls.end,
    ServiceCommand.TRANSMIT: ClientCalls.transmit,
    ServiceCommand.CONTROL: ClientCalls.control,
    ServiceCommand.STATUS: _plain("SCardStatus"),
    ServiceCommand.CANCEL: _plain("SCardCancel"),
    ServiceCommand.GET_ATTRIBUTE: ClientCalls.get_attribute,
    ServiceCommand.SET_ATTRIBUTE: ClientCalls.set_attribute,
    ServiceCommand.READERS: _plain("SCardListReaders"),
    ServiceCommand.READERS_SIZED: _plain("SCardListReaders"),
    ServiceCommand.WAIT: ClientCalls.wait,
    ServiceCommand.STOP_WAITING: ClientCalls.stop_waiting,
}
