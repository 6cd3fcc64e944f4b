"""Journals made to hold a reader up, and records with one byte changed: each ends in a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kept_record import files, journal_of, lines_of, verified
from sample import SUITE

from bifente.ground.text import LANGS, Text
from bifente.reports.events import SCHEMA, BenchChange, Exchange, RunFinished, ScenarioStarted
from bifente.reports.journal import FILE_NAME, JournalError, JournalReader
from bifente.reports.verifying.bounded import BoundedFold
from bifente.reports.verifying.telling import lines, plain

JOURNAL = files("green")[FILE_NAME]


def line_of(**fields: object) -> bytes:
    start = {"seq": 2, "event": "step-started", "scenario": f"{SUITE}/wrong-code-is-counted", "index": 0}
    return json.dumps(start | {"name": "n", "file": "f", "line": 1} | fields).encode()


DEEP = b'{"a":' * 900 + b"1" + b"}" * 900
HOSTILE = {
    "a line without end": b'{"seq":2,"event":"note","text":{"fr":"' + b"x" * (5 << 20),
    "bytes that are no text": line_of().replace(b'"n"', b'"\xff\xfe"'),
    "half of a character": line_of().replace(b'"n"', b'"\\ud800"'),
    "nested without end": line_of(arguments={}).replace(b"{}", b"[" * 1_000_000),
    "nested as far as a reader goes": line_of(arguments={}).replace(b"{}", DEEP),
    "a number of 4000 digits": line_of(index=0).replace(b'"index": 0', b'"index": ' + b"9" * 4_000),
    "an argument of 4000 digits": line_of(arguments={"a": 0}).replace(b'"a": 0', b'"a": ' + b"9" * 4_000),
    "an argument of 5000 digits": line_of(arguments={"a": 0}).replace(b'"a": 0', b'"a": ' + b"9" * 5_000),
    "a number beyond all": line_of(arguments={"a": 0}).replace(b'"a": 0', b'"a": 1e999'),
    "a name of a megabyte": line_of(**{": " * 500_000: 1}),
    "a field twice, far apart": line_of(arguments={str(n): n for n in range(50_000)})[:-1] + b',"name":"m"}',
    "no object": b"[]",
    "nothing": b"",
}

AN_EVENT = {
    *("nested as far as a reader goes", "a number of 4000 digits"),
    *("an argument of 4000 digits", "a field twice, far apart"),
}
"""Those that a reader takes for an event: at the beginning, of a record that has lost its own."""


@pytest.mark.parametrize("schema", [SCHEMA, 5])
@pytest.mark.parametrize("what", HOSTILE)
def test_a_line_made_to_hold_a_reader_up_is_told_in_a_sentence(tmp_path: Path, what: str, schema: int) -> None:
    before = JOURNAL.replace(b'"schema":%d' % SCHEMA, b'"schema":%d' % schema).splitlines(True)[:2]
    found = verified(tmp_path, {**files("green"), FILE_NAME: b"".join([*before, HOSTILE[what], b"\n"])})
    assert found.failing[0] == "journal"
    assert found["journal"].place == f"{FILE_NAME}:3"
    for lang in LANGS:
        said = list(lines(found.whole, lang))
        assert max(map(len, said)) < 600
        json.dumps(plain(found.whole, lang)).encode()


@pytest.mark.parametrize("what", HOSTILE)
def test_such_a_line_at_the_beginning_is_told_too(tmp_path: Path, what: str) -> None:
    journal = {FILE_NAME: HOSTILE[what] + b"\n" + JOURNAL}
    if what in AN_EVENT:
        found = verified(tmp_path, journal)
        assert found["journal"].place == f"{FILE_NAME}:1"
        assert found["structure"].holds is None
    else:
        with pytest.raises(JournalError, match=f"{FILE_NAME}:1: "):
            verified(tmp_path, journal)


def test_what_a_name_holds_drives_no_terminal(tmp_path: Path) -> None:
    journal = files()[FILE_NAME].replace(b'lecteurs.bi-fente/hostile"', b'lecteurs.bi-fente/\\u001b[31m\\u202e"', 1)
    said = "\n".join(lines(verified(tmp_path, {FILE_NAME: journal}).whole, "fr"))
    assert "\x1b" not in said
    assert "\u202e" not in said


def test_a_scenario_that_takes_too_much_room_has_no_report_compared(tmp_path: Path) -> None:
    fold = BoundedFold(most=200_000)
    start = ScenarioStarted(scenario="s/a", suite="s", title=Text.same("a"), file="f", line=1)
    exchange = Exchange(scenario="s/a", command="00", response="9000")
    sample.write(tmp_path / FILE_NAME, [sample.run_started(), start, *[exchange] * 500])
    for event, place in JournalReader(tmp_path / FILE_NAME):
        fold.add(event, place)
        kept = fold.run(truncated=False)
        if kept is None:
            break
    assert kept is None
    assert 200 < event.seq < 500


def test_what_is_left_out_of_a_report_takes_no_room(tmp_path: Path) -> None:
    fold = BoundedFold(most=120_000)
    change = BenchChange(scenario=f"{SUITE}/wrong-code-is-counted", what=Text.same("x" * 100))
    run = sample.green_run()
    long = [*run[:2], *[change] * 60, *run[2:-1], RunFinished()]
    sample.write(tmp_path / FILE_NAME, long)
    for event, place in JournalReader(tmp_path / FILE_NAME):
        fold.add(event, place)
    assert fold.run(truncated=False) is not None


def test_a_scenario_told_again_and_again_is_not_folded(tmp_path: Path) -> None:
    kept = lines_of(JOURNAL)
    again = [*kept[:-1], *[kept[-2]] * 2_000, kept[-1]]
    found = verified(tmp_path, {**files("green"), FILE_NAME: journal_of(again)})
    assert found.failing == ["structure"]
    assert found["reports/report.json"].holds is None


FREE_ALONE = {
    *("time", "title", "file", "line", "name", "arguments", "via", "reproduce", "profile", "cards", "requirements"),
    *("fidelity", "duration_us", "slot", "command", "response", "command_text", "response_text", "sw", "reason"),
    *("state_before", "state_after", "decoded", "level", "text", "what", "run_id", "tool", "target", "reader", "seed"),
    *("environment", "inputs", "requirements_total", "slots", "judges", "destructive", "client", "product", "lang"),
    *("schema", "headers", "body", "peer", "protocol", "direction", "function", "answer", "result", "interrupted"),
    *("expectations.name", "expectations.expected", "expectations.observed", "suites.title", "suites.file"),
}
"""What nothing else of a journal follows from: changed alone, it is seen by its digest, or by the reports beside it."""
FREE_BESIDE = {"time", "command", "response", "command_text", "response_text"}
"""What reports leave to the journal, or tell in one language alone: seen by the digest."""


def changed_fields(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    found = set()
    for name in {*one, *other}:
        before, after = one.get(name), other.get(name)
        if before == after:
            continue
        if name in ("expectations", "suites") and before and after and len(before) == len(after):
            pairs = zip(before, after, strict=True)
            found |= {f"{name}.{inner}" for a, b in pairs for inner in {*a, *b} if a.get(inner) != b.get(inner)}
        else:
            found.add(name)
    return found


BYTES = st.tuples(st.integers(0, len(JOURNAL) - 1), st.integers(1, 255))


@given(BYTES, st.booleans())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_byte_changed_is_told_or_leaves_a_record_that_agrees_with_itself(
    tmp_path: Path, change: tuple[int, int], alone: bool
) -> None:
    at, by = change
    journal = bytearray(JOURNAL)
    journal[at] ^= by
    kept = {FILE_NAME: bytes(journal)} if alone else {**files("green"), FILE_NAME: bytes(journal)}
    for name in files("green"):
        (tmp_path / name).unlink(missing_ok=True)
    try:
        found = verified(tmp_path, kept)
    except JournalError:
        assert at < JOURNAL.index(b"\n") + 1
        return
    if found.failing:
        return
    before, after = lines_of(JOURNAL), lines_of(bytes(journal))
    assert len(before) == len(after)
    differing = set().union(*(changed_fields(one, other) for one, other in zip(before, after, strict=True)))
    assert differing <= (FREE_ALONE if alone else FREE_BESIDE), differing
