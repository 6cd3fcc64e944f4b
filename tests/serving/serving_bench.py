"""What a service is started with in a test: a folder, a list that hears what passes, secrets kept apart."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from pydantic import BaseModel

from bifente.conformance.bench.serving import ServingBench
from bifente.ground.clock import Clock, WallClock
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.serving.recording import Passed


def serving_bench(
    keys: KeySource,
    folder: Path,
    stack: ExitStack,
    *,
    hear: Callable[[Passed], None] = lambda passed: None,
    declare: Callable[[str | bytes], None] = lambda secret: None,
    said: tuple[BaseModel, ...] = (),
    clock: Clock | None = None,
) -> ServingBench:
    return ServingBench(
        clock=clock or WallClock(),
        keys=keys,
        pki=Pki(keys),
        chance=random.Random(1),
        folder=folder,
        stack=stack,
        declare=declare,
        hear=hear,
        said=said,
    )
