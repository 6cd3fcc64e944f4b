"""An editor's own requirements and test codes: read from YAML and CSV, cited by his suites, refused in words."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.conformance.loading import InputError
from bifente.conformance.requirements import load_catalogue, load_own, with_own
from bifente.conformance.scenario.loader import load_suite
from bifente.ground.text import Text

SUITE = """
suite: chez-nous
title: {fr: Chez nous, en: Ours}
fidelity: modelled
catalogues: [CATALOGUE]
scenarios:
  - id: one
    title: {fr: Un, en: One}
    requirements: CITED
    steps: [remove-card]
"""


def written(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def suite(folder: Path, catalogue: str, cited: str) -> Path:
    return written(folder, "suite.yaml", SUITE.replace("CATALOGUE", catalogue).replace("CITED", cited))


def test_a_suite_cites_ours_his_own_and_his_test_codes(tmp_path: Path) -> None:
    written(
        tmp_path,
        "own.yaml",
        "title: Nos exigences\nrequirements: [{id: EX_2.1-1260, text: MTOM}]\n"
        "tests: [{code: T 1, title: Le premier}]\n",
    )
    planned = load_suite(suite(tmp_path, "own.yaml", "[PCSC-06, EX_2.1-1260, T 1]"), load_catalogue())
    assert [one.model.title for one in planned.catalogues] == [Text.same("Nos exigences")]
    assert tmp_path / "own.yaml" in [document.path for document in planned.documents]
    merged = with_own(load_catalogue(), planned.catalogues)
    (cited,) = merged.cited(["EX_2.1-1260"])
    assert (cited.set, cited.set_title, cited.actor, cited.confidence) == (
        "own",
        Text.same("Nos exigences"),
        "software",
        "modelled",
    )
    assert len(merged) == len(load_catalogue()) + 2


def test_a_suite_of_his_need_cite_nothing(tmp_path: Path) -> None:
    path = suite(tmp_path, "own.yaml", "[]")
    written(tmp_path, "own.yaml", "tests: [{code: A, title: b}]")
    assert load_suite(path, load_catalogue()).scenarios[0].model.requirements == []
    path.write_text(path.read_text(encoding="utf-8").replace("    requirements: []\n", ""), encoding="utf-8")
    assert load_suite(path, load_catalogue()).scenarios[0].model.requirements == []


@pytest.mark.parametrize(
    ("written_as", "said"),
    [
        ("La feuille se relit", Text.same("La feuille se relit")),
        ("{fr: La feuille se relit}", Text.same("La feuille se relit")),
        ("{en: The sheet is read again}", Text.same("The sheet is read again")),
        (
            "{fr: La feuille se relit, en: The sheet is read again}",
            Text("La feuille se relit", "The sheet is read again"),
        ),
    ],
)
def test_he_says_his_in_one_language_or_in_both(tmp_path: Path, written_as: str, said: Text) -> None:
    own = load_own(written(tmp_path, "o.yaml", f"requirements: [{{id: A, text: {written_as}, note: {written_as}}}]"))
    (cited,) = with_own(load_catalogue(), [own]).cited(["A"])
    assert (cited.text, cited.note) == (said, said)
    assert (cited.set_title, cited.source) == (Text.same("o"), Text.same("o.yaml"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_a_csv_of_a_french_spreadsheet_is_read(tmp_path: Path, encoding: str, separator: str) -> None:
    kept = io.StringIO()
    csv.writer(kept, delimiter=separator).writerows(
        [
            ["N° test", "Intitulé", "Dispositif", "Exigences", "Authentification"],
            ["0.2-100", "Dossier existant, « actif »", "dmp", "DMPI-T-0_2-100, DMPI-EX_GEN-1145", "structure"],
            ["", "", "", "", ""],
            ["2.1-160", "Dépôt", "", "", ""],
        ]
    )
    own = load_own(written(tmp_path, "tests.csv", kept.getvalue().encode(encoding)))
    first, second = own.model.tests
    assert (first.code, first.title, first.scheme) == ("0.2-100", "Dossier existant, « actif »", "dmp")
    assert (first.requirements, first.authentications) == (["DMPI-T-0_2-100", "DMPI-EX_GEN-1145"], ["structure"])
    assert (second.code, second.requirements) == ("2.1-160", [])
    assert own.document.place(("tests", 1))[0] == 4


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("t.csv", "code;title\nA;b;c;d\n", "t.csv:2:1: has more cells than columns"),
        ("t.csv", "code;titre;couleur\nA;b;c\n", "no column is called 'couleur'"),
        ("t.csv", "titre\nb\n", "has no column code (tests) or id (requirements)"),
        ("t.csv", "code;test\nA;b\n", "names one column twice"),
        ("t.csv", "code;texte\nA;b\n", "a list of tests has no column 'texte'"),
        ("t.csv", "code;titre\nA;b\n<script>;b\n", "t.csv:3:1"),
        ("t.csv", "code;titre\nA;\n", "title"),
        ("t.csv", 'code;titre\nA;"b\n', "is no CSV"),
        ("t.csv", "code;titre\n", "holds no requirement and no test"),
        ("t.csv", "", "has no column"),
        ("t.yaml", "requirements: [{id: A, text: ''}]", "a sentence is not empty"),
        ("t.yaml", "requirements: [{id: A, text: {fr: a, en: ' '}}]", "a sentence is not empty"),
        ("t.yaml", "requirements: [{id: A, text: [a]}]", "a sentence is a text, or one for each language"),
        ("t.yaml", "requirements: [{id: A, text: {fr: a, de: b}}]", "de"),
        ("t.yaml", "requirements: [{id: A, text: {}}]", "fr"),
        ("t.yaml", "tests: []", "holds no requirement and no test"),
        ("t.yaml", "tests: [{code: A}]", "title"),
        ("t.yaml", "tests: [{code: A, title: b, profession: c}]", "did you mean 'professions'?"),
        ("t.yaml", "requirements: [{id: A, text: b, confidence: documented}]", "confidence"),
    ],
)
def test_a_bad_catalogue_is_refused_with_its_place(tmp_path: Path, name: str, text: str, said: str) -> None:
    with pytest.raises(InputError) as error:
        load_own(written(tmp_path, name, text))
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("catalogue", "cited", "said"),
    [
        ("requirements: [{id: PCSC-06, text: ours}]", "[]", "the id PCSC-06 is used already"),
        ("tests: [{code: A, title: b}, {code: A, title: c}]", "[]", "the id A is used already"),
        ("tests: [{code: A-1, title: b}]", "[A-2]", "A-1"),
    ],
)
def test_ids_are_nobodys_twice_and_nobodys_invention(tmp_path: Path, catalogue: str, cited: str, said: str) -> None:
    written(tmp_path, "own.yaml", catalogue)
    with pytest.raises(InputError) as error:
        load_suite(suite(tmp_path, "own.yaml", cited), load_catalogue())
    assert said in str(error.value)


def test_a_catalogue_that_is_not_there_is_a_mistake_of_the_suite(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        load_suite(suite(tmp_path, "none.csv", "[]"), load_catalogue())
    assert "suite.yaml:5" in str(error.value)
    assert "none.csv" in str(error.value)


@settings(max_examples=60)
@given(st.binary(max_size=120))
def test_any_bytes_are_a_catalogue_or_refused(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = written(tmp_path_factory.getbasetemp(), "any.csv", b"code;titre\n" + raw)
    try:
        tests = load_own(path).model.tests
    except InputError as error:
        tests, said = [], str(error)
    assert tests or "any.csv" in said
