"""``bifente zone``: shown by name and made back byte for byte, mistakes told in one sentence."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from conformance_cli import PATIENCE, Cli
from warm import warm

from bifente.conformance.loading import MAX_BYTES
from bifente.simulator.zones import Group, encode, make

INSURED = {"card-type": "T", "serial-number": "123456789", "nir": "1801913055001", "nir-key": "27", "caisse": "349"}
PERSON = {
    "usual-name": "TEST",
    "first-name": "X" * 130,
    "birth-date": "195419140000",
    "birth-rank": "1",
    "quality": "0",
}
ZONE = encode([make(101, INSURED), make(104, PERSON), make(105, {"start": "202601010000"})])


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return Cli(monkeypatch, capsys)


WRITTEN = {
    "binary": ZONE,
    "hex": ZONE.hex().encode(),
    "spaced hex": ZONE.hex(" ").upper().encode() + b"\n",
    "base64": base64.b64encode(ZONE),
    "wrapped base64": base64.encodebytes(ZONE),
}


@pytest.mark.parametrize("raw", WRITTEN.values(), ids=WRITTEN)
def test_a_zone_is_shown_by_name_however_it_is_written(cli: Cli, tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "zone").write_bytes(raw)
    shown = cli("zone", "decode", "zone", "--lang", "en").ok().splitlines()
    assert shown[0] == "101 Insured"
    assert [line.split() for line in shown[1:3]] == [
        ["1", "card-type", "T", "(Test)", "Type", "of", "Vitale", "card"],
        ["2", "serial-number", "123456789", "Serial", "number", "of", "the", "card"],
    ]
    assert "104 Beneficiary" in shown
    assert "105 AMO right period" in shown
    assert len(shown) == 3 + 14 + 18 + 2


@pytest.mark.parametrize("command", ["zone", "zone decode", "zone encode"])
def test_each_command_has_help(cli: Cli, command: str) -> None:
    assert "Usage : bifente zone" in cli(*command.split(), "--help").ok()


def test_a_zone_is_shown_in_french(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "zone").write_bytes(ZONE)
    assert "104 Bénéficiaire\n" in cli("zone", "decode", "zone", "--lang", "fr").ok()


def test_standard_input_is_read(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(ZONE)))
    assert "105 AMO right period" in cli("zone", "decode", "-", "--lang", "en").ok()


@pytest.mark.parametrize(
    ("piped", "words"),
    [
        (b"- grup: 101\n", ":1:3: a group has a number"),
        (b"- group: [\n", ":2:1: is not valid YAML"),
        (b"\xff", ": is not UTF-8 text"),
        (b"", ": is empty"),
        (b" " * (MAX_BYTES + 1), ": is larger than 2048 KiB"),
    ],
    ids=["no-group", "no-yaml", "no-text", "nothing", "too-much"],
)
def test_what_is_wrong_on_standard_input_is_told_of_it(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, piped: bytes, words: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(piped)))
    cli("zone", "encode", "-").fails(2, f"bifente: standard input{words}")


def test_a_file_that_cannot_be_written_is_one_sentence(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "zone.yaml").write_text("- {group: 105, fields: {start: '202601010000'}}\n")
    cli("zone", "encode", "zone.yaml", "--out", "nowhere/zone").fails(2, "nowhere/zone: cannot be written")


@pytest.mark.parametrize("to_file", [False, True])
def test_what_is_decoded_is_encoded_back_byte_for_byte(cli: Cli, tmp_path: Path, to_file: bool) -> None:
    raw = ZONE + encode([Group(0x7777, (b"\x00\xff", b"", b"hex:")), make(3600, {}), Group(61, (b"1",) * 12)])
    (tmp_path / "zone").write_bytes(raw)
    text = cli("zone", "decode", "zone", "--json").ok()
    (tmp_path / "zone.json").write_text(text)
    if to_file:
        assert cli("zone", "encode", "zone.json", "--out", "again").ok() == f"again: {len(raw)} bytes\n"
        assert (tmp_path / "again").read_bytes() == raw
    else:
        assert cli("zone", "encode", "zone.json").ok() == raw.hex().upper() + "\n"
    assert [item["group"] for item in json.loads(text)] == [101, 104, 105, 0x7777, 3600, 61]


def test_yaml_is_encoded_numbers_as_they_look(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "zone.yaml").write_text(
        "- group: 106\n  fields: {start: 202601010000, ald-code: 0, situation-code: 0100}\n- group: 3600\n"
    )
    wanted = [make(106, {"start": "202601010000", "ald-code": "0", "situation-code": "0100"}), make(3600, {})]
    assert cli("zone", "encode", "zone.yaml").ok() == encode(wanted).hex().upper() + "\n"


def test_a_pipe_goes_from_one_to_the_other() -> None:
    def piped(*arguments: str, given: bytes) -> bytes:
        done = subprocess.run([*warm(), *arguments], input=given, capture_output=True, timeout=PATIENCE, check=True)
        return done.stdout

    text = piped("zone", "decode", "-", "--json", given=ZONE)
    assert piped("zone", "encode", "-", given=text).decode().strip() == ZONE.hex().upper()


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        ([make(101, INSURED)], "group at rank 1: group 104 (Beneficiary) was expected here"),
        ([Group(105, (b"2026", b""))], "group at rank 0: group 105 (AMO right period): start '2026' must be 12 digits"),
        ([Group(999, ())], "group at rank 0: group 999 is not in the catalogue"),
        ([Group(111, (b"\xc9",))], "common-zone 'hex:C9' must be upper-case ASCII"),
    ],
)
def test_what_looks_wrong_is_noted_and_goes_both_ways(
    cli: Cli, tmp_path: Path, groups: list[Group], words: str
) -> None:
    raw = encode(groups)
    (tmp_path / "zone").write_bytes(raw)
    decoded = cli("zone", "decode", "zone", "--json")
    assert "note: " in decoded.err
    assert words in decoded.err
    (tmp_path / "zone.json").write_text(decoded.ok())
    encoded = cli("zone", "encode", "zone.json")
    assert words in encoded.err
    assert encoded.ok() == raw.hex().upper() + "\n"


def test_a_right_zone_has_no_note(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "zone").write_bytes(ZONE)
    assert cli("zone", "decode", "zone").err == ""


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\x00", "byte 0: a group number on two bytes was expected"),
        (bytes.fromhex("7777") + b"\x7f" + bytes(127), "byte 2: 7F begins no length"),
        (b"7777 81 10" + b" 00" * 16, "byte 2: a length of 16 was written 8110; write 10"),
        (base64.b64encode(bytes.fromhex("00690100")), "byte 0: group 105 (AMO right period) has 2 fields, not 1"),
        (ZONE[:-1], f"byte {len(ZONE) - 15}: a group of 14 bytes was announced, 13 are left"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"777", "is not hex text"),
        (b"AGUzz", "is not base64 text"),
        (b"00" * 300_000, "is larger than 512 KiB"),
        (b"\x77\x77" + bytes(70_000), "byte 65535: a zone ends here at the latest"),
    ],
)
def test_what_is_no_zone_is_told_with_its_place(cli: Cli, tmp_path: Path, raw: bytes, words: str) -> None:
    (tmp_path / "zone").write_bytes(raw)
    cli("zone", "decode", "zone").fails(2, "zone: ", words)


@pytest.mark.parametrize(
    ("form", "raw", "words"),
    [
        ("hex", b"AGUB", "is not hex text"),
        ("base64", b"\x00\x65", "is not base64 text"),
        ("binary", b"00", "byte 2: a l"),
    ],
)
def test_how_it_is_written_may_be_said(cli: Cli, tmp_path: Path, form: str, raw: bytes, words: str) -> None:
    (tmp_path / "zone").write_bytes(raw)
    cli("zone", "decode", "zone", "--as", form).fails(2, words)


def test_a_missing_file_is_told(cli: Cli, tmp_path: Path) -> None:
    cli("zone", "decode", "nowhere").fails(2, "nowhere: cannot be read: No such file")
    cli("zone", "encode", "nowhere").fails(2, "nowhere", "no such file")
    cli("zone", "decode", str(tmp_path)).fails(2, "cannot be read")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("group: 101", "must be a list of groups"),
        ("- 101", "a group has a number"),
        ("- {fields: {}}", "a group has a number"),
        ("- {group: 105, name: x}", "a group has a number"),
        ("- {group: '105'}", "a group number is between 0 and 65535"),
        ("- {group: true}", "a group number is between 0 and 65535"),
        ("- {group: 70000}", "a group number is between 0 and 65535"),
        ("- {group: 105, fields: [a]}", "fields are given by name"),
        ("- {group: 105, fields: {start: [a]}}", "a field is text"),
        ("- {group: 105, fields: {start: true}}", "a field is text"),
        ("- {group: 105, fields: {begin: a}}", "no field 'begin'; its fields: start, end"),
        ("- {group: 105, fields: {start: été}}", "must be printable ASCII, or hex:"),
        ("- {group: 105, fields: {start: 'hex:0'}}", "must be printable ASCII, or hex:"),
        ("- {group: 105, fields: {field-3: a}}", "group 105 (AMO right period) has 2 fields, not 3"),
        ("- {group: 105", "is not valid YAML"),
    ],
)
def test_what_is_no_list_of_groups_is_told_where_it_stands(cli: Cli, tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "zone.yaml").write_text(text)
    cli("zone", "encode", "zone.yaml").fails(2, "zone.yaml", words)
    assert not (tmp_path / "out").exists()
