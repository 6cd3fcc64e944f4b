from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.iso7816.apdu import ApduError, Command, Response

BYTE = st.integers(0, 255)


@st.composite
def commands(draw: st.DrawFn) -> Command:
    data = draw(st.binary(max_size=600))
    ne = draw(st.none() | st.integers(1, 65536))
    extended = len(data) > 255 or (ne or 0) > 256
    if (data or ne) and not extended:
        extended = draw(st.booleans())
    return Command(draw(BYTE), draw(BYTE), draw(BYTE), draw(BYTE), data, ne, extended)


@given(commands())
def test_what_is_encoded_is_parsed_back(command: Command) -> None:
    assert Command.parse(command.encode()) == command


@given(st.binary(max_size=600))
def test_arbitrary_bytes_are_a_command_or_a_clear_error(raw: bytes) -> None:
    try:
        command = Command.parse(raw)
    except ApduError as error:
        assert str(error)  # noqa: PT017
    else:
        assert command.encode() == raw
        assert command.describe()


@pytest.mark.parametrize(
    ("raw", "data", "ne"),
    [
        ("00A40000", "", None),
        ("00B000000C", "", 12),
        ("00B0000000", "", 256),
        ("00A40000023F00", "3F00", None),
        ("00A40000023F0000", "3F00", 256),
        ("00B00000000000", "", 65536),
        ("00B0000000000A", "", 10),
        ("00D600000000010A", "0A", None),
        ("00D600000000010A0002", "0A", 2),
    ],
)
def test_the_seven_cases(raw: str, data: str, ne: int | None) -> None:
    command = Command.parse(bytes.fromhex(raw))
    assert (command.data.hex().upper(), command.ne) == (data, ne)


@pytest.mark.parametrize(
    "raw",
    ["", "00", "00A400", "00A400000200", "00A4000002000000FF", "00A400000000", "00D60000000000AA", "00D60000000002AA"],
)
def test_lengths_that_do_not_add_up_are_refused(raw: str) -> None:
    with pytest.raises(ApduError):
        Command.parse(bytes.fromhex(raw))


@pytest.mark.parametrize(
    "command",
    [
        Command(256, 0, 0, 0),
        Command(0, -1, 0, 0),
        Command(0, 0, 0, 0, bytes(65536)),
        Command(0, 0, 0, 0, b"", 0),
        Command(0, 0, 0, 0, b"", 65537),
    ],
)
def test_values_that_do_not_fit_are_not_encoded(command: Command) -> None:
    with pytest.raises(ApduError):
        command.encode()


def test_a_response_needs_its_status_word() -> None:
    assert Response.parse(bytes.fromhex("5A0A9000")) == Response(b"\x5a\x0a", 0x9000)
    assert Response(b"\x5a", 0x6282).encode() == bytes.fromhex("5A6282")
    for raw in (b"", b"\x90"):
        with pytest.raises(ApduError):
            Response.parse(raw)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("00A40904063F0000017001", "SELECT by path 3F00/0001/7001 - FCP wanted"),
        ("00A4040C0501020304 05", "SELECT by name 0102030405 - no answer wanted"),
        ("00B09C000C", "READ BINARY SFI 1C offset 0, 12 bytes"),
        ("00B0010203", "READ BINARY offset 258, 3 bytes"),
        ("0020000100", "VERIFY reference 01, status only"),
        ("002A90A0022020", "PERFORM SECURITY OPERATION HASH (partial), 2 bytes"),
        ("102A80860181", "PERFORM SECURITY OPERATION DECIPHER, 1 bytes (chained, more to come)"),
        ("002241A403800102", "MANAGE SECURITY ENVIRONMENT SET authentication 800102"),
        ("A0C000000A", "GET RESPONSE 10 bytes class A0"),
        ("0084000008", "GET CHALLENGE 8 bytes"),
        ("00770000", "INS 77"),
    ],
)
def test_a_command_is_told_in_one_line(raw: str, words: str) -> None:
    assert Command.parse(bytes.fromhex(raw)).describe().en == words


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("00A4040C0501020304 05", "SELECT par nom 0102030405 - aucune réponse attendue"),
        ("00B09C000C", "READ BINARY SFI 1C décalage 0, 12 octets"),
        ("0020000100", "VERIFY référence 01, état seul"),
        ("102A80860181", "PERFORM SECURITY OPERATION DECIPHER, 1 octets (chaînée, suite à venir)"),
        ("A0C000000A", "GET RESPONSE 10 octets classe A0"),
    ],
)
def test_a_command_is_told_in_french(raw: str, words: str) -> None:
    assert Command.parse(bytes.fromhex(raw)).describe().fr == words


@pytest.mark.parametrize("ins", [0x20, 0x24, 0x2C])
def test_a_code_is_never_told(ins: int) -> None:
    told = str(Command(0, ins, 0, 1, b"8642").describe())
    assert "8642" not in told
    assert b"8642".hex() not in told.lower()
    assert "4 bytes" in told
