"""What the tests of the readers share: a small card, a workstation with two readers, and who expects which code."""

from __future__ import annotations

from typing import Any

import pytest

from bifente.ground.clock import VirtualClock
from bifente.simulator.pcsc.echo import EchoCard
from bifente.simulator.readers import PcscCode, PcscService, Reader, ScardError

SELECT = bytes.fromhex("00A40000023F00")


class Specimen(EchoCard):
    """An echo card with an answer of its own, that knows what was done to it."""

    def __init__(self, mark: bytes = b"") -> None:
        super().__init__(mark)
        self.powered = False
        self.history: list[str] = []

    def power_on(self) -> bytes:
        self.powered = True
        self.history.append("on")
        return super().power_on()

    def power_off(self) -> None:
        self.powered = False
        self.history.append("off")

    def reset(self) -> bytes:
        self.history.append("reset")
        return super().reset()


def workstation(*slots: int, names: tuple[str, ...] = ("TL", "XL")) -> tuple[PcscService, list[Reader], VirtualClock]:
    """A service with readers of so many slots each."""
    clock = VirtualClock()
    readers = [
        Reader.of(name, [f"{name} {number}" for number in range(count)], clock)
        for name, count in zip(names, slots, strict=False)
    ]
    return PcscService(readers, clock), readers, clock


def refused(expected: PcscCode) -> Any:
    return pytest.raises(ScardError, match=f"^{expected.name} ")
