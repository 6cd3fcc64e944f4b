"""What a ``galss.ini`` may hold and still will not work as its author thinks: warnings, without a GALSS code."""

from __future__ import annotations

from collections.abc import Iterator

from bifente.ground.text import Text
from bifente.simulator.middleware.findings import Finding, Severity
from bifente.simulator.middleware.galss.model import CPS, VITALE, Configuration, ProtocolNumber
from bifente.simulator.middleware.ini import IniFile, is_number


def unread(file: IniFile, count: int) -> Iterator[Finding]:
    """Channels beyond the ``count`` that the file says it has."""
    for name, section in file.sections.items():
        head = name.split(".")[0].removeprefix("canal")
        if name.startswith("canal") and "." not in name and is_number(head) and int(head) > count:
            yield Finding(
                section.line,
                Text(
                    fr=f"[{section.name}] n'est pas lu : NbCanaux vaut {count}",
                    en=f"[{section.name}] is not read: NbCanaux is {count}",
                ),
                Text(fr="corriger NbCanaux, ou retirer la section", en="correct NbCanaux, or remove the section"),
                severity=Severity.WARNING,
            )


def doubts(file: IniFile, configuration: Configuration) -> Iterator[Finding]:
    """Resources that nobody reaches, names that nothing bears, one reader named twice."""
    seen: dict[str, int] = {}
    for resource in configuration.resources():
        for name in resource.lad.names:
            if name in seen:
                yield _warning(
                    file,
                    f"CANAL{resource.channel_number}",
                    Text(
                        fr=f"la ressource {name} de CANAL{resource.channel_number} n'est jamais atteinte : "
                        f"CANAL{seen[name]} a la même et passe avant",
                        en=f"the resource {name} of CANAL{resource.channel_number} is never reached: "
                        f"CANAL{seen[name]} has the same and comes first",
                    ),
                    Text(
                        fr="les lecteurs sont pris dans l'ordre inverse du fichier : renommer l'une des deux",
                        en="readers are taken in reverse order of the file: rename one of the two",
                    ),
                )
            seen.setdefault(name, resource.channel_number)
    for wanted in (CPS, VITALE):
        if wanted not in seen:
            yield _warning(
                file,
                "CONFIG",
                Text(fr=f"aucune ressource ne s'appelle {wanted}", en=f"no resource is called {wanted}"),
                Text(
                    fr=f"un appel qui la nomme reçoit F101 : donner NomLAD={wanted} à une fente",
                    en=f"a call that names it gets F101: give NomLAD={wanted} to a slot",
                ),
            )
    readers: dict[str, int] = {}
    for number, channel in enumerate(configuration.channels, 1):
        if channel.protocol is not ProtocolNumber.PCSC:
            continue
        if channel.characteristics in readers:
            yield _warning(
                file,
                f"CANAL{number}",
                Text(
                    fr=f"CANAL{number} et CANAL{readers[channel.characteristics]} nomment le même lecteur PC/SC",
                    en=f"CANAL{number} and CANAL{readers[channel.characteristics]} name the same PC/SC reader",
                ),
                Text(fr="une fente par canal", en="one slot a channel"),
            )
        readers.setdefault(channel.characteristics, number)


def _warning(file: IniFile, section: str, message: Text, cure: Text) -> Finding:
    found = file.get(section)
    return Finding(found.line if found else 0, message, cure, severity=Severity.WARNING)
