"""``bifente fse show --records``: each lot as records, one a line; what is no lot, or makes none, is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from conformance_bench import Lab
from conformance_cli import Cli
from fse_office import Office

from bifente.simulator.formats.fse.canonical import canonical, parse
from bifente.simulator.formats.fse.lots import decode_lot, encode_lot
from bifente.simulator.formats.fse.model import PayerShare
from bifente.simulator.formats.fse.records import read_records, records


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


@pytest.fixture
def files(lab: Lab, tmp_path: Path) -> Iterator[dict[str, Path]]:
    office = Office.open(lab)
    yield office.written(tmp_path)
    office.close()


@pytest.mark.parametrize("what", ["lot", "file"])
def test_a_lot_is_told_as_its_records(cli: Cli, files: dict[str, Path], what: str) -> None:
    lines = cli("fse", "show", files[what], "--records").ok().splitlines()
    assert {len(line) for line in lines} == {128}
    data = "".join(lines).encode("ascii")
    assert data == records(decode_lot(files["lot"].read_bytes()))
    assert [record.type for record in read_records(data).items[0]] == ["2", "2S", "4", "5"]
    assert "BIFENTE LABORATOIRE" in lines[0]


def test_json_holds_the_records_of_each_lot_when_asked(cli: Cli, files: dict[str, Path]) -> None:
    lines = cli("fse", "show", files["lot"], "--records").ok().splitlines()
    told = json.loads(cli("fse", "show", files["lot"], "--records", "--json").ok())
    assert told["kind"] == "lot"
    assert told["records"] == [lines]
    assert "records" not in json.loads(cli("fse", "show", files["lot"], "--json").ok())


@pytest.mark.parametrize("what", ["sheet", "content"])
def test_what_is_no_lot_has_no_records(cli: Cli, files: dict[str, Path], what: str) -> None:
    cli("fse", "show", files[what], "--records").fails(2, str(files[what]), "holds no lot", ";")


def test_a_lot_whose_sheet_asks_too_much_is_refused_with_the_place(
    cli: Cli, files: dict[str, Path], tmp_path: Path
) -> None:
    lot = decode_lot(files["lot"].read_bytes())
    (sheet,) = lot.invoices
    invoice = parse(sheet.content)
    dearer = replace(sheet, content=canonical(replace(invoice, amo=PayerShare(invoice.amo.asked + 1))))
    path = tmp_path / "dearer"
    path.write_bytes(encode_lot(replace(lot, invoices=(dearer,))))
    cli("fse", "show", path, "--records").fails(2, "record 5, column 66", "the acts make 00002100")


def test_records_of_somebody_else_are_told_as_they_stand(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "depot.b2"
    path.write_text(f"{'000TP00000991129768':128}\r\n{'6991129768':38}Z{'':20}INCONNU\r\n", newline="")
    told = cli("fse", "show", path, "--lang", "fr").ok()
    assert "Enregistrement 2, type 600: type inconnu de la banque" not in told
    assert "type inconnu de la banque" in told
    assert "60-66" in told
    plain = json.loads(cli("fse", "show", path, "--json").ok())
    assert plain["kind"] == "records"
    assert [one["known"] for one in plain["records"]] == [True, False]
    assert cli("fse", "show", path, "--records").ok().splitlines()[1].endswith("INCONNU")
    cli("fse", "verify", path).fails(2, "begins no sheet", ";")


def test_a_record_moves_no_cursor_and_breaks_no_sentence(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "depot.b2"
    path.write_text(f"{'000TP00000991129768':128}\n2{{}}\x1b[2J{'':140}\x9bA\n", encoding="iso-8859-1", newline="")
    for more in ((), ("--records",)):
        told = cli("fse", "show", path, *more).ok()
        assert "\x1b" not in told
        assert "\x9b" not in told
        assert "·[2J" in told
    assert "type 2{}" in cli("fse", "show", path).ok()


def test_a_file_of_a_mainframe_is_said_to_be_one(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "depot.b2"
    path.write_bytes(f"{'000TP00000991129768':128}{'999':128}".encode("cp500"))
    assert "(2, EBCDIC)" in cli("fse", "show", path).ok()
    assert json.loads(cli("fse", "show", path, "--json").ok())["encoding"] == "cp500"


def test_what_is_no_file_of_records_is_refused_as_before(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_text("0 = nothing\n")
    cli("fse", "show", path).fails(2, "begins no sheet", ";")
