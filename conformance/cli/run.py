"""``bifente run``: scenarios to a record and its reports."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.cli.app import Exit, app, err, fail, is_the_users, out, tell_mistakes
from bifente.conformance.cli.choosing_runs import earlier as earlier_run
from bifente.conformance.cli.choosing_runs import failed_in, files_of
from bifente.conformance.cli.diff import tell_differences
from bifente.conformance.cli.formats import ALL, FormatsOption, chosen_formats
from bifente.conformance.cli.options import KeysOption, LangOption, by_slot, chosen_lang
from bifente.conformance.cli.records import readable_journal
from bifente.conformance.loading import nearest
from bifente.conformance.options import RunOptions, TargetKind
from bifente.conformance.run.ending import terminated_as_interrupted
from bifente.conformance.run.environment import run_id
from bifente.conformance.run.folder import RecordFolder
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.ground.clock import WallClock
from bifente.ground.text import Text
from bifente.reports.events import ScenarioStarted
from bifente.reports.explain import conclusion
from bifente.reports.journal import FILE_NAME, JournalError, JournalReader, Recorder
from bifente.reports.render import Format, RenderError, load, render
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict
from bifente.reports.writers.terminal import TerminalWriter
from bifente.simulator.pcsc.services import ServiceKind
from bifente.simulator.pki.keystore import KeyStore

NOTHING_FAILED = Text("Rien n'a échoué dans le passage {run}.", "Nothing failed in the run {run}.")
NOTHING_WRONG = Text(
    "Rien à redire. Suites : {suites}, scénarios : {scenarios}.",
    "Nothing wrong. Suites: {suites}, scenarios: {scenarios}.",
)
LAID_ASIDE = Text("bifente : laissé de côté, à corriger : {files}", "bifente: laid aside, to be mended: {files}")
RUNS = Path("runs")
"""Where records go unless told otherwise."""


@app.command(name="run")
def run_command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Scenario files or folders; the bench's own suites for the target if none is given."),
    ] = None,
    target: Annotated[TargetKind, typer.Option(help="How steps reach the cards.")] = TargetKind.EMBEDDED,
    reader: Annotated[
        list[str] | None,
        typer.Option(
            help="PC/SC name of a reader that is not the bench's own, or SLOT=NAME for each of several: cps=..., "
            "vitale=... (--target pcsc unless pkcs11 is given)."
        ),
    ] = None,
    module: Annotated[
        Path | None, typer.Option(help="With --target pkcs11: the PKCS#11 module to put to the test.")
    ] = None,
    card: Annotated[
        list[str] | None,
        typer.Option(help="With --reader: the template that describes the card in it, or SLOT=TEMPLATE for each."),
    ] = None,
    profile: Annotated[str | None, typer.Option(help="Reader profile instead of the suites' own.")] = None,
    select: Annotated[
        list[str] | None, typer.Option(help="Only scenarios whose id matches (suite/id, * allowed); repeatable.")
    ] = None,
    out_dir: Annotated[
        Path | None, typer.Option("--out", help="Directory of the record (default: runs/<date>-<id>).")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Only read the files and say what is wrong in them; nothing is run.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Only list the scenarios that would run.")] = False,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only the scenarios that failed in the last run (or in --of RUN).")
    ] = False,
    of: Annotated[Path | None, typer.Option("--of", help="With --failed: directory of the run to look at.")] = None,
    max_failures: Annotated[
        int | None, typer.Option("--maxfail", min=1, help="Stop after so many failures; the rest is told as not run.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything drawn at random.")] = 1,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes to spread the scenarios over.")] = 1,
    formats: FormatsOption = ALL,
    service: Annotated[
        ServiceKind,
        typer.Option(help="With --target pcsc or pkcs11: the bench's own PC/SC service, or a private pcscd with vpcd."),
    ] = ServiceKind.OWN,
    lang: LangOption = None,
    keys: KeysOption = None,
    allow_destructive: Annotated[
        bool, typer.Option(help="Let destructive scenarios run on a card that is not the bench's own.")
    ] = False,
    production_card: Annotated[
        str | None, typer.Option(help="Serial number of a production card that may be used, asked for by name.")
    ] = None,
    operator: Annotated[
        bool, typer.Option(help="With --reader: ask the operator for insertions and removals.")
    ] = False,
    mask_names: Annotated[bool, typer.Option(help="Mask holders' names in the record.")] = False,
    mask_nir: Annotated[bool, typer.Option(help="Mask social security numbers in the record.")] = False,
    against: Annotated[
        Path | None, typer.Option(help="Another run of these scenarios: tell what differs from it (bifente diff).")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the verdict and the reports only.")] = False,
) -> None:
    """Run scenarios; exit 0 if all passed, 1 if one failed, 2 on bad input, 3 on a bench error."""
    if of is not None and not failed:
        raise fail("--of goes with --failed", Exit.BAD_INPUT)
    again: tuple[str, ...] = ()
    if failed:
        before = earlier_run(of, RUNS)
        again = failed_in(before)
        if not again:
            out.tell(NOTHING_FAILED.get(chosen_lang(lang)).format(run=before.start.run_id))
            raise typer.Exit(Exit.PASSED)
        paths = paths or files_of(before)
    target = TargetKind.PCSC if reader and target is TargetKind.EMBEDDED else target
    options = RunOptions(
        paths=tuple(paths) if paths else default_paths(target),
        target=target,
        readers=by_slot("--reader", reader),
        module=module,
        real_cards=by_slot("--card", card),
        profile=profile,
        seed=seed,
        workers=workers,
        lang=chosen_lang(lang),
        select=(*(select or ()), *again),
        max_failures=max_failures,
        allow_destructive=allow_destructive,
        production_card=production_card,
        operator=operator,
        keys=keys,
        service=service,
    )
    wanted = chosen_formats(formats)
    if card and not reader:
        raise fail("--card describes the card in --reader: give both", Exit.BAD_INPUT)
    if extra := next((slot for slot in options.real_cards if slot not in options.readers), None):
        cure = nearest(extra, options.readers)
        raise fail(f"--card {extra}=...: no --reader is given for the slot {extra!r} ({cure})", Exit.BAD_INPUT)
    if (module is not None) != (target is TargetKind.PKCS11):
        raise fail("--target pkcs11 and --module PATH go together: give both", Exit.BAD_INPUT)
    if module is not None and not module.is_file():
        raise fail(f"{module}: there is no such PKCS#11 module", Exit.BAD_INPUT)
    earlier = readable_journal(against) if against is not None else None
    if reader and workers > 1:
        raise fail("--reader is one device: it cannot serve several --workers", Exit.BAD_INPUT)
    workshop = Workshop.default(keys)
    plan = prepare(options, workshop, lay_aside=not (check or listed))
    if check or listed:
        if listed:
            for scenario in plan.scenarios:
                out.print(f"{scenario.id}  {scenario.model.title.text.get(options.lang)}", markup=False)
        else:
            count = {"suites": len(plan.suites), "scenarios": len(plan.scenarios)}
            out.tell(NOTHING_WRONG.get(options.lang).format(**count))
        raise typer.Exit(Exit.PASSED)
    tell_mistakes(plan.mistakes)
    if not reader:
        KeyStore(keys).check()  # told once, not as an error of every scenario
    clock = WallClock()
    name = run_id(clock)
    directory = out_dir or RUNS / name
    folder = _made(directory, private=bool(reader))
    plan = replace(plan, options=replace(plan.options, evidence=directory))
    known = Secrets(nir=mask_nir)
    if mask_names:
        known.declare_names(*workshop.holders(plan.cards))
    if mask_nir:
        for number in workshop.numbers(plan.cards):
            known.declare(number)
    terminal = TerminalWriter(out, options.lang)
    listeners = [] if quiet else [terminal]
    withdrawn = False
    with Recorder(directory / FILE_NAME, now=clock.now, secrets=known, listeners=listeners) as recorder:
        try:
            with terminated_as_interrupted():
                verdicts = execute(
                    plan,
                    workshop,
                    run_id=name,
                    command=(*_again(sys.argv[1:]), *(again and map(str, paths or ()))),
                    emit=recorder.emit,
                    emit_lines=recorder.record_lines,
                    secrets=known,
                )
        except BaseException as error:
            # What was recorded is rendered all the same; what stopped the run is what the user must hear of.
            withdrawn = is_the_users(error) and not _began(recorder.path)
            if withdrawn:
                folder.withdraw([recorder.path])
            else:
                with suppress(JournalError, RenderError):
                    _finish(directory, wanted, options, quiet=quiet)
            raise
        finally:
            if not quiet and not withdrawn:
                with suppress(OSError):
                    terminal.finish()
    mistakes = plan.mistakes
    del plan  # the reports come from the journal alone
    _finish(directory, wanted, options, quiet=quiet)
    code = exit_code(verdicts)
    if earlier is not None and not tell_differences(earlier, directory / FILE_NAME, options.lang):
        code = max(code, Exit.FAILED)
    if mistakes:
        files = ", ".join(dict.fromkeys(problem.file for problem in mistakes))
        err.tell(LAID_ASIDE.get(options.lang).format(files=files))
        code = max(code, Exit.BAD_INPUT)
    raise typer.Exit(code)


def exit_code(verdicts: Iterable[Verdict]) -> Exit:
    """The exit code of a run: a bench error is never hidden behind a failure, and nothing judged is no success."""
    found = set(verdicts)
    if Verdict.BENCH_ERROR in found:
        return Exit.BENCH_ERROR
    failed = found & {Verdict.FAILED, Verdict.BLOCKED} or not any(verdict.good for verdict in found)
    return Exit.FAILED if failed else Exit.PASSED


def _finish(directory: Path, formats: Mapping[str, Format], options: RunOptions, *, quiet: bool) -> None:
    run = load(directory / FILE_NAME)
    if quiet:
        out.print(conclusion(run, options.lang), markup=False)
    for path in render(run, formats, directory, options.lang, known=formats):
        out.print(f"{path}", markup=False)


def _began(journal: Path) -> bool:
    """Whether a scenario began: a run that a mistake stopped before that leaves nothing to look at."""
    return any(isinstance(event, ScenarioStarted) for event, _place in JournalReader(journal))


def _made(directory: Path, *, private: bool) -> RecordFolder:
    try:
        folder = RecordFolder(directory, private=private)
    except OSError as error:
        cure = "choose another with --out"
        raise fail(f"the run directory {directory} cannot be made: {error.strerror}; {cure}", Exit.BAD_INPUT) from None
    if not os.access(directory, os.W_OK):
        raise fail(f"the run directory {directory} cannot be written to; choose another with --out", Exit.BAD_INPUT)
    return folder


_NOT_AGAIN = ("--select", "--out", "--of", "--maxfail", "--against")


def _again(arguments: list[str]) -> tuple[str, ...]:
    """The command that repeats the run: as given, less what chose scenarios or the place of the record."""
    kept: list[str] = []
    skip = False
    for argument in arguments:
        name = argument.split("=", 1)[0]
        if skip:
            skip = False
        elif name in _NOT_AGAIN:
            skip = "=" not in argument
        elif name == "--failed":
            continue
        else:
            kept.append(argument)
    return ("bifente", *kept)
