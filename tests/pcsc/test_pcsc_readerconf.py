from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pcsc_tools import new_reader

from bifente.simulator.pcsc import readerconf
from bifente.simulator.pcsc.errors import Link, PcscdError
from bifente.simulator.pcsc.readerconf import match_names, parse, plan, render


def test_a_reader_takes_one_entry_for_each_two_slots() -> None:
    entries = plan([new_reader("One", 1), new_reader("Three", 3), new_reader("Two")], first_port=100)
    assert [(entry.name, entry.port, len(entry.slots)) for entry in entries] == [
        ("One", 100, 1),
        ("Three", 102, 2),
        ("Three (2)", 104, 1),
        ("Two", 106, 2),
    ]


@pytest.mark.parametrize("name", ["", "x" * 122, "é" * 61, 'a"b', "a\nb", " a", "a\0b"])
def test_a_name_that_pcscd_would_change_is_refused(name: str) -> None:
    with pytest.raises(PcscdError, match="name") as caught:
        plan([new_reader(name)])
    assert caught.value.link is Link.READERS


@pytest.mark.parametrize(
    ("readers", "words"),
    [
        ([], "no reader"),
        ([new_reader("Empty", 0)], "no reader"),
        ([new_reader("A"), new_reader("A")], "two readers"),
        ([new_reader("A", 3), new_reader("A (2)")], "two readers"),
        ([new_reader(str(number)) for number in range(9)], "9 entries"),
    ],
)
def test_what_pcscd_could_not_show_is_refused(readers: list, words: str) -> None:
    with pytest.raises(PcscdError, match=words) as caught:
        plan(readers)
    assert caught.value.link is Link.READERS
    assert caught.value.cure.fr != caught.value.cure.en


def test_what_is_written_is_read_back() -> None:
    entries = plan([new_reader("Lecteur bi-fente é (n°2) #x"), new_reader("B")])
    read = parse(render(entries, ["/run/a.so", "/run/b.so"]))
    assert [(entry.name, entry.driver, entry.port) for entry in read] == [
        ("Lecteur bi-fente é (n°2) #x", "/run/a.so", entries[0].port),
        ("B", "/run/b.so", entries[1].port),
    ]


def test_debian_s_own_file_is_read() -> None:
    text = (
        'FRIENDLYNAME "Virtual PCD"\nDEVICENAME   /dev/null:0x8C7B\n'
        "LIBPATH      /usr/lib/pcsc/drivers/serial/libifdvpcd.so\nCHANNELID    0x8C7B\n"
        '#FRIENDLYNAME "no"\n'
    )
    (entry,) = parse(text)
    assert (entry.name, entry.port) == ("Virtual PCD", 0x8C7B)


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    parse(text)
    parse(f'FRIENDLYNAME "{text}"\n{text}')


def test_names_are_found_among_those_of_pcscd() -> None:
    entries = plan([new_reader("A"), new_reader("A 00", 1)])
    listed = ["A 00 00", "A 00 01", "A 00 00 00", "A 00 00 01"]
    assert match_names(entries, listed) == ("A 00 00", "A 00 01", "A 00 00 00")


@pytest.mark.parametrize("listed", [[], ["A 00 00"], ["A 00 00", "A 00 01", "A 00 01"]])
def test_a_name_missing_or_double_is_an_error(listed: list[str]) -> None:
    with pytest.raises(PcscdError) as caught:
        match_names(plan([new_reader("A")]), listed)
    assert caught.value.link is Link.READER_LISTED


def test_a_line_is_looked_at_once_however_many_are_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    class Counting:
        def match(self, line: str) -> object:
            looked.append(line)
            return pattern.match(line)

    pattern = readerconf._DIRECTIVE
    monkeypatch.setattr(readerconf, "_DIRECTIVE", Counting())
    text = "\n" * 32_000 + 'FRIENDLYNAME "A"\n' + " " * 32_000 + "\nLIBPATH /x\n"
    (entry,) = parse(text)
    assert (entry.name, entry.driver) == ("A", "/x")
    assert sum(map(len, looked)) <= len(text)


def _cost(text: str) -> float:
    """Processor time of one reading, the best of three: what else the machine does makes it longer only."""
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        assert parse(text) == ()
        best = min(best, time.process_time() - started)
    return best


@pytest.mark.parametrize(
    "line", ["\n", " \n", "# nothing\n", "   FRIENDLYNAME\n"], ids=["empty", "blank", "comment", "cut"]
)
def test_reading_takes_time_in_proportion_to_the_file(line: str) -> None:
    # Blanks that could run over lines were tried from each of them again: four times the lines, sixteen times the time.
    assert _cost(line * 32_000) < 9 * _cost(line * 8_000) + 0.01
