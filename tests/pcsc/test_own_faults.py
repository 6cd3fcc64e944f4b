"""What vpcd cannot show, through our own service: faults in a command, movements at once, hot plug, PIN pads."""

from __future__ import annotations

import os
import random
import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from own_tools import DIRECT, SHARED, T0, RawClient
from pcsc_tools import Client, MuteCard, new_reader

from bifente.conformance.bench.profiles import load_profile
from bifente.ground.clock import VirtualClock, WallClock
from bifente.ground.text import Text
from bifente.simulator.iso7816.card import Card
from bifente.simulator.pcsc import BridgedExchange, EchoCard, ExchangeKind
from bifente.simulator.pcsc.own.floor import ReadersFloor, SlotSeed
from bifente.simulator.pcsc.own.messages import COUNT, STATE, ServiceCommand
from bifente.simulator.pcsc.own.orders import LONGEST, Movement, Reply, SlotOrder, ToldMovement, order, read_told
from bifente.simulator.pcsc.own.servant import SlotServant
from bifente.simulator.pcsc.own.service import OwnPcsc
from bifente.simulator.readers import LineError, PcscCode, PinPad, Reader, ReaderIdentity, Slot
from bifente.simulator.readers.faults.line import (
    DeadCard,
    Effect,
    FaultyLine,
    Pause,
    Stroke,
    late,
    lay,
    mute,
    withdrawn_during,
)
from bifente.simulator.readers.faults.trigger import Trigger, When
from bifente.simulator.readers.pin_pad import CONTROLS, GET_FEATURE_REQUEST, MODIFY, VERIFY, Feature

SELECT = bytes.fromhex("00A40000023F00")
ANSWER = bytes.fromhex("3F009000")
NAME = "Own 0"


class Powered(EchoCard):
    """Knows what was done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.history: list[str] = []

    def power_on(self) -> bytes:
        self.history.append("on")
        return super().power_on()

    def power_off(self) -> None:
        self.history.append("off")

    def reset(self) -> bytes:
        self.history.append("reset")
        return super().reset()


@pytest.fixture
def reader() -> Reader:
    return new_reader("Own")


@pytest.fixture
def slot(reader: Reader) -> Slot:
    return reader.slots[0]


@pytest.fixture
def card(slot: Slot) -> Powered:
    card = Powered()
    slot.insert(card)
    return card


@pytest.fixture
def service(reader: Reader, card: Powered) -> Iterator[OwnPcsc]:
    with OwnPcsc.start([reader]) as service:
        yield service
        assert service.alive
        assert not service.defects


@pytest.fixture
def client(service: OwnPcsc) -> Iterator[RawClient]:
    client = RawClient(service).establish()
    yield client
    client.close()


@pytest.fixture
def handle(client: RawClient) -> int:
    code, handle = client.connect(NAME)
    assert code == 0
    return handle


def begin_transmit(client: RawClient, handle: int) -> None:
    client.send(ServiceCommand.TRANSMIT, handle, T0, 8, len(SELECT), 0, 8, 256, 0, data=SELECT)


def finish(client: RawClient) -> int:
    return int.from_bytes(client.receive(32)[-4:], "little")


def strike(slot: Slot, effect: Effect) -> threading.Event:
    """Lay an effect on the line; what is given back is set once it has struck."""
    struck = threading.Event()

    def told(stroke: Stroke) -> bytes:
        struck.set()
        return effect(stroke)

    lay(slot, FaultyLine(slot, Trigger(When(), random.Random(1)), told, Pause(WallClock())))
    return struck


# -- in a command -----------------------------------------------------------------------------------------------------


def test_a_removal_ends_the_command_under_way(slot: Slot, client: RawClient, handle: int) -> None:
    slow = MuteCard()
    slot.replace(slow)
    assert client.ask(ServiceCommand.RECONNECT, handle, SHARED, 3, 0, 0, 0)[-1] == 0
    begin_transmit(client, handle)
    assert slow.asked.wait(120)
    slot.remove()
    assert finish(client) == PcscCode.NO_SMARTCARD
    assert client.transmit(handle, SELECT)[0] == PcscCode.REMOVED_CARD
    slot.insert(Powered())
    slow.release.set()
    assert client.ask(ServiceCommand.RECONNECT, handle, SHARED, 3, 0, 0, 0)[-1] == 0
    assert client.transmit(handle, SELECT) == (0, ANSWER), "the late answer of the card that left went to nobody"


def test_a_card_torn_out_by_the_command_itself(slot: Slot, client: RawClient, handle: int) -> None:
    strike(slot, withdrawn_during())
    for _ in range(2):
        assert client.transmit(handle, SELECT)[0] == PcscCode.REMOVED_CARD
    assert client.connect(NAME)[0] == PcscCode.NO_SMARTCARD


def test_a_reset_by_another_waits_for_the_command_under_way(
    slot: Slot, service: OwnPcsc, client: RawClient, handle: int
) -> None:
    slow = MuteCard()
    slot.replace(slow)
    assert client.ask(ServiceCommand.RECONNECT, handle, SHARED, 3, 0, 0, 0)[-1] == 0
    other = RawClient(service).establish()
    code, mine = other.connect(NAME)
    assert code == 0
    begin_transmit(client, handle)
    assert slow.asked.wait(120)
    other.send(ServiceCommand.RECONNECT, mine, SHARED, 3, 1, 0, 0)
    assert other.silent()
    slow.release.set()
    assert finish(client) == 0
    assert client.receive(4) == ANSWER
    assert other.receive(24)[-4:] == bytes(4)
    assert client.transmit(handle, SELECT)[0] == PcscCode.RESET_CARD
    other.close()


def test_a_mute_card_is_given_up_by_its_reader(slot: Slot, client: RawClient, handle: int) -> None:
    strike(slot, mute(1.0))
    started = time.monotonic()
    assert client.transmit(handle, SELECT)[0] == PcscCode.NOT_TRANSACTED
    assert time.monotonic() - started >= 0.9
    assert client.transmit(handle, SELECT) == (0, ANSWER)


def test_a_mute_card_that_is_taken_out_frees_its_client(slot: Slot, reader: Reader, card: Powered) -> None:
    # A reader that waits longer than the slowest machine takes to pull the card.
    with OwnPcsc.start([reader], mute=60.0) as patient:
        client = RawClient(patient).establish()
        code, handle = client.connect(NAME)
        assert code == 0
        struck = strike(slot, mute(60.0))
        begin_transmit(client, handle)
        # A removal before the card has the command is another case.
        assert struck.wait(120)
        assert client.silent()
        slot.remove()
        started = time.monotonic()
        assert finish(client) == PcscCode.NO_SMARTCARD
        assert time.monotonic() - started < 50, "freed by the removal, not by the reader's own patience"
        client.close()


class LateTeller(socket.socket):
    """An end of a link whose movements leave only once an answer had the time to overtake them."""

    other: socket.socket

    def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override]
        if isinstance(read_told(memoryview(data)), ToldMovement):
            select.select([self.other], [], [], 0.2)
        return super().send(data, flags)


def test_a_removal_is_told_before_the_answer_it_ends(slot: Slot, card: Powered) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    teller = LateTeller(fileno=ours.detach())
    teller.other = theirs
    servant = SlotServant(slot, None, teller, lambda: 1, lambda number: None, None, mute=60.0)
    servant.start()
    struck = strike(slot, mute(60.0))
    theirs.send(order(SlotOrder.TRANSMIT, 7, SELECT))
    assert struck.wait(120)
    slot.remove()
    theirs.settimeout(30)
    told = read_told(memoryview(theirs.recv(LONGEST)))
    assert isinstance(told, ToldMovement)
    assert told.movement is Movement.REMOVED
    late_answer = read_told(memoryview(theirs.recv(LONGEST)))
    assert isinstance(late_answer, Reply)
    assert late_answer.number == 7
    servant.close()
    theirs.close()


def test_a_late_card_answers_late_and_right(slot: Slot, client: RawClient, handle: int) -> None:
    strike(slot, late(0.3))
    started = time.monotonic()
    assert client.transmit(handle, SELECT) == (0, ANSWER)
    assert time.monotonic() - started >= 0.3


def test_a_card_without_answer_to_reset(slot: Slot, client: RawClient, card: Powered) -> None:
    slot.remove()
    lift = lay(slot, DeadCard())
    slot.insert(card)
    assert client.readers()[0][2:5] == (0x0C, 0, b""), "present, mute, without an ATR"
    # pcscd says so where Windows says UNRESPONSIVE_CARD.
    assert client.connect(NAME)[0] == PcscCode.UNPOWERED_CARD
    lift()
    assert client.connect(NAME)[0] == 0
    assert client.readers()[0][2] == 0x34


def test_a_broken_line_keeps_its_code(slot: Slot, client: RawClient, handle: int) -> None:
    class Broken:
        def exchange(self, card: Card, command: bytes) -> bytes:
            raise LineError(PcscCode.COMM_ERROR, partial=b"\x61")

        def power_on(self, card: Card) -> bytes:
            raise LineError(PcscCode.UNRESPONSIVE_CARD)

    slot.interference = Broken()
    assert client.transmit(handle, SELECT)[0] == PcscCode.COMM_ERROR
    assert client.ask(ServiceCommand.RECONNECT, handle, SHARED, 3, 2, 0, 0)[-1] == PcscCode.UNRESPONSIVE_CARD


def test_a_device_out_of_reach(slot: Slot, client: RawClient, handle: int) -> None:
    slot.reach(False)
    assert client.readers()[0][2] == 0x01
    assert client.transmit(handle, SELECT)[0] == PcscCode.READER_UNAVAILABLE
    assert client.connect(NAME)[0] == PcscCode.READER_UNAVAILABLE
    slot.reach(True)
    assert client.readers()[0][2] == 0x34
    assert client.transmit(handle, SELECT)[0] == PcscCode.REMOVED_CARD
    assert client.connect(NAME)[0] == 0


def test_a_card_that_breaks_its_contract_answers_something(reader: Reader, slot: Slot) -> None:
    class Wrong(EchoCard):
        def transmit(self, command: bytes) -> bytes:
            raise RuntimeError("a fault of the bench")

    slot.insert(Wrong())
    with OwnPcsc.start([reader]) as service:
        client = RawClient(service).establish()
        code, handle = client.connect(NAME)
        assert code == 0
        assert client.transmit(handle, SELECT) == (0, b"\x6f\x00")
        (defect,) = service.defects
        assert defect.header == SELECT[:4]
        client.close()


# -- movements --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minor", [4, 5, 6])
def test_a_movement_is_told_at_once(slot: Slot, service: OwnPcsc, minor: int) -> None:
    watcher = RawClient(service, minor).establish()
    for number in range(20):
        (_name, events, *_rest), _empty = watcher.wait()
        if number % 2 == 0:
            slot.remove()
        else:
            slot.insert(EchoCard())
        assert select.select([watcher.socket], [], [], 0)[0], "nobody polls: it is told before the hand is done"
        assert watcher.told() == 0
        assert watcher.wait()[0][1] == events + 1
        watcher.send(ServiceCommand.STOP_WAITING)
        assert watcher.told() == 0
    watcher.close()


def test_a_movement_is_seen_by_all_when_the_hand_is_done(slot: Slot, client: RawClient, card: Powered) -> None:
    for _ in range(50):
        slot.remove()
        assert client.readers()[0][2] == 0x02
        slot.insert(card)
        assert client.readers()[0][2] == 0x34


def test_a_new_client_is_told_once_it_has_the_array_it_asked_for(slot: Slot, service: OwnPcsc) -> None:
    watcher = RawClient(service, 6).establish()
    watcher.send(ServiceCommand.WAIT)
    assert watcher.silent(), "a wait of 4:6 has no answer of its own"
    slot.remove()
    assert watcher.silent(), "nor can an event stand in the place of the size"
    watcher.send(ServiceCommand.READERS_SIZE)
    assert COUNT.unpack(watcher.receive(COUNT.size)) == (16,)
    assert watcher.silent()
    watcher.send(ServiceCommand.READERS_SIZED)
    watcher.receive(16 * STATE.size)
    assert watcher.told() == 0
    assert watcher.silent()
    watcher.close()


def test_a_card_nobody_uses_loses_its_power_and_looks_as_before(slot: Slot, card: Powered) -> None:
    clock = VirtualClock()
    floor = ReadersFloor(clock)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    servant = SlotServant(slot, None, ours, lambda: 1, lambda number: None, None)
    servant.start()
    floor.plug(1, [SlotSeed(NAME, theirs, card.atr)])
    floor.settle()
    shown = floor.table.array(whole=False)
    handle = floor.establish().connect(NAME)
    floor.moved()
    floor.settle()
    clock.advance(60)
    floor.pass_time()
    assert card.history == ["on"], "in use"
    handle.disconnect()
    floor.moved()
    floor.settle()
    clock.advance(4.9)
    floor.pass_time()
    assert card.history == ["on"]
    assert floor.due() == pytest.approx(0.1)
    clock.advance(0.2)
    floor.pass_time()
    assert card.history == ["on", "off"]
    assert floor.due() is None
    floor.settle()
    assert floor.table.array(whole=False) == shown
    floor.establish().connect(NAME)
    assert card.history == ["on", "off", "on"]
    servant.close()
    theirs.close()


# -- readers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minor", [4, 5, 6])
def test_readers_come_and_go(reader: Reader, service: OwnPcsc, minor: int) -> None:
    watcher = RawClient(service, minor).establish()
    handle = watcher.connect(NAME)[1]

    def events() -> int:
        watcher.send(ServiceCommand.READER_EVENTS)
        return int.from_bytes(watcher.receive(8)[:4], "little")

    before = events()
    watcher.wait()
    new = new_reader("New")
    service.plug(new)
    assert watcher.told() == 0
    assert [state[0] for state in watcher.wait()] == ["Own 0", "Own 1", "New 0", "New 1"]
    service.unplug(reader)
    assert watcher.told() == 0
    assert [state[0] for state in watcher.wait()] == ["New 0", "New 1"]
    assert watcher.transmit(handle, SELECT)[0] == PcscCode.READER_UNAVAILABLE
    assert watcher.connect(NAME)[0] == PcscCode.UNKNOWN_READER
    assert events() == before + 4
    service.plug(reader, ["Own 7", "Own 8"])
    assert service.name_of(reader.slots[0]) == "Own 7"
    assert watcher.told() == 0
    assert [state[0] for state in watcher.readers()] == ["Own 7", "Own 8", "New 0", "New 1"]
    code, again = watcher.connect("Own 7")
    assert code == 0
    assert watcher.transmit(again, SELECT) == (0, ANSWER)
    assert watcher.transmit(handle, SELECT)[0] == PcscCode.READER_UNAVAILABLE
    watcher.close()


def test_a_reader_that_leaves_during_a_command(reader: Reader, slot: Slot, service: OwnPcsc, client: RawClient) -> None:
    slow = MuteCard()
    slot.replace(slow)
    handle = client.connect(NAME)[1]
    begin_transmit(client, handle)
    assert slow.asked.wait(120)
    threading.Timer(0.2, slow.release.set).start()
    service.unplug(reader)
    assert finish(client) == PcscCode.READER_UNAVAILABLE


def test_names_as_long_as_clients_can_read(service: OwnPcsc, client: RawClient) -> None:
    longest = "é" * 63 + "x"
    service.plug(Reader.of("Long", [longest], WallClock()))
    assert client.readers()[2][0] == longest
    assert client.connect(longest, DIRECT, 0)[0] == 0
    for name in ("x" * 128, "", "a\0b"):
        with pytest.raises(ValueError, match="1 to 127 bytes"):
            service.plug(Reader.of("Wrong", [name], WallClock()))
    with pytest.raises(ValueError, match="two readers would bear the name"):
        service.plug(Reader.of("Twice", [longest], WallClock()))


def test_more_readers_than_old_clients_can_be_shown(service: OwnPcsc, client: RawClient) -> None:
    new = RawClient(service, 6).establish()
    crowd = [Reader.of(f"R{number}", [f"R{number} 0", f"R{number} 1"], WallClock()) for number in range(10)]
    for one in crowd:
        service.plug(one)
    assert len(client.readers()) == 16
    assert len(new.wait()) == 22
    assert client.connect("R9 1", DIRECT, 0)[0] == 0, "an old client may still know its name"
    for one in crowd:
        service.unplug(one)
    assert new.told() == 0
    new.send(ServiceCommand.READERS_SIZE)
    assert COUNT.unpack(new.receive(COUNT.size)) == (22,), "the array never shrinks"
    new.close()


# -- the reader's own keys --------------------------------------------------------------------------------------------


def test_a_code_typed_on_the_reader() -> None:
    pad = PinPad()
    reader = Reader.of("Keys", ["Keys 0"], WallClock(), pin_pad=pad)
    reader.slots[0].insert(EchoCard())
    with OwnPcsc.start([reader]) as service:
        client = RawClient(service).establish()
        handle = client.connect("Keys 0")[1]

        def control(code: int, data: bytes, room: int = 264) -> tuple[int, bytes]:
            said = client.ask(ServiceCommand.CONTROL, handle, code, len(data), room, 0, 0, data=data)
            return said[5], client.receive(said[4]) if said[5] == 0 else b""

        code, features = control(GET_FEATURE_REQUEST, b"")
        assert code == 0
        assert (
            bytes((Feature.VERIFY_PIN_DIRECT, 4)) + CONTROLS[Feature.VERIFY_PIN_DIRECT].to_bytes(4, "big") in features
        )
        command = bytes.fromhex("0020000100")
        asked = VERIFY.build(
            {
                "timer": 30, "timer2": 30, "format": 0x82, "block": 0, "length": 0, "max": 8, "min": 4,
                "validation": 2, "messages": 1, "language": 0x040C, "message": 0, "teo": bytes(3),
                "size": len(command), "command": command,
            }
        )  # fmt: skip
        pad.type("1234")
        assert control(CONTROLS[Feature.VERIFY_PIN_DIRECT], asked) == (0, b"1234\x90\x00"), "the card echoes the code"
        assert control(0x42000001, b"")[0] == 0x8010001F
        assert control(GET_FEATURE_REQUEST, b"", 3)[0] == 0x80100008
        assert not service.defects
        client.close()


def test_a_code_changed_on_the_reader_by_an_unmodified_client(pyscard: None) -> None:
    pad = PinPad((Text("Code ?", "PIN?"), Text("Nouveau ?", "New?"), Text("Encore ?", "Again?")))
    reader = Reader.of("Keys", ["Keys 0"], WallClock(), pin_pad=pad)
    reader.slots[0].insert(EchoCard())
    command = bytes.fromhex("0024000100")
    asked = MODIFY.build(
        {
            "timer": 30, "timer2": 30, "format": 0x82, "block": 0, "length": 0, "old_offset": 0, "new_offset": 0,
            "max": 8, "min": 4, "confirm": 3, "validation": 2, "messages": 3, "language": 0x040C, "message1": 0,
            "message2": 1, "message3": 2, "teo": bytes(3), "size": len(command), "command": command,
        }
    )  # fmt: skip
    modify = CONTROLS[Feature.MODIFY_PIN_DIRECT]
    with OwnPcsc.start([reader]) as service, Client(service.environment) as client:
        assert client.ask(do="connect", reader="Keys 0")["code"] == 0
        features = client.ask(do="control", reader="Keys 0", control=GET_FEATURE_REQUEST, data="")
        assert f"{Feature.MODIFY_PIN_DIRECT:02x}04{modify:08x}" in features["response"]
        pad.type("1234", "5678", "5678")
        said = client.ask(do="control", reader="Keys 0", control=modify, data=asked.hex())
        assert (said["code"], bytes.fromhex(said["response"])) == (0, b"12345678\x90\x00"), "the card echoes both codes"
        assert pad.shown == ("Code ?", "Nouveau ?", "Encore ?")
        pad.type("1234", "5678", "5679")
        assert client.ask(do="control", reader="Keys 0", control=modify, data=asked.hex())["response"] == "6402"
        assert not service.defects


# -- what a reader tells of itself ------------------------------------------------------------------------------------

ATTRIBUTES = {
    "vendor": 0x00010100, "version": 0x00010102, "serial": 0x00010103, "channel": 0x00020110, "protocol": 0x00080201,
    "atr": 0x00090303, "friendly": 0x7FFF0003, "system": 0x7FFF0004,
}  # fmt: skip
UNSUPPORTED = 0x8010001F


def attributes(reader: Reader) -> dict[str, str | int]:
    """What an unmodified client reads: the value in hexadecimal, or the code."""
    reader.slots[0].insert(EchoCard())
    with OwnPcsc.start([reader]) as service, Client(service.environment) as client:
        name = service.reader_names[0]
        assert client.ask(do="connect", reader=name)["code"] == 0
        found = {}
        for what, tag in ATTRIBUTES.items():
            said = client.ask(do="attribute", reader=name, attribute=tag)
            found[what] = said["value"] if said["code"] == 0 else said["code"]
        return found


def text(value: str) -> str:
    return (value.encode() + b"\0").hex()


def test_a_reader_tells_what_is_known_of_it(pyscard: None) -> None:
    known = ReaderIdentity("Bifente", "0001", "4.22", on_usb=True)
    assert attributes(Reader.of("Known", ["Known 0"], WallClock(), identity=known)) == {
        "vendor": text("Bifente"), "serial": text("0001"), "version": "00001604", "channel": "00002000",
        "protocol": "01000000", "atr": EchoCard().atr.hex(), "friendly": text("Known 0"), "system": text("Known 0"),
    }  # fmt: skip


def test_a_reader_tells_nothing_that_is_not_known_of_it(pyscard: None) -> None:
    found = attributes(Reader.of("Plain", ["Plain 0"], WallClock()))
    assert {what for what, value in found.items() if value == UNSUPPORTED} == {"vendor", "version", "serial", "channel"}


@pytest.mark.parametrize(
    ("profile", "known"),
    [
        ("readers/generic-pin-pad", {"vendor": text("Bifente"), "serial": text("0001")}),
        ("readers/kapelse-kap-link2", {"channel": "00002000"}),
        ("readers/olaqin-vitalact", {"version": "00001604"}),
    ],
)
def test_what_a_profile_knows_is_told(profile: str, known: dict[str, str], pyscard: None) -> None:
    found = attributes(load_profile(profile)[0].reader(WallClock()))
    asked = {"vendor", "version", "serial", "channel"}
    assert {what: found[what] for what in asked} == {**dict.fromkeys(asked, UNSUPPORTED), **known}


# -- the service itself -----------------------------------------------------------------------------------------------


def test_the_service_stops_and_starts(service: OwnPcsc, client: RawClient) -> None:
    client.wait()
    service.stop()
    assert client.hung_up()
    with pytest.raises(FileNotFoundError):
        RawClient(service)
    service.start_again()
    fresh = RawClient(service).establish()
    code, handle = fresh.connect(NAME)
    assert code == 0
    assert fresh.transmit(handle, SELECT) == (0, ANSWER)
    fresh.close()


def test_a_process_that_dies_is_a_defect_of_the_bench(reader: Reader, slot: Slot) -> None:
    with OwnPcsc.start([reader]) as service:
        assert service._process is not None
        service._process.kill()
        service._process.wait()
        slot.insert(EchoCard())
        slot.remove()
        assert not service.alive
        deadline = time.monotonic() + 60
        while not service.defects:
            assert time.monotonic() < deadline
        assert "has stopped" in str(service.defects[0].error)


def test_every_exchange_is_observed_before_its_client_has_it(reader: Reader, slot: Slot, card: Powered) -> None:
    seen: list[BridgedExchange] = []
    with OwnPcsc.start([reader], observer=seen.append) as service:
        client = RawClient(service).establish()
        handle = client.connect(NAME)[1]
        assert client.transmit(handle, SELECT) == (0, ANSWER)
        assert (seen[-1].kind, seen[-1].command, seen[-1].response) == (ExchangeKind.APDU, SELECT, ANSWER)
        client.close()
    assert seen[0].kind is ExchangeKind.POWER_ON


def test_nothing_is_left(reader: Reader, card: Powered) -> None:
    before = threading.active_count()
    service = OwnPcsc.start([reader])
    directory, pid = service.run_dir, service.pid
    assert directory.exists()
    service.close()
    service.close()
    assert not directory.exists()
    assert threading.active_count() == before
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)  # type: ignore[arg-type]
    card.history.clear()
    reader.slots[0].remove()
    assert card.history == ["off"], "the slot is nobody's any more"
