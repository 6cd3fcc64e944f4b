"""The clocks: who waits on which of them, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from bifente.ground import clock as module
from bifente.ground.clock import Clock, ShiftedClock, VirtualClock, WallClock

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_a_virtual_clock_is_moved_by_whoever_waits_and_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "sleep", lambda seconds: pytest.fail("nobody sleeps on a virtual clock"))
    clock = VirtualClock(START)
    clock.wait(90)
    assert (clock.now(), clock.monotonic(), clock.earnest) == (START + timedelta(seconds=90), 90, False)


def test_a_wait_is_an_advance_for_whoever_watches_the_clock() -> None:
    class Watched(VirtualClock):
        def advance(self, seconds: float) -> None:
            seen.append(seconds)
            super().advance(seconds)

    seen: list[float] = []
    Watched().wait(2.5)
    assert seen == [2.5]


@pytest.mark.parametrize("way", ["wait", "advance"])
def test_no_virtual_time_goes_back(way: str) -> None:
    clock = VirtualClock(START)
    with pytest.raises(ValueError, match=r"cannot go back by 0\.5 s"):
        getattr(clock, way)(-0.5)
    assert clock.monotonic() == 0


@pytest.mark.parametrize(("seconds", "slept"), [(0.5, [0.5]), (0.0, []), (-3.0, [])])
def test_the_machine_s_time_is_waited_for_unless_it_is_over(
    monkeypatch: pytest.MonkeyPatch, seconds: float, slept: list[float]
) -> None:
    found: list[float] = []
    monkeypatch.setattr(module.time, "sleep", found.append)
    clock = WallClock()
    clock.wait(seconds)
    assert (found, clock.earnest) == (slept, True)


@pytest.mark.parametrize("below", [VirtualClock(START), WallClock()])
def test_a_clock_ahead_waits_as_the_one_below_it(monkeypatch: pytest.MonkeyPatch, below: Clock) -> None:
    found: list[float] = []
    monkeypatch.setattr(below, "wait", found.append)
    ahead = ShiftedClock(below, timedelta(hours=1))
    ahead.wait(4)
    assert (found, ahead.earnest) == ([4], below.earnest)


def test_a_clock_ahead_is_ahead_by_the_same_after_a_wait() -> None:
    below = VirtualClock(START)
    ahead = ShiftedClock(below, timedelta(hours=1))
    ahead.wait(60)
    assert ahead.now() - below.now() == timedelta(hours=1)
    assert (below.monotonic(), ahead.monotonic()) == (60, 60)


def test_a_start_without_a_time_zone_is_refused_and_another_one_is_told_in_utc() -> None:
    with pytest.raises(ValueError, match="time zone"):
        VirtualClock(datetime(2026, 1, 1))
    assert VirtualClock(START.astimezone(timezone(timedelta(hours=2)))).now().tzinfo is UTC


def test_a_clock_started_again_has_spent_nothing() -> None:
    clock = VirtualClock(START)
    clock.wait(5)
    clock.restart()
    assert (clock.now(), clock.monotonic()) == (START, 0)


def test_a_clock_started_at_another_moment_goes_on_from_there_once() -> None:
    clock = VirtualClock(START)
    clock.wait(5)
    other = datetime(2028, 2, 29, 9, tzinfo=timezone(timedelta(hours=1)))
    clock.restart(other)
    clock.wait(60)
    assert (clock.now(), clock.monotonic()) == (other + timedelta(seconds=60), 60)
    clock.restart()
    assert (clock.now(), clock.monotonic()) == (START, 0)


def test_a_clock_is_not_started_at_a_moment_without_a_time_zone() -> None:
    clock = VirtualClock(START)
    clock.wait(5)
    with pytest.raises(ValueError, match="time zone"):
        clock.restart(datetime(2028, 2, 29))
    assert (clock.now(), clock.monotonic()) == (START + timedelta(seconds=5), 5)
