"""The application and its exit codes: 0 all passed, 1 something failed, 2 bad input or usage, 3 bench error."""

from __future__ import annotations

import os
import sys
import traceback
from enum import IntEnum

import click
import typer
from rich.console import Console

from conformance.bench.factory import BenchUnavailableError
from conformance.loading import InputError
from conformance.targets.base import TargetError
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


app = typer.Typer(
    name="bifente",
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
        # What Python still holds for that pipe must not make it fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


out: Console = _Console(highlight=False, soft_wrap=True)
"""Where results go."""
err: Console = _Console(stderr=True, highlight=False, soft_wrap=True)
"""Where errors and progress go."""


def fail(message: str, code: Exit) -> typer.Exit:
    """Say what is wrong and give the exception that ends the command."""
    err.print(f"bifente: {message}", markup=False)
    return typer.Exit(code)


def main() -> None:
    """Run the command line; every foreseeable failure is one sentence and an exit code, never a traceback.

    Any other is ours: its traceback is worth having, and its exit code is a bench error's, never that of a failed run.
    """
    from conformance.cli import commands  # noqa: F401 - registers the commands

    code: int
    try:
        code = app(standalone_mode=False) or 0
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except click.ClickException as error:
        error.show()
        code = Exit.BAD_INPUT
    except InputError as error:
        for problem in error.problems:
            err.print(f"bifente: {problem}", markup=False)
        code = Exit.BAD_INPUT
    except (
        *(BenchUnavailableError, PcscdError, PcscMissingError, TargetError),
        *(JournalError, RenderError, KeyStoreError),
    ) as error:
        err.print(f"bifente: {error}", markup=False)
        code = Exit.BENCH_ERROR
    except (KeyboardInterrupt, click.Abort):
        err.print("bifente: interrupted", markup=False)
        code = 130
    except BrokenPipeError:
        # Only commands that print and do nothing else come here: their reader has what it wanted.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = Exit.PASSED
    except Exception as error:
        err.print(traceback.format_exc(), markup=False)
        err.print(f"bifente: bench error, please report it: {type(error).__name__}: {error}", markup=False)
        code = Exit.BENCH_ERROR
    sys.exit(code)
