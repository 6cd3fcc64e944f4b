"""The device of a scenario as time passes: folded from the changes of the bench, and drawn."""

from __future__ import annotations

from itertools import pairwise

import sample
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from msgspec.structs import replace

from bifente.ground.text import Text
from bifente.reports.events import (
    BenchChange,
    Event,
    RunFinished,
    ScenarioFinished,
    ScenarioStarted,
    StepFinished,
    StepStarted,
)
from bifente.reports.model import ScenarioResult, fold
from bifente.reports.timeline import Column, Lane, Span, Timeline, timeline
from bifente.reports.verdict import Verdict
from bifente.reports.writers import html as page
from bifente.reports.writers.bench_picture import picture

ID = "t/one"


def change(at_ms: int | None, index: int | None, **shown: str) -> BenchChange:
    named = {name.replace("slot_", "slot:"): value for name, value in shown.items()}
    return BenchChange(scenario=ID, index=index, what=Text("quoi", "what <b>"), at_ms=at_ms, picture=named)


def told(*changes: BenchChange, slots: tuple[str, ...] = ("cps", "vitale")) -> ScenarioResult:
    start = ScenarioStarted(
        scenario=ID, suite="t", title=Text.same("one"), file="s.yaml", line=1, slots=slots, cards={"cps": "medecin"}
    )
    events: list[Event] = [start]
    indexes = sorted({item.index for item in changes if item.index is not None})
    for index in indexes:
        events.append(StepStarted(scenario=ID, index=index, name="x", file="s.yaml", line=1))
    events += changes
    events += [StepFinished(scenario=ID, index=index, verdict=Verdict.PASSED) for index in indexes]
    events.append(ScenarioFinished(scenario=ID, verdict=Verdict.PASSED))
    return fold(replace(event, seq=number) for number, event in enumerate(events)).scenarios[0]


def lane(found: Timeline | None, name: str) -> Lane:
    assert found is not None
    return next(one for one in found.lanes if one.name == name)


def test_a_card_that_leaves_and_comes_back() -> None:
    found = timeline(told(change(0, 0, slot_cps=""), change(119_000, 1), change(119_000, 2, slot_cps="medecin")))
    assert found is not None
    assert [(column.at_ms, len(column.changes)) for column in found.columns] == [(0, 0), (0, 2), (119_000, 1)]
    assert lane(found, "cps").spans == (Span(0, 1, "medecin"), Span(1, 1, ""), Span(2, 1, "medecin"))
    assert lane(found, "vitale").spans == (Span(0, 3, ""),)


def test_slots_come_first_in_the_order_of_the_device_then_the_rest() -> None:
    found = timeline(told(change(0, None, link="up", slot_third="x", token="live"), slots=("vitale", "cps")))
    assert found is not None
    assert [(one.name, one.slot) for one in found.lanes] == [
        ("vitale", True),
        ("cps", True),
        ("third", True),
        ("link", False),
        ("token", False),
    ]


def test_what_is_told_when_the_bench_is_set_up_is_its_beginning() -> None:
    found = timeline(told(change(0, None, link="up"), change(5_000, 0, link="lost")))
    assert lane(found, "link").spans == (Span(0, 1, "up"), Span(1, 1, "lost"))


def test_a_change_before_any_step_but_later_is_no_beginning() -> None:
    found = timeline(told(change(10, None, link="up")))
    assert lane(found, "link").spans == (Span(0, 1, ""), Span(1, 1, "up"))


def test_changes_are_taken_in_the_order_of_the_journal_wherever_they_belong() -> None:
    outside_last = timeline(told(change(0, 0, slot_cps=""), change(1, None, slot_cps="medecin")))
    assert [span.value for span in lane(outside_last, "cps").spans] == ["medecin", "", "medecin"]


def test_a_journal_that_says_nothing_of_the_device_gives_none() -> None:
    assert timeline(told(change(None, 0), slots=())) is None


def test_a_change_without_time_happens_when_the_last_one_did() -> None:
    found = timeline(told(change(7, 0, slot_cps=""), change(None, 1, slot_cps="medecin")))
    assert found is not None
    assert [column.at_ms for column in found.columns] == [0, 7, 7]


VALUES = st.sampled_from(["", "a", "b"])
PICTURES = st.lists(st.dictionaries(st.sampled_from(["slot:cps", "slot:x", "link"]), VALUES), max_size=12)


@given(PICTURES)
def test_every_lane_tells_every_column_once(shown: list[dict[str, str]]) -> None:
    changes = [BenchChange(scenario=ID, index=n, what=Text("", ""), at_ms=n, picture=p) for n, p in enumerate(shown)]
    found = timeline(told(*changes))
    assert found is not None
    now = {"slot:cps": "medecin", "slot:vitale": ""}
    for each in shown:
        now |= each
    for one in found.lanes:
        assert sum(span.columns for span in one.spans) == len(found.columns)
        assert [span.first for span in one.spans] == [
            sum(s.columns for s in one.spans[:k]) for k in range(len(one.spans))
        ]
        assert all(left.value != right.value for left, right in pairwise(one.spans))
        assert one.spans[-1].value == now[f"slot:{one.name}" if one.slot else one.name]
    assert sum(len(column.changes) for column in found.columns) == len(changes)


# -- the drawing ------------------------------------------------------------------------------------------------------


def drawn(values: list[str], name: str = "link", *, slot: bool = False, columns: int | None = None) -> Timeline:
    count = columns or len(values)
    spans = tuple(Span(number, 1, value) for number, value in enumerate(values))
    return Timeline(tuple(Column(1000 * number, {}) for number in range(count)), (Lane(name, slot, spans),))


def test_a_value_is_told_without_its_colour() -> None:
    shown = picture(drawn(["up", "lost", "lapsed", "50 %", "9 % low", "120 s", "0 %"]), "en").rows[0].bars
    assert [(bar.kind, bar.text) for bar in shown] == [
        ("good", "up"),
        ("bad", "lost"),
        ("bad", "lapsed"),
        ("good", "50 %"),
        ("bad", "9 % low"),
        ("good", "120 s"),
        ("bad", "0 %"),
    ]
    assert [bar.kind for bar in picture(drawn(["medecin", ""], "cps", slot=True), "fr").rows[0].bars] == [
        "card",
        "empty",
    ]


def test_a_card_out_of_reach_is_neither_there_nor_gone() -> None:
    bar = picture(drawn(["!medecin"], "cps", slot=True), "fr").rows[0].bars[0]
    assert (bar.kind, bar.title) == ("bad", "hors de portée : medecin")


def test_a_name_too_long_for_its_place_is_cut_and_told_whole_apart() -> None:
    bar = picture(drawn(["x" * 80] * 8, "cps", slot=True), "en").rows[0].bars[0]
    assert bar.text.endswith("…")
    assert len(bar.text) < 15
    assert bar.title == "x" * 80


def test_bars_neither_overlap_nor_leave_the_drawing() -> None:
    for count in (1, 2, 7, 40):
        shown = picture(drawn(["up", "lost"] * count), "en")
        bars = shown.rows[0].bars
        assert all(left.x + left.width < right.x for left, right in pairwise(bars))
        assert bars[-1].x + bars[-1].width < shown.width


def test_the_page_draws_what_changed_and_nothing_where_nothing_did() -> None:
    for changes, figures in (((change(0, 0, slot_cps=""), change(2_000, 0, slot_cps="medecin")), 1), ((), 0)):
        scenario = told(*changes)
        run = fold([sample.run_started(), scenario.start, *changes, RunFinished()])
        tree = html.document_fromstring(page.write(run, "en"))
        found = tree.xpath("//figure[@class='bench']")
        assert len(found) == figures
        if figures:
            assert "medecin" in found[0].text_content()
            assert "cps: medecin, empty, medecin" in found[0].xpath(".//svg/@aria-label")[0]
            assert "what <b>" in [title.text for title in found[0].iter("title")]
