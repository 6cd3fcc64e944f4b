"""The reports beside a journal, the files a run read, the digest that somebody kept: as they were, or not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import sample
from kept_record import OURS, files, first, journal_of, lines_of, verified

from bifente.ground.text import Lang
from bifente.reports.events import Input, RunFinished, Tool
from bifente.reports.journal import FILE_NAME
from bifente.reports.render import FORMATS, Format, RenderError
from bifente.reports.verifying.checks import VerifiedCheck
from bifente.reports.verifying.sources import check_inputs
from bifente.reports.verifying.verify import sha256_of

REPORTS = [form.file for form in FORMATS.values()]
OTHERS = Tool(name="bifente", version="0.2.0")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("report.json", b'"verdict": "failed"', b'"verdict": "passed"'),
        ("report.html", "échoué".encode(), "réussi".encode()),
        ("junit.xml", b"<failure", b"<skipped"),
        ("ctrf.json", b'"failed"', b'"passed"'),
        ("summary.md", "échoué".encode(), "réussi".encode()),
    ],
)
def test_a_verdict_changed_in_one_report_is_found_there(tmp_path: Path, file: str, old: bytes, new: bytes) -> None:
    kept = files()
    changed = kept[file].replace(old, new, 1)
    assert changed != kept[file]
    found = verified(tmp_path, {**kept, file: changed})
    assert found.failing == [f"reports/{file}"]
    line = next(
        number
        for number, pair in enumerate(zip(kept[file].splitlines(), changed.splitlines(), strict=True), 1)
        if pair[0] != pair[1]
    )
    assert found[f"reports/{file}"].place == f"{file}:{line}"


@pytest.mark.parametrize("file", REPORTS)
def test_no_report_is_longer_shorter_or_empty_unseen(tmp_path: Path, file: str) -> None:
    whole = files()[file]
    for changed in (whole + b" ", whole[:-1], b"", whole[: len(whole) // 2]):
        assert verified(tmp_path, {**files(), file: changed}).failing == [f"reports/{file}"]


def test_a_verdict_changed_with_all_that_it_follows_from_is_seen_beside(tmp_path: Path) -> None:
    lines = lines_of(files()[FILE_NAME])
    name = "authentication.code-porteur/three-wrong-codes-block"
    step = lines[first(lines, "step-finished", scenario=name, index=1)]
    step["verdict"] = "passed"
    for one in step["expectations"]:
        one["ok"] = True
    lines[first(lines, "scenario-finished", scenario=name)]["verdict"] = "passed"
    found = verified(tmp_path, {**files(), FILE_NAME: journal_of(lines)})
    assert found.failing == [f"reports/{file}" for file in REPORTS]


def test_an_observed_value_changed_without_its_verdict_is_seen_beside(tmp_path: Path) -> None:
    journal = files()[FILE_NAME].replace(b'"observed":"63C0","ok":false', b'"observed":"6983","ok":false')
    assert journal != files()[FILE_NAME]
    assert "reports/report.json" in verified(tmp_path, {**files(), FILE_NAME: journal}).failing


def test_the_other_language_is_said_and_holds(tmp_path: Path) -> None:
    found = verified(tmp_path, {**files("full", "en"), FILE_NAME: files()[FILE_NAME]})
    assert found.failing == []
    assert found["reports/report.html"].text.en == "is what this journal gives, in English"
    assert found["reports/report.json"].text.en == "is what this journal gives"
    changed = files("full", "en")["report.html"].replace(b"blocked", b"passed")
    found = verified(tmp_path, {"report.html": changed})
    line = files("full", "en")["report.html"].split(b"blocked")[0].count(b"\n") + 1
    assert found["reports/report.html"].place == f"report.html:{line}"


def test_what_another_version_wrote_is_not_called_forged(tmp_path: Path) -> None:
    kept = {**files(), "junit.xml": files()["junit.xml"] + b"\n"}
    found = verified(tmp_path, kept, ours=OTHERS)
    assert found.failing == []
    assert found["reports/junit.xml"].holds is None
    assert "bifente 0.1.0 (c958973d0a41)" in found["reports/junit.xml"].text.en
    assert found["reports/report.json"].holds  # the same bytes are the same, whoever wrote them


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"verdict": "failed"', b'"verdict": "passed"', "failed in the journal"),
        (b'"failed": 2', b'"failed": 0', "counts"),
        (b'"run_id": "2025', b'"run_id": "2024', "another run or bench"),
        (b'"commit": "c9', b'"commit": "c8', "another run or bench"),
        (b'"scenario": "authentication.code-porteur/pin-pad"', b'"scenario": "other"', "absent in the journal"),
    ],
)
def test_but_what_its_json_says_of_verdicts_is_compared(tmp_path: Path, old: bytes, new: bytes, words: str) -> None:
    changed = b" " + files()["report.json"].replace(old, new)
    found = verified(tmp_path, {**files(), "report.json": changed}, ours=OTHERS)
    assert found.failing == ["reports/report.json"]
    assert words in found["reports/report.json"].text.en


def test_a_json_report_in_another_shape_is_left_to_its_version(tmp_path: Path) -> None:
    for changed in (b" " + files()["report.json"], b"{}", b"[" * 100_000):
        found = verified(tmp_path, {**files(), "report.json": changed}, ours=OTHERS)
        assert found["reports/report.json"].holds is None


def test_a_report_that_is_no_file_is_no_report_of_it(tmp_path: Path) -> None:
    (tmp_path / "junit.xml").mkdir()
    os.mkfifo(tmp_path / "ctrf.json")
    kept = {name: content for name, content in files().items() if name not in ("junit.xml", "ctrf.json")}
    assert verified(tmp_path, kept).failing == ["reports/junit.xml", "reports/ctrf.json"]


def test_forms_of_other_packages_are_compared_too(tmp_path: Path) -> None:
    def refuse(run: object, lang: Lang) -> str:
        raise RenderError("the agenda is not here")

    known = {"agenda": Format("agenda.txt", lambda run, lang: run.start.run_id), "none": Format("none.txt", refuse)}
    kept = {FILE_NAME: files()[FILE_NAME], "agenda.txt": b"20250301T093000Z-7f3a", "none.txt": b""}
    found = verified(tmp_path, kept, known=known)
    assert found["reports/agenda.txt"].holds
    assert found["reports/none.txt"].holds is None
    assert verified(tmp_path, {"agenda.txt": b"20250301T093000Z-7f3b"}, known=known).failing == ["reports/agenda.txt"]


def test_a_journal_of_another_name_has_no_reports_beside_it(tmp_path: Path) -> None:
    from bifente.reports.verifying.verify import verify

    verified(tmp_path, files())
    trace = tmp_path / "trace.jsonl"
    (tmp_path / FILE_NAME).rename(trace)
    found = verify(trace, known=FORMATS, ours=OURS, here=tmp_path, bench=tmp_path)
    assert [check.holds for check in found.checks if check.part == "reports"] == [None]


A = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"


def look(here: Path, *paths: str, needed: bool = False) -> VerifiedCheck:
    start = sample.run_started(inputs=tuple(Input(path=path, sha256=A) for path in paths))
    return check_inputs(start, here=here, bench=here / "bench", needed=needed)


def test_the_files_a_run_read(tmp_path: Path) -> None:
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "profile.yaml").write_text("a")
    (tmp_path / "suite.yaml").write_text("a")
    (tmp_path / "other.yaml").write_text("b")
    assert look(tmp_path, "suite.yaml", "bifente:profile.yaml").holds is True
    for needed, holds in ((False, None), (True, False)):
        changed = look(tmp_path, "suite.yaml", "other.yaml", "absent.yaml", needed=needed)
        assert (changed.holds, changed.place) == (holds, "other.yaml")
        assert changed.text.en == "1 unchanged; 1 changed (other.yaml); 1 not here (absent.yaml)"
    assert look(tmp_path, needed=True).holds is None


@pytest.mark.parametrize(
    "path", ["../suite.yaml", "bifente:../suite.yaml", "a\0b", "x" * 5_000, "pipe", "here", "/dev/zero"]
)
def test_a_path_that_a_journal_should_not_name_is_not_followed(tmp_path: Path, path: str) -> None:
    here = tmp_path / "here"
    (here / "here").mkdir(parents=True)
    (tmp_path / "suite.yaml").write_text("a")
    os.mkfifo(here / "pipe")
    assert look(here, path, needed=True).text.en.startswith("0 unchanged; 1 not here")


def test_a_file_larger_than_any_input_has_changed(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 33)
    assert "1 changed" in look(tmp_path, "large").text.en


def test_the_digest_that_was_kept(tmp_path: Path) -> None:
    kept = sha256_of(sample_file(tmp_path))
    assert verified(tmp_path, {}, digest=kept)["digest"].holds is True
    with (tmp_path / FILE_NAME).open("r+b") as file:  # a rewriting that nothing else sees
        file.write(files()[FILE_NAME].replace(b"2025-03-01", b"2026-03-01"))
    found = verified(tmp_path, {}, digest=kept)
    assert found.failing == ["digest"]
    assert found.whole.sha256 != kept
    assert verified(tmp_path, {}).failing == []


def sample_file(folder: Path) -> Path:
    (folder / FILE_NAME).write_bytes(files()[FILE_NAME])
    return folder / FILE_NAME


def test_a_run_that_goes_on_is_not_sealed(tmp_path: Path) -> None:
    sample.write(tmp_path / FILE_NAME, sample.green_run()[:-1])
    assert verified(tmp_path, {}).failing == ["journal"]
    (tmp_path / FILE_NAME).unlink()
    sample.write(tmp_path / FILE_NAME, [*sample.green_run()[:-1], RunFinished()])
    assert verified(tmp_path, {}).failing == []
