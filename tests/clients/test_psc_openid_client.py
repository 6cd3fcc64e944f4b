"""openid-client of npm logs in, refreshes, logs out, does CIBA. Its folder: BIFENTE_OPENID_CLIENT=.../node_modules.

``npm install openid-client@6`` in a folder outside the repository makes one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bifente.simulator.pki.keystore import KeySource

pytest.importorskip("requests_oauth2client")

from psc_bench import PHONE, SECRET, USER, Served, served
from test_psc_relying_parties import logged_in

pytestmark = pytest.mark.timeout(120)
ENVIRONMENT = "BIFENTE_OPENID_CLIENT"
SCRIPT = Path(__file__).with_name("openid_client.mjs")


@pytest.fixture(scope="module")
def psc(shared_keys: KeySource, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(shared_keys, tmp_path_factory.mktemp("psc")) as found:
        yield found


@pytest.fixture
def node(psc: Served) -> Iterator[subprocess.Popen[str]]:
    folder = os.environ.get(ENVIRONMENT)
    if folder is None:
        pytest.skip(f"needs openid-client of npm: npm install openid-client@6, then {ENVIRONMENT}=.../node_modules")
    program = shutil.which("node")
    if program is None:
        pytest.skip("needs node")
    settings = {
        "discovery": psc.service.core.addresses.discovery,
        "client_id": "tiers",
        "client_secret": SECRET,
        "redirect_uri": f"{psc.party}/retour",
        "post_logout_redirect_uri": f"{psc.party}/au-revoir",
        "user": USER,
    }
    process = subprocess.Popen(
        [program, str(SCRIPT), folder, json.dumps(settings)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "NODE_EXTRA_CA_CERTS": str(psc.ca)},
    )
    yield process
    process.kill()
    process.wait()


def test_it_completes_everything(psc: Served, node: subprocess.Popen[str]) -> None:
    assert node.stdin is not None
    asked = heard(node, "authorize")
    said(node, logged_in(psc, asked["url"]))
    assert heard(node, "user") == {"event": "user", "id": USER, "acr": "eidas1", "expires": 120}
    assert heard(node, "refreshed") == {"event": "refreshed", "active": True, "changed": True}
    left = heard(node, "logout")
    from requests_oauth2client import requests

    session = requests.Session()
    session.verify, session.trust_env = str(psc.ca), False
    answer = session.get(left["url"], allow_redirects=False)
    assert answer.headers["location"] == f"{psc.party}/au-revoir?state=fin"
    said(node, "go on")
    assert heard(node, "ciba") == {"event": "ciba", "expires": 120, "interval": 1}
    platform = psc.service.core.ecps
    platform.accept(PHONE, next(one.key for one in platform.pending(PHONE) if one.number == "33"), "33")
    assert heard(node, "approved") == {"event": "approved", "id": USER, "mode": "MOBILE"}
    assert psc.service.state()["findings"]["tiers"] == {}


def heard(node: subprocess.Popen[str], event: str) -> dict[str, Any]:
    assert node.stdout is not None
    line = node.stdout.readline()
    if not line:
        assert node.stderr is not None
        pytest.fail(node.stderr.read())
    found: dict[str, Any] = json.loads(line)
    assert found["event"] == event
    return found


def said(node: subprocess.Popen[str], line: str) -> None:
    assert node.stdin is not None
    node.stdin.write(f"{line}\n")
    node.stdin.flush()
