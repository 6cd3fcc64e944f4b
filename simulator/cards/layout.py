"""The description of a card family: where its files lie and who may do what, as data (``<family>/layout.yaml``).

A layout plus contents (bytes by file name), codes and keys gives a ``CardImage``; a file without content is not on
the card.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from importlib import resources
from typing import Annotated, Literal

import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from simulator.iso7816.image import (
    Algorithm,
    CardImage,
    DedicatedFile,
    Digest,
    ElementaryFile,
    Interface,
    Key,
    KeyUse,
    Secret,
)


def _hex(value: object) -> object:
    return bytes.fromhex(value) if isinstance(value, str) else value


HexBytes = Annotated[bytes, BeforeValidator(_hex)]
Fidelity = Literal["documented", "observed", "modelled"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Atr(_Model):
    """An Answer To Reset and what it rests on."""

    value: HexBytes
    fidelity: Fidelity


class SecretRule(_Model):
    """A PIN or PUK before it has a value. ``contactless`` is its access rule there, the same as ``acl`` if absent."""

    reference: int
    tries: int
    min: int
    max: int
    acl: HexBytes
    fidelity: Fidelity
    uses: int | None = None
    contactless: HexBytes | None = None


class KeyRule(_Model):
    """A private key slot. ``contactless`` is its access rule there, the same as ``acl`` if absent."""

    reference: int
    mse: int
    non_repudiation: bool
    acl: HexBytes
    fidelity: Fidelity
    contactless: HexBytes | None = None


class AlgorithmRule(_Model):
    """A line of the algorithm table."""

    reference: int
    operation: KeyUse
    digest: Digest | None = None


class Rule(_Model):
    """Access rules of a file by interface, ISO 7816-4 compact format."""

    contact: HexBytes
    contactless: HexBytes


class FileRule(_Model):
    """One file, or a series of ``count`` files with consecutive identifiers and a numbered name.

    ``only`` hides a folder and all in it from the other interface.
    """

    path: Annotated[str, Field(pattern=r"^[0-9A-F]{4}(/[0-9A-F]{4})*$")]
    name: str
    rule: str
    fidelity: Fidelity
    aid: str | None = None
    sfi: int | None = None
    count: int = 1
    only: Interface | None = None

    def members(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """(name, path as file identifiers from the MF) of each file of the series; one if it is no series."""
        path = tuple(int(part, 16) for part in self.path.split("/"))
        for index in range(self.count):
            yield self.name.format(index + 1), (*path[:-1], path[-1] + index)


class Layout(_Model):
    """A card family's layout."""

    family: str
    atr: Mapping[Interface, Atr]
    aids: Mapping[str, HexBytes]
    environments: Mapping[int, str]
    secrets: Mapping[str, SecretRule]
    keys: Mapping[str, KeyRule]
    algorithms: tuple[AlgorithmRule, ...]
    rules: Mapping[str, Rule]
    volumes: Mapping[str, tuple[FileRule, ...]]

    @classmethod
    def load(cls, family: str) -> Layout:
        """The layout of a family of this package. Raises FileNotFoundError for an unknown family."""
        text = resources.files(__package__).joinpath(family, "layout.yaml").read_text(encoding="utf-8")
        return cls.model_validate(yaml.safe_load(text))

    @cached_property
    def paths(self) -> Mapping[str, tuple[int, ...]]:
        """Path (file identifiers from the MF) of every file by its name, all volumes."""
        return {name: path for files in self.volumes.values() for rule in files for name, path in rule.members()}

    def path(self, name: str) -> bytes:
        """The absolute path of a file as PKCS#15 writes it: ``3F00`` first, two bytes a file. KeyError if unknown."""
        return b"".join(fid.to_bytes(2, "big") for fid in self.paths[name])

    def volume(self, name: str) -> str:
        """The volume a file lies in. KeyError if unknown."""
        for volume, files in self.volumes.items():
            if any(name == member for rule in files for member, _path in rule.members()):
                return volume
        raise KeyError(name)

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
    ) -> CardImage:
        """The image of one card.

        ``contents`` maps file names to bodies, ``codes`` secret names to values, ``keys`` key names to private keys.
        ``tries_left`` and ``uses_left`` by secret name give a card that has already lived (0 tries: blocked);
        ``consent`` names the keys that want the code anew for each signature (CARD-CPS3-62). Raises ValueError for a
        name the layout does not have, or a code of a wrong length.
        """
        tries, uses = tries_left or {}, uses_left or {}
        for kind, given, known in (
            ("file", contents, self.paths),
            ("code", {*codes, *tries, *uses}, self.secrets),
            ("key", {*keys, *consent}, self.keys),
        ):
            if unknown := set(given) - set(known):
                raise ValueError(f"the {self.family} layout has no {kind} named {', '.join(sorted(unknown))}")
        for name, value in codes.items():
            rule = self.secrets[name]
            if not rule.min <= len(value) <= rule.max:
                raise ValueError(f"{name} has {len(value)} bytes; {self.family} takes {rule.min} to {rule.max}")
        return CardImage(
            family=self.family,
            atr=self.atr[Interface(interface)].value,
            volumes={name: self._tree(files, contents) for name, files in self.volumes.items()},
            secrets=tuple(
                replace(self._secret(name, codes[name]), tries_left=tries.get(name), uses_left=uses.get(name))
                for name in self.secrets
                if name in codes
            ),
            keys=tuple(self._key(name, keys[name], name in consent) for name in self.keys if name in keys),
            algorithms=tuple(Algorithm(a.reference, a.operation, a.digest) for a in self.algorithms),
            environments=self.environments,
            interface=Interface(interface),
        )

    def _secret(self, name: str, value: bytes) -> Secret:
        rule = self.secrets[name]
        return Secret(
            name,
            rule.reference,
            value,
            rule.tries,
            rule.min,
            rule.max,
            rule.acl,
            rule.uses,
            contactless_acl=rule.contactless,
        )

    def _key(self, name: str, private_key: RSAPrivateKey, consent: bool) -> Key:
        rule = self.keys[name]
        return Key(
            name,
            rule.reference,
            rule.mse,
            private_key,
            rule.acl,
            rule.non_repudiation,
            consent,
            contactless_acl=rule.contactless,
        )

    def _tree(self, files: tuple[FileRule, ...], contents: Mapping[str, bytes]) -> DedicatedFile:
        members = [(name, path, rule) for rule in files for name, path in rule.members()]

        def folder(path: tuple[int, ...]) -> bool:
            return any(len(other) > len(path) and other[: len(path)] == path for _, other, _ in members)

        def build(name: str, path: tuple[int, ...], rule: FileRule) -> DedicatedFile | ElementaryFile | None:
            acl = self.rules[rule.rule]
            if rule.aid is None and not folder(path):
                body = contents.get(name)
                if body is None:
                    return None
                return ElementaryFile(path[-1], name, body, acl.contact, acl.contactless, rule.sfi)
            below = (build(*member) for member in members if member[1][:-1] == path)
            aid = self.aids[rule.aid] if rule.aid else None
            return DedicatedFile(path[-1], name, acl.contact, tuple(file for file in below if file), aid, rule.only)

        root = build(*members[0])
        if not isinstance(root, DedicatedFile):
            raise ValueError(f"the first file of a volume of {self.family} must be its MF")
        return root
