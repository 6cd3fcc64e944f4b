"""Synthetic zones: no byte of a real card."""

from __future__ import annotations

from hypothesis import strategies as st

from bifente.simulator.zones import GROUPS, FieldKind, FieldType, Group, make

ALPHABETS = {
    FieldKind.TEXT: " ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'-.",
    FieldKind.LABEL: "ABCXYZabcxyz0123456789 ._-/",
    FieldKind.DIGITS: "0123456789",
    FieldKind.CODE: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
}
DATES = st.datetimes().filter(lambda moment: moment.year > 999).map(lambda moment: moment.strftime("%Y%m%d%H%M"))


def values(field: FieldType) -> st.SearchStrategy[str]:
    """What a field may hold."""
    if field.kind is FieldKind.DATE:
        dates = st.one_of(DATES, st.just("0" * 12))
        return st.one_of(st.just(""), dates, st.just("195419140000")) if field.lunar else st.one_of(st.just(""), dates)
    text = st.text(ALPHABETS[field.kind], min_size=field.min, max_size=field.max or 40)
    return st.one_of(st.just(""), text)


def groups(number: int) -> st.SearchStrategy[Group]:
    """Groups of a known number, made from text."""
    return st.fixed_dictionaries({field.name: values(field) for field in GROUPS[number].fields}).map(
        lambda texts: make(number, texts)
    )


KNOWN = st.sampled_from(sorted(GROUPS)).flatmap(groups)
UNKNOWN = st.builds(
    Group,
    st.integers(0, 0xFFFF).filter(lambda number: number not in GROUPS),
    st.lists(st.binary(max_size=300), max_size=5).map(tuple),
)
ZONES = st.lists(st.one_of(KNOWN, UNKNOWN), max_size=8)


def card(beneficiaries: int = 1, periods: int = 3) -> list[Group]:
    """The groups of a test card."""
    insured = {
        "card-type": "T",
        "serial-number": "123456789",
        "holder-id-type": "A",
        "nir": "1801913055001",
        "nir-key": "27",
        "regime": "01",
        "caisse": "349",
        "centre": "0349",
        "management-code": "10",
    }
    result = [make(101, insured), make(102, {"service-code": "00"})]
    for rank in range(beneficiaries):
        person = {"usual-name": "TEST", "first-name": f"PERSONNE {rank}", "birth-date": "198019010000"}
        result += [make(104, {**person, "birth-rank": "1", "quality": "6"}), make(105, {"start": "202601010000"})]
        result += [make(106, {"start": "202601010000", "ald-code": "0", "situation-code": "0100"})] * periods
    return result
