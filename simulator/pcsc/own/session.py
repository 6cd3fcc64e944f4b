"""One client on its connection: what each of its requests does to the readers, and the code it is answered.

A request is an attempt that gives its answer, or None when it must wait for another application or for the card: it is
tried again whenever anything has moved, until the client goes. The order of the checks is pcscd's.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from typing import Protocol as Shape

from bifente.simulator.pcsc.own.attributes import attribute
from bifente.simulator.pcsc.own.link import SlotLink
from bifente.simulator.pcsc.own.messages import (
    COUNT,
    MAJOR,
    MAX_ATTRIBUTE,
    NEWEST_MINOR,
    OLDEST_MINOR,
    BrokenMessageError,
    Request,
    ServiceCommand,
    answer,
    event,
    name_of,
)
from bifente.simulator.pcsc.own.orders import SlotOrder
from bifente.simulator.pcsc.own.table import Table
from bifente.simulator.pcsc.own.witness import Witness
from bifente.simulator.readers import Context, Disposition, Handle, PcscCode, Protocol, ScardError, Share
from bifente.simulator.readers.pcsc_slot import PcscSlot
from bifente.simulator.readers.pin_pad import GET_FEATURE_REQUEST

OK = 0
INSUFFICIENT_BUFFER, CANCELLED, INVALID_VALUE, NO_MEMORY = 0x80100008, 0x80100002, 0x80100011, 0x80100006
UNSUPPORTED_FEATURE = 0x8010001F
"""pcsc-lite's own number; Windows and the readers of this project have 80100022."""

BACK_OFF = 0.1
"""Seconds after which somebody who wants a transaction is told that another has it; its client asks again."""

MAX_HANDLES = 200
ANY_PROTOCOL = 0x1000
_ASKABLE = 0x1 | 0x2 | 0x4 | ANY_PROTOCOL
_LAST_SCOPE = 3

Attempt = Callable[[], bytes | None]
"""Gives the answer, ``STARTED`` if the card now has to answer first, or None to be tried again."""

STARTED = b"started"


class Floor(Shape):
    """What a session needs of the server."""

    table: Table
    witness: Witness | None

    def establish(self) -> Context:
        """A context of the readers."""
        ...

    def slot(self, name: str) -> PcscSlot | None:
        """A reader by its name."""
        ...

    def link(self, slot: PcscSlot) -> SlotLink:
        """The link behind it."""
        ...

    def number(self) -> int:
        """A number nobody has."""
        ...

    def cancel(self, context: int) -> int:
        """End the wait of the session that has this context; the code for whoever asked."""
        ...

    def wait(self, session: Session) -> None:
        """Tell the session of the next change."""
        ...

    def stop_waiting(self, session: Session) -> bool:
        """Do not; whether it still waited."""
        ...

    def park(self, session: Session | None, attempt: Attempt) -> None:
        """Try again when anything has moved, until the session has gone (None: whatever happens)."""
        ...

    def later(self, seconds: float, session: Session, said: bytes) -> None:
        """Answer after a while."""
        ...

    def moved(self) -> None:
        """Something may look otherwise than before."""
        ...


class Session:
    """What one connection holds: at most one context and its handles. ``send`` never blocks.

    ``client`` is the number by which a witness tells it from others.
    """

    def __init__(self, floor: Floor, send: Callable[[bytes], None], client: int = 0) -> None:
        self._floor = floor
        self._send = send
        self.client = client
        self._asked: tuple[Request, int] | None = None
        self.minor = OLDEST_MINOR
        self.context: int | None = None
        self._applications: Context | None = None
        self._handles: dict[int, Handle] = {}
        self.busy = False
        """Whether its last request has no answer yet."""
        self.gone = False
        self._sizing = False
        self._kept: int | None = None

    def handle(self, request: Request) -> None:
        """Do what is asked. Raises BrokenMessageError for what no client of good faith sends."""
        self.busy = True
        if self._floor.witness is not None:
            self._asked = (request, time.monotonic_ns())
        _HANDLERS[request.command](self, request)

    def answer(self, said: bytes) -> None:
        """Give the answer to the request under way."""
        self.busy = False
        if said:
            self._send(said)
        witness = self._floor.witness
        if witness is not None and self._asked is not None:
            (request, began), self._asked = self._asked, None
            witness.answered(self.client, request, said, began)

    def notify(self, code: int = OK) -> None:
        """Tell a client that waits for a change; one of 4:6 not before it has the array it asked for."""
        if self._sizing:
            self._kept = code
        else:
            self._send(event(code))

    def leave(self) -> None:
        """The client has gone: its handles are dropped."""
        self.gone = True
        self._floor.stop_waiting(self)
        self._drop()

    def try_now(self, attempt: Attempt) -> bool:
        """Try a request; whether it is over, or at least begun."""
        said = attempt()
        if said is None:
            return False
        if said is not STARTED:
            self.answer(said)
        return True

    # -- contexts -----------------------------------------------------------------------------------------------------

    def _version(self, request: Request) -> None:
        major, minor, _code = request.fields
        if major == MAJOR and OLDEST_MINOR <= minor <= NEWEST_MINOR:
            self.minor = minor
            self.answer(answer(request.command, major, minor, OK))
        else:
            self.answer(answer(request.command, MAJOR, NEWEST_MINOR, int(PcscCode.SERVICE_STOPPED)))

    def _establish(self, request: Request) -> None:
        scope = request.fields[0]
        if scope > _LAST_SCOPE:
            self.answer(answer(request.command, scope, 0, INVALID_VALUE))
            return
        self._drop()
        self._applications = self._floor.establish()
        self.context = self._floor.number()
        self.answer(answer(request.command, scope, self.context, OK))

    def _release(self, request: Request) -> None:
        context = request.fields[0]
        code = self._wrong_context(context)
        if code == OK:
            self._drop()
            self.context = self._applications = None
        self.answer(answer(request.command, context, code))

    def _wrong_context(self, context: int) -> int:
        if self.context is None or context == 0:
            return int(PcscCode.INVALID_HANDLE)
        return OK if context == self.context else INVALID_VALUE

    def _drop(self) -> None:
        handles, self._handles = self._handles, {}
        for handle in handles.values():
            self._abandon(handle)

    def _abandon(self, handle: Handle) -> None:
        """Leave one card; if it has to be reset for that, not while it is at work for another."""
        floor = self._floor
        if handle.slot.holder is handle and floor.link(handle.slot).busy:

            def attempt() -> bytes | None:
                if floor.link(handle.slot).busy:
                    return None
                handle.abandon()
                floor.moved()
                return STARTED

            floor.park(None, attempt)
        else:
            handle.abandon()
            floor.moved()

    # -- cards --------------------------------------------------------------------------------------------------------

    def _connect(self, request: Request) -> None:
        context, raw, share, protocols, _handle, _active, _code = request.fields

        def say(code: int, number: int = 0, active: int = 0) -> bytes:
            return answer(request.command, context, raw, share, protocols, number, active, code)

        def attempt() -> bytes | None:
            slot = self._floor.slot(name)
            if slot is None:
                return say(PcscCode.UNKNOWN_READER)
            if slot.holder is not None and not slot.exclusive and slot.slot.reachable:
                return None
            if self._floor.link(slot).busy and share != Share.DIRECT and not slot.powered:
                return None
            return self._open(slot, context, Share(share), protocols, say)

        name = name_of(raw)
        if not protocols & _ASKABLE and share != Share.DIRECT:
            self.answer(say(PcscCode.PROTO_MISMATCH))
        elif share not in _SHARES:
            self.answer(say(INVALID_VALUE))
        else:
            self._try(attempt)

    def _open(self, slot: PcscSlot, context: int, share: Share, protocols: int, say: Callable[..., bytes]) -> bytes:
        applications = self._applications
        try:
            wrong = self._wrong_context(context)
            if applications is None or wrong != OK:
                return say(wrong or PcscCode.INVALID_HANDLE)
            if len(self._handles) >= MAX_HANDLES:
                return say(NO_MEMORY)
            handle = applications.connect(slot.name, share, _protocols(protocols))
        except ScardError as refused:
            # pcscd says of a card that gives no answer to reset that it is unpowered.
            mute = refused.code == PcscCode.UNRESPONSIVE_CARD
            return say(PcscCode.UNPOWERED_CARD if mute else refused.code)
        finally:
            self._floor.moved()
        number = self._floor.number()
        self._handles[number] = handle
        return say(OK, number, int(slot.protocol))

    def _reconnect(self, request: Request) -> None:
        number, share, protocols, how, _active, _code = request.fields
        handle = self._of(number)

        def say(code: int) -> bytes:
            return answer(request.command, number, share, protocols, how, int(handle.slot.protocol), code)

        def attempt() -> bytes | None:
            if self._floor.link(handle.slot).busy:
                return None
            code = self._code(lambda: handle.reconnect(Share(share), Disposition(how), _protocols(protocols)))
            self._floor.moved()
            return say(code)

        if not protocols & _ASKABLE and share != Share.DIRECT:
            self.answer(say(PcscCode.PROTO_MISMATCH))
        elif share not in _SHARES or how > Disposition.UNPOWER:
            self.answer(say(INVALID_VALUE))
        else:
            self._try(attempt)

    def _disconnect(self, request: Request) -> None:
        number, how, _code = request.fields
        handle = self._of(number)

        def attempt() -> bytes | None:
            slot = handle.slot
            if how != Disposition.LEAVE and slot.plugged:
                if slot.holder is not None and slot.holder is not handle:
                    return None
                if self._floor.link(slot).busy:
                    return None
            self._handles.pop(number, None)
            handle.disconnect(Disposition(how))
            self._floor.moved()
            return answer(request.command, number, how, OK)

        if how > Disposition.EJECT:
            self.answer(answer(request.command, number, how, INVALID_VALUE))
        else:
            self._try(attempt)

    def _begin(self, request: Request) -> None:
        number, _code = request.fields
        handle = self._of(number)
        code = self._code(handle.begin)
        said = answer(request.command, number, code)
        if code == PcscCode.SHARING_VIOLATION:
            self._floor.later(BACK_OFF, self, said)
        else:
            self.answer(said)

    def _end(self, request: Request) -> None:
        number, how, _code = request.fields
        handle = self._of(number)

        def attempt() -> bytes | None:
            if how in (Disposition.RESET, Disposition.UNPOWER) and self._floor.link(handle.slot).busy:
                return None
            code = self._code(lambda: handle.end(Disposition(how)))
            self._floor.moved()
            return answer(request.command, number, how, code)

        if how > Disposition.EJECT:
            self.answer(answer(request.command, number, how, INVALID_VALUE))
        else:
            self._try(attempt)

    def _transmit(self, request: Request) -> None:
        fields = request.fields
        number, protocol, room = fields[0], fields[1], fields[6]
        handle = self._of(number)

        def say(data: bytes, code: int | None) -> None:
            if code is None and len(data) > room:
                code, length, data = INSUFFICIENT_BUFFER, len(data), b""
            else:
                length = len(data)
            self.answer(answer(request.command, *fields[:6], length, code or OK, data=data))

        def attempt() -> bytes | None:
            slot = handle.slot
            try:
                handle.admit()
                if slot.slot.card is None:
                    raise ScardError(PcscCode.NO_SMARTCARD)
                if protocol not in _ALWAYS and protocol != slot.protocol:
                    raise ScardError(PcscCode.PROTO_MISMATCH)
            except ScardError as refused:
                return answer(request.command, *fields[:6], 0, refused.code)
            link = self._floor.link(slot)
            if link.busy:
                return None
            link.ask(SlotOrder.TRANSMIT, request.data, say)
            return STARTED

        self._try(attempt)

    def _control(self, request: Request) -> None:
        number, control, sent, room, _returned, _code = request.fields
        handle = self._of(number)

        def say(data: bytes, code: int | None) -> None:
            if code is None and len(data) > room:
                code, length, data = INSUFFICIENT_BUFFER, len(data), b""
            else:
                length = len(data)
            self.answer(answer(request.command, number, control, sent, room, length, _number(code), data=data))

        def attempt() -> bytes | None:
            try:
                handle.admit(to_card=control != GET_FEATURE_REQUEST)
            except ScardError as refused:
                return answer(request.command, number, control, sent, room, 0, refused.code)
            link = self._floor.link(handle.slot)
            if link.busy:
                return None
            link.ask(SlotOrder.CONTROL, control.to_bytes(4, "little") + request.data, say)
            return STARTED

        self._try(attempt)

    def _status(self, request: Request) -> None:
        number, _code = request.fields
        self.answer(answer(request.command, number, self._code(self._of(number).admit)))

    def _get_attribute(self, request: Request) -> None:
        number, tag, _value, _length, _code = request.fields
        handle = self._of(number)
        code, value = self._code(handle.admit), b""
        if code == OK:
            found = attribute(handle.slot, tag)
            code, value = (UNSUPPORTED_FEATURE, b"") if found is None else (OK, found[:MAX_ATTRIBUTE])
        self.answer(answer(request.command, number, tag, value, len(value), code))

    def _set_attribute(self, request: Request) -> None:
        number, tag, value, length, _code = request.fields
        code = self._code(self._of(number).admit) or UNSUPPORTED_FEATURE
        self.answer(answer(request.command, number, tag, value, length, code))

    def _of(self, number: int) -> Handle:
        handle = self._handles.get(number)
        if handle is None:
            raise BrokenMessageError("a handle of somebody else's")
        return handle

    def _try(self, attempt: Attempt) -> None:
        if not self.try_now(attempt):
            self._floor.park(self, attempt)

    @staticmethod
    def _code(call: Callable[[], object]) -> int:
        try:
            call()
        except ScardError as refused:
            return _number(refused.code)
        return OK

    # -- readers ------------------------------------------------------------------------------------------------------

    def _cancel(self, request: Request) -> None:
        context, _code = request.fields
        self.answer(answer(request.command, context, self._floor.cancel(context & 0xFFFFFFFF)))

    def _readers(self, request: Request) -> None:
        self.answer(self._floor.table.array(whole=False))

    def _wait(self, request: Request) -> None:
        self._floor.stop_waiting(self)
        self._kept = None
        self._floor.wait(self)
        self._sizing = self.minor >= 6
        self.answer(b"" if self._sizing else self._floor.table.array(whole=False))

    def _readers_size(self, request: Request) -> None:
        self.answer(COUNT.pack(self._floor.table.count))

    def _readers_sized(self, request: Request) -> None:
        self.answer(self._floor.table.array(whole=True))
        self._tell_kept()

    def _stop_waiting(self, request: Request) -> None:
        self._tell_kept()
        self.answer(event() if self._floor.stop_waiting(self) else b"")

    def _tell_kept(self) -> None:
        kept, self._kept, self._sizing = self._kept, None, False
        if kept is not None:
            self._send(event(kept))

    def _reader_events(self, request: Request) -> None:
        self.answer(answer_events(self._floor.table.events))


def answer_events(count: int) -> bytes:
    """How many readers came and went, and no error."""
    return count.to_bytes(4, "little") + bytes(4)


def _protocols(asked: int) -> Protocol:
    return Protocol(asked & 0x7) | (Protocol.ANY if asked & ANY_PROTOCOL else Protocol.NONE)


def _number(code: int | None) -> int:
    """A code as pcsc-lite numbers it."""
    return UNSUPPORTED_FEATURE if code == PcscCode.UNSUPPORTED_FEATURE else code or OK


_SHARES = frozenset(Share)
_ALWAYS = frozenset({int(Protocol.RAW), ANY_PROTOCOL})

_HANDLERS: dict[int, Callable[[Session, Request], Any]] = {
    ServiceCommand.ESTABLISH_CONTEXT: Session._establish,
    ServiceCommand.RELEASE_CONTEXT: Session._release,
    ServiceCommand.CONNECT: Session._connect,
    ServiceCommand.RECONNECT: Session._reconnect,
    ServiceCommand.DISCONNECT: Session._disconnect,
    ServiceCommand.BEGIN: Session._begin,
    ServiceCommand.END: Session._end,
    ServiceCommand.TRANSMIT: Session._transmit,
    ServiceCommand.CONTROL: Session._control,
    ServiceCommand.STATUS: Session._status,
    ServiceCommand.CANCEL: Session._cancel,
    ServiceCommand.GET_ATTRIBUTE: Session._get_attribute,
    ServiceCommand.SET_ATTRIBUTE: Session._set_attribute,
    ServiceCommand.VERSION: Session._version,
    ServiceCommand.READERS: Session._readers,
    ServiceCommand.WAIT: Session._wait,
    ServiceCommand.STOP_WAITING: Session._stop_waiting,
    ServiceCommand.READER_EVENTS: Session._reader_events,
    ServiceCommand.READERS_SIZE: Session._readers_size,
    ServiceCommand.READERS_SIZED: Session._readers_sized,
}
