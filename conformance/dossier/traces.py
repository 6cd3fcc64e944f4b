"""What a scenario saw, as a person reads it: one event a line, in French."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bifente.reports.clean import one_line
from bifente.reports.events import (
    BenchChange,
    Call,
    Event,
    Exchange,
    Message,
    Note,
    RunFinished,
    RunStarted,
    ScenarioFinished,
    ScenarioStarted,
    StepFinished,
    StepStarted,
)
from bifente.reports.explain import message_line, pairs
from bifente.reports.journal import read_journal
from bifente.reports.model import ScenarioResult

_HAPPENINGS = (Exchange, Call, Message, BenchChange)


def events_of(journal: Path, scenario: str | None) -> Sequence[Event]:
    """Return the events of a scenario, in full; None: what happened in no scenario. Raise JournalError."""
    found = read_journal(journal).events
    if scenario is None:
        return [one for one in found if isinstance(one, _HAPPENINGS) and one.scenario is None]
    return [one for one in found if getattr(one, "scenario", None) == scenario]


def lines(scenario: ScenarioResult, events: Sequence[Event]) -> Iterator[str]:
    """Yield what it is, what passed, and what came of it."""
    yield f"{scenario.id} : {one_line(scenario.start.title.fr)}"
    yield f"verdict : {scenario.verdict.say('fr')} ({scenario.fidelity.label.fr})"
    if scenario.start.reproduce:
        yield f"rejouer : {one_line(scenario.start.reproduce)}"
    yield ""
    for event in events:
        if told := _told(event):
            when = getattr(event, "time", "")[11:23]
            for number, line in enumerate(told):
                yield f"{when if not number else '':12} {event.seq if not number else '':>6}  {line}"


def _told(event: Event) -> list[str]:
    match event:
        case Exchange():
            slot = f"[{event.slot}] " if event.slot else ""
            return [
                f"{slot}> {event.command}  {one_line(event.command_text.fr)}",
                f"{slot}< {event.response}  {one_line(event.response_text.fr)}",
            ]
        case Call():
            answer = f" ; {pairs(event.answer)}" if event.answer else ""
            return [f"{event.function}({pairs(event.arguments)}) = {one_line(event.result)}{answer}"]
        case Message():
            return [message_line(event, "fr"), *([f"  {one_line(event.body)[:400]}"] if event.body else [])]
        case BenchChange():
            return [f"* {one_line(event.what.fr)}"]
        case StepStarted():
            title = f" : {one_line(event.title.fr)}" if event.title else ""
            return [f"== étape {event.index + 1}, {event.name}{title}"]
        case StepFinished():
            unmet = [f"  attendu {one.expected}, observé {one.observed}" for one in event.expectations if not one.ok]
            why = [f"  {one_line(event.reason.fr)}"] if event.reason else []
            return [f"== étape {event.index + 1} : {event.verdict.say('fr')}", *unmet, *why]
        case Note():
            return [f"* {one_line(event.text.fr)}"]
        case ScenarioStarted() | ScenarioFinished() | RunStarted() | RunFinished():
            return []
