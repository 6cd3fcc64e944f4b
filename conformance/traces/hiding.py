"""Masking, by what commands do: codes go by their command, what is read on a card by what it is (`contents`).

A file is read in several commands and a name may begin in one and end in the next: the commands that read one file are
held until it is left, looked at together, and let go in the order in which they came. Little is held at a time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bifente.conformance.traces import digits
from bifente.conformance.traces.contents import harmless, personal
from bifente.conformance.traces.seen import SeenApdu
from bifente.reports.masking import BYTE_MARK, carried_codes
from bifente.reports.secrets import Secrets

_SELECT, _FETCH = 0xA4, 0xC0
_READS = frozenset({0xB0, 0xB1, 0xB2, 0xB3, 0xC0, 0xCA, 0xCB})
_WRITES = frozenset({0xD0, 0xD1, 0xD2, 0xD6, 0xD7, 0xDA, 0xDB, 0xDC, 0xDD, 0xE2})
_KEYS_AT_WORK = frozenset({0x22, 0x2A, 0x82, 0x84, 0x86, 0x87, 0x88})
_DECIPHER = (0x2A, 0x80, 0x86)

_MOST_HELD, _MOST_CONTENT = 512, 1 << 16
"""Exchanges held at most, and bytes of a file looked at together."""

_LONGEST_NAME, _SHORTEST_NAME, _MOST_LEARNT = 64, 4, 256
_SHORTEST_NUMBER, _LONGEST_NUMBER = 5, 20
_FILLING = 0x00


@dataclass(slots=True)
class _Held:
    """An exchange that waits for the end of the file it reads; done once it may leave."""

    seen: SeenApdu
    done: bool = False


@dataclass(slots=True)
class _File:
    """What one dialogue reads of one file: the exchanges, and where each one's data lie in the contents."""

    parts: list[tuple[_Held, int]] = field(default_factory=list)
    content: bytearray = field(default_factory=bytearray)


class Hiding:
    """Masks exchanges as they come; codes and names that it meets are declared to `secrets`, which mask them elsewhere.

    ``learnt`` counts what was declared; past a bound the masking by structure is all there is, and ``full`` says so.
    """

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._queue: deque[_Held] = deque()
        self._files: dict[tuple[str | None, str | None], _File] = {}
        self._names: dict[str, None] = {}
        self._codes: dict[str | bytes, None] = {}
        self._numbers: dict[bytes, None] = {}

    @property
    def names(self) -> tuple[str, ...]:
        """The texts that were masked and are looked for everywhere."""
        return tuple(self._names)

    @property
    def codes(self) -> int:
        """How many codes were met."""
        return len(self._codes)

    @property
    def full(self) -> bool:
        """Whether more was met than is looked for everywhere."""
        return any(len(one) >= _MOST_LEARNT for one in (self._names, self._codes, self._numbers))

    def take(self, seen: SeenApdu) -> Iterator[SeenApdu]:
        """Take an exchange, and yield those that can be told."""
        held = _Held(seen)
        self._queue.append(held)
        command = digits.filled(seen.command, _FILLING)
        key = (seen.slot, seen.client)
        ins = command[1] if len(command) > 1 else -1
        if ins in _READS:
            self._reads(key, held, command)
        else:
            self._leave(key)
            held.seen = self._alone(seen, command, ins)
            held.done = True
            if ins == _SELECT and len(seen.response) > 4:
                held.done = False
                self._files[key] = _File([(held, 0)], bytearray(digits.filled(seen.response[:-4], _FILLING)))
        if len(self._queue) > _MOST_HELD:
            self._leave_all()
        return self._leaving()

    def rest(self) -> Iterator[SeenApdu]:
        """Yield what is still held, at the end."""
        self._leave_all()
        return self._leaving()

    def name(self, text: str | None) -> str | None:
        """Return the name of a reader without the number that some bear in brackets."""
        if text is None or "(" not in text:
            return text
        before, _, rest = text.partition("(")
        inside, closing, after = rest.partition(")")
        return text if harmless(inside) or not closing else f"{before}({'•' * 4}){after}"

    def _leaving(self) -> Iterator[SeenApdu]:
        while self._queue and self._queue[0].done:
            yield self._queue.popleft().seen

    def _reads(self, key: tuple[str | None, str | None], held: _Held, command: bytes) -> None:
        file = self._files.get(key)
        if file is not None and (_begins(command) or len(file.content) > _MOST_CONTENT):
            self._leave(key)
            file = None
        if file is None:
            file = self._files[key] = _File()
        response = held.seen.response
        file.parts.append((held, len(file.content)))
        if len(response) > 4:
            file.content += digits.filled(response[:-4], _FILLING)

    def _leave(self, key: tuple[str | None, str | None]) -> None:
        file = self._files.pop(key, None)
        if file is None:
            return
        content = bytes(file.content)
        spans = personal(content)
        self._learn(content[start:end] for start, end in spans)
        hidden = bytearray(len(content))
        for start, end in spans:
            hidden[start:end] = b"\1" * (end - start)
        ends = [at for _held, at in file.parts[1:]] + [len(content)]
        for (held, at), end in zip(file.parts, ends, strict=True):
            ranks = {rank for rank, one in enumerate(hidden[at:end]) if one}
            held.seen = replace(held.seen, response=digits.masked(held.seen.response, ranks))
            held.done = True

    def _leave_all(self) -> None:
        for key in tuple(self._files):
            self._leave(key)

    def _alone(self, seen: SeenApdu, command: bytes, ins: int) -> SeenApdu:
        """An exchange that stands for itself: one that carries codes, writes, uses a key or is not known."""
        if BYTE_MARK not in seen.command:
            for code in carried_codes(command):
                if len(self._codes) < _MOST_LEARNT and code not in self._codes:
                    self._codes[code] = None
                    self._secrets.declare(code)
        if ins in (_SELECT, *_KEYS_AT_WORK) or (len(seen.response) <= 4 and ins not in _WRITES):
            sent = seen.command
        else:
            start = 5 if len(command) > 5 else len(command)
            sent = self._masked(seen.command, command, start)
        received = seen.response
        if (ins, *command[2:4]) == _DECIPHER:
            received = digits.masked(received, set(range(len(received) // 2 - 2)))
        elif ins not in (_SELECT, *_KEYS_AT_WORK) and len(received) > 4:
            received = self._masked(received, digits.filled(received[:-4], _FILLING), 0)
        return replace(seen, command=sent, response=received)

    def _masked(self, shown: str, data: bytes, start: int) -> str:
        spans = personal(data[start:])
        self._learn(data[start + one : start + two] for one, two in spans)
        return digits.masked(shown, {start + rank for one, two in spans for rank in range(one, two)})

    def _learn(self, values: Iterator[bytes]) -> None:
        """Remember what was masked: a surname or a card's number may stand elsewhere, in another file or a label."""
        for value in values:
            if _SHORTEST_NUMBER <= len(value) <= _LONGEST_NUMBER and not value.isalnum() and len(set(value)) > 2:
                if value not in self._numbers and len(self._numbers) < _MOST_LEARNT:
                    self._numbers[value] = None
                    self._secrets.declare(value)
                continue
            text = value.decode("utf-8", "replace").strip("\0 ")
            if not (_SHORTEST_NAME <= len(text) <= _LONGEST_NAME and text.replace(" ", "").replace("-", "").isalnum()):
                continue
            if text not in self._names and len(self._names) < _MOST_LEARNT and any(char.isalpha() for char in text):
                self._names[text] = None
                self._secrets.declare_names(text)


def _begins(command: bytes) -> bool:
    """Whether a reading command begins a file anew: from its first byte, by its short name, or by a tag."""
    ins = command[1]
    if ins == _FETCH:
        return False
    if ins == 0xB0 and len(command) >= 4:
        return command[2] & 0x80 != 0 or (command[2] == 0 and command[3] == 0)
    return True
