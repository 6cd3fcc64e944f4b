"""What DmpConnect-JS finds at its workstation: readers and cards, INSi behind them. Whoever assembles it gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol


class SlotUse(IntEnum):
    """``i_slotType``."""

    NONE = 1
    VITALE = 2
    CPS = 3
    OTHER = 4
    UNKNOWN = 5

    @property
    def words(self) -> str:
        """Return ``s_slotType``."""
        return {1: "No card", 2: "Vitale card", 3: "CPS card", 4: "Other", 5: "Unknown"}[self.value]


class ReaderAccessMode(IntEnum):
    """``i_accessMode`` of a reader."""

    FULL_PCSC = 1
    GALSS_PCSC = 2
    GALSS_TL = 3
    GALSS_RAC = 4

    @property
    def words(self) -> str:
        """Return ``s_accessMode``."""
        return {1: "Full PC/SC", 2: "GALSS/PCSC", 3: "GALSS/TL", 4: "GALSS/RAC"}[self.value]


class CpxCondition(IntEnum):
    """What monitoring a CPx card pushes."""

    NOT_INITIALISED = 0
    VALID = 1
    NONE = 2
    UNKNOWN = 3
    CHANGED = 4
    BLOCKED = 5
    EXPIRED = 6
    READER_ERROR = 7

    @property
    def words(self) -> str:
        """Return ``s_cardStatus``."""
        return _CPX_WORDS[self.value]


class VitaleCondition(IntEnum):
    """What monitoring a Vitale pushes."""

    NOT_INITIALISED = 0
    READ_ERROR = 1
    NEW = 2
    MISSING = 4

    @property
    def words(self) -> str:
        """Return ``s_cardStatus``."""
        return {0: "NotInitialized", 1: "ReadError", 2: "NewCardFound", 4: "CardMissing"}[self.value]


_CPX_WORDS = (
    "NotInitialized",
    "ValidCardInserted",
    "NoCardInserted",
    "UnknownCardInserted",
    "CardStatusChanged",
    "CardIsBlocked",
    "CardIsExpired",
    "CpxReaderError",
)


@dataclass(frozen=True, slots=True)
class ConnectReader:
    """A reader and what is in it."""

    name: str
    use: SlotUse


class Connector(Protocol):
    """Speaks to a teleservice in the name of whoever holds the card, from the command that made it on."""

    def execute(self, name: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the fields of the answer to a command, named as it is written in ``OF_THE_DMP``."""
        ...


class Workplace(Protocol):
    """The workstation. Every method may raise ConnectError."""

    def readers(self) -> tuple[ConnectReader, ...]:
        """Return the readers."""
        ...

    def cpx_condition(self) -> CpxCondition:
        """Return how the professional's card is, without giving it a code."""
        ...

    def vitale_condition(self) -> tuple[VitaleCondition, str]:
        """Return how the Vitale is, and its serial number."""
        ...

    def cpx_status(self) -> Mapping[str, Any]:
        """Return tries left, last day and number of the professional's card."""
        ...

    def read_cpx(self, code: str, *, certificates: bool) -> Mapping[str, Any]:
        """Return what the card says, given its code."""
        ...

    def read_vitale(self, code: str) -> Mapping[str, Any]:
        """Return who is on the Vitale."""
        ...

    def sign(self, code: str, content: bytes) -> Mapping[str, Any]:
        """Return the card's signature of a content, base64."""
        ...

    def ins_from_vitale(self, code: str, rank: int) -> Mapping[str, Any]:
        """Return what INSi says of somebody on the Vitale."""
        ...

    def ins_from_traits(self, code: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what INSi says of somebody who was typed in."""
        ...

    def dmp_connector(self, code: str, said: Mapping[str, Any]) -> Connector:
        """Return what speaks to the DMP for the holder of the card, whose code it presents."""
        ...
