"""What a scenario of the DMP has at hand: the service, the software that calls it, its patients, its outbox."""

from __future__ import annotations

import itertools
import ssl
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from cryptography import x509

from bifente.conformance.bench.cards import SeatedCard
from bifente.conformance.bench.scene import Act, Scene
from bifente.conformance.domains.dmp.laboratory import charts_of, service_of
from bifente.conformance.domains.dmp.section import DmpSection
from bifente.conformance.domains.dmp.signers import (
    laboratory_user,
    of_card,
)
from bifente.conformance.scenario.step import ImpossibleStepError
from bifente.ground.clock import WallClock
from bifente.ground.text import Text
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.formats.xds.model import DocumentEntry
from bifente.simulator.services.dmp.record import MedicalRecord
from bifente.simulator.services.dmp.register import KnownProfessional
from bifente.simulator.services.dmp.service import DmpService
from bifente.simulator.serving.calling import in_process
from bifente.simulator.serving.recording import Passed, recorded
from bifente.simulator.software.lps.client import BASE, DmpAccess, DmpClient, DmpReply, MessageTampering
from bifente.simulator.software.lps.identity import LpsUser
from bifente.simulator.software.lps.network import ShapedLine
from bifente.simulator.software.lps.outbox import DmpOutbox
from bifente.simulator.software.lps.submission import PreparedSubmission

_TOLD = 1_200
"""Bytes of each message that the record keeps."""


class DmpBench:
    """One service, one software, and what the user has before the eyes: a patient, a document."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.section = scene.section(DmpSection) or DmpSection()
        bench = scene.bench
        self.clock = bench.clock
        self._met: dict[str, SeatedCard] = {}
        self._acting: Act | None = None
        self.service = service_of(
            self.section, bench.clock, bench.workshop.pki, self.new_id, scene.declare, self._revoked
        )
        self.charts = charts_of(self.section, self.service)
        self.patient = next(iter(self.charts.values()))
        self.line: ShapedLine | None = None
        self._callers: list[httpx.Client] = []
        self.clients: list[DmpClient] = []
        self.entry: DocumentEntry | None = None
        """The document that is looked at."""
        self.made: PreparedSubmission | None = None
        """The submission that was made last."""
        self.sent: PreparedSubmission | None = None
        """The one that was taken last."""
        self.fetched: bytes | None = None
        self.tampering = MessageTampering()
        self._numbers = itertools.count(1)
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._outbox: DmpOutbox | None = None

    @classmethod
    def of(cls, scene: Scene) -> Self:
        """Return the part of a scene."""
        return cls(scene)

    def close(self) -> None:
        """Let the callers go and forget what waited."""
        for caller in self._callers:
            caller.close()
        if self._folder is not None:
            self._folder.cleanup()

    # -- the software --------------------------------------------------------------------------------------------------

    @property
    def client(self) -> DmpClient:
        """Return the client of the user who is at work. Raise ImpossibleStepError before anybody is."""
        client = self.connected
        client.tampering, self.tampering = self.tampering, MessageTampering()
        return client

    @property
    def connected(self) -> DmpClient:
        """Return the same client, what will be broken left to its next message."""
        if not self.clients:
            raise ImpossibleStepError(Text("personne n'est connecté : dmp-connect", "nobody is connected: dmp-connect"))
        return self.clients[-1]

    @property
    def user(self) -> LpsUser:
        """Return who is at work. Raise ImpossibleStepError before anybody is."""
        return self.connected.user

    @property
    def outbox(self) -> DmpOutbox:
        """Return what waits to be sent."""
        if self._outbox is None:
            self._folder = tempfile.TemporaryDirectory(prefix="bifente-outbox-")
            self._outbox = DmpOutbox(Path(self._folder.name))
        return self._outbox

    def connect_card(self, act: Act, key: str, location: int | None) -> LpsUser:
        """Let the holder of a card be at work."""
        self._acting = act
        return self.connect_user(act, of_card(act, lambda: act, key, location))

    def connect_user(self, act: Act, user: LpsUser) -> LpsUser:
        """Let the holder of the card in a slot be at work, who may sign by another way than the step's own."""
        facts = act.card.facts
        places: Mapping[int, Mapping[str, Any]] = facts.get("activities", {})
        self.know(
            user, [(str(one["structure-id"]), str(one["structure"]), str(one["sector"])) for one in places.values()]
        )
        return self._connect(user)

    def know(self, user: LpsUser, places: Iterable[tuple[str, str, str]]) -> None:
        """Let the service know the holder of a card: structure, its name and sector of each place of practice."""
        self._remember()
        told = list(places)
        self.service.register.know(
            KnownProfessional(
                user.id, user.family, user.given, {one: sector for one, _name, sector in told}, user.speciality_code
            ),
            {one: name for one, name, _sector in told},
        )

    def connect_laboratory(self, who: str, air: str) -> LpsUser:
        """Let a person of the laboratory, or a structure, be at work."""
        return self._connect(laboratory_user(self._scene.bench.workshop, who, self.clock.now().date(), air))

    def use(self, service: DmpService) -> None:
        """Let the software reach this service from now on, one that is served beside it."""
        self.service = service

    def as_user(self, **changes: Any) -> None:
        """Change who is at work: another structure, sector, speciality than the card's own."""
        self._connect(replace(self.user, **changes))

    def _connect(self, user: LpsUser) -> LpsUser:
        access = self.clients[-1].access if self.clients else DmpAccess()
        # A service elsewhere lives in the world's time, and an assertion of another moment is refused there.
        clock = WallClock() if self.section.url else self.clock
        client = DmpClient(self.caller(user), user, clock, self.new_id, self.base)
        client.access = access
        self.clients.append(client)
        return user

    def caller(self, user: LpsUser) -> ShapedLine:
        """Return what carries the calls of a user to the service."""
        caller = (
            self._remote()
            if self.section.url
            else in_process(recorded(self.service, self.clock, self._hear), presented=user.presented)
        )
        self._callers.append(caller)
        old = self.line
        self.line = ShapedLine(caller, self.clock)
        if old is not None:
            self.line.latency, self.line.mbps, self.line.down = old.latency, old.mbps, old.down
            self.line.patience, self.line.answers_lost = old.patience, old.answers_lost
        return self.line

    def _hear(self, passed: Passed) -> None:
        """Tell a message by its beginning: action, fault, first lines. A document of 5 MB is no evidence twice."""
        self._scene.hear(replace(passed, body=passed.body[:_TOLD]))

    def _remote(self) -> httpx.Client:
        parts = urlsplit(self.section.url or "")
        context = ssl.create_default_context(cafile=self.section.ca)
        return httpx.Client(verify=context, base_url=f"{parts.scheme}://{parts.netloc}", trust_env=False)

    @property
    def base(self) -> str:
        """Return the path below which the services are."""
        return urlsplit(self.section.url).path.rstrip("/") if self.section.url else BASE

    def number(self) -> int:
        """Return a fresh number for identifiers of documents, drawn under the seed."""
        return self._scene.random.getrandbits(40) * 1_000 + next(self._numbers)

    def new_id(self) -> str:
        """Return a fresh UUID, drawn under the seed."""
        return str(uuid.UUID(int=self._scene.random.getrandbits(128), version=4))

    def send_waiting(self) -> list[tuple[Any, DmpReply | None]]:
        """Send what waits, as the user who is at work now."""
        charts = {chart.ins.written: chart for chart in self.charts.values()}
        client = self.client
        return list(self.outbox.send(lambda patient, prepared: client.feed(charts[patient], prepared)))

    # -- the service ---------------------------------------------------------------------------------------------------

    @property
    def record(self) -> MedicalRecord:
        """Return the record of the patient. Raise ImpossibleStepError where there is none here."""
        found = self.service.register.records.get(self.patient.ins.whole)
        if found is None or self.section.url:
            raise ImpossibleStepError(
                Text("ce patient n'a pas de DMP dans ce laboratoire", "this patient has no DMP in this laboratory")
            )
        return found

    def _remember(self) -> None:
        for card in self._scene.bench.seated.values():
            self._met[str(card.facts.get("serial", id(card)))] = card

    def _revoked(self, certificate: x509.Certificate, at: datetime) -> bool:
        made = (card.made_as(PersonalisedCard) for card in self._met.values())
        lines = (line for one in made if one is not None for line in one.revocations)
        return any(line.serial_number == certificate.serial_number and line.on <= at.date() for line in lines)
