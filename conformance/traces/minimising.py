"""The shortest part of a trace that still fails in the same way, and the scenario of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bifente.conformance.bisecting.search import Bisection, bisect
from bifente.conformance.loading import InputError
from bifente.conformance.traces.digits import agrees
from bifente.conformance.traces.host import Replayer, SentAgain
from bifente.conformance.traces.seen import SeenApdu
from bifente.conformance.traces.suite import DraftedStep, suite_text
from bifente.ground.text import Lang, Text

MOST_MINIMISED = 5_000


@dataclass(slots=True)
class Reduction:
    """What is left: steps and faults, how many runs it took, whether that is the least there is."""

    steps: Sequence[DraftedStep]
    faults: Sequence[str]
    failing: DraftedStep
    answers: Mapping[int, SentAgain]
    runs: int
    least: bool = True


def last_failure(exchanges: Sequence[SeenApdu]) -> int | None:
    """Return the last exchange that failed; None where all went well.

    A file that is not there, an object that is not known, the tries left of a code that was asked for: software tries
    and sees, and none of these is a failure.
    """
    for number in range(len(exchanges) - 1, -1, -1):
        seen = exchanges[number]
        sw = seen.response[-4:]
        asks = seen.command[2:4] == "20" and len(seen.command) <= 10
        fine = sw[:2] in ("90", "61", "62", "6C", "9F") or sw in ("6A82", "6A88", "6A83", "6A80")
        if not (fine or (asks and sw[:3] == "63C")):
            return number
    return None


def minimise(exchanges: Sequence[SeenApdu], replayer: Replayer, number: int) -> Reduction:
    """Return the least that must be sent for exchange `number` to fail as it did.

    Raise InputError where it is not sent again, or where the whole does not fail so on these cards.
    """
    if len(exchanges) > MOST_MINIMISED:
        raise InputError.at("trace", f"more than {MOST_MINIMISED} exchanges", cure="record the failing act alone")
    failing = next((step for step in replayer.steps if step.number == number), None)
    if failing is None:
        why = next((one.why for one in replayer.left if one.number == number), Text("", ""))
        raise InputError.at(
            "trace", f"exchange {number + 1} is not sent again: {why.en}", cure="choose another by --at"
        )
    wanted = exchanges[number].response
    items: list[DraftedStep | str] = [*replayer.faults, *(step for step in replayer.steps if step.number < number)]

    def attempt(part: frozenset[int], _number: int) -> str | None:
        chosen = [items[index] for index in sorted(part)]
        faults = [item for item in chosen if isinstance(item, str)]
        steps = [item for item in chosen if not isinstance(item, str)]
        sent = replayer.send([*steps, failing], faults).sent
        return wanted or _SILENCE if len(sent) == len(steps) + 1 and _fails_as(wanted, sent[-1]) else None

    found = bisect(range(len(items)), attempt)
    if found.failing is None:
        raise InputError.at(
            "trace",
            f"exchange {number + 1} does not end with {wanted[-4:] or 'silence'} here: it is not to be seen again",
            cure="choose the card (--card) and the fault (--inject) of the session, or another exchange (--at)",
        )
    kept = [items[index] for index in _carrying(found)]
    steps = [item for item in kept if not isinstance(item, str)]
    faults = [item for item in kept if isinstance(item, str)]
    answers = {one.number: one for one in replayer.send([*steps, failing], faults).sent}
    return Reduction([*steps, failing], faults, failing, answers, found.runs, found.complete)


_SILENCE = "no response"


def _carrying(found: Bisection[int]) -> list[int]:
    """What has to be sent before: nothing, the first cause if there are several, what it came to if runs were spent."""
    if found.working is not None:
        return []
    return sorted(found.culprits[0].differences if found.culprits else found.narrowed)


def _fails_as(wanted: str, sent: SentAgain) -> bool:
    """Whether it ends as in the trace: with this response, or, where there was none, with a failure of PC/SC."""
    return agrees(wanted, sent.response) if wanted else bool(sent.error)


def _observed(sent: SentAgain) -> str:
    return f"error: {sent.error}" if sent.error else f'sw: "{sent.response[-4:]}"'


def scenario_of(
    reduction: Reduction, *, cards: Mapping[str, str], profile: str, lang: Lang = "fr", name: str = "minimal"
) -> str:
    """Return the suite in YAML: it passes as long as the failure is there."""
    words = reduction.failing.words
    last = reduction.answers[reduction.failing.number]
    sw = last.error or last.response[-4:]
    return suite_text(
        reduction.steps,
        expect=lambda step: _observed(reduction.answers[step.number]),
        name=name,
        title=Text(f"{words.fr} échoue toujours par {sw}", f"{words.en} still fails with {sw}"),
        cards=cards,
        profile=profile,
        first=[f"inject-fault: {fault}" for fault in reduction.faults],
        lang=lang,
    )
