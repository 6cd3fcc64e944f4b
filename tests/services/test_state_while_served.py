"""The state of a service is read by one thread while another serves, and what is served makes it grow."""

from __future__ import annotations

import threading
from collections.abc import Callable
from random import Random
from typing import Any

from dmp_bench import DmpLab

from bifente.ground.clock import VirtualClock
from bifente.simulator.pki.keystore import KeySource, MemoryKeys
from bifente.simulator.services.apcv import ApcvService
from bifente.simulator.services.psc.ecps import Activation, EcpsPlatform
from bifente.simulator.services.psc.service import PscService


class LookedAt:
    """Something that a service holds; the first time it is looked at, another thread serves to its end."""

    def __init__(self, serve: Callable[[], object], **fields: Any) -> None:
        self._serving: threading.Thread | None = threading.Thread(target=serve)
        self._fields = fields

    def __getattr__(self, name: str) -> Any:
        serving, self._serving = self._serving, None
        if serving is not None:
            serving.start()
            serving.join()
        return self._fields[name]


def test_a_record_is_opened_while_they_are_told(shared_keys: KeySource) -> None:
    lab = DmpLab(shared_keys)
    records: dict[str, Any] = lab.register.records
    records.clear()
    records["first"] = LookedAt(lambda: lab.open(lab.chart(2)), open=True, shelf=(), traces=(), notices=())
    assert set(lab.service.state()) == {"first"}
    assert len(records) == 2


def test_a_context_is_given_while_they_are_told() -> None:
    service = ApcvService(VirtualClock(), random=Random(1).randbytes, declare=lambda secret: None)
    held: dict[str, Any] = service._contexts
    held["first"] = LookedAt(lambda: held.update(second=held["first"]), end="20260101")
    assert service.state()["contexts"] == {"first": "20260101"}
    assert set(service.state()["contexts"]) == {"first", "second"}


def test_a_phone_is_enrolled_while_they_are_looked_through() -> None:
    platform = EcpsPlatform(VirtualClock(), lambda: "key", lambda digits: "1" * digits)
    phones: dict[str, Any] = platform.phones
    phones["first"] = LookedAt(lambda: platform.phone("second"), owner="1", activation=Activation.NONE)
    assert platform.phone_of("1") is None
    assert set(phones) == {"first", "second"}


def test_a_phone_is_enrolled_while_the_state_is_told() -> None:
    service = PscService(VirtualClock(), MemoryKeys(), Random(1))
    phones: dict[str, Any] = service.core.ecps.phones
    phones.clear()
    phones["first"] = LookedAt(
        lambda: service.core.ecps.phone("second"), device="first", owner="1", activation=Activation.NONE
    )
    assert set(service.state()["phones"]) == {"first"}
    assert set(phones) == {"first", "second"}
