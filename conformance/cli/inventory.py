"""``bifente inventory``: a machine as the file that ``bifente diagnose`` reads, and scripts for other systems."""

from __future__ import annotations

from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.cli.app import Exit, app, fail, out
from bifente.conformance.domains.support import inventory as package
from bifente.conformance.domains.support.inventory.this_machine import inventory


class ScriptSystem(StrEnum):
    """A system that has a script of its own."""

    WINDOWS = "windows"
    MACOS = "macos"


SCRIPTS = {ScriptSystem.WINDOWS: "inventaire-windows.ps1", ScriptSystem.MACOS: "inventaire-macos.sh"}


@app.command(name="inventory")
def inventory_command(
    to: Annotated[
        Path | None,
        typer.Option("--out", help="File to write, configuration files beside it (default: the output)."),
    ] = None,
    script: Annotated[
        ScriptSystem | None,
        typer.Option(help="Print the script that makes the file on another system, in place of looking here."),
    ] = None,
) -> None:
    """Write what this machine has as a workstation file. Nothing is changed, nothing is sent to a card."""
    if script is not None:
        text = resources.files(package).joinpath(SCRIPTS[script]).read_text(encoding="utf-8")
        _put(text, to)
        return
    found = inventory()
    if to is None:
        out.print(found.text(), markup=False, end="")
        return
    try:
        for path in found.save(to):
            out.print(str(path), markup=False)
    except OSError as error:
        raise fail(f"{error.filename or to}: cannot be written: {error.strerror}", Exit.BAD_INPUT) from None


def _put(text: str, to: Path | None) -> None:
    if to is None:
        out.print(text, markup=False, end="")
        return
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise fail(f"{to}: cannot be written: {error.strerror}", Exit.BAD_INPUT) from None
    out.print(str(to), markup=False)
