"""Cards for a bench: templates found, checked and personalised, each card once however many scenarios use it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from bifente.conformance.loading import Document, InputError, Problem, load_document, nearest
from bifente.conformance.model import CardChoice
from bifente.simulator.cards.families import family_named, family_of, layout, make_card
from bifente.simulator.cards.family import CardFamily, CardTemplate, MadeCard
from bifente.simulator.cards.host import NotOnThisCardError
from bifente.simulator.cards.shelf import template_files
from bifente.simulator.cards.template import TemplateError

if TYPE_CHECKING:
    from bifente.simulator.cards.layout import Layout
    from bifente.simulator.iso7816.card import Card
    from bifente.simulator.iso7816.memory import MemoryStore
    from bifente.simulator.pki.authority import Pki
    from bifente.simulator.pki.keystore import KeySource
    from bifente.simulator.pki.vitale_authority import VitaleAuthority

MadeT = TypeVar("MadeT")


@dataclass(frozen=True, slots=True)
class SeatedCard:
    """A card in a slot: what answers (None if the card is real), and what is known of it.

    ``found`` are paths read from the card's own directories, by the names of the layout.
    """

    layout: Layout
    facts: Mapping[str, Any]
    made: MadeCard | None
    smart: Card | None
    found: Mapping[str, bytes] = field(default_factory=dict)

    def path(self, name: str) -> bytes:
        """Where a file of the layout lies: as the card's own directories said, else as in the layout.

        Raises NotOnThisCardError for a file that cards of its family do not have.
        """
        self.volume(name)
        return self.found.get(name) or self.layout.path(name)

    def volume(self, name: str) -> str:
        """The volume that a file of the layout lies in. Raises NotOnThisCardError."""
        try:
            return self.layout.volume(name)
        except KeyError:
            raise NotOnThisCardError(self.layout.family, f"n'a pas de fichier {name}", f"has no file {name}") from None

    def aid(self, name: str) -> bytes:
        """The AID of an application of the layout. Raises NotOnThisCardError."""
        try:
            return self.layout.aids[name]
        except KeyError:
            raise NotOnThisCardError(
                self.layout.family, f"n'a pas d'application {name}", f"has no application {name}"
            ) from None

    def made_as(self, kind: type[MadeT]) -> MadeT | None:
        """Return what is known of a card of ours that is of this kind; None for any other, and for a real one."""
        return self.made if isinstance(self.made, kind) else None

    @property
    def card(self) -> Card:
        """The card of ours. Raises LookupError for a real one."""
        if self.smart is None:
            raise LookupError("this card is real: the bench does not hold it")
        return self.smart

    def state(self) -> Mapping[str, Any] | None:
        """Its inner state by the keys of its family; None for a real card."""
        if self.smart is None:
            return None
        return family_named(self.layout.family).read_state.get()(self.smart)


class Workshop:
    """Makes cards. Personalising is slow (certificates are signed), so what it made once it keeps."""

    def __init__(self, keys: KeySource) -> None:
        self._keys = keys
        self._made: dict[object, MadeCard] = {}
        self._facts: dict[int, Mapping[str, Any]] = {}
        """What is known of each card that was made, by its identity."""
        self._templates: dict[str, tuple[CardTemplate, Document]] = {}
        self._checked: set[tuple[str, str]] = set()
        """The choices whose parameters are known to fit their template."""

    @classmethod
    def default(cls, keys: Path | None = None) -> Workshop:
        """With the key store in a folder, or the user's own."""
        from bifente.simulator.pki.keystore import KeyStore

        return cls(KeyStore(keys))

    @property
    def keys(self) -> KeySource:
        """Where the laboratory's keys come from."""
        return self._keys

    @cached_property
    def pki(self) -> Pki:
        """The laboratory's authorities."""
        from bifente.simulator.pki.authority import Pki

        return Pki(self._keys)

    @cached_property
    def vitale_authority(self) -> VitaleAuthority:
        """Who certifies the laboratory's Vitale cards."""
        from bifente.simulator.pki.vitale_authority import VitaleAuthority

        return VitaleAuthority(self._keys)

    @cached_property
    def _shipped(self) -> Mapping[str, tuple[CardFamily, Path]]:
        return template_files()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The templates that come with the bench, and with the families of other packages."""
        return tuple(self._shipped)

    def template(self, name: str) -> tuple[CardTemplate, Document]:
        """A template by name, or by the path of its file. Raises InputError with file, line and column."""
        if name not in self._templates:
            is_file = name.endswith((".yaml", ".yml"))
            if not is_file and name not in self._shipped:
                raise InputError.at(name, "is no known card template", cure=nearest(name, self.names))
            owner, path = (None, Path(name)) if is_file else self._shipped[name]
            document = load_document(path)
            family = family_of(document.data, owner.name if owner else None)
            try:
                self._templates[name] = family.parse.get()(document.data, str(document.path)), document
            except TemplateError as error:
                raise InputError(list(_placed(error, document))) from None
        return self._templates[name]

    def personalised(self, choice: CardChoice, at: date, *, contactless: bool = False) -> MadeCard:
        """The card of a choice as it is on a day. Raises InputError for bad parameters, NotOnThisCardError for a card
        without antenna where one is wanted.
        """
        from bifente.simulator.iso7816.image import Interface

        if contactless and Interface.CONTACTLESS not in layout(family := self.family(choice)).atr:
            raise NotOnThisCardError(family, "n'a pas d'interface sans contact", "has no contactless interface")
        key = (choice.template, repr(sorted(choice.parameters.items())), at, contactless)
        if key not in self._made:
            template, _document = self.template(choice.template)
            try:
                self._made[key] = family_named(template.family).personalise.get()(
                    template,
                    self._keys,
                    at=at,
                    overrides=choice.parameters or None,
                    pki=self.pki,
                    interface=Interface.CONTACTLESS if contactless else None,
                )
            except TemplateError as error:
                raise InputError([Problem(error.source, 0, 0, str(problem)) for problem in error.problems]) from None
        return self._made[key]

    def make(
        self,
        choice: CardChoice,
        chance: random.Random,
        *,
        at: datetime,
        contactless: bool = False,
        memory: MemoryStore | None = None,
    ) -> SeatedCard:
        """A fresh card; ``chance`` gives its random bytes, ``memory`` keeps its counters if it is to remember."""
        personalised = self.personalised(choice, at.date(), contactless=contactless)
        smart = make_card(personalised.image, memory=memory, random=chance.randbytes)
        if id(personalised) not in self._facts:
            self._facts[id(personalised)] = MappingProxyType(facts(personalised))
        return SeatedCard(personalised.layout, self._facts[id(personalised)], personalised, smart)

    def family(self, choice: CardChoice) -> str:
        """The family of a choice's card. Raises InputError for an unknown template."""
        return str(choice.parameters.get("family") or self.template(choice.template)[0].family)

    def check(self, choice: CardChoice) -> Document:
        """The template file of a choice. Raises InputError (without a place) if its card cannot be made."""
        template, document = self.template(choice.template)
        key = (choice.template, repr(choice.parameters))
        if choice.parameters and key not in self._checked:
            try:
                family_named(template.family).override.get()(template, choice.parameters)
            except TemplateError as error:
                raise InputError([Problem(error.source, 0, 0, str(problem)) for problem in error.problems]) from None
            self._checked.add(key)
        return document

    def secrets(self, choices: Iterable[CardChoice]) -> set[str]:
        """The secrets of these cards: what a record must mask."""
        return {
            secret
            for choice, template, family in self._met(choices)
            for secret in family.secrets.get()(template, choice.parameters)
        }

    def holders(self, choices: Iterable[CardChoice]) -> set[str]:
        """The names of the holders of these cards."""
        return {name for _choice, template, family in self._met(choices) for name in family.holders.get()(template)}

    def numbers(self, choices: Iterable[CardChoice]) -> set[str]:
        """The social security numbers on these cards, without and with their keys."""
        return {number for _choice, template, family in self._met(choices) for number in family.numbers.get()(template)}

    def _met(self, choices: Iterable[CardChoice]) -> Iterator[tuple[CardChoice, CardTemplate, CardFamily]]:
        for choice in choices:
            template = self.template(choice.template)[0]
            yield choice, template, family_named(template.family)


def facts(made: MadeCard) -> Mapping[str, Any]:
    """What scenarios may refer to as ``$card...``: names in kebab-case, certificates as themselves."""
    plain: dict[str, Any] = _kebab(family_named(made.layout.family).facts.get()(made))
    own = {"template": made.template.id, "family": made.layout.family}
    return {**own, **plain, "certificates": dict(made.certificates), "personalised": made}


def _kebab(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key.replace("_", "-") if isinstance(key, str) else key: _kebab(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_kebab(item) for item in value]
    return value


def _placed(error: TemplateError, document: Document) -> Iterator[Problem]:
    for problem in error.problems:
        line, column = document.place(problem.loc)
        yield Problem(str(document.path), line, column, str(problem))
