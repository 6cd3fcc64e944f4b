"""The room of faults of the provider, found by its entry point; it imports no provider."""

from __future__ import annotations

from bifente.ground.text import Text
from bifente.simulator.fault import FaultRoom

ROOM = FaultRoom(
    name="psc",
    title=Text("Pro Santé Connect", "Pro Santé Connect"),
    rows="bifente.simulator.services.psc:faults.yaml",
    injector="bifente.simulator.services.psc.faults:make",
    mechanisms=frozenset({"trouble"}),
    places=frozenset({"teleservice"}),
    aimed=frozenset({"trouble"}),
)
