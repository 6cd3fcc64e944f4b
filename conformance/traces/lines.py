"""A text log line by line, whatever its size: no line is longer than the bound, none is held once it is read."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from pathlib import Path

from bifente.conformance.loading import InputError
from bifente.ground.files import open_file

LINE_LIMIT = 1 << 20
"""Most characters in a line: an APDU of 64 KiB takes a fifth of it."""

_COLOUR = re.compile(r"\x1b\[[0-9;]{0,16}m")


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each line with its number, from 1, without its end and colours. Raise InputError, OSError.

    A log that a Windows shell redirected is UTF-16; any other is read byte for byte, so that nothing in it fails.
    """
    with open_file(path) as file:
        text = io.TextIOWrapper(
            file, encoding=_encoding(file.peek(2)[:2] if hasattr(file, "peek") else b""), newline="\n"
        )
        number = 0
        try:
            while line := text.readline(LINE_LIMIT + 1):
                number += 1
                if len(line) > LINE_LIMIT:
                    raise InputError.at(
                        str(path),
                        f"a line of more than {LINE_LIMIT} characters",
                        line=number,
                        cure="this is no log of a known kind: give the log as the program wrote it",
                    )
                yield number, _COLOUR.sub("", line.rstrip("\r\n")) if "\x1b" in line else line.rstrip("\r\n")
        except UnicodeError:
            raise InputError.at(
                str(path),
                "the text is UTF-16 and is damaged",
                line=number + 1,
                cure="save it as UTF-8, or give the log as it was written",
            ) from None


def _encoding(begins: bytes) -> str:
    return "utf-16" if begins in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "latin-1"
