from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sample

from bifente.ground.text import Text
from bifente.reports.events import SCHEMA, Event, Level, Note, RunStarted, to_dict
from bifente.reports.journal import LINE_LIMIT, Journal, JournalError, Recorder, read_journal
from bifente.reports.masking import MARK
from bifente.reports.secrets import Secrets


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def test_what_is_recorded_is_read_back(path: Path) -> None:
    written = sample.write(path, sample.full_run())
    assert read_journal(path) == Journal(written, truncated=False)
    assert [event.seq for event in written] == list(range(len(written)))
    assert written[0].time == "2025-03-01T09:30:00.007Z"


def test_every_event_is_on_disk_when_record_returns(path: Path) -> None:
    with Recorder(path, now=sample.Ticks()) as recorder:
        for count, event in enumerate(sample.cut_run(), 1):
            recorder.record(event)
            assert len(read_journal(path).events) == count


@pytest.mark.parametrize("got_there", ["nothing", "half", "all"])
def test_an_interruption_around_a_write_leaves_neither_gap_nor_double(
    path: Path, monkeypatch: pytest.MonkeyPatch, got_there: str
) -> None:
    first, second, third = sample.cut_run()[:3]
    with Recorder(path, now=sample.Ticks()) as recorder:
        recorder.record(first)
        file = recorder._file

        class Struck:
            def write(self, data: memoryview) -> int:
                file.write(data[: {"nothing": 0, "half": len(data) // 2, "all": len(data)}[got_there]])
                raise KeyboardInterrupt

            def fileno(self) -> int:
                return file.fileno()

        monkeypatch.setattr(recorder, "_file", Struck())
        with pytest.raises(KeyboardInterrupt):
            recorder.record(second)
        monkeypatch.setattr(recorder, "_file", file)
        recorder.record(third)
    read = read_journal(path)
    assert not read.truncated
    assert len(read.events) == (3 if got_there == "all" else 2)
    assert [event.seq for event in read.events] == list(range(len(read.events)))


def test_a_secret_never_reaches_the_file_nor_a_listener(path: Path) -> None:
    seen: list[Event] = []

    class Ear:
        def see(self, event: Event) -> None:
            seen.append(event)

    with Recorder(path, now=sample.Ticks(), secrets=Secrets(secrets=["4821"]), listeners=[Ear()]) as recorder:
        recorder.record(sample.run_started(command=("bifente", "--pin", "4821")))
        recorder.record(Note(text=Text("code 4821", "code 4821")))
        recorder.record(sample.exchange("x", 0, "002000010434383231", "9000", "VERIFY 4821", Text("", "")))
    assert b"4821" not in path.read_bytes()
    assert b"34383231" not in path.read_bytes()
    assert tuple(seen) == read_journal(path).events
    assert isinstance(seen[0], RunStarted)
    assert seen[0].command == ("bifente", "--pin", MARK)


def test_the_last_line_may_be_cut_anywhere(path: Path, tmp_path: Path) -> None:
    written = sample.write(path, [*sample.cut_run(), Note(text=Text("é€👍", "x"))])
    whole = path.read_bytes()
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    cut = tmp_path / "cut.jsonl"
    for end in range(start, len(whole) + 1):
        cut.write_bytes(whole[:end])
        found = read_journal(cut)
        complete = end >= len(whole) - 1
        assert found.events == (written if complete else written[:-1])
        assert found.truncated == (not complete and end > start)


def test_a_cut_in_the_first_line_leaves_nothing_but_no_error(path: Path) -> None:
    path.write_bytes(b'{"seq": 0, "ti')
    assert read_journal(path) == Journal((), truncated=True)
    path.write_bytes(b"")
    assert read_journal(path) == Journal((), truncated=False)


@pytest.mark.parametrize("tail", [b"\x00" * 40, b"\xff\xfe", b"{" * 3000])
def test_rubbish_left_by_a_crash_at_the_end_is_a_cut(path: Path, tail: bytes) -> None:
    written = sample.write(path, sample.cut_run())
    with path.open("ab") as file:
        file.write(tail)
    assert read_journal(path) == Journal(written, truncated=True)


def _edit(path: Path, change: dict[int, bytes | None]) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    edited = [change.get(number, line) for number, line in enumerate(lines, 1)]
    path.write_bytes(b"".join(line for line in edited if line is not None))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({3: b'{"cut": \n'}, "3: not JSON"),
        ({3: b"\n"}, "3: not JSON"),
        ({3: b'{"event": "party"}\n'}, "3: unknown kind of event"),
        ({3: b"[]\n"}, "3: event"),
        ({3: None}, "3: event 3 where event 2 should be: lines are missing"),
        ({1: None}, "1: event 1 where event 0"),
    ],
)
def test_a_damaged_journal_is_refused_with_file_and_line(
    path: Path, change: dict[int, bytes | None], words: str
) -> None:
    sample.write(path, sample.cut_run())
    _edit(path, change)
    with pytest.raises(JournalError) as caught:
        read_journal(path)
    assert str(caught.value).startswith(f"{path}:{words}")
    assert caught.value.line == int(words[0])


def test_a_last_line_that_is_whole_but_wrong_is_refused(path: Path) -> None:
    sample.write(path, sample.cut_run())
    with path.open("ab") as file:
        file.write(b'{"event": "party"}')
    with pytest.raises(JournalError, match="unknown kind of event"):
        read_journal(path)


@pytest.mark.parametrize(
    "events",
    [[Note(text=Text("a", "b"))], [sample.run_started(), sample.run_started()]],
    ids=["no start", "two starts"],
)
def test_a_journal_starts_with_one_run_started(path: Path, events: list[Event]) -> None:
    sample.write(path, events)
    with pytest.raises(JournalError, match="starts with one run-started event"):
        read_journal(path)


def test_a_newer_journal_says_so(path: Path) -> None:
    path.write_text(json.dumps(to_dict(sample.run_started()) | {"schema": SCHEMA + 1, "new": 1}) + "\n")
    with pytest.raises(JournalError, match=r"journal\.jsonl:1: written by a newer bench"):
        read_journal(path)


def test_an_endless_line_is_refused_without_being_read(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(LINE_LIMIT + 10)
    with pytest.raises(JournalError, match="line above the limit"):
        read_journal(path)


def test_an_event_too_long_to_be_read_back_is_not_written(path: Path) -> None:
    with Recorder(path, now=sample.Ticks()) as recorder:
        recorder.record(sample.run_started())
        with pytest.raises(JournalError, match="above the limit"):
            recorder.record(Note(text=Text("x" * LINE_LIMIT, "")))
        recorder.record(Note(text=Text("on continue", "going on")))
    assert len(read_journal(path).events) == 2


def test_a_missing_or_unreadable_journal_is_one_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(JournalError, match="cannot read the journal"):
            read_journal(path)


def test_a_full_disk_is_one_clear_error() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    with (
        Recorder(full, now=sample.Ticks()) as recorder,
        pytest.raises(JournalError, match="/dev/full: cannot write event 0 to the journal: No space left on device"),
    ):
        recorder.record(sample.run_started())


def test_evidence_is_never_overwritten(path: Path) -> None:
    sample.write(path, sample.cut_run())
    before = path.read_bytes()
    with pytest.raises(JournalError, match="already holds a journal"):
        Recorder(path, now=sample.Ticks())
    assert path.read_bytes() == before


def test_a_journal_that_cannot_be_opened_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot open the journal"):
        Recorder(tmp_path / "no" / "such" / "folder.jsonl", now=sample.Ticks())


def test_nothing_is_recorded_after_the_end(path: Path) -> None:
    recorder = Recorder(path, now=sample.Ticks())
    recorder.close()
    recorder.close()
    with pytest.raises(JournalError, match="it is closed"):
        recorder.record(sample.run_started())


def test_times_are_utc_whatever_the_zone_of_the_source(path: Path) -> None:
    paris = timezone(timedelta(hours=2))
    with Recorder(path, now=lambda: datetime(2025, 7, 1, 1, 0, 0, 999_999, tzinfo=paris)) as recorder:
        assert recorder.record(sample.run_started()).time == "2025-06-30T23:00:00.999Z"
    with (
        Recorder(path.with_name("b"), now=lambda: datetime(2025, 7, 1)) as recorder,
        pytest.raises(ValueError, match="time zone"),
    ):
        recorder.record(sample.run_started())


def test_a_listener_that_breaks_is_left_out_and_it_shows(path: Path) -> None:
    seen: list[Event] = []

    class Broken:
        def see(self, event: Event) -> None:
            raise BrokenPipeError("closed")

    class Ear:
        def see(self, event: Event) -> None:
            seen.append(event)

    with Recorder(path, now=sample.Ticks(), listeners=[Broken(), Ear()]) as recorder:
        recorder.record(sample.run_started())
        recorder.record(Note(text=Text("a", "b")))
    found = read_journal(path).events
    assert [type(event) for event in found] == [RunStarted, Note, Note]
    note = found[1]
    assert isinstance(note, Note)
    assert note.level is Level.WARNING
    assert "Broken" in note.text.fr
    assert sorted(seen, key=lambda event: event.seq) == list(found)


def test_several_threads_share_one_recorder(path: Path) -> None:
    ticks = lambda: datetime(2025, 1, 1, tzinfo=UTC)  # noqa: E731
    with Recorder(path, now=ticks) as recorder:
        recorder.record(sample.run_started())
        work = [
            threading.Thread(target=lambda: [recorder.record(Note(text=Text("a", "b"))) for _ in range(50)])
            for _ in range(4)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()
    assert len(read_journal(path).events) == 201


def test_text_that_utf_8_cannot_carry_is_made_visible(path: Path) -> None:
    written = sample.write(path, [sample.run_started(), Note(text=Text("a\ud800b", "\u2028\n"))])[1]
    assert isinstance(written, Note)
    assert written.text == Text("a\ufffdb", "\u2028\n")
    assert len(path.read_bytes().splitlines()) == 2
