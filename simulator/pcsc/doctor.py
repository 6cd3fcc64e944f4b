"""Tests each link between a virtual card and a PC/SC client, in order, and says which broke and the cure.

Findings stream: each is given as soon as its link is tested. A link whose prerequisite broke is skipped, and says so.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from bifente.ground.clock import WallClock
from bifente.ground.text import Text
from bifente.simulator.pcsc import detectors
from bifente.simulator.pcsc.detectors import LinkFinding, LinkVerdict, broken, good, skipped
from bifente.simulator.pcsc.discovery import (
    Installation,
    Pcscd,
    driver_directories,
    driver_version,
    find_driver,
    find_pcscd,
)
from bifente.simulator.pcsc.echo import ECHO_ATR, EchoCard
from bifente.simulator.pcsc.errors import CURES, Link, PcscdError
from bifente.simulator.pcsc.own.service import OwnPcsc
from bifente.simulator.pcsc.private_pcscd import AGENT, PrivatePcscd, stale_run_directories, try_namespaces
from bifente.simulator.pcsc.readerconf import FIRST_PORT, SystemEntry, parse
from bifente.simulator.pcsc.services import ServiceKind
from bifente.simulator.pcsc.vpcd import connect
from bifente.simulator.readers import Reader

__all__ = ["LinkFinding", "LinkVerdict", "ServiceKind", "diagnose", "usable"]

READER_CONF = Path("/etc/reader.conf.d")
SYSTEM_SOCKET = Path("/run/pcscd/pcscd.comm")

_PROBE = Path(__file__).with_name("probe.py")
_READER = "Bifente Doctor"
_COMMAND = bytes.fromhex("00DA000003010203")
_ANSWER = bytes.fromhex("0102039000")
_EXCHANGES = 50
_PATIENCE = 20.0

_NAMESPACES = (Link.USER_NAMESPACE, Link.MOUNT_NAMESPACE, Link.NETWORK_NAMESPACE)
_CHAIN = (Link.READER_LISTED, Link.PORT, Link.CARD_CONNECTED)
_CLIENT = (Link.POLL, Link.ATR, Link.APDU, Link.LATENCY)


def diagnose(service: ServiceKind = ServiceKind.PCSCD) -> Iterator[LinkFinding]:
    """Test every link of one service on this machine, about one second in all; never raises for what it finds."""
    yield from _own() if service is ServiceKind.OWN else _pcscd()


def _own() -> Iterator[LinkFinding]:
    pyscard = _pyscard()
    yield pyscard
    reader = Reader.of(_READER, [f"{_READER} 00 00", f"{_READER} 00 01"], WallClock())
    reader.slots[0].insert(EchoCard())
    try:
        own = OwnPcsc.start([reader])
    except PcscdError as error:
        yield broken(error)
        yield from (skipped(link, error.link) for link in _CLIENT)
        return
    with own:
        yield good(
            Link.OWN_SERVICE,
            "le service PC/SC du banc démarre, sans droit ni espace de noms",
            "the bench's own PC/SC service starts, without rights or namespaces",
            f"process {own.pid}",
        )
        if pyscard.verdict is LinkVerdict.OK:
            yield from probe(own.environment, own.reader_names[0])
        else:
            yield from (skipped(link, Link.PYSCARD) for link in _CLIENT)


def usable(findings: Iterable[LinkFinding]) -> bool:
    """Whether a service works here: no link failed."""
    return not any(finding.verdict is LinkVerdict.FAILED for finding in findings)


def _pcscd() -> Iterator[LinkFinding]:
    blocked: Link | None = None
    installation: Installation | None = None
    for finding in _installed():
        if isinstance(finding, Installation):
            installation = finding
            continue
        yield finding
        if finding.verdict is LinkVerdict.FAILED:
            blocked = blocked or finding.link
    pyscard = _pyscard()
    yield pyscard
    refused = try_namespaces()
    yield from _namespaces(refused)
    blocked = blocked or (refused.link if refused is not None else None)
    if blocked is not None or installation is None:
        because = blocked or Link.PCSCD_BINARY
        yield from (skipped(link, because) for link in (Link.PRIVATE_PCSCD, *_CHAIN, *_CLIENT))
    else:
        yield from _chain(installation, pyscard.verdict is LinkVerdict.OK)
    yield from machine()


def machine(reader_conf: Path = READER_CONF, proc: Path = Path("/proc")) -> Iterator[LinkFinding]:
    """The links that are not ours: the machine's own readers and pcscd, and what a killed bench may have left."""
    entries = _system_entries(reader_conf)
    yield detectors.judge_shared_drivers(entries)
    tables = [_read(proc / "net" / name) for name in ("tcp", "tcp6")]
    addresses = [address for table in tables for address in detectors.listening(table)]
    yield detectors.judge_exposure(addresses, detectors.vpcd_ports(entries))
    yield detectors.judge_system_pcscd(_system_pcscd(proc), SYSTEM_SOCKET.exists())
    command_lines = {pid: _read(proc / str(pid) / "cmdline").rstrip("\0").split("\0") for pid in _process_ids(proc)}
    orphans = detectors.orphan_agents(command_lines, str(AGENT), lambda pid: (proc / str(pid)).exists())
    yield detectors.judge_stale(stale_run_directories(), orphans)


def _installed() -> Iterator[LinkFinding | Installation]:
    pcscd: Pcscd | None = None
    try:
        pcscd = find_pcscd()
        yield good(Link.PCSCD_BINARY, f"pcscd trouvé : {pcscd.path}", f"pcscd found: {pcscd.path}", pcscd.version)
    except PcscdError as error:
        yield broken(error)
    directories = driver_directories(pcscd or Pcscd(Path(), "", frozenset(), Path(), Path()))
    try:
        driver = find_driver(directories)
        version = driver_version(driver)
        yield good(Link.VPCD_DRIVER, f"pilote vpcd trouvé : {driver}", f"vpcd driver found: {driver}", version)
        if pcscd is not None:
            yield Installation(pcscd, driver)
    except PcscdError as error:
        yield broken(error)


def _pyscard() -> LinkFinding:
    try:
        importlib.import_module("smartcard.scard")
    except ImportError as error:
        return LinkFinding(
            Link.PYSCARD,
            LinkVerdict.FAILED,
            Text(f"pyscard ne se charge pas : {error}", f"pyscard does not load: {error}"),
            CURES[Link.PYSCARD],
        )
    try:
        version = metadata.version("pyscard")
    except metadata.PackageNotFoundError:
        version = None  # a distribution's package may come without its metadata
    return good(Link.PYSCARD, "pyscard se charge", "pyscard loads", version)


def _namespaces(refused: PcscdError | None) -> Iterator[LinkFinding]:
    words = {
        Link.USER_NAMESPACE: ("utilisateur", "user"),
        Link.MOUNT_NAMESPACE: ("montages", "mount"),
        Link.NETWORK_NAMESPACE: ("réseau", "network"),
    }
    over = False
    for link in _NAMESPACES:
        fr, en = words[link]
        if refused is not None and (refused.link is link or over):
            yield skipped(link, refused.link) if over else broken(refused)
            over = True
        elif link is Link.USER_NAMESPACE and os.geteuid() == 0:
            yield good(link, "espace de noms utilisateur inutile en root", "user namespace not needed as root")
        else:
            yield good(link, f"espace de noms disponible : {fr}", f"namespace available: {en}")


def _chain(installation: Installation, with_client: bool) -> Iterator[LinkFinding]:
    reader = Reader.of(_READER, ["echo", "empty"], WallClock())
    try:
        pcscd = PrivatePcscd.start([reader], installation=installation)
    except PcscdError as error:
        yield broken(error)
        if error.link is not Link.PRIVATE_PCSCD:
            yield skipped(Link.PRIVATE_PCSCD, error.link)
        left = [link for link in (*_CHAIN, *_CLIENT) if link is not error.link]
        yield from (skipped(link, error.link) for link in left)
        return
    with pcscd:
        yield good(Link.PRIVATE_PCSCD, "un pcscd privé démarre", "a private pcscd starts", f"agent {pcscd.pid}")
        yield detectors.judge_listed([f"{_READER} 00 00", f"{_READER} 00 01"], pcscd.reader_names)
        port = _port(pcscd)
        yield port
        reader.slots[0].insert(EchoCard())
        joined = _card_connected(pcscd)
        yield joined
        if joined.verdict is LinkVerdict.FAILED or not with_client:
            because = Link.PYSCARD if joined.verdict is LinkVerdict.OK else Link.CARD_CONNECTED
            yield from (skipped(link, because) for link in _CLIENT)
        else:
            yield from probe(pcscd.environment, pcscd.reader_names[0])


def _port(pcscd: PrivatePcscd) -> LinkFinding:
    try:
        connect(pcscd.open_socket(), FIRST_PORT + 1, timeout=1.0).close()
    except (OSError, PcscdError) as error:
        return broken(PcscdError(Link.PORT, str(error)))
    return good(Link.PORT, "le port du lecteur répond", "the reader's port answers", f"127.0.0.1:{FIRST_PORT + 1}")


def _card_connected(pcscd: PrivatePcscd) -> LinkFinding:
    if not pcscd.bridges[0].wait_connected(2.0):
        detail = "; ".join(str(defect.error) for defect in pcscd.defects) or "no connection"
        return broken(PcscdError(Link.CARD_CONNECTED, detail, log=pcscd.log))
    return good(Link.CARD_CONNECTED, "la carte écho est reliée", "the echo card is connected")


def probe(environment: dict[str, str], reader: str, exchanges: int = _EXCHANGES) -> Iterator[LinkFinding]:
    """What a PC/SC client of its own sees of the echo card in ``reader``: poll, ATR, APDU, latency."""
    command = [sys.executable, "-P", str(_PROBE), reader, _COMMAND.hex(), str(exchanges)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=False,
            env={**os.environ, **environment},
        )
        said: dict[str, object] = {}
        for line in done.stdout.splitlines():
            said.update(json.loads(line))
        trouble = str(said.get("detail", done.stderr.decode(errors="replace").strip()))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        said, trouble = {}, str(error)
    yield from judge_probe(said, trouble)


def judge_probe(said: dict[str, object], trouble: str) -> Iterator[LinkFinding]:
    """Turn what the client said into findings; the first thing it did not say is the link that broke."""
    over: Link | None = None
    for link, key in zip(_CLIENT, ("poll", "atr", "response", "seconds"), strict=True):
        value = said.get(key)
        if over is not None:
            yield skipped(link, over)
        elif value is None:
            over = link
            yield broken(PcscdError(link, trouble or "no answer"))
        elif isinstance(value, float):
            yield detectors.judge_poll(value)
        elif isinstance(value, list):
            yield detectors.judge_latency(value)
        elif link is Link.ATR:
            yield detectors.judge_atr(ECHO_ATR, bytes.fromhex(str(value)))
        else:
            yield detectors.judge_apdu(_ANSWER, bytes.fromhex(str(value)))


def _system_entries(reader_conf: Path) -> tuple[SystemEntry, ...]:
    files = sorted(path for path in reader_conf.glob("*") if path.is_file() and not path.name.startswith("."))
    return tuple(entry for path in files for entry in parse(_read(path), str(path)))


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _process_ids(proc: Path) -> list[int]:
    return sorted(int(path.name) for path in proc.glob("[0-9]*") if path.name.isdecimal())


def _system_pcscd(proc: Path) -> list[int]:
    """The processes named pcscd that see the same files as we do; one whose namespace is hidden counts as such."""
    ours = (proc / "self/ns/mnt").readlink()
    found = []
    for pid in _process_ids(proc):
        if _read(proc / str(pid) / "comm").strip() != "pcscd":
            continue
        try:
            theirs = (proc / str(pid) / "ns/mnt").readlink()
        except PermissionError:
            theirs = ours
        except OSError:
            continue
        if theirs == ours:
            found.append(pid)
    return found
