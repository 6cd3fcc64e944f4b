"""INSi as anybody's software meets it: served over TLS, asked by curl with a certificate, and by the steps."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from lxml import etree
from serving_bench import serving_bench

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.serving import ServedService
from bifente.conformance.domains.ins.serving import start
from bifente.conformance.options import RunOptions
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.ground.clock import WallClock
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.verdict import Verdict
from bifente.simulator.formats.insi import InsiSender, TraitSearch, action_of, context_blocks, request_element
from bifente.simulator.formats.insi.names import InsiOperation
from bifente.simulator.formats.soap import Addressing, built
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.serving.recording import Passed

SUITE = """
suite: outside.insi
title: {{fr: Une plate-forme d'essai, en: A test platform}}
fidelity: modelled
bench:
  profile: readers/generic-bislot
  cards: {{cps: medecin-generaliste, vitale: vitale/famille-trois}}
  ins: {{url: "{url}", ca: "{ca}"}}
scenarios:
  - id: consultation
    title: {{fr: Une consultation, en: A consultation}}
    requirements: [INSI-04]
    steps:
      - read-beneficiaries: $card.code
      - choose-beneficiary: 2
      - search-ins: {{by: vitale, holder-code: $card.code}}
        expect: {{outcome: found, number: "2821975349003"}}
      - check-identity: cni
        expect: {{status: QUAL}}
  - id: unknown-software
    title: {{fr: Un logiciel inconnu, en: An unknown software}}
    requirements: [INSI-11]
    bench: {{ins: {{url: "{url}", ca: "{ca}", idam: OTHER}}}}
    steps:
      - open-patient-file: {{birth-name: TESTINS, given-names: [ALICE], sex: F, birth-date: '1980-03-12'}}
      - search-ins: {{by: traits, holder-code: $card.code}}
        expect: {{outcome: desir_550}}
  - id: not-ours
    title: {{fr: Le service n'est pas le nôtre, en: The service is not ours}}
    requirements: [INSI-04]
    steps:
      - insi-service: {{quirks: [fatal]}}
"""


@pytest.fixture(scope="module")
def workshop(shared_keys: KeySource) -> Workshop:
    return Workshop(shared_keys)


@pytest.fixture(scope="module")
def heard() -> list[Passed]:
    return []


@pytest.fixture(scope="module")
def served(
    workshop: Workshop, heard: list[Passed], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ServedService]:
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("served")
        yield start(serving_bench(workshop.keys, folder, stack, hear=heard.append))


def _bare_request(name: str) -> bytes:
    clock = WallClock()
    sender = InsiSender("e", "BIFENTE-IDAM-01", "1", "i", "n")
    contexts = context_blocks(sender, clock.now(), "a", "b")
    blocks = [*contexts, *Addressing(action_of(InsiOperation.TRAITS), f"uuid:{name}").blocks()]
    return built(request_element(TraitSearch(name, ("ALICE",), "F", "1980-03-12")), blocks).bytes()


def test_curl_asks_with_the_certificate_of_a_structure(served: ServedService, tmp_path: Path) -> None:
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")
    settings = json.loads(Path(served.settings["settings"]).read_text(encoding="utf-8"))
    (tmp_path / "ask.xml").write_bytes(_bare_request("TESTINS"))
    command = [program, "-sS", "--cacert", settings["ca"], "-H", "Content-Type: application/soap+xml; charset=utf-8"]
    ask = ["--data-binary", f"@{tmp_path / 'ask.xml'}", settings["url"]]
    done = subprocess.run([*command, "--cert", settings["structure"], *ask], capture_output=True, check=True)
    root = etree.fromstring(done.stdout)
    assert root.findtext(".//{*}CodeCR") == "00"
    assert root.findtext(".//{*}NumIdentifiant") == "2801975056001"
    without = subprocess.run([*command, *ask], capture_output=True, check=True)
    found = etree.fromstring(without.stdout).find(".//{urn:siram}Erreur")
    assert found is not None
    assert found.get("code") == "lab_assertion"
    # A signature certificate is not one to open a connection with.
    wrong = subprocess.run([*command, "--cert", settings["professional"], *ask], capture_output=True, check=False)
    assert wrong.returncode != 0


def test_the_same_steps_ask_another_address(
    served: ServedService, workshop: Workshop, heard: list[Passed], tmp_path: Path
) -> None:
    suite = tmp_path / "outside.yaml"
    suite.write_text(SUITE.format(url=served.settings["url"], ca=served.settings["ca"]), encoding="utf-8")
    before, events = len(heard), list[Event]()
    plan = prepare(RunOptions(paths=(suite,)), workshop)
    execute(plan, workshop, run_id="20250101-000000-000000", command=(), emit=events.append)
    verdicts = {one.scenario.partition("/")[2]: one.verdict for one in events if isinstance(one, ScenarioFinished)}
    assert verdicts["consultation"] is Verdict.PASSED
    assert verdicts["unknown-software"] is Verdict.PASSED
    assert verdicts["not-ours"] is not Verdict.PASSED
    assert len(heard) > before
    # Both ways of each request were told to the record too.
    assert sum(type(one).__name__ == "Message" for one in events) >= 4


def test_what_a_client_did_wrong_is_told_when_serving_ends(served: ServedService, tmp_path: Path) -> None:
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")
    (tmp_path / "ask.xml").write_bytes(_bare_request("Testins"))
    command = [program, "-sS", "--cacert", served.settings["ca"], "--cert", served.settings["structure"]]
    command += ["-H", "Content-Type: application/soap+xml", "--data-binary", f"@{tmp_path / 'ask.xml'}"]
    subprocess.run([*command, served.settings["url"]], capture_output=True, check=True)
    assert any("en minuscules" in line for line in served.ended())
