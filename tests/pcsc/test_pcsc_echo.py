from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.iso7816.card import Card
from bifente.simulator.pcsc.echo import ECHO_ATR, EchoCard


@pytest.mark.parametrize(
    ("command", "data"),
    [
        ("00A40000", ""),
        ("00B0000010", ""),
        ("00DA000003010203", "010203"),
        ("00DA00000301020300", "010203"),
        ("00DA0000000003010203", "010203"),
        ("00DA00000000030102030000", "010203"),
        ("00B00000000100", ""),
    ],
)
def test_the_data_comes_back(command: str, data: str) -> None:
    assert EchoCard(b"x").transmit(bytes.fromhex(command)) == b"x" + bytes.fromhex(data) + b"\x90\x00"


@given(st.binary(max_size=300))
def test_any_command_is_answered(command: bytes) -> None:
    card: Card = EchoCard()
    assert card.transmit(command)[-2:] == b"\x90\x00"


def test_the_longest_command_fits_in_a_message() -> None:
    assert len(EchoCard(b"12345").transmit(bytes.fromhex("00DA000000FFFF") + bytes(65535))) == 65535


def test_power_changes_nothing() -> None:
    card = EchoCard()
    assert card.power_on() == card.reset() == card.atr == ECHO_ATR
    card.power_off()
