"""Workstations brought to life: each journey runs on fresh components, readers, cards and services of the bench."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterable
from datetime import date
from pathlib import Path
from typing import Self

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.choosing import load_readers
from bifente.conformance.bench.factory import BenchPool
from bifente.conformance.bench.scene import Scene
from bifente.conformance.domains.support.journeys import Journey, Symptom
from bifente.conformance.domains.support.running import RunningPoste
from bifente.conformance.domains.support.seating import seat
from bifente.conformance.options import RunOptions
from bifente.conformance.targets.messages import Messaged
from bifente.conformance.targets.pkcs11 import Called
from bifente.simulator.cards.dialogue import Exchanged
from bifente.simulator.workstation import Poste, PosteEffect

Told = Callable[[str, Exchanged | Called | Messaged], None]
"""Hears what passes between the workstation, its cards and its services."""


def _unheard(role: str, told: Exchanged | Called | Messaged) -> None:
    del role, told


class PosteLaboratory:
    """Runs journeys of workstations, one fresh scene of the bench for each. A context manager: closes what it opened.

    The same workstation, journey, seed and day give the same symptom.
    """

    def __init__(self, workshop: Workshop | None = None, keys: Path | None = None) -> None:
        self.workshop = workshop or Workshop.default(keys)
        self._pool = BenchPool(RunOptions(paths=()), self.workshop)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the benches."""
        self._pool.close()

    def run(
        self,
        poste: Poste,
        journey: Journey,
        *,
        seed: int = 1,
        day: date | None = None,
        without: Collection[str] = (),
        further: Iterable[PosteEffect] = (),
        told: Told | None = None,
    ) -> Symptom:
        """Run a journey to its end or to what stops it; ``without``: rules that do not hold this time, ``further``:
        effects beside those of the rules, ``told`` hears what is exchanged.

        Raise InputError for a card, reader or software that is not known.
        """
        # Asked for first: a pool keeps the name of a profile that it could not open, and opens no other afterwards.
        load_readers(poste.get("reader"))
        bench = self._pool.get(poste.get("reader"))
        chance = random.Random(seed)  # noqa: S311 - a dice for a bench
        seat(bench, poste, chance, day)
        scene = Scene(bench, chance, told or _unheard, lambda role, what: None)
        try:
            return RunningPoste(scene, poste, without, further).go(journey)
        finally:
            scene.close()
