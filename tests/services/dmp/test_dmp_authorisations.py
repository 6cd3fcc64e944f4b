"""Authorisations on the clock: granted, idle for twelve months and not a day less, blocked, and any sequence of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from bifente.ground.clock import VirtualClock
from bifente.simulator.services.dmp.authorisations import (
    AuthorisationError,
    Authorisations,
    AuthorisationState,
    months_later,
)

DOCTOR, STRUCTURE, OTHER = "899900000011", "499900000011008", "899900000045"
DAY = 86_400.0
START = datetime(2026, 1, 31, 9, tzinfo=UTC)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def record(clock: VirtualClock) -> Authorisations:
    return Authorisations(clock)


def test_twelve_months_and_not_a_day_before(clock: VirtualClock, record: Authorisations) -> None:
    record.add(DOCTOR)
    end = datetime(2027, 1, 31, 9, tzinfo=UTC)
    clock.advance((end - START).total_seconds() - DAY)
    assert record.state(DOCTOR) is AuthorisationState.VALID
    clock.advance(DAY)
    assert record.state(DOCTOR) is AuthorisationState.VALID
    clock.advance(1)
    assert record.state(DOCTOR) is AuthorisationState.EXPIRED


def test_an_access_counts_the_months_anew_but_revives_nothing(clock: VirtualClock, record: Authorisations) -> None:
    record.add(DOCTOR)
    clock.advance(300 * DAY)
    record.used(DOCTOR)
    clock.advance(300 * DAY)
    assert record.state(DOCTOR) is AuthorisationState.VALID
    clock.advance(100 * DAY)
    record.used(DOCTOR)
    assert record.state(DOCTOR) is AuthorisationState.EXPIRED
    assert record.add(DOCTOR) is AuthorisationState.EXPIRED
    assert record.state(DOCTOR) is AuthorisationState.VALID


@pytest.mark.parametrize(
    ("moment", "wanted"),
    [
        (datetime(2024, 2, 29, tzinfo=UTC), datetime(2025, 2, 28, tzinfo=UTC)),
        (datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 12, 31, tzinfo=UTC)),
    ],
)
def test_twelve_months_of_calendar(moment: datetime, wanted: datetime) -> None:
    assert months_later(moment, 12) == wanted


def test_a_block_of_the_structure_forbids_its_professional(record: Authorisations) -> None:
    record.add(DOCTOR)
    record.block(STRUCTURE)
    assert record.state(DOCTOR, STRUCTURE) is AuthorisationState.FORBIDDEN
    with pytest.raises(AuthorisationError, match="blocked"):
        record.add(DOCTOR, STRUCTURE)
    record.unblock(STRUCTURE)
    assert record.state(DOCTOR, STRUCTURE) is AuthorisationState.VALID


def test_unblocking_begins_anew(record: Authorisations) -> None:
    record.add(DOCTOR)
    record.block(DOCTOR)
    record.unblock(DOCTOR)
    assert record.state(DOCTOR) is AuthorisationState.NONE


def test_the_structure_carries_its_professional(record: Authorisations) -> None:
    record.add(STRUCTURE)
    assert record.state(DOCTOR, STRUCTURE) is AuthorisationState.VALID
    assert record.state(DOCTOR) is AuthorisationState.NONE
    assert not record.remove(DOCTOR)


def test_a_treating_doctor_is_authorised_first_and_both_go_together(record: Authorisations) -> None:
    with pytest.raises(AuthorisationError, match="first"):
        record.declare_treating(DOCTOR)
    record.add(DOCTOR)
    record.declare_treating(DOCTOR)
    assert record.treating == {DOCTOR}
    assert record.remove(DOCTOR)
    assert record.treating == set()


class AnySequence(RuleBasedStateMachine):
    """The states against a model that keeps only the moments."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = VirtualClock(START)
        self.record = Authorisations(self.clock)
        self.last: dict[str, datetime] = {}
        self.blocked: set[str] = set()

    parties = st.sampled_from([DOCTOR, OTHER])

    def expected(self, party: str) -> AuthorisationState:
        if party in self.blocked:
            return AuthorisationState.FORBIDDEN
        if party not in self.last:
            return AuthorisationState.NONE
        fresh = self.clock.now() <= months_later(self.last[party], 12)
        return AuthorisationState.VALID if fresh else AuthorisationState.EXPIRED

    @rule(party=parties)
    def add(self, party: str) -> None:
        if party in self.blocked:
            with pytest.raises(AuthorisationError):
                self.record.add(party)
        else:
            assert self.record.add(party) is self.expected(party)
            self.last[party] = self.clock.now()

    @rule(party=parties)
    def remove(self, party: str) -> None:
        assert self.record.remove(party) is (self.last.pop(party, None) is not None)

    @rule(party=parties)
    def use(self, party: str) -> None:
        self.record.used(party)
        if party in self.last and self.clock.now() <= months_later(self.last[party], 12):
            self.last[party] = self.clock.now()

    @rule(party=parties)
    def block(self, party: str) -> None:
        self.record.block(party)
        self.blocked.add(party)

    @rule(party=parties)
    def unblock(self, party: str) -> None:
        self.record.unblock(party)
        if party in self.blocked:
            self.blocked.discard(party)
            self.last.pop(party, None)

    @rule(days=st.integers(0, 400))
    def wait(self, days: int) -> None:
        self.clock.advance(timedelta(days=days).total_seconds())

    @invariant()
    def states(self) -> None:
        for party in (DOCTOR, OTHER):
            assert self.record.state(party) is self.expected(party)
        assert {one.party for one in self.record.live()} == {
            party for party in (DOCTOR, OTHER) if self.expected(party) is AuthorisationState.VALID
        }


TestAnySequence = AnySequence.TestCase
