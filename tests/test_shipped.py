"""The files that come with the code: read the same by the fast loader and the slow one, and only where they are."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml

import bifente.simulator as simulator
from bifente.ground import shipped as module
from bifente.ground.shipped import shipped, texts

ROOT = Path(simulator.__file__).parent
FILES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.yaml"))


def shipped_texts(package: str, *path: str) -> Any:
    return texts(resources.files(package).joinpath(*path).read_text(encoding="utf-8"))


READERS = [(shipped, "_VALUES", yaml.SafeLoader), (shipped_texts, "_TEXTS", yaml.BaseLoader)]


@pytest.mark.parametrize(("read", "name", "slow"), READERS)
def test_every_file_is_read_the_same_without_libyaml(
    monkeypatch: pytest.MonkeyPatch, read: object, name: str, slow: object
) -> None:
    assert len(FILES) > 40
    fast = [read("bifente.simulator", *file.parts) for file in FILES]  # type: ignore[operator]
    monkeypatch.setattr(module, name, slow)
    assert [read("bifente.simulator", *file.parts) for file in FILES] == fast  # type: ignore[operator]


def test_values_are_values_and_texts_are_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "shipped_here"
    package.mkdir()
    (package / "one.yaml").write_text("{code: 0010, other: 1e3, name: é, off: [off, ~]}", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert shipped("shipped_here", "one.yaml") == {"code": 8, "other": "1e3", "name": "é", False: [False, None]}
    assert shipped_texts("shipped_here", "one.yaml") == {
        "code": "0010",
        "other": "1e3",
        "name": "é",
        "off": ["off", "~"],
    }


@pytest.mark.parametrize("read", [shipped, shipped_texts])
def test_a_file_that_is_not_there_is_said_to_be_missing(read: object) -> None:
    with pytest.raises(FileNotFoundError):
        read("bifente.simulator.iso7816", "nothing.yaml")  # type: ignore[operator]
    with pytest.raises(FileNotFoundError):
        read("bifente.simulator", "cards", "cps9", "layout.yaml")  # type: ignore[operator]


@pytest.mark.parametrize("text", ["!!python/object/apply:os.getcwd []", "!!python/name:os.getcwd"])
def test_no_file_can_call_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    package = tmp_path / "shipped_hostile"
    package.mkdir()
    (package / "one.yaml").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(yaml.YAMLError):
        shipped("shipped_hostile", "one.yaml")
    assert shipped_texts("shipped_hostile", "one.yaml") in ([], "")
