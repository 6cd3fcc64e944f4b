"""The rules as data: sound, sourced, cured; and no link between a message and a version."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bifente.conformance.domains.support.effects import EFFECTS
from bifente.conformance.domains.support.journeys import JourneyStep
from bifente.ground.shipped import texts
from bifente.simulator.faults import catalogue
from bifente.simulator.middleware.cryptolib.traits import TRAITS
from bifente.simulator.workstation import Poste, PosteRule, met_rules, poste_facts, poste_rules
from bifente.simulator.workstation.known import known_postes
from bifente.simulator.workstation.packages import fits, install, package_names, remove, restart
from bifente.simulator.workstation.poste import PosteError
from bifente.simulator.workstation.rules import condition

ROOT = Path(__file__).parents[2]
SOURCES = set(re.findall(r"^### ([a-z0-9-]+)$", (ROOT / "docs" / "sources.md").read_text("utf-8"), re.MULTILINE))
RULES = sorted(poste_rules().values(), key=lambda rule: rule.id)
FIELD_CODES = (
    *("GALSS_MISMATCH", "GALSS_ABSENT_READER", "GALSS_MISSING", "DMP_TIMEOUT", "DMP_PCSC_ERR", "CPS_SLOT_ABSENT"),
    *("VITALE_ABSENTE", "ADR_SERVEUR", "PORT_CONFLICT", "SESAM_MGC", "SESAM_SSV_TABLE", "SSV_TABLES_PERSIST"),
    *("TABLES_X86_INCOMPLET", "SAC", "FSV_MSI_SOURCE", "LNA"),
)


def met(rule: PosteRule) -> Poste:
    poste = rule.supposed(Poste())
    assert poste is not None
    return poste


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_sound(rule: PosteRule) -> None:
    for text in (rule.title, rule.cause, rule.cure, rule.confirm, *rule.alternatives):
        assert text.fr, rule.id
        assert text.en, rule.id
    named = re.findall(r"sources[#]([a-z0-9-]+)", rule.source)
    assert (named and set(named) <= SOURCES) or rule.source == "our model"
    for effect in rule.effects:
        assert effect.kind in EFFECTS
        if effect.kind == "fault":
            assert effect.parameters["fault"] in catalogue()
        if effect.kind == "cryptolib":
            assert effect.parameters["trait"].replace("-", "_") in TRAITS
        if "before" in effect.parameters:
            assert effect.parameters["before"] in {step.value for step in JourneyStep}
    poste = met(rule)
    assert rule.meets(poste)
    if rule.cured_by:
        assert not rule.meets(poste.changed(rule.cured_by)), "its own cure leaves it met"


@pytest.mark.parametrize("code", FIELD_CODES)
def test_every_finding_code_of_the_field_has_a_rule(code: str) -> None:
    found = [rule for rule in RULES if rule.finding == code]
    assert found
    assert all(rule.cure.fr and rule.confirm.fr for rule in found)


def test_only_services_are_on_the_side_of_the_server() -> None:
    for rule in RULES:
        services = {one.key for one in rule.conditions if one.key.startswith("service-")}
        assert rule.server == bool(services), rule.id
        if rule.server:
            assert "ne touchez pas au poste" in rule.cure.fr


# -- no link between a message and a version --------------------------------------------------------------------------

VERSION = re.compile(r"(?<![\w.])\d+\.\d+(?:\.\d+)*(?![\w.])")
MESSAGE = re.compile(r"(?<!\d)777(?!\d)")
ROOMS = ("simulator", "conformance", "vendor_profiles", "reports")


def rows(value: Any) -> Iterator[str]:
    """Each innermost row of a file: what one rule, text or fact says, without what further rows below it say."""
    if isinstance(value, list):
        for item in value:
            yield from rows(item)
    elif isinstance(value, dict):
        below = {key for key, one in value.items() if _holds_rows(one)}
        for key in below:
            yield from rows(value[key])
        yield str({key: one for key, one in value.items() if key not in below})
    else:
        yield str(value)


def _holds_rows(value: Any) -> bool:
    """A list of mappings, or mappings by name: each of them is a row of its own."""
    several = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return len(several) > 0 and all(isinstance(one, dict) for one in several)


def linked(text: str) -> bool:
    return bool(MESSAGE.search(text) and VERSION.search(text))


def test_no_data_links_the_message_and_a_version() -> None:
    spoken = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.yaml")):
            for row in rows(texts(path.read_text("utf-8"))):
                assert not linked(row), (path, row)
                if MESSAGE.search(row):
                    spoken.append(path.name)
    assert set(spoken) == {"medistory-like.yaml", "everyday.yaml", "catalogue.yaml"}


def test_no_code_knows_the_message() -> None:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            lines = [line for line in path.read_text("utf-8").splitlines() if MESSAGE.search(line)]
            assert not [line for line in lines if "help=" not in line], path
            assert not any(linked(line) for line in lines), path


@pytest.mark.parametrize(
    "planted",
    [
        {"rules": [{"id": "x", "cause": "erreur 777", "when": {"cryptolib": "5.1.8"}}]},
        {"texts": [{"text": {"fr": "erreur 777"}, "versions": ["5.1.8"]}]},
        {"a": {"b": "777 with 5.1.8"}},
    ],
)
def test_a_planted_link_is_seen(planted: Any) -> None:
    assert any(linked(row) for row in rows(planted))


def test_no_rule_names_a_software() -> None:
    for rule in RULES:
        assert "software" not in {one.key for one in rule.conditions}, rule.id


# -- workstations and packages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"nonsense": "x"}, "no fact"),
        ({"cryptolib": "five"}, "no version"),
        ({"os": "beos"}, "none of"),
        ({"galss-ini": "serie"}, "none of"),
        ({"os-version": "absent"}, "no version"),
        ({"software": "../../etc/passwd\n"}, "no plain name"),
    ],
)
def test_facts_that_cannot_be_are_refused(facts: dict[str, str], why: str) -> None:
    with pytest.raises(PosteError, match=why):
        Poste(facts)


def test_a_condition_on_no_fact_is_refused() -> None:
    with pytest.raises(KeyError):
        condition("nonsense", "x")


def test_defaults_meet_their_own_kind() -> None:
    for fact in poste_facts().values():
        assert fact.complaint(fact.default) is None, fact.key


def test_differences_are_of_versions_and_not_of_writings() -> None:
    one, other = Poste({"srvsvcnam": "3.43"}), Poste({"srvsvcnam": "3.43.00", "cryptolib": "5.1.8"})
    assert [found.key for found in one.differences(other)] == ["cryptolib"]


def test_what_nobody_looked_at_is_not_supposed_met() -> None:
    rule = poste_rules()["cryptolib-macos-64-bits-only"]
    poste = Poste({"os": "macos", "cryptolib": "5.1.8"}, {"cryptolib": "no access"})
    assert rule.unseen(poste) == ("cryptolib",)


def test_rules_are_those_of_the_workstation_as_it_is_and_was_seen() -> None:
    known, rule = known_postes()["mojave-atsam-4.50"].poste, "cryptolib-macos-64-bits-only"
    met = {one.rule.id for one in met_rules(known)}
    unseen = replace(known, unseen={"cryptolib": "no access"})
    assert unseen != known
    assert rule in met
    for other in (known.changed({"cryptolib": "5.1.5"}), unseen):
        assert rule not in {one.rule.id for one in met_rules(other)}
    again = replace(known, name="another name of the same")
    assert (again, hash(again)) == (known, hash(known))
    assert {one.rule.id for one in met_rules(again)} == met


def test_what_was_looked_at_is_not_supposed_otherwise() -> None:
    rule = poste_rules()["cryptolib-macos-64-bits-only"]
    assert rule.supposed(Poste({"os": "windows"})) is None
    assert rule.supposed(Poste({"os": "windows"}), firm=False) is not None


def test_a_package_over_an_older_set_damages_the_neighbour_and_one_on_a_clean_place_does_not() -> None:
    poste = known_postes()["mojave-atsam-4.41"].poste
    assert install(poste, "atsam-4.50").get("io-comm-state") == "damaged"
    assert install(remove(poste), "atsam-4.50").get("io-comm-state") == "sound"
    without = poste.changed({"io-comm": "absent"})
    assert install(without, "atsam-4.50").get("io-comm-state") == "sound"


def test_removal_takes_all_three_and_leaves_the_cache_alone() -> None:
    poste = remove(known_postes()["mojave-atsam-4.50"].poste.changed({"cryptolib-cache": "stale"}))
    assert {poste.get(key) for key in ("galss", "srvsvcnam", "cryptolib", "atsam")} == {"absent"}
    assert poste.get("cryptolib-cache") == "stale"
    for alone in ("cryptolib", "galss", "medistory-suite"):
        with pytest.raises(PosteError, match="no tool"):
            remove(poste, alone)


def test_packages_know_their_system() -> None:
    mojave, catalina = (known_postes()[name].poste for name in ("mojave-atsam-4.41", "catalina-atsam-4.50"))
    assert fits(mojave, "atsam-4.41")
    assert not fits(mojave, "atsam-4.5")
    assert fits(catalina, "atsam-4.50")
    assert not fits(catalina, "atsam-4.41")
    assert set(package_names()) >= {"atsam-4.41", "atsam-4.50", "atsam-4.5"}
    with pytest.raises(PosteError, match="no known package"):
        install(mojave, "atsam-9")


def test_a_restart_brings_back_what_was_emptied_and_what_was_stopped() -> None:
    poste = restart(Poste({"software-preferences": "emptied", "galss-service": "stopped", "cryptolib-cache": "stale"}))
    assert poste.get("software-preferences") == "usual"
    assert poste.get("galss-service") == "running"
    assert poste.get("cryptolib-cache") == "stale"
