"""Unmodified programs with each release of libpcsclite at hand, on the bench's own service.

The machine's release is always tried; others where ``BIFENTE_LIBPCSCLITE`` names them (see ``libraries``).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from libraries import Library, checked, libraries, named
from own_tools import RawClient
from pcsc_load import compiled
from pcsc_tools import new_reader

from bifente.simulator.cards.cpx.loading import shipped_templates
from bifente.simulator.cards.cpx.personalise import PersonalisedCard, personalise
from bifente.simulator.cards.families import make_card
from bifente.simulator.pcsc import EchoCard
from bifente.simulator.pcsc.own.messages import HEADER, LAYOUTS, ServiceCommand
from bifente.simulator.pcsc.own.service import SOCKET_NAME, OwnPcsc
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.readers import Reader

pytestmark = [pytest.mark.parametrize("library", libraries(), ids=named, indirect=True)]

WATCH = """
import json, sys, threading
from smartcard import scard
name = sys.argv[1]
context = scard.SCardEstablishContext(0)[1]
pnp = "\\\\\\\\?PnP?\\\\Notification"
def change(known, patience=10000):
    code, states = scard.SCardGetStatusChange(context, patience, list(known.items()))
    return code & 0xFFFFFFFF, {one[0]: one[1] for one in states}
def say(*what):
    print(json.dumps(what), flush=True)
known = change({name: 0})[1]
known[pnp] = change({pnp: 0}, 0)[1][pnp] if %(newer)d else 0
say("ready")
for line in sys.stdin:
    if line.strip() == "cancel":
        threading.Timer(0.2, scard.SCardCancel, [context]).start()
    code, states = change(known)
    if code == 0:
        known = states
    say(code, {one: state & 0xFFFF for one, state in states.items()}, len(scard.SCardListReaders(context, [])[1]))
"""


@pytest.fixture
def library(request: pytest.FixtureRequest, pyscard: None) -> Library:
    return checked(request.param)


@dataclass(frozen=True, slots=True)
class Desk:
    """A service with a practitioner's card, and programs beside it."""

    service: OwnPcsc
    reader: Reader
    made: PersonalisedCard

    def run(self, library: Library, folder: Path, program: str, *arguments: str) -> str:
        done = subprocess.run(
            library.command(program, *arguments),
            cwd=folder,
            capture_output=True,
            text=True,
            env={"PATH": os.defpath, "HOME": str(folder), **library.environment, **self.service.environment},
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def made() -> PersonalisedCard:
    keys = KeyStore()
    return personalise(shipped_templates()["medecin-generaliste"], keys, at=datetime.now(UTC).date(), pki=Pki(keys))


@pytest.fixture
def desk(made: PersonalisedCard) -> Iterator[Desk]:
    reader = new_reader("Releases TL")
    reader.slots[0].insert(make_card(made.image))
    with OwnPcsc.start([reader]) as service:
        yield Desk(service, reader, made)
        assert not service.defects


def minor(library: Library, folder: Path) -> int:
    """The minor version of the protocol that a program with this library asks for."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:
        listening.bind(str(folder / SOCKET_NAME))
        listening.listen(1)
        listening.settimeout(30)
        script = "from smartcard import scard; scard.SCardEstablishContext(0)"
        environment = {"PATH": os.defpath, "PCSCLITE_CSOCK_NAME": str(folder / SOCKET_NAME), **library.environment}
        with subprocess.Popen(library.command(sys.executable, "-c", script), env=environment):
            connected, _ = listening.accept()
            with connected:
                size = HEADER.size + LAYOUTS[ServiceCommand.VERSION].size
                message = connected.recv(size, socket.MSG_WAITALL)
    assert HEADER.unpack_from(message)[1] == ServiceCommand.VERSION
    major, asked, _code = LAYOUTS[ServiceCommand.VERSION].unpack_from(message, HEADER.size)
    assert major == 4
    return int(asked)


def test_programs_list_read_and_sign(desk: Desk, library: Library, tmp_path: Path) -> None:
    names = "".join(f"{number}: {name}\n" for number, name in enumerate(desk.service.reader_names))
    assert desk.run(library, tmp_path, "pcsc_scan", "-r") == names
    assert desk.run(library, tmp_path, "opensc-tool", "--name").startswith("IAS")
    assert desk.run(library, tmp_path, "pkcs15-tool", "--list-certificates").count("X.509 Certificate") == 2
    (tmp_path / "info").write_bytes(bytes.fromhex("3031300d060960864801650304020105000420") + bytes(32))
    sign = ("--sign", "-m", "RSA-PKCS", "--id", "e828bd080f8025000001ff001002", "-i", "info", "-o", "signature")
    desk.run(library, tmp_path, "pkcs11-tool", *sign, "--login", "--pin", "1234")
    public = desk.made.certificates["authentication"].public_key()
    assert isinstance(public, RSAPublicKey)
    signature = (tmp_path / "signature").read_bytes()
    assert public.recover_data_from_signature(signature, padding.PKCS1v15(), hashes.SHA256()) == bytes(32)


def plugged(program: subprocess.Popen[str], desk: Desk, ask: Callable[[], None], more: int) -> bool:
    """Whether the program was told of one more reader.

    Before 4:5 the library counts the readers when it is asked: one that came just before is told to nobody.
    """
    ask()
    desk.service.plug(new_reader(f"More TL {more}"))
    assert program.stdout is not None
    code, _states, count = json.loads(program.stdout.readline())
    return (code, count) == (0, 2 + 2 * more)


def test_movements_hot_plug_and_cancel(desk: Desk, library: Library, short: Path) -> None:
    """What a waiting program is told, from 4:5 on also of readers."""
    newer = minor(library, short) >= 5
    name, slot = desk.service.reader_names[0], desk.reader.slots[0]
    command = library.command(sys.executable, "-P", "-c", WATCH % {"newer": newer}, name)
    environment = {"PATH": os.defpath, **library.environment, **desk.service.environment}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=environment, **pipes) as program:  # type: ignore[call-overload]

        def ask(order: str = "") -> None:
            program.stdin.write(f"{order}\n")
            program.stdin.flush()

        def told(until: Callable[[int, dict[str, int], int], bool], again: str = "") -> bool:
            # A change that crosses the client's question for readers' events makes it return once for nothing (4:5).
            for _ in range(3):
                code, states, count = json.loads(program.stdout.readline())
                if until(code, states, count):
                    return True
                ask(again)
            return False

        try:
            assert json.loads(program.stdout.readline()) == ["ready"]
            card = slot.card
            assert card is not None
            for act, bit in ((slot.remove, 0x10), (lambda: slot.insert(card), 0x20)):
                ask()
                act()
                assert told(lambda _code, states, _count, bit=bit: bool(states[name] & bit))  # type: ignore[misc]
            assert any(plugged(program, desk, ask, more) for more in range(1, 5))
            ask("cancel")
            assert told(lambda code, _states, _count: code == 0x80100002, again="cancel")
        finally:
            program.kill()


def test_every_reader_a_release_can_show(library: Library, short: Path, tmp_path: Path) -> None:
    readers = [new_reader(f"Many {number:02} " + "x" * 100) for number in range(12)]
    listing = (
        "from smartcard import scard; context = scard.SCardEstablishContext(0)[1];"
        "print(*scard.SCardListReaders(context, [])[1], sep='\\n')"
    )
    with OwnPcsc.start(readers) as service:
        desk = Desk(service, readers[0], None)  # type: ignore[arg-type]
        listed = desk.run(library, tmp_path, sys.executable, "-P", "-c", listing).splitlines()
        shown = len(service.reader_names) if minor(library, short) >= 6 else 16
        assert tuple(listed) == service.reader_names[:shown]


def test_a_crowd_hears_its_own_cards(library: Library, tmp_path: Path) -> None:
    program = compiled(tmp_path)
    if program is None:
        pytest.skip("needs gcc and libpcsclite-dev")
    reader = new_reader("Crowd TL")
    for slot, mark in zip(reader.slots, (b"\xc0\x01\x02", b"\xc0\x03\x04"), strict=True):
        slot.insert(EchoCard(mark))
    with OwnPcsc.start([reader]) as service:
        cards = [word for pair in zip(service.reader_names, ("c00102", "c00304"), strict=True) for word in pair]
        command = library.command(str(program), "0.2", *cards)
        environment = {"PATH": os.defpath, **library.environment, **service.environment}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        clients = [subprocess.Popen(command, env=environment, **pipes) for _ in range(4)]  # type: ignore[call-overload]
        for client in clients:
            heard = json.loads(client.communicate("\n", timeout=60)[0].splitlines()[-1])
            assert (heard["wrong"], heard["refused"]) == ([], [])
            assert heard["count"] > 10
        # The service still serves one that speaks the oldest protocol.
        RawClient(service).establish().close()
