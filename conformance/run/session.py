"""A whole run: what opens the record, the scenarios one by one or spread over processes, what ends it."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.factory import BenchPool
from bifente.conformance.run.collecting import seldom_collected
from bifente.conformance.run.ending import interruptible
from bifente.conformance.run.lines import EmitLines, run_in_lines
from bifente.conformance.run.opening import started
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.scenario import leave_out, secret_values
from bifente.conformance.run.spreading import spread
from bifente.conformance.scenario.references import is_reference
from bifente.ground.clock import WallClock
from bifente.ground.text import Text
from bifente.reports.encoding import Encoder, Line, joined
from bifente.reports.events import Event, RunFinished, parse_event
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict

Emit = Callable[[Event], object]


def execute(
    plan: RunPlan,
    workshop: Workshop,
    *,
    run_id: str,
    command: Sequence[str],
    emit: Emit,
    emit_lines: EmitLines | None = None,
    secrets: Secrets | None = None,
) -> list[Verdict]:
    """Run the plan and emit its events. An interruption (KeyboardInterrupt) is recorded, then raised again.

    What scenarios tell comes masked and encoded to `emit_lines`, where it is given (`Recorder.record_lines`). `secrets`
    are those of the record: the codes of the plan's cards and steps are declared to it before anything is told.
    """
    start = time.perf_counter()
    secrets = secrets if secrets is not None else Secrets()
    declare(plan, workshop, secrets)
    emit(started(plan, run_id, command))
    verdicts: list[Verdict] = []
    interrupted = True
    left = {scenario.id: scenario for scenario in plan.scenarios}
    most = plan.options.max_failures
    try:
        with (
            interruptible() as check,
            closing(_verdicts(plan, workshop, command, secrets, emit_lines or _read_by(emit))) as told,
        ):
            for scenario, verdict in told:
                verdicts.append(verdict)
                del left[scenario]
                check()
                if most is not None and sum(verdict.bad for verdict in verdicts) >= most:
                    break
        for not_begun in left.values():
            verdicts.append(leave_out(not_begun, _enough(most or 0), command=command, emit=emit))
        interrupted = False
    finally:
        emit(RunFinished(interrupted=interrupted, duration_us=round((time.perf_counter() - start) * 1_000_000)))
    return verdicts


def _enough(most: int) -> Text:
    return Text(f"arrêté après {most} échec(s) (--maxfail)", f"stopped after {most} failure(s) (--maxfail)")


def declare(plan: RunPlan, workshop: Workshop, secrets: Secrets) -> None:
    """Declare what is known to be secret before the run: the codes of its cards, and those written in its steps."""
    secrets.declare(*workshop.secrets(plan.cards))
    for scenario in plan.scenarios:
        for step in scenario.steps:
            given = step.kind.arguments(step.raw)
            secrets.declare(*(value for value in secret_values(step.kind, given) if not is_reference(value)))


def _read_by(emit: Emit) -> EmitLines:
    def read(lines: Sequence[Line]) -> None:
        for line in lines:
            emit(parse_event(joined(0, line)))

    return read


def _verdicts(
    plan: RunPlan,
    workshop: Workshop,
    command: Sequence[str],
    secrets: Secrets,
    emit: EmitLines,
) -> Generator[tuple[str, Verdict], None, None]:
    if plan.options.workers > 1 and len(plan.scenarios) > 1:
        yield from spread(plan, command, secrets, emit)
        return
    encoder = Encoder(secrets, WallClock().now)
    with seldom_collected(), BenchPool(plan.options, workshop, plan.profiles) as pool:
        for scenario in plan.scenarios:
            bench = pool.get(scenario.bench.profile)
            verdict = run_in_lines(scenario, bench, plan.options.seed, command, encoder, lambda line: emit([line]))
            yield scenario.id, verdict
