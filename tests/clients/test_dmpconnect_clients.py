"""DmpConnect-JS as others reach it: a WebSocket client, curl, and a page of another address in Chromium."""

from __future__ import annotations

import json
import random
import shutil
import ssl
import subprocess
import uuid
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from websockets.exceptions import ConnectionClosed
from wss_client import WssClient

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.facets import Insertion
from bifente.conformance.bench.factory import BenchPool
from bifente.conformance.bench.scene import Scene
from bifente.conformance.domains.dmpconnect.workplace import SceneWorkplace
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions
from bifente.simulator.formats.pdf import make_pdf_a1
from bifente.simulator.middleware.dmpconnect.service import DmpConnectJs
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.recording import Passed, recorded
from bifente.simulator.serving.tls import ServerIdentity

PROFILE, CODE = "readers/generic-bislot", "1234"
INS = "280191305500105"
"""Of the patient of the laboratory's DMP."""


@dataclass
class Served:
    url: str
    trust: Path
    scene: Scene
    service: DmpConnectJs
    heard: list[Passed] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)

    def socket(self, **more: Any) -> WssClient:
        context = ssl.create_default_context(cafile=str(self.trust))
        return WssClient(self.url.replace("https", "wss") + "/", context, **more)

    def command(self, name: str, **fields: Any) -> Any:
        with self.socket() as socket:
            socket.send(json.dumps({"s_commandName": name, **fields}))
            answer = json.loads(socket.recv(timeout=120))
            with pytest.raises(ConnectionClosed) as closed:
                socket.recv(timeout=120)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1000
            return answer


@pytest.fixture(scope="module")
def served(shared_keys: KeySource, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    workshop = Workshop(shared_keys)
    chance, heard, secrets = random.Random(1), list[Passed](), set[str]()
    with BenchPool(RunOptions(paths=()), workshop, (PROFILE,)) as pool:
        bench = pool.get(PROFILE)
        cards = {
            "cps": CardChoice(template="medecin-generaliste"),
            "vitale": CardChoice(template="vitale/famille-trois"),
        }
        bench.seat(cards, chance, destructive=True, day=datetime.now(UTC).date() - timedelta(days=1))
        scene = Scene(bench, chance, lambda role, told: None, lambda role, what: None)
        service = DmpConnectJs(
            SceneWorkplace(scene),
            bench.clock,
            lambda: str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            lambda secret: secrets.add(str(secret)),
            hear=heard.append,
        )
        identity = ServerIdentity.make(workshop.pki, shared_keys, datetime.now(UTC))
        trust = tmp_path_factory.mktemp("dmpconnect") / "ca.pem"
        trust.write_bytes(identity.trust)
        with LoopbackServer(recorded(service, bench.clock, heard.append), identity.context()) as server:
            yield Served(server.url, trust, scene, service, heard, secrets)
        scene.close()


def test_a_websocket_takes_one_command_and_ends(served: Served) -> None:
    session = served.command("hl_openSession")["s_sessionId"]
    readers = served.command("hl_getPcscReaders", s_sessionId=session)["Readers"]
    assert [one["i_slotType"] for one in readers] == [3, 2]
    card = served.command("hl_readCpxCard", s_sessionId=session, s_pinCode=CODE, i_returnCertificates=1)
    assert (card["s_name"], card["s_internalId"]) == ("TESTMEDECIN", "899900000011")
    assert card["s_signatureCertificatePEM"].startswith("-----BEGIN CERTIFICATE")
    assert len(served.command("hl_readVitaleCard", s_sessionId=session)["Patients"]) == 3
    connector = served.command("hl_createInsiConnector", s_sessionId=session)["s_instanceUniqueId"]
    found = served.command(
        "hl_getInsFromVitaleCard", s_sessionId=session, s_instanceUniqueId=connector, i_vitalePatientIndex=1
    )
    assert found["Identity"]["Ins"]["s_value"] == "1801975349002"
    assert served.command("hl_openSession", i_timeoutInSeconds="x")["s_status"] == "API_ERROR"
    # What is secret was declared before it was told.
    assert {CODE, session} <= served.secrets
    assert any(one.protocol == "wss" for one in served.heard)


def test_a_websocket_consults_the_dmp(served: Served) -> None:
    """Every document of the consultation comes back byte for byte, and is gone at its end."""
    session = served.command("hl_openSession")["s_sessionId"]
    held = {"s_sessionId": session, "s_ins": INS}
    made = served.command("hl_createDmpConnector", s_sessionId=session, s_pinCode=CODE, i_cpsPracticeLocationIndice=1)
    assert made["s_status"] == "OK"
    assert served.command("hl_updateUserDmpAccessAuthorization", i_action=1, **held)["s_status"] == "OK"
    content = b64encode(make_pdf_a1("Compte rendu", 300_000)).decode()
    sent = served.command(
        "hl_sendDocument",
        s_fileContentBase64=content,
        s_documentTitle="Compte rendu",
        s_documentCategory="11488-4",
        i_documentVisibility=1,
        i_documentFormat=5,
        **held,
    )
    found = served.command("hl_findDocuments", **held)["Documents"]
    (one,) = (each for each in found if each["s_uniqueId"] == sent["s_uniqueId"])
    assert (one["i_document_Format"], one["s_submissionDate"] != "") == (5, True)
    file = served.command("hl_getDocumentContent", s_sessionId=session, i_documentHandle=one["i_handle"])
    path = Path(url2pathname(urlsplit(file["s_filePath"]).path))
    assert b64encode(path.read_bytes()).decode() == file["s_fileContentInBase64"] == content
    assert path.stat().st_mode & 0o077 == 0
    assert served.command("hl_deleteDocument", s_uniqueId=sent["s_uniqueId"], **held)["s_status"] == "OK"
    left = served.command("hl_findDocuments", i_status=7, **held)["Documents"]
    assert sent["s_uniqueId"] not in {each["s_uniqueId"] for each in left}


def test_monitoring_pushes_what_changes(served: Served) -> None:
    session = served.command("hl_openSession")["s_sessionId"]
    with served.socket() as socket:
        socket.send(json.dumps({"s_commandName": "hl_startVitaleCardMonitoring", "s_sessionId": session}))
        # Acknowledged, then told as it is.
        assert json.loads(socket.recv(timeout=120)) == {"s_status": "OK"}
        first = json.loads(socket.recv(timeout=120))
        assert (first["i_cardStatus"], first["s_cardStatus"], first["i_isDemoCard"]) == (2, "NewCardFound", 1)
        hands = served.scene.bench.facet(Insertion)
        hands.remove("vitale")
        assert json.loads(socket.recv(timeout=120))["i_cardStatus"] == 4
        hands.insert("vitale")
        again = json.loads(socket.recv(timeout=120))
        assert (again["i_cardStatus"], again["s_vitaleSerial"] != "") == (2, True)
    unknown = served.command("hl_startCpxCardMonitoring", s_sessionId="unknown")
    assert (unknown["i_apiErrorType"], unknown["i_apiErrorCode"]) == (6000, 3)


def test_curl_posts_a_command(served: Served) -> None:
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")

    def post(name: str, body: str) -> Any:
        command = [program, "-sS", "--cacert", str(served.trust), "-d", body, f"{served.url}/api/{name}"]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    session = post("hl_opensession", "{}")["s_sessionId"]
    status = post("hl_getcpxstatus", json.dumps({"s_sessionId": session}))
    assert (status["i_nbInputLeft"], status["i_cardStatus"]) == (3, 1)
    assert post("hl_opensession", "no json")["i_apiErrorType"] == 6000
    made = {"s_sessionId": session, "s_pinCode": CODE}
    assert post("hl_createdmpconnector", json.dumps(made))["s_status"] == "OK"
    asked = {"s_sessionId": session, "s_ins": INS}
    existing = post("hl_getdirectauthenticationdmpstatus", json.dumps(asked))["ExistingTestAnswer"]
    assert (existing["i_dmpStatus"], existing["AdminData"]["s_patientName"]) == (1, "TESTPATIENT")
    assert post("hl_closesession", json.dumps({"s_sessionId": session}))["s_status"] == "OK"


PAGE = """<!doctype html><meta charset=utf-8><title>Cabinet</title><script>
async function go(base) {
  const post = (name, body) =>
    fetch(base + '/api/' + name, {method: 'POST', body: JSON.stringify(body)}).then(r => r.json());
  const s = (await post('hl_opensession', {})).s_sessionId;
  const readers = await post('hl_getpcscreaders', {s_sessionId: s});
  const pushed = await new Promise((done, fail) => {
    const socket = new WebSocket(base.replace('https', 'wss') + '/');
    socket.onerror = () => fail('socket');
    socket.onopen = () => socket.send(JSON.stringify({s_commandName: 'hl_startCpxCardMonitoring', s_sessionId: s}));
    socket.onmessage = m => {
      const told = JSON.parse(m.data);
      if ('i_cardStatus' in told) { done(told); socket.close(); }
    };
  });
  await post('hl_createdmpconnector', {s_sessionId: s, s_pinCode: '1234', i_cpsPracticeLocationIndice: 1});
  const ins = {s_sessionId: s, s_ins: '280191305500105'};
  await post('hl_updateuserdmpaccessauthorization', {...ins, i_action: 1});
  const sent = await post('hl_senddocument', {...ins, s_fileContentBase64: btoa('Note.'), s_documentTitle: 'Note',
    s_documentCategory: '11488-4', i_documentVisibility: 1, i_documentFormat: 1});
  const found = (await post('hl_finddocuments', ins)).Documents.filter(d => d.s_uniqueId === sent.s_uniqueId);
  const read = await post('hl_getdocumentcontentbyuniqueid', {...ins, s_documentUniqueId: found[0].s_uniqueId});
  return [readers.Readers.length, pushed.i_cardStatus, found.length, atob(read.s_fileContentInBase64)];
}
</script>"""


def test_a_page_of_another_address_in_chromium(served: Served, tmp_path: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
    arguments += ["--disable-background-networking", "--disable-component-update"]
    with playwright.sync_playwright() as run:
        browser = run.chromium.launch(executable_path=program, args=arguments)
        try:
            context = browser.new_context(ignore_https_errors=True)
            page = context.new_page()
            page.route("https://cabinet.invalid/", lambda route: route.fulfill(body=PAGE, content_type="text/html"))
            page.goto("https://cabinet.invalid/")
            # Local Network Access: without leave the browser lets nothing through.
            context.grant_permissions([], origin="https://cabinet.invalid")
            with pytest.raises(playwright.Error, match="Failed to fetch"):
                page.evaluate("base => go(base)", served.url)
            context.grant_permissions(["local-network-access"], origin="https://cabinet.invalid")
            assert page.evaluate("base => go(base)", served.url) == [2, 1, 1, "Note."]
        finally:
            browser.close()
