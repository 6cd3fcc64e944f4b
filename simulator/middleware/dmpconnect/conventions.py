"""The conventions of its JSON: prefixes that tell types, statuses, kinds of errors."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from enum import IntEnum
from typing import Any

LONGEST = 8_388_608
"""Bytes of a command: a document of 5 MB in base64 and what stands around it."""
COMMAND, SESSION, INSTANCE = "s_commandName", "s_sessionId", "s_instanceUniqueId"
_TYPES: Mapping[str, tuple[type, ...]] = {"s_": (str,), "i_": (int,), "f_": (float, int)}


class ConnectErrorType(IntEnum):
    """``i_apiErrorType``."""

    API = 1
    DMP = 2
    CURL = 3
    VITALE = 4
    WRAPPER = 5000
    SERVER = 6000

    @property
    def description(self) -> str:
        """Return ``s_apiErrorTypeDescription``."""
        return {1: "API", 2: "DMP", 3: "CURL", 4: "VITALE", 5000: "WRAPPER", 6000: "SERVER"}[self.value]


TECHNICAL, FUNCTIONAL, INVALID_SESSION = 1, 2, 3
"""Codes of ``ConnectErrorType.SERVER``: a fault of the service, a mistake of the page's, no such session."""


class ConnectError(Exception):
    """What a command is answered when it fails. ``extended`` tells more, in words."""

    def __init__(
        self, kind: ConnectErrorType, code: int, description: str, extended: str = "", context: str = ""
    ) -> None:
        self.kind = kind
        self.code = code
        self.description = description
        self.extended = extended
        self.context = context
        super().__init__(f"{kind.description} {code}: {description}")

    @property
    def answer(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {
            "s_status": "API_ERROR",
            "s_errorDescription": self.description,
            "i_apiErrorType": int(self.kind),
            "i_apiErrorCode": self.code,
            "s_apiErrorTypeDescription": self.kind.description,
            "s_apiErrorDescription": self.description,
            "s_apiErrorContext": self.context,
            "s_apiErrorExtendedInformations": self.extended,
        }


def malformed(what: str) -> ConnectError:
    """Return the error of a command that is not in its form."""
    return ConnectError(ConnectErrorType.SERVER, FUNCTIONAL, what)


def read_command(body: bytes | str, named: str = "") -> dict[str, Any]:
    """Return a command. ``named`` is the one of the path, if it is there. Raise ConnectError."""
    if len(body) > LONGEST:
        raise malformed(f"more than {LONGEST} bytes")
    try:
        said = json.loads(body) if body else {}
        _check_prefixes(said)
    except (ValueError, RecursionError):
        raise malformed("this is no JSON") from None
    if not isinstance(said, dict):
        raise malformed("an object of JSON is expected")
    command = said.get(COMMAND, named)
    if not command:
        raise malformed(f"{COMMAND} is missing")
    if named and command.lower() != named.lower():
        raise malformed(f"{COMMAND} is not the command of the path")
    return {**said, COMMAND: command}


def _check_prefixes(value: Any) -> None:
    """Raise ConnectError for a field, however deep, whose value is not what its prefix says."""
    if isinstance(value, list):
        for one in value:
            _check_prefixes(one)
    elif isinstance(value, dict):
        for key, one in value.items():
            kinds = _TYPES.get(key[:2])
            if kinds is not None and (not isinstance(one, kinds) or isinstance(one, bool)):
                raise malformed(f"{key[:60]}: the prefix {key[:2]} wants another type")
            _check_prefixes(one)


def text(said: Mapping[str, Any], key: str, default: str | None = None) -> str:
    """Return a text of a command. Raise ConnectError where it is missing."""
    value = said.get(key, default)
    if not isinstance(value, str):
        raise malformed(f"{key} is missing")
    return value


def number(said: Mapping[str, Any], key: str, default: int) -> int:
    """Return a number of a command."""
    value = said.get(key, default)
    return value if isinstance(value, int) else default


def structure(said: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a structure of a command, empty where it is missing. Raise ConnectError for what is none."""
    value = said.get(key) or {}
    if not isinstance(value, dict):
        raise malformed(f"{key} is a structure")
    return value


def listed(said: Mapping[str, Any], key: str) -> tuple[Any, ...]:
    """Return a list, as an array or as a structure of #0, #1 ...; empty where it is missing. Raise ConnectError."""
    value = said.get(key) or []
    if not isinstance(value, dict | list):
        raise malformed(f"{key} is a list")
    return tuple(value.values() if isinstance(value, dict) else value)


def in_base64(said: Mapping[str, Any], key: str) -> bytes:
    """Return bytes written in base64. Raise ConnectError."""
    try:
        return b64decode(text(said, key), validate=True)
    except ValueError:
        raise malformed(f"{key} is no base64") from None
