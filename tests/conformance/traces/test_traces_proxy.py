"""The recorder between a program and its PC/SC service: passes on what it does not understand, keeps what it does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bifente.conformance.traces.proxy import PcscProxy
from bifente.conformance.traces.seen import Seen, SeenApdu, SeenAtr
from bifente.ground.clock import VirtualClock, WallClock
from bifente.simulator.pcsc.own.client import WireClient
from bifente.simulator.pcsc.own.service import OwnPcsc
from bifente.simulator.readers import Reader

NAME = "Bifente Proxied 00 00"
ATR = bytes.fromhex("3BAC00402A001225006480000310009000")


class Parrot:
    """A card that says what it was told."""

    atr = ATR

    def power_on(self) -> bytes:
        return ATR

    def power_off(self) -> None: ...

    def reset(self) -> bytes:
        return ATR

    def transmit(self, command: bytes) -> bytes:
        return command + b"\x90\x00"


@pytest.fixture(name="service")
def service_() -> Iterator[OwnPcsc]:
    reader = Reader.of("Bifente Proxied", (NAME,), VirtualClock())
    reader.slots[0].insert(Parrot())
    with OwnPcsc.start([reader]) as service:
        yield service


def test_a_client_is_served_as_without_it_and_what_passes_is_told(service: OwnPcsc) -> None:
    seen: list[Seen] = []
    path = Path(service.environment["PCSCLITE_CSOCK_NAME"])
    with PcscProxy(seen.append, clock=WallClock(), service=path) as proxy:
        client = WireClient(Path(proxy.environment["PCSCLITE_CSOCK_NAME"]))
        assert client.readers()[NAME].atr == ATR
        connection = client.connect(NAME)
        commands = [bytes.fromhex("00B0000010"), bytes.fromhex("0020000104") + b"1234", b"\0\xa4" + bytes(300)]
        for command in commands:
            assert connection.transmit(command) == command + b"\x90\x00"
        client.close()
        assert proxy.clients == 1
    told = [one for one in seen if isinstance(one, SeenApdu)]
    assert [one.command for one in told] == [command.hex().upper() for command in commands]
    assert [one.response for one in told] == [command.hex().upper() + "9000" for command in commands]
    assert {one.slot for one in told} == {NAME}
    assert {one.atr for one in seen if isinstance(one, SeenAtr)} == {ATR.hex().upper()}


def test_only_its_owner_reaches_it_and_nothing_of_it_stays(service: OwnPcsc) -> None:
    path = Path(service.environment["PCSCLITE_CSOCK_NAME"])
    with PcscProxy(lambda seen: None, clock=WallClock(), service=path) as proxy:
        assert proxy.socket.stat().st_mode & 0o077 == 0
        assert proxy.socket.parent.stat().st_mode & 0o077 == 0
    assert not proxy.socket.parent.exists()


def test_without_a_service_it_does_not_begin(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        PcscProxy(lambda seen: None, clock=WallClock(), service=tmp_path / "none")


@pytest.mark.parametrize("sent", [b"", b"\x01", b"\xff" * 64, bytes(4000), b"GET / HTTP/1.1\r\n\r\n"])
def test_what_is_not_the_protocol_is_passed_on_as_it_is(tmp_path: Path, sent: bytes) -> None:
    path = tmp_path / "echo"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen(4)

        def echo() -> None:
            while True:
                try:
                    served, _address = listening.accept()
                except OSError:
                    return
                with served:
                    while data := served.recv(4096):
                        served.sendall(data)

        threading.Thread(target=echo, daemon=True).start()
        seen: list[Seen] = []
        with PcscProxy(seen.append, clock=WallClock(), service=path) as proxy, socket.socket(socket.AF_UNIX) as client:
            client.settimeout(10)
            client.connect(str(proxy.socket))
            client.sendall(sent)
            client.shutdown(socket.SHUT_WR)
            got = b""
            while data := client.recv(4096):
                got += data
        assert got == sent
        assert seen == []
        listening.shutdown(socket.SHUT_RDWR)
