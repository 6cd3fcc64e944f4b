"""``bifente codes``: what the return codes of the GALSS and of the SSV functions mean, and what cures them."""

from __future__ import annotations

from typing import Annotated

import typer

from conformance.cli.app import Exit, app, fail, out
from conformance.cli.options import LangOption, chosen_lang
from reports.text import Lang
from simulator.middleware.return_codes import ReturnCode, http_statuses, readings, return_codes
from simulator.sentence import Sentence

_WORDS = {
    "cause": Sentence(fr="cause", en="cause"),
    "remedy": Sentence(fr="remède", en="remedy"),
    "source": Sentence(fr="source", en="source"),
}


@app.command(context_settings={"ignore_unknown_options": True})
def codes(
    code: Annotated[
        str | None, typer.Argument(help="61441, F001, 0xF001 or -4095; an HTTP status of the cloud service (428).")
    ] = None,
    lang: LangOption = None,
) -> None:
    """Tell what a return code means, why it comes and what cures it; without a code, list them all."""
    language = chosen_lang(lang)
    if code is None:
        _list(language)
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


def _show(one: ReturnCode, language: Lang) -> None:
    out.tell(f"{_number(one).strip()}  {one.id} [{one.layer}]")
    out.tell(f"  {_in(one.meaning, language)}")
    for label, said in (("cause", one.cause), ("remedy", one.remedy)):
        if said is not None:
            out.tell(f"  {_in(_WORDS[label], language)}: {_in(said, language)}")
    out.tell(f"  {_in(_WORDS['source'], language)}: {one.source} [{one.fidelity}]")


def _number(one: ReturnCode) -> str:
    return f"HTTP {one.code:6}" if one.id.startswith("http-") else f"{one.hex} {one.code:6}"


def _in(said: Sentence, language: Lang) -> str:
    return said.fr if language == "fr" else said.en
