from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.conformance.scenario.references import (
    BadReferenceError,
    card_role,
    is_name,
    is_reference,
    malformed,
    references,
    resolve,
    root,
)

SCOPE: dict[str, Any] = {
    "card": {
        "code": "1234",
        "unblocking-code": "12345678",
        "activities": {1: {"sector": "SA07"}, 5: {"sector": "SA01"}},
        "given-names": ["A", "B"],
        "empty": [],
        "certificates": {"signature": object()},
    },
    "signed": b"\xab\xcd",
    "n": 7,
}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("$card.code", "1234"),
        ("${card.code}", "1234"),
        ("$card.unblocking-code", "12345678"),
        ("$card.activities.1.sector", "SA07"),
        ("$card.activities[5].sector", "SA01"),
        ("$card.given-names[1]", "B"),
        ("$card.given-names.0", "A"),
        ("$n", 7),
        ("$signed", b"\xab\xcd"),
        ("a${card.code}b", "a1234b"),
        ("${card.code}${n}", "12347"),
        ("00${signed}", "00abcd"),
        ("$$", "$"),
        ("$$card.code", "$card.code"),
        ("a$$b${n}", "a$b7"),
        ("^a+$", "^a+$"),
        ("plain", "plain"),
        (12, 12),
        (None, None),
        (True, True),
        ({"a": ["$n", {"b": "${n}!"}]}, {"a": [7, {"b": "7!"}]}),
        (("$n", 1), [7, 1]),
    ],
)
def test_a_reference_becomes_its_value(written: object, meant: object) -> None:
    assert resolve(written, SCOPE) == meant


@pytest.mark.parametrize(
    ("reference", "role"),
    [("cards.vitale.serial", "vitale"), ("cards.cps", "cps"), ("cards", None), ("card.code", None), ("n", None)],
)
def test_a_reference_to_another_card_says_which_slot(reference: str, role: str | None) -> None:
    assert card_role(reference) == role


def test_a_whole_reference_keeps_the_object_itself() -> None:
    assert resolve("$card.certificates.signature", SCOPE) is SCOPE["card"]["certificates"]["signature"]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("$card.cod", "$card.cod leads nowhere: 'cod' is unknown (did you mean 'code'?)"),
        ("$crad.code", "$crad.code leads nowhere: 'crad' is unknown (did you mean 'card'?)"),
        ("x${card.cod}", "$card.cod leads nowhere: 'cod' is unknown (did you mean 'code'?)"),
        ("$card.activities.2", "$card.activities.2 leads nowhere: '2' is unknown (known: 1, 5)"),
        ("$card.given-names[2]", "$card.given-names[2] leads nowhere: '2' is unknown (known: 0, 1)"),
        ("$card.empty[0]", "$card.empty[0] leads nowhere: '0' is unknown (none is known here)"),
        ("$card.given-names.a", "$card.given-names.a leads nowhere: 'a' is unknown (none is known here)"),
        ("$card.code.x", "$card.code.x leads nowhere: 'x' is unknown (none is known here)"),
        ("$card.code[0]", "$card.code[0] leads nowhere: '0' is unknown (none is known here)"),
        ("$signed[0]", "$signed[0] leads nowhere: '0' is unknown (none is known here)"),
    ],
)
def test_a_reference_that_leads_nowhere_says_what_is_known_there(written: str, said: str) -> None:
    with pytest.raises(BadReferenceError, match=f"^{re.escape(said)}$"):
        resolve(written, SCOPE)


@pytest.mark.parametrize("text", ["$", "$5", "$card.", "$card[x]", "$card.code x", "${card", "a${}", "${1a}", "$-a"])
def test_what_looks_like_a_reference_and_is_none_is_told(text: str) -> None:
    assert malformed(text)


@pytest.mark.parametrize("text", ["", "a$", "^x$", "$$", "$$a", "$$${n}", "a $ b", "$a", "${a.b[1]}", "x${a}", 5, None])
def test_what_is_a_reference_or_looks_like_none_is_left_alone(text: object) -> None:
    assert not malformed(text)


def test_whole_references_are_told_from_parts() -> None:
    assert is_reference("$card.code")
    assert is_reference("${card.code}")
    assert not is_reference("0${card.code}")
    assert not is_reference("$$card")
    assert not is_reference(5)
    assert root("card.activities[1].x") == "card"
    assert is_name("first-signature")
    assert not is_name("1st")
    assert not is_name("a.b")


def test_every_reference_of_a_value_is_found() -> None:
    value = {"a": "$one", "b": ["x${two.x}y${three}", {"c": ("$four[0]", "$$five")}], "d": 6}
    assert list(references(value)) == ["one", "two.x", "three", "four[0]"]


names = st.from_regex(r"[a-z_][a-z0-9_-]{0,6}", fullmatch=True)


@given(path=st.lists(names, min_size=1, max_size=4), value=st.integers() | st.text() | st.binary())
def test_every_path_leads_to_what_was_put_there(path: list[str], value: object) -> None:
    scope: Any = value
    for name in reversed(path):
        scope = {name: scope}
    written = "$" + ".".join(path)
    assert list(references(written)) == [written[1:]]
    assert resolve(written, scope) == value
    with pytest.raises(BadReferenceError):
        resolve(f"{written}.q!".removesuffix("!") + "-absent", scope)


@given(st.text())
def test_doubled_dollars_give_back_any_text(text: str) -> None:
    escaped = text.replace("$", "$$")
    assert not list(references(escaped))
    assert not malformed(escaped)
    assert resolve(escaped, {}) == text


@given(st.text(alphabet="$ab{}.[]0-_ "))
def test_any_text_resolves_is_refused_or_is_malformed(text: str) -> None:
    try:
        found = resolve(text, {"a": {"b": 1}, "b": "z"})
    except BadReferenceError as error:
        failed = error
    else:
        assert malformed(text) or "${" not in str(found) or "$$" in text
        return
    assert failed.reference in list(references(text))
