"""What a suite says of identities under ``bench: ins``."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bifente.simulator.services.insi.quirks import InsiQuirk


class InsSection(BaseModel):
    """The teleservice of the scenario: ours by default, or one at an address; and the software that asks it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        default=None,
        pattern=r"^https://[^\s?#]+$",
        description="the address of another INSi (a publisher's test platform) instead of ours, its path included",
    )
    ca: str | None = Field(default=None, description="PEM file of the authority of that address; else the system's")
    idam: str = Field(default="BIFENTE-IDAM-01", max_length=64, description="authorisation number of the software")
    software: str = Field(default="urn:lps:bifente:1.0", max_length=100, description="name of the software")
    version: str = Field(default="1.0", max_length=20, description="version of the software")
    quirks: list[InsiQuirk] = Field(
        default=[InsiQuirk.ODD_DATES], description="what real answers do against their own schema"
    )
    people: list[dict[str, Any]] = Field(
        default=[], max_length=1000, description="people beside those of the laboratory, as in population.yaml"
    )
