"""What a scenario about identities has at hand: the teleservice, the desk of a practice, the file of one patient."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Self

import httpx
from cryptography import x509

from bifente.conformance.bench.cards import SeatedCard, Workshop
from bifente.conformance.bench.scene import Scene
from bifente.conformance.domains.ins.laboratory import structure_certificate, trust_of
from bifente.conformance.domains.ins.remote import remote
from bifente.conformance.domains.ins.section import InsSection
from bifente.conformance.domains.vitale.workstation import SOFTWARE, Workstation
from bifente.conformance.scenario.step import ImpossibleStepError
from bifente.ground.clock import Clock, WallClock
from bifente.ground.text import Text
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.formats.insi import InsiSender
from bifente.simulator.middleware.codes import SsvError
from bifente.simulator.middleware.ssv.line import VITALE, Line
from bifente.simulator.middleware.ssv.meeting import vitale_on
from bifente.simulator.pki.authority import CertificateLevel
from bifente.simulator.services.insi.parameters import InsiParameters
from bifente.simulator.services.insi.population import laboratory
from bifente.simulator.services.insi.service import Insi
from bifente.simulator.serving.calling import in_process
from bifente.simulator.serving.recording import recorded
from bifente.simulator.software.card_signer import CardSigner, met
from bifente.simulator.software.identity.patient import PatientFile
from bifente.simulator.software.insi.client import Credential, InsiCalls, NoAssertion
from bifente.simulator.software.insi.credentials import CardCredential, Said
from bifente.simulator.software.insi.desk import IdentityDesk
from bifente.simulator.zones import named


class InsBench:
    """One desk and one teleservice, made when they are first needed, gone with the scenario."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._workstation = scene.part(Workstation)
        self._section = scene.section(InsSection) or InsSection()
        self._service: Insi | None = None
        self._caller: httpx.Client | None = None
        self._credentials: dict[tuple[str, Said], CardCredential] = {}
        self._met: dict[str, SeatedCard] = {}
        self.patient: PatientFile | None = None
        self._chain: tuple[x509.Certificate, ...] = ()
        self.desk = IdentityDesk(self._calls(), scene.bench.clock, self._serial)

    @classmethod
    def of(cls, scene: Scene) -> Self:
        """Return the part of a scene."""
        return cls(scene)

    @property
    def service(self) -> Insi:
        """The teleservice. Raise ImpossibleStepError where the scenario asks another one."""
        if self._section.url is not None:
            raise ImpossibleStepError(
                Text(
                    "le service est ailleurs : il ne se règle pas d'ici", "the service is elsewhere: it is not set here"
                )
            )
        if self._service is None:
            bench = self._scene.bench
            people = laboratory()
            for row in self._section.people:
                people = people.with_row(row)
            parameters = InsiParameters(quirks=frozenset(self._section.quirks))
            trust = trust_of(bench.workshop.pki, bench.clock, self._revoked)
            self._service = Insi(bench.clock, trust, people, parameters, self._scene.declare)
        return self._service

    def use(self, service: Insi) -> None:
        """Let the desk ask this teleservice from now on, one that is served beside it."""
        self._service = service
        self.close()
        self._caller = None

    @property
    def _time(self) -> Clock:
        """The time that messages tell: the bench's; another INSi lives by the time of the world."""
        return self._scene.bench.clock if self._section.url is None else WallClock()

    def file(self) -> PatientFile:
        """Return the file that is open. Raise ImpossibleStepError where none is."""
        if self.patient is None:
            raise ImpossibleStepError(
                Text("aucun dossier n'est ouvert : open-patient-file, ou choose-beneficiary", "no file is open yet")
            )
        return self.patient

    def call(self, method: str, path: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
        """Send bytes as they are."""
        return self._caller_now().request(method, path, content=content, headers=headers)

    def card(self, code: str, said: Said) -> CardCredential:
        """Return what lets the professional's card speak; its assertion is kept for the next call."""
        key = (code, said)
        if key not in self._credentials:
            self._credentials[key] = CardCredential(lambda: self.meet(code), self._time, self.identifier, said)
        return self._credentials[key]

    def as_structure(self, name: str, level: CertificateLevel) -> Credential:
        """Let the next calls come with the certificate of a structure."""
        self._show((_structure(self._scene.bench.workshop, name, level, self._scene.bench.now().year),))
        return NoAssertion()

    def as_card(self, code: str, said: Said) -> CardCredential:
        """Let the next calls come without a certificate of a structure, the card speaking for itself."""
        self._show(())
        return self.card(code, said)

    def as_nobody(self) -> Credential:
        """Let the next calls come with neither certificate nor assertion."""
        self._show(())
        return NoAssertion()

    def credentials(self) -> tuple[CardCredential, ...]:
        """Return what the card spoke with so far."""
        return tuple(self._credentials.values())

    def identifier(self) -> str:
        """Return a UUID drawn from the scenario's seed."""
        return str(uuid.UUID(int=self._scene.random.getrandbits(128), version=4))

    def close(self) -> None:
        """Let the caller go."""
        if self._caller is not None:
            self._caller.close()

    def meet(self, code: str) -> AbstractContextManager[CardSigner]:
        """Meet the professional's card and give it its code; it is let go at the end."""
        clock = self._scene.bench.clock
        self._remember()
        return met(self._workstation.resources(SOFTWARE), self._workstation.resource_names(), clock, code)

    def _calls(self) -> InsiCalls:
        sender = InsiSender(
            "bifente",
            self._section.idam,
            self._section.version,
            "0d4f4e70-0000-4000-8000-000000000001",
            self._section.software,
        )
        path = "/lps" if self._section.url is None else remote_path(self._section.url)
        return InsiCalls(_Late(self._caller_now), sender, self._time, self.identifier, path)

    def _caller_now(self) -> httpx.Client:
        if self._caller is None:
            clock, hear = self._scene.bench.clock, self._scene.hear
            if self._section.url is not None:
                self._caller, _path = remote(self._section.url, self._section.ca, clock, hear)
            else:
                self._caller = in_process(recorded(self.service, clock, hear), presented=self._chain)
        return self._caller

    def _show(self, chain: tuple[x509.Certificate, ...]) -> None:
        if chain != self._chain:
            if self._section.url is not None and chain:
                raise ImpossibleStepError(
                    Text("le certificat de structure est celui du laboratoire", "the structure certificate is ours")
                )
            self._chain = chain
            self.close()
            self._caller = None

    def _serial(self) -> str:
        """The serial number of the Vitale in the reader; empty if there is none to be read."""
        pair = self._workstation.resources(SOFTWARE).pair(*self._workstation.resource_names())
        try:
            line = Line(pair.vitale(), VITALE, self._scene.bench.clock)
            head = vitale_on(line, self._scene.random.randbytes, ()).administrative[0]
            return named(head)["serial-number"]
        except SsvError:
            return ""
        finally:
            pair.release()

    def _remember(self) -> None:
        for card in self._scene.bench.seated.values():
            self._met[str(card.facts.get("serial", id(card)))] = card

    def _revoked(self, certificate: x509.Certificate, at: datetime) -> bool:
        """Whether a card that was met here is on the list of its authority."""
        made = (card.made_as(PersonalisedCard) for card in self._met.values())
        lines = (line for one in made if one is not None for line in one.revocations)
        return any(line.serial_number == certificate.serial_number and line.on <= at.date() for line in lines)


class _Late:
    """A caller that is made when it is first used."""

    def __init__(self, make: Callable[[], httpx.Client]) -> None:
        self._make = make

    def request(
        self, method: str, url: str, *, params: object = None, headers: object = None, content: object = None
    ) -> httpx.Response:
        return self._make().request(method, url, params=params, headers=headers, content=content)  # type: ignore[arg-type]


def remote_path(url: str) -> str:
    """Return the path of an address."""
    return "/" + url.partition("://")[2].partition("/")[2]


@lru_cache(maxsize=16)
def _structure(workshop: Workshop, name: str, level: CertificateLevel, year: int) -> x509.Certificate:
    return structure_certificate(workshop.pki, workshop.keys, name, level, datetime(year, 7, 1, tzinfo=UTC))
