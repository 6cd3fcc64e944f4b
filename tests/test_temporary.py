"""Temporary folders: gone with their process, or with the next one where it was killed; nobody else's is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifente.ground.temporary import HeldFolder, sweep

PREFIX = "bifente-test-"
HOLDER = f"""
import sys
from bifente.ground.temporary import HeldFolder
folder = HeldFolder({PREFIX!r})
open(folder.name + "/secret", "w").close()
print(folder.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def holder(place: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(place)},
    )
    yield process
    process.kill()
    process.communicate()


def test_what_a_killed_process_left_is_taken_away_by_the_next(place: Path, holder: subprocess.Popen[str]) -> None:
    assert holder.stdout is not None
    held = Path(holder.stdout.readline().strip())
    assert held.parent == place
    with HeldFolder(PREFIX) as mine:
        assert (held / "secret").exists(), "whoever lives keeps what it holds"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert (held / "secret").exists()
        with HeldFolder(PREFIX) as other:
            assert not held.exists()
            assert Path(mine).is_dir()
            assert Path(other).is_dir()
    assert list(place.iterdir()) == []


def test_a_folder_of_this_user_alone(place: Path) -> None:
    with HeldFolder(PREFIX) as name:
        assert Path(name).stat().st_mode & 0o077 == 0


def _abandoned(place: Path, name: str = f"{PREFIX}1", mode: int = 0o700) -> Path:
    folder = place / name
    folder.mkdir(mode=mode)
    folder.chmod(mode)
    (folder / ".held").touch(0o600)
    return folder


def test_what_nobody_holds_is_swept(place: Path) -> None:
    folder = _abandoned(place)
    sweep(PREFIX)
    assert not folder.exists()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o701])
def test_a_folder_that_others_reach_is_left(place: Path, mode: int) -> None:
    folder = _abandoned(place, mode=mode)
    sweep(PREFIX)
    assert folder.exists()


def test_what_is_not_held_by_us_is_left(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = place / f"{PREFIX}plain"
    plain.mkdir(0o700)
    other = _abandoned(place, "bifente-other-1")
    sweep(PREFIX)
    assert plain.exists()
    assert other.exists()
    somebodys = _abandoned(place, f"{PREFIX}somebody")
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    sweep(PREFIX)
    assert somebodys.exists()


def test_a_link_is_never_followed(place: Path) -> None:
    precious = place / "precious"
    precious.mkdir(0o700)
    (precious / ".held").touch(0o600)
    (place / f"{PREFIX}link").symlink_to(precious)
    linked = place / f"{PREFIX}mark"
    linked.mkdir(0o700)
    target = place / "target"
    target.touch()
    (linked / ".held").symlink_to(target)
    sweep(PREFIX)
    assert precious.exists()
    assert linked.exists()
    assert target.exists()
