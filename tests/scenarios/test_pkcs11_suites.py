"""The PKCS#11 suites: well made, mostly refusals, honest about who is judged, and able to fail when a card is wrong."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from selecting import only
from test_suites import (
    any_code_is_right,
    decipher_keeps_the_padding,
    random_bytes_never_change,
    reset_keeps_the_code,
    titles,
    verdicts,
    wrong_tries_are_not_counted,
)

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.facets import Apdu
from bifente.conformance.bench.module import RunningModule
from bifente.conformance.bench.module_profiles import module_profiles
from bifente.conformance.model import ModuleAbility
from bifente.conformance.options import RunOptions, TargetKind
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import SCENARIOS
from bifente.conformance.scenario.plan import PlannedScenario, PlannedStep
from bifente.reports.events import Event
from bifente.reports.verdict import Verdict
from bifente.simulator.pcsc.discovery import find_installation
from bifente.simulator.pcsc.errors import PcscdError
from bifente.simulator.pcsc.private_pcscd import try_namespaces

LEAST = 60
FOLDER = SCENARIOS / "pkcs11"


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=(FOLDER,)), workshop)


@pytest.fixture(scope="module")
def scenarios(plan: RunPlan) -> tuple[PlannedScenario, ...]:
    """Each scenario once, however many cards its matrix names."""
    return tuple({(scenario.suite, scenario.model.id): scenario for scenario in plan.scenarios}.values())


def expects_a_refusal(step: PlannedStep) -> bool:
    """Whether a step can only do well if something is refused, hidden or gone."""
    wanted = {**step.should, **step.expect}
    code = wanted.get("rv", "CKR_OK")
    refused = "CKR_OK" not in (code if isinstance(code, list) else [code])
    hidden = wanted.get("count") == 0 or wanted.get("present") is False or "not-valid-under" in wanted
    return refused or hidden


def test_there_are_enough_and_most_expect_a_refusal(scenarios: tuple[PlannedScenario, ...]) -> None:
    negative = [scenario for scenario in scenarios if any(map(expects_a_refusal, scenario.steps))]
    print(f"{len(scenarios)} scenarios, {len(negative)} of them negative")
    assert len(scenarios) >= LEAST
    assert len(negative) > len(scenarios) / 2


def test_every_scenario_says_who_is_judged_and_speaks_pkcs11(scenarios: tuple[PlannedScenario, ...]) -> None:
    for scenario in scenarios:
        assert scenario.model.judges is not None, scenario.id
        needs = {need for step in scenario.steps for need in step.kind.needs}
        assert RunningModule in needs, scenario.id
        assert Apdu not in needs, scenario.id
    assert {scenario.model.judges for scenario in scenarios} == {"card", "module", "host"}


def test_every_scenario_cites_requirements_once_each(scenarios: tuple[PlannedScenario, ...]) -> None:
    cited = [requirement for scenario in scenarios for requirement in scenario.model.requirements]
    for scenario in scenarios:
        assert len(set(scenario.model.requirements)) == len(scenario.model.requirements) > 0, scenario.id
    for prefix, least in (("EX_CPS3_PKCS11_", 9), ("CL-T", 18), ("CARD-CPS4-", 20), ("CARD-CPS3-", 20)):
        assert len({item for item in cited if item.startswith(prefix)}) >= least, prefix
    assert set(cited) >= {"CARD-CPS3-33", "CARD-CPS3-34", "CARD-CPS3-35", "CARD-CPS3-36"}


def test_titles_differ_and_are_in_both_languages(plan: RunPlan, scenarios: tuple[PlannedScenario, ...]) -> None:
    for where, title in titles(plan):
        assert title.fr.strip() != title.en.strip(), where
    for language in ("fr", "en"):
        found = [getattr(scenario.model.title, language) for scenario in scenarios]
        assert len(set(found)) == len(found)


CHANGES = {"p11-set-pin", "p11-init-pin", "p11-write", "p11-call"}
HARMLESS_CALLS = {"C_DigestKey"}


def spends_or_changes(step: PlannedStep) -> bool:
    arguments = dict(step.kind.arguments(step.raw))
    if step.kind.name == "p11-call":
        return arguments["function"] not in HARMLESS_CALLS
    if step.kind.name == "p11-login":
        role = step.slot or "cps"
        own = {f"$cards.{role}.code", "$card.code", "$code"}
        if step.bindings.get("code") not in (None, "$card.code"):
            return True
        # The right unblocking code costs a use.
        return arguments["code"] not in own or arguments.get("as") == "so"
    return step.kind.name in CHANGES


def test_what_spends_a_try_or_changes_the_card_is_marked(scenarios: tuple[PlannedScenario, ...]) -> None:
    for scenario in scenarios:
        made_for_it = any(
            "lifecycle" in choice.parameters and "exhausted" in str(choice.parameters)
            for choice in scenario.bench.cards.values()
        )
        harms = [step for step in scenario.steps if spends_or_changes(step)]
        assert scenario.model.destructive or not harms or made_for_it, (scenario.id, [step.line for step in harms])


def test_scenarios_run_on_both_families_or_say_in_their_title_which(plan: RunPlan) -> None:
    families: dict[tuple[str, str], set[str]] = {}
    for scenario in plan.scenarios:
        found = families.setdefault((scenario.suite, scenario.model.id), set())
        found |= {str(choice.parameters.get("family", "cps3")) for choice in scenario.bench.cards.values()}
    one_sided = {key for key, found in families.items() if len(found) == 1}
    # EF_ACTUA and expiry are a CPS3's, and so is the option that spends the code.
    assert {key for key in one_sided if key[0] != "pkcs11.differences"} == {
        ("pkcs11.life", "updated-card"),
        ("pkcs11.life", "interrupted-update"),
        ("pkcs11.life", "expired-card"),
        ("pkcs11.signature", "silent-code-after-a-refusal"),
        ("pkcs11.token", "two-cards-of-one-family"),
    }
    for scenario in plan.scenarios:
        if scenario.suite == "pkcs11.differences":
            text = f"{scenario.model.id} {scenario.model.title.en}".lower()
            assert "cps3" in text or "cps4" in text, scenario.id


def test_every_ability_is_asked_for_and_every_lack_is_felt(scenarios: tuple[PlannedScenario, ...]) -> None:
    asked = {ability for scenario in scenarios for ability in scenario.model.requires_module}
    families = {ability for ability in ModuleAbility if ability.value.startswith("family-")}
    assert asked == set(ModuleAbility) - families
    for profile in module_profiles():
        assert set(profile.lacks) <= asked | families


UPDATES = {"updated", "damaged-update", "empty-update"}
"""The states of a card that show in a file, and not in its counters alone."""


def test_two_contents_never_share_a_serial_number(plan: RunPlan, workshop: Workshop) -> None:
    """A client that caches files by serial number would be served those of another card (CARD-CPS3-37)."""
    found: dict[str, bytes] = {}
    for scenario in plan.scenarios:
        for choice in scenario.bench.cards.values():
            made = workshop.personalised(choice, datetime.now(UTC).date())
            content = b"".join(item.encode() for item in made.objects.values())  # type: ignore[attr-defined]
            if made.template.lifecycle in UPDATES:  # type: ignore[attr-defined]
                content += made.template.lifecycle.encode()  # type: ignore[attr-defined]
            assert found.setdefault(made.serial, content) == content, scenario.id


# -- a wrong card is noticed through a module -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def opensc() -> Path:
    try:
        find_installation()
    except PcscdError as error:
        pytest.skip(f"needs a real pcscd: {error}")
    if (refused := try_namespaces()) is not None:
        pytest.skip(f"needs namespaces: {refused}")
    for name in ("smartcard", "PyKCS11"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"needs {name}: pip install 'bifente[pcsc,pkcs11]'")
    if found := sorted(Path("/usr").glob("lib/*/opensc-pkcs11.so")):
        return found[0]
    pytest.skip("needs OpenSC's PKCS#11 module (apt-get install opensc-pkcs11)")


MUTATIONS: dict[Callable[[Any], None], tuple[str, str]] = {
    any_code_is_right: ("codes", "pkcs11.codes/wrong-code-is-counted[medecin-generaliste]"),
    wrong_tries_are_not_counted: ("codes", "pkcs11.codes/third-wrong-code-blocks[medecin-generaliste]"),
    decipher_keeps_the_padding: ("encryption", "pkcs11.encryption/decryption[medecin-generaliste]"),
    random_bytes_never_change: ("encryption", "pkcs11.encryption/random-bytes[medecin-generaliste]"),
    reset_keeps_the_code: ("life", "pkcs11.life/reset-does-not-open-anything[medecin-generaliste]"),
}
"""What may be wrong with a card, and a scenario that must notice through OpenSC."""


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_wrong_card_makes_scenarios_fail(
    mutation: Callable[[Any], None], opensc: Path, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite, noticed = MUTATIONS[mutation]
    options = RunOptions(paths=(FOLDER / f"{suite}.yaml",), target=TargetKind.PKCS11, module=opensc)
    whole = prepare(options, workshop)
    # With it the first and the last that this module can do: it is not wrong in everything.
    others = [scenario.id for scenario in whole.scenarios if scenario.id != noticed and "cps4" not in scenario.id]
    plan = only(whole, noticed, others[0], others[-1])
    mutation(monkeypatch)
    told: list[Event] = []
    execute(plan, workshop, run_id="20250101-000000-000000", command=("bifente", "run"), emit=told.append)
    found = verdicts(told)
    failed = [name for name, verdict in found.items() if verdict is Verdict.FAILED]
    print(f"{len(failed)} failed: {', '.join(failed)}")
    assert found[noticed] is Verdict.FAILED
    assert Verdict.BENCH_ERROR not in found.values()
    assert Verdict.PASSED in found.values()
