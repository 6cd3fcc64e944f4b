from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.iso7816.memory import CardMemory, CardMemoryError, PersistentMemory, SecretState

MEMORIES = st.builds(
    CardMemory,
    st.dictionaries(
        st.text(max_size=5),
        st.builds(SecretState, st.binary(max_size=9), st.integers(0, 15), st.none() | st.integers(0, 99)),
        max_size=3,
    ),
    st.dictionaries(st.text(max_size=9), st.binary(max_size=40), max_size=3),
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
    assert list(tmp_path.iterdir()) == [store.path]
    assert store.load() == SAMPLE


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b"[1]", b'{"format": "other"}'])
def test_a_file_of_something_else_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(CardMemoryError, match=r"card\.json"):
        PersistentMemory(path).load()
