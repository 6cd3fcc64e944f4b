"""A user's mistake is exit 2 wherever it is found, in French in a French session, and leaves nothing behind."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from mistakes import MISTAKES, lay_out

from bifente.conformance.cli import main

ENGLISH = re.compile(
    r"(?<![-\w./'])(the|is|are|of|and|there|cannot|only|with|without|which|this|that|must|needs?|expected|unknown|found|given|"
    r"was|were|has|have|its|it|one|at|by|from|be|what|nothing|between|such|no|not|but|for|must|known|missing|"
    r"required|field|like|or|give|take|error|byte|bytes|here)(?![-\w/.'])",
    re.IGNORECASE,
)
"""Words that no French sentence has, but for what is quoted, options and names of files."""
LISTED = r"(?:connus?|connues|arguments|possibles|sont là|ici|parmi|ou|bits?) ?:? [a-z0-9'][^);.]*"
QUOTED = re.compile(rf"'[^']*'|\"[^\"]*\"|«[^»]*»|--?[\w-]+|\S*[./_=]\S*|{LISTED}")


def english(said: str) -> list[str]:
    """The English words of what a French session printed: whatever is the user's own, or a name, apart."""
    return [found[0] for line in said.splitlines() for found in ENGLISH.finditer(QUOTED.sub(" ", line))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the mistakes are made: none of them changes what is there."""
    made = tmp_path_factory.mktemp("mistakes")
    lay_out(made)
    return made


def left(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_told_in_french_and_leaves_nothing(
    line: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setattr(sys, "argv", ["bifente", *shlex.split(line)])
    before = left(folder)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    told = said.out + said.err
    assert ended.value.code == 2, told
    assert "Traceback" not in told
    assert told.strip()
    assert english(told) == [], told
    assert left(folder) == before


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("bifente: the file is missing", ["the", "is", "missing"]),
        ("bifente: x.yaml:3:5: code: unknown key", ["unknown"]),
        ("bifente: --card cps=of: connus : the, of, is", []),
        ("bifente: il manque la clé 'is' (vouliez-vous 'of' ?)", []),
    ],
)
def test_english_is_known_from_french(said: str, words: list[str]) -> None:
    assert english(said) == words
