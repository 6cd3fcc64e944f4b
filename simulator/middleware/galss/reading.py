"""``galss.ini`` examined: the configuration it holds, or every mistake with the GALSS code it causes (SV-GALSS-07).

The texts give the code of each mistake, not which comes first where there are several: we take the file as the GALSS
is known to, ``CONFIG`` first and then the channels in reverse order (our model).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

from bifente.ground.text import Text
from bifente.simulator.middleware import ini
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.middleware.findings import Finding, Severity
from bifente.simulator.middleware.galss.doubts import doubts, unread
from bifente.simulator.middleware.galss.model import (
    MAX_ADDRESS,
    MAX_CHANNELS,
    MAX_NAME,
    Configuration,
    GalssChannel,
    GalssProtocol,
    Lad,
    Pad,
    ProtocolNumber,
)
from bifente.simulator.middleware.galss.writing import LIBRARIES, GalssSystem
from bifente.simulator.middleware.ini import IniFile, Section, is_number

T = TypeVar("T")

_MOST_PADS = MAX_ADDRESS + 1
_BAUDS = frozenset({1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200})


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found in a file; ``configuration`` is None as soon as one finding is an error."""

    configuration: Configuration | None
    findings: tuple[Finding, ...]

    @property
    def code(self) -> int:
        """What the GALSS returns with this file: the code of the first error it meets, or OK."""
        return next(
            (one.code for one in self.findings if one.severity is Severity.ERROR and one.code is not None), SsvCode.OK
        )


@lru_cache(maxsize=32)
def examine(data: bytes | None, *, system: GalssSystem | None = None, bits: int | None = None) -> Examination:
    """The configuration of a file (None: there is no file).

    With ``system`` and ``bits`` (the word length of the GALSS installed), libraries it could not load are found too.
    """
    if data is None:
        return Examination(None, (Finding(0, *_MISSING, code=SsvCode.GALSS_INI_UNREADABLE),))
    try:
        file = ini.read(data)
    except ini.UnreadableError as error:
        whole = error.finding
        return Examination(None, (Finding(0, whole.message, whole.cure, SsvCode.GALSS_INI_UNREADABLE),))
    reader = _Reader(file, system, bits)
    configuration = reader.configuration()
    findings = (*reader.findings, *file.findings)
    broken = any(finding.severity is Severity.ERROR for finding in findings)
    return Examination(None if broken else configuration, findings)


class _WrongError(Exception):
    """A part cannot be read further; what is wrong has been told."""


class _Reader:
    """Walks one file and tells what is wrong, part by part."""

    def __init__(self, file: IniFile, system: GalssSystem | None, bits: int | None) -> None:
        self.findings: list[Finding] = []
        self._file = file
        self._system = system
        self._bits = bits

    def configuration(self) -> Configuration | None:
        try:
            count = self._count_of_channels()
        except _WrongError:
            return None
        channels: list[GalssChannel] = []
        for number in range(count, 0, -1):
            try:
                channels.insert(0, self._channel(number))
            except _WrongError:
                continue
        self.findings += unread(self._file, count)
        protocols = self._protocols(channels)
        if len(channels) < count or protocols is None:
            return None
        configuration = Configuration(protocols, tuple(channels))
        self.findings += doubts(self._file, configuration)
        return configuration

    # -- parts ------------------------------------------------------------------------------------------------------

    def _count_of_channels(self) -> int:
        section = self._section("CONFIG", SsvCode.GALSS_CONFIG_MISSING)
        count = self._number(section, "NbCanaux", SsvCode.GALSS_CONFIG_MISSING)
        if not 1 <= count <= MAX_CHANNELS:
            raise self._wrong(
                _line(section, "NbCanaux"),
                Text(
                    fr=f"NbCanaux vaut {count} : il faut de 1 à {MAX_CHANNELS} canaux",
                    en=f"NbCanaux is {count}: 1 to {MAX_CHANNELS} channels are needed",
                ),
                Text(fr="y mettre le nombre de sections CANALn", en="put the number of CANALn sections there"),
                SsvCode.GALSS_CHANNEL_COUNT,
            )
        return count

    def _channel(self, number: int) -> GalssChannel:
        section = self._section(f"CANAL{number}", SsvCode.GALSS_CHANNEL_MISSING)
        protocol = self._protocol_of(section)
        kind = self._number(section, "TCanal", SsvCode.GALSS_CHANNEL_TYPE)
        if kind not in {known.channel_type for known in ProtocolNumber}:
            raise self._wrong(
                _line(section, "TCanal"),
                Text(fr=f"TCanal vaut {kind}, type de canal inconnu", en=f"TCanal is {kind}, no known channel type"),
                Text(fr="1 pour un port série, 3 pour PC/SC", en="1 for a serial port, 3 for PC/SC"),
                SsvCode.GALSS_CHANNEL_TYPE,
            )
        index = self._number(section, "Index", SsvCode.GALSS_CHANNEL_TYPE)
        if kind != protocol.channel_type:
            raise self._wrong(
                _line(section, "TCanal"),
                Text(
                    fr=f"TCanal={kind} ne va pas avec Protocole={protocol.value}",
                    en=f"TCanal={kind} does not go with Protocole={protocol.value}",
                ),
                Text(
                    fr="TCanal=1 avec Protocole=0 (série), TCanal=3 avec Protocole=1 (PC/SC)",
                    en="TCanal=1 with Protocole=0 (serial), TCanal=3 with Protocole=1 (PC/SC)",
                ),
                SsvCode.GALSS_CHARACTERISTICS,
            )
        characteristics = self._characteristics(section, protocol)
        pads = self._numbered(section, "NbPAD", f"CANAL{number}.PAD", SsvCode.GALSS_PAD, self._pad)
        return GalssChannel(index, protocol, characteristics, pads)

    def _protocol_of(self, section: Section) -> ProtocolNumber:
        text = self._text(section, "Protocole", SsvCode.GALSS_CHANNEL_MISSING)
        try:
            return ProtocolNumber(int(text)) if is_number(text) else _unknown()
        except ValueError:
            raise self._wrong(
                _line(section, "Protocole"),
                Text(fr=f"Protocole={text} est inconnu", en=f"Protocole={text} is unknown"),
                Text(fr="0 pour un lecteur PSS, 1 pour PC/SC", en="0 for a PSS reader, 1 for PC/SC"),
                SsvCode.GALSS_PROTOCOL_UNKNOWN,
            ) from None

    def _characteristics(self, section: Section, protocol: ProtocolNumber) -> str:
        text = self._text(section, "Caracteristiques", SsvCode.GALSS_CHARACTERISTICS)
        if protocol is ProtocolNumber.PSS:
            parts = [part.strip() for part in text.split(",")]
            if len(parts) != 5 or not all(map(is_number, parts)) or int(parts[0]) not in _BAUDS:
                raise self._wrong(
                    _line(section, "Caracteristiques"),
                    Text(
                        fr=f"Caracteristiques={text} n'est pas un réglage de port série",
                        en=f"Caracteristiques={text} is no serial line setting",
                    ),
                    Text(fr="par exemple 9600,1,8,0,0", en="for example 9600,1,8,0,0"),
                    SsvCode.GALSS_CHARACTERISTICS,
                )
        return text

    def _pad(self, name: str) -> Pad:
        section = self._section(name, SsvCode.GALSS_PAD)
        number = self._address(section, "PAD", SsvCode.GALSS_PAD)
        return Pad(number, self._numbered(section, "NbLAD", f"{name}.LAD", SsvCode.GALSS_LAD, self._lad))

    def _lad(self, name: str) -> Lad:
        section = self._section(name, SsvCode.GALSS_LAD)
        number = self._address(section, "LAD", SsvCode.GALSS_LAD)
        own = self._name(section, "NomLAD")
        entry = section.get("NbAlias")
        count = 0
        if entry is not None:
            count = self._number(section, "NbAlias", SsvCode.GALSS_LAD_NAME)
            if count > MAX_ADDRESS:
                raise self._out_of_range(section, "NbAlias", count, SsvCode.GALSS_LAD_NAME)
        return Lad(number, own, tuple(self._name(section, f"NomAlias{index}") for index in range(1, count + 1)))

    def _name(self, section: Section, key: str) -> str:
        text = self._text(section, key, SsvCode.GALSS_LAD_NAME)
        if len(text) > MAX_NAME:
            raise self._wrong(
                _line(section, key),
                Text(
                    fr=f"{key}={text} a {len(text)} caractères, {MAX_NAME} au plus",
                    en=f"{key}={text} has {len(text)} characters, {MAX_NAME} at most",
                ),
                Text(fr="raccourcir ce nom", en="shorten the name"),
                SsvCode.GALSS_LAD_NAME,
            )
        return text

    def _protocols(self, channels: Iterable[GalssChannel]) -> tuple[GalssProtocol, ...] | None:
        used = {channel.protocol for channel in channels}
        protocols = []
        for number in ProtocolNumber:
            section = self._file.get(f"PROTOCOLE{number.value}")
            if section is None and number not in used:
                continue
            try:
                protocols.append(self._protocol(number, used=number in used))
            except _WrongError:
                return None
        return tuple(protocols)

    def _protocol(self, number: ProtocolNumber, *, used: bool) -> GalssProtocol:
        section = self._section(f"PROTOCOLE{number.value}", SsvCode.GALSS_LIBRARY)
        library = self._text(section, "NomLib", SsvCode.GALSS_LIBRARY)
        if used and (why := self._not_loadable(number, library)) is not None:
            raise self._wrong(_line(section, "NomLib"), *why, SsvCode.GALSS_LIBRARY)
        listed = self._times(section, "ListeCanaux")
        return GalssProtocol(
            number,
            library,
            self._times(section, "Config"),
            self._times(section, "TempoInit"),
            listed,
        )

    def _times(self, section: Section, key: str) -> tuple[int, ...]:
        entry = section.get(key)
        if entry is None or not entry.value:
            return ()
        parts = [part.strip() for part in entry.value.split(",")]
        if not all(map(is_number, parts)):
            raise self._wrong(
                entry.line,
                Text(
                    fr=f"{key}={entry.value} n'est pas une suite de nombres",
                    en=f"{key}={entry.value} is no list of numbers",
                ),
                Text(fr="par exemple 1000,20,15000", en="for example 1000,20,15000"),
                SsvCode.GALSS_PSS_INITIALISATION,
            )
        return tuple(map(int, parts))

    def _not_loadable(self, number: ProtocolNumber, library: str) -> tuple[Text, Text] | None:
        if self._system is None:
            return None
        known = LIBRARIES[self._system][number]
        fitting = [name for bits, name in known.items() if self._bits in (None, bits)]
        if library.lower() in (name.lower() for name in fitting):
            return None
        other = next((bits for bits, name in known.items() if name.lower() == library.lower()), None)
        if other is not None:
            message = Text(
                fr=f"{library} est une bibliothèque {other} bits : un GALSS {self._bits} bits ne la charge pas",
                en=f"{library} is a {other}-bit library: a {self._bits}-bit GALSS does not load it",
            )
        else:
            message = Text(
                fr=f"{library} n'est pas une bibliothèque de ce protocole sur ce système ({self._system.value})",
                en=f"{library} is no library of this protocol on this system ({self._system.value})",
            )
        wanted = ", ".join(fitting) or "?"
        return message, Text(fr=f"mettre NomLib={wanted}", en=f"put NomLib={wanted}")

    # -- atoms --------------------------------------------------------------------------------------------------------

    def _section(self, name: str, code: SsvCode) -> Section:
        section = self._file.get(name)
        if section is None:
            raise self._wrong(
                0,
                Text(fr=f"la section [{name}] manque", en=f"the section [{name}] is missing"),
                Text(fr="l'ajouter, ou générer le fichier à nouveau", en="add it, or generate the file anew"),
                code,
            )
        return section

    def _text(self, section: Section, key: str, code: SsvCode) -> str:
        entry = section.get(key)
        if entry is None or not entry.value:
            raise self._wrong(
                entry.line if entry else section.line,
                Text(
                    fr=f"la clé {key} manque ou est vide dans [{section.name}]",
                    en=f"the key {key} is missing or empty in [{section.name}]",
                ),
                Text(fr=f"ajouter {key}=", en=f"add {key}="),
                code,
            )
        return entry.value

    def _number(self, section: Section, key: str, code: SsvCode) -> int:
        text = self._text(section, key, code)
        if not is_number(text):
            raise self._wrong(
                _line(section, key),
                Text(fr=f"{key}={text} n'est pas un nombre", en=f"{key}={text} is no number"),
                Text(fr="écrire un nombre décimal sans signe", en="write a decimal number without sign"),
                code,
            )
        return int(text)

    def _address(self, section: Section, key: str, code: SsvCode) -> int:
        number = self._number(section, key, code)
        if number > MAX_ADDRESS:
            raise self._out_of_range(section, key, number, code)
        return number

    def _numbered(
        self, section: Section, key: str, prefix: str, code: SsvCode, one: Callable[[str], T]
    ) -> tuple[T, ...]:
        count = self._number(section, key, code)
        if not 1 <= count <= _MOST_PADS:
            raise self._out_of_range(section, key, count, code)
        return tuple(one(f"{prefix}{rank}") for rank in range(1, count + 1))

    def _out_of_range(self, section: Section, key: str, number: int, code: SsvCode) -> _WrongError:
        return self._wrong(
            _line(section, key),
            Text(fr=f"{key}={number} est hors limites", en=f"{key}={number} is out of range"),
            Text(fr=f"au plus {MAX_ADDRESS}", en=f"{MAX_ADDRESS} at most"),
            code,
        )

    def _wrong(self, line: int, message: Text, cure: Text, code: SsvCode) -> _WrongError:
        self.findings.append(Finding(line, message, cure, code))
        return _WrongError(message.en)


def _line(section: Section, key: str) -> int:
    entry = section.get(key)
    return entry.line if entry else section.line


def _unknown() -> ProtocolNumber:
    raise ValueError


_MISSING = (
    Text(fr="galss.ini est absent ou ne s'ouvre pas", en="galss.ini is missing or cannot be opened"),
    Text(
        fr="l'écrire par bifente galss make ; sa place :"
        " Windows C:\\Windows\\galss.ini ; macOS /Library/Preferences/galss.ini ou /etc/galss.ini",
        en="write it by bifente galss make; its place:"
        " Windows C:\\Windows\\galss.ini; macOS /Library/Preferences/galss.ini or /etc/galss.ini",
    ),
)
