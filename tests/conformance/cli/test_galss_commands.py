"""``bifente codes``, ``bifente galss`` and ``bifente sesam``: words, lines and exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conformance_cli import Cli

from bifente.simulator.middleware.galss import breakages, examine
from bifente.simulator.middleware.ini import edited
from bifente.simulator.middleware.sesam import generate, usual
from bifente.simulator.services.frontal.reasons import reasons


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return Cli(monkeypatch, capsys)


@pytest.mark.parametrize("written", ["61441", "F001", "0xF001", "-4095"])
def test_a_code_in_any_writing(cli: Cli, written: str) -> None:
    said = cli("codes", written, "--lang", "en").ok()
    assert said.startswith("F001  61441  ps-absent [ssv]")
    assert "professional's card absent" in said
    assert "cause: " in said
    assert "remedy: insert the CPS" in said


def test_a_code_in_french_and_one_that_nobody_knows(cli: Cli) -> None:
    assert "carte Vitale absente" in cli("codes", "F011", "--lang", "fr").ok()
    said = cli("codes", "65287", "--lang", "fr").ok()
    assert "signification inconnue" in said
    assert "cause" not in said


def test_an_http_status_of_the_cloud(cli: Cli) -> None:
    assert cli("codes", "428", "--lang", "en").ok().startswith("HTTP    428  http-terminal-offline [cloud]")


def test_all_the_codes(cli: Cli) -> None:
    lines = cli("codes", "--lang", "en").ok().splitlines()
    assert len(lines) == 160 + len(reasons())
    assert lines[0].split() == ["0000", "0", "ssv", "success"]


@pytest.mark.parametrize(
    ("words", "head"),
    [
        ("4015", "4015 file-other-key [file, arl-negative]"),
        ("0250 050", "0250 050 insured-unknown [invoice, arl-negative]"),
        ("0250050", "0250 050 insured-unknown [invoice, arl-negative]"),
    ],
)
def test_a_reject_code_of_the_field_is_the_front_end_s_reason(cli: Cli, words: str, head: str) -> None:
    assert cli("codes", words, "--lang", "fr").ok().splitlines()[0] == head


@pytest.mark.parametrize("words", ["lot-ahead", "anticipation", "LOT ahead", "transmis par anticipation"])
def test_a_reason_of_the_front_end_by_its_code_or_its_words(cli: Cli, words: str) -> None:
    said = cli("codes", words, "--lang", "fr").ok()
    assert said.splitlines()[:2] == ["lot-ahead [lot, arl-negative]", "  lot transmis par anticipation"]
    assert "source : SV-FSE-12 [documenté]" in said


def test_every_reason_is_found_by_its_code_alone(cli: Cli) -> None:
    for code in reasons():
        assert cli("codes", code).ok().count("[") == 2, code


@pytest.mark.parametrize("written", ["F022", "zz", "99999", "0x80991234", "CKR_NO_SUCH_THING"])
def test_an_unknown_code_is_one_sentence_and_exit_2(cli: Cli, written: str) -> None:
    cli("codes", written, "--lang", "fr").fails(2, f"aucune source ne parle du code {written} : ni carte")


@pytest.mark.parametrize(
    ("written", "head", "words"),
    [
        ("63C2", "63C2  [SW", "essais restants : 2"),
        ("0x6983", "6983  [SW", "bifente faults show code-blocked"),
        ("SCARD_W_REMOVED_CARD", "80100069  REMOVED_CARD [pcsc]", "carte retirée"),
        ("-2146434967", "80100069  REMOVED_CARD [pcsc]", "carte retirée"),
        ("0x8010006A", "8010006A  SECURITY_VIOLATION [pcsc]", "accès refusé"),
        ("CKR_PIN_LOCKED", "000000A4  CKR_PIN_LOCKED [pkcs11]", "code porteur bloqué"),
        ("0xA4", "000000A4  CKR_PIN_LOCKED [pkcs11]", "code porteur bloqué"),
        ("F 101", "F101  61697", "ressource inconnue"),
        ("0x80070005", "80070005  E_ACCESSDENIED [windows]", "pas un code des cartes"),
    ],
)
def test_a_code_of_any_layer(cli: Cli, written: str, head: str, words: str) -> None:
    said = cli("codes", *written.split(), "--lang", "fr").ok()
    assert said.startswith(head)
    assert words in said


def test_words_that_are_no_code_lead_to_the_faults(cli: Cli) -> None:
    cli("codes", "DMP", "ne", "marche", "pas", "--lang", "fr").fails(2, "bifente faults list DMP ne marche pas (dmp-")


def test_a_code_for_scripts(cli: Cli) -> None:
    (found,) = json.loads(cli("codes", "CKR_PIN_LOCKED", "--json", "--lang", "fr").ok())
    assert (found["code"], found["layer"], found["see"]) == ("000000A4  CKR_PIN_LOCKED", "pkcs11", ["code-blocked"])


@pytest.mark.parametrize(
    ("profile", "system", "channels"),
    [("readers/olaqin-vitalact", "windows", 2), ("readers/olaqin-telium", "macos", 3), ("readers/f600", "windows", 3)],
)
def test_the_file_made_for_a_profile_fits_it(
    cli: Cli, tmp_path: Path, profile: str, system: str, channels: int
) -> None:
    file = tmp_path / "galss.ini"
    said = cli("galss", "make", "--profile", profile, "--os", system, "--out", file, "--lang", "fr").ok()
    assert f"{channels} canaux" in said
    assert (b"\r\n" in file.read_bytes()) == (system == "windows")
    checked = cli("galss", "check", file, "--profile", profile, "--os", system, "--bits", "64", "--lang", "en")
    assert checked.ok().endswith("nothing wrong\n")
    assert ("io_comm.ini" in checked.err) == (system == "macos")


def test_a_serial_file(cli: Cli) -> None:
    said = cli("galss", "make", "--profile", "readers/olaqin-vitalact", "--serial", "4", "--bits", "32").ok()
    configuration = examine(said.encode("cp1252")).configuration
    assert configuration is not None
    assert configuration.channels[0].index == 4
    assert "NomLib=PSSINW32.DLL" in said


@pytest.mark.parametrize("name", ["channel-count-zero", "protocol-unknown", "lad-name-too-long", "file-utf16"])
def test_a_broken_file_is_told_with_line_code_and_cure(cli: Cli, tmp_path: Path, name: str) -> None:
    file = tmp_path / "galss.ini"
    cli("galss", "make", "--profile", "readers/olaqin-vitalact", "--out", file).ok()
    broken = breakages()[name].strike(file.read_bytes())
    assert broken is not None
    file.write_bytes(broken)
    said = cli("galss", "check", file, "--lang", "en")
    assert said.code == 1
    assert f"[{breakages()[name].code:04X}]" in said.out
    assert f"{file}:" in said.out


def test_the_wrong_reader_is_told(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "galss.ini"
    cli("galss", "make", "--profile", "readers/olaqin-vitalact", "--out", file).ok()
    said = cli("galss", "check", file, "--profile", "readers/f600", "--lang", "en")
    assert said.code == 1
    assert said.out.count("which is not there: long time-outs") == 2
    assert "0400 = 1024" in said.out


def test_remarks_alone_are_exit_0(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "galss.ini"
    cli("galss", "make", "--profile", "readers/olaqin-vitalact", "--out", file).ok()
    file.write_bytes(edited(file.read_bytes(), "CONFIG", "NbCanaux", "1"))
    assert "warning" in cli("galss", "check", file, "--lang", "en").ok()
    assert "remarque" in cli("galss", "check", file, "--lang", "fr").ok()


def test_a_hostile_file_does_not_drive_the_terminal(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "galss.ini"
    file.write_bytes(b"[CONFIG]\nNbCanaux=\x1b[31m\x07" + b"9" * 50_000)
    said = cli("galss", "check", file, "--lang", "en")
    assert said.code == 1
    assert not any(ord(character) < 32 and character != "\n" for character in said.out)
    assert len(said.out) < 1000


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("galss", "check", "/"), "Is a directory"),
        (("sesam", "check", "/dev/null"), "is no regular file"),
        (("galss", "make", "--profile", "readers/olaqin-vitalac"), "did you mean"),
        (("galss", "make", "--profile", "readers/f600", "--bits", "16"), "32 or 64"),
        (("galss", "make", "--profile", "readers/f600", "--serial", "0"), "COM0"),
        (("galss", "make", "--profile", "readers/olaqin-telium", "--os", "macos", "--bits", "32"), "32-bit"),
        (("galss", "check", "/etc/hostname", "--bits", "7"), "32 or 64"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_2(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    cli(*arguments).fails(2, words)


def test_a_sesam_ini_is_checked(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "sesam.ini"
    file.write_bytes(generate(usual()))
    assert cli("sesam", "check", file, "--lang", "fr").ok() == f"{file}: rien à redire\n"
    file.write_bytes(edited(file.read_bytes(), "SSV", "RepertoireTable", None))
    said = cli("sesam", "check", file, "--lang", "en")
    assert said.code == 1
    line = file.read_bytes().decode("cp1252").split("\r\n").index("[SSV]") + 1
    assert said.out.startswith(f"{file}:{line}: error [F680]: [SSV] RepertoireTable is missing")
    assert "F680 = 63104" in said.out


def test_the_one_file_taken_for_the_other_is_told(cli: Cli, tmp_path: Path) -> None:
    made, installed = tmp_path / "galss.ini", tmp_path / "sesam.ini"
    cli("galss", "make", "--profile", "readers/generic-bislot", "--out", made).ok()
    installed.write_bytes(b"[COMMUN]\r\nRepertoireTravail=C:\\x\r\n")
    cli("sesam", "check", made).fails(2, "is the other configuration file (use bifente galss check for it)")
    cli("galss", "check", installed).fails(2, "(use bifente sesam check for it)")
    assert cli("galss", "check", made).code == 0
    assert cli("sesam", "check", installed).code == 1


def test_a_file_that_is_no_configuration_does_not_fill_the_screen(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "notes.ini"
    file.write_bytes(b"no key here\r\n" * 200)
    said = cli("galss", "check", file, "--lang", "en")
    assert said.code == 1
    assert len(said.out.splitlines()) < 12
    assert said.out.splitlines()[-1] == "… and 195 warnings alike"


def test_a_line_number_is_no_picture(cli: Cli, tmp_path: Path) -> None:
    made = tmp_path / "galss.ini"
    cli("galss", "make", "--profile", "readers/generic-bislot", "--out", made).ok()
    text = made.read_bytes()
    made.write_bytes(text + b"\r\n" * (99 - text.count(b"\n")) + b"no key here\r\n")
    assert "galss.ini:100: warning" in cli("galss", "check", made, "--lang", "en").ok()


MACOS = """#01: Lab TL(1) (no card present)
#02: Lab Reader 01 (no card present)
#03: Lab Reader 02 (ATR:{length = 17, bytes = 0x3bac00402a001225006480000310009000})
#04: Lab Reader (ATR:{length = 9, bytes = 0x3f6525002c09699000})
"""


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    file = tmp_path / "readers.txt"
    file.write_text(MACOS)
    return file


def test_the_file_made_for_what_is_there_is_right_there(cli: Cli, tmp_path: Path, listing: Path) -> None:
    made = tmp_path / "galss.ini"
    cli("galss", "make", "--readers", listing, "--os", "macos", "--out", made).ok()
    assert [line for line in made.read_text("cp1252").splitlines() if line.startswith(("Carac", "NomLAD"))] == [
        "Caracteristiques=Lab Reader 02",
        "NomLAD=CPS",
        "Caracteristiques=Lab Reader",
        "NomLAD=Vitale",
    ]
    assert "nothing wrong" in cli("galss", "check", made, "--readers", listing, "--lang", "en").ok()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("Lab Reader 01", "bound to Lab Reader 01, which is empty: the card is in Lab Reader"),
        ("Lab Reader 02", "bound to the slot cps (Lab Reader 02)"),
        ("Lab Reader 03", "names the reader 'Lab Reader 03', which is not there"),
    ],
)
def test_a_resource_bound_elsewhere_than_its_card(
    cli: Cli, tmp_path: Path, listing: Path, wrong: str, words: str
) -> None:
    made = tmp_path / "galss.ini"
    cli("galss", "make", "--readers", listing, "--out", made).ok()
    made.write_bytes(edited(made.read_bytes(), "CANAL2", "Caracteristiques", wrong))
    said = cli("galss", "check", made, "--readers", listing, "--lang", "en")
    assert said.code == 1
    assert words in said.out


def test_what_was_seen_rules_over_what_a_profile_usually_has(cli: Cli, tmp_path: Path) -> None:
    listing, made = tmp_path / "scan.txt", tmp_path / "galss.ini"
    listing.write_text(
        " 0: Bifente Bi-Slot Reader 00 00\n  Card state: Card inserted,\n  ATR: 3F 65 25 00 2C 09 69 90 00\n"
        " 1: Bifente Bi-Slot Reader 00 01\n  Card state: Card removed,\n"
    )
    cli("galss", "make", "--profile", "readers/generic-bislot", "--out", made).ok()
    with_listing = cli("galss", "check", made, "--profile", "readers/generic-bislot", "--readers", listing)
    assert with_listing.code == 1
    assert "Bifente Bi-Slot Reader 00 00" in with_listing.out


def test_a_serial_channel_on_a_reader_that_speaks_pcsc_only(cli: Cli, tmp_path: Path, listing: Path) -> None:
    made = tmp_path / "galss.ini"
    cli("galss", "make", "--profile", "readers/olaqin-vitalact", "--serial", "3", "--out", made).ok()
    assert cli("galss", "check", made, "--profile", "readers/olaqin-vitalact").code == 0
    for there in (("--profile", "readers/identive-cloud-2700r"), ("--readers", str(listing))):
        said = cli("galss", "check", made, *there, "--lang", "en")
        assert said.code == 1
        assert "[0400]: CANAL1 is a serial channel that this reader lacks" in said.out


@pytest.mark.parametrize(("command", "code"), [("galss", "8001"), ("sesam", "F680")])
def test_a_file_that_is_not_there_is_the_fault_itself(cli: Cli, tmp_path: Path, command: str, code: str) -> None:
    said = cli(command, "check", tmp_path / "no.ini", "--lang", "en")
    assert said.code == 1
    assert f"error [{code}]" in said.out
    assert ("bifente galss make" in said.out) == (command == "galss")


def test_a_listing_that_names_no_reader_is_bad_input(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "readers.txt"
    file.write_text("nothing\nhere\n")
    cli("galss", "make", "--readers", file).fails(2, "names no reader")
    cli("galss", "make", "--readers", tmp_path).fails(2, "Is a directory")
    cli("galss", "make").fails(2, "--profile NAME")
    cli("galss", "check", tmp_path).fails(2, "Is a directory")
