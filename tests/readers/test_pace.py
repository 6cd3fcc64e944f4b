"""The speed of a real card: time passes on the bench clock as bytes do, and only where a profile asks for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.conformance.bench.profiles import load_profile
from bifente.ground.clock import VirtualClock
from bifente.simulator.readers import Slot
from bifente.simulator.readers.pace import Pace

REAL = "readers/generic-real-speed"


class Echo:
    atr = bytes(15)

    def power_on(self) -> bytes:
        return self.atr

    def power_off(self) -> None:
        pass

    def transmit(self, command: bytes) -> bytes:
        return bytes(command[4]) + b"\x90\x00"


def slot(pace: Pace | None) -> tuple[Slot, VirtualClock]:
    clock = VirtualClock()
    made = Slot("Lecteur 00 00", clock)
    made.pace = pace
    made.insert(Echo())  # type: ignore[arg-type]
    return made, clock


def test_a_bit_takes_fi_over_di_ticks_and_a_byte_its_etu() -> None:
    # ISO/IEC 7816-3: 372/1 at 3.5712 MHz are 9600 bits a second; ten of them are a byte without guard time.
    assert Pace(3571, etu=10).byte == pytest.approx(10 / 9600, rel=1e-3)
    assert Pace(4000, fi=512, di=8, etu=12).byte == pytest.approx(12 * 64 / 4e6)


def test_reading_cps_data_takes_what_it_takes_on_a_real_card() -> None:
    """Some 4 KiB by 256 bytes took 4 to 5 seconds in seven runs on real cards."""
    speed = load_profile(REAL)[0].speed
    assert speed is not None
    made, clock = slot(speed.pace)
    before = clock.monotonic()
    for _block in range(16):
        made.exchange(bytes.fromhex("00B00000FF"))
    assert 4 <= clock.monotonic() - before <= 5


def test_an_answer_to_reset_takes_its_time_too() -> None:
    made, clock = slot(Pace(3571))
    before = clock.monotonic()
    made.power_on()
    assert clock.monotonic() - before == pytest.approx(15 * Pace(3571).byte)


def test_without_a_pace_nobody_waits() -> None:
    made, clock = slot(None)
    before = clock.monotonic()
    made.exchange(bytes.fromhex("00B00000FF"))
    assert clock.monotonic() == before
    assert load_profile("readers/generic-bislot")[0].speed is None


def test_every_slot_of_a_profile_has_its_pace() -> None:
    profile = load_profile(REAL)[0]
    assert profile.speed is not None
    assert {one.pace for one in profile.reader(VirtualClock()).slots} == {profile.speed.pace}


@given(st.integers(1000, 20_000), st.lists(st.binary(max_size=300), max_size=4))
def test_time_is_that_of_the_bytes(khz: int, parts: list[bytes]) -> None:
    pace = Pace(khz)
    assert pace.seconds(*parts) == pytest.approx(pace.seconds(b"".join(parts)))
    assert pace.seconds(*parts) >= 0
