"""One connector to the DMP: who speaks, in which mode, about which patients, which documents were found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from bifente.ground.clock import Clock
from bifente.simulator.formats.vihf import InsIdentifier
from bifente.simulator.formats.xds.model import DocumentEntry
from bifente.simulator.middleware.dmpconnect.conventions import (
    FUNCTIONAL,
    ConnectError,
    ConnectErrorType,
    malformed,
    number,
    structure,
    text,
)
from bifente.simulator.serving.calling import Caller
from bifente.simulator.software.connect.values import INS_TYPES, MODES
from bifente.simulator.software.lps.chart import PatientChart
from bifente.simulator.software.lps.client import DmpAccess, DmpClient, DmpReply, UnreachableError
from bifente.simulator.software.lps.identity import LpsUser

_Said = Mapping[str, Any]
LOCATION = "i_cpsPracticeLocationIndice"


class DmpReach(Protocol):
    """How the DMP is reached from a workstation."""

    base: str
    """The path of its services."""
    web: str
    """The address below which its pages are."""
    clock: Clock

    @property
    def folder(self) -> Path:
        """Return where a document that was fetched is put for the page's user."""
        ...

    def user(self, code: str, location: int | None) -> LpsUser:
        """Return the holder of the card at a place of practice, its code presented. Raise ConnectError."""
        ...

    def caller(self, user: LpsUser) -> Caller:
        """Return what carries the calls of a user."""
        ...

    def new_id(self) -> str:
        """Return a fresh UUID."""
        ...

    def number(self) -> int:
        """Return a fresh number for identifiers of documents."""
        ...


@dataclass(slots=True)
class DmpConnector:
    """What ``hl_createDmpConnector`` made. It knows nothing of consent or identity: that is the page's own to keep."""

    reach: DmpReach
    code: str = field(repr=False)
    client: DmpClient
    setting: str = "AMBULATOIRE"
    charts: dict[str, PatientChart] = field(default_factory=dict)
    found: dict[int, tuple[PatientChart, DocumentEntry]] = field(default_factory=dict)
    """What the last search found, by handle."""
    web: str = ""

    @classmethod
    def made(cls, reach: DmpReach, code: str, said: _Said) -> DmpConnector:
        """Return one for the holder of the card. Raise ConnectError."""
        made = cls(reach, code, _client(reach, code, said.get(LOCATION)), web=reach.web)
        made.setting = text(said, "s_practiceSetting", made.setting)
        return made

    def execute(self, name: str, said: _Said) -> _Said:
        """Return the answer to a command. Raise ConnectError."""
        from bifente.simulator.software.connect.commands import COMMANDS

        try:
            return COMMANDS[name](self, said)
        except UnreachableError as error:
            raise ConnectError(ConnectErrorType.CURL, FUNCTIONAL, str(error), "network", "unreachable") from None

    # -- what commands share -------------------------------------------------------------------------------------------

    def patient(self, said: _Said) -> PatientChart:
        """Return the patient that a command names, by ``s_ins`` or ``Ins``. Raise ConnectError."""
        told = structure(said, "Ins")
        whole = text(told, "s_ins") if told else text(said, "s_ins")
        kind = text(told, "s_insType", "T")
        if kind not in INS_TYPES:
            raise malformed(f"s_insType {kind[:8]!r} is not one of {', '.join(INS_TYPES)}")
        ins = InsIdentifier(whole[:13], whole[13:], INS_TYPES[kind])
        if (problem := ins.problem) is not None:
            raise malformed(f"s_ins: {problem}")
        if ins.written not in self.charts:
            self.charts[ins.written] = PatientChart(ins, "", "", "", "", consents=True)
        return self.charts[ins.written]

    def named(self, patient: PatientChart) -> PatientChart:
        """Return a patient whose names are known, asked of the DMP (TD0.2) unless they are. Raise ConnectError."""
        if not patient.family:
            reply, found = self.client.existence(patient)
            self.well(reply)
            if found is None or not found.found:
                raise refused(DmpReply(200, "DMPPatientNotFound", "aucun DMP pour cet INS"))
            traits = found.traits
            patient.family, patient.given = traits.family, traits.given
            patient.sex, patient.birth = traits.sex, traits.birth
        return patient

    def well(self, reply: DmpReply) -> DmpReply:
        """Return an answer. Raise ConnectError for a refusal."""
        if not reply.ok:
            raise refused(reply)
        return reply

    def parameters(self) -> Mapping[str, Any]:
        """Return what the service publishes of itself. Raise ConnectError."""
        return self.client.parameters()

    def practise(self, said: _Said) -> None:
        """Practise at another place from now on."""
        access = self.client.access
        self.client = _client(self.reach, self.code, number(said, LOCATION, 0))
        self.client.access = access
        self.setting = text(said, "s_practiceSetting", self.setting)

    def enter(self, said: _Said) -> None:
        """Enter records in another mode from now on. Raise ConnectError."""
        mode = MODES.get(number(said, "i_accessMode", 0))
        if mode is None:
            raise malformed("i_accessMode: 1 normal, 2 bris de glace, 3 centre 15")
        self.client.access = replace(self.client.access, mode=mode, reason=text(said, "s_reason", ""))

    def hide(self, said: _Said) -> None:
        """Open a secret connection, or end it."""
        self.client.access = replace(self.client.access, secret=bool(number(said, "i_enableSecretConnection", 0)))


def refused(reply: DmpReply) -> ConnectError:
    """Return the error of an answer that is a refusal; the code of the DMP is its context."""
    return ConnectError(ConnectErrorType.DMP, FUNCTIONAL, reply.reason or reply.code, "DMP", reply.code)


def _client(reach: DmpReach, code: str, location: int | None) -> DmpClient:
    user = reach.user(code, location)
    made = DmpClient(reach.caller(user), user, reach.clock, reach.new_id, reach.base)
    made.access = DmpAccess()
    return made


Command = Callable[[DmpConnector, _Said], _Said]
