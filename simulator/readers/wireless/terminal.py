"""A wireless terminal: slots that can be reached only while it is paired, charged, in range and in session.

What a session is, how a battery falls and what a weak link loses are modelled; that a wireless reader works only
while paired and charged, and authenticates with a token that lives only briefly, is SEED-READER-12 and SEED-TOKEN-03.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from bifente.simulator.iso7816.card import Card
from bifente.simulator.readers.codes import PcscCode
from bifente.simulator.readers.slot import LineError, Slot, SlotEvent, SlotEventKind
from bifente.simulator.readers.wireless.claims import AccessClaims
from bifente.simulator.readers.wireless.parameters import TerminalParameters, WeakLink
from bifente.simulator.readers.wireless.platform import Platform
from bifente.simulator.readers.wireless.refusals import Refusal, TokenRefusedError
from bifente.simulator.readers.wireless.states import (
    TRANSITIONS,
    Pairing,
    RadioLink,
    SessionEvent,
    TerminalCondition,
    TerminalSession,
)

CODE_ROLE = "cps"
"""The slot whose card's holder code the terminal may remember."""


class BusyError(Exception):
    """The terminal is serving somebody else."""


class Terminal:
    """One terminal; ``slots`` are its slots by role. Time passes for it whenever it is used or looked at.

    ``skew`` is how far its own clock is ahead of the platform's, in seconds. Losses are drawn from ``chance``. Safe
    among threads.
    It begins neither paired nor in session: nothing crosses, and its slots say so from the first ``look`` on.
    """

    def __init__(
        self,
        slots: Mapping[str, Slot],
        platform: Platform,
        chance: random.Random,
    ) -> None:
        self.id = platform.enrol()
        self.skew = 0.0
        self.disturbed = False
        """Whether an exchange was ever lost: a PC/SC service may have given a card up."""
        self._slots = dict(slots)
        self._platform = platform
        self._chance = chance
        self._link = RadioLink.UP
        self._weak = self.parameters.weak
        self._losses = 0
        self._charge = 100.0
        self._charged_at = platform.clock.monotonic()
        self._used = 0
        self._session = TerminalSession.CLOSED
        self._current: AccessClaims | None = None
        self._spent: set[str] = set()
        self._code: str | None = None
        self._occasion = 0
        self._planned: list[tuple[int, Callable[[], None]]] = []
        self._state = threading.RLock()
        self._depth = 0
        self._settling = threading.Lock()
        self._unsettled = False
        self._service = threading.Lock()
        self._stop_listening = [slot.listen(partial(self._card_moved, role)) for role, slot in self._slots.items()]
        for slot in self._slots.values():
            slot.interference = Radio(self, slot)

    # -- what it is -------------------------------------------------------------------------------------------------

    @property
    def parameters(self) -> TerminalParameters:
        """The model's."""
        return self._platform.parameters

    @property
    def link(self) -> RadioLink:
        """The radio link."""
        return self._link

    @property
    def pairing(self) -> Pairing:
        """How it stands with the platform."""
        return self._platform.pairing(self.id)

    @property
    def battery(self) -> float:
        """What is left of the charge, in percent."""
        elapsed = self._platform.clock.monotonic() - self._charged_at
        return max(0.0, self._charge - self.parameters.battery.spent(elapsed, self._used))

    @property
    def battery_low(self) -> bool:
        """Whether it warns: the charge is low, and not yet gone."""
        return 0 < self.battery <= self.parameters.battery.low

    @property
    def session(self) -> TerminalSession:
        """The session as of now."""
        self.look()
        return self._session

    @property
    def remaining(self) -> float:
        """Seconds of its own clock until the token expires; 0 without a session."""
        current = self._current
        return (
            max(0.0, current.expires - self._own_time())
            if current is not None and self._session is TerminalSession.OPEN
            else 0
        )

    @property
    def condition(self) -> TerminalCondition:
        """What keeps its cards out of reach, as of now."""
        self.look()
        return self._condition()

    @property
    def code(self) -> str | None:
        """The holder code it remembers: presented in this session, to the card that is still there."""
        self.look()
        return self._code

    @property
    def occasion(self) -> int:
        """Counts the sessions, and the cards in the slot of the code: a code is presented on one occasion."""
        return self._occasion

    # -- what the hand and the world do to it -----------------------------------------------------------------------

    def set_link(self, link: RadioLink, *, weak: WeakLink | None = None, losses: int = 0) -> None:
        """Change the link. ``weak`` replaces the model's bad link; ``losses`` are the next exchanges to be lost."""
        with self._changing():
            self._link = link
            self._weak = weak or self.parameters.weak
            self._losses = losses

    def charge(self, percent: float) -> None:
        """Set the battery to a level. Raises ValueError outside 0 to 100."""
        if not 0 <= percent <= 100:
            raise ValueError(f"a battery holds 0 to 100 %, not {percent:g}")
        with self._changing():
            self._charge, self._used = percent, 0
            self._charged_at = self._platform.clock.monotonic()

    def remember_code(self, code: str, occasion: int) -> None:
        """Keep the holder code verified on an occasion, until the session, the power or the card is gone."""
        with self._state:
            if occasion == self._occasion and self._condition() is TerminalCondition.READY:
                self._code = code

    def forget_code(self) -> None:
        """Lose the holder code (FF21 in the field)."""
        self._code = None

    def after_exchanges(self, number: int, action: Callable[[], None]) -> None:
        """Let something happen when ``number`` more exchanges have gone through, between two commands of a call."""
        with self._state:
            self._planned.append((number, action))

    def look(self) -> None:
        """Take note of what time did: the battery may have run out, the token expired, the pairing gone."""
        with self._changing():
            pass

    def detach(self) -> None:
        """Leave the slots as those of a device on a wire."""
        for stop in self._stop_listening:
            stop()
        for slot in self._slots.values():
            slot.interference = None
            slot.reach(True)

    def holds_card(self, role: str) -> bool:
        """Whether a card is in a slot, reachable or not. Raises KeyError."""
        return self._slots[role].card is not None

    # -- sessions ---------------------------------------------------------------------------------------------------

    def open_session(self) -> str:
        """Authenticate anew with the platform: the token of the session that begins. Raises TokenRefusedError."""
        with self._changing():
            self._connected()
            token = self._platform.issue(self.id)
            self.open(token)
            return token

    def renew_session(self, token: str) -> str:
        """Trade the token of the session for the next one. Raises TokenRefusedError.

        A terminal that cannot be reached now asks the platform for nothing: the token stays good for another try.
        """
        with self._changing():
            self._connected()
            fresh = self._platform.renew(token, self.id)
            self.renew(fresh)
            return fresh

    def open(self, token: str) -> None:
        """Begin a session with a token. Raises TokenRefusedError."""
        with self._changing():
            self._connected()
            self._take(self._read(token), SessionEvent.OPEN)

    def renew(self, token: str) -> None:
        """Go on with a newer token of the same session. Raises TokenRefusedError (TOO_LATE once it has lapsed).

        An exchange under way is not disturbed: it began under a token that was good then.
        """
        with self._changing():
            self._connected()
            follows = TRANSITIONS[self._session, SessionEvent.RENEW]
            if isinstance(follows, Refusal):
                raise TokenRefusedError(follows)
            claims = self._read(token)
            if self._current is not None and claims.session != self._current.session:
                raise TokenRefusedError(Refusal.OTHER_SESSION)
            self._take(claims, SessionEvent.RENEW)

    def close(self) -> None:
        """End the session."""
        with self._changing():
            self._happen(SessionEvent.CLOSE)

    def authorise(self, token: str) -> None:
        """Check that a token is the one its session now runs on. Raises TokenRefusedError."""
        with self._state:
            self.look()
            claims = self._read(token)
            if self._session is not TerminalSession.OPEN or self._current is None:
                raise TokenRefusedError(
                    Refusal.TOO_LATE if self._session is TerminalSession.LAPSED else Refusal.NO_SESSION
                )
            if claims.token_id != self._current.token_id:
                raise TokenRefusedError(Refusal.REPLAYED if claims.token_id in self._spent else Refusal.OTHER_SESSION)

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Serve one call at a time. Raises BusyError."""
        if not self._service.acquire(blocking=False):
            raise BusyError
        try:
            yield
        finally:
            self._service.release()

    # -- the radio --------------------------------------------------------------------------------------------------

    def cross(self, speak: Callable[[], bytes]) -> bytes:
        """One exchange over the link. Raises LineError if it is lost, or if the terminal is gone.

        What is lost on a weak link is the command or the answer, each as often: a card may have done what nobody
        heard of.
        """
        with self._state:
            self._due()
            self.look()
            if self._condition() is not TerminalCondition.READY:
                self.disturbed = True
                raise LineError(PcscCode.READER_UNAVAILABLE)
            self._used += 1
            lost, answer_only, late = self._fate()
            self.disturbed |= lost
        if late:
            self._platform.clock.wait(late)
        if lost and not answer_only:
            raise LineError(PcscCode.NOT_TRANSACTED)
        answer = speak()
        if lost:
            raise LineError(PcscCode.NOT_TRANSACTED)
        return answer

    def _fate(self) -> tuple[bool, bool, float]:
        """Whether the next exchange is lost, whether only its answer is, and by how long it is late."""
        if self._link is not RadioLink.WEAK:
            return False, False, 0.0
        if self._losses:
            self._losses -= 1
            return True, False, 0.0
        lost = self._chance.random() < self._weak.lost
        answer_only = self._chance.random() < 0.5
        late = self._chance.random() < self._weak.late
        return lost, answer_only, self._weak.delay if late else 0.0

    def _due(self) -> None:
        due = [action for left, action in self._planned if left <= 0]
        self._planned = [(left - 1, action) for left, action in self._planned if left > 0]
        for action in due:
            action()

    # -- inside -----------------------------------------------------------------------------------------------------

    def _own_time(self) -> float:
        return self._platform.clock.now().timestamp() + self.skew

    def _condition(self) -> TerminalCondition:
        if self.pairing is not Pairing.PAIRED:
            return TerminalCondition.UNPAIRED
        if self.battery <= 0:
            return TerminalCondition.OFF
        if self._link is RadioLink.LOST:
            return TerminalCondition.OUT_OF_RANGE
        return TerminalCondition.READY if self._session is TerminalSession.OPEN else TerminalCondition.NO_SESSION

    def _connected(self) -> None:
        if (reason := self.pairing.refusal) is not None:
            raise TokenRefusedError(reason)
        if not self._condition().connected:
            raise TokenRefusedError(Refusal.OFFLINE)

    def _read(self, token: str) -> AccessClaims:
        return self._platform.read(token, self.id, skew=self.skew)

    def _take(self, claims: AccessClaims, event: SessionEvent) -> None:
        if claims.token_id in self._spent:
            raise TokenRefusedError(Refusal.REPLAYED)
        self._spent.add(claims.token_id)
        if event is SessionEvent.OPEN:
            self._occasion += 1
            self._code = None
        self._current = claims
        self._happen(event)

    def _happen(self, event: SessionEvent) -> None:
        follows = TRANSITIONS[self._session, event]
        if isinstance(follows, Refusal):
            raise TokenRefusedError(follows)
        self._session = follows

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Around whatever changes the terminal. The slots follow at its end alone: nobody sees what lies between."""
        try:
            with self._state:
                self._depth += 1
                self._note()
                try:
                    yield
                finally:
                    self._note()
                    self._depth -= 1
        finally:
            # The lock is free again: who hears of a slot that is back may power its card at once, through the radio.
            if not self._depth:
                self._settle()

    def _note(self) -> None:
        if self._session is TerminalSession.OPEN and self.remaining <= 0:
            self._happen(SessionEvent.EXPIRE)
        if self._condition() in (TerminalCondition.UNPAIRED, TerminalCondition.OFF):
            self._happen(SessionEvent.CLOSE)
        if self._session is not TerminalSession.OPEN:
            self._code = None

    def _settle(self) -> None:
        """Let the slots follow: one thread at a time, and whatever another has news of meanwhile after it.

        Else the slower of two would leave them as the terminal was. Nobody waits: who hears of a slot may come back.
        """
        self._unsettled = True
        while self._unsettled and self._settling.acquire(blocking=False):
            try:
                self._unsettled = False
                reachable = self._condition() is TerminalCondition.READY
                for slot in self._slots.values():
                    slot.reach(reachable)
            finally:
                self._settling.release()

    def _card_moved(self, role: str, event: SlotEvent) -> None:
        if role == CODE_ROLE and event.kind in (SlotEventKind.REMOVED, SlotEventKind.REPLACED):
            with self._state:
                self._occasion += 1
                self._code = None


class Radio:
    """What stands between a card and the workstation: the terminal's link."""

    def __init__(self, terminal: Terminal, slot: Slot) -> None:
        self._terminal = terminal
        self._slot = slot

    def exchange(self, card: Card, command: bytes) -> bytes:
        """The card's answer, if it comes through. Raises LineError."""
        return self._terminal.cross(lambda: self._reached(card).transmit(command))

    def power_on(self, card: Card) -> bytes:
        """The card's ATR, if it comes through. Raises LineError."""
        return self._terminal.cross(lambda: self._reached(card).power_on())

    def _reached(self, card: Card) -> Card:
        """Return the card, unless it was taken out while its command was on the way. Raises LineError."""
        if self._slot.card is not card:
            raise LineError(PcscCode.REMOVED_CARD)
        return card
