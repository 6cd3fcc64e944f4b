"""A thin client of the channel: what ``bifente ctl`` and the fixtures of pytest are."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

URL, TOKEN = "BIFENTE_CHANNEL", "BIFENTE_CHANNEL_TOKEN"
_FILES = ("bifente-pcsc-*/channel", "bifente-serve-*/channel")
"""Where live benches, and services that stand, tell theirs."""
_LONGEST = 64 << 20


class ChannelError(Exception):
    """The bench refused an order, or cannot be reached. ``told`` is its answer, if there is one."""

    def __init__(self, message: str, told: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.told = told


class ControlChannel:
    """ChannelOrders to a live bench."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token = url.rstrip("/"), token
        if not url.startswith("http://127.0.0.1:"):
            raise ChannelError(f"{url} is no channel of this machine: http://127.0.0.1:PORT/v1 is expected")
        self._opener = build_opener(ProxyHandler({}))

    @classmethod
    def found(cls) -> ControlChannel:
        """Return the channel that the environment names, else that of the only live bench of this user.

        Raise ChannelError if there is none, or several.
        """
        if URL in os.environ:
            return cls(os.environ[URL], os.environ.get(TOKEN, ""))
        files = [
            path
            for pattern in _FILES
            for path in Path(tempfile.gettempdir()).glob(pattern)
            if path.stat().st_uid == os.geteuid() and not path.is_symlink()
        ]
        if len(files) != 1:
            cure = f"set {URL} and {TOKEN} as bifente up, or serve, prints them"
            raise ChannelError(f"{len(files)} live benches found: {cure}" if files else f"no live bench found: {cure}")
        told = json.loads(files[0].read_text(encoding="utf-8"))
        return cls(told[URL], told[TOKEN])

    def order(self, name: str, **given: Any) -> dict[str, Any]:
        """Give an order and return its answer. Raise ChannelError if it is refused."""
        return self._call(f"{self._url}/{name}", json.dumps(given).encode(), name)

    def openapi(self) -> dict[str, Any]:
        """Return the description of the channel."""
        return self._call(f"{self._url}/openapi.json", None, "openapi")

    def _call(self, url: str, body: bytes | None, name: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            with self._opener.open(Request(url, body, headers), timeout=None) as answer:  # noqa: S310 - loopback only
                told: dict[str, Any] = json.loads(answer.read(_LONGEST))
                return told
        except HTTPError as error:
            refusal = json.loads(error.read(_LONGEST))
            cure = f" ({refusal['cure']})" if refusal.get("cure") else ""
            raise ChannelError(f"{name}: {refusal['error']['en']}{cure}", refusal) from None
        except (URLError, OSError, ValueError) as error:
            raise ChannelError(f"the bench does not answer at {self._url}: {error}") from None
