"""The USB protocol of readers (CCID): commands and answers out of its messages, in a log of libccid or in a capture."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from bifente.conformance.traces.sources.capture import Packet

_HEADER = 10
_POWER_ON, _EXCHANGE, _SECURE, _ANSWER = 0x62, 0x6F, 0x69, 0x80
_PIN_HEADER = 15
"""Bytes of a verification by the reader's keys in front of its APDU, whose code the reader puts in by itself."""
_MOST = 65_548 + _HEADER
_MOST_DEVICES = 64


@dataclass(slots=True)
class CcidDialogue:
    """One reader: what was asked last, and blocks of T=1 that make one APDU."""

    asked: int = 0
    blocks: dict[bool, bytes] = field(default_factory=dict)

    def message(self, raw: bytes, *, sent: bool) -> tuple[str, bytes] | None:
        """Return ``command``, ``response`` or ``atr`` with its bytes; None for a message that carries none."""
        if len(raw) < _HEADER:
            return None
        size = int.from_bytes(raw[1:5], "little")
        data = raw[_HEADER : _HEADER + size]
        if len(data) < size:
            return None
        if sent:
            self.asked = raw[0]
            if raw[0] == _SECURE and data[:1] == b"\0" and size > _PIN_HEADER:
                return "command", data[_PIN_HEADER:]
            return self._apdu("command", data, sent=True) if raw[0] == _EXCHANGE and data else None
        if raw[0] != _ANSWER or not data:
            return None
        if self.asked == _POWER_ON:
            return "atr", data
        return self._apdu("response", data, sent=False) if self.asked in (_EXCHANGE, _SECURE) else None

    def _apdu(self, kind: str, data: bytes, *, sent: bool) -> tuple[str, bytes] | None:
        block = _block(data)
        if block is None:
            return kind, data
        control, content = block
        if control & 0x80:
            return None  # a block that carries no data: acknowledgement, waiting time
        self.blocks[sent] = self.blocks.get(sent, b"")[:_MOST] + content
        return None if control & 0x20 else (kind, self.blocks.pop(sent))


def _block(data: bytes) -> tuple[int, bytes] | None:
    """The control byte and the content of a block of T=1; None for what is none: an APDU, or T=0."""
    if len(data) < 4 or data[0] not in (0x00, 0x12, 0x21) or len(data) != data[2] + 4:
        return None
    checked = 0
    for byte in data:
        checked ^= byte
    return None if checked else (data[1], data[3:-1])


_LINUX, _LINUX_MAPPED, _USBPCAP = 189, 220, 249
USB_LINKS = frozenset({_LINUX, _LINUX_MAPPED, _USBPCAP})
_BULK = 3


@dataclass(frozen=True, slots=True)
class UsbPiece:
    """Bytes that went through one endpoint of a device."""

    device: tuple[int, int]
    sent: bool
    data: bytes


def usb_piece(packet: Packet) -> UsbPiece | None:
    """Return what a packet of a USB capture carries to or from a reader; None for any other."""
    data = packet.data
    if packet.link == _USBPCAP:
        if len(data) < 27:
            return None
        size, bus, device, endpoint, transfer = struct.unpack_from("<H15xHHBB", data)
        body = data[size:]
    else:
        if len(data) < 48:
            return None
        transfer, endpoint, device, bus = struct.unpack_from("<9xBBBH", data)
        body = data[64 if packet.link == _LINUX_MAPPED else 48 :]
    if transfer != _BULK or not body:
        return None
    return UsbPiece((bus, device), not endpoint & 0x80, body)


class UsbReaders:
    """The readers of a capture: pieces put together into messages, each reader's dialogue kept."""

    def __init__(self) -> None:
        self._dialogues: dict[tuple[int, int], CcidDialogue] = {}
        self._begun: dict[tuple[tuple[int, int], bool], bytes] = {}

    def take(self, piece: UsbPiece) -> Iterator[tuple[str, str, bytes]]:
        """Yield the reader's place, the kind and the bytes of what a piece completes."""
        if piece.device not in self._dialogues and len(self._dialogues) >= _MOST_DEVICES:
            return
        key = piece.device, piece.sent
        raw = self._begun.pop(key, b"") + piece.data
        long = len(raw) >= _HEADER and raw[0] in (_EXCHANGE, _SECURE, _ANSWER)
        if long and len(raw) < _HEADER + int.from_bytes(raw[1:5], "little") <= _MOST:
            self._begun[key] = raw
            return
        dialogue = self._dialogues.setdefault(piece.device, CcidDialogue())
        if (told := dialogue.message(raw, sent=piece.sent)) is not None:
            yield f"USB {piece.device[0]}.{piece.device[1]}", *told
