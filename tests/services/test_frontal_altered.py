"""One changed byte anywhere in a signed sheet is refused by a negative ARL that names it, in every way
a byte can change: on the way in a file, in an envelope, or by somebody who mends the checksums after it.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache

import pytest
from frontal_bench import NOW, Bench, bench, claim, signature
from hypothesis import given, settings
from hypothesis import strategies as st
from securing_bench import anchors, keys

from simulator.clock import VirtualClock
from simulator.fse.body_certificates import BodyIdentity
from simulator.fse.files import make_file
from simulator.fse.frames import frame
from simulator.fse.lots import encode_lot, signed_content
from simulator.fse.model import Arl, ArlKind, Lot, SecuredInvoice, Signature, Signer
from simulator.fse.securing import encode_secured
from simulator.services.frontal import Frontal
from simulator.services.frontal.laboratory import identity
from simulator.services.frontal.returns import decode_return, encode_return

BODY = "013490349"


@cache
def sheets() -> tuple[SecuredInvoice, ...]:
    bench = Bench()
    return tuple(bench.secured(number) for number in (6, 7, 8))


@cache
def lot() -> Lot:
    return Bench().lot(*sheets())


@cache
def plain() -> tuple[bytes, str]:
    return Bench().file(lot())


@cache
def sealed() -> tuple[bytes, str]:
    made = make_file([lot()], own().certificate)
    return made.data, made.name


@cache
def own() -> BodyIdentity:
    return identity(BODY, keys())


def answer(data: bytes, name: str) -> Arl:
    """What a front end that never saw a file says."""
    (arl,) = Frontal(VirtualClock(NOW), anchors(), own().key, own().certificate).submit(data, name)
    assert decode_return(encode_return(arl)) == arl
    return arl


def changed(data: bytes, at: int, bits: int) -> bytes:
    return data[:at] + bytes([data[at] ^ bits]) + data[at + 1 :]


flips = st.integers(1, 255)


def test_unchanged_it_is_accepted_in_clear_and_in_an_envelope() -> None:
    assert answer(*plain()).kind is ArlKind.POSITIVE
    assert answer(*sealed()).kind is ArlKind.POSITIVE


@given(st.data(), flips, st.sampled_from([0, 1, 2]))
@settings(max_examples=150)
def test_a_byte_of_a_sheet_changed_on_the_way_names_that_sheet(data: st.DataObject, bits: int, which: int) -> None:
    file, name = plain()
    secured = encode_secured(sheets()[which])
    at = data.draw(st.integers(0, len(secured) - 1))
    arl = answer(changed(file, file.index(secured) + at, bits), name)
    assert arl.kind is ArlKind.NEGATIVE
    assert [(reason.code, reason.invoice) for reason in arl.rejections] == [("altered", 6 + which)]
    assert (arl.lot, arl.file) == ("000", name)


@given(st.data(), flips)
@settings(max_examples=150)
def test_a_byte_changed_anywhere_in_a_file_is_refused_and_the_file_is_named(data: st.DataObject, bits: int) -> None:
    file, name = plain()
    arl = answer(changed(file, data.draw(st.integers(0, len(file) - 1)), bits), name)
    assert arl.kind is ArlKind.NEGATIVE
    assert arl.file == name
    for reason in arl.rejections:
        assert reason.invoice is not None or reason.place


@given(st.data(), flips)
@settings(max_examples=60)
def test_a_byte_changed_anywhere_in_an_envelope_is_refused(data: st.DataObject, bits: int) -> None:
    file, name = sealed()
    arl = answer(changed(file, data.draw(st.integers(0, len(file) - 1)), bits), name)
    assert arl.kind is ArlKind.NEGATIVE
    assert (arl.file, arl.sender, arl.body) == (name, "991000019", BODY)


def forged(sheet: SecuredInvoice, part: str, at: float, bits: int) -> SecuredInvoice:
    """A sheet with one byte of a part of it changed, well formed again: who forges can mend a checksum."""
    if part == "content":
        return replace(sheet, content=changed(sheet.content, int(at * len(sheet.content)), bits))
    signer, field = part.split(".")
    signature: Signature = getattr(sheet, signer)
    value: bytes = getattr(signature, field)
    return replace(sheet, **{signer: replace(signature, **{field: changed(value, int(at * len(value)), bits)})})


@given(
    st.sampled_from(
        ["content", "insured.certificate", "insured.value", "professional.certificate", "professional.value"]
    ),
    st.floats(0, 1, exclude_max=True),
    flips,
)
@settings(max_examples=250)
def test_a_forged_byte_names_the_sheet_even_when_its_sender_signs_the_lot_anew(part: str, at: float, bits: int) -> None:
    seven = sheets()[1]
    bad = _with_item(lot(), seven, forged(seven, part, at, bits), bench())
    arl = answer(*bad)
    assert arl.kind is ArlKind.NEGATIVE
    assert {reason.invoice for reason in arl.rejections} == {7}


def _with_item(good: Lot, old: SecuredInvoice, new: SecuredInvoice, bench: Bench) -> tuple[bytes, str]:
    """The file of a lot in which a sheet was replaced, its digest and the lot's signature made anew."""
    before, after = encode_secured(old), encode_secured(new)
    then, now = hashlib.sha256(before).digest(), hashlib.sha256(after).digest()
    covered = signed_content(good)
    assert covered.count(then) == 1
    resigned = replace(good, signature=signature(Signer.PROFESSIONAL, covered.replace(then, now), bench.cps))
    data = encode_lot(resigned).replace(then + frame(before), now + frame(after))
    file, name = bench.file(good)
    return file.replace(frame(encode_lot(good)), frame(data)), name


@pytest.mark.parametrize("kept", [0, 1, 3, 4, 5, 60, 200, 2000, -257, -1])
def test_a_file_cut_short_names_its_lot_where_that_can_be_told(kept: int) -> None:
    file, name = plain()
    arl = answer(file[:kept], name)
    assert arl.kind is ArlKind.NEGATIVE
    assert [reason.code for reason in arl.rejections] == ["file-unreadable"]
    assert arl.rejections[0].place
    assert (arl.sender, arl.body) == ("991000019", BODY)


def test_frames_that_no_longer_hold_name_the_lot_and_the_place() -> None:
    file, name = plain()
    sheet = encode_secured(sheets()[1])
    at = file.index(sheet) - 4  # its length
    arl = answer(changed(file, at + 3, 1), name)
    (reason,) = arl.rejections
    assert (arl.lot, reason.code) == ("000", "file-unreadable")
    assert reason.place.startswith("lot, byte ")


@given(st.binary(max_size=400), st.text(max_size=40))
def test_any_bytes_under_any_name_get_a_negative_arl(data: bytes, name: str) -> None:
    assert answer(data, name).kind is ArlKind.NEGATIVE


@given(st.data(), flips)
@settings(max_examples=60)
def test_a_changed_byte_of_a_lot_of_claims_is_refused(data: st.DataObject, bits: int) -> None:
    bench = Bench()
    file, name = bench.file(bench.claims(claim(1), claim(2, 2)))
    assert answer(changed(file, data.draw(st.integers(0, len(file) - 1)), bits), name).kind is ArlKind.NEGATIVE
