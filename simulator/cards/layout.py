"""The description of a card family: where its files lie and who may do what, as data (``<family>/layout.yaml``).

A layout plus contents (bytes by file name), codes and keys gives a ``CardImage``; a file without content is not on
the card. What a layout holds that is a guess can be replaced for one card: see ``Layout.changed``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from bifente.ground.shipped import shipped
from bifente.simulator.iso7816.access import ALWAYS, NEVER, AccessRule, FileOperation
from bifente.simulator.iso7816.image import (
    Algorithm,
    Anchor,
    ApplicationLife,
    CardImage,
    CardKey,
    CardSecret,
    DedicatedFile,
    Digest,
    ElementaryFile,
    Interface,
    KeyUse,
    PublicHalf,
    Scheme,
)


def _hex(value: object) -> object:
    return bytes.fromhex(value) if isinstance(value, str) else value


def _access_rule(value: bytes) -> bytes:
    AccessRule.parse(value)
    return value


def _number(value: object) -> object:
    # Suites keep 0x81 as text: there it is how bytes are written.
    return int(value, 16) if isinstance(value, str) and value.startswith("0x") else value


HexBytes = Annotated[bytes, BeforeValidator(_hex)]
Reference = Annotated[int, BeforeValidator(_number)]
AccessBytes = Annotated[HexBytes, AfterValidator(_access_rule)]
Fidelity = Literal["documented", "observed", "modelled"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OtherAtr(_Model):
    """An Answer To Reset and what it rests on."""

    value: HexBytes
    fidelity: Fidelity


class AtrRule(OtherAtr):
    """The usual Answer To Reset of an interface, and by name the others that cards of the family may have."""

    others: Mapping[str, OtherAtr] = {}

    def named(self, name: str | None) -> bytes:
        """One of them, the usual one for None. KeyError if there is none of this name."""
        return self.value if name is None else self.others[name].value


class ChannelRule(_Model):
    """What runs on a logical channel after a reset: nothing on one that is closed."""

    application: str | None = None
    fidelity: Fidelity


class ApplicationRule(_Model):
    """How an application lives on the logical channels (see ``bifente.simulator.iso7816.image.Application``)."""

    exclusive: bool = False
    forgets: bool = False
    fidelity: Fidelity


class SecretRule(_Model):
    """A PIN or PUK before it has a value. ``contactless`` is its access rule there, the same as ``acl`` if absent.

    ``tells_verified``: whether an empty VERIFY says that the code was presented, or tells the tries left all the same.
    """

    reference: Reference
    tries: int
    min: int
    max: int
    acl: AccessBytes
    fidelity: Fidelity
    uses: int | None = None
    contactless: AccessBytes | None = None
    tells_verified: bool = True


class AccessRules(_Model):
    """Access rules of an object by interface, ISO 7816-4 compact format.

    Without contact nothing is allowed by default.
    """

    contact: AccessBytes
    contactless: AccessBytes = b"\x00"


class KeyRule(_Model):
    """A private key slot. ``contactless`` is its access rule there, the same as ``acl`` if absent; ``folder`` names the
    DF in which alone it is known; ``public`` has the access rules of the object that gives its public half, if any.
    """

    reference: Reference
    mse: Reference
    non_repudiation: bool
    acl: AccessBytes
    fidelity: Fidelity
    contactless: AccessBytes | None = None
    folder: str | None = None
    public: AccessRules | None = None


class AlgorithmRule(_Model):
    """A line of the algorithm table."""

    reference: Reference
    operation: KeyUse
    digest: Digest | None = None
    scheme: Scheme = Scheme.PKCS1


class FileRule(_Model):
    """One file, or a series of ``count`` files with consecutive identifiers and a numbered name.

    ``only`` hides a file, or a folder and all in it, from the other interface. ``size`` is that of the file in bytes,
    its content being ended by zeros; without it a file is as long as its content.
    """

    path: Annotated[str, Field(pattern=r"^[0-9A-F]{4}(/[0-9A-F]{4})*$")]
    name: str
    rule: str
    fidelity: Fidelity
    aid: str | None = None
    sfi: int | None = None
    size: Annotated[int, Field(ge=0, le=0x7FFF)] | None = None
    count: int = 1
    only: Interface | None = None

    def members(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """(name, path as file identifiers from the MF) of each file of the series; one if it is no series."""
        path = tuple(int(part, 16) for part in self.path.split("/"))
        for index in range(self.count):
            yield self.name.format(index + 1), (*path[:-1], path[-1] + index)


class Layout(_Model):
    """A card family's layout. The first of the ``volumes`` is that of the side clients work with; ``extended``: its
    cards take long APDUs.
    """

    family: str
    atr: Mapping[Interface, AtrRule]
    aids: Mapping[str, HexBytes]
    channels: Mapping[int, ChannelRule] = {}
    applications: Mapping[str, ApplicationRule] = {}
    environments: Mapping[int, tuple[str, ...]]
    parties: Mapping[int, tuple[str, ...]] = {}
    extended: bool = False
    key_sizes: tuple[int, ...]
    secrets: Mapping[str, SecretRule]
    keys: Mapping[str, KeyRule]
    algorithms: tuple[AlgorithmRule, ...]
    rules: Mapping[str, AccessRules]
    volumes: Mapping[str, tuple[FileRule, ...]]

    def __hash__(self) -> int:
        """By the family alone: layouts are few, and most of what one holds cannot be hashed."""
        return hash(self.family)

    @classmethod
    def load(cls, family: str) -> Layout:
        """The layout of a family of this package. Raises FileNotFoundError for an unknown family."""
        return cls.model_validate(shipped(__package__, family, "layout.yaml"))

    @classmethod
    def of(cls, package: str) -> Layout:
        """Return the ``layout.yaml`` of a package. Raise FileNotFoundError."""
        return cls.model_validate(shipped(package, "layout.yaml"))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Refuse what no card could be."""
        unique: dict[str, list[Any]] = {
            "secrets have one reference": [rule.reference for rule in self.secrets.values()],
            "keys have one MSE reference": [rule.mse for rule in self.keys.values()],
            "algorithms have one reference": [rule.reference for rule in self.algorithms],
        }
        for volume, files in self.volumes.items():
            unique[f"files of {volume} have one path"] = [path for rule in files for _, path in rule.members()]
        for what, values in unique.items():
            if len(set(values)) != len(values):
                raise ValueError(f"two {what}")
        named = {rule.application for rule in self.channels.values()} | set(self.applications)
        if lost := {rule.folder for rule in self.keys.values()} - {None, *self.paths}:
            raise ValueError(f"no folder of a {self.family} is named {', '.join(sorted(map(str, lost)))}")
        if unknown := named - {None, *self.volumes}:
            raise ValueError(f"no application of a {self.family} is named {', '.join(sorted(map(str, unknown)))}")
        return self

    def changed(self, changes: Mapping[str, Any]) -> Layout:
        """The same with some values replaced: mappings are merged, files found by their names.

        Whatever is replaced is a choice of this card: it is marked "modelled" unless the change says otherwise.
        Raises ValidationError if the result is no layout.
        """
        return Layout.model_validate(_merged(self.model_dump(exclude_unset=True), changes)) if changes else self

    def moved(self, folder: str, to: str) -> Layout:
        """The same with a folder, and all below it, elsewhere (paths as in the data). Raises ValidationError."""
        data = self.model_dump(exclude_unset=True)
        for files in data["volumes"].values():
            for file in files:
                if f"{file['path']}/".startswith(f"{folder}/"):
                    file["path"] = to + file["path"][len(folder) :]
        return Layout.model_validate(data)

    @property
    def main(self) -> str:
        """The volume of the side that clients work with."""
        return next(iter(self.volumes))

    def names(self, volume: str) -> tuple[str, ...]:
        """The files of a volume, in the order of the layout. KeyError if unknown."""
        return tuple(name for rule in self.volumes[volume] for name, _ in rule.members())

    def size(self, name: str) -> int | None:
        """The size of a file in bytes if it is fixed, None if it is that of its content. KeyError if unknown."""
        return self._members[name].size

    def allows(self, name: str, operation: FileOperation, interface: Interface = Interface.CONTACT) -> int:
        """The condition of an operation on a file: 00 always, FF never. KeyError for an unknown file."""
        rule = self.rules[self._members[name].rule]
        raw = rule.contact if interface is Interface.CONTACT else rule.contactless
        return AccessRule.parse(raw).condition(operation)

    def is_free(self, name: str, interface: Interface = Interface.CONTACT) -> bool:
        """Whether a file is read without any code."""
        return self.allows(name, FileOperation.READ, interface) == ALWAYS

    def is_modifiable(self, name: str, interface: Interface = Interface.CONTACT) -> bool:
        """Whether a file is ever rewritten by its holder."""
        return self.allows(name, FileOperation.UPDATE, interface) != NEVER

    @cached_property
    def _members(self) -> Mapping[str, FileRule]:
        return {name: rule for files in self.volumes.values() for rule in files for name, _ in rule.members()}

    @cached_property
    def paths(self) -> Mapping[str, tuple[int, ...]]:
        """Path (file identifiers from the MF) of every file by its name, all volumes."""
        return {name: path for files in self.volumes.values() for rule in files for name, path in rule.members()}

    @cached_property
    def _volumes(self) -> Mapping[str, str]:
        # A name in two volumes is that of the first.
        files = [(rule, volume) for volume, rules in self.volumes.items() for rule in rules]
        pairs = [(name, volume) for rule, volume in files for name, _path in rule.members()]
        return dict(reversed(pairs))

    def path(self, name: str) -> bytes:
        """The absolute path of a file as PKCS#15 writes it: ``3F00`` first, two bytes a file. KeyError if unknown."""
        return b"".join(fid.to_bytes(2, "big") for fid in self.paths[name])

    def volume(self, name: str) -> str:
        """The volume a file lies in. KeyError if unknown."""
        return self._volumes[name]

    def fill(
        self,
        *,
        contents: Mapping[str, bytes],
        codes: Mapping[str, bytes],
        keys: Mapping[str, RSAPrivateKey],
        interface: Interface | Literal["contact", "contactless"] = Interface.CONTACT,
        tries_left: Mapping[str, int] | None = None,
        uses_left: Mapping[str, int] | None = None,
        consent: Collection[str] = (),
        atr: str | None = None,
        anchors: tuple[Anchor, ...] = (),
    ) -> CardImage:
        """The image of one card.

        ``contents`` maps file names to bodies, ``codes`` secret names to values, ``keys`` key names to private keys.
        ``tries_left`` and ``uses_left`` by secret name give a card that has already lived (0 tries: blocked);
        ``consent`` names the keys that want the code anew for each signature (CARD-CPS3-62); ``atr`` one of the
        interface's others; ``anchors`` are the authorities whose certificates it believes. Raises ValueError for a name
        the layout does not have, or a code or content of a wrong length.
        """
        tries, uses = tries_left or {}, uses_left or {}
        for kind, given, known in (
            ("file", contents, self.paths),
            ("code", {*codes, *tries, *uses}, self.secrets),
            ("key", {*keys, *consent}, self.keys),
            ("interface", {interface}, self.atr),
            ("ATR", {atr} - {None}, self.atr[Interface(interface)].others if interface in self.atr else ()),
        ):
            if unknown := set(given) - set(known):
                raise ValueError(f"the {self.family} layout has no {kind} named {', '.join(sorted(map(str, unknown)))}")
        for name, value in codes.items():
            rule = self.secrets[name]
            if not rule.min <= len(value) <= rule.max:
                raise ValueError(f"{name} has {len(value)} bytes; {self.family} takes {rule.min} to {rule.max}")
        return CardImage(
            family=self.family,
            atr=self.atr[Interface(interface)].named(atr),
            volumes={name: self._tree(files, contents) for name, files in self.volumes.items()},
            secrets=tuple(
                replace(self._secret(name, codes[name]), tries_left=tries.get(name), uses_left=uses.get(name))
                for name in self.secrets
                if name in codes
            ),
            keys=tuple(self._key(name, keys[name], name in consent) for name in self.keys if name in keys),
            algorithms=tuple(Algorithm(a.reference, a.operation, a.digest, a.scheme) for a in self.algorithms),
            environments=self.environments,
            interface=Interface(interface),
            channels={number: rule.application for number, rule in self.channels.items()},
            applications={
                name: ApplicationLife(rule.exclusive, rule.forgets) for name, rule in self.applications.items()
            },
            anchors=anchors,
            parties=self.parties,
            extended=self.extended,
        )

    def _secret(self, name: str, value: bytes) -> CardSecret:
        rule = self.secrets[name]
        return CardSecret(
            name,
            rule.reference,
            value,
            rule.tries,
            rule.min,
            rule.max,
            rule.acl,
            rule.uses,
            contactless_acl=rule.contactless,
            tells_verified=rule.tells_verified,
        )

    def _key(self, name: str, private_key: RSAPrivateKey, consent: bool) -> CardKey:
        rule = self.keys[name]
        return CardKey(
            name,
            rule.reference,
            rule.mse,
            private_key,
            rule.acl,
            rule.non_repudiation,
            consent,
            contactless_acl=rule.contactless,
            folder="/".join(f"{part:04X}" for part in self.paths[rule.folder]) if rule.folder else None,
            public=PublicHalf(rule.public.contact, rule.public.contactless) if rule.public else None,
        )

    def _tree(self, files: tuple[FileRule, ...], contents: Mapping[str, bytes]) -> DedicatedFile:
        members = [(name, path, rule) for rule in files for name, path in rule.members()]

        folders = {path[:depth] for _, path, _ in members for depth in range(len(path))}

        def build(name: str, path: tuple[int, ...], rule: FileRule) -> DedicatedFile | ElementaryFile | None:
            acl = self.rules[rule.rule]
            if rule.aid is None and path not in folders:
                body = contents.get(name)
                if body is None:
                    return None
                if rule.size is not None and len(body) > rule.size:
                    raise ValueError(f"{name} has {len(body)} bytes; its file holds {rule.size}")
                body = body.ljust(rule.size or 0, b"\0")
                return ElementaryFile(path[-1], name, body, acl.contact, acl.contactless, rule.sfi, rule.only)
            below = (build(*member) for member in members if member[1][:-1] == path)
            aid = self.aids[rule.aid] if rule.aid else None
            return DedicatedFile(path[-1], name, acl.contact, tuple(file for file in below if file), aid, rule.only)

        root = build(*members[0])
        if not isinstance(root, DedicatedFile):
            raise ValueError(f"the first file of a volume of {self.family} must be its MF")
        return root


def _merged(old: Mapping[Any, Any], changes: Mapping[Any, Any]) -> dict[Any, Any]:
    result = {**old, **({"fidelity": "modelled"} if "fidelity" in old else {})}
    for key, value in changes.items():
        before = result.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            value = _merged(before, value)
        elif isinstance(before, Sequence) and isinstance(value, Sequence) and _named(before) and _named(value):
            value = _merged_by_name(before, value)
        result[key] = value
    return result


def _named(items: Sequence[Any]) -> bool:
    return bool(items) and all(isinstance(item, Mapping) and "name" in item for item in items)


def _merged_by_name(old: Sequence[Mapping[Any, Any]], changes: Sequence[Mapping[Any, Any]]) -> list[Mapping[Any, Any]]:
    result = {item["name"]: item for item in old}
    for item in changes:
        result[item["name"]] = _merged(result.get(item["name"], {}), item)
    return list(result.values())
