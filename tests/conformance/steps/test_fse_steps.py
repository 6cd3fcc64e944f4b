"""The steps on care sheets: what they refuse to be written, what the record keeps, what each scenario starts with."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conformance_bench import Ran, steps_text
from pydantic import ValidationError

from bifente.conformance.scenario.steps import steps
from bifente.reports.events import Call
from bifente.reports.verdict import Verdict

TWO = "bench: {cards: {cps: medecin-generaliste, vitale: vitale/assure-seul}}"
SECURED = "- fse-read-cards: $card.code\n- fse-make: [{code: G}]\n- fse-secure: $card.code\n"
Run = Callable[..., Ran]


@pytest.mark.parametrize(
    ("name", "raw", "words"),
    [
        ("fse-software", {"profile": "2.0"}, "no such profile"),
        ("fse-software", {"transport": "pigeon"}, "'mail' or 'mail-pop3'"),
        ("fse-software", {"deadlines": {"retransmit": -1}}, "greater than or equal to 0"),
        ("fse-software", {"deadlines": {"retransmitt": 3}}, "no deadline is called 'retransmitt'; there are"),
        ("fse-wait", {}, "say how long"),
        ("fse-wait", {"days": 1, "working-days": 1}, "say how long"),
        ("fse-wait", {"until": "christmas"}, "'day-before-a-holiday'"),
        ("fse-make", [{"code": "G", "coefficient": "four"}], "a number is expected"),
        ("fse-make", [{"code": "G", "price": 3}], "Extra inputs"),
        ("fse-make", [{"code": "G", "amount": 30.0}], "write 3000 for 30.00"),
        ("fse-make", {"acts": [], "payment": "later"}, "'direct' or 'tiers-payant'"),
        ("fse-make", {"acts": [], "mode": 6}, "0, 1, 2, 3, 4 or 5"),
        ("fse-alter", "weather", "no such change"),
        ("fse-alter", {"change": "amount", "at": 101}, "less than or equal to 100"),
        ("fse-disturb", "fog", "no such disturbance"),
        ("fse-front-end", {"trouble": "strike"}, "'front-end-down'"),
        ("fse-front-end", {"rejected": 2}, "less than or equal to 1"),
        ("fse-desk", "shout", "'give-up'"),
        ("fse-verify", {"byte": -1}, "greater than or equal to 0"),
        ("fse-lots", {"code": "1234", "lost": 1000}, "less than or equal to 900"),
    ],
)
def test_what_cannot_be_meant_is_refused(name: str, raw: object, words: str) -> None:
    kind = steps()[name]
    with pytest.raises(ValidationError) as raised:
        kind.model_validate(kind.arguments(raw))
    assert words in str(raised.value.errors()[0]["msg"])


def test_calls_are_kept_with_their_meaning_and_without_the_code(run: Run) -> None:
    ran = run(steps_text(SECURED + "- fse-lots: $card.code\n- fse-send:\n- fse-receive:", head=TWO))
    assert ran.verdict is Verdict.PASSED, ran.told()
    calls = [event for event in ran.events if isinstance(event, Call)]
    assert [call.function for call in calls] == [
        *("fse-read-cards", "fse-make", "fse-secure", "fse-lots", "fse-send", "fse-receive")
    ]
    assert calls[2].result == "0000 ok"
    assert calls[5].answer == {"arl": "+1 -0", "rsp": "0"}
    assert not [call for call in calls if "1234" in str(call.arguments)]


def test_the_cards_really_sign(run: Run) -> None:
    ran = run(steps_text(SECURED, head=TWO))
    signatures = [one for one in ran.exchanges if one.command.replace(" ", "").upper()[2:8] == "2A9E9A"]
    assert {one.slot for one in signatures} == {"cps", "vitale"}


def test_each_scenario_has_a_practice_of_its_own(run: Run) -> None:
    first = "- fse-read-cards: $card.code\n- fse-make: [{code: G}]\n  expect: {number: 1}"
    for _ in range(2):
        assert run(steps_text(first, head=TWO)).verdict is Verdict.PASSED


def test_a_refusal_that_is_not_expected_fails(run: Run) -> None:
    blocked = "- fse-read-cards: $card.code\n- fse-make: {acts: [{code: G}], days-ago: -1}"
    assert run(steps_text(blocked, head=TWO)).verdict is Verdict.FAILED
    unread = "- fse-make: [{code: G}]"
    assert run(steps_text(unread, head=TWO)).verdict is Verdict.FAILED


def test_nothing_is_signed_sent_or_looked_at_before_a_sheet_is_made(run: Run) -> None:
    assert run(steps_text("- fse-secure: $card.code", head=TWO)).verdict is Verdict.FAILED
    assert run(steps_text("- fse-lots: $card.code", head=TWO)).verdict is Verdict.FAILED
    assert run(steps_text("- fse-send:", head=TWO)).verdict is Verdict.FAILED
    assert run(steps_text("- fse-desk: purge", head=TWO)).verdict is Verdict.FAILED


def test_what_needs_a_sheet_before_it_fails_and_says_so(run: Run) -> None:
    for step in ("fse-look:", "fse-receive:", "fse-work-list:", "fse-verify:", "fse-alter: amount", "fse-remarks:"):
        ran = run(steps_text(f"- {step}", head=TWO))
        assert ran.verdict is Verdict.FAILED, step
        assert ran.steps[0].reason, step


def test_a_software_in_use_keeps_its_profile(run: Run) -> None:
    ran = run(steps_text(SECURED + "- fse-software: {profile: 1.40-clear}", head=TWO))
    assert ran.verdict is Verdict.FAILED
    assert ran.steps[-1].reason
    assert "before the first sheet" in ran.steps[-1].reason.en


def test_a_front_end_in_use_keeps_its_parameters(run: Run) -> None:
    text = SECURED + "- fse-lots: $card.code\n- fse-send:\n- fse-front-end: {rsp-days: 1}"
    ran = run(steps_text(text, head=TWO))
    assert ran.verdict is Verdict.FAILED
    assert ran.steps[-1].reason
    assert "in use" in ran.steps[-1].reason.en


def test_two_lots_are_in_their_order_by_mail_too(run: Run) -> None:
    text = "- fse-software: {transport: mail}\n" + (SECURED + "- fse-lots: $card.code\n- fse-send:\n") * 2
    ran = run(steps_text(text + "- fse-receive:\n  expect: {positive: 2, lots: ['000', '001']}", head=TWO))
    assert ran.verdict is Verdict.PASSED, ran.told()
