"""GET DATA on security data objects: counters and rules of PIN, PUK and keys (IAS ECC SDO; CARD-CPS3-16, -64).

A client asks ``4D { 70 { BF <80|class> <reference> { <header> 80 } } }``: header A0 is the object's control parameters
(DOCP); 7F41, 7F48 and 7F49 are its data. Those of a code and of a private key never leave the card; those of a public
key are modulus and exponent, more bytes than a short command can be answered with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bifente.simulator.iso7816 import tlv
from bifente.simulator.iso7816.access import KeyOperation, SecretOperation
from bifente.simulator.iso7816.apdu import Command, Response
from bifente.simulator.iso7816.channel import Channel
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.image import CardKey
from bifente.simulator.iso7816.status import StatusError, StatusWord

_EXTENDED_HEADER_LIST, _WRAPPER = 0x4D, 0x70
_CURRENT_DF = 0x3FFF
_PARAMETERS = b"\xa0\x80"


def get_data(card: SmartCard, channel: Channel, command: Command) -> Response:
    """Serve ``00 CB 3F FF``. 6A88 for an object the card does not have, 6A80 for data it does not give."""
    if command.p1 << 8 | command.p2 != _CURRENT_DF:
        raise StatusError(StatusWord.WRONG_PARAMETERS)
    tag, header = _request(command.data)
    family, reference = (tag >> 8 & 0x7F, tag & 0xFF) if tag >> 16 == 0xBF else (0, 0)
    if family not in _OBJECTS:
        raise StatusError(StatusWord.REFERENCE_NOT_FOUND)
    kind = _OBJECTS[family]
    parameters = kind.parameters(card, channel, reference)
    if header == kind.data_tag.to_bytes(2, "big") + b"\x80":
        if kind.data is None:
            # 6A88 here would make OpenSC give up the whole card: it must hear that the object is there, unreadable.
            raise StatusError(StatusWord.WRONG_DATA)
        given = tlv.encode(kind.data_tag, kind.data(card, channel, reference))
    elif header == _PARAMETERS:
        given = tlv.encode(0xA0, parameters)
    else:
        raise StatusError(StatusWord.REFERENCE_NOT_FOUND)
    return Response(tlv.encode(_WRAPPER, tlv.encode(tag, given)))


def _request(data: bytes) -> tuple[int, bytes]:
    """(tag of the object, header list asked for)."""
    try:
        for expected in (_EXTENDED_HEADER_LIST, _WRAPPER):
            (outer,) = tlv.parse_flat(data)
            if outer.tag != expected:
                raise StatusError(StatusWord.WRONG_DATA)
            data = outer.value
        (item,) = tlv.parse_flat(data)
    except ValueError:
        raise StatusError(StatusWord.WRONG_DATA) from None
    return item.tag, item.value


def _secret(card: SmartCard, _channel: Channel, reference: int) -> bytes:
    """9A tries in all, 9B tries left, 9D uses left, then the access rule: no other byte may equal these tags, since a
    real client scans for them without reading the structure."""
    secret = card.secrets.find(reference)
    card.require_secret(SecretOperation.GET, secret)
    state = card.secrets.state(secret)
    uses = b"" if state.uses_left is None else tlv.encode(0x9D, state.uses_left.to_bytes(2, "big"))
    return b"".join(
        (
            tlv.encode(0x9A, bytes((secret.max_tries,))),
            tlv.encode(0x9B, bytes((state.tries_left,))),
            uses,
            tlv.encode(0xA1, tlv.encode(0x8C, secret.acl)),
        )
    )


def _key(card: SmartCard, channel: Channel, reference: int) -> bytes:
    """Access rule, 80 modulus size in bytes, 9E non-repudiation or not."""
    key = _key_here(card, channel, reference)
    card.require_key(KeyOperation.GET, key)
    return b"".join(
        (
            tlv.encode(0xA1, tlv.encode(0x8C, key.acl)),
            tlv.encode(0x80, card.rsa(key).size.to_bytes(2, "big")),
            tlv.encode(0x9E, bytes((key.non_repudiation,))),
        )
    )


def _key_here(card: SmartCard, channel: Channel, reference: int) -> CardKey:
    key = card.key_by_sdo(reference)
    if key is None:
        raise StatusError(StatusWord.REFERENCE_NOT_FOUND)
    card.require_here(channel, key)
    return key


def _public_key(card: SmartCard, channel: Channel, reference: int) -> CardKey:
    key = _key_here(card, channel, reference)
    card.require_public(KeyOperation.GET, key)
    return key


def _public_parameters(card: SmartCard, channel: Channel, reference: int) -> bytes:
    """Access rule, 80 modulus size in bytes."""
    key = _public_key(card, channel, reference)
    rule = card.image.rule(key.public) if key.public else b""
    return tlv.encode(0xA1, tlv.encode(0x8C, rule)) + tlv.encode(0x80, card.rsa(key).size.to_bytes(2, "big"))


def _public_data(card: SmartCard, channel: Channel, reference: int) -> bytes:
    """81 modulus, 82 exponent."""
    key = card.rsa(_public_key(card, channel, reference))
    return tlv.encode(0x81, key.modulus) + tlv.encode(0x82, key.exponent)


_Teller = Callable[[SmartCard, Channel, int], bytes]


@dataclass(frozen=True, slots=True)
class _Object:
    """A class of objects: who tells its parameters, the tag of its data, who tells these if they leave the card."""

    parameters: _Teller
    data_tag: int
    data: _Teller | None = None


_OBJECTS: Mapping[int, _Object] = {
    0x01: _Object(_secret, 0x7F41),
    0x10: _Object(_key, 0x7F48),
    0x20: _Object(_public_parameters, 0x7F49, _public_data),
}
