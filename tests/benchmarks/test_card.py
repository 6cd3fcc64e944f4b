"""How fast a card answers in process: the budget is 20,000 round trips a second a core (SELECT, GET RESPONSE, READ).

Run ``pytest tests/benchmarks/test_card.py --benchmark-only``; the figures are printed, not asserted: a machine is not a
rule. In an ordinary run (``--benchmark-disable``, or this file simply collected) each exchange is made and checked.
"""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pytest_benchmark.fixture import BenchmarkFixture

from bifente.simulator.cards.families import make_card
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.engine import SmartCard

SERIAL = bytes.fromhex("5A0A8025000001992138450F")


@pytest.fixture(scope="module")
def card() -> SmartCard:
    layout = Layout.load("cps3")
    keys = {name: rsa.generate_private_key(public_exponent=65537, key_size=2048) for name in layout.keys}
    contents = {name: bytes(64) for name in layout.paths if "." in name and name not in ("EF.SN",)}
    contents = {name: body for name, body in contents.items() if name.startswith("EF")} | {"EF.SN": SERIAL}
    card = make_card(layout.fill(contents=contents, codes={"pin": b"1234", "puk": b"12345678"}, keys=keys))
    card.power_on()
    return card  # type: ignore[no-any-return]


def test_select_and_read(card: SmartCard, benchmark: BenchmarkFixture) -> None:
    select, fetch, read = (bytes.fromhex(apdu) for apdu in ("00A40904043F00D003", "00C0000027", "00B000000C"))

    def round_trip() -> bytes:
        card.transmit(select)
        card.transmit(fetch)
        return card.transmit(read)

    assert benchmark(round_trip) == SERIAL + b"\x90\x00"


def test_verify(card: SmartCard, benchmark: BenchmarkFixture) -> None:
    assert benchmark(card.transmit, bytes.fromhex("002000010431323334")) == b"\x90\x00"


IN_THE_FOLDER = "00A4090C043F000001"
"""SELECT of the folder of the keys: they are used there alone."""


def test_sign(card: SmartCard, benchmark: BenchmarkFixture) -> None:
    for apdu in (IN_THE_FOLDER, "002000010431323334", "002241B606800142840181"):
        assert card.transmit(bytes.fromhex(apdu)) == b"\x90\x00"
    sign = bytes.fromhex("002A9E9A20" + "00" * 32)
    assert benchmark(card.transmit, sign) == bytes.fromhex("6100")


def test_authenticate(card: SmartCard, benchmark: BenchmarkFixture) -> None:
    for apdu in (IN_THE_FOLDER, "002000010431323334", "002241A406800102840182"):
        assert card.transmit(bytes.fromhex(apdu)) == b"\x90\x00"
    authenticate = bytes.fromhex("0088000033" + "00" * 51)
    assert benchmark(card.transmit, authenticate) == bytes.fromhex("6100")
