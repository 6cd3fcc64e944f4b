"""The log of ``pcscd --foreground --apdu``, on its own or in the system's journal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from bifente.conformance.traces.digits import from_text
from bifente.conformance.traces.lines import lines
from bifente.conformance.traces.seen import BEGINNING, Seen, SeenApdu, SeenAtr, SeenOddity
from bifente.conformance.traces.sources.source import HEX_EXPECTED, AnswerPairing, TraceSource
from bifente.ground.text import Text

# The microseconds since the line before, the thread where it is told, what is said; the system's journal puts date,
# machine and process in front.
_LINE = re.compile(r"(?:^|\bpcscd\[\d{1,10}\]: )(\d{8}) (?:\[(\d{1,24})\] )?(.*)$")
_HEAD = re.compile(
    rb"(?m)^(?:[^\n]{0,120}\bpcscd\[\d{1,10}\]: )?\d{8} (?:\[\d{1,24}\] )?(?:\w[\w-]{0,40}\.[cl]:\d|APDU: )"
)
_CLIENT = re.compile(r"TRANSMIT from client (\d{1,10})")
_SAYS = re.compile(r"(APDU|SW|Card ATR): ?(.*)")


def read(path: Path) -> Iterator[Seen]:
    """Yield what the log shows."""
    at, client, pairing = BEGINNING, None, AnswerPairing()
    for number, text in lines(path):
        line = _LINE.search(text)
        if line is None:
            continue
        at += timedelta(microseconds=int(line[1]))
        thread, message = line[2] or "", line[3]
        if (from_client := _CLIENT.search(message)) is not None:
            client = from_client[1]
        says = _SAYS.match(message)
        if says is None:
            continue
        digits = from_text(says[2])
        if not digits:
            yield SeenOddity(number, HEX_EXPECTED)
        elif says[1] == "Card ATR":
            yield SeenAtr(digits, number, at)
        elif says[1] == "APDU":
            yield from pairing.command(thread, SeenApdu(digits, "", number, at, client=client))
        else:
            yield from pairing.response(thread, digits, number, at)
    yield from pairing.rest()


SOURCE = TraceSource(
    "pcscd",
    Text("journal de pcscd (pcscd --foreground --apdu)", "log of pcscd (pcscd --foreground --apdu)"),
    lambda head: _HEAD.search(head) is not None,
    read,
)
