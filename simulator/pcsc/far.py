"""Cards seated in a vpcd that is not the bench's: of a Windows or macOS machine, or of this machine's own pcscd.

The far side listens, one port a slot, and whoever connects is the card. It has no secret and no cipher: what passes can
be read and changed by whoever sits between, so that only loopback is reached unless the host is told by its name.
"""

from __future__ import annotations

import ipaddress
import socket
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from bifente.ground.text import Text
from bifente.simulator.pcsc.bridge import Connector, Defect, Observer, SlotBridge
from bifente.simulator.pcsc.errors import Link, PcscdError
from bifente.simulator.readers import Reader, Slot

DEFAULT_PORT = 35963
"""First slot of vpcd on every system (vsmartcard's documentation)."""

GRACE = 2.5
"""Seconds after which a connection on which no reader speaks is told as broken: Windows looks every second."""

RUN_PREFIX = "bifente-far-"
_LAST_PORT = 65535
_PATIENCE = 2.0
_KEEPALIVE = ((socket.TCP_KEEPIDLE, 5), (socket.TCP_KEEPINTVL, 2), (socket.TCP_KEEPCNT, 3))
"""A far machine that vanishes is noticed after some 11 s: it says nothing when its cable is pulled."""


@dataclass(frozen=True, slots=True)
class VpcdAddress:
    """Where a vpcd listens: its first slot's port, the others follow."""

    host: str
    port: int = DEFAULT_PORT

    @classmethod
    def parse(cls, text: str) -> VpcdAddress:
        """Return the address written HOST, HOST:PORT or [IPV6]:PORT. Raise ValueError with a sentence."""
        host, colon, port = text.rpartition(":") if not text.endswith("]") and text.count(":") != 0 else (text, "", "")
        if colon and ":" in host and not host.startswith("["):
            raise ValueError(f"{text}: an IPv6 address stands in brackets, e.g. [::1]:{DEFAULT_PORT}")
        host = host.removeprefix("[").removesuffix("]")
        if not host:
            raise ValueError(f"{text!r}: HOST:PORT is expected, e.g. 127.0.0.1:{DEFAULT_PORT}")
        if not colon:
            return cls(host)
        if not (port.isascii() and port.isdecimal()) or not 0 < int(port) <= _LAST_PORT:
            raise ValueError(f"{text}: a port is a number from 1 to {_LAST_PORT}")
        return cls(host, int(port))

    @property
    def loopback(self) -> bool:
        """Whether the host is this machine alone, under every address that its name has."""
        try:
            found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return False
        return bool(found) and all(ipaddress.ip_address(one[4][0]).is_loopback for one in found)

    def slot(self, number: int) -> VpcdAddress:
        """Return where the slot of a number, from 0, listens."""
        return VpcdAddress(self.host, self.port + number)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class FarState(Enum):
    """How far a card gets: the first link that does not hold, or that it is seen."""

    EMPTY = "empty"
    CONNECTING = "connecting"
    NAME = "name"
    REFUSED = "refused"
    NO_ANSWER = "no-answer"
    UNREACHABLE = "unreachable"
    SILENT = "silent"
    SEEN = "seen"


@dataclass(frozen=True, slots=True)
class FarLink:
    """One slot's link: where it leads, how it stands, and what the system said."""

    slot: str
    address: VpcdAddress
    state: FarState
    detail: str = ""

    @property
    def sentence(self) -> Text:
        """What is so, and the cure if it is broken."""
        said = _SENTENCES[self.state]
        values = {"at": str(self.address), "host": self.address.host, "detail": self.detail}
        return Text(said.fr.format_map(values), said.en.format_map(values))


_SENTENCES = {
    FarState.EMPTY: Text("{at} : rien dans la fente", "{at}: nothing in the slot"),
    FarState.CONNECTING: Text("{at} : liaison en cours", "{at}: being connected"),
    FarState.NAME: Text(
        "le nom {host} ne mène à aucune machine ({detail}) : vérifiez-le, ou donnez l'adresse",
        "the name {host} leads to no machine ({detail}): check it, or give the address",
    ),
    FarState.REFUSED: Text(
        "personne n'écoute sur {at} : démarrez là-bas le service PC/SC avec le pilote vpcd",
        "nobody listens on {at}: start the PC/SC service with the vpcd driver there",
    ),
    FarState.NO_ANSWER: Text(
        "{at} ne répond pas : machine éteinte, pare-feu, ou fente prise par une autre carte",
        "{at} does not answer: the machine is off, a firewall, or the slot is taken by another card",
    ),
    FarState.UNREACHABLE: Text("{at} est hors d'atteinte : {detail}", "{at} is out of reach: {detail}"),
    FarState.SILENT: Text(
        "{at} accepte la liaison, mais aucun lecteur n'y demande la carte : une autre occupe cette fente, ou ce n'est "
        "pas un vpcd",
        "{at} accepts the connection, but no reader asks for the card there: another one holds this slot, or it is no "
        "vpcd",
    ),
    FarState.SEEN: Text("le lecteur de {at} voit la carte", "the reader at {at} sees the card"),
}


class _FarSlot:
    """A slot joined to its far port, and how the last attempt ended."""

    def __init__(self, slot: Slot, address: VpcdAddress, observer: Observer | None, grace: float) -> None:
        self.slot = slot
        self.address = address
        self._grace = grace
        self._since = 0.0
        self._last = FarLink(slot.name, address, FarState.CONNECTING)
        self.bridge = SlotBridge(slot, self._connector(), observer, patience=None, powers=False)

    @property
    def link(self) -> FarLink:
        """How it stands."""
        if self.slot.answering is None:
            return FarLink(self.slot.name, self.address, FarState.EMPTY)
        if not self.bridge.connected:
            return self._last
        if self.bridge.wait_seen(0):
            return FarLink(self.slot.name, self.address, FarState.SEEN)
        if time.monotonic() - self._since < self._grace:
            return FarLink(self.slot.name, self.address, FarState.CONNECTING)
        return FarLink(self.slot.name, self.address, FarState.SILENT)

    def _connector(self) -> Connector:
        def connect() -> socket.socket:
            try:
                connected = _connected(self.address)
            except socket.gaierror as error:
                self._ended(FarState.NAME, error)
                raise
            except ConnectionRefusedError as error:
                self._ended(FarState.REFUSED, error)
                raise
            except TimeoutError as error:
                self._ended(FarState.NO_ANSWER, error)
                raise
            except OSError as error:
                self._ended(FarState.UNREACHABLE, error)
                raise
            self._since = time.monotonic()
            self._last = FarLink(self.slot.name, self.address, FarState.CONNECTING)
            return connected

        return connect

    def _ended(self, state: FarState, error: OSError) -> None:
        self._last = FarLink(self.slot.name, self.address, state, error.strerror or str(error))


def _connected(address: VpcdAddress) -> socket.socket:
    connected = socket.create_connection((address.host, address.port), timeout=_PATIENCE)
    try:
        if connected.getsockname() == connected.getpeername():
            # TCP lets a client meet itself when its random source port is the port it calls.
            raise ConnectionRefusedError(f"nothing listens on {address}")
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in _KEEPALIVE:
            connected.setsockopt(socket.IPPROTO_TCP, option, value)
    except BaseException:
        connected.close()
        raise
    return connected


class FarVpcd:
    """The slots of readers, each joined to a port of a vpcd elsewhere, again and again. A context manager.

    Clients are those of the far machine: nothing is served here. The readers bear the far side's names.
    """

    environment: Mapping[str, str] = {}
    """Nothing: no client of this machine's environment reaches it."""

    enter: tuple[str, ...] = ()
    pid = None
    alive = True

    def __init__(
        self,
        readers: Sequence[Reader],
        address: VpcdAddress,
        observer: Observer | None = None,
        *,
        grace: float = GRACE,
    ) -> None:
        """Raise PcscdError if there are more slots than ports. ``grace``: seconds a reader has to ask for a card."""
        slots = [slot for reader in readers for slot in reader.slots]
        if address.port + len(slots) - 1 > _LAST_PORT:
            raise PcscdError(
                Link.PORT,
                Text(
                    f"{len(slots)} fentes à partir du port {address.port} dépassent {_LAST_PORT}",
                    f"{len(slots)} slots from port {address.port} on exceed {_LAST_PORT}",
                ),
            )
        self._folder = tempfile.TemporaryDirectory(prefix=RUN_PREFIX)
        self._slots = [_FarSlot(slot, address.slot(number), observer, grace) for number, slot in enumerate(slots)]
        for one in self._slots:
            one.bridge.start()

    @property
    def links(self) -> tuple[FarLink, ...]:
        """How each slot's link stands now."""
        return tuple(one.link for one in self._slots)

    @property
    def run_dir(self) -> Path:
        """A private folder that goes with it: no socket of PC/SC is in it."""
        return Path(self._folder.name)

    @property
    def bridges(self) -> tuple[SlotBridge, ...]:
        """One for each slot, in slot order."""
        return tuple(one.bridge for one in self._slots)

    @property
    def reader_names(self) -> tuple[str, ...]:
        """Where each slot leads: the names are the far side's, and not known here."""
        return tuple(str(one.address) for one in self._slots)

    @property
    def names_by_slot(self) -> Mapping[str, str]:
        """From ``slot.name`` to where it leads."""
        return {one.slot.name: str(one.address) for one in self._slots}

    def name_of(self, slot: Slot) -> str:
        """Where this very slot leads. Raise KeyError if it is not one of ours."""
        for one in self._slots:
            if one.slot is slot:
                return str(one.address)
        raise KeyError(slot.name)

    @property
    def defects(self) -> tuple[Defect, ...]:
        """Every fault of the bench so far; a link that does not hold is none."""
        return tuple(defect for one in self._slots for defect in one.bridge.defects)

    def close(self) -> None:
        """Take every card out. Can be called again."""
        for one in self._slots:
            one.bridge.close()
        self._folder.cleanup()

    def __enter__(self) -> FarVpcd:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
