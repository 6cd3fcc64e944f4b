"""One installed name: the wheel in a venv of its own, beside a project whose packages have the names of our folders."""

from __future__ import annotations

import json
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from installing import link_dependencies, run

pytestmark = pytest.mark.long

PROJECT = {
    "reports/__init__.py": "OWN = 'reports of the project'\n",
    "simulator/__init__.py": "OWN = 'simulator of the project'\n",
    "scenarios/__init__.py": "OWN = 'scenarios of the project'\n",
    "conformance/__init__.py": "OWN = 'conformance of the project'\n",
    "tests/test_project.py": """
import conformance, reports, scenarios, simulator

def test_own_packages():
    assert [one.OWN.split()[0] for one in (conformance, reports, scenarios, simulator)] == [
        "conformance", "reports", "scenarios", "simulator"]

def test_card(card):
    assert card.card.transmit(bytes.fromhex("00A4040C088025000001FF0100")) == b"\\x90\\x00"

def test_reader(reader, card):
    reader.remove("cps")
    assert card.state()["pin-verified"] is False
""",
    "tests/codes.yaml": """
suite: project.codes
title: {fr: Codes, en: Codes}
fidelity: observed
bench: {cards: {cps: medecin-generaliste}}
scenarios:
  - id: challenge
    title: {fr: Un aléa, en: A challenge}
    requirements: [CARD-CPS3-01]
    steps:
      - get-challenge: 8
""",
}


@pytest.fixture(scope="module")
def python(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a venv that has the wheel, and this one's dependencies but not its bifente."""
    home = tmp_path_factory.mktemp("venv")
    venv.create(home, with_pip=False)
    link_dependencies(home)
    (wheel,) = built.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install", "--no-deps", "--no-index"]
    run([*pip, "--quiet", "--no-compile", "--disable-pip-version-check", wheel], home)
    return home / "bin" / "python"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_wheel_holds_one_name(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"bifente"}


def test_the_sdist_holds_everything(built: Path, source: Path) -> None:
    (packed,) = built.glob("*.tar.gz")
    root = packed.name.removesuffix(".tar.gz")
    with tarfile.open(packed) as archive:
        held = {name.removeprefix(f"{root}/") for name in archive.getnames()}
    wanted = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file() and not path.is_symlink()}
    assert len(wanted) > 700
    assert wanted - held == set()


def test_the_wheel_is_that_of_the_checkout(built: Path, source: Path) -> None:
    (wheel,) = built.glob("*.whl")
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("bifente/")}
    folders = ("simulator", "reports", "conformance", "scenarios", "vendor_profiles")
    wanted = {
        f"bifente/{path.relative_to(source)}"
        for folder in folders
        for path in (source / folder).rglob("*")
        if path.is_file()
    }
    wanted |= {
        f"bifente/{path.relative_to(source / 'src/bifente')}" for path in (source / "src/bifente/ground").rglob("*.py")
    }
    assert wanted - held == set()


def test_a_project_with_packages_of_the_same_names_is_not_disturbed(python: Path, project: Path) -> None:
    where = run([python, "-c", "import bifente.reports; print(bifente.reports.__file__)"], project).strip()
    assert Path(where).is_relative_to(python.parent.parent)
    said = run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"], project)
    assert "4 passed" in said


def test_the_commands_work_without_a_checkout(python: Path, project: Path) -> None:
    bifente = python.parent / "bifente"
    run([bifente, "run", "tests/codes.yaml", "--out", "out"], project)
    assert (project / "out" / "report.html").is_file()
    assert "medecin-generaliste" in run([bifente, "cards", "list"], project)
    assert "$defs" in json.loads(run([bifente, "schema", "scenario"], project))
    assert "TEST" in run([bifente, "read", "--card", "cps=medecin-generaliste", "--card", "vitale=vitale/ald"], project)
    assert run([bifente, "requirements"], project)
    broken = project / "broken.yaml"
    broken.write_text("suite: [", encoding="utf-8")
    run([bifente, "run", broken], project, code=2)


def test_readers_come_up_without_a_checkout(python: Path, project: Path) -> None:
    said = run([python.parent / "bifente", "up", "--card", "cps=medecin-generaliste", "--for", "1"], project)
    assert "PCSCLITE_CSOCK_NAME=" in said
    assert "Bifente Bi-Slot Reader" in said
