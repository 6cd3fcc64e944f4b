"""``bifente serve --services``: what it prints is what a software needs, and mistakes are the user's."""

from __future__ import annotations

import json
import random
import re
import secrets
import socket
import ssl
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from bifente.conformance.bench.serving import ServedService, ServingBench, services
from bifente.conformance.cli.app import app
from bifente.conformance.observation.channel.client import ChannelError, ControlChannel
from bifente.conformance.observation.channel.serving import ServedOrders
from bifente.ground.clock import VirtualClock
from bifente.simulator.pki.keystore import MemoryKeys
from bifente.simulator.services.psc.service import PscService

RUNNER = CliRunner()
SECRET = "assez-long-pour-un-secret"


def served(*more: str) -> tuple[int, str]:
    done = RUNNER.invoke(app, ["serve", "--services", *more])
    return done.exit_code, done.output


def test_every_service_that_is_brought_can_be_led_to() -> None:
    assert {"psc", "portal", "pki", "ocsp"} <= set(services())
    assert all(callable(one()) for one in services().values())


def test_what_is_printed_is_what_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The document is read, from where it was said to be, while the service answers."""
    import bifente.conformance.cli.services as command

    read: dict[str, object] = {}

    def look(seconds: float | None, stopped: threading.Event) -> None:
        settings = json.loads((tmp_path / "out" / "psc.json").read_text(encoding="utf-8"))
        trust = ssl.create_default_context(cafile=settings["ca"])
        with httpx.Client(verify=trust, trust_env=False) as caller:
            read.update(caller.get(settings["discovery"]).json())
        read["settings"] = settings

    monkeypatch.setattr(command, "_wait", look)
    said = tmp_path / "mine.yaml"
    said.write_text(
        "psc:\n  clients:\n    - {id: mine, secret: assez-long-pour-un-secret, redirect-uris: ['http://localhost:1/']}\n",
        encoding="utf-8",
    )
    record, out, log = tmp_path / "r", tmp_path / "out", tmp_path / "lgc.log"
    log.write_text(f"client_secret={SECRET}\n", encoding="utf-8")
    code, output = served(
        *("psc,portal", "--out", str(out), "--bench", str(said), "--record", str(record), "--client-logs", str(log))
    )
    assert code == 0, output
    settings = read["settings"]
    assert isinstance(settings, dict)
    assert settings["issuer"] == read["issuer"]
    assert (settings["client_id"], settings["client_secret"]) == ("mine", SECRET), "the client of the file"
    assert settings["discovery"] in output.replace("\n", "")
    assert "/ameli" in output
    assert "lgc.log:1 " in output
    assert "PSC-60" in output
    kept = b"".join(path.read_bytes() for path in record.rglob("*") if path.is_file())
    assert b"wallet-openid-configuration" in kept
    assert b"secret-du-laboratoire" not in kept
    assert SECRET.encode() not in kept


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("psx",), "psx n'est pas un service"),
        (("psc", "--client-logs", "/nowhere/at-all.log"), "/nowhere/at-all.log"),
        (("psc", "--bench", "/nowhere/at-all.yaml"), "fichier introuvable"),
    ],
)
def test_a_mistake_is_the_user_s(more: tuple[str, ...], said: str) -> None:
    code, output = served(*more)
    assert code == 2
    assert said in output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("psc: {clients: [{id: x}]}", "un secret, ou le sujet"),
        ("psc: {acces: 3}", "acces"),
        ("psc: {form: '2022'}", "2023"),
    ],
)
def test_a_file_that_is_wrong_is_told_with_its_place(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    code, output = served("psc", "--bench", str(path))
    assert code == 2
    assert said in output
    assert re.search(r"mine\.yaml:\d+:\d+", output.replace("\n", ""))


def test_a_file_without_services_is_refused() -> None:
    done = RUNNER.invoke(app, ["serve", "--bench", "x.yaml"])
    assert done.exit_code == 2
    assert "--services" in done.output


def test_orders_strike_whom_they_name() -> None:
    service = PscService(VirtualClock(), MemoryKeys(), random.Random(1))
    orders = ServedOrders([service], threading.Event(), lambda secret: None)

    def told(line: str) -> dict[str, object]:
        answer: dict[str, object] = json.loads(orders.answer(line))
        return answer

    answer = told("inject psc-token-refused client=lgc-demo command=2 times=1")
    assert (answer["ok"], answer["injected"]) == (True, "psc-token-refused")
    assert [service.suffers("psc-token-refused", client="lgc-demo") for _ in range(3)] == [False, True, False]
    assert not service.suffers("psc-token-refused", client="autre")
    assert told("inject psc-unavailable")["ok"] is True
    assert service.suffers("psc-unavailable")
    assert told("clear psc-unavailable")["cleared"] == ["psc-unavailable"]
    assert told("clear")["cleared"] == ["psc-token-refused"]
    assert service.troubles == frozenset()
    state = told("state")["services"]
    assert isinstance(state, dict)
    assert state["psc"]["sessions"] == []
    for wrong in (
        "inject",
        "inject psc-unheard-of",
        "inject psc-unavailable command=0",
        "inject psc-unavailable x",
        "inject psc-token-refused cleint=lgc-demo",
        "inject psc-token-refused times=0",
        "set psc changes.sessions=[]",
        "set nobody changes.x=1",
        '{"order": "inject"}',
        "{",
        "clear card-mute",
        "dance",
    ):
        assert told(wrong)["ok"] is False, wrong
    assert told("inject front-end-down")["ok"] is False, "what is not served cannot be struck"
    heard: list[str] = []
    orders.listen(["help\n", "\n"], heard.append)
    assert len(heard) == 1


def test_a_fault_is_set_for_one_client_through_the_channel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By HTTP as any program, and by ``bifente ctl``; another client, and the request after, are not struck."""
    import bifente.conformance.cli.services as command

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("BIFENTE_CHANNEL", raising=False)
    seen: list[tuple[str, int, str]] = []
    said: dict[str, object] = {}

    def look(seconds: float | None, stopped: threading.Event) -> None:
        settings = json.loads((tmp_path / "out" / "psc.json").read_text(encoding="utf-8"))
        channel = ControlChannel.found()
        channel.order("inject", fault="psc-client-refused", client="one", command=2)
        with pytest.raises(ChannelError, match="was not injected"):
            channel.order("clear", fault="psc-unavailable")
        with pytest.raises(ChannelError, match="cleint"):
            channel.order("inject", fault="psc-client-refused", cleint="one")
        trust = ssl.create_default_context(cafile=settings["ca"])
        with httpx.Client(verify=trust, trust_env=False) as caller:
            token = caller.get(settings["discovery"]).json()["token_endpoint"]
            for client in ("one", "two", "one", "one"):
                form = {"grant_type": "authorization_code", "code": "x", "client_id": client, "client_secret": SECRET}
                answer = caller.post(token, data=form)
                seen.append((client, answer.status_code, answer.json()["error"]))
        done = RUNNER.invoke(app, ["ctl", "inject", "psc-refresh-refused", "user=899900000011", "--json"])
        said["ctl"] = json.loads(done.output)
        said["state"] = RUNNER.invoke(app, ["ctl", "state"]).output
        said["openapi"] = set(channel.openapi()["paths"])
        assert RUNNER.invoke(app, ["ctl", "inject", "no-such-fault"]).exit_code == 2
        assert RUNNER.invoke(app, ["ctl", "quit"]).exit_code == 0
        assert stopped.is_set()

    monkeypatch.setattr(command, "_wait", look)
    mine = tmp_path / "mine.yaml"
    rows = "".join(
        f"    - {{id: {name}, secret: {SECRET}, redirect-uris: ['http://localhost:1/']}}\n" for name in ("one", "two")
    )
    mine.write_text(f"psc:\n  clients:\n{rows}", encoding="utf-8")
    code, output = served("psc", "--out", str(tmp_path / "out"), "--bench", str(mine))
    assert code == 0, output
    assert "export BIFENTE_CHANNEL=http://127.0.0.1:" in output
    good = (400, "invalid_grant")
    assert [row[1:] for row in seen] == [good, good, (401, "unauthorized_client"), good]
    assert isinstance(said["ctl"], dict)
    assert said["ctl"]["injected"] == "psc-refresh-refused"
    assert "psc-refresh-refused" in str(said["state"])
    assert said["openapi"] == {"/help", "/state", "/inject", "/clear", "/set", "/quit"}
    assert not list(tmp_path.glob("bifente-serve-*")), "nothing is left behind"


def test_each_service_has_ports_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import bifente.conformance.cli.services as command

    monkeypatch.setattr(command, "_wait", lambda seconds, stopped: None)
    first = free_ports(40)
    code, output = served("annuaire,pki,portal,mssante", "--out", str(tmp_path), "--port", str(first))
    assert code == 0, output
    found = {int(port) for port in re.findall(r"(?:127\.0\.0\.1|localhost):(\d+)", output)}
    assert {first, first + 10, first + 20, first + 21, first + 30} <= found
    code, output = served("psc,pki", "--port", "65530")
    assert code == 2
    assert "65516" in output


def free_ports(count: int) -> int:
    """The first of so many ports that nobody listens on now."""
    start = secrets.randbelow(10_000)  # others on this machine look for theirs
    for first in range(20_000 + start, 32_000, count):
        with ExitStack() as held:
            try:
                for port in range(first, first + count):
                    held.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


def test_a_service_that_says_nothing_at_its_end_is_right() -> None:
    assert ServedService({}).ended() == []
    assert "folder" in ServingBench.__dataclass_fields__
