"""What a record keeps short, what it declares secret, and journals of before."""

from __future__ import annotations

import json
import pickle
import tracemalloc
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sample
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bifente.ground.text import Text
from bifente.reports import events, journal
from bifente.reports.encoding import Encoder
from bifente.reports.events import Call, Direction, Event, Exchange, Message, Note, ScenarioFinished, StepFinished
from bifente.reports.journal import JournalError, Recorder, read_journal
from bifente.reports.masking import BYTE_MARK, MARK, new_codes
from bifente.reports.messages import MOST_TEXT, body_of
from bifente.reports.model import Fold, fold, fold_journal
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict

B = BYTE_MARK


def _read(index: int = 0, response: str = "AB" * 200 + "9000") -> Exchange:
    return sample.exchange("x", index, "00B0000000", response, "READ BINARY", Text("lu", "read"))


def test_what_was_said_lately_is_not_written_again_and_is_read_back_whole(tmp_path: Path) -> None:
    path = tmp_path / "j"
    sample.write(path, [sample.run_started(), _read(), _read(1), _read(2, "9000")])
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [line.get("like") for line in lines] == [None, None, 1, None]
    assert "response" not in lines[2]
    read = read_journal(path).events
    assert isinstance(read[2], Exchange)
    assert (read[2].response, read[2].index, read[2].like) == (_read().response, 1, None)


def test_what_is_said_in_another_slot_is_not_like_it(tmp_path: Path) -> None:
    path = tmp_path / "j"
    sample.write(
        path, [sample.run_started(), _read(), replace(_read(1), slot="vitale"), replace(_read(2), slot="vitale")]
    )
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    assert [(line.get("like"), line.get("slot")) for line in lines[1:]] == [(None, "cps"), (None, "vitale"), (2, None)]
    assert [event.slot for event in read_journal(path).events if isinstance(event, Exchange)] == [
        "cps",
        "vitale",
        "vitale",
    ]


def test_up_to_schema_6_a_line_told_its_slot_itself(tmp_path: Path) -> None:
    path = tmp_path / "j"
    sample.write(path, [sample.run_started(), _read(), _read(1)])
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    lines[0]["schema"] = 6
    lines[2]["slot"] = "vitale"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert [event.slot for event in read_journal(path).events if isinstance(event, Exchange)] == ["cps", "vitale"]


def test_nothing_is_like_what_is_out_of_sight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "LIKE_WINDOW", 3)
    path = tmp_path / "j"
    sample.write(path, [sample.run_started(), *(_read(index) for index in range(9))])
    said = [json.loads(line).get("like") for line in path.read_bytes().splitlines()]
    assert said == [None, None, 1, 1, 1, None, 5, 5, 5, None]
    assert len(read_journal(path).events) == 10


@pytest.mark.parametrize("like", [0, 2, 7])
def test_a_line_like_none_is_refused(tmp_path: Path, like: int) -> None:
    path = tmp_path / "j"
    sample.write(path, [sample.run_started(), _read(), _read(1)])
    path.write_bytes(path.read_bytes().replace(b'"like":1', b'"like":%d' % like))
    with pytest.raises(JournalError, match=f"3: event 2 says the same as event {like}, which is no exchange near it"):
        read_journal(path)


def test_a_journal_of_schema_3_is_still_read(tmp_path: Path) -> None:
    path = tmp_path / "j"
    written = sample.write(path, [sample.run_started(), _read()])
    first, second = (json.loads(line) for line in path.read_bytes().splitlines())
    first["schema"] = 3
    second["command_text"] = "READ BINARY"
    path.write_text("".join(json.dumps(line) + "\n" for line in (first, second)))
    assert read_journal(path).events[1] == written[1]


def test_lines_of_workers_are_the_events_they_stand_for(tmp_path: Path) -> None:
    told = [*sample.wrong_code(), Message(protocol="smtp", peer="a@b.example", direction=Direction.SENT)]
    encoder = Encoder(Secrets(secrets=["9876"]), sample.Ticks())
    with Recorder(tmp_path / "j", now=sample.Ticks()) as recorder:
        recorder.record(sample.run_started())
        recorder.record_lines([encoder.encode(event) for event in told])
        recorder.record(Note(text=Text("a", "b")))
    read = read_journal(tmp_path / "j").events
    assert [type(event) for event in read[1:-1]] == [type(event) for event in told]
    assert [event.seq for event in read] == list(range(len(told) + 2))


@dataclass
class _Ear:
    heard: list[Event] = field(default_factory=list)

    def see(self, event: Event) -> None:
        self.heard.append(event)


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("whole", [True, False])
def test_listeners_are_spared_the_talk_of_what_passed(tmp_path: Path, verdict: Verdict, *, whole: bool) -> None:
    told = [
        replace(event, verdict=verdict) if isinstance(event, ScenarioFinished) else event
        for event in sample.wrong_code()
    ]
    told[3:3] = [
        Message(scenario=told[-1].scenario, protocol="smtp", peer="a@b.example", direction=Direction.SENT),
        Call(scenario=told[-1].scenario, function="C_Login", result="CKR_OK"),
    ]
    encoder, ear = Encoder(Secrets(), sample.Ticks()), _Ear()
    with Recorder(tmp_path / "j", now=sample.Ticks(), listeners=[ear]) as recorder:
        recorder.record(sample.run_started())
        recorder.record_lines([encoder.encode(event) for event in (told if whole else told[:-1])])
    written = list(read_journal(tmp_path / "j").events)
    spared, talk = whole and verdict is Verdict.PASSED, (Exchange, Call, Message)
    assert ear.heard == [event for event in written if not (spared and isinstance(event, talk))]
    assert {type(event) for event in written} >= set(talk)


def test_an_event_outside_a_step_or_a_scenario_is_filed_nowhere_else() -> None:
    loose = Message(protocol="http", peer="x", direction=Direction.RECEIVED)
    between = Exchange(scenario=f"{sample.SUITE}/wrong-code-is-counted", command="00", response="9000")
    first, *rest = sample.wrong_code()
    run = fold([sample.run_started(), loose, first, between, *rest])
    assert run.outside == (loose,)
    assert run.scenarios[0].between == (between,)
    assert all(between not in step.happenings for step in run.scenarios[0].steps)


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        ("0024000108" + b"12345678".hex(), {"12345678", "1234", "5678"}),
        ("0024010104" + b"8642".hex(), {"8642"}),
        ("002C000110" + (b"13579246" + b"8642\xff\xff\xff\xff").hex(), {"13579246", "8642", "135792468642"}),
        ("0024010108" + "2486427FFFFFFFFF"[:16], {"8642"}),
        ("0020000104" + b"8642".hex(), set()),
        ("00B0000004" + b"8642".hex(), set()),
        ("0024", set()),
        ("", set()),
    ],
)
def test_a_command_that_changes_a_code_gives_its_codes(command: str, codes: set[str]) -> None:
    assert codes <= new_codes(bytes.fromhex(command))
    assert bool(codes) == bool(new_codes(bytes.fromhex(command)))


def test_a_new_code_longer_than_the_old_one_is_a_secret_too() -> None:
    secrets = Secrets()
    secrets.learn(bytes.fromhex("002400010A") + b"1234567890")
    assert secrets.text("code 567890, then 1234") == f"code {MARK}, then {MARK}"


@given(st.binary(max_size=60))
def test_any_bytes_may_be_looked_at_for_codes(command: bytes) -> None:
    Secrets().learn(command)


def test_a_code_born_in_a_command_is_masked_from_then_on() -> None:
    secrets = Secrets()
    assert secrets.text("code 8642") == "code 8642"
    secrets.learn(bytes.fromhex("0024010104") + b"8642")
    assert secrets.text("code 8642") == f"code {MARK}"
    assert secrets.raw("0004" + b"8642".hex() + "9000") == f"0004{B * 4}9000"


def test_what_an_encoder_remembers_is_masked_again_once_a_secret_is_known() -> None:
    secrets = Secrets()
    encoder = Encoder(secrets, sample.Ticks())
    exchange = _read(response=b"jeton-1234".hex() + "9000")
    assert b"jeton-1234".hex().encode() in encoder.encode(exchange)[1]
    secrets.declare("jeton-1234")
    assert b"jeton-1234".hex().encode() not in encoder.encode(exchange)[1]


def test_secrets_travel_to_a_worker() -> None:
    there = pickle.loads(pickle.dumps(Secrets(secrets=["8642", b"\x01\x02\x03\x04"], names=["Durand"], nir=True)))  # noqa: S301
    assert there.text("8642 Durand 1 85 05 78 006 048") == f"{MARK} {MARK} {MARK}"
    assert there.raw("9901020304") == f"99{B * 4}"


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        (("Authorization", "Bearer abc.def"), ["Authorization", f"Bearer {MARK}"]),
        (("Cookie", "sid=1"), ["Cookie", MARK]),
        (("set-cookie", "sid=1; Path=/"), ["set-cookie", MARK]),
        (("Accept", "text/html"), ["Accept", "text/html"]),
        (("X-Note", "code 8642"), ["X-Note", f"code {MARK}"]),
    ],
)
def test_the_headers_of_a_message_show_no_session(header: tuple[str, str], shown: list[str]) -> None:
    told = Message(protocol="http", peer="x", direction=Direction.SENT, headers=(header,), body="8642", size=4)
    plain = Secrets(secrets=["8642"]).event(events.to_dict(told))
    assert plain["headers"] == [shown]
    assert plain["body"] == MARK


def test_a_body_is_text_where_it_is_short_text() -> None:
    assert body_of("é\n".encode(), Secrets()) == {"body": "é\n", "sha256": None, "size": 3}
    assert body_of(b"", Secrets()) == {"body": "", "sha256": None, "size": 0}
    for content in (b"\xff", b"a\x00", b"a" * (MOST_TEXT + 1)):
        assert body_of(content, Secrets())["body"] is None
        assert body_of(content, Secrets())["size"] == len(content)


@given(st.text(st.sampled_from("aé\t\r\n\x0b\x1c\x85\xa0\u2028\U0001f600\ue000 "), max_size=8))
def test_a_body_is_text_where_each_of_its_characters_can_be_printed(text: str) -> None:
    shown = all(char.isprintable() or char in "\t\r\n" for char in text)
    assert body_of(text.encode(), Secrets())["body"] == (text if shown else None)


def test_a_span_points_at_the_lines_of_its_scenario(tmp_path: Path) -> None:
    path = tmp_path / "j"
    sample.write(path, sample.full_run())
    raw = path.read_bytes()
    for scenario in fold_journal(path).scenarios:
        assert scenario.span is not None
        lines = raw[scenario.span.offset : scenario.span.end].splitlines()
        assert len(lines) == scenario.span.last_line - scenario.span.line + 1
        assert {json.loads(line)["scenario"] for line in lines} == {scenario.id}
        assert json.loads(lines[0])["event"] == "scenario-started"
        assert json.loads(lines[-1])["event"] == "scenario-finished"


def test_the_memory_of_a_fold_does_not_follow_what_happened() -> None:
    def grown(exchanges: int) -> int:
        folding = Fold()
        folding.add(sample.run_started(suites=()))
        tracemalloc.start()
        for number in range(60):
            told = [_read(index % 3, f"{number:04X}{index:04X}" * 50 + "9000") for index in range(exchanges)]
            for event in sample.scenario(f"s{number}", Text("a", "b"), Verdict.PASSED, ()):
                if isinstance(event, events.ScenarioFinished):
                    for item in told:
                        folding.add(events.Exchange(scenario=event.scenario, index=0, response=item.response))
                    folding.add(StepFinished(scenario=event.scenario, index=0, verdict=Verdict.PASSED))
                folding.add(event)
        size = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        return size

    few, many = grown(100), grown(600)
    assert many < 2 * few


@given(
    st.lists(st.integers(min_value=0, max_value=5_000), min_size=1, max_size=30),
    st.sampled_from([0, 2, -11]),
)
def test_each_event_has_its_own_millisecond(steps: list[int], hours: int) -> None:
    """Whatever the clock does between two events, back and forth, in any time zone."""
    zone = timezone(timedelta(hours=hours))
    moments = [datetime(2026, 2, 28, 23, 59, 59, 997_000, tzinfo=zone) + timedelta(microseconds=us) for us in steps]
    clock = iter(moments)
    encoder = Encoder(Secrets(), lambda: next(clock))
    for moment in moments:
        own, _ = encoder.encode(_read())
        told = json.loads(b"{" + own + b"}")["time"]
        assert told == moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
