from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bifente.simulator.pki import keystore
from bifente.simulator.pki.keystore import KeyStore, KeyStoreError, MemoryKeys

SIZE = 1024  # Only to be fast.

posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="no POSIX owners and modes here")


def modulus(key: RSAPrivateKey) -> int:
    return key.public_key().public_numbers().n


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_keys_survive_and_differ_by_name_and_size(folder: Path) -> None:
    first = KeyStore(folder)
    known = modulus(first.key("a", SIZE))
    assert first.key("a", SIZE) is first.key("a", SIZE)
    again = KeyStore(folder)
    assert modulus(again.key("a", SIZE)) == known
    assert modulus(again.key("b", SIZE)) != known
    assert again.key("a", 2048).key_size == 2048
    assert modulus(KeyStore(folder).key("a", SIZE)) == known


def test_memory_keys_leave_nothing_behind() -> None:
    keys = MemoryKeys()
    assert keys.key("a", SIZE) is keys.key("a", SIZE)
    assert modulus(MemoryKeys().key("a", SIZE)) != modulus(keys.key("a", SIZE))


@posix
def test_file_and_folder_are_private(folder: Path) -> None:
    old = os.umask(0)
    try:
        store = KeyStore(folder)
        store.key("a", SIZE)
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600]


def test_folder_by_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(keystore.ENVIRONMENT, str(folder))
    assert KeyStore().folder == folder
    monkeypatch.delenv(keystore.ENVIRONMENT)
    assert KeyStore().folder.name == "keys"
    assert not folder.exists(), "nothing is touched before the first key"


@posix
def test_a_user_without_a_home_of_their_own_has_keys_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    temporary.mkdir()
    home.write_text("no folder can be made under a file")
    monkeypatch.delenv(keystore.ENVIRONMENT, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    known = modulus(KeyStore().key("a", SIZE))
    (made,) = temporary.iterdir()
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert modulus(KeyStore().key("a", SIZE)) == known
    made.chmod(0o755)
    with pytest.raises(KeyStoreError, match="other users can reach it"):
        KeyStore().key("a", SIZE)
    home.unlink()
    assert KeyStore().folder == home / "cache/bifente/keys", "a home that can be written is where they go"


@posix
def test_a_store_is_checked_before_its_first_key(folder: Path, tmp_path: Path) -> None:
    KeyStore(folder).check()
    folder.chmod(0o750)
    with pytest.raises(KeyStoreError, match="chmod 700"):
        KeyStore(folder).check()


@posix
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_others_can_reach_is_refused_with_the_cure(folder: Path, mode: int) -> None:
    store = KeyStore(folder)
    store.key("a", SIZE)
    store.file.chmod(mode)
    with pytest.raises(KeyStoreError, match="chmod 600"):
        KeyStore(folder).key("a", SIZE)
    store.file.chmod(0o600)
    KeyStore(folder).key("a", SIZE)


@posix
@pytest.mark.parametrize("mode", [0o750, 0o705, 0o777])
def test_a_folder_others_can_reach_is_refused_with_the_cure(folder: Path, mode: int) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(KeyStoreError, match="chmod 700"):
        KeyStore(folder).key("a", SIZE)


@posix
def test_another_user_s_store_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    KeyStore(folder).key("a", SIZE)
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    with pytest.raises(KeyStoreError, match=f"belongs to user {me}, not to you; .*--keys or {keystore.ENVIRONMENT}"):
        KeyStore(folder).key("a", SIZE)


@posix
def test_a_link_is_refused(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"")
    elsewhere.chmod(0o600)
    folder.mkdir(mode=0o700)
    (folder / "keys.sqlite").symlink_to(elsewhere)
    with pytest.raises(KeyStoreError, match="not a plain file"):
        KeyStore(folder).key("a", SIZE)


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(KeyStoreError, match=rf"cannot be created or read .*--keys or {keystore.ENVIRONMENT}"):
        KeyStore(tmp_path / "file" / "keys").key("a", SIZE)


@pytest.mark.parametrize("damage", [lambda data: b"x" * len(data), lambda data: data[: len(data) // 2]])
def test_a_damaged_file_is_one_error_with_the_cure(folder: Path, damage: object) -> None:
    store = KeyStore(folder)
    store.key("a", SIZE)
    store.file.write_bytes(damage(store.file.read_bytes()))  # type: ignore[operator]
    with pytest.raises(KeyStoreError, match=r"is damaged .*delete this file"):
        KeyStore(folder).key("a", SIZE)
    store.file.unlink()
    KeyStore(folder).key("a", SIZE)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE key SET pkcs8 = substr(pkcs8, 1, 200)",
        "UPDATE key SET pkcs8 = 'text'",
        "UPDATE key SET sha256 = x'00'",
        "DROP TABLE key; CREATE TABLE key (other TEXT)",
    ],
)
def test_a_damaged_line_is_one_error_with_the_cure(folder: Path, statement: str) -> None:
    store = KeyStore(folder)
    store.key("a", SIZE)
    with sqlite3.connect(store.file) as connection:
        connection.executescript(statement)
    with pytest.raises(KeyStoreError, match=r"is damaged .*delete this file"):
        KeyStore(folder).key("a", SIZE)


def test_a_key_of_another_size_is_damage(folder: Path) -> None:
    store = KeyStore(folder)
    store.key("a", SIZE)
    with sqlite3.connect(store.file) as connection:
        connection.execute("UPDATE key SET size = 2048")
    with pytest.raises(KeyStoreError, match="not an RSA key of 2048 bits"):
        KeyStore(folder).key("a", 2048)


def test_a_store_held_by_another_process_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = KeyStore(folder)
    store.key("a", SIZE)
    monkeypatch.setattr(keystore, "_WAIT_SECONDS", 0.01)
    holder = sqlite3.connect(store.file, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(KeyStoreError, match=r"locked.*end the process that holds it"):
            KeyStore(folder).key("b", SIZE)
    finally:
        holder.close()


def _race(folder: Path, barrier: object, answers: object) -> None:
    store = KeyStore(folder)
    barrier.wait()  # type: ignore[attr-defined]
    answers.put([modulus(store.key(f"card/{number}", SIZE)) for number in range(5)])  # type: ignore[attr-defined]


def test_four_processes_that_race_get_the_same_keys(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(4), context.Queue()
    processes = [context.Process(target=_race, args=(folder, barrier, answers)) for _ in range(4)]
    for process in processes:
        process.start()
    results = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0
    assert all(result == results[0] for result in results)
    assert len(set(results[0])) == 5
    kept = KeyStore(folder)
    assert [modulus(kept.key(f"card/{number}", SIZE)) for number in range(5)] == results[0]
