from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bifente.conformance.expectations import (
    BytesMatcher,
    ChoiceMatcher,
    Matcher,
    Signature,
    SignatureMatcher,
    StatusMatcher,
    TlvMatcher,
    ValueMatcher,
)
from bifente.conformance.expectations.circumstances import COMMON_EXPECTATIONS, DurationMatcher, StateMatcher
from bifente.simulator.cards.cpx.loading import shipped_templates
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.pki.keystore import KeyStore

SW, BYTES, VALUE, TLV = StatusMatcher(), BytesMatcher(), ValueMatcher(), TlvMatcher()
CHOICE, STATE, WITHIN = ChoiceMatcher(frozenset({"RESET_CARD", "REMOVED_CARD"})), StateMatcher(), DurationMatcher()


@pytest.mark.parametrize(
    ("matcher", "expected", "complaint"),
    [
        (SW, "xxxx", "xxxx would fit any answer: expect something that can fail"),
        (SW, "XxXx", "xxxx would fit any answer: expect something that can fail"),
        (SW, ["9000", "xxxx"], "xxxx would fit any answer: expect something that can fail"),
        (SW, [], "an empty list of status words fits nothing"),
        (SW, "900", "'900' is no status word: four hexadecimal digits, x for any digit (9000, 63Cx)"),
        (SW, 90000, "90000 is no status word"),
        (SW, "90 00", "'90 00' is no status word"),
        (SW, "G000", "'G000' is no status word"),
        (SW, None, "None is no status word"),
        (SW, {}, "{} is no status word"),
        (SW, True, "True is no status word"),
        (BYTES, "*", "* alone fits any data: expect something that can fail"),
        (BYTES, " * ", "is not hexadecimal"),
        (BYTES, "0", "'0' is not hexadecimal (pairs of digits, .. for any byte, a final * for any end)"),
        (BYTES, "00*00", "'00*00' is not hexadecimal"),
        (BYTES, ".0", "'.0' is not hexadecimal"),
        (BYTES, None, "None is not hexadecimal"),
        (BYTES, True, "True is not hexadecimal"),
        (BYTES, ["00"], "['00'] is not hexadecimal"),
        (BYTES, {}, "no condition is given"),
        (BYTES, {"lenght": 4}, "unknown condition 'lenght'; known: contains, differs-from, equals, length, starts"),
        (BYTES, {"length": "four"}, "length: 'four' is no number of bytes"),
        (BYTES, {"length": True}, "length: True is no number of bytes"),
        (BYTES, {"length": -1}, "length: -1 is no number of bytes"),
        (BYTES, {"starts": ""}, "starts: nothing is asked for: any data would fit"),
        (BYTES, {"starts": "*"}, "starts: * alone fits any data: expect something that can fail"),
        (BYTES, {"contains": ""}, "contains: nothing is asked for: any data would fit"),
        (BYTES, {"contains": b""}, "contains: nothing is asked for: any data would fit"),
        (BYTES, {"contains": "AB.."}, "contains: 'AB..' has to be plain pairs of hexadecimal digits"),
        (BYTES, {"equals": "*"}, "equals: * alone fits any data: expect something that can fail"),
        (BYTES, {"differs-from": "*"}, "differs-from: * alone fits any data: expect something that can fail"),
        (BYTES, {"equals": "zz"}, "equals: 'zz' is not hexadecimal"),
        (VALUE, None, "nothing is expected"),
        (VALUE, {}, "no test is given"),
        (VALUE, {"not": {"contains": "a"}}, "not takes a value, no test: whatever is seen differs from a test"),
        (
            VALUE,
            {"atleast": 3},
            "unknown test 'atleast'; known: at-least, at-most, contains, not, one-of, pattern, present",
        ),
        (VALUE, {"pattern": "("}, "pattern is no regular expression: "),
        (VALUE, {"one-of": "a"}, "one-of takes a list of at least one value"),
        (VALUE, {"one-of": []}, "one-of takes a list of at least one value"),
        (VALUE, {"at-least": "3"}, "at-least takes a number"),
        (VALUE, {"at-most": True}, "at-most takes a number"),
        (VALUE, {"contains": ""}, "contains: nothing is asked for, any text would fit"),
        (VALUE, {"present": "no"}, "present takes true or false"),
        (VALUE, {"present": None}, "present takes true or false"),
        (VALUE, {"present": False, "not": 3}, "present: false leaves nothing for another test to look at"),
        (TLV, {}, "a mapping of tag paths to values is needed, e.g. {62/80: 000C}"),
        (TLV, "62", "a mapping of tag paths to values is needed, e.g. {62/80: 000C}"),
        (TLV, {"6": "00"}, "'6' is no tag path: hexadecimal tags joined by / (62/80)"),
        (TLV, {"62/": "00"}, "'62/' is no tag path"),
        (TLV, {"62": "*"}, "62: * alone fits any data"),
        (TLV, {"62/80": "0"}, "62/80: '0' is not hexadecimal"),
        (CHOICE, "RESET", "'RESET' is unknown; known: REMOVED_CARD, RESET_CARD"),
        (CHOICE, ["RESET_CARD", "X"], "'X' is unknown; known: REMOVED_CARD, RESET_CARD"),
        (CHOICE, [], "an empty list fits nothing"),
        (CHOICE, [["RESET_CARD"]], "['RESET_CARD'] is unknown"),
        (CHOICE, {"a": 1}, "{'a': 1} is unknown"),
        (STATE, {}, "a mapping of state to value is needed, e.g. {pin-tries: 2}"),
        (STATE, 3, "a mapping of state to value is needed, e.g. {pin-tries: 2}"),
        (STATE, {"pin-try": 3}, "the card has no state 'pin-try', did you mean 'pin-tries'?"),
        (STATE, {"pin-tries": None}, "pin-tries: nothing is expected"),
        (WITHIN, "quick", "'quick' is unknown; known: instant, prompt, patient"),
        (WITHIN, ["instant"], "['instant'] is unknown"),
        (WITHIN, 5, "5 is unknown"),
        (SignatureMatcher(valid=True), "signature", "a certificate is named by a reference"),
        (SignatureMatcher(valid=False), None, "a certificate is named by a reference"),
    ],
)
def test_what_makes_no_sense_or_cannot_fail_is_refused_in_words(
    matcher: Matcher, expected: Any, complaint: str
) -> None:
    said = matcher.complaint(expected)
    assert said is not None
    assert said.startswith(complaint) or complaint in said


@pytest.mark.parametrize(
    ("matcher", "expected", "observed", "met"),
    [
        (SW, 9000, 0x9000, True),
        (SW, "9000", 0x9001, False),
        (SW, "63Cx", 0x63C2, True),
        (SW, "63cX", 0x63CF, True),
        (SW, "63Cx", 0x63D2, False),
        (SW, "x000", 0x6000, True),
        (SW, ["6282", 9000], 0x9000, True),
        (SW, ["6282", 9000], 0x6283, False),
        (SW, "6a82", 0x6A82, True),
        (BYTES, "", b"", True),
        (BYTES, "", b"\x00", False),
        (BYTES, "00 A4", b"\x00\xa4", True),
        (BYTES, "00a4", b"\x00\xa4", True),
        (BYTES, "00A4", b"\x00\xa4\x00", False),
        (BYTES, "00A4", b"\x00", False),
        (BYTES, "00A4*", b"\x00\xa4", True),
        (BYTES, "00A4*", b"\x00\xa4\x01\x02", True),
        (BYTES, "00A4*", b"\x00", False),
        (BYTES, "00..", b"\x00\x99", True),
        (BYTES, "00..", b"\x00", False),
        (BYTES, "..A4", b"\x00\xa5", False),
        (BYTES, 9000, b"\x90\x00", True),
        (BYTES, b"\x01\x02", b"\x01\x02", True),
        (BYTES, b"\x01\x02", b"\x01\x02\x03", False),
        (BYTES, {"length": 2}, b"ab", True),
        (BYTES, {"length": 2}, b"abc", False),
        (BYTES, {"length": 0}, b"", True),
        (BYTES, {"starts": "61"}, b"ab", True),
        (BYTES, {"starts": b"b"}, b"ab", False),
        (BYTES, {"contains": "6263"}, b"abcd", True),
        (BYTES, {"contains": "6162 63"}, b"abd", False),
        (BYTES, {"equals": "61.."}, b"ab", True),
        (BYTES, {"equals": b"ac"}, b"ab", False),
        (BYTES, {"differs-from": b"ab"}, b"ab", False),
        (BYTES, {"differs-from": "6162"}, b"ac", True),
        (BYTES, {"length": 2, "starts": "61"}, b"ab", True),
        (BYTES, {"length": 3, "starts": "61"}, b"ab", False),
        (VALUE, "02", "02", True),
        (VALUE, 2, "2", True),
        (VALUE, "02", 2, False),
        (VALUE, True, True, True),
        (VALUE, True, "true", False),
        (VALUE, True, 1, False),
        (VALUE, 1, True, False),
        (VALUE, "x", None, False),
        (VALUE, {"not": "x"}, None, False),
        (VALUE, ["a", 1], ("a", 1), True),
        (VALUE, ["a"], ("a", 1), False),
        (VALUE, ["a"], "a", False),
        (VALUE, [], [], True),
        (VALUE, {"pattern": "[0-9]+"}, "123", True),
        (VALUE, {"pattern": "[0-9]"}, "123", False),
        (VALUE, {"one-of": ["a", 2]}, 2, True),
        (VALUE, {"one-of": ["a", 2]}, "b", False),
        (VALUE, {"not": "a"}, "b", True),
        (VALUE, {"not": "a"}, "a", False),
        (VALUE, {"at-least": 2}, 2, True),
        (VALUE, {"at-least": 2}, 1, False),
        (VALUE, {"at-most": 2}, 2, True),
        (VALUE, {"at-most": 2}, 3, False),
        (VALUE, {"at-least": 2}, "3", False),
        (VALUE, {"contains": "es"}, "test", True),
        (VALUE, {"contains": "ex"}, "test", False),
        (VALUE, {"contains": "b"}, ["a", "b"], True),
        (VALUE, {"contains": "', '"}, ["a", "b"], False),
        (VALUE, {"contains": "Sign"}, ["digitalSignature"], False),
        (VALUE, {"at-least": 1, "at-most": 3, "not": 2}, 2, False),
        (VALUE, {"present": False}, None, True),
        (VALUE, {"present": False}, 0, False),
        (VALUE, {"present": True}, 0, True),
        (VALUE, {"present": True}, None, False),
        (VALUE, {"present": True, "not": 3}, 3, False),
        (VALUE, {"not": 3}, None, False),
        (TLV, {"62/80": "000C"}, bytes.fromhex("6204 8002 000C"), True),
        (TLV, {"62/80": "000D"}, bytes.fromhex("6204 8002 000C"), False),
        (TLV, {"62/81": "absent"}, bytes.fromhex("6204 8002 000C"), True),
        (TLV, {"62/80": "absent"}, bytes.fromhex("6204 8002 000C"), False),
        (TLV, {"62/80": {"length": 2}}, bytes.fromhex("6204 8002 000C"), True),
        (TLV, {"62/80": "000C", "62/83": "3F00"}, bytes.fromhex("6204 8002 000C"), False),
        (TLV, {"62/81": "absent"}, bytes.fromhex("6204 80"), False),
        (CHOICE, "RESET_CARD", "RESET_CARD", True),
        (CHOICE, ["RESET_CARD", "REMOVED_CARD"], "REMOVED_CARD", True),
        (CHOICE, "RESET_CARD", "REMOVED_CARD", False),
        (CHOICE, "RESET_CARD", None, False),
        (STATE, {"pin-tries": 2, "pin-verified": False}, {"pin-tries": 2, "pin-verified": False}, True),
        (STATE, {"pin-tries": 2, "pin-verified": True}, {"pin-tries": 2, "pin-verified": False}, False),
        (STATE, {"pin-tries": 2}, {"powered": True}, False),
        (STATE, {"pin-tries": 2}, None, False),
        (WITHIN, "instant", 0.05, True),
        (WITHIN, "instant", 0.051, False),
    ],
)
def test_an_observation_meets_an_expectation_or_not(matcher: Matcher, expected: Any, observed: Any, met: bool) -> None:
    assert matcher.complaint(expected) is None
    assert matcher.meets(expected, observed) is met
    if not isinstance(expected, bytes) and not (isinstance(expected, dict) and _holds_bytes(expected)):
        # What a matcher takes, its schema takes: an editor must not underline a good scenario.
        Draft202012Validator(dict(matcher.schema)).validate(expected)
    assert matcher.show(expected)
    assert matcher.show_observed(observed)


def _holds_bytes(value: dict[str, Any]) -> bool:
    return any(isinstance(item, bytes) for item in value.values())


@pytest.mark.parametrize(
    ("matcher", "expected", "shown"),
    [
        (SW, ["63cx", 9000], "63Cx or 9000"),
        (BYTES, "", "(no data)"),
        (BYTES, b"\x01\xab", "01 AB"),
        (BYTES, {"length": 2, "differs-from": b"\xab"}, "length 2, differs-from AB"),
        (VALUE, {"one-of": ["a", True]}, "one-of a, true"),
        (VALUE, [], "(none)"),
        (TLV, {"62/80": "000C", "62/81": "absent"}, "62/80 = 000C, 62/81 absent"),
        (CHOICE, ["RESET_CARD", "REMOVED_CARD"], "RESET_CARD or REMOVED_CARD"),
        (STATE, {"pin-tries": 2, "pin-verified": False}, "pin-tries 2, pin-verified false"),
        (WITHIN, "instant", "instant (at most 50 ms)"),
    ],
)
def test_an_expectation_reads_as_one_would_say_it(matcher: Matcher, expected: Any, shown: str) -> None:
    assert matcher.show(expected) == shown


def test_observations_read_as_one_would_say_them() -> None:
    assert SW.show_observed(0x63C2) == "63C2"
    assert BYTES.show_observed(b"") == "(no data)"
    assert BYTES.show_observed(b"\x01\xab") == "01 AB (2 bytes)"
    long = BYTES.show_observed(bytes(200))
    assert "…" in long
    assert long.endswith("(200 bytes)")
    assert VALUE.show_observed(None) == "(absent)"
    assert CHOICE.show_observed(None) == "(none)"
    assert STATE.show_observed(None) == "(not visible)"
    assert WITHIN.show_observed(0.0123) == "12.3 ms"
    assert SignatureMatcher(valid=True).show_observed(None) == "(no signature)"


def test_every_schema_is_a_json_schema() -> None:
    own: tuple[Matcher, ...] = (SW, BYTES, VALUE, TLV, CHOICE, SignatureMatcher(valid=True))
    for matcher in (*own, *COMMON_EXPECTATIONS.values()):
        Draft202012Validator.check_schema(dict(matcher.schema))


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_a_status_word_fits_itself_only(one: int, other: int) -> None:
    assert SW.meets(f"{one:04x}", one)
    assert SW.meets(f"{one:04X}", other) is (one == other)


@given(st.integers(0, 0xFFFF), st.sets(st.integers(0, 3), max_size=3), st.integers(0, 0xFFFF))
def test_x_stands_for_any_digit_and_for_no_other(word: int, blanks: set[int], other: int) -> None:
    pattern = "".join("x" if index in blanks else digit for index, digit in enumerate(f"{word:04X}"))
    assert SW.complaint(pattern) is None
    same = all(index in blanks or f"{word:04X}"[index] == f"{other:04X}"[index] for index in range(4))
    assert SW.meets(pattern, word)
    assert SW.meets(pattern, other) is same


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=4,
)


@given(expected=anything, word=st.integers(0, 0xFFFF), data=st.binary(max_size=8))
def test_what_is_not_complained_of_can_be_judged_and_can_fail(expected: Any, word: int, data: bytes) -> None:
    if SW.complaint(expected) is None:
        assert SW.meets(expected, word) in (True, False)
        assert not all(SW.meets(expected, other) for other in (0x0000, 0xFFFF, 0x9000, 0x6A82, 0x1234))
    if BYTES.complaint(expected) is None:
        assert BYTES.meets(expected, data) in (True, False)
        assert not (BYTES.meets(expected, b"") and BYTES.meets(expected, bytes(9)) and BYTES.meets(expected, b"\xff"))
    for matcher in (VALUE, TLV, CHOICE, STATE, WITHIN):
        matcher.complaint(expected)


@given(data=st.binary(max_size=12), blanks=st.sets(st.integers(0, 11)), cut=st.integers(0, 12), open_end=st.booleans())
def test_a_pattern_fits_the_bytes_it_was_made_from(data: bytes, blanks: set[int], cut: int, open_end: bool) -> None:
    head = data[:cut]
    pattern = " ".join(".." if index in blanks else f"{byte:02x}" for index, byte in enumerate(head))
    pattern += "*" if open_end else ""
    assume(BYTES.complaint(pattern) is None)
    assert BYTES.meets(pattern, data) is (open_end or len(head) == len(data))
    assert BYTES.meets(pattern, head)
    for index in set(range(len(head))) - blanks:
        changed = head[:index] + bytes((head[index] ^ 1,)) + head[index + 1 :]
        assert not BYTES.meets(pattern, changed)


@given(data=st.binary(min_size=1, max_size=12), start=st.integers(0, 11), size=st.integers(1, 4))
def test_conditions_agree_with_bytes(data: bytes, start: int, size: int) -> None:
    part = data[start : start + size]
    assume(part)
    assert BYTES.meets({"contains": part.hex(), "length": len(data), "starts": data[:1]}, data)
    assert BYTES.meets({"differs-from": data}, data + b"\x00")
    assert not BYTES.meets({"differs-from": data}, data)


@pytest.fixture(scope="module")
def cards() -> tuple[PersonalisedCard, PersonalisedCard]:
    from datetime import date

    from bifente.simulator.cards.cpx.personalise import personalise

    keys, day = KeyStore(), date(2026, 6, 1)
    return tuple(personalise(shipped_templates()[name], keys, at=day) for name in ("medecin-generaliste", "infirmier"))  # type: ignore[return-value]


def test_a_signature_is_valid_under_its_own_certificate_only(cards: tuple[PersonalisedCard, PersonalisedCard]) -> None:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    key = KeyStore()
    mine, other = (card.certificates["signature"] for card in cards)
    private = next(
        found
        for name in _key_names(key)
        if (found := key.key(name)).public_key().public_numbers() == mine.public_key().public_numbers()  # type: ignore[union-attr]
    )
    good = Signature(private.sign(b"hello", padding.PKCS1v15(), hashes.SHA256()), b"hello", "sha256")
    valid, invalid = SignatureMatcher(valid=True), SignatureMatcher(valid=False)
    assert valid.meets(mine, good)
    assert not invalid.meets(mine, good)
    assert not valid.meets(other, good)
    assert invalid.meets(other, good)
    for bad in (
        Signature(good.value, b"hullo", "sha256"),
        Signature(good.value, b"hello", "sha1"),
        Signature(good.value[:-1] + bytes((good.value[-1] ^ 1,)), b"hello", "sha256"),
        Signature(b"", b"hello", "sha256"),
        Signature(good.value, b"hello", None),
    ):
        assert not valid.meets(mine, bad)
        assert invalid.meets(mine, bad)
    assert not valid.meets(mine, None)
    assert not invalid.meets(mine, None)
    assert valid.show(mine).startswith("valid under ")
    assert f"serial {mine.serial_number:X}" in valid.show(mine)
    assert valid.complaint(mine) is None


def _key_names(store: KeyStore) -> list[str]:
    import sqlite3

    connection = sqlite3.connect(store.file)
    try:
        return [name for (name,) in connection.execute("SELECT name FROM key WHERE size = 2048")]
    finally:
        connection.close()
