"""The record of a live bench: what a program that is not ours did with its cards, in a run directory like any other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live import Device, LiveBench
from bifente.conformance.model import CardChoice
from bifente.conformance.run import environment
from bifente.conformance.run.folder import RecordFolder
from bifente.conformance.run.scribe.calls import BENCH
from bifente.conformance.run.scribe.link import ScribeRecorder
from bifente.conformance.run.telling import Told, event_of
from bifente.conformance.targets.messages import messaged
from bifente.ground.clock import Clock
from bifente.ground.text import Lang, Text
from bifente.reports.events import BenchChange, Event, Level, Note, Requirement, RunFinished, RunStarted, Suite
from bifente.reports.journal import FILE_NAME, Recorder
from bifente.reports.render import Format, render
from bifente.reports.secrets import Secrets
from bifente.simulator.cards.dialogue import Exchanged
from bifente.simulator.pcsc.bridge import BridgedExchange, ExchangeKind
from bifente.simulator.pcsc.own.service import OwnPcsc
from bifente.simulator.pcsc.services import ServiceKind
from bifente.simulator.serving.recording import Heading, Passed

_POWERED: Mapping[ExchangeKind, Text] = {
    ExchangeKind.POWER_ON: Text("carte mise sous tension", "card powered"),
    ExchangeKind.POWER_OFF: Text("carte mise hors tension", "card unpowered"),
    ExchangeKind.RESET: Text("carte réinitialisée", "card reset"),
}


class LiveRecord:
    """Writes as things happen. ``close`` ends the record; ``render`` turns it into reports.

    Exchanges come from the threads of the slots, hands from anywhere. Raise OSError for a directory that cannot be
    made, JournalError for one that cannot be written or already holds a record. The journal is written ``apart``, by a
    process of its own, for a bench behind the bench's own PC/SC service, whose clients it then tells call by call
    (``follow``).
    """

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock,
        command: Sequence[str],
        profile: str,
        cards: Mapping[str, CardChoice],
        workshop: Workshop,
        run_id: str,
        lang: Lang,
        service: str | None = None,
        product: str | None = None,
        suites: Sequence[Suite] = (),
        requirements: Sequence[Requirement] = (),
        requirements_total: int = 0,
    ) -> None:
        self._folder = RecordFolder(directory)
        self.directory = directory
        self._clock = clock
        self._began = clock.monotonic()
        self.withdrawn = False
        self._device: Device | None = None
        self._bench: LiveBench | None = None
        self._roles: dict[str, str] = {}
        self._told_roles: dict[str, str] = {}
        self.secrets = Secrets(secrets=workshop.secrets(cards.values()))
        make: Callable[..., Recorder | ScribeRecorder] = ScribeRecorder if service == ServiceKind.OWN else Recorder
        try:
            self._recorder = make(self.journal, now=clock.now, secrets=self.secrets)
        except Exception:
            self._folder.withdraw([])
            raise
        self._recorder.emit(
            RunStarted(
                run_id=run_id,
                tool=environment.tool(),
                command=tuple(command),
                target=f"live/{service}" if service is not None else "live",
                profile=profile,
                seed=0,
                lang=lang,
                product=product,
                environment=environment.environment(pcsc=service == ServiceKind.PCSCD),
                suites=tuple(suites),
                requirements=tuple(requirements),
                requirements_total=requirements_total,
            )
        )

    @property
    def journal(self) -> Path:
        """The file of the record."""
        return self.directory / FILE_NAME

    @property
    def scribe(self) -> ScribeRecorder | None:
        """The process that writes apart, if one does."""
        return self._recorder if isinstance(self._recorder, ScribeRecorder) else None

    def watch(self, device: Device) -> None:
        """Tell the slots of this device by their roles, and how they stand now."""
        self._device = device
        self._roles = {slot.name: role for role, slot in device.slots.items()}
        self.changed(None, Text("banc monté", "bench set up"))

    def follow(self, bench: LiveBench) -> None:
        """Hear what a live bench does, and have what the clients of its PC/SC service do written call by call."""
        self._bench = bench
        bench.hearing = self
        if (scribe := self.scribe) is not None and isinstance(bench.service, OwnPcsc):
            self._tell_roles()
            if bench.service.made_run_dir:
                scribe.litter(bench.service.run_dir)
            scribe.watch(bench.service)

    def settle(self) -> None:
        """Wait until what clients did so far is in the journal."""
        if (scribe := self.scribe) is not None:
            scribe.settle(asked=self._bench is not None and self._bench.service.alive)

    def exchange(self, seen: BridgedExchange) -> None:
        """Write what a reader did to a card; commands only where the clients' own calls are not written."""
        role = self._roles.get(seen.slot, seen.slot)
        if seen.kind is not ExchangeKind.APDU:
            self.changed(role, _POWERED[seen.kind])
        elif self.scribe is None:
            self._recorder.secrets.learn(seen.command)
            self.told(role, Exchanged(seen.command, seen.response, seen.seconds))

    def told(self, role: str, what: Told) -> None:
        """Write an exchange of the bench, a call of a module or a message of a service."""
        # Where programs' own commands are told by the service, this one is nobody's but the bench's.
        client = BENCH if self.scribe is not None else None
        self._recorder.emit(event_of(what, self.secrets, slot=role or None, client=client))

    def message(self, passed: Passed) -> None:
        """Write a message that a service received or sent; what its client did at a card before stands before it."""
        if passed.direction is Heading.RECEIVED:
            self.settle()
        self._recorder.emit(event_of(messaged(passed), self.secrets))

    def emit(self, event: Event) -> None:
        """Write an event of any kind."""
        self._recorder.emit(event)

    def declare(self, secret: str | bytes) -> None:
        """Mask this from now on."""
        if (scribe := self.scribe) is not None:
            scribe.declare(secret)
        else:
            self.secrets.declare(secret)

    def changed(self, role: str | None, what: Text) -> None:
        """Write what hands or the device did."""
        picture = dict(self._device.bench.picture()) if self._device is not None else {}
        at = round((self._clock.monotonic() - self._began) * 1000)
        self._recorder.emit(BenchChange(slot=role, what=what, at_ms=max(0, at), picture=picture))
        self._tell_roles()

    def note(self, text: Text, level: Level = Level.INFO) -> None:
        """Write something worth telling: a program that starts or ends, a defect of ours."""
        self._recorder.emit(Note(level=level, text=text))

    def close(self, *, interrupted: bool = False) -> None:
        """End the record; take it away if it was withdrawn."""
        if self.withdrawn:
            self._recorder.close()
            self._folder.withdraw([self.journal])
            return
        self.settle()
        duration = round((self._clock.monotonic() - self._began) * 1_000_000)
        self._recorder.emit(RunFinished(interrupted=interrupted, duration_us=max(0, duration)))
        self._recorder.close()

    def withdraw(self) -> None:
        """Have no record left at the end: a mistake kept the bench from serving anybody."""
        self.withdrawn = True

    def render(self, formats: Mapping[str, Format], lang: Lang) -> tuple[Path, ...]:
        """Return the reports written beside the record, none of one withdrawn. Raise RenderError, JournalError."""
        if self.withdrawn:
            return ()
        return render(self.journal, formats, self.directory, lang, known=formats)

    def _tell_roles(self) -> None:
        """Readers may have come back under other names."""
        if (scribe := self.scribe) is not None and self._bench is not None:
            roles = {self._bench.name(role): role for role in self._bench.device.slots}
            if roles != self._told_roles:
                self._told_roles = roles
                scribe.roles(roles)


@contextmanager
def withdrawn_unless_stood(record: LiveRecord | None) -> Iterator[None]:
    """Let something stand up: where it does not, its record is withdrawn."""
    try:
        yield
    except BaseException:
        if record is not None:
            record.withdraw()
        raise


def run_id(clock: Clock) -> str:
    """Return a name for a record of a live bench made now."""
    return environment.run_id(clock, "live")
