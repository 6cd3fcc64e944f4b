"""What several PC/SC tests share: cards that record, a reader's side of vpcd, a client in a process of its own."""

from __future__ import annotations

import json
import select
import socket
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from bifente.ground.clock import WallClock
from bifente.simulator.pcsc.echo import EchoCard
from bifente.simulator.pcsc.vpcd import VpcdDecoder, encode
from bifente.simulator.readers import Reader, Slot

CLIENT = Path(__file__).with_name("pcsc_client.py")
PATIENCE = 40.0


def new_slot(name: str = "slot") -> Slot:
    return Slot(name, WallClock())


def new_reader(name: str, slots: int = 2) -> Reader:
    return Reader.of(name, [f"{name} {number}" for number in range(slots)], WallClock())


class ScriptedCard(EchoCard):
    """An echo card that can be told to misbehave, and remembers what was done to it."""

    def __init__(self, prefix: bytes = b"", answer: Any = None, atr: Any = None) -> None:
        super().__init__(prefix, **({} if atr is None else {"atr": atr}))
        self.answer = answer
        self.history: list[str] = []

    def power_on(self) -> bytes:
        self.history.append("on")
        return super().power_on()

    def power_off(self) -> None:
        self.history.append("off")

    def reset(self) -> bytes:
        self.history.append("reset")
        return super().reset()

    def transmit(self, command: bytes) -> bytes:
        if isinstance(self.answer, Exception):
            raise self.answer
        return super().transmit(command) if self.answer is None else self.answer


class MuteCard(EchoCard):
    """Takes the command and answers only once released."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()
        self.release = threading.Event()

    def transmit(self, command: bytes) -> bytes:
        self.asked.set()
        assert self.release.wait(PATIENCE)
        return super().transmit(command)


class FakeReader:
    """The reader's side of vpcd on a loopback port: accepts one card at a time, as the driver does."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0), backlog=0)
        self._server.settimeout(PATIENCE)
        self.port = self._server.getsockname()[1]
        self.card: socket.socket | None = None
        self._decoder = VpcdDecoder()
        self._ready: list[bytes] = []

    def accept(self) -> FakeReader:
        self.card, _ = self._server.accept()
        self.card.settimeout(PATIENCE)
        self._decoder, self._ready = VpcdDecoder(), []
        return self

    def waiting(self) -> bool:
        """Whether a card asks to be accepted."""
        return bool(select.select([self._server], [], [], 0)[0])

    def send(self, payload: bytes) -> None:
        assert self.card is not None
        self.card.sendall(encode(payload))

    def raw(self, data: bytes) -> None:
        assert self.card is not None
        self.card.sendall(data)

    def receive(self) -> bytes | None:
        """The next reply; None if the card's side has closed."""
        assert self.card is not None
        while not self._ready:
            try:
                chunk = self.card.recv(65536)
            except ConnectionError:
                return None
            if not chunk:
                return None
            self._ready += self._decoder.feed(chunk)
        return self._ready.pop(0)

    def ask(self, payload: bytes) -> bytes | None:
        self.send(payload)
        return self.receive()

    def drop(self, abruptly: bool = False) -> None:
        assert self.card is not None
        if abruptly:  # a reset rather than an orderly end
            self.card.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.card.close()

    def close(self) -> None:
        if self.card is not None:
            self.card.close()
        self._server.close()


class Client:
    """pyscard in another process, since libpcsclite keeps for ever the first socket name it was given."""

    def __init__(self, environment: dict[str, str], prefix: tuple[str, ...] = ()) -> None:
        self._process = subprocess.Popen(
            [*prefix, sys.executable, "-P", str(CLIENT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", **environment},
        )

    def send(self, **order: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()

    def receive(self) -> Any:
        assert self._process.stdout is not None
        assert select.select([self._process.stdout], [], [], PATIENCE)[0], "the client does not answer"
        line = self._process.stdout.readline()
        assert line, "the client has died"
        return json.loads(line)

    def ask(self, **order: Any) -> Any:
        self.send(**order)
        return self.receive()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
