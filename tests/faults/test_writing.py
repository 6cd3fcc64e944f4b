"""A code is the same however a log or a customer writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.faults import one_writing, pieces, search

STATUS_WORD = st.integers(0x6000, 0x6FFF).map("{:04X}".format)
SSV = st.integers(0xF000, 0xF9FF).map("{:04X}".format)
PCSC = st.integers(0x80100001, 0x801000FF).map("{:08X}".format)
WRITINGS = [
    "0x{code}",
    "0X{code}",
    "&H{code}",
    "{code}h",
    "{code}",
    "rv=0x{code},",
    "erreur : {code}.",
    "(0x{code})",
]


@given(STATUS_WORD | SSV | PCSC, st.sampled_from(WRITINGS), st.booleans())
def test_a_number_in_any_hexadecimal_writing(code: str, writing: str, lower: bool) -> None:
    said = writing.format(code=code.lower() if lower else code)
    assert code in [piece.upper() for piece in pieces(one_writing(said))]


@given(STATUS_WORD, st.sampled_from(["SW={0}{1}", "SW1SW2 = {0}{1}", "SW1=0x{0} SW2=0x{1}", "sw1: {0}, sw2: {1}"]))
def test_a_status_word_under_its_name(code: str, writing: str) -> None:
    assert code in pieces(one_writing(writing.format(code[:2], code[2:])))


@given(PCSC)
def test_a_return_code_in_bytes_and_as_a_signed_number(code: str) -> None:
    apart = " ".join(code[at : at + 2] for at in (0, 2, 4, 6))
    assert one_writing(apart) == code
    assert one_writing(f"LastError = {int(code, 16) - (1 << 32)}").endswith(code)


@pytest.mark.parametrize(
    ("said", "code"),
    [("69 82", "6982"), ("6a:82", "6a82"), ("F 101", "F101"), ("ff 21", "ff21"), ("80 0E", "800E"), ("63,C1", "63C1")],
)
def test_bytes_apart(said: str, code: str) -> None:
    assert one_writing(f"le logiciel dit {said} depuis hier") == f"le logiciel dit {code} depuis hier"


@pytest.mark.parametrize(
    "said",
    [
        "plus de 50 patients",
        "depuis 3 jours, 2 cartes sur 12",
        "le 12 06 2026 à 9 h 30",
        "DE CE poste, AD BA",
        "la facture FA 2026-11",
        "tél. 01 69 82 11 00",
        "-12",
    ],
)
def test_words_and_other_numbers_stay(said: str) -> None:
    assert one_writing(said) == said


@pytest.mark.parametrize(
    ("line", "first"),
    [
        ("SCardConnect: rv=0x80100069", "withdrawn-between-commands"),
        ("SCardGetStatusChange failed: 0x8010001E", "service-stopped"),
        ("LastError=-2146435026", "reader-lost"),
        ("C_Login() returned CKR_PIN_LOCKED.", "code-blocked"),
        ("sc_transmit: returning with: -1100 sw=6983", "code-blocked"),
        ("SW1=0x63 SW2=0xC1", "code-wrong"),
        ("erreur 0xF101", "reader-lost"),
        ("FF 21", "code-lost-by-reader"),
        ("code porteur bloqué", "code-blocked"),
    ],
)
def test_a_line_of_a_log_leads_to_its_fault(line: str, first: str) -> None:
    """The function that a log names says less than the code it gave."""
    assert search(line)[0].id == first
