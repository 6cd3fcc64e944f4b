"""The inventory of a machine: what is there is told, what cannot be seen is said, nothing unseen is called sound."""

from __future__ import annotations

import json
import os
import plistlib
import re
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conformance_cli import Cli, apart
from hypothesis import given, settings
from hypothesis import strategies as st
from warm import warm

from bifente.conformance.domains.support import inventory as package
from bifente.conformance.domains.support.inventory.cards import _LOOK
from bifente.conformance.domains.support.inventory.collected import PosteInventory
from bifente.conformance.domains.support.inventory.machine import CommandAnswer, Machine
from bifente.conformance.domains.support.inventory.this_machine import inventory
from bifente.conformance.domains.support.poste_file import load_poste
from bifente.simulator.cards.families import families
from bifente.simulator.workstation import met_rules, poste_facts

CPS = families()["cps3"].prefixes[0]
VITALE = families()["vitale2"].prefixes[0]
FOLDER = Path(package.__file__).parent
HEALTHY = {"sound", "right", "fresh", "fits", "up", "accepted", "complete", "allowed", "yes", "quiet"}


@dataclass(frozen=True, slots=True)
class Fake(Machine):
    """A folder that looks like a machine, and the commands that answer there."""

    answers: Mapping[str, str] = field(default_factory=dict)

    def ask(self, *command: str, patience: float = 0) -> CommandAnswer:
        key = "pcsc" if command == _LOOK else " ".join(command)
        return (
            CommandAnswer(self.answers[key]) if key in self.answers else CommandAnswer(None, f"{command[0]} : absent")
        )


def fake(root: Path, pcsc: Any = None, environ: Mapping[str, str] | None = None, **answers: str) -> Fake:
    told = {key.replace("_", " "): said for key, said in answers.items()}
    return Fake(root, environ or {}, {**told, **({} if pcsc is None else {"pcsc": json.dumps(pcsc)})})


def put(root: Path, place: str, text: str = "") -> None:
    path = root / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def readers(*atrs: str | None, state: int = 0x20, name: str = "OLAQIN 90048020 TL VITALACT") -> dict[str, Any]:
    return {"readers": [{"name": f"{name} {n} 0", "state": state, "atr": atr} for n, atr in enumerate(atrs, 1)]}


def complete(found: PosteInventory) -> None:
    """Every fact is told or said not to have been seen, never both; and it is a workstation that a diagnosis takes."""
    assert {*found.facts, *found.unseen} == set(poste_facts())
    assert not {*found.facts} & {*found.unseen}
    assert all(found.unseen.values())
    met_rules(found.poste())


def test_of_a_machine_where_nothing_can_be_seen_nothing_is_said(tmp_path: Path) -> None:
    found = inventory(fake(tmp_path))
    complete(found)
    assert found.facts == {"os": "linux", "session": "local"}
    assert met_rules(found.poste()) == () or not any(one.evidence for one in met_rules(found.poste()))


@pytest.mark.parametrize(
    ("pcsc", "told"),
    [
        ({"stopped": "NO_SERVICE (8010001D)"}, {"smart-card-service": "stopped"}),
        ({"missing": "no pyscard"}, {}),
        # One on a serial line is nothing to PC/SC: that none is shown is no unplugged reader and no missing card.
        (readers(), {"smart-card-service": "running"}),
        (readers(None, None, name="Broadcom Corp 58200"), {"reader-link": "plugged"}),
        (readers(CPS, VITALE), {"reader-link": "plugged", "reader-holder": "nobody"}),
        (readers(CPS, None), {"vitale-state": "absent"}),
        (readers(CPS, CPS), {"cps-state": "two-of-them", "vitale-state": "absent"}),
        (readers(None, VITALE), {"cps-state": "absent"}),
        (readers(CPS, VITALE, state=0x120), {"reader-holder": "other-software"}),
        # What it is is not known: it may be the card that seems to be missing.
        (readers("3B00", None), {"reader-link": "plugged"}),
        (readers("", None), {"reader-link": "plugged"}),
        (readers(CPS, None, state=0x220), {"reader-link": "plugged"}),
    ],
)
def test_readers_and_cards(tmp_path: Path, pcsc: dict[str, Any], told: dict[str, str]) -> None:
    found = inventory(fake(tmp_path, pcsc))
    complete(found)
    keys = ("smart-card-service", "reader-link", "reader-holder", "cps-state", "vitale-state")
    seen = {key: found.facts[key] for key in keys if key in found.facts}
    assert {key: seen.get(key) for key in told} == told
    uncertain = {"cps-state", "vitale-state"} - set(told)
    assert not uncertain & set(seen)
    assert not {key for key, value in found.facts.items() if value in HEALTHY}


def test_a_reader_that_is_plugged_and_not_seen_is_no_unplugged_one(tmp_path: Path) -> None:
    put(tmp_path, "sys/bus/usb/devices/1-2:1.0/bInterfaceClass", "0b\n")
    put(tmp_path, "sys/bus/usb/devices/1-2/idVendor", "2947\n")
    put(tmp_path, "sys/bus/usb/devices/1-2/idProduct", "0105\n")
    found = inventory(fake(tmp_path, readers()))
    assert "reader-link" in found.unseen
    assert ("Lecteurs branchés en USB", "sans nom (2947:0105)") in found.details


def test_a_reader_by_its_names_whatever_its_serial_number(tmp_path: Path) -> None:
    listed = readers(None, None, name="OLAQIN 12345678 TL VITALACT")
    assert inventory(fake(tmp_path, listed)).facts["reader"] == "readers/olaqin-vitalact"
    del listed["readers"][0]
    assert "VITALACT 2" in inventory(fake(tmp_path, listed)).unseen["reader"]


def test_which_card_is_in_which_slot_as_far_as_each_says_what_it_is(tmp_path: Path) -> None:
    both = inventory(fake(tmp_path, readers(CPS, VITALE))).poste()
    assert list(both.slots.values()) == ["cps", "vitale"]
    assert list(inventory(fake(tmp_path, readers(CPS, None))).poste().slots.values()) == ["cps", ""]
    assert not inventory(fake(tmp_path, readers(CPS, "3B00"))).poste().slots


def test_drivers_by_their_bundles(tmp_path: Path) -> None:
    bundle = tmp_path / "usr/lib/pcsc/drivers/ifd-ccid.bundle/Contents/Info.plist"
    bundle.parent.mkdir(parents=True)
    bundle.write_bytes(plistlib.dumps({"CFBundleShortVersionString": "1.5.2"}))
    put(tmp_path, "usr/lib/pcsc/drivers/bad.bundle/Contents/Info.plist", "<plist><dict>")
    told = [said for heading, said in inventory(fake(tmp_path)).details if heading == "Pilotes de lecteurs"]
    assert told == [
        "/usr/lib/pcsc/drivers/bad.bundle : Info.plist illisible",
        "/usr/lib/pcsc/drivers/ifd-ccid.bundle 1.5.2",
    ]


LIBRARY = "/usr/lib/libcps3_pkcs11_lux.so"


def test_the_cryptolib_and_its_cache(tmp_path: Path) -> None:
    put(tmp_path, LIBRARY.lstrip("/"))
    answers = {
        f"dpkg-query --search {LIBRARY}": f"cryptolib-cps: {LIBRARY}\n",
        "dpkg-query --show --showformat=${Version} cryptolib-cps": "5.2.6-1",
    }
    found = inventory(Fake(tmp_path, {}, answers))
    assert (found.facts["cryptolib"], found.facts["cryptolib-cache"]) == ("5.2.6", "no-folder")
    put(tmp_path, "etc/opt/santesocial/CPS/cache/1_2F00")
    found = inventory(Fake(tmp_path, {}, answers))
    # That a cache is there says nothing of its being right.
    assert "cryptolib-cache" in found.unseen
    assert "version non lisible" in inventory(fake(tmp_path)).unseen["cryptolib"]


def test_versions_that_contradict_each_other(tmp_path: Path) -> None:
    for number in ("5.1.8", "5.2.2"):
        put(tmp_path, f"opt/santesocial/CPS/libcps3_pkcs11_lux.so.{number}")
    assert "plusieurs versions" in inventory(fake(tmp_path)).unseen["cryptolib"]


TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0797 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0 100 0 0 10 0
"""


@pytest.mark.parametrize(("name", "told"), [("fsenxt", "other-software"), ("srvsvcnam", "nobody"), (None, None)])
def test_who_holds_a_port_of_the_components(tmp_path: Path, name: str | None, told: str | None) -> None:
    put(tmp_path, "proc/net/tcp", TABLE)
    if name is not None:
        put(tmp_path, "proc/42/comm", f"{name}\n")
        put(tmp_path, "proc/42/maps", "7f0-7f1 r-xp 00000000 08:01 1 /usr/lib/libpcsclite.so.1\n")
        (tmp_path / "proc/42/fd").mkdir()
        (tmp_path / "proc/42/fd/3").symlink_to("socket:[4242]")
    found = inventory(fake(tmp_path))
    complete(found)
    assert found.facts.get("port-holder") == told
    assert (("Programmes qui se servent de PC/SC", f"{name} (42)") in found.details) == (name is not None)


def test_a_port_that_nobody_holds(tmp_path: Path) -> None:
    put(tmp_path, "proc/net/tcp", TABLE.replace("0797", "0016"))
    assert inventory(fake(tmp_path)).facts["port-holder"] == "nobody"


def test_the_network_is_down_or_not_known_to_be_up(tmp_path: Path) -> None:
    put(tmp_path, "proc/net/route", "Iface Destination Gateway\n")
    assert inventory(fake(tmp_path)).facts["network"] == "down"
    put(tmp_path, "proc/net/route", "Iface Destination Gateway\neth0 00000000 0100A8C0\n")
    assert "network" in inventory(fake(tmp_path)).unseen


def test_the_system_the_session_the_clock_and_a_browser(tmp_path: Path) -> None:
    put(tmp_path, "etc/os-release", 'PRETTY_NAME="Debian 12"\nVERSION_ID="12"\n')
    machine = Fake(
        tmp_path,
        {"SSH_CONNECTION": "x"},
        {
            "timedatectl show --property NTPSynchronized --value": "yes\n",
            "firefox --version": "Mozilla Firefox 128.3.1esr\n",
        },
    )
    facts = inventory(machine).facts
    assert {key: facts[key] for key in ("os-version", "session", "clock", "browser", "browser-version")} == {
        "os-version": "12",
        "session": "remote",
        "clock": "right",
        "browser": "firefox",
        "browser-version": "128.3.1",
    }


def test_saved_and_read_again(tmp_path: Path) -> None:
    root = tmp_path / "root"
    put(root, "etc/galss.ini", "[CONFIG]\r\nNbCanaux=2\r\n")
    hostile = {"readers": [{"name": "x\nposte: y\x1b[31m", "state": 0x10, "atr": None}]}
    found = inventory(fake(root, hostile))
    written = found.save(tmp_path / "poste.yaml")
    assert [path.name for path in written] == ["poste.yaml", "poste-galss.ini"]
    again = load_poste(tmp_path / "poste.yaml")
    assert again == found.poste()
    assert again.name == "ce-poste"
    assert again.files["galss.ini"] == (root / "etc/galss.ini").read_bytes()
    assert "\x1b" not in (tmp_path / "poste.yaml").read_text(encoding="utf-8")


def test_a_configuration_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "etc/galss.ini").mkdir(parents=True)
    found = inventory(fake(tmp_path))
    assert "lecture refusée" in found.unseen["galss-ini"]
    assert not found.files


PLACES = (
    "etc/os-release",
    "proc/net/tcp",
    "proc/net/tcp6",
    "proc/net/route",
    "proc/net/ipv6_route",
    "proc/7/comm",
    "proc/7/maps",
    "usr/lib/pcsc/drivers/x.bundle/Contents/Info.plist",
    "usr/share/p11-kit/modules/x.module",
    "sys/bus/usb/devices/1-2:1.0/bInterfaceClass",
    "etc/galss.ini",
)
COMMANDS = ("firefox --version", "timedatectl show --property NTPSynchronized --value", "pcscd --version")


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.sampled_from(PLACES), st.binary(max_size=200)),
    st.dictionaries(st.sampled_from(COMMANDS), st.text(max_size=80)),
    st.lists(
        st.tuples(st.text(max_size=30), st.integers(0, 0xFFFFFFFF), st.none() | st.binary(max_size=33)), max_size=4
    ),
)
def test_whatever_a_machine_holds_or_says(
    tmp_path_factory: pytest.TempPathFactory,
    files: dict[str, bytes],
    said: dict[str, str],
    listed: list[tuple[str, int, bytes | None]],
) -> None:
    """It is noted or not, never a failure, and what is saved is read again as it was."""
    root = tmp_path_factory.mktemp("root")
    for place, data in files.items():
        put(root, place)
        (root / place).write_bytes(data)
    seen = [{"name": name, "state": state, "atr": None if atr is None else atr.hex()} for name, state, atr in listed]
    found = inventory(Fake(root, {}, {**said, "pcsc": json.dumps({"readers": seen})}))
    complete(found)
    found.save(root / "poste.yaml")
    assert load_poste(root / "poste.yaml") == found.poste()
    assert not {key for key, value in found.facts.items() if value in HEALTHY} - {"clock"}


def test_a_command_that_hangs_is_left_behind() -> None:
    answer = Machine().ask("tail", "-f", "/dev/null", patience=0.05)
    assert answer.said is None
    assert "ne répond pas" in answer.why


def test_a_command_that_fails_or_is_not_there() -> None:
    assert "code 1" in Machine().ask("false").why
    assert Machine().ask("/nowhere/at/all").said is None


def test_a_named_pipe_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert Machine(tmp_path).data("/pipe") is None


def test_another_system_is_told_of_its_script(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    Cli(monkeypatch, capsys)("inventory").fails(2, "--script")


@pytest.mark.parametrize("name", ["inventaire-windows.ps1", "inventaire-macos.sh"])
def test_a_script_tells_every_fact_or_says_that_it_does_not(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8-sig")
    missing = [key for key in poste_facts() if not re.search(rf"(?<![\w-]){re.escape(key)}(?![\w-])", text)]
    assert [key for key in missing if f"{key.removesuffix('-ini')}.ini" not in text] == []


WRITES = {
    "inventaire-windows.ps1": r"\b(?:Set|Remove|Stop|Start|Restart|Invoke|Clear|Move|Rename|Register|Enable|Disable"
    r"|Add|Copy|Out|Install|Uninstall)-\w+|New-(?:Item|Service)|\breg(?:\.exe)? (?:add|delete)|certutil|\biex\b",
    "inventaire-macos.sh": r"\b(?:rm|mv|cp|sudo|kill|killall|launchctl|chmod|chown|installer|pkgutil --forget"
    r"|defaults (?:write|delete)|tee|eval|curl|pcsctest)\b",
}


@pytest.mark.parametrize("name", WRITES)
def test_a_script_only_looks(name: str) -> None:
    text = (FOLDER / name).read_text(encoding="utf-8-sig")
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert re.findall(WRITES[name], code) == []
    # Each file it writes lies in the folder that it made.
    assert set(re.findall(r'> "([^"]+)"', code)) <= {"$fichier", "$dossier/$name"}


MAC = {
    "sw_vers": 'echo "14.5"',
    "pkgutil": 'case "$1" in --pkgs) echo fr.asipsante.cryptolib; echo fr.sesamvitale.galss;;'
    ' *) case "$2" in *galss) echo "version: 3.42.03";; *) echo "version: 5.2.6\\"\n";; esac;; esac',
    "defaults": "exit 1",
    "system_profiler": 'echo "      #01: Lecteur (no card present)"',
    "ps": 'echo "/Library/Application Support/galssosx"',
    "lsof": "exit 1",
}


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_script_for_macos_writes_a_file_that_is_read(tmp_path: Path, shell: str) -> None:
    tools = tmp_path / "tools"
    for name, body in MAC.items():
        put(tools, name, f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(stat.S_IRWXU)
    subprocess.run(
        [shell, FOLDER / "inventaire-macos.sh", tmp_path / "out"],
        env={"PATH": f"{tools}:/usr/bin:/bin"},
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )
    poste = load_poste(tmp_path / "out/poste.yaml")
    assert {key: poste.facts[key] for key in ("os", "os-version", "galss", "cryptolib")} == {
        "os": "macos",
        "os-version": "14.5",
        "galss": "3.42.03",
        "cryptolib": "5.2.6",
    }
    assert {*poste.facts, *poste.unseen} == set(poste_facts())
    assert "no card present" in (tmp_path / "out/poste.yaml").read_text(encoding="utf-8")


def test_the_command_sees_the_bench_own_readers(tmp_path: Path) -> None:
    """The real look, through PC/SC: a CPS and a Vitale by their ATRs, and no code presented."""
    pytest.importorskip("smartcard")
    said = apart(
        *("exec", "--card", "cps=medecin-generaliste", "--card", "vitale=vitale/assure-seul", "--trace", "--"),
        *(*warm(), "inventory", "--out", str(tmp_path / "poste.yaml")),
        cwd=tmp_path,
    )
    said.ok()
    poste = load_poste(tmp_path / "poste.yaml")
    assert poste.facts["smart-card-service"] == "running"
    assert poste.facts["reader-link"] == "plugged"
    text = (tmp_path / "poste.yaml").read_text(encoding="utf-8")
    assert re.search(r"#   .* 00 00 : carte PS \(ATR 3B", text)
    assert re.search(r"#   .* : carte Vitale 2 \(ATR 3B", text)
    assert "> " not in said.err  # not one command reached a card


def test_the_scripts_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cli = Cli(monkeypatch, capsys)
    assert "sw_vers" in cli("inventory", "--script", "macos").ok()
    cli("inventory", "--script", "windows", "--out", tmp_path / "x.ps1").ok()
    assert (tmp_path / "x.ps1").read_bytes() == (FOLDER / "inventaire-windows.ps1").read_bytes()
    cli("inventory", "--script", "macos", "--out", tmp_path / "no/x").fails(2, "cannot be written")


@pytest.fixture
def this(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Any:
    monkeypatch.setenv("COLUMNS", "80")

    def run(pcsc: dict[str, Any], *more: str) -> Any:
        module = "bifente.conformance.domains.support.inventory.this_machine.inventory"
        monkeypatch.setattr(module, lambda: inventory(fake(tmp_path, pcsc)))
        return Cli(monkeypatch, capsys)("diagnose", "--this-machine", "--lang", "fr", *more)

    return run


def test_this_machine_is_diagnosed(this: Any) -> None:
    said = this({"stopped": "NO_SERVICE (8010001D)"})
    assert said.code == 1
    assert "service de carte à puce du système est arrêté" in said.out
    assert "  ne répond pas : NO_SERVICE (8010001D)" in said.out


def test_a_machine_on_which_nothing_was_found_wrong_is_not_called_sound(this: Any) -> None:
    said = this(readers(CPS, VITALE))
    assert said.code == 1
    assert "Ce n'est pas la preuve que tout va bien" in said.out
    assert "« marche » ne prouve rien" in " ".join(said.out.split())
    assert re.search(r"[1-9][0-9]* causes connues ne sont ni vues ni exclues", said.out)
    assert "  OLAQIN 90048020 TL VITALACT 1 0 : carte PS (ATR 3B" in said.out
    told = json.loads(this(readers(CPS, VITALE), "--json").out)
    assert told["side"] == "none"
    assert ["Lecteurs vus par PC/SC", "OLAQIN 90048020 TL VITALACT 1 0"] in [
        [one, said[:31]] for one, said in told["details"]
    ]
    assert "holder-code" in told["unseen"]


def test_one_workstation_is_diagnosed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    cli = Cli(monkeypatch, capsys)
    cli("diagnose").fails(2, "--this-machine")
    cli("diagnose", "x.yaml", "--this-machine").fails(2, "--this-machine")
