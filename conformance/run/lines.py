"""A scenario as lines of the record: masked and encoded as it tells them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bifente.conformance.bench.base import Bench
from bifente.conformance.run.scenario import run_scenario
from bifente.conformance.scenario.plan import PlannedScenario
from bifente.reports.encoding import Encoder, Line
from bifente.reports.events import Event
from bifente.reports.verdict import Verdict

EmitLines = Callable[[Sequence[Line]], object]


def run_in_lines(
    scenario: PlannedScenario,
    bench: Bench,
    seed: int,
    command: Sequence[str],
    encoder: Encoder,
    emit: Callable[[Line], object],
) -> Verdict:
    """Run a scenario with an encoder of its own: what it learns is masked in what it tells, in no other's."""
    own = encoder.own()

    def tell(event: Event) -> None:
        emit(own.encode(event))

    return run_scenario(scenario, bench, seed=seed, command=command, emit=tell, secrets=own.secrets)
