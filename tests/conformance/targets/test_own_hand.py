"""The hand on the bench's own service: one device is shown at a time, as it was at the start."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bifente.conformance.targets.facets import PinPadKeys
from bifente.conformance.targets.own import OwnHand
from bifente.ground.clock import WallClock
from bifente.simulator.pcsc.own.service import OwnPcsc
from bifente.simulator.readers import PinPad, Reader, Slot

ONE, OTHER, PAIR = "One 0", "Other 0", ("Pair A 0", "Pair B 0")


def reader(*names: str, pin_pad: PinPad | None = None) -> Reader:
    return Reader(names[0].rpartition(" ")[0], tuple(Slot(name, WallClock()) for name in names), (), pin_pad)


@pytest.fixture
def devices() -> tuple[Reader, Reader, Reader]:
    parts = tuple(reader(name) for name in PAIR)
    pair = Reader("Pair", tuple(slot for part in parts for slot in part.slots), parts)
    return reader(ONE), reader(OTHER), pair


@pytest.fixture
def service(devices: tuple[Reader, ...]) -> Iterator[OwnPcsc]:
    with OwnPcsc.start(devices) as started:
        yield started


def test_at_the_start_all_are_there(service: OwnPcsc) -> None:
    assert set(service.reader_names) == {ONE, OTHER, *PAIR}


def test_what_is_shown_is_alone(service: OwnPcsc, devices: tuple[Reader, ...]) -> None:
    one, other, pair = devices
    hand = OwnHand(service, one)
    for shown, names in ((one, (ONE,)), (pair, PAIR), (other, (OTHER,)), (other, (OTHER,)), (one, (ONE,))):
        hand.show(shown)
        assert service.reader_names == names


def test_it_is_shown_as_it_was_whatever_a_scenario_did(service: OwnPcsc, devices: tuple[Reader, ...]) -> None:
    one, other, pair = devices
    hand = OwnHand(service, one)
    hand.show(one)
    hand.unplug(one)
    hand.plug(one, [OTHER])
    hand.stop()
    hand.show(other)
    assert service.reader_names == (OTHER,)
    hand.unplug(other)
    hand.show(one)
    assert service.reader_names == (ONE,)
    hand.show(pair)
    assert service.reader_names == PAIR


def test_to_restore_brings_back_no_other(service: OwnPcsc, devices: tuple[Reader, ...]) -> None:
    one, _other, pair = devices
    hand = OwnHand(service, one)
    hand.show(pair)
    hand.unplug(pair)
    hand.restore()
    assert service.reader_names == PAIR


def test_keys_are_pressed_on_the_device_in_hand() -> None:
    pads = [PinPad(), PinPad()]
    first, second = (reader(name, pin_pad=pad) for name, pad in zip((ONE, OTHER), pads, strict=True))
    bare = reader("Bare 0")
    with OwnPcsc.start([first, second, bare]) as service:
        hand = OwnHand(service, first)
        for device in (second, first):
            hand.show(device)
            keys = hand.facets[PinPadKeys]
            assert isinstance(keys, PinPadKeys)
            assert keys.pad is device.pin_pad
        hand.show(bare)
        assert PinPadKeys not in hand.facets
