"""The wireless steps can fail, say nothing of a token, and leave no trace in the next scenario."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conformance_bench import Ran, complaints, scenario_text, steps_text, suite_text

from bifente.conformance.scenario.steps import steps
from bifente.reports.events import BenchChange, Exchange, Message
from bifente.reports.verdict import Verdict

Run = Callable[..., Ran]

HEAD = """
bench:
  profile: readers/olaqin-like-wireless
  cards: {cps: medecin-generaliste, vitale: vitale/famille-trois}
"""


def deviations(ran: Ran) -> list[tuple[str, str]]:
    return [(bad.name, str(bad.observed)) for step in ran.steps for bad in step.expectations if not bad.ok]


@pytest.mark.parametrize(
    ("step", "deviation"),
    [
        ("call-cloud: {function: LireConfig, bearer: tampered}", ("http", "401")),
        ("call-cloud: {function: LireConfig, access: no-token}", ("http", "401")),
        ("renew-token: first\n- renew-token: first", ("outcome", "replayed")),
        ("open-session: other-terminal", ("outcome", "other-terminal")),
        ("consultation: {minutes: 5, renew-every: 150}", ("dropped", "2")),
        ("terminal-state:\n  expect: {link: lost}", ("link", "up")),
        ("call-cloud: LireConfig\n  expect: {code: F001}", ("code", "0000")),
        ("call-cloud: LireConfig\n  expect: {http: 401}", ("http", "200")),
        ("call-cloud: LireConfig\n  expect: {reason: expired}", ("reason", "(not observed)")),
        ("link: lost\n- read: EF.SN", ("error", "READER_UNAVAILABLE")),
    ],
)
def test_what_does_not_hold_fails(run: Run, step: str, deviation: tuple[str, str]) -> None:
    ran = run(steps_text(f"- {step}", head=HEAD))
    assert ran.verdict is Verdict.FAILED, ran.told()
    assert deviation in deviations(ran)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("link: gone", "link"),
        ("battery: 101", "a number of at most 100"),
        ("call-cloud: {function: ../x}", "function"),
        ("call-cloud: {function: LireConfig, bearer: nonsense}", "nonsense"),
        ("call-cloud: {function: LireConfig, tries: 0}", "a number of at least 1"),
        ("renew-token: {after-exchanges: 0}", "a number of at least 1"),
        ("open-session: stolen", "stolen"),
    ],
)
def test_bad_arguments_are_refused_before_the_run(tmp_path: Path, step: str, said: str) -> None:
    told = complaints(tmp_path, steps_text(f"- {step}", head=HEAD))
    assert told, step
    assert any(said in one for one in told) or said in step


def test_a_reader_on_a_wire_has_no_link(run: Run) -> None:
    ran = run(steps_text("- link: lost"))
    assert ran.verdict is Verdict.NOT_RUN
    assert "not wireless" in ran.reason


def test_a_suite_for_wireless_readers_does_not_apply_to_others(run: Run) -> None:
    text = suite_text(scenario_text("requires: [wireless]\nsteps:\n  - link: lost"))
    assert run(text).verdict is Verdict.NOT_APPLICABLE


def test_a_scenario_finds_the_terminal_fresh_whatever_the_one_before_did(run: Run) -> None:
    spoilt = "steps:\n  - {}\n  - advance-clock: 5"
    state = "{pairing: paired, link: up, session: open, remaining: 120, battery: 100}"
    fresh = f"steps:\n  - terminal-state:\n    expect: {state}"
    fresh += (
        "\n  - read: EF.SN\n  - call-cloud: {function: LireDroitsVitale, code: $card.code}\n    expect: {code: '0000'}"
    )
    for number, accident in enumerate(
        ("link: lost", "battery: 0", "unpair: {revoked: true}", "terminal-clock: 300", "link: {state: weak, lost: 100}")
    ):
        ran = run(
            suite_text(
                scenario_text(spoilt.format(accident), f"before-{number}"),
                scenario_text(fresh, f"after-{number}"),
                head=HEAD,
            )
        )
        assert ran.verdicts[f"after-{number}"] is Verdict.PASSED, (accident, ran.told())


def test_the_picture_shows_link_token_and_battery_as_time_passes(run: Run) -> None:
    ran = run(
        steps_text(
            """
            - advance-clock: 20
            - link: weak
            - battery: 10
            - advance-clock: 100
            - link: lost
            - unpair:
            """,
            head=HEAD,
        )
    )
    pictures = [event.picture for event in ran.events if isinstance(event, BenchChange) and event.index is not None]
    assert [picture["link"] for picture in pictures] == ["up", "weak", "weak", "weak", "lost", "unpaired"]
    assert [picture["token"] for picture in pictures] == ["100 s", "100 s", "100 s", "lapsed", "lapsed", "closed"]
    assert [picture["battery"] for picture in pictures] == [
        "100 %",
        "100 %",
        "10 % low",
        "10 % low",
        "10 % low",
        "10 % low",
    ]
    assert [picture["slot:cps"] for picture in pictures] == ["medecin-generaliste"] * 3 + ["!medecin-generaliste"] * 3


def test_no_token_is_told_beside_a_message(run: Run) -> None:
    ran = run(
        steps_text(
            """
            - call-cloud: {function: LireCartePS, code: "1234"}
            - renew-token:
            - call-cloud: {function: LireCartePS, access: first}
              expect: {http: 401}
            """,
            head=HEAD,
        )
    )
    # Messages hold them, and are masked where they are written: see tests/conformance/bench/test_wireless_messages.py.
    told = repr([event for event in ran.events if not isinstance(event, Exchange | Message)])
    assert ran.verdict is Verdict.PASSED
    assert "eyJ" not in told
    assert "1234'" not in told
    assert [(event.line, event.direction.value) for event in ran.events if isinstance(event, Message)][1::2] == [
        ("200 OK", "received"),
        ("401 Unauthorized", "received"),
    ]


def test_a_weak_link_is_the_same_under_the_same_seed(run: Run) -> None:
    text = steps_text(
        "- link: {state: weak, lost: 6, late: 0}\n"
        "- call-cloud: {function: LireDroitsVitale, code: $card.code, tries: 50}",
        head=HEAD,
    )

    def tries(seed: int) -> Any:
        return [dict(step.decoded or ()).get("tries") for step in run(text, seed=seed).steps][-1]

    seen = {seed: tries(seed) for seed in range(1, 7)}
    assert seen == {seed: tries(seed) for seed in range(1, 7)}
    assert len(set(seen.values())) > 1


def test_the_code_is_a_secret_argument() -> None:
    assert steps()["call-cloud"].secrets() == {"code"}
