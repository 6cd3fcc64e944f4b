"""The jobs of docs/ci, from the wheel, by an ordinary user without capability, namespace, mount or home."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ci_jobs
import pytest
from ci_jobs import Job
from editor_project import FILES, SUITE
from installing import PATIENCE, ROOT, link_dependencies
from lxml import etree

CI = ROOT / "docs" / "ci"
JAIL = ROOT / "tests" / "pcsc" / "jail.py"
JOBS = {
    "github": ci_jobs.github(CI / "github-actions.yml"),
    "gitlab": ci_jobs.gitlab(CI / "gitlab-ci.yml"),
    "jenkins": ci_jobs.jenkins(CI / "Jenkinsfile"),
}
NOBODY = 65534
WRONG = SUITE.replace("{sector: SA07}", "{sector: SA01}")
pytestmark = [pytest.mark.long]


@dataclass(frozen=True)
class Machine:
    """Where a job runs: a folder of the ordinary user's, the wheel, and the venv that the container recipe makes."""

    folder: Path
    wheels: Path
    venv: Path
    python: Path

    def step(self, shell: tuple[str, ...], step: str, project: Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a step in the jail, in the editor's checkout."""
        added = project / "github-path"
        paths = [*(added.read_text().split() if added.is_file() else ()), more.pop("bin", "")]
        user = ["--user"] if os.geteuid() == 0 else []
        return subprocess.run(
            [self.python, "-P", JAIL, *user, *shell, step],
            cwd=project,
            env={
                "PATH": os.pathsep.join([*filter(None, paths), str(self.python.parent), os.defpath]),
                "HOME": "/nonexistent",
                "LANG": "C.UTF-8",
                "TMPDIR": str(self.folder / "tmp"),
                "GITHUB_PATH": str(added),
                # The wheel of this checkout instead of an index; what it depends on is there.
                "PIP_NO_INDEX": "1",
                "PIP_NO_DEPS": "1",
                "PIP_FIND_LINKS": str(self.wheels),
                # A job needs a part of the modules: those are compiled as they are met.
                "PIP_NO_COMPILE": "1",
                **more,
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def interpreter() -> Path:
    """An interpreter like ours that the ordinary user can read: ours may lie in a home that is closed to them."""
    ours, system = Path(sys.base_prefix, "bin", "python3"), Path("/usr/bin/python3")
    for found in (ours, system):
        open_to_all = all(path.stat().st_mode & 0o005 == 0o005 for path in found.resolve().parents)
        asked = [str(found), "-c", "import sys, ensurepip; print(*sys.version_info[:2])"]
        if os.geteuid() == 0 and not open_to_all:
            continue
        said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
        if said == [str(number) for number in sys.version_info[:2]]:
            return found
    pytest.skip("needs a Python of the same version that another user can read")


def owned(folder: Path) -> Path:
    """Give a folder to the ordinary user."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    return folder


def bare_venv(python: Path, home: Path) -> Path:
    """A venv without pip and bifente, in which the step that makes one finds what an index would give."""
    subprocess.run([python, "-m", "venv", "--without-pip", home], check=True)
    link_dependencies(home, without=("pip", "setuptools", "_distutils_hack", "pkg_resources"))
    return owned(home)


@pytest.fixture(scope="module")
def machine(built: Path) -> Iterator[Machine]:
    pytest.importorskip("smartcard.scard", reason="needs pyscard", exc_type=ImportError)
    python = interpreter()
    folder = Path("/tmp") / f"bifente-ci-{os.getpid()}"  # noqa: S108 - the ordinary user must reach it
    folder.mkdir(mode=0o755)
    try:
        wheels = folder / "dist"
        wheels.mkdir()
        shutil.copy(next(built.glob("*.whl")), wheels)
        (folder / "tmp").mkdir(mode=0o700)
        owned(folder)
        made = Machine(folder, wheels, bare_venv(python, folder / "venv"), python)
        assert made.step(("sh", "-c"), "unshare --user true", folder).returncode != 0, "the jail is open"
        apt, install = ci_jobs.container_steps(CI / "Containerfile")
        assert ci_jobs.packages(apt)
        done = made.step(("sh", "-c"), install, folder, VIRTUAL_ENV=str(made.venv))
        assert done.returncode == 0, done.stdout + done.stderr
        assert (made.venv / "bin" / "bifente").is_file()
        yield made
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def project(machine: Machine, request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = machine.folder / "projet"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    yield owned(folder)
    shutil.rmtree(folder)


def played(machine: Machine, name: str, project: Path, only: Sequence[str] = ()) -> list[tuple[str, int, str]]:
    """Each step that is no installation of packages: its text, exit code and what it said.

    With ``only``, those that hold one of these, on a machine that has the bench.
    """
    job = JOBS[name]
    fresh = name == "github" and not only
    inside = {} if fresh else {"bin": f"{machine.venv}/bin", "VIRTUAL_ENV": str(machine.venv)}
    if fresh:
        bare_venv(machine.python, project / ".venv")
    found = []
    for step in (step for step in job.steps if not only or any(words in step for words in only)):
        if "sudo " in step:
            assert ci_jobs.packages(step)
            continue
        done = machine.step(job.shell, step, project, **inside)
        found.append((step, done.returncode, done.stdout + done.stderr))
    return found


def kept(job: Job, project: Path) -> dict[str, list[Path]]:
    return {pattern: list(project.glob(pattern)) for pattern in job.kept}


@pytest.mark.parametrize("name", JOBS)
def test_a_job_passes_and_leaves_its_evidence(machine: Machine, project: Path, name: str) -> None:
    steps = played(machine, name, project)
    assert [code for _step, code, _said in steps] == [0] * len(steps), steps
    said = "".join(text for _step, _code, text in steps)
    assert "Bifente Bi-Slot Reader 00 00: 9000" in said
    found = kept(JOBS[name], project)
    assert len(found) >= 4
    assert all(found.values()), found
    suites = etree.parse(project / "artefacts/suites/junit.xml").getroot()
    (case,) = suites.iter("testcase")
    assert case.find("failure") is None
    assert case.find("skipped") is None
    tests = etree.parse(project / "artefacts/tests.xml").getroot()
    (suite,) = tests.iter("testsuite")
    assert (suite.get("tests"), suite.get("skipped"), suite.get("failures")) == ("1", "0", "0")
    pages = [project / "artefacts" / part / "report.html" for part in ("suites", "programme")]
    assert all("</html>" in page.read_text(encoding="utf-8") for page in pages)
    if os.geteuid() == 0:
        assert {page.stat().st_uid for page in pages} == {NOBODY}


@pytest.mark.parametrize("name", JOBS)
def test_a_scenario_that_fails_is_exit_1_and_keeps_its_evidence(machine: Machine, project: Path, name: str) -> None:
    (project / "banc/lecture.yaml").write_text(WRONG, encoding="utf-8")
    (broken,) = [code for _step, code, _said in played(machine, name, project, only=["bifente run banc"])]
    assert broken == 1
    (case,) = etree.parse(project / "artefacts/suites/junit.xml").getroot().iter("testcase")
    assert case.find("failure") is not None
    assert (project / "artefacts/suites/report.html").is_file()


def test_a_program_that_fails_gives_its_own_exit_code(machine: Machine, project: Path) -> None:
    (project / "logiciel.py").write_text("import sys; sys.exit(7)", encoding="utf-8")
    codes = {step: code for step, code, _said in played(machine, "gitlab", project, only=["logiciel.py", "pytest"])}
    assert [code for step, code in codes.items() if "logiciel.py" in step] == [7]
    assert [code for step, code in codes.items() if "pytest" in step] == [1]
    assert (project / "artefacts/programme/report.html").is_file()


def test_the_packages_are_those_of_the_checkout() -> None:
    known = set(runpy.run_path(str(ROOT / "run"))["PACKAGES"])
    steps = [*ci_jobs.container_steps(CI / "Containerfile"), *JOBS["github"].steps]
    installed = [named for step in steps if (named := ci_jobs.packages(step))]
    assert len(installed) == 2
    assert installed[0] == installed[1] <= known
    assert {"gcc", "swig", "libpcsclite-dev"} <= installed[0]


@pytest.mark.parametrize("file", sorted(CI.iterdir()), ids=lambda path: path.name)
def test_no_job_asks_for_a_right(file: Path) -> None:
    code = [line for line in file.read_text(encoding="utf-8").splitlines() if line.lstrip()[:1] not in ("#", "/")]
    for word in ("privileged", "cap-add", "cap_add", "SYS_ADMIN", "seccomp", "--device", "pcscd", "unshare"):
        assert not [line for line in code if word in line], word
