"""The workstation of one scenario: its facts as steps change them, and the laboratory that brings it to life."""

from __future__ import annotations

from typing import Self

from bifente.conformance.bench.scene import Scene
from bifente.conformance.domains.support.journeys import Journey, Symptom
from bifente.conformance.domains.support.laboratory import PosteLaboratory
from bifente.simulator.workstation import Poste


class ScenePoste:
    """One workstation, fresh for each scenario. Its journeys run on benches of their own, on the day of the scene."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.poste = Poste(name="poste")
        self.laboratory = PosteLaboratory(scene.bench.workshop)

    @classmethod
    def of(cls, scene: Scene) -> Self:
        """Return the part of a scene."""
        return cls(scene)

    def go(self, journey: Journey) -> Symptom:
        """Run a journey of the workstation as it is now. Raise InputError."""
        scene = self._scene
        return self.laboratory.run(self.poste, journey, seed=scene.random.getrandbits(32), day=scene.bench.now().date())

    def close(self) -> None:
        """Close the benches."""
        self.laboratory.close()
