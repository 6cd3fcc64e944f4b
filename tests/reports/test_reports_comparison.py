"""Two records side by side: each kind of difference is told once, and nothing is alike that was not compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sample import SUITE, Ticks, exchange, run_started, scenario, step

from bifente.ground.text import Text
from bifente.reports.comparison.compared import Comparison, compare, identities
from bifente.reports.comparison.differing import Aspect, RunDifference
from bifente.reports.comparison.telling import grouped, lines, plain
from bifente.reports.events import Call, Direction, Event, Exchange, Expectation, Message, RunFinished
from bifente.reports.journal import FILE_NAME, JournalError, Recorder
from bifente.reports.verdict import Verdict

TITLE = Text("Essai", "Trial")


def apdu(name: str, command: str = "00B0810000", response: str = "CAFE9000", **more: Any) -> Event:
    return replace(exchange(name, 0, command, response, "READ BINARY", TITLE), **more)


def one_step(name: str, *happened: Event, **more: Any) -> list[Event]:
    return scenario(name, TITLE, Verdict.PASSED, step(name, 0, "read", Verdict.PASSED, *happened, **more))


def record(path: Path, *scenarios: Iterable[Event], ended: bool = True, **start: Any) -> Path:
    path.mkdir()
    with Recorder(path / FILE_NAME, now=Ticks()) as recorder:
        recorder.emit(run_started(**start))
        for events in scenarios:
            recorder.emit_all(list(events))
        if ended:
            recorder.emit(RunFinished())
    return path / FILE_NAME


@pytest.fixture
def sides(tmp_path: Path) -> Callable[..., Comparison]:
    def of(first: Iterable[list[Event]], second: Iterable[list[Event]], **more: Any) -> Comparison:
        return compare(record(tmp_path / "a", *first), record(tmp_path / "b", *second, **more))

    return of


def only(found: Comparison) -> RunDifference:
    assert len(found.differences) == 1, found.differences
    assert not found.alike
    return found.differences[0]


def test_a_record_is_like_itself(sides: Callable[..., Comparison]) -> None:
    found = sides([one_step("x", apdu("x"))], [one_step("x", apdu("x"))])
    assert found.alike
    assert found.compared == 1
    assert list(lines(found, "fr")) == ["Aucune différence, sur 1 scénario(s) jugé(s) des deux côtés."]


@pytest.mark.parametrize(
    ("other", "aspect", "first", "second"),
    [
        (apdu("x", response="CAFE6982", sw="6982"), Aspect.STATUS_WORD, "9000", "6982"),
        (apdu("x", response="CAFF9000"), Aspect.DATA, "CAFE", "CAFF"),
        (apdu("x", response="CA9000"), Aspect.DATA, "CAFE", "CA"),
        (apdu("x", command="00B0810010"), Aspect.COMMANDS, "cps: 00B0810000", "cps: 00B0810010"),
    ],
)
def test_what_an_exchange_differs_in(
    sides: Callable[..., Comparison], other: Exchange, aspect: Aspect, first: str, second: str
) -> None:
    found = only(sides([one_step("x", apdu("x"))], [one_step("x", other)]))
    assert (found.aspect, found.first, found.second) == (aspect, first, second)
    assert (found.scenario, found.step, found.name) == (f"{SUITE}/x", 0, "read")


def test_a_command_of_one_side_only_moves_nothing_else(sides: Callable[..., Comparison]) -> None:
    more = apdu("x", command="00C0000000", response="9000")
    found = only(sides([one_step("x", apdu("x"))], [one_step("x", more, apdu("x"))]))
    assert (found.aspect, found.first, found.second) == (Aspect.COMMANDS, None, "cps: 00C0000000 9000")


def test_a_return_code_and_what_a_function_gave(sides: Callable[..., Comparison]) -> None:
    def call(result: str, slots: str) -> list[Event]:
        at: dict[str, Any] = {"scenario": f"{SUITE}/x", "index": 0}
        return one_step("x", Call(**at, function="C_Login", result=result, answer={"slots": slots}))

    found = sides([call("CKR_OK", "2")], [call("CKR_PIN_LOCKED", "1")]).differences
    assert [(one.aspect, one.first, one.second) for one in found] == [
        (Aspect.RESULT, "CKR_OK", "CKR_PIN_LOCKED"),
        (Aspect.RESULT, "2", "1"),
    ]


def test_a_pcsc_code_in_place_of_an_answer(sides: Callable[..., Comparison]) -> None:
    error = Expectation(name="error", expected="no PC/SC error", observed="NO_SMARTCARD (8010000C)", ok=False)
    found = sides([one_step("x", apdu("x"))], [one_step("x", expectations=(error,))]).differences
    assert [(one.aspect, one.first, one.second) for one in found] == [
        (Aspect.PCSC, None, "NO_SMARTCARD (8010000C)"),
        (Aspect.COMMANDS, "cps: 00B0810000 9000 CAFE", None),
    ]


def test_a_message_by_the_line_that_begins_it(sides: Callable[..., Comparison]) -> None:
    def answer(line: str, body: str) -> list[Event]:
        at: dict[str, Any] = {"scenario": f"{SUITE}/x", "index": 0}
        return one_step("x", Message(**at, protocol="http", peer="dmp", direction=Direction.SENT, line=line, body=body))

    found = only(sides([answer("HTTP 200", "12:00")], [answer("HTTP 500", "12:01")]))
    assert (found.aspect, found.first, found.second) == (Aspect.MESSAGE, "HTTP 200", "HTTP 500")


def test_what_an_expectation_saw_is_told_where_nothing_else_differs(sides: Callable[..., Comparison]) -> None:
    def seen(tries: str, response: str) -> list[Event]:
        tried = Expectation(name="tries", expected="3", observed=tries, ok=True)
        return one_step("x", apdu("x", response=response, sw=response[-4:]), expectations=(tried,))

    assert only(sides([seen("3", "9000")], [seen("2", "9000")])).aspect is Aspect.OBSERVED


def test_what_an_expectation_saw_is_not_told_twice(sides: Callable[..., Comparison]) -> None:
    def seen(sw: str) -> list[Event]:
        tried = Expectation(name="sw", expected="9000", observed=sw, ok=True)
        return one_step("x", apdu("x", response=sw, sw=sw), expectations=(tried,))

    assert only(sides([seen("9000")], [seen("6A82")])).aspect is Aspect.STATUS_WORD


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (900_000, 1_100_000, None),  # on both sides of a bound, and yet alike
        (10_000, 99_000, None),
        (20_000, 400_000, ("< 0,1 s", "0,1-1 s")),
        (500_000, 30_000_000, ("0,1-1 s", "> 20 s")),
    ],
)
def test_the_class_of_a_duration_and_not_the_duration(
    sides: Callable[..., Comparison], first: int, second: int, told: tuple[str, str] | None
) -> None:
    def lasting(duration: int) -> list[Event]:
        events = one_step("x", apdu("x"))
        return [replace(one, duration_us=duration) if one is events[-2] else one for one in events]

    found = [(one.first, one.second) for one in sides([lasting(first)], [lasting(second)]).differences]
    assert found == ([] if told is None else [told])


def test_a_verdict_with_its_reasons(sides: Callable[..., Comparison]) -> None:
    why = Text("pas d'horloge", "no clock")
    found = sides(
        [one_step("x", apdu("x"))], [scenario("x", TITLE, Verdict.NOT_RUN, reason=why)], environment={"os": "other"}
    )
    assert only(found).aspect is Aspect.VERDICT
    assert found.compared == 0
    told = "\n".join(lines(found, "fr"))
    assert "B  ○ non exécuté : pas d'horloge" in told
    assert "autour : os : A Debian GNU/Linux 12 | B other" in told


def test_a_scenario_of_one_side_only(sides: Callable[..., Comparison]) -> None:
    both = one_step("x", apdu("x"))
    found = only(sides([both, one_step("y", apdu("y"))], [both]))
    assert (found.aspect, found.scenario, found.second) == (Aspect.PRESENCE, f"{SUITE}/y", None)


def test_steps_that_are_not_the_same(sides: Callable[..., Comparison]) -> None:
    longer = scenario("x", TITLE, Verdict.PASSED, step("x", 0, "read", Verdict.PASSED, apdu("x")), step("x", 1, "sign"))
    found = only(sides([one_step("x", apdu("x"))], [longer]))
    assert (found.aspect, found.first, found.second) == (Aspect.STEPS, "read", "read sign")


def test_another_order_makes_no_difference(sides: Callable[..., Comparison]) -> None:
    events = [one_step(name, apdu(name)) for name in ("x", "y", "z")]
    found = sides(events, events[::-1])
    assert found.alike
    assert found.compared == 3


@pytest.mark.parametrize("verdict", [Verdict.NOT_RUN, Verdict.BLOCKED, Verdict.NOT_APPLICABLE, Verdict.BENCH_ERROR])
def test_scenarios_that_nobody_judged_prove_nothing(sides: Callable[..., Comparison], verdict: Verdict) -> None:
    found = sides([scenario("x", TITLE, verdict)], [scenario("x", TITLE, verdict)])
    assert not found.differences
    assert not found.alike
    assert list(lines(found, "fr"))[-1].startswith("Rien n'a été comparé")


def test_no_scenario_at_all_is_no_likeness(sides: Callable[..., Comparison]) -> None:
    assert not sides([], []).alike


def test_a_run_that_stopped_is_not_like_another(tmp_path: Path) -> None:
    whole = record(tmp_path / "a", one_step("x", apdu("x")))
    cut = record(tmp_path / "b", one_step("x", apdu("x")), ended=False)
    found = compare(whole, cut)
    assert found.incomplete == (False, True)
    assert not found.alike
    assert "Le passage B n'est pas allé à son terme" in "\n".join(lines(found, "fr"))


def test_what_varies_of_itself_is_set_aside_and_counted(tmp_path: Path) -> None:
    first = record(tmp_path / "a", one_step("x", apdu("x", response="11119000")))
    again = record(tmp_path / "again", one_step("x", apdu("x", response="22229000")))
    second = record(tmp_path / "b", one_step("x", apdu("x", response="33339000")))
    assert not compare(first, second).alike
    for found in (compare(first, second, first_again=again), compare(second, first, second_again=again)):
        assert found.alike
        assert found.varying == 1
        assert "même côté : 1." in "\n".join(lines(found, "fr"))


def test_what_varies_of_itself_excuses_nothing_else(tmp_path: Path) -> None:
    first = record(tmp_path / "a", one_step("x", apdu("x", response="11119000")))
    again = record(tmp_path / "again", one_step("x", apdu("x", response="22229000")))
    second = record(tmp_path / "b", one_step("x", apdu("x", response="33336982", sw="6982")))
    found = compare(first, second, first_again=again)
    assert [one.aspect for one in found.differences] == [Aspect.STATUS_WORD]


def test_identities_tell_a_suite_that_changed(sides: Callable[..., Comparison]) -> None:
    found = sides([one_step("x", apdu("x"))], [one_step("x", apdu("x"))], inputs=(), seed=7, target="pcsc")
    names = [name for name, _one, _other in identities(found)]
    assert names[:2] == ["target", "seed"]
    assert any(name.startswith("input.") for name in names)
    assert found.alike  # what was observed is, and what distinguishes the runs is said
    assert any("graines" in line for line in lines(found, "fr"))


def test_alike_differences_are_told_once_and_those_of_many_values_together(sides: Callable[..., Comparison]) -> None:
    names = [f"s{number}" for number in range(6)]
    first = [one_step(name, apdu(name)) for name in names]
    second = [one_step(name, apdu(name, response=f"CAF{number}9000")) for number, name in enumerate(names)]
    found = sides(first, second)
    assert len(found.differences) == 6
    assert [len(group) for group in grouped(found.differences)] == [6]
    told = "\n".join(lines(found, "fr"))
    assert "6 × données, cps: READ BINARY, 6 couples de valeurs, dont :" in told
    assert "… et ailleurs, 3 fois (--all)" in told
    assert len(plain(found)["differences"]) == 6


def test_a_long_value_is_cut_where_it_differs(sides: Callable[..., Comparison]) -> None:
    long = "AB" * 300
    found = sides(
        [one_step("x", apdu("x", response=f"{long}00{long}9000"))],
        [one_step("x", apdu("x", response=f"{long}FF{long}9000"))],
    )
    told = [line for line in lines(found, "fr") if line.startswith("      A")]
    assert told == ["      A  …ABABABAB00ABABABABABABABABABABABABABABABABABABAB… (1202 caractères)"]


def test_a_journal_that_is_none(tmp_path: Path) -> None:
    good = record(tmp_path / "a", one_step("x", apdu("x")))
    (tmp_path / "none").write_text("what is this\n")
    with pytest.raises(JournalError, match="none:1"):
        compare(good, tmp_path / "none")


ANSWERS = st.lists(st.sampled_from(["9000", "6982", "63C2", "019000", "029000"]), max_size=6)


@settings(max_examples=25, deadline=None)
@given(first=ANSWERS, second=ANSWERS)
def test_two_records_are_alike_when_their_exchanges_are(
    tmp_path_factory: pytest.TempPathFactory, first: list[str], second: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("runs")

    def run(name: str, answers: list[str]) -> Path:
        events = [apdu("x", response=answer, sw=answer[-4:]) for answer in answers]
        return record(folder / name, one_step("x", *events))

    one, other = run("a", first), run("b", second)
    assert compare(one, other).alike == (first == second)
    there, back = compare(one, other).differences, compare(other, one).differences
    assert [(item.first, item.second) for item in there] == [(item.second, item.first) for item in back] or (
        # To align two lists has more than one answer; what differs differs both ways.
        bool(there) == bool(back)
    )
