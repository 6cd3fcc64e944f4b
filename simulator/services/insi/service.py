"""INSi as a service of the bench: whom it knows, what it was asked, what it answers, what it suffers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, ClassVar

from bifente.ground.clock import Clock
from bifente.ground.french import in_both
from bifente.ground.text import Text
from bifente.simulator.formats.insi import (
    InsiAnswer,
    InsiCode,
    InsiFormError,
    VitaleSearch,
    action_of,
    read_request,
    read_sender,
    result_element,
)
from bifente.simulator.formats.insi.requests import Search, operation_of
from bifente.simulator.formats.soap import SoapFaultError, SoapMessage, addressing_of, built
from bifente.simulator.services.insi.admission import InsiCaller, InsiTrust, admitted, check_software
from bifente.simulator.services.insi.app import application
from bifente.simulator.services.insi.parameters import InsiParameters
from bifente.simulator.services.insi.population import Population, laboratory
from bifente.simulator.services.insi.quirks import InsiQuirk
from bifente.simulator.services.insi.refusals import InsiRefusedError
from bifente.simulator.services.insi.searching import by_traits, by_vitale
from bifente.simulator.serving.service import Asgi, Declare, Service, ServiceError, to_nobody

TECHNICAL, UNREADABLE, SEVERAL, NOBODY = "insi-technical", "insi-unreadable", "insi-several", "insi-nobody"
_MOST_KEPT = 1000


@dataclass(frozen=True, slots=True)
class InsiEvent:
    """One request: when, what was searched, by whom, with which outcome (a CodeCR, the id of a refusal, a SOAP code).

    ``assertion`` is the id of the assertion that it carried; what was not read when it was refused is empty.
    """

    at: datetime
    outcome: str
    message_id: str = ""
    caller: str = ""
    assertion: str = ""
    search: Search | None = None


@dataclass(slots=True)
class _Asked:
    """A request as far as it was read."""

    at: datetime
    message_id: str = ""
    caller: str = ""
    assertion: str = ""
    search: Search | None = None

    def event(self, outcome: str) -> InsiEvent:
        return InsiEvent(self.at, outcome, self.message_id, self.caller, self.assertion, self.search)


class Insi(Service):
    """The teleservice. ``population`` can be changed while it runs; ``events`` are its last requests, oldest first."""

    name: ClassVar[str] = "insi"
    title: ClassVar[Text] = Text("Téléservice INSi", "INSi teleservice")
    offered: ClassVar[frozenset[str]] = frozenset({TECHNICAL, UNREADABLE, SEVERAL, NOBODY})

    def __init__(
        self,
        clock: Clock,
        trust: InsiTrust,
        population: Population | None = None,
        parameters: InsiParameters | None = None,
        declare: Declare = to_nobody,
    ) -> None:
        super().__init__(declare)
        self._clock = clock
        self._trust = trust
        self.population = population or laboratory()
        self.parameters = parameters or InsiParameters()
        self.events: list[InsiEvent] = []
        self.identities: set[str] = set()
        """Numbers that it gave, without their keys: what a software may know of."""

    @cached_property
    def application(self) -> Asgi:
        """Return the application, the same at every call."""
        return application(self)

    def learn(self, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """An assertion is no bearer token: without its message it opens nothing. What travels is identities."""

    def state(self) -> Mapping[str, Any]:
        """Return how many people it knows, how often it was asked, and how it is set."""
        outcomes = [event.outcome for event in self.events]
        return {
            "people": len(self.population),
            "requests": len(self.events),
            "searches": sum(outcome in {*InsiCode} for outcome in outcomes),
            "refusals": sum(outcome not in {*InsiCode} for outcome in outcomes),
            "last": outcomes[-1] if outcomes else "none",
            "quirks": sorted(self.parameters.quirks),
        }

    def set_state(self, changes: Mapping[str, Any]) -> None:
        """Set ``quirks`` or ``software`` (authorised numbers), lists; ``add`` a person, ``remove`` one."""
        for key, value in changes.items():
            try:
                match key:
                    case "quirks":
                        self.parameters = replace(self.parameters, quirks=frozenset(map(InsiQuirk, value)))
                    case "software":
                        self.parameters = replace(self.parameters, software=frozenset(map(str, value)))
                    case "add":
                        self.population = self.population.with_row(value)
                    case "remove":
                        self.population = self.population.without(str(value))
                    case _:
                        raise ServiceError(f"{self.name}: no state {key!r} can be set")
            except (ValueError, TypeError, KeyError) as error:
                if isinstance(error, ServiceError):
                    raise
                raise ServiceError(f"{self.name}: {key}: {error}") from None

    def answer(self, message: SoapMessage, scope: Mapping[str, Any]) -> bytes:
        """Return the answer to a request, as bytes. Raise InsiRefusedError, SoapFaultError."""
        asked = _Asked(at=self._clock.now())
        try:
            found = self._answered(message, scope, asked)
        except InsiRefusedError as error:
            self._keep(asked.event(error.refusal.id))
            raise
        except SoapFaultError as error:
            self._keep(asked.event(error.code.value))
            raise
        self._keep(asked.event(found.code))
        self.identities.update(one.matricule.number for one in (found.active, *found.history) if one is not None)
        if UNREADABLE in self.troubles:
            return b"<html><body>502 Bad Gateway</body></html>"
        return built(result_element(found, self.parameters.style)).bytes()

    def _answered(self, message: SoapMessage, scope: Mapping[str, Any], asked: _Asked) -> InsiAnswer:
        envelope = message.envelope
        addressing = addressing_of(envelope)
        asked.message_id = addressing.message_id
        try:
            asked.search = search = read_request(envelope.content)
            if TECHNICAL in self.troubles:
                raise InsiRefusedError("technical")
            sender = read_sender(envelope)
        except InsiFormError as error:
            raise InsiRefusedError("form", in_both(error)) from None
        operation = operation_of(search)
        if addressing.action and addressing.action != action_of(operation):
            raise InsiRefusedError("form", Text.same("wsa:Action"))
        if not addressing.message_id:
            raise InsiRefusedError("form", Text("wsa:MessageID est absent", "wsa:MessageID is missing"))
        check_software(sender, self.parameters)
        caller = admitted(envelope, scope, operation, self._clock.now(), self._trust, self.parameters)
        asked.caller = _named(caller)
        asked.assertion = caller.professional.id if caller.professional else ""
        return self._found(search)

    def _found(self, search: Search) -> InsiAnswer:
        if SEVERAL in self.troubles:
            return InsiAnswer(InsiCode.SEVERAL)
        if NOBODY in self.troubles:
            return InsiAnswer(InsiCode.NONE)
        if isinstance(search, VitaleSearch):
            found = by_vitale(search, self.population)
        else:
            found = by_traits(search, self.population)
        if InsiQuirk.ODD_DATES in self.parameters.quirks:
            return found
        kept = tuple(
            replace(one, start="", end="") if one.start and one.end and one.end < one.start else one
            for one in found.history
        )
        return replace(found, history=kept)

    def _keep(self, event: InsiEvent) -> None:
        self.events.append(event)
        del self.events[:-_MOST_KEPT]


def _named(caller: InsiCaller) -> str:
    return caller.structure or (caller.professional.national_id if caller.professional else "")
