"""Hostile, broken and dying clients: bounded, no crash, nothing lost, and whoever behaves is served beside them.

``BIFENTE_FUZZ_MESSAGES`` asks for more messages than the few thousand of every run (a million, for instance).
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from own_tools import SHARED, T0, RawClient
from pcsc_tools import new_reader

from bifente.simulator.pcsc import EchoCard, PcscdError
from bifente.simulator.pcsc.own.messages import HEADER, LAYOUTS, LONGEST, Request, ServiceCommand, encode
from bifente.simulator.pcsc.own.server import MAX_CONNECTIONS
from bifente.simulator.pcsc.own.service import OwnPcsc

MESSAGES = int(os.environ.get("BIFENTE_FUZZ_MESSAGES", "4000"))
SELECT = bytes.fromhex("00A40000023F00")
NAME = "Hostile 0"
RAW = 4


@pytest.fixture
def service() -> Iterator[OwnPcsc]:
    reader = new_reader("Hostile")
    reader.slots[0].insert(EchoCard())
    with OwnPcsc.start([reader]) as service:
        yield service
        assert service.alive
        assert not service.defects


@pytest.fixture
def honest(service: OwnPcsc) -> Iterator[Honest]:
    honest = Honest(service)
    yield honest
    honest.client.close()


class Honest:
    """A client that behaves, and must be served whatever the others do."""

    def __init__(self, service: OwnPcsc) -> None:
        self.service = service
        self.client = RawClient(service).establish()
        code, self.handle = self.client.connect(NAME)
        assert code == 0

    def is_served(self) -> None:
        while True:
            # Raw, since the others may have asked for a raw card: what a card speaks is the same for all.
            code, answer = self.client.transmit(self.handle, SELECT, RAW)
            if code == 0x80100068:
                # Whoever dies in a transaction leaves the card reset.
                assert self.client.ask(ServiceCommand.RECONNECT, self.handle, SHARED, 3 | RAW, 0, 0, 0)[-1] in (
                    0,
                    0x8010000B,
                )
            elif code != 0x8010000B:
                assert (code, answer) == (0, bytes.fromhex("3F009000"))
                return


def descriptors(service: OwnPcsc) -> int:
    return len(list(Path(f"/proc/{service.pid}/fd").iterdir()))


def threads(service: OwnPcsc) -> int:
    return len(list(Path(f"/proc/{service.pid}/task").iterdir()))


def memory(service: OwnPcsc) -> int:
    """Kilobytes of the process that serves."""
    lines = Path(f"/proc/{service.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def comes_back(count: int, service: OwnPcsc) -> None:
    """What was open before is open after, and no more: hanging up takes the service a moment."""
    deadline = time.monotonic() + 60
    while descriptors(service) != count:
        assert time.monotonic() < deadline, f"{descriptors(service)} descriptors instead of {count}"
        time.sleep(0.01)


# -- garbage ----------------------------------------------------------------------------------------------------------


def grammatical(chance: random.Random, handles: list[int]) -> bytes:
    """A request with fields of all sorts, some of them right."""
    command = chance.choice(list(ServiceCommand))
    layout = LAYOUTS[command]
    body = bytearray(chance.randbytes(layout.size) if chance.random() < 0.3 else layout.size)
    if layout.size >= 8 and chance.random() < 0.8:
        struct.pack_into("=i", body, 0, chance.choice([*handles, 0, 1, -1]))
    if command is ServiceCommand.CONNECT and chance.random() < 0.8:
        body[4:132] = NAME.encode().ljust(128, b"\0")
        struct.pack_into("=II", body, 132, chance.randrange(5), chance.randrange(9))
    data = b""
    if command in (ServiceCommand.TRANSMIT, ServiceCommand.CONTROL):
        data = chance.randbytes(chance.randrange(300))
        struct.pack_into("=I", body, 12 if command is ServiceCommand.TRANSMIT else 8, len(data))
        struct.pack_into(
            "=I", body, 24 if command is ServiceCommand.TRANSMIT else 12, chance.choice([0, 2, 258, 65538])
        )
    size = layout.size if chance.random() < 0.97 else chance.randrange(400)
    return HEADER.pack(size, command) + bytes(body) + data


def storm(service: OwnPcsc, seed: int, messages: int) -> None:
    """So many messages on connection after connection; what comes back is read and not believed."""
    chance = random.Random(seed)
    sent = 0
    while sent < messages:
        client = RawClient(service, chance.choice([4, 5, 6]))
        handles = []
        with contextlib.suppress(OSError, EOFError, AssertionError):
            if chance.random() < 0.8:
                client.establish()
                handles = [client.context]
                if chance.random() < 0.5:
                    handles.append(client.connect(NAME)[1])
            client.socket.setblocking(False)
            for _ in range(chance.randrange(1, 40)):
                garbage = chance.random() < 0.2
                said = chance.randbytes(chance.randrange(1, 60)) if garbage else grammatical(chance, handles)
                sent += 1
                client.socket.send(said)
                with contextlib.suppress(BlockingIOError):
                    client.socket.recv(65536)
        sent += 1
        client.close()


@pytest.mark.timeout(3600)
def test_garbage(service: OwnPcsc, honest: Honest) -> None:
    before, lines = descriptors(service), threads(service)
    storm(service, 0, 200)
    grown = memory(service)
    for seed in range(4):
        storm(service, seed, MESSAGES // 4)
        honest.is_served()
    comes_back(before, service)
    assert threads(service) == lines
    assert memory(service) < grown + 8192


# -- death ------------------------------------------------------------------------------------------------------------

VICTIM = """
import random, sys
from smartcard import scard
chance = random.Random(int(sys.argv[1]))
context = scard.SCardEstablishContext(0)[1]
handle = scard.SCardConnect(context, sys.argv[2], 2, 3)[1]
print(flush=True)
while True:
    scard.SCardBeginTransaction(handle)
    for _ in range(chance.randrange(3)):
        scard.SCardTransmit(handle, scard.SCARD_PCI_T0, [0, 0xA4, 0, 0, 2, 0x3F, 0])
    scard.SCardEndTransaction(handle, chance.randrange(2))
    scard.SCardReconnect(handle, 2, 3, 0)
    scard.SCardGetStatusChange(context, chance.randrange(2), [(sys.argv[2], 0)])
"""


def test_a_hundred_clients_killed_at_any_moment(pyscard: None, service: OwnPcsc, honest: Honest) -> None:
    chance = random.Random(7)
    before = descriptors(service)
    environment = {"PATH": os.defpath, **service.environment}
    for number in range(0, 100, 10):
        victims = [
            subprocess.Popen(
                [sys.executable, "-P", "-c", VICTIM, str(number + one), NAME], env=environment, stdout=subprocess.PIPE
            )
            for one in range(10)
        ]
        for victim in victims:
            assert victim.stdout is not None
            assert victim.stdout.readline() == b"\n"
        for victim in victims:
            threading.Event().wait(chance.random() / 100)  # any moment will do: nothing is waited for
            victim.send_signal(signal.SIGKILL)
        for victim in victims:
            victim.wait()
            assert victim.stdout is not None
            victim.stdout.close()
        honest.is_served()
    comes_back(before, service)
    assert [state[3] for state in honest.client.readers() if state[0] == NAME] == [1]


def test_a_client_that_dies_while_its_card_works(service: OwnPcsc, honest: Honest) -> None:
    before = descriptors(service)
    for _ in range(20):
        client = RawClient(service).establish()
        handle = client.connect(NAME)[1]
        # The card may still work for the client before: connect is refused then, and whoever names a handle he was
        # not given is hung up on.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            client.send(ServiceCommand.BEGIN, handle, 0)
            client.send(ServiceCommand.TRANSMIT, handle, T0, 8, len(SELECT), 0, 8, 256, 0, data=SELECT)
        client.close()
        honest.is_served()
    comes_back(before, service)


# -- those who do not read, and those who only write ------------------------------------------------------------------


def test_a_client_that_never_reads(service: OwnPcsc, honest: Honest) -> None:
    deaf = RawClient(service).establish()
    deaf.socket.setblocking(False)
    before = memory(service)
    question = encode(Request(ServiceCommand.WAIT, ())) * 100
    with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
        for _ in range(2000):
            deaf.socket.send(question)
    slot = service.bridges[0].slot
    watcher = RawClient(service).establish()
    for _ in range(20):
        watcher.wait()
        card = slot.remove()
        assert watcher.told() == 0
        watcher.wait()
        slot.insert(card)
        assert watcher.told() == 0
    assert memory(service) < before + 4096
    watcher.close()
    deaf.close()
    assert honest.client.ask(ServiceCommand.STATUS, honest.handle, 0)[-1] == 0x80100069


def test_a_client_that_sends_on_while_it_waits(service: OwnPcsc, honest: Honest) -> None:
    waiting = RawClient(service).establish()
    assert honest.client.ask(ServiceCommand.BEGIN, honest.handle, 0)[-1] == 0
    waiting.send(ServiceCommand.CONNECT, waiting.context, NAME.encode(), SHARED, 3, 0, 0, 0)
    with pytest.raises(OSError, match=r"(?i)broken pipe|reset"):  # noqa: PT012 - at what chunk is the service's affair
        for _ in range(40):
            waiting.socket.sendall(bytes(LONGEST // 4))
    waiting.close()
    honest.is_served()


def test_more_connections_than_there_is_room_for(service: OwnPcsc, honest: Honest) -> None:
    before = descriptors(service)
    crowd = [RawClient(service).establish() for _ in range(MAX_CONNECTIONS - 1)]
    refused = RawClient(service)
    assert refused.hung_up()
    honest.is_served()
    for client in crowd:
        client.close()
    refused.close()
    comes_back(before, service)
    RawClient(service).establish().close()


def test_more_handles_than_a_context_may_have(service: OwnPcsc) -> None:
    client = RawClient(service).establish()
    codes = [client.connect(NAME)[0] for _ in range(201)]
    assert codes == [0] * 200 + [0x80100006]
    client.close()


def test_answers_hold_nothing_of_others(service: OwnPcsc, honest: Honest) -> None:
    secret = b"\xa5" * 250
    honest.client.transmit(honest.handle, bytes.fromhex("00DA0000FA") + secret)
    said = honest.client.ask(ServiceCommand.GET_ATTRIBUTE, honest.handle, 0x7FFF0004, secret + bytes(14), 264, 0)
    assert said[2] == (NAME.encode() + b"\0").ljust(264, b"\0")


# -- other users ------------------------------------------------------------------------------------------------------

STRANGER = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
client = socket.socket(socket.AF_UNIX)
try:
    client.connect(sys.argv[1])
    client.sendall(bytes.fromhex("0c000000 11000000 04000000 04000000 00000000"))
    print("heard", client.recv(100).hex())
except OSError as error:
    print(type(error).__name__)
"""


def test_only_the_owner_can_reach_the_socket(service: OwnPcsc) -> None:
    path = Path(service.environment["PCSCLITE_CSOCK_NAME"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which only root can")
@pytest.mark.parametrize("opened", [False, True])
def test_another_user_is_refused(opened: bool, service: OwnPcsc, honest: Honest) -> None:
    path = Path(service.environment["PCSCLITE_CSOCK_NAME"])
    if opened:  # as if somebody had widened the rights: who asks is looked at all the same
        path.parent.chmod(0o755)
        path.chmod(0o666)
    said = subprocess.run([sys.executable, "-P", "-S", "-c", STRANGER, str(path)], capture_output=True, text=True)
    refused = ("heard", "ConnectionResetError", "BrokenPipeError") if opened else ("PermissionError",)
    assert said.stdout.strip() in refused
    honest.is_served()


def test_a_directory_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(PcscdError, match="others can write"):
        OwnPcsc.start([new_reader("Refused")], run_dir=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_socket_left_behind_is_taken_over_and_a_living_one_is_not(tmp_path: Path) -> None:
    directory = tmp_path / "r"
    directory.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(directory / "pcscd.comm"))
    with OwnPcsc.start([new_reader("Living")], run_dir=directory) as living:
        RawClient(living).establish().close()
        with pytest.raises(PcscdError, match="another service answers"):
            OwnPcsc.start([new_reader("Late")], run_dir=directory)
        RawClient(living).establish().close()
