"""The option that chooses reports, for the commands that write some."""

from __future__ import annotations

from typing import Annotated

import typer

from bifente.conformance.cli.app import Exit, fail
from bifente.reports.render import FORMATS

FormatsOption = Annotated[str, typer.Option("--formats", help=f"Reports to write, out of {','.join(FORMATS)}.")]
ALL_FORMATS = ",".join(FORMATS)


def chosen_formats(formats: str) -> list[str]:
    """The report formats named in a list with commas."""
    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    if unknown := [name for name in wanted if name not in FORMATS]:
        raise fail(f"unknown report format {unknown[0]!r}; there are {', '.join(FORMATS)}", Exit.BAD_INPUT)
    return wanted
