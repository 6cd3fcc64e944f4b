"""What whoever watches the service is told: every call, however late it reads, and each client by its name."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from own_tools import PATIENCE, RawClient
from pcsc_tools import new_reader

from bifente.simulator.pcsc.own.messages import ServiceCommand
from bifente.simulator.pcsc.own.service import OwnPcsc
from bifente.simulator.pcsc.own.witness import Witness, program_of


@pytest.mark.parametrize(
    ("comm", "words", "name"),
    [
        ("scdaemon", ["/usr/lib/gnupg/scdaemon", "--multi-server"], "scdaemon"),
        ("ssh-pkcs11-help", ["/usr/lib/openssh/ssh-pkcs11-helper"], "ssh-pkcs11-helper"),
        # A script: its name is that of the file, behind the interpreter.
        ("smartcard-ident", ["/usr/bin/python3", "/opt/bin/smartcard-identifier"], "smartcard-identifier"),
        # It says another name of itself: the kernel's is kept.
        ("a-name-of-fifte", ["nothing-like-it"], "a-name-of-fifte"),
        ("fifteen-letters", [], "fifteen-letters"),
    ],
)
def test_a_name_that_the_kernel_cuts_is_told_whole(tmp_path: Path, comm: str, words: list[str], name: str) -> None:
    (tmp_path / "comm").write_text(f"{comm}\n", encoding="utf-8")
    (tmp_path / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in words))
    assert program_of(tmp_path) == name


def test_one_that_has_gone_has_none(tmp_path: Path) -> None:
    assert program_of(tmp_path / "4242") == ""


def test_without_its_arguments_it_keeps_the_kernels(tmp_path: Path) -> None:
    (tmp_path / "comm").write_text("fifteen-letters\n", encoding="utf-8")
    assert program_of(tmp_path) == "fifteen-letters"


MANY = 300
"""Calls that a socket of the smallest size has no room for."""


class Watcher:
    """A socket with little room, and the lines that were read from it."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        for end in (self.ours, self.theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        self.ours.settimeout(PATIENCE)
        self._read = b""

    def read(self) -> bool:
        """Read what comes next; whether something did."""
        chunk = self.ours.recv(1 << 16)
        self._read += chunk
        return bool(chunk)

    @property
    def calls(self) -> list[int]:
        """The commands of the calls that were told whole."""
        told = [json.loads(line) for line in self._read.split(b"\n")[:-1]]
        return [one[3] for one in told if one[0] == "call"]

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    made = Watcher()
    yield made
    made.close()


@pytest.fixture
def watched(watcher: Watcher) -> Iterator[OwnPcsc]:
    with OwnPcsc.start([new_reader("Watched")]) as service:
        service.watch(watcher.theirs)
        yield service
        watcher.theirs.close()


def call(service: OwnPcsc, times: int) -> None:
    """A client looks at the readers so many times."""
    client = RawClient(service).establish()
    for _ in range(times):
        client.readers()
    client.close()


def test_whoever_asks_for_all_is_told_that_it_has_to_read_first(watched: OwnPcsc, watcher: Watcher) -> None:
    call(watched, MANY)
    assert not watched.tell()
    while not watched.tell():
        watcher.read()
    while watcher.calls.count(ServiceCommand.READERS) < MANY:
        watcher.read()
    assert watched.tell()


def test_what_there_was_no_room_for_is_told_as_soon_as_there_is(watched: OwnPcsc, watcher: Watcher) -> None:
    call(watched, MANY)
    assert not watched.tell(), "and nobody asks again, or calls"
    while watcher.calls.count(ServiceCommand.READERS) < MANY:
        assert watcher.read()


def test_with_nobody_that_watches_all_is_told() -> None:
    with OwnPcsc.start([new_reader("Alone")]) as service:
        assert service.tell()


def test_a_watcher_that_has_gone_leaves_nothing_to_tell(watcher: Watcher) -> None:
    witness = Witness(watcher.theirs)
    witness.left(1)
    assert witness.pending
    watcher.ours.close()
    witness.flush()
    assert not witness.pending
    witness.close()
