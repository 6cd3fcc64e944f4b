"""What an application has of the GALSS: a session on the two cards of one reader, and dialogues that are its alone."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.galss.model import ALIASES, CPS, LOG_SV, VITALE, Configuration, Resource
from bifente.simulator.middleware.patience import TRANSMISSION, Patience, insist
from bifente.simulator.readers import Connection, PcscCode, ScardError

if TYPE_CHECKING:
    from bifente.simulator.middleware.galss.server import GalssServer

_ONCE = frozenset({0x20, 0x21, 0x24, 0x25, 0x26, 0x28, 0x2A, 0x2C, 0x2D, 0x82, 0x84, 0x86, 0x88})
"""Codes, challenges and cryptography: sent once, since the card may have acted before the line broke."""

_CODES = {
    PcscCode.SHARING_VIOLATION: SsvCode.GALSS_HELD_BY_ANOTHER,
    PcscCode.RESET_CARD: SsvCode.GALSS_ABANDONED,
    PcscCode.TIMEOUT: SsvCode.GALSS_NO_ANSWER,
    PcscCode.NOT_READY: SsvCode.GALSS_NO_ANSWER,
    PcscCode.UNKNOWN_READER: SsvCode.GALSS_NO_ANSWER,
    PcscCode.READER_UNAVAILABLE: SsvCode.GALSS_NO_ANSWER,
    PcscCode.NO_READERS_AVAILABLE: SsvCode.GALSS_NO_ANSWER,
    PcscCode.COMM_ERROR: SsvCode.GALSS_PROTOCOL,
    PcscCode.NOT_TRANSACTED: SsvCode.GALSS_PROTOCOL,
    PcscCode.PROTO_MISMATCH: SsvCode.GALSS_PROTOCOL,
    PcscCode.NO_SERVICE: SsvCode.GALSS_PSS_INITIALISATION,
    PcscCode.SERVICE_STOPPED: SsvCode.GALSS_PSS_INITIALISATION,
}
"""PC/SC failures of the reader as the GALSS tells them: the codes are the texts', their pairing is our model."""
_LOST = frozenset({PcscCode.UNKNOWN_READER, PcscCode.READER_UNAVAILABLE, PcscCode.NO_READERS_AVAILABLE})
_OF_THE_CARD = frozenset(
    {PcscCode.NO_SMARTCARD, PcscCode.REMOVED_CARD, PcscCode.UNRESPONSIVE_CARD, PcscCode.UNPOWERED_CARD}
)
"""Failures that concern the card and not the reader: what they mean depends on which card it is."""


def code_of(error: ScardError) -> SsvCode:
    """The GALSS code of a PC/SC failure of the reader; 0001 for one that has none."""
    known = PcscCode._value2member_map_.get(error.code)
    return _CODES.get(known, SsvCode.GALSS_INTERNAL) if isinstance(known, PcscCode) else SsvCode.GALSS_INTERNAL


class Application:
    """A software of the workstation: ``pair`` opens its session (the contract of ``Resources``)."""

    def __init__(self, server: GalssServer, name: str, patience: Patience) -> None:
        self.name = name
        self.patience = patience
        self._server = server

    def pair(self, ps: str, reader: str) -> GalssPair:
        """Open a session on two resources, by name or alias.

        Raises SsvError: 8001 to 8011 (the file), 8002 (no server), 800E (versions), F101 (unknown name, or two
        readers), 0800 (a session of this application is open), 0002 (too many).
        """
        server = self._server
        configuration = server.configuration()
        first, second = _find(configuration, ps), _find(configuration, reader)
        if first.reader != second.reader:
            detail = f"{ps} is on CANAL{first.channel_number}, {reader} on CANAL{second.channel_number}: two readers"
            raise SsvError(SsvCode.UNKNOWN_RESOURCE, detail)
        pair = GalssPair(server, self, first, second, configuration)
        server.open(pair)
        try:
            server.look_for_readers(configuration)
        except SsvError:
            pair.release()
            raise
        return pair


class GalssPair:
    """An open session (the contract of ``Pair``): each card is met when it is first asked for."""

    def __init__(
        self,
        server: GalssServer,
        application: Application,
        ps: Resource,
        reader: Resource,
        configuration: Configuration,
    ) -> None:
        self.application = application
        self._server = server
        self._ps = ps
        self._reader = reader
        self._configuration = configuration
        self._open: dict[Resource, GalssConnection] = {}
        self._released = False

    def ps(self) -> Connection:
        """The professional's card. Raises SsvError: F001 absent, F004 mute, 0004 or 0008 held, 0400, 0200, F101 ..."""
        return self._dialogue(self._ps, absent=SsvCode.PS_ABSENT, mute=SsvCode.PS_INVALID)

    def vitale(self) -> Connection:
        """The Vitale of the same reader. Raises SsvError: F011 absent, F014 mute, 0004 or 0008 held ..."""
        return self._dialogue(self._vitale(), absent=SsvCode.VITALE_ABSENT, mute=SsvCode.VITALE_COMMUNICATION)

    def release(self) -> None:
        """Close the session; what was held is free. Never raises."""
        self._released = True
        for dialogue in self._open.values():
            dialogue.disconnect()
        self._open.clear()
        self._server.close(self)

    def _vitale(self) -> Resource:
        """The Vitale's resource: the one named as the reader, unless that is the reader's own software or the CPS."""
        if not {LOG_SV, CPS, ALIASES[CPS]} & set(self._reader.lad.names):
            return self._reader
        for resource in self._configuration.resources():
            if resource.reader == self._ps.reader and {VITALE, ALIASES[VITALE]} & set(resource.lad.names):
                return resource
        raise SsvError(SsvCode.UNKNOWN_RESOURCE, f"no resource of this reader is called {VITALE}")

    def _dialogue(self, resource: Resource, *, absent: SsvCode, mute: SsvCode) -> Connection:
        if not self._server.running:
            raise SsvError(SsvCode.GALSS_SERVER_NOT_FOUND, "the GALSS server stopped")
        if self._released:
            raise SsvError(SsvCode.GALSS_INTERNAL, "the session is closed")
        if resource not in self._open:
            name = self._server.pcsc_name(resource)
            self._server.hold(resource.channel_number, self)
            try:
                self._open[resource] = GalssConnection(self._connected(name), self._server, resource)
            except ScardError as error:
                if error.code in (PcscCode.NO_SMARTCARD, PcscCode.REMOVED_CARD):
                    raise SsvError(absent, str(error)) from None
                if error.code in _OF_THE_CARD:
                    raise SsvError(mute, str(error)) from None
                if error.code in _LOST:
                    raise self._server.lost(resource) from None
                raise SsvError(code_of(error), str(error)) from None
        return self._open[resource]

    def _connected(self, name: str) -> Connection:
        """A dialogue held against PC/SC applications too, which the GALSS does not arbitrate: tried again as long."""
        return insist(self.application.patience, self._server.clock, lambda: self._held(name), _is_held)

    def _held(self, name: str) -> Connection:
        connection = self._server.access.connect(name)
        try:
            connection.begin()
        except ScardError:
            connection.disconnect()
            raise
        return connection


class GalssConnection:
    """A dialogue through the GALSS: lost synchronism is made good, the reader's failures bear GALSS codes.

    The card's own failures (withdrawn, mute) stay ScardError, since their meaning depends on the card.
    """

    def __init__(self, connection: Connection, server: GalssServer, resource: Resource) -> None:
        self._connection = connection
        self._server = server
        self._resource = resource
        self._ended = False

    @property
    def atr(self) -> bytes:
        """The ATR of the card."""
        return self._connection.atr

    def transmit(self, command: bytes) -> bytes:
        """One command. Raises ScardError for the card's failures, SsvError for the reader's (0200, 0400, 0040 ...)."""
        if len(command) > 1 and command[1] in _ONCE:
            return self._exchanged(command)
        return insist(TRANSMISSION, self._server.clock, lambda: self._exchanged(command), _is_desynchronised)

    def _exchanged(self, command: bytes) -> bytes:
        if not self._server.running:
            raise SsvError(SsvCode.GALSS_SERVER_NOT_FOUND, "the GALSS server stopped")
        if self._ended:
            raise SsvError(SsvCode.GALSS_INTERNAL, "the session is closed")
        try:
            return self._connection.transmit(command)
        except ScardError as error:
            if error.code in _OF_THE_CARD:
                raise
            raise self._told(error) from None

    def reset(self, *, cold: bool) -> bytes:
        """Reset the card. Raises as ``transmit`` does."""
        try:
            return self._connection.reset(cold=cold)
        except ScardError as error:
            if error.code in _OF_THE_CARD:
                raise
            raise self._told(error) from None

    def begin(self) -> None:
        """Nothing: the session holds its channels already."""

    def end(self) -> None:
        """Nothing: the channels are free when the session is released."""

    def disconnect(self) -> None:
        """Leave the card; never raises."""
        self._ended = True
        with suppress(ScardError):
            self._connection.end()
        self._connection.disconnect()

    def _told(self, error: ScardError) -> SsvError:
        return self._server.lost(self._resource) if error.code in _LOST else SsvError(code_of(error), str(error))


def _find(configuration: Configuration, name: str) -> Resource:
    resource = configuration.resource(name)
    if resource is None:
        known = ", ".join(sorted({one for resource in configuration.resources() for one in resource.lad.names}))
        raise SsvError(SsvCode.UNKNOWN_RESOURCE, f"no resource is called {name!r}; the file has {known}")
    return resource


def _is_held(error: Exception) -> bool:
    return isinstance(error, ScardError) and error.code == PcscCode.SHARING_VIOLATION


def _is_desynchronised(error: Exception) -> bool:
    return isinstance(error, SsvError) and error.code == SsvCode.GALSS_PROTOCOL
