"""What a bench as a whole can do for a scenario: speak to cards, move them, look into them, make them to measure."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

from bifente.conformance.bench.cards import SeatedCard
from bifente.conformance.model import CardChoice
from bifente.conformance.targets.base import Connection
from bifente.conformance.targets.facets import Facet
from bifente.ground.text import Text
from bifente.simulator.readers import Reader, Share, Slot


class Apdu(Facet):
    """APDUs to the cards."""

    key = "apdu"
    lacking = Text(
        "l'étape parle APDU à la carte : --target embedded ou pcsc",
        "the step speaks APDU to the card: --target embedded or pcsc",
    )

    @abstractmethod
    def connect(self, role: str) -> Connection:
        """Return a dialogue with the freshly powered card of a slot. Raise ScardError."""


class OtherApplications(Facet):
    """Applications beside the one that is tested."""

    key = "other-applications"
    lacking = Text("aucune autre application n'atteint la carte ici", "no other application reaches the card here")

    @abstractmethod
    def join(self, role: str) -> Connection:
        """Return a further dialogue with the same card, nothing reset. Raise ScardError."""


class Insertion(Facet):
    """Cards put in and taken out, by the bench or by an operator's hands."""

    key = "insertion"
    lacking = Text(
        "une carte réelle ne s'insère ni ne se retire sans opérateur",
        "a real card is neither inserted nor removed without an operator",
    )

    @abstractmethod
    def insert(self, role: str) -> Text:
        """Put the card of a slot back, and say so. Raise SlotError if it is there."""

    @abstractmethod
    def remove(self, role: str) -> Text:
        """Take the card of a slot out, and say so. Raise SlotError if there is none."""


class Inspection(Facet):
    """The inner state of cards."""

    key = "inspection"
    lacking = Text("l'état interne d'une carte réelle ne se lit pas", "the inner state of a real card cannot be read")

    @abstractmethod
    def state(self, role: str) -> Mapping[str, Any] | None:
        """Return the state of the card in a slot by the state keys of its family; None if the slot has none."""


class Destructive(Facet):
    """The leave to use up tries and to change cards."""

    key = "destructive"
    lacking = Text(
        "le scénario use un essai ou modifie la carte : l'autoriser par --allow-destructive",
        "the scenario uses up a try or changes the card: allow it with --allow-destructive",
    )


class Personalisation(Facet):
    """Cards that are made here, to measure, with all that is known of them."""

    key = "personalisation"
    lacking = Text(
        "le scénario veut une carte personnalisée pour lui : impossible avec une carte réelle",
        "the scenario wants a card personalised for it: impossible with a real card",
    )

    @abstractmethod
    def put(self, role: str, choice: CardChoice, chance: random.Random) -> SeatedCard | None:
        """Take the card of a slot out, if one is in, and put in one made for the purpose; return the one it had.

        Raise InputError for a template or a parameter that cannot be.
        """

    @abstractmethod
    def put_back(self, role: str, card: SeatedCard) -> None:
        """Put a card in again that ``put`` took out."""


class VirtualReaders(Facet):
    """Readers that are ours: their device, their slots, and how any application reaches them."""

    key = "virtual"
    lacking = Text(
        "l'étape agit sur le lecteur même : impossible avec un lecteur réel",
        "the step acts on the reader itself: impossible with a real reader",
    )

    @property
    @abstractmethod
    def device(self) -> Reader:
        """The device, or several that stand together."""

    @abstractmethod
    def slot(self, role: str) -> Slot:
        """Return a slot by its role. Raise KeyError."""

    @abstractmethod
    def open(self, role: str, share: Share, reader: str | None = None) -> Connection:
        """Return a dialogue with a slot, or with a reader by its PC/SC name, in a share mode. Raise ScardError."""

    @abstractmethod
    def look(self, role: str) -> int:
        """Return the state of a slot as SCardGetStatusChange tells it, event counter included. Raise ScardError."""

    @abstractmethod
    def swap(self, one: str, other: str) -> Text:
        """Take two cards out and put each where the other was. Raise SlotError if one of the slots is empty."""

    @abstractmethod
    def follow(self) -> None:
        """Wait until applications have seen which cards a device that lost or found its link now gives."""
