"""ChannelOrders by which the world acts: steps of the domains, carried out on the scene of a live bench."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError

from bifente.conformance.bench.scene import Act, Scene
from bifente.conformance.domain import DomainError, domains
from bifente.conformance.loading import InputError, nearest
from bifente.conformance.observation.channel.answers import CarriedOut, OrderRefusedError, Refused
from bifente.conformance.scenario.step import Step
from bifente.conformance.scenario.steps import steps
from bifente.conformance.targets.base import GuardRefusalError, ImpossibleStepError, ScardError
from bifente.ground.french import in_both
from bifente.ground.text import Text
from bifente.simulator.fault import FaultError
from bifente.simulator.readers import SlotError

SLOT = "slot"


@cache
def worldly() -> Mapping[str, type[Step]]:
    """Return what the world does under each order's name. Raise DomainError."""
    found: dict[str, type[Step]] = {}
    known = steps()
    for domain in domains():
        for order, step in domain.orders.items():
            if step not in known:
                raise DomainError(f"the domain {domain.name!r}: its order {order!r} names no step: {step!r}")
            if order in found:
                raise DomainError(f"the domain {domain.name!r}: the order {order!r} is another domain's already")
            found[order] = known[step]
    return found


def carry_out(order: str, given: Mapping[str, Any], scene: Scene) -> CarriedOut:
    """Carry one out. Raise OrderRefusedError."""
    kind = worldly()[order]
    arguments = dict(given)
    role = arguments.pop(SLOT, None) or scene.main or next(iter(scene.bench.names), "")
    if role not in scene.bench.names:
        raise OrderRefusedError(
            Refused.WRONG,
            Text(f"aucune fente ne s'appelle {role!r}", f"no slot is called {role!r}"),
            nearest(str(role), scene.bench.names),
        )
    step = _read(kind, order, arguments)
    act = Act(scene, str(role))
    for needed in sorted(kind.needs, key=lambda facet: facet.key):
        if scene.bench.facets.find(needed) is None:
            raise OrderRefusedError(Refused.IMPOSSIBLE, needed.lacking)
    try:
        observed = step.run(act)
    except (GuardRefusalError, ImpossibleStepError) as error:
        raise OrderRefusedError(Refused.IMPOSSIBLE, error.why) from None
    except InputError as error:
        raise OrderRefusedError(Refused.WRONG, Text(error.say("fr"), str(error))) from None
    except (ScardError, SlotError, FaultError, ValueError) as error:
        raise OrderRefusedError(Refused.IMPOSSIBLE, in_both(error)) from None
    scene.bench.settle()
    return CarriedOut(kind.title, {SLOT: role, "observed": {key: str(value) for key, value in observed.values.items()}})


def _read(kind: type[Step], order: str, arguments: Mapping[str, Any]) -> Step:
    try:
        return kind.model_validate(arguments)
    except ValidationError as error:
        raise wrong(order, error, {*(info.alias or name for name, info in kind.model_fields.items()), SLOT}) from None


def wrong(order: str, error: ValidationError, known: set[str]) -> OrderRefusedError:
    """Return the first mistake of an order as written, in words."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        why = Text(f"{order} ne connaît pas {place!r}", f"{order} does not know {place!r}")
        return OrderRefusedError(Refused.WRONG, why, nearest(place, known))
    if first["type"] == "missing":
        return OrderRefusedError(Refused.WRONG, Text(f"{order} attend {place}", f"{order} wants {place}"))
    message = first["msg"].removeprefix("Value error, ")
    return OrderRefusedError(Refused.WRONG, Text.same(f"{place}: {message}" if place else message))
