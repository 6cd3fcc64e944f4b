"""DmpConnect-JS as a service of the bench: its commands, answered from the workstation it is given."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar

from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.middleware.dmpconnect.conventions import (
    COMMAND,
    FUNCTIONAL,
    INSTANCE,
    SESSION,
    ConnectError,
    ConnectErrorType,
    in_base64,
    malformed,
    number,
    read_command,
    text,
)
from bifente.simulator.middleware.dmpconnect.judging import HeardCommand
from bifente.simulator.middleware.dmpconnect.sessions import INACTIVITY, ConnectSession, Sessions
from bifente.simulator.middleware.dmpconnect.transactions import OF_THE_DMP, WITHDRAWN
from bifente.simulator.middleware.dmpconnect.workplace import Connector, ReaderAccessMode, SlotUse, Workplace
from bifente.simulator.serving.recording import Hear
from bifente.simulator.serving.service import Asgi, Declare, Service, ServiceError, to_nobody

VERSION = "2.0.0-bifente"
OPEN = "hl_openSession"
_SHA256 = 1
_MOST_KEPT = 10_000
_Said = Mapping[str, Any]
_Command = Callable[["DmpConnectJs", ConnectSession, _Said], Mapping[str, Any]]


class DmpConnectJs(Service):
    """The local service. ``owner``: the user and domain whose session the readers belong to; None: no TSE."""

    name: ClassVar[str] = "dmpconnect"
    title: ClassVar[Text] = Text("DmpConnect-JS", "DmpConnect-JS")

    def __init__(
        self,
        workplace: Workplace,
        clock: Clock,
        identifier: Callable[[], str],
        declare: Declare = to_nobody,
        *,
        origins: tuple[str, ...] = (),
        hear: Hear = lambda passed: None,
    ) -> None:
        super().__init__(declare)
        self.workplace = workplace
        self.clock = clock
        self.sessions = Sessions(clock, identifier)
        self.owner: tuple[str, str] | None = None
        self.origins = origins
        self.hear = hear
        """Hears what passes on WebSockets: what HTTP carries is told around the application."""
        self._identifier = identifier
        self.log: list[HeardCommand] = []
        """The last commands, oldest first: what is said of a page rests on them."""

    @cached_property
    def application(self) -> Asgi:
        """Return the application, the same at every call."""
        from bifente.simulator.middleware.dmpconnect.app import application

        return application(self)

    def learn(self, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Declare the holder code in a command; sessions were declared as they were opened."""
        self.declare_in(body)

    def declare_in(self, body: bytes | str) -> None:
        """Declare what is secret in a command, as far as it can be read."""
        try:
            said = json.loads(body) if body else {}
        except (ValueError, RecursionError):
            return
        if isinstance(said, dict):
            code = said.get("s_pinCode")
            if isinstance(code, str) and code:
                self.declare(code)

    def state(self) -> Mapping[str, Any]:
        """Return how many sessions are open, whose the readers are, and whether tokens must be renewed."""
        return {
            "sessions": len(self.sessions),
            "owner": "\\".join(reversed(self.owner)) if self.owner else "none",
            "tokens": self.sessions.tokens,
        }

    def set_state(self, changes: Mapping[str, Any]) -> None:
        """Set ``owner`` (DOMAIN\\user, empty for none) or ``tokens``. Raise ServiceError."""
        for key, value in changes.items():
            if key == "owner":
                domain, _, user = str(value).rpartition("\\")
                self.owner = (user, domain) if value else None
            elif key == "tokens":
                self.sessions.tokens = bool(value)
            else:
                raise ServiceError(f"{self.name}: no state {key!r} can be set")

    def execute(self, body: bytes | str, named: str = "") -> dict[str, Any]:
        """Return the answer to a command; what fails is an answer too."""
        said: _Said = {COMMAND: named}
        try:
            said = read_command(body, named)
            answer = {"s_status": "OK", **self._done(said)}
        except ConnectError as error:
            self._keep(said, error)
            return error.answer
        self._keep(said, None)
        return answer

    def _keep(self, said: _Said, error: ConnectError | None) -> None:
        session, name = str(said.get(SESSION, "")), str(said[COMMAND]).lower()
        self.log.append(HeardCommand(self.clock.now(), session, name, error))
        del self.log[:-_MOST_KEPT]

    def session_of(self, said: _Said) -> ConnectSession:
        """Return the session of a command. Raise ConnectError."""
        return self.sessions.of(text(said, SESSION))

    def check_sees_readers(self, session: ConnectSession) -> None:
        """Raise ConnectError for a session of another user than the one whose readers these are."""
        if self.owner is not None and (session.user, session.domain) != self.owner:
            raise ConnectError(
                ConnectErrorType.API,
                FUNCTIONAL,
                "no reader in this session",
                "the readers belong to the session of another user: they are not shared between workstations",
            )

    def _done(self, said: _Said) -> Mapping[str, Any]:
        name = str(said[COMMAND])
        if name.lower() == OPEN.lower():
            return self._open(said)
        command = _COMMANDS.get(name.lower())
        if command is None:
            raise ConnectError(ConnectErrorType.SERVER, FUNCTIONAL, f"unknown command {name[:60]}")
        return command(self, self.session_of(said), said)

    def _open(self, said: _Said) -> Mapping[str, Any]:
        seconds = number(said, "i_timeoutInSeconds", INACTIVITY)
        if not 0 < seconds <= 24 * INACTIVITY:
            raise malformed("i_timeoutInSeconds is out of bounds")
        session = self.sessions.open(seconds, text(said, "s_userName", ""), text(said, "s_domainName", ""))
        self.declare(session.id)
        return {SESSION: session.id, "s_serviceVersion": VERSION}

    # -- commands ------------------------------------------------------------------------------------------------------

    def _close(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        self.sessions.close(session)
        return {}

    def _session_state(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        return {
            "i_timeoutInSeconds": int(session.inactivity.total_seconds()),
            "i_connectors": len(session.insi) + len(session.dmp),
        }

    def _update_token(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        return {"i_expiresIn": self.sessions.renew(session), "s_fidelity": "modelled"}

    def _readers(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        hidden = self.owner is not None and (session.user, session.domain) != self.owner
        seen = () if hidden else self.workplace.readers()
        return {
            "Readers": [
                {
                    "s_name": one.name,
                    "i_slotType": int(one.use),
                    "s_slotType": one.use.words,
                    "i_accessMode": int(ReaderAccessMode.FULL_PCSC),
                    "s_accessMode": ReaderAccessMode.FULL_PCSC.words,
                }
                for one in seen
            ]
        }

    def _get_cpx(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        return self._chosen(session, said, SlotUse.CPS)

    def _get_vitale(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        return self._chosen(session, said, SlotUse.VITALE)

    def _chosen(self, session: ConnectSession, said: _Said, use: SlotUse) -> Mapping[str, Any]:
        """Choose the reader of a card, by name or else by its rank; a card of the kind must be in it."""
        self.check_sees_readers(session)
        readers = self.workplace.readers()
        name, rank = text(said, "s_readerName", ""), number(said, "i_readerNumber", 0)
        here = (
            [one for one in readers if one.name == name]
            if name
            else list(readers[rank : rank + 1] if rank >= 0 else ())
        )
        if not here:
            raise ConnectError(
                ConnectErrorType.API, FUNCTIONAL, "no such reader: hl_getPcscReaders tells them", "reader"
            )
        if here[0].use is not use:
            raise ConnectError(
                ConnectErrorType.API, FUNCTIONAL, f"{here[0].name}: {here[0].use.words}, {use.words} expected", "card"
            )
        return {}

    def _read_cpx(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        self.check_sees_readers(session)
        code = text(said, "s_pinCode")
        self.declare(code)
        found = self.workplace.read_cpx(code, certificates=bool(number(said, "i_returnCertificates", 0)))
        session.code = code
        return found

    def _cpx_status(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        self.check_sees_readers(session)
        return self.workplace.cpx_status()

    def _read_vitale(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        self.check_sees_readers(session)
        return self.workplace.read_vitale(_code(session, said))

    def _sign(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        self.check_sees_readers(session)
        if number(said, "i_digestType", _SHA256) != _SHA256:
            raise ConnectError(ConnectErrorType.API, FUNCTIONAL, "i_digestType: 1 (SHA-256) alone is signed here")
        if "s_dataToSignInBase64" in said:
            content = in_base64(said, "s_dataToSignInBase64")
        else:
            content = text(said, "s_stringToSign").encode()
        return self.workplace.sign(_code(session, said), content)

    def _create_insi(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        made = self._identifier()
        session.insi.add(made)
        return {INSTANCE: made}

    def _ins_from_vitale(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        self._check_insi(session, said)
        return self.workplace.ins_from_vitale(_code(session, said), number(said, "i_vitalePatientIndex", 1))

    def _ins_from_traits(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        self._check_insi(session, said)
        return self.workplace.ins_from_traits(_code(session, said), said)

    def _check_ins(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        """The WSDL of INSi has no verification: the traits are searched, and the INS found is compared (modelled)."""
        found = self._ins_from_traits(session, said).get("Identity", {}).get("Ins", {})
        number, key, oid = (text(said, name) for name in ("s_ins", "s_key", "s_oid"))
        # INSi may leave the key out.
        if (number, key, oid) != (found.get("s_value"), found.get("s_key") or key, found.get("s_oid")):
            raise ConnectError(
                ConnectErrorType.SERVER,
                FUNCTIONAL,
                "INSi does not know this INS for these traits",
                "INSi",
                "not-verified",
            )
        return {"s_fidelity": "modelled"}

    def _check_insi(self, session: ConnectSession, said: _Said) -> None:
        """A command may name its connector (ours); it needs not, the session has one."""
        self.check_sees_readers(session)
        if not session.insi or said.get(INSTANCE, next(iter(session.insi))) not in session.insi:
            raise ConnectError(
                ConnectErrorType.SERVER, FUNCTIONAL, "no such connector in this session: hl_createInsiConnector first"
            )

    def _create_dmp(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        self.check_sees_readers(session)
        code = _code(session, said)
        self.declare(code)
        connector = self.workplace.dmp_connector(code, said)
        session.code, made = code, self._identifier()
        session.dmp[made] = connector
        return {INSTANCE: made}

    def _to_dmp(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        self.check_sees_readers(session)
        return self._dmp(session, said).execute(_NAMES[str(said[COMMAND]).lower()], said)

    def _withdrawn(self, session: ConnectSession, said: _Said) -> Mapping[str, Any]:
        name = _NAMES[str(said[COMMAND]).lower()]
        raise ConnectError(
            ConnectErrorType.DMP, FUNCTIONAL, f"{name}: {WITHDRAWN[name]} is withdrawn", "DMP", "DMPUnknownOperation"
        )

    def _dmp(self, session: ConnectSession, said: _Said) -> Connector:
        last = next(reversed(session.dmp), "")
        found = session.dmp.get(text(said, INSTANCE, last))
        if found is None:
            raise ConnectError(
                ConnectErrorType.SERVER, FUNCTIONAL, "no such connector in this session: hl_createDmpConnector first"
            )
        return found


def _code(session: ConnectSession, said: _Said) -> str:
    """The code in the command, else the one that the card was read with."""
    code = text(said, "s_pinCode", session.code)
    if not code:
        raise ConnectError(ConnectErrorType.API, FUNCTIONAL, "the CPx card was not read: hl_readCpxCard first")
    return code


_COMMANDS: Mapping[str, _Command] = {
    "hl_closesession": DmpConnectJs._close,
    "hl_getsessionstate": DmpConnectJs._session_state,
    "hl_updatecpxauthenticationtoken": DmpConnectJs._update_token,
    "hl_getpcscreaders": DmpConnectJs._readers,
    "hl_getcpxcard": DmpConnectJs._get_cpx,
    "hl_getvitalecard": DmpConnectJs._get_vitale,
    "hl_readcpxcard": DmpConnectJs._read_cpx,
    "hl_getcpxstatus": DmpConnectJs._cpx_status,
    "hl_readvitalecard": DmpConnectJs._read_vitale,
    "hl_signwithcpxcard": DmpConnectJs._sign,
    "hl_createinsiconnector": DmpConnectJs._create_insi,
    "hl_getinsfromvitalecard": DmpConnectJs._ins_from_vitale,
    "hl_getinsfromidentityinformation": DmpConnectJs._ins_from_traits,
    "hl_checkinsidentity": DmpConnectJs._check_ins,
    "hl_createdmpconnector": DmpConnectJs._create_dmp,
    **{name.lower(): DmpConnectJs._to_dmp for name in OF_THE_DMP},
    **{name.lower(): DmpConnectJs._withdrawn for name in WITHDRAWN},
}
_NAMES: Mapping[str, str] = {name.lower(): name for name in (*OF_THE_DMP, *WITHDRAWN)}
