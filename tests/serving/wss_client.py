"""A WebSocket over TLS in one thread.

The blocking client of websockets reads in a thread of its own while another writes, and the ssl of Python 3.11 guards
no connection against that. Seen once: a request that never came, its server idle, and a client that waited for ever.
"""

from __future__ import annotations

import asyncio
import ssl
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect


class WssClient:
    def __init__(self, url: str, context: ssl.SSLContext, **more: Any) -> None:
        self._runner = asyncio.Runner()
        try:
            self._opened = self._runner.run(self._open(url, context, more))
        except BaseException:
            self._runner.close()
            raise

    @staticmethod
    async def _open(url: str, context: ssl.SSLContext, more: dict[str, Any]) -> ClientConnection:
        return await connect(url, ssl=context, open_timeout=120, **more)

    def send(self, text: str) -> None:
        self._runner.run(self._opened.send(text))

    def recv(self, timeout: float = 120) -> Any:
        async def received() -> Any:
            return await asyncio.wait_for(self._opened.recv(), timeout)

        return self._runner.run(received())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._opened.close())
        self._runner.close()
