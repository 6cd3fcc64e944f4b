from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
import sample
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bifente.ground.text import Text
from bifente.reports.clean import encodable
from bifente.reports.events import Call, Exchange, Note, StepStarted, to_dict
from bifente.reports.masking import (
    BYTE_MARK,
    MARK,
    SHORTEST_SECRET,
    Needle,
    Needles,
    fold_case,
    lower_hex,
    mask_command,
)
from bifente.reports.secrets import Secrets

B = BYTE_MARK


@pytest.mark.parametrize(
    ("command", "masked"),
    [
        ("00 20 00 01 04 31 32 33 34", f"00 20 00 01 04 {B} {B} {B} {B}"),
        ("002000010431323334", f"0020000104{B * 4}"),
        ("00200001043132333400", f"0020000104{B * 4}00"),
        ("00:20:00:01:04:31:32:33:34", f"00 20 00 01 04 {B} {B} {B} {B}"),
        ("0c240001083132333435363738", f"0c24000108{B * 8}"),
        ("802C00010831323334FFFFFFFF", f"802C000108{B * 8}"),
        ("1020000104 31323334", f"10 20 00 01 04 {B} {B} {B} {B}"),
        ("00210001043132 3334", f"00 21 00 01 04 {B} {B} {B} {B}"),
        ("002000010000043132 3334", f"00 20 00 01 00 00 04 {B} {B} {B} {B}"),
        ("002000010000043132333400 00", f"00 20 00 01 00 00 04 {B} {B} {B} {B} 00 00"),
    ],
)
def test_the_data_of_a_code_command_is_blanked_and_its_lengths_stay(command: str, masked: str) -> None:
    assert mask_command(command) == masked


@pytest.mark.parametrize("command", ["00200001", "0020000100", "00 20 00 01", "00A4040004 31323334", "", "zz", "002"])
def test_what_carries_no_code_is_unchanged(command: str) -> None:
    assert mask_command(command) == command


@pytest.mark.parametrize(
    "command",
    ["00200001043132", "00200001FF31323334", "0020000104313233343536", "00200001zz31323334", "0020000104 31323334 5"],
)
def test_a_code_command_whose_lengths_lie_is_blanked_after_its_header(command: str) -> None:
    masked = mask_command(command)
    assert masked.replace(" ", "").startswith("00200001" + B)
    assert not re.search(r"3\d", masked.replace(" ", "")[8:])


@settings(max_examples=300)
@given(st.text() | st.binary().map(bytes.hex))
def test_masking_a_command_never_raises(command: str) -> None:
    mask_command(command)


@settings(max_examples=300)
@given(
    cla=st.integers(0, 255),
    ins=st.sampled_from([0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D]),
    code=st.binary(min_size=1, max_size=40),
    le=st.sampled_from(["", "00"]),
    extended=st.booleans(),
)
def test_no_byte_of_a_code_is_left_in_the_command(cla: int, ins: int, code: bytes, le: str, extended: bool) -> None:
    lc = f"00{len(code):04X}" if extended else f"{len(code):02X}"
    le = le * 2 if extended else le
    header = f"{cla:02X}{ins:02X}0001{lc}"
    assert mask_command(header + code.hex() + le) == header + B * len(code) + le


CODE = "4821"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4821", MARK),
        ("code 4821 refusé", f"code {MARK} refusé"),
        ("code=4821;", f"code={MARK};"),
        ("code4821", f"code{MARK}"),
        ("4821 4821", f"{MARK} {MARK}"),
        ("'4821'", f"'{MARK}'"),
        ("34383231", B * 4),
        ("34 38 32 31", " ".join([B] * 4)),
        ("00D6000004 34383231 9000", f"00D6000004 {B * 4} 9000"),
        ("04043438323190", f"0404{B * 4}90"),
    ],
)
def test_a_code_is_masked_as_a_word_in_text_and_in_hexadecimal(text: str, masked: str) -> None:
    assert Secrets(secrets=[CODE]).text(text) == masked


@pytest.mark.parametrize(
    "text", ["14821", "48210", "x14821", "48210y", "DEADBEEF4821", "4821AB", "482", "313438323132", "4 8 2 1", ""]
)
def test_the_digits_of_a_code_inside_a_longer_number_are_no_code(text: str) -> None:
    assert Secrets(secrets=[CODE]).text(text) == text


def test_a_long_secret_is_masked_wherever_it_is() -> None:
    key = "00112233445566778899AABBCCDDEEFF"
    masker = Secrets(secrets=["jeton-abcdef", key, b"\x01\x02\x03\x04\x05\x06\x07\x08"])
    assert masker.text("xjeton-abcdefy") == f"x{MARK}y"
    assert key not in masker.text(f"FF{key}00")
    assert key.lower() not in masker.text(key.lower())
    assert masker.raw("80 " + bytes.fromhex(key).hex(" ") + " 90 00") == "80 " + " ".join([B] * 16) + " 90 00"
    assert masker.raw("AA" + "0102030405060708" + "BB") == "AA" + B * 8 + "BB"


def test_a_mask_that_makes_a_new_word_is_masked_in_turn() -> None:
    masker = Secrets(secrets=["4821", "secret-9"])
    assert masker.text("secret-94821") == MARK * 2


@pytest.mark.parametrize("secret", ["", "1", "123", b"\x01"])
def test_a_secret_too_short_is_refused_without_being_repeated(secret: str | bytes) -> None:
    with pytest.raises(ValueError, match="at least 4 characters") as caught:
        Secrets(secrets=[secret])
    assert len(secret) < 2 or str(secret) not in str(caught.value)


def test_names_are_masked_whatever_their_case_and_accents() -> None:
    masker = Secrets(names=["Éloïse", "DUPONT", " "])
    assert masker.text("Mme eloise Dupont, dupontel") == f"Mme {MARK} {MARK}, dupontel"
    assert masker.raw("0A" + b"Dupont".hex() + "9000") == "0A" + B * 6 + "9000"
    assert masker.raw("Éloïse".encode().hex()) == B * len("Éloïse".encode())


@pytest.mark.parametrize("nir", ["1841976451089", "184197645108946", "1 84 19 76 451 089 46", "2 84 19 2A 451 089"])
def test_social_security_numbers_are_masked_on_demand(nir: str) -> None:
    assert Secrets(nir=True).text(f"NIR {nir}.") == f"NIR {MARK}."
    assert Secrets().text(f"NIR {nir}.") == f"NIR {nir}."


def test_social_security_numbers_are_found_in_card_data() -> None:
    assert Secrets(nir=True).raw(b"1841976451089".hex() + "9000") == B * 13 + "9000"


@pytest.mark.parametrize("number", ["899700000001", "18419764510894612", "0841976451089", "20250301T093000"])
def test_other_numbers_are_not_taken_for_social_security_numbers(number: str) -> None:
    assert Secrets(nir=True).text(number) == number


def test_the_fields_of_the_journal_itself_are_never_masked() -> None:
    masker = Secrets(secrets=["2025", "9000", "note", "step-started", "setup"])
    for event in sample.recorded(sample.full_run()):
        plain = masker.event(to_dict(event))
        for name in ("event", "seq", "time", "sw", "verdict"):
            assert plain.get(name) == to_dict(event).get(name)


def test_a_status_word_equal_to_a_code_stays_in_the_raw_response() -> None:
    event = Exchange(scenario="a/b", index=0, slot="cps", command="00B0000000", response="9000", sw="9000")
    assert Secrets(secrets=["9000"]).event(to_dict(event))["response"] == "9000"


def test_arguments_are_masked_whole_keys_and_numbers_included() -> None:
    arguments = {"code": 4821, "4821": ["x 4821", {"verdict": "4821"}], "ratio": 4821.5, "ok": True}
    event = StepStarted(scenario="a/b", index=4821, name="n", arguments=arguments, file="f", line=4821)  # type: ignore[arg-type]
    plain = Secrets(secrets=[CODE]).event(to_dict(event))
    assert plain["arguments"] == {
        "code": MARK,
        MARK: [f"x {MARK}", {"verdict": MARK}],
        "ratio": f"{MARK}.5",
        "ok": True,
    }
    assert plain["line"] == 4821


def test_the_code_in_a_command_on_the_wire_is_blanked_though_nobody_registered_it() -> None:
    event = Exchange(scenario="a/b", index=0, slot="cps", command="00 20 00 01 04 31 32 33 34", response="90 00")
    masker = Secrets()
    # Twice: what is remembered must be what was masked.
    for _ in range(2):
        assert masker.event(to_dict(event))["command"] == f"00 20 00 01 04 {B} {B} {B} {B}"


def test_a_raw_command_among_the_arguments_is_blanked_like_one_on_the_wire() -> None:
    arguments = {"apdu": "002000010434383231", "data": "002000010434383231", "command": ["x"]}
    event = StepStarted(scenario="a/b", index=0, name="n", arguments=arguments, file="f", line=1)  # type: ignore[arg-type]
    assert Secrets().event(to_dict(event))["arguments"] == arguments | {"apdu": f"0020000104{B * 4}"}


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_numbers_that_json_has_not_become_words(value: float) -> None:
    event = StepStarted(scenario="a/b", index=0, name="n", arguments={"x": value}, file="f", line=1)
    json.dumps(Secrets().event(to_dict(event)), allow_nan=False)


codes = st.from_regex(r"[0-9]{4,8}", fullmatch=True)
tokens = st.from_regex(r"[A-Za-z0-9_\-]{8,24}", fullmatch=True)
around = st.text(max_size=10)


@settings(max_examples=300, deadline=None)
@given(codes | tokens, around, around)
@example("0000", "0000", "0000")
@example("4821", "é", "²")
def test_a_secret_never_survives_as_a_word_in_a_line(secret: str, before: str, after: str) -> None:
    hidden = secret.encode().hex().upper()
    words = f"{before} {secret} {after}|{hidden}|{secret}:{before}"
    note = Note(text=Text(words, words))
    step = StepStarted(scenario="a/b", index=0, name=secret, arguments={secret: [secret, words]}, file="f", line=1)
    sent = Exchange(scenario="a/b", index=0, slot=secret, command=f"00D60000{hidden}", response=hidden + "6A82")
    masker = Secrets(secrets=[secret])
    for event in (note, step, sent):
        plain = masker.event(to_dict(event))
        for name in ("event", "seq", "time", "level", "phase", "line", "index", "scenario", "file"):
            plain.pop(name, None)
        line = json.dumps(plain, ensure_ascii=False)
        # A word: no ASCII letter nor digit on either side. JSON escapes are undone by reading the values only.
        for text in _strings(plain):
            assert not re.search(rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])", text, re.ASCII) or _joined(
                secret, text
            )
            assert hidden not in text
        assert MARK in line or B in line


def _strings(value: object) -> list[str]:
    match value:
        case str():
            return [value]
        case dict():
            return [text for pair in value.items() for part in pair for text in _strings(part)]
        case list():
            return [text for part in value for text in _strings(part)]
    return []


def _joined(secret: str, text: str) -> bool:
    """True when every place of `secret` in `text` touches a decimal digit of another script: part of a number."""
    return all(
        (match.start() and text[match.start() - 1].isdecimal()) or text[match.end() : match.end() + 1].isdecimal()
        for match in re.finditer(re.escape(secret), text)
    )


def test_the_shortest_secret_is_a_four_digit_code() -> None:
    assert SHORTEST_SECRET == 4


def test_what_a_call_was_given_and_gave_is_masked_names_included() -> None:
    given = {"note": "code 7391", "7391": "x"}
    call = Call(scenario="a/b", index=0, slot="cps", function="C_Login", arguments=given, result="CKR_OK", answer=given)
    masked = Secrets(secrets=["7391"]).event(to_dict(call))
    assert "7391" not in str(masked)
    assert masked["result"] == "CKR_OK"
    assert set(masked["answer"]) == set(masked["arguments"]) == {"note", MARK}


@given(st.text())
def test_hexadecimal_in_small_letters_has_every_character_at_its_place(text: str) -> None:
    small = lower_hex(text)
    assert len(small) == len(text)
    assert all(
        after == (before.lower() if before.isascii() else before) for before, after in zip(text, small, strict=True)
    )


_NEEDLES = st.builds(
    Needle,
    st.sampled_from(["4821", "31323334", "beef0042", "Dupré", "dupre", "AB12cd34", "é½"]),
    anywhere=st.booleans(),
    folded=st.booleans(),
    is_hex=st.booleans(),
).map(lambda one: replace(one, written=fold_case(one.written)) if one.folded else one)
_WORDS = st.lists(
    st.sampled_from(["4821", "31323334", "BEEF0042", "beef0042", "DUPRÉ", "dupre", "ab12CD34", "é½", " ", "x", "\x81"]),
    max_size=6,
).map("".join)


@settings(max_examples=200)
@given(st.lists(_NEEDLES, max_size=5), _WORDS | st.text(max_size=20), st.booleans())
def test_needles_looked_for_together_are_found_where_each_is(needles: list[Needle], text: str, in_bytes: bool) -> None:
    together = Needles()
    for needle in needles:
        together = together.with_more(needle)
    assert together == Needles().with_more(*needles)
    alone = [span for needle in needles for span in needle.spans(text, in_bytes=in_bytes)]
    assert sorted(together.spans(text, in_bytes=in_bytes)) == sorted(alone)
    assert bool(together) is bool(needles)


def test_what_was_masked_before_a_secret_was_known_is_masked_anew() -> None:
    secrets = Secrets()
    own = secrets.own()
    said = {"text": "code 7391", "response": "37333931", "headers": [["x-code", "7391"]], "arguments": {"n": 7391}}
    assert own.event(said) == said
    assert own.content(b"code 7391") == b"code 7391"
    own.declare("7391")
    expected = {"text": f"code {MARK}", "response": B * 4, "headers": [["x-code", MARK]], "arguments": {"n": MARK}}
    assert own.event(said) == expected
    assert own.content(b"code 7391") == f"code {MARK}".encode()
    assert secrets.event(said) == said


_SECRETS = st.sampled_from(["4821", "4e4a", "deadbeef0042dead", b"\x48\x21\xab\xcd", "tok-abcdefgh", "é½ué"])
_SAID = st.lists(
    st.sampled_from(
        ["4821", "48 21 AB CD", "4E4A", "DEADBEEF0042DEAD", "34383231", "tok-abcdefgh", "é½ué", " ", "\ud800"]
    ),
    min_size=1,
    max_size=4,
).map("".join)


@settings(max_examples=60, deadline=None)
@given(
    st.booleans(),
    st.lists(
        st.one_of(
            st.tuples(st.just("text"), _SAID),
            st.tuples(st.just("secret"), _SECRETS),
            st.tuples(st.just("scenario"), st.none() | _SECRETS),
        ),
        max_size=20,
    ),
)
@example(False, [("text", "4821"), ("secret", "4821"), ("text", "4821"), ("scenario", None), ("text", "4821")])
@example(False, [("text", "tok-abcdefgh"), ("scenario", "tok-abcdefgh"), ("text", "tok-abcdefgh")])
@example(False, [("text", "48 21 AB CD"), ("secret", b"\x48\x21\xab\xcd"), ("text", "48 21 AB CD")])
@example(False, [("secret", "4821"), ("text", "34383231")])
@example(True, [("text", "1 85 05 78 006 084 36")])
@example(False, [("text", "\ud800"), ("text", "\ud800")])
def test_what_is_remembered_of_other_scenarios_masks_as_if_nothing_was(nir: bool, steps: list[tuple[str, Any]]) -> None:
    run = Secrets(nir=nir)
    own, known, first = run.own(), list[str | bytes](), list[str | bytes]()
    for step, value in steps:
        if step == "text":
            assert own.event({"text": value}) == {"text": Secrets(secrets=known, nir=nir).text(encodable(value))}
        elif step == "secret":
            own.declare(value)
            known.append(value)
        else:
            if value is not None:
                run.declare(value)
                first.append(value)
            own, known = run.own(), list(first)
