"""The SSV functions for programs: a C program and ctypes, zones byte for byte those in process, hostile calls."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.model import CardChoice
from bifente.conformance.observation.standing import Standing, Wanted
from bifente.ground.clock import WallClock
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.middleware.ssv import Ssv
from bifente.simulator.pki.keystore import KeyStore

CODE, DAY = "1234", "20260601"
PROGRAM = r"""
#include "ssv.h"
#include <stdio.h>
int main(void) {
    void *zone = NULL; size_t size = 0, at;
    if (SSV_InitLIB()) return 1;
    unsigned code = SSV_LireDroitsVitale("CPS", "Vitale", "1234", "20260601", &zone, &size);
    printf("%04X ", code);
    for (at = 0; at < size; at++) printf("%02x", ((unsigned char *)zone)[at]);
    SSV_LibererZoneMem(zone);
    SSV_LibererZoneMem(zone);
    return SSV_TermLIB();
}
"""
HOSTILE = """
import ctypes, random, sys, threading
library, count = ctypes.CDLL(sys.argv[1]), int(sys.argv[2])
library.SSV_LibererZoneMem.restype = None
def run(seed):
    chance, freed = random.Random(seed), []
    for _ in range(count):
        zone, size = ctypes.c_void_p(), ctypes.c_size_t()
        a, b = ctypes.byref(zone), ctypes.byref(size)
        out = chance.choice([(a, b), (None, b), (a, None)])
        text = lambda: chance.choice([None, b"", b"CPS", b"x" * 5000, bytes([chance.randrange(1, 256)]) * 9])
        which = chance.randrange(40)
        if which == 0: library.SSV_LireConfig(*out)
        elif which == 1: library.SSV_LireCartePS(text(), text(), None, *out)
        elif which == 2: library.SSV_MajDateLecteur(text(), text())
        elif which == 3: library.SSV_LireDateLecteur(text(), None)
        elif which < 20: library.SSV_AllouerZoneMem(a, ctypes.c_size_t(chance.choice([0, 1, 64, 1 << 30])))
        else: library.SSV_LibererZoneMem(chance.choice(freed or [None]))
        freed = [*freed[-3:], zone.value]
threads = [threading.Thread(target=run, args=(seed,)) for seed in range(2)]
for one in threads: one.start()
for one in threads: one.join()
library.SSV_InitLIB()
print(library.SSV_TermLIB())
"""


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    workshop = Workshop(KeyStore())
    cards = {
        "cps": CardChoice(template="medecin-generaliste"),
        "vitale": CardChoice(template="vitale/dix-neuf-beneficiaires"),
    }
    with Standing(Wanted(profile="readers/generic-bislot", cards=cards, workshop=workshop)) as stood:
        yield stood


def environment(standing: Standing) -> dict[str, str]:
    return {**os.environ, **standing.environment}


def in_process(standing: Standing) -> tuple[int, bytes]:
    ssv = Ssv(FullPcsc(standing.device.bench.access, WallClock()), WallClock())
    ssv.init_lib()
    answer = ssv.lire_droits_vitale("CPS", "Vitale", CODE, DAY)
    return int(answer.code), answer.zone


def test_a_c_program_reads_nineteen_beneficiaries_byte_for_byte(library: Path, standing: Standing) -> None:
    folder = library.parent
    (folder / "program.c").write_text(PROGRAM, encoding="utf-8")
    compiler = shutil.which("cc") or "gcc"
    command: list[str | Path] = [
        compiler,
        f"-I{folder}",
        folder / "program.c",
        "-o",
        folder / "program",
        library,
        f"-Wl,-rpath,{folder}",
    ]
    assert subprocess.run(command, check=False).returncode == 0
    done = subprocess.run([folder / "program"], env=environment(standing), capture_output=True, text=True, check=False)
    assert done.returncode == 0
    code, _, zone = done.stdout.partition(" ")
    assert (int(code, 16), bytes.fromhex(zone)) == in_process(standing)
    assert len(zone) > 1000
    called = [one.function for one in standing.events() if getattr(one, "function", "").startswith("SSV_")]
    assert called[-3:] == ["SSV_InitLIB", "SSV_LireDroitsVitale", "SSV_TermLIB"]
    assert CODE not in " ".join(str(one) for one in standing.events() if "SSV_" in str(one)).split("'")


def test_wrong_order_and_no_bench_get_a_code(
    library: Path, standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BIFENTE_SSV", raising=False)
    loaded = ctypes.CDLL(str(library))
    assert loaded.SSV_InitLIB() & 0xFFFF == 0xF600
    script = "import ctypes,sys; l=ctypes.CDLL(sys.argv[1]); print(l.SSV_TermLIB(), l.SSV_InitLIB(), l.SSV_InitLIB())"
    done = subprocess.run(
        [sys.executable, "-c", script, library], env=environment(standing), capture_output=True, text=True, check=True
    )
    assert [int(one) & 0xFFFF for one in done.stdout.split()] == [0xF600, 0, 0xF670]


def test_hostile_calls_harm_neither_side(library: Path, standing: Standing) -> None:
    count = int(os.environ.get("BIFENTE_HOSTILE", "4000")) // 2
    done = subprocess.run(
        [sys.executable, "-c", HOSTILE, library, str(count)],
        env=environment(standing),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "0\n"
    assert standing.bench.service.alive
    assert in_process(standing)[0] == 0
