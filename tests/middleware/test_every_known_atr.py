"""Every ATR that the card families know can be had on a card, and is recognised by whatever looks at ATRs."""

from __future__ import annotations

import pytest

from bifente.simulator.cards.cpx.discovery import families_of
from bifente.simulator.cards.families import families
from bifente.simulator.iso7816.atr import Atr
from bifente.simulator.middleware.recognition import CardKind, kind_of

KNOWN = [(family.name, atr) for family in families().values() for atrs in family.atrs().values() for atr in atrs]
TAKEN_FOR = {
    "cps3": CardKind.CPS,
    "cps4": CardKind.CPS,
    "vitale1": CardKind.VITALE_1,
    "vitale2": CardKind.VITALE_2,
}


@pytest.mark.parametrize(("family", "atr"), KNOWN, ids=[f"{family}-{atr.hex()}" for family, atr in KNOWN])
def test_an_atr_is_recognised(family: str, atr: bytes) -> None:
    assert kind_of(atr) is TAKEN_FOR[family]
    Atr.parse(atr)
    if family.startswith("cps"):
        assert families_of(atr) == (family,)


def test_the_atrs_of_the_facts_are_all_there() -> None:
    # sources#vitale-card, sources#cps3, sources#cps4, sources#cryptolib-source
    facts = {
        "cps3": {
            *("3BAC00402A001225006480000310009000", "3BAC00402A001225006480820212009000"),
            "3B8F80010031B86404B0ECC1739401808290000E",
        },
        "cps4": {
            *("3BDC18FF00001225006480000401009000", "3B9B188001001225006480040100009044"),
            "3B9B188001001225006480000401009044",
        },
        "vitale2": {f"3B75130000{number}09EA9000" for number in ("43", "44", "45", "47", "48", "49", "4B", "4C")},
    }
    for name, due in facts.items():
        assert {atr.hex().upper() for family, atr in KNOWN if family == name} == due
