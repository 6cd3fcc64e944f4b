"""Every kind of log gives the same session; what is damaged is told with its place, and nothing is held of it."""

from __future__ import annotations

import gzip
import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trace_logs import (
    ATR,
    READER,
    WRITERS,
    cryptolib,
    opensc,
    pcap,
    pcapng,
    pcscd,
    session,
    spy_raw,
    spy_text,
    usbpcap,
    written,
)

from bifente.conformance.loading import InputError
from bifente.conformance.traces.lines import LINE_LIMIT
from bifente.conformance.traces.seen import Seen, SeenApdu, SeenAtr, SeenOddity
from bifente.conformance.traces.sources.known import SOURCES, source_of

TRANSCRIPTS = ("opensc-tool", "apdu4j", "scriptor", "pyscard", "scdaemon", "android")
NAMED = {
    "opensc-2015": "opensc",
    **dict.fromkeys(("pcap", "pcapng", "usbpcap"), "gsmtap"),
    **dict.fromkeys(TRANSCRIPTS, "transcript"),
    "libccid": "pcscd",
}
HEADERLESS = {"pcap": range(24), "pcapng": range(4), "usbpcap": range(24)}
NO_ATR = {"opensc-2015", "cryptolib", "pcsc-spy", *TRANSCRIPTS} - {"apdu4j"}
TWO = [("00A40000023F00", "9000"), ("00B0000004", "DEADBEEF9000")]


def read(path: Path, kind: str | None = None) -> list[Seen]:
    return list(source_of(path, kind).read(path))


def exchanges(seen: list[Seen]) -> list[tuple[str, str]]:
    return [(one.command, one.response) for one in seen if isinstance(one, SeenApdu)]


def oddities(seen: list[Seen]) -> list[int]:
    return [one.place for one in seen if isinstance(one, SeenOddity)]


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_of_log_is_recognised_and_gives_the_session(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, kind)
    assert source_of(path).name == NAMED.get(kind, kind)
    seen = read(path)
    assert exchanges(seen) == [(command.upper(), response.upper()) for command, response in session()]
    assert not oddities(seen)


@pytest.mark.parametrize("kind", sorted(WRITERS.keys() - NO_ATR))
def test_the_answer_to_reset_is_found(tmp_path: Path, kind: str) -> None:
    assert {one.atr for one in read(written(tmp_path, kind)) if isinstance(one, SeenAtr)} == {ATR}


@pytest.mark.parametrize(
    "kind", ["opensc", "opensc-2015", "pcsc-spy-raw", "pcsc-spy", "opensc-tool", "apdu4j", "pyscard", "scdaemon"]
)
def test_the_reader_is_known_where_the_log_names_it(tmp_path: Path, kind: str) -> None:
    assert {one.slot for one in read(written(tmp_path, kind)) if isinstance(one, SeenApdu)} == {READER}


def test_a_command_without_an_answer_stays_one(tmp_path: Path) -> None:
    for kind in WRITERS.keys() - {"pcap", "pcapng"}:
        unanswered = [TWO[0], ("00B0000004", ""), TWO[1]]
        assert exchanges(read(written(tmp_path, kind, unanswered))) == unanswered, kind


TRANSCRIPT = [("002000010437323934", "63C2"), ("00B0000004", "DEADBEEF9000")]


@pytest.mark.parametrize(
    "text",
    [
        "1:00 Info >> 00-20-00-01-04-37-32-39-34\n1:00 Info << 63-C2\n>> 00-B0-00-00-04\n<< DE-AD-BE-EF-90-00",
        "DEBUG c.a.Card - C-APDU: 002000010437323934\nDEBUG R-APDU: 63C2\nC-APDU: 00B0000004\nR-APDU: DEADBEEF9000",
        "[=] >>> 00 20 00 01 04 37 32 39 34\n[=] <<< 63 C2\n[=] >>> 00 B0 00 00 04\n[=] <<< DE AD BE EF 90 00",
        "send: 0x00, 0x20, 0x00, 0x01, 0x04, 0x37, 0x32, 0x39, 0x34\nRX: 0x63, 0xC2\nTX: 00B0000004\nRX: DEADBEEF9000",
        "Commande : 00 20 00 01 04 37 32 39 34\nRéponse : 63 C2\nCommande : 00B0000004\nRéponse : DEADBEEF9000",
        "[>] 00 20 00 01 04 37 32 39 34\n[<] 63 C2\n[>] 00 B0 00 00 04\n[<] DE AD BE EF 90 00",
    ],
)
def test_transcripts_of_small_programs_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "log"
    path.write_text(text, "utf-8")
    assert source_of(path).name == "transcript"
    assert exchanges(read(path)) == TRANSCRIPT
    assert not oddities(read(path))


@pytest.mark.parametrize(
    "text",
    [
        "> 00 20 est notre adresse\n< merci >\n-> 06 12 34 56 78 mon portable : 01 02 03 04 05\n< 12 50",
        "> 00 B0 00 00 04\n",
        "< 90 00 : Normal processing.\n",
        "> 00 20 00 01 04 37 32 39\n< 63 C2\n",
        "prix => 00B0000004 euros\n",
    ],
)
def test_what_only_looks_like_a_transcript_is_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "log"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match="no log of a known kind"):
        source_of(path)


def test_a_command_of_a_transcript_that_lacks_bytes_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(WRITERS["scriptor"](TWO) + b"> 00 20 00 01 04 37 32 39\n< 63 C2\n")
    assert exchanges(read(path)) == TWO
    assert oddities(read(path)) == [6, 7]


def test_a_card_error_in_place_of_an_answer_is_none(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(
        "SCardTransmit(00 A4 02 0C 02 40 31)\n SCardTransmit(): SW12 = 6A 82\n"
        "SCardTransmit(00 A4 02 0C 02 3F 00)\n SCardTransmit(): 0x80100069\n"
    )
    assert exchanges(read(path)) == [("00A4020C024031", "6A82"), ("00A4020C023F00", "")]


def test_blocks_of_t_1_on_usb_are_put_together(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(usbpcap(session(), blocks=True))
    assert exchanges(read(path)) == session()


def test_a_verification_by_the_reader_s_keys_shows_its_command(tmp_path: Path) -> None:
    secure = bytes.fromhex("001E82040008FF0002010C0409000000")[:15] + bytes.fromhex("0020000108FFFFFFFFFFFFFFFF")
    lines = [
        f"00000001 -> 000000 69 {len(secure):02X} 00 00 00 00 01 00 00 00 {secure.hex(' ').upper()} ",
        "00000001 <- 000000 80 02 00 00 00 00 01 00 00 00 63 C2 ",
    ]
    path = tmp_path / "log"
    path.write_text("00000000 pcscdaemon.c:350:main() foreground\n" + "\n".join(lines))
    assert exchanges(read(path)) == [("0020000108FFFFFFFFFFFFFFFF", "63C2")]


def test_apdus_that_pcscd_tells_are_not_told_again_by_the_reader_s_messages(tmp_path: Path) -> None:
    frames = iter([line for line in WRITERS["libccid"](TWO).splitlines() if b"000000 " in line[8:]])
    lines = []
    for line in pcscd(TWO).splitlines():
        lines.append(line)
        if b"APDU:" in line:
            lines += [next(frames), next(frames)]
    path = tmp_path / "log"
    path.write_bytes(b"\n".join(lines))
    assert exchanges(read(path)) == TWO


@pytest.mark.parametrize("front", ["", "mai 14 18:41:50 poste pcscd[336623]: "])
def test_threads_of_pcscd_are_told_apart(tmp_path: Path, front: str) -> None:
    one, other = (
        pcscd([exchange], thread=thread, front=front).splitlines(True)
        for exchange, thread in zip(TWO, "12", strict=True)
    )
    path = tmp_path / "log"
    # The first is asked, then the second, before either is answered.
    path.write_bytes(b"".join([*one[:5], *other[:5], *one[5:], *other[5:]]))
    assert exchanges(read(path)) == TWO


def test_a_log_that_a_windows_shell_redirected_is_read(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(opensc(TWO).decode().replace("\n", "\r\n").encode("utf-16"))
    assert exchanges(read(path)) == TWO


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (gzip.compress(pcscd(TWO)), "gzip"),
        (b"PK\x03\x04", "zip"),
        (b"Dear sir or madam\n" * 100, "no log of a known kind"),
        (bytes(range(256)) * 64, "no log of a known kind"),
    ],
)
def test_what_is_no_log_is_refused_with_a_cure(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "log"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as refused:
        source_of(path)
    assert refused.value.problems[0].cure


def test_a_kind_that_is_none_is_refused_with_the_near_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pcscd"):
        source_of(tmp_path, "pscd")


@pytest.mark.parametrize("kind", ["pcscd", "opensc", "cryptolib", "pcsc-spy", "pcsc-spy-raw"])
def test_an_apdu_that_is_no_hexadecimal_is_left_out_with_its_line(tmp_path: Path, kind: str) -> None:
    whole = WRITERS[kind]([*TWO, *TWO])
    damaged = whole.replace(b"00 B0", b"00 zz", 1)
    path = tmp_path / "log"
    path.write_bytes(damaged)
    seen = read(path)
    lines = damaged.decode("latin-1").splitlines()
    place = next(number for number, line in enumerate(lines, 1) if "zz" in line)
    assert any(abs(odd - place) <= 9 for odd in oddities(seen))
    # The one after it is sound.
    assert exchanges(seen)[-2:] == TWO


@pytest.mark.parametrize("kind", WRITERS)
def test_a_log_cut_anywhere_gives_what_comes_before(tmp_path: Path, kind: str) -> None:
    whole, path = WRITERS[kind](TWO), tmp_path / "log"
    for end in range(0, len(whole), 7):
        path.write_bytes(whole[:end])
        found = []
        # A capture without its header is damaged; any other log just ends.
        with pytest.raises(InputError) if end in HEADERLESS.get(kind, ()) else nullcontext():
            found = exchanges(list(SOURCES[NAMED.get(kind, kind)].read(path)))
        assert len(found) <= 2
        assert all(one[0] == two[0] or one[0] in two[0] for one, two in zip(found, TWO, strict=False))


@pytest.mark.parametrize("cut", ["DE", "DEAD", "DEADBEEF", "DEADBEEF90"])
@pytest.mark.parametrize("kind", ["pcscd", "opensc"])
def test_a_response_without_its_end_is_told(tmp_path: Path, kind: str, cut: str) -> None:
    path = written(tmp_path, kind, [TWO[0], (TWO[1][0], cut)])
    seen = read(path)
    assert exchanges(seen) == [TWO[0], (TWO[1][0], cut)]
    assert len(oddities(seen)) == 1


def test_a_line_without_end_is_refused_before_it_is_held(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(pcscd(TWO) + b"00000001 APDU: " + b"00 " * LINE_LIMIT)
    place = len(pcscd(TWO).splitlines()) + 1
    with pytest.raises(InputError, match="characters") as refused:
        read(path)
    assert refused.value.problems[0].line == place


def test_an_apdu_that_is_cut_in_the_log_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(cryptolib(TWO).replace(b"[    5 bytes]", b"[  600 bytes]"))
    seen = read(path)
    assert oddities(seen)
    assert TWO[1] not in exchanges(seen)


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [
        (24 + 8, b"\xff\xff\xff\x7f", "byte 24"),
        (8, b"", "byte 4"),
    ],
)
def test_a_damaged_pcap_names_the_byte(tmp_path: Path, at: int, value: bytes, words: str) -> None:
    whole = pcap(TWO)
    path = tmp_path / "log"
    path.write_bytes(whole[:at] + value + whole[at + len(value) :] if value else whole[:at])
    with pytest.raises(InputError, match=words):
        read(path, "gsmtap")


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [
        (4, b"\x05\x00\x00\x00", "byte 0"),
        (28 + 4, b"\xff\xff\xff\xff", "byte 28"),
        (8, b"\0\0\0\0", "byte order"),
        (60 + 8, b"\x07\x00\x00\x00", "interface 7"),
        (60 + 20, b"\xff\xff\x00\x00", "byte 60"),
    ],
)
def test_a_damaged_pcapng_names_the_byte(tmp_path: Path, at: int, value: bytes, words: str) -> None:
    whole, path = bytearray(pcapng(TWO)), tmp_path / "log"
    whole[at : at + len(value)] = value
    path.write_bytes(whole)
    with pytest.raises(InputError, match=words):
        read(path, "gsmtap")


def test_packets_of_others_are_passed_over(tmp_path: Path) -> None:
    whole = pcap(TWO)
    path = tmp_path / "log"
    path.write_bytes(whole.replace(b"\x12\x79\x12\x79", b"\x12\x79\x00\x35"))
    assert read(path) == []
    path.write_bytes(pcap(TWO, order=">"))
    assert exchanges(read(path)) == TWO


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    peaks = []
    for times in (20, 400):
        path = tmp_path / f"{times}.log"
        path.write_bytes(pcscd(TWO) * times)
        tracemalloc.start()
        count = sum(1 for one in source_of(path, "pcscd").read(path) if isinstance(one, SeenApdu))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert count == 2 * times
    assert peaks[1] < 1.2 * peaks[0] + 50_000


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=300), kind=st.sampled_from(sorted(SOURCES)), at=st.integers(0, 2000))
def test_no_bytes_make_a_source_fail_otherwise_than_in_words(tmp_path: Path, noise: bytes, kind: str, at: int) -> None:
    sound = {"gsmtap": pcapng, "journal": pcscd, "cryptolib": cryptolib, "opensc": opensc, "pcscd": pcscd}
    whole = {**sound, "pcsc-spy": spy_text, "pcsc-spy-raw": spy_raw, "transcript": WRITERS["scriptor"]}[kind](TWO)
    path = tmp_path / "log"
    path.write_bytes(whole[:at] + noise + whole[at:])
    cures = ["read to the end"]
    try:
        assert all(one.place >= 0 for one in SOURCES[kind].read(path))
    except InputError as error:
        cures = [problem.cure for problem in error.problems]
    assert all(cures)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(noise=st.binary(max_size=80), at=st.integers(24, 400), blocks=st.booleans())
def test_no_bytes_make_a_usb_capture_fail_otherwise_than_in_words(
    tmp_path: Path, noise: bytes, at: int, blocks: bool
) -> None:
    whole, path = usbpcap(TWO, blocks=blocks), tmp_path / "log"
    path.write_bytes(whole[:at] + noise + whole[at + len(noise) :])
    cures, found = ["read to the end"], []
    try:
        found = read(path, "gsmtap")
    except InputError as error:
        cures = [problem.cure for problem in error.problems]
    assert all(cures)
    assert all(one.place >= 0 for one in found)
