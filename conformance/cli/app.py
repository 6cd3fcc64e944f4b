"""The application and its exit codes: 0 all passed, 1 something failed, 2 bad input or usage, 3 bench error."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from contextlib import suppress
from enum import IntEnum
from typing import IO, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from conformance.bench.factory import BenchUnavailableError
from conformance.loading import InputError
from conformance.targets.base import ScardError
from conformance.targets.pcsc import PcscMissingError
from reports.journal import JournalError
from reports.render import RenderError
from simulator.pcsc import PcscdError
from simulator.personalisation.keystore import KeyStoreError


class Exit(IntEnum):
    """What a command tells the shell."""

    PASSED = 0
    FAILED = 1
    BAD_INPUT = 2
    BENCH_ERROR = 3


class _Commands(TyperGroup):
    """Lets no exception of a command out: what can be foreseen is one sentence and an exit code, never a traceback.

    Any other failure is ours: its traceback is worth having, and its exit code is a bench error's, never that of a
    failed run. Wrong usage is typer's to tell.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, typer.Abort) or hasattr(error, "exit_code"):
                raise
            raise typer.Exit(_told(error)) from error


app = typer.Typer(
    name="bifente",
    cls=_Commands,
    help="Laboratory bench for the French health-card workstation: virtual CPS cards, readers, scenarios, reports.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class _Console(Console):
    """A console whose reader may leave (head, less): what is left to say is dropped, and the run goes on."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        _forget(self.file)


out: Console = _Console(highlight=False, soft_wrap=True)
"""Where results go."""
err: Console = _Console(stderr=True, highlight=False, soft_wrap=True)
"""Where errors and progress go."""


def fail(message: str, code: Exit) -> typer.Exit:
    """Say what is wrong and give the exception that ends the command."""
    err.print(f"bifente: {message}", markup=False)
    return typer.Exit(code)


def _told(error: BaseException) -> int:
    """Say what is wrong, and give the exit code."""
    match error:
        case InputError():
            for problem in error.problems:
                err.print(f"bifente: {problem}", markup=False)
            return Exit.BAD_INPUT
        case KeyboardInterrupt():
            err.print("bifente: interrupted", markup=False)
            return 128 + signal.SIGINT
        case BrokenPipeError():
            # Only a command that prints and does nothing else comes here: its reader has what it wanted.
            _forget(sys.stdout)
            return Exit.PASSED
        case OSError():
            _forget(sys.stdout)
            err.print(f"bifente: {error.filename or 'the output'}: {error.strerror or error}", markup=False)
        case _ if isinstance(error, _FORESEEN):
            err.print(f"bifente: {error}", markup=False)
        case _:
            err.print("".join(traceback.format_exception(error)), markup=False)
            err.print(f"bifente: bench error, please report it: {type(error).__name__}: {error}", markup=False)
    return Exit.BENCH_ERROR


_FORESEEN = (
    *(BenchUnavailableError, PcscdError, PcscMissingError, ScardError),
    *(JournalError, RenderError, KeyStoreError),
)


def _forget(stream: IO[str]) -> None:
    """Let what Python still holds for a stream go nowhere, or its end would fail too."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
