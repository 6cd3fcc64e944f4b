"""Programs that nobody here wrote, observed unmodified: what each did, in figures, and which rules it breaks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from clients_bench import AUT_ID, HERE, KEY_IDS, PIN, CardMaker, opensc_module, shared_object, tool
from cryptography import x509
from tls_tools import PKCS1, REQUEST, Server, server_files, write_pem

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.model import CardChoice
from bifente.conformance.observation.account import account
from bifente.conformance.observation.channel.orders import ChannelOrders
from bifente.conformance.observation.observing import Observed, ProgramObservation
from bifente.conformance.observation.standing import Standing, Wanted
from bifente.conformance.observation.story import Story
from bifente.reports.verdict import Verdict
from bifente.simulator.pki.keystore import KeyStore

pytestmark = pytest.mark.timeout(120)

KEY_ID = "%".join(["", *[KEY_IDS["cps3"]["authentication"][at : at + 2] for at in range(0, 28, 2)]])
KEY = f"pkcs11:id={KEY_ID};type=private"
LEFT_OPEN, IN_ARGUMENTS, AGAIN = "logged-out-at-the-end", "no-code-in-arguments", "one-verify-for-one-entry"


@pytest.fixture(scope="module")
def keys() -> Path:
    """The laboratory keys from which ``make`` makes its cards: one authority for the card and for the server."""
    return KeyStore().folder


@pytest.fixture(scope="module")
def stood(keys: Path) -> Iterator[Standing]:
    cards = {"cps": CardChoice(template="medecin-generaliste")}
    with Standing(Wanted(profile="readers/generic-bislot", cards=cards, workshop=Workshop(KeyStore(keys)))) as standing:
        yield standing


@pytest.fixture
def standing(stood: Standing) -> Standing:
    """A fresh card, no fault."""
    orders = ChannelOrders(stood)
    orders.carry_out("clear", {})
    orders.carry_out("put", {"slot": "cps", "template": "medecin-generaliste"})
    return stood


@pytest.fixture(scope="module")
def folder(make: CardMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return server_files(tmp_path_factory.mktemp("tls"), make(), make("pharmacien", lifecycle="revoked"))


def observed(
    standing: Standing,
    command: Sequence[str | Path],
    *,
    text: str | None = None,
    environment: Mapping[str, str] | None = None,
    code: int | None = 0,
) -> Observed:
    with ProgramObservation(standing) as observation:
        program = observation.start(
            [str(word) for word in command],
            environment={**os.environ, **(environment or {}), "LC_ALL": "C.UTF-8"},
            piped=text is not None,
        )
        said = b""
        if text is not None:
            program.stdin.write(text.encode())
            program.stdin.close()
            said = program.stdout.read()
            program.heard("stdout", said)
        assert program.wait(60)
        ended = program.end()
        observation.close()
        found = observation.observed(ended)
    assert code is None or found.code == code, account(found.story, "en")
    for lang in ("fr", "en"):
        lines = account(found.story, lang)
        assert 0 < len(lines) <= 12
        assert PIN not in " ".join(lines).split()
    return found


def broken(found: Observed) -> set[str]:
    return {one.rule.name for one in found.verdicts if one.verdict is Verdict.FAILED}


def figures(story: Story) -> dict[str, int]:
    return {
        "codes": len(story.codes),
        "accepted": sum(one.sw == 0x9000 for one in story.codes),
        "signatures": sum(one.signs for one in story.commands),
        "transactions": sum(one.call == "SCardBeginTransaction" for one in story.moments),
        "connections": len(story.dialogues),
    }


def test_pkcs11_tool_tests_and_logs_in_and_leaves_the_code_open(standing: Standing) -> None:
    command: list[str | Path] = [tool("pkcs11-tool"), "--module", opensc_module(), "--test", "--login", "--pin", PIN]
    found = observed(standing, command, code=None)
    assert broken(found) == {LEFT_OPEN, IN_ARGUMENTS}
    told = figures(found.story)
    assert (told["codes"], told["accepted"], told["signatures"]) == (1, 1, 3)
    assert told["transactions"] > 10
    called = {one.call for one in found.story.moments if one.call.startswith("C_")}
    assert {"C_Initialize", "C_Login", "C_Sign", "C_Decrypt", "C_Finalize"} <= called
    assert any("PKCS#11" in line for line in account(found.story, "fr"))


def test_a_wrong_code_is_one_try_and_the_refusal_is_told(standing: Standing) -> None:
    command: list[str | Path] = [tool("pkcs11-tool"), "--module", opensc_module(), "--login", "--pin", "7391", "-O"]
    found = observed(standing, command, code=1)
    assert figures(found.story)["codes"] == 1
    assert broken(found) == set(), "7391 is no code of the card: nothing of it is known to the bench"
    assert any(one.result == "CKR_PIN_INCORRECT" for one in found.story.moments)


BEHAVING: Mapping[str, Sequence[str]] = {
    "opensc-tool lists": ("opensc-tool", "-l"),
    "opensc-tool names": ("opensc-tool", "--name"),
    "pkcs15-tool dumps": ("pkcs15-tool", "--dump"),
    "p11tool lists": ("p11tool", "--provider", "MODULE", "--list-all"),
    "pkcs11-tool lists": ("pkcs11-tool", "--module", "MODULE", "-L"),
    "pcsc_scan counts": ("pcsc_scan", "-c"),
    "ssh-keygen lists": ("ssh-keygen", "-D", "MODULE"),
    "scriptor speaks through Perl's Chipcard::PCSC": ("scriptor", "APDUS"),
    "chipcard-tool reads the ATR, exclusively, and resets": ("chipcard-tool", "atr"),
    "openvpn lists": ("openvpn", "--show-pkcs11-ids", "MODULE"),
    "ykman looks for a YubiKey": ("ykman", "-r", "00 00", "info"),
    "systemd-cryptenroll lists": ("systemd-cryptenroll", "--pkcs11-token-uri=list"),
}


@pytest.mark.parametrize("which", BEHAVING)
def test_a_program_that_behaves_breaks_no_rule(standing: Standing, which: str, tmp_path: Path) -> None:
    name, *words = BEHAVING[which]
    apdus = tmp_path / "apdus.txt"
    apdus.write_text(
        "00 A4 00 0C 02 3F 00\nreset\n00 A4 04 0C 0D E8 28 BD 08 0F 80 25 00 00 01 FF 00 10\n", encoding="utf-8"
    )
    places = {"APDUS": str(apdus)} | ({"MODULE": str(opensc_module())} if "MODULE" in words else {})
    command = [tool(name), *(places.get(word, word) for word in words)]
    # How a program ends is its own affair here: p11tool gives 1 for an attribute that the module does not have.
    found = observed(standing, command, code=None)
    assert broken(found) == set()
    assert found.story.programs


def test_pkcs15_tool_verifies_and_leaves_the_code_open(standing: Standing) -> None:
    found = observed(standing, [tool("pkcs15-tool"), "--verify-pin", "--pin", PIN])
    assert broken(found) == {LEFT_OPEN, IN_ARGUMENTS}
    assert figures(found.story)["codes"] == 1


def test_gnutls_cli_authenticates_with_the_card(standing: Standing, folder: Path) -> None:
    with Server(folder, *PKCS1) as server:
        card: list[str | Path] = ["--provider", opensc_module(), "--x509keyfile", f"{KEY};pin-value={PIN}"]
        trust: list[str | Path] = [
            "--x509certfile",
            f"pkcs11:id={KEY_ID};type=cert",
            "--x509cafile",
            folder / "server.pem",
        ]
        command: list[str | Path] = [
            tool("gnutls-cli"),
            *card,
            *trust,
            "--priority",
            "NORMAL:-VERS-TLS1.3",
            "--port",
            str(server.port),
        ]
        found = observed(standing, [*command, "localhost"], text=REQUEST)
    told = figures(found.story)
    assert told["signatures"] == 1
    assert told["accepted"] >= 1
    assert IN_ARGUMENTS in broken(found)
    assert LEFT_OPEN in broken(found)
    assert "no-code-in-output" not in broken(found)


def test_curl_authenticates_with_the_card(standing: Standing, folder: Path) -> None:
    shared_object("OpenSSL's PKCS#11 engine", "libengine-pkcs11-openssl", "*/engines-*/pkcs11.so")
    if (
        "<none>"
        in subprocess.run([tool("curl"), "--engine", "list"], capture_output=True, text=True, check=False).stdout
    ):
        pytest.skip("needs a curl built with OpenSSL engines")
    (folder / "openssl.cnf").write_text(
        "openssl_conf = start\n[start]\nengines = engines\n[engines]\npkcs11 = pkcs11\n"
        f"[pkcs11]\nengine_id = pkcs11\nMODULE_PATH = {opensc_module()}\ninit = 0\n",
        encoding="utf-8",
    )
    label = "CPS3v3-9900000001"
    der = folder / "observed.der"
    read: list[str | Path] = [
        tool("pkcs11-tool"),
        "--module",
        opensc_module(),
        "-r",
        "-y",
        "cert",
        "-d",
        AUT_ID,
        "-o",
        der,
    ]
    subprocess.run(read, env={**os.environ, **standing.environment}, check=True, capture_output=True)
    certificate = write_pem(folder / "observed.pem", x509.load_der_x509_certificate(der.read_bytes()))
    with Server(folder, *PKCS1) as server:
        key = f"pkcs11:token={label}%20(Code%20porteur);object=CPS_PRIV_AUT;type=private;pin-value={PIN}"
        engine: list[str | Path] = ["--engine", "pkcs11", "--key-type", "ENG", "--key", key]
        trust: list[str | Path] = ["--cert", certificate, "--cacert", folder / "server.pem", "--tls-max", "1.2"]
        command: list[str | Path] = [
            tool("curl"),
            "-sS",
            "--disable",
            *engine,
            *trust,
            f"https://localhost:{server.port}/",
        ]
        found = observed(standing, command, environment={"OPENSSL_CONF": str(folder / "openssl.cnf")})
    assert figures(found.story)["signatures"] == 1
    assert broken(found) == {LEFT_OPEN, IN_ARGUMENTS}


def test_scdaemon_reaches_the_card(standing: Standing, tmp_path: Path) -> None:
    program = Path("/usr/lib/gnupg/scdaemon")
    if not program.is_file():
        pytest.skip("needs scdaemon (apt-get install scdaemon)")
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    command: list[str | Path] = [program, "--server", "--homedir", home, "--disable-ccid", "--pcsc-shared"]
    orders = "SERIALNO undefined\nAPDU 00A4000C023F00\nBYE\n"
    found = observed(standing, command, text=orders)
    assert figures(found.story)["codes"] == 0
    assert any(one.selects and one.sw == 0x9000 for one in found.story.commands)
    assert broken(found) == set()


def test_an_ssh_agent_signs_with_the_card(standing: Standing, tmp_path: Path) -> None:
    module, ask, keys = opensc_module(), tmp_path / "ask", tmp_path / "keys"
    ask.write_text(f"#!/bin/sh\necho {PIN}\n", encoding="utf-8")
    ask.chmod(0o700)
    steps = (
        f"{tool('ssh-keygen')} -D {module} | grep CPS_PUB_AUT > {keys}",
        f"{tool('ssh-add')} -s {module}",
        f"ssh-add -T {keys}",
        f"ssh-add -e {module}",
    )
    environment = {"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"}
    command: list[str | Path] = [tool("ssh-agent"), "sh", "-c", " && ".join(steps)]
    found = observed(standing, command, environment=environment)
    told = figures(found.story)
    assert (told["codes"], told["accepted"]) == (1, 1)
    assert told["signatures"] >= 1
    assert "ssh-pkcs11-helper" in found.story.programs.values(), "the kernel's name of it is cut"
    # The agent logs out (C_Logout); OpenSC's module leaves the code of a CPS3 open all the same.
    assert broken(found) == {LEFT_OPEN}


def test_java_reaches_the_card(standing: Standing, tmp_path: Path) -> None:
    library = shared_object("pcsc-lite's library", "libpcsclite1", "*/libpcsclite.so.1")
    compiled = subprocess.run([tool("javac"), "-d", tmp_path, HERE / "Smartcard.java"], check=False, timeout=60)
    assert compiled.returncode == 0
    options = ["-Xshare:auto", "-XX:TieredStopAtLevel=1", f"-Dsun.security.smartcardio.library={library}"]
    command: list[str | Path] = [tool("java"), *options, "-cp", tmp_path, "Smartcard", "00A4000C023F00", "00B0000004"]
    with ProgramObservation(standing) as observation:
        program = observation.start([str(word) for word in command])
        ChannelOrders(standing).carry_out(
            "wait", {"until": {"protocol": "output", "text": "waiting"}, "since": 0, "seconds": "60"}
        )
        ChannelOrders(standing).carry_out("remove", {"slot": "cps"})
        assert program.wait(60)
        observation.close()
        found = observation.observed()
    assert figures(found.story)["codes"] == 0
    assert any(one.moved for one in found.story.moments)
    assert broken(found) == set()


def test_a_fault_from_the_channel_gives_a_program_what_the_catalogue_promises(standing: Standing) -> None:
    orders = ChannelOrders(standing)
    orders.carry_out("inject", {"fault": "card-mute", "slot": "cps", "at": "verify", "command": "1"})
    found = observed(
        standing, [tool("pkcs11-tool"), "--module", opensc_module(), "--login", "--pin", PIN, "-O"], code=None
    )
    silent = [one for one in found.story.commands if one.unanswered]
    assert silent
    assert {one.result for one in silent} == {"NOT_TRANSACTED"}
    assert any(one.call.startswith("C_") and one.result not in ("CKR_OK", "?") for one in found.story.moments)


def test_chromium_authenticates_with_the_card(
    standing: Standing, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    pytest.importorskip("PIL")
    from browser import CardBrowser

    if shutil.which("certutil") is None or shutil.which("modutil") is None:
        pytest.skip("needs certutil and modutil (apt-get install libnss3-tools)")
    home = tmp_path_factory.mktemp("home")
    with ProgramObservation(standing) as observation:
        with (
            CardBrowser(standing.environment, home, opensc_module(), trusted=[folder / "server.pem"]) as browser,
            Server(folder, *PKCS1) as server,
        ):
            browser.codes = [PIN]
            browser.page.goto(f"https://localhost:{server.port}/")
            assert "BEGIN CERTIFICATE" in browser.page.inner_text("body")
        observation.close()
        found = observation.observed()
    told = figures(found.story)
    assert told["signatures"] >= 1
    assert told["accepted"] >= 1
    assert any("chrom" in name for name in found.story.programs.values())
    assert broken(found) == {LEFT_OPEN}
