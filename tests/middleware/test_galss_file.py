"""galss.ini: written and read back, broken in every known way, held against the reader that is there."""

from __future__ import annotations

import configparser

import pytest
from galss_bench import SLOTS, SOUND
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.middleware.findings import Severity
from bifente.simulator.middleware.galss import (
    GalssSystem,
    SlotName,
    breakages,
    examine,
    for_pcsc,
    for_serial,
    generate,
    misfits,
)
from bifente.simulator.middleware.galss.breaking import swapped
from bifente.simulator.middleware.galss.model import (
    Configuration,
    GalssChannel,
    GalssProtocol,
    Lad,
    Pad,
    ProtocolNumber,
)
from bifente.simulator.middleware.ini import LineEnd, edited

_TEXT = st.text(st.sampled_from("ABCdefgh0123456789 _()-.'é"), min_size=1, max_size=40).map(str.strip).filter(bool)
_NAME = st.text(st.sampled_from("ABCdef0123_"), min_size=1, max_size=8)
_ADDRESS = st.integers(0, 255)
_LADS = st.lists(st.builds(Lad, _ADDRESS, _NAME, st.lists(_NAME, max_size=2).map(tuple)), min_size=1, max_size=3)
_PADS = st.lists(st.builds(Pad, _ADDRESS, _LADS.map(tuple)), min_size=1, max_size=2).map(tuple)
_TIMES = st.lists(st.integers(0, 99999), max_size=3).map(tuple)
_PCSC = st.builds(GalssChannel, st.integers(0, 99), st.just(ProtocolNumber.PCSC), _TEXT, _PADS)
_SERIAL = st.builds(
    GalssChannel,
    st.integers(1, 99),
    st.just(ProtocolNumber.PSS),
    st.sampled_from(["9600,1,8,0,0", "115200,1,8,0,0"]),
    _PADS,
)


@st.composite
def configurations(draw: st.DrawFn) -> Configuration:
    channels = draw(st.lists(_PCSC | _SERIAL, min_size=1, max_size=4))
    protocols = tuple(
        GalssProtocol(number, draw(_NAME), draw(_TIMES), draw(_TIMES), draw(_TIMES)) for number in ProtocolNumber
    )
    return Configuration(protocols, tuple(channels))


@settings(max_examples=150, deadline=None)
@given(configurations(), st.sampled_from(LineEnd))
def test_what_is_written_is_read_back_the_same(configuration: Configuration, line_end: LineEnd) -> None:
    assert examine(generate(configuration, line_end)).configuration == configuration


@settings(max_examples=50, deadline=None)
@given(configurations())
def test_another_reader_of_such_files_finds_the_same_values(configuration: Configuration) -> None:
    other = configparser.ConfigParser(interpolation=None, delimiters=("=",))
    other.read_string(generate(configuration).decode("cp1252"))
    assert other.getint("CONFIG", "NbCanaux") == len(configuration.channels)
    for number, channel in enumerate(configuration.channels, 1):
        assert other[f"CANAL{number}"]["Caracteristiques"] == channel.characteristics
        assert other[f"CANAL{number}.PAD1.LAD1"]["NomLAD"] == channel.pads[0].lads[0].name


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=600) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "ignore")))
def test_whatever_the_bytes_there_is_a_configuration_or_a_code(data: bytes) -> None:
    examined = examine(data)
    assert (examined.configuration is None) == (examined.code != SsvCode.OK)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_sound_file_with_bytes_changed_never_escapes(data: st.DataObject) -> None:
    file = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 8))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    examined = examine(bytes(file), system=GalssSystem.WINDOWS, bits=64)
    assert (examined.configuration is None) == (examined.code != SsvCode.OK)
    assert all(0 <= finding.line <= file.count(b"\n") + file.count(b"\r") + 1 for finding in examined.findings)


@pytest.mark.parametrize("name", sorted(breakages()))
def test_every_known_way_of_being_broken_gives_its_code(name: str) -> None:
    breakage = breakages()[name]
    examined = examine(breakage.strike(SOUND), system=GalssSystem.WINDOWS, bits=64)
    assert f"{examined.code:04X}" == f"{breakage.code:04X}"
    assert (examined.configuration is None) == bool(breakage.code)
    for finding in examined.findings:
        assert finding.message.fr != finding.message.en
        assert finding.cure.fr
        assert finding.cure.en


def test_the_known_ways_cover_every_code_of_the_file() -> None:
    # 8002 is the server's, 800E its version's: no file causes them.
    expected = {*range(0x8001, 0x8008), 0x800A, 0x800C, 0x800D, 0x800F, 0x8010, 0x8011} - {0x8002}
    assert {breakage.code for breakage in breakages().values()} - {0} == expected


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("CONFIG", "NbCanaux", "0"),
        ("CANAL1", "Protocole", "7"),
        ("CANAL2", "Index", "x"),
        ("CANAL1.PAD1", "PAD", "256"),
        ("CANAL2.PAD1.LAD1", "NomLAD", "too long a name"),
        ("PROTOCOLE1", "Config", "vite"),
    ],
)
@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_the_line_told_is_the_line_of_the_mistake(section: str, key: str, value: str, end: bytes) -> None:
    data = edited(SOUND, section, key, value).replace(b"\r\n", end)
    finding = examine(data).findings[0]
    assert data.split(end)[finding.line - 1] == f"{key}={value}".encode()


@pytest.mark.parametrize(
    ("section", "key", "value", "code"),
    [
        ("CONFIG", "NbCanaux", "-2", 0x800D),
        ("CONFIG", "NbCanaux", "²", 0x800D),
        ("CONFIG", "NbCanaux", "33", 0x8003),
        ("CANAL1", "Protocole", "", 0x8004),
        ("CANAL1", "Protocole", "PC/SC", 0x8005),
        ("CANAL1.PAD1", "NbLAD", "0", 0x8010),
        ("CANAL1.PAD1", "NbLAD", "9999999999", 0x8010),
        ("CANAL1", "NbPAD", "300", 0x800F),
        ("CANAL1.PAD1", "PAD", "-1", 0x800F),
        ("CANAL1.PAD1.LAD1", "NbAlias", "2", 0x8011),
        ("CANAL1.PAD1.LAD1", "NbAlias", "999", 0x8011),
        ("CANAL1.PAD1.LAD1", "NomLAD", "123456789", 0x8011),
        ("CANAL1.PAD1.LAD1", "NomLAD", "12345678", 0),
        ("CANAL1.PAD1", "PAD", "255", 0),
        ("PROTOCOLE0", "NomLib", "", 0x8006),
    ],
)
def test_bounds(section: str, key: str, value: str, code: int) -> None:
    assert examine(edited(SOUND, section, key, value)).code == code


@pytest.mark.parametrize(
    "line", ["9600", "9600,1,8,0", "9600,1,8,0,0,0", "fast,1,8,0,0", "9601,1,8,0,0", "9600,1,8,0,-1"]
)
def test_a_serial_line_has_five_numbers_and_a_known_speed(line: str) -> None:
    data = edited(generate(for_serial()), "CANAL1", "Caracteristiques", line)
    assert examine(data).code == SsvCode.GALSS_CHARACTERISTICS


@pytest.mark.parametrize(
    ("system", "bits", "library", "loads"),
    [
        (GalssSystem.WINDOWS, 64, "pcscw64.dll", True),
        (GalssSystem.WINDOWS, 64, "PSSINW64.DLL", False),
        (GalssSystem.WINDOWS, 32, "PCSCW64.DLL", False),
        (GalssSystem.WINDOWS, None, "PCSCW32.DLL", True),
        (GalssSystem.MACOS, 64, "pcscosx.framework", True),
        (GalssSystem.MACOS, None, "PCSCW64.DLL", False),
        (None, None, "anything", True),
    ],
)
def test_libraries_by_system_and_word_length(
    system: GalssSystem | None, bits: int | None, library: str, loads: bool
) -> None:
    data = edited(SOUND, "PROTOCOLE1", "NomLib", library)
    assert examine(data, system=system, bits=bits).code == (0 if loads else SsvCode.GALSS_LIBRARY)


def test_a_file_is_examined_by_what_it_says_now_and_by_whom() -> None:
    foreign = edited(SOUND, "PROTOCOLE1", "NomLib", "PCSCW32.DLL")
    asked = [(SOUND, 64), (foreign, 64), (foreign, 32), (SOUND, 64), (foreign, None), (SOUND, 32)]
    wrong = [examine(data, system=GalssSystem.WINDOWS, bits=bits).code != 0 for data, bits in asked]
    assert wrong == [False, True, False, False, False, True]


def test_an_unused_protocol_may_name_any_library() -> None:
    data = edited(SOUND, "PROTOCOLE0", "NomLib", "pssinosx.framework")
    assert examine(data, system=GalssSystem.WINDOWS, bits=64).code == 0


def test_of_two_broken_channels_the_last_of_the_file_gives_the_code() -> None:
    data = edited(edited(SOUND, "CANAL1", "Protocole", "7"), "CANAL2", "Index", "x")
    assert examine(data).code == SsvCode.GALSS_CHANNEL_TYPE
    assert {finding.code for finding in examine(data).findings} == {0x8005, 0x8007}


def test_names_of_keys_and_sections_have_no_case() -> None:
    data = SOUND.replace(b"NbCanaux", b"NBCANAUX").replace(b"[CANAL1]", b"[Canal1]")
    assert examine(data).configuration == examine(SOUND).configuration


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (("CONFIG", "NbCanaux", "1"), "CANAL2"),
        (("CANAL2.PAD1.LAD1", "NomLAD", "CPS"), "never reached"),
        (("CANAL1.PAD1.LAD1", "NomLAD", "CPX"), "no resource is called CPS"),
        (("CANAL2", "Caracteristiques", "Lab TL 1 0"), "same PC/SC reader"),
    ],
)
def test_what_is_taken_and_will_not_work_is_a_warning(edit: tuple[str, str, str], words: str) -> None:
    examined = examine(edited(SOUND, *edit))
    assert examined.configuration is not None
    assert any(words in f.message.en and f.severity is Severity.WARNING for f in examined.findings)


# -- the reader that is there -----------------------------------------------------------------------------------------


def _misfits(data: bytes, slots: list[SlotName]) -> list[tuple[int | None, str]]:
    configuration = examine(data).configuration
    assert configuration is not None
    return [(finding.code, finding.message.en) for finding in misfits(data, configuration, slots)]


def test_the_file_made_for_a_reader_fits_it() -> None:
    assert _misfits(SOUND, SLOTS) == []
    assert _misfits(generate(for_serial()), SLOTS) == []


def test_an_absent_reader_is_told_with_the_near_name() -> None:
    data = edited(SOUND, "CANAL2", "Caracteristiques", "Lab TL 2 1")
    configuration = examine(data).configuration
    assert configuration is not None
    (finding,) = misfits(data, configuration, SLOTS)
    assert finding.code == SsvCode.GALSS_NO_ANSWER
    assert data.split(b"\r\n")[finding.line - 1] == b"Caracteristiques=Lab TL 2 1"
    assert "Lab TL 2 0" in finding.cure.en


def test_cards_swapped_between_slots_are_told_twice_and_rewriting_cures() -> None:
    found = _misfits(swapped(SOUND), SLOTS)
    assert len(found) == 2
    assert all("bound to the slot" in message for _code, message in found)
    assert swapped(swapped(SOUND)) == SOUND


def test_a_vitale_on_a_contactless_interface_is_told() -> None:
    slots = [SLOTS[0], SlotName("vitale", SLOTS[1].name, contactless=True)]
    assert [message for _code, message in _misfits(SOUND, slots)] == [
        "the Vitale is bound to the contactless interface Lab TL 2 0"
    ]


def test_a_third_slot_becomes_a_further_cps_and_order_does_not_matter() -> None:
    slots = [SlotName("third", "C"), SlotName("vitale", "B"), SlotName("cps", "A")]
    configuration = for_pcsc(slots)
    assert [channel.characteristics for channel in configuration.channels] == ["A", "B", "C"]
    assert [channel.pads[0].lads[0].name for channel in configuration.channels] == ["CPS", "Vitale", "CPS1"]
    assert examine(generate(configuration)).findings == ()


def test_no_file_for_a_reader_without_cps_slot_nor_for_a_library_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="no slot for the CPS"):
        for_pcsc([SLOTS[1]])
    with pytest.raises(ValueError, match="32-bit"):
        for_pcsc(SLOTS, GalssSystem.MACOS, bits=32)


@pytest.mark.parametrize("name", ["two\r\nlines", " space", "", "日本", "nul\0"])
def test_a_name_that_would_not_be_read_back_is_refused(name: str) -> None:
    if name == "":
        data = generate(for_pcsc([SlotName("cps", name)]))
        assert examine(data).code == SsvCode.GALSS_CHARACTERISTICS
        return
    with pytest.raises(ValueError, match=r"would not be read back|has no place"):
        generate(for_pcsc([SlotName("cps", name)]))
