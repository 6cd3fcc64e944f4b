"""Options that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.cli.app import Exit, fail
from bifente.ground.text import LANGS, Lang

LangOption = Annotated[str | None, typer.Option("--lang", help="fr or en (default: the locale's, else fr).")]
KeysOption = Annotated[
    Path | None, typer.Option("--keys", help="Folder of the laboratory keys (default: the user's cache).")
]


def chosen_lang(lang: str | None) -> Lang:
    """The language asked for, else the locale's when it is one of ours, else French."""
    if lang is None:
        locale = (os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or "")[:2]
        lang = locale if locale in LANGS else "fr"
    if lang not in LANGS:
        raise fail(f"unknown language {lang!r}; there are {', '.join(LANGS)}", Exit.BAD_INPUT)
    return lang
