"""The examples of docs/channel.md, run as they stand there."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from channel_tools import Up

PAGE = (Path(__file__).parents[2] / "docs" / "channel.md").read_text(encoding="utf-8")


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def needs(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"needs {program}")
    return found


def test_curl(stood: Up) -> None:
    needs("curl")
    told = json.loads(stood.run("sh", "-c", example("sh")).stdout)
    assert told["ok"] is True
    assert told["order"] == "inject"
    assert stood.channel.order("state")["faults"] == [{"fault": "card-mute", "slot": "cps"}]
    stood.channel.order("clear")


def test_python(stood: Up) -> None:
    assert stood.run(sys.executable, "-c", example("python")).stdout.strip() == "['removed', 'inserted']"


def test_java(stood: Up, tmp_path: Path) -> None:
    java = needs("java")
    needs("javac")
    (tmp_path / "Order.java").write_text(example("java"), encoding="utf-8")
    done = stood.run(java, "-XX:TieredStopAtLevel=1", tmp_path / "Order.java", "remove", '{"slot": "vitale"}')
    assert json.loads(done.stdout)["slot"] == "vitale", done.stderr
    assert stood.channel.order("state")["slots"]["vitale"]["template"] is None
    stood.channel.order("insert", slot="vitale")


def test_every_order_is_on_the_page(stood: Up) -> None:
    for order in stood.channel.order("help")["orders"]:
        assert f"`{order}`" in PAGE, order
