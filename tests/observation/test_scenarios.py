"""Software under test in scenarios: the shipped suite, and each kind of expectation turned red by a planted fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conformance_cli import apart

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "scenarios" / "software" / "reference.yaml"


def run(folder: Path, text: str, *options: str, target: str = "pcsc") -> tuple[int, str]:
    suite = folder / "suite.yaml"
    suite.write_text(text, encoding="utf-8")
    said = apart("run", suite, "--target", target, "--lang", "en", "--out", folder / "out", *options, cwd=folder)
    return said.code, said.out


def with_fault(fault: str) -> str:
    return SUITE.read_text(encoding="utf-8").replace("reference, --driver", f"reference, --fault, {fault}, --driver")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> str:
    code, said = run(tmp_path_factory.mktemp("good"), SUITE.read_text(encoding="utf-8"))
    assert code == 0, said
    return said


def test_the_reference_program_passes(good: str) -> None:
    assert "passed 4" in good


FAULTS = {
    "replays-code": ("reads-signs-and-leaves", "seen: ✗ failed"),
    "no-logout": ("reads-signs-and-leaves", "pin-verified"),
    "does-not-end": ("reads-signs-and-leaves", "in-time"),
    "repeats-refused-code": ("a-wrong-code-is-one-try-and-is-told", "pin-tries"),
    "storms-mute-card": ("a-mute-card-is-told-and-no-storm", "count: expected at-most 2"),
    "ignores-6c": ("reads-signs-and-leaves", "rules: ✗ failed"),
    "crashes": ("a-mute-card-is-told-and-no-storm", "exit"),
}
"""The scenario that must see it, and where."""


@pytest.fixture(scope="module")
def red(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What one run says of each fault, a suite with one scenario for each."""
    folder = tmp_path_factory.mktemp("red")
    select = [word for fault, (scenario, _) in FAULTS.items() for word in ("--select", f"software.{fault}/{scenario}")]
    for fault in FAULTS:
        named = with_fault(fault).replace("suite: software.reference", f"suite: software.{fault}")
        (folder / f"{fault}.yaml").write_text(named, encoding="utf-8")
    said = apart("run", folder, "--target", "pcsc", "--lang", "en", "--out", folder / "out", *select, cwd=folder)
    assert said.code == 1, said.out + said.err
    told = re.split(r"^(?=\S failed +software\.)", said.out.partition("\nSummary")[0], flags=re.MULTILINE)[1:]
    return {part.partition("software.")[2].partition("/")[0]: part for part in told}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_turns_a_scenario_red_where_it_is_wrong(red: dict[str, str], fault: str) -> None:
    assert FAULTS[fault][1] in red[fault]


def test_a_crash_is_a_failure_of_the_product_and_no_error_of_ours(red: dict[str, str]) -> None:
    assert red["crashes"].startswith("✗ failed")
    assert "bench error" not in "".join(red.values())


def test_silence_is_not_run(tmp_path: Path) -> None:
    text = SUITE.read_text(encoding="utf-8").split("scenarios:")[0]
    code, told = run(
        tmp_path,
        text
        + """scenarios:
  - id: silence
    title: {fr: Rien, en: Nothing}
    requirements: [SOFT-01]
    steps:
      - start-software:
      - user: idle
      - seen: {only: {command: "0020*"}}
        expect: {count: 0}
""",
    )
    assert "not run 1" in told, told
    assert "silence proves nothing" in told
    assert "0 of 1 passed" in told
    assert code == 1


def test_in_process_it_is_not_run_and_says_how(tmp_path: Path) -> None:
    code, told = run(tmp_path, SUITE.read_text(encoding="utf-8"), target="embedded")
    assert code == 1, "nothing was judged: that is no success"
    assert "not run 4" in told
    assert "--target pcsc" in told


def test_a_program_that_is_not_here_is_told(tmp_path: Path) -> None:
    text = SUITE.read_text(encoding="utf-8").replace("[python, -P,", "[no-such-program, -P,")
    code, told = run(tmp_path, text, "--select", "software.reference/another-card-is-noticed")
    assert code == 1
    assert "no-such-program is not here" in told
