"""The reading service in front of wireless terminals: tokens, then the terminal, then the SSV function itself.

Observed (sources#cloudfsv): paths, headers, bodies, the three HTTP refusals, and what comes without a
professional's card. Modelled: the order of the checks, what a token must say, when a terminal is unavailable, and
that it remembers the holder code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from bifente.ground.clock import Clock
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.readers.wireless import BusyError, Platform, Terminal, TerminalCondition, TokenRefusedError
from bifente.simulator.readers.wireless.terminal import CODE_ROLE
from bifente.simulator.services.cloudfsv.bearer import Bearers
from bifente.simulator.services.cloudfsv.refusals import HttpRefusal, bad_request, bad_token, offline, unavailable
from bifente.simulator.services.cloudfsv.request import Function, ReadingBody

FSV_VERSION = "1.40.14"

PS, READER = "CPS", "Log_SV"
"""The resource names a client usually gives (sources#galss-ini)."""


class Result(Protocol):
    """What an SSV function gives."""

    @property
    def code(self) -> int:
        """16 bits, 0 is success."""
        ...

    @property
    def zone(self) -> bytes:
        """May hold data although the code is not 0."""
        ...


class ReadingFunctions(Protocol):
    """The SSV functions the service offers, as ``bifente.simulator.middleware.ssv.Ssv`` has them."""

    def lire_config(self) -> Result:
        """SSV_LireConfig."""
        ...

    def lire_date_lecteur(self, reader: str) -> Result:
        """SSV_LireDateLecteur."""
        ...

    def lire_carte_ps(self, ps: str, reader: str, code: str) -> Result:
        """SSV_LireCartePS."""
        ...

    def lire_droits_vitale(self, ps: str, reader: str, code: str, consultation: str) -> Result:
        """SSV_LireDroitsVitale."""
        ...


@dataclass(frozen=True, slots=True)
class FsvAnswer:
    """A call answered by the library: HTTP 200, whatever the code."""

    code: int
    zone: bytes = b""


class CloudFsv:
    """The service for the terminals of one platform; each has its own reading functions over its own cards."""

    def __init__(self, platform: Platform, bearers: Bearers, clock: Clock, *, version: str = FSV_VERSION) -> None:
        self.platform = platform
        self.bearers = bearers
        self.clock = clock
        self.version = version
        self.terminals: dict[str, Terminal] = {}
        self._reading: dict[str, ReadingFunctions] = {}

    def serve(self, terminal: Terminal, reading: ReadingFunctions) -> None:
        """Answer for a terminal from now on."""
        self.terminals[terminal.id] = terminal
        self._reading[terminal.id] = reading

    def call(self, function: Function, *, bearer: str, access: str, terminal: str, body: bytes) -> FsvAnswer:
        """One call. Raises HttpRefusal; a refusal by the library is an outcome (SV-CLOUD-02)."""
        self.authenticate(bearer)
        served = self.authorised(terminal, access)
        asked = ReadingBody.read(body)
        try:
            with served.serving():
                outcome = self._read(function, served, asked)
                if served.condition is not TerminalCondition.READY:
                    # It left in the middle: whatever the library made of that is not what the caller is told.
                    raise unavailable(f"gone-{served.condition.value}")
                return outcome
        except BusyError:
            raise unavailable("busy") from None

    def authenticate(self, bearer: str) -> str:
        """The software a bearer token speaks for. Raises HttpRefusal (401)."""
        try:
            return self.bearers.verify(bearer)
        except TokenRefusedError as refused:
            raise bad_token(f"bearer-{refused.reason.value}") from None

    def authorised(self, terminal: str, access: str) -> Terminal:
        """The terminal an access token is good for. Raises HttpRefusal (401; 428 if it cannot be reached)."""
        try:
            self.platform.read(access, terminal)
            served = self.terminals.get(terminal)
            if served is None or not served.condition.connected:
                raise offline(served.condition.value if served is not None else "unknown-terminal")
            served.authorise(access)
        except TokenRefusedError as refused:
            raise bad_token(refused.reason.value) from None
        return served

    def _read(self, function: Function, terminal: Terminal, body: ReadingBody) -> FsvAnswer:
        reading = self._reading[terminal.id]
        if body.virtual_card is not None:
            # The names of virtual cards are not public, and there is none here: better said than read past.
            raise bad_request("labelCvVirtuelle : carte virtuelle inconnue", "unknown-virtual-card")
        day = (body.consultation or self.clock.now().date()).strftime("%Y%m%d")
        calls: Mapping[Function, Callable[[str], Result]] = {
            Function.LIRE_CONFIG: lambda _code: reading.lire_config(),
            Function.LIRE_DATE_LECTEUR: lambda _code: reading.lire_date_lecteur(READER),
            Function.LIRE_CARTE_PS: lambda code: reading.lire_carte_ps(PS, READER, code),
            Function.LIRE_DROITS_VITALE: lambda code: reading.lire_droits_vitale(PS, READER, code, day),
        }
        call = calls[function]
        if function not in _NEED_CODE:
            return _outcome(call(""))
        occasion, code = terminal.occasion, body.code or terminal.code
        if code is None and terminal.holds_card(CODE_ROLE):
            return FsvAnswer(SsvCode.CODE_LOST)
        outcome = _outcome(call(code or ""))
        if outcome.code == SsvCode.OK and code is not None:
            terminal.remember_code(code, occasion)
        if outcome.code == SsvCode.WRONG_CODE:
            terminal.forget_code()
        if body.turbo and outcome.code == SsvCode.PS_ABSENT:
            return FsvAnswer(outcome.code)
        return outcome


_NEED_CODE = frozenset({Function.LIRE_CARTE_PS, Function.LIRE_DROITS_VITALE})


def _outcome(result: Result) -> FsvAnswer:
    return FsvAnswer(int(result.code), result.zone)


__all__ = ["FSV_VERSION", "CloudFsv", "FsvAnswer", "HttpRefusal", "ReadingFunctions", "Result"]
