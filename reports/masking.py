"""Secrets are masked before an event is written: what is not in the journal cannot leak from a report.

Two readings of every string find a secret: as text, and, wherever the string holds hexadecimal, as the bytes it
stands for. A short secret (a four-digit code) is masked only where it stands as a word of its own, since its digits
are bound to turn up inside longer numbers; a long one is masked wherever it appears.

Not covered: a code packed two digits a byte outside the three code commands of ISO 7816-4 (`mask_command` blanks those
whatever they carry), and numbers the bench counts itself, such as line numbers and durations.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from bifente.reports.clean import encodable

MARK = "••••"
"""What a masked word becomes, whatever its length."""

BYTE_MARK = "••"
"""What one masked byte becomes in hexadecimal: a byte is two digits or this, so that lengths stay readable."""

SHORTEST_SECRET = 4
"""Fewest characters (or bytes) of a secret: masking anything shorter would blank the report and hide nothing."""

Span: TypeAlias = tuple[int, int]

# A text this long, or bytes this many, do not turn up by chance: masked wherever they appear.
_LONG = 8
_LONG_HEX_DIGITS = 16

# VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER, each with its odd (BER-TLV) twin.
_CODE_INSTRUCTIONS = frozenset({0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D})

_HEX_WORD = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{2}(?:[ :]?[0-9A-Fa-f]{2}){3,}(?![0-9A-Za-z])")
_HEX_PAIR = re.compile(r"[0-9A-Fa-f]{2}")
_BLANKS = re.compile(r"[\s:]+")
_WORD_BEFORE = re.compile(r"[0-9A-Za-z]*\Z")
_WORD_AFTER = re.compile(r"[0-9A-Za-z]*")
_NOT_HEX = re.compile(r"[^0-9A-Fa-f]")

# Sex, year, month, department (2A and 2B for Corsica), commune, order, and the key when it is there.
_NIR = re.compile(
    r"(?<![0-9A-Za-z])[1-478] ?\d\d ?\d\d ?(?:\d\d|2[ABab]) ?\d{3} ?\d{3}(?: ?\d{1,2})?(?![0-9A-Za-z])",
    re.ASCII,
)

# Fields whose values belong to the journal itself: never a secret, and a mask would make the line unreadable.
_OWN_FIELDS = frozenset({"event", "seq", "time", "schema", "sha256", "verdict", "fidelity", "phase", "level", "lang"})
_OWN_FIELDS |= {"sw"}

# Fields that hold whatever a scenario or a card gave: there, keys and numbers are masked too.
_FREE_FIELDS = frozenset({"arguments", "answer", "environment", "cards", "state_before", "state_after"})

_REMEMBERED = 4096
"""How many texts a masker remembers, of each kind."""
# Arguments of a step that may be a raw command written in a scenario.
_COMMAND_ARGUMENTS = frozenset({"command", "apdu"})


def mask_command(command: str) -> str:
    """Return a command APDU in hexadecimal with the data field of a code command blanked.

    The header and Lc stay, each data byte becomes `BYTE_MARK`: `00 20 00 01 04 •• •• •• ••`. Works on every class
    byte, short and extended length. When the lengths do not add up, everything after the header is blanked. Other
    commands, and text that is no APDU, come back unchanged; nothing is ever raised.
    """
    compact = _BLANKS.sub("", command)
    readable = _NOT_HEX.split(compact, maxsplit=1)[0]
    header = bytes.fromhex(readable[:8]) if len(readable) >= 8 else b""
    if not header or header[1] not in _CODE_INSTRUCTIONS or len(compact) <= 10:
        return command
    if len(readable) == len(compact) and len(compact) % 2 == 0:
        kept, masked = _data_field(bytes.fromhex(compact))
    else:
        kept, masked = 4, math.ceil((len(compact) - 8) / 2)
    tail = compact[2 * (kept + masked) :]
    parts = [*_pairs(compact[: 2 * kept]), *([BYTE_MARK] * masked), *_pairs(tail)]
    return (" " if _BLANKS.search(command.strip()) else "").join(parts)


def _data_field(apdu: bytes) -> Span:
    """Return (offset, length) of what must be blanked in `apdu`, which has at least six bytes."""
    if apdu[4] == 0 and len(apdu) >= 7:
        start, length, le = 7, int.from_bytes(apdu[5:7], "big"), 2
    else:
        start, length, le = 5, apdu[4], 1
    rest = len(apdu) - start
    if rest == 0:
        return start, 0
    return (start, length) if length and rest in (length, length + le) else (4, len(apdu) - 4)


def _pairs(digits: str) -> list[str]:
    return [digits[i : i + 2] for i in range(0, len(digits), 2)]


@dataclass(frozen=True, slots=True)
class _Needle:
    """A secret and where it counts: anywhere, or only as a word of its own."""

    pattern: re.Pattern[str]
    anywhere: bool
    folded: bool = False
    is_hex: bool = False

    def spans(self, text: str, *, in_bytes: bool) -> Iterator[Span]:
        """Yield where the secret counts in `text`; `in_bytes` when each character stands for a byte."""
        haystack = _fold(text) if self.folded else text
        at = 0
        while found := self.pattern.search(haystack, at):
            span = found.span()
            if self.anywhere or self._is_word(text, span, in_bytes):
                yield span
            at = span[0] + 1

    def _is_word(self, text: str, span: Span, in_bytes: bool) -> bool:
        before, after = text[max(0, span[0] - 80) : span[0]], text[span[1] : span[1] + 80]
        if not self.is_hex:
            # Among bytes, those above 7F are lengths and tags more often than letters.
            return not any(c.isalnum() and (c.isascii() or not in_bytes) for c in (before[-1:], after[:1]))
        # "code1234" is a label glued to a code, "31234" and "deadbeef1234" are longer numbers.
        if before[-1:].isdecimal() or after[:1].isdecimal():
            return False
        around = _WORD_BEFORE.findall(before)[0] + _WORD_AFTER.findall(after)[0]
        return not around or bool(_NOT_HEX.search(around))


def _fold(text: str) -> str:
    """Return `text` without case nor accents, character for character."""
    if text.isascii():
        return text.lower()
    return "".join((unicodedata.normalize("NFD", char)[0].lower() or char)[0] for char in text)


class Masker:
    """The secrets of a run, and the one place where they are masked.

    Register secrets before the first event that may carry them: what is written stays written.
    """

    def __init__(self, *, secrets: Iterable[str | bytes] = (), names: Iterable[str] = (), nir: bool = False) -> None:
        """Start with `secrets` and `names` (see `register`); `nir` also masks French social security numbers."""
        self._nir = nir
        self._text: list[_Needle] = []
        self._bytes: list[_Needle] = []
        self._forget()
        self.register(*secrets)
        self.register_names(*names)

    def register(self, *secrets: str | bytes) -> None:
        """Mask each secret from now on: a code or a token as text, a key as bytes.

        Text is also found in its ASCII-hexadecimal form, hexadecimal text of 16 digits or more also as bytes.
        Raises `ValueError` for a secret of fewer than `SHORTEST_SECRET` characters (the message does not repeat it).
        """
        self._forget()
        for secret in secrets:
            if len(secret) < SHORTEST_SECRET:
                raise ValueError(f"a secret has at least {SHORTEST_SECRET} characters, this one has {len(secret)}")
            if isinstance(secret, bytes):
                self._add_bytes(secret)
            else:
                self._add_text(secret)

    def register_names(self, *names: str) -> None:
        """Mask each name (of a person) from now on, as a whole word, whatever its case and accents."""
        self._forget()
        for name in filter(None, (name.strip() for name in names)):
            needle = _Needle(re.compile(re.escape(_fold(name))), anywhere=False, folded=True)
            self._text.append(needle)
            self._bytes.append(needle)
            if not name.isascii():
                self._bytes.append(_Needle(re.compile(re.escape(_as_latin(name))), anywhere=True))

    def _add_text(self, secret: str) -> None:
        is_hex = not _NOT_HEX.search(secret)
        anywhere = len(secret) >= (_LONG_HEX_DIGITS if is_hex else _LONG)
        flags = re.IGNORECASE if is_hex else re.NOFLAG
        self._text.append(_Needle(re.compile(re.escape(secret), flags), anywhere, is_hex=is_hex))
        in_bytes = re.compile(re.escape(_as_latin(secret)), flags)
        self._bytes.append(_Needle(in_bytes, len(secret) >= _LONG, is_hex=is_hex))
        if anywhere and is_hex and len(secret) % 2 == 0:
            self._add_bytes(bytes.fromhex(secret))

    def _add_bytes(self, secret: bytes) -> None:
        self._bytes.append(_Needle(re.compile(re.escape(secret.decode("latin-1"))), anywhere=True))
        digits = re.compile(secret.hex(), re.IGNORECASE)
        self._text.append(_Needle(digits, anywhere=len(secret) >= _LONG, is_hex=True))

    def _forget(self) -> None:
        """Begin anew to remember what was masked: a run says the same words and reads the same files many times."""
        self._seen_text = lru_cache(_REMEMBERED)(self._mask_text)
        self._seen_raw = lru_cache(_REMEMBERED)(self._mask_raw)
        self._seen_string = lru_cache(_REMEMBERED)(lambda text: self.text(encodable(text)))
        self._seen_command = lru_cache(_REMEMBERED)(lambda digits: self.command(encodable(digits)))
        self._seen_response = lru_cache(_REMEMBERED)(lambda digits: self.raw(encodable(digits)))

    def text(self, text: str) -> str:
        """Return `text` with every secret masked, in both readings."""
        return self._seen_text(text)

    def raw(self, digits: str) -> str:
        """Return hexadecimal `digits` with every secret among the bytes they stand for masked byte by byte."""
        return self._seen_raw(digits)

    def _mask_text(self, text: str) -> str:
        return self._settled(text, lambda found: self.raw(self._masked_words(found)))

    def _mask_raw(self, digits: str) -> str:
        return self._settled(digits, self._masked_bytes)

    def command(self, digits: str) -> str:
        """Return a command APDU in hexadecimal with code fields blanked and secrets masked."""
        return self.raw(mask_command(digits))

    @staticmethod
    def _settled(text: str, step: Callable[[str], str]) -> str:
        # A mask is a boundary: it may turn what was part of a longer word into a word. Each pass hides more characters.
        while (masked := step(text)) != text:
            text = masked
        return text

    def _masked_words(self, text: str) -> str:
        parts, at = [], 0
        for start, end in _merged(self._spans(self._text, text, in_bytes=False)):
            parts += [text[at:start], MARK]
            at = end
        return "".join([*parts, text[at:]])

    def _masked_bytes(self, text: str) -> str:
        return _HEX_WORD.sub(self._masked_hex_word, text) if self._bytes or self._nir else text

    def _masked_hex_word(self, word: re.Match[str]) -> str:
        digits = word.group()
        as_text = bytes.fromhex(digits.replace(":", "")).decode("latin-1")
        spans = list(_merged(self._spans(self._bytes, as_text, in_bytes=True)))
        if not spans:
            return digits
        hidden = {i for start, end in spans for i in range(start, end)}
        count = iter(range(len(digits)))
        return _HEX_PAIR.sub(lambda pair: BYTE_MARK if next(count) in hidden else pair.group(), digits)

    def _spans(self, needles: list[_Needle], text: str, *, in_bytes: bool) -> Iterator[Span]:
        for needle in needles:
            yield from needle.spans(text, in_bytes=in_bytes)
        if self._nir:
            yield from (found.span() for found in _NIR.finditer(text))

    def event(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON form of an event with every string of it masked and made encodable as UTF-8."""
        masked: dict[str, Any] = self._walk(plain)
        return masked

    def _walk(self, value: Any, *, free: bool = False) -> Any:
        match value:
            case str():
                return self._seen_string(value)
            case dict() if free:
                return {self._seen_string(str(key)): self._free(key, item) for key, item in value.items()}
            case dict():
                return {key: self._field(key, item) for key, item in value.items()}
            case list():
                return [self._walk(item, free=free) for item in value]
            case bool() | None:
                return value
            case float() if not math.isfinite(value):
                return str(value)  # JSON has no infinity.
            case int() | float() if free:
                # A code written without quotes in YAML is a number.
                shown = self.text(str(value))
                return value if shown == str(value) else shown
            case _:
                return value

    def _free(self, key: object, value: Any) -> Any:
        if key in _COMMAND_ARGUMENTS and isinstance(value, str):
            return self.text(mask_command(encodable(value)))
        return self._walk(value, free=True)

    def _field(self, key: str, value: Any) -> Any:
        if key in _OWN_FIELDS:
            return value
        if isinstance(value, str):
            if key == "command":
                return self._seen_command(value)
            return self._seen_response(value) if key == "response" else self._seen_string(value)
        return self._walk(value, free=key in _FREE_FIELDS)


def _as_latin(text: str) -> str:
    """Return the UTF-8 bytes of `text` as one character a byte, the form in which bytes are searched."""
    return text.encode("utf-8", "replace").decode("latin-1")


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield `spans` in order, those that touch or overlap joined."""
    current: Span | None = None
    for start, end in sorted(spans):
        if current and start <= current[1]:
            current = current[0], max(current[1], end)
            continue
        if current:
            yield current
        current = start, end
    if current:
        yield current
