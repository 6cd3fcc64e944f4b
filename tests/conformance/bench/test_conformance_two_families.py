"""A CPS3 and a CPS4 in the two slots of one reader: whoever uses them, each answers as if it were alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conformance_bench import Lab
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.conformance.bench.live import Device, LiveBench
from bifente.conformance.model import CardChoice
from bifente.conformance.targets.base import Connection
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.simulator.cards.cpx.personalise import PersonalisedCard

CLIENT = Path(__file__).with_name("two_families_client.py")
ROOT = Path(__file__).resolve().parents[3]
CHOICES = {
    "cps": CardChoice.model_validate({"template": "medecin-generaliste", "family": "cps4"}),
    "vitale": CardChoice.model_validate({"template": "infirmier", "family": "cps3", "codes": {"pin": "8642"}}),
}
FREE, PROTECTED = ("EF.SN", "CPS_NAME_PS", "CPS_INFO_PS", "EF.C.AUT"), ("CPS_ACTIVITY_01_PS",)


@pytest.fixture(scope="module")
def live(_chain: None, lab: Lab) -> Iterator[LiveBench]:
    device = Device.assemble("readers/generic-bislot", CHOICES, lab.workshop, seed=1)
    with LiveBench(device) as bench:
        assert bench.wait_seen()
        yield bench


def described(live: LiveBench, role: str, other: str) -> dict[str, Any]:
    """What a client must find in a slot."""
    card, stranger = live.device.cards[role], live.device.cards[other]
    made = card.made_as(PersonalisedCard)
    assert made is not None
    contents = {
        file.name: file.content.hex()
        for file in made.image.volumes[card.layout.main].walk()
        if hasattr(file, "content")
    }
    modulus = card.facts["certificates"]["signature"].public_key().public_numbers().n
    return {
        "reader": live.name(role),
        "family": card.layout.family,
        "atr": card.card.atr.hex(),
        "code": card.facts["code"],
        "other_code": stranger.facts["code"],
        "free": {name: contents[name] for name in FREE},
        "protected": {name: contents[name] for name in PROTECTED},
        "modulus": str(modulus),
    }


def start(live: LiveBench, name: str, rounds: int, cards: list[dict[str, Any]]) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, str(CLIENT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **live.environment, "PYTHONPATH": str(ROOT / "src")},
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"name": name, "rounds": rounds, "cards": cards}))
    process.stdin.close()
    process.stdin = None
    return process


def finish(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, err
    said: dict[str, Any] = json.loads(out)
    return said


def test_one_process_uses_both(live: LiveBench) -> None:
    both = [described(live, "cps", "vitale"), described(live, "vitale", "cps")]
    assert finish(start(live, "one", 5, both)) == {"visits": 10, "wrong": []}


def test_three_processes_use_them_at_once(live: LiveBench) -> None:
    cps4, cps3 = described(live, "cps", "vitale"), described(live, "vitale", "cps")
    assert (cps4["family"], cps3["family"]) == ("cps4", "cps3")
    assert all(cps4["free"][name] != cps3["free"][name] for name in FREE)
    clients = [
        start(live, "only the CPS4", 20, [cps4]),
        start(live, "only the CPS3", 20, [cps3]),
        start(live, "both in turn", 10, [cps4, cps3]),
    ]
    assert [finish(client) for client in clients] == [{"visits": 20, "wrong": []}] * 3
    for card in live.device.cards.values():
        secrets = card.card.state().secrets  # type: ignore[attr-defined]
        assert (secrets["pin"].tries_left, secrets["puk"].tries_left) == (3, card.layout.secrets["puk"].tries)
    assert not live.service.defects


def test_a_client_that_expects_the_other_card_is_told(live: LiveBench) -> None:
    # The check itself can fail: what is said of the CPS4 is not found in the CPS3's slot.
    mistaken = {**described(live, "cps", "vitale"), "reader": live.name("vitale"), "family": "cps3"}
    said = finish(start(live, "mistaken", 1, [mistaken]))
    assert {line.split(":")[0] for line in said["wrong"]} >= {"cps3 ATR", "cps3 EF.SN", "cps3 other code"}


def test_a_card_of_either_family_is_remembered_by_its_own_number(lab: Lab, tmp_path: Path) -> None:
    # The same template in both slots: the numbers differ, and so do the files that keep the counters.
    choices = {"cps": CHOICES["cps"], "vitale": CardChoice(template="medecin-generaliste")}
    for tries in (2, 1):
        device = Device.assemble("readers/generic-bislot", choices, lab.workshop, remember=tmp_path)
        connection = EmbeddedTarget([device.reader]).connect(device.slots["cps"].name)
        connection.transmit(bytes.fromhex("01A4040C088025000001FF0100"))
        assert connection.transmit(bytes.fromhex("012000010430303030")) == bytes((0x63, 0xC0 | tries))
        device.close()
    assert {path.name for path in tmp_path.iterdir()} >= {"99400001.json"}
    assert [card.card.state().secrets["pin"].tries_left for card in device.cards.values()] == [1, 3]  # type: ignore[attr-defined]


COMMANDS = {
    "cps": (
        "01A4040C088025000001FF0100",
        "01A4080002D003",
        "01C0000010",
        "01B000000C",
        "0120000100",
        "012000010431323334",
        "012000010438363432",
        "012281B60491022890",
        "012A9E9A20" + "5A" * 32,
        "01C0000000",
        "01A40800040001D110",
        "01B0000010",
        "00A4040C088025000001FF0002",
        "112A80860411111111",
    ),
    "vitale": (
        "00A4040C0DE828BD080F8025000001FF0010",
        "00A40904043F00D003",
        "00C0000027",
        "00B000000C",
        "0020000100",
        "002000010438363432",
        "002000010431323334",
        "002241B606800142840181",
        "002A9E9A20" + "5A" * 32,
        "00C0000000",
        "00A409040600003F000001D121",
        "A0A40000023F00",
        "102A80860481111111",
        "00A4090C063F000001D121",
    ),
}


def connections(lab: Lab) -> dict[str, Connection]:
    device = Device.assemble("readers/generic-bislot", CHOICES, lab.workshop, seed=1)
    target = EmbeddedTarget([device.reader])
    return {role: target.connect(device.slots[role].name) for role in CHOICES}


@given(turns=st.lists(st.sampled_from([(role, apdu) for role in COMMANDS for apdu in COMMANDS[role]]), max_size=60))
@settings(max_examples=40, deadline=None)
def test_any_interleaving_on_one_device_gives_each_card_its_own_answers(lab: Lab, turns: list[tuple[str, str]]) -> None:
    """Slots of one device, in process; ``tests/cards`` has the same of bare cards."""
    now, alone = connections(lab), connections(lab)
    together = [(role, now[role].transmit(bytes.fromhex(apdu))) for role, apdu in turns]
    for role in CHOICES:
        expected = [alone[role].transmit(bytes.fromhex(apdu)) for other, apdu in turns if other == role]
        assert [answer for other, answer in together if other == role] == expected
