"""A line between a software and a service that is slow, far or cut: on the clock that is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from bifente.ground.clock import Clock
from bifente.simulator.serving.calling import Caller


@dataclass(slots=True)
class ShapedLine:
    """Carries calls over a line. ``latency`` is seconds each way together, ``mbps`` the throughput, None without limit.

    ``patience`` is how long the software waits for an answer. ``down``: nothing goes through. ``answers_lost``: so many
    next calls arrive, and their answers do not.
    """

    caller: Caller
    clock: Clock
    latency: float = 0.0
    mbps: float | None = None
    patience: float = 30.0
    down: bool = False
    answers_lost: int = 0

    def request(
        self, method: str, url: str, *, params: Any = None, headers: Any = None, content: Any = None
    ) -> httpx.Response:
        """Carry one call. Raise httpx.TransportError where no answer comes in time."""
        if self.down:
            raise httpx.ConnectError("the line is down")
        going = self.latency / 2 + self._seconds(len(content or b""))
        if going > self.patience:
            # The message never arrived whole.
            self.clock.wait(self.patience)
            raise httpx.WriteTimeout(f"not sent within {self.patience:.0f} s")
        self.clock.wait(going)
        answer = self.caller.request(method, url, params=params, headers=headers, content=content)
        coming = self.latency / 2 + self._seconds(len(answer.content))
        if self.answers_lost > 0 or going + coming > self.patience:
            self.answers_lost = max(0, self.answers_lost - 1)
            self.clock.wait(max(0.0, self.patience - going))
            raise httpx.ReadTimeout(f"no answer within {self.patience:.0f} s")
        self.clock.wait(coming)
        return answer

    def _seconds(self, size: int) -> float:
        return size * 8 / (self.mbps * 1e6) if self.mbps else 0.0
