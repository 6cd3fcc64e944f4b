"""Services on loopback beside a live bench, or alone: started by name, and what a program is told to reach them."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bifente.conformance.bench.scene import Scene
from bifente.conformance.bench.serving import PORTS, ServedService, ServingBench, services
from bifente.conformance.loading import InputError, load_document, nearest, validate
from bifente.conformance.model import BenchModel
from bifente.conformance.sections import extended, sections_of_bench
from bifente.ground.clock import Clock
from bifente.ground.temporary import HeldFolder
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.serving.recording import Hear
from bifente.simulator.serving.service import Declare, Service

VARIABLE = "BIFENTE_SERVICES"
"""Names the file that holds the settings of every service."""

_FILE = "services.json"
_LAST_PORT = 65_535


class LiveServices:
    """A context manager. Raises InputError for a name that is no service, ServingError where one cannot be served.

    ``folder`` is where files for the software go; without it, one that goes with the services.
    """

    def __init__(
        self,
        names: Sequence[str],
        *,
        clock: Clock,
        keys: KeySource,
        declare: Declare,
        hear: Hear,
        folder: Path | None = None,
        port: int = 0,
        said: Sequence[BaseModel] = (),
        scene: Scene | None = None,
    ) -> None:
        known = services()
        _check(names)
        if port and port + PORTS * len(names) - 1 > _LAST_PORT:
            most = _LAST_PORT + 1 - PORTS * len(names)
            raise InputError.at("--port", f"{port}: each service has {PORTS} ports of its own", cure=f"at most {most}")
        self.served: dict[str, ServedService] = {}
        self._stack = ExitStack()
        afterwards: list[Callable[[], None]] = []
        try:
            if folder is None:
                folder = Path(self._stack.enter_context(HeldFolder("bifente-serve-")))
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder = folder
            around = ServingBench(
                clock=clock,
                keys=keys,
                pki=Pki(keys),
                chance=random.SystemRandom(),
                folder=folder,
                stack=self._stack,
                declare=declare,
                hear=hear,
                said=tuple(said),
                scene=scene,
                beside=self.served,
                afterwards=afterwards,
            )
            for rank, name in enumerate(dict.fromkeys(names)):
                self.served[name] = known[name]()(replace(around, port=port + PORTS * rank if port else 0))
            for join in afterwards:
                join()
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> LiveServices:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """Serve no more."""
        self._stack.close()

    @property
    def services(self) -> tuple[Service, ...]:
        """Those that faults may strike."""
        return tuple(service for one in self.served.values() for service in one.services)

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        """What a software is configured with, by the name of the service."""
        return {name: dict(one.settings) for name, one in self.served.items()}

    @cached_property
    def environment(self) -> dict[str, str]:
        """The same as variables, ``BIFENTE_INSI_URL``, and a file that has it all."""
        if not self.served:
            return {}
        path = self.folder / _FILE
        path.touch(0o600)
        path.write_text(json.dumps(self.settings, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        return {
            VARIABLE: str(path),
            **{_variable(name, key): value for name, told in self.settings.items() for key, value in told.items()},
        }

    def ended(self) -> list[str]:
        """Return what is to be said of the software that called."""
        return [line for one in self.served.values() for line in one.ended()]

    def state(self) -> Mapping[str, Any]:
        """Return what each service holds, as plain data."""
        return {one.name: one.state() for one in self.services}


def named(wanted: str | None) -> list[str]:
    """Return the services that an option names, joined by commas. Raise InputError for a name that is none."""
    names = [name.strip() for name in (wanted or "").split(",") if name.strip()]
    _check(names)
    return names


def _check(names: Sequence[str]) -> None:
    for name in names:
        if name not in services():
            raise InputError.at("--services", f"{name} is no service", cure=nearest(name, services()))


def said_in(path: Path | None) -> tuple[BaseModel, ...]:
    """Return the sections of a file, as under ``bench`` in a suite. Raise InputError."""
    if path is None:
        return ()
    document = load_document(path)
    model = validate(extended(BenchModel, sections_of_bench), document.data, document)
    assert model is not None  # noqa: S101 - nothing was ignored
    return tuple(value for value in model.__dict__.values() if isinstance(value, BaseModel))


def _variable(service: str, key: str) -> str:
    return re.sub(r"\W+", "_", f"BIFENTE_{service}_{key}", flags=re.ASCII).upper()
