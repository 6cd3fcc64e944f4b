"""Bifente under pytest, as an editor meets it: a pytest of its own over a folder."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from conformance_bench import TEMPLATES, scenario_text, steps_text, suite_text, write
from lxml import etree
from warm import warm

from bifente.simulator.pcsc.discovery import find_installation
from bifente.simulator.pcsc.errors import PcscdError
from bifente.simulator.pcsc.private_pcscd import try_namespaces

pytestmark = pytest.mark.long

SUITE = suite_text(
    scenario_text("steps: [get-challenge: 8]", "passes"),
    scenario_text("steps:\n  - verify-code: '0000'\n    expect: {sw: 63C1}", "fails"),
    scenario_text("steps:\n  - get-challenge: 8\n    should: {data: 00}", "remark"),
    scenario_text("setup: [code-status]\nsteps: [code-status]", "blocked"),
    scenario_text("steps: [insert-card]", "impossible"),
    scenario_text("steps: [explode]", "ours"),
    scenario_text("requires: [contactless]\nsteps: [code-status]", "elsewhere"),
)

EXPLODES = """
from typing import ClassVar
from bifente.conformance.scenario.step import CardStep
from bifente.ground.text import Text

class Explodes(CardStep):
    name: ClassVar[str] = "explode"
    title: ClassVar[Text] = Text("Exploser", "Explode")

    def run(self, act):
        raise RuntimeError("boom")
"""

NOT_HIS = [word for name in ("schemathesis", "hypothesispytest", "benchmark", "anyio") for word in ("-p", f"no:{name}")]
"""Plugins of our own tests that take half a second and more to import."""


PYTEST = "import sys, pytest; sys.exit(pytest.main())"
IMPORTED = ("-W", "ignore:Module already imported")
"""What pytest says of a process that has imported the plugin's package before it."""


def pytest_over(folder: Path, *options: str) -> tuple[int, str]:
    done = subprocess.run(
        [*warm(PYTEST), *IMPORTED, "-p", "no:cacheprovider", *NOT_HIS, "-rA", "--color=no", *options],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "COLUMNS": "160", "LC_ALL": "en_US.UTF-8", "PYTEST_ADDOPTS": "", "PYTEST_XDIST_WORKER": ""},
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("options", [(), ("-n", "1")])
def test_every_verdict_has_its_place_in_a_pytest_report(tmp_path: Path, options: tuple[str, ...]) -> None:
    write(tmp_path, SUITE)
    write(tmp_path, EXPLODES, "conftest.py")
    code, text = pytest_over(tmp_path, "--junitxml=report.xml", *options)
    assert code == 1
    for line in (
        r"PASSED suite.yaml::passes",
        r"PASSED suite.yaml::remark",
        r"FAILED suite.yaml::fails",
        r"FAILED suite.yaml::blocked",
        r"FAILED suite.yaml::impossible",
        r"ERROR suite.yaml::ours",
        r"SKIPPED .*: the reader is not contactless",
    ):
        assert re.search(rf"^{line}", text, re.MULTILINE), (line, text)
    assert "3 failed, 2 passed, 1 skipped, 1 error" in text
    # The scenario's words, not our traceback.
    assert "✗ failed" in text
    assert "63C1" in text
    assert "63C2" in text
    assert "⚠ bench error" in text
    assert "already holds a card: remove it first" in text
    assert "RuntimeError: boom" in text
    assert "Traceback" not in text
    assert "def setup" not in text
    cases = {case.get("name"): case for case in etree.parse(tmp_path / "report.xml").iter("testcase")}
    assert [child.tag for child in cases["ours"] if child.tag != "properties"] == ["error"]
    assert [child.tag for child in cases["fails"] if child.tag in ("failure", "error")] == ["failure"]
    properties = {(item.get("name"), item.get("value")) for item in cases["remark"].iter("property")}
    assert {("verdict", "passed-with-remark"), ("requirement", "CARD-CPS3-16"), ("fidelity", "observed")} <= properties


WRONG = {
    "step.yaml:10:9: unknown step 'verfy-code' (did you mean 'verify-code'?)": steps_text("- verfy-code: 1"),
    "card.yaml:4:17: medecin: is no known card": steps_text("- connect", head="bench: {cards: {cps: medecin}}"),
    "slot.yaml:4:17: the reader readers/generic-": steps_text("- connect", head="bench: {cards: {csp: cpa}}"),
    "reader.yaml:4:9: readers/x: is no known prof": steps_text(
        "- connect", head="bench: {profile: readers/x, cards: {cps: cpa}}"
    ),
    "fact.yaml:10:9: $card.codes leads nowhere: the card of the slot cps": steps_text("- verify-code: $card.codes"),
    "yaml.yaml:2:1: is not valid YAML": "suite: [\n",
}


def test_a_wrong_suite_is_a_collection_error_in_words(tmp_path: Path) -> None:
    for said, text in WRONG.items():
        write(tmp_path, text, said.partition(":")[0])
    code, shown = pytest_over(tmp_path)
    assert code == 2
    assert f"{len(WRONG)} errors" in shown
    assert [said for said in WRONG if said not in shown] == []
    assert "Traceback" not in shown
    assert "pytest_plugin" not in shown


def test_other_yaml_files_are_none_of_our_business(tmp_path: Path) -> None:
    write(tmp_path, "services: {}\n", "docker-compose.yaml")
    write(tmp_path, "stages: {}\n", "_stages.yml")
    write(tmp_path, "a: suite\n", "x.yaml")
    assert pytest_over(tmp_path)[0] == 5  # nothing was collected


def test_options_choose_profile_and_seed(tmp_path: Path) -> None:
    one = scenario_text("requires: [contactless]\nsteps: [get-challenge: 8]")
    write(tmp_path, suite_text(one))
    assert "1 skipped" in pytest_over(tmp_path)[1]
    code, text = pytest_over(tmp_path, "--bifente-profile", "readers/generic-contactless", "--bifente-seed", "5")
    assert code == 0, text
    assert "1 passed" in text


FIXTURES = """
import pytest

def test_card(card):
    assert card.facts["code"] == "1234"
    assert card.state()["pin-tries"] == 3

@pytest.mark.bifente(profile="readers/olaqin-vitalact", cards={"vitale": "infirmier"})
def test_reader(reader):
    assert list(reader.slots) == ["cps", "vitale"]
    assert reader.slots["cps"].card is None
    card = reader.slots["vitale"].card
    card.power_on()
    assert card.transmit(bytes.fromhex("0020000104") + b"0000") == b"\\x63\\xc2"
    assert reader.cards["vitale"].state()["pin-tries"] == 2

@pytest.mark.bifente(cards={"cps": {"template": "medecin-generaliste", "lifecycle": "pin-blocked"}})
def test_parameters(card):
    assert card.state()["pin-tries"] == 0
"""

LIVE = """
import os, subprocess, sys

def test_bench(bench, card):
    assert os.environ["PCSCLITE_CSOCK_NAME"] == bench.environment["PCSCLITE_CSOCK_NAME"]
    look = "from smartcard.System import readers; print([str(r) for r in readers()])"
    seen = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
    assert bench.name("cps") in seen
"""


def test_the_fixtures_serve_an_editor_s_own_tests(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(FIXTURES, encoding="utf-8")
    code, text = pytest_over(tmp_path, "--strict-markers")
    assert code == 0, text
    assert "3 passed" in text


def test_the_bench_fixture_puts_the_reader_behind_our_own_service(tmp_path: Path) -> None:
    pytest.importorskip("smartcard", reason="needs pyscard: pip install bifente[pcsc]")
    lacking = "import os\nfrom bifente.simulator.pcsc import discovery\ndiscovery._SYSTEM_PATHS = ('/nowhere',)\n"
    (tmp_path / "conftest.py").write_text(f"{lacking}os.environ['PATH'] = '/nowhere'\n", encoding="utf-8")
    (tmp_path / "test_live.py").write_text(LIVE, encoding="utf-8")
    write(tmp_path, steps_text("- get-challenge: 8"))
    code, text = pytest_over(tmp_path, "--bifente-target", "pcsc")
    assert code == 0, text
    assert "2 passed" in text


def test_the_bench_fixture_puts_the_reader_behind_pcscd(tmp_path: Path) -> None:
    pytest.importorskip("smartcard", reason="needs pyscard: pip install bifente[pcsc]")
    try:
        find_installation()
    except PcscdError as error:
        pytest.skip(f"needs a real pcscd: {error}")
    if (refused := try_namespaces()) is not None:
        pytest.skip(f"needs namespaces: {refused}")
    (tmp_path / "test_live.py").write_text(LIVE, encoding="utf-8")
    code, text = pytest_over(tmp_path, "--bifente-service", "pcscd")
    assert code == 0, text
    assert "1 passed" in text


def test_without_pcscd_what_needs_it_is_skipped_with_the_reason(tmp_path: Path) -> None:
    lacking = "from bifente.simulator.pcsc import discovery\ndiscovery._SYSTEM_PATHS = ('/nowhere',)\n"
    (tmp_path / "conftest.py").write_text(lacking + "import os\nos.environ['PATH'] = '/nowhere'\n", encoding="utf-8")
    (tmp_path / "test_live.py").write_text(LIVE, encoding="utf-8")
    write(tmp_path, steps_text("- get-challenge: 8"))
    code, text = pytest_over(tmp_path, "--bifente-target", "pcsc", "--bifente-service", "pcscd")
    assert code == 0, text
    assert "2 skipped" in text
    assert text.count("pcscd-binary: pcscd is not found in /nowhere") >= 2


MARKED = """
import pytest

@pytest.mark.bifente(card={"cps": "pharmacien"})
def test_keyword(card): pass

@pytest.mark.bifente(cards={"cps": "pharmacen"})
def test_template(card): pass

@pytest.mark.bifente(cards={"csp": "pharmacien"})
def test_slot(card): pass

@pytest.mark.bifente(cards={"cps": "cards/mine.yaml"})
def test_own(card): assert card.facts["code"] == "1234"
"""


def test_a_mistake_in_the_marker_is_told_and_a_file_is_found_from_the_test(tmp_path: Path) -> None:
    folder = tmp_path / "deep"
    (folder / "cards").mkdir(parents=True)
    (folder / "cards" / "mine.yaml").write_text((TEMPLATES / "infirmier.yaml").read_text(encoding="utf-8"), "utf-8")
    write(folder, MARKED, "test_marked.py")
    code, text = pytest_over(tmp_path)
    assert code == 1
    assert "the marker bifente has no 'card' (did you mean 'cards'?)" in text
    assert "is no known card template (did you mean 'pharmacien'?)" in text
    assert "has no slot 'csp' (did you mean 'cps'?)" in text
    assert "PASSED deep/test_marked.py::test_own" in text
    assert "3 errors" in text
    assert "another exception" not in text
