"""Choosing an application or a file."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.card.steps.names import Application, FileName
from bifente.conformance.expectations import TlvMatcher
from bifente.conformance.scenario.step import ANSWER, CardStep, Hex, Observation, Observes
from bifente.ground.text import Text


class SelectApplication(CardStep):
    """SELECT by name (P1 = 04, no answer wanted): one of the card's applications, or any AID.

    Without argument: the application that a middleware works with, as it takes it up (cpx-ias on a CPS3, chipdoc on a
    CPS4).
    """

    name: ClassVar[str] = "select-application"
    title: ClassVar[Text] = Text("Sélectionner une application", "Select an application")
    shorthand: ClassVar[str] = "application"
    observes: ClassVar[Observes] = ANSWER

    application: Application | None = Field(default=None, description="name in the card's layout")
    aid: Hex | None = Field(default=None, description="any AID, 5 to 16 bytes")

    def run(self, act: Act) -> Observation:
        """Select it."""
        if self.aid is None and self.application is None:
            return Observation.of(act.host.open())
        aid = self.aid if self.aid is not None else act.card.aid(str(self.application))
        return Observation.of(act.host.select_application(aid))


class SelectFile(CardStep):
    """SELECT by absolute path: a file of the card by its name, or any path."""

    name: ClassVar[str] = "select-file"
    title: ClassVar[Text] = Text("Sélectionner un fichier", "Select a file")
    shorthand: ClassVar[str] = "file"
    observes: ClassVar[Observes] = {**ANSWER, "tlv": TlvMatcher()}

    file: FileName | None = Field(default=None, description="name in the card's layout, e.g. EF.SN")
    path: Hex | None = Field(default=None, description="file identifiers from 3F00")
    answer: Literal["fcp", "none"] = Field(default="fcp", description="fcp: what the card tells of it")

    def run(self, act: Act) -> Observation:
        """Select it; what the card tells of it is observed when asked for."""
        path = self.path if self.path is not None else act.card.path(self.file or "MF")
        response = act.host.select_file(path, describe=self.answer == "fcp")
        return Observation.of(response, tlv=response.data)
