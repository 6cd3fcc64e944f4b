"""Options that several commands share."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.cli.app import Exit, fail
from bifente.conformance.cli.speaking import spoken
from bifente.ground.text import LANGS, Lang

LangOption = Annotated[str | None, typer.Option("--lang", help="fr or en (default: the locale's, else fr).")]
KeysOption = Annotated[
    Path | None, typer.Option("--keys", help="Folder of the laboratory keys (default: the user's cache).")
]


_SLOT = re.compile(r"([a-z0-9]+(?:[-/][a-z0-9]+)*)=(.+)")
DEFAULT_SLOT = "cps"


def by_slot(option: str, given: list[str] | None) -> dict[str, str]:
    """Return what a repeatable option gives to each slot, written SLOT=VALUE; a value alone is for the slot cps."""
    found: dict[str, str] = {}
    for written in given or ():
        match = _SLOT.fullmatch(written)
        slot, value = match.groups() if match else (DEFAULT_SLOT, written)
        if slot in found:
            raise fail(f"{option} {written}: the slot {slot} was given before", Exit.BAD_INPUT)
        if not value:
            raise fail(f"{option} {written}: SLOT=VALUE, or a value alone, is expected", Exit.BAD_INPUT)
        found[slot] = value
    return found


def chosen_lang(lang: str | None) -> Lang:
    """The language asked for, of the command or before it, else the locale's when it is one of ours, else French."""
    if lang is None:
        return spoken()
    if lang not in LANGS:
        raise fail(f"unknown language {lang!r}; there are {', '.join(LANGS)}", Exit.BAD_INPUT)
    return lang
