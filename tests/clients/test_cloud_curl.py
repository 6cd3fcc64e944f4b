"""The reading service as a real curl sees it: over TLS, and with the same answers as in process."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import select
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from clients_bench import tool
from warm import warm

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live import Device
from bifente.conformance.bench.profiles import load_profile
from bifente.conformance.domains.wireless.bench import WirelessBench
from bifente.conformance.domains.wireless.forgery import Forgery, forge
from bifente.conformance.domains.wireless.profile import WirelessProfile
from bifente.conformance.model import CardChoice
from bifente.ground.clock import VirtualClock
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.readers import PcscService
from bifente.simulator.readers.wireless import RadioLink
from bifente.simulator.readers.wireless.claims import ACCESS
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.tls import ServerIdentity

PROFILE = "readers/olaqin-like-wireless"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status and a body; what no two answers share is left out."""

    status: int
    body: Any

    @classmethod
    def of(cls, status: int, text: str) -> Answer:
        body = json.loads(text)
        body.pop("timestamp", None)
        return cls(status, body)


class Desk:
    """A terminal with both cards, reached by curl and in process; the clock is ours."""

    def __init__(self, folder: Path, keys: Path) -> None:
        self.folder = folder
        workshop, store = Workshop.default(keys), KeyStore(keys)
        cards = {
            "cps": CardChoice(template="medecin-generaliste"),
            "vitale": CardChoice(template="vitale/dix-neuf-beneficiaires"),
        }
        self.device = Device.assemble(PROFILE, cards, workshop, seed=1)
        self.clock = VirtualClock(datetime.now(UTC))
        access = PcscService([self.device.reader], self.clock).establish()
        profile = load_profile(PROFILE)[0].section(WirelessProfile)
        assert profile is not None
        self.bench = WirelessBench(profile, self.device.slots, access, self.clock, random.Random(1), store)
        self.app = self.bench.served.application
        identity = ServerIdentity.make(Pki(store), store, datetime.now(UTC))
        (folder / "ca.pem").write_bytes(identity.trust)
        self.server = LoopbackServer(self.app, identity.context())

    def path(self, function: str) -> str:
        return f"/fsv/1.40.14/ssv/{function}?terminalId={self.bench.terminal.id}"

    def headers(self, *access: str) -> list[tuple[str, str]]:
        return [
            ("Authorization", f"Bearer {self.bench.bearer()}"),
            ("Content-Type", "application/json"),
            *(("accessHealthcareToken", token) for token in access or [self.bench.token]),
        ]

    def curl(self, method: str, function: str, headers: list[tuple[str, str]], body: str = "") -> Answer:
        told = "".join(f"{name}: {value}\n" for name, value in headers)
        (self.folder / "headers").write_text(told, encoding="ascii")
        command = [tool("curl"), "-sS", "--disable", "--noproxy", "*", "--cacert", self.folder / "ca.pem"]
        command += ["-H", f"@{self.folder / 'headers'}", "-X", method, "-w", "\n%{http_code}"]
        command += ["--data-binary", body] if body else []
        done = subprocess.run(
            [*map(str, command), self.server.url + self.path(function)],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        text, _, status = done.stdout.rpartition("\n")
        return Answer.of(int(status), text)

    def in_process(self, method: str, function: str, headers: list[tuple[str, str]], body: str = "") -> Answer:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
                return await client.request(method, self.path(function), headers=headers, content=body)

        response = asyncio.run(send())
        return Answer.of(response.status_code, response.text)


@pytest.fixture(scope="module")
def keys() -> Path:
    return KeyStore().folder


@pytest.fixture
def desk(tmp_path: Path, keys: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, keys)
    yield desk
    desk.server.close()


def test_curl_gets_the_answers_that_a_call_in_process_gets(desk: Desk) -> None:
    code = '{"codePorteur": "1234", "dateConsultation": "2026-11-20"}'
    calls = [
        ("GET", "LireConfig", "", 200),
        ("POST", "LireDateLecteur", "", 200),
        ("POST", "LireCartePS", code, 200),
        ("POST", "LireDroitsVitale", code, 200),
        ("POST", "LireDroitsVitale", "", 200),
        ("POST", "LireDroitsVitale", '{"codePorteur": 1234}', 400),
        ("POST", "LireCartePS", "{", 400),
        ("GET", "LireCartePS", "", 405),
        ("POST", "FormaterLot", "", 404),
    ]
    for method, function, body, status in calls:
        headers = desk.headers()
        over_tls, inside = desk.curl(method, function, headers, body), desk.in_process(method, function, headers, body)
        assert over_tls == inside, function
        assert over_tls.status == status, function
    rights = desk.curl("POST", "LireDroitsVitale", desk.headers(), code)
    assert rights.body["codeResult"] == 0
    assert rights.body["dataResult"]["arraySize"] > 2000, "nineteen beneficiaries"


def test_curl_sees_a_token_die_and_the_terminal_go(desk: Desk) -> None:
    assert desk.curl("GET", "LireConfig", desk.headers()).status == 200
    desk.clock.advance(119)
    assert desk.curl("GET", "LireConfig", desk.headers()).status == 200
    first = desk.bench.token
    desk.bench.renew()
    assert desk.curl("GET", "LireConfig", desk.headers(first)).body["message"] == "Token invalide"
    desk.clock.advance(2)
    assert desk.curl("GET", "LireConfig", desk.headers()).status == 200
    desk.bench.terminal.set_link(RadioLink.LOST)
    assert desk.curl("GET", "LireConfig", desk.headers()).status == 428
    desk.bench.terminal.set_link(RadioLink.UP)
    with desk.bench.terminal.serving():
        assert desk.curl("GET", "LireConfig", desk.headers()).status == 503
    desk.clock.advance(119)
    assert desk.curl("GET", "LireConfig", desk.headers()).status == 401


@pytest.mark.parametrize("kind", sorted(set(Forgery) - {Forgery.NO_TOKEN}))
def test_curl_gets_no_further_with_a_forged_token(desk: Desk, kind: Forgery) -> None:
    forged = forge(kind, desk.bench.token, ACCESS, desk.bench.access_key)
    headers = desk.headers(*forged)
    answer = desk.curl("GET", "LireConfig", headers)
    assert (answer.status, answer.body["message"]) == (401, "Token invalide")
    assert answer == desk.in_process("GET", "LireConfig", headers)
    assert desk.curl("GET", "LireConfig", desk.headers()).status == 200


def test_curl_refuses_a_server_it_does_not_know(desk: Desk) -> None:
    done = subprocess.run(
        [tool("curl"), "-sS", "--disable", "--noproxy", "*", desk.server.url], capture_output=True, check=False
    )
    assert done.returncode == 60


# -- bifente serve --------------------------------------------------------------------------------------------------


class Served:
    """``bifente serve`` in a process of its own."""

    def __init__(self, folder: Path, keys: Path, *options: str) -> None:
        self.told = b""
        self.process = subprocess.Popen(
            [*warm(), "serve", "--out", str(folder / "out"), "--keys", str(keys), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        self._said = self.process.stdout
        try:
            self.lines = self._lines()
        except BaseException:
            self.close()
            raise

    def _lines(self) -> list[str]:
        deadline = time.monotonic() + 60
        while b"Ctrl-C" not in self.told:
            ready, _, _ = select.select([self._said], [], [], max(0.0, deadline - time.monotonic()))
            # Nothing to read: it said no more in time, or it has ended.
            piece = os.read(self._said.fileno(), 65536) if ready else b""
            assert piece, self.told.decode()
            self.told += piece
        return self.told.decode().splitlines()

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(120)
        self.told += self._said.read()
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._said.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def run_line(line: str) -> dict[str, Any]:
    words = shlex.split(line)
    assert words[0] == "curl"
    done = subprocess.run(
        [tool("curl"), "-sS", "--disable", "--noproxy", "*", *words[1:]],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_lines_it_prints_work_and_a_signal_ends_it(folder: Path, keys: Path, number: int) -> None:
    served = Served(folder, keys)
    try:
        lines = [line for line in served.lines if line.startswith("curl ")]
        assert len(lines) == 2
        for line in lines:
            assert run_line(line)["codeResult"] == 0
        for name in ("ca.pem", "headers"):
            assert (folder / "out" / name).stat().st_mode & 0o077 == 0, name
        assert served.end(number) == 0
        assert b"Traceback" not in served.told
        port = re.search(r"https://127\.0\.0\.1:(\d+)/fsv/1\.40\.14/", served.lines[0])
        assert port is not None
        with pytest.raises(subprocess.CalledProcessError):
            run_line(lines[0])
    finally:
        served.close()


def test_it_takes_the_cards_it_is_given_and_ends_by_itself(folder: Path, keys: Path) -> None:
    served = Served(folder, keys, "--card", "vitale=vitale/assure-seul", "--for", "2")
    try:
        (line,) = [line for line in served.lines if line.startswith("curl ")]
        assert run_line(line.replace("LireConfig", "LireDroitsVitale") + " -X POST")["codeResult"] == 61441
        assert served.process.wait(120) == 0
    finally:
        served.close()
