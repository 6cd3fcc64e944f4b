from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.iso7816.access import AccessRule, AccessRuleError, FileOperation, KeyOperation, SecretOperation


def _nobody(environment: int) -> bool:
    return False


def _everybody(environment: int) -> bool:
    return True


def test_conditions_come_from_b7_down_to_b1() -> None:
    rule = AccessRule.parse(bytes.fromhex("7B 01 02 03 04 05 06"))
    assert [rule.condition(operation) for operation in FileOperation] == [1, 2, 3, 4, 5, 6]


def test_a_secret_rule_has_five_conditions_under_f3() -> None:
    rule = AccessRule.parse(bytes.fromhex("F3 00 00 13 FF 00"))
    assert [rule.condition(operation) for operation in SecretOperation] == [0x00, 0x00, 0x13, 0xFF, 0x00]


def test_an_operation_the_rule_does_not_name_is_refused() -> None:
    rule = AccessRule.parse(bytes.fromhex("01 00"))
    assert rule.allows(FileOperation.READ, _nobody)
    assert not rule.allows(FileOperation.UPDATE, _everybody)


@pytest.mark.parametrize(
    ("condition", "without_code", "with_code"),
    [
        (0x00, True, True),
        (0xFF, False, False),
        (0x11, False, True),
        (0x12, False, False),  # another environment than the one verified
        (0x41, False, False),  # secure messaging
        (0x45, False, False),
        (0x21, False, False),  # external authentication
        (0x51, False, True),  # secure messaging or code
        (0xD1, False, False),  # secure messaging and code
        (0xB1, False, False),  # external authentication and code
        (0x91, False, True),  # all of: code
        (0x01, False, False),  # an environment but no means
        (0x80, False, False),
    ],
)
def test_conditions(condition: int, without_code: bool, with_code: bool) -> None:
    rule = AccessRule.parse(bytes((0x40, condition)))
    assert rule.allows(KeyOperation.SIGN, _nobody) is without_code
    assert rule.allows(KeyOperation.SIGN, lambda environment: environment == 1) is with_code


@pytest.mark.parametrize("raw", ["", "01", "7B 00", "01 00 00", "00 00", "80 00"])
def test_as_many_conditions_as_bits(raw: str) -> None:
    with pytest.raises(AccessRuleError):
        AccessRule.parse(bytes.fromhex(raw))


@given(st.integers(1, 0xFE))
def test_nothing_but_the_always_byte_opens_without_a_code(condition: int) -> None:
    assert not AccessRule.parse(bytes((0x01, condition))).allows(FileOperation.READ, _nobody)
