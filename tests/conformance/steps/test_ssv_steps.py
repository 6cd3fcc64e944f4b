"""The SSV steps: what they observe, what the record keeps of a call, and that it keeps no code."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from conformance_bench import Lab, Ran, complaints, steps_text

from bifente.conformance.bench.facets import Apdu
from bifente.conformance.bench.recording import RecordedAccess
from bifente.conformance.scenario.steps import steps
from bifente.ground.text import Text
from bifente.reports.events import Call, to_dict
from bifente.reports.verdict import Verdict
from bifente.simulator.cards.dialogue import Exchanged
from bifente.simulator.readers import PcscCode, ScardError

BENCH = "bench: {cards: {cps: medecin-generaliste, vitale: vitale/famille-trois}}"
Run = Callable[..., Ran]


def calls(ran: Ran) -> list[Call]:
    return [event for event in ran.events if isinstance(event, Call)]


def test_a_call_is_recorded_with_its_result_in_words_and_its_exchanges(run: Run) -> None:
    ran = run(
        steps_text(
            """
            - init-lib
            - lire-droits-vitale: $card.code
              expect: {groups: {count: {104: 3}}, fields: {101.nir: $cards.vitale.nir}}
            """,
            head=BENCH,
        )
    )
    assert ran.verdict is Verdict.PASSED, ran.told()
    first, second = calls(ran)
    assert (first.function, first.result, dict(first.arguments)) == ("SSV_InitLIB", "0000 ok", {})
    assert (second.function, second.result) == ("SSV_LireDroitsVitale", "0000 ok")
    assert second.arguments["ps"] == "CPS"
    assert second.arguments["code"] == "••••"
    assert second.answer["zone"].endswith("bytes")
    assert {exchange.slot for exchange in ran.exchanges} == {"cps", "vitale"}
    assert second.duration_us > 0


def test_the_step_shows_the_zone_decoded_and_the_code_with_cause_and_remedy(run: Run) -> None:
    ran = run(
        steps_text(
            """
            - init-lib
            - remove-card:
              slot: cps
            - lire-droits-vitale: $cards.cps.code
              expect: {code: ps-absent}
            """,
            head=BENCH,
        )
    )
    assert ran.verdict is Verdict.PASSED, ran.told()
    decoded = {_french(name): _french(value) for name, value in ran.steps[-1].decoded or ()}
    assert decoded["code"].startswith("F001 (61441) : ")
    assert decoded["cause"]
    assert decoded["remède"]
    assert "101 Assuré · NIR" in decoded


def _french(words: str | Text) -> str:
    return words.get("fr") if isinstance(words, Text) else words


def test_no_code_is_written_anywhere(run: Run) -> None:
    ran = run(
        steps_text(
            """
            - init-lib
            - lire-carte-ps: "8642"
              expect: {code: F003}
            - lire-droits-vitale: {code: "8642"}
              expect: {code: F003}
            """,
            head=BENCH,
        )
    )
    assert ran.verdict is Verdict.PASSED, ran.told()
    text = json.dumps([to_dict(event) for event in ran.events], ensure_ascii=False)
    assert "8642" not in text
    assert "38 36 34 32" not in text


@pytest.mark.parametrize(
    "expect",
    [
        "{code: F011}",
        "{groups: [101]}",
        "{groups: {absent: [106]}}",
        "{groups: {count: {104: 2}}}",
        "{fields: {101.nir: '1'}}",
        "{zone: ''}",
        "{zone: {length: 1}}",
    ],
)
def test_what_is_not_so_fails(run: Run, expect: str) -> None:
    ran = run(steps_text(f"- init-lib\n- lire-droits-vitale: $card.code\n  expect: {expect}", head=BENCH))
    assert ran.verdict is Verdict.FAILED


def test_a_step_that_says_nothing_expects_success(run: Run) -> None:
    ran = run(steps_text("- lire-carte-ps: $card.code", head=BENCH))
    assert ran.verdict is Verdict.FAILED
    assert "F600" in ran.told()


@pytest.mark.parametrize(
    ("step", "complaint"),
    [
        ("lire-carte-ps: {code: '1234'}\n  expect: {code: F0}", "return code"),
        ("lire-carte-ps: {code: '1234'}\n  expect: {groups: [9999]}", "no group"),
        ("lire-carte-ps: {code: '1234'}\n  expect: {fields: {1.nobody: x}}", "no field"),
        ("lire-carte-ps: {code: '1234'}\n  expect: {sw: '9000'}", "sw"),
        ("lire-carte-ps", "code"),
        ("use-middleware: telepathy", "full-pcsc"),
        ("maj-date-lecteur", "date"),
        ("lire-config: {code: '1'}", "code"),
    ],
)
def test_a_scenario_that_cannot_be_meant_is_refused_when_read(tmp_path, step: str, complaint: str) -> None:  # type: ignore[no-untyped-def]
    found = complaints(tmp_path, steps_text(f"- {step}", head=BENCH))
    assert len(found) == 1
    assert complaint in found[0]


def test_the_two_ways_have_a_library_each(run: Run) -> None:
    ran = run(
        steps_text(
            """
            - init-lib
            - use-middleware: galss
            - lire-config:
              expect: {code: F600}
            - init-lib
            - lire-config:
              expect: {groups: {present: [63]}}
            - use-middleware: full-pcsc
            - lire-config:
              expect: {groups: {absent: [63]}}
            """,
            head=BENCH,
        )
    )
    assert ran.verdict is Verdict.PASSED, ran.told()


def test_every_ssv_step_runs_on_a_real_reader_too() -> None:
    names = ["init-lib", "term-lib", "lire-config", "lire-date-lecteur", "maj-date-lecteur", "lire-carte-ps"]
    for name in [*names, "lire-droits-vitale", "use-middleware"]:
        assert steps()[name].needs == {Apdu}


def test_what_fails_on_the_line_is_recorded_with_an_empty_answer(lab: Lab) -> None:
    class Wire:
        atr = b"\x3b\x00"

        def transmit(self, command: bytes) -> bytes:
            raise ScardError(PcscCode.COMM_ERROR)

    class Access:
        def connect(self, reader: str) -> Wire:
            return Wire()

    told: list[tuple[str, Exchanged]] = []
    access = RecordedAccess(lambda: Access(), lambda: {"a": "cps"}, lambda *what: told.append(what))  # type: ignore[arg-type,return-value]
    for name in ("a", "b"):
        with pytest.raises(ScardError):
            access.connect(name).transmit(b"\x00\xa4")
    assert [(role, one.command, one.response) for role, one in told] == [
        ("cps", b"\x00\xa4", b""),
        ("b", b"\x00\xa4", b""),
    ]
