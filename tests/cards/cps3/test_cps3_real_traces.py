"""Exchanges of real CPS3 cards that were published, answered byte for byte (sources#cps3: OpenSC issues 2223, 2275).

What identifies a card is not compared: its serial number is that of our own card.
"""

from __future__ import annotations

import pytest
from card_driver import EF_SN, Driver

# (what went to the card, what came back). EF.SN of the real card is the one of the hand-made card of these tests.
SUPPLIERS_DRIVER = [
    ("00A40904043F00D003", "6127"),
    (
        "00C0000027",
        "62258002000C8201018302D0038801E0A1128C077BFFFFFFFFFF009C077BFFFFFFFFFF008A01059000",
    ),
    ("00B000000C", "5A0A802500000199213845" + "0F9000"),
    ("00A40904043F00D010", "6A82"),
    ("00A40904043F00D010", "6A82"),
    ("00A4090C043F000001", "9000"),
    ("00A4090C023F00", "9000"),
    ("00CB3FFF0A4D087006BF810102A080", "6118"),
    ("00C0000018", "7016BF810112A0109A01039B0103A1088C06F3000013FF009000"),
    ("00A4090C023F00", "9000"),
]
OPENSC = [
    ("00A4000C023F00", "9000"),
    ("00A40904022F01", "6127"),
    ("00C0000027", "62258002003982010183022F018801E8A1128C077B45FFFFFF45009C077BFFFFFFFFFF008A01059000"),
    (
        "00B0000039",
        "804301B8460404B0ECC147039401804F088025000001FF0100E01002020104020201040202010002020100780806062B8122F8780282029000"
        "9000",
    ),
    ("00A40400088025000001FF0100", "9000"),
    ("00A40904022F00", "6127"),
    ("00C0000027", "62258002006582010183022F008801F0A1128C077B45FFFFFF45009C077BFFFFFFFFFF008A01059000"),
]
SECURITY_ENVIRONMENT = [("00CB3FFF0A4D087006BFFB05027B80", "6A88")]


@pytest.mark.parametrize(
    "trace", [SUPPLIERS_DRIVER, OPENSC, SECURITY_ENVIRONMENT], ids=["2275, Cryptolib", "2223, OpenSC", "2275, OpenSC"]
)
def test_a_published_trace_is_answered_as_by_the_real_card(card: Driver, trace: list[tuple[str, str]]) -> None:
    assert [(command, card.raw(command).hex().upper()) for command, _ in trace] == trace


def test_the_serial_number_of_these_traces_is_that_of_the_hand_made_card() -> None:
    assert SUPPLIERS_DRIVER[2][1] == EF_SN.hex().upper() + "9000"
