"""``bifente codes``: any code of the field (card, PC/SC, PKCS#11, GALSS, SSV, front end) with its cause and cure."""

from __future__ import annotations

import json
import re
from typing import Annotated

import typer

from bifente.conformance.cli.app import Exit, app, fail, out
from bifente.conformance.cli.code_answers import front_end_reasons, told_of
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.conformance.loading.problems import nearest
from bifente.ground.text import Lang, Text
from bifente.simulator.faults import one_writing
from bifente.simulator.faults.client_codes import client_codes
from bifente.simulator.middleware.return_codes import ReturnCode, http_statuses, return_codes


@app.command(context_settings={"ignore_unknown_options": True})
def codes(
    code: Annotated[
        list[str] | None,
        typer.Argument(
            help="61441, F001, F 101, 0xF001 or -4095 (GALSS, SSV); 63C2 (card); SCARD_W_RESET_CARD or 0x80100068"
            " (PC/SC); CKR_PIN_LOCKED (PKCS#11); an HTTP status of the cloud service (428); a reason of the front end"
            " (lot-ahead), or words of one (altéré); a refusal of the DMP or INSi (XDSRepositoryBusy, insi_102)."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts: a list of objects.")] = False,
    lang: LangOption = None,
) -> None:
    """Tell what a return code means, why it comes and what cures it; without a code, list them all."""
    language = chosen_lang(lang)
    if not code:
        _list(language)
        return
    said = " ".join(code).strip()
    found = list(told_of(one_writing(said)))
    if as_json:
        out.print(json.dumps([one.plain(language) for one in found], ensure_ascii=False, indent=1), markup=False)
    for one in () if as_json else found:
        for line in one.lines(language):
            out.tell(line)
    if not found:
        raise _nothing(said, language)


def _nothing(said: str, language: Lang) -> typer.Exit:
    """Say that no source knows it, and what of the catalogue of faults is near."""
    from bifente.conformance.domains.support.known_causes import known_causes  # a known code need not wait for it

    near = ", ".join(match.one.id for match in known_causes().matches(said)[:3])
    bare = re.sub(r"^SCARD_[EFW]_", "", said.upper())
    meant = nearest(bare, (code.name for code in client_codes())).removeprefix(_MEANT).rstrip("?")
    if meant.startswith("'"):  # a name of PC/SC or PKCS#11, misspelt
        cure = Text(f"vouliez-vous {meant} ?", f"{_MEANT}{meant}?")
        return fail(f"{_in(_UNKNOWN, language).format(said=said)} ({_in(cure, language)})", Exit.BAD_INPUT)
    cure = Text(
        f"proche : bifente faults list {said} ({near})" if near else "bifente codes donne la liste de ceux qui le sont",
        f"near: bifente faults list {said} ({near})" if near else "bifente codes lists those that are known",
    )
    return fail(f"{_in(_UNKNOWN, language).format(said=said)} ({_in(cure, language)})", Exit.BAD_INPUT)


_MEANT = "did you mean "
_UNKNOWN = Text(
    "aucune source ne parle du code {said} : ni carte, ni lecteur, ni composant du poste, ni frontal",
    "no source tells of the code {said}: neither card, reader, component of the workstation nor front end",
)


def _list(language: Lang) -> None:
    for one in (*return_codes().values(), *http_statuses().values()):
        out.tell(f"{_number(one)}  {one.layer:5}  {_in(one.meaning, language)}")
    for reason in front_end_reasons().values():
        out.tell(f"{reason.code}  {reason.effect}  {_in(reason.label, language)}")


def _number(one: ReturnCode) -> str:
    return f"HTTP {one.code:6}" if one.id.startswith("http-") else f"{one.hex} {one.code:6}"


def _in(said: Text, language: Lang) -> str:
    return said.fr if language == "fr" else said.en
