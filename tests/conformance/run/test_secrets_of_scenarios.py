"""A secret that a scenario learns is masked in what it tells, whichever scenarios share its process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conformance_bench import Lab, scenario_text, suite_text, write
from msgspec.structs import replace

from bifente.conformance.options import RunOptions
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.telling import event_of
from bifente.conformance.targets.messages import Messaged
from bifente.conformance.targets.pkcs11 import Called
from bifente.ground.clock import WallClock
from bifente.reports.events import Call, Event, Message, to_dict
from bifente.reports.journal import Recorder, read_journal
from bifente.reports.masking import MARK
from bifente.reports.messages import MOST_TEXT
from bifente.reports.secrets import Secrets

LEARNT = "73915846"
# CHANGE REFERENCE DATA with the new code in it; the card may well refuse it: it was told to the card all the same.
CHANGE = "0024000110" + b"1234\xff\xff\xff\xff".hex() + LEARNT.encode().hex()
TITLE = f"title: {{fr: Le code {LEARNT}, en: Code {LEARNT}}}"
SAYS = f"steps:\n  - transmit: 00B0000004\n    {TITLE}\n    expect: {{sw: 6xxx}}"
LEARNS = f"steps:\n  - transmit: {CHANGE}\n    expect: {{sw: 6xxx}}\n" + SAYS.removeprefix("steps:\n")


def suite(*names: str) -> str:
    return suite_text(*(scenario_text(LEARNS if name.startswith("learns") else SAYS, name) for name in names))


def journal(lab: Lab, folder: Path, text: str, workers: int) -> dict[str, list[dict[str, Any]]]:
    """What each scenario told, less when and how long."""
    plan = prepare(RunOptions(paths=(write(folder, text),), workers=workers), lab.workshop)
    path, secrets = folder / f"{workers}.jsonl", Secrets()
    with Recorder(path, now=WallClock().now, secrets=secrets) as recorder:
        execute(
            plan,
            lab.workshop,
            run_id="r",
            command=("bifente",),
            emit=recorder.emit,
            emit_lines=recorder.record_lines,
            secrets=secrets,
        )
    told: dict[str, list[dict[str, Any]]] = {}
    for event in read_journal(path).events:
        if scenario := getattr(event, "scenario", None):
            told.setdefault(scenario, []).append(timeless(event))
    return told


def timeless(event: Event) -> dict[str, Any]:
    timed = {"duration_us": 0} if hasattr(event, "duration_us") else {}
    return to_dict(replace(event, seq=0, time="", **timed))


def test_what_is_masked_does_not_depend_on_the_workers(lab: Lab, tmp_path: Path) -> None:
    text = suite("says-before", "learns", "says-after", "learns-again", "says-last")
    alone, spread = journal(lab, tmp_path, text, 1), journal(lab, tmp_path, text, 2)
    assert alone == spread
    for scenario, told in alone.items():
        clear = LEARNT in json.dumps(told)
        assert clear == ("learns" not in scenario), scenario
    assert len(alone) == 5


def test_secrets_of_a_scenario_begin_with_those_of_the_run() -> None:
    run = Secrets(secrets=["jeton-commun"])
    run.text("jeton-commun et jeton-un")  # remembered
    first, second = run.own(), run.own()
    first.declare("jeton-un")
    assert first.text("jeton-commun et jeton-un") == f"{MARK} et {MARK}"
    assert second.text("jeton-commun et jeton-un") == f"{MARK} et jeton-un"
    assert run.text("jeton-commun et jeton-un") == f"{MARK} et jeton-un"


@pytest.mark.parametrize(
    "body",
    [
        "a" * MOST_TEXT + " {secret} " + "b" * 40,
        "\x00\x01\xff {secret} \x00",
        "\x00 jeton {hex} \x00",
    ],
)
def test_no_guess_can_be_tried_on_the_digest_of_a_body(body: str) -> None:
    told = []
    for secret in ("jeton-premier", "jeton-dernier"):
        content = body.format(secret=secret, hex=secret.encode().hex()).encode("latin-1")
        event = event_of(Messaged("http", "desk", True, body=content), Secrets(secrets=[secret]))
        assert isinstance(event, Message)
        assert event.body is None
        told.append((event.sha256, event.size))
    assert told[0] == told[1]
    plain = event_of(Messaged("http", "desk", True, body=content), Secrets())
    assert isinstance(plain, Message)
    assert plain.sha256 != told[0][0]


@pytest.mark.parametrize("code", ["1", "12", "123", "1234"])
def test_the_secret_arguments_of_a_call_are_masked_however_short(code: str) -> None:
    called = Called("C_Login", {"pin": code, "user": "CKU_USER"}, "CKR_OK", {}, 0.0, frozenset({"pin"}))
    event = event_of(called, Secrets())
    assert isinstance(event, Call)
    assert event.arguments == {"pin": MARK, "user": "CKU_USER"}
