"""Who stands between virtual readers and PC/SC clients: the bench's own service, or a private pcscd with vpcd."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from bifente.simulator.pcsc.bridge import Observer
from bifente.simulator.pcsc.far import FarVpcd
from bifente.simulator.pcsc.own.service import OwnPcsc
from bifente.simulator.pcsc.private_pcscd import PrivatePcscd
from bifente.simulator.readers import Reader


class ServiceKind(StrEnum):
    """Who can stand there."""

    OWN = "own"
    """The bench itself, speaking pcsc-lite's protocol."""

    PCSCD = "pcscd"
    """A private pcscd with the vpcd driver, in namespaces of its own."""


RunningService: TypeAlias = OwnPcsc | PrivatePcscd | FarVpcd
"""A service that serves, or the readers of a vpcd elsewhere."""


def start_service(
    kind: ServiceKind,
    readers: Sequence[Reader],
    *,
    run_dir: Path | None = None,
    observer: Observer | None = None,
    commands: bool = True,
) -> RunningService:
    """Return a service that shows these readers, once clients can connect. Raise PcscdError with the broken link.

    ``commands``: the observer hears commands too; the bench's own service can spare it them (``OwnPcsc.watch``).
    """
    if kind is ServiceKind.OWN:
        return OwnPcsc.start(readers, run_dir=run_dir, observer=observer, commands=commands)
    return PrivatePcscd.start(readers, run_dir=run_dir, observer=observer)
