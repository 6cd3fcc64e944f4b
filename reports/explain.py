"""A verdict in plain lines of text: why, where, and how to see it again. Shared by the writers without a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bifente.ground.text import Lang, Text
from bifente.reports.clean import one_line, printable
from bifente.reports.events import Direction, Message
from bifente.reports.model import Run, ScenarioResult, StepResult
from bifente.reports.words import labelled, say, told


def where(file: str, line: int) -> str:
    """Return `file:line`, the file alone where no line is told, or an empty string when the file is unknown."""
    return f"{file}:{line}" if file and line else file


def pairs(values: Mapping[str, str]) -> str:
    """Return names and values on one line, long ones cut: the journal has them whole."""
    return one_line(
        ", ".join(f"{name} {value if len(value) <= 160 else value[:159] + '…'}" for name, value in values.items())
    )


def message_line(message: Message, lang: Lang) -> str:
    """Return a message on one line: which way it went, with whom, what begins it, what it means, and its size."""
    arrow = ">" if message.direction is Direction.SENT else "<"
    size = say("octets", lang, count=message.size)
    parts = (message.protocol, message.peer, message.line, message.text.get(lang), size)
    return one_line(f"{arrow} {'  '.join(filter(None, parts))}")


def headline(scenario: ScenarioResult, lang: Lang) -> str:
    """Return one line that says why `scenario` has its verdict; empty when there is nothing to say."""
    if scenario.reason:
        return one_line(scenario.reason.get(lang))
    for step in scenario.telling_steps:
        if step.reason:
            return one_line(step.reason.get(lang))
        for item in (*step.unmet, *step.remarks):
            said = [pairs(called.answer) for called in step.calls[-1:] if called.answer]
            both = _both(item.expected, item.observed, lang)
            return one_line(" — ".join((labelled(item.name, both, lang), *said)))
    return ""


def lines(scenario: ScenarioResult, lang: Lang) -> list[str]:
    """Return the lines that explain `scenario`: reason, telling steps with their expectations, reproduce line."""
    found = [printable(scenario.reason.get(lang))] if scenario.reason else []
    for step in scenario.telling_steps:
        found += _step_lines(step, lang)
    if scenario.start.judges:
        found.append(labelled(say("judges", lang), say(f"judges_{scenario.start.judges}", lang), lang))
    if scenario.start.reproduce:
        found.append(labelled(say("reproduce", lang), one_line(scenario.start.reproduce), lang))
    return found


def _step_lines(step: StepResult, lang: Lang) -> Iterator[str]:
    place = where(step.start.file, step.start.line)
    verdict = step.verdict.say(lang) + (f" ({place})" if place else "")
    yield one_line(labelled(f"{say('step', lang)} {step.start.index + 1}, {step.start.name}", verdict, lang))
    unmet = step.unmet or step.remarks
    for item in unmet:
        yield "  " + one_line(labelled(item.name, _both(item.expected, item.observed, lang), lang))
    if step.reason and not unmet:
        yield "  " + one_line(step.reason.get(lang))
    for sent in step.exchanges[-1:]:
        yield f"  > {one_line(sent.command)}  {one_line(sent.command_text.get(lang))}"
        yield f"  < {one_line(sent.response)}  {one_line(sent.response_text.get(lang))}"
    for message in step.messages[-1:]:
        yield f"  {message_line(message, lang)}"
    for called in step.calls[-1:]:
        yield f"  {one_line(called.function)}({pairs(called.arguments)}) = {one_line(called.result)}"
        if called.answer:
            yield f"  {pairs(called.answer)}"


def _both(expected: str | Text, observed: str | Text, lang: Lang) -> str:
    expected, observed = told(expected, lang), told(observed, lang)
    return f"{say('expected', lang).lower()} {expected}, {say('observed', lang).lower()} {observed}"


def warnings(run: Run, lang: Lang) -> list[str]:
    """Return what must be said of a run that did not go to its end; nothing when it did."""
    found = []
    if run.interrupted:
        found += [say("interrupted", lang), say("interrupted_more", lang, missing=run.missing)]
    elif run.missing:
        found.append(say("never_begun_reason", lang, missing=run.missing))
    if run.truncated:
        found.append(say("truncated", lang))
    return found


def conclusion(run: Run, lang: Lang) -> str:
    """Return the outcome of `run` in one sentence."""
    everything = len(run.scenarios) + run.missing
    if not run.scenarios:
        return say("none_ran", lang)
    if bad := len(run.to_look_at):
        return say("some_bad", lang, bad=bad, all=everything)
    word = "incomplete" if run.interrupted or run.missing else "all_good"
    return say(word, lang, good=sum(item.verdict.good for item in run.scenarios), all=everything)
