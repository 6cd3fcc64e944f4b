"""What a reader says of itself (SCardGetAttrib), with the tags and the encoding of PC/SC part 3."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bifente.simulator.readers.pcsc_slot import PcscSlot

VENDOR_NAME = 0x00010100
VENDOR_IFD_SERIAL = 0x00010103
VENDOR_IFD_VERSION = 0x00010102
CHANNEL_ID = 0x00020110
MAXIMUM_INPUT = 0x0007A007
ICC_PRESENCE = 0x00090300
ICC_INTERFACE_STATUS = 0x00090301
ATR_STRING = 0x00090303
ICC_TYPE = 0x00090304
CURRENT_PROTOCOL = 0x00080201
FRIENDLY_NAME = 0x7FFF0003
SYSTEM_NAME = 0x7FFF0004

_USB = 0x00200000
_ISO_7816_ASYNCHRONOUS = 1
_PRESENT_UNPOWERED, _PRESENT = 1, 2


def _number(value: int, size: int = 4) -> bytes:
    return value.to_bytes(size, "little")


def _presence(slot: PcscSlot) -> bytes:
    if slot.slot.answering is None:
        return _number(0, 1)
    return _number(_PRESENT if slot.powered else _PRESENT_UNPOWERED, 1)


def _text(text: str | None) -> bytes | None:
    return None if text is None else text.encode() + b"\0"


def _name(slot: PcscSlot) -> bytes | None:
    return _text(slot.name)


def _version(slot: PcscSlot) -> bytes | None:
    """MMmmbbbb: major, minor, build; the build is never known."""
    if slot.identity.firmware is None:
        return None
    major, minor = (int(part) for part in slot.identity.firmware.split("."))
    return _number(major << 24 | minor << 16)


_KNOWN: Mapping[int, Callable[[PcscSlot], bytes | None]] = {
    ATR_STRING: lambda slot: slot.atr if slot.powered and slot.atr else None,
    CHANNEL_ID: lambda slot: _number(_USB) if slot.identity.on_usb else None,
    CURRENT_PROTOCOL: lambda slot: _number(int(slot.protocol)),
    FRIENDLY_NAME: _name,
    SYSTEM_NAME: _name,
    ICC_INTERFACE_STATUS: lambda slot: _number(int(slot.powered), 1),
    ICC_PRESENCE: _presence,
    ICC_TYPE: lambda slot: _number(_ISO_7816_ASYNCHRONOUS, 1),
    MAXIMUM_INPUT: lambda slot: _number(65544),
    VENDOR_IFD_SERIAL: lambda slot: _text(slot.identity.serial),
    VENDOR_IFD_VERSION: _version,
    VENDOR_NAME: lambda slot: _text(slot.identity.vendor),
}


def attribute(slot: PcscSlot, tag: int) -> bytes | None:
    """The value of an attribute; None if the reader does not have it, or not just now."""
    known = _KNOWN.get(tag)
    return None if known is None else known(slot)
