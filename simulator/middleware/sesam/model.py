"""What ``sesam.ini`` tells the FSV: folders, and how patient to be (sources#sesam-ini)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bifente.simulator.middleware.patience import Patience

KIT = Patience(10, 0.5)
"""What the workstation kit sets for each of the three: 500 ms, 10 times."""
LOG_FILE = "log4crc.xml"
"""What the folder of the trace settings must hold."""
WORK_FILES = tuple(f"{number}.adm" for number in (154, 155, 157, 170, 174))
"""What the FSV keeps in its work folder."""


@dataclass(frozen=True, slots=True)
class Sesam:
    """A whole ``sesam.ini``; folders are Windows paths, an empty one is not written."""

    work: str
    tables: str
    """Tables of the SSV: the only ones the reading functions need."""
    srt_tables: str = ""
    srt_changes: str = ""
    sts_tables: str = ""
    common_tables: str = ""
    trace_settings: str = ""
    """Folder of ``log4crc.xml``, for the component MGC and for all."""
    traces: bool = False
    exclusivity: Patience = KIT
    exclusivity_pcsc: Patience = KIT
    file_access: Patience = KIT


class Disk(Protocol):
    """The folders of the workstation the file speaks of."""

    def files(self, folder: str) -> frozenset[str] | None:
        """The lower-case names in a folder, None if there is no such folder."""
        ...

    def writable(self, folder: str) -> bool:
        """Whether files can be written there."""
        ...


@dataclass(frozen=True, slots=True)
class KnownFolders:
    """A disk as data: what is in each folder (by its lower-case path), and which folders refuse writing."""

    folders: Mapping[str, frozenset[str]]
    read_only: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, sesam: Sesam) -> KnownFolders:
        """The disk on which a configuration finds all it needs. Which table files there are is not public."""
        held: dict[str, frozenset[str]] = {}
        for path, names in (
            (sesam.work, frozenset(WORK_FILES)),
            (sesam.trace_settings, frozenset({LOG_FILE})),
            *((path, frozenset[str]()) for path in (sesam.tables, sesam.srt_tables, sesam.sts_tables)),
            (sesam.common_tables, frozenset[str]()),
        ):
            if path:
                held[key(path)] = held.get(key(path), frozenset()) | names
        return cls(held)

    def files(self, folder: str) -> frozenset[str] | None:
        """Same folder, whatever the case and a final backslash."""
        return self.folders.get(key(folder))

    def writable(self, folder: str) -> bool:
        """If it is there and not read-only."""
        return key(folder) in self.folders and key(folder) not in self.read_only


def key(path: str) -> str:
    """What two writings of one Windows path have in common."""
    return path.rstrip("\\/").lower()
