"""The bench's end of a slot: its thread lets the card answer what the serving process asks, and tells what moves."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from bifente.simulator.pcsc.bridge import BridgedExchange, Defect, DefectKind, ExchangeKind, Observer
from bifente.simulator.pcsc.own.messages import MAX_DATA
from bifente.simulator.pcsc.own.orders import (
    LONGEST,
    Movement,
    SlotOrder,
    SlotOutcome,
    failure,
    moved,
    read_order,
    reply,
)
from bifente.simulator.readers import LineError, PcscCode, PinPad, ScardError, Slot, SlotError, SlotEvent, SlotEventKind

_log = logging.getLogger(__name__)

MUTE = 1.0
"""Seconds after which a mute card is given up, as a reader does after the card's waiting time."""

NO_PRECISE_DIAGNOSIS = b"\x6f\x00"
"""Status word in place of the answer of a card that broke its contract (ISO/IEC 7816-4)."""

_MIN_RESPONSE = 2
_ATR_SIZES = range(2, 34)
_JOIN = 1.0
_MOVEMENTS = {
    SlotEventKind.INSERTED: Movement.INSERTED,
    SlotEventKind.REMOVED: Movement.REMOVED,
    SlotEventKind.REPLACED: Movement.REPLACED,
    SlotEventKind.LOST: Movement.LOST,
    SlotEventKind.BACK: Movement.BACK,
}
_KINDS = {
    SlotOrder.TRANSMIT: ExchangeKind.APDU,
    SlotOrder.POWER_ON: ExchangeKind.POWER_ON,
    SlotOrder.POWER_OFF: ExchangeKind.POWER_OFF,
    SlotOrder.RESET: ExchangeKind.RESET,
}

_APDU = ExchangeKind.APDU

Wait = Callable[[int], None]
"""Waits until a movement of this number is seen by every client."""


_ANSWERING = threading.local()
"""``here`` in the threads that answer the process."""


class SlotServant:
    """One slot, served to the process at the other end of a socket. The slot is asked anew for every order.

    ``await_seen`` waits until the process has acknowledged a movement: when a hand has put a card in, every client sees
    it. What the card does itself while it answers waits for nobody. ``commands``: the observer hears commands too, not
    only what is done to the card's power.
    """

    def __init__(
        self,
        slot: Slot,
        pin_pad: PinPad | None,
        connected: socket.socket,
        next_number: Callable[[], int],
        await_seen: Wait,
        observer: Observer | None,
        mute: float = MUTE,
        *,
        commands: bool = True,
    ) -> None:
        self.slot = slot
        self._pin_pad = pin_pad
        self._socket = connected
        self._next_number = next_number
        self._await_seen = await_seen
        self._observer = observer
        self._mute = mute
        self._observed = _KINDS if commands else {what: kind for what, kind in _KINDS.items() if kind is not _APDU}
        self._defects: list[Defect] = []
        self._gone = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"pcsc {slot.name}", daemon=True)
        self._unlisten = slot.listen(self._on_event)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    @property
    def defects(self) -> tuple[Defect, ...]:
        """What went wrong on the bench's side, oldest first."""
        return tuple(self._defects)

    def wait_seen(self, timeout: float) -> bool:
        """Whether clients see the inserted card; they do as soon as it is in."""
        del timeout
        return self.slot.answering is not None and self._thread.is_alive()

    def close(self) -> None:
        """Stop following the slot. Waits at most a second for a card still at work, whose thread then ends alone."""
        if not self._over.is_set():
            self._over.set()
            self._unlisten()
            self._gone.set()
            with suppress(OSError):  # the process has gone
                self._socket.shutdown(socket.SHUT_RDWR)
            if self._thread is not threading.current_thread() and self._thread.is_alive():
                self._thread.join(_JOIN)
            self._socket.close()

    def atr(self) -> bytes | None:
        """The ATR of the card that is inside; None without one, or for one that has no ATR to show."""
        card = self.slot.card
        if card is None:
            return None
        try:
            atr = card.atr
            if not isinstance(atr, bytes) or len(atr) not in _ATR_SIZES:
                raise TypeError(f"an ATR has 2 to 33 bytes, not {_describe(atr)}")
        except Exception as error:
            self._report(DefectKind.CARD, error)
            return None
        return atr

    # -- what moves ---------------------------------------------------------------------------------------------------

    def _on_event(self, event: SlotEvent) -> None:
        # The process waits for the answer of whichever servant this is: it cannot be waited for in turn.
        number = 0 if getattr(_ANSWERING, "here", False) else self._next_number()
        gone = event.kind in (SlotEventKind.REMOVED, SlotEventKind.LOST)
        if not gone:
            self._gone.clear()
        shown = _MOVEMENTS[event.kind]
        atr = self.atr() or b"" if shown in (Movement.INSERTED, Movement.REPLACED) else b""
        try:
            self._socket.send(moved(number, shown, atr))
        except OSError:
            return  # the service has ended: nobody is there to see it
        finally:
            if gone:
                # Only now: the answer of whoever waits for a mute card must not come before the removal that ends it.
                self._gone.set()
        if number:
            self._await_seen(number)

    # -- what is asked ---------------------------------------------------------------------------------------------

    def _live(self) -> None:
        _ANSWERING.here = True
        buffer = memoryview(bytearray(LONGEST))
        while True:
            try:
                size = self._socket.recv_into(buffer)
                if not size:
                    return
                self._socket.send(self._answer(*read_order(buffer[:size])))
            except OSError:
                return
            except Exception as error:  # a fault of ours must be seen, not end in a thread nobody looks at
                self._report(DefectKind.CONNECTION, error)
                return

    def _answer(self, what: SlotOrder, number: int, payload: bytes) -> bytes:
        started = time.perf_counter()
        response = b""
        try:
            response = self._do(what, payload)
            told = reply(number, SlotOutcome.DONE, response)
        except LineError as broken:
            response = broken.partial
            if broken.mute and what is SlotOrder.TRANSMIT:
                self._gone.wait(self._mute)
            told = failure(number, broken.code)
        except ScardError as refused:
            told = failure(number, refused.code)
        except SlotError:
            told = reply(number, SlotOutcome.EMPTY)
        except Exception as error:  # its contract forbids it; the client must not wait for ever all the same
            self._report(DefectKind.CARD, error, payload[:4])
            response = NO_PRECISE_DIAGNOSIS if what is SlotOrder.TRANSMIT else b""
            told = (
                reply(number, SlotOutcome.DONE, response) if response else failure(number, PcscCode.UNRESPONSIVE_CARD)
            )
        if self._observer is not None and (kind := self._observed.get(what)) is not None:
            seconds = time.perf_counter() - started
            command = payload if what is SlotOrder.TRANSMIT else b""
            self._observe(self._observer, BridgedExchange(self.slot.name, kind, command, response, seconds))
        return told

    def _do(self, what: SlotOrder, payload: bytes) -> bytes:
        slot = self.slot
        if what is SlotOrder.TRANSMIT:
            response = slot.exchange(payload)
            if not isinstance(response, bytes) or not _MIN_RESPONSE <= len(response) <= MAX_DATA:
                raise TypeError(f"a card answers 2 to {MAX_DATA} bytes, not {_describe(response)}")
            return response
        if what is SlotOrder.CONTROL:
            if self._pin_pad is None:
                raise ScardError(PcscCode.UNSUPPORTED_FEATURE, "this reader has no PIN pad")
            code = int.from_bytes(payload[:4], "little")
            return self._pin_pad.control(code, payload[4:], slot.exchange, self._gone_wait)
        card = slot.answering
        if card is None:
            raise SlotError(f"slot {slot.name!r} has no card that answers")
        if what is SlotOrder.POWER_OFF:
            card.power_off()
            return b""
        if what is SlotOrder.RESET and slot.interference is None:
            return card.reset()
        # What interferes knows one way to power a card; a warm reset makes it lose no less than a cold one.
        return slot.power_on()

    def _gone_wait(self, seconds: float) -> None:
        """Time that passes while nobody types; a card taken out ends it."""
        self._gone.wait(seconds)

    def _observe(self, observer: Observer, exchange: BridgedExchange) -> None:
        try:
            observer(exchange)
        except Exception as error:  # an observer never changes what the client sees
            self._report(DefectKind.OBSERVER, error, exchange.command[:4])

    def _report(self, kind: DefectKind, error: Exception, header: bytes = b"") -> None:
        self._defects.append(Defect(self.slot.name, kind, error, header))
        _log.error("slot %s: %s defect on %s", self.slot.name, kind.value, header.hex() or "-", exc_info=error)


def _describe(value: object) -> str:
    return f"{len(value)}" if isinstance(value, bytes) else f"a {type(value).__name__}"
