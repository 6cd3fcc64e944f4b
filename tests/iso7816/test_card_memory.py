from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.iso7816.memory import CardMemory, CardMemoryError, MemoryHeldError, PersistentMemory, SecretState

MEMORIES = st.builds(
    CardMemory,
    st.dictionaries(
        st.text(max_size=5),
        st.builds(SecretState, st.binary(max_size=9), st.integers(0, 15), st.none() | st.integers(0, 99)),
        max_size=3,
    ),
    st.dictionaries(st.text(max_size=9), st.binary(max_size=40), max_size=3),
    st.text(max_size=5),
)
SAMPLE = CardMemory({"pin": SecretState(b"1234", 3, None)}, {"ias:3F00/0001": b"\x01"})


@given(MEMORIES)
def test_json_round_trip(memory: CardMemory) -> None:
    assert CardMemory.from_json(memory.to_json()) == memory


@given(
    st.text(max_size=40)
    | st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda below: st.lists(below) | st.dictionaries(st.text(), below),
    ).map(json.dumps)
)
def test_anything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(CardMemoryError):
        CardMemory.from_json(text)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("tries_left", -1),
        ("tries_left", True),
        ("tries_left", "3"),
        ("tries_left", 1.5),
        ("value", "0g"),
        ("uses_left", []),
    ],
)
def test_a_counter_is_a_count(key: str, value: object) -> None:
    data = json.loads(SAMPLE.to_json())
    data["secrets"]["pin"][key] = value
    with pytest.raises(CardMemoryError):
        CardMemory.from_json(json.dumps(data))


def test_codes_do_not_show_in_a_repr() -> None:
    assert "1234" not in repr(SAMPLE)


def test_a_file_is_private_whole_and_alone(tmp_path: Path) -> None:
    store = PersistentMemory(tmp_path / "card.json")
    assert store.load() is None
    store.save(SAMPLE)
    store.save(SAMPLE.with_secret("pin", SecretState(b"1234", 2, None)))
    assert store.path.stat().st_mode & 0o777 == 0o600
    store.close()
    assert list(tmp_path.iterdir()) == [store.path]
    loaded = PersistentMemory(store.path).load()
    assert loaded is not None
    assert loaded.secrets["pin"].tries_left == 2


def test_a_write_that_fails_leaves_the_former_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PersistentMemory(tmp_path / "card.json")
    store.save(SAMPLE)

    def fail(self: Path, target: object) -> Path:
        raise OSError("no room")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no room"):
        store.save(SAMPLE.with_content("x", b"y"))
    assert store.load() == SAMPLE
    store.close()
    assert list(tmp_path.iterdir()) == [store.path]


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[1]", b'{"format": "other"}'])
def test_a_file_of_something_else_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(CardMemoryError, match=r"card\.json"):
        PersistentMemory(path).load()


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    first, second = PersistentMemory(tmp_path / "card.json"), PersistentMemory(tmp_path / "card.json")
    first.save(SAMPLE)
    with pytest.raises(MemoryHeldError, match="in use"):
        second.load()
    with pytest.raises(MemoryHeldError, match="in use"):
        second.save(SAMPLE)
    first.close()
    assert second.load() == SAMPLE
    with pytest.raises(OSError, match="given back"):
        first.save(SAMPLE.with_content("x", b"y"))


def test_a_holder_that_is_forgotten_holds_no_more(tmp_path: Path) -> None:
    PersistentMemory(tmp_path / "card.json").save(SAMPLE)
    assert PersistentMemory(tmp_path / "card.json").load() == SAMPLE


_KILLED = """
import os, signal, sys
from pathlib import Path
from bifente.simulator.iso7816.memory import CardMemory, PersistentMemory
store = PersistentMemory(Path(sys.argv[1]))
store.save(CardMemory({}))
os.fsync = lambda number: os.kill(os.getpid(), signal.SIGKILL)
store.save(CardMemory({}, {"x": b"y"}))
"""


def test_a_kill_in_the_middle_of_a_write_leaves_the_former_memory_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    assert subprocess.run([sys.executable, "-c", _KILLED, str(path)], check=False).returncode == -9
    assert len(list(tmp_path.iterdir())) > 1
    store = PersistentMemory(path)
    assert store.load() == CardMemory({})
    store.close()
    assert list(tmp_path.iterdir()) == [path]


def test_on_return_file_and_name_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, done, path = PersistentMemory(tmp_path / "card.json"), [], tmp_path / "card.json"

    def synced(number: int) -> None:
        done.append((os.fstat(number).st_ino, path.exists()))

    monkeypatch.setattr(os, "fsync", synced)
    store.save(SAMPLE)
    assert done == [(path.stat().st_ino, False), (tmp_path.stat().st_ino, True)]


@pytest.mark.parametrize("name", ["card.json", ".card.json.lock"])
def test_a_pipe_in_the_place_of_a_file_holds_nobody_up(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    store = PersistentMemory(tmp_path / "card.json")
    with pytest.raises(OSError, match="regular file"):
        store.load()
