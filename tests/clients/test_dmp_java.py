"""A Java client with MTOM of its own, JAX-WS' reference implementation (libjaxws-java): TD2.1 and TD3.2."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clients_bench import HERE, tool
from dmp_bench import DmpLab
from lxml import etree

from bifente.ground.clock import WallClock
from bifente.simulator.formats.dmp.names import REPOSITORY
from bifente.simulator.formats.soap import element, qname
from bifente.simulator.formats.vihf import signed_vihf
from bifente.simulator.formats.xds import writing
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.tls import ServerIdentity
from bifente.simulator.software.lps.client import BASE
from bifente.simulator.software.lps.submission import PreparedSubmission

JARS = Path("/usr/share/java")
NEEDED = (
    *("jaxws-rt", "jaxws-api", "jaxb-api", "jaxb-runtime", "jaxb-core", "javax.activation", "javax.xml.soap-api"),
    *("saaj-impl", "stax-ex", "streambuffer", "metro-policy", "gmbal", "mimepull", "istack-commons-runtime", "txw2"),
    *("FastInfoset", "jws-api", "glassfish-management-api", "glassfish-pfl-basic", "glassfish-pfl-tf", "jaxb-impl"),
    *("woodstox-core-asl", "stax2-api", "geronimo-annotation-1.3-spec"),
)


@dataclass
class Java:
    command: list[str]
    url: str
    trust: Path
    lab: DmpLab

    def send(self, folder: Path, prepared: PreparedSubmission, mtom: bool = True) -> list[str]:
        lab, patient = self.lab, self.lab.patient
        (request,) = writing.provide(prepared.submission)
        (folder / "submission.xml").write_bytes(etree.tostring(request))
        for name, content in prepared.contents.items():
            (folder / name).write_bytes(content)
        for number in (1, 2):
            assertion = signed_vihf(lab.client().vihf(patient), lab.doctor.signer)
            security = element(qname("wsse:Security"), None, [assertion])
            (folder / f"assertion{number}.xml").write_bytes(etree.tostring(security))
        url = f"{self.url}{BASE}/DocumentRepository_Service"
        way = "mtom" if mtom else "none"
        arguments = [url, str(self.trust), str(folder), way, REPOSITORY, prepared.unique_id]
        done = subprocess.run([*self.command, *arguments], capture_output=True, text=True, timeout=90, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()


@pytest.fixture(scope="module")
def java(shared_keys: KeySource, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Java]:
    if not (JARS / "jaxws-rt.jar").exists():
        pytest.skip("JAX-WS is not here: apt-get install libjaxws-java default-jdk-headless")
    path = ":".join(str(JARS / f"{name}.jar") for name in NEEDED if (JARS / f"{name}.jar").exists())
    folder = tmp_path_factory.mktemp("jaxws")
    compiler = [tool("javac"), "-nowarn", "-cp", path, "-d", str(folder), str(HERE / "Mtom.java")]
    made = subprocess.run(compiler, capture_output=True, text=True, timeout=90, check=False)
    assert made.returncode == 0, made.stderr
    lab = DmpLab(shared_keys, WallClock())
    identity = ServerIdentity.make(lab.pki, shared_keys, datetime.now(UTC))
    trust = folder / "ca.pem"
    trust.write_bytes(identity.trust)
    opens = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in ("java.lang", "java.util")]
    with LoopbackServer(lab.service.application, identity.context()) as server:
        lab.authorise()
        yield Java([tool("java"), *opens, "-cp", f"{folder}:{path}", "Mtom"], server.url, trust, lab)


def test_java_feeds_and_fetches_by_its_own_mtom(java: Java, tmp_path: Path) -> None:
    prepared = java.lab.prepared()
    said = java.send(tmp_path, prepared)
    assert said == [
        "fed urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success",
        f"fetched {prepared.unique_id}",
    ]
    assert (tmp_path / "fetched").read_bytes() == prepared.contents["Document01"]


def test_java_without_mtom_is_told_what_to_switch_on(java: Java, tmp_path: Path) -> None:
    before = len(java.lab.record.shelf)
    (said,) = java.send(tmp_path, java.lab.prepared(), mtom=False)
    assert said.startswith("fault ")
    assert "MTOM" in said
    assert len(java.lab.record.shelf) == before
