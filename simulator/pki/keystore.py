"""Private keys kept between runs: generating RSA keys is what makes a card slow to personalise.

The keys are laboratory keys, yet they are private keys: one file, in a folder, that only their user may read. Two
processes that want the same new key both generate one, and the first to write it wins for both.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import platformdirs
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

#: Names the folder of the keys instead of the user's cache folder.
ENVIRONMENT = "BIFENTE_KEYS"

_FILE = "keys.sqlite"
# The fingerprint tells a damaged line from a good one; it replaces the arithmetic check of every RSA key at every
# load, which costs tens of milliseconds a key and would find nothing else in a file nobody but its user can write.
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS key (name TEXT NOT NULL, size INTEGER NOT NULL, pkcs8 BLOB NOT NULL, "
    "sha256 BLOB NOT NULL, PRIMARY KEY (name, size))"
)
_WAIT_SECONDS = 30.0


class KeyStoreError(Exception):
    """The key store cannot be used; the text is one sentence and the cure."""


class KeySource(Protocol):
    """Where private keys come from."""

    def key(self, name: str, size: int = 2048) -> rsa.RSAPrivateKey:
        """The key of this name and modulus length in bits: always the same one."""
        ...


class MemoryKeys:
    """Keys that live as long as this object: for a run that must leave nothing behind."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, int], rsa.RSAPrivateKey] = {}

    def key(self, name: str, size: int = 2048) -> rsa.RSAPrivateKey:
        """The key of this name and size, generated at the first call."""
        found = self._keys.get((name, size))
        if found is None:
            found = self._keys.setdefault((name, size), generate(size))
        return found


@dataclass(frozen=True, slots=True)
class OtherKeys:
    """The keys of somebody else in the same store: an authority that only bears the name of ours."""

    keys: KeySource
    owner: str

    def key(self, name: str, size: int = 2048) -> rsa.RSAPrivateKey:
        """The key of this name, never one of ours."""
        return self.keys.key(f"{self.owner}/{name}", size)


class KeyStore:
    """Keys in one private file, kept between runs and shared by concurrent processes.

    ``folder`` defaults to ``default_folder()``. Nothing is touched before
    the first key is asked for. An instance holds no open file, so it survives a fork.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder if folder is not None else default_folder()
        self._loaded: dict[tuple[str, int], rsa.RSAPrivateKey] = {}

    @property
    def file(self) -> Path:
        """The file that holds the keys."""
        return self.folder / _FILE

    def check(self) -> None:
        """Raise KeyStoreError, with the place and the cure, unless keys can be read and kept here."""
        with self._connection():
            pass

    def key(self, name: str, size: int = 2048) -> rsa.RSAPrivateKey:
        """The key of this name and modulus length in bits; generated and kept if there is none yet.

        Raises KeyStoreError if the store is not private to this user, unreadable, or damaged.
        """
        found = self._loaded.get((name, size))
        if found is None:
            blob = self._read(name, size) or self._write(name, size, _serialise(generate(size)))
            found = self._loaded.setdefault((name, size), self._parse(name, size, blob))
        return found

    def _read(self, name: str, size: int) -> tuple[bytes, bytes] | None:
        with self._connection() as connection:
            return _select(connection, name, size)

    def _write(self, name: str, size: int, pkcs8: bytes) -> tuple[bytes, bytes]:
        """Keep a new key unless another process was first; what is in the file afterwards is the key."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "INSERT OR IGNORE INTO key VALUES (?, ?, ?, ?)", (name, size, pkcs8, hashlib.sha256(pkcs8).digest())
            )
            kept = _select(connection, name, size)
            connection.execute("COMMIT")
        if kept is None:
            raise KeyStoreError(f"{self.file} does not keep what is written to it; delete it and start again")
        return kept

    def _parse(self, name: str, size: int, row: tuple[bytes, bytes]) -> rsa.RSAPrivateKey:
        pkcs8, fingerprint = row
        if not isinstance(pkcs8, bytes) or hashlib.sha256(pkcs8).digest() != fingerprint:
            raise self._damaged(f"the key {name} does not match its fingerprint")
        try:
            key = serialization.load_der_private_key(pkcs8, None, unsafe_skip_rsa_key_validation=True)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise self._damaged(f"the key {name} cannot be read") from error
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size != size:
            raise self._damaged(f"the key {name} is not an RSA key of {size} bits")
        return key

    def _damaged(self, what: str) -> KeyStoreError:
        return KeyStoreError(
            f"the key store {self.file} is damaged ({what}); delete this file: new keys will be made, "
            "and every laboratory certificate will change"
        )

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection to a file that was just checked to be private; closed at the end, its errors in words."""
        try:
            self._make_private()
        except OSError as error:
            raise KeyStoreError(
                f"the key store {self.file} cannot be created or read ({error.strerror}); "
                f"choose a folder of yours with --keys or {ENVIRONMENT}"
            ) from error
        try:
            connection = sqlite3.connect(self.file, timeout=_WAIT_SECONDS, isolation_level=None)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        try:
            connection.execute(_SCHEMA)
            yield connection
        except sqlite3.Error as error:
            raise self._failed(error) from error
        finally:
            connection.close()

    def _failed(self, error: sqlite3.Error) -> KeyStoreError:
        # OperationalError is about the place (locked, disk full, read-only) except when the table has other columns;
        # the rest is about what is in the file.
        if isinstance(error, sqlite3.OperationalError) and "column" not in str(error):
            return KeyStoreError(
                f"the key store {self.file} cannot be used ({error}); end the process that holds it, free some disk "
                f"space, or choose another folder with --keys or {ENVIRONMENT}"
            )
        return self._damaged(str(error))

    def _make_private(self) -> None:
        """Create what is missing; refuse what others could read or replace. Raises OSError or KeyStoreError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _refuse_shared(self.folder, stat.S_ISDIR, "a folder", "700")
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self.file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        _refuse_shared(self.file, stat.S_ISREG, "a plain file", "600")


def default_folder() -> Path:
    """``$BIFENTE_KEYS`` if set, else ``keys`` in this user's cache folder.

    Where nothing can be written there (a container whose user has no home of its own), a folder of this user in the
    machine's temporary folder.
    """
    if named := os.environ.get(ENVIRONMENT):
        return Path(named)
    folder = Path(platformdirs.user_cache_dir("bifente")) / "keys"
    if _can_be_made(folder) or not hasattr(os, "getuid"):
        return folder
    return Path(tempfile.gettempdir()) / f"bifente-keys-{os.getuid()}"


def _can_be_made(folder: Path) -> bool:
    # os.path, not pathlib: what stands behind a closed folder is for us as if it did not exist.
    if os.path.exists(folder / _FILE):  # noqa: PTH110
        return True
    nearest = next(path for path in (folder, *folder.parents) if os.path.exists(path))  # noqa: PTH110
    return nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)


def generate(size: int) -> rsa.RSAPrivateKey:
    """A new RSA key, exponent 65537."""
    return rsa.generate_private_key(public_exponent=65537, key_size=size)


def _serialise(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _select(connection: sqlite3.Connection, name: str, size: int) -> tuple[bytes, bytes] | None:
    query = "SELECT pkcs8, sha256 FROM key WHERE name = ? AND size = ?"
    row: tuple[bytes, bytes] | None = connection.execute(query, (name, size)).fetchone()
    return row


def _refuse_shared(path: Path, expected: Callable[[int], bool], what: str, mode: str) -> None:
    """Raise KeyStoreError unless ``path`` itself (not what a link leads to) is ``what`` and only this user's."""
    status = path.lstat()
    if not expected(status.st_mode):
        raise KeyStoreError(f"{path} is not {what}; remove it or choose another folder with --keys or {ENVIRONMENT}")
    if not hasattr(os, "getuid"):
        return  # No POSIX owners and modes: the user's own profile folder is what protects the keys.
    if status.st_uid != os.getuid():
        raise KeyStoreError(
            f"{path} belongs to user {status.st_uid}, not to you; choose a folder of yours with --keys or {ENVIRONMENT}"
        )
    if status.st_mode & 0o077:
        raise KeyStoreError(f"{path} holds private keys and other users can reach it; run: chmod {mode} '{path}'")
