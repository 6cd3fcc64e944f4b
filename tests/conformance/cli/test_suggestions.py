"""What a mistake is answered with: the near word, the option that the word tells of, and nothing rather than far."""

from __future__ import annotations

from pathlib import Path

import pytest
from conformance_cli import Cli


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(monkeypatch, capsys)


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("serve", "--seconds", "3"), "No such option: --seconds (Possible options: --for)."),
        (("up", "--seconds", "3"), "No such option: --seconds (Possible options: --for)."),
        (("up", "--record", "x"), "No such option: --record (Possible options: --out)."),
        (("observe", "--time-out", "3", "--", "true"), "No such option: --time-out Did you mean --timeout?"),
        (("run", "--readers", "x"), "No such option: --readers Did you mean --reader?"),
        (("run", "--worker", "2"), "No such option: --worker Did you mean --workers?"),
        (("run", "--no-operatr"), "No such option: --no-operatr Did you mean --no-operator?"),
        (("run", "--nope"), "No such option: --nope."),
        (("run", "--timeout", "3"), "No such option: --timeout."),
        (("run", "--verbose"), "No such option: --verbose."),
        (("exec", "--for", "3"), "No such option: --for."),
        (("exec", "--x"), "No such option: --x."),
    ],
)
def test_an_option_that_is_none(cli: Cli, arguments: tuple[str, ...], meant: str) -> None:
    assert meant in cli(*arguments).fails(2)


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (("bisect", "cabinet-marti", "b.yaml"), "did you mean 'cabinet-martin.yaml'?"),
        (("bisect", "cabinet-martn.yaml", "b.yaml"), "did you mean 'cabinet-martin.yaml'?"),
        (("bisect", "nobody.yaml", "b.yaml"), "there: cabinet-martin.yaml, poste.yaml"),
        (("diagnose", "other/x.yaml"), "the folder other does not exist either"),
        (("run", "posts.yaml"), "did you mean 'poste.yaml'?"),
    ],
)
def test_a_file_that_is_not_there(cli: Cli, tmp_path: Path, arguments: tuple[str, ...], cure: str) -> None:
    for name in ("cabinet-martin.yaml", "poste.yaml"):
        (tmp_path / name).write_text("", encoding="utf-8")
    assert cure in cli(*arguments).fails(2)


def test_a_folder_without_any_file_is_named(cli: Cli, tmp_path: Path) -> None:
    said = cli("bisect", "a", "b").fails(2, "a: ")
    assert f"no YAML file is in the folder {tmp_path}" in said
