"""Files: their names, what they carry, the envelope for one body, and everything that is no longer as it left."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from asn1crypto import cms
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7EnvelopeBuilder, PKCS7Options
from fse_samples import AMC, PROFESSIONAL, TODAY, sample_invoice
from hypothesis import given, settings
from hypothesis import strategies as st
from securing_bench import keys, pki

from bifente.simulator.formats.fse.canonical import canonical
from bifente.simulator.formats.fse.envelope import EnvelopeError, is_sealed, seal, unseal
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.files import (
    FileHead,
    file_name,
    file_profiles,
    make_file,
    named,
    open_file,
    read_file,
)
from bifente.simulator.formats.fse.frames import frame, summed, unsummed
from bifente.simulator.formats.fse.lots import make_dre_lots, make_lots, numbers
from bifente.simulator.formats.fse.model import (
    CareAct,
    Dre,
    Lot,
    LotKind,
    Nomenclature,
    SecuredInvoice,
    SecuringMode,
    TransportFile,
)
from bifente.simulator.pki.body_certificates import BodyIdentity, body_identity
from bifente.simulator.pki.certificate_profiles import SIGNATURE, Validity
from bifente.simulator.pki.subjects import organisation

CNAM, MSA = "013490349", "023490349"
YEAR = Validity(date(2026, 1, 1), date(2026, 12, 31))


def body(number: str = CNAM) -> BodyIdentity:
    return body_identity(number, pki(), keys(), YEAR)


def lots_of(*which: int, body: str = CNAM, **changes: object) -> tuple[Lot, ...]:
    sheets = [SecuredInvoice(canonical(sample_invoice(number=one, body=body, **changes))) for one in which or (1, 2)]
    return make_lots(sheets, on=TODAY, numbers=numbers(LotKind.FSE))


def dre_lots() -> tuple[Lot, ...]:
    dres = [Dre(1, 1, TODAY, AMC, 900)]
    return make_dre_lots(dres, sender=PROFESSIONAL.billing_id, on=TODAY, numbers=numbers(LotKind.DRE))


# -- names and profiles -----------------------------------------------------------------------------------------------


def test_the_name_says_it_all_and_is_read_back() -> None:
    file = make_file(lots_of(), body().certificate, number=7)
    assert file.name == "TP00000991000019-013490349-20260302-007.fse.p7m"
    assert (file.number, file.sender, file.body) == (7, "991000019", CNAM)
    assert named(file.name) == FileHead(7, "991000019", CNAM, TODAY, LotKind.FSE)
    assert make_file(dre_lots()).name == "TP00000991000019-99999349-20260302-001.dre"


@given(st.integers(0, 999), st.from_regex("[0-9]{9}", fullmatch=True), st.dates(), st.sampled_from(LotKind))
def test_names_come_back(number: int, sender: str, on: date, kind: LotKind) -> None:
    head = FileHead(number, sender, CNAM, on, kind)
    assert {named(file_name(head, sealed=sealed)) for sealed in (True, False)} == {head}


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x.fse",
        "TP00000991000019-013490349-20260302-007.fse.p7m\n",
        "TP00000991000019-013490349-20260231-007.fse",
        "TP10000991000019-013490349-20260302-007.fse",
        "TP00000991000019-013490349-20260302-07.fse",
        "../TP00000991000019-013490349-20260302-007.fse",
        "TP٠٠٠٠٠991000019-013490349-20260302-007.fse",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(FseError, match="file name"):
        named(name)


def test_profiles_say_what_they_encrypt_and_carry() -> None:
    found = file_profiles()
    desynchronised, every = SecuringMode.DESYNCHRONISED, frozenset(SecuringMode)
    assert {name: (item.encrypted, desynchronised in item.modes) for name, item in found.items()} == {
        "1.31": (False, False),
        "1.40-clear": (False, True),
        "1.40-clear-synchronised": (False, False),
        "1.40-synchronised": (True, False),
        "1.40": (True, True),
    }
    assert all(item.modes | {desynchronised} == every for item in found.values())
    assert {name for name, item in found.items() if item.nomenclatures != frozenset(Nomenclature)} == {"1.31"}
    assert {name for name, item in found.items() if item.kinds != frozenset(LotKind)} == {"1.31"}
    assert all(item.source for item in found.values())


def test_before_140_no_ccam() -> None:
    ccam = CareAct(Nomenclature.CCAM, "HBJD001", TODAY, 1, Decimal(1), 2892, 2892, 70)
    lots = lots_of(acts=(*sample_invoice().acts, ccam))
    with pytest.raises(FseError, match=r"1.31 does not know ccam act HBJD001"):
        make_file(lots, profile="1.31")
    assert open_file(make_file(lots, profile="1.40-clear-synchronised")) == lots


def test_before_140_no_claims() -> None:
    with pytest.raises(FseError, match=r"1.31 carries no lots of claims"):
        make_file(dre_lots(), profile="1.31")
    assert open_file(make_file(dre_lots(), profile="1.40-clear-synchronised")) == dre_lots()


def test_a_profile_without_the_desynchronised_signature() -> None:
    me = body()
    lots = lots_of(1, 2, mode=SecuringMode.DESYNCHRONISED)
    with pytest.raises(FseError, match=r"1.40-synchronised does not know securing mode 4"):
        make_file(lots, me.certificate, profile="1.40-synchronised")
    with pytest.raises(FseError, match=r"1.40-clear-synchronised does not know securing mode 4"):
        make_file(lots, profile="1.40-clear-synchronised")
    assert open_file(make_file(lots_of(), me.certificate, profile="1.40-synchronised"), me.key, me.certificate)


def test_before_140_no_desynchronised_signature() -> None:
    lots = lots_of(mode=SecuringMode.DESYNCHRONISED)
    with pytest.raises(FseError, match="securing mode 4"):
        make_file(lots, profile="1.31")
    assert open_file(make_file(lots, profile="1.40-clear")) == lots
    assert open_file(make_file(lots_of(), profile="1.31")) == lots_of()


@pytest.mark.parametrize(("profile", "sealed"), [("1.40", False), ("1.40-clear", True), ("1.31", True), ("2.0", True)])
def test_a_profile_and_its_certificate_go_together(profile: str, sealed: bool) -> None:
    with pytest.raises(FseError, match=r"profile"):
        make_file(lots_of(), body().certificate if sealed else None, profile=profile)


# -- what a file carries ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sealed", [True, False])
def test_a_file_gives_its_lots_back(sealed: bool) -> None:
    me = body()
    for lots in (lots_of(), (*lots_of(1, 2, 3), replace(lots_of(9)[0], number="001")), dre_lots()):
        file = make_file(lots, me.certificate if sealed else None)
        assert is_sealed(file.data) is sealed
        assert open_file(file, me.key, me.certificate) == lots
        assert open_file(file.data, me.key, me.certificate) == lots


def test_one_body_one_sender_one_kind() -> None:
    mine = lots_of()
    for others, what in (
        (lots_of(3, body=MSA), "body"),
        (lots_of(3, professional__billing_id="992000018"), "sender"),
        (tuple(replace(lot, body=CNAM) for lot in dre_lots()), "kind"),
    ):
        with pytest.raises(FseError, match=f"differ in {what}"):
            make_file(mine + others)


@pytest.mark.parametrize("number", [-1, 1000])
def test_a_file_number_has_three_digits(number: int) -> None:
    with pytest.raises(FseError, match="3 digits"):
        make_file(lots_of(), number=number)


def test_no_lot_no_file() -> None:
    with pytest.raises(FseError, match="0 lots"):
        make_file([])


def test_an_announcement_that_lies() -> None:
    file = make_file(lots_of())
    for changes in ({"number": 2}, {"sender": "992000018"}, {"body": MSA}):
        with pytest.raises(FseError, match="announced"):
            open_file(replace(file, **changes))


def test_the_lots_are_those_of_the_header() -> None:
    mine, other = make_file(lots_of()).data, make_file(lots_of(body=MSA)).data
    header = 4 + int.from_bytes(mine[:4], "big")
    with pytest.raises(FseError, match="not of the sender"):
        open_file(mine[:header] + other[header:])


@given(st.data())
def test_a_cut_file_is_refused(data: st.DataObject) -> None:
    raw = make_file(lots_of()).data
    with pytest.raises(FseError):
        open_file(raw[: data.draw(st.integers(0, len(raw) - 1))])


def test_what_follows_is_refused() -> None:
    with pytest.raises(FseError, match="follow the end"):
        open_file(make_file(lots_of()).data + b"\0")


@given(st.binary(max_size=300))
def test_noise_is_refused(data: bytes) -> None:
    with pytest.raises(FseError):
        open_file(data, body().key, body().certificate)


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"\x0220260302"[1:], b"20260230"), (b"TP0000", b"XX0000"), (b"\x03001", b"\x0300A"), (b"BIF", b"bif")],
)
def test_a_header_that_is_not_ours(old: bytes, new: bytes) -> None:
    data = make_file(lots_of()).data
    end = 4 + int.from_bytes(data[:4], "big")
    header = unsummed(data[4:end], "header")
    assert old in header
    with pytest.raises(FseError) as caught:
        open_file(frame(summed(header.replace(old, new, 1))) + data[end:])
    assert "bytes are not those" not in caught.value.reason


@pytest.mark.parametrize(("old", "new"), [(b"20260302", b"20260303"), (b"\x03001", b"\x03002"), (b"BIF", b"bif")])
def test_another_day_or_number_of_a_file_is_noticed(old: bytes, new: bytes) -> None:
    data = make_file(lots_of()).data
    assert old in data
    with pytest.raises(FseError, match="file, byte 0: its header: its bytes are not those that were written"):
        open_file(data.replace(old, new, 1))


@given(st.binary(max_size=80))
def test_nothing_but_what_was_summed_is_unsummed(data: bytes) -> None:
    assert unsummed(summed(data), "here") == data
    for other in (data, data + b"\0", b"\0" + summed(data), summed(data)[:-1], summed(data) + b"\0"):
        with pytest.raises(FseError, match="here"):
            unsummed(other, "here")


# -- the envelope -----------------------------------------------------------------------------------------------------


def test_nothing_of_the_sheet_can_be_read_in_it() -> None:
    file = make_file(lots_of(), body().certificate)
    assert b"TESTASSURE" in make_file(lots_of()).data
    for secret in (b"TESTASSURE", b"1801913055001", b"BIFENTE"):
        assert secret not in file.data


def test_it_is_aes_256_for_one_recipient() -> None:
    content = cms.ContentInfo.load(seal(b"x", body().certificate))["content"]
    assert content["encrypted_content_info"]["content_encryption_algorithm"]["algorithm"].native == "aes256_cbc"
    assert len(content["recipient_infos"]) == 1


def test_two_envelopes_of_the_same_are_not_the_same() -> None:
    assert seal(b"x", body().certificate) != seal(b"x", body().certificate)


def test_without_a_key_it_stays_closed() -> None:
    file, me = make_file(lots_of(), body().certificate), body()
    for key, certificate in ((None, None), (me.key, None), (None, me.certificate)):
        with pytest.raises(FseError, match="give the key"):
            open_file(file, key, certificate)


def test_another_body_cannot_open_it() -> None:
    file, other = make_file(lots_of(), body().certificate), body(MSA)
    with pytest.raises(EnvelopeError, match="another recipient"):
        open_file(file, other.key, other.certificate)
    with pytest.raises(EnvelopeError, match="not that of the certificate"):
        open_file(file, other.key, body().certificate)


def test_a_certificate_of_signature_seals_nothing() -> None:
    authority, me = pki().authority(*_places()), body()
    made = authority.issue(
        subject=organisation(name="X", structure_id="1", department="Paris (75)", common_name="X"),
        public_key=me.key.public_key(),
        validity=YEAR,
        profile=SIGNATURE,
    )
    with pytest.raises(EnvelopeError, match="not for encipherment"):
        seal(b"x", made)


def _places():  # type: ignore[no-untyped-def]
    from bifente.simulator.pki.authority import Branch, CertificateLevel

    return CertificateLevel.STANDARD, Branch.ORGANISATIONS


def test_a_body_always_has_the_same_certificate() -> None:
    me = body()
    assert me.certificate == body().certificate
    assert me.certificate != body(MSA).certificate
    usage = me.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.key_encipherment
    assert not usage.digital_signature
    for child, parent in zip(me.chain, me.chain[1:], strict=False):
        child.verify_directly_issued_by(parent)


@pytest.fixture(scope="module")
def sealed() -> TransportFile:
    return make_file(lots_of(1), body().certificate)


def test_one_changed_byte_never_gives_the_same_lots(sealed: TransportFile) -> None:
    """CBC lets a change of the content through to what it decrypts to: that is what lots and sheets are signed for."""
    me, expected = body(), open_file(sealed, body().key, body().certificate)
    silent = 0
    for at in range(len(sealed.data)):
        changed = bytearray(sealed.data)
        changed[at] ^= 0x01
        try:
            found = open_file(bytes(changed), me.key, me.certificate)
        except FseError:
            continue
        silent += 1
        assert found != expected
    assert silent == 0  # sheets are checksummed: not one passes even here


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_cut_envelope_is_refused(data: st.DataObject) -> None:
    me, raw = body(), make_file(lots_of(1), body().certificate).data
    with pytest.raises(FseError):
        open_file(raw[: data.draw(st.integers(0, len(raw) - 1))], me.key, me.certificate)
    with pytest.raises(EnvelopeError):
        unseal(raw + b"\0", me.certificate, me.key)


def test_other_envelopes_than_ours_are_refused() -> None:
    me, other = body(), body(MSA)
    builder = PKCS7EnvelopeBuilder().set_data(b"x").add_recipient(me.certificate)
    for raw in (
        builder.encrypt(Encoding.DER, [PKCS7Options.Binary]),  # AES-128
        builder.add_recipient(other.certificate).encrypt(Encoding.DER, [PKCS7Options.Binary]),
        cms.ContentInfo({"content_type": "data", "content": b"x"}).dump(),
        b"\x30\x80\x00\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30" * 5000,
    ):
        with pytest.raises(EnvelopeError):
            unseal(raw, me.certificate, me.key)


def test_what_is_sealed_by_somebody_else_is_still_read_as_a_file() -> None:
    me = body()
    with pytest.raises(FseError):
        read_file(seal(b"hello", me.certificate), me.key, me.certificate)
    assert unseal(seal(b"hello", me.certificate), me.certificate, me.key) == b"hello"
    assert unseal(seal(b"", me.certificate), me.certificate, me.key) == b""
