"""What the tests of the GALSS share: readers that answer, or fail, as told."""

from __future__ import annotations

from collections.abc import Iterable

from bifente.ground.clock import VirtualClock
from bifente.simulator.middleware.galss import GalssServer, SlotName, for_pcsc, generate
from bifente.simulator.readers import PcscCode, ScardError

CPS_NAME, VITALE_NAME = "Lab TL 1 0", "Lab TL 2 0"
SLOTS = [SlotName("cps", CPS_NAME), SlotName("vitale", VITALE_NAME)]
SOUND = generate(for_pcsc(SLOTS))


class Line:
    """One dialogue: it echoes the command and 9000 once the failures it was given are used up."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.closed = False
        place.dialogues += 1

    @property
    def atr(self) -> bytes:
        return self.place.name.encode()

    def transmit(self, command: bytes) -> bytes:
        if self.closed:
            raise ScardError(PcscCode.INVALID_HANDLE)
        self.place.sent.append(command)
        self.place.fail("transmit")
        return command + b"\x90\x00"

    def reset(self, *, cold: bool) -> bytes:
        self.place.fail("reset")
        return self.atr

    def begin(self) -> None:
        self.place.fail("begin")
        self.place.held += 1

    def end(self) -> None:
        self.place.held -= 1

    def disconnect(self) -> None:
        self.place.dialogues -= not self.closed
        self.closed = True


class Place:
    """One reader: ``failures`` are what its next calls of each kind raise."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.present = True
        self.held = 0
        self.dialogues = 0
        self.sent: list[bytes] = []
        self.failures: dict[str, list[PcscCode]] = {}

    def fails(self, what: str, codes: Iterable[PcscCode]) -> None:
        self.failures[what] = list(codes)

    def fail(self, what: str) -> None:
        if waiting := self.failures.get(what):
            raise ScardError(waiting.pop(0))


class Readers:
    """The PC/SC service of the test."""

    def __init__(self, *names: str) -> None:
        self.places = {name: Place(name) for name in names}
        self.failure: PcscCode | None = None
        self.asked: list[str] = []

    def readers(self) -> tuple[str, ...]:
        if self.failure is not None:
            raise ScardError(self.failure)
        return tuple(name for name, place in self.places.items() if place.present)

    def connect(self, reader: str) -> Line:
        self.asked.append(reader)
        place = self.places.get(reader)
        if place is None or not place.present:
            raise ScardError(PcscCode.UNKNOWN_READER)
        place.fail("connect")
        return Line(place)

    def wait(self, reader: str, *, present: bool, timeout: float) -> bool:
        return True


class WatchedClock(VirtualClock):
    """A clock that keeps every pause, and may let something happen in the middle of one."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []
        self.after: dict[int, object] = {}

    def advance(self, seconds: float) -> None:
        self.pauses.append(seconds)
        super().advance(seconds)
        if callable(happens := self.after.get(len(self.pauses))):
            happens()


class Lab:
    """A server over two readers that both answer."""

    def __init__(self, file: bytes | None = SOUND, *names: str, **settings: object) -> None:
        self.readers = Readers(*(names or (CPS_NAME, VITALE_NAME)))
        self.clock = WatchedClock()
        self.server = GalssServer(self.readers, self.clock, file, **settings)  # type: ignore[arg-type]

    @property
    def cps(self) -> Place:
        return self.readers.places[CPS_NAME]

    @property
    def vitale(self) -> Place:
        return self.readers.places[VITALE_NAME]
