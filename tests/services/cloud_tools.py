"""A reading service in front of a real terminal, with reading functions that only record what they were asked."""

from __future__ import annotations

import asyncio
import base64
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.jose.seal import SigningKey
from bifente.simulator.pki.keystore import MemoryKeys
from bifente.simulator.readers import Slot
from bifente.simulator.readers.wireless import Platform, Terminal, TerminalParameters
from bifente.simulator.services.cloudfsv import Bearers, CloudFsv, CloudFsvService, FsvAnswer, laboratory_key

KEYS = MemoryKeys()


class PlainCard:
    """Something in a slot."""

    atr = b"\x3b\x00"

    def power_on(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        pass

    def reset(self, warm: bool = True) -> bytes:
        return self.atr

    def transmit(self, command: bytes) -> bytes:
        return b"\x90\x00"


@dataclass(slots=True)
class Recorder:
    """Reading functions that answer as told and remember what they were asked."""

    answer: FsvAnswer = field(default_factory=lambda: FsvAnswer(0, b"\x00\x01\x00"))
    asked: list[tuple[str, ...]] = field(default_factory=list)
    during: Callable[[], object] = lambda: None

    def _called(self, *asked: str) -> FsvAnswer:
        self.asked.append(asked)
        self.during()
        return self.answer

    def lire_config(self) -> FsvAnswer:
        return self._called("config")

    def lire_date_lecteur(self, reader: str) -> FsvAnswer:
        return self._called("date", reader)

    def lire_carte_ps(self, ps: str, reader: str, code: str) -> FsvAnswer:
        return self._called("ps", ps, reader, code)

    def lire_droits_vitale(self, ps: str, reader: str, code: str, consultation: str) -> FsvAnswer:
        return self._called("droits", ps, reader, code, consultation)


class Cloud:
    """The service, its terminal in session with both cards in, and a client that has the right tokens."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.access_key = SigningKey.es256("k1")
        self.bearer_key = laboratory_key(KEYS)
        chance = random.Random(1)
        self.platform = Platform(self.clock, TerminalParameters(), chance, self.access_key)
        self.slots = {role: Slot(role, self.clock) for role in ("cps", "vitale")}
        for slot in self.slots.values():
            slot.insert(PlainCard())
        self.terminal = Terminal(self.slots, self.platform, chance)
        self.platform.pair(self.terminal.id)
        self.token = self.terminal.open_session()
        self.bearers = Bearers(self.clock, self.bearer_key, chance)
        self.service = CloudFsv(self.platform, self.bearers, self.clock)
        self.recorder = Recorder()
        self.service.serve(self.terminal, self.recorder)
        self.served = CloudFsvService(self.service)
        self.app = self.served.application

    def headers(self, **changes: str | None) -> dict[str, str]:
        given = {"Authorization": f"Bearer {self.bearers.issue()}", "accessHealthcareToken": self.token, **changes}
        return {name: value for name, value in given.items() if value is not None}

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
                return await client.request(method, path, **more)

        return asyncio.run(go())

    def call(self, function: str = "LireConfig", method: str | None = None, **more: Any) -> httpx.Response:
        method = method or ("GET" if function == "LireConfig" else "POST")
        more.setdefault("headers", self.headers())
        more.setdefault("params", {"terminalId": self.terminal.id})
        return self.send(method, f"/fsv/1.40.14/ssv/{function}", **more)


def zone(response: httpx.Response) -> bytes:
    """The zone of an answer, its length checked."""
    result = response.json()["dataResult"]
    data = base64.b64decode(result["data"], validate=True)
    assert len(data) == result["arraySize"]
    return data


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    """Status, message and reason of a refusal whose body has the observed form."""
    body = response.json()
    assert set(body) == {"timestamp", "status", "error", "message", "path"}
    assert body["status"] == response.status_code
    assert body["path"] == response.url.path
    assert body["timestamp"].startswith("2026-01-01T")
    return response.status_code, body["message"], response.headers["X-Bifente-Reason"]
