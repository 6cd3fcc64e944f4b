"""A card that is not ours: what the bench looks at first, what it refuses, and the whole chain on a virtual one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from conformance_bench import Lab, Ran, scenario_text, suite_text, write
from conformance_cli import Said, apart
from warm import warm

from bifente.conformance.bench import real_card
from bifente.conformance.bench.facets import Insertion, Inspection, Personalisation
from bifente.conformance.bench.real import RealBench
from bifente.conformance.features import SECOND_SLOT, features
from bifente.conformance.model import CardChoice
from bifente.conformance.options import RunOptions
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.scenario import run_scenario
from bifente.conformance.scenario.loader import load_suite
from bifente.conformance.targets.base import GuardRefusalError, ScardError
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.conformance.targets.facets import PrivateClock
from bifente.ground.clock import WallClock
from bifente.ground.text import Text
from bifente.reports.verdict import Verdict
from bifente.simulator.readers import Reader, Slot
from bifente.simulator.readers.reader import ReaderIdentity

pytestmark = pytest.mark.long

NAME = "Somebody's Reader 00 00"
READERS = {"cps": NAME}
SERIAL = "99000001"
READS = scenario_text(
    """
    steps:
      - verify-code: $card.code
      - read: CPS_ACTIVITY_01_PS
        expect: {sector: $card.activities.1.sector}
    """,
    "reads",
)
SPENDS = scenario_text("destructive: true\nsteps:\n  - verify-code: '0000'\n    expect: {sw: 63C2}", "spends")
SNEAKS = scenario_text("steps:\n  - verify-code: '0000'\n    expect: {sw: 63C2}", "sneaks")
ALL = suite_text(READS, SPENDS, SNEAKS)


@pytest.fixture
def slot(lab: Lab) -> Slot:
    clock = WallClock()
    slot = Reader.of("Somebody's Reader", [NAME], clock).slots[0]
    slot.insert(lab.workshop.make(CardChoice(template="medecin-generaliste"), Random(1), at=clock.now()).card)
    return slot


class Outside(EmbeddedTarget):
    """A target whose cards are not ours."""

    def __init__(self, slot: Slot) -> None:
        class Device:
            slots = (slot,)
            parts = ()
            pin_pad = None
            identity = ReaderIdentity()

        super().__init__([Device()])  # type: ignore[list-item]


Bench = Callable[..., RealBench]


@pytest.fixture
def bench(lab: Lab, slot: Slot) -> Bench:
    def bench(*, card: str | None = "medecin-generaliste", ask: Any = None, **options: Any) -> RealBench:
        chosen = RunOptions(paths=(), readers=READERS, real_cards={"cps": card} if card else {}, **options)
        return RealBench(READERS, chosen, lab.workshop, Outside(slot), ask)

    return bench


def run(bench: RealBench, folder: Path, text: str) -> tuple[dict[str, Verdict], Ran]:
    ran = Ran()
    for plan in load_suite(write(folder, text), load_catalogue()).scenarios:
        ran.verdicts[plan.id.partition("/")[2]] = run_scenario(plan, bench, seed=1, command=(), emit=ran.events.append)
    return ran.verdicts, ran


def tries(slot: Slot) -> tuple[int, int]:
    secrets = slot.card.state().secrets  # type: ignore[union-attr]
    return secrets["pin"].tries_left, secrets["puk"].tries_left


def test_what_harms_nothing_runs_and_the_rest_does_not(bench: Bench, slot: Slot, tmp_path: Path) -> None:
    verdicts, ran = run(bench(), tmp_path, ALL)
    assert verdicts == {"reads": Verdict.PASSED, "spends": Verdict.NOT_RUN, "sneaks": Verdict.NOT_RUN}, ran.told()
    assert "a code that is not the card's is not presented to a real card" in ran.reason
    assert tries(slot) == (3, 10)


def test_with_permission_a_destructive_scenario_runs_and_no_other_may_spend_a_try(
    bench: Bench, slot: Slot, tmp_path: Path
) -> None:
    verdicts, ran = run(bench(allow_destructive=True), tmp_path, ALL)
    assert verdicts == {"reads": Verdict.PASSED, "spends": Verdict.PASSED, "sneaks": Verdict.NOT_RUN}, ran.told()
    assert tries(slot)[0] == 2


def test_a_template_of_another_card_costs_one_try_and_no_more(
    bench: Bench, slot: Slot, lab: Lab, tmp_path: Path
) -> None:
    # The card's code is 1234; the template named for it says 9876.
    wrong = tmp_path / "wrong.yaml"
    good = lab.workshop.template("medecin-generaliste")[1].path.read_text(encoding="utf-8")
    wrong.write_text(good.replace("pin: '1234'", "pin: '9876'"), encoding="utf-8")
    again = suite_text(
        *(scenario_text("steps:\n  - verify-code: $card.code", name) for name in ("one", "two", "three"))
    )
    verdicts, ran = run(bench(card=str(wrong)), tmp_path, again)
    assert verdicts == {"one": Verdict.FAILED, "two": Verdict.NOT_RUN, "three": Verdict.NOT_RUN}, ran.told()
    assert tries(slot)[0] == 2


def test_a_card_nobody_described_can_be_read_but_not_spoken_of(bench: Bench, tmp_path: Path) -> None:
    text = suite_text(READS, scenario_text("steps: [read: EF.SN]", "plain"))
    verdicts, ran = run(bench(card=None), tmp_path, text)
    assert verdicts == {"reads": Verdict.NOT_RUN, "plain": Verdict.PASSED}
    assert any(
        "--card TEMPLATE" in getattr(event, "reason", None).en for event in ran.events if getattr(event, "reason", 0)
    )


@pytest.mark.parametrize("issuer", ["CN=AC IGC-SANTE FORT PERSONNES,O=ASIP-SANTE,C=FR", ""])
def test_a_card_that_is_not_of_test_is_refused_unless_asked_for_by_its_number(
    bench: Bench, slot: Slot, tmp_path: Path, issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def real_one(data: bytes) -> Any:
        if not issuer:
            raise ValueError("unreadable")
        return type("C", (), {"issuer": type("N", (), {"rfc4514_string": lambda self: issuer})()})()

    monkeypatch.setattr(real_card.x509, "load_der_x509_certificate", real_one)
    verdicts, ran = run(bench(allow_destructive=True), tmp_path, ALL)
    assert set(verdicts.values()) == {Verdict.NOT_RUN}
    assert not ran.steps
    assert ran.reason == (
        f"card {SERIAL} is not recognised as a test card (issuer: {issuer or 'unreadable'}); "
        f"if this is meant: --production-card {SERIAL}"
    )
    assert tries(slot) == (3, 10)
    for wrong in ("99000002", "", "9900000"):
        assert set(run(bench(production_card=wrong), tmp_path, ALL)[0].values()) == {Verdict.NOT_RUN}
    verdicts, ran = run(bench(production_card=SERIAL), tmp_path, suite_text(READS, SNEAKS))
    assert verdicts == {"reads": Verdict.PASSED, "sneaks": Verdict.NOT_RUN}, ran.told()


def test_a_card_that_says_nothing_of_itself_is_refused(bench: Bench, slot: Slot, tmp_path: Path) -> None:
    class Mute:
        atr = b"\x3b\x00"

        def power_on(self) -> bytes:
            return self.atr

        def power_off(self) -> None: ...

        def reset(self, *, warm: bool = True) -> bytes:
            return self.atr

        def transmit(self, command: bytes) -> bytes:
            return b"\x6d\x00"

    slot.replace(Mute())  # type: ignore[arg-type]
    verdicts, ran = run(bench(production_card=""), tmp_path, suite_text(READS))
    assert verdicts == {"reads": Verdict.NOT_RUN}
    assert ran.reason.startswith("card ? is not recognised as a test card (issuer: unreadable)")


CPS4 = "bench: {cards: {cps: {template: medecin-generaliste, family: cps4}}}"


def scenario_for_cps4(text: str, name: str) -> str:
    return text.replace("id: reads", f"id: {name}").replace("\nsteps:", f"\n{CPS4}\nsteps:", 1)


@pytest.mark.parametrize("described", ["medecin-generaliste", None])
def test_the_family_is_told_by_the_answer_to_reset(
    bench: Bench, slot: Slot, lab: Lab, tmp_path: Path, described: str | None
) -> None:
    # The template named for the card is a CPS3's by itself.
    cps4 = CardChoice.model_validate({"template": "medecin-generaliste", "family": "cps4"})
    slot.replace(lab.workshop.make(cps4, Random(1), at=WallClock().now()).card)
    plain = f"steps:\n  - read: EF.SN\n    expect: {{data: {{length: 12}}}}\n{CPS4}"
    sneaks = SNEAKS.replace("id: sneaks", "id: sneaks-4").replace("\nsteps:", f"\n{CPS4}\nsteps:", 1)
    text = suite_text(READS, scenario_for_cps4(READS, "reads-4"), sneaks, scenario_text(plain, "plain-4"))
    verdicts, ran = run(bench(card=described), tmp_path, text)
    assert verdicts == {
        "reads": Verdict.NOT_RUN,
        "reads-4": Verdict.PASSED if described else Verdict.NOT_RUN,
        "sneaks-4": Verdict.NOT_RUN,
        "plain-4": Verdict.PASSED,
    }, ran.told()
    reasons = [event.reason.en for event in ran.events if getattr(event, "reason", None)]
    assert reasons[0] == "the scenario is for a CPS3, the card is a CPS4"
    assert any("a code that is not the card's is not presented" in reason for reason in reasons)
    assert tries(slot) == (3, 3)


def test_a_template_that_cannot_be_of_the_card_s_family_is_not_run(
    bench: Bench, slot: Slot, lab: Lab, tmp_path: Path
) -> None:
    cps4 = CardChoice.model_validate({"template": "medecin-generaliste", "family": "cps4"})
    slot.replace(lab.workshop.make(cps4, Random(1), at=WallClock().now()).card)
    updated = tmp_path / "updated.yaml"
    good = lab.workshop.template("medecin-generaliste")[1].path.read_text(encoding="utf-8")
    updated.write_text(good + "\nlifecycle: updated\n", encoding="utf-8")
    verdicts, ran = run(bench(card=str(updated)), tmp_path, suite_text(scenario_for_cps4(READS, "reads-4")))
    assert verdicts == {"reads-4": Verdict.NOT_RUN}
    assert "a CPS4 is never updated" in ran.reason


def test_a_card_whose_answer_to_reset_nobody_knows_is_read_as_each_family(
    bench: Bench, slot: Slot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bifente.conformance.bench.real_card.families_of", lambda atr: ("cps4", "cps3"))
    verdicts, ran = run(bench(), tmp_path, suite_text(READS))
    assert verdicts == {"reads": Verdict.PASSED}, ran.told()


def test_an_empty_reader_is_a_bench_error(bench: Bench, slot: Slot, tmp_path: Path) -> None:
    slot.remove()
    verdicts, ran = run(bench(), tmp_path, suite_text(READS))
    assert verdicts == {"reads": Verdict.BENCH_ERROR}
    assert "the bench could not be set: NO_SMARTCARD" in ran.reason


def test_an_unknown_reader_is_named_with_those_there_are(lab: Lab, slot: Slot) -> None:
    with pytest.raises(ScardError, match=f"UNKNOWN_READER .*'Nope'; PC/SC lists: {NAME}"):
        RealBench({"cps": "Nope"}, RunOptions(paths=()), lab.workshop, Outside(slot), None)


@pytest.mark.parametrize(
    ("body", "lacking"),
    [
        ("steps: [remove-card]", Insertion),
        ("steps: [advance-clock: 5]", PrivateClock),
        ("steps:\n  - get-challenge: 8\n    expect: {after: {pin-tries: 3}}", Inspection),
        (
            "bench: {cards: {cps: {template: cpa, lifecycle: updated}}}\nsteps: [get-challenge: 8]",
            Personalisation,
        ),
        ("bench: {cards: {vitale: cpa}}\nsteps: [get-challenge: 8]", SECOND_SLOT),
    ],
)
def test_what_a_real_card_cannot_do_is_not_run(bench: Bench, tmp_path: Path, body: str, lacking: Any) -> None:
    verdicts, ran = run(bench(), tmp_path, suite_text(scenario_text(body)))
    assert verdicts == {"only": Verdict.NOT_RUN}
    assert ran.reason == (features()[lacking].en if isinstance(lacking, str) else lacking.lacking.en)


def test_the_operator_is_asked_and_believed_only_when_the_card_has_moved(
    bench: Bench, slot: Slot, tmp_path: Path
) -> None:
    asked: list[str] = []

    def hand(what: Text) -> None:
        asked.append(what.en)
        if "take" in what.en:
            slot.remove()

    text = suite_text(scenario_text("steps: [remove-card]", "moves"))
    verdicts, ran = run(bench(ask=hand), tmp_path, text)
    assert verdicts == {"moves": Verdict.PASSED}, ran.told()
    assert asked == ["take the CPS out of the reader"]
    with pytest.raises(ScardError, match="TIMEOUT"):
        bench(ask=hand).insert("cps")
    with pytest.raises(GuardRefusalError):
        bench().insert("cps")


# -- through PC/SC ----------------------------------------------------------------------------------------------------


def seen_as_real(folder: Path, *options: str) -> Said:
    """``bifente exec -- bifente run --reader``: the inner one knows nothing of whose card it meets."""
    path = write(folder, ALL)
    inner = ("run", path, "--card", "medecin-generaliste", "--lang", "en", "--out", folder / "run", *options)
    return apart("exec", "--card", "cps=medecin-generaliste", "--", *warm(), *inner, cwd=folder)


READER = ("--reader", "Bifente Bi-Slot Reader 00 00")


@pytest.mark.usefixtures("_chain")
def test_a_virtual_card_met_as_a_real_one(tmp_path: Path) -> None:
    said = seen_as_real(tmp_path, *READER)
    text = said.ok()
    assert "✓ passed  t.one/reads" in text
    assert "○ not run  t.one/spends" in text
    assert "allow it with --allow-destructive" in text
    assert "○ not run  t.one/sneaks" in text


@pytest.mark.usefixtures("_chain")
def test_a_virtual_card_met_as_a_real_one_that_may_be_spent(tmp_path: Path) -> None:
    text = seen_as_real(tmp_path, *READER, "--allow-destructive").ok()
    assert "✓ passed  t.one/spends" in text
    assert "○ not run  t.one/sneaks" in text
    assert (tmp_path / "run").stat().st_mode & 0o077 == 0, "what a real card says of its holder is its owner's alone"


@pytest.mark.usefixtures("_chain")
def test_an_unknown_reader_is_one_sentence_that_lists_the_readers(tmp_path: Path) -> None:
    said = seen_as_real(tmp_path, "--reader", "Nope", "-q")
    said.fails(2, "UNKNOWN_READER", "'Nope'", "Bifente Bi-Slot Reader 00 00, Bifente Bi-Slot Reader 00 01")
    assert not (tmp_path / "run").exists(), "nothing was run: no directory is left"


@pytest.mark.usefixtures("_chain")
def test_the_embedded_bench_and_the_private_service_agree(tmp_path: Path) -> None:
    path = write(tmp_path, ALL)
    for target in ("embedded", "pcsc"):
        said = apart("run", path, "--target", target, "--lang", "en", "--out", tmp_path / target, cwd=tmp_path)
        assert said.code == 0, said
        assert said.out.count("✓ passed  t.one/") == 3
