"""One changed byte anywhere in a signed sheet is refused by a negative ARL that names it, in every way
a byte can change: on the way in a file, in an envelope, or by somebody who mends the checksums after it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
from frontal_bench import NOW, Bench, bench, claim, signature
from hypothesis import given, settings
from hypothesis import strategies as st
from securing_bench import anchors, keys

from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.fse.files import make_file
from bifente.simulator.formats.fse.frames import frame
from bifente.simulator.formats.fse.lots import encode_lot, signed_content
from bifente.simulator.formats.fse.model import Arl, ArlKind, CardSignature, Lot, SecuredInvoice, Signer
from bifente.simulator.formats.fse.returns import decode_return, encode_return
from bifente.simulator.formats.fse.securing.codec import encode_secured
from bifente.simulator.pki.body_certificates import BodyIdentity
from bifente.simulator.services.frontal.frontal import Frontal
from bifente.simulator.services.frontal.laboratory import identity

pytestmark = pytest.mark.long

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
    return identity(keys(), BODY)


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


@pytest.mark.parametrize("share", range(4))
def test_each_byte_around_the_sheets_of_a_file_is_covered(share: int) -> None:
    """Headers, numbers, digests, lengths, the lot's signature with its moment: one bit that keeps a digit a digit."""
    file, name = plain()
    inside = {file.index(encode_secured(one)) + at for one in sheets() for at in range(len(encode_secured(one)))}
    around = [at for at in range(len(file)) if at not in inside]
    assert len(around) > 1000
    told = [at for at in around[share::4] if answer(changed(file, at, 1), name).kind is ArlKind.POSITIVE]
    assert told == []


@cache
def of_two() -> tuple[bytes, str]:
    """A file of two lots."""
    bench = Bench()
    return bench.file(bench.lot(*sheets()[:2]), bench.lot(sheets()[2], number="001"))


def refuses(data: bytes, name: str) -> bool:
    """Whether a front end that never saw a file takes nothing of it, and then all of the good one."""
    frontal = Frontal(VirtualClock(NOW), anchors())
    bad = frontal.submit(data, name)
    good = frontal.submit(*of_two())
    assert [arl.kind for arl in good] == [ArlKind.POSITIVE] * 2
    return bool(bad) and all(arl.kind is ArlKind.NEGATIVE for arl in bad)


def test_of_a_file_with_one_altered_lot_none_is_taken_and_the_good_file_is() -> None:
    file, name = of_two()
    frontal = Frontal(VirtualClock(NOW), anchors())
    at = file.index(encode_secured(sheets()[1])) + 100
    bad = frontal.submit(changed(file, at, 1), name)
    assert [(arl.lot, *((one.code, one.invoice) for one in arl.rejections)) for arl in bad] == [
        ("000", ("altered", 7)),
        ("001", ("file-unreadable", None)),
    ]
    assert [arl.kind for arl in frontal.submit(file, name)] == [ArlKind.POSITIVE] * 2
    assert refuses(changed(file, file.index(encode_secured(sheets()[2])) + 100, 1), name)


@pytest.mark.parametrize(
    ("code", "forge"),
    [
        ("signature-altered", lambda one: replace(one, value=changed(one.value, 0, 1))),
        ("content-altered", lambda one: replace(one, value=sheets()[0].professional.value)),  # type: ignore[union-attr]
        ("certificate-unreadable", lambda one: replace(one, certificate=b"none")),
        ("certificate-unknown-issuer", lambda one: replace(one, certificate=sheets()[0].insured.certificate)),  # type: ignore[union-attr]
    ],
)
def test_beside_a_lot_whose_signature_was_forged_none_is_taken(
    code: str, forge: Callable[[CardSignature], CardSignature]
) -> None:
    """By somebody who mends the checksums after it; the good file is taken all the same."""
    good = bench().lot(*sheets()[:2])
    assert good.signature is not None
    other = bench().lot(sheets()[2], number="001")
    bad = make_file([replace(good, signature=forge(good.signature)), other])
    frontal = Frontal(VirtualClock(NOW), anchors())
    first, second = frontal.submit(bad.data, bad.name)
    assert code in {one.code for one in first.rejections}
    assert [one.code for one in second.rejections] == ["file-unreadable"]
    whole = make_file([good, other])
    assert whole.name == bad.name
    assert [arl.kind for arl in frontal.submit(whole.data, whole.name)] == [ArlKind.POSITIVE] * 2


@given(st.data(), flips)
@settings(max_examples=150)
def test_a_byte_changed_anywhere_in_a_file_of_two_lots_has_both_refused(data: st.DataObject, bits: int) -> None:
    file, name = of_two()
    assert refuses(changed(file, data.draw(st.integers(0, len(file) - 1)), bits), name)


@pytest.mark.parametrize("share", range(3))
def test_the_bytes_around_the_sheets_of_two_lots_are_covered(share: int) -> None:
    file, name = of_two()
    inside = {file.index(encode_secured(one)) + at for one in sheets() for at in range(len(encode_secured(one)))}
    around = [at for at in range(len(file)) if at not in inside]
    assert len(around) > 2000
    assert [at for at in around[18 * share :: 54] if not refuses(changed(file, at, 1), name)] == []


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
    signature: CardSignature = getattr(sheet, signer)
    value: bytes = getattr(signature, field)
    return replace(sheet, **{signer: replace(signature, **{field: changed(value, int(at * len(value)), bits)})})


@given(
    st.sampled_from(
        ["content", "insured.certificate", "insured.value", "professional.certificate", "professional.value"]
    ),
    st.floats(0, 1, exclude_max=True),
    flips,
)
@settings(max_examples=100)
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
