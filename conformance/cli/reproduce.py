"""``bifente reproduce``: a customer's words played, cause and cure named, in a letter that can be sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bifente.conformance.cli.app import app, out
from bifente.conformance.cli.diagnose import show_letter
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.conformance.loading import InputError

if TYPE_CHECKING:
    from bifente.conformance.domains.support.reproduced_fault import ReproducedFault
    from bifente.conformance.domains.support.reproduction import ReproducedSymptom

_NOT_PLAYED = 1


@app.command(name="reproduce", context_settings={"ignore_unknown_options": True})
def reproduce_command(
    words: Annotated[list[str], typer.Argument(help="What the customer says or reads: 777, a sentence, a code.")],
    html: Annotated[Path | None, typer.Option(help="Write the letter as an HTML page there too.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts: one object.")] = False,
    lang: LangOption = None,
) -> None:
    """Reproduce what a customer says: the failing workstation and the cured one side by side, in a letter to send."""
    from bifente.conformance.cli.played_suite import play_fault
    from bifente.conformance.domains.support.laboratory import PosteLaboratory
    from bifente.conformance.domains.support.reproduced_fault import reproduce_fault
    from bifente.conformance.domains.support.reproduction import reproduce_finding, reproduce_text
    from bifente.conformance.domains.support.reproduction_letter import fault_letter, symptom_letter

    for word in words:
        if word.startswith("--"):
            raise InputError.at(word, "is no option of this command", cure="bifente reproduce --help names them")
    said, language = " ".join(words), chosen_lang(lang)
    with PosteLaboratory() as laboratory:
        symptom = reproduce_text(laboratory, said)
        symptom = symptom or reproduce_finding(laboratory, said)
        fault = None if symptom is not None else reproduce_fault(laboratory, said, play_fault)
    if symptom is not None:
        if as_json:
            out.print(json.dumps(_of_symptom(symptom), ensure_ascii=False, indent=1), markup=False)
        else:
            show_letter(symptom_letter(symptom), language, html)
        raise typer.Exit(0 if symptom.cures else _NOT_PLAYED)
    if fault is None:
        raise InputError.at(
            "reproduce", f"nothing fits {said!r}", cure="fewer or other words, or a code; bifente diagnose FILE"
        )
    if as_json:
        out.print(json.dumps(_of_fault(fault), ensure_ascii=False, indent=1), markup=False)
    else:
        show_letter(fault_letter(fault), language, html)
    shown = fault.played or (fault.scenario is not None and fault.scenario.shown)
    raise typer.Exit(0 if shown and fault.sure else _NOT_PLAYED)


def _of_symptom(found: ReproducedSymptom) -> dict[str, Any]:
    return {
        "said": found.said,
        "software": found.software.profile,
        "text": found.shown.fr,
        "poste": found.failing.poste.name,
        "side": str(found.failing.side),
        "causes": [
            {"id": met.rule.id, "source": met.rule.source, "confidence": str(met.rule.confidence)}
            for met in found.failing.causes.values()
        ],
        "cured": found.cured.name,
        "changes": {one.key: [one.one, one.other] for one in found.failing.poste.differences(found.cured)},
        "cures": found.cures,
        "server-excluded": found.server_excluded,
        "before": {str(one.journey): one.text.fr for one in found.failing.symptoms},
        "after": {str(one.journey): one.text.fr for one in found.after},
        "others": [one.id for one in found.others],
    }


def _of_fault(found: ReproducedFault) -> dict[str, Any]:
    return {
        "said": found.said,
        "fault": found.one.id,
        "cause": found.one.cause.fr,
        "cure": found.one.remedy.fr,
        "source": found.one.source,
        "fidelity": str(found.one.fidelity),
        "sure": found.sure,
        "untold": list(found.untold),
        "played": found.played,
        "before": {str(one.journey): one.text.fr for one in found.before},
        "after": {str(one.journey): one.text.fr for one in found.after},
        "others": [one.id for one in found.others],
        "scenario": found.scenario.id if found.scenario is not None else None,
    }
