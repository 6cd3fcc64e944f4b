"""The HTML report in a real browser: it shows, it loads nothing from elsewhere, and it prints."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.options import RunOptions
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.ground.clock import WallClock
from bifente.reports.journal import FILE_NAME, Recorder
from bifente.reports.render import render

SUITE = Path(__file__).resolve().parents[2] / "scenarios" / "card" / "code-porteur.yaml"


@pytest.fixture(scope="module")
def browser() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if (found := shutil.which(name)) is not None:
            return found
    pytest.skip("needs chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    workshop = Workshop.default()
    plan = prepare(RunOptions(paths=(SUITE,), lang="fr"), workshop)
    with Recorder(folder / FILE_NAME, now=WallClock().now) as recorder:
        execute(plan, workshop, run_id="page", command=("bifente", "run"), emit=recorder.record)
    (page,) = render(folder / FILE_NAME, ["html"], folder)
    return page


def run(browser: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    quiet = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
    sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
    command = [browser, "--headless", "--disable-gpu", *sandbox, *quiet, f"--user-data-dir={folder / 'user'}", *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_the_page_shows_and_its_script_runs(browser: str, report: Path, tmp_path: Path) -> None:
    done = run(browser, tmp_path, "--enable-logging=stderr", "--dump-dom", report.as_uri())
    assert "Rapport d'essais" in done.stdout
    assert "Un code faux est compté" in done.stdout
    assert "63 C2" in done.stdout
    # What the page's own policy refused, or a script that failed, is told on the console.
    assert "CONSOLE" not in done.stderr, done.stderr


def test_the_page_prints(browser: str, report: Path, tmp_path: Path) -> None:
    paper = tmp_path / "report.pdf"
    run(browser, tmp_path, f"--print-to-pdf={paper}", report.as_uri())
    assert paper.read_bytes().startswith(b"%PDF-")
    # Folded parts are printed open: a page of summaries alone would be a tenth of this.
    assert paper.read_bytes().count(b"/Type /Page\n") + paper.read_bytes().count(b"/Type /Page ") >= 10
