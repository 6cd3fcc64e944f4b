"""The control channel: the same orders over HTTP, on standard input and by ``bifente ctl``."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from channel_tools import Up, up
from warm import warm

from bifente.conformance.observation.channel.client import TOKEN, URL, ChannelError

SELECT = "00a4000c023f00"


@pytest.fixture(autouse=True)
def _whole(stood: Up) -> None:
    """Each test begins with both cards in and no fault."""
    channel = stood.channel
    channel.order("clear")
    for slot, told in channel.order("state")["slots"].items():
        if told["template"] is None:
            channel.order("insert", slot=slot)


def opensc(stood: Up, *arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("opensc-tool") is None:
        pytest.skip("needs opensc-tool (apt-get install opensc)")
    return stood.run("opensc-tool", *arguments)


def test_ready_means_that_the_first_look_of_a_program_sees_the_cards(stood: Up) -> None:
    assert opensc(stood, "-l").stdout.count("Yes") == 2


def test_a_hand_moves_cards_and_programs_see_it_when_the_order_is_answered(stood: Up) -> None:
    channel = stood.channel
    mark = channel.order("mark")["mark"]
    channel.order("remove", slot="cps")
    assert opensc(stood, "-l").stdout.count("Yes") == 1
    assert channel.order("state")["slots"]["cps"]["template"] is None
    channel.order("insert", slot="cps")
    assert opensc(stood, "-l").stdout.count("Yes") == 2
    moved = channel.order("passed", since=mark, only={"movement": {"one-of": ["inserted", "removed"]}})["events"]
    assert [one["movement"] for one in moved] == ["removed", "inserted"]
    assert {one["slot"] for one in moved} == {"cps"}


def test_another_card_and_a_swap(stood: Up) -> None:
    channel = stood.channel
    channel.order("put", slot="cps", template="pharmacien")
    assert channel.order("state")["slots"]["cps"]["template"] == "pharmacien"
    channel.order("swap", slot="cps", **{"with-slot": "vitale"})
    slots = channel.order("state")["slots"]
    assert (slots["cps"]["template"], slots["vitale"]["template"]) == ("vitale/ald", "pharmacien")
    channel.order("swap", slot="cps")
    channel.order("put", slot="cps", template="medecin-generaliste")


def test_a_fault_strikes_an_unmodified_program_as_the_catalogue_promises(stood: Up) -> None:
    channel = stood.channel
    mark = channel.order("mark")["mark"]
    channel.order("inject", fault="card-mute", slot="cps", at="select", command=1)
    assert channel.order("state")["faults"] == [{"fault": "card-mute", "slot": "cps"}]
    done = opensc(stood, "-r", "0", "-s", SELECT)
    assert done.returncode != 0, done.stdout
    failed = channel.order("passed", since=mark, only={"function": "SCardTransmit"})["events"]
    assert [one["result"] for one in failed] == ["NOT_TRANSACTED"]
    changed = channel.order("passed", since=mark, only={"event": "bench-change", "text": "card-mute"})
    assert changed["count"] == 1
    channel.order("clear", fault="card-mute")
    assert channel.order("state")["faults"] == []
    assert "9000" in opensc(stood, "-r", "0", "-s", SELECT).stdout.replace(" ", "").replace("SW1=0x90,SW2=0x00", "9000")


def test_one_waits_until_something_was_seen(stood: Up) -> None:
    channel = stood.channel
    mark = channel.order("mark")["mark"]
    unseen = channel.order("wait", until={"command": SELECT, "slot": "cps"}, since=mark, seconds=0)
    assert not unseen["seen"]
    program = subprocess.Popen(
        ["opensc-tool", "-r", "0", "-s", SELECT], env={**os.environ, **stood.environment}, stdout=subprocess.DEVNULL
    )
    seen = channel.order("wait", until={"command": SELECT, "slot": "cps"}, since=mark, seconds=30)
    assert program.wait(120) == 0
    assert seen["seen"]
    assert seen["events"][0]["client"].partition("/")[0] == str(program.pid)


@pytest.mark.parametrize(
    ("order", "given", "status", "said"),
    [
        ("isnert", {}, 404, "no order is called 'isnert'"),
        ("insert", {"slot": "csp"}, 422, "no slot is called 'csp'"),
        ("insert", {"slot": "cps"}, 409, "already holds a card"),
        ("inject", {"fault": "card-mut"}, 422, "no fault is named 'card-mut'"),
        ("inject", {}, 422, "inject wants fault"),
        ("inject", {"fault": "card-mute", "comand": 2}, 422, "inject does not know 'comand'"),
        ("link", {"state": "lost"}, 409, "not wireless"),
        ("passed", {"only": {"sw": "90"}}, 422, "no status word"),
        ("passed", {"only": {"sllot": "cps"}}, 422, "does not know"),
        ("wait", {}, 422, "wait wants until"),
        ("put", {"template": "medecin"}, 422, "medecin"),
        ("record", {"do": "stop"}, 422, "no record is being taken"),
        ("record", {"do": "start"}, 422, "wants out"),
        ("clock", {"seconds": -1}, 422, "seconds"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    stood: Up, order: str, given: dict[str, Any], status: int, said: str
) -> None:
    with pytest.raises(ChannelError, match=r"\S") as refused:
        stood.channel.order(order, **given)
    assert said in str(refused.value)
    assert refused.value.told is not None
    assert refused.value.told["error"]["fr"]
    answer = raw(stood, order, json.dumps(given).encode(), stood.environment[TOKEN])
    assert answer == status


def raw(stood: Up, order: str, body: bytes, token: str) -> int:
    headers = {b"authorization": f"Bearer {token}".encode()}
    return httpx.post(f"{stood.environment[URL]}/{order}", content=body, headers=headers).status_code


@pytest.mark.parametrize("token", ["x" * 32, "é"])
def test_nobody_without_the_token_is_heard(stood: Up, token: str) -> None:
    assert raw(stood, "state", b"{}", token) == 401
    assert httpx.get(f"{stood.environment[URL]}/openapi.json").status_code == 401


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"1", b'"a"', b"[" * 100_000])
def test_what_is_no_json_object_is_refused(stood: Up, body: bytes) -> None:
    assert raw(stood, "state", body, stood.environment[TOKEN]) == 422


def test_openapi_describes_every_order(stood: Up) -> None:
    told = stood.channel.openapi()
    orders = set(stood.channel.order("help")["orders"])
    assert {path.removeprefix("/") for path in told["paths"]} == orders
    assert {
        "insert",
        "remove",
        "swap",
        "put",
        "inject",
        "clear",
        "link",
        "battery",
        "clock",
        "passed",
        "wait",
    } <= orders
    text = json.dumps(told)
    names = set(told["components"]["schemas"])
    assert all(part.partition('"')[0] in names for part in text.split("#/components/schemas/")[1:])
    assert stood.environment[TOKEN] not in text


def test_standard_input_answers_words_in_words_and_json_in_json(stood: Up) -> None:
    assert stood.ask("remove cps") == "cps: Remove the card"
    assert stood.json(order="state")["slots"]["cps"]["template"] is None
    assert stood.ask("insert cps") == "cps: Insert the card"
    assert stood.json(order="inject", fault="card-mute", at="verify", command=2)["ok"] is True
    assert stood.ask("clear card-mute").startswith("cps: Take faults away")
    assert stood.json(order="frobnicate")["ok"] is False
    assert stood.json(order="help", **{})["version"] == 1


def test_ctl_gives_the_same_orders(stood: Up) -> None:
    environment = {**os.environ, **stood.environment}

    def ctl(*words: str) -> subprocess.CompletedProcess[str]:
        command = [*warm(), "ctl", "--lang", "en", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert "medecin-generaliste" in ctl("state").stdout
    done = ctl("--json", "inject", "card-mute", "slot=cps", "at=verify", "command=2")
    assert json.loads(done.stdout)["slot"] == "cps"
    assert ctl("clear").returncode == 0
    nothing = ctl("wait", "until.function=SCardNothing", "seconds=0")
    assert nothing.returncode == 1
    wrong = ctl("insret", "cps")
    assert wrong.returncode == 2
    assert "did you mean 'insert'?" in wrong.stderr


def test_a_record_is_taken_from_one_order_to_another(stood: Up, tmp_path: Path) -> None:
    channel = stood.channel
    out = tmp_path / "taken"
    channel.order("record", do="start", out=str(out))
    opensc(stood, "-r", "0", "-s", SELECT)
    told = channel.order("record", do="stop")
    assert {Path(file).name for file in told["files"]} >= {"journal.jsonl", "report.html", "junit.xml"}
    text = (out / "journal.jsonl").read_text(encoding="utf-8")
    assert SELECT.upper() in text
    assert SELECT.upper() in (out / "report.html").read_text(encoding="utf-8").replace(" ", "").upper()
    channel.order("record", do="start", out=str(out))
    with pytest.raises(ChannelError, match="already holds a record"):
        channel.order("record", do="stop")


def test_a_wireless_terminal_loses_link_battery_and_session(tmp_path: Path) -> None:
    cards = ("--card", "cps=medecin-generaliste", "--card", "vitale=vitale/ald")
    with up(tmp_path, "--profile", "readers/olaqin-like-wireless", *cards) as stood:
        channel = stood.channel
        assert channel.order("state")["picture"]["link"] == "up"
        assert opensc(stood, "-l").stdout.count("Yes") == 2
        channel.order("link", state="lost")
        assert opensc(stood, "-l").stdout.count("Yes") == 0
        channel.order("link", state="up")
        assert opensc(stood, "-l").stdout.count("Yes") == 2
        channel.order("battery", level=0)
        assert opensc(stood, "-l").stdout.count("Yes") == 0
        channel.order("battery", level=100)
        channel.order("session")
        assert opensc(stood, "-l").stdout.count("Yes") == 2
        channel.order("clock", seconds=100_000)
        assert channel.order("state")["picture"]["token"] != "120 s"
        assert opensc(stood, "-l").stdout.count("Yes") == 0
