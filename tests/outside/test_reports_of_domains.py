"""Forms of report that a domain brings: chosen by name beside ours, and what is wrong with one is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from bifente.conformance.cli import formats
from bifente.conformance.domain import Domain, DomainError
from bifente.ground.text import Text
from bifente.reports.render import FORMATS, RenderError, render

FORM = """
from bifente.reports.render import Format

def write(run, lang):
    return f"{lang} {len(run.scenarios)}"

def broken(run, lang):
    raise LookupError("no such column")

LIST = Format("list.txt", write)
BROKEN = Format("broken.txt", broken)
AWAY = Format("../list.txt", write)
HTML = Format("report.html", write)
JOURNAL = Format("journal.jsonl", write)
NO_FORM = "list.txt"
"""
Bring = Callable[..., None]


@pytest.fixture
def bring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bring:
    (tmp_path / "own_forms.py").write_text(FORM)
    monkeypatch.syspath_prepend(tmp_path)

    def domains(*writers: dict[str, str]) -> None:
        made = tuple(
            Domain(name=f"d{number}", title=Text("D", "D"), writers={k: f"own_forms:{v}" for k, v in one.items()})
            for number, one in enumerate(writers)
        )
        monkeypatch.setattr(formats, "domains", lambda: made)

    return domains


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    import sample

    path = tmp_path / "journal.jsonl"
    sample.write(path, sample.full_run())
    return path


def test_it_is_written_beside_ours(bring: Bring, journal: Path, tmp_path: Path) -> None:
    bring({"list": "LIST"})
    assert formats.form_names() == (*FORMATS, "list")
    assert list(formats.chosen_formats("all")) == [*FORMATS, "list"]
    chosen = formats.chosen_formats("list,markdown")
    assert [path.name for path in render(journal, chosen, tmp_path, "en", known=chosen)] == ["list.txt", "summary.md"]
    assert (tmp_path / "list.txt").read_text().startswith("en ")


def test_one_that_is_not_asked_for_is_not_imported(bring: Bring) -> None:
    bring({"list": "GONE"})
    assert list(formats.chosen_formats("html")) == ["html"]
    with pytest.raises(DomainError, match="own_forms:GONE cannot be imported"):
        formats.chosen_formats("list")


def test_an_unknown_one_is_told_with_all_there_are(bring: Bring, capsys: pytest.CaptureFixture[str]) -> None:
    bring({"list": "LIST"})
    with pytest.raises(typer.Exit):
        formats.chosen_formats("liste")
    assert "forme de rapport inconnue 'liste'" in (told := " ".join(capsys.readouterr().err.split()))
    assert "markdown, list" in told


@pytest.mark.parametrize(
    ("writers", "told"),
    [
        ([{"html": "LIST"}], "the domain 'd0' brings a report 'html', which is there already"),
        ([{"all": "LIST"}], "brings a report 'all', which is there already"),
        ([{"list": "LIST"}, {"list": "BROKEN"}], "the domain 'd1' brings a report 'list', which is there already"),
        ([{"list": "NO_FORM"}], r"own_forms:NO_FORM is no bifente\.reports\.render\.Format"),
        ([{"list": "AWAY"}], "is no name of a report's file"),
        ([{"list": "HTML"}], "report.html is the file of the report 'html'"),
        ([{"list": "JOURNAL"}], r"journal.jsonl is the file of the journal"),
        ([{"list": "LIST"}, {"more": "LIST"}], "the domain 'd1': list.txt is the file of the report 'list'"),
    ],
)
def test_what_is_wrong_with_it_is_one_sentence(bring: Bring, writers: list[dict[str, str]], told: str) -> None:
    bring(*writers)
    with pytest.raises(DomainError, match=told):
        formats.chosen_formats("all")


def test_one_that_fails_is_told_as_its_domain_s_and_ours_stay(bring: Bring, journal: Path, tmp_path: Path) -> None:
    bring({"list": "BROKEN"})
    chosen = formats.chosen_formats("all")
    with pytest.raises(RenderError, match="the report 'list' of the domain 'd0' cannot be made: LookupError: no such"):
        render(journal, chosen, tmp_path, known=chosen)
    assert (tmp_path / "report.html").stat().st_size
    assert not list(tmp_path.glob("broken.txt*"))
