"""Steps at the desk: the Vitale read, somebody on it chosen, the INS searched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.ins.steps.base import OUTCOME, InsStep, InsTold, refused
from bifente.conformance.domains.vitale.workstation import SOFTWARE, Workstation
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import Code, ImpossibleStepError, Observes
from bifente.ground.text import Text
from bifente.simulator.middleware.codes import SsvError
from bifente.simulator.software.identity.status import IdentityError
from bifente.simulator.tarification.deadlines import civil_day

if TYPE_CHECKING:
    from bifente.conformance.domains.ins.bench import InsBench
    from bifente.simulator.formats.insi import InsiAnswer
    from bifente.simulator.software.insi.client import Credential

_FOUND = {"00": "found", "01": "none", "02": "several"}


class ReadBeneficiaries(InsStep):
    """Read the Vitale: who is on it."""

    name: ClassVar[str] = "read-beneficiaries"
    title: ClassVar[Text] = Text("Lire les bénéficiaires de la Vitale", "Read the beneficiaries of the Vitale")
    shorthand: ClassVar[str] = "holder_code"
    observes: ClassVar[Observes] = {
        **OUTCOME,
        "people": ValueMatcher(),
        "names": ValueMatcher(),
        "serial": ValueMatcher(),
    }

    holder_code: Code = Field(description="the code of the professional's card, e.g. $card.code")

    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Read it."""
        from bifente.simulator.software.insi.vitale import vitale_reading

        workstation = act.scene.part(Workstation)
        library = workstation.ssv(SOFTWARE)
        library.init_lib()
        now = act.bench.clock.now()
        names = workstation.resource_names()
        answer = library.lire_droits_vitale(*names, self.holder_code, f"{civil_day(now):%Y%m%d}")
        if answer.code:
            raise SsvError(answer.code, answer.detail)
        reading = vitale_reading(answer.groups, now)
        ins.desk.show(reading)
        ins.patient = None
        for credential in ins.credentials():
            credential.renew()
        return InsTold(
            values={
                "people": len(reading.people),
                "names": [f"{one.birth_name or one.name} {one.first_name}" for one in reading.people],
                "serial": reading.serial,
            }
        )


class ChooseBeneficiary(InsStep):
    """Choose who on the Vitale is the patient: his file is opened, a provisional identity."""

    name: ClassVar[str] = "choose-beneficiary"
    title: ClassVar[Text] = Text("Choisir le bénéficiaire", "Choose the beneficiary")
    shorthand: ClassVar[str] = "rank"
    observes: ClassVar[Observes] = OUTCOME

    rank: int = Field(ge=0, le=99, description="from 1, in the order of the card")

    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Choose him."""
        ins.patient = ins.desk.choose(self.rank)
        return InsTold()


class SearchIns(InsStep):
    """Search the INS of the open file, and take what is found if its traits are those of the file."""

    name: ClassVar[str] = "search-ins"
    title: ClassVar[Text] = Text("Rechercher l'INS", "Search the INS")
    shorthand: ClassVar[str] = "by"
    success: ClassVar[tuple[str, str] | None] = ("outcome", "found")
    observes: ClassVar[Observes] = {
        **OUTCOME,
        **{
            name: ValueMatcher()
            for name in (
                "cr",
                "requests",
                "number",
                "key",
                "oid",
                "type",
                "history",
                "dates",
                "first-name",
                "given-names",
                "birth-place",
                "http",
                "subcode",
                "remedy",
                "signatures",
            )
        },
    }

    by: Literal["vitale", "traits"] = Field(description="with the Vitale that was read, or on the traits of the file")
    credential: Literal["card", "structure", "both", "none"] = Field(
        default="card", description="who asks: the card, a structure by its certificate, both at once, nobody"
    )
    holder_code: Code | None = Field(default=None, description="the code of the professional's card")
    situation: int | None = Field(default=None, ge=1, le=16, description="which exercise situation of the card")
    billing: str | None = Field(default=None, max_length=9, description="another billing number than the card's")
    sector: str | None = Field(default=None, max_length=4, description="another activity sector than the card's")
    structure: str = Field(default="INSI-AUTO", max_length=64, description="common name of the structure certificate")
    level: Literal["ELEMENTAIRE", "STANDARD", "FORT"] = Field(
        default="ELEMENTAIRE", description="which authority issued the structure certificate"
    )
    tries: int | None = Field(default=None, ge=1, le=50, description="at most so many searches on traits")
    over: bool = Field(default=False, description="take the official traits over those of the file")
    author: str = Field(default="agent-accueil", max_length=60, description="who searches")

    def do(self, act: Act, ins: InsBench) -> InsTold:
        """Search it."""
        from bifente.simulator.software.insi.client import InsiCallError

        patient, desk = ins.file(), ins.desk
        before = len(desk.asked)
        credential = self._credential(ins)
        values: dict[str, Any] = {}
        try:
            if self.by == "vitale":
                found = desk.by_vitale(patient, credential, self.author, take=False)
            else:
                found = desk.by_traits(patient, credential, self.author, tries=self.tries, take=False)
            values = _seen(found)
            if found.active is not None:
                patient.take(found, self.author, over=self.over)
            told = InsTold(_FOUND[found.code.value], values, _told(found))
        except (IdentityError, SsvError, InsiCallError) as error:
            told = refused(error)
        more = {"requests": len(desk.asked) - before, "signatures": sum(one.signed for one in ins.credentials())}
        return InsTold(told.outcome, {**values, **told.values, **more}, told.decoded)

    def _credential(self, ins: InsBench) -> Credential:
        from bifente.simulator.pki.authority import CertificateLevel
        from bifente.simulator.software.insi.credentials import Said

        if self.credential == "structure":
            return ins.as_structure(self.structure, CertificateLevel[self.level])
        if self.credential == "none":
            return ins.as_nobody()
        if self.holder_code is None:
            raise ImpossibleStepError(
                Text(
                    "la carte veut son code : holder-code: $card.code",
                    "the card wants its code: $card.code",
                )
            )
        said = Said(self.situation, self.billing, self.sector)
        if self.credential == "both":
            ins.as_structure(self.structure, CertificateLevel[self.level])
            return ins.card(self.holder_code, said)
        return ins.as_card(self.holder_code, said)


def _seen(found: InsiAnswer) -> dict[str, Any]:
    values: dict[str, Any] = {"cr": found.code.value, "history": [one.matricule.number for one in found.history]}
    values["dates"] = [f"{one.start or '-'}/{one.end or '-'}" for one in found.history]
    if found.active is not None and found.traits is not None:
        held, traits = found.active.matricule, found.traits
        values |= {
            "number": held.number,
            "key": held.key or "none",
            "type": held.type or "none",
            "oid": found.active.oid,
            "first-name": traits.first or "none",
            "given-names": traits.given or "none",
            "birth-place": traits.birth_place or "none",
        }
    return values


def _told(found: InsiAnswer) -> tuple[tuple[str, str], ...]:
    return (("CR", f"{found.code.value} {found.label}"),)
