"""The folder of a record: what was made for it can be taken away again, and nothing else ever is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bifente.conformance.run.folder import RecordFolder


def test_what_was_made_is_taken_away(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path / "runs" / "one")
    (folder.path / "journal.jsonl").touch()
    folder.withdraw([folder.path / "journal.jsonl"])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_there_stays_with_what_was_in_it(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").touch()
    folder = RecordFolder(tmp_path / "mine")
    (folder.path / "journal.jsonl").touch()
    folder.withdraw([folder.path / "journal.jsonl"])
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes"]


def test_what_somebody_else_put_there_meanwhile_stays(tmp_path: Path) -> None:
    folder = RecordFolder(tmp_path / "runs" / "one")
    (tmp_path / "runs" / "two").mkdir()
    folder.withdraw([folder.path / "journal.jsonl"])
    assert not folder.path.exists()
    assert (tmp_path / "runs" / "two").is_dir()
    folder = RecordFolder(tmp_path / "runs" / "three")
    (folder.path / "notes").touch()
    folder.withdraw([])
    assert (folder.path / "notes").exists()


@pytest.mark.parametrize("private", [True, False])
def test_a_private_one_is_its_owner_s_alone(tmp_path: Path, private: bool) -> None:
    before = os.umask(0o022)
    try:
        folder = RecordFolder(tmp_path / "one", private=private)
    finally:
        os.umask(before)
    assert bool(folder.path.stat().st_mode & 0o077) is not private


def test_one_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        RecordFolder(tmp_path / "file" / "one")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
