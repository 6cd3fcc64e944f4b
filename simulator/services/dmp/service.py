"""The DMP as a service of the bench."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from cryptography import x509

from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.formats.cda import CdaSchema
from bifente.simulator.formats.dmp.names import DmpAction
from bifente.simulator.formats.soap import SoapEnvelope
from bifente.simulator.formats.vihf import VerifiedVihf
from bifente.simulator.pki.judging import CertificateJudge
from bifente.simulator.services.dmp.admission import admit
from bifente.simulator.services.dmp.errors import DmpRefusalError
from bifente.simulator.services.dmp.judging import HeardCall
from bifente.simulator.services.dmp.parameters import DmpParameters
from bifente.simulator.services.dmp.record import MedicalRecord
from bifente.simulator.services.dmp.register import DmpRegister
from bifente.simulator.services.dmp.requester import Requester
from bifente.simulator.serving.service import Asgi, Declare, Service, ServiceError, to_nobody

DIRECTORY_INCIDENT = "dmp-directory-incident"
REGISTRY_AWAY = "dmp-registry-away"
BUSY = "dmp-busy"
#: What each trouble makes of a call.
_TROUBLES = {
    REGISTRY_AWAY: ("XDSRegistryNotAvailable", Text("le registre ne répond pas", "the registry does not answer")),
    BUSY: ("XDSRepositoryBusy", Text("le service est surchargé", "the service is overloaded")),
}
_FEEDING = frozenset({DmpAction.PROVIDE})
_MOST_HEARD = 100_000
_HEAD = 4_194_304
"""Bytes of a message beside its largest document: envelope, assertion, metadata, base64."""


class DmpService(Service):
    """The DMP. ``trust`` judges whoever signs an assertion or a submission."""

    name = "dmp"
    title = Text("DMP", "DMP")
    offered = frozenset({DIRECTORY_INCIDENT, REGISTRY_AWAY, BUSY})

    def __init__(
        self,
        clock: Clock,
        trust: CertificateJudge,
        new_id: Callable[[], str],
        parameters: DmpParameters | None = None,
        *,
        schema: CdaSchema | None = None,
        declare: Declare = to_nobody,
    ) -> None:
        super().__init__(declare)
        self.register = DmpRegister(clock, new_id, parameters or DmpParameters(), schema)
        self.trust = trust
        self.log: list[HeardCall] = []
        """Every call that was read, the last hundred thousand."""

    @property
    def largest_message(self) -> int:
        """Return how many bytes of one message are read: more than a document that is too large, to say so."""
        return 2 * self.register.parameters.largest_document + _HEAD

    @cached_property
    def application(self) -> Asgi:
        """Return its ASGI application."""
        from bifente.simulator.services.dmp.app import application

        return application(self)

    def state(self) -> Mapping[str, Any]:
        """Return the records by INS: open or not, how many documents, traces and notices."""
        return {
            ins: {
                "open": record.open,
                "documents": len(record.shelf),
                "traces": len(record.traces),
                "notices": len(record.notices),
            }
            # Taken at once: the thread that serves may open another one meanwhile.
            for ins, record in list(self.register.records.items())
        }

    def set_state(self, changes: Mapping[str, Any]) -> None:
        """Open or close records by INS: ``{ins: {"open": false}}``. Raise ServiceError for anything else."""
        for ins, wanted in changes.items():
            record = self._known(ins)
            for key, value in wanted.items():
                if key != "open" or not isinstance(value, bool):
                    raise ServiceError(f"dmp: no state {key!r} can be set, only open: true or false")
                record.closing = None
                if not value:
                    record.close("FERMETURE_DEMANDE_PATIENT")

    def admit(self, envelope: SoapEnvelope, peer: Sequence[x509.Certificate] = ()) -> tuple[Requester, VerifiedVihf]:
        """Return who asks; ``peer`` is the client of the TLS connection, its own first. Raise DmpRefusalError."""
        return admit(self.register, envelope, self.trust, peer)

    def check_up(self, action: DmpAction | None) -> None:
        """Raise DmpRefusalError where the service suffers something that touches this call."""
        if DIRECTORY_INCIDENT in self.troubles:
            raise DmpRefusalError(
                "DMPGeneralError", Text("incident côté serveur", "incident on the side of the server")
            )
        if action in _FEEDING:
            for trouble, (code, why) in _TROUBLES.items():
                if trouble in self.troubles:
                    raise DmpRefusalError(code, why)

    def heard(self, call: HeardCall) -> None:
        """Keep a call."""
        self.log.append(call)
        if len(self.log) > _MOST_HEARD:
            del self.log[: _MOST_HEARD // 2]

    def _known(self, ins: str) -> MedicalRecord:
        record = self.register.records.get(ins)
        if record is None:
            raise ServiceError(f"dmp: no record {ins!r}")
        return record
