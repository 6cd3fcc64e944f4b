"""Every order of a live bench: those of the world, which domains bring, and those by which one looks and waits."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bifente.conformance.loading import nearest
from bifente.conformance.observation.channel import VERSION
from bifente.conformance.observation.channel.answers import CarriedOut, OrderRefusedError, Refused
from bifente.conformance.observation.channel.filters import Filter
from bifente.conformance.observation.channel.recording import RecordTaken
from bifente.conformance.observation.channel.worldly import SLOT, carry_out, worldly, wrong
from bifente.conformance.observation.pictures import PictureError, of_display
from bifente.conformance.scenario.step import kebab
from bifente.ground.text import Text
from bifente.reports.events import to_dict
from bifente.simulator.serving.service import Service

if TYPE_CHECKING:
    from bifente.conformance.observation.standing import Standing

_LOOK = 0.02
_MOST = 10_000
_LONGEST_WAIT = 3600.0


class ChannelOrder(BaseModel):
    """An order of the channel itself."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=kebab, validate_by_name=False)

    name: ClassVar[str]
    title: ClassVar[Text]
    shorthand: ClassVar[str | None] = None

    def carry_out(self, orders: ChannelOrders) -> CarriedOut:
        """Do it. Raise OrderRefusedError."""
        raise NotImplementedError


class HelpOrder(ChannelOrder):
    """Every order, or one, with the JSON Schema of its arguments."""

    name: ClassVar[str] = "help"
    title: ClassVar[Text] = Text("Dire ce qui peut être ordonné", "Tell what can be ordered")
    shorthand: ClassVar[str | None] = "order"

    order: str | None = Field(default=None, description="name of an order")

    def carry_out(self, orders: ChannelOrders) -> CarriedOut:
        """List them."""
        chosen = [orders.known(self.order)] if self.order is not None else list(orders.all().values())
        return CarriedOut(
            self.title,
            {
                "version": VERSION,
                "orders": {one.name: one.plain() for one in chosen},
            },
        )


class StateOrder(ChannelOrder):
    """How the bench stands: readers, slots, cards with their counters, faults, PC/SC service, teleservices, clock."""

    name: ClassVar[str] = "state"
    title: ClassVar[Text] = Text("Dire l'état du banc", "Tell how the bench stands")

    def carry_out(self, orders: ChannelOrders) -> CarriedOut:
        """Look."""
        standing = orders.standing
        bench, scene = standing.bench, standing.bench.scene
        slots = {}
        for role, slot in bench.device.slots.items():
            card = bench.device.cards.get(role) if slot.card is not None else None
            inner = (card.state() if card is not None else None) or {}
            slots[role] = {
                "name": bench.name(role),
                "template": str(card.facts["template"]) if card is not None else None,
                "reachable": slot.reachable,
                "state": {key: _plain(value) for key, value in inner.items()},
            }
        faults = [dict(zip(("fault", SLOT), key.split(" ", 1), strict=True)) for key in scene.injected]
        return CarriedOut(
            self.title,
            {
                "reader": bench.device.bench.profile.profile,
                "slots": slots,
                "picture": dict(bench.device.bench.picture()),
                "faults": faults,
                "services": {
                    name: {"settings": settings, "state": _plain_state(standing.services.served[name].services)}
                    for name, settings in standing.services.settings.items()
                },
                "service": {"alive": bench.service.alive, "environment": dict(bench.environment)},
                "clock": scene.bench.now().isoformat(),
                "defects": [f"{one.slot}: {one.error}" for one in bench.service.defects],
            },
        )


class ReadyOrder(ChannelOrder):
    """Wait until a PC/SC client sees every card that is in."""

    name: ClassVar[str] = "ready"
    title: ClassVar[Text] = Text("Attendre que les programmes voient les cartes", "Wait until programs see the cards")

    def carry_out(self, orders: ChannelOrders) -> CarriedOut:
        """Look as a client does."""
        if not orders.standing.bench.wait_seen():
            raise _unseen()
        return CarriedOut(Text("les programmes voient les cartes", "programs see the cards"))


class MarkOrder(ChannelOrder):
    """The number of the next event: what passes from now on has it or a greater one."""

    name: ClassVar[str] = "mark"
    title: ClassVar[Text] = Text("Marquer ce moment", "Mark this moment")

    def carry_out(self, orders: ChannelOrders) -> CarriedOut:
        """Count."""
        return CarriedOut(self.title, {"mark": len(orders.standing.events())})


class PassedOrder(ChannelOrder):
    """What passed since a mark, or since the beginning, as events of the journal; codes are masked."""

    name: ClassVar[str] = "passed"
    title: ClassVar[Text] = Text("Dire ce qui est passé", "Tell what passed")

    since: int = Field(default=0, ge=0, description="a mark")
    most: int = Field(default=1000, ge=1, le=_MOST, description="most events told, the last ones")
    only: Filter = Field(default_factory=Filter, description="which events")

    def carry_out(self, orders: ChannelOrders) -> CarriedOut:
        """Look."""
        events = orders.standing.events()
        found = [one for one in events[self.since :] if self.only.meets(one)]
        return CarriedOut(
            self.title,
            {"mark": len(events), "count": len(found), "events": [to_dict(one) for one in found[-self.most :]]},
        )


class WaitOrder(ChannelOrder):
    """Wait until something was seen since a mark (now, unless given), or until the time is over."""

    name: ClassVar[str] = "wait"
    title: ClassVar[Text] = Text("Attendre un évènement", "Wait until something is seen")

    until: Filter = Field(description="which event")
    since: int | None = Field(default=None, ge=0, description="a mark; what passed since counts")
    times: int = Field(default=1, ge=1, le=_MOST, description="how many of them")
    seconds: float = Field(default=10.0, ge=0, le=_LONGEST_WAIT, description="how long, at most")

    def carry_out(self, orders: ChannelOrders) -> CarriedOut:
        """Wait, without holding up other orders."""
        standing = orders.standing
        since = len(standing.events()) if self.since is None else self.since
        deadline = time.monotonic() + self.seconds
        while True:
            events = standing.events()
            found = [one for one in events[since:] if self.until.meets(one)]
            if len(found) >= self.times or time.monotonic() >= deadline or standing.stopping.is_set():
                break
            standing.stopping.wait(_LOOK)
        return CarriedOut(
            self.title,
            {
                "seen": len(found) >= self.times,
                "count": len(found),
                "mark": len(events),
                "events": [to_dict(one) for one in found[: self.times]],
            },
        )


class RecordOrder(ChannelOrder):
    """Begin or end a record of its own: journal and reports in a directory, from one order to the other."""

    name: ClassVar[str] = "record"
    title: ClassVar[Text] = Text("Relever ce qui passe", "Record what passes")
    shorthand: ClassVar[str | None] = "do"

    do: Literal["start", "stop"] = Field(description="begin or end")
    out: str | None = Field(default=None, description="start: the directory")

    def carry_out(self, orders: ChannelOrders) -> CarriedOut:
        """Begin it, or write it."""
        if self.do == "start":
            if orders.taken is not None or self.out is None:
                why = Text("un relevé est déjà en cours", "a record is being taken already")
                lacking = Text("record start attend out, un répertoire", "record start wants out, a directory")
                raise OrderRefusedError(Refused.WRONG, lacking if self.out is None else why)
            orders.taken = RecordTaken(Path(self.out), len(orders.standing.events()), orders.standing.record.directory)
            return CarriedOut(self.title, {"out": self.out})
        taken, orders.taken = orders.taken, None
        if taken is None:
            raise OrderRefusedError(Refused.WRONG, Text("aucun relevé n'est en cours", "no record is being taken"))
        files = taken.write(orders.standing.events(), orders.standing.wanted.lang)
        return CarriedOut(self.title, {"out": str(taken.out), "files": [str(path) for path in files]})


class ScreenshotOrder(ChannelOrder):
    """Keep what an X display shows, with the evidence; it is kept as it is, a code in it too."""

    name: ClassVar[str] = "screenshot"
    title: ClassVar[Text] = Text("Garder une capture d'écran", "Keep a screenshot")
    shorthand: ClassVar[str | None] = "of"

    of: str = Field(default="ecran", min_length=1, max_length=80, description="what it shows, in a word or two")
    display: str | None = Field(
        default=None, pattern=r"^[\w.-]*:\d+(\.\d+)?$", description="which, e.g. :99; that of the bench unless given"
    )

    def carry_out(self, orders: ChannelOrders) -> CarriedOut:
        """Take it."""
        try:
            kept = orders.standing.keep_picture(self.of, of_display(self.display))
        except PictureError as error:
            raise OrderRefusedError(Refused.IMPOSSIBLE, error.why) from None
        file = orders.standing.record.directory / kept["file"]
        return CarriedOut(Text(f"capture gardée : {file}", f"screenshot kept: {file}"), {**kept, "file": str(file)})


class QuitOrder(ChannelOrder):
    """Stop the bench."""

    name: ClassVar[str] = "quit"
    title: ClassVar[Text] = Text("Arrêter le banc", "Stop the bench")

    def carry_out(self, orders: ChannelOrders) -> CarriedOut:
        """Have it stopped."""
        orders.stop()
        return CarriedOut(self.title)


_KINDS = (
    *(HelpOrder, StateOrder, ReadyOrder, MarkOrder, PassedOrder, WaitOrder, RecordOrder, ScreenshotOrder, QuitOrder),
)
OWN: Mapping[str, type[ChannelOrder]] = {one.name: one for one in _KINDS}


@dataclass(frozen=True, slots=True)
class Known:
    """An order as a client is told of it."""

    name: str
    title: Text
    does: str
    schema: dict[str, Any]
    shorthand: str | None

    def plain(self) -> dict[str, Any]:
        """Return what a client is told."""
        return {
            "title": {"fr": self.title.fr, "en": self.title.en},
            "does": self.does,
            "arguments": self.schema,
            **({"shorthand": self.shorthand} if self.shorthand else {}),
        }


class ChannelOrders:
    """Carries orders out, those of the world one at a time."""

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self.taken: RecordTaken | None = None
        self._hand = threading.Lock()

    def declare(self, secret: str | bytes) -> None:
        """Keep a secret out of the record."""
        self.standing.record.declare(secret)

    def stop(self) -> None:
        """Have the bench stopped, and whoever waits answered."""
        self.standing.stopping.set()

    def all(self) -> dict[str, Known]:
        """Return every order by its name."""
        found = {
            name: Known(name, kind.title, _does(kind), kind.model_json_schema(by_alias=True), kind.shorthand)
            for name, kind in OWN.items()
        }
        for name, step in worldly().items():
            schema = step.model_json_schema(by_alias=True)
            slot = {"type": "string", "description": "role of the slot; the main one unless given"}
            schema["properties"] = {SLOT: slot, **schema.get("properties", {})}
            shorthand = kebab(step.shorthand) if step.shorthand else None
            found[name] = Known(name, step.title, _does(step), schema, shorthand)
        return found

    def known(self, name: str) -> Known:
        """Return one of them. Raise OrderRefusedError."""
        found = self.all()
        if name not in found:
            raise self._unknown(name)
        return found[name]

    @staticmethod
    def _unknown(name: str) -> OrderRefusedError:
        return OrderRefusedError(
            Refused.UNKNOWN,
            Text(f"aucun ordre ne s'appelle {name!r}", f"no order is called {name!r}"),
            nearest(name, [*OWN, *worldly()]),
        )

    def carry_out(self, name: str, given: Mapping[str, Any]) -> CarriedOut:
        """Carry an order out. Raise OrderRefusedError."""
        if name in OWN:
            kind = OWN[name]
            try:
                order = kind.model_validate(given)
            except ValidationError as error:
                raise wrong(name, error, set(kind.model_json_schema()["properties"])) from None
            return order.carry_out(self)
        if name not in worldly():
            raise self._unknown(name)
        with self._hand:
            answer = carry_out(name, given, self.standing.bench.scene)
            self.standing.record.settle()
            if name in _SHOWING and not self.standing.bench.wait_seen():
                raise _unseen()
        return answer


_SHOWING = frozenset({"insert", "swap", "put"})
"""ChannelOrders that are done when programs see the cards, and not before."""


def _unseen() -> OrderRefusedError:
    why = Text("les programmes ne voient pas les cartes", "programs do not see the cards")
    return OrderRefusedError(Refused.IMPOSSIBLE, why, "bifente doctor")


def _does(kind: type[BaseModel]) -> str:
    return " ".join((kind.__doc__ or "").split())


def _plain_state(services: Iterable[Service]) -> Any:
    state = {one.name: one.state() for one in services}
    return json.loads(json.dumps(state, default=str, ensure_ascii=False))


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | str) or value is None else str(value)
