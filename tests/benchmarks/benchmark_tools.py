"""What benchmarks share: a reader behind a pcscd of its own, a card that counts, an echo card to compare with."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from bifente.conformance.bench.factory import client_run_dir
from bifente.conformance.targets.pcsc import PcscMissingError, PcscTarget
from bifente.simulator.iso7816.card import Card
from bifente.simulator.pcsc import PcscdError, PrivatePcscd
from bifente.simulator.readers import Reader

BENCHMARK = bool(os.environ.get("BIFENTE_BENCHMARK"))
"""Set by ``./run bench``. Without it benchmarks are tests: they show that they run, and assert what they assert."""


def sized(benchmark: int, test: int) -> int:
    """Return how much a figure worth printing takes, or what is enough for what is asserted."""
    return benchmark if BENCHMARK else test


ECHOES = sized(400, 100)


@contextmanager
def behind_pcscd(reader: Reader) -> Iterator[tuple[PcscTarget, tuple[str, ...]]]:
    """A target that reaches the reader through a pcscd, and the names of its slots; or a skip that says why not."""
    try:
        pcscd = PrivatePcscd.start([reader], run_dir=client_run_dir())
    except PcscdError as error:
        pytest.skip(str(error))
    with pcscd:
        os.environ.update(pcscd.environment)
        try:
            target = PcscTarget()
        except PcscMissingError as error:
            pytest.skip(str(error))
        yield target, pcscd.reader_names
        target.close()


class TimedCard:
    """A card that adds up what it answered and how long it took."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self.count, self.seconds = 0, 0.0

    @property
    def atr(self) -> bytes:
        return self.card.atr

    def power_on(self) -> bytes:
        return self.card.power_on()

    def power_off(self) -> None:
        self.card.power_off()

    def reset(self) -> bytes:
        return self.card.reset()

    def transmit(self, command: bytes) -> bytes:
        start = time.perf_counter()
        answer = self.card.transmit(command)
        self.seconds += time.perf_counter() - start
        self.count += 1
        return answer


def listener(transmit: Callable[[bytes], bytes], spent: list[float]) -> Callable[[], None]:
    """Asks an echo card some hundred times and adds the seconds of each exchange to ``spent``."""
    asked = bytes.fromhex("00DA000010") + bytes(16)

    def listen() -> None:
        for _ in range(ECHOES):
            start = time.perf_counter()
            transmit(asked)
            spent.append(time.perf_counter() - start)

    return listen
