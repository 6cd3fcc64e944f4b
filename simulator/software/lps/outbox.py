"""What waits to be sent to the DMP: one file a submission, written whole or not at all, sent once or told as sent.

A file is made beside its place and moved there, so that a process that dies at any moment leaves it there or not. The
identifiers of a submission never change: what arrived without an answer is known by them when it is sent again.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from lxml import etree

from bifente.simulator.formats.soap.xml import XmlLimits, XmlRefusedError, parsed
from bifente.simulator.formats.xds import reading, writing
from bifente.simulator.formats.xds.errors import MetadataError
from bifente.simulator.software.lps.client import DmpReply, UnreachableError
from bifente.simulator.software.lps.submission import PreparedSubmission

LARGEST = 268_435_456
ARRIVED = frozenset({"XDSDuplicateUniqueIdInRegistry"})
"""What says that a submission arrived before."""
LATER = frozenset({"XDSRepositoryBusy", "XDSRegistryBusy", "XDSRegistryNotAvailable", "DMPGeneralError"})
"""What says that it is to be sent again later, as it is."""


class OutboxState(StrEnum):
    """Where a submission stands; the value ends the name of its file."""

    WAITING = "waiting"
    SENT = "sent"
    REFUSED = "refused"


class OutboxError(ValueError):
    """A file of the outbox that is not what it should be. One sentence."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One submission of the outbox: whose INS it is for, and what it carries."""

    number: int
    patient: str
    state: OutboxState
    path: Path


Feed = Callable[[str, PreparedSubmission], DmpReply]
"""Sends a submission for an INS (as a VIHF writes it). Raises UnreachableError."""
Passing = Callable[[str], None]
"""Hears of each moment that was passed: for tests that stop a process there."""


def _nobody(moment: str) -> None:
    """Hear of a moment, and do nothing."""


class DmpOutbox:
    """A folder of submissions. ``passing`` hears of the moments between which nothing can be half done."""

    def __init__(self, folder: Path, passing: Passing = _nobody) -> None:
        self.folder = folder
        self._passing = passing
        folder.mkdir(parents=True, exist_ok=True)

    def keep(self, patient: str, prepared: PreparedSubmission) -> Kept:
        """Put a submission into the outbox; once it returns, nothing loses it."""
        number = max((one.number for one in self.all()), default=0) + 1
        path = self.folder / f"{number:06}.{OutboxState.WAITING.value}"
        beside = self.folder / f".{number:06}.{os.getpid()}"
        self._passing("before-writing")
        with beside.open("wb") as file:
            data = _written(patient, prepared)
            half = len(data) // 2
            file.write(data[:half])
            file.flush()
            self._passing("half-written")
            file.write(data[half:])
            file.flush()
            os.fsync(file.fileno())
        self._passing("written")
        beside.replace(path)
        _sync(self.folder)
        self._passing("kept")
        return Kept(number, patient, OutboxState.WAITING, path)

    def send(self, feed: Feed) -> list[tuple[Kept, DmpReply | None]]:
        """Send what waits, in order; stop where nothing answers. Return what came of each, None for no answer."""
        done: list[tuple[Kept, DmpReply | None]] = []
        for one in self.waiting():
            self._passing("before-sending")
            try:
                reply = feed(one.patient, self.read(one))
            except UnreachableError:
                done.append((one, None))
                break
            self._passing("answered")
            if reply.code in LATER:
                done.append((one, reply))
                break
            well = reply.ok or reply.code in ARRIVED
            state = OutboxState.SENT if well else OutboxState.REFUSED
            one.path.replace(one.path.with_suffix(f".{state.value}"))
            _sync(self.folder)
            self._passing("marked")
            done.append((one, reply))
        return done

    def all(self) -> Iterator[Kept]:
        """Tell every submission, the oldest first; what was never written whole is not there."""
        for path in sorted(self.folder.iterdir()):
            stem, _dot, end = path.name.partition(".")
            if stem.isdigit() and end in {*OutboxState}:
                yield Kept(int(stem), "", OutboxState(end), path)

    def waiting(self) -> list[Kept]:
        """Return what waits. Raise OutboxError for a file that somebody else changed."""
        return [
            Kept(one.number, _head(one.path), one.state, one.path)
            for one in self.all()
            if one.state is OutboxState.WAITING
        ]

    def read(self, kept: Kept) -> PreparedSubmission:
        """Return what a file holds. Raise OutboxError."""
        return _read(kept.path)[1]


def _written(patient: str, prepared: PreparedSubmission) -> bytes:
    told = {
        "patient": patient,
        "document": prepared.unique_id,
        "set": prepared.lot,
        "metadata": etree.tostring(writing.submit_objects(prepared.submission)).decode(),
        "contents": {name: b64encode(content).decode("ascii") for name, content in prepared.contents.items()},
    }
    return json.dumps(told, ensure_ascii=False).encode()


def _head(path: Path) -> str:
    return _read(path)[0]


def _read(path: Path) -> tuple[str, PreparedSubmission]:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise OutboxError(f"{path.name} is larger than {LARGEST} bytes")
        told = json.loads(data)
        metadata = parsed(told["metadata"].encode(), XmlLimits())
        contents = {str(name): b64decode(content, validate=True) for name, content in told["contents"].items()}
        prepared = PreparedSubmission(str(told["document"]), str(told["set"]), reading.submission(metadata), contents)
        return str(told["patient"]), prepared
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        Base64Error,
        MetadataError,
        XmlRefusedError,
    ) as error:
        if isinstance(error, OutboxError):
            raise
        raise OutboxError(f"{path.name} is no submission of this outbox ({type(error).__name__})") from None


def _sync(folder: Path) -> None:
    """Let a move survive a power cut, where folders can be synchronised."""
    if hasattr(os, "O_DIRECTORY"):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
