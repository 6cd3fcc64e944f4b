"""``bifente dossier``: the file of an agrément, a folder with the state of each test and its evidence."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bifente.conformance.cli.app import Exit, app, fail, out
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.ground.text import Lang, Text

if TYPE_CHECKING:
    from bifente.conformance.dossier.folder import Dossier


@app.command()
def dossier(
    product: Annotated[Path, typer.Argument(help="YAML of the product: name, version, whom it serves, what it does.")],
    records: Annotated[
        list[Path] | None, typer.Argument(help="Folders of records (observe --out, run --out), or of several.")
    ] = None,
    new: Annotated[bool, typer.Option("--new", help="Write a product file to begin with, and nothing else.")] = False,
    out_dir: Annotated[Path, typer.Option("--out", help="The folder; written anew where it is one of ours.")] = Path(
        "dossier"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="The state of each test, as JSON.")] = False,
    lang: LangOption = None,
) -> None:
    """Make the folder of a product and version: which tests apply, how each stands, its evidence, a draft attestation.

    The folder is in French and is no approval. Only what the product itself played counts: observations made with
    --product "NAME VERSION", and scenarios of suites that name it under bench.software. Exit code 0, 1 when a test
    failed, 2 bad input.
    """
    from bifente.conformance.dossier.folder import Dossier, write
    from bifente.conformance.dossier.product import EXAMPLE, load_product
    from bifente.conformance.dossier.proofs import ProofState, find_records

    language = chosen_lang(lang)
    if new:
        _begin(product, EXAMPLE.format(name=product.name))
        said = Text(f"{product} : à compléter, puis", f"{product}: complete it, then")
        out.print(f"{said.get(language)} bifente dossier {product} runs --out dossier", markup=False, soft_wrap=True)
        return
    file = load_product(product)
    made = Dossier.of(file, find_records(records or [], file.product, out_dir), date.today())
    try:
        write(made, out_dir)
    except OSError as error:
        raise fail(f"{error.filename or out_dir}: cannot be written: {error.strerror}", Exit.BAD_INPUT) from None
    if as_json:
        out.print(json.dumps(made.plain(), ensure_ascii=False), markup=False, soft_wrap=True, highlight=False)
    else:
        for line in _account(made, language):
            out.print(line, markup=False, highlight=False, soft_wrap=True)
        out.print(f"{out_dir / 'index.html'}", markup=False, soft_wrap=True)
    if made.count(ProofState.FAILED):
        raise typer.Exit(Exit.FAILED)


def _begin(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise fail(f"{path}: is there already", Exit.BAD_INPUT) from None
    except OSError as error:
        raise fail(f"{path}: cannot be written: {error.strerror}", Exit.BAD_INPUT) from None


def _account(made: Dossier, lang: Lang) -> list[str]:
    from bifente.conformance.dossier.proofs import ProofState

    told: list[Text] = []
    for one in made.standings:
        if one.state is not ProofState.OUT:
            code, shown, title = f"{one.test.code:<17}", f"{len(one.proofs):>3}", one.test.title
            told.append(
                Text(
                    f"{code} {one.state.label.fr:<18} {shown} scénario(s)  {title}",
                    f"{code} {one.state.label.en:<19} {shown} scenario(s)  {title}",
                )
            )
    if not told:
        told.append(
            Text("aucun test ne s'applique : voir la fiche du produit", "no test applies: see the product file")
        )
    out_of_it = made.count(ProofState.OUT)
    told.append(Text(f"{out_of_it} test(s) sans objet", f"{out_of_it} test(s) that do not apply"))
    for record in made.records:
        if record.why_out:
            folder, why = record.folder, record.why_out
            told.append(Text(f"ne compte pas : {folder}, {why.fr}", f"does not count: {folder}, {why.en}"))
    told.append(Text("Ce dossier n'est pas un agrément.", "This file is no approval."))
    return [one.get(lang) for one in told]
