"""A card family: one object that says all that the bench needs to know of its cards.

A package names its families in the entry point group ``bifente.card_families``, an editor's own like ours. A function
or a class is given by a reference, so that nothing is imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any, Protocol

from bifente.ground.extensions import Reference
from bifente.ground.text import Lang, Text

if TYPE_CHECKING:
    from cryptography import x509
    from pydantic import BaseModel

    from bifente.simulator.cards.host import CardHost
    from bifente.simulator.cards.layout import Layout
    from bifente.simulator.iso7816.card import Card
    from bifente.simulator.iso7816.image import Interface
    from bifente.simulator.iso7816.memory import MemoryStore
    from bifente.simulator.pki.authority import Pki
    from bifente.simulator.pki.keystore import KeySource


class CardTemplate(Protocol):
    """A checked template: which card it is, before it is made."""

    @property
    def id(self) -> str:
        """Return its name, less the prefix of its folder."""
        ...

    @property
    def title(self) -> Text:
        """Return what people call it."""
        ...

    @property
    def family(self) -> str:
        """Return the name of the family."""
        ...


class FamilyImage(Protocol):
    """All that is needed to give life to a card."""

    @property
    def family(self) -> str:
        """Return the name of the family."""
        ...

    @property
    def atr(self) -> bytes:
        """Return the Answer To Reset."""
        ...


class MadeCard(Protocol):
    """A card that was personalised, and what is known of it."""

    @property
    def template(self) -> CardTemplate:
        """Return the template it was made from."""
        ...

    @property
    def layout(self) -> Layout:
        """Return where its files lie."""
        ...

    @property
    def image(self) -> FamilyImage:
        """Return what gives it life."""
        ...

    @property
    def serial(self) -> str:
        """Return the number by which its memory is kept."""
        ...

    @property
    def certificates(self) -> Mapping[str, x509.Certificate]:
        """Return its certificates by the names of their keys; none for a card without."""
        ...


class Personalise(Protocol):
    """Makes the card of a template."""

    def __call__(
        self,
        template: Any,
        keys: KeySource,
        *,
        at: date,
        overrides: Mapping[str, Any] | None = None,
        pki: Pki | None = None,
        interface: Interface | None = None,
    ) -> MadeCard:
        """Return the card as it is at ``at``, ``overrides`` replacing values of the template, ``interface`` the way it
        is reached if not that of the template. Raise TemplateError.
        """
        ...


class GiveLife(Protocol):
    """Turns an image into a card that answers."""

    def __call__(self, image: Any, *, memory: MemoryStore | None, random: Callable[[int], bytes]) -> Card:
        """Return the card; ``memory`` keeps its counters, ``random`` gives its random bytes."""
        ...


class Describe(Protocol):
    """Says what a card is, for people."""

    def __call__(self, card: Any, language: Lang, *, codes: bool) -> list[tuple[str, str]]:
        """Return labels and values; the codes only if asked for."""
        ...


@dataclass(frozen=True, slots=True)
class TemplateFolder:
    """The templates that come with a family: a folder of a package, and what their names begin with on a bench."""

    package: str
    prefix: str = ""
    folder: str = "templates"

    @property
    def path(self) -> Traversable:
        """Return the folder."""
        return files(self.package).joinpath(self.folder)


def nothing_of(_template: Any) -> Iterable[str]:
    """Return nothing: a template that holds none of what was asked for."""
    return ()


def no_secrets(_template: Any, _parameters: Mapping[str, Any]) -> Iterable[str]:
    """Return nothing: a card without secrets."""
    return ()


_NOTHING: Reference[Callable[[Any], Iterable[str]]] = Reference("bifente.simulator.cards.family:nothing_of")
_NO_SECRETS: Reference[Callable[[Any, Mapping[str, Any]], Iterable[str]]] = Reference(
    "bifente.simulator.cards.family:no_secrets"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFamily:
    """All that the bench knows of the cards of one family.

    ``package`` holds its ``layout.yaml``. ``taken_for`` is what the support tools of the field take such a card for,
    by an ATR that begins with one of ``prefixes`` (hexadecimal). ``short_type`` are the few letters by which a list
    tells its cards, ``type_at`` where a template says them if there are several types.

    ``state`` gives the keys of a card's inner state, each with a sentence; ``state_kinds`` what each of them can be
    (``number``, ``truth``, ``text``, or the words); ``read_state`` reads all of them. ``facts``
    are what ``$card.`` leads to, ``secrets`` what no record may show (of a template and the values of a scenario that
    replace its own), ``holders`` and ``numbers`` the names and social security numbers on a card. ``files`` are what
    ``cards make`` writes, by path, at a given time. A family without ``host`` has no ISO 7816-4 commands: it is reached
    by raw commands alone.
    """

    name: str
    title: Text
    package: str
    template: Reference[type[BaseModel]]
    parse: Reference[Callable[[object, str], CardTemplate]]
    override: Reference[Callable[[Any, Mapping[str, Any]], CardTemplate]]
    personalise: Reference[Personalise]
    card: Reference[GiveLife]
    state: Mapping[str, Text]
    read_state: Reference[Callable[[Any], Mapping[str, Any]]]
    facts: Reference[Callable[[Any], Mapping[str, Any]]]
    describe: Reference[Describe]
    files: Reference[Callable[[Any, datetime], Mapping[str, bytes]]]
    host: Reference[type[CardHost]] | None = None
    secrets: Reference[Callable[[Any, Mapping[str, Any]], Iterable[str]]] = _NO_SECRETS
    holders: Reference[Callable[[Any], Iterable[str]]] = _NOTHING
    numbers: Reference[Callable[[Any], Iterable[str]]] = _NOTHING
    templates: TemplateFolder | None = None
    short_type: str = ""
    type_at: tuple[str, ...] = ()
    taken_for: str = "other"
    prefixes: tuple[str, ...] = field(default=())
    state_kinds: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        """Return where the files of its cards lie, and the ATRs of each interface."""
        return layout_in(self.package)

    def atrs(self) -> Mapping[Interface, tuple[bytes, ...]]:
        """Return the ATRs that its cards may answer, by interface, the usual one first."""
        return {
            interface: (rule.value, *(other.value for other in rule.others.values()))
            for interface, rule in self.layout.atr.items()
        }


@cache
def layout_in(package: str) -> Layout:
    """Return the layout in a package, read once. Raise FileNotFoundError."""
    from bifente.simulator.cards.layout import Layout

    return Layout.of(package)
