"""An unmodified pkcs11-tool logs in, as pcscd and OpenSC themselves log it: kept, replayed, shrunk."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from test_traces_masking import forms

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live import Device
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions
from bifente.conformance.traces.comparing import answered, differences
from bifente.conformance.traces.host import Replayer
from bifente.conformance.traces.keeping import import_trace
from bifente.conformance.traces.minimising import last_failure, minimise
from bifente.conformance.traces.playing import play
from bifente.conformance.traces.proxy import PcscProxy
from bifente.conformance.traces.seen import Seen, SeenApdu, SeenAtr
from bifente.conformance.traces.trace import Trace, load_trace
from bifente.ground.clock import VirtualClock, WallClock
from bifente.simulator.pcsc.discovery import find_installation
from bifente.simulator.pcsc.private_pcscd import PrivatePcscd

CARDS = {"cps": "medecin-generaliste"}
PROFILE = "readers/generic-bislot"
CODE, OTHER_CODE = "1234", "8642"
HOLDER = ("TESTMEDECIN", "GENERALISTE", "899900000011", "9900000001")
FAULT = "{fault: wrong-status-word, at: verify, command: 3}"


@dataclass(frozen=True, slots=True)
class Logged:
    """What the programs logged, and how pkcs11-tool ended."""

    code: int
    pcscd: Path
    opensc: Path
    proxied: list[Seen]


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory, _chain: None) -> Logged:
    """pkcs11-tool logs in at a virtual card behind a real pcscd, every log switched on."""
    if shutil.which("pkcs11-tool") is None:
        pytest.skip("needs pkcs11-tool (apt-get install opensc)")
    folder = tmp_path_factory.mktemp("logged")
    found = find_installation()
    loud = folder / "pcscd"
    # What watches pcscd takes the end of its output for its own.
    loud.write_text(f'#!/bin/sh\nexec 3>&1\nexec {found.pcscd.path} --apdu --debug "$@" > {folder}/pcscd.log 2>&1\n')
    loud.chmod(0o700)
    device = Device.assemble(PROFILE, {"cps": CardChoice(template=CARDS["cps"])}, Workshop.default(None))
    proxied: list[Seen] = []
    installation = replace(found, pcscd=replace(found.pcscd, path=loud))
    with PrivatePcscd.start([device.reader], installation=installation) as pcscd:
        for bridge in pcscd.bridges:
            if bridge.slot.answering is not None:
                assert bridge.wait_seen(10)
        socket = pcscd.run_dir / "pcscd.comm"
        with (
            PcscProxy(proxied.append, clock=WallClock(), service=socket) as proxy,
            (folder / "opensc.log").open("wb") as log,
        ):
            done = subprocess.run(
                ["pkcs11-tool", "--login", "--pin", CODE, "--list-objects"],
                env={**os.environ, **proxy.environment, "OPENSC_DEBUG": "9"},
                stdout=subprocess.DEVNULL,
                stderr=log,
                timeout=60,
                check=False,
            )
    device.close()
    return Logged(done.returncode, folder / "pcscd.log", folder / "opensc.log", proxied)


@pytest.fixture(scope="module", params=["pcscd", "opensc"])
def trace(request: pytest.FixtureRequest, logged: Logged, tmp_path_factory: pytest.TempPathFactory) -> Trace:
    """The session kept from one of the logs, after every byte was searched."""
    log: Path = getattr(logged, request.param)
    assert CODE.encode().hex(" ") in log.read_text(errors="replace")
    kept = tmp_path_factory.mktemp("kept") / "kept.jsonl"
    came = import_trace(log, kept, clock=VirtualClock())
    assert (came.odd, came.unanswered) == (0, 0)
    text = kept.read_bytes().lower()
    for secret in HOLDER:
        assert not [form for form in forms(secret) if form in text], secret
    assert CODE.encode().hex().encode() not in text
    assert b'"' + CODE.encode() not in text
    return load_trace(kept)


def test_the_session_ends_well_and_the_code_is_in_the_logs(logged: Logged) -> None:
    assert logged.code == 0


def test_it_replays_to_software_to_its_end_with_another_code(trace: Trace) -> None:
    assert trace.atr is not None
    command = ["sh", "-c", f"exec pkcs11-tool --login --pin {OTHER_CODE} --list-objects > /dev/null 2>&1"]
    program = play(trace, bytes.fromhex(trace.atr), command)
    assert program.code == 0
    assert not program.played.strayed
    assert program.played.answered == set(range(len(trace.exchanges)))


def test_it_replays_to_a_card_of_its_kind_with_the_same_answers(trace: Trace, workshop: Workshop) -> None:
    with Replayer(
        trace.exchanges, cards=CARDS, profile=PROFILE, workshop=workshop, options=RunOptions(paths=())
    ) as sending:
        replayed = sending.send()
    assert replayed.stopped is None
    assert len(replayed.sent) == len(trace.exchanges)
    assert not [one for one in replayed.sent if answered(trace.exchanges[one.number], one.response)]


def test_both_logs_and_the_proxy_saw_the_same_session(logged: Logged, tmp_path: Path) -> None:
    for kind in ("pcscd", "opensc"):
        import_trace(getattr(logged, kind), tmp_path / kind, clock=VirtualClock())
    first, second = (load_trace(tmp_path / kind).exchanges for kind in ("pcscd", "opensc"))
    assert differences(first, second) == []
    passed = [one for one in logged.proxied if isinstance(one, SeenApdu)]
    assert differences(first, passed) == []
    assert any(isinstance(one, SeenAtr) for one in logged.proxied)
    assert {one.slot for one in passed} == {"Bifente Bi-Slot Reader 00 00"}


def test_a_fault_in_it_is_shrunk_to_a_handful(trace: Trace, workshop: Workshop) -> None:
    # The same session on a card whose third VERIFY fails, as the bench itself records it.
    with Replayer(
        trace.exchanges, cards=CARDS, profile=PROFILE, workshop=workshop, options=RunOptions(paths=()), faults=[FAULT]
    ) as sending:
        sent = sending.send().sent
        failing = [replace(trace.exchanges[one.number], response=one.response) for one in sent]
        number = last_failure(failing)
        assert number is not None
        assert failing[number].response == "6F00"
        reduction = minimise(failing, sending, number)
    assert len(reduction.steps) == 3
    assert list(reduction.faults) == [FAULT]
    assert reduction.answers[number].response == "6F00"
