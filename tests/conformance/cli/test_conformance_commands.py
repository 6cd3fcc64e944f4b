"""Every command: what it says, and that what can be foreseen is one sentence, an exit code and no traceback."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from conformance_bench import TEMPLATES, VITALE_TEMPLATES, place, scenario_text, steps_text, suite_text, write
from conformance_cli import Cli

from bifente.conformance.bench.profiles import ROOT
from bifente.conformance.bench.profiles import known_profiles as profile_names
from bifente.conformance.cli.schema import SCHEMAS, Kind
from bifente.conformance.loading import load_document
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.suites import default_paths
from bifente.conformance.scenario.steps import steps
from bifente.ground.text import Lang
from bifente.reports.journal import FILE_NAME
from bifente.simulator.pcsc import PcscdError, PrivatePcscd, discovery
from bifente.simulator.pcsc.errors import Link

pytestmark = pytest.mark.long

GOOD = steps_text("- get-challenge: 8")


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return Cli(monkeypatch, capsys)


# -- help, lists ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "",
        "run",
        "report",
        "up",
        "exec",
        "doctor",
        "requirements",
        "schema",
        "cards",
        "cards list",
        "cards show",
        "cards make",
        "profiles",
        "profiles list",
        "profiles show",
    ],
)
def test_every_command_has_help(cli: Cli, command: str) -> None:
    said = cli(*command.split(), "--help").ok()
    assert "Usage : bifente" in said
    assert "--help" in said
    assert cli(*command.split(), "-h").ok() == said


@pytest.mark.parametrize("command", ["rnu", "cards shwo", "run --sede 3", "run --seed x", "schema scenarios", "exec"])
def test_wrong_usage_is_exit_2(cli: Cli, command: str) -> None:
    said = cli(*command.split())
    assert said.code == 2
    assert "Traceback" not in said.err


def test_cards_are_listed_shown_and_made(cli: Cli, tmp_path: Path) -> None:
    names = sorted(path.stem for path in TEMPLATES.glob("*.yaml"))
    names += sorted(f"vitale/{path.stem}" for path in VITALE_TEMPLATES.glob("*.yaml"))
    assert [line.split()[0] for line in cli("cards", "list").ok().splitlines()] == names
    shown = cli("cards", "show", "infirmier", "--lang", "en").ok()
    assert "1234" not in shown
    assert "1234" in cli("cards", "show", "infirmier", "--codes").ok()
    assert cli("cards", "make", "infirmier", "--out", "made").ok().strip().endswith("files")
    card = json.loads((tmp_path / "made" / "card.json").read_text())
    assert card["template"] == "infirmier"
    assert (tmp_path / "made" / "certificates" / "signature.pem").read_text().startswith("-----BEGIN CERTIFICATE-----")
    everything = b"".join(path.read_bytes() for path in (tmp_path / "made").rglob("*") if path.is_file())
    assert b"PRIVATE KEY" not in everything


def test_profiles_are_listed_and_shown(cli: Cli) -> None:
    assert [line.split()[0] for line in cli("profiles", "list").ok().splitlines()] == list(profile_names())
    for lang, slot, unknown in (
        ("fr", "fente", "longueur étendue non connue"),
        ("en", "slot", "USB             not known"),
    ):
        told = cli("profiles", "show", "readers/generic-bislot", "--lang", lang).ok()
        assert f"  {slot} " in told
        assert unknown in told
        assert "vitale: Bifente Bi-Slot Reader 00 01" in told


def test_requirements_are_counted_and_shown(cli: Cli, tmp_path: Path) -> None:
    path = write(tmp_path, GOOD)
    assert "un scénario : 1 sur " in cli("requirements", path).ok()
    assert "one scenario: 1 of " in cli("requirements", path, "--lang", "en").ok()
    shown = cli("requirements", path, "--show", "CARD-CPS3-16").ok()
    assert "CARD-CPS3-16  [doit, carte, observée]" in shown
    assert "t.one/only" in shown
    assert "citée par aucun scénario" in cli("requirements", path, "--show", "CARD-CPS3").ok()
    assert "cited by no scenario" in cli("requirements", path, "--show", "CARD-CPS3", "--lang", "en").ok()
    cli("requirements", path, "--show", "CARD-CPS3-1x").fails(2, "no set or requirement 'CARD-CPS3-1x'", "did you mean")


@pytest.mark.parametrize(("lang", "side"), [("fr", "en"), ("en", "fr")])
def test_requirements_are_told_to_a_script_in_the_language_asked(
    cli: Cli, tmp_path: Path, lang: Lang, side: Lang
) -> None:
    path = write(tmp_path, GOOD)
    told = json.loads(cli("requirements", path, "--json", "--lang", lang).ok())
    assert (told["total"], told["cited"]) == (len(load_catalogue()), 1)
    (group,) = (one for one in told["sets"] if one["set"] == "SEED-CPS")
    cited, rule = load_catalogue().by_id["SEED-CPS-02"]
    assert (group["requirements"], group["cited"], group["title"]) == (20, 0, cited.title.get(lang))
    assert group["title"] != cited.title.get(side)
    (one,) = json.loads(cli("requirements", path, "--json", "--show", rule.id, "--lang", lang).ok())["requirements"]
    assert (one["id"], one["level"], one["actor"], one["scenarios"]) == (rule.id, rule.level, rule.actor, [])
    assert one["text"] == rule.text.get(lang) != rule.text.get(side)
    assert rule.note is not None
    assert one["note"] == rule.note.get(lang)


# -- schemas ----------------------------------------------------------------------------------------------------------


def test_the_page_of_steps_names_every_step(cli: Cli) -> None:
    page = cli("schema", "steps").ok()
    for name in steps():
        assert name in page


@pytest.mark.parametrize("kind", [kind.value for kind in SCHEMAS])
def test_every_schema_is_valid_and_resolves_its_references(cli: Cli, kind: str) -> None:
    schema = json.loads(cli("schema", kind).ok())
    assert schema["$schema"].endswith("2020-12/schema")
    jsonschema_rs.meta.validate(schema)
    text = json.dumps(schema)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        found = schema
        assert reference.startswith("#/")
        for name in reference[2:].split("/"):
            found = found[name]


@cache
def schema(kind: str) -> jsonschema_rs.Draft202012Validator:
    """The validator of what the command prints, made once: the schema of a suite holds every step.

    In Rust: the one in Python needs twenty seconds for the files that come with the bench.
    """
    return jsonschema_rs.Draft202012Validator(SCHEMAS[Kind(kind)]())


def shipped_files() -> list[tuple[str, Path]]:
    """Every file that comes with the bench, with the schema it is to fit."""
    suites = sorted(default_paths()[0].rglob("*.yaml"))
    return [
        *(("stages" if path.name.startswith("_") else "scenario", path) for path in suites),
        *(("template", path) for path in sorted(TEMPLATES.glob("*.yaml"))),
        *(("vitale", path) for path in sorted(VITALE_TEMPLATES.glob("*.yaml"))),
        *(("profile", path) for path in sorted((ROOT / "readers").glob("*.yaml"))),
        *(("module", path) for path in sorted((ROOT / "modules").glob("*.yaml"))),
    ]


@pytest.mark.parametrize(("kind", "path"), shipped_files(), ids=lambda value: getattr(value, "stem", value))
def test_every_shipped_file_fits_its_schema(kind: str, path: Path) -> None:
    for error in schema(kind).iter_errors(load_document(path).data):
        raise AssertionError(f"{path}: {error.message[:300]} at {list(error.instance_path)}")


@pytest.mark.parametrize(
    "steps",
    [
        "- code-status",
        "- code-status:",
        "- verify-code: $card.code",
        "- verify-code: {code: 1234, which: puk}",
        "- get-challenge: 8\n  expect: {data: {differs-from: $x}, sw: [9000]}\n  capture: {x: data}",
        "- use: a\n  with: {b: 1}",
    ],
)
def test_the_scenario_schema_takes_what_the_loader_takes(steps: str) -> None:
    schema("scenario").validate(yaml.safe_load(steps_text(steps)))


@pytest.mark.parametrize(
    "steps",
    [
        "- verify-code",
        "- verfy-code: 1",
        "- code-status:\n  expect: {ws: 9000}",
        "- code-status:\n  expect: {}",
        "- use: a\n  expect: {sw: 9000}",
        "- code-status:\n  capture: {a: ws}",
        "- {}",
        "- reset-card: hot",
    ],
)
def test_the_scenario_schema_refuses_what_the_loader_refuses(steps: str) -> None:
    assert list(schema("scenario").iter_errors(yaml.safe_load(steps_text(steps))))


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("run sute.yaml", "sute.yaml: no such file (did you mean 'suite.yaml'?)"),
        ("run nowhere/a.yaml", "nowhere/a.yaml: no such file (the folder nowhere does not exist either)"),
        ("run empty", "empty: holds no scenario file"),
        ("run suite.yaml --profile readers/x", "readers/x: is no known profile"),
        ("run suite.yaml --formats html,pdf", "unknown report format 'pdf'; there are html, json"),
        ("run suite.yaml --lang de", "unknown language 'de'; there are fr, en"),
        ("run suite.yaml --select nothing", "--select: no scenario is named 'nothing' (known: t.one/only)"),
        ("run suite.yaml --card cpa", "--card describes the card in --reader: give both"),
        ("run suite.yaml --reader X --workers 2", "--reader is one device"),
        ("cards show infirmer", "infirmer: is no known card template (did you mean 'infirmier'?)"),
        ("cards show infirmier --lang de", "unknown language 'de'"),
        ("cards show nowhere/x.yaml", "nowhere/x.yaml: no such file"),
        ("profiles show readers/generic-bislo", "is no known profile (did you mean 'readers/generic-bislot'?)"),
        ("report nowhere", "nowhere: no such journal; give the directory of a run"),
        ("exec --card cps -- true", "--card cps: SLOT=TEMPLATE is expected"),
        ("exec --card cps=cpa --card cps=cpa -- true", "slot cps was given a card already"),
        ("exec --card csp=cpa -- true", "the reader has no slot 'csp' (did you mean 'cps'?)"),
        ("exec --card cps=cpa+family=cps5 -- true", "family: must be 'cps3' or 'cps4'"),
        ("exec --card cps=cpa+template=cde-directeur -- true", "the template is named once"),
        (
            "exec --profile readers/generic-contactless --card cps=cpa+family=cps4 -- true",
            "readers/generic-contactless: a CPS4 has no contactless interface",
        ),
        ("exec --profile readers/x -- true", "readers/x: is no known profile"),
        ("up --card cps=nobody", "nobody: is no known card template"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(cli: Cli, tmp_path: Path, arguments: str, words: str) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "empty").mkdir()
    cli(*arguments.split()).fails(2, words)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        (GOOD.replace("  - get", " - get").replace("steps:", "steps:\n      - connect"), None, "is not valid YAML"),
        (GOOD.replace("get-challenge", "get-chalenge"), "get-chal", "unknown step 'get-chalenge' (did you mean"),
        (GOOD.replace("suite: t.one", "\tsuite: t.one"), None, "a tab stands where only spaces may"),
    ],
)
def test_a_wrong_suite_is_one_sentence_with_its_place(
    cli: Cli, tmp_path: Path, text: str, at: str | None, words: str
) -> None:
    write(tmp_path, text)
    sentence = cli("run", "suite.yaml").fails(2, words)
    assert sentence.startswith(f"bifente: suite.yaml:{place(text, at)}: " if at else "bifente: suite.yaml:")


def test_a_code_of_five_digits_in_a_template_is_shown_where_it_stands(cli: Cli, tmp_path: Path) -> None:
    good = (TEMPLATES / "infirmier.yaml").read_text(encoding="utf-8")
    text = good.replace("pin: '1234'", "pin: '12345'")
    write(tmp_path, text, "mine.yaml")
    cli("cards", "show", "mine.yaml").fails(2, f"mine.yaml:{place(text, 'pin:')}: codes.pin: 5 digits given")
    suite = steps_text("- get-challenge: 8", head="bench: {cards: {cps: mine.yaml}}")
    write(tmp_path, suite)
    cli("run", "suite.yaml").fails(2, f"suite.yaml:{place(suite, 'cps')}: mine.yaml:", "5 digits given")


# -- what the machine lacks -------------------------------------------------------------------------------------------


def no_pcscd(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.setenv("PATH", str(folder))
    patch.setattr(discovery, "_SYSTEM_PATHS", (str(folder),))


def no_driver(patch: pytest.MonkeyPatch, folder: Path) -> None:
    discovery.find_pcscd()
    patch.setattr(discovery, "driver_directories", lambda pcscd: (folder,))


def no_namespaces(patch: pytest.MonkeyPatch, folder: Path) -> None:
    def start(*_: object, **__: object) -> None:
        raise PcscdError(Link.USER_NAMESPACE, "unshare: Operation not permitted.")

    patch.setattr(PrivatePcscd, "start", start)


LACKS = [
    (no_pcscd, ("pcscd-binary: pcscd is not found", "apt-get install pcscd vsmartcard-vpcd")),
    (no_driver, ("vpcd-driver: the driver libifdvpcd.so is not in", "apt-get install pcscd vsmartcard-vpcd")),
    (no_namespaces, ("user-namespace: ", "--service own, the default", "user.max_user_namespaces")),
]


@pytest.mark.parametrize("command", ["run suite.yaml --target pcsc -q", "up --for 0.01", "exec"])
@pytest.mark.parametrize(("lack", "words"), LACKS, ids=["pcscd", "driver", "namespaces"])
def test_what_is_missing_is_named_with_its_cure(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lack: object, words: tuple[str, ...], command: str
) -> None:
    write(tmp_path, GOOD)
    try:
        lack(monkeypatch, tmp_path)  # type: ignore[operator]
    except PcscdError as error:
        pytest.skip(f"needs pcscd: {error}")
    program = ["--", sys.executable] if command == "exec" else []
    cli("--lang", "en", *command.split(), "--service", "pcscd", *program).fails(2, *words)


def test_the_doctor_names_the_missing_link_and_its_cure(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_pcscd(monkeypatch, tmp_path)
    said = cli("doctor", "--service", "pcscd", "--lang", "en")
    assert said.code == 3
    assert "FAIL pcscd-binary" in said.out
    assert "-> Install the packages" in said.out
    assert "not usable here: --service pcscd" in said.out
    assert "usable here: --service own" in cli("doctor", "--service", "own", "--lang", "en").ok()
    cli("doctor", "--lang", "de").fails(2, "unknown language 'de'")


def test_a_pcscd_that_is_missing_is_a_warning_to_who_uses_our_own_service(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_pcscd(monkeypatch, tmp_path)
    said = cli("doctor", "--lang", "en").ok()
    assert "warn pcscd-binary" in said
    assert "-> Install the packages" in said
    assert "FAIL" not in said
    assert "usable here: --service own\nnot usable here: --service pcscd" in said
    assert "a container needs no right and no option" in said


def test_our_own_service_that_fails_is_exit_3_without_option(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_pcscd(monkeypatch, tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    said = cli("doctor", "--lang", "en")
    assert said.code == 3
    assert "FAIL run-directory" in said.out
    assert "not usable here: --service own" in said.out
    assert "is enough" not in said.out


def test_without_pyscard_the_cure_is_told(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    write(tmp_path, GOOD)
    monkeypatch.setitem(sys.modules, "smartcard", None)
    said = cli("run", "suite.yaml", "--reader", "X", "-q")
    said.fails(2, "the PC/SC target needs pyscard: pip install 'bifente[pcsc]'")


def test_a_key_store_that_cannot_be_used_is_one_sentence(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file")
    cli("cards", "show", "cpa", "--keys", "keys").fails(2, "the key store", "keys")


def test_a_run_whose_keys_cannot_be_kept_is_told_once_before_it_starts(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    (tmp_path / "keys").write_text("a file")
    said = cli("run", "suite.yaml", "--keys", "keys/here", "--out", "out")
    said.fails(2, "the key store keys/here/keys.sqlite", "--keys")
    assert said.err.count("key store") == 1
    assert not (tmp_path / "out").exists()


def test_what_nobody_foresaw_is_a_bench_error_and_no_failed_run(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import bifente.conformance.cli.profiles as profiles

    def broken(name: str) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(profiles, "load_profile", broken)
    said = cli("profiles", "list")
    assert said.code == 3
    assert said.err.strip().splitlines()[-1] == "bifente: bench error, please report it: RuntimeError: boom"


# -- reports ----------------------------------------------------------------------------------------------------------


def test_a_run_is_rendered_again_from_its_journal_alone(cli: Cli, tmp_path: Path) -> None:
    write(
        tmp_path,
        suite_text(scenario_text("steps: [get-challenge: 8]", "a"), scenario_text("steps: [code-status]", "b")),
    )
    assert cli("run", "suite.yaml", "--out", "r", "-q").code == 1
    written = cli("report", "r", "--out", "again", "--formats", "json,markdown", "--lang", "en").ok().split()
    assert written == ["again/report.json", "again/summary.md"]
    assert json.loads((tmp_path / "again" / "report.json").read_text())
    cli("report", "r", "--formats", "pdf").fails(2, "unknown report format 'pdf'")
    cli("report", "r", "--lang", "de").fails(2, "unknown language 'de'")
    cli("run", "suite.yaml", "--out", "r", "-q").fails(2, "r/journal.jsonl: already holds a journal; choose another")


def test_a_journal_cut_in_a_line_is_rendered_as_far_as_it_goes(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    assert cli("run", "suite.yaml", "--out", "r", "-q").code == 0
    journal = tmp_path / "r" / FILE_NAME
    journal.write_bytes(journal.read_bytes()[:-40])
    cli("report", "r", "--formats", "markdown", "--lang", "en").ok()
    assert "stops where the journal stops" in (tmp_path / "r" / "summary.md").read_text()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"garbage\n", "journal.jsonl:1: not JSON"),
        (b"\x00\xff\xfe\n", "journal.jsonl:1: not JSON"),
        (b'{"event": "run-started"}\n', "journal.jsonl:1: run_id: field required"),
        (b'{"event": "surprise"}\n', "journal.jsonl:1: unknown kind of event"),
        (b"[]\n", "journal.jsonl:1: "),
    ],
)
def test_a_journal_that_is_none_is_one_sentence(cli: Cli, tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / FILE_NAME).write_bytes(content)
    cli("report", "r").fails(2, words)
