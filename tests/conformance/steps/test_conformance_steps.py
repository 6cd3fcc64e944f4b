from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from bifente.conformance.scenario.step import CardStep, Step, expectable
from bifente.conformance.scenario.steps import steps


def made(name: str, raw: Any) -> Any:
    kind = steps()[name]
    return kind.model_validate(kind.arguments(raw))


def refusal(name: str, raw: Any) -> str:
    with pytest.raises(ValidationError) as raised:
        made(name, raw)
    return str(raised.value.errors()[0]["msg"])


def test_every_step_says_what_it_is_in_both_languages_and_in_its_docstring() -> None:
    assert len(steps()) > 15
    for name, kind in steps().items():
        assert kind.name == name
        assert kind.title.fr
        assert kind.title.en
        assert kind.__doc__
        names = {*kind.model_fields, *(field.alias for field in kind.model_fields.values())}
        assert kind.shorthand is None or kind.shorthand in names


def test_a_card_step_may_expect_a_pcsc_error_and_the_hand_may_not() -> None:
    for kind in steps().values():
        assert ("error" in expectable(kind)) is issubclass(kind, CardStep)
    assert not expectable(steps()["insert-card"])


def test_two_steps_cannot_bear_one_name() -> None:
    with pytest.raises(TypeError, match="two steps bear the name verify-code"):

        class Again(Step):
            name = "verify-code"


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ("00 A4 04 0C", b"\x00\xa4\x04\x0c"),
        (9000, b"\x90\x00"),
        ("", None),
        ({"command": {"repeat": "00", "times": 3}}, b"\0\0\0"),
    ],
)
def test_hexadecimal_is_read_with_or_without_spaces(raw: Any, meant: bytes | None) -> None:
    if meant is None:
        assert "at least 1 byte" in refusal("transmit", raw)
    else:
        assert made("transmit", raw).command == meant


@pytest.mark.parametrize("raw", ["0", "0g", "0x00", True, 1.5, {"command": ["00"]}])
def test_what_is_no_hexadecimal_is_refused(raw: Any) -> None:
    assert refusal("transmit", raw)


@pytest.mark.parametrize(
    ("raw", "meant"),
    [
        ("hello", b"hello"),
        ("é", "é".encode()),
        (1234, b"1234"),
        ("0x4142", b"AB"),
        ({"message": {"repeat": "ab", "times": 2}}, b"abab"),
        ({"message": {"repeat": "0x", "times": 1}}, b""),
    ],
)
def test_a_message_is_text_or_marked_hexadecimal(raw: Any, meant: bytes) -> None:
    assert made("sign", raw).message == meant


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("0x4", "hexadecimal is expected"),
        ({"repeat": "a"}, "a part and how often it comes"),
        ({"repeat": "a", "times": 0}, "times goes from 1 to 65536"),
        ({"repeat": "a", "times": 70_000}, "times goes from 1 to 65536"),
        ({"repeat": "a" * 100, "times": 60_000}, "makes more than 1000000 characters"),
        ({"repeat": ["a"], "times": 2}, "a part and how often it comes"),
        ({"repeat": "a", "times": "2"}, "a part and how often it comes"),
    ],
)
def test_a_long_message_is_bounded_before_it_is_made(message: Any, said: str) -> None:
    assert said in refusal("sign", {"message": message})


def test_codes_keep_their_zeros_and_are_secret() -> None:
    assert made("verify-code", "0000").code == "0000"
    assert made("verify-code", 1234).code == "1234"
    assert steps()["verify-code"].secrets() == {"code"}
    assert steps()["change-code"].secrets() == {"old", "new"}
    assert steps()["reset-code"].secrets() == {"new"}
    assert "code" in {key for kind in steps().values() for key in kind.secrets()}
    assert refusal("verify-code", ["0000"])
    assert refusal("verify-code", "1" * 65)


def test_names_of_the_card_are_checked_with_the_near_one() -> None:
    assert "did you mean 'CPS_ACTIVITY_01_PS'?" in refusal("read", "CPS_ACTIVITY_01_P")
    assert "did you mean 'cpx-ias'?" in refusal("select-application", "cpx-iass")
    assert "no code is named 'pinn'" in refusal("verify-code", {"code": "1", "which": "pinn"})
    assert "no key is named 'signatur'" in refusal("sign", {"message": "x", "key": "signatur"})
