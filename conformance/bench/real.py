"""A bench around one reader that is not ours: its card is real until its certificates say TEST."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cryptography import x509

from bifente.conformance.bench.cards import SeatedCard, Workshop, facts
from bifente.conformance.bench.profiles import ReaderProfile, SlotModel
from bifente.conformance.loading import InputError
from bifente.conformance.model import CardChoice, Title
from bifente.conformance.options import RunOptions
from bifente.conformance.targets.base import Capability, Connection, GuardRefusalError, PcscCode, ScardError, Target
from bifente.conformance.targets.guard import Codes, GuardedAccess, GuardedConnection
from bifente.ground.clock import WallClock
from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text
from bifente.simulator.cards.layout import Layout
from bifente.simulator.hosts import host_for
from bifente.simulator.hosts.dialogue import Dialogue
from bifente.simulator.hosts.discovery import discover, families_of
from bifente.simulator.iso7816.apdu import ApduError
from bifente.simulator.middleware.recognition import CardKind, kind_of
from bifente.simulator.personalisation.personalise import PersonalisedCard
from bifente.simulator.personalisation.template import layout
from bifente.simulator.readers import ReaderAccess, Slot
from bifente.simulator.zones import Group, named

_OPERATOR_PATIENCE = 120.0
"""Seconds an operator has to move a card."""

VITALES = frozenset({CardKind.VITALE_1, CardKind.VITALE_2})
_INSURED, _TEST_MARK = 101, "T"
_NO_REFERENCE = -1
"""The PUK of a card that has none."""

Ask = Callable[[Text], None]
"""Tells the operator what to do."""


class NotOfTestError(GuardRefusalError):
    """The card is not known to be one of test, by what it tells of itself, and was not asked for by its number."""

    def __init__(self, serial: str, told: Text) -> None:
        super().__init__(
            Text(
                f"la carte {serial} n'est pas reconnue comme carte de test ({told.fr}) ; "
                f"si c'est voulu : --production-card {serial}",
                f"card {serial} is not recognised as a test card ({told.en}); "
                f"if this is meant: --production-card {serial}",
            )
        )


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
    known = {
        card.layout.secrets[name].reference: str(card.facts[fact]).encode()
        for name, fact in (("pin", "code"), ("puk", "unblocking-code"))
        if fact in card.facts
    }
    return Codes(known, card.layout.secrets["puk"].reference)


class RealBench:
    """One PC/SC reader with one card, in slot ``cps``."""

    def __init__(self, reader: str, options: RunOptions, workshop: Workshop, target: Target, ask: Ask | None) -> None:
        self.profile = ReaderProfile(
            profile="readers/real",
            title=Title(fr=reader, en=reader),
            fidelity=Fidelity.OBSERVED,
            source="the PC/SC service",
            device=reader[:100],
            slots=[SlotModel(role="cps", name=reader, capabilities=[Capability.CONTACT])],
        )
        self.seated: dict[str, SeatedCard] = {}
        self._reader = reader
        self._options = options
        self._workshop = workshop
        self.names = {"cps": reader}
        self.device = None
        self._target = target
        self._ask = ask
        self.clock = WallClock()
        self._destructive = False
        self._codes: Codes | None = None
        if reader not in (listed := target.readers()):
            raise ScardError(PcscCode.UNKNOWN_READER, f"{reader!r}; PC/SC lists: {', '.join(listed) or 'no reader'}")

    @property
    def workshop(self) -> Workshop:
        """What templates a real card is compared with."""
        return self._workshop

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Only what the run allows and the operator's hands can do."""
        return frozenset(
            {Capability.APDU}
            | ({Capability.DESTRUCTIVE} if self._options.allow_destructive else set())
            | ({Capability.INSERTION} if self._ask is not None else set())
        )

    @property
    def access(self) -> ReaderAccess:
        """Every reader of the PC/SC service, each card guarded: the codes known are those of the card under test."""
        return GuardedAccess(self._target, self._guarded)

    @property
    def kind(self) -> CardKind:
        """What the card in the reader is by its ATR, whatever the run takes it for. Raises ScardError."""
        connection = self._target.connect(self._reader)
        try:
            return kind_of(connection.atr)
        finally:
            connection.disconnect()

    @property
    def without_cps(self) -> ReaderAccess:
        """The readers of a workstation that has no professional's card: this one if it holds a Vitale, else the others.

        Each card is guarded, and no code is known for any.
        """
        own = self.kind in VITALES
        some = _SomeReaders(self._target, lambda name: (name == self._reader) is own)

        def guarded(reader: str) -> Connection:
            return GuardedConnection(some.connect(reader), Codes({}, _NO_REFERENCE), destructive=False)

        return GuardedAccess(some, guarded)

    artefacts = False

    def slot(self, role: str) -> Slot:
        """Raises LookupError."""
        raise LookupError(f"the slot {role} is real: the bench does not hold it")

    def picture(self) -> Mapping[str, str]:
        """Nothing: the slot cannot be looked into."""
        return {}

    def seat(
        self,
        choices: Mapping[str, CardChoice],
        chance: random.Random,
        *,
        destructive: bool,
        day: date | None = None,
    ) -> None:
        """Look at the card in the reader and refuse a production one. Raises GuardRefusalError, ScardError."""
        del day  # what begins on another day needs a clock that can be set, which this bench does not offer
        if set(choices) != {"cps"}:
            raise GuardRefusalError(Capability.SECOND_SLOT.lacking)
        self._destructive = destructive and self._options.allow_destructive
        known, found = self._look()
        if (wanted := self._workshop.family(choices["cps"])) != known.family:
            raise GuardRefusalError(
                Text(
                    f"le scénario est pour une {wanted.upper()}, la carte est une {known.family.upper()}",
                    f"the scenario is for a {wanted.upper()}, the card is a {known.family.upper()}",
                )
            )
        described = self._described(known.family)
        self.seated = {"cps": SeatedCard(known, facts(described) if described else {}, described, None, found)}

    def check_vitale(self, rights: Sequence[Group]) -> None:
        """Refuse a Vitale by its rights if they bear no test mark and it was not asked for. Raises NotOfTestError."""
        if not rights:
            return
        insured = next((named(group) for group in rights if group.id == _INSURED), {})
        kind, serial = insured.get("card-type"), insured.get("serial-number")
        if kind != _TEST_MARK and not (serial and serial == self._options.production_card):
            told = Text(f"type de carte Vitale : {kind or 'illisible'}", f"type of Vitale card: {kind or 'unreadable'}")
            raise NotOfTestError(serial or "?", told)

    def _described(self, family: str) -> PersonalisedCard | None:
        """The card as the template of the run tells it, whatever family the template is for by itself."""
        if self._options.real_card is None:
            return None
        choice = CardChoice(template=self._options.real_card)
        if self._workshop.family(choice) != family:
            choice = CardChoice.model_validate({"template": choice.template, "family": family})
        try:
            made = self._workshop.personalised(choice, self.now().date())
        except InputError as error:
            raise GuardRefusalError(Text.same(str(error))) from None
        if not isinstance(made, PersonalisedCard):
            raise GuardRefusalError(
                Text(
                    f"le gabarit {choice.template} n'est pas celui d'une carte PS",
                    f"the template {choice.template} is not that of a professional's card",
                )
            )
        return made

    def connect(self, role: str) -> Connection:
        """A guarded dialogue with the card after a cold reset."""
        connection = self.join(role)
        connection.reset(cold=True)
        return connection

    def join(self, role: str) -> Connection:
        """A guarded dialogue with the card as it is."""
        return self._guarded(self._reader)

    def _guarded(self, reader: str) -> Connection:
        if self._codes is None:
            # Once for the whole run: a code that the card refused stays forgotten in the scenarios that follow.
            self._codes = _codes(self.seated["cps"])
        own = reader == self._reader
        codes = self._codes if own else Codes({}, self._codes.puk)
        return GuardedConnection(self._target.connect(reader), codes, destructive=own and self._destructive)

    def insert(self, role: str) -> Text:
        """Ask the operator, and wait."""
        return self._moved(Text("insérez la CPS dans le lecteur", "insert the CPS in the reader"), present=True)

    def remove(self, role: str) -> Text:
        """Ask the operator, and wait."""
        return self._moved(Text("retirez la CPS du lecteur", "take the CPS out of the reader"), present=False)

    def advance(self, seconds: int) -> None:
        """Never: a real reader has the machine's time."""
        raise TypeError("the time of a real reader cannot be advanced")

    def now(self) -> datetime:
        """The machine's time."""
        return self.clock.now()

    def faults(self) -> Sequence[str]:
        """None: the reader and the card are not ours."""
        return ()

    def close(self) -> None:
        """Nothing to leave behind."""

    def _moved(self, what: Text, *, present: bool) -> Text:
        if self._ask is None:
            raise GuardRefusalError(Capability.INSERTION.lacking)
        self._ask(what)
        if not self._target.wait(self._reader, present=present, timeout=_OPERATOR_PATIENCE):
            raise ScardError(PcscCode.TIMEOUT, what.en)
        return what

    def _look(self) -> tuple[Layout, Mapping[str, bytes]]:
        """The card's family and where its files lie. One whose certificates come from no TEST authority is refused."""
        connection = self._target.connect(self._reader)
        seen = Seen("", "", {})
        try:
            for family in families_of(connection.atr):
                known = layout(family)
                seen = _read(connection, known)
                if seen.found:
                    break
        finally:
            connection.disconnect()
        issuer, serial = seen.issuer, seen.serial
        if "TEST" in issuer or (serial and serial == self._options.production_card):
            return known, seen.found
        told = Text(f"émetteur : {issuer or 'illisible'}", f"issuer: {issuer or 'unreadable'}")
        raise NotOfTestError(serial or "?", told)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a card tells of itself; empty texts for what cannot be read."""

    serial: str
    issuer: str
    found: Mapping[str, bytes]


def _read(connection: Connection, known: Layout) -> Seen:
    """What a card tells of itself, read as one of this layout."""
    host = host_for(Dialogue(connection, lambda exchanged: None), known)
    serial, issuer = "", ""
    found: Mapping[str, bytes] = {}
    try:
        number = host.read(known.path("EF.SN")).data
        serial = number[7:11].hex() if len(number) == 12 else ""
        found = discover(host, known)
        if "EF.C.AUT" in found:
            certificate = x509.load_der_x509_certificate(host.read(found["EF.C.AUT"]).data)
            issuer = certificate.issuer.rfc4514_string()
    except (ApduError, ValueError):
        # Unreadable is not TEST: the card is refused.
        issuer = ""
    return Seen(serial, issuer, found)
