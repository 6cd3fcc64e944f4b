"""sesam.ini: written and read back, its mistakes, its folders, its patience."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.simulator.middleware.ini import edited
from bifente.simulator.middleware.patience import Patience
from bifente.simulator.middleware.sesam import KnownFolders, Sesam, examine, generate, usual

USUAL = usual()
SOUND = generate(USUAL)
DISK = KnownFolders.of(USUAL)

_FOLDER = st.text(st.sampled_from("abcé ()._09"), min_size=1, max_size=20).map(str.strip).filter(bool)
_PATH = _FOLDER.map("C:\\{}".format)
_PATIENCE = st.builds(Patience, st.integers(1, 1000), st.integers(0, 60_000).map(lambda ms: ms / 1000))
_SESAM = st.builds(
    Sesam, _PATH, _PATH, _PATH, _PATH, _PATH, _PATH, _PATH, st.booleans(), _PATIENCE, _PATIENCE, _PATIENCE
)


@settings(max_examples=150, deadline=None)
@given(_SESAM)
def test_what_is_written_is_read_back_the_same_and_finds_its_folders(sesam: Sesam) -> None:
    examined = examine(generate(sesam), KnownFolders.of(sesam))
    assert examined.sesam == sesam
    assert examined.findings == ()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=500))
def test_any_bytes_give_settings_or_a_code(data: bytes) -> None:
    examined = examine(data, DISK)
    assert examined.sesam is not None or examined.code != 0


def test_the_usual_file_is_cp1252_with_windows_line_ends() -> None:
    assert b"\r\n" in SOUND
    assert b"\n" not in SOUND.replace(b"\r\n", b"")
    assert examine(SOUND, DISK).findings == ()
    for key in (b"tempoexclusivite=500", b"repetitionexclusivitePCSC=10", b"tempoaccesfichier=500"):
        assert key in SOUND


@pytest.mark.parametrize(
    ("section", "key", "value", "code"),
    [
        ("SSV", "RepertoireTable", None, 0xF680),
        ("SSV", "RepertoireTable", "", 0xF680),
        ("SSV", None, None, 0xF680),
        ("COMMUN", "RepertoireTravail", None, 0xF6F1),
        ("COMMUN", None, None, 0xF6F1),
        ("SRT", "RepertoireTable", None, 0),
        ("STS", None, None, 0),
    ],
)
def test_missing_keys(section: str, key: str | None, value: str | None, code: int) -> None:
    assert examine(edited(SOUND, section, key, value), DISK).code == code


FIELD = (
    "[ssv]\r\nrepertoiretable=C:\\fsv\\1.40.14\\ssv\r\n[mgc]\r\nrepertoireconfigtrace=C:\\fsv\\1.40.14\\conf\r\n{more}"
)


@pytest.mark.parametrize("more", ["", "[COMMUN]\r\nRepertoireTable=C:\\fsv\\1.40.14\\ssv\r\n"])
def test_a_file_of_the_field_needs_no_work_folder_to_be_right(more: str) -> None:
    data = FIELD.format(more=more).encode()
    assert examine(data).findings == ()
    assert examine(data, DISK).code == 0xF6F1, "the simulated FSV need theirs"


def test_an_empty_work_folder_is_wrong_for_everybody() -> None:
    assert examine(edited(SOUND, "COMMUN", "RepertoireTravail", "")).code == 0xF6F1


def test_no_file_or_no_text_is_a_missing_table_path() -> None:
    assert examine(None).code == 0xF680
    assert examine("[SSV]".encode("utf-16")).code == 0xF680
    assert examine(b"").code == 0xF680


def test_folders_that_are_not_there() -> None:
    without = KnownFolders({path: names for path, names in DISK.folders.items() if path != USUAL.tables.lower()})
    assert examine(SOUND, without).code == 0xF610
    assert examine(SOUND, KnownFolders(DISK.folders, frozenset({USUAL.work.lower()}))).code == 0xF6F2
    without = KnownFolders({path: names for path, names in DISK.folders.items() if path != USUAL.work.lower()})
    assert examine(SOUND, without).code == 0xF6F2
    assert examine(SOUND).code == 0


def test_tables_incomplete_in_one_architecture_are_named() -> None:
    data = edited(SOUND, "SSV", "RepertoireTable", "C:\\fsv\\x86\\tables")
    both = {
        **DISK.folders,
        "c:\\fsv\\x86\\tables": frozenset({"a.bin"}),
        "c:\\fsv\\x64\\tables": frozenset({"a.bin", "b.bin"}),
    }
    (finding,) = examine(data, KnownFolders(both)).findings
    assert "b.bin" in finding.message.en
    assert examine(data, KnownFolders({**both, "c:\\fsv\\x86\\tables": both["c:\\fsv\\x64\\tables"]})).findings == ()


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        (None, None, "section MGC is absent"),
        ("RepertoireConfigTrace", None, "absent or empty"),
        ("RepertoireConfigTrace", "conf", "no absolute path"),
        ("RepertoireConfigTrace", "C:\\%TEMP%\\conf", "no absolute path"),
        ("RepertoireConfigTrace", "C:\\nowhere", "log4crc.xml is not found"),
    ],
)
def test_trace_settings_of_mgc(key: str | None, value: str | None, words: str) -> None:
    examined = examine(edited(SOUND, "MGC", key, value), DISK)
    assert words in examined.findings[0].message.en
    assert examined.code == 0
    assert examined.sesam is not None


@pytest.mark.parametrize(
    ("key", "value", "patience"),
    [
        ("tempoexclusivite", "200", Patience(10, 0.2)),
        ("repetitionexclusivite", "3", Patience(3, 0.5)),
        ("repetitionexclusivite", "0", Patience(10, 0.5)),
        ("repetitionexclusivite", "1001", Patience(10, 0.5)),
        ("tempoexclusivite", "vite", Patience(10, 0.5)),
        ("tempoexclusivite", "-1", Patience(10, 0.5)),
        ("tempoexclusivite", "60001", Patience(10, 0.5)),
        ("tempoexclusivite", None, Patience(10, 0.5)),
    ],
)
def test_patience_is_read_and_the_kits_stands_in(key: str, value: str | None, patience: Patience) -> None:
    examined = examine(edited(SOUND, "SSV", key, value), DISK)
    assert examined.sesam is not None
    assert examined.sesam.exclusivity == patience
    assert examined.sesam.exclusivity_pcsc == Patience(10, 0.5)
    told = value is not None and patience == Patience(10, 0.5)
    assert [finding.line > 1 for finding in examined.findings] == [True] * told


@pytest.mark.parametrize(("end", "line"), [(b"\n", 1), (b"\r", 1)])
def test_line_ends_that_are_not_windows_are_told(end: bytes, line: int) -> None:
    examined = examine(SOUND.replace(b"\r\n", end), DISK)
    assert examined.sesam == USUAL
    (finding,) = examined.findings
    assert finding.line == line
    mixed = SOUND.replace(b"[MGC]\r\n", b"[MGC]\n")
    (finding,) = examine(mixed, DISK).findings
    assert finding.line == SOUND[: SOUND.index(b"[MGC]")].count(b"\r\n") + 1


def test_accents_saved_as_utf8_are_told() -> None:
    data = SOUND.replace(b"santesocial", "santé".encode())
    (finding,) = examine(data).findings
    assert "UTF-8" in finding.message.en
