"""Cards for a bench: templates found, checked and personalised, each card once however many scenarios use it."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any

from conformance.loading import Document, InputError, Problem, load_document, nearest
from conformance.model import CardChoice
from simulator.cards.families import make_card
from simulator.cards.layout import Layout
from simulator.hosts import NotOnThisCardError
from simulator.iso7816.engine import SmartCard
from simulator.iso7816.image import Interface
from simulator.iso7816.memory import MemoryStore
from simulator.personalisation.authority import Pki
from simulator.personalisation.keystore import KeySource, KeyStore
from simulator.personalisation.loading import TemplateError, parse_template, with_overrides
from simulator.personalisation.personalise import PersonalisedCard, personalise
from simulator.personalisation.template import Template, layout

TEMPLATES = Path(str(resources.files("simulator.personalisation") / "templates"))
"""The templates that come with the bench."""


@dataclass(frozen=True, slots=True)
class SeatedCard:
    """A card in a slot: what answers (None if the card is real), and what is known of it.

    ``found`` are paths read from the card's own directories, by the names of the layout.
    """

    layout: Layout
    facts: Mapping[str, Any]
    personalised: PersonalisedCard | None
    smart: SmartCard | None
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

    @property
    def card(self) -> SmartCard:
        """The card of ours. Raises LookupError for a real one."""
        if self.smart is None:
            raise LookupError("this card is real: the bench does not hold it")
        return self.smart

    def state(self) -> Mapping[str, Any] | None:
        """Its inner state by the names of ``STATE_KEYS``; None for a real card."""
        if self.smart is None:
            return None
        state = self.smart.state()
        pin, puk = state.secrets["pin"], state.secrets["puk"]
        main = state.main
        return {
            "powered": state.powered,
            "pin-tries": pin.tries_left,
            "pin-verified": pin.verified,
            "puk-tries": puk.tries_left,
            "puk-uses": puk.uses_left,
            "puk-verified": puk.verified,
            "hash": (main.hash_ready if main else None) or "none",
            "selected": main.current_name if main else "MF",
        }


class Workshop:
    """Makes cards. Personalising is slow (certificates are signed), so what it made once it keeps."""

    def __init__(self, keys: KeySource) -> None:
        self._keys = keys
        self._pki = Pki(keys)
        self._made: dict[object, PersonalisedCard] = {}
        self._templates: dict[str, tuple[Template, Document]] = {}

    @classmethod
    def default(cls, keys: Path | None = None) -> Workshop:
        """With the key store in a folder, or the user's own."""
        return cls(KeyStore(keys))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The templates that come with the bench."""
        return tuple(sorted(path.stem for path in TEMPLATES.glob("*.yaml")))

    def template(self, name: str) -> tuple[Template, Document]:
        """A template by name, or by the path of its file. Raises InputError with file, line and column."""
        if name not in self._templates:
            is_file = name.endswith((".yaml", ".yml"))
            if not is_file and name not in self.names:
                raise InputError.at(name, "is no known card template", cure=nearest(name, self.names))
            document = load_document(Path(name) if is_file else TEMPLATES / f"{name}.yaml")
            try:
                self._templates[name] = parse_template(document.data, str(document.path)), document
            except TemplateError as error:
                raise InputError(list(_placed(error, document))) from None
        return self._templates[name]

    def personalised(self, choice: CardChoice, at: date, *, contactless: bool = False) -> PersonalisedCard:
        """The card of a choice as it is on a day. Raises InputError for bad parameters, NotOnThisCardError for a card
        without antenna where one is wanted.
        """
        parameters = dict(choice.parameters)
        if contactless:
            family = self.family(choice)
            if Interface.CONTACTLESS not in layout(family).atr:
                raise NotOnThisCardError(family, "n'a pas d'interface sans contact", "has no contactless interface")
            parameters["options"] = {**parameters.get("options", {}), "interface": "contactless"}
        key = (choice.template, repr(sorted(parameters.items())), at)
        if key not in self._made:
            template, _document = self.template(choice.template)
            try:
                self._made[key] = personalise(template, self._keys, at=at, overrides=parameters or None, pki=self._pki)
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
        return SeatedCard(personalised.layout, facts(personalised), personalised, smart)

    def family(self, choice: CardChoice) -> str:
        """The family of a choice's card. Raises InputError for an unknown template."""
        return str(choice.parameters.get("family") or self.template(choice.template)[0].family)

    def check(self, choice: CardChoice) -> Document:
        """The template file of a choice. Raises InputError (without a place) if its card cannot be made."""
        template, document = self.template(choice.template)
        if choice.parameters:
            try:
                with_overrides(template, choice.parameters)
            except TemplateError as error:
                raise InputError([Problem(error.source, 0, 0, str(problem)) for problem in error.problems]) from None
        return document

    def secrets(self, choices: Iterable[CardChoice]) -> set[str]:
        """The codes of these cards: what a record must mask."""
        found: set[str] = set()
        for choice in choices:
            template = self.template(choice.template)[0]
            found |= {template.codes.pin, template.codes.puk}
            found |= {str(code) for code in dict(choice.parameters.get("codes", {})).values()}
        return found

    def holders(self, choices: Iterable[CardChoice]) -> set[str]:
        """The names of the holders of these cards."""
        found: set[str] = set()
        for choice in choices:
            holder = self.template(choice.template)[0].holder
            names = (holder.family_name, holder.birth_name, holder.practice_name, *(holder.given_names or ()))
            found |= {name for name in names if name}
        return found


def facts(personalised: PersonalisedCard) -> Mapping[str, Any]:
    """What scenarios may refer to as ``$card...``: names in kebab-case, certificates as themselves."""
    plain: dict[str, Any] = _kebab(personalised.facts())
    return {**plain, "certificates": dict(personalised.certificates), "personalised": personalised}


def _kebab(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key.replace("_", "-") if isinstance(key, str) else key: _kebab(item) for key, item in value.items()}
    return value


def _placed(error: TemplateError, document: Document) -> Iterator[Problem]:
    for problem in error.problems:
        line, column = document.place(problem.loc)
        yield Problem(str(document.path), line, column, str(problem))
