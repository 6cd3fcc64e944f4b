"""PHP's SoapClient drives INSi by the WSDL that it serves: found, nobody, a fault in words."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from insi_bench import InsiBench
from lxml import etree

from bifente.simulator.pki.authority import Pki
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.tls import ServerIdentity

SCRIPT = Path(__file__).with_name("insi.php")
_SECURITY = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}Security"
Ask = Callable[[str], dict[str, str]]


@pytest.fixture(scope="module")
def php() -> str:
    program = shutil.which("php")
    if program is None:
        pytest.skip("needs PHP: apt-get install php-cli php-soap")
    modules = subprocess.run([program, "-m"], capture_output=True, text=True, timeout=120, check=True).stdout
    if "soap" not in modules.split():
        pytest.skip("needs PHP's SoapClient: apt-get install php-soap")
    return program


@pytest.fixture
def ask(php: str, pki: Pki, tmp_path: Path) -> Iterator[Ask]:
    bench = InsiBench(pki)
    identity = ServerIdentity.make(pki, pki._keys, datetime.now(UTC))
    trust, file = tmp_path / "ca.pem", tmp_path / "security.xml"
    trust.write_bytes(identity.trust)
    with LoopbackServer(bench.service.application, identity.context()) as server:

        def asked(birth: str) -> dict[str, str]:
            security = etree.Element(_SECURITY)
            security.append(bench.assertion())
            file.write_bytes(etree.tostring(security))
            command = [php, "-d", "error_reporting=0", str(SCRIPT), f"{server.url}/lps", str(trust), str(file), birth]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
            found: dict[str, str] = json.loads(done.stdout)
            return found

        yield asked


def test_php_finds_and_is_told_why_not(ask: Ask) -> None:
    assert ask("1980-03-12") == {"code": "00", "oid": "1.2.250.1.213.1.4.10"}
    assert ask("1980-03-13") == {"code": "01", "oid": ""}
    refused = ask("1980-03")
    assert "AAAA-MM-JJ" in refused["detail"]
    assert refused["fault"] == "Une valeur n'est pas permise : DateNaissance"
