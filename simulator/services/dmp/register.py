"""What the DMP knows: the records by INS, the structures, who is linked to them, and how often each feeds."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bifente.ground.clock import Clock
from bifente.ground.text import Text
from bifente.simulator.formats.cda import CdaSchema
from bifente.simulator.services.dmp.errors import DmpRefusalError
from bifente.simulator.services.dmp.parameters import DmpParameters
from bifente.simulator.services.dmp.record import DmpPatient, MedicalRecord


@dataclass(frozen=True, slots=True)
class KnownProfessional:
    """A professional of the directory: its structures by id, each with its sector."""

    id: str
    family: str
    given: str
    structures: Mapping[str, str]
    speciality: str = ""


@dataclass(slots=True)
class DmpRegister:
    """The state of the service. ``new_id`` gives fresh UUIDs, so that a seed gives the same ones."""

    clock: Clock
    new_id: Callable[[], str]
    parameters: DmpParameters = field(default_factory=DmpParameters)
    schema: CdaSchema | None = None
    records: dict[str, MedicalRecord] = field(default_factory=dict)
    professionals: dict[str, KnownProfessional] = field(default_factory=dict)
    structures: dict[str, str] = field(default_factory=dict)
    """Names of the structures that are known and open, by id."""
    situations: dict[str, str] = field(default_factory=dict)
    """The structure that a professional chose to work in by default, on the web site."""
    _fed: dict[str, deque[float]] = field(default_factory=dict)

    def open(self, patient: DmpPatient) -> MedicalRecord:
        """Open a record and return it."""
        record = MedicalRecord(patient, self.clock, self.parameters)
        for ins in (patient.ins, *patient.others):
            self.records[ins] = record
        return record

    def know(self, professional: KnownProfessional, names: Mapping[str, str]) -> None:
        """Put a professional into the directory, with the names of its structures."""
        self.professionals[professional.id] = professional
        self.structures.update({one: names.get(one, one) for one in professional.structures})

    def links(self, national_id: str) -> Mapping[str, str] | None:
        """Return the structures of a professional with their sectors, None for somebody unknown."""
        found = self.professionals.get(national_id)
        return None if found is None else found.structures

    def record(self, number: str, oid: str) -> MedicalRecord:
        """Return the record of an INS. Raise DmpRefusalError where there is none or its identity is not certified."""
        found = self.find(number, oid)
        if found is None:
            raise DmpRefusalError(
                "DMPPatientNotFound", Text("aucun DMP pour cet INS et cet OID", "no DMP for this INS and this OID")
            )
        if not found.certified:
            raise DmpRefusalError(
                "DMPIdentityCertificationFailure",
                Text("l'identité de ce DMP n'est pas certifiée", "the identity of this DMP is not certified"),
            )
        return found

    def find(self, number: str, oid: str) -> MedicalRecord | None:
        """Return the record of an INS, None without one."""
        found = self.records.get(number)
        return found if found is not None and found.patient.oid == oid else None

    def everyone(self) -> Iterable[MedicalRecord]:
        """Return every record once."""
        return {id(one): one for one in list(self.records.values())}.values()

    def count_feeding(self, structure: str, software: str) -> None:
        """Count one feeding. Raise DmpRefusalError XDSRepositoryBusy beyond the rate of a structure and a software."""
        now = self.clock.monotonic()
        seen = self._fed.setdefault(f"{structure}/{software}", deque())
        while seen and now - seen[0] >= timedelta(seconds=1).total_seconds():
            seen.popleft()
        if len(seen) >= self.parameters.fed_per_second:
            raise DmpRefusalError(
                "XDSRepositoryBusy",
                Text(
                    f"plus de {self.parameters.fed_per_second} alimentations en une seconde",
                    f"more than {self.parameters.fed_per_second} feedings in one second",
                ),
            )
        seen.append(now)
