"""Components and their files: PKCS#11 modules, Cryptolib and its cache, GALSS, FSV, configuration files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bifente.conformance.domains.support.inventory.collected import PosteInventory
from bifente.conformance.domains.support.inventory.machine import Machine

CONFIGURATION = {
    "galss.ini": ("/etc/galss.ini", "/etc/santesocial/galss.ini", "/etc/opt/santesocial/galss.ini"),
    "sesam.ini": ("/etc/sesam.ini", "/etc/santesocial/sesam.ini", "/etc/opt/santesocial/sesam.ini"),
    "io_comm.ini": ("/etc/io_comm.ini", "/etc/santesocial/io_comm.ini"),
}
_FACTS = {"galss.ini": "galss-ini", "sesam.ini": "sesam-ini"}
_CACHE = "/etc/opt/santesocial/CPS/cache"
_LIBRARIES = ("/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/usr/local/lib", "/opt/santesocial")
_CRYPTOLIB = ("libcps3_pkcs11*", "libcps_pkcs11*", "*/libcps3_pkcs11*", "*/*/libcps3_pkcs11*")
_GALSS = ("libgalss*", "galsvlux*", "*/galsvlux*", "*/libgalss*")
_P11_KIT = ("/usr/share/p11-kit/modules", "/etc/pkcs11/modules")
_VERSION = re.compile(r"\d+(?:\.\d+)+")


def look_at_components(machine: Machine, found: PosteInventory) -> None:
    """Collect what is installed, in which version, and how it is set."""
    _modules(machine, found)
    cryptolib = _component(machine, found, "cryptolib", _CRYPTOLIB)
    _component(machine, found, "galss", _GALSS)
    _cache(machine, found, installed=cryptolib)
    for name, places in CONFIGURATION.items():
        _configuration(machine, found, name, places)
    for key in ("srvsvcnam", "dmpconnect-js", "atsam", "mica"):
        found.miss(key, "aucune version pour Linux n'est connue : non cherché")
    found.miss("fsv", "aucun emplacement public sous Linux : non cherché")


def _modules(machine: Machine, found: PosteInventory) -> None:
    heading = "Modules PKCS#11"
    for folder in _P11_KIT:
        for place in machine.entries(folder, "*.module"):
            module = re.search(r"^\s*module:\s*(\S+)", machine.text(place), re.MULTILINE)
            found.detail(heading, f"{module[1] if module else '?'} (déclaré par {place})")
    for place in (one for folder in _LIBRARIES for one in machine.entries(folder, "opensc-pkcs11.so")):
        found.detail(heading, f"{place} {_packaged(machine, place)}")


def _component(machine: Machine, found: PosteInventory, key: str, patterns: tuple[str, ...]) -> bool:
    places = list(_files(machine, patterns))
    for place in places:
        found.detail("Composants", f"{key} : {place} {_packaged(machine, place)}")
    if not places:
        # Nothing in the usual folders is not nothing: a file may lie elsewhere.
        found.miss(key, f"rien trouvé dans {', '.join(_LIBRARIES)} : absent, ou ailleurs")
        return False
    versions = {version[0] for place in places if (version := _VERSION.search(_packaged(machine, place)))}
    versions = versions or {
        version[0] for place in places if (version := _VERSION.search(machine.link(place) or place))
    }
    if len(versions) == 1:
        found.tell(key, versions.pop())
    elif versions:
        found.miss(key, f"plusieurs versions sur ce poste : {', '.join(sorted(versions))}")
    else:
        found.miss(key, f"installé ({places[0]}), version non lisible sans le charger")
    return True


def _files(machine: Machine, patterns: tuple[str, ...]) -> Iterator[str]:
    for folder in _LIBRARIES:
        for pattern in patterns:
            yield from machine.entries(folder, pattern)


def _packaged(machine: Machine, place: str) -> str:
    """The package that a file comes from, with its version; empty where no package manager tells."""
    owner = machine.ask("dpkg-query", "--search", place).said
    if owner is not None:
        package = owner.partition(":")[0].strip()
        version = machine.ask("dpkg-query", "--show", "--showformat=${Version}", package).said
        return f"{package} {version}" if version else ""
    said = machine.ask("rpm", "--query", "--file", "--queryformat", "%{NAME} %{VERSION}", place).said
    return said.strip() if said else ""


def _cache(machine: Machine, found: PosteInventory, *, installed: bool) -> None:
    if not machine.there(_CACHE):
        if installed:
            found.tell("cryptolib-cache", "no-folder")
        found.miss("cryptolib-cache", f"pas de dossier {_CACHE}")
        return
    files = list(machine.entries(_CACHE))
    rights = "" if machine.writable(_CACHE) else ", que cet utilisateur ne peut pas écrire"
    found.detail("Cache de la Cryptolib", f"{_CACHE} : {len(files)} fichier(s){rights}")
    found.miss("cryptolib-cache", f"{len(files)} fichier(s) ; périmé ou altéré ne se voit pas sans la carte")


def _configuration(machine: Machine, found: PosteInventory, name: str, places: tuple[str, ...]) -> None:
    there = [place for place in places if machine.there(place)]
    for place in there:
        found.detail("Fichiers de configuration", place)
    key = _FACTS.get(name)
    if key is None:
        return
    if not there:
        found.miss(key, f"aucun fichier dans {', '.join(places)}")
        return
    data = machine.data(there[0])
    if data is None:
        found.miss(key, f"{there[0]} : lecture refusée à cet utilisateur")
        return
    found.files[name] = (str(machine.path(there[0])), data)
    found.miss(key, f"jugé sur le fichier même : {there[0]}")
    if len(there) > 1:
        found.detail("Fichiers de configuration", f"plusieurs {name} : seul {there[0]} est examiné")
