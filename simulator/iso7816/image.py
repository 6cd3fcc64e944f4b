"""What is written on a card before it is ever powered: files, secrets, keys. Data only; the engine gives it life.

Access rules travel in the compact format of ISO/IEC 7816-4 (an access mode byte, then one security condition byte per
bit set, from b7 down to b1): the very bytes a client reads in the FCP are those the engine enforces.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey


class Interface(StrEnum):
    """How the reader reaches the card. A rule may differ from one to the other."""

    CONTACT = "contact"
    CONTACTLESS = "contactless"


class KeyUse(StrEnum):
    """What an algorithm of the card is for."""

    HASH = "hash"
    SIGN = "sign"
    AUTHENTICATE = "authenticate"
    DECIPHER = "decipher"


class Digest(StrEnum):
    """Hash functions a card may finish or name in a signature."""

    SHA1 = "sha1"
    SHA256 = "sha256"


class Scheme(StrEnum):
    """How a hash is padded before it is signed (RFC 8017); with PSS the salt is as long as the hash."""

    PKCS1 = "pkcs1"
    PSS = "pss"


@dataclass(frozen=True, slots=True)
class ElementaryFile:
    """A transparent EF. ``content`` is its whole body; its length is the file's size in bytes.

    ``only`` hides it from the other interface (None: seen from both).
    """

    fid: int
    name: str
    content: bytes = field(repr=False)
    acl: bytes
    contactless_acl: bytes
    sfi: int | None = None
    only: Interface | None = None


@dataclass(frozen=True, slots=True)
class DedicatedFile:
    """A DF or the MF, with the AID it answers to if it is an application.

    ``only`` hides it, and all below, from the other interface (None: seen from both).
    """

    fid: int
    name: str
    acl: bytes
    children: tuple[ElementaryFile | DedicatedFile, ...] = ()
    aid: bytes | None = None
    only: Interface | None = None

    def walk(self) -> Iterator[ElementaryFile | DedicatedFile]:
        """This file and all below it, parents first."""
        yield self
        for child in self.children:
            if isinstance(child, DedicatedFile):
                yield from child.walk()
            else:
                yield child


@dataclass(frozen=True, slots=True)
class CardSecret:
    """A PIN or PUK as personalised.

    ``reference`` is P2 of VERIFY; ``max_uses`` limits how often the secret may succeed (None: no limit); lengths are
    in bytes. ``tries_left`` and ``uses_left`` default to the maxima; zero is a card whose code is already blocked.
    ``contactless_acl`` None means: as by contact. ``tells_verified``: asked how it stands once it was presented, the
    card says so instead of telling the tries left (CARD-CPS3-20, CARD-CPS4-10).
    """

    name: str
    reference: int
    value: bytes = field(repr=False)
    max_tries: int
    min_length: int
    max_length: int
    acl: bytes
    max_uses: int | None = None
    tries_left: int | None = None
    uses_left: int | None = None
    contactless_acl: bytes | None = None
    tells_verified: bool = True


@dataclass(frozen=True, slots=True)
class PublicHalf:
    """The object that gives a key's public half, by its access rules; ``contactless_acl`` None: as by contact."""

    acl: bytes
    contactless_acl: bytes | None = None


@dataclass(frozen=True, slots=True)
class CardKey:
    """A private key. ``reference`` is its SDO number, ``mse_reference`` what MSE SET names it.

    ``consent``: each signature spends the code presented before it (PKCS#15 userConsent; CARD-CPS3-62).
    ``contactless_acl`` None means: as by contact. ``folder`` is the path of the DF it lies in (``3F00/0001``): it is
    known while that DF is the current one, and anywhere if None. ``public`` None: the card tells its public half in
    files alone.
    """

    name: str
    reference: int
    mse_reference: int
    private_key: RSAPrivateKey = field(repr=False)
    acl: bytes
    non_repudiation: bool
    consent: bool = False
    contactless_acl: bytes | None = None
    folder: str | None = None
    public: PublicHalf | None = None


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One line of the card's algorithm table: what MSE SET selects by its reference."""

    reference: int
    operation: KeyUse
    digest: Digest | None = None
    scheme: Scheme = Scheme.PKCS1


@dataclass(frozen=True, slots=True)
class Anchor:
    """An authority whose certificates the card believes, and what the parties so certified are to it.

    ``issuer`` is the authority's name in DER, as certificates give it. A party is of ``role`` if its certificate has
    every extension of ``required`` (dotted OID) with one of the values listed (DER). A card has no clock: it never
    judges a validity.
    """

    name: str
    issuer: bytes
    public_key: RSAPublicKey = field(repr=False)
    role: str
    required: Mapping[str, Collection[bytes]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ApplicationLife:
    """How an application lives on the logical channels.

    ``exclusive``: on one channel at a time, elsewhere its selection is refused. ``forgets``: the codes presented are
    forgotten when it is selected, even anew, and when another takes its place.
    """

    exclusive: bool = False
    forgets: bool = False


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class CardImage:
    """All that distinguishes one personalised card from another. Two images are never equal, whatever they hold.

    ``volumes`` are the file trees by name (a card may have several operating sides, each with its own MF);
    ``environments`` map a security environment number (low nibble of a user-authentication condition) to the names of
    the secrets any of which fulfils it. ``interface`` is the face this image shows: a dual card seen the other way is
    the same image with ``atr`` and ``interface`` replaced. ``channels`` are the logical channels of a card whose
    applications are started by their names: what runs there after a reset, None for a closed one; ``applications``
    how each of those lives. ``anchors`` are the authorities it believes; ``parties`` map a security environment number
    (low nibble of an external-authentication condition) to the roles any of which fulfils it. ``extended``: this card
    takes long APDUs.
    """

    family: str
    atr: bytes
    volumes: Mapping[str, DedicatedFile]
    secrets: tuple[CardSecret, ...]
    keys: tuple[CardKey, ...]
    algorithms: tuple[Algorithm, ...]
    environments: Mapping[int, Collection[str]]
    interface: Interface = Interface.CONTACT
    channels: Mapping[int, str | None] = field(default_factory=dict)
    applications: Mapping[str, ApplicationLife] = field(default_factory=dict)
    anchors: tuple[Anchor, ...] = ()
    parties: Mapping[int, Collection[str]] = field(default_factory=dict)
    extended: bool = False

    def rule(self, item: CardSecret | CardKey | PublicHalf) -> bytes:
        """The access rule of a secret, key or public half that holds on this interface, compact format."""
        if self.interface is Interface.CONTACTLESS and item.contactless_acl is not None:
            return item.contactless_acl
        return item.acl
