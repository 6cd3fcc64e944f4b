"""What a suite may say under ``bench: {dmp: ...}``."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from bifente.conformance.model import Model
from bifente.simulator.services.dmp.parameters import DmpParameters

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]


class DmpPatientModel(Model):
    """A patient of the laboratory; the number, in month 19, is made from the rank."""

    born: date = Field(default=date(1980, 1, 1), description="date of birth")
    sex: str = Field(default="F", pattern="^[FM]$")
    family: str = Field(default="TESTPATIENT", max_length=60)
    given: str = Field(default="ANNE", max_length=60)
    attached: bool = Field(default=True, description="whether the DMP belongs to Mon espace santé")
    record: bool = Field(default=True, description="whether there is a DMP at all")
    certified: bool = Field(default=True, description="whether INSi certifies the identity")


class DmpSection(Model):
    """The service, and the patients who have a record there."""

    url: str | None = Field(
        default=None,
        pattern=r"^https://[^\s]+$",
        description="base address of a service elsewhere, e.g. a publisher's test platform, instead of ours",
    )
    ca: str | None = Field(default=None, description="PEM file of the authority that the service at url is trusted by")
    patients: dict[Name, DmpPatientModel] = Field(default_factory=dict, description="patients by a short name")
    hidden_days: int = Field(default=14, ge=0, le=3_650, description="days a document stays hidden from the patient")
    vihf_seconds: int = Field(default=300, ge=1, le=86_400, description="how old an assertion may be")
    largest_kib: int = Field(default=10_240, ge=1, le=65_536, description="largest document, in KiB")
    most_results: int = Field(default=1_000, ge=1, le=1_000_000, description="most objects that a search gives back")
    fed_per_second: int = Field(default=4, ge=1, le=100_000, description="most feedings a second")
    cumul: bool = Field(default=False, description="whether masked and hidden from the patient may go together")
    minors: bool = Field(default=True, description="whether the rules for minors hold")
    majority: int = Field(default=18, ge=0, le=120, description="age of majority in years")
    blocked_may_feed: bool = Field(default=True, description="whether a blocked professional may still feed")
    pdf_a: bool = Field(default=False, description="whether a PDF that is no PDF/A-1 is refused")
    strict: bool = Field(default=True, description="whether spellings of independent builders are refused")

    @property
    def parameters(self) -> DmpParameters:
        """Return them as the service takes them."""
        return DmpParameters(
            hidden_for=timedelta(days=self.hidden_days),
            vihf_age=timedelta(seconds=self.vihf_seconds),
            largest_document=self.largest_kib * 1024,
            most_results=self.most_results,
            fed_per_second=self.fed_per_second,
            cumul=self.cumul,
            minors=self.minors,
            majority=self.majority,
            blocked_may_feed=self.blocked_may_feed,
            pdf_a=self.pdf_a,
            strict=self.strict,
        )
