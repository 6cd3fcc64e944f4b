"""``sesam.ini`` examined: its settings, or what SSV_InitLIB would return; and, where the disk is known, its folders.

That the table path, the work folder and the trace settings fail as told here is in the texts; that a missing file, or
folders that are named and not there, fail alike is our model.
"""

from __future__ import annotations

from dataclasses import dataclass

from bifente.ground.text import Text
from bifente.simulator.middleware import ini
from bifente.simulator.middleware.codes import SsvCode
from bifente.simulator.middleware.findings import Finding, Severity
from bifente.simulator.middleware.ini import IniEntry, IniFile
from bifente.simulator.middleware.patience import Patience
from bifente.simulator.middleware.sesam.model import KIT, LOG_FILE, WORK_FILES, Disk, Sesam

_TABLE_UNREADABLE = 0xF610
"""Table file 0: the first that the SSV would look for there."""
_MOST_TRIES = 1000
_LONGEST_MS = 60_000


@dataclass(frozen=True, slots=True)
class SesamExamination:
    """What was found; ``sesam`` is None if the file gives no usable settings."""

    sesam: Sesam | None
    findings: tuple[Finding, ...]

    @property
    def code(self) -> int:
        """What SSV_InitLIB returns with this file: the code of the first error, or 0."""
        return next((one.code for one in self.findings if one.severity is Severity.ERROR and one.code is not None), 0)


def examine(data: bytes | None, disk: Disk | None = None) -> SesamExamination:
    """The settings of a file (None: there is no file); without a ``disk`` its folders are not looked for.

    Nor is a work folder asked for then: ``sesam`` is None without one, and nothing is said of it.
    """
    if data is None:
        return SesamExamination(None, (Finding(0, *_MISSING, code=SsvCode.TABLE_PATH),))
    try:
        file = ini.read(data)
    except ini.UnreadableError as error:
        whole = error.finding
        return SesamExamination(None, (Finding(0, whole.message, whole.cure, SsvCode.TABLE_PATH),))
    reader = _Reader(file, disk)
    sesam = reader.sesam()
    findings = (*reader.findings, *file.findings, *_line_ends(data))
    return SesamExamination(sesam, findings)


class _Reader:
    def __init__(self, file: IniFile, disk: Disk | None) -> None:
        self.findings: list[Finding] = []
        self._file = file
        self._disk = disk

    def sesam(self) -> Sesam | None:
        tables = self._needed("SSV", "RepertoireTable", SsvCode.TABLE_PATH)
        # Files of the field are complete without a work folder for what reads cards alone (sources#sesam-ini): only
        # the simulated FSV, which have a disk, are known to need it; an empty value is wrong for everybody.
        named = self._entry("COMMUN", "RepertoireTravail") is not None
        work = (
            self._needed("COMMUN", "RepertoireTravail", SsvCode.WORK_DIRECTORY)
            if named or self._disk is not None
            else None
        )
        self._traces()
        sesam = Sesam(
            work=work.value if work else "",
            tables=tables.value if tables else "",
            srt_tables=self._text("SRT", "RepertoireTable"),
            srt_changes=self._text("SRT", "repertoiremodification"),
            sts_tables=self._text("STS", "RepertoireTable"),
            common_tables=self._text("COMMUN", "RepertoireTable"),
            trace_settings=self._text("MGC", "RepertoireConfigTrace"),
            traces=self._text("COMMUN", "ActivationTracesLog4c") == "1",
            exclusivity=self._patience("exclusivite"),
            exclusivity_pcsc=self._patience("exclusivitePCSC"),
            file_access=self._patience("accesfichier"),
        )
        if self._disk is not None:
            self._look(self._disk, tables, work)
        return sesam if tables is not None and work is not None else None

    def _entry(self, section: str, key: str) -> IniEntry | None:
        found = self._file.get(section)
        return found.get(key) if found is not None else None

    def _text(self, section: str, key: str) -> str:
        entry = self._entry(section, key)
        return entry.value if entry is not None else ""

    def _needed(self, section: str, key: str, code: SsvCode) -> IniEntry | None:
        entry = self._entry(section, key)
        if entry is not None and entry.value:
            return entry
        found = self._file.get(section)
        self.findings.append(
            Finding(
                entry.line if entry else found.line if found else 0,
                Text(fr=f"[{section}] {key} manque ou est vide", en=f"[{section}] {key} is missing or empty"),
                Text(
                    fr="y écrire le dossier installé par les FSV, ou réinstaller celles-ci",
                    en="write the folder the FSV were installed in there, or install them again",
                ),
                code,
            )
        )
        return None

    def _traces(self) -> None:
        """The field's own complaint of the component MGC: section, key or log4crc.xml not found."""
        section, entry = self._file.get("MGC"), self._entry("MGC", "RepertoireConfigTrace")
        if section is None:
            self._warn(0, Text(fr="la section MGC est absente", en="the section MGC is absent"), _MGC_CURE)
        elif entry is None or not entry.value:
            line = entry.line if entry else section.line
            message = Text(
                fr="la clé RepertoireConfigTrace de la section MGC est absente ou vide",
                en="the key RepertoireConfigTrace of the section MGC is absent or empty",
            )
            self._warn(line, message, _MGC_CURE)
        elif "%" in entry.value or not _is_absolute(entry.value):
            message = Text(
                fr=f"le dossier {entry.value} n'est pas un chemin absolu, ou contient une variable %…%",
                en=f"the folder {entry.value} is no absolute path, or holds a variable %…%",
            )
            self._warn(entry.line, message, _MGC_CURE)
        elif self._disk is not None and LOG_FILE not in (self._disk.files(entry.value) or ()):
            message = Text(
                fr=f"{LOG_FILE} ne se trouve pas dans {entry.value}", en=f"{LOG_FILE} is not found in {entry.value}"
            )
            self._warn(entry.line, message, _MGC_CURE)

    def _patience(self, what: str) -> Patience:
        tempo = self._number(f"tempo{what}", _LONGEST_MS, least=0)
        times = self._number(f"repetition{what}", _MOST_TRIES, least=1)
        return Patience(times if times is not None else KIT.tries, tempo / 1000 if tempo is not None else KIT.pause)

    def _number(self, key: str, most: int, *, least: int) -> int | None:
        entry = self._entry("SSV", key)
        if entry is None:
            return None
        text = entry.value
        if ini.is_number(text) and least <= int(text) <= most:
            return int(text)
        self._warn(
            entry.line,
            Text(
                fr=f"{key}={text} n'est pas un nombre de {least} à {most} : la valeur du kit est prise",
                en=f"{key}={text} is no number from {least} to {most}: the kit's value is taken",
            ),
            Text(
                fr="500 (millisecondes) pour une tempo, 10 pour une répétition",
                en="500 (milliseconds) for a tempo, 10 for a repetition",
            ),
        )
        return None

    def _look(self, disk: Disk, tables: IniEntry | None, work: IniEntry | None) -> None:
        if tables is not None:
            here = disk.files(tables.value)
            if here is None:
                message = Text(
                    fr=f"le dossier des tables {tables.value} n'existe pas",
                    en=f"the table folder {tables.value} does not exist",
                )
                self.findings.append(Finding(tables.line, message, _TABLES_CURE, _TABLE_UNREADABLE))
            elif missing := (disk.files(_twin(tables.value)) or frozenset()) - here:
                message = Text(
                    fr=f"il manque à {tables.value} {len(missing)} table(s) que l'autre architecture a : "
                    f"{', '.join(sorted(missing)[:5])}",
                    en=f"{tables.value} lacks {len(missing)} table(s) that the other architecture has: "
                    f"{', '.join(sorted(missing)[:5])}",
                )
                self._warn(tables.line, message, _TABLES_CURE)
        if work is not None and not disk.writable(work.value):
            self.findings.append(
                Finding(
                    work.line,
                    Text(
                        fr=f"les fichiers {', '.join(WORK_FILES)} ne s'écrivent pas dans {work.value}",
                        en=f"the files {', '.join(WORK_FILES)} cannot be written in {work.value}",
                    ),
                    Text(
                        fr="créer le dossier et en donner l'écriture aux utilisateurs",
                        en="make the folder and let users write there",
                    ),
                    SsvCode.WORK_FILES,
                )
            )

    def _warn(self, line: int, message: Text, cure: Text) -> None:
        self.findings.append(Finding(line, message, cure, severity=Severity.WARNING))


def _is_absolute(path: str) -> bool:
    return path.startswith(("/", "\\\\")) or path[1:3] in (":\\", ":/")


def _twin(folder: str) -> str:
    """The folder of the other architecture, where the path says which it is; else no folder at all."""
    for one, other in (("x86", "x64"), ("x64", "x86")):
        parts = folder.split("\\")
        if one in (part.lower() for part in parts):
            return "\\".join(other if part.lower() == one else part for part in parts)
    return ""


def _line_ends(data: bytes) -> tuple[Finding, ...]:
    bare = data.replace(b"\r\n", b"")
    if b"\n" not in bare and b"\r" not in bare:
        return ()
    line = data.count(b"\r\n", 0, next(at for at, byte in enumerate(data) if _is_bare(data, at, byte))) + 1
    return (
        Finding(
            line,
            Text(fr="des lignes ne finissent pas par CR LF", en="some lines do not end in CR LF"),
            Text(fr="enregistrer le fichier avec des fins de ligne Windows", en="save it with Windows line ends"),
            severity=Severity.WARNING,
        ),
    )


def _is_bare(data: bytes, at: int, byte: int) -> bool:
    if byte == 0x0A:
        return at == 0 or data[at - 1] != 0x0D
    return byte == 0x0D and data[at + 1 : at + 2] != b"\n"


_MISSING = (
    Text(fr="sesam.ini est absent ou ne s'ouvre pas", en="sesam.ini is missing or cannot be opened"),
    Text(
        fr="C:\\Windows\\sesam.ini, ou C:\\ProgramData\\santesocial\\fsv\\<version>\\conf\\sesam.ini",
        en="C:\\Windows\\sesam.ini, or C:\\ProgramData\\santesocial\\fsv\\<version>\\conf\\sesam.ini",
    ),
)
_MGC_CURE = Text(
    fr=f"[MGC] RepertoireConfigTrace= le chemin absolu du dossier qui contient {LOG_FILE}",
    en=f"[MGC] RepertoireConfigTrace= the absolute path of the folder that holds {LOG_FILE}",
)
_TABLES_CURE = Text(
    fr="réinstaller les tables des FSV dans ce dossier, pour chaque architecture installée",
    en="install the FSV tables in this folder again, for each architecture installed",
)
