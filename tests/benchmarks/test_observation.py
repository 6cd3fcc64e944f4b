"""What it costs a program to be observed: the median of an APDU, observed and not, in turn and in the same run."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from statistics import median

from benchmark_tools import sized

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live import Device, LiveBench
from bifente.conformance.model import CardChoice
from bifente.conformance.observation.standing import Standing, Wanted
from bifente.simulator.pki.keystore import KeyStore

PROFILE, CARDS = "readers/generic-bislot", {"cps": CardChoice(template="medecin-generaliste")}
ROUNDS, COMMANDS, BUDGET = sized(11, 3), sized(1500, 400), 1.15
FAR = 2.0
"""What no other work on the machine explains: a program that waits for its record."""
CLIENT = f"""
import json, statistics, time
from bifente.simulator.software.reference.pcsc import PcscStation
line = PcscStation()
card = line.connect(line.look()[0].name)
command, times = bytes.fromhex("00a4000c023f00"), []
for _ in range({COMMANDS}):
    began = time.perf_counter()
    assert card.transmit(command) == b"\\x90\\x00"
    times.append(time.perf_counter() - began)
print(json.dumps([statistics.median(times), statistics.fmean(times)]))
"""


def one(environment: Mapping[str, str]) -> tuple[float, float]:
    done = subprocess.run(
        [sys.executable, "-P", "-c", CLIENT],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    middle, mean = json.loads(done.stdout)
    return middle * 1e6, mean * 1e6


def test_an_observed_apdu_costs_little_more() -> None:
    workshop = Workshop(KeyStore())
    with ExitStack() as stack:
        plain = stack.enter_context(LiveBench(Device.assemble(PROFILE, CARDS, workshop)))
        watched = stack.enter_context(Standing(Wanted(profile=PROFILE, cards=CARDS, workshop=workshop)))
        pairs = [(one(plain.environment), one(watched.environment)) for _ in range(ROUNDS)]
        assert len(watched.events()) > ROUNDS * COMMANDS
    # The quietest round of each: what else the machine does strikes one or the other.
    unobserved, observed = min(a[0] for a, _ in pairs), min(b[0] for _, b in pairs)
    ratio = observed / unobserved
    means = median(b[1] for _, b in pairs) / median(a[1] for a, _ in pairs)
    print(
        f"\nAPDU median: {unobserved:.1f} µs, observed {observed:.1f} µs, ratio {ratio:.3f} "
        f"(budget {BUDGET}); of the means {means:.3f}"
    )
    assert ratio <= FAR


def test_many_benches_stand_at_once() -> None:
    count = int(os.environ.get("BIFENTE_BENCHES", sized(20, 4)))
    workshop = Workshop(KeyStore())
    with ExitStack() as stack:
        began = time.monotonic()
        stood = [
            stack.enter_context(Standing(Wanted(profile=PROFILE, cards=CARDS, workshop=workshop))) for _ in range(count)
        ]
        up = time.monotonic() - began
        began = time.monotonic()
        programs = [
            subprocess.Popen(
                [sys.executable, "-P", "-m", "bifente.simulator.software.reference", "read"],
                env={**os.environ, **one.environment},
                stdout=subprocess.DEVNULL,
            )
            for one in stood
        ]
        for program in programs:
            program.wait(120)
        ran = time.monotonic() - began
        assert all(len(one.events()) > 5 for one in stood)
        memory = sum(_memory(pid) for one in stood for pid in pids(one))
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"\n{count} benches: up in {up:.1f} s, {count} programs in {ran:.1f} s, "
        f"{own:.0f} MB here and {memory / count:.0f} MB a bench beside (resident, shared pages counted once each)"
    )


def pids(one: Standing) -> tuple[int | None, int | None]:
    scribe = one.record.scribe
    return one.bench.service.pid, scribe.pid if scribe is not None else None


def _memory(pid: int | None) -> float:
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:  # noqa: PTH123
        return sum(int(line.split()[1]) for line in file if line.startswith("Pss:")) / 1024
