"""How one release of the Cryptolib behaves, where releases differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class CachedCertificate:
    """What the cache holds of a card: a certificate by the name of its key; ``sound`` unless its bytes were altered."""

    certificates: Mapping[str, bytes]
    sound: bool = True


@dataclass(frozen=True, slots=True)
class CryptolibTraits:
    """The newest behaviour; a rule turns single traits back. The number is that of the published correction.

    ``cps4`` 1714/1720: cards of that family are known. ``resumes`` 1722: a CPS4 busy elsewhere (6985) is taken up.
    ``ignores-altered-cache`` 1102. ``cache-folder-needed`` 1199. ``shows-exhausted`` 1175: a card that can no longer be
    unblocked is still a token. ``survives-reset`` 1097: Windows goes on after a reset by another program.
    ``tells-removal`` 1460, 1573, 1574: a removed card is CKR_TOKEN_NOT_PRESENT. ``signs-ready-hash`` 1454, 1463, 1465.
    ``encrypts`` 1715, 1716. ``finds-cards`` 814, 1484, 1488: the reader that it goes through is met.
    ``reopens`` 1589, 1598, 1605: a reader that was silent for a while is taken up again.
    """

    cps4: bool = True
    resumes: bool = True
    ignores_altered_cache: bool = True
    cache_folder_needed: bool = False
    shows_exhausted: bool = True
    survives_reset: bool = True
    tells_removal: bool = True
    signs_ready_hash: bool = True
    encrypts: bool = True
    finds_cards: bool = True
    reopens: bool = True
    cache: CachedCertificate | None = field(default=None, repr=False)
    cache_folder: bool = True

    def turned(self, trait: str, *, on: bool) -> CryptolibTraits:
        """Return the same with one trait set. Raise ValueError for no trait."""
        name = trait.replace("-", "_")
        if name not in TRAITS:
            raise ValueError(f"{trait!r} is no trait of the Cryptolib; known: {', '.join(sorted(TRAITS))}")
        changes: dict[str, Any] = {name: on}
        return replace(self, **changes)


TRAITS = frozenset(one.name for one in fields(CryptolibTraits) if one.name not in ("cache", "cache_folder"))
"""The names a rule may use, with ``-`` for ``_``."""
