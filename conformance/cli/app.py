"""The application and its exit codes: 0 all passed, 1 something failed, 2 bad input or usage, 3 bench error.

What a command needs is imported when the command is used: a desk that asks for a code does not wait for the bench.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import textwrap
import traceback
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from copy import copy
from enum import IntEnum
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup
from typer.main import get_command, get_command_name, get_group

from bifente.conformance.cli.speaking import SpokenContext, say, speaking, spoken, usage, words

if TYPE_CHECKING:
    from bifente.conformance.loading import Problem


class Exit(IntEnum):
    """What a command tells the shell."""

    PASSED = 0
    FAILED = 1
    BAD_INPUT = 2
    BENCH_ERROR = 3


COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "Run scenarios and write their reports."),
    "report": ("report", "Render the reports of a run again."),
    "verify": ("verify", "Whether verdicts and reports follow from the record of a run."),
    "diff": ("diff", "Two runs: what differs in what was observed, and nothing else."),
    "read": ("read", "Read a CPS and a Vitale as a software does, in words."),
    "codes": ("codes", "What a return code means, and what cures it."),
    "faults": ("faults", "Faults of the field: symptoms, codes, causes, remedies."),
    "diagnose": ("diagnose", "What is wrong with a workstation, in a letter that can be sent."),
    "reproduce": ("reproduce", "A customer's words played: cause, cure, failing and cured side by side."),
    "galss": ("configuration", "The file galss.ini, checked and made."),
    "sesam": ("configuration", "The file sesam.ini, checked."),
    "bisect": ("bisect", "The component to blame: what a failing workstation has otherwise than a working one."),
    "inventory": ("inventory", "This machine as a workstation file; scripts that make it on Windows and macOS."),
    "zone": ("zone", "Zones of the SSV functions, decoded and encoded."),
    "fse": ("fse", "Care sheets, lots, files and returns: shown, checked, submitted."),
    "up": ("live", "Virtual readers and cards until interrupted."),
    "exec": ("live", "Virtual readers and cards for the life of one command."),
    "observe": ("observe", "Your program on virtual cards: what it did, and which rules it broke."),
    "trace": ("trace", "PC/SC sessions recorded or imported, masked: shown, replayed, compared, shrunk."),
    "dossier": ("dossier", "The file of an agrément: which tests apply, their state, their evidence."),
    "ssv": ("ssv", "The SSV functions as a shared library for programs."),
    "ctl": ("ctl", "An order to a live bench: insert, remove, inject a fault, look, wait."),
    "serve": ("serve", "Teleservices, or the reading service of a wireless terminal, on this machine."),
    "doctor": ("live", "Test each link between a virtual card and a PC/SC client."),
    "cards": ("cards", "Card templates, shown and made into files."),
    "profiles": ("profiles", "Reader profiles."),
    "requirements": ("requirements", "The requirements and which scenarios cite them."),
    "schema": ("schema", "JSON Schemas of the files people write."),
}
"""Each command: the module that registers it, and what it does."""


class _Commands(TyperGroup):
    """Imports a command when it is used, and lets none of its exceptions out.

    What can be foreseen is one sentence and an exit code, never a traceback. Any other failure is ours: its traceback
    is worth having, and its exit code is a bench error's, never that of a failed run. Wrong usage is typer's to tell.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """The name of every command."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, imported now; for a name that is none, all are, so that the near one can be told."""
        if cmd_name not in self.commands:
            known = [cmd_name] if cmd_name in COMMANDS else list(COMMANDS)
            for name in known:
                import_module(f"bifente.conformance.cli.{COMMANDS[name][0]}")
            self.commands = {**self.commands, **get_group(app.with_only(known)).commands}
        found = super().get_command(ctx, cmd_name)
        return found if found is None else speaking(found)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The list of commands, none of them imported."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, does) for name, (_module, does) in COMMANDS.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Run the command line; what is wrong with its usage is said in the language spoken."""
        self.context_class = SpokenContext
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        try:
            code = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except typer.Abort:
            code = Exit.FAILED
        except Exception as error:
            if not hasattr(error, "format_message"):
                raise
            err.print(f"bifente: {usage(error)}", markup=False)
            code = getattr(error, "exit_code", Exit.BAD_INPUT)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (Exception, KeyboardInterrupt) as error:
            if isinstance(error, typer.Abort) or hasattr(error, "exit_code"):
                raise
            raise typer.Exit(_told(error)) from error


class _Application(typer.Typer):
    """Makes a command of what is registered when it is asked for, not all of them at each call."""

    def with_only(self, names: Collection[str]) -> typer.Typer:
        """Return the same application with these commands of those that are registered."""
        found = copy(self)
        found.registered_commands = [
            one
            for one in self.registered_commands
            if (one.name or get_command_name(one.callback.__name__ if one.callback else "")) in names
        ]
        found.registered_groups = [one for one in self.registered_groups if one.name in names]
        return found

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Run the command line."""
        return get_command(self.with_only(()))(*arguments, **named)


app = _Application(
    name="bifente",
    cls=_Commands,
    help="Laboratory bench for the French health-card workstation: virtual cards and readers, scenarios, reports.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _told_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bifente {version('bifente')}")
        raise typer.Exit


@app.callback()
def bifente(
    _version: Annotated[
        bool, typer.Option("--version", callback=_told_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    _lang: Annotated[
        str | None,
        typer.Option(
            "--lang", help="Language of helps, errors and results: fr or en (default: the locale's, else fr)."
        ),
    ] = None,
) -> None:
    """What all commands have in common: nothing but the help."""


class _Console(Console):
    """A console whose reader may leave (head, less): what is left to say is dropped, and the run goes on."""

    def tell(self, line: str) -> None:
        """Print a line of words. A terminal that is narrower gets it broken between words, the rest set in."""
        if self.is_terminal and len(line) > self.width:
            indent = " " * (len(line) - len(line.lstrip()) + 4)
            line = textwrap.fill(
                line, self.width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
            )
        self.print(line, markup=False)

    def on_broken_pipe(self) -> None:
        self.quiet = True
        _forget(self.file)


out: _Console = _Console(highlight=False, soft_wrap=True, emoji=False)
"""Where results go."""
err: _Console = _Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)
"""Where errors and progress go."""


def fail(message: str, code: Exit) -> typer.Exit:
    """Say what is wrong and give the exception that ends the command."""
    err.print(f"bifente: {say(message)}", markup=False)
    return typer.Exit(code)


def tell_mistakes(problems: Iterable[Problem]) -> None:
    """Say what is wrong in the files of the user, each mistake with its place and cure."""
    for problem in problems:
        err.print(f"bifente: {problem.say(spoken())}", markup=False)


def _told(error: BaseException) -> int:
    """Say what is wrong, and give the exit code."""
    from bifente.conformance.loading.problems import InputError
    from bifente.ground.extensions import ExtensionError
    from bifente.reports.journal import JournalPlaceError

    match error:
        case ExtensionError() | JournalPlaceError():
            err.print(f"bifente: {words(error)}", markup=False)
            return Exit.BAD_INPUT
        case InputError():
            tell_mistakes(error.problems)
            return Exit.BAD_INPUT
        case KeyboardInterrupt():
            err.print(f"bifente: {say('interrupted')}", markup=False)
            return 128 + signal.SIGINT
        case BrokenPipeError():
            # Only a command that prints and does nothing else comes here: its reader has what it wanted.
            _forget(sys.stdout)
            return Exit.PASSED
        case OSError():
            _forget(sys.stdout)
            err.print(
                f"bifente: {error.filename or say('the output')}: {say(error.strerror or str(error))}", markup=False
            )
            if _given_place(error):
                return Exit.BAD_INPUT
        case _ if is_the_users(error):
            err.print(f"bifente: {words(error)}", markup=False)
            return Exit.BAD_INPUT
        case _ if isinstance(error, _foreseen()):
            err.print(f"bifente: {words(error)}", markup=False)
        case _:
            err.print("".join(traceback.format_exception(error)), markup=False)
            said = say(f"bench error, please report it: {type(error).__name__}: {error}")
            err.print(f"bifente: {said}", markup=False)
    return Exit.BENCH_ERROR


def is_the_users(error: BaseException) -> bool:
    """Whether an error is the user's to mend: what they wrote, or what this machine lacks or does not allow."""
    from bifente.conformance.loading.problems import InputError

    kinds: tuple[type[BaseException], ...] = (InputError, *_of_the_machine())
    return isinstance(error, kinds) or isinstance(error.__cause__, _of_the_machine())


_UNUSABLE = frozenset(
    {
        errno.EEXIST,
        errno.ENOTDIR,
        errno.EISDIR,
        errno.ENOENT,
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.ELOOP,
        errno.ENAMETOOLONG,
    }
)


def _given_place(error: OSError) -> bool:
    """Whether a place of the command line cannot be used: another one is the cure, and it is for the user to name."""
    if error.errno not in _UNUSABLE or not isinstance(error.filename, str):
        return False
    place = Path(error.filename).absolute()
    given = [word.partition("=")[2] if word.startswith("--") else word for word in sys.argv[1:]]
    return any(place.is_relative_to(Path(word).absolute()) for word in given if word)


def _of_the_machine() -> tuple[type[BaseException], ...]:
    """What this machine lacks or does not allow: the user's to mend, by the cure that is told."""
    from bifente.conformance.targets.base import ScardError
    from bifente.conformance.targets.pcsc import PcscMissingError
    from bifente.conformance.targets.pkcs11 import ModuleMissingError
    from bifente.simulator.pcsc import PcscdError
    from bifente.simulator.pki.keystore import KeyStoreError

    return (PcscdError, PcscMissingError, ModuleMissingError, ScardError, KeyStoreError)


def _foreseen() -> tuple[type[Exception], ...]:
    from bifente.conformance.bench.factory import BenchUnavailableError
    from bifente.reports.journal import JournalError
    from bifente.reports.render import RenderError
    from bifente.simulator.iso7816.memory import CardMemoryError

    return (BenchUnavailableError, JournalError, RenderError, CardMemoryError)


def _forget(stream: IO[str]) -> None:
    """Let what Python still holds for a stream go nowhere, or its end would fail too."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
