"""Each command of the page "votre client", as it stands there, where its client is installed."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from warm import warm

pytestmark = pytest.mark.long

CACHE = Path("/etc/opt/santesocial/CPS/cache")
"""The Cryptolib keeps what it reads of a card, where this folder is: what a test put there goes with it."""
PAGE = Path(__file__).resolve().parents[2] / "docs" / "votre-client.md"
BLOCKS = dict(re.findall(r"<!-- (\w+) -->\n```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
OPENSC = Path("/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so")


def lacking(client: str) -> str:
    """What keeps a block from running here; empty if nothing does."""
    programs = {"opensc": ["pkcs11-tool"], "cryptolib": ["pkcs11-tool"], "java": ["java"]}.get(client, [])
    for program in ("openssl", *programs):
        if shutil.which(program) is None:
            return f"needs {program}"
    if client == "cryptolib" and not os.environ.get("BIFENTE_CRYPTOLIB"):
        return "needs the ANS Cryptolib CPS: set BIFENTE_CRYPTOLIB"
    if client in ("pyscard", "pykcs11"):
        module = {"pyscard": "smartcard", "pykcs11": "PyKCS11"}[client]
        if importlib.util.find_spec(module) is None:
            return f"needs {module}"
    return "" if client != "pykcs11" or OPENSC.is_file() else "needs OpenSC's module"


def test_the_page_has_a_command_for_each_client() -> None:
    assert set(BLOCKS) == {"commun", "opensc", "cryptolib", "pykcs11", "pyscard", "java"}


@pytest.mark.parametrize("client", [name for name in BLOCKS if name != "commun"])
def test_a_command_of_the_page_signs(client: str, tmp_path: Path) -> None:
    if reason := lacking(client):
        pytest.skip(reason)
    own = tmp_path / "bin"
    own.mkdir()
    (own / "bifente").write_text(
        f'#!/bin/sh\nexec {shlex.join(warm())} "$@"\n',
        encoding="utf-8",
    )
    (own / "bifente").chmod(0o755)
    before = set(CACHE.glob("*"))
    done = subprocess.run(
        ["/bin/sh", "-eu"],
        input=BLOCKS["commun"] + BLOCKS[client],
        env={**os.environ, "PATH": f"{own}:{Path(sys.executable).parent}:{os.environ['PATH']}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    for path in set(CACHE.glob("*")) - before:
        path.unlink()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("Verified OK")
