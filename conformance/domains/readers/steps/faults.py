"""Faults of the field, made on the bench at a step and taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.readers.surroundings import Surroundings
from bifente.conformance.loading.problems import nearest
from bifente.conformance.scenario.step import Observation, Step
from bifente.conformance.targets.base import GuardRefusalError
from bifente.ground.text import Text
from bifente.simulator.fault import Aim, Fault, FaultError
from bifente.simulator.faults import catalogue, fault, inject

_INSTRUCTIONS: Mapping[str, int] = {
    "verify": 0x20,
    "manage-security-environment": 0x22,
    "perform-security-operation": 0x2A,
    "external-authenticate": 0x82,
    "get-challenge": 0x84,
    "internal-authenticate": 0x88,
    "select": 0xA4,
    "read-binary": 0xB0,
    "get-response": 0xC0,
    "get-data": 0xCB,
    "update-binary": 0xD6,
}
"""Instructions by name, for those who do not know them by heart (ISO/IEC 7816-4)."""


def _known(name: str) -> str:
    if name not in catalogue():
        raise ValueError(f"no fault is named {name!r}, {nearest(name, catalogue())}")
    return name


def _instruction(value: Any) -> Any:
    if isinstance(value, str) and value in _INSTRUCTIONS:
        return _INSTRUCTIONS[value]
    try:
        return bytes.fromhex(str(value))[0] if len(str(value)) == 2 else int("none")
    except ValueError:
        raise ValueError(f"an instruction is two hexadecimal digits, or one of {', '.join(_INSTRUCTIONS)}") from None


FaultName = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(catalogue())})]
Instruction = Annotated[
    int, BeforeValidator(_instruction), WithJsonSchema({"type": ["string", "integer"], "format": "instruction"})
]
Times = Annotated[int, Field(ge=1, le=65_536)] | Literal["always"]


class InjectFault(Step):
    """Make a fault of the catalogue (``bifente faults list``) strike the step's slot, from the next command on.

    ``at`` (an instruction), ``command`` (the nth of these), ``times``, ``percent`` (the chance of each) and ``byte``
    (of the answer, where the line breaks) replace what the catalogue says of a fault that strikes commands. Every
    fault is taken away when the scenario ends.
    """

    name: ClassVar[str] = "inject-fault"
    title: ClassVar[Text] = Text("Provoquer une panne", "Make a fault strike")
    shorthand: ClassVar[str] = "fault"

    fault: FaultName = Field(description="name in the catalogue of faults")
    at: Instruction | None = Field(default=None, description="strikes at the next command of this kind")
    command: int | None = Field(default=None, ge=1, le=65_536, description="strikes at the nth command, from 1")
    times: Times | None = Field(default=None, description="how often it strikes")
    percent: int | None = Field(default=None, ge=1, le=100, description="strikes at so many of a hundred commands")
    byte: int | None = Field(default=None, ge=0, le=65_535, description="rank of the byte it strikes, from 0")
    only: dict[str, str] | None = Field(
        default=None,
        min_length=1,
        max_length=4,
        description="whom a fault of a service strikes, e.g. {client: lgc-demo}",
    )

    def run(self, act: Act) -> Observation:
        """Make it. Raise GuardRefusalError where this bench cannot: a fault of readers needs readers that are ours."""
        one = fault(self.fault)
        key = f"{one.id} {act.role}"
        if key in act.scene.injected:
            act.scene.injected.pop(key)()
        try:
            undo = inject(one, Surroundings(act), self._aim())
        except FaultError as error:
            raise GuardRefusalError(_refused(one, act, error)) from None
        said = one.symptoms[0]
        act.scene.injected[key] = undo
        act.scene.changed(act.role, Text(f"panne {one.id} : {said.fr}", f"fault {one.id}: {said.en}"))
        return Observation({})

    def _aim(self) -> Aim | None:
        aim = Aim(self.at, self.command, self.times, self.percent, self.byte, self.only)
        return None if aim == Aim() else aim


class ClearFaults(Step):
    """Take faults away: one by its name, or all; cards taken out are put in again, readers lost are back."""

    name: ClassVar[str] = "clear-faults"
    title: ClassVar[Text] = Text("Lever les pannes", "Take faults away")
    shorthand: ClassVar[str] = "fault"

    fault: FaultName | None = Field(default=None, description="name in the catalogue of faults")

    def run(self, act: Act) -> Observation:
        """Take them away."""
        injected = act.scene.injected
        keys = [key for key in injected if self.fault in (None, key.partition(" ")[0])]
        for key in reversed(keys):
            injected.pop(key)()
            gone, _, role = key.partition(" ")
            act.scene.changed(role, Text(f"panne levée : {gone}", f"fault taken away: {gone}"))
        return Observation({})


def _refused(one: Fault, act: Act, error: FaultError) -> Text:
    if one.artefact is not None and one.artefact.of in act.bench.artefacts and not one.artefact.shows:
        return Text(one.artefact.why.fr, one.artefact.why.en)
    return Text(f"la panne {one.id} ne peut être provoquée ici : {error}", f"{error}")
