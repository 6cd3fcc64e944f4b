"""What every card made of one image has in common and never changes: trees, rules, keys, the memory it starts with.

Worked out once for an image, for the same card is given life anew in each scenario.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from bifente.simulator.iso7816.access import AccessRule
from bifente.simulator.iso7816.applications import Applications
from bifente.simulator.iso7816.atr import Atr
from bifente.simulator.iso7816.family import Family
from bifente.simulator.iso7816.files import FileSystem, ImageError
from bifente.simulator.iso7816.image import Algorithm, CardImage
from bifente.simulator.iso7816.memory import CardMemory
from bifente.simulator.iso7816.rsa import RsaKey

_MAX_TRIES = 15


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The fixed part of a card. ``volumes`` are file systems by side; rules and keys are by the name of their object.

    ``strict_lengths``: the card speaks T=0 alone, where Le is not always sent.
    """

    volumes: Mapping[str, FileSystem]
    applications: Applications
    secret_rules: Mapping[str, AccessRule]
    key_rules: Mapping[str, AccessRule]
    public_rules: Mapping[str, AccessRule]
    keys: Mapping[str, RsaKey] = field(repr=False)
    algorithms: Mapping[int, Algorithm]
    strict_lengths: bool
    memory: CardMemory = field(repr=False)
    """As it comes out of personalisation."""


_KNOWN: WeakKeyDictionary[CardImage, tuple[Family, Blueprint]] = WeakKeyDictionary()
"""Those of the images that somebody still has. None holds its image: it is gone, keys and codes too, with the image."""


def blueprint(image: CardImage, family: Family) -> Blueprint:
    """Return what an image gives to every card of a family.

    Raise ImageError, AccessRuleError, AtrError or CardMemoryError for an image that cannot be a card.
    """
    known = _KNOWN.get(image)
    if known is None or known[0] is not family:
        known = _KNOWN[image] = family, _drawn(image, family)
    return known[1]


def _drawn(image: CardImage, family: Family) -> Blueprint:
    _check(image)
    memory = CardMemory.personalised(image)
    memory.check(image)
    sides = {side.name: side for side in family.applications}
    sides |= {entry.side.name: entry.side for entry in family.classes.values() if entry.side}
    volumes = {
        name: FileSystem.build(side.volume, tree, image.interface, side.describe)
        for name, side in sides.items()
        if (tree := image.volumes.get(side.volume)) and tree.only in (None, image.interface)
    }
    return Blueprint(
        volumes=volumes,
        applications=Applications(image, (side for side in family.applications if side.name in volumes)),
        secret_rules={secret.name: AccessRule.parse(image.rule(secret)) for secret in image.secrets},
        key_rules={key.name: AccessRule.parse(image.rule(key)) for key in image.keys},
        public_rules={key.name: AccessRule.parse(image.rule(key.public)) for key in image.keys if key.public},
        keys={key.name: RsaKey(key.private_key) for key in image.keys},
        algorithms={algorithm.reference: algorithm for algorithm in image.algorithms},
        # A reader that may choose T=1 does; then Le is always sent and data come with the status word (PCSC-04).
        strict_lengths=1 not in Atr.parse(image.atr).protocols,
        memory=memory,
    )


def _check(image: CardImage) -> None:
    for what, values in (
        ("secrets have one reference", [secret.reference for secret in image.secrets]),
        ("secrets have one name", [secret.name for secret in image.secrets]),
        ("keys have one MSE reference", [key.mse_reference for key in image.keys]),
        ("keys have one SDO number", [key.reference for key in image.keys]),
        ("keys have one name", [key.name for key in image.keys]),
        ("algorithms have one reference", [algorithm.reference for algorithm in image.algorithms]),
    ):
        if len(set(values)) != len(values):
            raise ImageError(f"two {what}")
    for secret in image.secrets:
        tries = secret.max_tries if secret.tries_left is None else secret.tries_left
        if not 1 <= secret.max_tries <= _MAX_TRIES or not 0 <= tries <= secret.max_tries:
            raise ImageError(
                f"{secret.name} has {tries} tries left of {secret.max_tries}; a counter is 1 to {_MAX_TRIES}"
            )
        if not secret.min_length <= len(secret.value) <= secret.max_length:
            raise ImageError(f"{secret.name} has a value shorter or longer than its rule says")
