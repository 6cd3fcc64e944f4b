from __future__ import annotations

import contextlib
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from bifente.simulator.cards.cpx.business import (
    MAX_DATA,
    MAX_SITUATIONS,
    NAME_LENGTH,
    OBJECTS,
    Activity,
    Billing,
    BillingSituation,
    BusinessError,
    BusinessObject,
    CardIdentity,
    HolderData,
    HolderName,
    HolderProfession,
    Languages,
    decode,
)
from bifente.simulator.cards.cpx.fields import Byte, Codec, Day, Digits, Hex, Texts, Words

# ISO 8859-1 letters but "ÿ", which separates names. A plain list: the first use of st.characters costs a second.
letters = [chr(code) for code in range(0x20, 0xFF) if chr(code).isalnum()]


def texts(longest: int) -> st.SearchStrategy[str]:
    return st.text(letters, min_size=1, max_size=longest)


def digits(least: int, most: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=least, max_size=most)


SPECIAL = {
    "sector": st.integers(0, 99).map("SA{:02}".format),
    "speciality": texts(4).filter(lambda text: len(text) == 4),
    "structure_id": digits(9, 9).map("1{}".format) | digits(14, 14).map("4{}".format),
    "language": st.sampled_from(["fr", "fren"]),
}


def values(name: str, codec: Codec) -> st.SearchStrategy[Any]:
    if name in SPECIAL:
        return SPECIAL[name]
    match codec:
        case Byte():
            return st.integers(0, 255)
        case Words(longest=longest):
            return texts(longest)
        case Texts(most=most, longest=longest):
            return st.lists(texts(longest), min_size=1, max_size=most).map(tuple)
        case Digits(least=least, most=most):
            return digits(least, most)
        case Day():
            return st.dates()
        case Hex(longest=longest):
            return st.binary(min_size=1, max_size=longest).map(lambda data: data.hex().upper())
    raise AssertionError(name)


def trees(model: Any) -> st.SearchStrategy[Any]:
    fields = {name: values(name, place.codec) for name, place in model.places().items()}
    # Second values of a shared tag need the first: they come with it or not at all.
    later = {"flags", "mode_detail"}
    first = {name: field for name, field in fields.items() if name not in later}
    required = {"flags": "profession", "mode_detail": "mode"}
    return st.fixed_dictionaries({}, optional={**first, **{n: fields[n] for n in later & set(fields)}}).map(
        lambda given: model(**{n: v for n, v in given.items() if n not in required or required[n] in given})
    )


objects = st.one_of(
    *(trees(model) for model in (CardIdentity, HolderName, HolderProfession, Activity, Languages)),
    st.lists(trees(BillingSituation), max_size=MAX_SITUATIONS).map(lambda items: Billing(situations=tuple(items))),
    st.binary(min_size=1, max_size=600).map(lambda content: HolderData(content=content)),
)


@settings(deadline=None)
@given(objects)
def test_what_is_written_is_read_back(item: BusinessObject | HolderData) -> None:
    data = item.encode()
    assert type(item).decode(data) == item
    if not isinstance(item, HolderData):
        assert type(item).decode(data + b"\0\0\0") == item, "zeros are the unused end of a file"


@settings(deadline=None)
@given(st.sampled_from(sorted(OBJECTS)), st.binary(max_size=80))
def test_any_bytes_give_an_object_or_one_error(name: str, data: bytes) -> None:
    with contextlib.suppress(BusinessError):
        assert all(label and isinstance(value, str) for label, value in decode(name, data).rows("fr"))


@settings(deadline=None)
@given(objects, st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_byte_gives_an_object_or_one_error(
    item: BusinessObject | HolderData, position: int, value: int
) -> None:
    data = bytearray(item.encode())
    data[position % len(data)] = value
    with contextlib.suppress(BusinessError):
        type(item).decode(bytes(data))


VECTORS = {
    "CPS_ID_CARD": "E31E 8006 80250000010F 8105 2600971845 8201 00 8304 20260101 8404 20290131",
    "CPS_ACTIVITY_01_PS": (
        "EE34 8001 01 8101 10 8203 423132 8302 4333 840C 434142494E45542054455354"
        " 850F 343939373030303030303030303038 8604 53413037"
    ),
    "CPS_ACTIVITY_05_PS": (
        "EE27 8001 01 8410 484F504954414C2053504543494D454E 850A 31304230303030303030 8604 53413031"
    ),
}


@pytest.mark.parametrize("name", VECTORS)
def test_examples_a_real_card_tool_showed(name: str) -> None:
    data = bytes.fromhex(VECTORS[name])
    assert decode(name, data).encode() == data


def test_fields_by_name() -> None:
    card = decode("CPS_ID_CARD", bytes.fromhex(VECTORS["CPS_ID_CARD"]))
    assert isinstance(card, CardIdentity)
    assert (card.card_number, card.issue_date, card.expiry_date) == (
        "2600971845",
        date(2026, 1, 1),
        date(2029, 1, 31),
    )
    activity = decode("CPS_ACTIVITY_05_PS", bytes.fromhex(VECTORS["CPS_ACTIVITY_05_PS"]))
    assert isinstance(activity, Activity)
    assert (activity.mode, activity.structure, activity.sector) == (1, "HOPITAL SPECIMEN", "SA01")
    assert ("Structure", "HOPITAL SPECIMEN") in activity.rows("fr")


def test_speciality_is_the_last_four_characters() -> None:
    item = HolderProfession(profession="10", flags=3, national_id="899900000011", speciality="SM26")
    assert item.encode()[-4:] == b"SM26"
    assert item.encode().hex().upper() == "ED18800210 03810C383939393030303030303131 8504534D3236".replace(" ", "")


def test_first_names_are_separated_by_ff() -> None:
    assert b"\x83\x07ANA\xffB\xc9A" in HolderName(given_names=("ANA", "BÉA")).encode()


WRONG = [
    (HolderName, {"family_name": "X" * (NAME_LENGTH + 1)}, "28 bytes; 1 to 27"),
    (HolderName, {"family_name": ""}, "0 bytes"),
    (HolderName, {"family_name": "ŁUKASZ"}, "cannot hold: 'Ł'"),
    (HolderName, {"family_name": "A\nB"}, "printed"),
    (HolderName, {"given_names": ("A", "B", "C", "D")}, "4 texts given; 1 to 3"),
    (HolderName, {"given_names": ("ÿA",)}, "separates"),
    (HolderName, {"civility": 256}, "one byte"),
    (CardIdentity, {"card_number": "260097184"}, "9 digits, not 10"),
    (CardIdentity, {"card_number": "26009718450"}, "11 digits, not 10"),
    (CardIdentity, {"card_number": "26009718A5"}, "digits only"),
    (CardIdentity, {"card_type": "0"}, "pairs of hexadecimal"),
    (CardIdentity, {"card_nmuber": "1"}, "Extra inputs"),
    (HolderProfession, {"speciality": "SM2"}, "four characters"),
    (Activity, {"sector": "SB07"}, "SA and two digits"),
    (Activity, {"structure_id": "1123"}, "type 1 takes 10"),
    (BillingSituation, {"billing_id": "99"}, "2 digits, not 9 to 10"),
    (Billing, {"situations": (BillingSituation(),) * 9}, "9 billing situations given; a card holds 8"),
    (HolderData, {"content": bytes(MAX_DATA + 1)}, "CPS_DATA holds at most 32767"),
    (Languages, {"language": "f"}, "codes of two letters"),
]


@pytest.mark.parametrize(("model", "fields", "words"), WRONG)
def test_wrong_values_are_refused_in_words(model: Any, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        model(**fields)


MALFORMED = [
    ("CPS_ID_CARD", "", "the file is empty"),
    ("CPS_ID_CARD", "E400", "tag E4 found, E3 expected"),
    ("CPS_ID_CARD", "E3", "length missing"),
    ("CPS_ID_CARD", "E305", "announces 5 bytes, 0 are left"),
    ("CPS_ID_CARD", "E38200FF", "a form these objects do not use"),
    ("CPS_ID_CARD", "E303900100", "tag 90 is unknown"),
    ("CPS_ID_CARD", "E306820100820100", "tag 82 appears twice"),
    ("CPS_ID_CARD", "E306830420261301", "expiry_date|issue_date: 20261301 is no date"),
    ("CPS_ID_CARD", "E3038101AB", "card_number: 'AB' must be digits only"),
    ("CPS_SIT_FACT", "E0028000", "tag 80 found, A0 expected"),
    ("CPS_DATA", "00" * (MAX_DATA + 1), "CPS_DATA holds at most 32767"),
    ("CPS_OTHER", "00", "no business object"),
]


@pytest.mark.parametrize(("name", "data", "words"), MALFORMED)
def test_malformed_objects_are_refused_in_words(name: str, data: str, words: str) -> None:
    with pytest.raises(BusinessError, match=words):
        decode(name, bytes.fromhex(data))


def test_fields_that_do_not_go_together() -> None:
    with pytest.raises(BusinessError, match="mode_detail cannot be written without mode"):
        Activity(mode_detail=1).encode()
    name = HolderName(family_name="F" * 27, birth_name="B" * 27, given_names=("G" * 27,) * 3, given_name="G" * 27)
    assert name.encode()[:2] == b"\xe4\x81", "this object may use the longer length"
    full = Activity(
        mode=0,
        mode_detail=0,
        structure="S" * 64,
        code_82="B" * 8,
        code_83="CC",
        structure_id="9" * 20,
        speciality_codes="00" * 8,
        sector="SA07",
    )
    with pytest.raises(BusinessError, match=r"its fields take \d+ bytes; 100 fit, shorten a text"):
        type("Tight", (Activity,), {"LONGEST": 100})(**full.model_dump()).encode()
    assert len(full.encode()) <= 2 + 127


def test_every_field_says_what_it_rests_on() -> None:
    for model in (CardIdentity, HolderName, HolderProfession, Activity, BillingSituation, Languages):
        assert {place.fidelity for place in model.places().values()} <= {"observed", "modelled", "documented"}
        assert set(model.places()) == set(model.model_fields)
