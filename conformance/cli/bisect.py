"""``bifente bisect``: which of the differences between a workstation that fails and one that works carry the failure.

Exit codes: 0 found and everything is explained, 1 not, 2 a file is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.bisecting.trials import Limits
from bifente.conformance.cli.app import Exit, app, err, out
from bifente.conformance.cli.options import KeysOption, LangOption, chosen_lang
from bifente.conformance.domains.support.bisecting.blaming import PosteBlame, blame, failing_journeys
from bifente.conformance.domains.support.bisecting.mixing import PostePair
from bifente.conformance.domains.support.bisecting.telling import lines_of_all, plain
from bifente.conformance.domains.support.journeys import Journey
from bifente.conformance.domains.support.laboratory import PosteLaboratory
from bifente.conformance.domains.support.poste_file import load_poste
from bifente.conformance.loading import InputError
from bifente.ground.text import Text

_BEGINNING = Text("les parcours des deux postes sont joués", "the journeys of both workstations are played")
_RUNNING = Text("{journey} : passage {run}, {count} différence(s)", "{journey}: run {run}, {count} difference(s)")
_NO_DIFFERENCE = Text("les deux postes ne diffèrent en rien de ce qui a été regardé", "nothing seen differs")
_NO_JOURNEY = Text(
    "Aucun parcours n'échoue sur le premier poste et ne marche sur le second : rien à chercher sur le banc.",
    "No journey fails on the first workstation and works on the second: nothing to look for on the bench.",
)


@app.command(name="bisect")
def bisect_command(
    broken: Annotated[Path, typer.Argument(metavar="BROKEN", help="File of the workstation that fails.")],
    working: Annotated[Path, typer.Argument(metavar="WORKING", help="File of one that works.")],
    journey: Annotated[
        list[Journey] | None, typer.Option(help="What fails; repeatable (default: each that fails on one side only).")
    ] = None,
    most_runs: Annotated[int, typer.Option(min=1, help="Most runs of one journey.")] = Limits().most_runs,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts: a list of objects.")] = False,
    keys: KeysOption = None,
    lang: LangOption = None,
) -> None:
    """Find the differences that carry a failure: the journey is run on mixes of the two workstations."""
    language = chosen_lang(lang)
    pair = PostePair(load_poste(broken), load_poste(working))
    if not pair.changes():
        raise InputError.at(str(broken), _NO_DIFFERENCE.get(language), cure="bifente diagnose")
    found: list[PosteBlame] = []
    with PosteLaboratory(keys=keys) as laboratory, err.status(_BEGINNING.get(language)) as status:
        for one in journey or failing_journeys(pair, laboratory):
            runs = count(1)

            def watch(differences: int, journey: Journey = one, runs: Iterator[int] = runs) -> None:
                words = {"run": next(runs), "journey": journey.label.get(language), "count": differences}
                status.update(_RUNNING.get(language).format(**words))

            found.append(blame(pair, one, laboratory, Limits(most_runs=most_runs), watch))
    if as_json:
        out.print(json.dumps([plain(one, language) for one in found], ensure_ascii=False, indent=1), markup=False)
    else:
        for line in lines_of_all(found, language):
            out.tell(line)
    if not found:
        err.print(_NO_JOURNEY.get(language), markup=False)
    if not found or not all(blamed.search.explains for blamed in found):
        raise typer.Exit(Exit.FAILED)
