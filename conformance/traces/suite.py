"""A trace as a scenario: each command a step, so that the bench's own engine sends it, guards it and tells it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from bifente.conformance.targets.guard import may_reach_a_real_card
from bifente.conformance.traces.digits import filled
from bifente.conformance.traces.played_card import FILLING
from bifente.conformance.traces.seen import SeenApdu
from bifente.ground.text import Lang, Text
from bifente.reports.masking import BYTE_MARK
from bifente.simulator.iso7816.apdu import ApduError, Command

_VERIFY = 0x20
_CODES = frozenset({0x20, 0x21, 0x24, 0x25, 0x26, 0x28, 0x2C, 0x2D})
ANYTHING = 'sw: ["6xxx", "9xxx"]'
REQUIREMENT = "TRACE-01"

_CODE = Text("code : jamais présenté à une carte réelle", "a code: never presented to a real card")
_CHANGE = Text(
    "changement de code : masqué dans la trace, non rejouable", "a change of code: masked in the trace, not replayable"
)
_MIGHT_CHANGE = Text("pourrait modifier une carte réelle", "might change a real card")


@dataclass(frozen=True, slots=True)
class DraftedStep:
    """An exchange as a step of a scenario: its line in YAML, and what it is in words."""

    number: int
    """Its place in the trace, from 0."""
    line: str
    words: Text
    destructive: bool = False


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An exchange that is not sent again, and why."""

    number: int
    why: Text


def drafted(exchanges: Sequence[SeenApdu], *, real: bool) -> tuple[list[DraftedStep], list[LeftOut]]:
    """Return the steps that send these commands again, and those that are left out; ``real``: to a card not ours."""
    steps: list[DraftedStep] = []
    left: list[LeftOut] = []
    for number, seen in enumerate(exchanges):
        made = _step(number, seen, real=real)
        if isinstance(made, LeftOut):
            left.append(made)
        else:
            steps.append(made)
    return steps, left


def _step(number: int, seen: SeenApdu, *, real: bool) -> DraftedStep | LeftOut:
    raw = filled(seen.command, FILLING)
    words = described(raw)
    ins = raw[1] if len(raw) > 1 else -1
    carries = ins in _CODES and len(raw) > 5
    if real and not may_reach_a_real_card(raw):
        return LeftOut(number, _CODE if ins in _CODES else _MIGHT_CHANGE)
    if not carries:
        return DraftedStep(number, f'transmit: "{raw.hex().upper()}"', words, BYTE_MARK in seen.command)
    if ins != _VERIFY:
        return LeftOut(number, _CHANGE)
    # The code of the trace is not known, whether it was taken for a wrong one is: the bench has its own.
    if not (seen.response[-4:-2] == "63" or seen.response[-4:] == "6983"):
        return DraftedStep(number, "verify-code: {code: $card.code}", words)
    return DraftedStep(number, f'verify-code: {{code: "{"0" * max(4, min(raw[4], 8))}"}}', words, destructive=True)


def described(raw: bytes) -> Text:
    """Return a command in words."""
    try:
        return Command.parse(raw).describe()
    except ApduError:
        return Text("(pas une APDU)", "(no APDU)")


def suite_text(
    steps: Iterable[DraftedStep],
    *,
    expect: Callable[[DraftedStep], str],
    name: str,
    title: Text,
    cards: Mapping[str, str],
    profile: str,
    first: Sequence[str] = (),
    lang: Lang = "fr",
) -> str:
    """Return the suite that does these steps; ``expect`` says of each what must be observed, in YAML."""
    steps = list(steps)
    quoted = json.dumps
    lines = [
        f"suite: trace.{name}",
        f"title: {{fr: {quoted(title.fr, ensure_ascii=False)}, en: {quoted(title.en, ensure_ascii=False)}}}",
        "fidelity: observed",
        "bench:",
        f"  profile: {quoted(profile)}",
        f"  cards: {{{', '.join(f'{quoted(slot)}: {quoted(card)}' for slot, card in cards.items())}}}",
        "scenarios:",
        "  - id: replay",
        f"    title: {{fr: {quoted(title.fr, ensure_ascii=False)}, en: {quoted(title.en, ensure_ascii=False)}}}",
        f"    requirements: [{REQUIREMENT}]",
        *(["    destructive: true"] if any(step.destructive for step in steps) else []),
        "    steps:",
        *(f"      - {line}" for line in first),
    ]
    for step in steps:
        lines.append(f"      - {step.line}  # {step.number + 1}: {step.words.get(lang)}")
        if expected := expect(step):
            lines.append(f"        expect: {{{expected}}}")
    return "\n".join(lines) + "\n"
