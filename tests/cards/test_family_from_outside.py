"""A card family of somebody else's package, written from the blocks of the guide: no file of ours is touched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from outside import Outside, blocks

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/adding-a-card-family.md"
LOCK = "482100"


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    made = Outside(tmp_path)
    written = blocks(GUIDE)
    assert {Path(name).suffix for name in written} == {".py", ".yaml", ".txt"}
    made.install("dix_octets", "")
    made.write("dix_octets/__init__.py", "")
    for name, text in written.items():
        made.write(name, text)
    return made


def test_its_templates_are_listed_shown_and_made(outside: Outside) -> None:
    listed = outside.bifente("cards", "list")
    assert re.search(r"^dix/specimen +DIX +dix +Ten bytes to try$", listed.stdout, flags=re.M), listed.stderr
    assert "medecin-generaliste" in listed.stdout
    shown = outside.bifente("cards", "show", "dix/specimen")
    assert (shown.returncode, shown.stdout.split()) == (0, ["Bytes", "SPECIMENAB"]), shown.stderr
    assert LOCK in outside.bifente("cards", "show", "dix/specimen", "--codes").stdout
    made = outside.bifente("cards", "make", "dix/specimen", "--out", str(outside.folder / "made"))
    assert made.returncode == 0, made.stderr
    assert (outside.folder / "made/memory.bin").read_bytes() == b"SPECIMENAB"


def test_its_templates_have_a_schema(outside: Outside) -> None:
    said = outside.bifente("schema", "template", "--family", "dix")
    assert '"pattern":"^[A-Z]{10}$"' in said.stdout, said.stderr
    for wrong in (("template", "--family", "onze"), ("profile", "--family", "dix")):
        refused = outside.bifente("schema", *wrong)
        assert refused.returncode == 2
        assert "cps3, cps4, dix, vitale1, vitale2" in " ".join(refused.stderr.split())


def test_a_scenario_reads_it(outside: Outside) -> None:
    # A title that tells the secret: no record may.
    outside.change("dix.yaml", "en: It gives its ten bytes", f"en: It gives its ten bytes ({LOCK})")
    ran = outside.bifente("run", "dix.yaml", "--out", "runs")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    written = [path for path in (outside.folder / "runs").rglob("*") if path.is_file()]
    journal = next(path for path in written if path.suffix == ".jsonl").read_text(encoding="utf-8")
    assert b"SPECIMENAB".hex() in journal.lower()
    assert all(LOCK.encode() not in path.read_bytes() for path in written)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("data: $card.content", "data: '00'"),
        ("readings: 1}}\n      - transmit: 00B0000001", "readings: 2}}\n      - transmit: 00B0000001"),
        ("sw: 6D00", "sw: 9000"),
        ("after: {readings: 2}", "after: {readings: 1}"),
    ],
)
def test_what_it_answers_is_judged(outside: Outside, old: str, new: str) -> None:
    outside.change("dix.yaml", old, new)
    assert outside.bifente("run", "dix.yaml", "--out", "runs").returncode == 1


@pytest.mark.parametrize(
    ("step", "told"),
    [
        ("decipher: {cryptogram: '00'}", "a DIX does not decipher"),
        ("select-file: EF.TEN", "a DIX has no files to select"),
        ("read: CPS_DATA", "a DIX has no file CPS_DATA"),
    ],
)
def test_what_its_host_has_not_is_told_in_words(outside: Outside, step: str, told: str) -> None:
    outside.change(
        "dix.yaml", "read: EF.TEN\n        expect: {sw: 9000, data: $card.content, after: {readings: 2}}", step
    )
    ran = outside.bifente("run", "dix.yaml", "--out", "runs")
    assert told in " ".join((ran.stdout + ran.stderr).split())


def test_its_state_keys_are_known_with_it_alone(outside: Outside) -> None:
    outside.change("dix.yaml", "after: {readings: 1}", "after: {reading: 1}")
    ran = outside.bifente("run", "dix.yaml", "--out", "runs")
    assert ran.returncode == 2
    assert "no state 'reading', did you mean 'readings'?" in " ".join(ran.stderr.split())
    assert "selected, readings, authenticated-by" in outside.bifente("schema", "steps").stdout
    assert "selected, authenticated-by" in (ROOT / "docs/steps.md").read_text(encoding="utf-8")


def test_a_mistake_in_its_template_has_a_place(outside: Outside) -> None:
    outside.change("dix_octets/templates/specimen.yaml", "word: SPECIMENAB", "wort: SPECIMENAB")
    shown = outside.bifente("cards", "show", "dix/specimen")
    assert shown.returncode == 2
    assert "specimen.yaml:5:" in shown.stderr
    assert "did you mean word?" in shown.stderr


def test_a_file_of_an_editor_names_the_family(outside: Outside) -> None:
    text = (outside.folder / "dix_octets/templates/specimen.yaml").read_text(encoding="utf-8")
    outside.write("mine.yaml", text.replace("SPECIMENAB", "SPECIMENZZ"))
    assert "SPECIMENZZ" in outside.bifente("cards", "show", "mine.yaml").stdout
    outside.change("dix.yaml", "cps: dix/specimen", "cps: {template: mine.yaml, word: SPECIMENYY}")
    assert outside.bifente("run", "dix.yaml", "--out", "runs").returncode == 0
    outside.change("dix.yaml", "word: SPECIMENYY", "word: short")
    assert outside.bifente("run", "dix.yaml", "--out", "runs").returncode == 2


def test_it_has_no_host(outside: Outside) -> None:
    outside.change("dix_octets/family.py", '    host=Reference("dix_octets.host:MemoryHost"),\n', "")
    outside.change("dix.yaml", "transmit: 00B0000001", "read: EF.TEN")
    ran = outside.bifente("run", "dix.yaml", "--out", "runs")
    assert ran.returncode == 1  # nothing was shown: nothing passed
    assert "a DIX has no ISO 7816-4 commands" in ran.stdout


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("dix_octets-1.0.dist-info/entry_points.txt", "dix =", "onze =", "calls itself 'dix'"),
        ("dix_octets-1.0.dist-info/entry_points.txt", ":FAMILY", ":TITLE", "cannot be imported"),
        ("dix_octets-1.0.dist-info/entry_points.txt", ":FAMILY", ":Text", "is no bifente.simulator.cards.family"),
        ("dix_octets/family.py", 'name="dix"', 'nom="dix"', "cannot be imported"),
        ("dix_octets/family.py", "making:describe", "making:decrire", "dix_octets.making:decrire cannot be imported"),
    ],
)
def test_what_is_wrong_with_it_is_one_sentence(outside: Outside, file: str, old: str, new: str, told: str) -> None:
    outside.change(file, old, new)
    shown = outside.bifente("cards", "show", "dix/specimen")
    assert shown.returncode == 2, shown.stderr
    assert told in " ".join(shown.stderr.split())
    assert "Traceback" not in shown.stderr


def test_two_packages_cannot_bring_one_family(outside: Outside) -> None:
    outside.install("autre", "[bifente.card_families]\ndix = dix_octets.family:FAMILY\n")
    listed = outside.bifente("cards", "list")
    assert listed.returncode == 2
    assert "two installed packages bring a card family 'dix'" in listed.stderr
