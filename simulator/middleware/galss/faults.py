"""Faults of the GALSS: its file broken in each documented way, its server stopped or busy, its versions at odds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bifente.simulator.fault import Aim, Around, Fault, FaultError, Undo
from bifente.simulator.middleware.galss.model import CPS, VITALE
from bifente.simulator.middleware.galss.server import GalssServer
from bifente.simulator.middleware.galss.session import Application
from bifente.simulator.middleware.ini import edited

_OTHER_PSS = (4, 0)
"""A PSS that goes with no GALSS of the field."""


ROOM, FILE = "galss", "file"


@dataclass(frozen=True, slots=True)
class GalssSpot:
    """The GALSS a fault strikes, and the application that meets it."""

    server: GalssServer
    application: Application


def make(fault: Fault, around: Around, aim: Aim | None) -> Undo:
    """Make a fault of the GALSS around, by the catalogue's door. Raise FaultError."""
    spot = around.part(GalssSpot)
    return inject_galss(fault, spot.server, spot.application)


def damaged(file: bytes, fault: Fault) -> bytes | None:
    """``galss.ini`` broken as a fault says; None if it is missing altogether. Raises FaultError for another fault."""
    if fault.mechanism != FILE:
        raise FaultError(f"{fault.id} does not break galss.ini")
    given = fault.parameters
    if given.get("content") == "missing":
        return None
    return edited(file, given["section"], given.get("key"), given.get("value"))


def inject_galss(fault: Fault, server: GalssServer, application: Application) -> Undo:
    """Make a fault of the GALSS that strikes ``application``; the function given back takes it away.

    Raises FaultError for a fault that is none of the GALSS, and without a file to break.
    """
    if fault.room != ROOM:
        raise FaultError(f"{fault.id} is no fault of the GALSS: its place is {fault.place}")
    if fault.mechanism == FILE:
        return _break_file(fault, server)
    return _ACTIONS[fault.mechanism](server, application)


def _break_file(fault: Fault, server: GalssServer) -> Undo:
    before = server.file
    if before is None:
        raise FaultError(f"{fault.id} needs a galss.ini to break")
    server.file = damaged(before, fault)
    server.start()

    def undo() -> None:
        server.file = before
        server.start()

    return undo


def _stopped(server: GalssServer, application: Application) -> Undo:
    server.stop()
    return server.start


def _file_held(server: GalssServer, application: Application) -> Undo:
    server.file_held = True
    server.start()

    def undo() -> None:
        server.file_held = False
        server.start()

    return undo


def _versions(server: GalssServer, application: Application) -> Undo:
    before = server.installation
    server.installation = replace(before, pss=_OTHER_PSS)

    def undo() -> None:
        server.installation = before

    return undo


def _session_open(server: GalssServer, application: Application) -> Undo:
    return application.pair(CPS, VITALE).release


def _channel_held(server: GalssServer, application: Application) -> Undo:
    pair = server.application(f"not {application.name}").pair(CPS, VITALE)
    pair.ps()
    return pair.release


_ACTIONS: Mapping[str, Callable[[GalssServer, Application], Undo]] = {
    "stopped": _stopped,
    "file-held": _file_held,
    "versions": _versions,
    "session-open": _session_open,
    "channel-held": _channel_held,
}
