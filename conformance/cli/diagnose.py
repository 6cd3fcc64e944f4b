"""``bifente diagnose``: what is wrong with a workstation, in words that can be sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bifente.conformance.cli.app import app, out
from bifente.conformance.cli.options import LangOption, chosen_lang

if TYPE_CHECKING:
    from bifente.conformance.domains.support.diagnosis import PosteDiagnosis
    from bifente.conformance.domains.support.hypotheses import ToldOutcome
    from bifente.conformance.domains.support.letter import SupportLetter
    from bifente.ground.text import Lang

_FOUND = 1


@app.command(name="diagnose")
def diagnose_command(
    file: Annotated[Path, typer.Argument(help="The workstation: a YAML file (docs/support.md).")],
    html: Annotated[Path | None, typer.Option(help="Write the letter as an HTML page there too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts: one object.")] = False,
    lang: LangOption = None,
) -> None:
    """Run the journeys of a workstation, explain what fails, and write the letter that a support desk can send."""
    from bifente.conformance.domains.support.diagnosis import FaultSide, diagnose
    from bifente.conformance.domains.support.diagnosis_letter import diagnosis_letter, side_of
    from bifente.conformance.domains.support.hypotheses import explain_told
    from bifente.conformance.domains.support.laboratory import PosteLaboratory
    from bifente.conformance.domains.support.poste_file import load_case

    case = load_case(file)
    with PosteLaboratory() as laboratory:
        found = diagnose(laboratory, case.poste)
        told = explain_told(laboratory, case)
    if as_json:
        out.print(json.dumps(_plain(found, told), ensure_ascii=False, indent=1), markup=False)
    else:
        show_letter(diagnosis_letter(found, told), chosen_lang(lang), html)
    if side_of(found, told) is not FaultSide.NONE or any(one.wrong for one in found.files):
        raise typer.Exit(_FOUND)


def show_letter(letter: SupportLetter, lang: Lang, html: Path | None) -> None:
    """Print a letter, and write it as a page where that is asked for. Raise InputError."""
    from bifente.conformance.domains.support.letter import letter_html, letter_text
    from bifente.conformance.loading import InputError

    out.print(letter_text(letter, lang), markup=False, end="", soft_wrap=True)
    if html is not None:
        try:
            html.write_text(letter_html(letter, lang), encoding="utf-8")
        except OSError as error:
            raise InputError.at(str(html), f"cannot be written: {error.strerror}") from None


def _plain(found: PosteDiagnosis, told: ToldOutcome) -> dict[str, Any]:
    from bifente.conformance.domains.support.diagnosis_letter import side_of

    return {
        "poste": found.poste.name,
        "side": str(side_of(found, told)),
        "journeys": [
            {
                "journey": str(one.journey),
                "works": one.works,
                "text": one.text.fr,
                "step": str(one.failure.step) if one.failure else None,
                "component": one.failure.component if one.failure else None,
                "code": one.failure.code if one.failure else None,
            }
            for one in found.symptoms
        ],
        "causes": [_rule(met.rule) for met in found.causes.values()],
        "supposed": [_rule(one.rule) for one in told.hypotheses],
        "noted": [met.rule.id for met in found.noted],
        "unseen": dict(found.poste.unseen),
        "doubtful": [rule.id for rule in found.doubtful],
        "files": [
            {"file": one.file, "line": one.line, "message": one.message.fr, "cure": one.cure.fr, "wrong": one.wrong}
            for one in found.files
        ],
    }


def _rule(rule: Any) -> dict[str, Any]:
    return {
        "id": rule.id,
        "finding": rule.finding,
        "server": rule.server,
        "cause": rule.cause.fr,
        "cure": rule.cure.fr,
        "confirm": rule.confirm.fr,
        "source": rule.source,
        "confidence": str(rule.confidence),
    }
