"""The steps on the GALSS and on sesam.ini: what they refuse to be written, and what the bench does for them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conformance_bench import Ran, steps_text
from pydantic import ValidationError

from bifente.conformance.scenario.steps import steps
from bifente.reports.verdict import Verdict

TWO = "bench: {profile: readers/olaqin-vitalact, cards: {cps: medecin-generaliste, vitale: vitale/assure-seul}}"
Run = Callable[..., Ran]


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("galss-file", "no-such-way", "no such way of being broken"),
        ("galss-file", {"section": "CANAL1"}, "section and key go together"),
        ("galss-file", {"key": "PAD"}, "section and key go together"),
        ("galss-file", {"com": 0}, "greater than or equal to 1"),
        ("galss-file", {"line-end": "lfcr"}, "'crlf', 'lf' or 'cr'"),
        ("galss-server", "asleep", "'stopped', 'started' or 'restarted'"),
        ("galss-server", {"pss-version": "3"}, "match pattern"),
        ("galss-open", {"reach": ["cps", "bank"]}, "'cps' or 'vitale'"),
        ("galss-open", {"application": "A B"}, "match pattern"),
        ("galss-transmit", "00 A", "hexadecimal"),
        ("sesam-file", {"key": "RepertoireTable"}, "a key needs its section"),
        ("sesam-file", {"folder": "elsewhere"}, "'work-read-only'"),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, raw: object, words: str) -> None:
    kind = steps()[name]
    with pytest.raises(ValidationError) as raised:
        kind.model_validate(kind.arguments(raw))
    assert words in str(raised.value.errors()[0]["msg"])


def test_a_breakage_that_the_file_has_no_place_for_is_not_run(run: Run) -> None:
    one = "bench: {profile: readers/generic-contactless, cards: {cps: medecin-generaliste}}"
    ran = run(steps_text("- galss-file: alias-missing", head=one))
    assert ran.verdicts["only"] is Verdict.NOT_RUN
    assert "CANAL2.PAD1.LAD1" in ran.reason


def test_a_command_without_a_session_fails_and_does_not_blame_the_bench(run: Run) -> None:
    ran = run(steps_text("- galss-transmit: 00 A4 00 00 02 3F 00", head=TWO))
    assert ran.verdicts["only"] is Verdict.FAILED


def test_sessions_left_open_are_released_before_the_next_scenario(run: Run) -> None:
    text = steps_text("- galss-open: {application: lps}", head=TWO)
    for _ in range(2):
        assert run(text).verdicts["only"] is Verdict.PASSED
    ran = run(steps_text("- galss-open: {application: other}\n- transmit: 00 A4 00 0C 02 3F 00", head=TWO))
    assert ran.verdicts["only"] is Verdict.FAILED  # the card is held: by the session of this scenario
    ran = run(steps_text("- transmit: 00 A4 00 0C 02 3F 00\n  expect: {sw: [9000, 61xx]}", head=TWO))
    assert ran.verdicts["only"] is Verdict.PASSED


def test_each_scenario_begins_without_the_files_of_the_one_before(run: Run) -> None:
    broken = "- galss-file: config-missing\n  expect: {code: 0x800D}\n- galss-open:\n  expect: {code: 0x800D}"
    assert run(steps_text(broken, head=TWO)).verdicts["only"] is Verdict.PASSED
    assert run(steps_text("- galss-open", head=TWO)).verdicts["only"] is Verdict.PASSED


def test_a_broken_file_that_the_scenario_does_not_expect_fails(run: Run) -> None:
    assert run(steps_text("- galss-file: lad-missing", head=TWO)).verdicts["only"] is Verdict.FAILED
    assert run(steps_text("- sesam-file: {missing: true}", head=TWO)).verdicts["only"] is Verdict.FAILED
