"""A domain of somebody else's package, written from the blocks of the guide: no file of ours is touched."""

from __future__ import annotations

import base64
import configparser
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import yaml
from outside import Outside, blocks

pytestmark = pytest.mark.long

GUIDE = Path(__file__).parents[2] / "docs/adding-a-domain.md"
BORN = "        self.declare(token)\n"
NOTED = '        with open("issued.txt", "a") as issued:\n            issued.write(token + "\\n")\n'
LOOSE = """
  - id: shown-{number}
    title: {{fr: Le jeton est montré, en: The token is shown}}
    requirements: [BENCH-01]
    steps:
      - open-agenda:
        expect: {{http: 201}}
        capture: {{token: token}}
      - read-agenda: $token
        expect: {{http: 200}}
        should: {{count: $token}}
      - open-agenda:
        expect: {{token: $token}}
"""
"""It fails: what it expected is the token of one session, what it observed that of another."""
REPORTS = {"report.html", "report.json", "junit.xml", "ctrf.json", "summary.md", "agenda.txt", "journal.jsonl"}


@pytest.fixture
def agenda(tmp_path: Path) -> Outside:
    made = Outside(tmp_path)
    made.install("agenda", "")
    made.write("agenda/__init__.py", "")
    written = blocks(GUIDE)
    assert {Path(name).suffix for name in written} == {".py", ".yaml", ".txt", ".toml"}
    for name, text in written.items():
        made.write(name, text)
    return made


def test_its_wheel_holds_what_is_no_module_and_its_entry_points(agenda: Outside) -> None:
    pytest.importorskip("hatchling", reason="the build backend of the guide")
    from hatchling.builders.wheel import WheelBuilder

    (built,) = WheelBuilder(str(agenda.folder)).build(directory=str(agenda.folder / "dist"), versions=["standard"])
    with zipfile.ZipFile(built) as wheel:
        held = set(wheel.namelist())
        said = wheel.read("agenda-1.0.dist-info/entry_points.txt").decode()
    assert {name for name in blocks(GUIDE) if name.startswith("agenda/")} <= held
    written = configparser.ConfigParser()
    written.read_string((agenda.folder / "agenda-1.0.dist-info/entry_points.txt").read_text(encoding="utf-8"))
    built_in = configparser.ConfigParser()
    built_in.read_string(said)
    assert {name: dict(built_in[name]) for name in built_in.sections()} == {
        name: dict(written[name]) for name in written.sections()
    }


def messages(agenda: Outside) -> Iterator[tuple[str, str, str]]:
    for line in (agenda.folder / "runs/journal.jsonl").read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["event"] == "message":
            yield event["peer"], event["direction"], event["line"]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_its_suite_runs_and_its_report_is_written(agenda: Outside, workers: str) -> None:
    ran = agenda.bifente("run", "agenda.yaml", "--out", "runs", "--workers", workers)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert {path.name for path in (agenda.folder / "runs").iterdir()} == REPORTS
    own = (agenda.folder / "runs/agenda.txt").read_text(encoding="utf-8").splitlines()
    assert own[0] == "Agenda"
    assert sorted(own[1:]) == [
        "passed The agenda is closed",
        "passed The first appointment",
        "passed Without a session nothing is read",
    ]
    told = list(messages(agenda))
    assert {peer for peer, _direction, _line in told} == {"agenda"}
    assert sorted(line for _peer, direction, line in told if direction == "sent") == [
        *["GET /appointments"] * 4,
        *["POST /session"] * 2,
    ]
    answers = sorted(line for _peer, direction, line in told if direction == "received")
    assert [line.split()[0] for line in answers] == ["200", "200", "201", "201", "401", "503"]
    assert "POST /session" in (agenda.folder / "runs/report.html").read_text(encoding="utf-8")
    again = agenda.bifente("report", "runs", "--formats", "agenda", "--lang", "fr", "--out", "again")
    assert again.stdout.split() == ["again/agenda.txt"], again.stderr
    assert "Le premier rendez-vous" in (agenda.folder / "again/agenda.txt").read_text(encoding="utf-8")


def shown(agenda: Outside, workers: str) -> tuple[list[str], dict[str, bytes]]:
    """Every token that was given, and everything that anybody can read of the run."""
    drawn = '        token = f"{self._chance.getrandbits(160):040x}"\n'
    agenda.change("agenda/service.py", drawn, drawn + NOTED)
    suite = (agenda.folder / "agenda.yaml").read_text(encoding="utf-8")
    agenda.write("agenda.yaml", suite + "".join(LOOSE.format(number=number) for number in range(4)))
    ran = agenda.bifente("run", "agenda.yaml", "--out", "runs", "--workers", workers)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    read = {path.name: path.read_bytes() for path in (agenda.folder / "runs").iterdir()}
    assert set(read) == REPORTS
    tokens = (agenda.folder / "issued.txt").read_text(encoding="utf-8").split()
    assert len(set(tokens)) >= 6
    return tokens, {**read, "output": ran.stdout.encode(), "errors": ran.stderr.encode()}


def places(tokens: list[str], read: dict[str, bytes]) -> set[str]:
    """Where a token can be read, in any writing of it."""
    return {
        name
        for token in tokens
        for name, content in read.items()
        if token.encode() in content.lower()
        or bytes.fromhex(token) in content
        or token.encode().hex().encode() in content.lower()
        or base64.b64encode(token.encode()) in content
    }


@pytest.mark.parametrize("workers", ["1", "2"])
def test_its_token_is_nowhere_in_clear(agenda: Outside, workers: str) -> None:
    tokens, read = shown(agenda, workers)
    assert places(tokens, read) == set()
    assert b"POST /session" in read["report.html"]
    assert b"GET /appointments" in read["journal.jsonl"]


def test_a_token_that_is_not_declared_is_found(agenda: Outside) -> None:
    """That the search can find one, and where it would lie."""
    agenda.change("agenda/service.py", BORN, "")
    agenda.change("agenda/service.py", 'self.declare(value.removeprefix("Bearer "))', "pass")
    assert places(*shown(agenda, "2")) >= {"journal.jsonl", "report.html", "report.json", "junit.xml", "output"}


def test_docs_and_schema_show_it(agenda: Outside) -> None:
    page = agenda.bifente("schema", "steps").stdout
    assert "## open-agenda\n\nOpen a session of the agenda service.\n" in page
    argument = "* `token` (text, required, may stand alone: `read-agenda: ...`, never written in a record): that of the"
    assert argument in page
    assert "* lets one expect `count`, `first`, `http`" in page
    listed = agenda.bifente("faults", "list", "l'agenda", "ne", "répond", "plus").stdout
    assert listed.splitlines()[0].startswith("agenda-closed ")
    assert "Reader of the front desk" in agenda.bifente("profiles", "list").stdout
    assert "Agenda Desk Reader 0" in agenda.bifente("profiles", "show", "readers/agenda-desk").stdout


def test_the_json_schema_judges_its_suites(agenda: Outside) -> None:
    schema = json.loads(agenda.bifente("schema", "scenario").stdout)
    check = jsonschema.Draft202012Validator(schema)
    suite = yaml.safe_load((agenda.folder / "agenda.yaml").read_text(encoding="utf-8"))
    check.validate(suite)
    for scenario, step, expect in ((0, 1, {"first": "soon"}), (0, 0, {"count": 2})):
        broken = json.loads(json.dumps(suite))
        broken["scenarios"][scenario]["steps"][step]["expect"] = expect
        assert not check.is_valid(broken)
    assert not check.is_valid({**suite, "bench": {"agenda": {"hours": []}}})
    assert not check.is_valid({**suite, "bench": {"agenda": {"rooms": ["A"]}}})


MISTAKES = [
    ("first: 09:00-10:00", "first: 10:00-09:00", "10:00-09:00 ends before it begins"),
    ("first: 09:00-10:00", "first: 00:00-23:59", "any hour of a day would fit"),
    ('["09:30", "14:00"]', "[soon]", "bench.agenda.hours"),
    ("hours:", "heures:", "unknown key 'heures' (did you mean 'hours'?)"),
    ("read-agenda: $token", "read-agenda: {jeton: $token}", "read-agenda: the key 'token' is missing"),
    ("inject-fault: agenda-closed", "inject-fault: agenda-close", "did you mean 'agenda-closed'?"),
]
NO_PROFILE = [("readers/agenda-desk", "readers/agenda-dsk", "did you mean 'readers/agenda-desk'?")]
"""Looked for once the suites are read."""
WRONG = [
    ("first: 09:00-10:00", "first: 10:00-11:00", "within 10:00-11:00"),
    ("count: 2", "count: 3", "count"),
    ("      - inject-fault: agenda-closed\n", "", "503"),
    ("      - clear-faults: agenda-closed\n", "", "503"),
]


def variants(agenda: Outside, changes: list[tuple[str, str, str]]) -> list[str]:
    """A suite for each change, all of which one run reads."""
    suite = (agenda.folder / "agenda.yaml").read_text(encoding="utf-8")
    for number, (old, new, _told) in enumerate(changes):
        assert old in suite
        agenda.write(f"v{number}.yaml", suite.replace("outside.agenda", f"outside.v{number}").replace(old, new))
    return [f"v{number}.yaml" for number in range(len(changes))]


@pytest.mark.parametrize("mistakes", [MISTAKES, NO_PROFILE], ids=["read", "assembled"])
def test_a_mistake_in_a_suite_has_a_place(agenda: Outside, mistakes: list[tuple[str, str, str]]) -> None:
    ran = agenda.bifente("run", *variants(agenda, mistakes), "--out", "runs")
    assert ran.returncode == 2, ran.stdout
    said = [line for line in ran.stderr.splitlines() if line.startswith("bifente: ")]
    for number, (_old, _new, told) in enumerate(mistakes):
        assert any(f"v{number}.yaml:" in line and told in line for line in said), (told, said)


def test_what_it_answers_is_judged(agenda: Outside) -> None:
    ran = agenda.bifente("run", *variants(agenda, WRONG), "--out", "runs")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    lines = re.split(r"^(?=[✓✗] )", ran.stdout, flags=re.M)
    for number, (_old, _new, told) in enumerate(WRONG):
        failed = [one for one in lines if one.startswith(f"✗ failed  outside.v{number}/")]
        assert len(failed) == 1, ran.stdout
        assert told in failed[0]


def test_its_service_is_served(agenda: Outside) -> None:
    served = agenda.bifente("serve", "--services", "agenda", "--for", "0.1", "--out", "served")
    assert served.returncode == 0, served.stdout + served.stderr
    assert re.search(r"^agenda url +https://localhost:\d+$|^agenda url +https://127\.0\.0\.1:\d+$", served.stdout, re.M)
    assert b"BEGIN CERTIFICATE" in (agenda.folder / "served/agenda-ca.pem").read_bytes()


@pytest.mark.parametrize("what", ["agenda.service:Agenda", "agenda.report:FORM", "agenda.serving:Agenda.name"])
def test_what_starts_no_service_is_one_sentence(agenda: Outside, what: str) -> None:
    agenda.change("agenda/domain.py", "agenda.serving:start", what)
    served = agenda.bifente("serve", "--services", "agenda", "--for", "0.1")
    assert served.returncode == 2, served.stdout + served.stderr
    assert f"the domain 'agenda': {what}" in " ".join(served.stderr.split())
    assert "Traceback" not in served.stderr


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("agenda-1.0.dist-info/entry_points.txt", "agenda = agenda.domain", "diary = agenda.domain", "calls itself"),
        ("agenda/domain.py", '"agenda.steps"', '"agenda.pas"', "the domain 'agenda': agenda.pas cannot be imported"),
        ("agenda/domain.py", 'sections={"agenda"', 'sections={"cards"', "brings a section 'cards', which is there"),
        ("agenda/domain.py", 'writers={"agenda"', 'writers={"html"', "brings a report 'html', which is there already"),
        ("agenda/domain.py", 'profiles=("agenda",)', 'profiles=("agenda.none",)', "the domain 'agenda': "),
        ("agenda/steps.py", '"open-agenda"', '"select-file"', "two steps bear the name select-file"),
        ("agenda/faults.yaml", "strikes: teleservice", "strikes: cellar", "'cellar' is none of teleservice"),
        ("agenda/faults.yaml", "id: agenda-closed", "id: card-mute", "two faults bear the id 'card-mute'"),
    ],
)
def test_what_is_wrong_with_it_is_one_sentence(agenda: Outside, file: str, old: str, new: str, told: str) -> None:
    agenda.change(file, old, new)
    ran = agenda.bifente("run", "agenda.yaml", "--out", "runs")
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert told in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr
