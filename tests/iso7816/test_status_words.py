from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.iso7816 import status
from bifente.simulator.iso7816.status import StatusWord, is_legal, meaning


@pytest.mark.parametrize(
    ("sw", "english", "french"),
    [
        (0x9000, "success", "succès"),
        (0x63C2, "code refused, tries left: 2", "code refusé, essais restants : 2"),
        (0x63C0, "code refused, tries left: 0", "code refusé, essais restants : 0"),
        (0x6119, "25 bytes waiting for GET RESPONSE", "25 octets à lire par GET RESPONSE"),
        (0x6100, "256 bytes waiting for GET RESPONSE", "256 octets à lire par GET RESPONSE"),
        (0x6C0C, "wrong expected length, ask again for 12 bytes", "longueur attendue incorrecte, redemander 12 octets"),
        (0x9F0A, "10 bytes waiting for GET RESPONSE (class A0)", "10 octets à lire par GET RESPONSE (classe A0)"),
        (0x6000, "illegal status word", "mot d'état illégal"),
    ],
)
def test_words_are_told_in_both_languages(sw: int, english: str, french: str) -> None:
    assert meaning(sw) == status.Text(fr=french, en=english)


@pytest.mark.parametrize("sw", list(StatusWord))
def test_every_named_word_has_a_meaning_of_its_own(sw: StatusWord) -> None:
    assert is_legal(sw)
    exact = {word: meaning(word) for word in StatusWord}
    assert [word for word, text in exact.items() if text == meaning(sw) and word != sw] in ([], [0x9404], [0x6A82])


@given(st.integers(0, 0xFFFF))
def test_any_word_has_a_meaning_and_only_illegal_ones_are_said_illegal(sw: int) -> None:
    text = meaning(sw)
    assert text.en
    assert text.fr
    assert (text.en == "illegal status word") == (not is_legal(sw))


@pytest.mark.parametrize("sw", [0x0000, 0x5FFF, 0x6000, 0x60FF, 0x7000, 0x8FFF, 0xA000, 0xFFFF])
def test_what_iso_forbids_is_not_legal(sw: int) -> None:
    assert not is_legal(sw)


def test_families_are_built_as_they_are_read() -> None:
    assert status.more_data(256) == 0x6100
    assert status.more_data(300) == 0x6100
    assert status.more_data(10, 0x9F) == 0x9F0A
    assert status.wrong_expected(256) == 0x6C00
    assert status.tries_left(40) == 0x63CF
