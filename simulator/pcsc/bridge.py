"""Joins a slot of the bench to one port of vpcd: an open connection is a card in the reader.

Each stay of a card in the slot has its own thread, so that a card that does not answer holds up neither the other
slots nor the next card put in the same slot.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from bifente.simulator.iso7816.card import Card
from bifente.simulator.pcsc.errors import PcscdError
from bifente.simulator.pcsc.vpcd import MAX_PAYLOAD, CardConnection, Control, control_of
from bifente.simulator.readers import LineError, Slot, SlotError, SlotEvent, SlotEventKind

_log = logging.getLogger(__name__)

NO_PRECISE_DIAGNOSIS = b"\x6f\x00"
"""Status word sent in place of the answer of a card that broke its contract (ISO/IEC 7816-4)."""

ABSENCE = 0.5
"""Seconds a slot stays empty for the reader at least: pcscd looks every 0.4 s, and takes the next card for the same one
if a power-off or an APDU met the closed connection before its poll did (measured on pcscd 1.9.9 and vpcd 3.3)."""

MUTE = 1.0
"""Seconds after which a mute card is given up: vpcd has no limit of its own, and its client would wait for ever."""

NO_ANSWER = b"\x60"
"""Sent for an exchange that got no answer while the card stays in: a single byte, which no client can take for a status
word. vpcd has no way to tell its client of a failed exchange; an end of the connection would also fail the next one,
and a reset asked for by then would make pcscd give up the card until it is taken out (seen on pcscd 1.9.9)."""

_MIN_RESPONSE = 2
_ATR_SIZES = range(2, 34)
_FIRST_RETRY = 0.02
_LAST_RETRY = 0.4
_PATIENCE = 3.0
_JOIN = 1.0
_SILENCE = 3.0


class ExchangeKind(Enum):
    """What the reader did to the card."""

    APDU = "apdu"
    POWER_ON = "power-on"
    POWER_OFF = "power-off"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class BridgedExchange:
    """One thing the reader did to the card: ``response`` is the answer or the ATR, ``seconds`` the card's own time.

    May hold secrets (a code in a VERIFY): mask before writing.
    """

    slot: str
    kind: ExchangeKind
    command: bytes
    response: bytes
    seconds: float


class DefectKind(Enum):
    """Where the bench itself went wrong."""

    CARD = "card"
    OBSERVER = "observer"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Defect:
    """A fault of the bench, never of the software under test. ``header`` is the command's CLA INS P1 P2: no secret."""

    slot: str
    kind: DefectKind
    error: Exception
    header: bytes = b""


Observer = Callable[[BridgedExchange], None]
"""Called in the slot's thread before the reply leaves: when a client has its answer, its observer has seen it."""

Connector = Callable[[], socket.socket]
"""Opens a connection to the slot's port. OSError: try again later. PcscdError: never again."""


class MissedRemovalError(Exception):
    """The reader talks to a card it has not powered on: it did not notice that the one before was taken out."""


class OneByteCommandError(Exception):
    """A client sent a command of one byte that vpcd cannot tell from a control: the connection was ended for it."""


class _Stay:
    """One stay of a card: its thread, its connection, whether the reader has seen it, and whether it must power it.

    ``unpowered`` is set for a card that follows another one, until the reader applies power; ``silent`` for one that
    gave no answer to reset, until the reader has asked for it.
    """

    __slots__ = ("connection", "over", "seen", "silent", "thread", "unpowered")

    def __init__(self, unpowered: bool) -> None:
        self.unpowered = unpowered
        self.silent = False
        self.over = threading.Event()
        self.seen = False
        self.connection: CardConnection | None = None
        self.thread: threading.Thread | None = None


class SlotBridge:
    """Keeps a connection to vpcd open while a card is in the slot, and lets that card answer.

    The slot is asked anew for every message, so ``Slot.replace`` changes the card without any movement. A device out of
    reach shows empty slots: a reader of vpcd cannot leave. An exchange that a fault leaves without answer is told to
    the client as a success with a single byte, or with none if the card is gone (artefacts of vpcd).
    A card removed before the reader noticed it keeps its connection: vpcd queues a single connection, and a dead one
    in the queue would hold up the next insertion for a second. The reader still sees an empty slot: it is answered by
    the end of the connection. A card inserted soon after a removal is shown once ``absence`` seconds are over, since
    the reader would not notice the removal otherwise. Thread-safe.
    """

    def __init__(
        self,
        slot: Slot,
        connector: Connector,
        observer: Observer | None = None,
        *,
        absence: float = ABSENCE,
        mute: float = MUTE,
        patience: float | None = _PATIENCE,
        powers: bool = True,
    ) -> None:
        """Follow ``slot`` once started.

        ``patience`` is the time in seconds after which a port that cannot be reached is a defect; None if never.
        ``powers`` says that the reader applies power before it asks anything, as pcscd does: vpcd on Windows never
        does, it resets (vsmartcard's ``VpcdReader.cpp``), and a card is powered here before its first command then.
        """
        self._slot = slot
        self._connector = connector
        self._observer = observer
        self._absence = absence
        self._mute = mute
        self._patience = patience
        self._powers = powers
        self._absent_until: float | None = None
        self._lock = threading.Condition(threading.Lock())  # told when a connection opens or ends
        self._stay: _Stay | None = None
        self._threads: set[threading.Thread] = set()
        self._defects: list[Defect] = []
        self._unlisten: Callable[[], None] | None = None

    @property
    def slot(self) -> Slot:
        """The slot joined."""
        return self._slot

    @property
    def defects(self) -> tuple[Defect, ...]:
        """What went wrong on the bench's side, oldest first."""
        with self._lock:
            return tuple(self._defects)

    @property
    def connected(self) -> bool:
        """Whether a connection is open, thus a card visible (the reader's poll may not have seen it yet)."""
        with self._lock:
            return self._stay is not None and self._stay.connection is not None

    def wait_connected(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds for the connection of an inserted card; whether it is open."""
        with self._lock:
            return self._lock.wait_for(lambda: self._stay is not None and self._stay.connection is not None, timeout)

    def wait_seen(self, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds until the reader has met the inserted card; whether it has."""
        with self._lock:
            return self._lock.wait_for(lambda: self._stay is not None and self._stay.seen, timeout)

    def start(self) -> SlotBridge:
        """Follow the slot from now on; a card already inside is shown at once. Gives itself back."""
        self._unlisten = self._slot.listen(self._on_event)
        if self._slot.answering is not None:
            self._inserted()
        return self

    def close(self) -> None:
        """Hang up and stop following the slot. A client that waits for an answer is freed. Can be called again.

        Waits at most one second for a card that is still answering; its daemon thread then ends on its own.
        """
        if self._unlisten is not None:
            self._unlisten()
            self._unlisten = None
        with self._lock:
            self._end_stay()
            threads = tuple(self._threads)
        deadline = time.monotonic() + _JOIN
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    def __enter__(self) -> SlotBridge:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_event(self, event: SlotEvent) -> None:
        if event.kind in (SlotEventKind.INSERTED, SlotEventKind.BACK):
            if self._slot.answering is not None:
                self._inserted()
        elif event.kind in (SlotEventKind.REMOVED, SlotEventKind.LOST):
            with self._lock:
                if self._stay is not None and self._stay.seen:
                    self._end_stay(last_word=event.kind is SlotEventKind.REMOVED)

    def _inserted(self) -> None:
        with self._lock:
            if self._stay is not None and not self._stay.over.is_set():
                return  # the connection of a card the reader never saw serves the next one
            stay = _Stay(unpowered=self._absent_until is not None or not self._powers)
            name = f"vpcd {self._slot.name}"
            stay.thread = threading.Thread(target=self._live, args=(stay,), name=name, daemon=True)
            self._stay = stay
            self._threads.add(stay.thread)
            stay.thread.start()

    def _end_stay(self, *, last_word: bool = False) -> None:
        """Caller holds the lock. ``last_word``: what the card is answering just now still goes out."""
        stay, self._stay = self._stay, None
        if stay is not None:
            stay.over.set()
            # A fault that takes the card out does so in the thread that answers: it hangs up once it has.
            if stay.connection is not None and not (last_word and stay.thread is threading.current_thread()):
                stay.connection.hang_up()
            if stay.seen:
                self._absent_until = time.monotonic() + self._absence

    def _finish(self, stay: _Stay) -> None:
        with self._lock:
            if self._stay is stay:
                self._end_stay()
            stay.over.set()

    def _live(self, stay: _Stay) -> None:
        """The thread of one stay: connect, answer, connect again if the reader hung up on a card still inside."""
        pause = _FIRST_RETRY
        unreachable_since: float | None = None
        try:
            if self._absent_until is not None:
                stay.over.wait(self._absent_until - time.monotonic())
            while not stay.over.is_set():
                try:
                    connection = CardConnection(self._connector())
                except PcscdError as error:
                    self._report(DefectKind.CONNECTION, error)
                    return
                except OSError as error:
                    now = time.monotonic()
                    unreachable_since = now if unreachable_since is None else unreachable_since
                    if self._patience is not None and now - unreachable_since > self._patience:
                        self._report(DefectKind.CONNECTION, error)
                        unreachable_since = float("inf")  # said once
                else:
                    unreachable_since = None
                    if self._serve(stay, connection):
                        pause = _FIRST_RETRY
                stay.over.wait(pause)
                pause = min(2 * pause, _LAST_RETRY)
        except Exception as error:  # a fault of ours must be seen, not end in a thread nobody looks at
            self._report(DefectKind.CONNECTION, error)
        finally:
            self._finish(stay)
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _serve(self, stay: _Stay, connection: CardConnection) -> bool:
        """Answer until either side ends; True if the reader said anything at all."""
        with self._lock:
            if stay.over.is_set():
                connection.close()
                return False
            stay.connection = connection
            stay.seen = False  # this connection is still in vpcd's queue
            stay.unpowered |= not self._powers
            self._lock.notify_all()
        spoken = False
        try:
            unanswered = False
            while True:
                # vpcd asks for the ATR at every poll, but not while a client waits for an answer: silence after a
                # control says that it was a client's command of one byte, which would wait for ever.
                if unanswered and not connection.speaks_within(_SILENCE):
                    self._report(DefectKind.CONNECTION, OneByteCommandError())
                    return spoken
                if (payloads := connection.receive()) is None:
                    break
                for payload in payloads:
                    spoken = True
                    if not stay.seen and not self._first_seen(stay):
                        return spoken
                    if not self._answer(stay, connection, payload):
                        return spoken
                    unanswered = control_of(payload) not in (None, Control.GET_ATR)
            return spoken
        finally:
            with self._lock:
                stay.connection = None
                self._lock.notify_all()
            connection.close()

    def _first_seen(self, stay: _Stay) -> bool:
        """The reader speaks for the first time: is the card still there? Decided with the events locked out."""
        with self._lock:
            if self._slot.answering is None or stay.over.is_set():
                if self._stay is stay:
                    self._stay = None
                stay.over.set()
                return False
            stay.seen = True
            self._lock.notify_all()
            return True

    def _answer(self, stay: _Stay, connection: CardConnection, payload: bytes) -> bool:
        """Let the card answer one message; False ends the connection."""
        card = self._slot.answering
        if card is None or stay.over.is_set():
            self._finish(stay)
            return False
        control = control_of(payload)
        # Cutting the power of a card that never had any harms nothing: pcscd does so some time after its last client.
        if stay.unpowered and control not in (Control.GET_ATR, Control.POWER_OFF):
            stay.unpowered = False
            if control is not Control.POWER_ON:
                if self._powers:
                    self._report(DefectKind.CONNECTION, MissedRemovalError(), payload[:4])
                else:
                    stay.silent = not self._power(card, Control.POWER_ON)
        if control is None:
            if not payload:
                return True  # vpcd never sends an empty message: nothing to answer
            response = self._transmit(stay, payload)
            return bool(response) and connection.send(response) and not stay.over.is_set()
        if control is Control.GET_ATR:
            if stay.silent:
                # The reader asks what the power-on gave: nothing. The end of the connection is the one way to say so.
                stay.silent = False
                return False
            return self._send_atr(stay, connection, card)
        stay.silent = not self._power(card, control)
        return True

    def _transmit(self, stay: _Stay, command: bytes) -> bytes:
        """What goes back to the reader; nothing if the line broke."""
        started = time.perf_counter()
        try:
            response = self._slot.exchange(command)
            if not isinstance(response, bytes) or not _MIN_RESPONSE <= len(response) <= MAX_PAYLOAD:
                raise TypeError(f"a card answers 2 to {MAX_PAYLOAD} bytes, not {_describe(response)}")
        except LineError as broken:
            if broken.mute:
                stay.over.wait(self._mute)
            gone = stay.over.is_set() or self._slot.answering is None
            response = broken.partial or (b"" if gone else NO_ANSWER)
        except SlotError:
            response = b""  # taken out while the command came in
        except Exception as error:  # its contract forbids it; the client must not wait for ever all the same
            self._report(DefectKind.CARD, error, command[:4])
            response = NO_PRECISE_DIAGNOSIS
        if self._observer is not None:
            seconds = time.perf_counter() - started
            self._observe(
                self._observer, BridgedExchange(self._slot.name, ExchangeKind.APDU, command, response, seconds)
            )
        return response

    def _send_atr(self, stay: _Stay, connection: CardConnection, card: Card) -> bool:
        try:
            atr = card.atr
            if not isinstance(atr, bytes) or len(atr) not in _ATR_SIZES:
                raise TypeError(f"an ATR has 2 to 33 bytes, not {_describe(atr)}")
        except Exception as error:
            # Nothing can be shown to the reader: hang up for good, or the next poll would find the same defect.
            self._report(DefectKind.CARD, error)
            self._finish(stay)
            return False
        return connection.send(atr)

    def _power(self, card: Card, control: Control) -> bool:
        """Do what the reader does to the power; False if the card gave no answer to reset."""
        started = time.perf_counter()
        response = b""
        kind = _POWER_KINDS[control]
        try:
            if control is Control.POWER_ON:
                response = self._slot.power_on()
            elif control is Control.RESET:
                # What interferes knows one way to power a card; a warm reset makes it lose no less than a cold one.
                response = card.reset() if self._slot.interference is None else self._slot.power_on()
            else:
                card.power_off()
        except (LineError, SlotError):
            return False  # vpcd expects no reply; the next message will show it
        except Exception as error:  # vpcd expects no reply: the fault is kept, the connection goes on
            self._report(DefectKind.CARD, error)
        if self._observer is not None:
            seconds = time.perf_counter() - started
            self._observe(self._observer, BridgedExchange(self._slot.name, kind, b"", response, seconds))
        return True

    def _observe(self, observer: Observer, exchange: BridgedExchange) -> None:
        try:
            observer(exchange)
        except Exception as error:  # an observer never changes what the client sees
            self._report(DefectKind.OBSERVER, error, exchange.command[:4])

    def _report(self, kind: DefectKind, error: Exception, header: bytes = b"") -> None:
        with self._lock:
            self._defects.append(Defect(self._slot.name, kind, error, header))
        _log.error("slot %s: %s defect on %s", self._slot.name, kind.value, header.hex() or "-", exc_info=error)


_POWER_KINDS = {
    Control.POWER_ON: ExchangeKind.POWER_ON,
    Control.POWER_OFF: ExchangeKind.POWER_OFF,
    Control.RESET: ExchangeKind.RESET,
}


def _describe(value: object) -> str:
    return f"{len(value)}" if isinstance(value, bytes) else f"a {type(value).__name__}"
