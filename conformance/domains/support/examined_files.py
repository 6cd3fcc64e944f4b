"""The configuration files of a workstation read as they lie there: what is wrong in them, with line and cure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bifente.ground.text import Text
from bifente.simulator.middleware import sesam
from bifente.simulator.middleware.findings import Finding, Severity
from bifente.simulator.middleware.galss import GalssSystem, SlotName, examine
from bifente.simulator.middleware.galss.fitting import misfits
from bifente.simulator.workstation import Poste

_SYSTEMS = {"windows": GalssSystem.WINDOWS, "macos": GalssSystem.MACOS}


@dataclass(frozen=True, slots=True)
class FileFinding:
    """One thing in one file. ``wrong``: the file cannot serve with it."""

    file: str
    line: int
    message: Text
    cure: Text
    wrong: bool


def file_findings(poste: Poste) -> Iterator[FileFinding]:
    """Yield what the files of a workstation hold that is wrong or doubtful."""
    if "galss.ini" in poste.files:
        data = poste.files["galss.ini"]
        system = _SYSTEMS.get(poste.get("os"), GalssSystem.WINDOWS)
        examined = examine(data, system=system)
        yield from (_of("galss.ini", one) for one in examined.findings)
        if examined.configuration is not None and poste.slots:
            slots = [SlotName(card, name) for name, card in poste.slots.items()]
            pss = poste.get("reader-mode") == "pss"
            yield from (_of("galss.ini", one) for one in misfits(data, examined.configuration, slots, pss=pss))
    if "sesam.ini" in poste.files:
        yield from (_of("sesam.ini", one) for one in sesam.examine(poste.files["sesam.ini"]).findings)


def _of(file: str, finding: Finding) -> FileFinding:
    return FileFinding(file, finding.line, finding.message, finding.cure, finding.severity is Severity.ERROR)
