"""``bifente cards``: templates listed, shown as a desk would see them, made into files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives import serialization

from bifente.conformance.bench.cards import Personalised, Workshop
from bifente.conformance.cli.app import Exit, app, fail, out
from bifente.conformance.cli.options import KeysOption, LangOption, chosen_lang
from bifente.conformance.model import CardChoice
from bifente.ground.clock import WallClock
from bifente.simulator.cards.vitale1 import MemoryImage
from bifente.simulator.personalisation.describe import describe
from bifente.simulator.personalisation.vitale.describe import describe_vitale
from bifente.simulator.personalisation.vitale.personalise import PersonalisedVitale
from bifente.simulator.personalisation.vitale.template import VitaleTemplate

cards = typer.Typer(help="Card templates.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(cards, name="cards")

TemplateArgument = Annotated[str, typer.Argument(help="Template name, or the path of a template file.")]
CodesOption = Annotated[bool, typer.Option("--codes", help="Show the holder code and the unblocking code.")]


@cards.command(name="list")
def list_cards(lang: LangOption = None) -> None:
    """List the templates that come with the bench."""
    language, workshop = chosen_lang(lang), Workshop.default()
    width = max(map(len, workshop.names))
    for name in workshop.names:
        template, _document = workshop.template(name)
        title = template.title.in_language(language)
        kind = "VITA" if isinstance(template, VitaleTemplate) else template.card.type
        out.tell(f"{name:{width}}  {kind:4} {template.family:7}  {title}")


@cards.command(name="show")
def show_card(
    name: TemplateArgument, lang: LangOption = None, keys: KeysOption = None, codes: CodesOption = False
) -> None:
    """Validate a template and show the card it makes."""
    card = _made(name, keys)
    language = chosen_lang(lang)
    rows = (
        describe_vitale(card, language)
        if isinstance(card, PersonalisedVitale)
        else describe(card, language, codes=codes)
    )
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
        raise fail(f"{error.filename or folder}: cannot be written: {error.strerror}", Exit.BENCH_ERROR) from None
    out.tell(f"{folder}: {written} files")


def _made(name: str, keys: Path | None) -> Personalised:
    workshop = Workshop.default(keys)
    return workshop.personalised(CardChoice(template=name), WallClock().now().date())


def _write(card: Personalised, folder: Path) -> int:
    files = {f"certificates/{role}.pem": _pem(certificate) for role, certificate in card.certificates.items()}
    files["certificates/chain.pem"] = b"".join(map(_pem, card.chain))
    crl = card.authority.crl(card.revocations, at=WallClock().now())
    files["certificates/revocations.crl"] = crl.public_bytes(serialization.Encoding.DER)
    volumes = {} if isinstance(card.image, MemoryImage) else card.image.volumes
    if isinstance(card.image, MemoryImage):
        files["files/memory.bin"] = b"".join(word.to_bytes(4, "big") for word in card.image.words)
    for volume, root in volumes.items():
        for file in root.walk():
            content = getattr(file, "content", None)
            if content is not None:
                files[f"files/{volume}/{file.fid:04X}-{file.name}.bin"] = content
    atr = {"family": card.image.family, "atr": card.image.atr.hex().upper(), "template": card.template.id}
    files["card.json"] = json.dumps(atr, indent=2).encode() + b"\n"
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return len(files)


def _pem(certificate: object) -> bytes:
    return bytes(certificate.public_bytes(serialization.Encoding.PEM))  # type: ignore[attr-defined]
