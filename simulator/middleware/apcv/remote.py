"""The service behind the apCV as a workstation calls it. No public text tells the requests: they are modelled."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from bifente.simulator.middleware.apcv.context import ApcvContext
from bifente.simulator.middleware.apcv.refusals import ApcvError, ApcvRefusal
from bifente.simulator.serving.calling import Caller
from bifente.simulator.zones import Group, decode

CHALLENGES, CONTEXTS, RENEWAL, CLOSING, RIGHTS = (
    f"/bifente/apcv/{name}" for name in ("challenges", "contexts", "contexts/renewal", "contexts/closing", "rights")
)
"""The paths, all asked by POST, JSON both ways. A refusal is an object ``refusal``, ``detail``."""


class ApcvRemote:
    """Calls the service; what it refuses is raised as ApcvError, no answer at all as UNREACHABLE."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def challenge(self) -> bytes:
        """Return what a reader asks a phone to sign."""
        return bytes.fromhex(self._ask(CHALLENGES, {})["challenge"])

    def by_qr(self, code: str) -> ApcvContext:
        """Return a context from the text of a QR code."""
        return _context(self._ask(CONTEXTS, {"qr": code}))

    def by_nfc(self, answer: str, challenge: bytes) -> ApcvContext:
        """Return a context from the answer of a phone to a challenge."""
        return _context(self._ask(CONTEXTS, {"answer": answer, "challenge": challenge.hex()}))

    def renew(self, context: ApcvContext, invoice: str) -> ApcvContext:
        """Return an expired context for one more life, good for one invoice alone."""
        return _context(self._ask(RENEWAL, {"context": written_out(context), "invoice": invoice}))

    def close(self, context: ApcvContext) -> None:
        """Have a context forgotten, known or not."""
        self._ask(CLOSING, {"context": written_out(context)})

    def rights(self, context: ApcvContext, invoice: str | None = None) -> tuple[Group, ...]:
        """Return the groups of the holder, coverage included."""
        zone = base64.b64decode(self._ask(RIGHTS, {"context": written_out(context), "invoice": invoice})["zone"])
        return tuple(decode(zone)) if zone else ()

    def _ask(self, path: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        import httpx  # here, not above: who only wants to know what a context is waits for no client

        try:
            response = self._caller.request(
                "POST", path, headers={"content-type": "application/json"}, content=json.dumps(said).encode()
            )
            answer: Mapping[str, Any] = response.json()
            if response.status_code == httpx.codes.OK:
                return answer
            refusal, detail = ApcvRefusal(answer["refusal"]), str(answer["detail"])
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise ApcvError(ApcvRefusal.UNREACHABLE, f"{type(error).__name__}: {error}") from None
        raise ApcvError(refusal, detail)


def written_out(context: ApcvContext) -> Mapping[str, str]:
    """Return a context as it travels."""
    return {"identifier": context.identifier, "token": context.token, "end": context.end}


def _context(answer: Mapping[str, Any]) -> ApcvContext:
    try:
        return ApcvContext(answer["identifier"], answer["token"], answer["end"])
    except KeyError as error:
        raise ApcvError(ApcvRefusal.UNREACHABLE, f"an answer without {error}") from None
