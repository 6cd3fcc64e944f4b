"""Who holds what: programs that use PC/SC, and the local ports of the components. Own rights, nothing is stopped."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bifente.conformance.domains.support.inventory.collected import PosteInventory
from bifente.conformance.domains.support.inventory.machine import Machine
from bifente.simulator.pcsc.detectors import listening

PORTS = {
    1234: "agent local de facturation",
    1922: "SrvSVCNAM (Ameli Pro)",
    1943: "SrvSVCNAM (Ameli Pro)",
    9982: "DmpConnect-JS",
    9983: "DmpConnect-JS",
    9984: "DmpConnect-JS",
    9985: "DmpConnect-JS",
    40500: "DmpConnect-JS",
}
"""Local ports of the components and who is expected there (sources#full-pcsc)."""
_CNAM = (1922, 1943)
_MOST = 4096
_LIBRARY = "libpcsclite"
_LONGEST_MAP = 4 * 1024 * 1024
_OURS = re.compile(r"srvsvcnam|amelipro|cnam", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SeenProcess:
    """One process: its number and name, its sockets, whether it has the PC/SC library; None where nobody may know."""

    number: str
    name: str
    sockets: frozenset[str] | None
    uses_pcsc: bool | None


def look_at_holders(machine: Machine, found: PosteInventory) -> None:
    """Collect the programs that use PC/SC and those that hold a port of the components."""
    processes = tuple(_processes(machine))
    hidden = sum(one.uses_pcsc is None for one in processes)
    for one in processes:
        if one.uses_pcsc:
            found.detail("Programmes qui se servent de PC/SC", f"{one.name} ({one.number})")
    if hidden:
        found.detail(
            "Programmes qui se servent de PC/SC", f"{hidden} programme(s) que cet utilisateur ne peut pas regarder"
        )
    galss = any(one.name.startswith("galsv") for one in processes)
    if galss:
        found.tell("galss-service", "running")
    found.miss("galss-service", "aucun programme galsv* ne tourne : arrêté, absent, ou lancé à la demande")
    _ports(machine, found, processes)


def _ports(machine: Machine, found: PosteInventory, processes: tuple[SeenProcess, ...]) -> None:
    tables = [machine.text(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    if not any(tables):
        found.miss("port-holder", "/proc/net/tcp illisible")
        return
    inodes = {port: inode for table in tables for port, inode in _listeners(table).items()}
    holders: dict[int, str] = {}
    for port, inode in inodes.items():
        if port in PORTS:
            holders[port] = next((one.name for one in processes if inode in (one.sockets or ())), "")
            who = holders[port] or "programme d'un autre utilisateur"
            found.detail("Ports locaux", f"{port} ({PORTS[port]}) : tenu par {who}")
    cnam = [name for port, name in holders.items() if port in _CNAM]
    strangers = [name for name in cnam if name and not _OURS.search(name)]
    if strangers:
        found.tell("port-holder", "other-software")
        found.detail("Ports locaux", f"port du composant CNAM pris par {', '.join(strangers)}")
    elif "" in cnam:
        found.miss("port-holder", "un port du composant CNAM est tenu ; par qui ne se voit pas de cet utilisateur")
    else:
        found.tell("port-holder", "nobody")


def _listeners(table: str) -> Mapping[int, str]:
    """The inode of the socket that listens on each port of a table."""
    found = {}
    for line in table.splitlines():
        for _address, port in listening(line):
            fields = line.split()
            if len(fields) > 9:
                found[port] = fields[9]
    return found


def _processes(machine: Machine) -> Iterator[SeenProcess]:
    for place in list(machine.entries("/proc", "[0-9]*"))[:_MOST]:
        name = machine.text(f"{place}/comm").strip()
        if not name:
            continue  # it ended meanwhile
        maps = machine.data(f"{place}/maps", _LONGEST_MAP)
        links = [machine.link(one) for one in machine.entries(f"{place}/fd")]
        sockets = frozenset(found[1] for link in links if (found := re.fullmatch(r"socket:\[(\d+)\]", link)))
        yield SeenProcess(
            place.rpartition("/")[2],
            name,
            sockets if links else None,
            None if maps is None or len(maps) == _LONGEST_MAP else _LIBRARY.encode() in maps,
        )
