"""The PC/SC target: any reader the system's (or a private) PC/SC service lists, virtual or real.

pyscard is an extra, so it is imported when the target is made, not when this module is.
"""

from __future__ import annotations

import time
from typing import Any

from bifente.conformance.targets.base import PcscCode, ScardError
from bifente.conformance.targets.facets import Facets
from bifente.simulator.readers import Share, State

_T0_OR_T1 = 3
_LEAVE, _RESET, _UNPOWER = 0, 1, 2
_STATE_UNAWARE, _STATE_UNAVAILABLE, _STATE_EMPTY, _STATE_PRESENT = 0, 0x08, 0x10, 0x20


class PcscMissingError(Exception):
    """pyscard is not installed; the message says how to install it."""


def _scard() -> Any:
    try:
        from smartcard import scard
    except ImportError as error:
        raise PcscMissingError(
            "the PC/SC target needs pyscard: pip install 'bifente[pcsc]' "
            f"(with libpcsclite-dev, gcc and swig installed) [{error}]"
        ) from None
    return scard


class PcscTarget:
    """Readers of a PC/SC service, by their PC/SC names.

    Raises PcscMissingError without pyscard, ScardError
    when no service answers.
    """

    def __init__(self) -> None:
        self._scard = _scard()
        self._context = self._established()
        self._past: list[Any] = []

    @property
    def facets(self) -> Facets:
        """Nothing: the readers and the service are somebody else's."""
        return Facets()

    def renew(self) -> None:
        """Establish a context anew: the service that gave the last one is gone. Raise ScardError.

        The last one is kept: dialogues opened through it are dead, and must be told so rather than be unknown.
        """
        self._past.append(self._context)
        self._context = self._established()

    def _established(self) -> Any:
        code, context = self._scard.SCardEstablishContext(self._scard.SCARD_SCOPE_USER)
        check(code)
        return context

    def readers(self) -> tuple[str, ...]:
        """The names PC/SC gives, in its order; none is an empty tuple."""
        code, names = self._scard.SCardListReaders(self._context, [])
        if code & 0xFFFFFFFF == PcscCode.NO_READERS_AVAILABLE:
            return ()
        check(code)
        return tuple(names)

    def seen(self) -> tuple[tuple[str, bytes | None], ...]:
        """Return each reader with the ATR of its card: None for an empty slot, nothing for a mute card."""
        names = self.readers()
        if not names:
            return ()
        code, states = self._scard.SCardGetStatusChange(self._context, 0, [(name, _STATE_UNAWARE) for name in names])
        check(code)
        return tuple((str(name), bytes(atr) if state & _STATE_PRESENT else None) for name, state, atr in states)

    def connect(self, reader: str) -> PcscConnection:
        """Open a shared dialogue with the card of ``reader``."""
        return self.open(reader, Share.SHARED)

    def open(self, reader: str, share: Share) -> PcscConnection:
        """Open a dialogue in a share mode; a direct one asks for no protocol."""
        protocols = 0 if share is Share.DIRECT else _T0_OR_T1
        code, handle, protocol = self._scard.SCardConnect(self._context, reader, int(share), protocols)
        check(code, reader)
        return PcscConnection(self._scard, handle, protocol, share)

    def look(self, reader: str) -> int:
        """Its state and event counter."""
        code, states = self._scard.SCardGetStatusChange(self._context, 0, [(reader, _STATE_UNAWARE)])
        check(code, reader)
        return int(states[0][1]) & ~int(State.CHANGED)

    def wait(self, reader: str, *, present: bool, timeout: float) -> bool:
        """Wait on SCardGetStatusChange: pcscd's poll may take 400 ms to see a movement."""
        # A slot out of reach has no card for anybody.
        wanted = _STATE_PRESENT if present else _STATE_EMPTY | _STATE_UNAVAILABLE
        deadline = time.monotonic() + timeout
        state, patience = _STATE_UNAWARE, 0.0
        while True:
            code, states = self._scard.SCardGetStatusChange(self._context, int(patience * 1000), [(reader, state)])
            if code & 0xFFFFFFFF != PcscCode.TIMEOUT:
                check(code, reader)
                state = states[0][1]
                if state & wanted:
                    return True
            patience = deadline - time.monotonic()
            if patience <= 0:
                return False

    def close(self) -> None:
        """Give the contexts back."""
        for context in (*self._past, self._context):
            self._scard.SCardReleaseContext(context)


class PcscConnection:
    """A PC/SC dialogue."""

    def __init__(self, scard: Any, handle: Any, protocol: int, share: Share = Share.SHARED) -> None:
        self._scard, self._handle, self._protocol, self._share = scard, handle, protocol, share

    @property
    def atr(self) -> bytes:
        """The ATR as PC/SC reports it."""
        code, _reader, _state, _protocol, atr = self._scard.SCardStatus(self._handle)
        check(code)
        return bytes(atr)

    def transmit(self, command: bytes) -> bytes:
        """One command through SCardTransmit."""
        pci = self._scard.SCARD_PCI_T0 if self._protocol == 1 else self._scard.SCARD_PCI_T1
        code, response = self._scard.SCardTransmit(self._handle, pci, list(command))
        check(code)
        return bytes(response)

    def control(self, code: int, data: bytes) -> bytes:
        """SCardControl: the reader's own answer."""
        result, response = self._scard.SCardControl(self._handle, code, list(data))
        check(result)
        return bytes(response)

    def reset(self, *, cold: bool) -> bytes:
        """SCardReconnect with reset or unpower."""
        how = _UNPOWER if cold else _RESET
        code, protocol = self._scard.SCardReconnect(self._handle, int(self._share), _T0_OR_T1, how)
        check(code)
        self._protocol = protocol
        return self.atr

    def begin(self) -> None:
        """SCardBeginTransaction: waits for other holders."""
        check(self._scard.SCardBeginTransaction(self._handle))

    def end(self) -> None:
        """SCardEndTransaction, card left as it is."""
        check(self._scard.SCardEndTransaction(self._handle, _LEAVE))

    def disconnect(self) -> None:
        """SCardDisconnect, card left as it is."""
        self._scard.SCardDisconnect(self._handle, _LEAVE)


def check(code: int, detail: str = "") -> None:
    """Raise ScardError unless ``code`` is success."""
    if code:
        raise ScardError(code & 0xFFFFFFFF, detail)
