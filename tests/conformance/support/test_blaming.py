"""``bifente bisect`` on the bench's own workstations: who is to blame, why, and what is never said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from conformance_cli import Cli

from bifente.conformance.bisecting.trials import Limits
from bifente.conformance.domains.support.bisecting.blaming import PosteBlame, blame, failing_journeys
from bifente.conformance.domains.support.bisecting.mixing import PostePair
from bifente.conformance.domains.support.bisecting.telling import lines, plain
from bifente.conformance.domains.support.journeys import Journey
from bifente.conformance.domains.support.laboratory import PosteLaboratory
from bifente.conformance.loading import InputError
from bifente.simulator.workstation import Poste

MAC = {"os": "macos", "os-version": "10.14.5", "software": "software/medistory-like", "io-comm": "1.0"}
WORKING = Poste({**MAC, "cryptolib": "5.1.5", "galss": "3.42.03", "srvsvcnam": "3.40.02"}, name="marche")
TWELVE = {
    "os-version": "10.14.6",
    "browser": "chrome",
    "browser-version": "81.0",
    "atsam": "4.5",
    "galss": "3.43.02",
    "srvsvcnam": "3.43",
    "cryptolib": "5.1.8",
    "io-comm": "1.1",
    "fsv": "1.40.13",
    "mica": "2.13.03",
    "reader-firmware": "4.22",
    "cps-association": "no",
}
BROKEN = WORKING.changed(TWELVE, "panne")


@pytest.fixture(scope="module")
def laboratory() -> Iterator[PosteLaboratory]:
    with PosteLaboratory() as made:
        yield made


def keys(found: PosteBlame) -> list[tuple[str, ...]]:
    return [culprit.differences for culprit in found.search.culprits]


def test_the_cryptolib_among_twelve_components_in_twelve_runs(laboratory: PosteLaboratory) -> None:
    found = blame(PostePair(BROKEN, WORKING), Journey.DMP_SOFTWARE, laboratory)
    assert len(found.changes) == 12
    assert keys(found) == [("cryptolib",)]
    assert found.search.explains
    assert found.search.runs <= 12
    told = "\n".join(lines(found, "fr"))
    assert "« erreur 777 »" in told
    assert "Cryptolib CPS : en panne 5.1.8, marche 5.1.5" in told
    # A chain that rests on a supposition is no surer than that, whatever the release note is.
    assert "certitude : hypothèse" in told
    assert [rule.id for rule in found.rules(("cryptolib",))] == ["cryptolib-macos-64-bits-only"]


def test_two_components_that_fail_together_only(laboratory: PosteLaboratory) -> None:
    catalina = WORKING.changed({"os-version": "10.15"})
    found = blame(PostePair(BROKEN, catalina), Journey.ASSOCIATION, laboratory)
    assert keys(found) == [("os-version", "cryptolib")]
    assert found.search.runs <= 40
    told = list(lines(found, "fr"))
    assert "2 différences portent la panne ENSEMBLE : il les faut toutes, aucune ne suffit seule :" in told
    assert told.count("    sans elle : le parcours va au bout") == 2


def test_the_server_that_hid_the_workstation(laboratory: PosteLaboratory) -> None:
    both = BROKEN.changed({"service-dmp": "directory-incident"})
    found = blame(PostePair(both, WORKING), Journey.DMP_SOFTWARE, laboratory)
    assert sorted(keys(found)) == [("cryptolib",), ("service-dmp",)]
    assert found.search.explains
    told = "\n".join(lines(found, "fr"))
    assert "c'est le serveur : ne touchez pas au poste" in told
    assert "que la précédente cachait" in told


def test_a_failure_that_comes_and_goes(laboratory: PosteLaboratory) -> None:
    working = WORKING.changed({})
    found = blame(
        PostePair(BROKEN.changed({"cryptolib": "5.1.5", "srvsvcnam-service": "intermittent"}), working),
        Journey.AMELI,
        laboratory,
    )
    assert keys(found) == [("srvsvcnam-service",)]
    assert found.search.explains
    if not found.search.rate.steady:
        assert found.search.repeats > 1
        assert "va et vient" in "\n".join(lines(found, "fr"))


def test_a_file_that_differs_is_a_difference(laboratory: PosteLaboratory) -> None:
    data = b"[CONFIG]\r\nNbCanaux=99\r\n"
    pair = PostePair(Poste({"mica": "2.13.03"}, files={"galss.ini": data}), Poste())
    found = blame(pair, Journey.READ_CPS, laboratory)
    assert keys(found) == [("files.galss.ini",)]
    assert found.search.explains


def test_the_slots_that_were_seen_are_a_difference() -> None:
    pair = PostePair(Poste(slots={"A 0": "cps"}), Poste(slots={"A 0": "vitale"}))
    assert [(one.key, one.failing.fr, one.working.fr) for one in pair.changes()] == [
        ("slots", "A 0: cps", "A 0: vitale")
    ]
    assert pair.mixed({"slots"}).slots == {"A 0": "cps"}
    assert pair.mixed(()).slots == {"A 0": "vitale"}


def test_what_nobody_looked_at_is_said_and_not_tried(laboratory: PosteLaboratory) -> None:
    seen = {key: value for key, value in BROKEN.facts.items() if key != "galss"}
    broken = Poste(seen, {"galss": "dossier illisible"}, name="panne")
    found = blame(PostePair(broken, WORKING), Journey.DMP_SOFTWARE, laboratory)
    assert "galss" not in {one.key for one in found.changes}
    assert "Pas regardé, donc pas essayé : galss." in list(lines(found, "fr"))
    assert plain(found, "fr")["unseen"] == {"galss": "dossier illisible"}


def test_neither_fails_or_both_do(laboratory: PosteLaboratory) -> None:
    fine = blame(PostePair(WORKING.changed({"browser": "chrome"}), WORKING), Journey.READ_CPS, laboratory)
    assert not fine.search.explains
    assert any("ne se montre pas sur le banc" in line for line in lines(fine, "fr"))
    both = blame(
        PostePair(BROKEN, WORKING.changed({"cryptolib": "5.1.9"})), Journey.ASSOCIATION, laboratory, Limits(first=1)
    )
    assert not both.search.explains
    assert not both.search.culprits
    assert any("échoue aussi" in line for line in lines(both, "fr"))


def test_runs_spent_are_said(laboratory: PosteLaboratory) -> None:
    found = blame(PostePair(BROKEN, WORKING), Journey.ASSOCIATION, laboratory, Limits(most_runs=6))
    assert not found.search.explains
    told = "\n".join(lines(found, "fr"))
    assert "sans conclusion" in told
    assert "va au bout (" not in told


def test_the_journeys_that_fail_on_one_side_only(laboratory: PosteLaboratory) -> None:
    assert failing_journeys(PostePair(BROKEN, WORKING), laboratory) == (Journey.DMP_SOFTWARE, Journey.ASSOCIATION)


def test_a_card_that_is_none_is_the_users_mistake(laboratory: PosteLaboratory) -> None:
    with pytest.raises(InputError):
        blame(PostePair(BROKEN.changed({"cps": "nobody"}), WORKING), Journey.READ_CPS, laboratory)


BROKEN_FILE = """
poste: cabinet-martin
system: {os: macos, os-version: "10.14.6"}
software: {software: software/medistory-like}
components: {atsam: "4.5", cryptolib: "5.1.8", io-comm: "1.0"}
"""


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    (tmp_path / "panne.yaml").write_text(BROKEN_FILE, encoding="utf-8")
    (tmp_path / "marche.yaml").write_text(BROKEN_FILE.replace("5.1.8", "5.1.5"), encoding="utf-8")
    return Cli(monkeypatch, capsys)


def test_the_command(cli: Cli) -> None:
    said = cli("bisect", "panne.yaml", "marche.yaml", "--journey", "association", "--lang", "fr").ok()
    assert "Une seule différence porte la panne :\n  Cryptolib CPS : en panne 5.1.8, marche 5.1.5" in said
    told = json.loads(cli("bisect", "panne.yaml", "marche.yaml", "--json").ok())
    assert [(one["journey"], one["culprits"][0]["changes"][0]["key"]) for one in told] == [
        ("dmp-logiciel", "cryptolib"),
        ("association", "cryptolib"),
    ]


def test_what_is_the_same_of_two_journeys_is_said_once(cli: Cli) -> None:
    said = cli("bisect", "panne.yaml", "marche.yaml", "--lang", "fr").ok()
    assert said.count("Une seule différence porte la panne :") == 1
    assert "Parcours : associer la CPS au logiciel : la même chose que « ouvrir le DMP depuis le logiciel »" in said


def test_the_command_when_there_is_nothing_to_find(cli: Cli) -> None:
    assert cli("bisect", "marche.yaml", "panne.yaml", "--lang", "fr").code == 1
    cli("bisect", "panne.yaml", "panne.yaml").fails(2, "panne.yaml")
    cli("bisect", "panne.yaml", "nowhere.yaml").fails(2, "no such file")
    assert cli("bisect", "panne.yaml", "marche.yaml", "--journey", "nothing").code == 2
