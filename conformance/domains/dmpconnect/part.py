"""DmpConnect-JS of one scenario, and the session that its page holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Self

import httpx

from bifente.conformance.bench.scene import Scene
from bifente.conformance.domains.dmpconnect.workplace import SceneWorkplace
from bifente.conformance.domains.ins.bench import InsBench
from bifente.simulator.middleware.dmpconnect.service import DmpConnectJs
from bifente.simulator.serving.calling import in_process
from bifente.simulator.serving.recording import recorded


class ConnectBench:
    """The service, and a page that calls it. ``session`` is the one opened last, ``instance`` its connector."""

    def __init__(self, scene: Scene) -> None:
        ins = scene.part(InsBench)
        self._workplace = SceneWorkplace(scene)
        self.service = DmpConnectJs(self._workplace, scene.bench.clock, ins.identifier, scene.declare, hear=scene.hear)
        self._caller: httpx.Client = in_process(recorded(self.service, scene.bench.clock, scene.hear))
        self.session = ""
        self.instance = ""

    @classmethod
    def of(cls, scene: Scene) -> Self:
        """Return the part of a scene."""
        return cls(scene)

    def call(self, command: str, said: Mapping[str, Any], raw: str | None = None) -> dict[str, Any]:
        """Send a command over HTTPS, the session added unless it says one."""
        held = {"s_sessionId": self.session} if self.session else {}
        connector = {"s_instanceUniqueId": self.instance} if self.instance else {}
        body = json.dumps({**held, **connector, **said}) if raw is None else raw
        answer: dict[str, Any] = self._caller.post(f"/api/{command.lower()}", content=body).json()
        self.session = answer.get("s_sessionId", self.session)
        self.instance = answer.get("s_instanceUniqueId", self.instance)
        return answer

    def close(self) -> None:
        """Let the caller go."""
        self._caller.close()
        self._workplace.close()
