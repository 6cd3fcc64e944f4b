"""The system itself: its version, session, clock, network and browsers."""

from __future__ import annotations

import re

from bifente.conformance.domains.support.inventory.collected import PosteInventory
from bifente.conformance.domains.support.inventory.machine import Machine

_BROWSERS = {
    "firefox": (("firefox", "--version"), ("firefox-esr", "--version")),
    "chrome": (("google-chrome", "--version"), ("chromium", "--version"), ("chromium-browser", "--version")),
    "edge": (("microsoft-edge", "--version"),),
}
_VERSION = re.compile(r"\d+(?:\.\d+){0,7}")


def look_at_system(machine: Machine, found: PosteInventory) -> None:
    """Collect what the system says of itself."""
    found.tell("os", "linux")
    release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', machine.text("/etc/os-release"), re.MULTILINE))
    found.detail("Système", release.get("PRETTY_NAME", "Linux"))
    if version := release.get("VERSION_ID"):
        found.tell("os-version", version)
    else:
        found.miss("os-version", "/etc/os-release ne dit pas de version")
    found.tell("session", "remote" if machine.environ.get("SSH_CONNECTION") else "local")
    _clock(machine, found)
    _network(machine, found)
    _browsers(machine, found)


def _clock(machine: Machine, found: PosteInventory) -> None:
    answer = machine.ask("timedatectl", "show", "--property", "NTPSynchronized", "--value")
    if (answer.said or "").strip() == "yes":
        found.tell("clock", "right")
    else:
        found.miss("clock", answer.why or "l'horloge n'est pas synchronisée par le réseau : à comparer à la vôtre")


def _network(machine: Machine, found: PosteInventory) -> None:
    routes = [line.split() for line in machine.text("/proc/net/route").splitlines()[1:]]
    routes6 = [line.split() for line in machine.text("/proc/net/ipv6_route").splitlines()]
    default = any(len(row) > 1 and row[1] == "00000000" for row in routes) or any(
        len(row) > 9 and row[0] == "0" * 32 and row[1] == "00" and row[9] != "lo" for row in routes6
    )
    if default:
        found.miss("network", "une route par défaut existe ; débit et accès aux services non mesurés")
    elif machine.there("/proc/net/route"):
        found.tell("network", "down")
    else:
        found.miss("network", "/proc/net/route illisible")


def _browsers(machine: Machine, found: PosteInventory) -> None:
    there: dict[str, str] = {}
    for name, commands in _BROWSERS.items():
        said = machine.first(commands).said
        if said and (version := _VERSION.search(said)):
            there[name] = version[0]
            found.detail("Navigateurs", said.strip())
    if len(there) == 1:
        name, version_of = next(iter(there.items()))
        found.tell("browser", name)
        found.tell("browser-version", version_of)
        return
    why = "aucun trouvé" if not there else f"plusieurs ({', '.join(there)}) : lequel sert n'est pas connu"
    for key in ("browser", "browser-version"):
        found.miss(key, why)
