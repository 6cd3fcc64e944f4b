"""``bifente ssv build``: the SSV functions as a shared library for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.cli.app import Exit, app, fail, out
from bifente.simulator.middleware.ssv.shared.build import NoCompilerError
from bifente.simulator.middleware.ssv.shared.build import build as compiled

ssv = typer.Typer(help="The SSV functions for programs.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(ssv, name="ssv")


@ssv.callback()
def _group() -> None:
    """The SSV functions for programs."""


@ssv.command()
def build(
    folder: Annotated[Path, typer.Argument(help="Where the library and its header go.")] = Path("ssv-laboratory"),
) -> None:
    """Compile the library and its header; a program reaches with it the live bench that BIFENTE_SSV names."""
    try:
        library = compiled(folder)
    except NoCompilerError as error:
        raise fail(str(error), Exit.BAD_INPUT) from None
    except OSError as error:
        raise fail(f"{folder}: {error.strerror}", Exit.BAD_INPUT) from None
    out.print(f"{library}", markup=False)
