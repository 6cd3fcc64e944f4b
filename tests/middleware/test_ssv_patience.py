"""Trying again: how often, how long, and only where it is worth it."""

from __future__ import annotations

import pytest

from bifente.ground.clock import VirtualClock, WallClock
from bifente.simulator.middleware.patience import EXCLUSIVITY, TRANSMISSION, Patience, insist


class Failing:
    """Fails so many times, then gives its count of tries."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.failures, self.error, self.tries = failures, error, 0

    def __call__(self) -> int:
        self.tries += 1
        if self.tries <= self.failures:
            raise self.error
        return self.tries


def test_the_field_waits_ten_times_500_ms_for_a_card_and_sends_a_command_five_times() -> None:
    assert (EXCLUSIVITY.tries, EXCLUSIVITY.pause) == (10, 0.5)
    assert (TRANSMISSION.tries, TRANSMISSION.pause) == (5, 0.0)


@pytest.mark.parametrize("failures", [0, 1, 9])
def test_a_try_that_succeeds_ends_it_and_only_the_pauses_before_it_are_spent(failures: int) -> None:
    clock, action = VirtualClock(), Failing(failures, OSError())
    assert insist(EXCLUSIVITY, clock, action, lambda error: True) == failures + 1
    assert clock.monotonic() == pytest.approx(0.5 * failures)


def test_the_last_failure_is_raised_without_another_pause() -> None:
    clock, action = VirtualClock(), Failing(99, OSError("held"))
    with pytest.raises(OSError, match="held"):
        insist(EXCLUSIVITY, clock, action, lambda error: True)
    assert (action.tries, clock.monotonic()) == (10, pytest.approx(4.5))


def test_what_is_not_worth_it_is_tried_once() -> None:
    clock, action = VirtualClock(), Failing(99, ValueError("bad"))
    with pytest.raises(ValueError, match="bad"):
        insist(EXCLUSIVITY, clock, action, lambda error: isinstance(error, OSError))
    assert (action.tries, clock.monotonic()) == (1, 0)


def test_a_single_try_is_a_single_try() -> None:
    action = Failing(1, OSError("held"))
    with pytest.raises(OSError, match="held"):
        insist(Patience(1, 5.0), VirtualClock(), action, lambda error: True)
    assert action.tries == 1


def test_the_machine_s_time_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    clock = WallClock()
    monkeypatch.setattr(clock, "wait", slept.append)
    assert insist(EXCLUSIVITY, clock, Failing(2, OSError()), lambda error: True) == 3
    assert slept == [0.5, 0.5]
