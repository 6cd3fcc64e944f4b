"""``bifente trace``: what a desk and a customer type, what they read, how it ends."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from conformance_cli import Cli

from bifente.conformance.cli.trace_common import answer_words
from bifente.simulator.pcsc.own.service import OwnPcsc

ATR = "3B AC 00 40 2A 00 12 25 00 64 80 00 03 10 00 90 00"
SESSION = [
    ("00 A4 04 04 08 80 25 00 00 01 FF 01 00", "90 00"),
    ("00 20 00 01 00", "63 C3"),
    ("00 20 00 01 04 39 38 37 36", "90 00"),
    ("00 20 00 01 00", "90 00"),
]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "C")
    return Cli(monkeypatch, capsys)


def log(path: Path, exchanges: list[tuple[str, str]], *, atr: bool = True) -> Path:
    lines = [f"00000001 Card ATR: {ATR} "] if atr else []
    for command, response in exchanges:
        lines += [f"00000003 APDU: {command} ", *([f"00000517 SW: {response} "] if response else [])]
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture
def kept(cli: Cli, tmp_path: Path) -> Path:
    cli("trace", "import", log(tmp_path / "pcscd.log", SESSION), "-o", "kept.jsonl").ok()
    return tmp_path / "kept.jsonl"


def test_a_log_is_imported_in_words_and_for_a_program(cli: Cli, tmp_path: Path) -> None:
    path = log(tmp_path / "pcscd.log", SESSION)
    said = cli("trace", "import", path, "-o", "one.jsonl").ok()
    assert "échanges gardés : 4" in said
    assert "codes 1" in said
    assert "trouvées : 0" in said
    assert "exchanges kept: 4" in cli("trace", "import", path, "-o", "two.jsonl", "--lang", "en").ok()
    data = json.loads(cli("trace", "import", path, "-o", "three.jsonl", "--json").ok())
    assert (data["format"], data["exchanges"], data["masked"]["codes"]) == ("pcscd", 4, 1)
    for name in ("one.jsonl", "two.jsonl", "three.jsonl"):
        assert "39383736" not in (tmp_path / name).read_text()


def test_what_was_left_out_is_told_with_its_line_and_exit_1(cli: Cli, tmp_path: Path) -> None:
    path = log(tmp_path / "pcscd.log", [*SESSION, ("00 B0 zz", "90 00"), ("00 84 00 00 08", "")])
    said = cli("trace", "import", path, "-o", "kept.jsonl")
    assert said.code == 1
    assert "ligne ou octet 10" in said.out
    assert "sans réponse : 1" in said.out


@pytest.mark.parametrize(
    ("content", "arguments", "words"),
    [
        (b"", (), "empty"),
        (b"hello\n", (), "no log of a known kind"),
        (b"00000001 Card ATR: 3B 00 \n00000001 winscard.c:1:x() y\n", (), "--apdu"),
        (b"hello\n", ("--format", "pscd"), "did you mean 'pcscd'"),
        (b"hello\n", ("-o", "nowhere/kept.jsonl"), "no such folder"),
        (b"\xd4\xc3\xb2\xa1\x02", (), "byte 4"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(
    cli: Cli, tmp_path: Path, content: bytes, arguments: tuple[str, ...], words: str
) -> None:
    (tmp_path / "log").write_bytes(content)
    cli("trace", "import", "log", *(() if "-o" in arguments else ("-o", "kept.jsonl")), *arguments).fails(2, words)
    assert not (tmp_path / "kept.jsonl").exists()


def test_a_file_that_is_there_is_not_overwritten(cli: Cli, tmp_path: Path, kept: Path) -> None:
    before = kept.read_bytes()
    cli("trace", "import", tmp_path / "pcscd.log", "-o", "kept.jsonl").fails(2, "nothing is overwritten")
    cli("trace", "export", kept, "-o", "kept.jsonl").fails(2, "nothing is overwritten")
    cli("trace", "minimise", kept, "-o", "kept.jsonl").fails(2, "nothing is overwritten")
    cli("trace", "record", "kept.jsonl").fails(2, "nothing is overwritten")
    assert kept.read_bytes() == before


@pytest.mark.parametrize("command", [("show",), ("export", "-o", "x.pcap"), ("replay",), ("minimise", "-o", "x.yaml")])
def test_a_log_must_be_masked_first(cli: Cli, tmp_path: Path, command: tuple[str, ...]) -> None:
    path = log(tmp_path / "pcscd.log", SESSION)
    cli("trace", command[0], path, *command[1:]).fails(2, "trace import")


def test_a_trace_is_shown_in_both_languages_and_for_a_program(cli: Cli, kept: Path) -> None:
    said = cli("trace", "show", kept).ok()
    assert "3 VERIFY référence 01, 4 octets -> 9000 succès" in said
    assert "3 VERIFY reference 01, 4 bytes -> 9000 success" in cli("trace", "show", kept, "--lang", "en").ok()
    lines = [json.loads(line) for line in cli("trace", "show", kept, "--json").ok().splitlines()]
    assert [line["response"] for line in lines] == ["9000", "63C3", "9000", "9000"]
    assert lines[2]["command"] == "0020000104••••••••"


@pytest.mark.parametrize(
    ("response", "words"),
    [("", "pas de réponse"), ("90", "pas de réponse"), ("••••", "masqué"), ("AA6982", "1 octets")],
)
def test_any_response_is_told_in_words(response: str, words: str) -> None:
    assert words in answer_words(response).fr


def test_two_traces_are_compared(cli: Cli, tmp_path: Path, kept: Path) -> None:
    assert "aucune différence" in cli("trace", "compare", kept, kept).ok()
    path = log(tmp_path / "other.log", [*SESSION[:3], ("00 20 00 01 00", "69 83")])
    cli("trace", "import", path, "-o", "other.jsonl").ok()
    said = cli("trace", "compare", kept, "other.jsonl")
    assert said.code == 1
    assert "autre réponse" in said.out
    assert "6983" in said.out
    found = json.loads(cli("trace", "compare", kept, "other.jsonl", "--json").out)
    assert (found["kind"], found["second"]["response"]) == ("status", "6983")


def test_a_trace_is_exported_for_wireshark(cli: Cli, tmp_path: Path, kept: Path) -> None:
    assert "5 paquets" in cli("trace", "export", kept, "-o", "trace.pcap").ok()
    cli("trace", "import", "trace.pcap", "-o", "back.jsonl").ok()
    assert cli("trace", "show", "back.jsonl").ok().splitlines()[-1].endswith("9000 succès")


def test_a_trace_is_sent_to_a_virtual_card(cli: Cli, kept: Path) -> None:
    assert "4 commandes envoyées, 0 non envoyées, 0 réponses différentes" in cli("trace", "replay", kept).ok()


def test_a_card_of_another_kind_answers_otherwise_and_exit_1(cli: Cli, kept: Path) -> None:
    said = cli("trace", "replay", kept, "--inject", "wrong-status-word at=verify")
    assert said.code == 1
    assert "cette fois : 6F00" in said.out


def test_a_trace_is_played_to_a_program(cli: Cli, kept: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import os, sys\nfrom pathlib import Path\n"
        "from bifente.simulator.pcsc.own.client import WireClient\n"
        "client = WireClient(Path(os.environ['PCSCLITE_CSOCK_NAME']))\n"
        "card = client.connect(next(iter(client.readers())))\n"
        "said = [card.transmit(bytes.fromhex(one)).hex() for one in sys.argv[1:]]\n"
        "sys.exit(0 if said[-1] == '9000' else 5)\n"
    )
    asked = ["00A40404088025000001FF0100", "0020000100", "002000010430303030", "0020000100"]
    said = cli("trace", "replay", kept, "--", sys.executable, program, *asked)
    assert said.code == 0, said.err
    assert "jusqu'à la fin de la trace" in said.err
    said = cli("trace", "replay", kept, "--", sys.executable, program, "0084000008")
    assert said.code == 1
    assert "hors de la trace" in said.err
    assert "code 5" in said.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--card", "no-such-card"), "no-such-card"),
        (("--inject", "no-such-fault"), "no-such-fault"),
        (("--inject", "card-mute verify"), "--inject"),
        (("--slot", "vitale"), "no slot"),
        (("--card", "medecin-generaliste", "--", "true"), "a trace is played to software or sent to a card"),
        (("--reader", "X", "--inject", "card-mute"), "no fault is made on a real one"),
        (("--atr", "zz", "--", "true"), "no ATR"),
        (("--", "/nowhere/program"), "cannot be run"),
    ],
)
def test_a_replay_that_makes_no_sense_is_refused(cli: Cli, kept: Path, arguments: tuple[str, ...], words: str) -> None:
    cli("trace", "replay", kept, *arguments).fails(2, words)


def test_without_an_atr_none_is_made_up(cli: Cli, tmp_path: Path) -> None:
    cli("trace", "import", log(tmp_path / "l", SESSION, atr=False), "-o", "k.jsonl", "--format", "pcscd").ok()
    cli("trace", "replay", "k.jsonl", "--", "true").fails(2, "--atr")
    assert cli("trace", "replay", "k.jsonl", "--atr", ATR, "--", "true").code == 0


def test_a_trace_is_shrunk_to_a_scenario_that_runs(cli: Cli, tmp_path: Path) -> None:
    path = log(tmp_path / "l", [*SESSION[:2] * 6, ("00 20 00 01 04 39 38 37 36", "6F 00")])
    cli("trace", "import", path, "-o", "k.jsonl").ok()
    said = cli("trace", "minimise", "k.jsonl", "--inject", "wrong-status-word at=verify command=7", "-o", "s.yaml").ok()
    assert "13 échanges -> 7" in said
    assert cli("run", "s.yaml", "-q", "--out", "run").code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "no exchange of this trace fails"),
        (("--at", "9"), "has 4 exchanges"),
        (("--at", "3", "--inject", "wrong-status-word at=verify"), "not to be seen again"),
    ],
)
def test_what_cannot_be_shrunk_is_said(
    cli: Cli, tmp_path: Path, kept: Path, arguments: tuple[str, ...], words: str
) -> None:
    cli("trace", "minimise", kept, "-o", "s.yaml", *arguments).fails(2, words)
    assert not (tmp_path / "s.yaml").exists()


def test_a_program_is_recorded_and_its_code_is_ours(cli: Cli, tmp_path: Path) -> None:
    from bifente.ground.clock import VirtualClock
    from bifente.simulator.readers import Reader

    class Yes:
        atr = bytes.fromhex(ATR)

        def power_on(self) -> bytes:
            return self.atr

        def power_off(self) -> None: ...

        def reset(self) -> bytes:
            return self.atr

        def transmit(self, command: bytes) -> bytes:
            return b"\x90\x00"

    program = tmp_path / "program.py"
    program.write_text(
        "import os, sys\nfrom pathlib import Path\n"
        "from bifente.simulator.pcsc.own.client import WireClient\n"
        "client = WireClient(Path(os.environ['PCSCLITE_CSOCK_NAME']))\n"
        "card = client.connect(next(iter(client.readers())))\n"
        "card.transmit(bytes.fromhex('0020000104') + b'9876')\n"
        "sys.exit(7)\n"
    )
    reader = Reader.of("Lab", ("Lab (12345678) 00 00",), VirtualClock())
    reader.slots[0].insert(Yes())
    with OwnPcsc.start([reader]) as service:
        socket = service.environment["PCSCLITE_CSOCK_NAME"]
        said = cli("trace", "record", "r.jsonl", "--service", socket, "--", sys.executable, program)
        nothing = cli("trace", "record", "n.jsonl", "--service", socket, "--", "true")
    assert said.code == 7
    assert "échanges gardés : 1" in said.err
    text = (tmp_path / "r.jsonl").read_text()
    assert "0020000104••••••••" in text
    assert "39383736" not in text
    assert "12345678" not in text
    assert nothing.code == 0
    assert "aucun échange" in nothing.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["program.py", "r.jsonl"]


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_without_a_service_nothing_is_recorded_and_the_cure_is_told(cli: Cli, tmp_path: Path, lang: str) -> None:
    said = cli("trace", "record", "r.jsonl", "--service", "none.comm", "--lang", lang, "--", "true")
    said.fails(2, "pcscd.socket")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("system", ["linux", "windows", "macos"])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_the_mail_is_in_plain_words_and_whole(cli: Cli, system: str, lang: str) -> None:
    asked = ("--software", "MonLogiciel", "--act", "ouvrir le DMP", "--command", "mon-logiciel")
    said = cli("trace", "mail", *asked, "--system", system, "--lang", lang).ok()
    assert said.startswith("Objet : " if lang == "fr" else "Subject : ")
    assert "MonLogiciel" in said
    assert "ouvrir le DMP" in said
    # What is recorded is masked there and then; a log is not, and the mail says so.
    warned = "messagerie sécurisée" if lang == "fr" else "secure health mail"
    assert (warned in said.replace("\n", " ")) is (system != "linux")
    assert ("bifente trace record" in said) is (system == "linux")
    assert not {"{", "}"} & set(said)
    assert not {"APDU", "PKCS", "PC/SC"} & {word.strip(".,;:()") for word in said.split()}
    assert max(map(len, said.splitlines()[2:])) <= 140


def test_the_mail_needs_to_know_the_system(cli: Cli) -> None:
    assert cli("trace", "mail", "--software", "x", "--act", "y", "--system", "amiga").code == 2


def test_the_group_has_its_place_among_the_commands(cli: Cli) -> None:
    for name in ("import", "show", "compare", "export", "replay", "minimise", "record", "mail"):
        assert cli("trace", name, "--help").ok()
