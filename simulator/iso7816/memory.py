"""What a card remembers without power: counters, changed codes, rewritten files. The image itself never changes.

A store is told of every change before the card answers, so that cutting the power gives no try back (rule 7 of the
design: a retry counter survives as on a real card when the bench is told to persist it).
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import stat
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from bifente.ground.files import read_file
from bifente.simulator.iso7816.image import CardImage, ElementaryFile

_FORMAT = "card-memory/2"
_MAX_JSON = 8 << 20


class CardMemoryError(ValueError):
    """A stored memory is unreadable or belongs to another card."""


class MemoryHeldError(CardMemoryError):
    """Another card, of this process or of another, has this memory."""


@dataclass(frozen=True, slots=True)
class SecretState:
    """Where one secret stands. ``uses_left`` is None for a secret without limit of use."""

    value: bytes = field(repr=False)
    tries_left: int
    uses_left: int | None


@dataclass(frozen=True, slots=True)
class CardMemory:
    """The non-volatile state of one card: secrets by name, contents of rewritten files by ``volume:path``.

    ``card`` tells whose memory it is (see ``identity``).
    """

    secrets: Mapping[str, SecretState]
    contents: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    card: str = ""

    @classmethod
    def personalised(cls, image: CardImage) -> CardMemory:
        """The memory of a card just out of personalisation."""
        return cls(
            {
                secret.name: SecretState(
                    secret.value,
                    secret.max_tries if secret.tries_left is None else secret.tries_left,
                    secret.max_uses if secret.uses_left is None else secret.uses_left,
                )
                for secret in image.secrets
            },
            card=identity(image),
        )

    def with_secret(self, name: str, state: SecretState) -> CardMemory:
        """The same with one secret in another state."""
        return replace(self, secrets={**self.secrets, name: state})

    def with_content(self, key: str, content: bytes) -> CardMemory:
        """The same with one file's whole body rewritten."""
        return replace(self, contents={**self.contents, key: content})

    def to_json(self) -> str:
        """A JSON text, byte strings in hexadecimal. It holds the codes in clear: laboratory values only."""
        return json.dumps(
            {
                "format": _FORMAT,
                "card": self.card,
                "secrets": {
                    name: {"value": state.value.hex(), "tries_left": state.tries_left, "uses_left": state.uses_left}
                    for name, state in self.secrets.items()
                },
                "contents": {key: content.hex() for key, content in self.contents.items()},
            },
            indent=1,
        )

    @classmethod
    def from_json(cls, text: str) -> CardMemory:
        """Read what ``to_json`` wrote. Raises CardMemoryError for anything else."""
        if len(text) > _MAX_JSON:
            raise CardMemoryError(f"a card memory is at most {_MAX_JSON} characters")
        try:
            data = json.loads(text)
            if data["format"] != _FORMAT:
                raise CardMemoryError(f"the format is {data['format']!r}, not {_FORMAT!r}")
            secrets = {
                str(name): SecretState(
                    bytes.fromhex(state["value"]),
                    _count(state["tries_left"]),
                    None if state["uses_left"] is None else _count(state["uses_left"]),
                )
                for name, state in data["secrets"].items()
            }
            contents = {str(key): bytes.fromhex(content) for key, content in data["contents"].items()}
            card = str(data["card"])
        except CardMemoryError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise CardMemoryError(f"this is no card memory: {error!r}") from error
        return cls(secrets, contents, card)

    def check(self, image: CardImage) -> None:
        """Raises CardMemoryError unless this memory can be that of a card with this image."""
        if self.card != identity(image):
            raise CardMemoryError("this memory is another card's: same serial number perhaps, but not the same keys")
        rules = {secret.name: secret for secret in image.secrets}
        if set(rules) != set(self.secrets):
            raise CardMemoryError(f"secrets {sorted(self.secrets)} stored, the card has {sorted(rules)}")
        for name, state in self.secrets.items():
            rule = rules[name]
            if state.tries_left > rule.max_tries or not rule.min_length <= len(state.value) <= rule.max_length:
                raise CardMemoryError(f"the state stored for {name} does not fit its rule")
            if (state.uses_left is None) != (rule.max_uses is None) or (state.uses_left or 0) > (rule.max_uses or 0):
                raise CardMemoryError(f"the uses left stored for {name} do not fit its rule")
        sizes = dict(_sizes(image))
        for key, content in self.contents.items():
            if sizes.get(key) != len(content):
                raise CardMemoryError(f"{len(content)} bytes stored for {key}, the card has {sizes.get(key)}")


def identity(image: CardImage) -> str:
    """Return what tells one card from another whatever its files and codes have become: its family and its keys."""
    moduli = sorted((key.name, key.private_key.public_key().public_numbers().n) for key in image.keys)
    return hashlib.sha256(repr((image.family, moduli)).encode()).hexdigest()


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise CardMemoryError(f"{value!r} is no count")
    return value


def _sizes(image: CardImage) -> list[tuple[str, int]]:
    found: list[tuple[str, int]] = []
    for volume, tree in image.volumes.items():
        pending = [(f"{volume}:{tree.fid:04X}", tree)]
        while pending:
            key, folder = pending.pop()
            for child in folder.children:
                below = f"{key}/{child.fid:04X}"
                if isinstance(child, ElementaryFile):
                    found.append((below, len(child.content)))
                else:
                    pending.append((below, child))
    return found


class MemoryStore(Protocol):
    """Where a card's memory is kept."""

    def load(self) -> CardMemory | None:
        """What was last saved, None if nothing ever was. Raises CardMemoryError or OSError if it cannot be read."""
        ...

    def save(self, memory: CardMemory) -> None:
        """Keep this from now on; on return it is kept. Raises OSError if it could not be."""
        ...


class VolatileMemory:
    """A store that lives as long as the process. Given to a second card, it continues the first one's life."""

    def __init__(self, memory: CardMemory | None = None) -> None:
        self._memory = memory

    def load(self) -> CardMemory | None:
        """What was last saved."""
        return self._memory

    def save(self, memory: CardMemory) -> None:
        """Keep it."""
        self._memory = memory


class PersistentMemory:
    """A store in one file, readable by its owner only (mode 0600) and always whole: written aside, then renamed.

    One holder at a time: the first ``load`` or ``save`` takes the memory, ``close`` (or the end of the process, however
    it comes) gives it back. Two cards that spend the same tries would give each other's back.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._aside = path.with_name(f".{path.name}.new")
        self._lock = path.with_name(f".{path.name}.lock")
        self._release: weakref.finalize[[int, Path], PersistentMemory] | None = None

    def load(self) -> CardMemory | None:
        """What the file holds; None if there is no file. Raises CardMemoryError if it holds something else.

        Raises MemoryHeldError while another card has this memory.
        """
        self._hold()
        try:
            text = read_file(self.path, _MAX_JSON).decode("utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise CardMemoryError(f"{self.path}: not text") from error
        try:
            return CardMemory.from_json(text)
        except CardMemoryError as error:
            raise CardMemoryError(f"{self.path}: {error}") from error

    def save(self, memory: CardMemory) -> None:
        """Replace the file; on return it is on the disk. Raises OSError, the former file then being untouched.

        Raises MemoryHeldError while another card has this memory, OSError once it was given back.
        """
        self._hold()
        # Created anew with mode 0600; the rename is atomic within one directory. One holder, hence one name: what a
        # kill left behind was removed when the memory was taken.
        handle = os.open(self._aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(memory.to_json())
                stream.flush()
                os.fsync(stream.fileno())
            self._aside.replace(self.path)
        except BaseException:
            self._aside.unlink(missing_ok=True)
            raise
        # The name too must outlive a power cut: it belongs to the directory.
        directory = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def close(self) -> None:
        """Give the memory back: another card may take it. Can be called again."""
        if self._release is not None:
            self._release()

    def _hold(self) -> None:
        if self._release is not None:
            if not self._release.alive:
                raise OSError(errno.EBADF, "this memory was given back", str(self.path))
            return
        self._release = weakref.finalize(self, _give_back, _take(self._lock), self._lock)
        self._aside.unlink(missing_ok=True)


def _take(path: Path) -> int:
    """The descriptor of a lock that is ours. Raises MemoryHeldError, OSError."""
    while True:
        number = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                raise OSError(errno.EINVAL, "is no regular file", str(path))
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(number), path.stat(follow_symlinks=False)):
                    return number
        except BlockingIOError:
            os.close(number)
            raise MemoryHeldError(
                f"{path.parent}: the memory of this card is in use by another bench; stop it, or choose another folder"
            ) from None
        except BaseException:
            os.close(number)
            raise
        os.close(number)  # the former holder removed the file between our opening and our locking


def _give_back(number: int, path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink()
    os.close(number)
