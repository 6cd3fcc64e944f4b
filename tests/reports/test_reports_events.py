from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import sample
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from bifente.ground.text import Text
from bifente.reports import events
from bifente.reports.events import EVENT_TYPES, NAMES, SCHEMA, EventError, NotJsonError, parse_event, to_dict
from bifente.reports.schemas import FOLDER, contents, publish

VALIDATOR = jsonschema.Draft202012Validator(events.journal_schema())

# Strings as JSON can carry them.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def any_event(draw: st.DrawFn) -> events.Event:
    """A sample event with its strings, counts and arguments drawn anew."""
    event = draw(st.sampled_from(sample.recorded(sample.full_run())))
    changes: dict[str, Any] = {"seq": draw(st.integers(0, 2**40))}
    match event:
        case events.StepStarted():
            changes |= {"arguments": draw(st.dictionaries(texts, json_values, max_size=4)), "name": draw(texts)}
        case events.Exchange():
            changes |= {"command": draw(texts), "response": draw(texts), "duration_us": draw(st.integers(0, 2**40))}
        case events.StepFinished():
            changes |= {"state_after": draw(st.none() | st.dictionaries(texts, texts, max_size=3))}
            changes |= {"decoded": draw(st.none() | st.lists(st.tuples(texts, texts), max_size=3).map(tuple))}
        case events.RunStarted():
            changes |= {"command": tuple(draw(st.lists(texts, max_size=4))), "seed": draw(st.integers(-(2**60), 2**60))}
        case events.Call():
            changes |= {"function": draw(texts), "answer": draw(st.dictionaries(texts, texts, max_size=3))}
        case events.ScenarioStarted():
            changes |= {"judges": draw(st.none() | st.sampled_from(events.Judged))}
            changes |= {"scenario": draw(texts), "cards": draw(st.dictionaries(texts, texts, max_size=3))}
    return replace(event, **changes)


@settings(max_examples=150, deadline=None)
@given(any_event())
def test_an_event_survives_its_line_and_obeys_the_published_schema(event: events.Event) -> None:
    plain = to_dict(event)
    assert parse_event(json.dumps(plain)) == event
    VALIDATOR.validate(plain)


def test_every_kind_of_event_is_in_the_sample() -> None:
    assert {type(event) for event in sample.full_run()} == set(EVENT_TYPES)
    assert len(set(NAMES)) == len(EVENT_TYPES)


def test_events_are_frozen() -> None:
    with pytest.raises(AttributeError):
        sample.run_started().seed = 3  # type: ignore[misc]


def _line(**changes: object) -> str:
    plain = to_dict(sample.recorded(sample.wrong_code())[0])
    return json.dumps({key: value for key, value in (plain | changes).items() if value is not ...})


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (_line(event="party"), "unknown kind of event"),
        (_line(event=...), "unknown kind of event"),
        (_line(title=...), "title: field required"),
        (_line(title="un titre"), "title"),
        (_line(title={"fr": "a"}), "title.en: field required"),
        (_line(colour="red"), "colour: unexpected"),
        (_line(line="12"), "line"),
        (_line(line=-1), "line"),
        (_line(line=True), "line"),
        (_line(fidelity="certain"), "fidelity"),
        (_line(time="yesterday"), "time"),
        (_line(time="2025-03-01T09:30:00Z"), "time"),
        (_line(requirements="CARD-1"), "requirements"),
        ("[]", "event"),
        ("3", "event"),
        ("null", "event"),
    ],
)
def test_what_is_no_event_is_refused_with_the_field_at_fault(line: str, words: str) -> None:
    with pytest.raises(EventError, match=words) as caught:
        parse_event(line)
    assert not isinstance(caught.value, NotJsonError)
    assert "\n" not in str(caught.value)
    assert "pydantic" not in str(caught.value)


@pytest.mark.parametrize("line", ["", "{", "{}{}", '{"event": ', "\x00\x00", b"\xff\xfe", "[" * 5000])
def test_what_is_no_json_is_told_apart(line: str | bytes) -> None:
    with pytest.raises(NotJsonError):
        parse_event(line)


def test_a_newer_journal_is_refused_whether_or_not_its_fields_are_known() -> None:
    plain = to_dict(sample.run_started()) | {"schema": SCHEMA + 1}
    for line in (plain, plain | {"novelty": 1}, {"event": "run-started", "schema": SCHEMA + 1}):
        with pytest.raises(
            EventError, match=f"newer bench: journal schema {SCHEMA + 1}, this one reads up to {SCHEMA}"
        ):
            parse_event(json.dumps(line))


def test_a_journal_of_the_first_version_is_still_read() -> None:
    plain = to_dict(sample.wrong_code()[0])
    plain.pop("judges", None)
    assert parse_event(json.dumps(plain)) == sample.wrong_code()[0]
    assert parse_event(json.dumps(to_dict(sample.run_started()) | {"schema": 1}))


def test_a_requirement_of_an_older_journal_says_in_both_languages_what_it_said_in_one() -> None:
    start = sample.run_started()
    plain = to_dict(start)
    for cited in plain["requirements"]:
        for name in {"set_title", "source", "text", "note"} & {*cited}:
            cited[name] = cited[name]["en"]
    read = parse_event(json.dumps(plain | {"schema": 5}))
    assert isinstance(read, events.RunStarted)
    assert [one.text for one in read.requirements] == [Text.same(one.text.en) for one in start.requirements]
    assert [one.note for one in read.requirements if one.note] == [Text.same("See table 4.")]
    # The same is a mistake in a journal of today, and in what follows its first line.
    with pytest.raises(EventError, match=r"requirements\[0\]\.set_title"):
        parse_event(json.dumps(plain))
    with pytest.raises(EventError, match="text"):
        parse_event(json.dumps(plain | {"schema": 5, "requirements": [{"text": 3}]}))


def test_the_published_schemas_are_current(tmp_path: Any) -> None:
    publish(tmp_path)
    for name, text in contents().items():
        assert (FOLDER / name).read_text(encoding="utf-8") == text, "run: python -m bifente.reports.schemas"
        assert (tmp_path / name).read_text(encoding="utf-8") == text
        jsonschema.Draft202012Validator.check_schema(json.loads(text))


def test_the_schema_refuses_what_the_reader_refuses() -> None:
    assert list(VALIDATOR.iter_errors(json.loads(_line(event="party"))))
    assert list(VALIDATOR.iter_errors(json.loads(_line(colour="red"))))
