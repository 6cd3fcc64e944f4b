"""Calls the reading service in process, as a software does over HTTPS: same application, same bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import httpx

from bifente.conformance.domains.wireless.bench import WirelessBench
from bifente.conformance.domains.wireless.forgery import Forgery, forge
from bifente.simulator.readers.wireless.claims import ACCESS
from bifente.simulator.services.cloudfsv import ACCESS_HEADER, METHODS, REASON_HEADER, Function
from bifente.simulator.services.cloudfsv.bearer import BEARER
from bifente.simulator.serving.calling import in_process
from bifente.simulator.zones import ZoneError, decode

_UNKNOWN = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class CloudCall:
    """One call; ``bearer`` and ``access`` name what is wrong with these tokens, None if nothing is."""

    function: str
    token: str
    fields: Mapping[str, str | None] = field(default_factory=dict)
    raw: str | None = None
    method: str | None = None
    version: str | None = None
    terminal: str = "own"
    bearer: Forgery | None = None
    access: Forgery | None = None
    busy: bool = False


def call(bench: WirelessBench, wanted: CloudCall) -> dict[str, Any]:
    """The answer: ``http``, then ``code``, ``size`` and ``groups``, or ``message`` and ``reason``.

    Raises ValueError for an answer that is not of the form observed in the field.
    """
    with bench.terminal.serving() if wanted.busy else nullcontext():
        response = _send(bench, wanted)
    return read(response)


def read(response: httpx.Response) -> dict[str, Any]:
    """An answer of the service in the words of scenarios. Raises ValueError."""
    answer = response.json()
    if response.status_code != httpx.codes.OK:
        if (
            set(answer) != {"timestamp", "status", "error", "message", "path"}
            or answer["status"] != response.status_code
        ):
            raise ValueError(f"a refusal has another form: {sorted(answer)}")
        reason = response.headers.get(REASON_HEADER, "")
        return {"http": response.status_code, "message": answer["message"], "reason": reason}
    if set(answer) != {"codeResult", "dataResult"} or set(answer["dataResult"]) != {"arraySize", "data"}:
        raise ValueError(f"an answer has another form: {sorted(answer)}")
    zone = base64.b64decode(answer["dataResult"]["data"], validate=True)
    if len(zone) != answer["dataResult"]["arraySize"]:
        raise ValueError("arraySize is not the length of the zone")
    return {"http": response.status_code, "code": answer["codeResult"], "size": len(zone), "groups": _groups(zone)}


def _groups(zone: bytes) -> list[int]:
    """The identifiers of the groups, each once, in order; none for a zone that is a plain text (the reader's date)."""
    try:
        return list(dict.fromkeys(group.id for group in decode(zone)))
    except ZoneError:
        return []


def _send(bench: WirelessBench, wanted: CloudCall) -> httpx.Response:
    service = bench.service
    fields = {name: value for name, value in wanted.fields.items() if value is not None}
    content = wanted.raw if wanted.raw is not None else json.dumps(fields) if fields else ""
    terminals = {"own": bench.terminal.id, "other": bench.other.id, "unknown": _UNKNOWN, "none": None}
    named = terminals[wanted.terminal]
    method = wanted.method or (METHODS[Function(wanted.function)][-1] if wanted.function in {*Function} else "POST")
    with in_process(bench.application) as client:
        return client.request(
            method,
            f"/fsv/{wanted.version or service.version}/ssv/{wanted.function}",
            params={"terminalId": named} if named is not None else {},
            headers=[
                ("accept", "application/json; charset=UTF-8"),
                ("Content-Type", "application/json"),
                *(("Authorization", f"Bearer {token}") for token in _bearers(bench, wanted.bearer)),
                *((ACCESS_HEADER, token) for token in _accesses(bench, wanted)),
            ],
            content=content.encode(),
        )


def _bearers(bench: WirelessBench, wrong: Forgery | None) -> list[str]:
    token = bench.bearer()
    return [token] if wrong is None else forge(wrong, token, BEARER, bench.bearer_key)


def _accesses(bench: WirelessBench, wanted: CloudCall) -> list[str]:
    if wanted.access is None:
        return [wanted.token]
    return forge(wanted.access, wanted.token, ACCESS, bench.access_key)
