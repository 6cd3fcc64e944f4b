"""The Vitale 1 on its contacts: two commands of class BC, everything else refused (sources#vitale-card)."""

from __future__ import annotations

from bifente.simulator.cards.vitale1 import memory
from bifente.simulator.iso7816.status import StatusError, StatusWord

_CLASS, _END_ADDRESS, _READ = 0xBC, 0xC0, 0xB0
_END_ADDRESS_SIZE = 8
_HEADER = 5


class MemoryCard:
    """A Vitale 1 (the ``Card`` protocol). It has no state but its power; nothing can be written."""

    def __init__(self, image: memory.MemoryImage) -> None:
        self.image = image
        self.powered = False

    @property
    def atr(self) -> bytes:
        """Answer To Reset."""
        return self.image.atr

    def power_on(self) -> bytes:
        """Apply power and give the ATR."""
        self.powered = True
        return self.image.atr

    def power_off(self) -> None:
        """Cut the power."""
        self.powered = False

    def reset(self) -> bytes:
        """Warm reset. Gives the ATR."""
        return self.power_on()

    def transmit(self, command: bytes) -> bytes:
        """Answer one command, whatever its bytes. Never raises."""
        self.powered = True
        try:
            return self._execute(command) + StatusWord.SUCCESS.to_bytes(2, "big")
        except StatusError as refusal:
            return refusal.sw.to_bytes(2, "big")

    def _execute(self, command: bytes) -> bytes:
        if len(command) < 4:
            raise StatusError(StatusWord.WRONG_LENGTH)
        if command[0] != _CLASS:
            raise StatusError(StatusWord.UNKNOWN_CLASS)
        if command[1] not in (_END_ADDRESS, _READ):
            raise StatusError(StatusWord.UNKNOWN_INSTRUCTION)
        if len(command) != _HEADER:
            raise StatusError(StatusWord.WRONG_LENGTH)
        address, count = command[2] << 8 | command[3], command[4]
        if command[1] == _END_ADDRESS:
            if address:
                raise StatusError(StatusWord.WRONG_OFFSET)
            if count != _END_ADDRESS_SIZE:
                raise StatusError(StatusWord.WRONG_LENGTH)
            # Eight bytes are known to come back, not where the address is in them: first, then zeros (modelled).
            return memory.END.to_bytes(2, "big").ljust(_END_ADDRESS_SIZE, b"\0")
        return self._read(address, count)

    def _read(self, address: int, count: int) -> bytes:
        try:
            start = memory.index(address)
        except ValueError:
            raise StatusError(StatusWord.WRONG_OFFSET) from None
        if address < memory.FREE:
            raise StatusError(StatusWord.SECURITY_NOT_SATISFIED)
        if not count or count % memory.WORD_SIZE:
            raise StatusError(StatusWord.WRONG_LENGTH)
        words = self.image.words[start : start + count // memory.WORD_SIZE]
        if len(words) * memory.WORD_SIZE < count:
            raise StatusError(StatusWord.WRONG_OFFSET)
        return b"".join(word.to_bytes(memory.WORD_SIZE, "big") for word in words)
