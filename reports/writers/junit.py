"""JUnit XML, in the shape most CI servers read: testsuites, testsuite, testcase, properties, file and line.

A bench error is an `error`, never a `failure`. A run that did not go to its end carries one more `error`, in a suite
of its own, so that no gate takes what passed so far for a success.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree as ET

from bifente.ground.text import Lang
from bifente.reports import explain
from bifente.reports.clean import one_line, printable
from bifente.reports.model import Run, ScenarioResult, SuiteResult
from bifente.reports.verdict import Verdict
from bifente.reports.words import labelled

RUN_SUITE = "bifente"
"""The suite that carries what concerns the run itself."""


def write(run: Run, lang: Lang) -> str:
    """Return `run` as JUnit XML. Times are in seconds; timestamps are UTC without a zone, as the format wants them."""
    return "".join(pieces(run, lang))


def pieces(run: Run, lang: Lang) -> Iterator[str]:
    """Yield the document that `write` returns, a test case at a time."""
    suites = [_suite(run, suite, lang) for suite in run.suites]
    unfinished = _unfinished(run, lang) if run.interrupted or run.missing else None
    root = ET.Element("testsuites", name=f"bifente {one_line(run.start.run_id)}", time=_seconds(run.duration_us))
    for name in ("tests", "failures", "errors", "skipped"):
        told = [*suites, *([] if unfinished is None else [unfinished])]
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in told)))
    head, tail = _around(root, 0)
    yield '<?xml version="1.0" encoding="UTF-8"?>\n' + head
    for suite, element in zip(run.suites, suites, strict=True):
        before, after = _around(element, 1)
        yield before
        for scenario in suite.scenarios:
            yield _text(_case(scenario, run, lang), 2)
        yield after
    if unfinished is not None:
        yield _text(unfinished, 1)
    yield tail


def _text(element: ET.Element, level: int) -> str:
    ET.indent(element, level=level)
    element.tail = None
    return f"{'  ' * level}{ET.tostring(element, encoding='unicode')}\n"


def _around(element: ET.Element, level: int) -> tuple[str, str]:
    """The text of an element, cut where more children go: before its end tag."""
    if not len(element) and not element.text:
        # Without a child its tag would be one that closes itself.
        opening = ET.tostring(element, encoding="unicode", short_empty_elements=False)
        head = opening[: -len(f"</{element.tag}>")] + "\n"
    else:
        head = _text(element, level).rpartition(f"</{element.tag}>")[0].rstrip(" ")
    return head, f"{'  ' * level}</{element.tag}>\n"


def _suite(run: Run, suite: SuiteResult, lang: Lang) -> ET.Element:
    """A suite, less its cases."""
    outcomes = Counter(scenario.verdict.junit for scenario in suite.scenarios)
    first = next(iter(suite.scenarios), None)
    element = ET.Element(
        "testsuite",
        name=one_line(suite.suite.id) or "?",
        tests=str(outcomes.total()),
        failures=str(outcomes["failure"]),
        errors=str(outcomes["error"]),
        skipped=str(outcomes["skipped"]),
        time=_seconds(suite.duration_us),
        timestamp=_timestamp(first.start.time if first else run.start.time),
        file=one_line(suite.suite.file),
    )
    start = run.start
    about = {
        "title": suite.suite.title.get(lang),
        "run": start.run_id,
        "tool": f"{start.tool.name} {start.tool.version}",
        "commit": start.tool.commit,
        "target": start.target,
        "reader": start.reader or "",
        "profile": start.profile or "",
        "seed": str(start.seed),
        **{f"environment.{name}": value for name, value in start.environment.items()},
    }
    _properties(element, about.items())
    return element


def _case(scenario: ScenarioResult, run: Run, lang: Lang) -> ET.Element:
    start = scenario.start
    element = ET.Element(
        "testcase",
        name=one_line(scenario.id.removeprefix(start.suite + "/")) or "?",
        classname=one_line(start.suite) or "?",
        time=_seconds(scenario.duration_us),
        file=one_line(start.file),
        line=str(start.line),
    )
    about = [
        ("title", start.title.get(lang)),
        ("verdict", scenario.verdict.value),
        ("fidelity", scenario.fidelity.value),
        ("target", run.start.target),
        ("profile", start.profile or run.start.profile or ""),
        *(("requirement", cited) for cited in start.requirements),
    ]
    _properties(element, about)
    reason = explain.headline(scenario, lang) or scenario.verdict.label.get(lang)
    text = printable("\n".join(explain.lines(scenario, lang)))
    match scenario.verdict.junit:
        case "failure" | "error" as outcome:
            ET.SubElement(element, outcome, message=reason, type=scenario.verdict.value).text = text
        case "skipped":
            ET.SubElement(element, "skipped", message=labelled(scenario.verdict.label.get(lang), reason, lang))
        case "passed" if scenario.verdict is not Verdict.PASSED:
            ET.SubElement(element, "system-out").text = text
    return element


def _unfinished(run: Run, lang: Lang) -> ET.Element:
    words = explain.warnings(run, lang)
    element = ET.Element(
        "testsuite",
        name=RUN_SUITE,
        tests="1",
        failures="0",
        errors="1",
        skipped="0",
        time="0.000000",
        timestamp=_timestamp(run.ended),
    )
    case = ET.SubElement(element, "testcase", name="run-complete", classname=RUN_SUITE, time="0.000000")
    ET.SubElement(case, "error", message=" ".join(words), type="interrupted").text = "\n".join(words)
    return element


def _properties(element: ET.Element, values: Iterable[tuple[str, str]]) -> None:
    properties = ET.SubElement(element, "properties")
    for name, value in values:
        if value:
            ET.SubElement(properties, "property", name=one_line(name), value=one_line(value))


def _seconds(microseconds: int) -> str:
    return f"{microseconds / 1_000_000:.6f}"


def _timestamp(time: str) -> str:
    return time[:19] or "1970-01-01T00:00:00"
