"""What every target offers; the error type and the dialogue they share are the readers' own."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from bifente.ground.text import Text
from bifente.simulator.readers import Connection, PcscCode, ReaderAccess, ScardError, Share

__all__ = ["Capability", "Connection", "GuardRefusalError", "PcscCode", "ScardError", "Target"]


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
    VIRTUAL = "virtual"
    HOT_PLUG = "hot-plug"
    PIN_PAD = "pin-pad"
    WIRELESS = "wireless"
    LINK = "link"
    SERVICE = "service"

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
    Capability.VIRTUAL: Text(
        "l'étape agit sur le lecteur même : impossible avec un lecteur réel",
        "the step acts on the reader itself: impossible with a real reader",
    ),
    Capability.HOT_PLUG: Text(
        "un lecteur vu par PC/SC ne se branche ni ne se débranche ici",
        "a reader behind PC/SC is neither plugged in nor out here",
    ),
    Capability.PIN_PAD: Text(
        "le lecteur n'a pas de clavier, ou pas que l'on atteigne ici : vpcd n'a pas de canal de commande",
        "the reader has no PIN pad, or none that can be reached here: vpcd has no control channel",
    ),
    Capability.WIRELESS: Text("le lecteur n'est pas sans fil", "the reader is not wireless"),
    Capability.LINK: Text("la liaison d'un lecteur réel ne se coupe pas", "the link of a real reader cannot be cut"),
    Capability.SERVICE: Text(
        "le service PC/SC d'un poste ne s'arrête pas d'ici",
        "the PC/SC service of a workstation is not stopped from here",
    ),
    Capability.PKCS11: Text(
        "l'étape parle PKCS#11 : --target pkcs11 --module CHEMIN",
        "the step speaks PKCS#11: --target pkcs11 --module PATH",
    ),
}


class GuardRefusalError(Exception):
    """A command, or a whole scenario, was refused before anything reached a card; the text says why."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


class Target(ReaderAccess, Protocol):
    """A way to reach cards in readers, bound to PC/SC reader names."""

    @property
    def capabilities(self) -> frozenset[Capability]:
        """What it can do."""
        ...

    def open(self, reader: str, share: Share) -> Connection:
        """Open a dialogue in a share mode. Raises ScardError."""
        ...

    def look(self, reader: str) -> int:
        """The state of a reader now as SCardGetStatusChange tells it, its event counter included. Raises ScardError."""
        ...
