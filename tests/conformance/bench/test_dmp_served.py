"""The DMP as anybody's software meets it: served over TLS, called by curl with a certificate, and by the steps."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography import x509
from serving_bench import serving_bench

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.serving import ServedService
from bifente.conformance.domains.dmp.serving import start
from bifente.conformance.domains.pki.serving import points
from bifente.conformance.options import RunOptions
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.verdict import Verdict
from bifente.simulator.pki.authority import Branch, CertificateLevel
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.serving.recording import Passed

SUITE = """
suite: outside.dmp
title: {{fr: Une plate-forme d'essai, en: A test platform}}
fidelity: modelled
bench:
  profile: readers/generic-bislot
  cards: {{cps: medecin-generaliste}}
  dmp: {{url: "{url}", ca: "{ca}"}}
scenarios:
  - id: consultation
    title: {{fr: Une consultation, en: A consultation}}
    requirements: [SEED-DMP-01]
    steps:
      - dmp-connect: $card.code
      - dmp-exists:
        expect: {{found: true, status: active}}
      - dmp-chart: {{consents: true}}
      - dmp-authorise: add
      - dmp-feed: {{format: pdf, title: Compte rendu}}
      - dmp-search:
        expect: {{count: 1, titles: [Compte rendu]}}
      - dmp-fetch:
        expect: {{same: true}}
  - id: nobody-s-patient
    title: {{fr: Un patient sans DMP, en: A patient without a DMP}}
    requirements: [SEED-DMP-01]
    bench: {{dmp: {{url: "{url}", ca: "{ca}", patients: {{stranger: {{born: 1955-05-05, sex: M}}}}}}}}
    steps:
      - dmp-connect: $card.code
      - dmp-exists:
        expect: {{found: false}}
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
        folder = tmp_path_factory.mktemp("dmp")
        yield start(serving_bench(workshop.keys, folder, stack, hear=heard.append))


def test_the_steps_feed_find_and_fetch_at_another_address(
    served: ServedService, workshop: Workshop, heard: list[Passed], tmp_path: Path
) -> None:
    suite = tmp_path / "outside.yaml"
    suite.write_text(SUITE.format(url=served.settings["url"], ca=served.settings["ca"]), encoding="utf-8")
    before, events = len(heard), list[Event]()
    plan = prepare(RunOptions(paths=(suite,)), workshop)
    execute(plan, workshop, run_id="20250101-000000-000000", command=(), emit=events.append)
    verdicts = {one.scenario.partition("/")[2]: one.verdict for one in events if isinstance(one, ScenarioFinished)}
    assert verdicts == {"consultation": Verdict.PASSED, "nobody-s-patient": Verdict.PASSED}
    assert len(heard) > before
    assert any("appels" in line for line in served.ended())


@pytest.mark.parametrize(("certificate", "served_at_all"), [(None, True), ("nurse tls", True), ("nurse signs", False)])
def test_curl_is_refused_by_what_it_shows(
    served: ServedService, tmp_path: Path, certificate: str | None, served_at_all: bool
) -> None:
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")
    settings = json.loads(Path(served.settings["settings"]).read_text(encoding="utf-8"))
    shown = ["--cert", settings[certificate], "--key", settings["key"]] if certificate else []
    command = [program, "-sS", "--cacert", settings["ca"], *shown, "-H", "Content-Type: application/soap+xml"]
    done = subprocess.run(
        [*command, "--data-binary", "<a/>", f"{settings['url']}/DocumentRegistry_Service"],
        capture_output=True,
        check=False,
    )
    assert (done.returncode == 0) is served_at_all, done.stderr
    assert (b"Fault" in done.stdout) is served_at_all


def test_the_wsdl_names_the_address_it_was_asked_at(served: ServedService) -> None:
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")
    address = served.settings["wsdl DocumentRepository_Service"]
    done = subprocess.run([program, "-sS", "--cacert", served.settings["ca"], address], capture_output=True, check=True)
    assert served.settings["url"].encode() in done.stdout


def test_a_certificate_that_was_revoked_is_refused(workshop: Workshop, tmp_path: Path) -> None:
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")
    with ExitStack() as stack:
        bench = serving_bench(workshop.keys, tmp_path, stack)
        settings = start(bench).settings
        shown = ("--cert", settings["nurse tls"], "--key", settings["key"], "--cacert", settings["ca"])
        command = (program, "-sS", *shown, f"{settings['url']}/DocumentRegistry_Service?wsdl")
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
        certificate = x509.load_pem_x509_certificate(Path(settings["nurse tls"]).read_bytes())
        stems = [bench.pki.authority(level, branch) for level in CertificateLevel for branch in Branch]
        stem = next(one.stem for one in stems if one.certificate.subject == certificate.issuer)
        points(bench).set_state({"revoked": {stem: [f"{certificate.serial_number:X}"]}})
        done = subprocess.run(command, capture_output=True, check=False)
        assert done.returncode != 0, done.stdout
