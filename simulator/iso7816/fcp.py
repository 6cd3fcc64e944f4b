"""File control parameters: what SELECT says of a file (ISO/IEC 7816-4, 7.4; CARD-CPS3-12)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from bifente.simulator.iso7816 import tlv

FCP_TEMPLATE = 0x62
FCI_TEMPLATE = 0x6F
TRANSPARENT_EF = 0x01
DF = 0x38
OPERATIONAL = 0x05

_SIZE, _DESCRIPTOR, _IDENTIFIER, _NAME, _SHORT_IDENTIFIER, _LIFE_CYCLE = 0x80, 0x82, 0x83, 0x84, 0x88, 0x8A
_ACCESS, _CONTACT, _CONTACTLESS = 0xA1, 0x8C, 0x9C
# An EF and a DF do not list their objects in the same order on the cards known to us.
_EF_ORDER = (_SIZE, _DESCRIPTOR, _IDENTIFIER, _NAME, _SHORT_IDENTIFIER, _ACCESS, _LIFE_CYCLE)
_DF_ORDER = (_SIZE, _DESCRIPTOR, _IDENTIFIER, _NAME, _SHORT_IDENTIFIER, _LIFE_CYCLE, _ACCESS)


class FcpError(ValueError):
    """The bytes are no file control template, or a value does not fit in one."""


@dataclass(frozen=True, slots=True)
class FileControl:
    """What a file says of itself; None is an object that is not in the template.

    ``size`` is in bytes (0 to 65535). ``short_identifier`` is 1 to 30, or 0 for a file that says it has none. The two
    access rules are in compact format, mode byte first.
    """

    descriptor: int
    fid: int | None = None
    size: int | None = None
    name: bytes | None = None
    short_identifier: int | None = None
    life_cycle: int | None = OPERATIONAL
    acl: bytes | None = None
    contactless_acl: bytes | None = None

    def encode(self, template: int = FCP_TEMPLATE) -> bytes:
        """The template's bytes, tag 62 (FCP) or 6F (FCI). Raises FcpError for a value out of range."""
        return tlv.encode(template, self.body())

    def body(self) -> bytes:
        """The objects alone, without the template around them. Raises FcpError for a value out of range."""
        return _body(self)

    def _short_identifier(self) -> bytes | None:
        if self.short_identifier is None:
            return None
        if not 0 <= self.short_identifier <= 30:
            raise ValueError(self.short_identifier)
        return bytes((self.short_identifier << 3,)) if self.short_identifier else b""

    def _access(self) -> bytes | None:
        if self.acl is None and self.contactless_acl is None:
            return None
        rules = ((_CONTACT, self.acl), (_CONTACTLESS, self.contactless_acl))
        return b"".join(tlv.encode(tag, rule) for tag, rule in rules if rule is not None)

    @classmethod
    def parse(cls, raw: bytes) -> FileControl:
        """Read an FCP (62) or FCI (6F) template; objects it does not know are passed over.

        The size is taken from 80, else from 81. Raises FcpError for anything malformed.
        """
        try:
            objects = tlv.parse(raw)
        except tlv.TlvError as error:
            raise FcpError(str(error)) from error
        if len(objects) != 1 or objects[0].tag not in (FCP_TEMPLATE, FCI_TEMPLATE):
            raise FcpError("one template 62 or 6F is expected")

        def value(tag: int, *sizes: int) -> bytes | None:
            found = objects[0].find(tag)
            if found is None:
                return None
            if len(found.value) not in sizes:
                raise FcpError(f"object {tag:02X} has {len(found.value)} bytes")
            return found.value

        def number(tag: int, *sizes: int) -> int | None:
            raw_value = value(tag, *sizes)
            return None if raw_value is None else int.from_bytes(raw_value, "big")

        descriptor = value(_DESCRIPTOR, 1, 2, 3, 4, 5, 6)
        if descriptor is None:
            raise FcpError("no file descriptor (82)")
        size = number(_SIZE, 1, 2, 3, 4)
        short = number(_SHORT_IDENTIFIER, 0, 1)
        access = [objects[0].find(_ACCESS, tag) for tag in (_CONTACT, _CONTACTLESS)]
        return cls(
            descriptor=descriptor[0],
            fid=number(_IDENTIFIER, 2),
            size=number(0x81, 1, 2, 3, 4) if size is None else size,
            name=value(_NAME, *range(17)),
            short_identifier=None if short is None else short >> 3,
            life_cycle=number(_LIFE_CYCLE, 1),
            acl=access[0].value if access[0] else None,
            contactless_acl=access[1].value if access[1] else None,
        )


@lru_cache(maxsize=1024)  # cards of one family describe the same files, each time one is made
def _body(control: FileControl) -> bytes:
    try:
        objects = {
            _SIZE: None if control.size is None else control.size.to_bytes(2, "big"),
            _DESCRIPTOR: bytes((control.descriptor,)),
            _IDENTIFIER: None if control.fid is None else control.fid.to_bytes(2, "big"),
            _NAME: control.name,
            _SHORT_IDENTIFIER: control._short_identifier(),
            _LIFE_CYCLE: None if control.life_cycle is None else bytes((control.life_cycle,)),
            _ACCESS: control._access(),
        }
    except (OverflowError, ValueError) as error:
        raise FcpError(f"a value does not fit in a file control template: {control}") from error
    order = _DF_ORDER if control.descriptor & 0x38 == DF else _EF_ORDER
    present = ((tag, objects[tag]) for tag in order)
    return b"".join(tlv.encode(tag, value) for tag, value in present if value is not None)
