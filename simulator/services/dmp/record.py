"""One patient's record: who it is of, whether it is open, what the patient wishes, and all that happened in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from bifente.ground.clock import Clock
from bifente.simulator.formats.vihf.model import AccessPurpose
from bifente.simulator.formats.xds.model import Confidentiality
from bifente.simulator.formats.xds.names import DocumentStatus
from bifente.simulator.services.dmp.authorisations import Authorisations
from bifente.simulator.services.dmp.documents import DocumentShelf, StoredDocument
from bifente.simulator.services.dmp.parameters import DmpParameters
from bifente.simulator.services.dmp.requester import Requester


@dataclass(frozen=True, slots=True)
class DmpPatient:
    """Whose record it is: INS and its OID, traits. ``others`` are INS that this person had before."""

    ins: str
    oid: str
    family: str
    given: str
    sex: str
    birth: date
    birth_place: str = ""
    others: tuple[str, ...] = ()

    def age(self, at: date) -> int:
        """Return the age in whole years on a day."""
        return at.year - self.birth.year - ((at.month, at.day) < (self.birth.month, self.birth.day))


@dataclass(frozen=True, slots=True)
class Closing:
    """When and why a record was closed; ``reason`` is a code such as FERMETURE_DEMANDE_PATIENT."""

    on: datetime
    reason: str
    motive: str = ""


@dataclass(frozen=True, slots=True)
class AccessTrace:
    """One access, as the record keeps it. ``secret`` ones are not shown to the legal representatives."""

    at: datetime
    who: str
    structure: str
    action: str
    mode: AccessPurpose
    reason: str = ""
    document: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class PatientNotice:
    """A message to the patient."""

    at: datetime
    what: str
    who: str


@dataclass(slots=True)
class Wishes:
    """What the patient chose beforehand. Consent and opposition to feeding are kept by the practice, not here."""

    opposes_bris_de_glace: bool = False
    opposes_urgency: bool = False
    masked_in_urgency: bool = False
    archive_when_closed: bool = False


@dataclass(slots=True)
class MedicalRecord:
    """One record of the DMP."""

    patient: DmpPatient
    clock: Clock
    parameters: DmpParameters = field(default_factory=DmpParameters)
    attached: bool = True
    """Whether it belongs to Mon espace santé."""
    account: bool = True
    """Whether the patient has internet access to it."""
    wishes: Wishes = field(default_factory=Wishes)
    closing: Closing | None = None
    certified: bool = True
    """Whether the identity is certified by INSi."""
    contact: dict[str, str] = field(default_factory=dict)
    shelf: DocumentShelf = field(default_factory=DocumentShelf)
    traces: list[AccessTrace] = field(default_factory=list)
    notices: list[PatientNotice] = field(default_factory=list)
    authorisations: Authorisations = field(init=False)

    def __post_init__(self) -> None:
        self.authorisations = Authorisations(self.clock, self.parameters.idle_months)

    @property
    def open(self) -> bool:
        """Return whether it is open."""
        return self.closing is None

    @property
    def minor(self) -> bool:
        """Return whether the rules for minors hold today."""
        return self.parameters.minors and self.patient.age(self.clock.now().date()) < self.parameters.majority

    def close(self, reason: str, motive: str = "") -> None:
        """Close it."""
        self.closing = self.closing or Closing(self.clock.now(), reason, motive)

    def close_mes(self) -> None:
        """The patient closes Mon espace santé, and the record with it (SEED-DMP-32)."""
        self.account = False
        self.close("FERMETURE_DEMANDE_PATIENT", "Mon espace santé")

    def trace(self, requester: Requester, action: str, document: str = "") -> None:
        """Keep an access; the patient is told of a bris de glace."""
        now = self.clock.now()
        self.traces.append(
            AccessTrace(
                now,
                requester.id,
                requester.structure,
                action,
                requester.mode,
                requester.reason,
                document,
                secret=requester.secret and self.minor,
            )
        )
        if requester.mode is AccessPurpose.EMERGENCY:
            self.notices.append(PatientNotice(now, "bris-de-glace", requester.id))

    # -- who sees what -------------------------------------------------------------------------------------------------

    def seen_by_patient(self) -> tuple[StoredDocument, ...]:
        """Return the documents that the patient sees in Mon espace santé now."""
        now = self.clock.now()
        return tuple(one for one in self._alive() if Confidentiality.HIDDEN_FROM_PATIENT not in one.codes(now))

    def seen_by_representatives(self) -> tuple[StoredDocument, ...]:
        """Return the documents that the legal representatives of a minor see now; none for an adult."""
        if not self.minor:
            return ()
        hidden = Confidentiality.HIDDEN_FROM_REPRESENTATIVES
        return tuple(one for one in self.seen_by_patient() if hidden not in one.codes(self.clock.now()))

    def traces_for_representatives(self) -> tuple[AccessTrace, ...]:
        """Return the traces that the legal representatives see: none of a secret connection (SEED-DMP-29)."""
        return tuple(one for one in self.traces if not one.secret) if self.minor else ()

    def _alive(self) -> tuple[StoredDocument, ...]:
        return tuple(one for one in self.shelf if one.entry.status is not DocumentStatus.DELETED)
