from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.iso7816.atr import Atr, AtrError


@pytest.mark.parametrize(
    ("raw", "protocols", "historical"),
    [
        ("3BAC00402A001225006480000310009000", (0,), "001225006480000310009000"),
        ("3B8F80010031B86404B0ECC1739401808290000E", (0, 1), "0031B86404B0ECC17394018082 9000"),
        ("3B00", (0,), ""),
        ("3BDC18FF8191FE1FC38073C821136601061159 0001 00".replace("0001 00", ""), None, None),
    ],
)
def test_protocols_and_historical_bytes(raw: str, protocols: tuple[int, ...] | None, historical: str | None) -> None:
    if protocols is None:
        with pytest.raises(AtrError):
            Atr.parse(bytes.fromhex(raw))
        return
    atr = Atr.parse(bytes.fromhex(raw))
    assert atr.protocols == protocols
    assert atr.historical == bytes.fromhex(historical or "")


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "3B",
        "3A00",
        "3BAC00402A0012250064800003100090",
        "3BAC00402A00122500648000031000900000",
        "3B8F80010031B86404B0ECC1739401808290000F",
        "3B8F80010031B86404B0ECC17394018082 9000",
        "3B80",
        "3B" + "00" * 33,
    ],
)
def test_what_is_no_atr_is_refused(raw: str) -> None:
    with pytest.raises(AtrError):
        Atr.parse(bytes.fromhex(raw))


@given(st.binary(max_size=40) | st.binary(max_size=35).map(lambda body: b"\x3b" + body))
def test_arbitrary_bytes_never_raise_anything_else(raw: bytes) -> None:
    try:
        Atr.parse(raw)
    except AtrError as error:
        assert str(error)  # noqa: PT017
