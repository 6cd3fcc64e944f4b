"""A secured sheet as bytes: one writing, and any byte that changes is noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from securing_bench import LATER, Practice, anchors

from bifente.simulator.formats.fse.model import CardSignature, SecuredInvoice, SecuringMode, Signer
from bifente.simulator.formats.fse.securing.codec import SecuredFormatError, decode_secured, encode_secured
from bifente.simulator.formats.fse.securing.verifying import Verifier
from bifente.simulator.zones import Group, decode, encode


@cache
def secured(mode: SecuringMode = SecuringMode.SECURED) -> SecuredInvoice:
    return Practice().secured(mode)


def summed(groups: list[Group]) -> bytes:
    """Groups with their right checksum: what a forger writes."""
    body = encode(groups)
    return body + encode([Group(9809, (hashlib.sha256(body).digest(),))])


def groups_of(sheet: SecuredInvoice) -> list[Group]:
    return list(decode(encode_secured(sheet)))[:-1]


@pytest.mark.parametrize("mode", SecuringMode)
def test_what_is_written_is_read_back(mode: SecuringMode) -> None:
    data = encode_secured(secured(mode))
    assert decode_secured(data) == secured(mode)
    assert encode_secured(decode_secured(data)) == data


def test_the_bytes_say_first_that_they_are_the_laboratory_s() -> None:
    assert b"BIFENTE LABORATOIRE" in encode_secured(secured())[:24]


SIGNATURES = st.builds(
    CardSignature,
    signer=st.just(Signer.INSURED),
    certificate=st.binary(max_size=2000),
    value=st.binary(max_size=300),
    moment=st.from_regex(r"[0-9]{14}", fullmatch=True),
)


@given(st.binary(min_size=1, max_size=3000), st.none() | SIGNATURES, st.booleans())
def test_any_content_and_signature_come_back(content: bytes, insured: CardSignature | None, paper: bool) -> None:
    sheet = SecuredInvoice(content, insured, None, paper)
    assert decode_secured(encode_secured(sheet)) == sheet


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fall(data: bytes) -> None:
    with pytest.raises(SecuredFormatError):
        decode_secured(data)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_any_byte_changed_is_refused(data: st.DataObject) -> None:
    good = encode_secured(secured())
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(SecuredFormatError) as caught:
        decode_secured(bytes(bad))
    assert caught.value.place
    assert caught.value.reason
    assert caught.value.cure


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_forger_who_computes_the_checksum_is_refused_too(data: st.DataObject) -> None:
    groups = groups_of(secured())
    places = [(1, 0), *product((2, 3), (0, 1))]
    index, field = data.draw(st.sampled_from(places))
    fields = [bytearray(value) for value in groups[index].fields]
    at = data.draw(st.integers(0, len(fields[field]) - 1))
    fields[field][at] ^= data.draw(st.integers(1, 255))
    groups[index] = Group(groups[index].id, tuple(map(bytes, fields)))
    assert Verifier(anchors()).verify(decode_secured(summed(groups)), LATER)


def _without(number: int) -> Callable[[list[Group]], list[Group]]:
    return lambda groups: [group for group in groups if group.id != number]


def _field(number: int, field: int, value: bytes) -> Callable[[list[Group]], list[Group]]:
    def change(groups: list[Group]) -> list[Group]:
        return [
            Group(group.id, (*group.fields[:field], value, *group.fields[field + 1 :])) if group.id == number else group
            for group in groups
        ]

    return change


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (_without(9800), "secured sheet"),
        (_without(9801), "secured sheet"),
        (lambda groups: groups[::-1], "secured sheet"),
        (lambda groups: [*groups, groups[-1]], "secured sheet"),
        (lambda groups: [*groups, Group(9804, (b"",))], "group 9804"),
        (lambda groups: [*groups[:-1], Group(9803, (b"", b""))], "group 9803"),
        (_field(9800, 0, b"GIE SESAM-VITALE"), "group 9800"),
        (_field(9800, 1, b"2"), "group 9800"),
        (_field(9800, 2, b"o"), "group 9800"),
        (_field(9801, 0, b""), "group 9801"),
        (_field(9802, 2, b"20260303"), "group 9802"),
        (_field(9802, 2, "٠".encode() * 14), "group 9802"),
        (_field(9803, 2, b"2026030309000\n"), "group 9803"),
    ],
)
def test_what_is_no_secured_sheet_is_refused_with_its_place(
    change: Callable[[list[Group]], list[Group]], place: str
) -> None:
    with pytest.raises(SecuredFormatError) as caught:
        decode_secured(summed(change(groups_of(secured()))))
    assert caught.value.place == place


def test_a_moment_that_changed_is_told_by_the_checksum() -> None:
    changed = [*groups_of(secured())]
    certificate, value, _moment = changed[2].fields
    changed[2] = Group(9802, (certificate, value, b"20260303090001"))
    with pytest.raises(SecuredFormatError) as caught:
        decode_secured(encode([*changed, decode(encode_secured(secured()))[-1]]))
    assert caught.value.place == "group 9809"


def test_a_refusal_keeps_the_content_so_that_the_sheet_can_be_named() -> None:
    good = encode_secured(secured())
    with pytest.raises(SecuredFormatError) as caught:
        decode_secured(good[:-1] + bytes([good[-1] ^ 1]))
    assert caught.value.content == secured().content
    with pytest.raises(SecuredFormatError) as caught:
        decode_secured(good[:-1])
    assert caught.value.content is None


@pytest.mark.parametrize(
    "sheet",
    [
        SecuredInvoice(b""),
        SecuredInvoice(b"a", insured=CardSignature(Signer.PROFESSIONAL, b"", b"", "20260303090000")),
        SecuredInvoice(b"a", professional=CardSignature(Signer.PROFESSIONAL, b"", b"", "2026-03-03")),
        SecuredInvoice(bytes(0x10000)),
    ],
)
def test_what_could_not_be_read_back_is_not_written(sheet: SecuredInvoice) -> None:
    with pytest.raises(SecuredFormatError):
        encode_secured(sheet)
