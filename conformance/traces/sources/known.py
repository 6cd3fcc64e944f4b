"""Every kind of log that is known, and which one a file is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bifente.conformance.loading import InputError, nearest
from bifente.conformance.traces.sources import gsmtap, journal, opensc, pcscd, spy, transcript
from bifente.conformance.traces.sources.source import TraceSource
from bifente.ground.files import open_file
from bifente.reports.journal import FILE_NAME

# In the order in which they are tried: the Cryptolib's dumps are those of an OpenSC, arrows are in every kind.
SOURCES: Mapping[str, TraceSource] = {
    source.name: source
    for source in (
        gsmtap.SOURCE,
        journal.SOURCE,
        spy.RAW,
        pcscd.SOURCE,
        opensc.CRYPTOLIB,
        opensc.SOURCE,
        spy.SOURCE,
        transcript.SOURCE,
    )
}

_HEAD = 1 << 20
_PACKED = {b"\x1f\x8b": "gzip", b"PK": "zip", b"BZ": "bzip2", b"\xfd7": "xz", b"\x28\xb5": "zstd"}


def file_of(path: Path) -> Path:
    """Return the journal of a run's folder, any other path as it is."""
    return path / FILE_NAME if path.is_dir() else path


def source_of(path: Path, named: str | None = None) -> TraceSource:
    """Return the kind of a log, looked for unless it is named. Raise InputError for one that is none."""
    if named is not None and named not in SOURCES:
        raise InputError.at(str(path), f"no kind of log bears the name {named!r}", cure=nearest(named, SOURCES))
    try:
        with open_file(path) as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise InputError.at(str(path), f"cannot be read: {error.strerror}", cure="give the file of a log") from None
    if named is not None:
        return SOURCES[named]
    if not head:
        raise InputError.at(str(path), "the file is empty", cure="switch the log on first, then repeat the failing act")
    if (packed := _PACKED.get(head[:2])) is not None:
        raise InputError.at(str(path), f"the file is packed ({packed})", cure="unpack it, and import what was in it")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "replace").encode("latin-1", "replace")
    for source in SOURCES.values():
        if source.recognises(head):
            return source
    raise InputError.at(
        str(path),
        "no log of a known kind",
        cure=f"say which with --format: {', '.join(SOURCES)}",
    )
