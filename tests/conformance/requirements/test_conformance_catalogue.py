from __future__ import annotations

from pathlib import Path

import pytest

from bifente.conformance.loading import InputError
from bifente.conformance.requirements import CATALOGUE, load_catalogue
from bifente.ground.fidelity import Fidelity
from bifente.ground.text import LANGS, Text

ONE = """
- set: {set}
  title: Cards
  source: somewhere
  confidence: {confidence}
  requirements:
    - {{id: {first}, level: must, actor: card, text: It answers something}}
    - {{id: {second}, level: should, actor: reader, text: It hears something, note: {{fr: y penser, en: mind it}}}}
"""


def written(folder: Path, **values: str) -> Path:
    path = folder / "catalogue.yaml"
    known = {"set": "CARD-X", "confidence": "observed", "first": "X-01", "second": "X-02", **values}
    path.write_text(ONE.format(**known), encoding="utf-8")
    return path


def test_the_shipped_catalogue_is_valid_and_every_id_is_there_once() -> None:
    catalogue = load_catalogue()
    assert len(catalogue) > 500
    ids = list(catalogue)
    assert len(ids) == len(set(ids))
    text = CATALOGUE.read_text(encoding="utf-8")
    assert text.count("id: ") >= len(ids)
    for group, rule in catalogue.by_id.values():
        for said in (group.title, group.source, rule.text, rule.note or rule.text):
            for lang in LANGS:
                assert said.get(lang).strip() == said.get(lang) != ""
        assert min(len(rule.text.fr), len(rule.text.en)) >= 10, rule.id
    assert "CARD-CPS3-16" in catalogue
    assert "CARD-CPS3-9999" not in catalogue


def test_what_is_cited_comes_once_and_in_the_catalogue_s_order(tmp_path: Path) -> None:
    catalogue = load_catalogue(written(tmp_path))
    cited = catalogue.cited(["X-02", "X-01", "X-02", "X-99"])
    assert [rule.id for rule in cited] == ["X-01", "X-02"]
    assert (cited[0].set, cited[0].set_title, cited[0].confidence, cited[0].note) == (
        "CARD-X",
        Text.same("Cards"),
        "observed",
        None,
    )
    assert (cited[1].level, cited[1].actor, cited[1].note) == ("should", "reader", Text("y penser", "mind it"))
    assert catalogue.cited([]) == ()


@pytest.mark.parametrize(
    ("confidence", "fidelity"),
    [
        ("documented", Fidelity.DOCUMENTED),
        ("seed", Fidelity.DOCUMENTED),
        ("observed", Fidelity.OBSERVED),
        ("modelled", Fidelity.MODELLED),
    ],
)
def test_grounds_follow_the_confidence_of_the_source(tmp_path: Path, confidence: str, fidelity: Fidelity) -> None:
    catalogue = load_catalogue(written(tmp_path, confidence=confidence))
    assert list(catalogue.grounds(["X-01", "X-99", "X-02"])) == [fidelity, fidelity]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"second": "X-01"}, ":8:8: the id X-01 is used twice"),
        (
            {"confidence": "sure"},
            ":5:3: 0.confidence: one of documented, observed, modelled, seed is expected, not 'sure'",
        ),
        ({"set": "card"}, ":2:3: 0.set: a text of the form ^[A-Z0-9-]+$ is expected, not 'card'"),
        ({"first": "x y"}, ":7:8: 0.requirements.0.id: a text of the form"),
    ],
)
def test_a_wrong_catalogue_is_shown_where_it_is_wrong(tmp_path: Path, values: dict[str, str], said: str) -> None:
    path = written(tmp_path, **values)
    with pytest.raises(InputError) as raised:
        load_catalogue(path)
    assert any(str(problem).startswith(f"{path}{said}") for problem in raised.value.problems), str(raised.value)
