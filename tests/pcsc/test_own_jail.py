"""In a container as they come (no capability, no namespace, no mount) unmodified clients use our service."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def _module() -> str:
    for found in sorted(Path("/usr/lib").glob("*/opensc-pkcs11.so")):
        return str(found)
    pytest.skip("needs OpenSC's PKCS#11 module (apt-get install opensc-pkcs11)")


@pytest.mark.timeout(180)
@pytest.mark.parametrize("who", ["ordinary user", "the same user"])
def test_unmodified_clients_in_a_jail(who: str, pyscard: None, tmp_path: Path) -> None:
    for tool in ("opensc-tool", "pkcs15-tool", "pkcs11-tool", "pcsc_scan", "p11tool", "unshare"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    nobody = who == "ordinary user"
    if nobody and os.geteuid() != 0:
        pytest.skip("becomes another user, which only root can")
    folder = Path("/tmp") / f"bifente-jail-{os.getpid()}-{int(nobody)}"  # noqa: S108 - nobody must reach it
    folder.mkdir(mode=0o700)
    try:
        if nobody:
            os.chown(folder, 65534, 65534)
        user = ["--user"] if nobody else []
        done = subprocess.run(
            [
                *(sys.executable, "-P", str(HERE / "jail.py"), *user),
                *(sys.executable, "-P", str(HERE / "own_in_jail.py"), str(folder), _module()),
            ],
            capture_output=True,
            text=True,
            timeout=150,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", "HOME": str(folder)},
            cwd="/",
        )
        assert done.returncode == 0, done.stderr
        said = json.loads(done.stdout)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    assert said["uid"] == (65534 if nobody else os.getuid())
    assert said["capabilities"] == ["0000000000000000"]
    assert said["unshare"] != 0
    assert said["mount"] != 0
    assert said["pcscd"] in ("user-namespace", "mount-namespace"), "a private pcscd is out of the question here"
    assert "Yes             Jail TL 00 00" in said["opensc-tool"]
    assert said["name"].strip().startswith("IAS")
    assert "PKCS#15 Card" in said["pkcs15-tool"]
    assert "X.509 Certificate" in said["pkcs15-tool"]
    assert said["pcsc_scan"].splitlines() == ["0: Jail TL 00 00", "1: Jail TL 00 01"]
    assert said["monitors"] == "card True readers True"
    assert "CPS3v3-" in said["p11tool"]
    assert "ended with" not in said["pkcs11-tool"]
    assert said["signed"] is True
    assert said["defects"] == []
