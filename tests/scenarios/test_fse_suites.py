"""The suites of care sheets: enough of them, mostly refusals, all passing, and able to fail when something is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from selecting import only

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.domains.fse.bench.reference import TemplateReference
from bifente.conformance.domains.vitale.workstation import Way, Workstation
from bifente.conformance.options import RunOptions
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.conformance.scenario.plan import PlannedScenario, PlannedStep
from bifente.reports.events import Call, Event, ScenarioFinished
from bifente.reports.verdict import Verdict
from bifente.simulator.formats.fse.model import Arl, PaymentOutcome, RspLine
from bifente.simulator.formats.fse.securing.verifying import Verifier
from bifente.simulator.middleware.galss.server import GalssServer
from bifente.simulator.readers.wireless.terminal import Terminal
from bifente.simulator.services.frontal import conformity, entitlement, frontal, ledger, settlement
from bifente.simulator.services.frontal.ledger import Ledger
from bifente.simulator.services.frontal.reception import Reception
from bifente.simulator.software.billing import ordering, practice, series
from bifente.simulator.software.billing.securing import cards, desk
from bifente.simulator.software.billing.securing.cards import ProfessionalSession
from bifente.simulator.software.billing.series import CardLotSession, LotSeries
from bifente.simulator.software.billing.store import worklist
from bifente.simulator.software.billing.store.store import Store
from bifente.simulator.tarification import pricing, rules
from bifente.simulator.tarification.deadlines import Deadlines
from bifente.simulator.tarification.pricing import Circumstances
from bifente.simulator.tarification.tables import SchemeRates
from bifente.simulator.tarification.tables.acts import ActType

pytestmark = pytest.mark.long

FILES = tuple(sorted(path for path in (default_paths()[0] / "fse").glob("*.yaml") if not path.name.startswith("_")))
LEAST = 80
REFUSALS = {"outcome": {"blocked", "impossible", "refused"}, "urgency": {"overdue"}}


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=FILES), workshop)


@pytest.fixture(scope="module")
def scenarios(plan: RunPlan) -> tuple[PlannedScenario, ...]:
    """Each scenario once, however many rows its matrix has."""
    return tuple({(scenario.suite, scenario.model.id): scenario for scenario in plan.scenarios}.values())


def run(plan: RunPlan, workshop: Workshop) -> list[Event]:
    events: list[Event] = []
    execute(plan, workshop, run_id="20250101-000000-000000", command=("bifente", "run"), emit=events.append)
    return events


def verdicts(plan: RunPlan, workshop: Workshop) -> dict[str, Verdict]:
    return {event.scenario: event.verdict for event in run(plan, workshop) if isinstance(event, ScenarioFinished)}


def expects_a_refusal(step: PlannedStep) -> bool:
    """Whether a step can only pass if something is refused, missed, or too late."""
    expect = step.expect
    if str(expect.get("code", 0)) not in ("0", "0000") or expect.get("failed", 0) or expect.get("refused", 0):
        return True
    if any(_words(expect.get(key)) & words for key, words in REFUSALS.items()):
        return True
    if expect.get("positive") == 0 or expect.get("negative", 0) == 1 or expect.get("overdue"):
        return True
    return any(expect.get(key) not in (None, []) for key in ("reasons", "answered", "remarks", "problems", "blocks"))


def _words(value: object) -> set[str]:
    return set(map(str, value)) if isinstance(value, list) else {str(value)}


def test_there_are_enough_and_at_least_half_expect_a_refusal(
    plan: RunPlan, scenarios: tuple[PlannedScenario, ...]
) -> None:
    negative = [scenario for scenario in scenarios if any(map(expects_a_refusal, scenario.steps))]
    print(
        f"{len(scenarios)} written, {len(plan.scenarios)} with their matrices, {len(negative)} of the written negative"
    )
    assert len(scenarios) >= LEAST
    assert 2 * len(negative) >= len(scenarios)


def test_they_cite_the_requirements_of_care_sheets(scenarios: tuple[PlannedScenario, ...]) -> None:
    catalogue = load_catalogue()
    cited = {requirement for scenario in scenarios for requirement in scenario.model.requirements}
    assert all(requirement in catalogue for requirement in cited)
    # 18 is about the agreement of the software, nothing that a bench runs.
    wanted = {f"SEED-FSE-{n:02}" for n in range(1, 20)} - {"SEED-FSE-18"}
    wanted |= {f"SV-FSE-{n:02}" for n in (*range(1, 13), *range(21, 25))}
    assert sorted(wanted - cited) == []


def test_every_profession_scheme_and_mode_is_there(plan: RunPlan) -> None:
    templates = {choice.template for choice in plan.cards}
    assert {"medecin-generaliste", "pharmacien", "infirmier", "kinesitherapeute"} <= templates
    names = ("msa", "crpcen", "c2s", "ald", "accident-du-travail", "alsace-moselle", "mutuelle", "amc-dre")
    assert {f"vitale/{name}" for name in names} <= templates
    modes = {
        step.raw.get("mode", 3)
        for one in plan.scenarios
        for step in one.steps
        if step.kind.name == "fse-make"
        if isinstance(step.raw, dict)
    }
    assert modes >= set(range(6))


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_all_pass_in_process(file: Any, workshop: Workshop) -> None:
    events = run(prepare(RunOptions(paths=(file,)), workshop), workshop)
    found = {event.scenario: event.verdict for event in events if isinstance(event, ScenarioFinished)}
    assert {name: verdict.value for name, verdict in found.items() if verdict is not Verdict.PASSED} == {}
    calls = [event for event in events if isinstance(event, Call)]
    assert calls
    assert not [call for call in calls for value in call.arguments.values() if "1234" in str(value)]


# -- and they fail when something is wrong ----------------------------------------------------------------------------


def _believes_every_signature(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Verifier, "verify", lambda self, secured, at: ())
    patch.setattr(Verifier, "signature_reasons", lambda self, content, signature, at, invoice=None: iter(()))


def _any_vitale(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(cards, "check_same_vitale", lambda sheet, vitale: None)
    patch.setattr(desk, "check_same_vitale", lambda sheet, vitale: None)


def _any_turn(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Reception, "_turn", lambda self, found, today: iter(()))


def _one_rate(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Circumstances, "rate", lambda *_told, **_more: 70)


def _every_day_works(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Deadlines, "after", lambda self, day, rule: day + timedelta(days=rule.days))


def _no_holidays(patch: pytest.MonkeyPatch) -> None:
    def after(self: Deadlines, day: Any, rule: Any) -> Any:
        left = rule.days
        while left:
            day += timedelta(days=1)
            left -= day.weekday() < 5
        return day

    patch.setattr(Deadlines, "after", after)


def _no_alsace(patch: pytest.MonkeyPatch) -> None:
    usual = Deadlines.__init__
    patch.setattr(Deadlines, "__init__", lambda self, rules=None, *, alsace_moselle=False: usual(self, rules))


def _working_days_kept(patch: pytest.MonkeyPatch) -> None:
    def last(deadlines: Deadlines, today: date) -> date:
        left = deadlines.rules.retention.days
        while left:
            today -= timedelta(days=1)
            left -= deadlines.is_working_day(today)
        return today

    patch.setattr(practice, "last_kept", last)


def _galss_goes_on(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(GalssServer, "stop", lambda self: None)


def _galss_is_not_used(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Workstation, "way", property(lambda self: Way.FULL_PCSC, lambda self, way: None), raising=False)


def _link_holds(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Terminal, "set_link", lambda self, link, **model: None)


def _one_number(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Store, "next_number", lambda self, sequence: 1)


def _nothing_blocks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bifente.simulator.software.billing.ordering.blocks", lambda findings: False)
    patch.setattr(rules, "blocks", lambda findings: False)


def _any_right(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ProfessionalSession, "check_right", lambda self, right, situation: None)


def _forgets_early(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(practice, "last_kept", lambda deadlines, today: today + timedelta(days=1))


def _believes_any_copy(patch: pytest.MonkeyPatch) -> None:
    """The front end says that it answers what was sent, whatever came."""
    usual = Store.apply_arl

    def apply(self: Store, row: int, arl: Arl) -> None:
        sent = self._db.value("SELECT sha256 FROM files WHERE name = ?", arl.file)
        usual(self, row, replace(arl, received=sent or arl.received))

    patch.setattr(Store, "apply_arl", apply)


def _pays_always(patch: pytest.MonkeyPatch) -> None:
    def lines(invoice: Any, parameters: Any, chance: Any, **_more: Any) -> tuple[RspLine, ...]:
        return (RspLine(invoice.number, "amo", PaymentOutcome.PAID, invoice.amo.asked, invoice.amo.asked),)

    patch.setattr(frontal, "sheet_lines", lines)


def _believes_the_insured(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(entitlement, "_of_the_insured", lambda sheet, reference: iter(()))


def _believes_the_professional(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(entitlement, "_of_the_professional", lambda sheet, reference: iter(()))


def _believes_covers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(entitlement, "_covers", lambda sheet, known: iter(()))


def _pays_twice(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "billed_before", lambda self, sender, sheet: None)


def _no_points_off(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Circumstances, "points", lambda *_told: 0)


def _every_act_in_full(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pricing, "associated", lambda requests, profession: tuple(requests))


def _no_participation(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pricing, "participation_of", lambda acts, heavy: 0)


def _insurer_takes_the_points(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Circumstances, "_majoration", lambda self, act: 0)


def _one_price_for_all(patch: pytest.MonkeyPatch) -> None:
    usual = ActType.price_on
    patch.setattr(ActType, "price_on", lambda self, day, *_who: usual(self, day))


def _no_end_of_acts(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ActType, "is_of", lambda *_told: True)


def _pension_raises_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(pricing, "_PENSION", "?")


def _railways_as_all(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(SchemeRates, "of", lambda self, kind, name: self.classes.get(name))


def _believes_any_maternity(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(entitlement, "_maternity", lambda who, declared: True)


def _corrects_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "correct", lambda *_told: None)


def _pays_what_it_corrects(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "standing", lambda *_told: [])


def _each_sheet_by_itself(patch: pytest.MonkeyPatch) -> None:
    usual = ledger._once
    patch.setattr(ledger, "_once", lambda act, physician: act.code if usual(act, physician=physician) else "")


def ignores(rule: str) -> Callable[[Any], None]:
    """Neither the practice nor the body looks at that rule."""

    def one(patch: pytest.MonkeyPatch) -> None:
        for module in (ordering, conformity):
            patch.setattr(module, "examine", lambda *told: tuple(x for x in rules.examine(*told) if x.code != rule))

    one.__name__ = f"ignores_{rule}"
    return one


def _pays_any_mode(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(settlement, "_refused", lambda *_told, **_more: None)


def _waits_for_no_paper(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(frontal, "waits_for_paper", lambda sheet, paper: False)


def _books_anything(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Store, "_check_word", lambda self, line, generation, place: None)


def _believes_any_return(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(practice, "check_signed", lambda data, certificate: None)


def _revoked_when_it_says(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(frontal, "Verifier", lambda anchors, revocations=(), **_told: Verifier(anchors, revocations))


def _believes_the_treating_doctor(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TemplateReference, "treating", lambda self, serial: None)


def _no_penalty(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(worklist, "penalty", lambda *_told: 0)


def _sends_unsigned_lots(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("bifente.simulator.software.billing.office.Office._sign_lot", lambda self, lot: lot)


def _code_for_each_lot(patch: pytest.MonkeyPatch) -> None:
    usual = LotSeries.format

    def one(self: LotSeries, lot: Any, code: str | None = None) -> Any:
        self.end()
        return usual(self, lot, code)

    patch.setattr(LotSeries, "format", one)


def _every_code_breaks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(series, "_GOES_ON", frozenset())


def _codes_to_any_card(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CardLotSession, "resume", lambda self, connection: None)


@pytest.mark.parametrize(
    ("mutate", "caught"),
    [
        (_believes_every_signature, "altered-on-the-way[amount]"),
        (_believes_every_signature, "one-changed-byte-is-seen[45]"),
        (_any_vitale, "vitale-substituted[nurse]"),
        (_any_turn, "lot-ahead-of-its-turn"),
        (_one_rate, "professions-in-alsace-moselle[nurse]"),
        (_every_day_works, "last-day-to-send[third-party]"),
        (_no_holidays, "a-public-holiday-does-not-count"),
        (_no_holidays, "first-sending-across-the-calendar[fourteenth-of-july]"),
        (_no_holidays, "sending-again-across-the-calendar[easter-monday]"),
        (_every_day_works, "first-sending-across-the-calendar[friday]"),
        (_no_alsace, "alsace-moselle-has-its-own-holidays[good-friday]"),
        (_no_alsace, "alsace-moselle-has-its-own-holidays[second-day-of-christmas]"),
        (_working_days_kept, "ninety-days-are-days-of-the-calendar[leap-year]"),
        (_galss_goes_on, "server-stopped-before-signing"),
        (_galss_is_not_used, "cards-swapped-between-slots"),
        (_galss_is_not_used, "held-by-another-software"),
        (_link_holds, "link-lost-while-signing[30]"),
        (_one_number, "numbers-are-never-used-again"),
        (_nothing_blocks, "rights-closed"),
        (_any_right, "lot-without-the-right-to-sign-it"),
        (_forgets_early, "kept-for-ninety-days"),
        (_believes_any_copy, "altered-on-the-way[amount]"),
        (_believes_any_copy, "sent-again-after-a-copy-that-changed"),
        (_believes_any_copy, "late-answer-to-a-copy-that-changed[answered-late-too]"),
        (_believes_the_insured, "insured[fund-of-another]"),
        (_believes_the_insured, "opposed-card"),
        (_believes_the_insured, "accident"),
        (_believes_the_professional, "professional[specialty]"),
        (_believes_covers, "insured[exoneration-4-alone]"),
        (_believes_covers, "insured[c2s]"),
        (_pays_twice, "paid-twice"),
        (_no_points_off, "outside-the-care-path[alsace-moselle]"),
        (_every_act_in_full, "two-ccam-acts"),
        (_pays_always, "payment-rejected[rights-closed]"),
        (_code_for_each_lot, "one-code-for-a-series[cps3]"),
        (_every_code_breaks, "unknown-resource-does-not-break-it[cps4]"),
        (_codes_to_any_card, "another-card-does-not-go-on"),
        (_no_participation, "flat-participation[ordinary]"),
        (_insurer_takes_the_points, "complementary-outside-the-care-path"),
        (_one_price_for_all, "prices-of-the-day[physiotherapist-at-home]"),
        (_pays_any_mode, "paid-by-mode[not-secured]"),
        (_pays_any_mode, "paid-by-mode[without-vitale-or-paper]"),
        (_waits_for_no_paper, "paid-once-the-paper-has-arrived[degraded]"),
        (_books_anything, "said-after-a-payment[twice]"),
        (_books_anything, "said-after-a-payment[rejected]"),
        (_books_anything, "taken-back-by-nobody"),
        (_believes_any_return, "signed-by-the-body"),
        (_revoked_when_it_says, "revoked-cps-told-earlier"),
        (_believes_the_treating_doctor, "care-path-of-the-treating-doctor[treating]"),
        (_no_penalty, "payment-that-does-not-come"),
        (_no_end_of_acts, "act-of-its-days"),
        (_pension_raises_all, "pension"),
        (_railways_as_all, "railways"),
        (_believes_any_maternity, "care[maternity-of-a-man]"),
        (_believes_any_maternity, "maternity-that-nobody-declared[none]"),
        (_corrects_nothing, "correction-before-the-payment"),
        (_pays_what_it_corrects, "correction-of-what-was-paid"),
        (_each_sheet_by_itself, "split-in-two-sheets[technical-acts-in-full]"),
        (_each_sheet_by_itself, "split-in-two-sheets[consultation-and-visit]"),
        (ignores("act-not-of-day"), "sums[supplement-that-ended]"),
        (ignores("act-not-of-profession"), "specialists[psychiatrist]"),
        (ignores("supplement-coefficient"), "single-act-of-a-nurse"),
        (ignores("act-not-of-care-path"), "care[coordination-outside]"),
        (ignores("acts-together"), "care[two-consultations]"),
        (ignores("consultation-not-with"), "care[consultation-with-a-suture]"),
        (ignores("supplement-age"), "care[fee-by-age-of-an-adult]"),
        (ignores("supplement-too-often"), "care[more-fees-than-boxes]"),
        (ignores("coefficient-too-high"), "care[coefficient-of-a-fortune]"),
        (ignores("act-too-often"), "care[nursing-around-the-clock]"),
        (ignores("not-a-holiday"), "sunday-on-a-weekday[monday,modifier]"),
        (ignores("modifier-not-of-specialty"), "modifier-of-general-practitioners[P]"),
        (ignores("prescriber-not-entitled"), "care[prescribed-by-himself]"),
        (ignores("prescription-too-old"), "care[prescribed-two-years-ago]"),
        (ignores("c2s-direct"), "care[c2s-in-advance]"),
        (_sends_unsigned_lots, "from-the-act-to-the-acknowledgement*nurse*"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_wrong_behaviour_is_caught(
    plan: RunPlan, workshop: Workshop, monkeypatch: pytest.MonkeyPatch, mutate: Callable[[Any], None], caught: str
) -> None:
    chosen = only(plan, f"fse.*/{caught}")
    mutate(monkeypatch)
    found = verdicts(chosen, workshop)
    assert any(verdict is Verdict.FAILED for verdict in found.values()), found
