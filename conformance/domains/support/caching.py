"""What the cache of the Cryptolib holds of the card of a scene: what was read before, or something else."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.serialization import Encoding

from bifente.conformance.model import CardChoice
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.middleware.cryptolib import CachedCertificate, CryptolibTraits

if TYPE_CHECKING:
    from bifente.conformance.domains.support.running import RunningPoste

_OLDER_SERIAL = "99000999"


def cached(running: RunningPoste, state: str) -> CryptolibTraits:
    """Return how the library behaves with such a cache.

    ``stale``: the certificates of an earlier card of the same holder, whose keys are others. ``altered``: bytes were
    changed. ``no-folder``: there is nowhere to write it.
    """
    if state == "no-folder":
        return replace(running.traits, cache_folder=False)
    bench = running.scene.bench
    template = running.poste.get("cps")
    older = {"template": template, "card": {"type": "CPS", "serial": _OLDER_SERIAL, "number": "9900000999"}}
    made = bench.workshop.personalised(CardChoice.model_validate(older), bench.now().date())
    certificates = (
        {name: one.public_bytes(Encoding.DER) for name, one in made.certificates.items()}
        if isinstance(made, PersonalisedCard)
        else {}
    )
    return replace(running.traits, cache=CachedCertificate(certificates, sound=state != "altered"))
