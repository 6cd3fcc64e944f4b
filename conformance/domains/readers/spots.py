"""The slot that a fault strikes, on a bench of virtual readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.facets import Insertion, OtherApplications, Personalisation, VirtualReaders
from bifente.conformance.bench.scene import Act
from bifente.conformance.model import CardChoice
from bifente.conformance.targets.base import ScardError
from bifente.conformance.targets.facets import ServiceControl
from bifente.simulator.fault import Undo
from bifente.simulator.middleware.patience import Patience, insist
from bifente.simulator.readers import Slot
from bifente.simulator.readers.faults import Spot

_SEEN_WITHIN = 3.0
"""Seconds a movement may take to be seen: pcscd polls every 0.4 s, and a bridge holds a card back for 0.5 s."""


def _spot(act: Act) -> Spot:
    readers = act.facet(VirtualReaders)
    slots = {role: readers.slot(role) for role in act.bench.names}
    return Spot(
        slot=slots[act.role],
        clock=act.bench.clock,
        chance=act.scene.random,
        slots=slots,
        rival=lambda share: readers.open(act.role, share),
        another_card=lambda parameters: _another_card(parameters, act),
        service=act.bench.facets.find(ServiceControl),
        settle=lambda: _settle(act.bench, slots),
        revive=lambda ended: _revive(act, ended=ended),
    )


def _settle(bench: Bench, slots: Mapping[str, Slot]) -> None:
    """Wait until the service has seen how the slots now stand; a service that is stopped sees nothing."""
    with suppress(ScardError):
        for role, slot in slots.items():
            bench.access.wait(bench.names[role], present=slot.answering is not None, timeout=_SEEN_WITHIN)


_SEEING = Patience(20, 0.1)


def _revive(act: Act, *, ended: bool) -> None:
    """Wait until the cards can be spoken to again, behind a pcscd.

    It looks at its slots every 0.4 s, and gives up a card that failed to reset until it is put in anew: so it is.
    """
    bench, readers, others = act.bench, act.facet(VirtualReaders), act.facet(OtherApplications)
    for role in bench.seated if bench.artefacts else ():
        if readers.slot(role).answering is None:
            continue
        try:
            if ended:
                insist(
                    _SEEING, bench.clock, partial(_reached, others, role), lambda error: isinstance(error, ScardError)
                )
            else:
                others.join(role).disconnect()
        except ScardError:
            hand = act.facet(Insertion)
            hand.remove(role)
            hand.insert(role)


def _reached(others: OtherApplications, role: str) -> None:
    """Speak to a card, not only to what the service remembers of it. Raises ScardError."""
    connection = others.join(role)
    try:
        connection.reset(cold=True)
    finally:
        connection.disconnect()


def _another_card(parameters: Mapping[str, Any], act: Act) -> Undo:
    making = act.facet(Personalisation)
    template = str(parameters.get("template") or act.card.facts["template"])
    choice = CardChoice.model_validate({"template": template, **parameters.get("parameters", {})})
    before = making.put(act.role, choice, act.scene.random)
    act.scene.hang_up(act.role)

    def undo() -> None:
        act.scene.hang_up(act.role)
        if before is not None:
            making.put_back(act.role, before)

    return undo


SPOTS: Mapping[type, Callable[[Act], Any]] = {Spot: _spot}
