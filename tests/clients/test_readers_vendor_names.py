"""Unmodified clients see the vendors' names, with what pcscd adds to them, and cards that come and go in each slot."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from clients_bench import HERE, CardMaker, Talker, tool

from bifente.conformance.bench.profiles import load_profile
from bifente.ground.clock import WallClock
from bifente.simulator.pcsc import PrivatePcscd
from bifente.simulator.readers import Reader

PROFILES = ("readers/olaqin-telium", "readers/olaqin-vitalact", "readers/identive-cloud-2700r")
SHOWN = [
    "Ingenico 99000001 TL TELIUM 00 00",
    "Ingenico 99000001 TL TELIUM 00 01",
    "Ingenico 99000001 TL TELIUM (2) 00 00",
    "Ingenico 99000001 TL TELIUM (2) 00 01",  # vpcd has two slots an entry: this one is always empty
    "OLAQIN 90048020 TL VITALACT 00 00",
    "OLAQIN 90048020 TL VITALACT 00 01",
    "Identive CLOUD 2700 R Smart Card Reader [CCID Interface] 00 00",
    "Identive CLOUD 2700 R Smart Card Reader [CCID Interface] 00 01",
    "Identive CLOUD 2700 R Smart Card Reader [CCID Interface] (2) 00 00",
    "Identive CLOUD 2700 R Smart Card Reader [CCID Interface] (2) 00 01",
]


@pytest.fixture(scope="module")
def readers() -> list[Reader]:
    return [load_profile(name)[0].reader(WallClock()) for name in PROFILES]


@pytest.fixture(scope="module")
def pcscd(chain: None, readers: list[Reader]) -> Iterator[PrivatePcscd]:
    with PrivatePcscd.start(readers) as pcscd:
        yield pcscd


def test_pcsc_scan_shows_the_vendors_names(pcscd: PrivatePcscd) -> None:
    done = subprocess.run(
        [tool("pcsc_scan"), "-r"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={"PATH": os.defpath, "LANG": "C.UTF-8", **pcscd.environment},
    )
    assert [line.split(": ", 1)[1] for line in done.stdout.splitlines() if ": " in line] == SHOWN


def test_the_bench_knows_under_which_name_each_slot_shows(pcscd: PrivatePcscd, readers: list[Reader]) -> None:
    names = [pcscd.name_of(slot) for reader in readers for slot in reader.slots]
    assert names == [SHOWN[at] for at in (0, 1, 2, 4, 5, 6, 8)]


def test_monitors_see_each_slot_of_each_device(pcscd: PrivatePcscd, readers: list[Reader], make: CardMaker) -> None:
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", **pcscd.environment}
    client = Talker([sys.executable, "-P", str(HERE / "raw_pcsc.py")], environment)
    try:
        heard = [client.ask("monitor"), *(client.hear() for _ in SHOWN)]
        assert {"event": "listening"} in heard
        added = [event["reader"] for event in heard if event["event"] == "reader-added"]
        assert sorted(added) == sorted(SHOWN)
        for slot in (readers[0].slots[2], readers[1].slots[1], readers[2].slots[1]):
            card = make().card
            seen = {"reader": pcscd.name_of(slot), "atr": card.atr.hex()}
            slot.insert(card)
            assert client.hear() == {"event": "card-added", **seen}
            slot.remove()
            assert client.hear() == {"event": "card-removed", **seen}
    finally:
        client.close()
