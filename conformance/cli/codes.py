"""``bifente codes``: return codes (GALSS, SSV) with their cause and cure, and the reasons of the front end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated
from unicodedata import combining, normalize

import typer

from bifente.conformance.cli.app import Exit, app, fail, out
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.ground.text import Lang, Text
from bifente.simulator.middleware.return_codes import ReturnCode, http_statuses, readings, return_codes

if TYPE_CHECKING:
    from bifente.simulator.services.frontal.reasons import Reason

_WORDS = {
    "cause": Text(fr="cause", en="cause"),
    "remedy": Text(fr="remède", en="remedy"),
    "source": Text(fr="source", en="source"),
}


@app.command(context_settings={"ignore_unknown_options": True})
def codes(
    code: Annotated[
        str | None,
        typer.Argument(
            help="61441, F001, 0xF001 or -4095; an HTTP status of the cloud service (428); a reason of the front end"
            " (lot-ahead), or words of one (altéré)."
        ),
    ] = None,
    lang: LangOption = None,
) -> None:
    """Tell what a return code means, why it comes and what cures it; without a code, list them all."""
    language = chosen_lang(lang)
    if code is None:
        _list(language)
        return
    if told := tuple(_reasons_for(code)):
        for reason in told:
            _show_reason(reason, language)
        return
    try:
        numbers = readings(code)
    except ValueError as error:
        raise fail(str(error), Exit.BAD_INPUT) from None
    found = [return_codes()[number] for number in numbers if number in return_codes()]
    if code.strip().isdecimal() and int(code) in http_statuses():
        found.append(http_statuses()[int(code)])
    if not found:
        written = " / ".join(f"{number:04X} ({number})" for number in numbers)
        way_out = "bifente codes lists those that are known; bifente faults list WORDS searches by symptoms"
        raise fail(f"{code}: no source tells of the return code {written} ({way_out})", Exit.BAD_INPUT)
    for one in found:
        _show(one, language)


def _list(language: Lang) -> None:
    for one in (*return_codes().values(), *http_statuses().values()):
        out.tell(f"{_number(one)}  {one.layer:5}  {_in(one.meaning, language)}")
    for reason in _catalogue().values():
        out.tell(f"{reason.code}  {reason.effect}  {_in(reason.label, language)}")


def _reasons_for(words: str) -> Iterator[Reason]:
    """The reason of this code, else those in whose code and labels every word stands, accents left out."""
    wanted = _plain(words).replace("-", " ").split()
    if not any(word.isalpha() and len(word) > 2 for word in wanted):
        return  # a number of some kind
    if words in _catalogue():
        yield _catalogue()[words]
        return
    for reason in _catalogue().values():
        text = _plain(f"{reason.code} {reason.label.fr} {reason.label.en}")
        if all(word in text for word in wanted):
            yield reason


def _catalogue() -> Mapping[str, Reason]:
    # With it comes all of the front end: half a second that a return code need not wait for.
    from bifente.simulator.services.frontal.reasons import reasons

    return reasons()


def _plain(text: str) -> str:
    return "".join(letter for letter in normalize("NFD", text.casefold()) if not combining(letter))


def _show_reason(reason: Reason, language: Lang) -> None:
    out.tell(f"{reason.code} [{reason.level}, {reason.effect}]")
    out.tell(f"  {_in(reason.label, language)}")
    out.tell(f"  {_in(_WORDS['source'], language)}: {reason.source} [{reason.fidelity}]")


def _show(one: ReturnCode, language: Lang) -> None:
    out.tell(f"{_number(one).strip()}  {one.id} [{one.layer}]")
    out.tell(f"  {_in(one.meaning, language)}")
    for label, said in (("cause", one.cause), ("remedy", one.remedy)):
        if said is not None:
            out.tell(f"  {_in(_WORDS[label], language)}: {_in(said, language)}")
    out.tell(f"  {_in(_WORDS['source'], language)}: {one.source} [{one.fidelity}]")


def _number(one: ReturnCode) -> str:
    return f"HTTP {one.code:6}" if one.id.startswith("http-") else f"{one.hex} {one.code:6}"


def _in(said: Text, language: Lang) -> str:
    return said.fr if language == "fr" else said.en
