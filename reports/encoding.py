"""From an event to the masked bytes of its line: done once, in the process where the event happened.

A line is whole but for its number, which only the journal knows. What an exchange says, and in which slot, is kept
apart from when it was said: a run says the same things many times, and the journal writes them once in a while.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import msgspec

from bifente.reports.events import Event, EventError, Exchange, parse_event
from bifente.reports.secrets import Secrets

Line: TypeAlias = tuple[bytes, bytes]
"""The fields of an event, less its number: those of its own, and what an exchange says (else nothing)."""

_REMEMBERED = 8192
"""How many sayings are remembered."""

_NEVER = datetime.min.replace(tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ENCODE = msgspec.json.Encoder().encode
_Saying: TypeAlias = tuple[str | None, str, str, str, str, str, str, str]


def joined(seq: int, line: Line) -> bytes:
    """Return `line` as the journal has it when it says everything itself."""
    own, said = line
    return b'{"seq":%d,%b%b%b}\n' % (seq, own, b"," if said else b"", said)


def joined_like(seq: int, line: Line, like: int) -> bytes:
    """Return `line` as the journal has it when it says the same as the exchange `like`."""
    return b'{"seq":%d,%b,"like":%d}\n' % (seq, line[0], like)


@dataclass(slots=True, init=False)
class Encoder:
    """Dates, masks and encodes events."""

    secrets: Secrets
    _now: Callable[[], datetime]
    _said: dict[_Saying, bytes]
    _places: dict[str | None, bytes]
    _age: int
    _from: datetime
    _until: datetime
    _time: str
    """What every moment from ``_from`` on and before ``_until`` is written as."""

    def __init__(self, secrets: Secrets, now: Callable[[], datetime]) -> None:
        """Mask with `secrets`; `now` gives aware datetimes."""
        self.secrets = secrets
        self._now = now
        self._said = {}
        self._places = {}
        self._age = secrets.age
        self._from = self._until = _NEVER
        self._time = ""

    def own(self) -> Encoder:
        """Return an encoder for one scenario, whose secrets grow by themselves."""
        self._fresh()
        other = Encoder(self.secrets.own(), self._now)
        other._said = self._said
        return other

    def _fresh(self) -> None:
        """Forget what was said with other secrets; what is remembered for several scenarios is left to the others."""
        if self._age != self.secrets.age:
            self._said, self._places, self._age = {}, {}, self.secrets.age
        elif len(self._said) >= _REMEMBERED:
            self._said.clear()

    def encode(self, event: Event) -> Line:
        """Return the line of `event`. Raises `EventError` when its values are not those its definition announces."""
        time = self._dated(self._now())
        if isinstance(event, Exchange):
            # Nine events of ten: written here, the words it shares with those around it masked once.
            said = self._saying(event)
            scenario = self._places.get(event.scenario) or self._place(event.scenario)
            index = b"" if event.index is None else b',"index":%d' % event.index
            client = b"" if event.client is None else b"," + _fields(self.secrets.event({"client": event.client}))
            own = b'"event":"exchange","time":"%b"%b%b%b,"duration_us":%d'
            return own % (time.encode(), scenario, index, client, event.duration_us), said
        try:
            plain = msgspec.to_builtins(event)
        except (TypeError, ValueError) as error:
            raise EventError(f"{type(event).__name__}: {error}") from error
        kind = plain.pop("event")
        plain.pop("seq", None)
        line = (_fields(self.secrets.event({"event": kind, **plain, "time": time})), b"")
        parse_event(joined(0, line))
        return line

    def _dated(self, moment: datetime) -> str:
        if moment.tzinfo is None:
            raise ValueError("the time source of a recorder gives datetimes with a time zone")
        # Several events share a millisecond, and to write it takes longer than all the rest of an exchange.
        if not self._from <= moment < self._until:
            self._from = moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)
            self._until = self._from + _MILLISECOND
            self._time = self._from.isoformat(timespec="milliseconds")[:-6] + "Z"
        return self._time

    def _place(self, scenario: str | None) -> bytes:
        """The scenario of an exchange, as its line has it; called once `_fresh` was."""
        made = b"" if scenario is None else b"," + _fields(self.secrets.event({"scenario": scenario}))
        self._places[scenario] = made
        return made

    def _saying(self, event: Exchange) -> bytes:
        self._fresh()
        command, answer = event.command_text, event.response_text
        key = (event.slot, event.command, event.response, command.fr, command.en, answer.fr, answer.en, event.sw)
        said = self._said.get(key)
        if said is None:
            plain = msgspec.to_builtins(event)
            masked = self.secrets.event({name: plain[name] for name in _SAID if plain.get(name)})
            said = _fields(masked)
            parse_event(joined(0, (b'"event":"exchange"', said)))
            self._said[key] = said
        return said


_SAID = ("slot", "command", "response", "command_text", "response_text", "sw")


def _fields(plain: dict[str, object]) -> bytes:
    return _ENCODE(plain)[1:-1]
