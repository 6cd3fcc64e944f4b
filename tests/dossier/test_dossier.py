"""The file of an agrément: what applies, what counts as evidence, what never passes for it, and the folder itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from html import unescape
from pathlib import Path

import pytest
from conformance_cli import Cli
from lxml import html
from msgspec.structs import replace

from bifente.conformance.dossier.folder import Dossier, write
from bifente.conformance.dossier.product import EXAMPLE, ProductFile, load_product, shipped_tests, slug, why_not
from bifente.conformance.dossier.proofs import ProofState, find_records
from bifente.conformance.loading import InputError
from bifente.conformance.requirements import load_catalogue
from bifente.ground.text import Text
from bifente.reports.events import (
    Call,
    Event,
    Exchange,
    RunFinished,
    RunStarted,
    ScenarioFinished,
    ScenarioStarted,
    StepFinished,
    StepStarted,
    Suite,
    Tool,
    to_dict,
)
from bifente.reports.verdict import Verdict

PRODUCT = """
product: MonLogiciel
version: "4.2"
editor: Éditions du Cabinet
professions: [medecin]
schemes: [insi, maison]
transactions: [INSi-vitale]
authentications: [cps]
catalogues: [tests.yaml]
"""
TESTS = """
tests:
  - {code: T-01, title: Deux exigences, scheme: maison, requirements: [SOFT-24, SOFT-25]}
  - {code: T-02, title: Par son code, scheme: maison}
  - {code: T-03, title: Pharmaciens, professions: [pharmacien]}
"""
TODAY, MINE = date(2026, 3, 1), "MonLogiciel 4.2"

Played = tuple[str, Sequence[str], Verdict]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mien.yaml").write_text(PRODUCT, encoding="utf-8")
    (tmp_path / "tests.yaml").write_text(TESTS, encoding="utf-8")
    return tmp_path


def record(
    folder: Path,
    played: Sequence[Played],
    *,
    product: str | None = MINE,
    starts: bool = True,
    day: int = 1,
    happenings: Mapping[str, Sequence[Event]] | None = None,
) -> Path:
    """A record in which these scenarios were played; by the product itself if it was started."""
    folder.mkdir(parents=True)
    at = f"2026-01-{day:02}T00:00:00.000Z"
    suites = (Suite(id="s", title=Text("s", "s"), file="s.yaml", scenarios=len(played)),)
    events: list[Event] = [
        RunStarted(
            run_id=f"run-{day}-{folder.name}",
            tool=Tool(name="bifente", version="0"),
            command=("bifente", "run"),
            target="pcsc",
            product=product,
            seed=1,
            suites=suites,
        )
    ]
    for name, cited, verdict in played:
        scenario = f"s/{name}"
        step = "start-software" if starts else "remove-card"
        events += [
            ScenarioStarted(
                scenario=scenario, suite="s", title=Text(name, name), file="s.yaml", line=1, requirements=tuple(cited)
            ),
            StepStarted(scenario=scenario, index=0, name=step, file="s.yaml", line=2),
            Exchange(scenario=scenario, index=0, slot="cps", command="00A40000", response="9000", sw="9000"),
            *(happenings or {}).get(name, ()),
            StepFinished(scenario=scenario, index=0, verdict=verdict),
            ScenarioFinished(scenario=scenario, verdict=verdict),
        ]
    events.append(RunFinished())
    text = "".join(json.dumps(to_dict(replace(one, seq=n, time=at))) + "\n" for n, one in enumerate(events))
    (folder / "journal.jsonl").write_text(text, encoding="utf-8")
    return folder


def made(folder: Path, *records: Path) -> Dossier:
    file = load_product(folder / "mien.yaml")
    return Dossier.of(file, find_records(records, file.product, folder / "dossier"), TODAY)


def state(dossier: Dossier, code: str) -> ProofState:
    return next(one.state for one in dossier.standings if one.test.code == code)


# -- what applies -----------------------------------------------------------------------------------------------------


def test_every_shipped_code_rests_on_requirements_that_are_there() -> None:
    assert {"INSi 1.01", "INSi 1.02", "INSi 1.03", "0.1-210", "0.2-100", "1.1-070", "2.1-160"} <= {
        one.code for one in shipped_tests()
    }
    for test in shipped_tests():
        assert "#" in test.source
        assert all(cited in load_catalogue() for cited in test.requirements)


def test_what_does_not_apply_says_why(folder: Path) -> None:
    dossier = made(folder)
    assert state(dossier, "INSi 1.03") is ProofState.TO_DO
    assert state(dossier, "2.1-160") is ProofState.OUT
    file = dossier.file
    why = {test.code: why_not(file.product, test) for test in file.tests}
    lacking = "dispositif dmp, transaction TD2.1, authentification structure"
    assert why["2.1-160"] == f"la fiche du produit ne dit pas : {lacking}"
    assert why["T-03"] == "la fiche du produit ne dit pas : profession pharmacien"
    assert why["INSi 1.03"] == ""


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[medecin]", "[médecin]", "did you mean 'medecin'?"),
        ("[INSi-vitale]", "[TD2]", "mien.yaml:7:"),
        ("[insi, maison]", "[]", "schemes"),
        ("editor: Éditions du Cabinet\n", "", "editor"),
        ('"4.2"', '""', "version"),
        ("catalogues: [tests.yaml]", "catalogues: [none.csv]", "none.csv"),
        ("product: MonLogiciel", "produit: MonLogiciel", "did you mean 'product'?"),
    ],
)
def test_a_bad_product_file_is_refused(folder: Path, old: str, new: str, said: str) -> None:
    path = folder / "mien.yaml"
    path.write_text(PRODUCT.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_product(path)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        ("tests: [{code: T, title: t, requirements: [SOFT-99]}]", "the test T rests on 'SOFT-99'"),
        ("tests: [{code: INSi 1.01, title: t}]", "would have one folder"),
        ("tests: [{code: A 1, title: t}, {code: A/1, title: t}]", "would have one folder"),
    ],
)
def test_tests_that_cannot_be_told_apart_or_rest_on_nothing(folder: Path, tests: str, said: str) -> None:
    (folder / "tests.yaml").write_text(tests, encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_product(folder / "mien.yaml")
    assert said in str(error.value)


# -- what counts ------------------------------------------------------------------------------------------------------

GOOD, BAD = Verdict.PASSED, Verdict.FAILED


@pytest.mark.parametrize(
    ("played", "expected"),
    [
        ([("a", ["SOFT-24", "SOFT-25"], GOOD)], ProofState.PASSED),
        ([("a", ["SOFT-24"], GOOD), ("b", ["SOFT-25"], Verdict.PASSED_WITH_REMARK)], ProofState.PASSED),
        ([("a", ["SOFT-24"], GOOD)], ProofState.PARTIAL),
        ([("a", ["SOFT-24", "SOFT-25"], GOOD), ("b", ["SOFT-25"], BAD)], ProofState.FAILED),
        ([("a", ["SOFT-24", "SOFT-25"], GOOD), ("b", ["T-01"], BAD)], ProofState.FAILED),
        ([("a", ["T-01"], GOOD)], ProofState.PASSED),
        ([("a", ["SOFT-24", "SOFT-25"], Verdict.BENCH_ERROR)], ProofState.INCONCLUSIVE),
        ([("a", ["SOFT-24", "SOFT-25"], Verdict.BLOCKED)], ProofState.INCONCLUSIVE),
        ([("a", ["SOFT-24", "SOFT-25"], Verdict.NOT_RUN)], ProofState.TO_DO),
        ([("a", ["SOFT-26"], GOOD)], ProofState.TO_DO),
        ([("a", [], GOOD)], ProofState.TO_DO),
    ],
)
def test_how_a_test_stands(folder: Path, played: Sequence[Played], expected: ProofState) -> None:
    assert state(made(folder, record(folder / "runs" / "1", played)), "T-01") is expected


def test_what_the_benchs_own_software_played_proves_nothing(folder: Path) -> None:
    played = [("a", ["T-02"], GOOD)]
    assert state(made(folder, record(folder / "r1", played, starts=False)), "T-02") is ProofState.TO_DO
    for number, other in enumerate((None, "MonLogiciel 4.1", "Autre 4.2", "MonLogiciel")):
        dossier = made(folder, record(folder / f"o{number}", played, product=other))
        assert state(dossier, "T-02") is ProofState.TO_DO
        assert dossier.records[0].why_out is not None
    assert state(made(folder, record(folder / "r2", played, product="monlogiciel  4.2")), "T-02") is ProofState.PASSED


def test_the_latest_record_of_a_scenario_counts(folder: Path) -> None:
    old = record(folder / "old", [("a", ["T-02"], BAD)], day=1)
    new = record(folder / "new", [("a", ["T-02"], GOOD)], day=2)
    assert state(made(folder, new, old), "T-02") is ProofState.PASSED
    newest = record(folder / "newest", [("a", ["T-02"], BAD)], day=3)
    assert state(made(folder, newest, new, old), "T-02") is ProofState.FAILED


# -- the folder -------------------------------------------------------------------------------------------------------


def shot(file: str) -> Call:
    answer = {"file": file, "sha256": hashlib.sha256(b"png").hexdigest()}
    return Call(scenario="s/a", index=0, function="screenshot", result="kept", answer=answer)


def full(folder: Path) -> Dossier:
    pictures = [shot("captures/001-x.png"), shot("../secret.png")]
    kept = record(folder / "run", [("a", ["T-02"], GOOD)], happenings={"a": pictures})
    (kept / "captures").mkdir()
    (kept / "captures" / "001-x.png").write_bytes(b"png")
    (folder / "secret.png").write_bytes(b"png")
    return made(folder, kept)


def digests_hold(out: Path) -> bool:
    told = [line.split("  ") for line in (out / "empreintes.sha256").read_text(encoding="utf-8").splitlines()]
    return bool(told) and all(hashlib.sha256((out / path).read_bytes()).hexdigest() == digest for digest, path in told)


def test_the_folder_has_pages_traces_and_pictures(folder: Path) -> None:
    out = folder / "dossier"
    dossier = full(folder)
    write(dossier, out)
    assert digests_hold(out)
    here = out / "tests" / "T-02"
    assert [path.name for path in (here / "captures").iterdir()] == ["run-1-run-001-x.png"]
    assert "[cps] > 00A40000" in (here / "traces" / "s__a.txt").read_text(encoding="utf-8")
    assert len((here / "traces" / "s__a.jsonl").read_text(encoding="utf-8").splitlines()) == 7
    told = json.loads((out / "dossier.json").read_text(encoding="utf-8"))
    assert told["approval"] is False
    assert told["counts"]["passed"] == 1
    for page in out.rglob("*.html"):
        for link in html.parse(str(page)).xpath("//a/@href | //img/@src"):
            assert link.startswith("http") or (page.parent / link).exists() or link.endswith("report.html"), link


def test_a_page_tells_what_is_asked_in_french(folder: Path) -> None:
    write(made(folder), folder / "dossier")
    page = unescape((folder / "dossier" / "tests" / "T-01" / "index.html").read_text(encoding="utf-8"))
    for cited in ("SOFT-24", "SOFT-25"):
        group, rule = load_catalogue().by_id[cited]
        for said in (rule.text, group.title):
            assert said.fr in page
            assert said.en not in page


def test_the_attestation_says_that_it_is_no_approval(folder: Path) -> None:
    write(full(folder), folder / "dossier")
    for name in ("attestation-brouillon.html", "index.html"):
        said = " ".join(html.parse(str(folder / "dossier" / name)).getroot().text_content().split())
        assert "n'est pas un agrément" in said or "n'est ni un agrément" in said
        assert "CNDA" in said
    assert "BROUILLON" in (folder / "dossier" / "attestation-brouillon.html").read_text(encoding="utf-8")


def test_written_anew_it_keeps_what_the_editor_added_and_drops_what_is_over(folder: Path) -> None:
    out = folder / "dossier"
    write(full(folder), out)
    (out / "tests" / "T-02" / "pieces" / "lettre.pdf").write_bytes(b"letter")
    (out / "notes.txt").write_text("mine", encoding="utf-8")
    write(made(folder), out)
    assert (out / "notes.txt").read_text(encoding="utf-8") == "mine"
    assert not list(out.glob("tests/T-02/traces/*"))
    assert not list(out.glob("releves/*/*"))
    page = (out / "tests" / "T-02" / "index.html").read_text(encoding="utf-8")
    assert "pieces/lettre.pdf" in page
    assert hashlib.sha256(b"letter").hexdigest() in page
    assert digests_hold(out)


def test_a_folder_of_something_else_is_left_alone(folder: Path) -> None:
    out = folder / "dossier"
    out.mkdir()
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="something else"):
        write(made(folder), out)
    (out / "dossier.json").write_text('{"files": {"../mien.yaml": "", "mine.txt": ""}}', encoding="utf-8")
    write(made(folder), out)
    assert (folder / "mien.yaml").exists()
    (out / "dossier.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match="no dossier"):
        write(made(folder), out)


def test_what_an_editor_writes_is_no_markup(folder: Path) -> None:
    hostile = TESTS.replace("Par son code", '"<script>alert(1)</script>"')
    (folder / "tests.yaml").write_text(hostile, encoding="utf-8")
    write(made(folder), folder / "dossier")
    for page in (folder / "dossier").rglob("*.html"):
        assert "<script" not in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(("code", "name"), [("INS/va1.53", "INS-va1.53"), ("../..", "test"), ("A b", "A-b")])
def test_a_code_is_a_folder_below(code: str, name: str) -> None:
    assert slug(code) == name


# -- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path) -> Cli:
    monkeypatch.chdir(folder)
    return Cli(monkeypatch, capsys)


def test_a_file_to_begin_with_is_a_good_one(cli: Cli, folder: Path) -> None:
    assert "bifente dossier neuf.yaml" in cli("dossier", "neuf.yaml", "--new").ok()
    assert isinstance(load_product(folder / "neuf.yaml"), ProductFile)
    assert "neuf.yaml" in EXAMPLE.format(name="neuf.yaml")
    cli("dossier", "neuf.yaml", "--new").fails(2, "is there already")


def test_the_command_tells_and_its_exit_code_too(cli: Cli, folder: Path) -> None:
    record(folder / "runs" / "1", [("a", ["T-02"], GOOD)])
    record(folder / "runs" / "2", [("a", ["T-02"], GOOD)], product="Autre")
    said = cli("dossier", "mien.yaml", "runs", "--lang", "fr").ok()
    assert "Ce dossier n'est pas un agrément." in said
    assert "relevé de « Autre »" in said
    record(folder / "runs" / "3", [("a", ["T-02"], BAD)], day=4)
    failed = cli("dossier", "mien.yaml", "runs", "--json")
    assert failed.code == 1
    assert json.loads(failed.out)["counts"]["failed"] == 1
    cli("dossier", "mien.yaml", "nowhere").fails(2, "holds no record")
    cli("dossier", "none.yaml").fails(2, "no such file")
