"""What one does with software under test in a scenario, and what one expects of what was seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.expectations import ChoiceMatcher, ValueMatcher
from bifente.conformance.observation.channel.filters import Filter
from bifente.conformance.observation.driver import DriverError
from bifente.conformance.observation.facts import Fact
from bifente.conformance.observation.pictures import PictureError, of_display
from bifente.conformance.observation.scenarios.part import SoftwareUnderTest
from bifente.conformance.observation.verdicts import judge
from bifente.conformance.run.scribe.calls import BENCH
from bifente.conformance.scenario.step import Code, Observation, Observes, Step
from bifente.conformance.targets.base import GuardRefusalError
from bifente.conformance.targets.facets import Facet, WatchedClients
from bifente.ground.text import Text
from bifente.reports.events import Call, Event, Exchange, Message, to_dict
from bifente.reports.verdict import Verdict

_SHOWN = 12
OUTCOMES = ChoiceMatcher(frozenset({"done", "refused", "gone"}))
"""How an act ended: as the user wished, with a word to him why not, or with the software gone."""

_SILENCE = Text(
    "le logiciel n'a rien fait dans la fenêtre : le silence ne prouve rien",
    "the software did nothing in the window: silence proves nothing",
)
Whole = Annotated[
    Literal["act", "beginning"],
    Field(description="the window: since the last act of user or software, or since the beginning"),
]


class SoftwareStep(Step):
    """A step that needs programs to reach the readers."""

    needs = frozenset[type[Facet]]({WatchedClients})


class StartSoftware(SoftwareStep):
    """Start the software of the suite (``bench.software``), with further arguments if need be."""

    name: ClassVar[str] = "start-software"
    title: ClassVar[Text] = Text("Lancer le logiciel", "Start the software")
    shorthand: ClassVar[str] = "more"
    success: ClassVar[tuple[str, str]] = ("outcome", "done")
    observes: ClassVar[Observes] = {"outcome": OUTCOMES, "said": ValueMatcher()}

    more: list[str] = Field(default_factory=list, description="arguments after those of the suite")

    def run(self, act: Act) -> Observation:
        """Start it."""
        software = act.scene.part(SoftwareUnderTest)
        try:
            started = software.start(self.more)
        except DriverError as error:
            return _crashed(software, error)
        if started is None:
            return Observation({"outcome": "done", "said": ""})
        return Observation({"outcome": "done" if started.ok else "refused", "said": started.error})


class UserActs(SoftwareStep):
    """The user does something at the software, by its driver; an action that takes a code is given ``code``."""

    name: ClassVar[str] = "user"
    title: ClassVar[Text] = Text("L'utilisateur agit", "The user acts")
    shorthand: ClassVar[str] = "does"
    success: ClassVar[tuple[str, str]] = ("outcome", "done")
    observes: ClassVar[Observes] = {
        "outcome": OUTCOMES,
        "said": ValueMatcher(),
        "screen": ValueMatcher(),
    }

    does: str = Field(description="name of the action")
    code: Code | None = Field(default=None, description="the code that the user types")
    given: dict[str, Any] = Field(default_factory=dict, alias="with", description="other arguments of the action")

    def run(self, act: Act) -> Observation:
        """Do it."""
        software = act.scene.part(SoftwareUnderTest)
        given = {**self.given, **({"code": self.code} if self.code is not None else {})}
        try:
            driven = software.do(self.does, given)
        except DriverError as error:
            return _crashed(software, error)
        values: dict[str, Any] = {"outcome": "done" if driven.ok else "refused", "said": driven.error}
        values["screen"] = "\n".join(driven.screen)
        return Observation(values, decoded=tuple(("écran", line) for line in driven.screen))


class KeepScreen(SoftwareStep):
    """Keep what the software shows: a display's picture, or the driver's own answer to ``screen`` (lines, a PNG)."""

    name: ClassVar[str] = "keep-screen"
    title: ClassVar[Text] = Text("Garder une capture d'écran", "Keep a screenshot")
    shorthand: ClassVar[str] = "of"
    observes: ClassVar[Observes] = {"screen": ValueMatcher()}

    of: str = Field(default="ecran", min_length=1, max_length=80, description="what it shows, in a word or two")
    display: str | None = Field(default=None, description="an X display, e.g. :99, in place of the driver")

    def run(self, act: Act) -> Observation:
        """Take it."""
        software = act.scene.part(SoftwareUnderTest)
        try:
            if self.display is not None:
                software.keep_picture(self.of, of_display(self.display))
                return Observation({"screen": ""})
            return Observation({"screen": "\n".join(software.screen().screen)})
        except PictureError as error:
            raise GuardRefusalError(error.why) from None
        except DriverError as error:
            return _crashed(software, error)


class StopSoftware(SoftwareStep):
    """Have the software end, or wait until it does by itself; its exit code and the signal that ended it are seen."""

    name: ClassVar[str] = "stop-software"
    title: ClassVar[Text] = Text("Arrêter le logiciel", "Stop the software")
    observes: ClassVar[Observes] = {"exit": ValueMatcher(), "signal": ValueMatcher(), "in-time": ValueMatcher()}

    by_itself: bool = Field(default=False, description="wait until it ends by itself")
    seconds: float = Field(default=5.0, ge=0, le=600, description="how long, at most")

    def run(self, act: Act) -> Observation:
        """Stop it."""
        software = act.scene.part(SoftwareUnderTest)
        if self.by_itself:
            software.wait(self.seconds)
        code = software.stop(self.seconds)
        signal = -code if code is not None and code < 0 else 0
        return Observation(
            {"exit": code if code is not None else "none", "signal": signal, "in-time": code is not None}
        )


class WindowStep(SoftwareStep):
    """An expectation over a window of what was seen."""

    since: Whole = "act"

    def window(self, act: Act) -> Sequence[Event]:
        """Return the window. Raise GuardRefusalError, and the step is not run, where nothing happened in it."""
        software = act.scene.part(SoftwareUnderTest)
        found = software.window(whole=self.since == "beginning")
        if not any(_did(one) for one in found):
            raise GuardRefusalError(_SILENCE)
        return found


class EventsSeen(WindowStep):
    """Count the events of the window that fit: ``count: 0`` never, ``count: 1`` once, ``count: {at-most: 3}``."""

    name: ClassVar[str] = "seen"
    title: ClassVar[Text] = Text("Compter ce qui a été vu", "Count what was seen")
    shorthand: ClassVar[str] = "only"
    observes: ClassVar[Observes] = {"count": ValueMatcher(), "ms": ValueMatcher()}

    only: Filter = Field(description="which events, as in the control channel: {command: 0020*, sw: 9000}")

    def run(self, act: Act) -> Observation:
        """Count."""
        window = self.window(act)
        found = [one for one in window if self.only.meets(one)]
        return Observation({"count": len(found), "ms": _span(window[:1], found[-1:])}, decoded=_shown(window, found))


class SeenInOrder(WindowStep):
    """Whether events that fit came in this order; ``ms``: milliseconds from the first of them to the last."""

    name: ClassVar[str] = "seen-in-order"
    title: ClassVar[Text] = Text("Vérifier l'ordre", "Check the order")
    shorthand: ClassVar[str] = "events"
    observes: ClassVar[Observes] = {"order": ChoiceMatcher(frozenset({"kept", "broken"})), "ms": ValueMatcher()}
    success: ClassVar[tuple[str, str]] = ("order", "kept")

    events: list[Filter] = Field(min_length=2, description="which, each after the one before")

    def run(self, act: Act) -> Observation:
        """Look for them."""
        window = self.window(act)
        found: list[Event] = []
        for one in window:
            if len(found) < len(self.events) and self.events[len(found)].meets(one):
                found.append(one)
        done = len(found) == len(self.events)
        values = {"order": "kept" if done else "broken", "ms": _span(found[:1], found[-1:] if done else [])}
        return Observation(values, decoded=_shown(window, found))


class SeenWhile(WindowStep):
    """Count the events that fit while a state lasts: from an event ``from`` to the next ``until``."""

    name: ClassVar[str] = "seen-while"
    title: ClassVar[Text] = Text("Compter pendant un état", "Count while a state lasts")
    observes: ClassVar[Observes] = {"count": ValueMatcher()}

    only: Filter = Field(description="which events")
    begins: Filter = Field(alias="from", description="what begins the state")
    ends: Filter = Field(alias="until", description="what ends it")

    def run(self, act: Act) -> Observation:
        """Count."""
        window = self.window(act)
        inside, found = False, []
        for one in window:
            if inside and self.ends.meets(one):
                inside = False
            elif not inside and self.begins.meets(one):
                inside = True
            elif inside and self.only.meets(one):
                found.append(one)
        return Observation({"count": len(found)}, decoded=_shown(window, found))


class BrokenRules(SoftwareStep):
    """Which of the rules that hold for every program were broken since the beginning; none is expected."""

    name: ClassVar[str] = "rules"
    title: ClassVar[Text] = Text("Appliquer les règles générales", "Apply the general rules")
    observes: ClassVar[Observes] = {"broken": ValueMatcher(), "count": ValueMatcher()}
    success: ClassVar[tuple[str, str]] = ("count", "0")

    def run(self, act: Act) -> Observation:
        """Judge."""
        broken = [one for one in judge(act.scene.part(SoftwareUnderTest).story()) if one.verdict is Verdict.FAILED]
        told = tuple((one.rule.name, breach.said) for one in broken for breach in one.breaches or ())
        return Observation({"broken": [one.rule.name for one in broken], "count": len(broken)}, decoded=told)


def _did(event: Event) -> bool:
    """Whether the software did this itself: what the observation tells of it is not its doing."""
    if isinstance(event, Call):
        return event.function not in set(Fact) and not (event.client or "").startswith(BENCH)
    return isinstance(event, Exchange | Message)


def _crashed(software: SoftwareUnderTest, error: DriverError) -> Observation:
    """A product that goes in the middle of an action has failed: that is its fault, and no error of the bench."""
    window = software.window(whole=False)
    return Observation({"outcome": "gone", "said": str(error)}, decoded=_shown(window, window[-1:]))


def _span(first: Sequence[Event], last: Sequence[Event]) -> int | None:
    if not first or not last:
        return None
    took = datetime.fromisoformat(last[0].time) - datetime.fromisoformat(first[0].time)
    return round(took.total_seconds() * 1000)


def _shown(window: Sequence[Event], found: Sequence[Event]) -> tuple[tuple[str, str], ...]:
    """The window around what was found, each event in a line; those found bear a mark."""
    marked = {one.seq for one in found}
    kept = [one for one in window if one.seq in marked or len(window) <= _SHOWN] or list(window[-_SHOWN:])
    return tuple((f"{'→' if one.seq in marked else ' '} {one.seq}", _line(one)) for one in kept[-_SHOWN:])


def _line(event: Event) -> str:
    plain = to_dict(event)
    keys = ("slot", "client", "function", "command", "sw", "result", "movement", "line", "body")
    return " ".join(str(plain[key]) for key in keys if key in plain)[:160]
