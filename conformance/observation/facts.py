"""What an observation itself writes among the calls of a program: how it started and ended, where a code was found.

These are calls of the bench on the program, told by events as every call is; the rules read them from the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from bifente.reports.events import Call


class Fact(StrEnum):
    """What can be told."""

    STARTED = "program-started"
    ENDED = "program-ended"
    CARD = "card-state"
    CODE = "code-found"
    USER = "user-acts"
    TOLD = "program-told"
    """The program, asked to stop, is waited for."""


class CodePlace(StrEnum):
    """Where a code has no business."""

    ARGUMENTS = "arguments"
    ENVIRONMENT = "environment"
    OUTPUT = "output"
    FILE = "file"
    MESSAGE = "message"


def started(program: str, pid: int) -> Call:
    """A program runs."""
    return Call(function=Fact.STARTED, client=str(pid), arguments={"program": program}, result="running")


def ended(pid: int, code: int | None, signal: str = "", *, told: bool = False, in_time: bool = True) -> Call:
    """A program is over: by itself with a code, by a signal, or by the bench that ended it (``code`` None)."""
    result = f"signal {signal}" if signal else "ended by the bench" if code is None else f"exit {code}"
    arguments = {"asked": "true"} if told else {}
    if not in_time:
        arguments["in-time"] = "false"
    return Call(function=Fact.ENDED, client=str(pid), arguments=arguments, result=result)


def code_found(place: CodePlace, where: str, pid: int | None = None) -> Call:
    """A code lies where it has no business; never which."""
    client = str(pid) if pid is not None else None
    return Call(function=Fact.CODE, client=client, arguments={"place": place.value, "where": where}, result="found")


def user_acts(what: str, *, code: bool = False) -> Call:
    """The user did something at the program; ``code``: typed one."""
    return Call(function=Fact.USER, arguments={"what": what, **({"code": "typed"} if code else {})}, result="done")


def card_state(slot: str, when: str, state: Mapping[str, Any]) -> Call:
    """How a card stands, seen from inside."""
    answer = {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in state.items()}
    return Call(function=Fact.CARD, slot=slot, arguments={"when": when}, result="known", answer=answer)
