"""What happens to a wireless terminal, and what the reading service in front of it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.wireless.forgery import Forgery
from bifente.conformance.domains.wireless.link import WirelessLink
from bifente.conformance.expectations import ChoiceMatcher, StatusMatcher, ValueMatcher
from bifente.conformance.features import features
from bifente.conformance.scenario.step import Code, Observation, Observes, Seconds, Step
from bifente.conformance.targets.base import GuardRefusalError
from bifente.conformance.targets.facets import Facet, PrivateClock
from bifente.ground.text import Text
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.readers.wireless.refusals import Refusal, TokenRefusedError
from bifente.simulator.readers.wireless.states import RadioLink

if TYPE_CHECKING:
    from bifente.conformance.domains.wireless.bench import WirelessBench

ACCEPTED = "accepted"
OUTCOMES = ChoiceMatcher(frozenset({ACCEPTED, *(reason.value for reason in Refusal)}))

AfterExchanges = Field(
    default=None,
    ge=1,
    le=10_000,
    description="not now, but once so many more exchanges with a card have gone through: in the middle of a call",
)


def wireless(act: Act) -> WirelessBench:
    """Return the wireless side of the bench. Raise GuardRefusalError where the reader has none."""
    link = act.bench.facets.find(WirelessLink)
    if link is None:
        raise GuardRefusalError(features()["wireless"])
    return link.wireless


class TerminalStep(Step, ABC):
    """A step that does something to the terminal, now or in the middle of a call."""

    needs = frozenset[type[Facet]]({WirelessLink})

    after_exchanges: int | None = AfterExchanges

    def run(self, act: Act) -> Observation:
        """Do it, or plan it."""
        bench = wireless(act)
        if self.after_exchanges is None:
            outcome = self._outcome(bench)
            act.bench.settle()
            act.scene.changed(None, self.told(bench))
            return Observation({"outcome": outcome})

        def later() -> None:
            bench.outcome = self._outcome(bench)
            act.scene.changed(None, self.told(bench))

        bench.terminal.after_exchanges(self.after_exchanges, later)
        return Observation({"outcome": ACCEPTED})

    def _outcome(self, bench: WirelessBench) -> str:
        try:
            self.do(bench)
            bench.terminal.look()
        except TokenRefusedError as refused:
            return refused.reason.value
        return ACCEPTED

    @abstractmethod
    def do(self, bench: WirelessBench) -> None:
        """What it does. Raises TokenRefusedError."""

    @abstractmethod
    def told(self, bench: WirelessBench) -> Text:
        """What was done, for the record."""


class PairTerminal(TerminalStep):
    """Pair the terminal with the workstation; paired anew, its earlier tokens are worthless."""

    name: ClassVar[str] = "pair"
    title: ClassVar[Text] = Text("Appairer le terminal", "Pair the terminal")

    def do(self, bench: WirelessBench) -> None:
        """Pair it."""
        bench.platform.pair(bench.terminal.id)

    def told(self, bench: WirelessBench) -> Text:
        """It is paired."""
        return Text("terminal appairé", "terminal paired")


class UnpairTerminal(TerminalStep):
    """Undo the pairing, or revoke it as for a lost or stolen terminal."""

    name: ClassVar[str] = "unpair"
    title: ClassVar[Text] = Text("Désappairer le terminal", "Unpair the terminal")

    revoked: bool = Field(default=False, description="as for a lost or stolen terminal")

    def do(self, bench: WirelessBench) -> None:
        """Undo it."""
        bench.platform.unpair(bench.terminal.id, revoked=self.revoked)

    def told(self, bench: WirelessBench) -> Text:
        """It is undone."""
        if self.revoked:
            return Text("appairage révoqué", "pairing revoked")
        return Text("terminal désappairé", "terminal unpaired")


class SetLink(TerminalStep):
    """Change the radio link: a weak one loses or delays exchanges, as the run's seed has it, or loses the next."""

    name: ClassVar[str] = "link"
    title: ClassVar[Text] = Text("Changer la liaison du terminal", "Change the terminal's link")
    shorthand: ClassVar[str] = "state"

    state: Literal["up", "weak", "lost"] = Field(description="how the link is from now on")
    lost: int | None = Field(default=None, ge=0, le=100, description="weak: percent of exchanges lost")
    late: int | None = Field(default=None, ge=0, le=100, description="weak: percent of exchanges that come late")
    delay: Seconds | None = Field(default=None, description="weak: seconds by which they are late")
    next_lost: int = Field(default=0, ge=0, le=1000, description="weak: the next exchanges, all lost")

    def do(self, bench: WirelessBench) -> None:
        """Change it."""
        from bifente.simulator.readers.wireless.parameters import WeakLink

        model = bench.terminal.parameters.weak
        weak = WeakLink(
            lost=model.lost if self.lost is None else self.lost / 100,
            late=model.late if self.late is None else self.late / 100,
            delay=model.delay if self.delay is None else self.delay,
        )
        bench.terminal.set_link(RadioLink(self.state), weak=weak, losses=self.next_lost)

    def told(self, bench: WirelessBench) -> Text:
        """How the link is now."""
        return _LINKS[self.state]


_LINKS = {
    "up": Text("liaison rétablie", "link up"),
    "weak": Text("liaison faible", "link weak"),
    "lost": Text("liaison perdue", "link lost"),
}


class Battery(TerminalStep):
    """Set the battery to a level; empty, the terminal is off, and session and holder code are gone."""

    name: ClassVar[str] = "battery"
    title: ClassVar[Text] = Text("Régler la batterie du terminal", "Set the terminal's battery")
    shorthand: ClassVar[str] = "level"

    level: int = Field(ge=0, le=100, description="percent")

    def do(self, bench: WirelessBench) -> None:
        """Set it."""
        bench.terminal.charge(self.level)

    def told(self, bench: WirelessBench) -> Text:
        """The level."""
        return Text(f"batterie à {self.level} %", f"battery at {self.level} %")


class LoseCode(TerminalStep):
    """Let the terminal lose the holder code it remembers: the next call without a code gets FF21."""

    name: ClassVar[str] = "lose-code"
    title: ClassVar[Text] = Text("Le terminal perd le code porteur", "The terminal loses the holder code")

    def do(self, bench: WirelessBench) -> None:
        """Lose it."""
        bench.terminal.forget_code()

    def told(self, bench: WirelessBench) -> Text:
        """It is lost."""
        return Text("code porteur perdu par le terminal", "holder code lost by the terminal")


class TerminalClock(TerminalStep):
    """Put the terminal's own clock ahead of the workstation's, or behind it (negative)."""

    name: ClassVar[str] = "terminal-clock"
    title: ClassVar[Text] = Text("Décaler l'horloge du terminal", "Skew the terminal's clock")
    shorthand: ClassVar[str] = "ahead"

    ahead: int = Field(ge=-86_400, le=86_400, description="seconds")

    def do(self, bench: WirelessBench) -> None:
        """Skew it."""
        bench.terminal.skew = self.ahead

    def told(self, bench: WirelessBench) -> Text:
        """By how much."""
        return Text(
            f"horloge du terminal décalée de {self.ahead:+} s", f"the terminal's clock is off by {self.ahead:+} s"
        )


class OpenTerminalSession(TerminalStep):
    """Open a session with a new token, or try to with another one."""

    name: ClassVar[str] = "open-session"
    title: ClassVar[Text] = Text("Ouvrir une session avec le terminal", "Open a session with the terminal")
    shorthand: ClassVar[str] = "token"
    success: ClassVar[tuple[str, str]] = ("outcome", ACCEPTED)
    observes: ClassVar[Observes] = {"outcome": OUTCOMES}

    token: Literal["new", "current", "first", "other-terminal"] = Field(
        default="new", description="which token is shown: a new one, or one that was given before"
    )

    def do(self, bench: WirelessBench) -> None:
        """Open it."""
        if self.token == "new":  # noqa: S105 - a word
            bench.open_session()
        else:
            bench.terminal.open(_TOKENS[self.token](bench))

    def told(self, bench: WirelessBench) -> Text:
        """What was tried."""
        return Text("ouverture de session demandée", "session opening asked for")


class RenewToken(TerminalStep):
    """Trade the session's token for the next one before it expires, or try to with another one."""

    name: ClassVar[str] = "renew-token"
    title: ClassVar[Text] = Text("Renouveler le jeton du terminal", "Renew the terminal's token")
    shorthand: ClassVar[str] = "token"
    success: ClassVar[tuple[str, str]] = ("outcome", ACCEPTED)
    observes: ClassVar[Observes] = {"outcome": OUTCOMES}

    token: Literal["current", "first", "other-terminal"] = Field(
        default="current", description="which token is traded for the next"
    )

    def do(self, bench: WirelessBench) -> None:
        """Renew it."""
        bench.renew(_TOKENS[self.token](bench))

    def told(self, bench: WirelessBench) -> Text:
        """What was tried."""
        return Text("renouvellement du jeton demandé", "renewal of the token asked for")


class Consultation(Step):
    """Let a long consultation pass: the token renewed at regular times, the cards' presence looked at each time."""

    name: ClassVar[str] = "consultation"
    title: ClassVar[Text] = Text("Laisser passer une consultation", "Let a consultation pass")
    needs = frozenset[type[Facet]]({WirelessLink, PrivateClock})
    success: ClassVar[tuple[str, str]] = ("dropped", "0")
    observes: ClassVar[Observes] = {"dropped": ValueMatcher(), "renewals": ValueMatcher(), "outcome": OUTCOMES}

    minutes: int = Field(gt=0, le=24 * 60, description="how long it lasts")
    renew_every: int = Field(gt=0, le=3600, description="seconds between two renewals")

    def run(self, act: Act) -> Observation:
        """Let it pass. ``dropped`` counts the looks at which the terminal was out of reach."""
        from bifente.simulator.readers.wireless.states import TerminalCondition

        bench, dropped, renewals, outcome = wireless(act), 0, 0, ACCEPTED
        for _ in range(self.minutes * 60 // self.renew_every):
            act.facet(PrivateClock).advance(self.renew_every)
            try:
                bench.renew()
                renewals += 1
            except TokenRefusedError as refused:
                outcome = refused.reason.value
            dropped += bench.terminal.condition is not TerminalCondition.READY
        act.scene.changed(
            None, Text(f"consultation de {self.minutes} min", f"a consultation of {self.minutes} min passes")
        )
        return Observation({"dropped": dropped, "renewals": renewals, "outcome": outcome})


class TerminalState(Step):
    """Look at the terminal: what its screen and the workstation can show."""

    name: ClassVar[str] = "terminal-state"
    title: ClassVar[Text] = Text("Regarder l'état du terminal", "Look at the terminal")
    needs = frozenset[type[Facet]]({WirelessLink})
    observes: ClassVar[Observes] = {
        key: ValueMatcher()
        for key in ("pairing", "link", "session", "condition", "remaining", "battery", "low", "code-known", "planned")
    }

    def run(self, act: Act) -> Observation:
        """Look."""
        bench = wireless(act)
        terminal = bench.terminal
        values = {
            "condition": terminal.condition.value,
            "pairing": terminal.pairing.value,
            "link": terminal.link.value,
            "session": terminal.session.value,
            "remaining": round(terminal.remaining),
            "battery": round(terminal.battery),
            "low": terminal.battery_low,
            "code-known": terminal.code is not None,
            "planned": bench.outcome or "none",
        }
        return Observation(values, tuple((key, str(value)) for key, value in values.items()))


_TOKENS: dict[str, Callable[[WirelessBench], str]] = {
    "current": lambda bench: bench.tokens[-1],
    "first": lambda bench: bench.tokens[0],
    "other-terminal": lambda bench: bench.other_token,
}


class CallCloud(Step):
    """Call a function of the reading service over HTTP, headers right or broken in a named way."""

    name: ClassVar[str] = "call-cloud"
    title: ClassVar[Text] = Text("Appeler le service de lecture", "Call the reading service")
    shorthand: ClassVar[str] = "function"
    needs = frozenset[type[Facet]]({WirelessLink})
    success: ClassVar[tuple[str, str]] = ("http", "200")
    observes: ClassVar[Observes] = {
        "http": ValueMatcher(),
        "code": StatusMatcher(),
        "groups": ValueMatcher(),
        "size": ValueMatcher(),
        "message": ValueMatcher(),
        "reason": ValueMatcher(),
        "tries": ValueMatcher(),
    }

    function: str = Field(pattern=r"^[A-Za-z]{1,40}$", description="LireConfig, LireCartePS ...")
    code: Code | None = Field(default=None, description="codePorteur; left out, the terminal must remember it")
    date: str | None = Field(default=None, max_length=100, description="dateConsultation, YYYY-MM-DD")
    mode: str | int | None = Field(default=None, description='"1" is turbo')
    virtual_card: str | None = Field(default=None, max_length=100, description="labelCvVirtuelle")
    body: str | None = Field(default=None, max_length=100_000, description="a raw body instead")
    method: Literal["GET", "POST", "PUT", "DELETE"] | None = Field(
        default=None, description="HTTP method, instead of the one of the function"
    )
    version: str | None = Field(default=None, pattern=r"^[0-9.]+$", description="another FSV version in the path")
    terminal: Literal["own", "other", "unknown", "none"] = Field(
        default="own", description="which terminal the call names"
    )
    bearer: Literal["good"] | Forgery = Field(
        default="good", description="the software's own token: good, or what is wrong with it"
    )
    access: Literal["current", "first", "other-terminal"] | Forgery = Field(
        default="current", description="the terminal's token: which one, or what is wrong with it"
    )
    busy: bool = Field(default=False, description="while the terminal serves another call")
    tries: int = Field(default=1, ge=1, le=50, description="call again until the code is 0, so many times at most")

    def run(self, act: Act) -> Observation:
        """Call it."""
        from bifente.conformance.domains.wireless.caller import CloudCall, call

        bench = wireless(act)
        number, reply = 0, dict[str, Any]()
        while number < self.tries and reply.get("code") != SsvCode.OK:
            number += 1
            wanted = CloudCall(
                function=self.function,
                fields={
                    "codePorteur": self.code,
                    "dateConsultation": self.date,
                    "mode": None if self.mode is None else str(self.mode),
                    "labelCvVirtuelle": self.virtual_card,
                },
                raw=self.body,
                method=self.method,
                version=self.version,
                terminal=self.terminal,
                bearer=self.bearer if isinstance(self.bearer, Forgery) else None,
                access=self.access if isinstance(self.access, Forgery) else None,
                token=_TOKENS.get(self.access, _TOKENS["current"])(bench),
                busy=self.busy,
            )
            reply = call(bench, wanted)
        # A link may have been lost on the way.
        act.bench.settle()
        act.scene.changed(
            None, Text(f"appel {self.function} : HTTP {reply['http']}", f"call {self.function}: HTTP {reply['http']}")
        )
        values = {**reply, "tries": number}
        shown = {key: f"{value:04X}" if key == "code" else str(value) for key, value in values.items()}
        return Observation(values, tuple(shown.items()))
