from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.iso7816 import fcp
from bifente.simulator.iso7816.fcp import FcpError, FileControl

CONTROLS = st.builds(
    FileControl,
    descriptor=st.sampled_from([fcp.TRANSPARENT_EF, fcp.DF, 0x02]),
    fid=st.none() | st.integers(0, 0xFFFF),
    size=st.none() | st.integers(0, 0xFFFF),
    name=st.none() | st.binary(min_size=1, max_size=16),
    short_identifier=st.none() | st.integers(0, 30),
    life_cycle=st.none() | st.integers(0, 255),
    acl=st.none() | st.binary(max_size=8),
    contactless_acl=st.none() | st.binary(max_size=8),
)


@given(CONTROLS, st.sampled_from([fcp.FCP_TEMPLATE, fcp.FCI_TEMPLATE]))
def test_what_is_encoded_is_parsed_back(control: FileControl, template: int) -> None:
    raw = control.encode(template)
    assert raw[0] == template
    assert FileControl.parse(raw) == control


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda body: bytes((0x62, len(body))) + body))
def test_arbitrary_bytes_are_a_template_or_a_clear_error(raw: bytes) -> None:
    try:
        FileControl.parse(raw)
    except FcpError as error:
        assert str(error)  # noqa: PT017


def test_the_bytes_of_a_real_card() -> None:
    # CARD-CPS3-12: an EF with a short identifier, one without, a DF.
    acl = bytes.fromhex("7BFFFFFFFFFF00")
    assert FileControl(0x01, 0xD003, 12, None, 0x1C, acl=acl, contactless_acl=acl).encode() == bytes.fromhex(
        "62258002000C8201018302D0038801E0A1128C077BFFFFFFFFFF009C077BFFFFFFFFFF008A0105"
    )
    assert FileControl(0x01, 0xD010, 20, None, 0, acl=acl, contactless_acl=acl).encode() == bytes.fromhex(
        "6224800200148201018302D0108800A1128C077BFFFFFFFFFF009C077BFFFFFFFFFF008A0105"
    )
    name = bytes.fromhex("E828BD080F8025000001FF0010")
    assert FileControl(0x38, 0x0001, name=name, acl=b"\x02\x00").encode() == bytes.fromhex(
        "621F82013883020001840DE828BD080F8025000001FF00108A0105A1048C020200"
    )


def test_a_family_with_other_objects_is_served_too() -> None:
    # The next family answers an FCI without short identifier nor access rules.
    assert FileControl(0x01, 0xD003, 12).encode(fcp.FCI_TEMPLATE) == bytes.fromhex("6F0E8002000C8201018302D0038A0105")
    assert FileControl.parse(bytes.fromhex("6F078102000C820101")).size == 12


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "6200",
        "62038001AA",
        "6203820100" + "00",
        "6403820101",
        "6206820101830103",
        "620682010188020000",
        "6203820101620100",
    ],
)
def test_what_is_no_template_is_refused(raw: str) -> None:
    with pytest.raises(FcpError):
        FileControl.parse(bytes.fromhex(raw))


@pytest.mark.parametrize(
    "control",
    [FileControl(1, size=0x10000), FileControl(1, fid=-1), FileControl(256), FileControl(1, short_identifier=31)],
)
def test_values_that_do_not_fit_are_refused(control: FileControl) -> None:
    with pytest.raises(FcpError):
        control.encode()
