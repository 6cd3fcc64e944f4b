"""What every target offers, and the one error type they share."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Protocol

from reports.text import Text


class Capability(StrEnum):
    """What a step or a scenario may need, and a target, a run or a profile may lack."""

    INSERTION = "insertion"
    INSPECTION = "inspection"
    CLOCK = "clock"
    DESTRUCTIVE = "destructive"
    PERSONALISATION = "personalisation"
    CONTACT = "contact"
    CONTACTLESS = "contactless"
    SECOND_SLOT = "second-slot"
    APDU = "apdu"
    PKCS11 = "pkcs11"

    @property
    def lacking(self) -> Text:
        """Why a scenario is not run where this is lacking, in words."""
        return _LACKING[self]


_LACKING = {
    Capability.INSERTION: Text(
        "une carte réelle ne s'insère ni ne se retire sans opérateur",
        "a real card is neither inserted nor removed without an operator",
    ),
    Capability.INSPECTION: Text(
        "l'état interne d'une carte réelle ne se lit pas", "the inner state of a real card cannot be read"
    ),
    Capability.CLOCK: Text(
        "l'horloge d'un lecteur vu par PC/SC ne s'avance pas", "the clock of a reader behind PC/SC cannot be advanced"
    ),
    Capability.DESTRUCTIVE: Text(
        "le scénario use un essai ou modifie la carte : l'autoriser par --allow-destructive",
        "the scenario uses up a try or changes the card: allow it with --allow-destructive",
    ),
    Capability.PERSONALISATION: Text(
        "le scénario veut une carte personnalisée pour lui : impossible avec une carte réelle",
        "the scenario wants a card personalised for it: impossible with a real card",
    ),
    Capability.CONTACT: Text("le lecteur n'a pas de contacts", "the reader has no contacts"),
    Capability.CONTACTLESS: Text("le lecteur n'est pas sans contact", "the reader is not contactless"),
    Capability.SECOND_SLOT: Text("le lecteur n'a qu'une fente", "the reader has one slot only"),
    Capability.APDU: Text(
        "l'étape parle APDU à la carte : --target embedded ou pcsc",
        "the step speaks APDU to the card: --target embedded or pcsc",
    ),
    Capability.PKCS11: Text(
        "l'étape parle PKCS#11 : --target pkcs11 --module CHEMIN",
        "the step speaks PKCS#11: --target pkcs11 --module PATH",
    ),
}


class PcscCode(IntEnum):
    """PC/SC return codes the bench distinguishes (PCSC-13 to PCSC-15)."""

    INVALID_HANDLE = 0x80100003
    UNKNOWN_READER = 0x80100009
    TIMEOUT = 0x8010000A
    SHARING_VIOLATION = 0x8010000B
    NO_SMARTCARD = 0x8010000C
    PROTO_MISMATCH = 0x8010000F
    COMM_ERROR = 0x80100013
    NOT_TRANSACTED = 0x80100016
    READER_UNAVAILABLE = 0x80100017
    NO_SERVICE = 0x8010001D
    NO_READERS_AVAILABLE = 0x8010002E
    UNRESPONSIVE_CARD = 0x80100066
    UNPOWERED_CARD = 0x80100067
    RESET_CARD = 0x80100068
    REMOVED_CARD = 0x80100069

    @classmethod
    def label(cls, code: int) -> str:
        """The name of a code, or its hexadecimal value if it is none of these."""
        known = cls._value2member_map_.get(code)
        return known._name_ if known is not None else f"{code & 0xFFFFFFFF:08X}"


class TargetError(Exception):
    """A PC/SC failure; ``code`` is the same whether the target is embedded or real."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        super().__init__(f"{PcscCode.label(code)} ({code & 0xFFFFFFFF:08X})" + (f": {detail}" if detail else ""))


class GuardRefusalError(Exception):
    """A command, or a whole scenario, was refused before anything reached a card; the text says why."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


class Connection(Protocol):
    """An open dialogue with the card of one reader."""

    @property
    def atr(self) -> bytes:
        """The ATR the card gave when last powered."""
        ...

    def transmit(self, command: bytes) -> bytes:
        """One command, one response. Raises TargetError."""
        ...

    def reset(self, *, cold: bool) -> bytes:
        """Reset the card, warm or cold, and give the ATR. Raises TargetError."""
        ...

    def begin(self) -> None:
        """Begin exclusive use (SCardBeginTransaction). Raises TargetError."""
        ...

    def end(self) -> None:
        """End exclusive use. Raises TargetError."""
        ...

    def disconnect(self) -> None:
        """Leave the card; never raises."""
        ...


class Target(Protocol):
    """A way to reach cards in readers, bound to PC/SC reader names."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        ...

    def readers(self) -> tuple[str, ...]:
        """The PC/SC names of the readers, one a slot. Raises TargetError."""
        ...

    def connect(self, reader: str) -> Connection:
        """Open a dialogue. Raises TargetError (no card, unknown reader)."""
        ...

    def wait(self, reader: str, *, present: bool, timeout: float) -> bool:
        """Wait at most ``timeout`` seconds until a card is there (or not); False if it did not happen."""
        ...
