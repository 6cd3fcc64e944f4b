"""The secrets of a run, masked in one place before an event is written: what is not in a journal cannot leak from it.

Two readings of every string find a secret: as text, and, wherever the string holds hexadecimal, as the bytes it
stands for; a code also as an array of decimal bytes and in Base64. A short secret (a four-digit code) is masked only
where it stands as a word of its own, since its digits are bound to turn up inside longer numbers; a long one is masked
wherever it appears.

Not covered: a code packed two digits a byte outside the three code commands of ISO 7816-4 (`mask_command` blanks those
whatever they carry), and numbers the bench counts itself, such as line numbers and durations.
"""

from __future__ import annotations

import math
import re
from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from threading import Lock
from typing import Any, TypeAlias

from bifente.reports.clean import encodable
from bifente.reports.masking import (
    BYTE_MARK,
    LONG,
    LONG_HEX_DIGITS,
    MARK,
    NOT_HEX,
    SHORTEST_SECRET,
    Needle,
    Needles,
    as_latin,
    fold_case,
    mask_command,
    new_codes,
)

_Place: TypeAlias = tuple[int, int]
# Bytes as programs print them: 31323334, 31 32 33 34, 31:32:33:34, 31-32-33-34, 0x31, 0x32, 0x33, 0x34.
_HEX_WORD = re.compile(
    r"(?<![0-9A-Za-z])(?:0x)?[0-9A-Fa-f]{2}(?:(?:[ :-]|, ?)?(?:0x)?[0-9A-Fa-f]{2}){3,}(?![0-9A-Za-z])"
)
_HEX_PAIR = re.compile(r"[0-9A-Fa-f]{2}")
_NO_PAIR = re.compile(r"0x|[ :,-]")
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
_HARMLESS_SIZE = 1_000_000
"""How many characters of harmless texts are remembered."""
# Arguments of a step that may be a raw command written in a scenario.
_COMMAND_ARGUMENTS = frozenset({"command", "apdu"})
# Headers of a message whose value opens a session.
_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})


_LONGEST_CODE = 16
"""Digits of the longest code that is looked for in the forms of a byte array and of Base64."""


def _printed_otherwise(code: str) -> Iterator[str]:
    """The bytes of a code as an array in decimal, and the code in Base64: what careless logs make of it."""
    numbers = [str(byte) for byte in code.encode()]
    yield from (between.join(numbers) for between in (", ", ","))
    yield b64encode(code.encode()).decode()


class _Harmless:
    """Texts that the first secrets of a run leave as they are, and that hold no bytes in hexadecimal.

    Every scenario says the same headers and pages and learns secrets of its own: only these are looked for in them.
    """

    def __init__(self) -> None:
        self._texts: set[str] = set()
        self._size = 0

    def __contains__(self, text: str) -> bool:
        return text in self._texts

    def add(self, text: str) -> None:
        if self._size > _HARMLESS_SIZE:
            self._texts, self._size = set(), 0
        self._texts.add(text)
        self._size += len(text)


class Secrets:
    """The secrets of a run, and the one place where they are masked. Safe to use from several threads.

    Declare a secret before the first event that may carry it: what is written stays written. What is learnt while a
    scenario runs is a secret of that scenario (`own`): which scenarios share a process decides nothing.
    """

    def __init__(self, *, secrets: Iterable[str | bytes] = (), names: Iterable[str] = (), nir: bool = False) -> None:
        """Start with `secrets` and `names` (see `register`); `nir` also masks French social security numbers."""
        self._nir = nir
        self._lock = Lock()
        self._known: dict[str | bytes, None] = {}
        self._names: dict[str, None] = {}
        self._text = Needles()
        self._bytes = Needles()
        self._harmless, self._since = _Harmless(), Needles()
        self._forget()
        self.declare(*secrets)
        self.declare_names(*names)

    def __getstate__(self) -> tuple[tuple[str | bytes, ...], tuple[str, ...], bool]:
        """Travel to a worker of this run as what was declared."""
        with self._lock:
            return tuple(self._known), tuple(self._names), self._nir

    def __setstate__(self, state: tuple[tuple[str | bytes, ...], tuple[str, ...], bool]) -> None:
        """Begin anew with what was declared elsewhere."""
        secrets, names, nir = state
        Secrets.__init__(self, secrets=secrets, names=names, nir=nir)

    def own(self) -> Secrets:
        """Return secrets that begin with these and grow by themselves: those of one scenario."""
        with self._lock:
            if self._since:
                self._harmless, self._since = _Harmless(), Needles()
            other = Secrets.__new__(Secrets)
            other._nir, other._lock = self._nir, Lock()
            other._known, other._names = dict(self._known), dict(self._names)
            other._text, other._bytes, other.age = self._text, self._bytes, self.age
            other._harmless, other._since = self._harmless, self._since
            # Shared until it learns something: scenarios say the same words.
            other._seen_text, other._seen_raw, other._seen_string = self._seen_text, self._seen_raw, self._seen_string
        return other

    def declare(self, *secrets: str | bytes) -> None:
        """Mask each secret from now on: a code or a token as text, a key as bytes.

        Text is also found in its ASCII-hexadecimal form, hexadecimal text of 16 digits or more also as bytes.
        Raises `ValueError` for a secret of fewer than `SHORTEST_SECRET` characters (the message does not repeat it).
        """
        for secret in secrets:
            if len(secret) < SHORTEST_SECRET:
                raise ValueError(f"a secret has at least {SHORTEST_SECRET} characters, this one has {len(secret)}")
        with self._lock:
            new = [secret for secret in secrets if secret not in self._known]
            if not new:
                return
            for secret in new:
                self._known[secret] = None
                if isinstance(secret, bytes):
                    self._add_bytes(secret)
                else:
                    self._add_text(secret)
            self._forget()

    @property
    def declared(self) -> tuple[str | bytes, ...]:
        """What was declared so far, in that order: for whoever masks in another process of the run."""
        with self._lock:
            return tuple(self._known)

    def declare_names(self, *names: str) -> None:
        """Mask each name (of a person) from now on, as a whole word, whatever its case and accents."""
        with self._lock:
            for name in filter(None, (name.strip() for name in names)):
                if name in self._names:
                    continue
                self._names[name] = None
                needle = Needle(fold_case(name), anywhere=False, folded=True)
                self._look_for(needle)
                self._bytes = self._bytes.with_more(needle)
                if not name.isascii():
                    self._bytes = self._bytes.with_more(Needle(as_latin(name), anywhere=True))
            self._forget()

    def learn(self, command: bytes) -> None:
        """Declare the codes that a command changing a code carries."""
        if codes := new_codes(command):
            self.declare(*codes)

    def _add_text(self, secret: str) -> None:
        is_hex = not NOT_HEX.search(secret)
        anywhere = len(secret) >= (LONG_HEX_DIGITS if is_hex else LONG)
        found = [Needle(secret, anywhere, is_hex=is_hex)]
        if secret.isdecimal() and secret.isascii() and len(secret) <= _LONGEST_CODE:
            found += [Needle(form, anywhere=False) for form in _printed_otherwise(secret)]
        self._look_for(*found)
        self._bytes = self._bytes.with_more(Needle(as_latin(secret), len(secret) >= LONG, is_hex=is_hex))
        if anywhere and is_hex and len(secret) % 2 == 0:
            self._add_bytes(bytes.fromhex(secret))

    def _add_bytes(self, secret: bytes) -> None:
        self._bytes = self._bytes.with_more(Needle(secret.decode("latin-1"), anywhere=True))
        self._look_for(Needle(secret.hex(), anywhere=len(secret) >= LONG, is_hex=True))

    def _look_for(self, *needles: Needle) -> None:
        self._text, self._since = self._text.with_more(*needles), self._since.with_more(*needles)

    def _forget(self) -> None:
        """Begin anew to remember what was masked: a run says the same words and reads the same files many times."""
        # Not cleared but left: a thread that masks just now would put what it does not know yet into an emptied one.
        self._seen_text = lru_cache(_REMEMBERED)(self._mask_text)
        self._seen_raw = lru_cache(_REMEMBERED)(self._mask_raw)
        self._seen_string = lru_cache(_REMEMBERED)(self._mask_string)
        self.age = getattr(self, "age", 0) + 1
        """Grows with what is declared: what was masked at another age may have to be masked again."""

    def text(self, text: str) -> str:
        """Return `text` with every secret masked, in both readings."""
        return self._seen_text(text)

    def raw(self, digits: str) -> str:
        """Return hexadecimal `digits` with every secret among the bytes they stand for masked byte by byte."""
        return self._seen_raw(digits)

    def _mask_string(self, text: str) -> str:
        # Both from now on, in the order in which `own` does not part them: what is found harmless is so to these alone.
        since, harmless = self._since, self._harmless
        if text in harmless and not since.held(text):
            return text
        found = encodable(text)
        if self._text.held(found) or _HEX_WORD.search(found) or (self._nir and _NIR.search(found)):
            return self._mask_text(found)
        harmless.add(found)
        return found

    def _mask_text(self, text: str) -> str:
        return self._settled(text, lambda found: self._mask_raw(self._masked_words(found)))

    def _mask_raw(self, digits: str) -> str:
        return self._settled(digits, self._masked_bytes)

    def command(self, digits: str) -> str:
        """Return a command APDU in hexadecimal with code fields blanked and secrets masked."""
        return self.raw(mask_command(digits))

    def named(self, values: Mapping[str, Any], secret: Collection[str]) -> dict[str, Any]:
        """Return named values, those whose name is `secret` masked whole: a code may be too short to be declared."""
        return {name: MARK if name in secret else value for name, value in values.items()}

    def content(self, content: bytes) -> bytes:
        """Return the bytes of a body with every secret masked, so that their digest gives none away."""
        text = content.decode("latin-1")
        masked = self._masked_bytes(_marked(text, self._spans(self._bytes, text, in_bytes=True)))
        return masked.replace("•", as_latin("•")).encode("latin-1")

    @staticmethod
    def _settled(text: str, step: Callable[[str], str]) -> str:
        # A mask is a boundary: it may turn what was part of a longer word into a word. Each pass hides more characters.
        while (masked := step(text)) != text:
            text = masked
        return text

    def _masked_words(self, text: str) -> str:
        return _marked(text, self._spans(self._text, text, in_bytes=False))

    def _masked_bytes(self, text: str) -> str:
        return _HEX_WORD.sub(self._masked_hex_word, text) if self._bytes or self._nir else text

    def _masked_hex_word(self, word: re.Match[str]) -> str:
        digits = word.group()
        as_text = bytes.fromhex(_NO_PAIR.sub("", digits)).decode("latin-1")
        spans = self._spans(self._bytes, as_text, in_bytes=True)
        if not spans:
            return digits
        hidden = {i for start, end in spans for i in range(start, end)}
        count = iter(range(len(digits)))
        return _HEX_PAIR.sub(lambda pair: BYTE_MARK if next(count) in hidden else pair.group(), digits)

    def _spans(self, needles: Needles, text: str, *, in_bytes: bool) -> list[_Place]:
        found = needles.spans(text, in_bytes=in_bytes)
        return found + [nir.span() for nir in _NIR.finditer(text)] if self._nir else found

    def event(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON form of an event with every string of it masked and made encodable as UTF-8."""
        return {
            key: value if key in _OWN_FIELDS or value is None or value.__class__ is int else self._field(key, value)
            for key, value in plain.items()
        }

    def _field(self, key: str, value: Any) -> Any:
        if isinstance(value, str):
            if key == "command":
                return self.command(encodable(value))
            return self.raw(encodable(value)) if key == "response" else self._seen_string(value)
        if key == "headers" and isinstance(value, list | tuple):
            return [self._header(*pair) for pair in value]
        return self._walk(value, free=key in _FREE_FIELDS)

    def _header(self, name: str, value: str) -> list[str]:
        """A header of a message: the value of one that opens a session is masked whatever it is, but for its scheme."""
        if name.strip().lower() not in _SECRET_HEADERS:
            return [self._seen_string(name), self._seen_string(value)]
        scheme, space, _ = value.partition(" ")
        return [self._seen_string(name), f"{self._seen_string(scheme)} {MARK}" if space and scheme.isalpha() else MARK]

    def _walk(self, value: Any, *, free: bool = False) -> Any:
        kind = value.__class__
        if kind is str:
            return self._seen_string(value)
        if kind is dict:
            if free:
                return {self._seen_string(str(key)): self._free(key, item) for key, item in value.items()}
            return {key: item if key in _OWN_FIELDS else self._walk(item) for key, item in value.items()}
        if kind is list or kind is tuple:
            return [self._walk(item, free=free) for item in value]
        if kind is float and not math.isfinite(value):
            return str(value)  # JSON has no infinity.
        if free and (kind is int or kind is float):
            # A code written without quotes in YAML is a number.
            shown = self.text(str(value))
            return value if shown == str(value) else shown
        return value

    def _free(self, key: object, value: Any) -> Any:
        if key in _COMMAND_ARGUMENTS and isinstance(value, str):
            return self.text(mask_command(encodable(value)))
        return self._walk(value, free=True)


def _marked(text: str, spans: Collection[_Place]) -> str:
    """Return `text` with a mark in the place of `spans`."""
    parts, at = [], 0
    for start, end in _merged(spans):
        parts += [text[at:start], MARK]
        at = end
    return "".join([*parts, text[at:]]) if parts else text


def _merged(spans: Iterable[_Place]) -> Iterator[_Place]:
    """Yield `spans` in order, those that touch or overlap joined."""
    current: _Place | None = None
    for start, end in sorted(spans):
        if current and start <= current[1]:
            current = current[0], max(current[1], end)
            continue
        if current:
            yield current
        current = start, end
    if current:
        yield current
