"""Faults of the field, made on the bench at a step and taken away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.facets import Insertion, OtherApplications, Personalisation, VirtualReaders
from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.vitale.workstation import SOFTWARE, Workstation
from bifente.conformance.domains.wireless.link import WirelessLink
from bifente.conformance.loading.problems import nearest
from bifente.conformance.model import CardChoice
from bifente.conformance.scenario.step import Observation, Step
from bifente.conformance.targets.base import GuardRefusalError, ScardError
from bifente.conformance.targets.facets import Facet, ServiceControl
from bifente.ground.text import Text
from bifente.simulator.middleware.faults import inject_galss
from bifente.simulator.middleware.galss import Application
from bifente.simulator.middleware.patience import Patience, insist
from bifente.simulator.readers import Slot
from bifente.simulator.readers.faults import (
    Fault,
    FaultError,
    Mechanism,
    Spot,
    Undo,
    When,
    catalogue,
    fault,
    inject,
    when,
)

_SEEN_WITHIN = 3.0
"""Seconds a movement may take to be seen: pcscd polls every 0.4 s, and a bridge holds a card back for 0.5 s."""

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
    needs = frozenset[type[Facet]]({VirtualReaders})

    fault: FaultName = Field(description="name in the catalogue of faults")
    at: Instruction | None = Field(default=None, description="strikes at the next command of this kind")
    command: int | None = Field(default=None, ge=1, le=65_536, description="strikes at the nth command, from 1")
    times: Times | None = Field(default=None, description="how often it strikes")
    percent: int | None = Field(default=None, ge=1, le=100, description="strikes at so many of a hundred commands")
    byte: int | None = Field(default=None, ge=0, le=65_535, description="rank of the byte it strikes, from 0")

    def run(self, act: Act) -> Observation:
        """Make it. Raises GuardRefusalError where this bench cannot."""
        one = fault(self.fault)
        key = f"{one.id} {act.role}"
        if key in act.scene.injected:
            act.scene.injected.pop(key)()
        try:
            undo = _made(one, act, self._when(one), self.byte)
        except FaultError as error:
            raise GuardRefusalError(_refused(one, act, error)) from None
        said = one.symptoms[0]
        act.scene.injected[key] = lambda: _undone(one, undo, act)
        act.scene.changed(act.role, Text(f"panne {one.id} : {said.fr}", f"fault {one.id}: {said.en}"))
        return Observation({})

    def _when(self, one: Fault) -> When | None:
        if self.at is self.command is self.times is self.percent is None:
            return None
        usual = when(one)
        times = usual.times if self.times is None else self.times
        return When(
            command=self.command or usual.command,
            instruction=usual.instruction if self.at is None else self.at,
            times=None if times == "always" else times,
            percent=self.percent or usual.percent,
        )


class ClearFaults(Step):
    """Take faults away: one by its name, or all; cards taken out are put in again, readers lost are back."""

    name: ClassVar[str] = "clear-faults"
    title: ClassVar[Text] = Text("Lever les pannes", "Take faults away")
    shorthand: ClassVar[str] = "fault"
    needs = frozenset[type[Facet]]({VirtualReaders})

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


def _made(one: Fault, act: Act, at: When | None, byte: int | None) -> Undo:
    make = _ELSEWHERE.get(one.mechanism)
    if make is None:
        return inject(one, _spot(act), at, byte=byte)
    if at is not None or byte is not None:
        raise FaultError(f"{one.id} strikes no command: it cannot be told which, nor at what byte")
    return make(one, act)


def _refused(one: Fault, act: Act, error: FaultError) -> Text:
    if act.bench.artefacts and one.artefact is not None and not one.artefact.shows:
        return Text(one.artefact.why.fr, one.artefact.why.en)
    return Text(f"la panne {one.id} ne peut être provoquée ici : {error}", f"{error}")


def _spot(act: Act) -> Spot:
    readers = act.facet(VirtualReaders)
    slots = {role: readers.slot(role) for role in act.bench.names}
    link = act.bench.facets.find(WirelessLink)
    return Spot(
        slot=slots[act.role],
        clock=act.bench.clock,
        chance=act.scene.random,
        slots=slots,
        rival=lambda share: readers.open(act.role, share),
        terminal=link.wireless.terminal if link is not None else None,
        service=act.bench.facets.find(ServiceControl),
        settle=lambda: _settle(act.bench, slots),
        reopen=link.wireless.open_session if link is not None else None,
    )


def _settle(bench: Bench, slots: Mapping[str, Slot]) -> None:
    """Wait until the service has seen how the slots now stand; a service that is stopped sees nothing."""
    with suppress(ScardError):
        for role, slot in slots.items():
            bench.access.wait(bench.names[role], present=slot.answering is not None, timeout=_SEEN_WITHIN)


_MOVING = frozenset(
    {
        *(Mechanism.WITHDRAWN_AFTER, Mechanism.WITHDRAWN_DURING, Mechanism.SUSPENDED, Mechanism.REMOVED),
        *(Mechanism.DEAD, Mechanism.LOST, Mechanism.SWAPPED, Mechanism.TERMINAL),
    }
)
"""What ends dialogues by itself: the cards may be reset afterwards."""
_SEEING = Patience(20, 0.1)


def _undone(one: Fault, undo: Undo, act: Act) -> None:
    """Take a fault away, and wait until the cards can be spoken to again.

    pcscd looks at its slots every 0.4 s, and gives up a card that failed to reset until it is put in anew: so it is.
    """
    undo()
    bench, readers, others = act.bench, act.facet(VirtualReaders), act.facet(OtherApplications)
    for role in bench.seated if bench.artefacts else ():
        if readers.slot(role).answering is None:
            continue
        try:
            if one.mechanism in _MOVING:
                insist(
                    _SEEING, bench.clock, partial(_reached, others, role), lambda error: isinstance(error, ScardError)
                )
            else:
                others.join(role).disconnect()
        except ScardError:
            hand = act.facet(Insertion)
            hand.remove(role)
            hand.insert(role)


def _reached(others: OtherApplications, role: str) -> None:
    """Speak to a card, not only to what the service remembers of it. Raises ScardError."""
    connection = others.join(role)
    try:
        connection.reset(cold=True)
    finally:
        connection.disconnect()


# -- what is made above the readers ------------------------------------------------------------------------------------


def _another_card(one: Fault, act: Act) -> Undo:
    making = act.facet(Personalisation)
    template = str(one.parameters.get("template") or act.card.facts["template"])
    choice = CardChoice.model_validate({"template": template, **one.parameters.get("parameters", {})})
    before = making.put(act.role, choice, act.scene.random)
    act.scene.hang_up(act.role)

    def undo() -> None:
        act.scene.hang_up(act.role)
        making.put_back(act.role, before)

    return undo


def _galss(one: Fault, act: Act) -> Undo:
    workstation = act.scene.part(Workstation)
    resources = workstation.resources(SOFTWARE)
    server = workstation.galss
    own = resources if isinstance(resources, Application) else server.application(SOFTWARE)
    return inject_galss(one, server, own)


_ELSEWHERE: Mapping[Mechanism, Callable[[Fault, Act], Undo]] = {
    Mechanism.CARD: _another_card,
    Mechanism.GALSS_FILE: _galss,
    Mechanism.GALSS_SERVER: _galss,
}
