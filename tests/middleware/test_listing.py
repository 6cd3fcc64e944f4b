"""Listings of readers as the tools of each system write them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.middleware.listing import MAX_BYTES, ListedReader, ListingError, parse
from bifente.simulator.middleware.recognition import CardKind

CPS_ATR = "3bac00402a001225006480000310009000"
VITALE_ATR = "3f6525002c09699000"
BOTH = (ListedReader("A 00", CardKind.CPS), ListedReader("A 01", CardKind.VITALE_1), ListedReader("B", None))


def spaced(text: str) -> str:
    return " ".join(text[at : at + 2].upper() for at in range(0, len(text), 2))


LISTINGS = {
    "system_profiler": f"""Smartcards:
      #01: A 00 (ATR:{{length = 17, bytes = 0x{CPS_ATR}}})
      #02: A 01 (ATR:{{length = 9, bytes = 0x{VITALE_ATR}}})
      #03: B (no card present)
""",
    "an older system_profiler": f"""#01: A 00 (ATR:<{CPS_ATR[:8]} {CPS_ATR[8:]}>)
#02: A 01 (ATR:<{VITALE_ATR[:8]} {VITALE_ATR[8:16]} {VITALE_ATR[16:]}>)
#03: B (no card present)
""",
    "pcsc_scan": f"""Scanning present readers...
0: A 00
1: A 01
2: B

Sun Nov 29 20:00:00 2026
 Reader 0: A 00
  Event number: 0
  Card state: \x1b[31mCard inserted, Shared Mode, \x1b[0m
  ATR: \x1b[35m{spaced(CPS_ATR)}\x1b[0m
 Reader 1: A 01
  Card state: Card inserted,
  ATR: {spaced(VITALE_ATR)}
 Reader 2: B
  Card state: Card removed,
""",
    "certutil": f"""--- Lecteur : A 00
--- Status: SCARD_STATE_PRESENT
--- ATR :
        {spaced(CPS_ATR[:32])}   ;.@*..%.d.
        {spaced(CPS_ATR[32:])}   ..
--- Reader: A 01
--- ATR:
        {spaced(VITALE_ATR)}  ?e%.,.i..
--- Reader: B
--- Status: SCARD_STATE_EMPTY
""",
}


@pytest.mark.parametrize("tool", LISTINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_each_tool_is_understood(tool: str, end: str) -> None:
    assert parse(LISTINGS[tool].replace("\n", end)) == BOTH


def test_opensc_tells_of_cards_but_of_no_atr() -> None:
    text = "# Detected readers (pcsc)\nNr.  Card  Features  Name\n0    Yes             A 00\n1    No              B\n"
    assert parse(text) == (ListedReader("A 00", CardKind.OTHER), ListedReader("B", None))


def test_a_card_whose_atr_is_not_known_is_another_card() -> None:
    assert parse("#01: A (ATR:{length = 2, bytes = 0x3b00})")[0].kind is CardKind.OTHER


@pytest.mark.parametrize(
    "text", ["", "nothing", "x" * (MAX_BYTES + 1), "".join(f"#1: R{n} (no card present)\n" for n in range(300))]
)
def test_what_is_no_listing_is_refused(text: str) -> None:
    with pytest.raises(ListingError):
        parse(text)


@given(st.text(st.sampled_from("#0123456789: ()ATR{}=,xbytes<>Yeso-\n\r\t"), max_size=300))
def test_any_text_is_a_listing_or_refused(text: str) -> None:
    with contextlib.suppress(ListingError):
        assert all(reader.name for reader in parse(text))
