"""Scenarios spread over processes: each has benches of its own, and what one scenario tells arrives together."""

from __future__ import annotations

import gc
import multiprocessing
import signal
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from multiprocessing.reduction import ForkingPickler

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.factory import BenchPool, BenchUnavailableError
from bifente.conformance.options import TargetKind
from bifente.conformance.run.collecting import SELDOM, seldom_collected
from bifente.conformance.run.ending import end_with_parent
from bifente.conformance.run.lines import EmitLines, run_in_lines
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.scenario.plan import PlannedScenario
from bifente.ground.clock import WallClock
from bifente.reports.encoding import Encoder, Line
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict


def fork_server() -> ForkServerContext:
    """Return what workers are forked from, started if it is not there: it gets ready while suites are being read."""
    context = multiprocessing.get_context("forkserver")
    # Imported once and not by each process in its turn: that costs a second of processor time a piece.
    context.set_forkserver_preload([__name__, "bifente.conformance.run.preload"])
    forkserver.ensure_running()
    return context


def spread(
    plan: RunPlan, command: Sequence[str], secrets: Secrets, emit: EmitLines
) -> Generator[tuple[str, Verdict], None, None]:
    """Run scenarios over processes, each on benches of its own; the events of one scenario arrive together."""
    context = fork_server()
    # Written down once, not for each process anew.
    shared = ForkingPickler.dumps((plan.options, plan.profiles, plan.scenarios, tuple(command), secrets)).tobytes()
    workers = ProcessPoolExecutor(plan.options.workers, context, initializer=_open, initargs=(shared,))
    with seldom_collected(), workers as pool:
        gc.freeze()
        # Not kept: the events of a scenario that is told are of no more use.
        futures = as_completed([pool.submit(_some, indexes) for indexes in _shares(plan)])
        try:
            for future in futures:
                for scenario, verdict, lines in future.result():
                    emit(lines)
                    yield scenario, verdict
        except BrokenProcessPool:
            raise BenchUnavailableError(
                "a process that ran scenarios has died (out of memory?); try again with fewer --workers"
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass(frozen=True, slots=True)
class _Worker:
    """What one process keeps from one scenario to the next."""

    pool: BenchPool
    seed: int
    scenarios: tuple[PlannedScenario, ...]
    command: tuple[str, ...]
    encoder: Encoder


_worker: _Worker | None = None


def _open(shared: bytes) -> None:
    # Ctrl-C reaches every process of the terminal: the parent ends the run, and the scenario under way ends by itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    gc.freeze()
    gc.set_threshold(*SELDOM)
    global _worker
    options, profiles, scenarios, command, secrets = ForkingPickler.loads(shared)
    pool = BenchPool(options, Workshop.default(options.keys), profiles)
    _worker = _Worker(pool, options.seed, scenarios, command, Encoder(secrets, WallClock().now))


_MOST_AT_ONCE = 8


def _shares(plan: RunPlan) -> Iterator[range]:
    """What a process is handed at a time: several scenarios where one takes no longer than its errand would."""
    count, quick = len(plan.scenarios), plan.options.target is TargetKind.EMBEDDED
    size = min(_MOST_AT_ONCE, 1 + count // (_MOST_AT_ONCE * plan.options.workers)) if quick else 1
    yield from (range(start, min(start + size, count)) for start in range(0, count, size))


def _some(indexes: range) -> list[tuple[str, Verdict, list[Line]]]:
    return [_one(index) for index in indexes]


def _one(index: int) -> tuple[str, Verdict, list[Line]]:
    assert _worker is not None  # noqa: S101 - the initializer ran
    scenario = _worker.scenarios[index]
    lines: list[Line] = []
    bench = _worker.pool.get(scenario.bench.profile)
    verdict = run_in_lines(scenario, bench, _worker.seed, _worker.command, _worker.encoder, lines.append)
    return scenario.id, verdict, lines
