"""What the doctor concludes from what it is shown: pure functions, one for each link."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from itertools import pairwise
from pathlib import Path
from statistics import median

from bifente.ground.text import Text
from bifente.simulator.pcsc.errors import CURES, Link, PcscdError
from bifente.simulator.pcsc.readerconf import SLOTS_PER_ENTRY, SystemEntry

LATENCY_LIMIT = 0.002
"""Seconds: the median of an APDU through a healthy pcscd and vpcd is about 0.1 ms, of a delayed one 40 ms."""

DELAYED_ACK = (0.030, 0.100)
"""Seconds: where one or two 40 ms delays land."""

POLL_LIMIT = 1.0
"""Seconds: pcscd looks at a reader every 0.4 s; twice that and some load is still healthy."""

DEFAULT_PORTS = (0x8C7B, 0x8C7C)
"""The two ports of Debian's own ``reader.conf`` entry for vpcd."""

_LISTEN = "0A"


class LinkVerdict(Enum):
    """What became of one link."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class LinkFinding:
    """One link tested: what was found, how to mend it, and the figure measured if there is one."""

    link: Link
    verdict: LinkVerdict
    sentence: Text
    cure: Text | None = None
    measure: str | None = None


def good(link: Link, fr: str, en: str, measure: str | None = None) -> LinkFinding:
    """A link that holds."""
    return LinkFinding(link, LinkVerdict.OK, Text(fr, en), None, measure)


def broken(error: PcscdError) -> LinkFinding:
    """A link that broke, as the error tells it."""
    quoted = error.log.strip()[-500:]
    fr = f" pcscd a dit : {quoted}" if quoted else ""
    en = f" pcscd said: {quoted}" if quoted else ""
    sentence = Text(error.sentence.fr + fr, error.sentence.en + en)
    return LinkFinding(error.link, LinkVerdict.FAILED, sentence, error.cure)


def skipped(link: Link, because: Link) -> LinkFinding:
    """A link that could not be tested since ``because`` broke."""
    return LinkFinding(
        link,
        LinkVerdict.SKIPPED,
        Text(f"non testé : le maillon « {because.value} » a cédé", f"not tested: the link {because.value} broke"),
    )


def judge_listed(expected: Sequence[str], listed: Sequence[str]) -> LinkFinding:
    """Does a PC/SC client see every reader expected?"""
    missing = [name for name in expected if name not in listed]
    if missing:
        return LinkFinding(
            Link.READER_LISTED,
            LinkVerdict.FAILED,
            Text(f"lecteurs absents de la liste : {missing}", f"readers missing from the list: {missing}"),
            CURES[Link.READER_LISTED],
        )
    return good(Link.READER_LISTED, "le service montre le lecteur", "the service lists the reader", ", ".join(listed))


def judge_poll(seconds: float) -> LinkFinding:
    """Did the service see the card in reasonable time?"""
    measure = f"{seconds * 1000:.0f} ms"
    if seconds > POLL_LIMIT:
        return LinkFinding(
            Link.POLL,
            LinkVerdict.WARNING,
            Text(f"le service a mis {measure} à voir la carte", f"the service took {measure} to see the card"),
            Text(
                "La machine est chargée : donnez aux clients plus de temps après une insertion.",
                "The machine is loaded: give clients more time after an insertion.",
            ),
            measure,
        )
    return good(Link.POLL, "le service a vu la carte", "the service saw the card", measure)


def judge_atr(given: bytes, seen: bytes) -> LinkFinding:
    """Is the ATR that of the card?"""
    if given != seen:
        return LinkFinding(
            Link.ATR,
            LinkVerdict.FAILED,
            Text(
                f"l'ATR vu est {seen.hex()}, la carte a donné {given.hex()}",
                f"the ATR seen is {seen.hex()}, the card gave {given.hex()}",
            ),
            _CROSSED,
        )
    return good(Link.ATR, "l'ATR est celui de la carte", "the ATR is the card's", seen.hex())


def judge_apdu(expected: bytes, received: bytes) -> LinkFinding:
    """Did an APDU go through and its answer come back whole?"""
    if expected != received:
        return LinkFinding(
            Link.APDU,
            LinkVerdict.FAILED,
            Text(
                f"réponse {received.hex() or 'vide'} au lieu de {expected.hex()}",
                f"answer {received.hex() or 'empty'} instead of {expected.hex()}",
            ),
            _CROSSED,
        )
    return good(Link.APDU, "une commande passe et sa réponse revient", "a command goes through and its answer is back")


_CROSSED = Text(
    "Un autre lecteur a répondu à la place : donnez à chaque entrée de reader.conf sa copie du pilote vpcd.",
    "Another reader answered in its place: give each reader.conf entry its own copy of the vpcd driver.",
)


def judge_latency(seconds: Sequence[float]) -> LinkFinding:
    """Is the median time of an APDU that of a healthy chain, or has the 40 ms trap closed?"""
    if not seconds:
        return LinkFinding(
            Link.LATENCY,
            LinkVerdict.FAILED,
            Text("aucun échange n'a été mesuré", "no exchange was measured"),
            CURES[Link.PRIVATE_PCSCD],
        )
    middle = median(seconds)
    measure = f"{middle * 1000:.3f} ms"
    if middle <= LATENCY_LIMIT:
        return good(Link.LATENCY, "les échanges sont rapides", "exchanges are fast", measure)
    if DELAYED_ACK[0] <= middle <= DELAYED_ACK[1]:
        return LinkFinding(
            Link.LATENCY,
            LinkVerdict.WARNING,
            Text(
                f"{measure} par commande : algorithme de Nagle et acquittement retardé. vpcd envoie la longueur et le "
                "corps en deux fois, et le second attend 40 ms l'acquittement du premier",
                f"{measure} a command: Nagle's algorithm and a delayed acknowledgement. vpcd sends length and body "
                "separately, and the second waits 40 ms for the acknowledgement of the first",
            ),
            Text(
                "Côté carte, posez TCP_QUICKACK avant chaque recv et répondez en un seul envoi ; ou prenez un vpcd "
                "qui écrit en une fois (source postérieure à 2023).",
                "On the card's side, set TCP_QUICKACK before every recv and answer in one write; or take a vpcd that "
                "writes once (source later than 2023).",
            ),
            measure,
        )
    return LinkFinding(
        Link.LATENCY,
        LinkVerdict.WARNING,
        Text(f"{measure} par commande, au lieu de 0,1", f"{measure} a command, instead of 0.1"),
        Text("La machine est chargée ou lente : fermez ce qui l'occupe.", "The machine is loaded: free it."),
        measure,
    )


def driver_identity(path: str) -> Hashable:
    """What makes two paths the same loaded library: device and inode; the path itself if there is no such file."""
    try:
        status = Path(path).stat()
    except OSError:
        return path
    return status.st_dev, status.st_ino


def judge_shared_drivers(
    entries: Sequence[SystemEntry], identity: Callable[[str], Hashable] = driver_identity
) -> LinkFinding:
    """Do two vpcd entries of the machine's ``reader.conf`` share a driver file or a port?"""
    ours = [entry for entry in entries if _is_vpcd(entry)]
    by_file: dict[Hashable, list[SystemEntry]] = defaultdict(list)
    for entry in ours:
        by_file[identity(entry.driver)].append(entry)
    for sharing in by_file.values():
        if len(sharing) > 1:
            names = ", ".join(f"{entry.name!r} ({entry.source})" for entry in sharing)
            return LinkFinding(
                Link.SHARED_DRIVER,
                LinkVerdict.FAILED,
                Text(
                    f"ces lecteurs partagent le fichier {sharing[0].driver} et répondront l'un pour l'autre : {names}",
                    f"these readers share the file {sharing[0].driver} and will answer for each other: {names}",
                ),
                Text(
                    "Copiez le pilote une fois par entrée, et donnez à chaque LIBPATH sa copie.",
                    "Copy the driver once for each entry, and give each LIBPATH its own copy.",
                ),
            )
    placed = sorted((entry.port, entry.name) for entry in ours if entry.port is not None)
    for (port, name), (next_port, next_name) in pairwise(placed):
        if next_port - port < SLOTS_PER_ENTRY:
            return LinkFinding(
                Link.SHARED_DRIVER,
                LinkVerdict.FAILED,
                Text(
                    f"les ports de {name!r} ({port}) et de {next_name!r} ({next_port}) se chevauchent",
                    f"the ports of {name!r} ({port}) and {next_name!r} ({next_port}) overlap",
                ),
                Text(
                    "Écartez les CHANNELID d'au moins 2 : un lecteur vpcd occupe deux ports.",
                    "Set the CHANNELIDs at least 2 apart: a vpcd reader takes two ports.",
                ),
            )
    return good(
        Link.SHARED_DRIVER,
        f"entrées vpcd du système : {len(ours)}, chacune son fichier et ses ports",
        f"vpcd entries of the machine: {len(ours)}, each with its own file and ports",
    )


def _is_vpcd(entry: SystemEntry) -> bool:
    return "vpcd" in Path(entry.driver).name.lower()


def vpcd_ports(entries: Sequence[SystemEntry]) -> frozenset[int]:
    """The ports on which the vpcd entries of the machine listen when its pcscd runs; Debian's two if none is named."""
    named = [entry.port for entry in entries if _is_vpcd(entry) and entry.port is not None]
    return frozenset(port + slot for port in named for slot in range(SLOTS_PER_ENTRY)) or frozenset(DEFAULT_PORTS)


def listening(table: str, byteorder: str = sys.byteorder) -> tuple[tuple[IPv4Address | IPv6Address, int], ...]:
    """The listening addresses and ports of a ``/proc/net/tcp`` or ``tcp6`` table; unreadable lines are passed over.

    The kernel writes each 32-bit word of an address as a number in the machine's byte order.
    """
    found: list[tuple[IPv4Address | IPv6Address, int]] = []
    for line in table.splitlines():
        fields = line.split()
        if len(fields) < 4 or fields[3] != _LISTEN:
            continue
        host, _, port = fields[1].partition(":")
        try:
            raw = bytes.fromhex(host)
            number = int(port, 16)
        except ValueError:
            continue
        if byteorder == "little":
            raw = b"".join(raw[start : start + 4][::-1] for start in range(0, len(raw), 4))
        if len(raw) == 4:
            found.append((IPv4Address(raw), number))
        elif len(raw) == 16:
            address = IPv6Address(raw)
            found.append((address.ipv4_mapped or address, number))
    return tuple(found)


def judge_exposure(addresses: Sequence[tuple[IPv4Address | IPv6Address, int]], ports: frozenset[int]) -> LinkFinding:
    """Can other machines reach a vpcd port of this one?"""
    open_ports = sorted({port for address, port in addresses if port in ports and not address.is_loopback})
    if open_ports:
        return LinkFinding(
            Link.EXPOSURE,
            LinkVerdict.WARNING,
            Text(
                f"le vpcd du système écoute hors de la machine, ports {open_ports} : n'importe qui peut y mettre "
                "une carte ou prendre la place de la vôtre",
                f"the machine's vpcd listens to the outside, ports {open_ports}: anybody can put a card there or "
                "take the place of yours",
            ),
            Text(
                "Retirez /etc/reader.conf.d/vpcd et relancez le pcscd du système (le banc a le sien, fermé), ou "
                "filtrez ces ports au pare-feu.",
                "Remove /etc/reader.conf.d/vpcd and restart the machine's pcscd (the bench has its own, closed), or "
                "filter these ports.",
            ),
            ", ".join(map(str, open_ports)),
        )
    return good(Link.EXPOSURE, "aucun port vpcd n'est ouvert", "no vpcd port is open to the outside")


def judge_system_pcscd(process_ids: Sequence[int], has_socket: bool) -> LinkFinding:
    """Is a pcscd of the machine running? For information: it is never touched."""
    if process_ids:
        pids = ", ".join(map(str, process_ids))
        return good(
            Link.SYSTEM_PCSCD,
            f"un pcscd du système tourne (processus {pids}) ; le banc n'y touche pas",
            f"a pcscd of the machine runs (process {pids}); the bench does not touch it",
            pids,
        )
    if has_socket:
        return good(
            Link.SYSTEM_PCSCD,
            "le pcscd du système démarrera à la demande ; le banc n'y touche pas",
            "the machine's pcscd will start on demand; the bench does not touch it",
        )
    return good(Link.SYSTEM_PCSCD, "aucun pcscd du système ne tourne", "no pcscd of the machine runs")


def orphan_agents(command_lines: Mapping[int, Sequence[str]], agent: str, alive: Callable[[int], bool]) -> list[int]:
    """The process ids, among ``command_lines``, of agents of ours whose parent (their last argument) is dead."""
    orphans = []
    for pid, words in command_lines.items():
        if agent in words and words[-1].isdecimal() and not alive(int(words[-1])):
            orphans.append(pid)
    return sorted(orphans)


def judge_stale(directories: Sequence[Path], orphans: Sequence[int]) -> LinkFinding:
    """Is anything left of a private pcscd of ours?"""
    if not directories and not orphans:
        return good(Link.STALE, "rien ne reste d'un pcscd privé", "nothing is left of a private pcscd")
    left = ", ".join([*map(str, directories), *(f"process {pid}" for pid in orphans)])
    removal = " && ".join([*(f"rm -r {directory}" for directory in directories), *(f"kill {pid}" for pid in orphans)])
    return LinkFinding(
        Link.STALE,
        LinkVerdict.WARNING,
        Text(f"un banc tué a laissé : {left}", f"a killed bench left: {left}"),
        Text(f"Nettoyez : {removal}", f"Clean up: {removal}"),
        left,
    )
