"""What the doctor tells one to do is done, and the link holds then."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bifente.simulator.pcsc.discovery import Installation
from bifente.simulator.pcsc.errors import CURES, Link

BIFENTE = Path(sys.executable).parent / "bifente"


def doctor(limit: str, service: str, home: Path) -> subprocess.CompletedProcess[str]:
    """What an ordinary user's doctor says where so many user namespaces may be."""
    return subprocess.run(
        [
            *(sys.executable, "-P", Path(__file__).with_name("limited.py"), limit),
            *(BIFENTE, "doctor", "--service", service, "--lang", "en"),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd="/",
        env={"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": "/tmp", "LANG": "C.UTF-8"},  # noqa: S108
    )


@pytest.mark.timeout(120)
def test_the_limit_of_namespaces_is_lifted(installation: Installation, tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("sysctl") is None:
        pytest.skip("becomes another user under another limit, which only root can")
    refused = doctor("0", "pcscd", tmp_path)
    if "Traceback" in refused.stderr:
        pytest.skip(f"no limit can be set here: {refused.stderr[-200:]}")
    assert refused.returncode == 3
    assert "FAIL user-namespace" in refused.stdout
    # Both ways out that the cure tells.
    cure = CURES[Link.USER_NAMESPACE].en
    assert "--service own" in refused.stdout
    limit = re.search(r"user\.max_user_namespaces=(\d+)", cure)
    assert limit is not None
    lifted = doctor(limit[1], "pcscd", tmp_path)
    assert lifted.returncode == 0, lifted.stdout
    own = doctor("0", "own", tmp_path)
    assert own.returncode == 0, own.stdout
