"""A card held exclusively with nothing done: what counts is how it is held then, not how it was connected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bifente.conformance.observation.rules.all import RULES
from bifente.conformance.observation.story import Story
from bifente.reports.events import Call

BEGAN = datetime(2026, 1, 2, 8, tzinfo=UTC)
SUCCESS = "SCARD_S_SUCCESS"
REFUSED = "SHARING_VIOLATION"


def call(at: float, function: str, share: str = "", result: str = SUCCESS) -> Call:
    return Call(
        seq=int(at * 10),
        time=(BEGAN + timedelta(seconds=at)).isoformat(),
        function=function,
        client="7/1",
        slot="cps",
        arguments={"share": share} if share else {},
        result=result,
    )


def said(*calls: Call) -> list[str] | None:
    """What is said of it in English; None where no card was held exclusively."""
    breaches = RULES["no-idle-exclusive-connection"].judge(Story(calls))
    return None if breaches is None else [one.said.en for one in breaches]


def test_a_shared_card_is_no_matter_of_this_rule() -> None:
    assert said(call(0, "SCardConnect", "shared"), call(5, "SCardDisconnect")) is None


def test_an_exclusive_connection_is_held_and_used_or_not() -> None:
    assert said(call(0, "SCardConnect", "exclusive"), call(0.5, "SCardStatus"), call(1.2, "SCardDisconnect")) == []
    assert said(call(0, "SCardConnect", "exclusive"), call(3, "SCardDisconnect")) == [
        "card cps held exclusively for 3.0 s with nothing done"
    ]


def test_a_card_made_exclusive_by_a_reconnection_is_held_exclusively() -> None:
    calls = [call(0, "SCardConnect", "shared"), call(4, "SCardReconnect", "exclusive"), call(6, "SCardDisconnect")]
    assert said(*calls) == ["card cps held exclusively for 2.0 s with nothing done"]


def test_a_card_given_back_to_all_by_a_reconnection_is_not() -> None:
    calls = [call(0, "SCardConnect", "exclusive"), call(0.5, "SCardReconnect", "shared"), call(9, "SCardDisconnect")]
    assert said(*calls) == []


def test_a_reconnection_that_was_refused_changes_nothing() -> None:
    refused = call(0.5, "SCardReconnect", "exclusive", REFUSED)
    assert said(call(0, "SCardConnect", "shared"), refused, call(9, "SCardDisconnect")) is None


def test_one_that_is_never_left_is_held_to_the_end() -> None:
    last = Call(
        seq=99, time=(BEGAN + timedelta(seconds=9)).isoformat(), function="C_Sign", client="8/1", result="CKR_OK"
    )
    assert said(call(0, "SCardConnect", "shared"), call(1, "SCardReconnect", "exclusive"), last) == [
        "card cps held exclusively to the end"
    ]
