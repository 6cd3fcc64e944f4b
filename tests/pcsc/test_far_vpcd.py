"""Cards seated in a vpcd that is not the bench's: addresses, links, reconnection, a second pcscd."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pcsc_tools import FakeReader, ScriptedCard, new_reader
from warm import warm

from bifente.simulator.pcsc.discovery import Installation
from bifente.simulator.pcsc.errors import Link, PcscdError
from bifente.simulator.pcsc.far import FarState, FarVpcd, VpcdAddress
from bifente.simulator.readers import Reader

GET_ATR, RESET = b"\4", b"\2"
COMMAND, ANSWER = bytes.fromhex("00DA000001AA"), bytes.fromhex("AA9000")
BIFENTE = Path(sys.executable).parent / "bifente"


# -- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:35963", "127.0.0.1", 35963),
        ("127.0.0.1", "127.0.0.1", 35963),
        ("poste-7:1", "poste-7", 1),
        ("[::1]:65535", "::1", 65535),
        ("[::1]", "::1", 35963),
    ],
)
def test_addresses(text: str, host: str, port: int) -> None:
    assert VpcdAddress.parse(text) == VpcdAddress(host, port)


@pytest.mark.parametrize("text", ["", ":35963", "h:", "h:0", "h:65536", "h:-1", "h:1e3", "h:٣", "::1", "::1:3", "[]:3"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|port|brackets"):
        VpcdAddress.parse(text)


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = VpcdAddress.parse(text)
    except ValueError:
        return
    assert address.host
    assert 0 < address.port < 65536


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_loopback(host: str) -> None:
    assert VpcdAddress(host).loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.1", "192.0.2.7", "::", "2001:db8::1", "not a host", "a" * 300])  # noqa: S104
def test_not_loopback(host: str) -> None:
    assert not VpcdAddress(host).loopback


def test_more_slots_than_ports() -> None:
    with pytest.raises(PcscdError) as refused:
        FarVpcd([new_reader("Far")], VpcdAddress("127.0.0.1", 65535))
    assert refused.value.link is Link.PORT


# -- links ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def far() -> Iterator[FakeReader]:
    fake = FakeReader()
    yield fake
    fake.close()


@pytest.fixture
def reader() -> Reader:
    return new_reader("Far", slots=1)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_every_link_by_its_name(far: FakeReader, reader: Reader) -> None:
    (slot,) = reader.slots
    with FarVpcd([reader], VpcdAddress("127.0.0.1", far.port), grace=0) as joined:

        def state() -> FarState:
            return joined.links[0].state

        assert state() is FarState.EMPTY
        slot.insert(ScriptedCard())
        until(far.waiting)
        until(lambda: joined.bridges[0].connected)
        assert state() is FarState.SILENT, "connected, but nobody asks for the card"
        far.accept().ask(GET_ATR)
        assert state() is FarState.SEEN
        # The far side goes, and comes back: nobody has to do anything.
        far.drop()
        until(lambda: state() is FarState.SILENT)
        assert far.accept().ask(GET_ATR) == slot.card.atr
        assert state() is FarState.SEEN
        far.close()
        until(lambda: state() is FarState.REFUSED)
        assert str(far.port) in joined.links[0].sentence.fr
        slot.remove()
        assert state() is FarState.EMPTY
        assert not joined.defects, "a link that does not hold is no fault of the bench"


def test_a_name_that_leads_nowhere(reader: Reader) -> None:
    reader.slots[0].insert(ScriptedCard())
    with FarVpcd([reader], VpcdAddress("no-such-host.invalid", 1)) as joined:
        until(lambda: joined.links[0].state in (FarState.NAME, FarState.UNREACHABLE))
        assert joined.alive


def test_the_order_in_which_windows_asks(far: FakeReader, reader: Reader) -> None:
    """As its source has it: a look each second, a reset at connection, never a power-on. Not tried on Windows."""
    card = ScriptedCard()
    (slot,) = reader.slots
    slot.insert(card)
    with FarVpcd([reader], VpcdAddress("127.0.0.1", far.port)) as joined:
        assert far.accept().ask(GET_ATR) == card.atr
        assert card.history == []
        far.send(RESET)
        assert far.ask(COMMAND) == ANSWER
        assert card.history == ["on", "reset"]
        # A card that comes after another has no power either, whatever is asked first.
        far.drop()
        assert far.accept().ask(COMMAND) == ANSWER
        assert card.history == ["on", "reset", "on"]
        assert not joined.defects


# -- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--vpcd", "192.0.2.7:35963"], "--not-loopback 192.0.2.7"),
        (["--vpcd", "192.0.2.7", "--not-loopback", "192.0.2.8"], "the host of --vpcd is 192.0.2.7"),
        (["--vpcd", "127.0.0.1:0"], "a port is a number"),
        (["--vpcd", "127.0.0.1", "--service", "own"], "--service"),
        (["--not-loopback", "h"], "--vpcd HOST:PORT"),
    ],
)
def test_what_up_refuses(options: list[str], said: str) -> None:
    done = subprocess.run(
        [*warm(), "--lang", "en", "up", *options], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr


@pytest.mark.timeout(120)
def test_a_pcscd_that_is_not_the_bench_s(installation: Installation, tmp_path: Path) -> None:
    for program in ("unshare", "opensc-tool", "pkcs15-tool"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    script = map(str, (Path(__file__).with_name("far_bench.py"), tmp_path, installation.driver, BIFENTE))
    command = ["unshare", "--map-root-user", "--mount", "--net", "--kill-child", sys.executable, "-P", *script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    told = said.pop("told")
    assert said.pop("name").startswith("IAS"), said
    assert said.pop("listed").count("Yes") == 2
    assert said.pop("certificates") == 2
    assert (said.pop("code"), said.pop("other's code")) == (0, 3)
    assert all(value is True for value in said.values()), (said, told)
    assert told.count("cps: the reader at 127.0.0.1:35963 sees the card") == 3, told
