"""A reader's own PIN pad, spoken to as PC/SC part 10 says: the code goes from the keys to the card, past nobody.

Three controls: the features offered (3400), VERIFY_PIN_DIRECT and MODIFY_PIN_DIRECT with their structures (little
endian). Codes are typed in ASCII, BCD or binary, placed in a block of the command or appended to it. vpcd has no
control channel, so that this exists in process and through our own PC/SC service only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any

from construct import Bytes, ConstError, ConstructError, Int8ul, Int16ul, Int32ul, Struct, Terminated, this

from bifente.ground.text import Text
from bifente.simulator.readers.codes import PcscCode, ScardError

GET_FEATURE_REQUEST = 0x42000000 + 3400
"""CM_IOCTL_GET_FEATURE_REQUEST as pcsc-lite numbers controls."""


class Feature(IntEnum):
    """Features of part 10 that this reader offers."""

    VERIFY_PIN_DIRECT = 0x06
    MODIFY_PIN_DIRECT = 0x07


CONTROLS = {feature: 0x42000000 + 3500 + feature for feature in Feature}
"""The control code of each feature; a client asks for it and must not assume it."""


class PadKey(Enum):
    """What the user does instead of typing a code to its end."""

    CANCEL = "cancel"
    NOTHING = "nothing"


class PadStatus(Enum):
    """Status words that the reader itself gives (PC/SC part 10, 2.5.2 and 2.5.3)."""

    TIMEOUT = b"\x64\x00"
    CANCELLED = b"\x64\x01"
    MISMATCH = b"\x64\x02"
    WRONG_LENGTH = b"\x64\x03"
    BAD_STRUCTURE = b"\x6b\x80"


Typing = str | PadKey
"""Digits and the green key, or one of the others."""

_MAX_APDU = 261
_DEFAULT_SECONDS = 30
"""What a timer of zero stands for: the reader's own."""

_COMMAND = ("size" / Int32ul, "command" / Bytes(this.size), Terminated)
_FORMAT = ("format" / Int8ul, "block" / Int8ul, "length" / Int8ul)
_ENTRY = ("max" / Int8ul, "min" / Int8ul)
VERIFY = Struct(
    "timer" / Int8ul,
    "timer2" / Int8ul,
    *_FORMAT,
    *_ENTRY,
    "validation" / Int8ul,
    "messages" / Int8ul,
    "language" / Int16ul,
    "message" / Int8ul,
    "teo" / Bytes(3),
    *_COMMAND,
)
"""PIN_VERIFY_STRUCTURE."""
MODIFY = Struct(
    "timer" / Int8ul,
    "timer2" / Int8ul,
    *_FORMAT,
    "old_offset" / Int8ul,
    "new_offset" / Int8ul,
    *_ENTRY,
    "confirm" / Int8ul,
    "validation" / Int8ul,
    "messages" / Int8ul,
    "language" / Int16ul,
    "message1" / Int8ul,
    "message2" / Int8ul,
    "message3" / Int8ul,
    "teo" / Bytes(3),
    *_COMMAND,
)
"""PIN_MODIFY_STRUCTURE."""
_FRENCH = 0x0C
_CONFIRM, _OLD_ASKED = 0x01, 0x02


class _EndedError(Exception):
    def __init__(self, outcome: PadStatus) -> None:
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class _Placing:
    """How typed digits become bytes: ``bmFormatString`` and ``bmPINBlockString``."""

    format: int
    block: int
    length: int

    def encode(self, digits: str) -> bytes:
        """The digits as bytes, padded with FF to the block's size if it has one."""
        kind = self.format & 0x03
        if kind == 0b11 or self.length or self.block & 0xF0:
            raise _EndedError(
                PadStatus.BAD_STRUCTURE
            )  # a length field before the code: no card of the field asks for it
        if kind == 0b10:
            body = digits.encode("ascii")
        elif kind == 0b01:
            body = bytes.fromhex(digits + "F" * (len(digits) % 2))
        else:
            body = bytes(int(digit) for digit in digits)
        size = self.block & 0x0F
        if not size:
            return body
        if len(body) > size:
            raise _EndedError(PadStatus.WRONG_LENGTH)
        right = self.format & 0x04
        return body.rjust(size, b"\xff") if right else body.ljust(size, b"\xff")

    @property
    def offset(self) -> int:
        """Where the code stands in the command's data, in bytes. Raises _EndedError for a place between two bytes."""
        position = self.format >> 3 & 0x0F
        if self.format & 0x80:
            return position
        if position % 8:
            raise _EndedError(PadStatus.BAD_STRUCTURE)
        return position // 8


class PinPad:
    """The keys of a reader, and the user in front of them: what will be typed is told beforehand."""

    def __init__(self, display: Sequence[Text] = ()) -> None:
        """``display`` is what the reader shows, by the index of the message; without one it has no display."""
        self._typing: deque[Typing] = deque()
        self._display = tuple(display)
        self._shown: list[str] = []

    @property
    def shown(self) -> tuple[str, ...]:
        """What the display showed to the user, oldest first."""
        return tuple(self._shown)

    def type(self, *typing: Typing) -> None:
        """What the user will do, one item each time the reader asks. Raises ValueError for what is no digit."""
        for item in typing:
            if isinstance(item, str) and not (item.isascii() and item.isdigit() and len(item) <= 16):
                raise ValueError("a PIN pad has ten digits, and takes 1 to 16 of them")
        self._typing.extend(typing)

    def forget(self) -> None:
        """The user walks away: nothing more will be typed."""
        self._typing.clear()
        self._shown.clear()

    def control(
        self, code: int, data: bytes, transmit: Callable[[bytes], bytes], pause: Callable[[float], object]
    ) -> bytes:
        """One SCardControl. ``transmit`` reaches the card, ``pause`` lets time pass while nobody types.

        Raises ScardError (UNSUPPORTED_FEATURE for another control).
        """
        if code == GET_FEATURE_REQUEST:
            return b"".join(bytes((feature, 4)) + number.to_bytes(4, "big") for feature, number in CONTROLS.items())
        try:
            if code == CONTROLS[Feature.VERIFY_PIN_DIRECT]:
                return transmit(self._verification(data, pause))
            if code == CONTROLS[Feature.MODIFY_PIN_DIRECT]:
                return transmit(self._modification(data, pause))
        except _EndedError as ended:
            return ended.outcome.value
        raise ScardError(PcscCode.UNSUPPORTED_FEATURE, f"control {code:08X}")

    def _verification(self, data: bytes, pause: Callable[[float], object]) -> bytes:
        asked = _parse(VERIFY, data)
        placing = _Placing(asked["format"], asked["block"], asked["length"])
        code = placing.encode(self._ask(asked, "message", pause))
        return _placed(asked["command"], [(placing.offset, code)], fixed=bool(asked["block"] & 0x0F))

    def _modification(self, data: bytes, pause: Callable[[float], object]) -> bytes:
        asked = _parse(MODIFY, data)
        placing = _Placing(asked["format"], asked["block"], asked["length"])
        parts: list[tuple[int, bytes]] = []
        messages = iter(("message1", "message2", "message3"))
        if asked["confirm"] & _OLD_ASKED:
            parts.append(
                (placing.offset + asked["old_offset"], placing.encode(self._ask(asked, next(messages), pause)))
            )
        new = self._ask(asked, next(messages), pause)
        if asked["confirm"] & _CONFIRM and self._ask(asked, next(messages), pause) != new:
            raise _EndedError(PadStatus.MISMATCH)
        parts.append((placing.offset + asked["new_offset"], placing.encode(new)))
        return _placed(asked["command"], parts, fixed=bool(asked["block"] & 0x0F))

    def _ask(self, asked: dict[str, Any], message: str, pause: Callable[[float], object]) -> str:
        """The digits of one entry, its message shown before. Raises _EndedError."""
        self._show(asked, asked[message])
        typed = self._typing.popleft() if self._typing else PadKey.NOTHING
        if typed is PadKey.NOTHING:
            pause(asked["timer"] or _DEFAULT_SECONDS)
            raise _EndedError(PadStatus.TIMEOUT)
        if isinstance(typed, PadKey):
            raise _EndedError(PadStatus.CANCELLED)
        if not asked["min"] <= len(typed) <= asked["max"]:
            raise _EndedError(PadStatus.WRONG_LENGTH)
        return typed

    def _show(self, asked: dict[str, Any], index: int) -> None:
        if not self._display or not asked["messages"]:
            return
        if index >= len(self._display):
            raise _EndedError(PadStatus.BAD_STRUCTURE)
        text = self._display[index]
        # A language identifier of USB: the primary language is in its ten low bits.
        self._shown.append(text.fr if asked["language"] & 0x3FF == _FRENCH else text.en)


def _parse(structure: Struct, data: bytes) -> dict[str, Any]:
    try:
        parsed = structure.parse(data)
    except (ConstructError, ConstError):
        raise _EndedError(PadStatus.BAD_STRUCTURE) from None
    if not 4 <= len(parsed["command"]) <= _MAX_APDU or parsed["min"] > parsed["max"]:
        raise _EndedError(PadStatus.BAD_STRUCTURE)
    return dict(parsed)


def _placed(command: bytes, parts: list[tuple[int, bytes]], *, fixed: bool) -> bytes:
    """The command with the codes in it: over the bytes of their blocks, or after one another with Lc to match."""
    header, body = command[:4], bytearray(command[5:])
    if fixed:
        for offset, code in parts:
            if offset + len(code) > len(body):
                raise _EndedError(PadStatus.BAD_STRUCTURE)
            body[offset : offset + len(code)] = code
    else:
        for _offset, code in parts:
            body += code
    return header + bytes((len(body),)) + bytes(body)
