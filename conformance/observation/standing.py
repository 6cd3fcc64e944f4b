"""A bench that stands for a program of somebody else's: its cards behind PC/SC, its record, its control channel."""

from __future__ import annotations

import secrets
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live import Device, LiveBench
from bifente.conformance.bench.live_services import LiveServices
from bifente.conformance.model import CardChoice
from bifente.conformance.observation import pictures
from bifente.conformance.observation.ssv import SsvServer
from bifente.conformance.run.live_record import LiveRecord, run_id
from bifente.ground.clock import WallClock
from bifente.ground.temporary import HeldFolder
from bifente.ground.text import Lang, Text
from bifente.reports.events import Event, Requirement, Suite
from bifente.reports.journal import JournalTail
from bifente.simulator.pcsc.bridge import BridgedExchange, Observer
from bifente.simulator.pcsc.far import VpcdAddress
from bifente.simulator.pcsc.services import ServiceKind
from bifente.simulator.serving.recording import Passed

if TYPE_CHECKING:
    from bifente.conformance.observation.channel.server import ChannelServer

_KEEP = 1.0
"""Seconds between two looks at what keeps itself alive."""

MARK = "BIFENTE_OBSERVED"
"""The variable by which a program of this bench, and what it starts, is told from others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to stand. Without ``out`` the record is kept in a private folder that goes with the bench."""

    profile: str
    cards: Mapping[str, CardChoice]
    workshop: Workshop
    service: ServiceKind = ServiceKind.OWN
    far: VpcdAddress | None = None
    """The vpcd elsewhere that the cards are seated in, in place of a service."""
    remember: Path | None = None
    run_dir: Path | None = None
    out: Path | None = None
    lang: Lang = "fr"
    command: Sequence[str] = field(default_factory=lambda: ("bifente", *sys.argv[1:]))
    product: str | None = None
    suites: Sequence[Suite] = ()
    requirements: Sequence[Requirement] = ()
    requirements_total: int = 0
    observers: Sequence[Observer] = ()
    services: Sequence[str] = ()
    """Teleservices on loopback beside it, by name: what passes there is recorded."""
    port: int = 0
    """The first of their ports, 0 for free ones."""
    said: Sequence[BaseModel] = ()
    """What they hold, as under ``bench`` in a suite."""


class Standing:
    """A context manager. Raises PcscdError, InputError, JournalError, CardMemoryError, ServingError."""

    def __init__(self, wanted: Wanted, device: Device | None = None) -> None:
        self.wanted = wanted
        self.mark = f"{MARK}={secrets.token_hex(12)}"
        self.interrupted = True
        """Whether the record ends before its end; to be denied by whoever comes to it."""
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._tail: JournalTail | None = None
        self._events: list[Event] = []
        self.stopping = threading.Event()
        """Set by the order to stop."""
        self.heard: list[Callable[[Passed], None]] = []
        """Who is told what passes at the services, before it is masked."""
        self.record: LiveRecord
        try:
            self._stand(device)
        except BaseException:
            self.withdraw()
            self._stack.close()
            raise

    def _stand(self, device: Device | None) -> None:
        wanted = self.wanted
        self.device = device or Device.assemble(
            wanted.profile, wanted.cards, wanted.workshop, remember=wanted.remember, attached=True
        )
        self._stack.callback(self.device.close)
        out = wanted.out
        if out is None:
            out = Path(self._stack.enter_context(HeldFolder("bifente-record-")))
        clock = WallClock()
        self.record = LiveRecord(
            out,
            clock=clock,
            command=wanted.command,
            profile=wanted.profile,
            cards=wanted.cards,
            workshop=wanted.workshop,
            service="vpcd" if wanted.far is not None else wanted.service,
            run_id=run_id(clock),
            lang=wanted.lang,
            product=wanted.product,
            suites=wanted.suites,
            requirements=wanted.requirements,
            requirements_total=wanted.requirements_total,
        )
        self._stack.callback(lambda: self.record.close(interrupted=self.interrupted))
        if (scribe := self.record.scribe) is not None:
            scribe.mark(self.mark)
            if wanted.out is None:
                scribe.litter(out)
        self.record.watch(self.device)
        self.device.bench.evidence = self.record.directory
        observers = (self.record.exchange, *wanted.observers)

        def observe(seen: BridgedExchange) -> None:
            for observer in observers:
                observer(seen)

        self.bench = self._stack.enter_context(
            LiveBench(
                self.device,
                kind=wanted.service,
                run_dir=wanted.run_dir,
                observer=observe,
                far=wanted.far,
                commands=bool(wanted.observers) or self.record.scribe is None,
            )
        )
        self.record.follow(self.bench)
        self._ssv = SsvServer(self.bench, clock, self.record.emit)
        self._stack.callback(self._ssv.close)
        self.services = self._stack.enter_context(
            LiveServices(
                wanted.services,
                clock=self.device.bench.clock,
                keys=wanted.workshop.keys,
                declare=self.record.declare,
                hear=self._message,
                port=wanted.port,
                said=wanted.said,
                scene=self.bench.scene,
            )
        )
        self.bench.scene.served = self.services.services
        if scribe is not None:
            scribe.litter(self.services.folder)
        if self.device.bench.attachments:
            keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
            keeper.start()
            self._stack.callback(keeper.join)
            self._stack.callback(self.stopping.set)

    def _message(self, passed: Passed) -> None:
        self.record.message(passed)
        for heard in self.heard:
            heard(passed)

    def _keep(self) -> None:
        while not self.stopping.wait(_KEEP):
            for attachment in self.device.bench.attachments:
                attachment.keep()

    def __enter__(self) -> Standing:
        return self

    def __exit__(self, kind: object, *details: object) -> None:
        if kind is None:
            self.interrupted = False
        self.close()

    def close(self) -> None:
        """Take everything down and end the record."""
        self._stack.close()

    @property
    def environment(self) -> dict[str, str]:
        """What a program's environment needs to reach the readers, and to be known as one of this bench."""
        name, _equals, value = self.mark.partition("=")
        return {**self.bench.environment, **self._ssv.environment, **self.services.environment, name: value}

    @cached_property
    def channel(self) -> ChannelServer:
        """The control channel over HTTP, served from now on."""
        from bifente.conformance.observation.channel.orders import ChannelOrders
        from bifente.conformance.observation.channel.server import ChannelServer

        server = ChannelServer(ChannelOrders(self), self.bench.service.run_dir)
        self._stack.callback(server.close)
        return server

    def events(self) -> Sequence[Event]:
        """Return all that the record holds, what programs did until now included."""
        self.record.settle()
        with self._lock:
            if self._tail is None:
                self._tail = JournalTail(self.record.journal)
            self._events += self._tail.more()
            return tuple(self._events)

    def withdraw(self) -> None:
        """Leave no record behind: a mistake kept the bench from serving anybody."""
        if hasattr(self, "record"):
            self.record.withdraw()

    def keep_picture(self, name: str, png: bytes) -> Mapping[str, str]:
        """Keep a picture with the record, and return where it lies. Raise PictureError."""
        kept = pictures.keep(self.record.directory, name, png)
        self.record.told("", kept)
        return kept.answer

    def note(self, text: Text) -> None:
        """Keep a word in the record."""
        self.record.note(text)
