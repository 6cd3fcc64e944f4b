"""A journal whole, in order, its verdicts following: each thing tampered with in turn, and the check that says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sample
from kept_record import Lines, Verified, files, first, journal_of, lines_of, verified, written
from sample import OTHER, SUITE

from bifente.ground.text import Text
from bifente.reports.events import SCHEMA, Event, Exchange, Note, RunFinished
from bifente.reports.journal import FILE_NAME, JournalError
from bifente.reports.verdict import Verdict

JOURNAL = files()[FILE_NAME]


def told(folder: Path, journal: bytes) -> Verified:
    return verified(folder, {FILE_NAME: journal})


@pytest.mark.parametrize("kind", ["full", "green"])
def test_a_record_as_it_was_written_holds(tmp_path: Path, kind: str) -> None:
    found = verified(tmp_path, files(kind))
    assert found.failing == []
    assert {check.id for check in found.whole.checks if check.holds} == {
        *("journal", "structure", "verdicts", "reports/report.json", "reports/report.html"),
        *("reports/junit.xml", "reports/ctrf.json", "reports/summary.md"),
    }


def test_the_journal_alone_is_enough(tmp_path: Path) -> None:
    found = told(tmp_path, JOURNAL)
    assert found.whole.holds
    assert found["reports"].holds is None
    assert found["structure"].text.en == "8 scenario(s), 10 step(s), in order"


def without(number: int) -> Callable[[bytes], bytes]:
    return lambda journal: b"".join(line for at, line in enumerate(journal.splitlines(True)) if at != number)


def swapped(journal: bytes) -> bytes:
    lines = journal.splitlines(True)
    lines[4], lines[5] = lines[5], lines[4]
    return b"".join(lines)


LAST = len(JOURNAL.splitlines())


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (without(0), 1, "event 1 where event 0 should be"),
        (without(9), 10, "event 10 where event 9 should be"),
        (swapped, 5, "event 5 where event 4 should be"),
        (lambda journal: journal[:-1], LAST, "the last line has no end"),
        (lambda journal: journal[:-9], LAST, "the last line is cut short"),
        (without(LAST - 1), LAST - 1, "the end of the run is not there"),
        (lambda journal: journal[: journal.index(b"\n", 5_000) + 1], None, "the end of the run is not there"),
        (lambda journal: journal + journal.splitlines(True)[1], LAST + 1, "event 1 where event 50 should be"),
        (lambda journal: journal + b"\n", LAST + 1, "not JSON"),
        (lambda journal: journal.replace(b'"duration_us":640', b'"duration_us":-64', 1), 5, ">= 0"),
        (lambda journal: journal.replace(b'"ok":true', b'"ok":true,"ok":true', 1), None, "the field ok is there twice"),
        (lambda journal: journal.replace(b'"seq":3,', b'"seq":3,"\\u0073eq":3,', 1), 4, "the field seq is there twice"),
        (lambda journal: journal.replace(b'"seq":3,', b'"seq":3,"new":3,', 1), 4, "new"),
    ],
)
def test_a_journal_that_is_not_as_it_was_written(
    tmp_path: Path, change: Callable[[bytes], bytes], line: int | None, words: str
) -> None:
    journal = change(JOURNAL)
    assert journal != JOURNAL
    found = told(tmp_path, journal)
    assert found.failing[0] == "journal"
    assert words in found["journal"].text.en
    assert line is None or found["journal"].place == f"{FILE_NAME}:{line}"


def test_what_follows_a_line_that_is_wrong_is_not_judged(tmp_path: Path) -> None:
    found = verified(tmp_path, {**files(), FILE_NAME: without(9)(JOURNAL)})
    assert found.failing == ["journal"]
    for name in ("structure", "verdicts", "reports/report.json"):
        assert found[name].holds is None
    assert found["structure"].text.en == "read up to line 9 only"


def tampered(folder: Path, change: Callable[[Lines], object]) -> Verified:
    lines = lines_of(JOURNAL)
    change(lines)
    return told(folder, journal_of(lines))


def moved(event: str, to: str, **fields: object) -> Callable[[Lines], object]:
    def change(lines: Lines) -> None:
        line = lines.pop(first(lines, event, **fields))
        lines.insert(first(lines, to, scenario=fields["scenario"]), line)

    return change


def setting(event: str, where: dict[str, Any], **to: Any) -> Callable[[Lines], object]:
    return lambda lines: lines[first(lines, event, **where)].update(to)


WRONG = {"scenario": f"{SUITE}/wrong-code-is-counted"}
THREE = {"scenario": f"{SUITE}/three-wrong-codes-block"}


def of(lines: Lines, scenario: str) -> Lines:
    return [line for line in lines if line.get("scenario") == scenario]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: lines.__setitem__(slice(-1, -1), of(lines, **WRONG)), "second time"),
        (lambda lines: lines.remove(lines[first(lines, "scenario-finished", **WRONG)]), "before the end of"),
        (lambda lines: lines.remove(lines[first(lines, "scenario-started", **WRONG)]), "is not under way"),
        (lambda lines: lines.remove(lines[first(lines, "step-started", index=1, **WRONG)]), "is not under way"),
        (
            lambda lines: lines.remove(lines[first(lines, "step-finished", index=1, **WRONG)]),
            "before the end of step 2",
        ),
        (moved("exchange", "scenario-started", **WRONG), "is not under way"),
        (moved("step-finished", "step-started", **WRONG), "is not under way"),
        (setting("exchange", {"index": 2, **WRONG}, index=1), "step 2 of"),
        (setting("step-started", {"index": 1, **WRONG}, index=3), "step 4 where step 2 should be"),
        (setting("step-started", {"index": 2, **WRONG}, phase="setup"), "a step of setup after one of steps"),
        (setting("scenario-started", WRONG, suite="ailleurs"), "is none of those of the run"),
        (setting("scenario-started", WRONG, suite=OTHER), "does not bear its suite's name"),
        (lambda lines: lines[0]["suites"][0].update(scenarios=4), "one scenario more than the 4 announced"),
        (lambda lines: lines[0]["suites"][0].update(scenarios=6), "1 announced scenario(s) of"),
        (lambda lines: lines[0].update(suites=[]), "is none of those of the run"),
        (
            lambda lines: [lines.remove(line) for line in of(lines, f"{OTHER}/retrait")],
            "1 announced scenario(s) of lecteurs.bi-fente did not begin",
        ),
    ],
)
def test_scenarios_and_steps_out_of_order(tmp_path: Path, change: Callable[[Lines], object], words: str) -> None:
    found = tampered(tmp_path, change)
    assert "structure" in found.failing
    assert words in found["structure"].text.en


def test_the_place_of_what_is_out_of_order_is_its_line(tmp_path: Path) -> None:
    found = tampered(tmp_path, setting("step-started", {"index": 1, **WRONG}, index=3))
    line = first(lines_of(JOURNAL), "step-started", index=1, **WRONG) + 1
    assert found["structure"].place == f"{FILE_NAME}:{line}"


REASON = {"fr": "r", "en": "r"}
EMPTY = {"fr": "", "en": ""}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (setting("scenario-finished", THREE, verdict="passed"), 'three-wrong-codes-block: told "passed", its'),
        (setting("scenario-finished", THREE, verdict="not-run"), 'its steps give "failed"'),
        (setting("scenario-finished", WRONG, verdict="failed"), 'its steps give "passed"'),
        (setting("scenario-finished", WRONG, verdict="blocked"), 'its steps give "passed"'),
        (setting("scenario-finished", WRONG, verdict="bench-error"), 'its steps give "passed"'),
        (setting("step-finished", {"index": 1, **THREE}, verdict="passed"), 'its expectations give "failed"'),
        (setting("step-finished", {"index": 1, **THREE}, verdict="not-run"), 'its expectations give "failed"'),
        (setting("step-finished", {"index": 1, **WRONG}, verdict="failed"), 'its expectations give "passed"'),
        (setting("step-finished", {"index": 1, **WRONG}, verdict="failed", expectations=[]), "nothing says why"),
        (setting("step-finished", {"index": 0, **WRONG}, verdict="not-run"), "nothing says why"),
        (setting("step-finished", {"index": 0, **WRONG}, verdict="not-run", reason=EMPTY), "nothing says why"),
        (setting("scenario-finished", WRONG, verdict="bench-error", reason=EMPTY), 'its steps give "passed"'),
        (setting("step-finished", {"index": 0, **WRONG}, verdict="failed", reason=REASON), 'its steps give "blocked"'),
        (lambda lines: lines[first(lines, "step-finished", index=1, **WRONG)]["expectations"][0].update(ok=False), "f"),
        (
            lambda lines: lines[first(lines, "step-finished", index=1, **WRONG)]["expectations"][0].update(remark=True),
            "r",
        ),
    ],
)
def test_a_verdict_that_does_not_follow(tmp_path: Path, change: Callable[[Lines], object], words: str) -> None:
    found = tampered(tmp_path, change)
    assert found.failing == ["verdicts"]
    assert words in found["verdicts"].text.en


def steps(*verdicts: Verdict, whole: Verdict, reason: Text | None = None, last: bool = True) -> list[Event]:
    """A run of one scenario with these steps, the last one perhaps without its end."""
    why = Text.same("r")
    told = [sample.step("s", at, "read", one, reason=why) for at, one in enumerate(verdicts)]
    events = [event for step in told for event in step][: None if last else -1]
    scenario = sample.scenario("s", Text.same("s"), whole, tuple(events), reason=reason)
    suite = sample.Suite(id=SUITE, title=Text.same("s"), file="a.yaml", scenarios=1)
    return [sample.run_started(suites=(suite,)), *scenario, RunFinished()]


WHY = Text.same("r")


@pytest.mark.parametrize(
    "events",
    [
        steps(Verdict.PASSED, whole=Verdict.BENCH_ERROR, reason=WHY),
        steps(whole=Verdict.NOT_RUN, reason=WHY),
        steps(whole=Verdict.NOT_APPLICABLE, reason=WHY),
        steps(Verdict.PASSED, Verdict.PASSED, whole=Verdict.NOT_RUN, reason=WHY, last=False),
        steps(Verdict.FAILED, Verdict.NOT_RUN, whole=Verdict.FAILED),
        steps(Verdict.NOT_APPLICABLE, whole=Verdict.NOT_APPLICABLE, reason=WHY),
    ],
)
def test_what_a_bench_may_say_without_expectations(tmp_path: Path, events: list[Event]) -> None:
    assert written(tmp_path, events).failing == []


@pytest.mark.parametrize(
    "events",
    [
        steps(Verdict.PASSED, whole=Verdict.BENCH_ERROR),
        steps(Verdict.PASSED, whole=Verdict.NOT_APPLICABLE, reason=WHY),
        steps(Verdict.PASSED, whole=Verdict.NOT_RUN, reason=WHY),
        steps(whole=Verdict.PASSED, reason=WHY),
        steps(whole=Verdict.FAILED, reason=WHY),
        steps(Verdict.PASSED, Verdict.PASSED, whole=Verdict.PASSED, last=False),
    ],
)
def test_what_it_may_not(tmp_path: Path, events: list[Event]) -> None:
    assert written(tmp_path, events).failing != []


def test_an_interrupted_run_says_so_and_holds(tmp_path: Path) -> None:
    found = written(tmp_path, [*sample.cut_run(), RunFinished(interrupted=True)])
    assert found.failing == []
    assert "the run was interrupted" in found["journal"].text.en
    assert "6 announced did not begin" in found["structure"].text.en


def test_a_run_that_was_not_interrupted_ends_what_it_began(tmp_path: Path) -> None:
    found = written(tmp_path, [*sample.cut_run(), RunFinished()])
    assert found.failing == ["structure"]
    assert found["structure"].text.en.endswith("three-wrong-codes-block does not end")


def test_a_live_record_announces_nothing_it_must_play(tmp_path: Path) -> None:
    said = Note(text=Text.same("programme lancé"))
    exchange = Exchange(slot="cps", command="00A4", response="9000", sw="9000")
    events: list[Event] = [sample.run_started(target="live/own", inputs=()), said, exchange, exchange, RunFinished()]
    found = written(tmp_path, events)
    assert found.failing == []
    assert found["inputs"].holds is None
    assert found["verdicts"].holds is None
    assert b'"like":2' in (tmp_path / FILE_NAME).read_bytes()


@pytest.mark.parametrize("like", [0, 1, 3, 4, 10**18])
def test_an_exchange_is_like_an_earlier_one_or_like_none(tmp_path: Path, like: int) -> None:
    exchange = Exchange(slot="cps", command="00A4", response="9000", sw="9000")
    written(tmp_path, [sample.run_started(suites=()), Note(text=WHY), exchange, exchange, RunFinished()])
    journal = (tmp_path / FILE_NAME).read_bytes()
    found = told(tmp_path, journal.replace(b'"like":2', b'"like":%d' % like))
    assert found["journal"].place == f"{FILE_NAME}:4"
    assert "is no exchange near it" in found["journal"].text.en


def test_another_form_of_the_same_json_is_read_as_well(tmp_path: Path) -> None:
    # What the control channel keeps of a live record has blanks between its fields.
    spaced = JOURNAL.replace(b'","event":', b'", "event":').replace(b',"event":', b', "event": ')
    assert spaced != JOURNAL
    assert told(tmp_path, spaced).failing == []


def test_no_verdict_of_a_step_is_changed_alone_unseen(tmp_path: Path) -> None:
    lines, seen = lines_of(JOURNAL), 0
    for number, line in enumerate(lines):
        if "verdict" not in line:
            continue
        for verdict in set(Verdict) - {line["verdict"]}:
            changed = [*lines[:number], {**line, "verdict": str(verdict)}, *lines[number + 1 :]]
            found = told(tmp_path, journal_of(changed))
            if not found.failing:
                # The bench may always say that it was wrong; what was left out may have been so for either reason.
                end = of(changed, line["scenario"])[-1]
                said = {Verdict.BENCH_ERROR} if len(of(changed, line["scenario"])) > 2 else UNPLAYED
                assert end["verdict"] in said, line
                assert "reason" in end
            else:
                assert found.failing == ["verdicts"]
                seen += 1
    assert seen > 80


UNPLAYED = {Verdict.BENCH_ERROR, Verdict.NOT_RUN, Verdict.NOT_APPLICABLE}


def test_what_begins_with_no_event_is_no_record(tmp_path: Path) -> None:
    for journal in (b"", b"\x89PNG\r\n", b"{}\n", JOURNAL[:-1][:300], JOURNAL.replace(b"CPS", b"C\xffS", 1)):
        with pytest.raises(JournalError):
            told(tmp_path, journal)
    with pytest.raises(JournalError, match="newer bench"):
        told(tmp_path, JOURNAL.replace(b'"schema":%d' % SCHEMA, b'"schema":%d' % (SCHEMA + 1), 1))
