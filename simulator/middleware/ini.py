"""Windows configuration files read so that every mistake can be shown at its line.

``configparser`` is not used: it forgets where things stand, takes an indented line for the continuation of the one
above, and refuses a file with a key that stands twice, where Windows takes the first (GetPrivateProfileString). Names
are not case-sensitive, as there.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from bifente.ground.text import Text
from bifente.simulator.middleware.findings import Finding, Severity

ENCODING = "cp1252"
MAX_BYTES = 64 * 1024
"""Largest file read: real ones have less than 4 KiB."""
MAX_LINES = 4096
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")


class LineEnd(Enum):
    """How a file ends its lines; all three occur in the field (sources#galss-ini)."""

    CRLF = "\r\n"
    LF = "\n"
    CR = "\r"


class UnreadableError(Exception):
    """The file as a whole cannot be taken for a configuration file; ``finding`` says why and how to mend it."""

    def __init__(self, message: Text, cure: Text) -> None:
        self.finding = Finding(0, message, cure)
        super().__init__(message.en)


@dataclass(frozen=True, slots=True)
class IniEntry:
    """One ``key=value`` and its line."""

    key: str
    value: str
    line: int


@dataclass(frozen=True, slots=True)
class Section:
    """A section: its entries by lower-case key, the first of each."""

    name: str
    line: int
    entries: Mapping[str, IniEntry]

    def get(self, key: str) -> IniEntry | None:
        """An entry by its name, upper and lower case alike."""
        return self.entries.get(key.lower())


@dataclass(frozen=True, slots=True)
class IniFile:
    """A file as read: sections by lower-case name, and what is odd about its text."""

    sections: Mapping[str, Section]
    findings: tuple[Finding, ...]

    def get(self, section: str) -> Section | None:
        """A section by its name, upper and lower case alike."""
        return self.sections.get(section.lower())


@lru_cache(maxsize=32)
def read(data: bytes) -> IniFile:
    """The sections of a file. Raises UnreadableError for what is no text of this kind at all.

    A workstation reads the same file again whenever a program starts: what its bytes say is found once.
    """
    text, oddities = _decoded(data)
    findings = list(oddities)
    sections: dict[str, Section] = {}
    current: dict[str, IniEntry] | None = None
    ignored = False
    for number, line in _lines(text):
        if line.startswith("["):
            name = line[1 : line.find("]")].strip() if "]" in line else ""
            if not name:
                findings.append(_warning(number, *_NO_NAME))
                current, ignored = None, True
                continue
            if ignored := name.lower() in sections:
                findings.append(_twice(number, f"[{name}]", sections[name.lower()].line))
            current = {}
            if not ignored:
                sections[name.lower()] = Section(name, number, current)
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not key:
            findings.append(_warning(number, *_NO_KEY))
        elif current is None:
            if not ignored:
                findings.append(_warning(number, *_NO_SECTION))
        elif key.lower() in current:
            findings.append(_twice(number, key, current[key.lower()].line))
        else:
            current[key.lower()] = IniEntry(key, value, number)
    return IniFile(sections, tuple(findings))


def write(sections: Mapping[str, Mapping[str, str]], line_end: LineEnd = LineEnd.CRLF) -> bytes:
    """A file of these sections. Raises ValueError for a text that would not be read back the same."""
    lines: list[str] = []
    for name, entries in sections.items():
        _check_name(name, "]")
        lines.append(f"[{name}]")
        for key, value in entries.items():
            _check_name(key, "=")
            if key.startswith(("[", ";")):
                raise ValueError(f"the key {key!r} would be taken for something else")
            if value != value.strip() or not _plain(value):
                raise ValueError(f"the value {value!r} of {key} would not be read back the same")
            lines.append(f"{key}={value}")
        lines.append("")
    try:
        return line_end.value.join(lines).encode(ENCODING)
    except UnicodeEncodeError as error:
        raise ValueError(f"{error.object[error.start : error.end]!r} has no place in a {ENCODING} file") from None


def edited(data: bytes, section: str, key: str | None, value: str | None) -> bytes:
    """A file with one key set or removed, or a whole section removed (no key), all else byte for byte the same.

    A key that is not there is added at the head of its section. Raises KeyError if the section is not there, or if
    the key to remove is not.
    """
    text, _oddities = _decoded(data)
    parts = _kept(text)
    found, start, done = False, -1, False
    result: list[str] = []
    for line in parts:
        bare = line.strip()
        if bare.startswith("["):
            found = bare[1 : bare.find("]")].strip().lower() == section.lower()
            if found:
                start = len(result) + 1
                done = done or key is None
        if found and key is None:
            continue
        if found and key is not None and "=" in bare and bare.partition("=")[0].strip().lower() == key.lower():
            done = True
            if value is not None:
                result.append(f"{key}={value}{_end_of(line, parts)}")
            continue
        result.append(line)
    if not done:
        if start < 0 or value is None:
            raise KeyError(f"[{section}] {key or ''}")
        result.insert(start, f"{key}={value}{_end_of(result[start - 1], parts)}")
    return "".join(result).encode(ENCODING)


def _kept(text: str) -> list[str]:
    """The lines with their ends; of the three kinds of ends only, unlike ``str.splitlines``."""
    return _LINE.findall(text)


def _end_of(line: str, lines: list[str]) -> str:
    for candidate in (line, *lines):
        for end in ("\r\n", "\n", "\r"):
            if candidate.endswith(end):
                return end
    return LineEnd.CRLF.value


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Line numbers and what stands there, without blanks, comments and the ends, whichever of the three they are."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > MAX_LINES:
        raise UnreadableError(*_TOO_LONG)
    for number, line in enumerate(lines, 1):
        if (bare := line.strip()) and not bare.startswith(";"):
            yield number, bare


def _decoded(data: bytes) -> tuple[str, tuple[Finding, ...]]:
    if len(data) > MAX_BYTES:
        raise UnreadableError(*_TOO_LONG)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data:
        raise UnreadableError(*_UTF16)
    findings: list[Finding] = []
    if data.startswith(codecs.BOM_UTF8):
        findings.append(_warning(1, *_BOM))
    elif not data.isascii() and _is_utf8(data):
        before = data[: next(at for at, byte in enumerate(data) if byte > 0x7F)].decode("ascii")
        line = before.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
        findings.append(_warning(line, *_UTF8))
    try:
        return data.decode(ENCODING), tuple(findings)
    except UnicodeDecodeError as error:
        raise UnreadableError(
            Text(
                fr=f"l'octet {error.start} ({data[error.start]:02X}) n'est pas du texte {ENCODING}",
                en=f"byte {error.start} ({data[error.start]:02X}) is no {ENCODING} text",
            ),
            _SAVE,
        ) from None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _check_name(name: str, stop: str) -> None:
    if not name or name != name.strip() or stop in name or not _plain(name):
        raise ValueError(f"{name!r} cannot be the name of a section or key")


def _plain(text: str) -> bool:
    return not any(mark in text for mark in "\r\n\0")


def _warning(line: int, message: Text, cure: Text) -> Finding:
    return Finding(line, message, cure, severity=Severity.WARNING)


def _twice(line: int, what: str, first: int) -> Finding:
    return _warning(
        line,
        Text(
            fr=f"{what} est déjà écrit ligne {first} : seul le premier compte",
            en=f"{what} stands already on line {first}: only the first counts",
        ),
        Text(fr="n'en garder qu'un", en="keep one of them"),
    )


_SAVE = Text(fr="enregistrer le fichier en texte Windows (cp1252)", en="save the file as Windows text (cp1252)")
_UTF16 = (
    Text(fr="le fichier est en UTF-16 ou contient des octets nuls", en="the file is UTF-16 text or holds null bytes"),
    _SAVE,
)
_BOM = (
    Text(
        fr="le fichier commence par une marque UTF-8 : la première section peut ne pas être vue",
        en="the file begins with a UTF-8 mark: its first section may not be seen",
    ),
    _SAVE,
)
_UTF8 = (
    Text(
        fr="les accents sont en UTF-8 : un nom de lecteur ou de dossier accentué ne sera pas reconnu",
        en="the accents are UTF-8: a reader or folder name that has one will not be recognised",
    ),
    _SAVE,
)
_TOO_LONG = (
    Text(
        fr=f"le fichier dépasse {MAX_BYTES // 1024} Kio ou {MAX_LINES} lignes",
        en=f"the file has more than {MAX_BYTES // 1024} KiB or {MAX_LINES} lines",
    ),
    Text(fr="le générer à nouveau", en="generate it anew"),
)
_NO_NAME = (
    Text(
        fr="le nom de section est vide ou sans crochet fermant : ce qui suit est ignoré",
        en="the section name is empty or has no closing bracket: what follows is ignored",
    ),
    Text(fr="l'écrire [NOM]", en="write it [NAME]"),
)
_NO_KEY = (
    Text(fr="la ligne n'est pas de la forme clé=valeur : elle est ignorée", en="the line is no key=value: ignored"),
    Text(fr="l'écrire clé=valeur, ou ; devant un commentaire", en="write key=value, or ; before a comment"),
)
_NO_SECTION = (
    Text(fr="la clé vient avant toute section : elle est ignorée", en="the key comes before any section: ignored"),
    Text(fr="la mettre sous sa section", en="move it under its section"),
)


def is_number(text: str) -> bool:
    """Whether a value is a decimal number without sign, of at most nine digits."""
    return text.isascii() and text.isdecimal() and len(text) <= 9
