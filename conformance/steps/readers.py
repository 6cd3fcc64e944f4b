"""What happens to the readers themselves, what other applications do with them, and what a PC/SC client sees of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from threading import Timer
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from conformance.bench.scene import Act
from conformance.bench.virtual import VirtualBench
from conformance.expectations import BytesMatcher, ValueMatcher
from conformance.model import Identifier
from conformance.steps.base import SW, CardStep, Code, Observation, Observes, Seconds, Step
from conformance.targets.base import Capability, Connection, PcscCode, ScardError
from conformance.targets.embedded import EmbeddedTarget
from reports.text import Text
from simulator.iso7816.apdu import Response
from simulator.middleware.patience import EXCLUSIVITY, insist
from simulator.middleware.recognition import CardKind, kind_of
from simulator.readers import Handle, PcscService, PinPad, Reader, Share, State
from simulator.readers.pin_pad import CONTROLS, GET_FEATURE_REQUEST, MODIFY, VERIFY, Feature, Key
from simulator.readers.sharing import COUNTER

_SERIAL = re.compile(r"\d{6,}")
_PCSC_LITE = re.compile(r"(?P<stem>.*) [0-9A-F]{2} (?P<slot>[0-9A-F]{2})")
_NUMBER = re.compile(r" ?\d+$")
_SHARES = {"shared": Share.SHARED, "exclusive": Share.EXCLUSIVE, "direct": Share.DIRECT}
_ASCII_CODE, _UNPADDED = 0x82, 0x00
"""bmFormatString: ASCII, counted in bytes from the start of the data; bmPINBlockString: no block, Lc follows."""


def _bench(act: Act) -> VirtualBench:
    """The bench, which is ours: the steps below need a virtual one. Raises TypeError for another."""
    if not isinstance(act.bench, VirtualBench):
        raise TypeError("this step needs a bench whose readers are virtual")
    return act.bench


def _service(act: Act) -> PcscService:
    target = _bench(act).target
    if not isinstance(target, EmbeddedTarget):
        raise TypeError("this step needs the PC/SC service of the bench itself")
    return target.service


def _device(act: Act) -> Reader:
    return _bench(act).device


class ListReaders(CardStep):
    """What a PC/SC client lists: the names of this bench's slots, in the order of the service."""

    name: ClassVar[str] = "list-readers"
    title: ClassVar[Text] = Text("Lister les lecteurs", "List the readers")
    needs = frozenset({Capability.APDU, Capability.VIRTUAL})
    observes: ClassVar[Observes] = {key: ValueMatcher() for key in ("count", "names", "first", "bear-the-device-name")}

    def run(self, act: Act) -> Observation:
        """List them. Without any, the error a client gets."""
        ours, device = set(act.bench.names.values()), _device(act)
        names = [name for name in act.bench.access.readers() if name in ours]
        if not names:
            raise ScardError(PcscCode.NO_READERS_AVAILABLE)
        stems = (*(part.name for part in device.parts), act.bench.profile.device)
        return Observation(
            {
                "count": len(names),
                "names": ", ".join(names),
                "first": names[0],
                "bear-the-device-name": all(name.startswith(stems) for name in names),
            },
            decoded=tuple((f"{number}", name) for number, name in enumerate(names)),
        )


class IdentifyCards(CardStep):
    """Which slot holds which card, by their ATRs alone: what software does that assumes no order of the slots."""

    name: ClassVar[str] = "identify-cards"
    title: ClassVar[Text] = Text("Reconnaître les cartes", "Tell the cards apart")
    needs = frozenset({Capability.APDU, Capability.VIRTUAL})
    observes: ClassVar[Observes] = {
        **{key: ValueMatcher() for key in ("cps", "vitale", "other", "mute", "held", "empty", "unreachable")},
        "several-of-a-type": ValueMatcher(),
    }

    def run(self, act: Act) -> Observation:
        """Look at every slot; each observation lists the roles of slots, in the device's order."""
        found: dict[str, list[str]] = {key: [] for key in self.observes if key != "several-of-a-type"}
        for role, name in act.bench.names.items():
            found[self._kind(act, name)].append(role)
        several = len(found["cps"]) > 1 or len(found["vitale"]) > 1
        return Observation({**{key: ", ".join(roles) for key, roles in found.items()}, "several-of-a-type": several})

    @staticmethod
    def _kind(act: Act, name: str) -> str:
        try:
            connection = act.bench.access.connect(name)
        except ScardError as error:
            return _SEEN_AS.get(error.code, "mute")
        try:
            kind = kind_of(connection.atr)
        finally:
            connection.disconnect()
        return {CardKind.CPS: "cps", CardKind.VITALE_1: "vitale", CardKind.VITALE_2: "vitale"}.get(kind, "other")


_SEEN_AS: Mapping[int, str] = {
    PcscCode.NO_SMARTCARD: "empty",
    PcscCode.SHARING_VIOLATION: "held",
    PcscCode.READER_UNAVAILABLE: "unreachable",
    PcscCode.UNKNOWN_READER: "unreachable",
}


class OpenCard(CardStep):
    """Connect to the card in a share mode, patiently (10 times at 500 ms) or at the first try only."""

    name: ClassVar[str] = "open-card"
    title: ClassVar[Text] = Text("Ouvrir la carte", "Open the card")
    shorthand: ClassVar[str] = "share"
    needs = frozenset({Capability.APDU, Capability.VIRTUAL})
    observes: ClassVar[Observes] = {"atr": BytesMatcher(), "waited-ms": ValueMatcher(), "tries": ValueMatcher()}

    share: Literal["shared", "exclusive", "direct"] = "shared"
    reader: str | None = Field(default=None, max_length=127, description="a PC/SC name; else that of the slot")
    patient: bool = Field(default=False, description="try again as the field does while another application holds it")

    def run(self, act: Act) -> Observation:
        """Open it; the dialogue replaces the one that was open with this slot."""
        bench = _bench(act)
        act.scene.hang_up(act.role)
        tries = 0

        def attempt() -> Connection:
            nonlocal tries
            tries += 1
            return bench.target.open(self.reader or bench.names[act.role], _SHARES[self.share])

        start = bench.clock.monotonic()
        connection = insist(EXCLUSIVITY, bench.clock, attempt, _held) if self.patient else attempt()
        act.scene.adopt(act.role, connection)
        waited = round((bench.clock.monotonic() - start) * 1000)
        atr = connection.atr if self.share != "direct" else b""
        return Observation({"atr": atr, "waited-ms": waited, "tries": tries})


def _held(error: Exception) -> bool:
    return isinstance(error, ScardError) and error.code == PcscCode.SHARING_VIOLATION


class LeaveCard(Step):
    """Close the dialogue with the card, as software does that has done its work; the card is left as it is."""

    name: ClassVar[str] = "leave-card"
    title: ClassVar[Text] = Text("Laisser la carte", "Leave the card")
    needs = frozenset({Capability.APDU})

    def run(self, act: Act) -> Observation:
        """Hang up."""
        act.scene.hang_up(act.role)
        return Observation({})


class BeginTransaction(CardStep):
    """Keep the other applications out from here on (SCardBeginTransaction)."""

    name: ClassVar[str] = "begin-transaction"
    title: ClassVar[Text] = Text("Commencer une transaction", "Begin a transaction")

    def run(self, act: Act) -> Observation:
        """Begin."""
        act.dialogue.connection.begin()
        return Observation({})


class EndTransaction(CardStep):
    """Let the other applications in again (SCardEndTransaction)."""

    name: ClassVar[str] = "end-transaction"
    title: ClassVar[Text] = Text("Finir une transaction", "End a transaction")

    def run(self, act: Act) -> Observation:
        """End."""
        act.dialogue.connection.end()
        return Observation({})


class HoldExclusively(CardStep):
    """Another application takes the card for itself: connected alone, or by a transaction in a shared dialogue."""

    name: ClassVar[str] = "hold-exclusively"
    title: ClassVar[Text] = Text("Une autre application retient la carte", "Another application holds the card")
    shorthand: ClassVar[str] = "by"
    needs = frozenset({Capability.APDU, Capability.VIRTUAL})

    by: Literal["connection", "transaction"] = "connection"
    for_ms: int | None = Field(
        default=None, gt=0, le=600_000, description="lets go by itself after that; else it stays"
    )

    def run(self, act: Act) -> Observation:
        """Take it."""
        bench = _bench(act)
        share = Share.EXCLUSIVE if self.by == "connection" else Share.SHARED
        other = bench.target.open(bench.names[act.role], share)
        if self.by == "transaction":
            other.begin()
        act.scene.others[act.role] = other
        if self.for_ms is not None:
            if isinstance(other, Handle):
                other.lease = bench.clock.monotonic() + self.for_ms / 1000
            else:
                timer = Timer(self.for_ms / 1000, other.disconnect)
                timer.daemon = True
                timer.start()
        act.scene.changed(
            act.role, Text("une autre application retient la carte", "another application holds the card")
        )
        return Observation({})


class ReleaseByAnother(Step):
    """The other application lets the card go."""

    name: ClassVar[str] = "release-by-another-application"
    title: ClassVar[Text] = Text("L'autre application lâche la carte", "The other application lets the card go")
    needs = frozenset({Capability.APDU, Capability.VIRTUAL})

    def run(self, act: Act) -> Observation:
        """Let go. Nothing held is a mistake of the scenario."""
        if (other := act.scene.others.pop(act.role, None)) is None:
            raise LookupError(f"no other application holds the card of slot {act.role}: write hold-exclusively before")
        other.disconnect()
        act.scene.changed(
            act.role, Text("l'autre application lâche la carte", "the other application lets the card go")
        )
        return Observation({})


class SwapCards(Step):
    """The hand swaps the cards of two slots. A slot keeps its role; ``$cards.<role>`` is the card now in it."""

    name: ClassVar[str] = "swap-cards"
    title: ClassVar[Text] = Text("Permuter les deux cartes", "Swap the two cards")
    shorthand: ClassVar[str] = "with_slot"
    needs = frozenset({Capability.INSERTION, Capability.VIRTUAL})

    with_slot: Identifier = Field(default="vitale", description="role of the other slot")

    def run(self, act: Act) -> Observation:
        """Swap them."""
        act.scene.changed(act.role, _bench(act).swap(act.role, self.with_slot))
        return Observation({})


class WaitForCard(CardStep):
    """Wait until a card is in the slot, or until none is."""

    name: ClassVar[str] = "wait-for-card"
    title: ClassVar[Text] = Text("Attendre une carte", "Wait for a card")
    shorthand: ClassVar[str] = "present"
    needs = frozenset({Capability.APDU, Capability.VIRTUAL})
    observes: ClassVar[Observes] = {"seen": ValueMatcher()}

    present: bool = True
    seconds: Seconds = Field(default=2.0, description="how long, at most")

    def run(self, act: Act) -> Observation:
        """Wait."""
        seen = act.bench.access.wait(act.bench.names[act.role], present=self.present, timeout=self.seconds)
        return Observation({"seen": seen})


class LookAtSlot(CardStep):
    """What SCardGetStatusChange tells of the slot, and how often cards came or went since the look before."""

    name: ClassVar[str] = "look-at-slot"
    title: ClassVar[Text] = Text("Regarder la fente", "Look at the slot")
    needs = frozenset({Capability.APDU, Capability.VIRTUAL})
    observes: ClassVar[Observes] = {key: ValueMatcher() for key in ("holds", "in-use", "exclusive", "mute", "moves")}

    def run(self, act: Act) -> Observation:
        """Look."""
        told = _bench(act).target.look(act.bench.names[act.role])
        flags, events = State(told & 0xFFFF), told >> COUNTER
        before = act.scene.looks.get(act.role, events)
        act.scene.looks[act.role] = events
        holds = "card" if State.PRESENT in flags else "unavailable" if State.UNAVAILABLE in flags else "nothing"
        return Observation(
            {
                "holds": holds,
                "in-use": State.INUSE in flags,
                "exclusive": State.EXCLUSIVE in flags,
                "mute": State.MUTE in flags,
                "moves": events - before,
            }
        )


class UnplugReader(Step):
    """The hand pulls the reader out, cards inside or not."""

    name: ClassVar[str] = "unplug-reader"
    title: ClassVar[Text] = Text("Débrancher le lecteur", "Unplug the reader")
    needs = frozenset({Capability.HOT_PLUG})

    def run(self, act: Act) -> Observation:
        """Pull it out. Raises SlotError-like mistakes of the scenario as ValueError."""
        _service(act).unplug(_device(act))
        act.scene.changed(None, Text("lecteur débranché", "reader unplugged"))
        return Observation({})


class PlugReader(Step):
    """The hand plugs the reader in again: under the same names, or under another serial or index."""

    name: ClassVar[str] = "plug-reader"
    title: ClassVar[Text] = Text("Rebrancher le lecteur", "Plug the reader in again")
    needs = frozenset({Capability.HOT_PLUG})
    observes: ClassVar[Observes] = {"names": ValueMatcher(), "renamed": ValueMatcher()}

    serial: str | None = Field(default=None, pattern=r"^[0-9]{6,12}$", description="the device is another of its kind")
    index: int | None = Field(default=None, ge=0, le=99, description="the system gives it another number at the end")

    def run(self, act: Act) -> Observation:
        """Plug it in."""
        device, service = _device(act), _service(act)
        before = [slot.name for slot in device.slots]
        names = renamed(before, self.serial, self.index)
        service.plug(device, names)
        act.scene.changed(None, Text(f"lecteur rebranché : {names[0]}", f"reader plugged in: {names[0]}"))
        return Observation({"names": ", ".join(names), "renamed": names != before})


def renamed(names: Sequence[str], serial: str | None, index: int | None) -> list[str]:
    """The names of a reader's slots under another serial, or another number given by the system.

    "STEM XX YY" (pcsc-lite) has the reader's number first; elsewhere a number at the end counts what has one stem.
    Raises ValueError if a serial is asked for and a name bears none.
    """
    found = []
    counted: Counter[str] = Counter()
    for name in names:
        new = name
        if serial is not None:
            new, changed = _SERIAL.subn(serial, name, count=1)
            if not changed:
                raise ValueError(f"the name {name!r} bears no serial: give an index")
        if index is not None:
            if (lite := _PCSC_LITE.fullmatch(new)) is not None:
                new = f"{lite['stem']} {index:02X} {lite['slot']}"
            else:
                stem = _NUMBER.sub("", new)
                new = f"{stem} {index + counted[stem]}"
                counted[stem] += 1
        found.append(new)
    return found


class StopService(Step):
    """The workstation's PC/SC service stops; every dialogue open through it is dead for good."""

    name: ClassVar[str] = "stop-service"
    title: ClassVar[Text] = Text("Arrêter le service PC/SC", "Stop the PC/SC service")
    needs = frozenset({Capability.SERVICE})

    def run(self, act: Act) -> Observation:
        """Stop it."""
        _service(act).stop()
        act.scene.changed(None, Text("service PC/SC arrêté", "PC/SC service stopped"))
        return Observation({})


class StartService(Step):
    """The PC/SC service starts again; software must connect anew."""

    name: ClassVar[str] = "start-service"
    title: ClassVar[Text] = Text("Redémarrer le service PC/SC", "Start the PC/SC service again")
    needs = frozenset({Capability.SERVICE})

    def run(self, act: Act) -> Observation:
        """Start it."""
        _service(act).start()
        act.scene.changed(None, Text("service PC/SC redémarré", "PC/SC service started again"))
        return Observation({})


# -- the PIN pad ----------------------------------------------------------------------------------------------------


def _pad(act: Act) -> PinPad:
    pad = next((part.pin_pad for part in (_device(act), *_device(act).parts) if part.pin_pad is not None), None)
    if pad is None:
        raise TypeError("the reader has no PIN pad: write requires: [pin-pad]")
    return pad


class TypeOnPinPad(Step):
    """What the holder will do at the reader's next question: type a code, cancel, or nothing until the time is over."""

    name: ClassVar[str] = "type-on-pin-pad"
    title: ClassVar[Text] = Text("Taper sur le clavier du lecteur", "Type on the reader's PIN pad")
    shorthand: ClassVar[str] = "code"
    needs = frozenset({Capability.PIN_PAD})

    code: Code | None = None
    key: Literal["cancel", "nothing"] | None = None

    @model_validator(mode="after")
    def _one(self) -> TypeOnPinPad:
        if (self.code is None) == (self.key is None):
            raise ValueError("give either a code or a key")
        return self

    def run(self, act: Act) -> Observation:
        """Have it typed when the reader asks."""
        _pad(act).type(self.code if self.code is not None else Key(self.key))
        return Observation({})


class PinPadStep(CardStep):
    """A step in which the reader asks for codes by its own keys: they never pass through the application."""

    needs = frozenset({Capability.APDU, Capability.PIN_PAD})
    observes: ClassVar[Observes] = SW

    seconds: int = Field(default=30, ge=1, le=255, description="how long the reader waits for the first key")

    def ask(self, act: Act, feature: Feature, structure: bytes) -> Observation:
        """One control of the reader, its code found as part 10 says."""
        connection = act.dialogue.connection
        if not isinstance(connection, Handle):
            raise TypeError("a PIN pad is reached in process only")
        offered = connection.control(GET_FEATURE_REQUEST, b"")
        found = {offered[at]: int.from_bytes(offered[at + 2 : at + 6], "big") for at in range(0, len(offered), 6)}
        if found != CONTROLS:
            raise ScardError(PcscCode.UNSUPPORTED_FEATURE, "the reader offers no PIN entry")
        return Observation.of(Response.parse(connection.control(found[feature], structure)))

    def common(self) -> dict[str, object]:
        """What both structures begin with: ASCII, 4 to 8 digits, the green key ends, no message of ours."""
        return {
            "timer": self.seconds,
            "timer2": self.seconds,
            "format": _ASCII_CODE,
            "block": _UNPADDED,
            "length": 0,
            "max": 8,
            "min": 4,
            "validation": 2,
            "messages": 0xFF,
            "language": 0x040C,
            "teo": bytes(3),
        }


class VerifyOnPinPad(PinPadStep):
    """VERIFY_PIN_DIRECT: the reader asks for the holder code and presents it to the card by itself."""

    name: ClassVar[str] = "verify-on-pin-pad"
    title: ClassVar[Text] = Text("Faire saisir le code au lecteur", "Have the code entered on the reader")

    def run(self, act: Act) -> Observation:
        """Ask for it."""
        command = bytes((0x00, 0x20, 0x00, act.card.layout.secrets["pin"].reference, 0x00))
        structure = VERIFY.build({**self.common(), "message": 0, "size": len(command), "command": command})
        return self.ask(act, Feature.VERIFY_PIN_DIRECT, structure)


class ChangeOnPinPad(PinPadStep):
    """MODIFY_PIN_DIRECT: the reader asks for the old code, the new one and the new one again, and changes it."""

    name: ClassVar[str] = "change-on-pin-pad"
    title: ClassVar[Text] = Text("Faire changer le code au lecteur", "Have the code changed on the reader")

    def run(self, act: Act) -> Observation:
        """Ask for it."""
        command = bytes((0x00, 0x24, 0x00, act.card.layout.secrets["pin"].reference, 0x00))
        more = {"old_offset": 0, "new_offset": 0, "confirm": 3, "message1": 0, "message2": 1, "message3": 2}
        structure = MODIFY.build({**self.common(), **more, "size": len(command), "command": command})
        return self.ask(act, Feature.MODIFY_PIN_DIRECT, structure)
