"""Configuration files: places, line ends, encodings, bounds, and edits that change nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.simulator.middleware import ini
from bifente.simulator.middleware.findings import Finding, Severity
from bifente.simulator.middleware.ini import LineEnd

_NAME = st.text(st.sampled_from("abcXYZ019._é"), min_size=1, max_size=12)
_VALUE = st.text(st.sampled_from("abc =[];,é%\\:09"), max_size=30).map(str.strip)


def _unique(names: list[str]) -> bool:
    return len({name.lower() for name in names}) == len(names)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(_NAME, st.dictionaries(_NAME, _VALUE, max_size=4), max_size=4).filter(
        lambda sections: _unique(list(sections)) and all(_unique(list(entries)) for entries in sections.values())
    ),
    st.sampled_from(LineEnd),
)
def test_written_and_read_back(sections: dict[str, dict[str, str]], line_end: LineEnd) -> None:
    data = ini.write(sections, line_end)
    file = ini.read(data)
    assert {
        section.name: {entry.key: entry.value for entry in section.entries.values()}
        for section in file.sections.values()
    } == sections
    for section in file.sections.values():
        for entry in section.entries.values():
            line = data.decode("cp1252").split(line_end.value)[entry.line - 1]
            assert line == f"{entry.key}={entry.value}"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_in_a_sentence(data: bytes) -> None:
    refusal: ini.UnreadableError | None = None
    findings: tuple[Finding, ...] = ()
    try:
        findings = ini.read(data).findings
    except ini.UnreadableError as error:
        refusal = error
    assert refusal is None or (refusal.finding.message.fr and refusal.finding.cure.en)
    assert all(finding.severity is Severity.WARNING for finding in findings)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xfe[\0A\0]\0", "UTF-16"),
        (b"[A]\0", "null bytes"),
        (b"[A]\nk=\x81", "byte 6 (81)"),
        (b"x" * (ini.MAX_BYTES + 1), "64 KiB"),
        (b"\n" * (ini.MAX_LINES + 1), "4096 lines"),
    ],
)
def test_what_is_no_configuration_file(data: bytes, words: str) -> None:
    with pytest.raises(ini.UnreadableError) as caught:
        ini.read(data)
    assert words in caught.value.finding.message.en


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"[A]\r\nk=1\r\nK=2\r\n", 3, "stands already on line 2"),
        (b"[A]\nk=1\n[B]\n[a]\nk=2\n", 4, "stands already on line 1"),
        (b"k=1\n[A]\n", 1, "before any section"),
        (b"[A]\rk\r", 2, "no key=value"),
        (b"[A\nk=1\n", 1, "no closing bracket"),
        (b"[]\n", 1, "is empty"),
        (b"[A]\n=1\n", 2, "no key=value"),
        ("\ufeff[A]\n".encode(), 1, "UTF-8 mark"),
        ("[A]\r\nk=é\r\n".encode(), 2, "accents are UTF-8"),
    ],
)
def test_oddities_are_told_with_their_line(data: bytes, line: int, words: str) -> None:
    (finding, *_others) = ini.read(data).findings
    assert (finding.line, finding.severity) == (line, Severity.WARNING)
    assert words in finding.message.en


def test_of_two_keys_or_sections_the_first_counts() -> None:
    file = ini.read(b"[A]\nk=1\nK=2\n[a]\nk=3\nother=4\n")
    section = file.get("a")
    assert section is not None
    assert {key: entry.value for key, entry in section.entries.items()} == {"k": "1"}


def test_what_follows_a_nameless_section_belongs_to_none() -> None:
    file = ini.read(b"[A]\nk=1\n[]\nk=2\nz=3\n[B]\nk=4")
    assert {name: dict(section.entries) for name, section in file.sections.items()}.keys() == {"a", "b"}
    section = file.get("A")
    assert section is not None
    assert section.get("z") is None


def test_comments_and_blanks_and_spaces_around_are_nothing() -> None:
    file = ini.read(b"; k=0\n\n  [A]  \n  k  =  v w  \n ;z=1\n")
    section = file.get("A")
    assert section is not None
    assert [(entry.key, entry.value, entry.line) for entry in section.entries.values()] == [("k", "v w", 4)]
    assert file.findings == ()


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_an_edit_changes_nothing_else(end: bytes) -> None:
    data = end.join([b"; top", b"[A]", b"k=1", b"z=2", b"", b"[B]", b"k=3", b""])
    assert ini.edited(data, "B", "k", "9") == data.replace(b"k=3", b"k=9")
    assert ini.edited(data, "a", "K", None) == data.replace(b"k=1" + end, b"")
    assert ini.edited(data, "B", "new", "5") == data.replace(b"[B]" + end, b"[B]" + end + b"new=5" + end)
    assert ini.edited(data, "B", None, None) == data[: data.index(b"[B]")]


@pytest.mark.parametrize(("section", "key", "value"), [("C", "k", "1"), ("C", None, None), ("A", "none", None)])
def test_an_edit_of_what_is_not_there_is_refused(section: str, key: str | None, value: str | None) -> None:
    with pytest.raises(KeyError, match=section):
        ini.edited(b"[A]\nk=1\n", section, key, value)


@pytest.mark.parametrize(
    "sections",
    [
        {"A]": {}},
        {"": {}},
        {"A": {"k=": "1"}},
        {"A": {";k": "1"}},
        {"A": {"[k": "1"}},
        {"A": {"k": "1\n[B]"}},
        {"A": {"k": " 1"}},
        {"A": {"k": "Ω"}},
    ],
)
def test_what_would_be_read_back_as_something_else_is_not_written(sections: dict[str, dict[str, str]]) -> None:
    with pytest.raises(ValueError, match=r"."):
        ini.write(sections)
