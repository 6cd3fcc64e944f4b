"""Debug logs of OpenSC (``OPENSC_DEBUG=9``), and of the Cryptolib, which is an old one inside (sources#traces)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bifente.conformance.traces.lines import lines
from bifente.conformance.traces.seen import BEGINNING, Seen, SeenApdu, SeenAtr, SeenOddity
from bifente.conformance.traces.sources.source import HEX_EXPECTED, AnswerPairing, TraceSource
from bifente.ground.text import Text

_BLOCK = re.compile(r"\s*(Outgoing|Incoming) APDU (?:data \[ *(\d{1,6}) bytes\]|\((\d{1,6}) bytes?\))")
_THREAD = re.compile(r"\s*(?:P:(\d{1,12}); T:(\w{1,24})|(0x[0-9a-f]{1,16}))[ ;]")
_TIME = re.compile(r"(?:(\d{4})-(\d\d)-(\d\d) )?(\d\d):(\d\d):(\d\d)\.(\d{3})\b")
# ctime without its year, as the Cryptolib begins each line.
_CTIME = re.compile(r"\w{3} (\w{3}) [ \d]\d (\d\d):(\d\d):(\d\d)\.(\d{3}) : ")
_READER = re.compile(r"reader '([^']{1,128})'")
_ATR = re.compile(r"\bATR {1,8}: ((?:3[BbFf])(?:[: ][0-9A-Fa-f]{2}){1,32})\b")
_PAIR = re.compile(r"[0-9A-F]{2}")
_PREFIX = 200
"""The characters of a line in which its time and thread are looked for."""
_LONGEST = 65_548
"""Bytes of the longest APDU that PC/SC passes on."""

_CUT = Text("une APDU dont le journal ne montre que le début", "an APDU of which the log shows only the beginning")


class LineClock:
    """The time of the last line that gave one."""

    def __init__(self) -> None:
        """Begin on a day that no log has."""
        self.at = BEGINNING

    def hear(self, text: str) -> None:
        """Take the time that a line gives, if it does."""
        found = _TIME.search(text) or _CTIME.match(text)
        if found is None:
            return
        try:
            if found.re is _TIME and found[1]:
                day = datetime(int(found[1]), int(found[2]), int(found[3]), tzinfo=UTC)
            else:
                day = self.at.replace(hour=0, minute=0, second=0, microsecond=0)
            hour, minute, second, thousandth = (int(part) for part in found.groups()[-4:])
            self.at = day + timedelta(hours=hour, minutes=minute, seconds=second, milliseconds=thousandth)
        except (ValueError, OverflowError):
            return


class _Block:
    """The dump of an APDU, being read."""

    def __init__(self, sent: bool, size: int, place: int) -> None:
        self.sent, self.size, self.place = sent, size, place
        self.digits: list[str] = []

    @property
    def missing(self) -> int:
        return self.size - len(self.digits)

    def take(self, text: str) -> bool:
        """Take a line of the dump: sixteen bytes or what is left of them, then the same as text."""
        words = text.strip().split(" ")[: min(16, self.missing)]
        if len(words) < min(16, self.missing) or not all(_PAIR.fullmatch(word) for word in words):
            return False
        self.digits += words
        return True


def read(path: Path) -> Iterator[Seen]:
    """Yield what the log shows."""
    clock, thread, reader, pairing = LineClock(), "", None, AnswerPairing()
    block: _Block | None = None
    for number, text in lines(path):
        if block is not None:
            if block.take(text):
                if not block.missing:
                    yield from _told(block, thread, reader, clock.at, pairing)
                    block = None
                continue
            yield SeenOddity(block.place, _CUT if block.digits else HEX_EXPECTED)
            block = None
        if (begun := _BLOCK.match(text)) is not None:
            size = int(begun[2] or begun[3])
            if 0 < size <= _LONGEST:
                block = _Block(begun[1] == "Outgoing", size, number)
            else:
                yield SeenOddity(number, Text(f"une APDU de {size} octets", f"an APDU of {size} bytes"))
            continue
        begins = text[:_PREFIX]
        clock.hear(begins)
        if (of := _THREAD.match(begins)) is not None:
            thread = of[3] or f"{of[1]}/{of[2]}"
        if (named := _READER.search(text)) is not None:
            reader = named[1]
        if (atr := _ATR.search(text)) is not None:
            yield SeenAtr(atr[1].replace(":", "").replace(" ", "").upper(), number, clock.at)
    if block is not None:
        yield SeenOddity(block.place, _CUT)
    yield from pairing.rest()


def _told(block: _Block, thread: str, reader: str | None, at: datetime, pairing: AnswerPairing) -> Iterator[Seen]:
    digits = "".join(block.digits)
    if block.sent:
        client = thread.partition("/")[0] or None
        return pairing.command(thread, SeenApdu(digits, "", block.place, at, reader, client))
    return pairing.response(thread, digits, block.place, at)


_OPENSC = re.compile(
    rb"\[[\w. -]{1,40}\] [\w./\\-]{1,120}\.c:\d{1,6}:|APDU \(\d{1,6} bytes\):|APDU data \[ *\d{1,6} bytes\]"
)
_CRYPTOLIB = re.compile(rb"(?m)^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d\.\d{3} : ")

CRYPTOLIB = TraceSource(
    "cryptolib",
    Text("traces de la Cryptolib CPS (cps3opsc_*.log)", "traces of the Cryptolib CPS (cps3opsc_*.log)"),
    lambda head: _CRYPTOLIB.search(head) is not None,
    read,
)
SOURCE = TraceSource(
    "opensc",
    Text("journal de débogage d'OpenSC (OPENSC_DEBUG=9)", "debug log of OpenSC (OPENSC_DEBUG=9)"),
    lambda head: _OPENSC.search(head) is not None,
    read,
)
