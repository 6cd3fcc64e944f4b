"""Reading and writing files."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.card.steps.business import FIELD_NAMES, decode
from bifente.conformance.domains.card.steps.names import FileName
from bifente.conformance.expectations import TlvMatcher, ValueMatcher
from bifente.conformance.scenario.step import ANSWER, SW, CardStep, Hex, Observation, Observes
from bifente.ground.text import Text
from bifente.simulator.iso7816.apdu import Response


class Read(CardStep):
    """Read a whole file as a middleware does (SELECT, then READ BINARY); a business object is decoded."""

    name: ClassVar[str] = "read"
    title: ClassVar[Text] = Text("Lire un objet", "Read an object")
    shorthand: ClassVar[str] = "file"
    observes: ClassVar[Observes] = {**ANSWER, "tlv": TlvMatcher(), **{name: ValueMatcher() for name in FIELD_NAMES}}

    file: FileName = Field(description="name in the card's layout, e.g. CPS_ACTIVITY_01_PS")

    def run(self, act: Act) -> Observation:
        """Read it, on the side of the card it lies in."""
        return _observed(self.file, act.host.read(act.card.path(self.file), act.card.volume(self.file)))


def _observed(name: str, response: Response) -> Observation:
    fields, decoded = decode(name, response.data) if response.sw == 0x9000 else ({}, ())
    values = {"sw": response.sw, "data": response.data, "tlv": response.data, **fields}
    return Observation(values, decoded)


class ReadBinary(CardStep):
    """READ BINARY of the selected file, or of one by its short identifier."""

    name: ClassVar[str] = "read-binary"
    title: ClassVar[Text] = Text("Lire des octets", "Read bytes")
    observes: ClassVar[Observes] = {**ANSWER, "tlv": TlvMatcher()}

    offset: int = Field(default=0, ge=0, le=0x7FFF, description="first byte, from 0")
    length: int = Field(default=256, ge=1, le=256, description="how many bytes")
    sfi: int | None = Field(default=None, ge=1, le=30, description="short identifier, in place of the file selected")

    def run(self, act: Act) -> Observation:
        """Read them."""
        response = act.host.read_binary(self.offset, self.length, self.sfi)
        return Observation.of(response, tlv=response.data)


class UpdateBinary(CardStep):
    """UPDATE BINARY of the selected file."""

    name: ClassVar[str] = "update-binary"
    title: ClassVar[Text] = Text("Écrire des octets", "Write bytes")
    observes: ClassVar[Observes] = SW

    data: Hex = Field(description="bytes, in hexadecimal")
    offset: int = Field(default=0, ge=0, le=0x7FFF, description="first byte, from 0")

    def run(self, act: Act) -> Observation:
        """Write them."""
        return Observation.of(act.host.update_binary(self.offset, self.data))
