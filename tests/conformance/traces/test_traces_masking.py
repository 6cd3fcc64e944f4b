"""What is kept holds no code, no name and no number, in any form; what a replay needs is still there."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from trace_logs import (
    ATR,
    CODE,
    GIVEN,
    NEW_CODE,
    NIR,
    NUMBER,
    SERIAL,
    SURNAME,
    WRITERS,
    certificate,
    pcscd,
    read_in_parts,
    session,
    written,
)

from bifente.conformance.loading import InputError
from bifente.conformance.traces import hiding, keeping
from bifente.conformance.traces.contents import harmless, personal
from bifente.conformance.traces.digits import agrees, filled, masked, values
from bifente.conformance.traces.hiding import Hiding
from bifente.conformance.traces.keeping import KeptTrace, import_trace, still_there
from bifente.conformance.traces.seen import SeenApdu
from bifente.conformance.traces.sources.journal import read
from bifente.ground.clock import VirtualClock
from bifente.reports.journal import JournalPlaceError
from bifente.reports.masking import BYTE_MARK, carried_codes, mask_command
from bifente.reports.secrets import Secrets

SECRETS = (CODE, NEW_CODE, SURNAME, GIVEN, NUMBER, NIR)


def keep(log: Path, **how: object) -> tuple[KeptTrace, Path]:
    kept = log.with_suffix(".jsonl")
    return import_trace(log, kept, clock=VirtualClock(), **how), kept  # type: ignore[arg-type]


def forms(secret: str) -> list[bytes]:
    """A secret as text and as its bytes are written: hexadecimal spaced or not, base64 at each of its three places."""
    found = []
    for text in {secret, secret.upper(), secret.lower()}:
        for raw in (text.encode(), text.encode("latin-1"), text.encode("utf-16-be")):
            found += [raw, raw.hex().encode(), raw.hex(" ").encode()]
            found += [base64.b64encode(bytes(shift) + raw)[4:-4] for shift in range(3) if len(raw) > 9]
    return [form.lower() for form in found]


@pytest.mark.parametrize("kind", WRITERS)
def test_no_byte_of_a_secret_is_kept(tmp_path: Path, kind: str) -> None:
    came, kept = keep(written(tmp_path, kind))
    text = kept.read_bytes().lower()
    for secret in SECRETS:
        assert not [form for form in forms(secret) if form in text], secret
    assert SERIAL.encode() not in text
    assert b"1305a4e2" not in text  # the number of the reader
    assert b"1122334455667788" not in text  # the serial of the certificate
    assert came.codes >= 1
    assert came.names
    assert came.searched
    assert str(tmp_path).encode() not in text


def test_what_a_replay_needs_stays(tmp_path: Path) -> None:
    _came, kept = keep(written(tmp_path, "pcscd"))
    seen = [one for one in read(kept) if isinstance(one, SeenApdu)]
    assert len(seen) == len(session())
    for one, (command, response) in zip(seen, session(), strict=True):
        assert agrees(one.command, command.upper())
        assert agrees(one.response, response)
        assert one.response[-4:] == response[-4:]
    start = next(index for index, one in enumerate(seen) if one.response.startswith("3082"))
    read_back = b"".join(filled(one.response, 0x58)[:-2] for one in seen[start : start + -(-len(certificate()) // 100)])
    loaded = x509.load_der_x509_certificate(read_back)
    assert set(loaded.subject.rfc4514_string()) <= set("XFRCNS=,.+0123456789")


@pytest.mark.parametrize("size", [1, 7, 33, 255, 256])
def test_a_name_is_found_however_the_file_is_cut(size: int) -> None:
    told = Hiding(Secrets())
    seen = [SeenApdu(command, response, 0) for command, response in read_in_parts(certificate(), size)]
    out = [one for each in seen for one in told.take(each)] + [*told.rest()]
    assert [one.command for one in out] == [one.command for one in seen]
    shown = "".join(one.response[:-4] for one in out)
    assert len(shown) == 2 * len(certificate())
    for secret in (SURNAME, GIVEN, NUMBER):
        assert secret.encode().hex().upper() not in shown
    assert BYTE_MARK in shown


def test_programs_that_read_at_the_same_time_do_not_mix() -> None:
    told = Hiding(Secrets())
    parts = read_in_parts(certificate(), 50)
    seen = [SeenApdu(*part, 0, client=client) for part in parts for client in ("1", "2")]
    out = [one for each in seen for one in told.take(each)] + [*told.rest()]
    assert [(one.client, one.command) for one in out] == [(one.client, one.command) for one in seen]
    by_client = ["".join(one.response[:-4] for one in out if one.client == client) for client in "12"]
    assert by_client[0] == by_client[1]
    assert SURNAME.encode().hex().upper() not in by_client[0]


def test_little_is_held_of_a_file_that_never_ends() -> None:
    told = Hiding(Secrets())
    out = 0
    for at in range(5_000):
        out += sum(1 for _ in told.take(SeenApdu(f"00B0{at % 0x7FFF + 1:04X}10", "41" * 16 + "9000", at)))
        assert at + 1 - out <= 513
    assert out + sum(1 for _ in told.rest()) == 5_000


@pytest.mark.parametrize(
    "content",
    [
        f"00{SURNAME.upper()}00".encode(),
        SURNAME.encode("utf-16-be"),
        bytes.fromhex("0C") + bytes([len(SURNAME)]) + SURNAME.encode(),
        bytes.fromhex("5F2009") + b"LI^BO    ",
        bytes.fromhex("8002") + b"Li",
        b"\x01\x02" + NIR.encode() + b"\x03",
        bytes.fromhex("00" + NIR + "0"),
        bytes.fromhex("0" + NIR + "00"),
        b"\x01\x02\x03" + NUMBER.encode() + b"\xff",
        f"ZÉLIE {SURNAME}".encode("latin-1"),
        bytes.fromhex("5A0A8025000001") + bytes.fromhex(SERIAL),
        bytes.fromhex("3010020100040A") + bytes.fromhex("11223344556677889900") + bytes.fromhex("0101FF")[:3][:1],
    ],
)
def test_what_is_about_a_person_is_found(content: bytes) -> None:
    assert personal(content), content


@pytest.mark.parametrize(
    "content",
    [
        b"",
        bytes(40),
        b"\xff" * 40,
        bytes.fromhex("0C0A") + b"ASIP SANTE",
        bytes.fromhex("62258002003982010183022F018801E8A1128C077B45FFFFFF45009C077BFFFFFFFFFF008A0105"),
        bytes.fromhex("A80A300804063F0000017001A00A300804063F0000017002"),
        bytes.fromhex("804301B8460404B0ECC147039401804F088025000001FF0100E010"),
        b"CERTIFICAT DE SIGNATURE",
    ],
)
def test_what_is_about_nobody_stays(content: bytes) -> None:
    assert personal(content) == []


@pytest.mark.parametrize("text", ["DUPONT", "Carte de Dupont", "CPS3v3-9900000001", "12345"])
def test_a_text_is_harmless_only_if_every_word_is_known(text: str) -> None:
    assert not harmless(text)


@given(st.binary(max_size=200))
@settings(max_examples=80, deadline=None)
def test_any_contents_are_looked_at(content: bytes) -> None:
    last = 0
    for start, end in personal(content):
        assert 0 <= start < end <= len(content)
        assert start >= 0
        last = max(last, end)
    assert last <= len(content)


@given(st.lists(st.sampled_from(["00", "A4", "FF", BYTE_MARK])), st.sets(st.integers(0, 20)))
def test_masking_digits_only_hides(pairs: list[str], hidden: set[int]) -> None:
    digits = "".join(pairs)
    after = masked(digits, hidden)
    assert agrees(digits, after)
    assert [one for rank, one in enumerate(values(after)) if rank in hidden] == [-1] * len(
        [rank for rank in hidden if rank < len(pairs)]
    )


@pytest.mark.parametrize("digits", ["0", "0g", "•", "00 00", "•••"])
def test_what_is_no_bytes_is_refused(digits: str) -> None:
    with pytest.raises(ValueError, match="no bytes"):
        values(digits)


@pytest.mark.parametrize("ins", ["20", "21", "24", "25", "26", "28", "2C", "2D"])
def test_every_command_with_a_code_is_blanked_once_and_for_all(ins: str) -> None:
    once = mask_command(f"00{ins}000104{CODE.encode().hex()}")
    assert once == f"00{ins}000104" + 4 * BYTE_MARK
    assert mask_command(once) == once
    assert carried_codes(bytes.fromhex(f"00{ins}000104{CODE.encode().hex()}")) >= {CODE}


@pytest.mark.parametrize("command", ["", "00", "0020000100", "00A4000002" + "3F00", "00B0000004"])
def test_a_command_without_a_code_carries_none(command: str) -> None:
    assert carried_codes(bytes.fromhex(command)) == frozenset()


def test_a_name_learnt_late_is_masked_where_it_stood_before(tmp_path: Path) -> None:
    label = SURNAME.upper().encode().hex()
    exchanges = [
        # A command of nobody's knowledge answers the name among other letters: nothing tells that it is one.
        ("80F10000", "4142" + "2E" + "01" + "9000"),
        *session(),
        (f"00F2000000{label}", f"00{label}009000"),
    ]
    came, kept = keep(written(tmp_path, "pcscd", exchanges))
    assert came.exchanges == len(exchanges)
    assert label.upper().encode() not in kept.read_bytes()


def test_a_code_is_masked_wherever_else_it_stands_before_it_is_presented_and_after(tmp_path: Path) -> None:
    told = ("80F10000" + "00", f"00{CODE.encode().hex().upper()}009000")
    came, kept = keep(written(tmp_path, "pcscd", [told, *session(), told]))
    assert CODE.encode().hex().encode() not in kept.read_bytes().lower()
    assert came.searched >= came.codes >= 1


def test_a_name_that_is_given_is_masked_where_nothing_else_would(tmp_path: Path) -> None:
    log = written(tmp_path, "pcscd", [("00A40400054F43544F50", "9000")])
    _came, kept = keep(log)
    assert b"4F43544F50" in kept.read_bytes()
    kept.unlink()
    _came, kept = keep(log, names=["OCTOP"])
    assert b"4F43544F50" not in kept.read_bytes()


def test_what_was_masked_is_looked_for_and_found_if_masking_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The masking of what is read is taken away, but what it would have learnt is known.
    log = written(tmp_path, "pcscd")
    _came, kept = keep(log)
    secrets = Secrets(names=[SURNAME], secrets=[CODE])
    assert still_there(kept, secrets) is None
    kept.unlink()
    monkeypatch.setattr(hiding, "personal", lambda content: [])
    _came, kept = keep(log)
    assert still_there(kept, secrets) is not None


def test_what_cannot_be_masked_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "still_there", lambda path, secrets: 1)
    log = written(tmp_path, "pcscd")
    with pytest.raises(InputError, match="still found"):
        keep(log)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pcscd.log"]


def test_a_log_without_an_exchange_leaves_nothing_behind(tmp_path: Path) -> None:
    log = tmp_path / "pcscd.log"
    log.write_bytes(pcscd([]))
    with pytest.raises(InputError, match="--apdu"):
        keep(log)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pcscd.log"]


def test_a_trace_is_never_overwritten(tmp_path: Path) -> None:
    log = written(tmp_path, "pcscd")
    _came, kept = keep(log)
    before = kept.read_bytes()
    with pytest.raises((FileExistsError, JournalPlaceError)):
        keep(log)
    assert kept.read_bytes() == before


def test_a_kept_trace_imports_as_itself(tmp_path: Path) -> None:
    _came, kept = keep(written(tmp_path, "opensc"))
    again = tmp_path / "again.jsonl"
    import_trace(kept, again, clock=VirtualClock())
    shown = [[(one.command, one.response) for one in read(path) if isinstance(one, SeenApdu)] for path in (kept, again)]
    assert shown[0] == shown[1]
    assert ATR in again.read_text()
