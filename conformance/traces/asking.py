"""The mail that asks a customer for a trace, in plain words, and says what the file holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from bifente.ground.shipped import shipped
from bifente.ground.text import Lang


class CustomerSystem(StrEnum):
    """What the customer's workstation runs: each has its own way to be recorded."""

    LINUX = "linux"
    WINDOWS = "windows"
    MACOS = "macos"


@dataclass(frozen=True, slots=True)
class AskingMail:
    """A mail ready to be sent."""

    subject: str
    body: str


def asking_mail(system: CustomerSystem, lang: Lang, *, software: str, act: str, command: str) -> AskingMail:
    """Return the mail for a customer whose `software` fails when they do `act`."""
    words = _words()[lang]

    def said(text: str) -> str:
        for name, value in (("software", software), ("act", act), ("command", command)):
            text = text.replace(f"{{{name}}}", value)
        return text.rstrip("\n")

    # What is recorded is masked before it is written; a log of the workstation is not.
    promise = words["promise" if system is CustomerSystem.LINUX else "promise_log"]
    parts = (words["greeting"], words["ways"][system.value], promise, words["closing"])
    return AskingMail(said(words["subject"]), "\n\n".join(said(part) for part in parts) + "\n")


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = shipped("bifente.conformance.traces", "mail.yaml")
    return words
