"""Request by request, what the bench's own service says is what pcscd says: the same test runs on both.

Where the real one shows something else because of its driver, vpcd, the test says so by name.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from own_tools import DIRECT, EXCLUSIVE, LEAVE, RESET, SHARED, T0, T1, UNPOWER, RawClient
from pcsc_tools import MuteCard, new_reader

from bifente.simulator.pcsc import EchoCard, PrivatePcscd
from bifente.simulator.pcsc.own.messages import Request, ServiceCommand, encode
from bifente.simulator.pcsc.own.service import OwnPcsc

OK = 0
CANCELLED, INVALID_HANDLE, INVALID_VALUE, BUFFER = 0x80100002, 0x80100003, 0x80100011, 0x80100008
UNKNOWN, SHARING, NO_CARD, PROTOCOL = 0x80100009, 0x8010000B, 0x8010000C, 0x8010000F
NOT_TRANSACTED, STOPPED, UNSUPPORTED = 0x80100016, 0x8010001E, 0x8010001F
UNPOWERED, RESET_CARD, REMOVED = 0x80100067, 0x80100068, 0x80100069
SELECT = bytes.fromhex("00A40000023F00")


@dataclass
class Desk:
    """A service, a reader with a card and an empty slot, clients."""

    service: PrivatePcscd | OwnPcsc
    card: EchoCard
    clients: list[RawClient] = field(default_factory=list)

    @property
    def own(self) -> bool:
        return isinstance(self.service, OwnPcsc)

    @property
    def name(self) -> str:
        return self.service.reader_names[0]

    @property
    def empty(self) -> str:
        return self.service.reader_names[1]

    def client(self) -> RawClient:
        client = RawClient(self.service).establish()  # type: ignore[arg-type]
        self.clients.append(client)
        return client

    def connected(self, share: int = SHARED) -> tuple[RawClient, int]:
        client = self.client()
        code, handle = client.connect(self.name, share)
        assert code == OK
        return client, handle

    def look(self) -> tuple[int, int, int]:
        """State bits, sharing and protocol of the reader."""
        _name, _events, bits, sharing, _atr, protocol = self.client().readers()[0]
        return bits, sharing, protocol

    def until(self, shown: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not shown():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def remove(self) -> None:
        self.service.bridges[0].slot.remove()
        self.until(lambda: self.look()[0] == 0x02)

    def insert(self) -> None:
        self.service.bridges[0].slot.insert(self.card)
        self.until(lambda: self.look()[0] == 0x34)


@pytest.fixture(scope="module")
def pcscd(request: pytest.FixtureRequest) -> Iterator[PrivatePcscd]:
    request.getfixturevalue("installation")
    with PrivatePcscd.start([new_reader("Judge TL")]) as pcscd:
        yield pcscd


@pytest.fixture(scope="module")
def own() -> Iterator[OwnPcsc]:
    with OwnPcsc.start([new_reader("Judged TL")]) as own:
        yield own
        assert not own.defects


@pytest.fixture(params=["pcscd", "own"])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    desk = Desk(request.getfixturevalue(request.param), EchoCard())
    slot = desk.service.bridges[0].slot
    if slot.card is None:
        desk.insert()
    else:
        # The card stays in from test to test: a movement takes pcscd up to 0.4 s.
        slot.replace(desk.card)
        client = desk.client()
        # A card left unpowered keeps newcomers out until pcscd has looked at it.
        desk.until(lambda: client.connect(desk.name)[0] == OK)
        assert client.ask(ServiceCommand.RELEASE_CONTEXT, client.context, 0)[-1] == OK
        desk.until(lambda: desk.look()[:2] == (0x34, 0))
    yield desk
    for client in desk.clients:
        client.close()
    desk.until(lambda: desk.look()[1] == 0)


def status(client: RawClient, handle: int) -> int:
    return int(client.ask(ServiceCommand.STATUS, handle, 0)[-1])


def begin(client: RawClient, handle: int) -> int:
    return int(client.ask(ServiceCommand.BEGIN, handle, 0)[-1])


def end(client: RawClient, handle: int, how: int = LEAVE) -> int:
    return int(client.ask(ServiceCommand.END, handle, how, 0)[-1])


def reconnect(client: RawClient, handle: int, how: int = LEAVE, share: int = SHARED, protocols: int = 3) -> int:
    return int(client.ask(ServiceCommand.RECONNECT, handle, share, protocols, how, 0, 0)[-1])


def disconnect(client: RawClient, handle: int, how: int = LEAVE) -> int:
    return int(client.ask(ServiceCommand.DISCONNECT, handle, how, 0)[-1])


def attribute(client: RawClient, handle: int, tag: int = 0x7FFF0004) -> tuple[int, bytes]:
    said = client.ask(ServiceCommand.GET_ATTRIBUTE, handle, tag, b"", 264, 0)
    return int(said[4]), bytes(said[2][: said[3]])


def control(client: RawClient, handle: int, code: int = 0x42000D48, room: int = 264) -> int:
    return int(client.ask(ServiceCommand.CONTROL, handle, code, 0, room, 0, 0)[-1])


def transmit(client: RawClient, handle: int, command: bytes = SELECT) -> int:
    return client.transmit(handle, command)[0]


# -- contexts ---------------------------------------------------------------------------------------------------------


def test_versions(desk: Desk) -> None:
    client = RawClient(desk.service)  # type: ignore[arg-type]
    desk.clients.append(client)
    assert client.ask(ServiceCommand.VERSION, 4, 3, 0)[-1] == STOPPED
    assert client.ask(ServiceCommand.VERSION, 3, 4, 0)[-1] == STOPPED
    assert client.ask(ServiceCommand.VERSION, 4, 4, 0) == (4, 4, OK)
    newer = client.ask(ServiceCommand.VERSION, 4, 5, 0)
    # Each release of pcscd before 2.4.1 serves its own version alone; ours serves every client.
    assert newer == ((4, 5, OK) if desk.own else (4, 4, STOPPED))


def test_scopes_and_contexts(desk: Desk) -> None:
    client = desk.client()
    assert client.ask(ServiceCommand.ESTABLISH_CONTEXT, 4, 0, 0)[-1] == INVALID_VALUE
    other = desk.client()
    assert client.ask(ServiceCommand.RELEASE_CONTEXT, other.context, 0)[-1] == INVALID_VALUE
    client.ask(ServiceCommand.CONNECT, other.context, desk.name.encode(), SHARED, 3, 0, 0, 0)
    assert client.ask(ServiceCommand.RELEASE_CONTEXT, client.context, 0)[-1] == OK
    assert client.ask(ServiceCommand.RELEASE_CONTEXT, client.context, 0)[-1] == INVALID_HANDLE


# -- connecting -------------------------------------------------------------------------------------------------------


def test_what_connect_refuses(desk: Desk) -> None:
    client = desk.client()
    assert client.connect("Nowhere 00 00")[0] == UNKNOWN
    for protocols in (0, 8):
        assert client.connect(desk.name, SHARED, protocols)[0] == PROTOCOL
    for share in (0, 4):
        assert client.connect(desk.name, share)[0] == INVALID_VALUE
    assert client.connect(desk.name, SHARED, T1)[0] == PROTOCOL
    assert client.connect(desk.empty)[0] == NO_CARD
    assert client.connect(desk.empty, EXCLUSIVE)[0] == NO_CARD
    # The first of several reasons is told.
    assert client.connect("Nowhere 00 00", 0, 0)[0] == PROTOCOL
    assert client.connect("Nowhere 00 00", 0)[0] == INVALID_VALUE


def test_the_protocol_once_settled_is_that_of_all(desk: Desk) -> None:
    client, _handle = desk.connected()
    assert desk.look() == (0x34, 1, T0)
    assert client.connect(desk.name, SHARED, T1)[0] == PROTOCOL
    assert client.connect(desk.name, DIRECT, 0)[0] == OK
    assert desk.look() == (0x34, 2, T0)


def test_sharing(desk: Desk) -> None:
    first, handle = desk.connected(EXCLUSIVE)
    assert desk.look()[1] == -1
    second = desk.client()
    for share in (SHARED, EXCLUSIVE, DIRECT):
        assert second.connect(desk.name, share)[0] == SHARING
    assert [begin(first, handle), end(first, handle), end(first, handle)] == [OK, OK, NOT_TRANSACTED]
    assert disconnect(first, handle) == OK
    assert second.connect(desk.name)[0] == OK
    assert first.connect(desk.name, EXCLUSIVE)[0] == SHARING
    assert desk.look()[1] == 1


def test_exclusive_becomes_shared_but_keeps_its_lock(desk: Desk) -> None:
    first, handle = desk.connected(EXCLUSIVE)
    assert reconnect(first, handle) == OK
    second = desk.client()
    second.send(ServiceCommand.CONNECT, second.context, desk.name.encode(), SHARED, 3, 0, 0, 0)
    assert second.silent()
    assert end(first, handle) == OK
    assert second.receive(152)[-4:] == bytes(4)


def test_a_newcomer_waits_for_the_end_of_a_transaction(desk: Desk) -> None:
    first, handle = desk.connected()
    assert begin(first, handle) == OK
    second = desk.client()
    second.send(ServiceCommand.CONNECT, second.context, desk.name.encode(), SHARED, 3, 0, 0, 0)
    assert second.silent(0.3)
    first.close()
    assert second.receive(152)[-4:] == bytes(4)


# -- transactions -----------------------------------------------------------------------------------------------------


def test_transactions_are_counted(desk: Desk) -> None:
    client, handle = desk.connected()
    assert end(client, handle) == NOT_TRANSACTED
    assert [begin(client, handle), begin(client, handle)] == [OK, OK]
    assert end(client, handle, 9) == INVALID_VALUE
    assert [end(client, handle) for _ in range(3)] == [OK, OK, NOT_TRANSACTED]


def test_what_is_refused_in_anothers_transaction(desk: Desk) -> None:
    (first, mine), (second, other) = desk.connected(), desk.connected()
    assert begin(first, mine) == OK
    for call in (transmit, status, begin, end, control, reconnect):
        assert call(second, other) == SHARING, call.__name__
    assert attribute(second, other)[0] == SHARING
    for how in (RESET, UNPOWER):
        assert end(second, other, how) == SHARING
        assert reconnect(second, other, how) == SHARING
    assert disconnect(second, other) == OK
    assert transmit(first, mine) == OK


def test_a_transaction_refused_is_refused_after_a_while(desk: Desk) -> None:
    (first, mine), (second, other) = desk.connected(), desk.connected()
    assert begin(first, mine) == OK
    started = time.monotonic()
    assert begin(second, other) == SHARING
    assert time.monotonic() - started > 0.09


def test_leaving_by_a_reset_waits_for_anothers_transaction(desk: Desk) -> None:
    (first, mine), (second, other) = desk.connected(), desk.connected()
    assert begin(first, mine) == OK
    second.send(ServiceCommand.DISCONNECT, other, RESET, 0)
    assert second.silent(0.3)
    assert end(first, mine) == OK
    assert second.receive(12)[-4:] == bytes(4)
    assert transmit(first, mine) == RESET_CARD


def test_a_context_that_goes_in_a_transaction_resets_the_card(desk: Desk) -> None:
    for go in (lambda one: one.ask(ServiceCommand.RELEASE_CONTEXT, one.context, 0), lambda one: one.close()):
        (first, mine), (second, other) = desk.connected(), desk.connected()
        assert begin(first, mine) == OK
        go(first)  # type: ignore[no-untyped-call]
        desk.until(lambda: status(second, other) != SHARING)  # noqa: B023
        assert status(second, other) == RESET_CARD
        second.close()


def test_a_context_that_goes_without_one_leaves_it(desk: Desk) -> None:
    (first, _mine), (second, other) = desk.connected(), desk.connected()
    first.close()
    desk.until(lambda: desk.look()[1] == 1)
    assert transmit(second, other) == OK


# -- resets and removals ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [RESET, UNPOWER])
@pytest.mark.parametrize("by", ["reconnect", "disconnect", "end"])
def test_a_reset_is_told_to_all(desk: Desk, by: str, how: int) -> None:
    (first, mine), (second, other) = desk.connected(), desk.connected()
    if by == "end":
        assert begin(first, mine) == OK
    assert {"reconnect": reconnect, "disconnect": disconnect, "end": end}[by](first, mine, how) == OK
    for call in (transmit, status, begin, end):
        assert call(second, other) == RESET_CARD, call.__name__
    assert attribute(second, other)[0] == RESET_CARD
    assert control(second, other) == UNSUPPORTED
    if by == "reconnect":
        assert transmit(first, mine) == OK
    elif by == "end":
        assert transmit(first, mine) == RESET_CARD
    assert reconnect(second, other) == OK
    assert transmit(second, other) == OK


def test_an_end_by_a_reset_outside_any_transaction_still_resets(desk: Desk) -> None:
    (first, mine), (second, other) = desk.connected(), desk.connected()
    assert end(first, mine, RESET) == NOT_TRANSACTED
    assert status(second, other) == RESET_CARD


def test_dispositions(desk: Desk) -> None:
    client, handle = desk.connected()
    assert disconnect(client, handle, 9) == INVALID_VALUE
    assert disconnect(client, handle, 3) == OK
    assert desk.look()[0] == 0x34


def test_a_card_left_unpowered_keeps_newcomers_out(desk: Desk) -> None:
    (first, mine), (second, other) = desk.connected(), desk.connected()
    assert disconnect(first, mine, UNPOWER) == OK
    assert desk.look()[0] == 0x04
    assert reconnect(second, other) == OK
    assert transmit(second, other) == OK
    assert first.connect(desk.name)[0] == UNPOWERED
    assert reconnect(second, other, RESET) == OK
    assert first.connect(desk.name)[0] == OK


def test_what_reconnect_refuses(desk: Desk) -> None:
    client, handle = desk.connected()
    assert reconnect(client, handle, 7) == INVALID_VALUE
    assert reconnect(client, handle, share=9) == INVALID_VALUE
    assert reconnect(client, handle, protocols=0) == PROTOCOL
    assert reconnect(client, handle, protocols=T1) == PROTOCOL
    _second, _other = desk.connected()
    assert reconnect(client, handle, share=EXCLUSIVE) == SHARING


def test_removal(desk: Desk) -> None:
    client, handle = desk.connected()
    desk.remove()
    calls = (transmit, status, begin, end)
    assert [call(client, handle) for call in calls] == [REMOVED] * 4
    assert attribute(client, handle)[0] == REMOVED
    assert control(client, handle) == UNSUPPORTED
    assert reconnect(client, handle) == NO_CARD
    desk.insert()
    assert [call(client, handle) for call in calls] == [REMOVED] * 4
    assert reconnect(client, handle) == OK
    assert transmit(client, handle) == OK


def test_leaving_after_a_removal(desk: Desk) -> None:
    (first, mine), (second, other) = desk.connected(), desk.connected()
    desk.remove()
    assert disconnect(first, mine, RESET) == OK
    assert disconnect(second, other) == OK


def test_the_lock_goes_with_the_card(desk: Desk) -> None:
    (first, mine), (second, other) = desk.connected(), desk.connected()
    assert begin(first, mine) == OK
    desk.remove()
    assert begin(second, other) == REMOVED
    desk.insert()
    assert reconnect(second, other) == OK
    assert begin(second, other) == OK


# -- commands ---------------------------------------------------------------------------------------------------------


def test_protocol_headers(desk: Desk) -> None:
    client, handle = desk.connected()
    assert client.transmit(handle, SELECT, T1)[0] == PROTOCOL
    assert client.transmit(handle, SELECT, 4) == client.transmit(handle, SELECT)


def test_long_commands_and_small_rooms(desk: Desk) -> None:
    client, handle = desk.connected()
    data = bytes(range(250)) * 240
    command = bytes.fromhex("00DA000000") + len(data).to_bytes(2, "big") + data
    assert client.transmit(handle, command) == (OK, data + b"\x90\x00")
    said = client.ask(ServiceCommand.TRANSMIT, handle, T0, 8, len(SELECT), 0, 8, 3, 0, data=SELECT)
    assert (said[6], said[7]) == (4, BUFFER)
    assert client.transmit(handle, SELECT) == (OK, bytes.fromhex("3F009000")), "no data came behind the refusal"


def test_direct_on_an_empty_slot(desk: Desk) -> None:
    client = desk.client()
    code, handle = client.connect(desk.empty, DIRECT, 0)
    assert code == OK
    assert transmit(client, handle) == NO_CARD
    assert control(client, handle) == UNSUPPORTED
    assert [begin(client, handle), end(client, handle), status(client, handle)] == [OK, OK, OK]


def test_attributes(desk: Desk) -> None:
    client, handle = desk.connected()
    # vpcd wants more room than the protocol has for the two names that pcscd would give itself.
    for tag in (0x7FFF0003, 0x7FFF0004):
        code, name = attribute(client, handle, tag)
        assert code == (OK if desk.own else BUFFER)
        assert not desk.own or name == desk.name.encode() + b"\0"
    assert attribute(client, handle, 0x00FF0001)[0] == UNSUPPORTED
    said = client.ask(ServiceCommand.SET_ATTRIBUTE, handle, 0x7FFF0004, b"x", 1, 0)
    # vpcd fails instead of refusing.
    assert said[-1] == (UNSUPPORTED if desk.own else NOT_TRANSACTED)


# -- waiting ----------------------------------------------------------------------------------------------------------


def test_exactly_one_message_for_each_wait(desk: Desk) -> None:
    watcher = desk.client()
    assert watcher.wait()[0][0] == desk.name
    assert watcher.silent()
    watcher.send(ServiceCommand.STOP_WAITING)
    assert watcher.told() == OK
    watcher.send(ServiceCommand.STOP_WAITING)
    assert watcher.silent(), "nobody waits: nothing is said"
    events = watcher.wait()[0][1]
    desk.service.bridges[0].slot.remove()
    assert watcher.told() == OK
    watcher.send(ServiceCommand.STOP_WAITING)
    assert watcher.silent()
    assert watcher.wait()[0][1:3] == (events + 1, 0x02)


def test_a_connection_by_another_is_told(desk: Desk) -> None:
    watcher = desk.client()
    watcher.wait()
    desk.connected()
    assert watcher.told() == OK
    assert watcher.wait()[0][3] == 1


def test_cancel(desk: Desk) -> None:
    watcher = desk.client()
    watcher.wait()
    canceller = RawClient(desk.service)  # type: ignore[arg-type]
    desk.clients.append(canceller)
    assert canceller.ask(ServiceCommand.CANCEL, watcher.context, 0)[-1] == OK
    assert watcher.told() == CANCELLED
    assert canceller.ask(ServiceCommand.CANCEL, 0x7FFFFFF1, 0)[-1] == INVALID_HANDLE
    idle = canceller.ask(ServiceCommand.CANCEL, watcher.context, 0)[-1]
    # 2.0.1 and later say OK of a context that does not wait, 1.9 does not.
    assert idle == (OK if desk.own else INVALID_HANDLE)


# -- what is no request -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        "0c000000 03000000 0000000000000000 00000000",
        "0d000000 01000000 0200000000000000 00000000 00",
        "0c000000 ff000000 0000000000000000 00000000",
        "20000000 09000000 01000000 01000000 08000000 f0000100 01000000 08000000 00000000 00000000",
    ],
)
def test_a_broken_message_is_hung_up_on(desk: Desk, sent: str) -> None:
    client = desk.client()
    client.socket.sendall(bytes.fromhex(sent))
    assert client.hung_up()


def test_a_handle_of_somebody_elses_is_hung_up_on(desk: Desk) -> None:
    (first, mine), (second, _other) = desk.connected(), desk.connected()
    second.send(ServiceCommand.TRANSMIT, mine, T0, 8, len(SELECT), 0, 8, 256, 0, data=SELECT)
    assert second.hung_up()
    assert transmit(first, mine) == OK


def test_requests_byte_by_byte(desk: Desk) -> None:
    client, handle = desk.connected()
    for byte in encode(Request(ServiceCommand.TRANSMIT, (handle, T0, 8, len(SELECT), 0, 8, 256, 0), SELECT)):
        client.socket.sendall(bytes((byte,)))
    assert client.receive(32)[-4:] == bytes(4)
    assert client.receive(4) == bytes.fromhex("3F009000")


# -- cards at work ----------------------------------------------------------------------------------------------------


def test_another_slot_and_other_calls_go_on_while_a_card_works(desk: Desk) -> None:
    client, _handle = desk.connected()
    slot = desk.service.bridges[0].slot
    slow = MuteCard()
    slot.replace(slow)
    assert disconnect(client, _handle, RESET) == OK
    code, handle = client.connect(desk.name)
    assert code == OK
    client.send(ServiceCommand.TRANSMIT, handle, T0, 8, len(SELECT), 0, 8, 256, 0, data=SELECT)
    assert slow.asked.wait(120)
    other = desk.client()
    code, direct = other.connect(desk.empty, DIRECT, 0)
    assert code == OK
    assert status(other, direct) == OK
    assert client.silent()
    slow.release.set()
    assert client.receive(32)[-4:] == bytes(4)
    assert client.receive(4) == bytes.fromhex("3F009000")
