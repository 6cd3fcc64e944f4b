"""What a contactless reader answers by itself: commands of class FF are its own and never reach the card.

GET DATA of PC/SC part 3 tells the identifier of the card in the field (P1 00) and the historical bytes of its ATS
(P1 01). The loading of keys and the memory commands of that part are for cards that have no APDUs: none is simulated.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from bifente.simulator.iso7816.atr import Atr, AtrError
from bifente.simulator.iso7816.card import Card

_OWN_CLASS, _GET_DATA = 0xFF, 0xCA
_IDENTIFIER, _HISTORICAL_BYTES = 0x00, 0x01
_WITH_LE = 5

_OK, _MORE_WANTED_THAN_THERE_IS = b"\x90\x00", b"\x62\x82"
_WRONG_LENGTH, _NOT_SUPPORTED = b"\x67\x00", b"\x6a\x81"
_WRONG_PARAMETERS, _UNKNOWN_INSTRUCTION = b"\x6b\x00", b"\x6d\x00"


@runtime_checkable
class CardInField(Protocol):
    """A card that has an identifier for the antenna, told before any command (ISO/IEC 14443-3)."""

    @property
    def uid(self) -> bytes:
        """The identifier: 4, 7 or 10 bytes."""
        ...


def own_answer(card: Card, command: bytes) -> bytes | None:
    """Return what the reader answers in place of the card; None for a command that is the card's."""
    if command[:1] != bytes([_OWN_CLASS]):
        return None
    if len(command) < _WITH_LE:
        return _WRONG_LENGTH
    _cla, instruction, p1, p2, wanted = command[:_WITH_LE]
    if instruction != _GET_DATA:
        return _UNKNOWN_INSTRUCTION
    if p2:
        return _WRONG_PARAMETERS
    if len(command) > _WITH_LE:
        return _WRONG_LENGTH
    value = _value(card, p1)
    if value is None:
        return _NOT_SUPPORTED
    if 0 < wanted < len(value):
        return bytes([0x6C, len(value)])
    return value + (_MORE_WANTED_THAN_THERE_IS if wanted > len(value) else _OK)


def _value(card: Card, p1: int) -> bytes | None:
    if p1 == _IDENTIFIER:
        return card.uid if isinstance(card, CardInField) else None
    if p1 == _HISTORICAL_BYTES:
        try:
            return Atr.parse(card.atr).historical
        except AtrError:
            return None
    return None
