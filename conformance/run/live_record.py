"""The record of a live bench: what a program that is not ours did with its cards, in a run directory like any other."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live import Device
from bifente.conformance.model import CardChoice
from bifente.conformance.run.environment import environment, tool
from bifente.conformance.run.telling import event_of
from bifente.conformance.targets.messages import messaged
from bifente.ground.clock import Clock
from bifente.ground.text import Lang, Text
from bifente.reports.events import BenchChange, Level, Note, RunFinished, RunStarted
from bifente.reports.journal import FILE_NAME, Recorder
from bifente.reports.render import Format, render
from bifente.reports.secrets import Secrets
from bifente.simulator.cards.dialogue import Exchanged
from bifente.simulator.pcsc.bridge import BridgedExchange, ExchangeKind
from bifente.simulator.pcsc.services import ServiceKind
from bifente.simulator.serving.recording import Passed

_POWERED: Mapping[ExchangeKind, Text] = {
    ExchangeKind.POWER_ON: Text("carte mise sous tension", "card powered"),
    ExchangeKind.POWER_OFF: Text("carte mise hors tension", "card unpowered"),
    ExchangeKind.RESET: Text("carte réinitialisée", "card reset"),
}


class LiveRecord:
    """Writes as things happen. ``close`` ends the record; ``render`` turns it into reports.

    Exchanges come from the threads of the slots, hands from anywhere. Raise JournalError for a directory that cannot
    be written or already holds a record.
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
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._clock = clock
        self._began = clock.monotonic()
        self._device: Device | None = None
        self._roles: dict[str, str] = {}
        self._secrets = Secrets(secrets=workshop.secrets(cards.values()))
        self._recorder = Recorder(directory / FILE_NAME, now=clock.now, secrets=self._secrets)
        self._recorder.emit(
            RunStarted(
                run_id=run_id,
                tool=tool(),
                command=tuple(command),
                target=f"live/{service}" if service is not None else "live",
                profile=profile,
                seed=0,
                lang=lang,
                environment=environment(pcsc=service == ServiceKind.PCSCD),
            )
        )

    def watch(self, device: Device) -> None:
        """Tell the slots of this device by their roles, and how they stand now."""
        self._device = device
        self._roles = {slot.name: role for role, slot in device.slots.items()}
        self.changed(None, Text("banc monté", "bench set up"))

    def exchange(self, seen: BridgedExchange) -> None:
        """Write what a reader did to a card."""
        role = self._roles.get(seen.slot, seen.slot)
        if seen.kind is ExchangeKind.APDU:
            secrets = self._recorder.secrets
            secrets.learn(seen.command)
            self._recorder.emit(event_of(Exchanged(seen.command, seen.response, seen.seconds), secrets, slot=role))
        else:
            self.changed(role, _POWERED[seen.kind])

    def message(self, passed: Passed) -> None:
        """Write a message that a service received or sent."""
        self._recorder.emit(event_of(messaged(passed), self._secrets))

    def declare(self, secret: str | bytes) -> None:
        """Mask this from now on."""
        self._secrets.declare(secret)

    def changed(self, role: str | None, what: Text) -> None:
        """Write what hands or the device did."""
        picture = dict(self._device.bench.picture()) if self._device is not None else {}
        at = round((self._clock.monotonic() - self._began) * 1000)
        self._recorder.emit(BenchChange(slot=role, what=what, at_ms=max(0, at), picture=picture))

    def note(self, text: Text, level: Level = Level.INFO) -> None:
        """Write something worth telling: a program that starts or ends, a defect of ours."""
        self._recorder.emit(Note(level=level, text=text))

    def close(self, *, interrupted: bool = False) -> None:
        """End the record."""
        duration = round((self._clock.monotonic() - self._began) * 1_000_000)
        self._recorder.emit(RunFinished(interrupted=interrupted, duration_us=duration))
        self._recorder.close()

    def render(self, formats: Mapping[str, Format], lang: Lang) -> tuple[Path, ...]:
        """Return the reports written beside the record. Raise RenderError, JournalError."""
        return render(self._directory / FILE_NAME, formats, self._directory, lang, known=formats)


def run_id(clock: Clock) -> str:
    """Return a name for a record made now."""
    return f"{clock.now():%Y%m%d-%H%M%S}-live-{time.monotonic_ns() % 0xFFFFFF:06x}"
