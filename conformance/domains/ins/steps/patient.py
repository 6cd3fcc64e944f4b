"""Steps on the file of a patient: opened, checked, marked, edited, asked what may leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.ins.steps.base import OUTCOME, InsStep, InsTold
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import Observes
from bifente.ground.text import Text
from bifente.simulator.software.identity.status import IdentityMark

if TYPE_CHECKING:
    from bifente.conformance.domains.ins.bench import InsBench

Name = Annotated[str, Field(max_length=100)]
AUTHOR = "agent-accueil"
Author = Field(default=AUTHOR, max_length=60, description="who does it")
_MARKS = {one.name.lower(): one for one in IdentityMark}
Mark = Literal["homonyme", "douteuse", "fictive"]


class OpenPatientFile(InsStep):
    """Open the file of a patient with what he says of himself: a provisional identity."""

    name: ClassVar[str] = "open-patient-file"
    title: ClassVar[Text] = Text("Ouvrir le dossier d'un patient", "Open the file of a patient")
    observes: ClassVar[Observes] = OUTCOME

    birth_name: Name = Field(description="birth name, as typed")
    given_names: list[Name] = Field(max_length=20, description="given names, in order")
    sex: str = Field(default="", max_length=1, description="M or F; empty if nobody asked")
    birth_date: str = Field(default="", max_length=10, description="YYYY-MM-DD, 00 for a day or month not known")
    birth_place: str = Field(default="", max_length=5, description="official code (COG), 99999 if not known")

    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Open it."""
        from bifente.simulator.software.identity.patient import PatientFile
        from bifente.simulator.software.identity.traits import StrictTraits

        traits = StrictTraits(self.birth_name, tuple(self.given_names), self.sex, self.birth_date, self.birth_place)
        ins.patient = PatientFile(traits, act.bench.clock)
        return InsTold()


class CheckIdentity(InsStep):
    """Check the identity against a document."""

    name: ClassVar[str] = "check-identity"
    title: ClassVar[Text] = Text("Contrôler l'identité sur une pièce", "Check the identity against a document")
    shorthand: ClassVar[str] = "document"
    observes: ClassVar[Observes] = OUTCOME

    document: str = Field(max_length=40, description="cni, passeport, titre-de-sejour, permis-de-conduire ...")
    author: str = Author

    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Check it."""
        ins.file().check_document(self.document, self.author)
        return InsTold()


class AttestIdentity(InsStep):
    """Tick the box "I attest that I already know this person"."""

    name: ClassVar[str] = "attest-identity"
    title: ClassVar[Text] = Text("Attester connaître la personne", "Attest that the person is known")
    shorthand: ClassVar[str] = "author"
    observes: ClassVar[Observes] = OUTCOME

    author: str = Author

    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Tick it."""
        ins.file().attest(self.author)
        return InsTold()


class WithdrawIdentity(InsStep):
    """Take back the check of the document, or the INS when its verification failed."""

    name: ClassVar[str] = "withdraw-identity"
    title: ClassVar[Text] = Text("Retirer le contrôle ou l'INS", "Withdraw the check or the INS")
    shorthand: ClassVar[str] = "what"
    observes: ClassVar[Observes] = OUTCOME

    what: Literal["check", "ins"] = Field(description="the check, or the INS")
    author: str = Author

    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Withdraw it."""
        patient = ins.file()
        if self.what == "check":
            patient.withdraw_check(self.author)
        else:
            patient.withdraw_ins(self.author)
        return InsTold()


class MarkIdentity(InsStep):
    """Attach an attribute to the identity, or take it off."""

    name: ClassVar[str] = "mark-identity"
    title: ClassVar[Text] = Text("Marquer l'identité", "Mark the identity")
    shorthand: ClassVar[str] = "mark"
    observes: ClassVar[Observes] = OUTCOME

    mark: Mark = Field(description="homonym, doubtful, fictitious")
    off: bool = Field(default=False, description="take it off instead")
    author: str = Author

    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Mark it."""
        patient, mark = ins.file(), _MARKS[self.mark]
        if self.off:
            patient.unmark(mark, self.author)
        else:
            patient.mark(mark, self.author)
        return InsTold()


class EditIdentity(InsStep):
    """Change strict traits by hand."""

    name: ClassVar[str] = "edit-identity"
    title: ClassVar[Text] = Text("Modifier les traits stricts", "Edit the strict traits")
    observes: ClassVar[Observes] = OUTCOME

    birth_name: Name | None = Field(default=None, description="another birth name")
    given_names: list[Name] | None = Field(default=None, max_length=20, description="other given names")
    sex: str | None = Field(default=None, max_length=1, description="another sex")
    birth_date: str | None = Field(default=None, max_length=10, description="another birth date")
    birth_place: str | None = Field(default=None, max_length=5, description="another birthplace code")
    author: str = Author

    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Edit them."""
        given = None if self.given_names is None else tuple(self.given_names)
        said = {
            "name": self.birth_name,
            "given": given,
            "sex": self.sex,
            "birth_date": self.birth_date,
            "birth_place": self.birth_place,
        }
        ins.file().edit(self.author, **{name: value for name, value in said.items() if value is not None})
        return InsTold()


class OutgoingIns(InsStep):
    """Ask the file for the INS that a message to a national platform may carry."""

    name: ClassVar[str] = "outgoing-ins"
    title: ClassVar[Text] = Text("Demander l'INS à transmettre", "Ask for the INS to send")
    observes: ClassVar[Observes] = {
        **OUTCOME,
        "number": ValueMatcher(),
        "oid": ValueMatcher(),
        "written": ValueMatcher(),
    }

    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Ask for it."""
        held = ins.file().outgoing()
        return InsTold(values={"number": held.number, "oid": held.oid, "written": held.written})


class LookAtIdentity(InsStep):
    """Look at the file: status, traits, how it was checked, who did what."""

    name: ClassVar[str] = "look-at-identity"
    title: ClassVar[Text] = Text("Regarder l'identité", "Look at the identity")
    observes: ClassVar[Observes] = {
        **OUTCOME,
        **{
            name: ValueMatcher()
            for name in (
                "birth-name",
                "given-names",
                "sex",
                "birth-date",
                "birth-place",
                "checked-by",
                "number",
                "oid",
                "history",
                "marks",
                "traces",
                "last-author",
                "used-name",
            )
        },
    }

    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Look."""
        patient = ins.file()
        held = patient.ins
        history = patient.answer.history if patient.answer is not None and held is not None else ()
        return InsTold(
            values={
                "birth-name": patient.traits.name,
                "given-names": list(patient.traits.given),
                "sex": patient.traits.sex or "none",
                "birth-date": patient.traits.birth_date,
                "birth-place": patient.traits.birth_place or "none",
                "checked-by": patient.checked_by or "none",
                "number": held.matricule.number if held is not None else "none",
                "oid": held.oid if held is not None else "none",
                "history": [one.matricule.number for one in history],
                "marks": sorted(one.name.lower() for one in patient.axes.marks),
                "traces": [one.action for one in patient.traces],
                "last-author": patient.traces[-1].author or "none",
                "used-name": patient.used_name or "none",
            }
        )
