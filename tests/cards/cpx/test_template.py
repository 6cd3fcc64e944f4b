from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from bifente.simulator.cards.cpx.loading import (
    load_template,
    load_templates,
    parse_template,
    pick,
    shipped_templates,
    with_overrides,
)
from bifente.simulator.cards.cpx.template import CardType, Lifecycle
from bifente.simulator.cards.template import MAX_SIZE, TemplateError

NAMES = {
    "medecin-generaliste",
    "pharmacien",
    "infirmier",
    "kinesitherapeute",
    "medecin-remplacant",
    "medecin-hospitalier",
    "cpf-etudiant",
    "cpe-nominative",
    "cpe-non-nominative",
    "cde-directeur",
    "cpa",
}

DOCTOR: dict[str, Any] = {
    "id": "doctor",
    "title": {"fr": "Médecin", "en": "Physician"},
    "fidelity": {"mark": "modelled", "note": {"fr": "essai", "en": "trial"}},
    "family": "cps3",
    "card": {"type": "CPS", "serial": "99009999", "number": "9900009999"},
    "codes": {"pin": "1234", "puk": "12345678"},
    "holder": {
        "rpps": "99900000011",
        "family_name": "TESTMEDECIN",
        "given_names": ["GENERALISTE"],
        "profession": {"code": 10, "title": "Médecin"},
    },
    "activities": [
        {"number": 1, "mode": "liberal", "structure": "CABINET TEST", "structure_id": "10B0000014", "sector": "SA07"}
    ],
}
EMPLOYEE: dict[str, Any] = {
    **DOCTOR,
    "id": "employee",
    "card": {"type": "CPE", "serial": "99009998", "number": "9900009998"},
    "holder": {"employee_number": "CPET0001", "pseudonym": "ASSISTANTETEST"},
    "structure": {"id": "10B0000014", "name": "HOPITAL SPECIMEN"},
}


def changed(data: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """A copy with the value at a dotted path replaced; ``...`` removes it."""
    result = copy.deepcopy(data)
    place: Any = result
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return result


def test_shipped_templates_and_their_types() -> None:
    templates = shipped_templates()
    assert set(templates) == NAMES
    assert {template.card.type for template in templates.values()} == set(CardType) - {CardType.CDA}
    assert len({template.card.serial for template in templates.values()}) == len(templates)
    assert len({template.card.number for template in templates.values()}) == len(templates)
    for template in templates.values():
        assert template.title.fr
        assert template.title.en
        assert template.fidelity.note.fr
        assert template.fidelity.note.en


def test_the_practitioner_s_activities_have_a_hole() -> None:
    assert [item.number for item in shipped_templates()["medecin-generaliste"].activities] == [1, 2, 5]


def test_good_ones() -> None:
    assert parse_template(DOCTOR, "x").national_id == "899900000011"
    assert parse_template(EMPLOYEE, "x").national_id == "30B0000014/CPET0001"


WRONG = [
    (DOCTOR, "codes.pin", "12345", "codes.pin: 5 digits given, a CPS3 takes 4"),
    (DOCTOR, "codes.puk", "1234567", "codes.puk: 7 digits given, a CPS3 takes 8"),
    (DOCTOR, "codes.pin", "12A4", "codes.pin: '12A4' does not have the form"),
    (DOCTOR, "codes.pin", 1234, "codes.pin: must be text: put it in quotes"),
    (DOCTOR, "codes.pinn", "1234", "codes.pinn: unknown key; did you mean pin?"),
    (DOCTOR, "holder.profession.codex", 1, "holder.profession.codex: unknown key; did you mean code?"),
    (DOCTOR, "activities.0.secteur", "SA07", "activities.0.secteur: unknown key; did you mean sector?"),
    (DOCTOR, "zzz", 1, "zzz: unknown key; known here: id, title"),
    (DOCTOR, "codes", ..., "codes: is missing"),
    (DOCTOR, "codes", "1234", "codes: must be a group of keys"),
    (DOCTOR, "activities", {"number": 1}, "activities: must be a list"),
    (DOCTOR, "family", "cps9", "family: must be 'cps3'"),
    (DOCTOR, "id", "Médecin", "id: 'Médecin' does not have the form"),
    (DOCTOR, "card.type", "CPX", "card.type: must be 'CPS', 'CPF'"),
    (DOCTOR, "card.serial", "9900999", "card.serial: '9900999' does not have the form"),
    (DOCTOR, "card.serial", 99009999, "card.serial: must be text"),
    (DOCTOR, "card.number", "990000999", "card.number: '990000999' has 9 digits, not 10"),
    (DOCTOR, "card.number", "2600971845", "card.number: card number 2600971845 could be a real one"),
    (
        DOCTOR,
        "holder.rpps",
        "99900000012",
        "holder.rpps: RPPS 99900000012 fails the Luhn check: its last digit should be 1",
    ),
    (DOCTOR, "holder.rpps", "10003456703", "holder.rpps: RPPS 10003456703 could be a real one"),
    (DOCTOR, "holder.rpps", ..., "holder.rpps: is missing: this CPS needs it"),
    (DOCTOR, "holder.employee_number", "1", "holder.employee_number: this CPS takes none"),
    (DOCTOR, "holder.family_name", "DUPONT", "holder.family_name: 'DUPONT' could be real: put TEST or SPECIMEN"),
    (DOCTOR, "holder.family_name", "TEST" * 7, "holder.family_name: 'TESTTESTTESTTESTTESTTESTTEST' has 28 bytes"),
    (DOCTOR, "holder.given_names", ["A", "B", "C", "D"], "holder.given_names: 4 texts given"),
    (DOCTOR, "holder.speciality", "M26", "holder.speciality: 'M26' does not have the form"),
    (DOCTOR, "activities.0.structure", "CABINET DUPONT", "activities.0.structure: 'CABINET DUPONT' could be real"),
    (DOCTOR, "activities.0.structure_id", "1750712184", "activities.0.structure_id: FINESS 750712184 could be a real"),
    (DOCTOR, "activities.0.structure_id", "10B0000015", "activities.0.structure_id: FINESS 0B0000015 fails the Luhn"),
    (DOCTOR, "activities.0.sector", "07", "activities.0.sector: '07' must be SA and two digits"),
    (DOCTOR, "activities.0.number", 17, "activities.0.number: must be less than or equal to 16"),
    (DOCTOR, "activities", DOCTOR["activities"] * 2, "activities.1.number: 1 is already taken by activities.0"),
    (
        DOCTOR,
        "billing",
        [{"number": 1, "billing_id": "991000018"}],
        "billing.0.billing_id: billing number 991000018 fails",
    ),
    (DOCTOR, "billing", [{"number": 1, "billing_id": "751001231"}], "billing number 751001231 could be a real one"),
    (DOCTOR, "certificates", {"key_size": 4096}, "certificates.key_size: must be 1024 or 2048"),
    (
        DOCTOR,
        "certificates",
        {"signature": {"start": "2026-01-01"}},
        "certificates.signature.end: is missing: give both",
    ),
    (
        DOCTOR,
        "certificates",
        {"signature": {"start": "2026-01-01", "end": "2025-01-01"}},
        "certificates.signature.end: 2025-01-01 is before start 2026-01-01",
    ),
    (
        DOCTOR,
        "certificates",
        {"signature": {"start": "2026-01-01", "end": "2055-01-01"}},
        "is not within the laboratory",
    ),
    (
        DOCTOR,
        "certificates",
        {"signature": {"key_usage": ["all"]}},
        "certificates.signature.key_usage.0: must be 'digital",
    ),
    (DOCTOR, "card.issued", "soon", "card.issued: must be a valid date"),
    (DOCTOR, "lifecycle", "lost", "lifecycle: must be 'never-updated'"),
    (DOCTOR, "options", {"interface": "radio"}, "options.interface: must be 'contact' or 'contactless'"),
    (EMPLOYEE, "structure", ..., "structure: is missing: this CPE needs it"),
    (EMPLOYEE, "holder.employee_number", "0000000017", "a card without names takes CPET and four digits"),
    (EMPLOYEE, "holder.pseudonym", ..., "holder.pseudonym: is missing"),
    (EMPLOYEE, "holder.rpps", "99900000011", "holder.rpps: this CPE takes none: remove it"),
    (EMPLOYEE, "holder.family_name", "TESTNOM", "holder.given_names: is missing"),
]


@pytest.mark.parametrize(("good", "path", "value", "words"), WRONG)
def test_wrong_templates_one_by_one(good: dict[str, Any], path: str, value: object, words: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse_template(changed(good, path, value), "file.yaml")
    assert any(line.startswith("file.yaml: ") and words in line for line in str(caught.value).splitlines()), (
        caught.value
    )


def test_every_problem_is_listed_with_its_place() -> None:
    with pytest.raises(TemplateError) as caught:
        parse_template(changed(changed(DOCTOR, "codes.pin", "12345"), "codes.puk", "1"), "file.yaml")
    assert [problem.loc for problem in caught.value.problems] == [("codes", "pin"), ("codes", "puk")]


@pytest.mark.parametrize("data", [None, [], "text", 3])
def test_not_a_mapping(data: object) -> None:
    with pytest.raises(TemplateError, match="must be a group of keys"):
        parse_template(data, "file.yaml")


def test_an_expired_card_takes_no_dates() -> None:
    data = changed(DOCTOR, "lifecycle", "expired")
    parse_template(data, "x")
    data = changed(changed(data, "card.issued", "2020-01-01"), "card.expires", "2023-01-01")
    with pytest.raises(TemplateError, match="card: an expired card takes its dates from the clock: remove issued"):
        parse_template(data, "x")


def test_overrides_merge_and_are_checked() -> None:
    template = shipped_templates()["medecin-generaliste"]
    other = with_overrides(template, {"codes": {"pin": "0000"}, "lifecycle": "pin-blocked"})
    assert (other.codes.pin, other.codes.puk, other.lifecycle) == ("0000", "12345678", Lifecycle.PIN_BLOCKED)
    assert other.holder == template.holder
    with pytest.raises(TemplateError, match=r"medecin-generaliste\+\.\.\.: codes.pin: 5 digits"):
        with_overrides(template, {"codes": {"pin": "00000"}})


def write(folder: Path, name: str, data: object) -> Path:
    file = folder / name
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return file


def test_two_templates_never_share_a_serial_or_an_id(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", DOCTOR)
    write(tmp_path, "b.yaml", changed(EMPLOYEE, "card.serial", "99009999"))
    with pytest.raises(TemplateError, match=r"b.yaml: card.serial: 99009999 is already used by .*a.yaml"):
        load_templates([tmp_path])
    write(tmp_path, "b.yaml", changed(EMPLOYEE, "id", "doctor"))
    with pytest.raises(TemplateError, match=r"b.yaml: id: doctor is already used by .*a.yaml"):
        load_templates([tmp_path])
    write(tmp_path, "b.yaml", EMPLOYEE)
    assert set(load_templates([tmp_path])) == {"doctor", "employee"}
    assert set(load_templates([tmp_path / "a.yaml", tmp_path])) == {"doctor", "employee"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id: [", "is not valid YAML"),
        ("a: &x [1]\nb: *x", "aliases are not allowed"),
        ("id: a\nid: b", "key 'id' is given twice"),
        ("!!python/object/apply:os.system ['true']", "is not valid YAML"),
        ("card: {issued: 2026-13-45}", "is not valid YAML"),
        ("[" * 20_000, "is not valid YAML"),
        ("{[a]: 1}", "is not valid YAML"),
        ("#" * (MAX_SIZE + 1), "too long"),
        ("", "must be a group of keys"),
    ],
)
def test_files_that_are_no_template(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "x.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match=words):
        load_template(file)


def test_unreadable_files(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="cannot be read"):
        load_templates([tmp_path / "none.yaml"])
    (tmp_path / "latin.yaml").write_bytes("é".encode("latin-1"))
    with pytest.raises(TemplateError, match="cannot be read"):
        load_template(tmp_path / "latin.yaml")


def test_pick_helps() -> None:
    templates = shipped_templates()
    assert pick(templates, "cpa").card.type is CardType.CPA
    with pytest.raises(TemplateError, match="did you mean medecin-generaliste"):
        pick(templates, "medecin")
    with pytest.raises(TemplateError, match="did you mean infirmier"):
        pick(templates, "infirmiere")
    with pytest.raises(TemplateError, match="known: cde-directeur"):
        pick(templates, "zzz")


def test_codes_are_not_in_representations() -> None:
    assert "1234" not in repr(parse_template(DOCTOR, "x").codes)
