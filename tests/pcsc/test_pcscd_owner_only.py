"""Nobody but its owner reaches a private pcscd, though pcscd opens its directory and its socket to everybody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pcsc_tools import new_reader

from bifente.simulator.pcsc import PrivatePcscd
from bifente.simulator.pcsc.discovery import Installation

NOBODY = 65534
_CONNECT = """
import os, socket, sys
if int(sys.argv[1]):
    os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
for name in sys.argv[2:]:
    try:
        socket.socket(socket.AF_UNIX).connect(name)
        print("open")
    except PermissionError:
        print("refused")
"""


def connected(user: int, *paths: Path) -> list[str]:
    """What a user gets who calls at these sockets."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _CONNECT, str(user), *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout.split()


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become another user")
def test_another_user_is_refused(installation: Installation, given: bool, short_directory: Path) -> None:
    run_dir = short_directory if given else None
    with PrivatePcscd.start([new_reader("Lecteur")], run_dir=run_dir, installation=installation) as pcscd:
        sockets = (pcscd.run_dir / "pcscd.comm", pcscd.run_dir / "own" / "ipc" / "pcscd.comm")
        assert connected(0, *sockets) == ["open", "open"]
        assert connected(NOBODY, *sockets) == ["refused", "refused"]
    assert pcscd.run_dir.exists() is given
    assert not given or not list(pcscd.run_dir.iterdir())


def test_the_run_directory_is_the_owners_alone(installation: Installation) -> None:
    with PrivatePcscd.start([new_reader("Lecteur")], installation=installation) as pcscd:
        assert pcscd.run_dir.stat().st_mode & 0o777 == 0o700
        assert (pcscd.run_dir / "own").stat().st_mode & 0o777 == 0o700
        assert (pcscd.run_dir / "pcscd.comm").stat().st_mode & 0o777 == 0o600


@pytest.fixture
def short_directory() -> object:
    """A directory open to everybody, of a path that a socket can bear."""
    import shutil
    import tempfile

    path = Path(tempfile.mkdtemp(prefix="wide-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)
