"""The room of faults of INSi, found by its entry point; it imports no service."""

from __future__ import annotations

from bifente.ground.text import Text
from bifente.simulator.fault import FaultRoom

ROOM = FaultRoom(
    name="insi",
    title=Text("Téléservice INSi", "INSi teleservice"),
    rows="bifente.simulator.services.insi:faults.yaml",
    injector="bifente.simulator.services.insi.faults:make",
    mechanisms=frozenset({"trouble"}),
    places=frozenset({"teleservice"}),
)
