"""What opens a record: what is run, on what, with which files, and the requirements it is about."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bifente.conformance.bench.choosing import load_readers
from bifente.conformance.options import TargetKind
from bifente.conformance.run.environment import environment, tool
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.sections import NamesProduct
from bifente.reports.events import Input, RunStarted, Suite


def _shown(path: Path) -> str:
    """A file as a reader of the report can find it: relative to where the run was started, or to the bench's own."""
    path = path.resolve()
    for prefix, root in (("", Path.cwd()), ("bifente:", Path(__file__).resolve().parents[2])):
        if path.is_relative_to(root):
            return f"{prefix}{path.relative_to(root).as_posix()}"
    return str(path)


def started(plan: RunPlan, run_id: str, command: Sequence[str]) -> RunStarted:
    """Return the event that opens the record of a plan."""
    options = plan.options
    pcsc = options.target is not TargetKind.EMBEDDED
    service = {"service": options.service.value} if pcsc and not options.readers else {}
    cited = (requirement for scenario in plan.scenarios for requirement in scenario.model.requirements)
    return RunStarted(
        run_id=run_id,
        tool=tool(),
        command=tuple(command),
        target=options.target.value,
        product=_product(plan),
        reader=", ".join(options.readers.values()) or None,
        profile=", ".join(plan.profiles),
        seed=options.seed,
        lang=options.lang,
        environment=environment(pcsc=pcsc, module=options.module) | service | dict(_speeds(plan)),
        inputs=tuple(Input(path=_shown(document.path), sha256=document.sha256) for document in plan.inputs),
        suites=tuple(
            Suite(
                id=suite.model.suite,
                title=suite.model.title.text,
                file=suite.file,
                scenarios=len(selected),
                generated=sum(scenario.generated for scenario in selected),
            )
            for suite in plan.suites
            for selected in [[scenario for scenario in plan.scenarios if scenario.suite == suite.model.suite]]
        ),
        requirements=plan.catalogue.cited(cited),
        requirements_total=len(plan.catalogue),
    )


def _product(plan: RunPlan) -> str | None:
    """The software that the suites name, if they name one and the same."""
    sections = (section for scenario in plan.scenarios for section in scenario.bench.sections)
    named = {section.product for section in sections if isinstance(section, NamesProduct)}
    return named.pop() if len(named) == 1 else None


def _speeds(plan: RunPlan) -> Iterator[tuple[str, str]]:
    """How fast the lines to the cards are, of the readers that do not spare the wait."""
    if plan.options.readers:
        return
    for name in plan.profiles:
        if (speed := load_readers(name)[0].speed) is not None:
            yield f"speed {name}", f"{speed.pace} ({speed.fidelity.value})"
