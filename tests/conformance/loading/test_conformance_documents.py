from __future__ import annotations

import os
import string
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import bifente.conformance.loading.document as document_module
from bifente.conformance.loading import InputError, load_document
from bifente.conformance.loading.document import MAX_BYTES, MAX_DEPTH, parse_document

quick = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def read(folder: Path, content: str | bytes) -> Any:
    path = folder / "file.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_document(path).data


def outcome(folder: Path, content: str | bytes) -> object:
    """The data, or the error instead of raising it."""
    try:
        return read(folder, content)
    except InputError as error:
        return error


def refusal(folder: Path, content: str | bytes) -> str:
    with pytest.raises(InputError) as raised:
        read(folder, content)
    (problem,) = raised.value.problems
    assert problem.file == str(folder / "file.yaml")
    return str(problem).removeprefix(problem.file)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", ": is empty"),
        (b"# only words\n", ": is empty"),
        (b"a: \xff\n", ": is not UTF-8 text (byte 3) (save the file as UTF-8)"),
        ("a: 1\n".encode("utf-16"), ": is not UTF-8 text (byte 0) (save the file as UTF-8)"),
        ("é: 1\nb: é\x01\n", ":2:5: holds the character U+0001, which YAML does not allow (remove it)"),
        ("a: 1\nb: 2\na: 3\n", ":3:1: the key 'a' stands twice (keep one)"),
        ("a:\n  - {b: 1, b: 2}\n", ":2:12: the key 'b' stands twice (keep one)"),
        ("? [a]\n: 1\n", ":1:3: a key must be a plain word"),
        ("a: 1\n---\nb: 2\n", ":2:1: holds a second document (remove the line ---)"),
        ("a: *b\n", ":1:4: the alias *b names nothing written before it"),
        ("a: &a [*a]\n", ":1:8: the alias *a names nothing written before it"),
        ("a:\n\tb: 1\n", ":2:1: is not valid YAML: a tab stands where only spaces may (indent with spaces)"),
        ("[" * 200, f":1:{MAX_DEPTH + 2}: is nested deeper than {MAX_DEPTH} levels"),
        ("[" * 500_000, f":1:{MAX_DEPTH + 2}: is nested deeper than {MAX_DEPTH} levels"),
        (b"\x00", ":1:1: holds the character U+0000, which YAML does not allow (remove it)"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(tmp_path: Path, content: str | bytes, said: str) -> None:
    assert refusal(tmp_path, content) == said


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("a: 1\n b: 2\n", ":2:3"),
        ("a:\n  - 1\n - 2\n", ":3:2"),
        (" a: 1\nb: 2\n", ":2:1"),
        ("a: b: c\n", ":1:5"),
        ("a: [1,\nb: 2]]\n", ":2:6"),
        ('a: "open\n', ":2:1"),
    ],
)
def test_wrong_structure_is_shown_where_it_stands_with_a_cure(tmp_path: Path, content: str, place: str) -> None:
    said = refusal(tmp_path, content)
    assert said.startswith(f"{place}: is not valid YAML: ")
    assert "check the indentation" in said


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['true']",
        "!!python/object:os.PathLike {a: 1}",
        "!!python/name:os.system ''",
        "!!binary aGVsbG8=",
        "!!str 9000",
        "!!set {a}",
        "!mine 1",
    ],
)
def test_tags_are_refused_on_scalars_lists_and_mappings_alike(tmp_path: Path, value: str) -> None:
    said = refusal(tmp_path, f"x: 1\na: {value}\n")
    assert said.startswith(":2:4: the tag '")
    assert said.endswith("is not allowed (write the plain value, in quotes if it is text)")


def test_a_missing_file_suggests_the_near_one(tmp_path: Path) -> None:
    (tmp_path / "code-porteur.yaml").write_text("a: 1")
    with pytest.raises(InputError) as raised:
        load_document(tmp_path / "code-porter.yaml")
    assert str(raised.value) == f"{tmp_path}/code-porter.yaml: no such file (did you mean 'code-porteur.yaml'?)"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file \(the folder .*/nowhere does not exist either\)"):
        load_document(tmp_path / "nowhere" / "a.yaml")


def test_a_folder_and_a_name_with_a_zero_byte_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        load_document(tmp_path)
    with pytest.raises(InputError, match="cannot be read: embedded null byte"):
        load_document(tmp_path / "a\0b.yaml")


def test_size_is_bounded_to_the_byte(tmp_path: Path) -> None:
    assert read(tmp_path, b"a: '" + b"x" * (MAX_BYTES - 5) + b"'") == {"a": "x" * (MAX_BYTES - 5)}
    assert "is larger than 2048 KiB" in refusal(tmp_path, b"a: '" + b"x" * (MAX_BYTES - 4) + b"'")


def test_depth_is_bounded_to_the_level(tmp_path: Path) -> None:
    assert read(tmp_path, "[" * MAX_DEPTH + "1" + "]" * MAX_DEPTH)
    assert "nested deeper" in refusal(tmp_path, "[" * (MAX_DEPTH + 1) + "1" + "]" * (MAX_DEPTH + 1))


def test_aliases_give_the_value_and_stand_where_they_are_used(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: &x {code: 0000}\nb:\n  - *x\n")
    found = load_document(path)
    assert found.data == {"a": {"code": "0000"}, "b": [{"code": "0000"}]}
    assert found.place(("b", 0)) == (3, 5)


def test_an_alias_bomb_is_stopped(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert "holds more than 200000 values" in refusal(tmp_path, "\n".join(lines))


def test_aliases_cannot_nest_deeper_than_written_values(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 60)]
    assert "nested deeper" in refusal(tmp_path, "\n".join(lines))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0000", "0000"),
        ("0102", "0102"),
        ("63C2", "63C2"),
        ("6E10", "6E10"),
        ("9000", 9000),
        ("0", 0),
        ("-5", -5),
        ("-0", "-0"),
        ("+5", "+5"),
        ("0x12", "0x12"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("1.10", "1.10"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("12:30", "12:30"),
        ("9" * 18, int("9" * 18)),
        ("9" * 19, "9" * 19),
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("null", None),
        ("~", None),
        ("", None),
        ("2024-01-01", "2024-01-01"),
        ("2024-01-01 10:00:00", "2024-01-01 10:00:00"),
        ("'9000'", "9000"),
        ('"true"', "true"),
        ("''", ""),
        ("|\n  9000", "9000"),
        (">-\n  true", "true"),
        ("=", "="),
    ],
)
@pytest.mark.parametrize("pure_python", [False, True])
def test_a_scalar_means_what_it_looks_like(
    tmp_path: Path, written: str, meant: object, pure_python: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if pure_python:
        monkeypatch.setattr(document_module, "_PARSER", yaml.SafeLoader)
    found = read(tmp_path, f"a: {written}")["a"]
    assert found == meant
    assert type(found) is type(meant)


def test_keys_are_always_text(tmp_path: Path) -> None:
    assert read(tmp_path, "1: a\ntrue: b\n0x2: c\n<<: d\n") == {"1": "a", "true": "b", "0x2": "c", "<<": "d"}


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    assert read(tmp_path, b"\xef\xbb\xbfa: 1") == {"a": 1}


def test_the_place_of_a_part_is_its_key_or_the_nearest_known_around_it(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("top:\n  - one: 1\n    two: {deep: 3}\n  - four\n")
    found = load_document(path)
    assert found.place(()) == (1, 1)
    assert found.place(("top",)) == (1, 1)
    assert found.place(("top", 0, "two")) == (3, 5)
    assert found.place(("top", 0, "two", "deep")) == (3, 11)
    assert found.place(("top", 1)) == (4, 5)
    assert found.place(("top", 0, "missing")) == (2, 5)
    assert found.place(("nowhere", 7)) == (1, 1)
    assert str(found.error(("top", 1), "is odd", "mend it")) == f"{path}:4:5: is odd (mend it)"


def test_a_part_is_held_or_not() -> None:
    found = parse_document(Path("a.yaml"), b"top:\n  - one: 1\n    two: {deep: x}\n  - plain\n")
    for there in ((), ("top",), ("top", 0), ("top", 1), ("top", 0, "two", "deep")):
        assert found.holds(there)
    missing = (
        ("nowhere",),
        ("top", 2),
        ("top", -1),
        ("top", "0"),
        (0,),
        ("top", 0, "three"),
        ("top", 1, 0),
        ("top", 0, 1),
    )
    for gone in (*missing, ("top", 0, "two", "deep", "er")):
        assert not found.holds(gone)


words = st.text(alphabet=string.printable, max_size=8).filter(lambda text: "\r" not in text and "\x0b" not in text)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=12,
)


@quick
@given(data=plain.filter(lambda value: value is not None))
def test_what_pyyaml_writes_comes_back_as_it_was(tmp_path: Path, data: object) -> None:
    text = yaml.dump(data, Dumper=_Quoting, allow_unicode=True)
    assert read(tmp_path, text) == data


class _Quoting(yaml.SafeDumper):
    """Texts in quotes, everything else plain."""

    def ignore_aliases(self, data: object) -> bool:
        return True


_Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


@quick
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_arbitrary_bytes_are_data_or_an_input_error(tmp_path: Path, content: bytes) -> None:
    said = outcome(tmp_path, content)
    if isinstance(said, InputError):
        assert str(said).startswith(f"{tmp_path}/file.yaml")
        assert "\n" not in str(said)


@quick
@given(content=st.text(alphabet="ab:-[]{}&*!?|>'\"#%@,\n\t 0", max_size=60))
def test_yaml_punctuation_in_any_order_is_data_or_an_input_error(tmp_path: Path, content: str) -> None:
    said = outcome(tmp_path, content)
    assert isinstance(said, dict | list | str | int | type(None) | InputError)
    if isinstance(said, InputError):
        assert len(said.problems) == 1


def test_a_pipe_given_as_a_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(InputError, match="regular file"):
        load_document(tmp_path / "pipe.yaml")
