"""APDUs in captures, pcap or pcapng: GSMTAP packets (osmocom's ``simtrace2``, pySim), USB frames of a reader."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from bifente.conformance.traces.seen import Seen, SeenApdu, SeenAtr, SeenOddity
from bifente.conformance.traces.sources.capture import Packet, is_capture, packets
from bifente.conformance.traces.sources.ccid import USB_LINKS, UsbReaders, usb_piece
from bifente.conformance.traces.sources.source import AnswerPairing, TraceSource
from bifente.ground.text import Text

PORT = 4729
SIM, APDU, ATR = 4, 0, 1
"""The type of GSMTAP that carries cards, and two of its sub-types."""

_ETHERNET, _RAW, _COOKED, _COOKED_2, _LOOPBACK = 1, 101, 113, 276, 0
_HEADERS = {_ETHERNET: 14, _RAW: 0, _COOKED: 16, _COOKED_2: 20, _LOOPBACK: 4, 12: 0}
"""Bytes in front of the IP packet, by kind of link."""
_VLAN = b"\x81\x00"
_UDP = 17

_READS = frozenset({0xB0, 0xB2, 0xC0, 0xCA, 0x84, 0xF2, 0x12, 0x70})
"""Instructions whose fifth byte is what is expected back; that of all others is what is sent (T=0 has one P3)."""
_NO_APDU = Text("un paquet GSMTAP qui n'est pas une APDU", "a GSMTAP packet that is no APDU")


def read(path: Path) -> Iterator[Seen]:
    """Yield what the capture shows."""
    readers, pairing = UsbReaders(), AnswerPairing()
    for packet in packets(path):
        if packet.link in USB_LINKS:
            yield from _usb(packet, readers, pairing)
            continue
        payload = _gsmtap(packet)
        if payload is None:
            continue
        kind, card = payload
        if kind == ATR and 2 <= len(card) <= 33:
            yield SeenAtr(card.hex().upper(), packet.place, packet.at)
        elif kind == APDU:
            cut = split(card)
            if cut is None:
                yield SeenOddity(packet.place, _NO_APDU)
            else:
                yield SeenApdu(cut[0].hex().upper(), cut[1].hex().upper(), packet.place, packet.at)
    yield from pairing.rest()


def _usb(packet: Packet, readers: UsbReaders, pairing: AnswerPairing) -> Iterator[Seen]:
    piece = usb_piece(packet)
    for slot, kind, told in readers.take(piece) if piece is not None else ():
        digits = told.hex().upper()
        if kind == "atr":
            yield SeenAtr(digits, packet.place, packet.at, slot)
        elif kind == "command":
            yield from pairing.command(slot, SeenApdu(digits, "", packet.place, packet.at, slot))
        else:
            yield from pairing.response(slot, digits, packet.place, packet.at)


def split(exchange: bytes) -> tuple[bytes, bytes] | None:
    """Return the command and the response that follow each other in a packet without a mark between; None for none."""
    size = len(exchange) - 2
    if size < 4:
        return None
    if size == 4:
        return exchange[:4], exchange[4:]
    ins, third = exchange[1], exchange[4]
    if ins in _READS:
        return exchange[:5], exchange[5:]
    extended = int.from_bytes(exchange[5:7], "big") if third == 0 and size > 7 else 0
    if extended and size >= 7 + extended:
        return exchange[: 7 + extended], exchange[7 + extended :]
    end = 5 + third
    return (exchange[:end], exchange[end:]) if size >= end else (exchange[:5], exchange[5:])


def _gsmtap(packet: Packet) -> tuple[int, bytes] | None:
    """The sub-type and the payload of a packet of GSMTAP that carries a card; None for any other."""
    datagram = _udp(packet)
    if datagram is None or len(datagram) < 16 or datagram[0] not in (2, 3):
        return None
    header = 4 * datagram[1]
    if datagram[2] != SIM or header < 16 or header > len(datagram):
        return None
    return datagram[12], datagram[header:]


def _udp(packet: Packet) -> bytes | None:
    start = _HEADERS.get(packet.link)
    if start is None:
        return None
    data = packet.data
    if packet.link == _ETHERNET and data[12:14] == _VLAN:
        start += 4
    ip = data[start:]
    if len(ip) < 28:
        return None
    if ip[0] >> 4 == 4 and ip[9] == _UDP:
        datagram = ip[4 * (ip[0] & 15) :]
    elif ip[0] >> 4 == 6 and ip[6] == _UDP:
        datagram = ip[40:]
    else:
        return None
    if len(datagram) < 8:
        return None
    _source, target, size, _sum = struct.unpack_from(">HHHH", datagram)
    return datagram[8:size] if target == PORT and size <= len(datagram) else None


SOURCE = TraceSource(
    "gsmtap",
    Text("capture GSMTAP ou USB (pcap, pcapng)", "GSMTAP or USB capture (pcap, pcapng)"),
    is_capture,
    read,
)
