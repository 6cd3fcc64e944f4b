"""``bifente profiles``: the readers the bench knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from bifente.conformance.bench.profiles import ReaderProfile, known_profiles, load_profile
from bifente.conformance.cli.app import app, out
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.ground.text import Lang, Text

profiles = typer.Typer(help="Reader profiles.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(profiles, name="profiles")


_UNKNOWN = Text("non connu", "not known")
_SLOTS = Text("fente(s)", "slot(s)")


@profiles.command(name="list")
def list_profiles(lang: LangOption = None) -> None:
    """List the profiles of the bench and of installed domains."""
    language = chosen_lang(lang)
    for name in known_profiles():
        profile, _document = load_profile(name)
        out.tell(
            f"{name:32} {len(profile.slots)} {_in(_SLOTS, language)}  {profile.title.text.get(language)} "
            f"[{profile.fidelity.label.get(language)}]"
        )


@profiles.command(name="show")
def show_profile(name: Annotated[str, typer.Argument(help="Profile name or file.")], lang: LangOption = None) -> None:
    """Show one profile, validated."""
    profile, _document = load_profile(name)
    language = chosen_lang(lang)
    out.tell(f"{profile.profile}: {profile.title.text.get(language)}")
    rows = list(describe(profile, language))
    width = max(len(label) for label, _value in rows)
    for label, value in rows:
        out.tell(f"  {label:{width}} {value}")


def describe(profile: ReaderProfile, lang: Lang) -> Iterator[tuple[str, str]]:
    """What is known of a reader, label and value; the rest says that it is not. Sources are told as they are."""
    unknown = _in(_UNKNOWN, lang)

    def said(fr: str, en: str) -> str:
        return _in(Text(fr, en), lang)

    yield said("appareil", "device"), profile.device
    yield said("nom PnP", "PnP name"), profile.pnp_name or unknown
    yield "USB", f"{profile.usb.vendor}:{profile.usb.product}" if profile.usb else unknown
    yield said("micrologiciel", "firmware"), ", ".join(profile.firmware) or unknown
    known = {True: said("oui", "yes"), False: said("non", "no"), None: said("non connue", "not known")}
    yield said("longueur étendue", "extended length"), known[profile.extended_length]
    pad = profile.pin_pad
    has_pad = (
        said("oui", "yes") + f" [{pad.fidelity.label.get(lang)}] ({pad.source})"
        if pad
        else said("aucun connu", "none known")
    )
    yield said("clavier à code", "PIN pad"), has_pad
    yield said("fidélité", "fidelity"), f"{profile.fidelity.label.get(lang)} ({profile.source})"
    for slot in profile.slots:
        protocols = ", ".join(slot.protocols) or said(f"protocoles {unknown}s", f"protocols {unknown}")
        yield said("fente", "slot"), f"{slot.role}: {slot.name} ({', '.join(slot.capabilities)}; {protocols})"
        for system, name in slot.names.items():
            yield "", f"{system}: {name}"


def _in(said: Text, lang: Lang) -> str:
    return said.fr if lang == "fr" else said.en
