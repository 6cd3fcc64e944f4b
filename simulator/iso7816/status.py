"""Status words: their names, what they mean to a person, and the exception by which a command refuses.

The meanings are data (``status.yaml``), in English and French.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from bifente.ground.shipped import shipped
from bifente.ground.text import Text


class StatusWord(IntEnum):
    """Status words with a fixed value (ISO/IEC 7816-4, 5.6; 94xx: GSM 11.11, 9.4). Families are functions below."""

    SUCCESS = 0x9000
    END_OF_FILE = 0x6282
    MEMORY_FAILURE = 0x6581
    VERIFICATION_FAILED = 0x6300
    WRONG_LENGTH = 0x6700
    CHANNEL_NOT_SUPPORTED = 0x6881
    CHAINING_NOT_SUPPORTED = 0x6884
    SECURITY_NOT_SATISFIED = 0x6982
    BLOCKED = 0x6983
    CONDITIONS_NOT_SATISFIED = 0x6985
    NO_CURRENT_FILE = 0x6986
    WRONG_DATA = 0x6A80
    FILE_NOT_FOUND = 0x6A82
    NOT_ENOUGH_ROOM = 0x6A84
    WRONG_PARAMETERS = 0x6A86
    REFERENCE_NOT_FOUND = 0x6A88
    WRONG_OFFSET = 0x6B00
    UNKNOWN_INSTRUCTION = 0x6D00
    UNKNOWN_CLASS = 0x6E00
    A0_FILE_NOT_FOUND = 0x9404


class StatusError(Exception):
    """A command is refused: ``sw`` is the status word the card answers with."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw


def more_data(count: int, sw1: int = 0x61) -> int:
    """``61xx`` (or ``9Fxx``): ``count`` bytes (1 or more) are waiting; 256 and above are said by 00 (CARD-CPS3-03)."""
    return sw1 << 8 | (count if count < 0x100 else 0)


def wrong_expected(count: int) -> int:
    """``6Cxx``: the command must be sent again with this expected length, 1 to 256 bytes (PCSC-03)."""
    return 0x6C00 | count & 0xFF


def tries_left(count: int) -> int:
    """``63Cx``: the code was refused and ``count`` tries (0 to 15) are left (PCSC-18)."""
    return 0x63C0 | min(count, 15)


def is_legal(sw: int) -> bool:
    """Whether a card may end an answer with this word: 61xx to 6Fxx or 9xxx (ISO/IEC 7816-3, 10.3.3: 60xx is no SW)."""
    return 0x6100 <= sw <= 0x6FFF or 0x9000 <= sw <= 0x9FFF


@dataclass(frozen=True, slots=True)
class _Family:
    mask: int
    value: int
    text: Text

    def meaning(self, sw: int) -> Text:
        variable = sw & ~self.mask
        values = {"value": variable, "bytes": variable or 0x100}
        return Text(fr=self.text.fr.format(**values), en=self.text.en.format(**values))


@lru_cache(maxsize=1)
def _table() -> tuple[Text, Mapping[int, Text], tuple[_Family, ...]]:
    data = shipped(__package__, "status.yaml")
    words = {int(word, 16): Text(**meaning) for word, meaning in data["words"].items()}
    families = tuple(
        _Family(
            mask=int("".join("0" if digit == "x" else "F" for digit in family["match"]), 16),
            value=int(family["match"].replace("x", "0"), 16),
            text=Text(fr=family["fr"], en=family["en"]),
        )
        for family in data["families"]
    )
    return Text(**data["illegal"]), words, families


def meaning(sw: int) -> Text:
    """What a status word (16 bits) says, in French and English; an illegal word is said to be so."""
    illegal, words, families = _table()
    if not is_legal(sw):
        return illegal
    if sw in words:
        return words[sw]
    return next(family.meaning(sw) for family in families if sw & family.mask == family.value)
