"""Faults of the services strike, give the code they promise, and leave nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

import pytest
from cloud_tools import Cloud
from frontal_bench import Bench as FrontEnd

from bifente.ground.clock import VirtualClock
from bifente.simulator.fault import MissingPartError
from bifente.simulator.faults import catalogue, fault, inject
from bifente.simulator.middleware.apcv import ApcvError
from bifente.simulator.services.apcv import ApcvService
from bifente.simulator.services.frontal.faults import Trouble
from bifente.simulator.serving.service import ServiceError

T = TypeVar("T")


class Having:
    """A bench that has these parts."""

    def __init__(self, *things: Any) -> None:
        self.things = things

    def part(self, kind: type[T]) -> T:
        for thing in self.things:
            if isinstance(thing, kind):
                return thing
        raise MissingPartError(f"a {kind.__name__}")


def cloudfsv() -> tuple[Any, Callable[[], Any]]:
    cloud = Cloud()
    return cloud.served, lambda: {"http": cloud.call().status_code}


def apcv() -> tuple[Any, Callable[[], Any]]:
    service = ApcvService(VirtualClock(), random=Random(1).randbytes)

    def met() -> Any:
        try:
            service.challenge()
        except ApcvError as error:
            return {"word": error.refusal.value, "ssv-vitale": f"{error.refusal.code:04X}"}
        return {}

    return service, met


@pytest.mark.parametrize(
    ("identifier", "made", "sound"),
    [("cloudfsv-unavailable", cloudfsv, {"http": 200}), ("apcv-service-unreachable", apcv, {})],
)
def test_a_service_gives_what_its_fault_promises_and_is_sound_again(
    identifier: str, made: Callable[[], tuple[Any, Callable[[], Any]]], sound: Any
) -> None:
    service, met = made()
    assert met() == sound
    undo = inject(fault(identifier), Having(service))
    assert met() == fault(identifier).facts()
    undo()
    assert met() == sound


def test_no_fault_of_these_services_is_left_out() -> None:
    rows = {one.id for one in catalogue().values() if one.room in ("cloudfsv", "apcv")}
    assert rows == {"cloudfsv-unavailable", "apcv-service-unreachable"}
    assert rows & Cloud().served.offered == {"cloudfsv-unavailable"}


@pytest.mark.parametrize("identifier", sorted(Trouble))
def test_a_fault_of_the_front_end_is_suffered_and_taken_away(identifier: str) -> None:
    frontal = FrontEnd().frontal
    frontal.strike(Trouble.DOWN)
    undo = inject(fault(identifier), Having(frontal))
    assert frontal.troubles == {Trouble.DOWN, identifier}
    undo()
    assert identifier not in frontal.troubles
    frontal.suffer()
    assert frontal.state() == {"bodies": [], "test": True, "encrypted-only": False, "returns": 0}
    with pytest.raises(ServiceError, match="no fault 'rain'"):
        frontal.suffer("rain")
    assert {one.id for one in catalogue().values() if one.room == "frontal"} == frontal.offered
