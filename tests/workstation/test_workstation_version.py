"""Versions of components: compared as versions, never as texts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.simulator.workstation import ComponentVersion, VersionSpan

NUMBERS = st.lists(st.integers(0, 999), min_size=1, max_size=5)


def written(numbers: list[int]) -> str:
    return ".".join(map(str, numbers))


@pytest.mark.parametrize(
    ("lower", "higher"),
    [
        ("1.40.9", "1.40.14"),
        ("5.1.5", "5.1.8"),
        ("3.42.03", "3.43"),
        ("3.40.02", "3.42.02"),
        ("4.41", "4.50"),
        ("10.9", "10.15"),
        ("5.0.45", "5.1.6"),
    ],
)
def test_a_lower_version_is_lower(lower: str, higher: str) -> None:
    assert ComponentVersion(lower) < ComponentVersion(higher)
    assert not ComponentVersion(higher) < ComponentVersion(lower)


@pytest.mark.parametrize(("one", "other"), [("3.43", "3.43.00"), ("3.42.03", "3.42.3"), ("5.0", "5")])
def test_two_writings_of_one_version(one: str, other: str) -> None:
    assert ComponentVersion(one) == ComponentVersion(other)
    assert hash(ComponentVersion(one)) == hash(ComponentVersion(other))


@given(NUMBERS, NUMBERS)
@settings(max_examples=60)
def test_the_order_is_that_of_the_numbers(one: list[int], other: list[int]) -> None:
    def bare(numbers: list[int]) -> list[int]:
        kept = list(numbers)
        while len(kept) > 1 and kept[-1] == 0:
            kept.pop()
        return kept

    assert (ComponentVersion(written(one)) < ComponentVersion(written(other))) == (bare(one) < bare(other))


@pytest.mark.parametrize("text", ["", "5.", ".5", "5..1", "v5", "5.1.8-beta", "5,1", "1" * 40, "١.٢", "5.1\n", "-1"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no version"):
        ComponentVersion(text)


@given(st.text(max_size=30))
@settings(max_examples=60)
def test_any_text_is_a_version_or_refused(text: str) -> None:
    try:
        found = ComponentVersion(text)
    except ValueError:
        return
    assert found == ComponentVersion(found.written)


@pytest.mark.parametrize(
    ("span", "inside", "outside"),
    [
        (">=5.1.6", "5.1.6", "5.1.5"),
        ("<5.0.8", "5.0.7", "5.0.8"),
        (">=5.2.0, <5.2.2", "5.2.1", "5.2.2"),
        ("=3.34", "3.34", "3.34.1"),
        ("<=1.40.13", "1.40.9", "1.40.14"),
        (">10", "10.0.1", "10"),
    ],
)
def test_a_span_covers_its_bounds(span: str, inside: str, outside: str) -> None:
    found = VersionSpan.parse(span)
    assert found.covers(ComponentVersion(inside))
    assert not found.covers(ComponentVersion(outside))
    assert found.covers(found.example())


@pytest.mark.parametrize("span", ["", "5.1", "~5.1", ">=", ">=5.1 <6", "5.1<", ">=5.1,"])
def test_what_is_no_span_is_refused(span: str) -> None:
    with pytest.raises(ValueError, match=r"no span|no version"):
        VersionSpan.parse(span)


def test_an_empty_span_has_no_example() -> None:
    with pytest.raises(ValueError, match="no version was found"):
        VersionSpan.parse(">=6, <5").example()
