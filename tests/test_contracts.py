"""Who may import whom: each contract of pyproject is broken on purpose in a copy of the tree, and says so."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[1]
CONTRACTS: list[str] = [
    one["name"]
    for one in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
]
GROUND, ENGINE, SIMULATOR = "the ground under everything", "floors inside conformance", "floors inside the simulator"
FAMILIES, FRONT_END, SERVICES = "card families do not", "the front end knows", "services do not"
REPORTS, DOMAINS = "floors inside reports", "domains do not"

BREACHES = [
    (GROUND, "ground.clock", "simulator.fault"),
    (GROUND, "simulator.fault", "reports.verdict"),
    (GROUND, "reports.verdict", "simulator.fault"),
    (GROUND, "reports.verdict", "conformance.domain"),
    (GROUND, "stray", "ground.text"),
    (ENGINE, "conformance.run.ending", "conformance.domains.fse.domain"),
    (ENGINE, "conformance.run.telling", "conformance.domains.readers.domain"),
    (ENGINE, "conformance.loading.problems", "conformance.bench.base"),
    (ENGINE, "conformance.domains.card.domain", "conformance.cli.app"),
    (ENGINE, "conformance.stray", "ground.text"),
    (SIMULATOR, "simulator.iso7816.tlv", "simulator.cards.family"),
    (SIMULATOR, "simulator.pcsc.errors", "simulator.middleware.codes"),
    (SIMULATOR, "simulator.services.apcv", "simulator.software.billing"),
    (SIMULATOR, "simulator.stray", "ground.text"),
    (FAMILIES, "simulator.cards.cps3.family", "simulator.cards.cps4.family"),
    (FAMILIES, "simulator.cards.cpx.files", "simulator.cards.vitale1.family"),
    (FRONT_END, "simulator.services.frontal.faults", "simulator.cards.family"),
    (SERVICES, "simulator.services.cloudfsv.faults", "simulator.services.apcv.faults"),
    (REPORTS, "reports.events", "reports.journal"),
    (REPORTS, "reports.model", "reports.writers.html"),
    (REPORTS, "reports.stray", "reports.verdict"),
    (DOMAINS, "conformance.domains.card.domain", "conformance.domains.readers.domain"),
    (DOMAINS, "conformance.domains.vitale.domain", "conformance.domains.fse.domain"),
    (DOMAINS, "conformance.domains.fse.domain", "conformance.domains.card.domain"),
    (DOMAINS, "conformance.domains.wireless.domain", "conformance.domains.vitale.domain"),
]
"""Contract, the module that breaks it, and what that module imports."""


def named(beginning: str) -> str:
    name, *more = [contract for contract in CONTRACTS if contract.startswith(beginning)]
    assert not more
    return name


@dataclass
class Tree:
    """A copy of every module, and of what is said of their imports."""

    root: Path

    @contextmanager
    def importing(self, importer: str, imported: str) -> Iterator[None]:
        """With one more import in a module, made for it if it is not there."""
        path = self.root / "src/bifente" / importer.replace(".", "/")
        file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        before = file.read_bytes() if file.exists() else None
        file.write_bytes((before or b"") + f"\nimport bifente.{imported}\n".encode())
        try:
            yield
        finally:
            file.unlink() if before is None else file.write_bytes(before)

    def verdicts(self) -> dict[str, str]:
        """What the linter says of each contract."""
        said = subprocess.run(
            [Path(sys.executable).parent / "lint-imports", "--no-logo", "--cache-dir", self.root / "cache"],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": str(self.root / "src"), "COLUMNS": "400"},
            capture_output=True,
            text=True,
            check=False,
        )
        found = dict(re.findall(r"^(.*?) (KEPT|BROKEN)\b", said.stdout, flags=re.M))
        assert said.returncode == ("BROKEN" in found.values()), said.stdout + said.stderr
        return found


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    root = tmp_path_factory.mktemp("tree")

    def but_modules(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if not name.endswith(".py") and not Path(folder, name).is_dir()}

    shutil.copytree(ROOT / "src/bifente", root / "src/bifente", ignore=but_modules)
    shutil.copy(ROOT / "pyproject.toml", root)
    return Tree(root)


def test_each_contract_is_broken_below() -> None:
    assert {named(beginning) for beginning, _importer, _imported in BREACHES} == set(CONTRACTS)


def test_unbroken_the_copy_keeps_them_all(tree: Tree) -> None:
    assert tree.verdicts() == dict.fromkeys(CONTRACTS, "KEPT")


@pytest.mark.parametrize(("beginning", "importer", "imported"), BREACHES)
def test_an_import_too_many_is_told_under_its_contract(
    tree: Tree, beginning: str, importer: str, imported: str
) -> None:
    with tree.importing(importer, imported):
        verdicts = tree.verdicts()
    assert [name for name, verdict in verdicts.items() if verdict == "BROKEN"] == [named(beginning)]


def test_an_exception_that_nothing_needs_is_told(tree: Tree) -> None:
    file = tree.root / "pyproject.toml"
    before = file.read_text(encoding="utf-8")
    allowed = '"bifente.conformance.domains.fse.** -> bifente.conformance.domains.vitale.**",'
    assert allowed in before
    file.write_text(
        before.replace(allowed, allowed + '"bifente.conformance.domains.card.** -> bifente.simulator.pcsc",')
    )
    try:
        with pytest.raises(AssertionError, match="No matches for ignored import"):
            tree.verdicts()
    finally:
        file.write_text(before)
