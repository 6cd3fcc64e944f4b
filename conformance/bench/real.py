"""A bench around readers that are not ours: their cards are real until their certificates say TEST."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.cards import SeatedCard, Workshop, facts
from bifente.conformance.bench.facets import Apdu, Destructive, Insertion, OtherApplications
from bifente.conformance.bench.profiles import ReaderProfile, SlotModel
from bifente.conformance.bench.real_card import NotOfTestError, look
from bifente.conformance.features import CONTACT, SECOND_SLOT, features
from bifente.conformance.loading import InputError
from bifente.conformance.model import CardChoice, Title
from bifente.conformance.options import RunOptions
from bifente.conformance.targets.base import Connection, GuardRefusalError, PcscCode, ScardError, Target
from bifente.conformance.targets.facets import Facet, Facets
from bifente.conformance.targets.guard import Codes, GuardedAccess, GuardedConnection
from bifente.ground.clock import WallClock
from bifente.ground.fidelity import Fidelity
from bifente.ground.french import in_both
from bifente.ground.text import Text
from bifente.simulator.cards.families import families, family_named, layout
from bifente.simulator.iso7816.memory import MemoryStore
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.middleware.recognition import CardKind, kind_of
from bifente.simulator.middleware.ssv import Ssv
from bifente.simulator.readers import ReaderAccess
from bifente.simulator.zones import Group, named

_OPERATOR_PATIENCE = 120.0
"""Seconds an operator has to move a card."""
CPS = "cps"
"""The slot of a reader that is named without one."""

VITALES = frozenset({CardKind.VITALE_1, CardKind.VITALE_2})
_INSURED, _TEST_MARK = 101, "T"
_NO_REFERENCE = -1
"""The PUK of a card that has none."""

Ask = Callable[[Text], None]
"""Tells the operator what to do."""


@dataclass(frozen=True, slots=True)
class _SomeReaders:
    """Some of the readers of a PC/SC service, as if there were no others."""

    access: ReaderAccess
    among: Callable[[str], bool]

    def readers(self) -> tuple[str, ...]:
        return tuple(name for name in self.access.readers() if self.among(name))

    def connect(self, reader: str) -> Connection:
        if not self.among(reader):
            raise ScardError(PcscCode.UNKNOWN_READER, reader)
        return self.access.connect(reader)

    def wait(self, reader: str, *, present: bool, timeout: float) -> bool:
        return self.access.wait(reader, present=present, timeout=timeout)


def _codes(card: SeatedCard) -> Codes:
    """The codes that are known of a card, by their references."""
    secrets = card.layout.secrets
    known = {
        secrets[name].reference: str(card.facts[fact]).encode()
        for name, fact in (("pin", "code"), ("puk", "unblocking-code"))
        if fact in card.facts and name in secrets
    }
    return Codes(known, secrets["puk"].reference if "puk" in secrets else _NO_REFERENCE)


@dataclass(slots=True)
class _RealSlot:
    """One reader of somebody else's: its PC/SC name, and what is known of the card in it."""

    role: str
    reader: str
    kind: CardKind | None = None
    codes: Codes | None = None

    @property
    def named(self) -> Text:
        """How an operator calls its card."""
        card = "la Vitale" if self.kind in VITALES else "la CPS"
        return Text(card, card.replace("la ", "the "))


class RealBench(Bench, Apdu, OtherApplications, Insertion, Destructive):
    """PC/SC readers with one card each: ``readers`` are their names by the role of the slot they stand for."""

    def __init__(
        self,
        readers: Mapping[str, str],
        options: RunOptions,
        workshop: Workshop,
        target: Target,
        ask: Ask | None,
    ) -> None:
        super().__init__(_profile(readers), workshop, WallClock())
        self._slots = {role: _RealSlot(role, reader) for role, reader in readers.items()}
        self._options = options
        self._target = target
        self._ask = ask
        self._destructive = False
        listed = target.readers()
        for reader in readers.values():
            if reader not in listed:
                there = ", ".join(listed) or "no reader"
                raise ScardError(PcscCode.UNKNOWN_READER, f"{reader!r}; PC/SC lists: {there}")

    @property
    def names(self) -> Mapping[str, str]:
        """The PC/SC names as they were given."""
        return {role: slot.reader for role, slot in self._slots.items()}

    @property
    def own_facets(self) -> Facets:
        """Only what the run allows and the operator's hands can do."""
        kinds: list[type[Facet]] = [Apdu, OtherApplications]
        kinds += [Destructive] if self._options.allow_destructive else []
        kinds += [Insertion] if self._ask is not None else []
        return Facets(dict.fromkeys(kinds, self))

    @property
    def access(self) -> ReaderAccess:
        """Every reader of the PC/SC service, each card guarded: the codes known are those of the cards under test."""
        return GuardedAccess(self._target, self._guarded)

    def kind(self, role: str) -> CardKind:
        """Return what the card in a reader is by its ATR, whatever the run takes it for. Raise ScardError."""
        connection = self._target.connect(self._slots[role].reader)
        try:
            return kind_of(connection.atr)
        finally:
            connection.disconnect()

    def without_cps(self, role: str) -> ReaderAccess:
        """Return the readers of a workstation that has no professional's card: one reader if it holds a Vitale, else
        all the others. Each card is guarded, and no code is known for any.
        """
        one = self._slots[role].reader
        own = self.kind(role) in VITALES
        some = _SomeReaders(self._target, lambda name: (name == one) is own)

        def guarded(reader: str) -> Connection:
            return GuardedConnection(some.connect(reader), Codes({}, _NO_REFERENCE), destructive=False)

        return GuardedAccess(some, guarded)

    def seat_cards(
        self,
        choices: Mapping[str, CardChoice],
        chance: random.Random,
        *,
        destructive: bool,
        day: date | None,
        memories: Mapping[str, MemoryStore],
    ) -> None:
        """Look at the cards in the readers and refuse a production one. Raise GuardRefusalError, ScardError."""
        del day, memories  # what begins on another day needs a clock that can be set, which this bench does not offer
        if set(choices) - set(self._slots):
            raise GuardRefusalError(features()[SECOND_SLOT])
        self._destructive = destructive and self._options.allow_destructive
        self.seated = {role: self._looked_at(self._slots[role], choice) for role, choice in choices.items()}

    def _looked_at(self, slot: _RealSlot, choice: CardChoice) -> SeatedCard:
        found: Mapping[str, bytes] = {}
        slot.kind = self.kind(slot.role)
        if slot.kind in VITALES:
            self._check_vitale_in(slot)
            known = layout(next(one.name for one in families().values() if one.taken_for == slot.kind.value))
        else:
            connection = self._target.connect(slot.reader)
            try:
                known, found = look(connection, self._options.production_card)
            finally:
                connection.disconnect()
        if (wanted := self.workshop.family(choice)) != known.family:
            raise GuardRefusalError(
                Text(
                    f"le scénario est pour une {wanted.upper()}, la carte est une {known.family.upper()}",
                    f"the scenario is for a {wanted.upper()}, the card is a {known.family.upper()}",
                )
            )
        return self._described(slot, SeatedCard(known, {}, None, None, found))

    def _described(self, slot: _RealSlot, card: SeatedCard) -> SeatedCard:
        """The card as the template of the run tells it, whatever family the template is for by itself."""
        template = self._options.real_cards.get(slot.role)
        if template is None:
            return card
        family = card.layout.family
        choice = CardChoice(template=template)
        if (own := self.workshop.family(choice)) != family:
            # A template of a kind of card can tell of each of its families.
            if family_named(own).template != family_named(family).template:
                raise GuardRefusalError(
                    Text(
                        f"le modèle {template} n'est pas celui d'une {family.upper()}",
                        f"the template {template} is not that of a {family.upper()}",
                    )
                )
            choice = CardChoice.model_validate({"template": template, "family": family})
        try:
            made = self.workshop.personalised(choice, self.now().date())
        except InputError as error:
            raise GuardRefusalError(in_both(error)) from None
        return SeatedCard(card.layout, facts(made), made, None, card.found)

    def _check_vitale_in(self, slot: _RealSlot) -> None:
        """Refuse a Vitale that does not tell by what it gives freely that it is one of test."""
        some = _SomeReaders(self._target, lambda name: name == slot.reader)

        def guarded(reader: str) -> Connection:
            return GuardedConnection(some.connect(reader), Codes({}, _NO_REFERENCE), destructive=False)

        library = Ssv(FullPcsc(GuardedAccess(some, guarded), self.clock), self.clock)
        library.init_lib()
        # Without a GALSS no name of a resource means anything, and a Vitale takes no code.
        answer = library.lire_droits_vitale("", "", "0000", f"{self.now():%Y%m%d}")
        if not answer.groups:
            raise NotOfTestError("?", Text("rien n'est lisible sans CPS", "nothing can be read without a CPS"))
        self.check_vitale(answer.groups)

    def check_vitale(self, rights: Sequence[Group]) -> None:
        """Refuse a Vitale by its rights if they bear no test mark and it was not asked for. Raise NotOfTestError."""
        if not rights:
            return
        insured = next((named(group) for group in rights if group.id == _INSURED), {})
        kind, serial = insured.get("card-type"), insured.get("serial-number")
        if kind != _TEST_MARK and not (serial and serial == self._options.production_card):
            told = Text(f"type de carte Vitale : {kind or 'illisible'}", f"type of Vitale card: {kind or 'unreadable'}")
            raise NotOfTestError(serial or "?", told)

    def connect(self, role: str) -> Connection:
        """Return a guarded dialogue with the card after a cold reset."""
        connection = self.join(role)
        connection.reset(cold=True)
        return connection

    def join(self, role: str) -> Connection:
        """Return a guarded dialogue with the card as it is."""
        return self._guarded(self._slots[role].reader)

    def _guarded(self, reader: str) -> Connection:
        slot = next((slot for slot in self._slots.values() if slot.reader == reader), None)
        if slot is None or slot.role not in self.seated:
            unknown = next((one.codes.puk for one in self._slots.values() if one.codes is not None), _NO_REFERENCE)
            return GuardedConnection(self._target.connect(reader), Codes({}, unknown), destructive=False)
        if slot.codes is None:
            # Once for the whole run: a code that the card refused stays forgotten in the scenarios that follow.
            slot.codes = _codes(self.seated[slot.role])
        return GuardedConnection(self._target.connect(reader), slot.codes, destructive=self._destructive)

    def insert(self, role: str) -> Text:
        """Ask the operator, and wait."""
        card = self._slots[role].named
        where = self._where(role)
        what = Text(f"insérez {card.fr} dans {where.fr}", f"insert {card.en} in {where.en}")
        return self._moved(role, what, present=True)

    def remove(self, role: str) -> Text:
        """Ask the operator, and wait."""
        card = self._slots[role].named
        where = self._where(role)
        what = Text(f"retirez {card.fr} {_from(where.fr)}", f"take {card.en} out of {where.en}")
        return self._moved(role, what, present=False)

    def _where(self, role: str) -> Text:
        if len(self._slots) == 1:
            return Text("le lecteur", "the reader")
        return Text(f"la fente {role}", f"slot {role}")

    def _moved(self, role: str, what: Text, *, present: bool) -> Text:
        if self._ask is None:
            raise GuardRefusalError(Insertion.lacking)
        self._ask(what)
        if not self._target.wait(self._slots[role].reader, present=present, timeout=_OPERATOR_PATIENCE):
            raise ScardError(PcscCode.TIMEOUT, what.en)
        return what


def _from(where: str) -> str:
    return f"du {where.removeprefix('le ')}" if where.startswith("le ") else f"de {where}"


def _profile(readers: Mapping[str, str]) -> ReaderProfile:
    title = ", ".join(readers.values())
    return ReaderProfile(
        profile="readers/real",
        title=Title(fr=title, en=title),
        fidelity=Fidelity.OBSERVED,
        source="the PC/SC service",
        device=next(iter(readers.values()))[:100],
        slots=[SlotModel(role=role, name=name, capabilities=[CONTACT]) for role, name in readers.items()],
    )
