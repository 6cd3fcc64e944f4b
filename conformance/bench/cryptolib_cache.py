"""The cache of the ANS Cryptolib CPS, which trusts the serial number of a card alone.

A card of the same serial with other keys is served its predecessor's certificates from there: signatures that do not
verify, and no error. What is found here is told before anybody looks for it elsewhere.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher

from bifente.ground.text import Text
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.cards.files import volumes

try:
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:  # older releases of the library have it among the others
    from cryptography.hazmat.primitives.ciphers.modes import CFB

_FOLDERS: Mapping[str, str] = {
    "linux": "/etc/opt/santesocial/CPS/cache",
    "darwin": "/Library/Caches/santesocial/CPS",
    "win32": "C:/ProgramData/santesocial/cps/cache",
}
_DRIVERS = (b"cps3", b"cps4")
_DIGEST = 32
_MOST = 1_000
"""Most files looked at: a folder of thousands of cards is no laboratory's."""
_LARGEST = 65_536


def folder() -> Path | None:
    """Return where the module keeps its cache on this system, if it has one."""
    name = _FOLDERS.get(sys.platform)
    return Path(name) if name is not None and Path(name).is_dir() else None


def cached_serials(cache: Path) -> frozenset[str]:
    """Return the serial numbers of the cards that a cache speaks of."""
    return frozenset(path.name.partition("_")[0] for path in _files(cache, "*_*"))


def stale_files(card: PersonalisedCard, cache: Path) -> tuple[Path, ...]:
    """Return the cached files that the module takes for this card's, and that are another's."""
    contents: dict[str, list[bytes]] = {}
    for place, content in volumes(card.image).items():
        contents.setdefault(Path(place).name[:4].upper(), []).append(content)
    return tuple(
        path
        for path in _files(cache, f"{card.serial}_*")
        if (data := _data(path, str(card.serial))) is not None
        and not any(_same(data, content) for content in contents.get(path.name[-4:].upper(), ()))
    )


def warnings(cards: Iterable[object], cache: Path | None = None) -> Iterator[Text]:
    """Yield, for each card whose cached files are another's, what that does and how to clear it."""
    cache = cache or folder()
    if cache is None:
        return
    for card in cards:
        if isinstance(card, PersonalisedCard) and (stale := stale_files(card, cache)):
            clear = f"rm {cache}/{card.serial}_*"
            yield Text(
                f"la Cryptolib garde d'une autre carte de même numéro de série {card.serial} {len(stale)} fichier(s) : "
                f"elle servira ses anciens certificats, et les signatures ne se vérifieront pas ; vider : {clear}",
                f"the Cryptolib keeps {len(stale)} file(s) of another card of the same serial number {card.serial}: it "
                f"will serve that one's certificates, and signatures will not verify; clear them: {clear}",
            )


def _files(cache: Path, pattern: str) -> Iterator[Path]:
    try:
        found = sorted(cache.glob(pattern))[:_MOST]
    except OSError:
        return
    for path in found:
        # SERIAL_s_PATH is what the module keeps of a file's header, SERIAL_PATH what it holds.
        if path.is_file() and "_s_" not in path.name:
            yield path


def _data(path: Path, serial: str) -> bytes | None:
    """What a cached file holds; None for one that the module itself would not trust."""
    key = bytes(byte if byte.bit_count() % 2 else byte ^ 1 for byte in hashlib.sha256(serial.encode()).digest()[:8])
    try:
        raw = path.read_bytes()[:_LARGEST]
    except OSError:
        return None
    decryptor = Cipher(TripleDES(key * 3), CFB(key)).decryptor()
    plain = decryptor.update(raw) + decryptor.finalize()
    for driver in _DRIVERS:
        _name, found, rest = plain.partition(path.name.encode() + driver)
        if found:
            digest, data = rest[:_DIGEST], rest[_DIGEST:]
            return data if hashlib.sha256(data).digest() == digest else None
    return None


def _same(data: bytes, content: bytes) -> bool:
    """Whether one is the beginning of the other: the module keeps as much of a file as it read."""
    short, long = sorted((data, content), key=len)
    return long.startswith(short)
