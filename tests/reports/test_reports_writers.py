"""What every writer owes, whatever its format."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import sample
from lxml import etree
from msgspec.structs import replace
from rich.console import Console

from bifente.ground.text import LANGS, Lang, Text
from bifente.reports.events import Event, Exchange, RunStarted
from bifente.reports.journal import read_journal
from bifente.reports.model import Run, fold
from bifente.reports.render import FORMATS
from bifente.reports.verdict import Verdict
from bifente.reports.words import say
from bifente.reports.writers import ctrf, html, json_writer, junit, markdown
from bifente.reports.writers.terminal import TerminalWriter

SCHEMAS = Path(__file__).parent / "schemas"
XSD = etree.XMLSchema(etree.parse(SCHEMAS / "junit.xsd"))
CTRF = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "ctrf.schema.json").read_text()))
RUN = jsonschema.Draft202012Validator(json_writer.schema())

RUNS: dict[str, Callable[[], list[Event]]] = {
    "full": sample.full_run,
    "green": sample.green_run,
    "cut": sample.cut_run,
    "nothing": list,
    "start only": lambda: [sample.run_started()],
    "no suite": lambda: [sample.run_started(suites=(), requirements=(), requirements_total=0, inputs=(), command=())],
}


def terminal(events: Iterable[Event], lang: Lang | None = None, *, tty: bool = False, width: int = 120) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=tty, color_system=None, legacy_windows=False)
    shown = TerminalWriter(console, lang)
    for event in events:
        shown.see(event)
    shown.finish()
    return out.getvalue()


def _run(name: str) -> Run:
    return fold(sample.recorded(RUNS[name]()))


def _all(name: str, lang: Lang) -> dict[str, str]:
    found = {form: FORMATS[form].write(_run(name), lang) for form in FORMATS}
    return found | {"terminal": terminal(sample.recorded(RUNS[name]()), lang)}


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", RUNS)
def test_every_writer_renders_every_run_in_every_language(name: str, lang: Lang) -> None:
    for form, text in _all(name, lang).items():
        assert text.strip() or name == "nothing", form
        text.encode("utf-8")


@pytest.mark.parametrize("lang", LANGS)
def test_all_seven_verdicts_are_in_every_report(lang: Lang) -> None:
    for form, text in _all("full", lang).items():
        for verdict in Verdict:
            word = verdict.label.get(lang) if form in ("html", "markdown", "terminal") else verdict.value
            assert word in text, (form, verdict)


@pytest.mark.parametrize("lang", LANGS)
def test_an_interrupted_run_says_so_in_every_report(lang: Lang) -> None:
    for form, text in _all("cut", lang).items():
        assert (say("interrupted", lang) if form != "json" else '"interrupted":true') in text.replace(": true", ":true")


@pytest.mark.parametrize("lang", LANGS)
def test_a_cut_line_is_told(lang: Lang) -> None:
    run = fold(sample.recorded(sample.cut_run()), truncated=True)
    for form in ("html", "markdown", "junit", "ctrf"):
        assert say("truncated", lang)[:30] in FORMATS[form].write(run, lang)


def test_rendering_is_the_same_each_time() -> None:
    assert _all("full", "fr") == _all("full", "fr")


def test_a_journal_cut_at_every_byte_of_its_last_line_renders(tmp_path: Path) -> None:
    path = tmp_path / "j"
    sample.write(path, sample.full_run())
    whole = path.read_bytes()
    start = whole.rstrip(b"\n").rfind(b"\n") + 1
    for end in range(start, len(whole) + 1):
        path.write_bytes(whole[:end])
        journal = read_journal(path)
        run = fold(journal.events, truncated=journal.truncated)
        assert run.interrupted == (end < len(whole) - 1)
        assert XSD.validate(etree.fromstring(junit.write(run, "fr").encode())), XSD.error_log
        assert json_writer.read(json_writer.write(run, "fr")) == run


# JUnit


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", RUNS)
def test_junit_obeys_its_schema(name: str, lang: Lang) -> None:
    document = etree.fromstring(junit.write(_run(name), lang).encode())
    assert XSD.validate(document), XSD.error_log


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('errors="1"', 'errors="many"'),
        ("failure", "oops"),
        ('classname="', 'class="'),
        ('time="0.012400"', 'time="-1"'),
    ],
)
def test_the_junit_schema_refuses_what_it_should(good: str, bad: str) -> None:
    text = junit.write(_run("full"), "fr")
    assert good in text
    assert not XSD.validate(etree.fromstring(text.replace(good, bad).encode()))


def _cases(name: str = "full") -> dict[str, etree._Element]:
    document = etree.fromstring(junit.write(_run(name), "fr").encode())
    return {str(case.get("name")): case for case in document.iter("testcase")}


def test_junit_outcomes() -> None:
    outcomes = {
        name: [child.tag for child in case if child.tag not in ("properties",)] for name, case in _cases().items()
    }
    assert outcomes == {
        "wrong-code-is-counted": [],
        "three-wrong-codes-block": ["failure"],
        "tries-left-are-readable": ["system-out"],
        "blocked": ["skipped"],
        "pin-pad": ["skipped"],
        "deux-fentes": ["error"],
        "retrait": ["skipped"],
        "hostile": ["failure"],
    }


def test_junit_counts_are_those_of_its_cases() -> None:
    for name in RUNS:
        document = etree.fromstring(junit.write(_run(name), "fr").encode())
        for element in (document, *document.iter("testsuite")):
            for count, tag in (("tests", "testcase"), ("failures", "failure"), ("errors", "error")):
                assert int(element.get(count, "-1")) == len(list(element.iter(tag)))
            assert int(element.get("skipped", "-1")) == len(list(element.iter("skipped")))


def test_a_junit_failure_has_all_it_takes() -> None:
    case = _cases()["three-wrong-codes-block"]
    assert (case.get("file"), case.get("line")) == ("scenarios/authentication/code-porteur.yaml", "31")
    properties = [(item.get("name"), item.get("value")) for item in case.iter("property")]
    assert ("requirement", "CARD-CPS3-17") in properties
    assert ("fidelity", "observed") in properties
    assert ("target", "embedded") in properties
    assert ("profile", "readers/exemple-bi-fente") in properties
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "étape 2 : sw attendu 6983, observé 63C0"
    assert "attendu 6983, observé 63C0" in str(failure.text)
    assert "code-porteur.yaml:21" in str(failure.text)
    assert "Reproduire : bifente run scenarios/authentication/code-porteur.yaml::three-wrong" in str(failure.text)


def test_an_interrupted_run_is_not_green_for_a_ci_gate() -> None:
    assert _cases("cut")["run-complete"].find("error") is not None
    assert "run-complete" not in _cases("full")


# CTRF


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", RUNS)
def test_ctrf_obeys_its_schema_and_its_counts_add_up(name: str, lang: Lang) -> None:
    document = json.loads(ctrf.write(_run(name), lang))
    CTRF.validate(document)
    summary, tests = document["results"]["summary"], document["results"]["tests"]
    assert summary["tests"] == len(tests)
    for status in ("passed", "failed", "skipped", "pending", "other"):
        assert summary[status] == sum(test["status"] == status for test in tests)
    assert summary["stop"] >= summary["start"]


def test_ctrf_says_what_it_can() -> None:
    document = json.loads(ctrf.write(_run("full"), "en"))
    assert document["reportFormat"] == "CTRF"
    tests = {test["testId"].rpartition("/")[2]: test for test in document["results"]["tests"]}
    assert {name: test["status"] for name, test in tests.items()} == {
        "wrong-code-is-counted": "passed",
        "three-wrong-codes-block": "failed",
        "tries-left-are-readable": "passed",
        "blocked": "skipped",
        "pin-pad": "skipped",
        "deux-fentes": "other",
        "retrait": "pending",
        "hostile": "failed",
    }
    failed = tests["three-wrong-codes-block"]
    assert failed["name"] == "Three wrong codes block the code"
    assert failed["message"] == "step 2: expected sw 6983, observed 63C0"
    assert "Reproduce: bifente run" in failed["trace"]
    assert failed["tags"] == ["CARD-CPS3-17"]
    assert (failed["line"], failed["duration"], failed["rawStatus"]) == (31, 12, "failed")
    assert "message" not in tests["wrong-code-is-counted"]
    assert document["results"]["environment"]["healthy"] is False
    assert json.loads(ctrf.write(_run("green"), "en"))["results"]["environment"]["healthy"] is True


def test_the_ctrf_report_id_belongs_to_the_run() -> None:
    ids = {json.loads(ctrf.write(_run("full"), lang))["reportId"] for lang in LANGS}
    assert len(ids) == 1
    other = fold([sample.run_started(run_id="another")])
    assert json.loads(ctrf.write(other, "fr"))["reportId"] not in ids


def test_a_broken_ctrf_document_is_refused() -> None:
    document = json.loads(ctrf.write(_run("full"), "fr"))
    document["results"]["tests"][0]["status"] = "bench-error"
    assert list(CTRF.iter_errors(document))


# JSON


@pytest.mark.parametrize("name", RUNS)
def test_json_obeys_its_published_schema_and_reads_back(name: str) -> None:
    run = _run(name)
    text = json_writer.write(run, "fr")
    RUN.validate(json.loads(text))
    assert json_writer.read(text) == run


def test_json_of_another_form_is_refused() -> None:
    document = json.loads(json_writer.write(_run("full"), "fr"))
    change: dict[str, Any]
    for change in ({"format": "other"}, {"version": "1"}, {"run": {}}):
        with pytest.raises(ValueError):  # noqa: PT011 - pydantic words it
            json_writer.read(json.dumps(document | change))


# Markdown


def test_markdown_shows_failures_with_their_evidence() -> None:
    text = markdown.write(_run("full"), "en")
    assert "| ✗ failed | 2 |" in text
    assert "### ✗ failed: Three wrong codes block the code" in text
    assert "sw: expected 6983, observed 63C0" in text
    assert "Reproduce: bifente run" in text
    assert "This report is not an approval." in text


@pytest.mark.parametrize(("lang", "words"), [("fr", "dont engendrés : 4"), ("en", "of them generated: 4")])
def test_scenarios_that_a_matrix_gave_are_told_apart(lang: Lang, words: str) -> None:
    start, *rest = sample.full_run()
    assert isinstance(start, RunStarted)
    first, second = start.suites
    run = fold([replace(start, suites=(replace(first, generated=4), second)), *rest])
    assert f"| 5 ({words}) |" in markdown.write(run, lang)
    assert html.write(run, lang).count(words) == 1
    plain = fold(sample.full_run())
    assert say("generated", lang) not in markdown.write(plain, lang) + html.write(plain, lang)


def test_markdown_lets_no_hostile_text_act() -> None:
    text = markdown.write(_run("full"), "fr")
    outside, fenced = [], False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        outside += [] if fenced else [line]
    assert not fenced
    assert "<" not in "\n".join(outside)
    assert "\x1b" not in text
    rows = [line for line in outside if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} <= {3, 5}


def test_markdown_fences_hold_whatever_the_text() -> None:
    events = sample.scenario(
        "x", Text("x", "x"), Verdict.FAILED, reason=Text.same("```\n# titre\n````"), requirements=()
    )
    text = markdown.write(fold([sample.run_started(), *events]), "fr")
    assert "\n`````text\n```\n# titre\n````" in text


def test_markdown_stays_short() -> None:
    events: list[Event] = [sample.run_started()]
    for number in range(60):
        events += sample.scenario(f"x{number}", Text("x", "x"), Verdict.FAILED)
    text = markdown.write(fold(events), "fr")
    assert text.count("### ") == markdown.MOST_DETAILED
    assert "+ 40" in text


# Terminal


def test_the_terminal_writes_stable_lines_when_it_is_none() -> None:
    text = terminal(sample.recorded(sample.full_run()), "fr")
    assert "\x1b" not in text
    lines = text.splitlines()
    assert "✓ réussi  authentication.code-porteur/wrong-code-is-counted  12,4 ms" in lines
    assert "⚠ erreur du banc  lecteurs.bi-fente/deux-fentes  12,4 ms" in lines
    assert "      sw : attendu 6983, observé 63C0" in lines
    assert any(line.startswith("    Reproduire : bifente run") for line in lines)
    assert "    scenarios/authentication/code-porteur.yaml:31" in lines
    assert "Exigences : 5/64 (7,8 %)" in lines
    assert lines[-1].startswith("À examiner : 4 sur 8 scénarios.")


def test_a_narrow_terminal_does_not_break_lines_that_are_searched() -> None:
    text = terminal(sample.recorded(sample.full_run()), "fr", width=30)
    assert "✓ réussi  authentication.code-porteur/wrong-code-is-counted  12,4 ms" in text.splitlines()


def test_the_terminal_speaks_the_language_of_the_run_unless_told() -> None:
    events = sample.recorded(sample.full_run(lang="en"))
    assert "✓ passed" in terminal(events)
    assert "✓ réussi" in terminal(events, "fr")


def test_the_terminal_shows_progress_on_a_tty_only() -> None:
    hide, show = "\x1b[?25l", "\x1b[?25h"
    for events in (sample.green_run(), sample.cut_run()):
        live = terminal(sample.recorded(events), "fr", tty=True)
        assert hide in live
        assert live.rindex(show) > live.rindex(hide), "the cursor is given back"
        assert "\x1b" not in terminal(sample.recorded(events), "fr")


def test_the_terminal_sums_up_once() -> None:
    for events in (sample.full_run(), sample.cut_run()):
        assert terminal(sample.recorded(events), "fr").count("Synthèse") == 1


def test_no_markup_nor_escape_of_a_scenario_reaches_the_terminal() -> None:
    text = terminal(sample.recorded(sample.full_run()), "fr")
    assert "[red]" in text
    for harmful in ("\x1b", "\u202e", "\r"):
        assert harmful not in text


def test_a_large_exchange_is_no_trouble() -> None:
    big = Exchange(
        scenario="a/b", index=0, slot="cps", command="00B0000000", response="AB" * 65_536 + "9000", sw="9000"
    )
    run = fold([sample.run_started(), big])
    for form in FORMATS.values():
        form.write(run, "fr")
    assert len(FORMATS["html"].write(run, "fr")) < 100_000


def test_who_is_judged_is_said_by_every_report_and_calls_are_shown() -> None:
    run = fold(sample.recorded(sample.full_run()))
    assert "Ce qui est jugé : le module PKCS#11" in markdown.write(run, "fr")
    assert "What is judged: the PKCS#11 module" in markdown.write(run, "en")
    page = html.write(run, "fr")
    assert "<dt>Ce qui est jugé</dt><dd>le module PKCS#11</dd>" in page
    assert "AB" * 512 + "…" in page
    assert "AB" * 513 not in page
    plain = json.loads(json_writer.write(run, "fr"))
    started = [item["start"] for suite in plain["run"]["suites"] for item in suite["scenarios"]]
    assert [item.get("judges") for item in started].count("module") == 1
