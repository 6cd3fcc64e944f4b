"""``bifente fse``: told in words and checked; one changed byte never passes; the front end answers."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from conformance_bench import VITALE_TEMPLATES, Lab
from conformance_cli import Cli
from cryptography.hazmat.primitives.serialization import Encoding
from fse_office import CODE, Office

from bifente.conformance.domains.fse.bench.sessions import CarelessSession
from bifente.conformance.model import CardChoice
from bifente.conformance.run.suites import default_paths
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.formats.fse.canonical import canonical, parse
from bifente.simulator.formats.fse.files import make_file
from bifente.simulator.formats.fse.lots import encode_lot
from bifente.simulator.formats.fse.model import Lot, PayerShare
from bifente.simulator.formats.fse.securing.codec import encode_secured
from bifente.simulator.pki.authority import Revocation
from bifente.simulator.software.billing.series import LotSeries


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


@pytest.fixture
def office(lab: Lab) -> Iterator[Office]:
    office = Office.open(lab)
    yield office
    office.close()


@pytest.fixture
def files(office: Office, tmp_path: Path) -> dict[str, Path]:
    return office.written(tmp_path)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("sheet", ("Care sheet 1", "TESTMEDECIN", "€30.00", "Insured's signature", "third-party payment")),
        ("lot", ("Lot 000", "Signature of the lot", "Care sheet 1")),
        ("file", ("encrypted", "Lot 000", "Care sheet 1")),
        ("content", ("Care sheet 1", "AMO part asked", "€21.00")),
    ],
)
def test_everything_is_told_in_words(cli: Cli, files: dict[str, Path], what: str, words: tuple[str, ...]) -> None:
    said = cli("fse", "show", files[what], "--lang", "en").ok()
    assert "BIFENTE LABORATOIRE" in said
    for word in words:
        assert word in said


def test_it_is_told_in_french_too(cli: Cli, files: dict[str, Path]) -> None:
    said = cli("fse", "show", files["sheet"], "--lang", "fr").ok()
    assert "Feuille de soins 1" in said
    assert "30,00 €" in said


def test_json_holds_the_sheet(cli: Cli, files: dict[str, Path]) -> None:
    told = json.loads(cli("fse", "show", files["lot"], "--json").ok())
    assert told["kind"] == "lot"
    (sheet,) = told["content"]["invoices"]
    assert sheet["invoice"]["number"] == 1
    assert sheet["invoice"]["amo"] == {"asked": 2100}


@pytest.mark.parametrize("what", ["sheet", "lot", "file"])
def test_what_is_good_is_said_to_be(cli: Cli, files: dict[str, Path], what: str) -> None:
    assert "nothing to refuse" in cli("fse", "verify", files[what], "--lang", "en").ok()
    assert json.loads(cli("fse", "verify", files[what], "--json").ok()) == {"kind": what, "good": True, "problems": []}


def test_content_without_signatures_is_not_good(cli: Cli, files: dict[str, Path]) -> None:
    said = cli("fse", "verify", files["content"], "--json")
    assert said.code == 1
    assert [one["code"] for one in json.loads(said.out)["problems"]] == ["signature-missing"]


def test_an_amount_changed_after_the_signatures_is_not_good(cli: Cli, office: Office, tmp_path: Path) -> None:
    sheet = office.secured()
    invoice = parse(sheet.content)
    dearer = replace(invoice, amo=PayerShare(invoice.amo.asked + 1))
    path = tmp_path / "dearer"
    path.write_bytes(encode_secured(replace(sheet, content=canonical(dearer))))
    said = cli("fse", "verify", path, "--json")
    assert said.code == 1
    assert {one["code"] for one in json.loads(said.out)["problems"]} == {"content-altered"}


@pytest.mark.parametrize("what", ["sheet", "lot", "file"])
@pytest.mark.parametrize("percent", [0, 20, 40, 60, 80, 99])
def test_one_changed_byte_anywhere_never_passes(
    cli: Cli, files: dict[str, Path], what: str, percent: int, tmp_path: Path
) -> None:
    data = bytearray(files[what].read_bytes())
    data[len(data) * percent // 100] ^= 0x01
    changed = tmp_path / "changed"
    changed.write_bytes(data)
    said = cli("fse", "verify", changed)
    assert said.code in (1, 2)
    if said.code == 2:
        said.fails(2, str(changed), ";")  # the place and the cure


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"0000", b"nothing of ours", b"\x30\x82\xff\xff", b"\x26\x48\xff\xff\xff"]
)
def test_what_is_not_ours_is_one_sentence_with_the_place(cli: Cli, data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "thing"
    path.write_bytes(data)
    cli("fse", "show", path).fails(2, str(path), ";")
    cli("fse", "verify", path).fails(2, str(path), ";")


def test_a_file_that_is_not_there(cli: Cli, tmp_path: Path) -> None:
    for command in ("show", "verify", "submit"):
        cli("fse", command, tmp_path / "none").fails(2, "none", "cannot be read")


@pytest.mark.parametrize("what", ["lot", "file"])
def test_a_good_one_gets_the_positive_acknowledgement(
    cli: Cli, files: dict[str, Path], what: str, tmp_path: Path
) -> None:
    folder = tmp_path / "returns"
    assert "Positive ARL" in cli("fse", "submit", files[what], "--out", folder, "--lang", "en").ok()
    (arl,) = folder.iterdir()
    assert "Positive ARL" in cli("fse", "show", arl, "--lang", "en").ok()


def test_an_acknowledgement_shows_which_bytes_it_answers(cli: Cli, files: dict[str, Path], tmp_path: Path) -> None:
    received = hashlib.sha256(files["file"].read_bytes()).hexdigest()
    folder = tmp_path / "returns"
    told = cli("fse", "submit", files["file"], "--lang", "en").ok()
    assert ["SHA-256", "of", "the", "file", "received", received] in map(str.split, told.splitlines())
    assert json.loads(cli("fse", "submit", files["file"], "--json", "--out", folder).ok())[0]["received"] == received
    (arl,) = folder.iterdir()
    told = cli("fse", "show", arl, "--lang", "fr").ok()
    assert ["SHA-256", "du", "fichier", "reçu", received] in map(str.split, told.splitlines())


def test_a_changed_lot_gets_the_negative_one_that_names_the_sheet(cli: Cli, office: Office, tmp_path: Path) -> None:
    office.secured()
    office.secured()
    lot = office.lot()
    first, second = lot.invoices
    invoice = parse(second.content)
    changed = replace(second, content=canonical(replace(invoice, amo=PayerShare(1))))
    path = tmp_path / "lot"
    path.write_bytes(encode_lot(replace(lot, invoices=(first, changed))))
    said = cli("fse", "submit", path, "--json")
    assert said.code == 1
    (arl,) = json.loads(said.out)
    assert arl["kind"] == "negative"
    assert {(one["code"], one["invoice"]) for one in arl["rejections"]} >= {("content-altered", 2)}


def test_an_unsigned_lot_is_refused_by_the_front_end(cli: Cli, office: Office, tmp_path: Path) -> None:
    office.secured()
    lot = replace(office.lot(), signature=None)
    path = tmp_path / "lot.fse"
    path.write_bytes(make_file([lot]).data)
    said = cli("fse", "submit", path, "--json")
    assert said.code == 1
    assert [one["code"] for one in json.loads(said.out)[0]["rejections"]] == ["lot-unsigned"]
    assert cli("fse", "verify", path).code == 1


def spoilt(lot: Lot) -> Lot:
    assert lot.signature
    return replace(lot, signature=replace(lot.signature, value=bytes(256)))


def moved(lot: Lot, days: int) -> Lot:
    """The same lot, its signature told to be of another day: the moment is not signed."""
    assert lot.signature
    moment = datetime.strptime(lot.signature.moment, "%Y%m%d%H%M%S") + timedelta(days=days)
    return replace(lot, signature=replace(lot.signature, moment=f"{moment:%Y%m%d%H%M%S}"))


def signed_by(office: Office, lot: Lot, card: str) -> Lot:
    """The lot signed by another card."""
    office.fse.present("cps", CardChoice(template=card))
    desk = office.fse.software.signing.desk
    return LotSeries(lambda code: CarelessSession(desk, code), desk.clock).format(lot, CODE)


WRONG_LOTS: dict[str, tuple[Callable[[Office, Lot], Lot], list[tuple[str, int | None]]]] = {
    "its signature changed": (lambda _office, lot: spoilt(lot), [("signature-altered", None)]),
    "told to be signed before": (lambda _office, lot: moved(lot, -3), [("lot-signed-before", None)]),
    "told to be signed after": (lambda _office, lot: moved(lot, 3), [("moment-impossible", None)]),
    "signed by a pharmacist": (
        lambda office, lot: signed_by(office, lot, "pharmacien"),
        [("lot-other-signer", None)],
    ),
    "of another sender": (
        lambda office, lot: signed_by(office, replace(lot, sender="991000027"), "medecin-generaliste"),
        [("other-sender", 1)],
    ),
    "for another body": (
        lambda office, lot: signed_by(office, replace(lot, body="023490349"), "medecin-generaliste"),
        [("wrong-body", 1)],
    ),
}


@pytest.mark.parametrize("case", WRONG_LOTS)
@pytest.mark.parametrize("around", [False, True])
def test_a_lot_that_is_wrong_by_itself_is_not_good_and_its_reasons_are_those_of_the_front_end(
    cli: Cli, office: Office, tmp_path: Path, case: str, around: bool
) -> None:
    change, told = WRONG_LOTS[case]
    office.secured()
    lot = change(office, office.lot())
    path = tmp_path / "lot.fse"
    path.write_bytes(make_file([lot]).data if around else encode_lot(lot))
    said = cli("fse", "verify", path, "--json")
    assert said.code == 1
    problems = [(one["code"], one["invoice"]) for one in json.loads(said.out)["problems"]]
    assert problems == told
    answered = cli("fse", "submit", path, "--json")
    assert answered.code == 1
    (arl,) = json.loads(answered.out)
    assert {(one["code"], one["invoice"]) for one in arl["rejections"]} >= set(told)


def test_an_unsigned_lot_is_not_good(cli: Cli, office: Office, tmp_path: Path) -> None:
    office.secured()
    path = tmp_path / "lot"
    path.write_bytes(encode_lot(replace(office.lot(), signature=None)))
    assert json.loads(cli("fse", "verify", path, "--json").out)["problems"][0]["code"] == "lot-unsigned"


def test_bytes_at_random_are_answered_too(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "noise"
    path.write_bytes(bytes(range(200)))
    said = cli("fse", "submit", path, "--json")
    assert said.code == 1
    assert json.loads(said.out)[0]["rejections"][0]["code"] == "file-unreadable"


def test_a_sheet_alone_is_not_sent(cli: Cli, files: dict[str, Path]) -> None:
    cli("fse", "submit", files["sheet"]).fails(2, "not sent by itself", "file or a lot")


def test_what_was_signed_elsewhere_is_told_that_nobody_here_knows_its_cards(
    cli: Cli, files: dict[str, Path], tmp_path: Path
) -> None:
    said = cli("fse", "submit", files["lot"], "--json", "--keys", tmp_path / "others")
    assert said.code == 1
    (arl,) = json.loads(said.out)
    assert {one["code"] for one in arl["rejections"]} == {"certificate-unknown-issuer"}


@pytest.mark.parametrize("form", [Encoding.PEM, Encoding.DER])
def test_a_revocation_list_is_believed(cli: Cli, office: Office, tmp_path: Path, form: Encoding) -> None:
    files = office.written(tmp_path)
    card = office.scene.bench.seated["cps"].made_as(PersonalisedCard)
    assert card
    lines = [Revocation(card.certificates["signature"].serial_number, office.today - timedelta(days=2))]
    crl = tmp_path / "cards.crl"
    crl.write_bytes(card.authority.crl(lines, at=datetime.now(UTC)).public_bytes(form))
    for command in ("verify", "submit"):
        cli("fse", command, files["lot"]).ok()
        said = cli("fse", command, files["lot"], "--crl", crl)
        assert said.code == 1
        assert "certificate-revoked" in said.out


def test_a_list_of_another_authority_is_refused_rather_than_ignored(
    cli: Cli, files: dict[str, Path], tmp_path: Path
) -> None:
    cli("cards", "make", "medecin-generaliste", "--out", tmp_path / "card", "--keys", tmp_path / "others").ok()
    crl = tmp_path / "card" / "certificates" / "revocations.crl"
    for command in ("verify", "submit"):
        cli("fse", command, files["lot"], "--crl", crl).fails(2, "--crl", "no authority that is known", "--keys")
        cli("fse", command, files["lot"], "--crl", files["sheet"]).fails(2, "no revocation list", "DER or PEM")
        cli("fse", command, files["lot"], "--crl", tmp_path / "none").fails(2, "cannot be read")


def test_a_sample_of_everything_is_good_and_in_the_users_own_keys(cli: Cli, tmp_path: Path) -> None:
    written = [Path(line) for line in cli("fse", "sample", tmp_path / "new" / "sample").ok().splitlines()]
    assert [path.name.partition("-")[0] for path in written[:3]] == ["sheet.content", "sheet.secured", "lot"]
    assert [path.suffix for path in written[3:]] == [".fse", ".p7m", ".arl"]
    for path in written[1:]:
        cli("fse", "verify", path).ok()
    for path in written[2:5]:
        assert "Positive ARL" in cli("fse", "submit", path, "--lang", "en").ok()
    taken = tmp_path / "taken"
    taken.write_text("")
    cli("fse", "sample", taken).fails(2, "taken", "cannot be written")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_rather_than_waited_for(cli: Cli, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    cli("fse", "show", tmp_path / "pipe").fails(2, "pipe", "no regular file")


def test_reasons_are_told_in_the_language_asked_for(cli: Cli, files: dict[str, Path]) -> None:
    assert "a signature that the mode wants is missing" in cli("fse", "verify", files["content"], "--lang", "en").out
    assert "une signature que le mode veut manque" in cli("fse", "verify", files["content"], "--lang", "fr").out


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_a_file_that_openssl_encrypted_for_the_body_is_acknowledged(cli: Cli, office: Office, tmp_path: Path) -> None:
    office.secured()
    file = make_file([office.lot()])
    (tmp_path / "body.pem").write_text(cli("fse", "certificate").ok())
    (tmp_path / "clear").write_bytes(file.data)
    theirs = tmp_path / f"{file.name}.p7m"
    how = ("-encrypt", "-binary", "-aes256", "-outform", "DER", "-in", "clear", "-out", theirs.name, "body.pem")
    subprocess.run(["openssl", "cms", *how], cwd=tmp_path, check=True)
    assert "Positive ARL" in cli("fse", "submit", theirs, "--lang", "en").ok()


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_the_exported_parts_verify_with_openssl_alone(cli: Cli, files: dict[str, Path], tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    cli("fse", "export", files["sheet"], folder).ok()

    def openssl(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, check=False)

    for who in ("insured", "professional"):
        (folder / f"{who}.pub").write_bytes(openssl("x509", "-in", f"{who}.pem", "-noout", "-pubkey").stdout)
        check = ("dgst", "-sha256", "-verify", f"{who}.pub", "-signature", f"{who}.sig", "content.bin")
        assert openssl(*check).returncode == 0
        assert openssl("verify", "-CAfile", "ca.pem", f"{who}.pem").returncode == 0
    content = bytearray((folder / "content.bin").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "content.bin").write_bytes(content)
    assert openssl(*check).returncode != 0


def test_content_has_nothing_to_export(cli: Cli, files: dict[str, Path], tmp_path: Path) -> None:
    cli("fse", "export", files["content"], tmp_path / "parts").fails(2, "no secured sheet")


def test_what_names_people_is_masked_in_the_record_even_of_a_card_presented_later(cli: Cli, tmp_path: Path) -> None:
    suite = default_paths()[0] / "fse" / "securing.yaml"
    options = ("--select", "*vitale-substituted[nurse]", "--mask-names", "--mask-nir", "--formats", "json", "-q")
    cli("run", suite, "--out", tmp_path, *options).ok()
    (journal,) = tmp_path.glob("*.jsonl")
    record = journal.read_text(encoding="utf-8")
    assert "vitale/jumeaux" in record
    template = yaml.safe_load((VITALE_TEMPLATES / "jumeaux.yaml").read_text(encoding="utf-8"))
    named = {person[key] for person in template["beneficiaries"] for key in ("name", "first_name")}
    for secret in (template["insured"]["nir"], *named):
        assert secret not in record
        assert secret.encode().hex(" ").upper() not in record
