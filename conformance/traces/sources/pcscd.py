"""The log of ``pcscd --foreground --apdu``, on its own or in the system's journal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from bifente.conformance.traces.digits import from_text
from bifente.conformance.traces.lines import lines
from bifente.conformance.traces.seen import BEGINNING, Seen, SeenApdu, SeenAtr, SeenOddity
from bifente.conformance.traces.sources.ccid import CcidDialogue
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
# What libccid itself writes (LIBCCID_ifdLogLevel=0x000F): the messages to and from the reader.
_USB = re.compile(r"(->|<-) ([0-9A-F]{6}) (.*)")


def read(path: Path) -> Iterator[Seen]:
    """Yield what the log shows."""
    at, client, pairing = BEGINNING, None, AnswerPairing()
    # Where pcscd tells the APDUs themselves, the messages that carry them say it again.
    readers: dict[str, CcidDialogue] | None = {}
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
            if readers is not None and (usb := _USB.match(message)) is not None and len(readers) < _MOST_READERS:
                yield from _carried(usb, readers, pairing, number, at)
            continue
        if says[1] == "APDU":
            readers = None
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


_MOST_READERS = 256


def _carried(
    usb: re.Match[str], readers: dict[str, CcidDialogue], pairing: AnswerPairing, number: int, at: datetime
) -> Iterator[Seen]:
    digits = from_text(usb[3])
    if not digits:
        yield SeenOddity(number, HEX_EXPECTED)
        return
    slot = usb[2]
    told = readers.setdefault(slot, CcidDialogue()).message(bytes.fromhex(digits), sent=usb[1] == "->")
    if told is None or told[0] == "atr":
        return  # pcscd tells the answer to reset by itself
    if told[0] == "command":
        yield from pairing.command(slot, SeenApdu(told[1].hex().upper(), "", number, at))
    else:
        yield from pairing.response(slot, told[1].hex().upper(), number, at)


SOURCE = TraceSource(
    "pcscd",
    Text("journal de pcscd (pcscd --foreground --apdu)", "log of pcscd (pcscd --foreground --apdu)"),
    lambda head: _HEAD.search(head) is not None,
    read,
)
