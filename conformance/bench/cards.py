"""Cards for a bench: templates found, checked and personalised, each card once however many scenarios use it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bifente.conformance.loading import Document, InputError, Problem, load_document, nearest
from bifente.conformance.model import CardChoice
from bifente.ground.identifiers import nir_key
from bifente.simulator.cards import vitale2
from bifente.simulator.cards.families import make_card
from bifente.simulator.cards.layout import Layout
from bifente.simulator.cards.vitale1 import MemoryCard, MemoryImage
from bifente.simulator.hosts import NotOnThisCardError
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.iso7816.image import Interface
from bifente.simulator.iso7816.memory import MemoryStore
from bifente.simulator.personalisation.loading import TemplateError, parse_template, with_overrides
from bifente.simulator.personalisation.personalise import PersonalisedCard, personalise
from bifente.simulator.personalisation.template import Template, layout
from bifente.simulator.personalisation.vitale.loading import is_vitale, parse_vitale
from bifente.simulator.personalisation.vitale.loading import with_overrides as vitale_with_overrides
from bifente.simulator.personalisation.vitale.personalise import PersonalisedVitale, personalise_vitale
from bifente.simulator.personalisation.vitale.template import VitaleTemplate
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeySource, KeyStore

TEMPLATES = Path(str(resources.files("bifente.simulator.personalisation") / "templates"))
"""The templates of professionals' cards that come with the bench."""
VITALE_TEMPLATES = Path(str(resources.files("bifente.simulator.personalisation.vitale") / "templates"))
"""Those of Vitale cards, called ``vitale/<name>``."""
VITALE = "vitale/"

AnyTemplate = Template | VitaleTemplate
Personalised = PersonalisedCard | PersonalisedVitale


@dataclass(frozen=True, slots=True)
class SeatedCard:
    """A card in a slot: what answers (None if the card is real), and what is known of it.

    ``found`` are paths read from the card's own directories, by the names of the layout.
    """

    layout: Layout
    facts: Mapping[str, Any]
    made: Personalised | None
    smart: SmartCard | MemoryCard | None
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
    def personalised(self) -> PersonalisedCard | None:
        """What is known of a professional's card of ours."""
        return self.made if isinstance(self.made, PersonalisedCard) else None

    @property
    def vitale(self) -> PersonalisedVitale | None:
        """What is known of a Vitale card of ours."""
        return self.made if isinstance(self.made, PersonalisedVitale) else None

    @property
    def card(self) -> SmartCard | MemoryCard:
        """The card of ours. Raises LookupError for a real one."""
        if self.smart is None:
            raise LookupError("this card is real: the bench does not hold it")
        return self.smart

    def state(self) -> Mapping[str, Any] | None:
        """Its inner state by the state keys of the domains; None for a real card."""
        if self.smart is None:
            return None
        if isinstance(self.smart, MemoryCard):
            return {"powered": self.smart.powered}
        state = self.smart.state()
        selected = state.main.current_name if state.main else "MF"
        if self.vitale is not None:
            by = next(iter(state.authenticated.values()), "none")
            return {"powered": state.powered, "selected": selected, "authenticated-by": by}
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
            "selected": selected,
        }


class Workshop:
    """Makes cards. Personalising is slow (certificates are signed), so what it made once it keeps."""

    def __init__(self, keys: KeySource) -> None:
        self._keys = keys
        self._pki = Pki(keys)
        self._made: dict[object, Personalised] = {}
        self._facts: dict[int, Mapping[str, Any]] = {}
        """What is known of each card that was made, by its identity."""
        self._templates: dict[str, tuple[AnyTemplate, Document]] = {}

    @classmethod
    def default(cls, keys: Path | None = None) -> Workshop:
        """With the key store in a folder, or the user's own."""
        return cls(KeyStore(keys))

    @property
    def keys(self) -> KeySource:
        """Where the laboratory's keys come from."""
        return self._keys

    @property
    def pki(self) -> Pki:
        """The laboratory's authorities."""
        return self._pki

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The templates that come with the bench."""
        own = sorted(path.stem for path in TEMPLATES.glob("*.yaml"))
        vitale = sorted(VITALE + path.stem for path in VITALE_TEMPLATES.glob("*.yaml"))
        return (*own, *vitale)

    def template(self, name: str) -> tuple[AnyTemplate, Document]:
        """A template by name, or by the path of its file. Raises InputError with file, line and column."""
        if name not in self._templates:
            is_file = name.endswith((".yaml", ".yml"))
            if not is_file and name not in self.names:
                raise InputError.at(name, "is no known card template", cure=nearest(name, self.names))
            folder = VITALE_TEMPLATES if name.startswith(VITALE) else TEMPLATES
            document = load_document(Path(name) if is_file else folder / f"{name.removeprefix(VITALE)}.yaml")
            vitale = name.startswith(VITALE) or is_vitale(document.data)
            parse: Callable[[object, str], AnyTemplate] = parse_vitale if vitale else parse_template
            try:
                self._templates[name] = parse(document.data, str(document.path)), document
            except TemplateError as error:
                raise InputError(list(_placed(error, document))) from None
        return self._templates[name]

    def personalised(self, choice: CardChoice, at: date, *, contactless: bool = False) -> Personalised:
        """The card of a choice as it is on a day. Raises InputError for bad parameters, NotOnThisCardError for a card
        without antenna where one is wanted.
        """
        parameters = dict(choice.parameters)
        if contactless:
            family = self.family(choice)
            if self._is_vitale(choice) or Interface.CONTACTLESS not in layout(family).atr:
                raise NotOnThisCardError(family, "n'a pas d'interface sans contact", "has no contactless interface")
            parameters["options"] = {**parameters.get("options", {}), "interface": "contactless"}
        key = (choice.template, repr(sorted(parameters.items())), at)
        if key not in self._made:
            template, _document = self.template(choice.template)
            overrides = parameters or None
            try:
                self._made[key] = (
                    personalise_vitale(template, self._keys, at=at, overrides=overrides, pki=self._pki)
                    if isinstance(template, VitaleTemplate)
                    else personalise(template, self._keys, at=at, overrides=overrides, pki=self._pki)
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
        smart = _alive(personalised, chance, memory)
        if id(personalised) not in self._facts:
            self._facts[id(personalised)] = MappingProxyType(facts(personalised))
        return SeatedCard(personalised.layout, self._facts[id(personalised)], personalised, smart)

    def family(self, choice: CardChoice) -> str:
        """The family of a choice's card. Raises InputError for an unknown template."""
        return str(choice.parameters.get("family") or self.template(choice.template)[0].family)

    def check(self, choice: CardChoice) -> Document:
        """The template file of a choice. Raises InputError (without a place) if its card cannot be made."""
        template, document = self.template(choice.template)
        if choice.parameters:
            try:
                if isinstance(template, VitaleTemplate):
                    vitale_with_overrides(template, choice.parameters)
                else:
                    with_overrides(template, choice.parameters)
            except TemplateError as error:
                raise InputError([Problem(error.source, 0, 0, str(problem)) for problem in error.problems]) from None
        return document

    def secrets(self, choices: Iterable[CardChoice]) -> set[str]:
        """The codes of these cards: what a record must mask."""
        found: set[str] = set()
        for choice in choices:
            template = self.template(choice.template)[0]
            if isinstance(template, VitaleTemplate):
                continue
            found |= {template.codes.pin, template.codes.puk}
            found |= {str(code) for code in dict(choice.parameters.get("codes", {})).values()}
        return found

    def holders(self, choices: Iterable[CardChoice]) -> set[str]:
        """The names of the holders of these cards."""
        found: set[str] = set()
        for choice in choices:
            template = self.template(choice.template)[0]
            if isinstance(template, VitaleTemplate):
                for person in template.beneficiaries:
                    found |= {name for name in (person.name, person.birth_name, person.first_name) if name}
                continue
            holder = template.holder
            names = (holder.family_name, holder.birth_name, holder.practice_name, *(holder.given_names or ()))
            found |= {name for name in names if name}
        return found

    def numbers(self, choices: Iterable[CardChoice]) -> set[str]:
        """The social security numbers on these cards, without and with their keys."""
        templates = (self.template(choice.template)[0] for choice in choices)
        vitale = [template for template in templates if isinstance(template, VitaleTemplate)]
        nirs = {template.insured.nir for template in vitale}
        nirs |= {person.nir for template in vitale for person in template.beneficiaries if person.nir}
        return nirs | {nir + nir_key(nir) for nir in nirs}

    def _is_vitale(self, choice: CardChoice) -> bool:
        return isinstance(self.template(choice.template)[0], VitaleTemplate)


def _alive(personalised: Personalised, chance: random.Random, memory: MemoryStore | None) -> SmartCard | MemoryCard:
    """The card of an image; one that is only read has no memory to keep."""
    if isinstance(personalised, PersonalisedCard):
        return make_card(personalised.image, memory=memory, random=chance.randbytes)
    if isinstance(personalised.image, MemoryImage):
        return MemoryCard(personalised.image)
    return vitale2.card(personalised.image, memory=memory, random=chance.randbytes)


def facts(personalised: Personalised) -> Mapping[str, Any]:
    """What scenarios may refer to as ``$card...``: names in kebab-case, certificates as themselves."""
    plain: dict[str, Any] = _kebab(personalised.facts())
    return {**plain, "certificates": dict(personalised.certificates), "personalised": personalised}


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
