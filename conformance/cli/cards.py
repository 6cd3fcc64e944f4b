"""``bifente cards``: templates listed, shown as a desk would see them, made into files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.cli.app import Exit, app, fail, out
from bifente.conformance.cli.options import KeysOption, LangOption, chosen_lang
from bifente.conformance.cli.speaking import say
from bifente.ground.clock import WallClock
from bifente.simulator.cards.families import family_named
from bifente.simulator.cards.family import MadeCard
from bifente.simulator.cards.shelf import shelf

cards = typer.Typer(help="Card templates.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(cards, name="cards")

TemplateArgument = Annotated[str, typer.Argument(help="Template name, or the path of a template file.")]
CodesOption = Annotated[bool, typer.Option("--codes", help="Show the holder code and the unblocking code.")]


@cards.command(name="list")
def list_cards(lang: LangOption = None) -> None:
    """List the templates that come with the bench."""
    language, known = chosen_lang(lang), tuple(shelf())
    width = max(len(one.name) for one in known)
    for one in known:
        out.tell(f"{one.name:{width}}  {one.short_type:4} {one.family:7}  {one.title.get(language)}")


@cards.command(name="show")
def show_card(
    name: TemplateArgument, lang: LangOption = None, keys: KeysOption = None, codes: CodesOption = False
) -> None:
    """Validate a template and show the card it makes."""
    card = _made(name, keys)
    rows = family_named(card.layout.family).describe.get()(card, chosen_lang(lang), codes=codes)
    width = max(len(label) for label, _value in rows)
    for label, value in rows:
        out.tell(f"{label:{width}}  {value}")


@cards.command(name="make")
def make_card(
    name: TemplateArgument,
    folder: Annotated[Path, typer.Option("--out", help="Folder to write into (made if needed).")],
    keys: KeysOption = None,
) -> None:
    """Write what a card holds: its files, its certificates and chain, the revocation list. Never its private keys."""
    card = _made(name, keys)
    try:
        written = _write(card, folder)
    except OSError as error:
        raise fail(f"{error.filename or folder}: cannot be written: {error.strerror}", Exit.BAD_INPUT) from None
    out.tell(say(f"{folder}: {written} files"))


def _made(name: str, keys: Path | None) -> MadeCard:
    from bifente.conformance.bench.cards import Workshop
    from bifente.conformance.model import CardChoice

    workshop = Workshop.default(keys)
    return workshop.personalised(CardChoice(template=name), WallClock().now().date())


def _write(card: MadeCard, folder: Path) -> int:
    files = dict(family_named(card.layout.family).files.get()(card, WallClock().now()))
    atr = {"family": card.image.family, "atr": card.image.atr.hex().upper(), "template": card.template.id}
    files["card.json"] = json.dumps(atr, indent=2).encode() + b"\n"
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return len(files)
