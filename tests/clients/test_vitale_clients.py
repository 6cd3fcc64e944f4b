"""Unmodified PC/SC clients read a Vitale beside a CPS, behind a real pcscd."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest
from clients_bench import PATIENCE, tool

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live import Device, LiveBench
from bifente.conformance.model import CardChoice

SELECT_MF, READ, SELECT_VITALE = "00A40000023F00", "00B0820000", "00A404000BD250000002564954414C45"


@pytest.fixture(scope="module", params=["vitale/famille-trois", "vitale/vitale-1"])
def pair(request: pytest.FixtureRequest) -> Iterator[LiveBench]:
    cards = {"cps": CardChoice(template="medecin-generaliste"), "vitale": CardChoice(template=str(request.param))}
    workshop = Workshop.default()
    device = Device.assemble("readers/generic-bislot", cards, workshop, seed=1)
    with LiveBench(device) as bench:
        assert bench.wait_seen()
        yield bench


def opensc(bench: LiveBench, role: str, *arguments: str) -> str:
    done = subprocess.run(
        [tool("opensc-tool"), "--reader", bench.name(role), *arguments],
        env={"PATH": os.defpath, **bench.environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.stdout + done.stderr


def old(bench: LiveBench) -> bool:
    return bench.device.cards["vitale"].layout.family == "vitale1"


def test_each_slot_gives_the_atr_of_its_card(pair: LiveBench) -> None:
    expected = "3f:65:25:00:22:09:69:90:00" if old(pair) else "3b:75:13:00:00:4b:09:ea:90:00"
    assert expected in opensc(pair, "vitale", "--atr")
    assert "3b:ac:00:40:2a" in opensc(pair, "cps", "--atr")


def test_opensc_reads_holders_and_numbers(pair: LiveBench) -> None:
    if old(pair):
        pytest.skip("a Vitale 1 has no files")
    sent = [part for command in (SELECT_MF, READ, SELECT_VITALE, READ) for part in ("-s", command)]
    said = opensc(pair, "vitale", *sent)
    assert said.count("SW1=0x90, SW2=0x00") == 4
    assert "TESTFAMILLE" in said
    assert "31 38 30 31 39 37 35 33 34 39 30 30" in said  # 180197534900: the first number, in ASCII


def test_opensc_is_refused_the_coverage(pair: LiveBench) -> None:
    if old(pair):
        pytest.skip("a Vitale 1 has no files")
    assert "SW1=0x69, SW2=0x82" in opensc(pair, "vitale", "-s", SELECT_VITALE, "-s", "00B0850000")


def test_opensc_reads_the_memory_of_a_vitale_1(pair: LiveBench) -> None:
    if not old(pair):
        assert "SW1=0x6E, SW2=0x00" in opensc(pair, "vitale", "-s", "BCC0000008")
        return
    said = opensc(pair, "vitale", "-s", "BCC0000008", "-s", "BCB0212808")
    assert "21 88 00 00 00 00 00 00" in said
    assert "20 80 02 88" in said
