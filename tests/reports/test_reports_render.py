from __future__ import annotations

from pathlib import Path

import pytest
import sample

from bifente.reports import render as rendering
from bifente.reports.journal import JournalError
from bifente.reports.render import FORMATS, RenderError, load, render


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.jsonl"
    sample.write(path, sample.full_run())
    return path


def test_every_format_has_its_file(journal: Path, tmp_path: Path) -> None:
    written = render(journal, FORMATS, tmp_path / "new" / "out")
    assert [path.name for path in written] == ["report.html", "report.json", "junit.xml", "ctrf.json", "summary.md"]
    assert all(path.parent == tmp_path / "new" / "out" and path.stat().st_size for path in written)
    assert not list((tmp_path / "new" / "out").glob("*.part"))


def test_a_journal_its_events_and_its_run_render_alike(journal: Path, tmp_path: Path) -> None:
    run = load(journal)
    for number, source in enumerate((journal, sample.recorded(sample.full_run()), run)):
        render(source, ["markdown"], tmp_path / str(number))
    texts = {(tmp_path / str(number) / "summary.md").read_text() for number in range(3)}
    assert len(texts) <= 2  # the events given directly have not been through a masker


def test_the_language_is_that_of_the_run_unless_given(journal: Path, tmp_path: Path) -> None:
    assert "Rapport d'essais" in render(journal, ["markdown"], tmp_path)[0].read_text()
    assert "Test report" in render(journal, ["markdown"], tmp_path, "en")[0].read_text()


def test_a_format_asked_twice_is_written_once(journal: Path, tmp_path: Path) -> None:
    assert len(render(journal, ["junit", "junit"], tmp_path)) == 1


def test_an_unknown_format_or_language_is_refused_before_anything_is_written(journal: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(RenderError, match=r"unknown report format 'pdf'; there are html, json, junit, ctrf, markdown"):
        render(journal, ["html", "pdf"], out)
    with pytest.raises(RenderError, match="unknown language 'de'"):
        render(journal, ["html"], out, "de")  # type: ignore[arg-type]
    with pytest.raises(JournalError):
        render(tmp_path / "none.jsonl", ["html"], out)
    assert not out.exists()


def test_a_place_that_cannot_be_written_is_one_clear_error(journal: Path, tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="cannot write the report"):
        render(journal, ["html"], journal / "inside-a-file")


def test_a_failed_write_leaves_the_former_report(
    journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    former = render(journal, ["markdown"], tmp_path)[0]
    before = former.read_text()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rendering.Path, "replace", full)
    with pytest.raises(RenderError, match="No space left on device"):
        render(journal, ["markdown"], tmp_path, "en")
    assert former.read_text() == before
    assert not list(tmp_path.glob("*.part"))


def test_a_truncated_journal_renders_and_says_so(journal: Path, tmp_path: Path) -> None:
    journal.write_bytes(journal.read_bytes()[:-20])
    assert load(journal).truncated
    assert "La dernière ligne du journal est coupée" in render(journal, ["markdown"], tmp_path)[0].read_text()
