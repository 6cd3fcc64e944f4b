"""In a container as they come (no capability, no namespace, no mount) unmodified clients use our service."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias
from xml.etree import ElementTree

import pytest
from jail import NOBODY

from bifente.simulator.pki.keystore import ENVIRONMENT

pytestmark = pytest.mark.long

HERE = Path(__file__).parent
Done: TypeAlias = subprocess.CompletedProcess[str]


def _module() -> str:
    for found in sorted(Path("/usr/lib").glob("*/opensc-pkcs11.so")):
        return str(found)
    pytest.skip("needs OpenSC's PKCS#11 module (apt-get install opensc-pkcs11)")


BOTH = pytest.mark.parametrize("who", ["ordinary user", "the same user"], scope="module")


@pytest.fixture(scope="module")
def jail(who: str) -> Iterator[Jail]:
    """A jail to run programs in, with a folder of its own and the keys of the laboratory in it."""
    nobody = who == "ordinary user"
    if nobody and os.geteuid() != 0:
        pytest.skip("becomes another user, which only root can")
    folder = Path("/tmp") / f"bifente-jail-{os.getpid()}-{int(nobody)}"  # noqa: S108 - nobody must reach it
    folder.mkdir(mode=0o700)
    try:
        _give_keys(folder / "keys")
        if nobody:
            for path in (folder, *folder.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        yield Jail(folder, nobody)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _give_keys(folder: Path) -> None:
    """Copy those that the laboratory of these tests has made: a jail makes what it lacks, and each takes a while."""
    folder.mkdir(mode=0o700)
    for made in Path(os.environ.get(ENVIRONMENT, folder)).glob("*.sqlite"):
        with closing(sqlite3.connect(made)) as ours, closing(sqlite3.connect(folder / made.name)) as copy:
            ours.backup(copy)
        (folder / made.name).chmod(0o600)


@dataclass(frozen=True)
class Jail:
    folder: Path
    nobody: bool

    def run(
        self, *command: str | Path, cwd: Path = Path("/"), seconds: float = 600, before: Sequence[str] = ()
    ) -> Done:
        """Run Python in the jail. ``before`` is the start of a command line that the jail's own door stands behind."""
        user = ["--user"] if self.nobody else []
        path = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder), "TMPDIR": str(self.folder)}
        return subprocess.run(
            [*before, sys.executable, "-P", HERE / "jail.py", *user, sys.executable, "-P", *command],
            capture_output=True,
            text=True,
            timeout=seconds,
            env={**path, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", ENVIRONMENT: str(self.folder / "keys")},
            cwd=cwd,
        )


@BOTH
def test_unmodified_clients_in_a_jail(jail: Jail, pyscard: None) -> None:
    for tool in ("opensc-tool", "pkcs15-tool", "pkcs11-tool", "pcsc_scan", "p11tool", "unshare"):
        if shutil.which(tool) is None:
            pytest.skip(f"needs {tool}")
    done = jail.run(HERE / "own_in_jail.py", jail.folder, _module())
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["uid"] == (NOBODY if jail.nobody else os.getuid())
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


HIDE = """
for folder in /etc/opt /var/opt; do
    mount -t tmpfs -o mode=755 hidden $folder && mkdir -p $folder/santesocial/CPS/cache || exit 1
    chmod -R 777 $folder/santesocial
done
exec "$@"
"""
"""The Cryptolib works in folders of the machine: private ones are put before them, then the jail is entered."""


@BOTH
def test_the_cryptolib_signs_in_a_jail(jail: Jail) -> None:
    if (library := os.environ.get("BIFENTE_CRYPTOLIB")) is None:
        pytest.skip("needs the ANS Cryptolib CPS: set BIFENTE_CRYPTOLIB to the path of libcps3_pkcs11_lux.so")
    if os.geteuid() != 0:
        pytest.skip("hides folders of the machine, which only root can")
    before = ("unshare", "--mount", "sh", "-c", HIDE, "sh")
    done = jail.run(HERE / "own_in_jail.py", jail.folder, library, "cryptolib", before=before)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert (said["capabilities"], said["defects"]) == (["0000000000000000"], [])
    assert "CPS3v3-9900000001" in said["token"], said["token"]
    assert "ended with" not in said["pkcs11-tool"], said["pkcs11-tool"]
    assert said["signed"] is True


CLIENTS = ("test_tls", "test_scdaemon", "test_java", "test_chromium_card")


@pytest.fixture(scope="module")
def played(jail: Jail, pyscard: None) -> dict[str, list[ElementTree.Element]]:
    """The tests of clients, played in the jail by one pytest: the cases of each module."""
    options = ("-q", "-rs", "-p", "no:cacheprovider", "-p", "no:xdist", "--basetemp", jail.folder / "base")
    report = jail.folder / "report.xml"
    files = [f"tests/clients/{module}.py" for module in CLIENTS]
    done = jail.run("-m", "pytest", *options, f"--junitxml={report}", "-k", "not pcscd", *files, cwd=HERE.parents[1])
    assert done.returncode in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED), done.stdout + done.stderr
    (suite,) = ElementTree.parse(report).getroot()  # noqa: S314 - our own
    cases = {
        module: [case for case in suite if case.get("classname") == f"tests.clients.{module}"] for module in CLIENTS
    }
    assert sum(map(len, cases.values())) == int(suite.attrib["tests"]), done.stdout + done.stderr
    return cases


@pytest.mark.parametrize("module", CLIENTS)
@BOTH
def test_the_tests_of_a_client_pass_in_a_jail(played: dict[str, list[ElementTree.Element]], module: str) -> None:
    cases = played[module]
    assert cases
    assert [
        ElementTree.tostring(case, "unicode")
        for case in cases
        for tag in ("failure", "error")
        if case.find(tag) is not None
    ] == []
    skipped = [case.find("skipped") for case in cases]
    if None not in skipped:
        pytest.skip(next(found.attrib["message"] for found in skipped if found is not None))


@BOTH
def test_demo_keeps_its_pcsc_half_in_a_jail(jail: Jail, pyscard: None) -> None:
    answer = "import runpy; run = runpy.run_path('run'); print(run['_pcsc_works'](), run['DEMO_PCSC'][0])"
    done = jail.run("-c", answer, cwd=HERE.parents[1])
    works, _, suite = done.stdout.strip().partition(" ")
    assert works == "True", done.stderr
    bifente = Path(sys.executable).parent / "bifente"
    # Of each way to the card a suite: commands, and logins by TLS with every end that the card decides. What reaches
    # no card sees no jail, nor do responders that answer late: they cost half a minute each.
    cards = ("a-login*", "card-*", "expired-card", "no-certificate", "one-card*", "*-certificate", "wrong-code")
    chosen = ("signature/*", *(f"psc-card/{name}" for name in cards))
    select = [word for name in chosen for word in ("--select", f"authentication.{name}")]
    out = str(jail.folder / "demo")
    files = [f"{suite}/signature.yaml", f"{suite}/psc-card.yaml"]
    done = jail.run(bifente, "run", *files, "--target", "pcsc", "--out", out, *select, cwd=HERE.parents[1])
    assert done.returncode == 0, done.stdout + done.stderr
