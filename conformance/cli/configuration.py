"""``bifente galss`` and ``bifente sesam``: the configuration files of a workstation, examined and made.

Exit codes: 0 nothing wrong (remarks aside), 1 the middleware would fail with the file, 2 the file cannot be read.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from bifente.conformance.bench.profiles import ReaderProfile, load_profile
from bifente.conformance.bench.profiles import System as NamingSystem
from bifente.conformance.cli.app import Exit, app, err, fail, out
from bifente.conformance.cli.options import LangOption, chosen_lang
from bifente.conformance.features import CONTACTLESS
from bifente.conformance.loading import InputError
from bifente.ground.files import open_file, read_file
from bifente.ground.text import Lang, Text
from bifente.reports.clean import one_line
from bifente.simulator.middleware import galss as manager
from bifente.simulator.middleware import listing
from bifente.simulator.middleware import sesam as fsv
from bifente.simulator.middleware.findings import Finding, Severity
from bifente.simulator.middleware.galss import GalssSystem, SlotName
from bifente.simulator.middleware.ini import MAX_BYTES
from bifente.simulator.middleware.listing import ListedReader
from bifente.simulator.middleware.return_codes import return_codes

galss = typer.Typer(help="The GALSS and its file galss.ini.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(galss, name="galss")
sesam = typer.Typer(help="The FSV and their file sesam.ini.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(sesam, name="sesam")

FileArgument = Annotated[Path, typer.Argument(help="The file to examine.")]
SystemOption = Annotated[GalssSystem | None, typer.Option("--os", help="The system of the workstation.")]
BitsOption = Annotated[int | None, typer.Option("--bits", help="32 or 64: the word length of the GALSS installed.")]

ReadersOption = Annotated[
    str | None,
    typer.Option(
        "--readers",
        metavar="FILE|here",
        help="What is really there: the output of system_profiler SPSmartCardsDataType, pcsc_scan, opensc-tool -l or"
        " certutil -scinfo (- for the standard input), or `here` for the readers that PC/SC shows on this machine.",
    ),
]

_GALSS = re.compile(rb"^\s*\[(CONFIG|CANAL\d|PROTOCOLE\d)", re.IGNORECASE | re.MULTILINE)
_SESAM = re.compile(rb"^\s*\[(COMMUN|SSV|MGC)\]", re.IGNORECASE | re.MULTILINE)
"""A section that only one of the two files has."""
_LONGEST = 600
"""Most characters of one line told."""
_ALIKE = 5
"""Most warnings of the same words told one by one: a file that is none of these has one for each line."""
_MORE = Text(fr="… et {count} remarques semblables", en="… and {count} warnings alike")
_SEVERITIES = {
    Severity.ERROR: Text(fr="erreur", en="error"),
    Severity.WARNING: Text(fr="remarque", en="warning"),
}
_SOUND = Text(fr="rien à redire", en="nothing wrong")
_PORT_TABLE = Text(
    fr="io_comm.ini (table des ports) n'a pas de description publique : le fichier n'est ni examiné ni écrit",
    en="io_comm.ini (port table) has no public description: that file is neither examined nor written",
)
_MADE = Text("{to} : {channels} canaux, {size} octets", "{to}: {channels} channel(s), {size} bytes")
_UNNAMED = Text(
    fr="nom PC/SC inconnu sur {system} pour {slots} : celui d'un autre système est écrit, à corriger",
    en="no PC/SC name is known on {system} for {slots}: that of another system is written, correct it",
)


@galss.command(name="check")
def check_galss(
    file: FileArgument,
    profile: Annotated[str | None, typer.Option(help="The reader that is there: profile name or file.")] = None,
    readers: ReadersOption = None,
    system: SystemOption = None,
    bits: BitsOption = None,
    lang: LangOption = None,
) -> None:
    """Tell every mistake of a galss.ini with its line, the GALSS code it causes and the cure."""
    language = chosen_lang(lang)
    _check_bits(bits)
    data = _read(file)
    if data is not None:
        _check_kind(file, data, _SESAM, _GALSS, "bifente sesam check")
    examined = manager.examine(data, system=system, bits=bits)
    findings = examined.findings
    if data is not None and examined.configuration is not None and (profile or readers):
        slots, pss = _there(profile, readers, system)
        findings = (*findings, *manager.misfits(data, examined.configuration, slots, pss=pss))
    if system is GalssSystem.MACOS:
        err.print(f"bifente: {_in(_PORT_TABLE, language)}", markup=False)
    _tell(file, findings, language)


@galss.command(name="make")
def make_galss(
    profile: Annotated[str | None, typer.Option(help="The reader: profile name or file.")] = None,
    readers: ReadersOption = None,
    system: Annotated[GalssSystem, typer.Option("--os", help="The system of the workstation.")] = GalssSystem.WINDOWS,
    bits: Annotated[int, typer.Option("--bits", help="32 or 64: the word length of the GALSS.")] = 64,
    serial: Annotated[int | None, typer.Option(help="COM port, for a homologated reader on a serial line.")] = None,
    to: Annotated[Path | None, typer.Option("--out", help="File to write (default: the output).")] = None,
    lang: LangOption = None,
) -> None:
    """Write the galss.ini that fits a reader: one channel a slot through PC/SC, or one serial channel."""
    _check_bits(bits)
    if (profile is None) == (readers is None):
        raise InputError.at("galss make", "wants the reader", cure="give one of --profile NAME and --readers FILE")
    slots = _named_slots(profile, system, serial, lang) if profile is not None else _held_slots(readers or "")
    try:
        if serial is not None:
            if not 1 <= serial <= 256:
                raise ValueError(f"COM{serial} is no port: 1 to 256")
            configuration = manager.for_serial(serial, system, bits=bits)
        else:
            configuration = manager.for_pcsc(slots, system, bits=bits)
        data = manager.generate(configuration, system.line_end)
    except ValueError as error:
        raise fail(f"{profile or readers}: {error}", Exit.BAD_INPUT) from None
    if system is GalssSystem.MACOS:
        err.print(f"bifente: {_in(_PORT_TABLE, chosen_lang(lang))}", markup=False)
    if to is None:
        out.print(data.decode("cp1252").replace("\r\n", "\n").replace("\r", "\n"), markup=False, end="")
        return
    if to.exists() and not to.is_file():
        raise fail(f"{to}: is no regular file; choose another", Exit.BAD_INPUT)
    try:
        to.write_bytes(data)
    except OSError as error:
        raise fail(f"{to}: cannot be written: {error.strerror}", Exit.BAD_INPUT) from None
    out.tell(_in(_MADE, chosen_lang(lang)).format(to=to, channels=len(configuration.channels), size=len(data)))


@sesam.command(name="check")
def check_sesam(file: FileArgument, lang: LangOption = None) -> None:
    """Tell every mistake of a sesam.ini with its line, the SSV code it causes and the cure.

    The folders it names are not looked for: the file may come from another workstation.
    """
    language, data = chosen_lang(lang), _read(file)
    if data is not None:
        _check_kind(file, data, _GALSS, _SESAM, "bifente galss check")
    _tell(file, fsv.examine(data).findings, language)


def _check_kind(file: Path, data: bytes, other: re.Pattern[bytes], own: re.Pattern[bytes], command: str) -> None:
    """Refuse the other of the two files, which people take for this one."""
    if other.search(data) and not own.search(data):
        raise InputError.at(str(file), "is the other configuration file", cure=f"use {command} for it")


def _tell(file: Path, findings: Iterable[Finding], language: Lang) -> None:
    told = sorted(findings, key=lambda finding: (finding.line, finding.message.en))
    alike = Counter(finding.message.en for finding in told if finding.severity is Severity.WARNING)
    shown: Counter[str] = Counter()
    for finding in told:
        message = finding.message.en
        shown[message] += 1
        if alike[message] > _ALIKE and shown[message] > _ALIKE:
            continue
        place = f"{file}:{finding.line}" if finding.line else str(file)
        code = f" [{finding.code:04X}]" if finding.code is not None else ""
        message, cure = _in(finding.message, language), _in(finding.cure, language)
        # What a file holds comes from outside: none of it may drive the terminal, nor fill it.
        line = one_line(f"{place}: {_in(_SEVERITIES[finding.severity], language)}{code}: {message} ({cure})")
        out.tell(line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…")
        if finding.code is not None and (known := return_codes().get(finding.code)) is not None:
            out.tell(f"    {known.hex} = {known.code}: {_in(known.meaning, language)}")
    if more := sum(max(0, count - _ALIKE) for count in alike.values()):
        out.tell(_in(_MORE, language).format(count=more))
    if any(finding.severity is Severity.ERROR for finding in told):
        raise typer.Exit(Exit.FAILED)
    if not told:
        out.tell(f"{file}: {_in(_SOUND, language)}")


def _read(file: Path) -> bytes | None:
    """The file's bytes; None for one that is not there, which is the finding then, not a mistake of the call."""
    try:
        if not file.exists():
            return None
        return read_file(file, MAX_BYTES)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError.at(str(file), f"cannot be read: {reason}") from None


def _there(
    profile: str | None, readers: str | None, system: GalssSystem | None
) -> tuple[Sequence[SlotName], bool | None]:
    """The slots, and whether the reader has a serial line; what was seen rules over what a profile usually has."""
    model = load_profile(profile)[0] if profile is not None else None
    pss = model.pss if model is not None else None
    if readers is None:
        return (_slots(model, system) if model is not None else ()), pss
    seen = manager.slots_seen(_seen(readers))
    # A dual reader has one mode at a time: one whose cards PC/SC shows is not on its serial line.
    return seen, False if any(slot.role for slot in seen) else pss


def _seen(readers: str) -> tuple[ListedReader, ...]:
    if readers == "here":
        return _seen_here()
    try:
        if readers == "-":
            data = sys.stdin.buffer.read(listing.MAX_BYTES + 1)
        else:
            with open_file(Path(readers)) as stream:
                data = stream.read(listing.MAX_BYTES + 1)
        return listing.parse(data.decode("utf-8", "replace"))
    except listing.ListingError as error:
        raise InputError.at(readers, str(error)) from None
    except OSError as error:
        reason = f"cannot be read: {error.strerror}"
        raise InputError.at(readers, reason, cure="give a listing of readers, - or here") from None


def _seen_here() -> tuple[ListedReader, ...]:
    from bifente.conformance.targets.base import ScardError
    from bifente.conformance.targets.pcsc import PcscMissingError, PcscTarget

    try:
        found = tuple(listing.listed(name, atr) for name, atr in PcscTarget().seen())
    except (PcscMissingError, ScardError) as error:
        raise InputError.at("--readers here", str(error), cure="bifente doctor says what is missing") from None
    if not found:
        raise InputError.at("--readers here", "PC/SC shows no reader", cure="plug one in, or give a listing")
    return found


def _held_slots(readers: str) -> list[SlotName]:
    return [slot for slot in manager.slots_seen(_seen(readers)) if slot.role]


def _named_slots(profile: str, system: GalssSystem, serial: int | None, lang: str | None) -> list[SlotName]:
    model, _document = load_profile(profile)
    unnamed = [slot.role for slot in model.slots if slot.names and NamingSystem(system.value) not in slot.names]
    if unnamed and serial is None:
        told = _in(_UNNAMED, chosen_lang(lang))
        err.print(f"bifente: {told.format(system=system.value, slots=', '.join(unnamed))}", markup=False)
    return _slots(model, system)


def _slots(model: ReaderProfile, system: GalssSystem | None) -> list[SlotName]:
    named = NamingSystem(system.value) if system is not None else None
    return [
        SlotName(
            slot.role,
            slot.names.get(named, slot.name) if named is not None else slot.name,
            contactless=CONTACTLESS in slot.capabilities,
        )
        for slot in model.slots
    ]


def _check_bits(bits: int | None) -> None:
    if bits not in (None, 32, 64):
        raise fail(f"--bits {bits}: 32 or 64", Exit.BAD_INPUT)


def _in(said: Text, language: Lang) -> str:
    return said.fr if language == "fr" else said.en
