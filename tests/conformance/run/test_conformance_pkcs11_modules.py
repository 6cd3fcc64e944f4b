"""The PKCS#11 suites on real modules: OpenSC in every test run, the ANS Cryptolib where its path is given.

The Cryptolib cannot be distributed with this project: ``BIFENTE_CRYPTOLIB`` is the path of its library.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from conformance_cli import COMMAND, Cli, apart
from warm import warm

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live import Device, LiveBench
from bifente.conformance.model import CardChoice
from bifente.conformance.options import TargetKind
from bifente.conformance.run.suites import SCENARIOS, default_paths
from bifente.reports.events import Call, ScenarioFinished
from bifente.reports.journal import FILE_NAME, Journal, read_journal
from bifente.reports.verdict import Verdict

pytestmark = [pytest.mark.usefixtures("_chain"), pytest.mark.long]

VARIABLE = "BIFENTE_CRYPTOLIB"
PATTERNS = ("lib/*/opensc-pkcs11.so", "lib64/opensc-pkcs11.so", "lib/opensc-pkcs11.so", "local/lib/opensc-pkcs11.so")
PRIVATE = ("/etc/opt", "/var/opt")
"""Where the Cryptolib keeps what it remembers: each run of it has these for itself."""


@pytest.fixture(scope="session")
def _pykcs11() -> None:
    if importlib.util.find_spec("PyKCS11") is None:
        pytest.skip("needs PyKCS11: pip install bifente[pkcs11]")


@pytest.fixture(scope="session")
def opensc(_pykcs11: None) -> Path:
    for pattern in PATTERNS:
        if found := sorted(Path("/usr").glob(pattern)):
            return found[0]
    pytest.skip("needs OpenSC's PKCS#11 module (apt-get install opensc-pkcs11)")


@pytest.fixture(scope="session")
def cryptolib(_pykcs11: None) -> Path:
    if not os.environ.get(VARIABLE):
        pytest.skip(f"needs the ANS Cryptolib CPS: set {VARIABLE} to the path of libcps3_pkcs11_lux.so")
    path = Path(os.environ[VARIABLE])
    assert path.is_file(), f"{VARIABLE} names no file: {path}"
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare (apt-get install util-linux)")
    if missing := [folder for folder in PRIVATE if not Path(folder).is_dir()]:
        pytest.skip(f"needs the folder {missing[0]}, to hide it behind a private one")
    return path


def hidden(folder: Path) -> list[str]:
    """The start of a command whose mounts hide the machine's own folders from the Cryptolib."""
    binds = []
    for number, target in enumerate(PRIVATE):
        own = folder / f"private{number}"
        (own / "santesocial/CPS/cache").mkdir(parents=True)
        binds.append(f"mount --bind {own} {target}")
    return ["unshare", "-r", "-m", "sh", "-c", f'{" && ".join(binds)} && exec "$@"', "sh"]


def run(folder: Path, module: Path, *options: str, before: Sequence[str] = ()) -> Journal:
    """The suites of PKCS#11 on a module; no scenario may end badly."""
    # One that shall see other mounts starts in them.
    start = COMMAND if before else warm()
    command = [*start, "run", "--target", "pkcs11", "--module", str(module), "--out", str(folder / "r"), "-q"]
    config = folder / "opensc.conf"
    config.write_text("app default { }\n", encoding="utf-8")  # the user's own settings must not decide
    done = subprocess.run(
        [*before, *command, "--formats", "html,json", *options],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "OPENSC_CONF": str(config)},
        check=False,
    )
    journal = read_journal(folder / "r" / FILE_NAME)
    bad = [event.scenario for event in journal.events if isinstance(event, ScenarioFinished) and event.verdict.bad]
    assert not bad, (bad, done.stderr)
    assert done.returncode == 0, done.stderr
    return journal


def verdicts(journal: Journal) -> dict[str, Verdict]:
    return {event.scenario: event.verdict for event in journal.events if isinstance(event, ScenarioFinished)}


def test_the_suites_on_opensc(opensc: Path, tmp_path: Path) -> None:
    journal = run(tmp_path, opensc)
    found = verdicts(journal)
    assert set(found.values()) <= {Verdict.PASSED, Verdict.PASSED_WITH_REMARK, Verdict.NOT_APPLICABLE}
    assert sum(verdict.good for verdict in found.values()) >= 30
    # What does not apply says why; the CPS4 is among it.
    silent = [
        event.scenario
        for event in journal.events
        if isinstance(event, ScenarioFinished) and event.verdict is Verdict.NOT_APPLICABLE and event.reason is None
    ]
    assert not silent
    assert all(verdict is Verdict.NOT_APPLICABLE for name, verdict in found.items() if "cps4" in name)
    remarks = {name for name, verdict in found.items() if verdict is Verdict.PASSED_WITH_REMARK}
    print(f"{sum(verdict.good for verdict in found.values())} passed on OpenSC, remarks: {sorted(remarks)}")
    text = (tmp_path / "r" / FILE_NAME).read_text(encoding="utf-8")
    assert '"function":"C_Login"' in text
    assert '"pin":"••••"' in text
    assert b"1234".hex() not in text
    page = (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    assert "C_Login" in page
    assert "Ce qui est jugé" in page or "What is judged" in page


def test_the_suites_over_two_processes(opensc: Path, tmp_path: Path) -> None:
    suite = SCENARIOS / "pkcs11" / "token.yaml"
    found = verdicts(run(tmp_path, opensc, str(suite), "--workers", "2"))
    assert sum(verdict.good for verdict in found.values()) >= 6


def test_the_suites_on_the_cryptolib(cryptolib: Path, tmp_path: Path) -> None:
    """Both cards give the same answers, but for what ``differences.yaml`` tells."""
    journal = run(tmp_path, cryptolib, before=hidden(tmp_path))
    found = verdicts(journal)
    assert set(found.values()) <= {Verdict.PASSED, Verdict.PASSED_WITH_REMARK}
    assert sum(verdict is Verdict.PASSED for verdict in found.values()) >= 200
    results: dict[str, list[tuple[int, str, str]]] = {name: [] for name in found}
    for event in journal.events:
        if isinstance(event, Call) and event.function not in ("C_FindObjects", "C_GetAttributeValue"):
            assert event.scenario is not None
            assert event.index is not None
            results[event.scenario].append((event.index, event.function, event.result))
    compared, unlike = 0, set()
    for name, told in results.items():
        if name.endswith("[medecin-generaliste]"):
            compared += 1
            twin = results[name.removesuffix("]") + "+family=cps4]"]
            unlike |= {(ours[1:], theirs[1:]) for ours, theirs in zip(told, twin, strict=True) if ours != theirs}
    assert compared >= 80
    assert unlike == {
        # pkcs11.differences/last-wrong-code-on-a-...
        (("C_Login", "CKR_PIN_INCORRECT"), ("C_Login", "CKR_PIN_LOCKED")),
        # pkcs11.differences/damaged-cryptogram-on-a-...
        (("C_Decrypt", "CKR_DATA_INVALID"), ("C_Decrypt", "CKR_GENERAL_ERROR")),
    }


# -- a card that is not ours ------------------------------------------------------------------------------------------

HARMLESS = """
suite: t.real
title: {fr: Carte réelle, en: Real card}
fidelity: observed
bench: {cards: {cps: medecin-generaliste}}
scenarios:
  - id: signs
    title: {fr: Signe, en: Signs}
    requirements: [CL-T1-SIGN]
    judges: card
    steps:
      - p11-open-session
      - p11-login: $card.code
      - p11-sign: {message: x, given: digest-info}
        expect: {valid-under: $card.certificates.authentication}
  - id: sneaks
    title: {fr: Essaie un code, en: Tries a code}
    requirements: [CL-T1-SIGN]
    judges: card
    steps:
      - p11-open-session
      - p11-login: "0000"
  - id: writes
    title: {fr: Écrit, en: Writes}
    requirements: [CL-T1-SIGN]
    judges: card
    steps:
      - p11-open-session
      - p11-set-pin: {old: $card.code, new: "4321"}
  - id: spends
    title: {fr: Use un essai, en: Spends a try}
    requirements: [CL-T1-SIGN]
    judges: card
    destructive: true
    steps:
      - p11-open-session
      - p11-login: "0000"
        expect: {rv: CKR_PIN_INCORRECT}
"""


@pytest.mark.parametrize("allowed", [False, True])
def test_a_card_that_is_not_ours_is_guarded(opensc: Path, tmp_path: Path, allowed: bool) -> None:
    (tmp_path / "suite.yaml").write_text(HARMLESS, encoding="utf-8")
    device = Device.assemble(
        "readers/generic-bislot", {"cps": CardChoice(template="medecin-generaliste")}, Workshop.default(), seed=1
    )
    with LiveBench(device) as live:
        live.wait_seen()
        reader = ("--reader", live.name("cps"), "--card", "medecin-generaliste")
        more = ("--allow-destructive",) if allowed else ()
        options = ("run", "suite.yaml", "--target", "pkcs11", "--module", opensc, *reader, *more, "--out", "r", "-q")
        said = apart(*options, cwd=tmp_path, env=live.environment)
    found = {
        name.partition("/")[2]: verdict for name, verdict in verdicts(read_journal(tmp_path / "r" / FILE_NAME)).items()
    }
    spends = Verdict.PASSED if allowed else Verdict.NOT_RUN
    assert found == {"signs": Verdict.PASSED, "sneaks": Verdict.NOT_RUN, "writes": Verdict.NOT_RUN, "spends": spends}, (
        said
    )
    tries = device.cards["cps"].card.state().secrets["pin"].tries_left  # type: ignore[attr-defined]
    assert tries == (2 if allowed else 3)


# -- usage ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(monkeypatch, capsys)


def test_the_target_and_the_module_go_together(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "m.so").write_text("no library")
    cli("run", "--target", "pkcs11").fails(2, "--target pkcs11 and --module PATH go together")
    cli("run", "--module", "m.so").fails(2, "--target pkcs11 and --module PATH go together")
    cli("run", "--target", "pkcs11", "--module", "nothing.so").fails(2, "nothing.so: there is no such PKCS#11 module")


@pytest.mark.usefixtures("_pykcs11")
def test_what_is_no_module_is_one_sentence(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "m.so").write_text("no library")
    said = cli("run", "--target", "pkcs11", "--module", "m.so", "-q", "--formats", "")
    said.fails(2, "m.so: no PKCS#11 module could be loaded from it")


def test_without_pykcs11_the_cure_is_one_sentence(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.so").write_text("no library")
    monkeypatch.setattr("bifente.conformance.targets.pkcs11.importlib.util.find_spec", lambda name: None)
    said = cli("run", "--target", "pkcs11", "--module", "m.so", "-q", "--formats", "")
    said.fails(2, "needs PyKCS11: pip install 'bifente[pkcs11]'")


def test_each_target_has_suites_of_its_own() -> None:
    assert default_paths(TargetKind.PKCS11) == (SCENARIOS / "pkcs11",)
    for kind in (TargetKind.EMBEDDED, TargetKind.PCSC):
        assert {path.name for path in default_paths(kind)} >= {"card", "authentication"}
        assert not {path.name for path in default_paths(kind)} & {"pkcs11", "shared"}
