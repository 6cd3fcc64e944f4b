"""What readers are there and which card each holds, from the listing of a tool of the system.

Taken are system_profiler (macOS), pcsc_scan, ``opensc-tool -l`` and ``certutil -scinfo`` (Windows, either language).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bifente.simulator.middleware.recognition import CardKind, kind_of

MAX_BYTES = 256 * 1024
_MOST_READERS = 256
_LONGEST_LINE = 1000


class ListingError(ValueError):
    """No reader is named in it, or it is too large. One sentence."""


@dataclass(frozen=True, slots=True)
class ListedReader:
    """One reader by its PC/SC name. ``kind`` is what its card is by its ATR; None for an empty slot.

    OTHER is a card that is there and whose ATR is not told, or not known.
    """

    name: str
    kind: CardKind | None


def listed(name: str, atr: bytes | None) -> ListedReader:
    """Return the reader with the card of this ATR; None for an empty one."""
    return ListedReader(name, None if atr is None else kind_of(atr))


def parse(text: str) -> tuple[ListedReader, ...]:
    """Return the readers of a listing, in its order. Raise ListingError."""
    if len(text) > MAX_BYTES:
        raise ListingError(f"a listing of readers is no longer than {MAX_BYTES} characters")
    found: dict[str, ListedReader] = {}
    for reader in _readers(text):
        found[reader.name] = reader
        if len(found) > _MOST_READERS:
            raise ListingError(f"more than {_MOST_READERS} readers")
    if not found:
        raise ListingError(
            "names no reader: the output of system_profiler SPSmartCardsDataType, pcsc_scan, opensc-tool -l"
            " or certutil -scinfo is wanted"
        )
    return tuple(found.values())


_HEX = r"(?:0x)?((?:[0-9A-Fa-f]{2}[ :]?)+)"
_MACOS = re.compile(rf"#\d+: (.+?) \((?:(no card present)|ATR:\s*(?:\{{[^}}]*bytes = {_HEX}\}}|<{_HEX}>))\)\s*$")
_OPENSC = re.compile(r"\d+ +(Yes|No) .*? {2,}(\S.*?)\s*$")
_SCAN = re.compile(r"\s*(?:Reader )?\d+: (\S.*?)\s*$")
_CERTUTIL = re.compile(r"-{2,3} *(?:Reader|Lecteur) ?: (\S.*?)\s*$")
_ATR = re.compile(rf"\s*(?:-{{2,3}} *)?ATR ?: *(?:{_HEX})?\s*$")
_BYTES = re.compile(r"\s+((?:[0-9A-Fa-f]{2} )*[0-9A-Fa-f]{2})(?:\s{2,}.*)?$")
_PRESENT = re.compile(r"card (?:state: .*)?inserted|SCARD_STATE_PRESENT", re.IGNORECASE)


def _readers(text: str) -> Iterator[ListedReader]:
    open_one: _Unfinished | None = None
    for line in re.split(r"\r\n|\n|\r", re.sub(r"\x1b\[[0-9;]*m", "", text)):
        if len(line) > _LONGEST_LINE:
            continue
        if whole := _whole(line):
            yield whole
        elif name := _SCAN.fullmatch(line) or _CERTUTIL.fullmatch(line):
            if open_one is not None:
                yield open_one.finished()
            open_one = _Unfinished(name[1])
        elif open_one is not None:
            open_one.told(line)
    if open_one is not None:
        yield open_one.finished()


def _whole(line: str) -> ListedReader | None:
    """The reader that one line tells all of."""
    if said := _MACOS.fullmatch(line.strip()):
        return listed(said[1], None if said[2] else _bytes(said[3] or said[4]))
    if said := _OPENSC.fullmatch(line):
        return ListedReader(said[2], CardKind.OTHER if said[1] == "Yes" else None)
    return None


class _Unfinished:
    """A reader whose following lines tell of its card."""

    def __init__(self, name: str) -> None:
        self._name, self._present, self._atr, self._in_atr = name, False, "", False

    def told(self, line: str) -> None:
        if said := _ATR.fullmatch(line):
            self._atr, self._in_atr = said[1] or "", said[1] is None
        elif self._in_atr and (more := _BYTES.fullmatch(line)):
            self._atr += more[1]
        else:
            self._in_atr = False
            self._present = self._present or _PRESENT.search(line) is not None

    def finished(self) -> ListedReader:
        if self._atr:
            return listed(self._name, _bytes(self._atr))
        return ListedReader(self._name, CardKind.OTHER if self._present else None)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(re.sub(r"[^0-9A-Fa-f]", "", text))
