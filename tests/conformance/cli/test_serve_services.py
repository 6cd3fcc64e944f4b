"""``bifente serve --services``: what it prints is what a software needs, and mistakes are the user's."""

from __future__ import annotations

import json
import random
import re
import ssl
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from bifente.conformance.bench.serving import ServedService, ServingBench, services
from bifente.conformance.cli.app import app
from bifente.conformance.cli.service_orders import ServiceOrders
from bifente.ground.clock import VirtualClock
from bifente.simulator.pki.keystore import MemoryKeys
from bifente.simulator.services.psc.service import PscService

RUNNER = CliRunner()


def served(*more: str) -> tuple[int, str]:
    done = RUNNER.invoke(app, ["serve", "--services", *more])
    return done.exit_code, done.output


def test_every_service_that_is_brought_can_be_led_to() -> None:
    assert {"psc", "portal"} <= set(services())
    assert all(callable(one()) for one in services().values())


def test_what_is_printed_is_what_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The document is read, from where it was said to be, while the service answers."""
    import bifente.conformance.cli.services as command

    read: dict[str, object] = {}

    def look(seconds: float | None) -> None:
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
    record, out = tmp_path / "r", tmp_path / "out"
    code, output = served("psc,portal", "--out", str(out), "--bench", str(said), "--record", str(record))
    assert code == 0, output
    settings = read["settings"]
    assert isinstance(settings, dict)
    assert settings["issuer"] == read["issuer"]
    assert settings["discovery"] in output.replace("\n", "")
    assert "/ameli" in output
    kept = b"".join(path.read_bytes() for path in record.rglob("*") if path.is_file())
    assert b"wallet-openid-configuration" in kept
    assert b"secret-du-laboratoire" not in kept
    assert b"assez-long" not in kept


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("psx",), "psx is no service"),
        (("psc", "--bench", "/nowhere/at-all.yaml"), "no such file"),
    ],
)
def test_a_mistake_is_the_user_s(more: tuple[str, ...], said: str) -> None:
    code, output = served(*more)
    assert code == 2
    assert said in output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("psc: {clients: [{id: x}]}", "a secret, or the subject"),
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
    orders = ServiceOrders([service])

    def told(line: str) -> dict[str, object]:
        answer: dict[str, object] = json.loads(orders.answer(line))
        return answer

    assert told("inject psc-token-refused client=lgc-demo command=2 times=1") == {
        "ok": True,
        "injected": "psc-token-refused",
    }
    assert [service.suffers("psc-token-refused", client="lgc-demo") for _ in range(3)] == [False, True, False]
    assert not service.suffers("psc-token-refused", client="autre")
    assert told("inject psc-unavailable")["ok"] is True
    assert service.suffers("psc-unavailable")
    assert told("clear psc-unavailable") == {"ok": True, "cleared": ["psc-unavailable"]}
    assert told("clear") == {"ok": True, "cleared": ["psc-token-refused"]}
    assert service.troubles == frozenset()
    state = told("state")["state"]
    assert isinstance(state, dict)
    assert state["psc"]["sessions"] == []
    for wrong in (
        "inject",
        "inject psc-unheard-of",
        "inject psc-unavailable command=0",
        "inject psc-unavailable x",
        "clear card-mute",
        "dance",
    ):
        assert told(wrong)["ok"] is False, wrong
    assert told("inject front-end-down")["ok"] is False, "what is not served cannot be struck"
    heard: list[str] = []
    orders.listen(["help\n", "\n"], heard.append)
    assert len(heard) == 1


def test_a_service_that_says_nothing_at_its_end_is_right() -> None:
    assert ServedService({}).ended() == []
    assert "folder" in ServingBench.__dataclass_fields__
