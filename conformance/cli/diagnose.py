"""``bifente diagnose``: what is wrong with a workstation, in words that can be sent."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bifente.conformance.cli.app import app, out
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.ground.text import Text

if TYPE_CHECKING:
    from bifente.conformance.domains.support.diagnosis import PosteDiagnosis
    from bifente.conformance.domains.support.hypotheses import ToldOutcome
    from bifente.conformance.domains.support.letter import SupportLetter
    from bifente.ground.text import Lang

_FOUND = 1
_SUPPOSED = Text(
    "Rejoué avec, pour les {count} faits qui n'ont pas pu être regardés, leur valeur usuelle : « marche » ne prouve "
    "rien de ceux-là ; {causes} causes connues ne sont ni vues ni exclues (--json les nomme). Ce qui a été relevé sur "
    "cette machine :",
    "Played with the usual value of the {count} facts that could not be looked at: that it works proves nothing of "
    "them; {causes} known causes are neither seen nor excluded (--json names them). What was noted of this machine:",
)


@app.command(name="diagnose")
def diagnose_command(
    file: Annotated[
        Path | None, typer.Argument(help="The workstation: a YAML file (docs/support.md, docs/inventory.md).")
    ] = None,
    this_machine: Annotated[
        bool, typer.Option("--this-machine", help="The machine at hand in place of a file: only looked at (Linux).")
    ] = False,
    html: Annotated[Path | None, typer.Option(help="Write the letter as an HTML page there too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts: one object.")] = False,
    lang: LangOption = None,
) -> None:
    """Run the journeys of a workstation, explain what fails, and write the letter that a support desk can send."""
    from bifente.conformance.domains.support.diagnosis import FaultSide, diagnose
    from bifente.conformance.domains.support.diagnosis_letter import diagnosis_letter, side_of
    from bifente.conformance.domains.support.hypotheses import explain_told
    from bifente.conformance.domains.support.inventory.this_machine import inventory
    from bifente.conformance.domains.support.laboratory import PosteLaboratory
    from bifente.conformance.domains.support.poste_file import SupportCase, load_case
    from bifente.conformance.loading import InputError

    if (file is None) != this_machine:
        raise InputError.at("diagnose", "wants one workstation", cure="give a file, or --this-machine")
    here = inventory() if file is None else None
    case = SupportCase(here.poste(), {}) if here is not None else load_case(file or Path())
    with PosteLaboratory() as laboratory:
        found = diagnose(laboratory, case.poste)
        told = explain_told(laboratory, case)
    if as_json:
        plain = {**_plain(found, told), "details": here.details if here is not None else []}
        out.print(json.dumps(plain, ensure_ascii=False, indent=1), markup=False)
    else:
        # Of a machine that was only looked at nearly every cause is open: they are counted, and the facts told.
        shown = replace(found, doubtful=()) if here is not None else found
        show_letter(diagnosis_letter(shown, told), chosen_lang(lang), html)
        if here is not None:
            counted = {"count": len(here.unseen), "causes": len(found.doubtful)}
            out.print()
            out.tell(_SUPPOSED.get(chosen_lang(lang)).format(**counted))
            for line in here.told():
                out.tell(line)
    # Of a machine that was only looked at, what could not be judged is no success either.
    unjudged = this_machine and bool(found.doubtful)
    if unjudged or side_of(found, told) is not FaultSide.NONE or any(one.wrong for one in found.files):
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
        "foreign-words": list(told.foreign),
        "words-mean": [one.id for one in told.meant],
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
