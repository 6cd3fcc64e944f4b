"""A Vitale beside a CPS in one device: its place, its facts, its state, what a record must hide, and the desk."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from conformance_bench import VITALE_TEMPLATES, Lab, scenario_text, suite_text
from conformance_cli import Cli
from cryptography.exceptions import InvalidSignature
from fake_module import FakeLab

from bifente.conformance.bench.cards import SeatedCard, Workshop
from bifente.conformance.bench.live import Device
from bifente.conformance.loading import InputError
from bifente.conformance.model import CardChoice
from bifente.reports.verdict import Verdict
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.cards.families import state_keys
from bifente.simulator.cards.host import NotOnThisCardError
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale
from bifente.simulator.cards.vitale1.engine import MemoryCard
from bifente.simulator.pki.keystore import OtherKeys

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SELECT = bytes.fromhex("00A404000BD250000002564954414C45")
SELECT_SILENTLY = bytes.fromhex("00A4040C0BD250000002564954414C45")


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys)


def seat(lab: Lab, template: str, **changes: object) -> SeatedCard:
    choice = CardChoice.model_validate({"template": template, **changes})
    return lab.workshop.make(choice, Random(1), at=NOW)


# -- in its place ---------------------------------------------------------------------------------


def test_two_cards_of_one_device_are_one_of_each_kind(lab: Lab) -> None:
    cards = {"cps": CardChoice(template="medecin-generaliste"), "vitale": CardChoice(template="vitale/famille-trois")}
    device = Device.assemble("readers/generic-bislot", cards, lab.workshop, seed=1)
    assert device.slots["vitale"].power_on().hex().startswith("3b7513")
    assert device.slots["cps"].power_on().hex().startswith("3bac")
    assert device.slots["vitale"].exchange(SELECT)[0] == 0x61
    assert device.slots["cps"].exchange(SELECT_SILENTLY) == b"\x6a\x82"
    device.remove("vitale")
    device.insert("vitale")
    assert device.slots["vitale"].exchange(SELECT)[0] == 0x61


def test_a_template_file_of_either_kind_sits_in_any_slot(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = (VITALE_TEMPLATES / "assure-seul.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("999000001", "999099001"), encoding="utf-8")
    cards = {"cps": CardChoice(template=str(file)), "vitale": CardChoice(template="pharmacien")}
    device = Device.assemble("readers/generic-bislot", cards, lab.workshop, seed=1)
    assert device.cards["cps"].facts["serial"] == "999099001"
    assert device.cards["cps"].made_as(PersonalisedVitale) is not None
    assert device.cards["cps"].made_as(PersonalisedCard) is None
    assert device.cards["vitale"].made_as(PersonalisedCard) is not None


def test_a_bad_template_file_is_told_at_its_line(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = (VITALE_TEMPLATES / "assure-seul.yaml").read_text(encoding="utf-8")
    file.write_text(text.replace("1701975349001", "1700175349001"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        lab.workshop.template(str(file))
    line = next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith("insured:"))
    (problem,) = caught.value.problems
    assert (problem.line, "could be a real one" in problem.message) == (line, True)


@pytest.mark.parametrize("name", ["vitale/famille-troi", "vitale/", "vitale/medecin-generaliste", "famille-trois"])
def test_an_unknown_name_is_refused_with_a_near_one(lab: Lab, name: str) -> None:
    with pytest.raises(InputError, match="is no known card template"):
        lab.workshop.template(name)


def test_a_plastic_card_has_no_antenna(lab: Lab) -> None:
    with pytest.raises(NotOnThisCardError):
        lab.workshop.personalised(CardChoice(template="vitale/assure-seul"), NOW.date(), contactless=True)


def test_bad_parameters_of_a_card_are_told_before_anything_runs(lab: Lab) -> None:
    with pytest.raises(InputError, match=r"card\.atr"):
        lab.workshop.check(CardChoice.model_validate({"template": "vitale/assure-seul", "card": {"atr": "99"}}))


# -- what is known of it --------------------------------------------------------------------------


def test_facts_are_what_a_scenario_may_refer_to(lab: Lab) -> None:
    facts = seat(lab, "vitale/famille-trois").facts
    assert (facts["template"], facts["serial"], facts["mark"]) == ("vitale/famille-trois", "999000002", "T")
    assert facts["names"] == ["TESTFAMILLE"] * 3
    assert facts["rights"] == [True] * 3
    second = facts["beneficiaries"][1]
    assert (second["given-name"], second["number"], second["birth-date"]) == ("ANNE", "282197534900381", "19820705")
    assert facts["nir"] + facts["nir-key"] == "180197534900236"


def test_the_state_tells_who_was_recognised(lab: Lab) -> None:
    card = seat(lab, "vitale/famille-trois")
    card.card.power_on()
    assert card.state() == {"powered": True, "selected": "MF", "authenticated-by": "none"}
    card.card.power_off()
    state = card.state()
    assert state is not None
    assert state["powered"] is False
    assert set(state) <= set(state_keys())
    old = seat(lab, "vitale/vitale-1")
    assert isinstance(old.card, MemoryCard)
    assert old.state() == {"powered": False}


def test_what_a_record_must_hide(lab: Lab) -> None:
    choices = [CardChoice(template="vitale/famille-trois"), CardChoice(template="medecin-generaliste")]
    assert lab.workshop.holders(choices) >= {"TESTFAMILLE", "TESTNAISSANCE", "PAUL", "ANNE", "LUC", "TESTMEDECIN"}
    assert lab.workshop.secrets(choices) == {"1234", "12345678"}
    numbers = {"1801975349002", "180197534900236", "2821975349003", "282197534900381"}
    assert lab.workshop.numbers(choices) == numbers
    assert lab.workshop.numbers(choices[1:]) == set()


def test_masked_numbers_and_names_are_nowhere_in_the_record(cli: Cli, tmp_path: Path) -> None:
    scenario = scenario_text(
        """
        steps:
          - read-vitale-file: EF.HOLDERS
            slot: vitale
          - read-vitale-file: EF.NIR
            slot: vitale
            expect: {nirs: {contains: '$cards.vitale.beneficiaries[0].number'}}
          - read-vitale-rights:
            slot: vitale
            expect: {sw: 6982}
        """
    )
    head = "bench: {cards: {cps: medecin-generaliste, vitale: vitale/famille-trois}}"
    suite = tmp_path / "suite.yaml"
    suite.write_text(suite_text(scenario, head=head), encoding="utf-8")

    def record(*options: str) -> str:
        folder = tmp_path / f"out{len(options)}"
        assert cli("run", suite, "--out", folder, "--formats", "json", *options).code == 0
        return (folder / "journal.jsonl").read_text(encoding="utf-8")

    plain, masked = record(), record("--mask-nir", "--mask-names")
    for hidden in ("180197534900236", "2821975349003", "TESTFAMILLE", "TESTNAISSANCE"):
        spelt = hidden.encode().hex().upper()
        assert hidden in plain
        assert hidden not in masked
        assert spelt in plain
        assert spelt not in masked.replace(" ", "").upper()


# -- scenarios ------------------------------------------------------------------------------------


def verdict(lab: Lab, folder: Path, steps: str, cards: str) -> Verdict:
    text = suite_text(scenario_text(f"steps: {steps}"), head=f"bench: {{cards: {cards}}}")
    return lab.run(folder, text).verdicts["only"]


@pytest.mark.parametrize(
    ("steps", "cards", "expected"),
    [
        ("[read-vitale-rights: ]", "{cps: infirmier}", Verdict.NOT_APPLICABLE),
        ("[authenticate-vitale: ]", "{vitale: vitale/vitale-1}", Verdict.NOT_APPLICABLE),
        ("[read-vitale-file: EF.NIR]", "{vitale: vitale/vitale-1}", Verdict.NOT_APPLICABLE),
        ("[code-status: pin]", "{vitale: vitale/assure-seul}", Verdict.NOT_APPLICABLE),
        ("[sign: text]", "{vitale: vitale/vitale-1}", Verdict.NOT_APPLICABLE),
        ("[sign: {message: text, key: authentication}]", "{vitale: vitale/assure-seul}", Verdict.NOT_APPLICABLE),
        ("[sign: text]", "{vitale: vitale/assure-seul}", Verdict.FAILED),
        ("[read-vitale-rights: ]", "{vitale: vitale/assure-seul}", Verdict.FAILED),
        ("[check-opposition: ]", "{vitale: vitale/vitale-1}", Verdict.PASSED),
    ],
)
def test_steps_say_what_a_card_has_not(lab: Lab, tmp_path: Path, steps: str, cards: str, expected: Verdict) -> None:
    assert verdict(lab, tmp_path, steps, cards) is expected


def test_a_module_is_not_asked_to_be_made_for_the_vitale_beside(lab: Lab, tmp_path: Path) -> None:
    text = suite_text(
        scenario_text("judges: module\nsteps: [p11-slots]"),
        head="bench: {cards: {cps: medecin-generaliste, vitale: vitale/assure-seul}}",
    )
    ran = FakeLab(lab).run(tmp_path, text)
    assert ran.verdicts["only"] is not Verdict.BENCH_ERROR
    assert ran.verdicts["only"] is not Verdict.NOT_APPLICABLE


# -- at the desk ----------------------------------------------------------------------------------


def test_both_kinds_are_listed(cli: Cli) -> None:
    lines = cli("cards", "list", "--lang", "en").ok().splitlines()
    assert any(line.startswith("vitale/dix-neuf-beneficiaires") for line in lines)
    assert any(line.startswith("medecin-generaliste") for line in lines)


def test_a_card_is_shown_as_a_desk_would_see_it(cli: Cli) -> None:
    shown = cli("cards", "show", "vitale/c2s", "--lang", "en").ok()
    assert "C2S managed by the AMO" in shown
    assert "open (" in shown
    assert "2851975349004" in shown


@pytest.mark.parametrize("name", ["vitale/famille-trois", "vitale/vitale-1"])
def test_the_files_of_a_card_can_be_written(cli: Cli, tmp_path: Path, name: str) -> None:
    cli("cards", "make", name, "--out", tmp_path / "made").ok()
    found = {path.name for path in (tmp_path / "made").rglob("*") if path.is_file()}
    assert {"card.json", "revocations.crl", "chain.pem"} <= found
    assert ("memory.bin" in found) is (name == "vitale/vitale-1")


def test_an_unknown_template_is_told(cli: Cli) -> None:
    cli("cards", "show", "vitale/nobody").fails(2, "vitale/nobody", "is no known card template")


def test_a_workshop_has_one_authority_for_its_vitale_cards_and_no_other_s(lab: Lab) -> None:
    other = Workshop(OtherKeys(lab.workshop.keys, "somebody-else"))
    ours, theirs = (one.vitale_authority.certificate for one in (lab.workshop, other))
    made = seat(lab, "vitale/famille-trois").made_as(PersonalisedVitale)
    assert made is not None
    for certificate in made.certificates.values():
        certificate.verify_directly_issued_by(ours)
        with pytest.raises(InvalidSignature):
            certificate.verify_directly_issued_by(theirs)
