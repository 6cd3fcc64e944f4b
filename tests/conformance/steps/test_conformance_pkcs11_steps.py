"""PKCS#11 steps against a module made of Python: verdicts, implicit success, reasons, masking, isolation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conformance_bench import CARD, Lab, complaints, scenario_text, suite_text
from conformance_bench import steps_text as steps_text_of
from fake_module import FakeLab

from bifente.conformance.bench import module_profiles
from bifente.conformance.bench.facets import Apdu
from bifente.conformance.bench.module import RunningModule
from bifente.conformance.bench.module_profiles import ModuleProfile
from bifente.conformance.bench.module_profiles import module_profiles as profiles
from bifente.conformance.model import ModuleAbility, Title
from bifente.conformance.targets.pkcs11 import ModuleGoneError, ModuleInfo
from bifente.reports.events import Call, ScenarioStarted, to_dict
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict

CPS4 = "bench: {cards: {cps: {template: medecin-generaliste, family: cps4}}}"
OPEN = "- p11-open-session\n"


def steps_text(steps: str, *, head: str = CARD) -> str:
    return steps_text_of(steps, head=head).replace("\n    steps:", "\n    judges: module\n    steps:", 1)


@pytest.fixture
def fake(lab: Lab) -> FakeLab:
    return FakeLab(lab)


def run(fake: FakeLab, folder: Path, steps: str, answers: dict[str, Any] | None = None, head: str = CARD) -> Any:
    return fake.run(folder, steps_text(steps, head=head), answers)


# -- verdicts ---------------------------------------------------------------------------------------------------------


def test_a_step_that_says_nothing_of_its_code_means_success(fake: FakeLab, tmp_path: Path) -> None:
    steps = OPEN + "- p11-login: $card.code"
    assert run(fake, tmp_path, steps).verdict is Verdict.PASSED
    ran = run(fake, tmp_path, steps, {"C_Login": 0xA0})
    assert ran.verdict is Verdict.FAILED
    (unmet,) = ran.steps[-1].expectations
    assert (unmet.name, unmet.expected, unmet.observed) == ("rv", "CKR_OK", "CKR_PIN_INCORRECT")


@pytest.mark.parametrize(
    ("expected", "code", "verdict"),
    [
        ("CKR_PIN_INCORRECT", 0xA0, Verdict.PASSED),
        ("CKR_PIN_INCORRECT", 0, Verdict.FAILED),
        ("[CKR_PIN_LOCKED, CKR_PIN_INCORRECT]", 0xA4, Verdict.PASSED),
        ("{not: CKR_OK}", 0xA4, Verdict.PASSED),
        ("{not: CKR_OK}", 0x12345678, Verdict.PASSED),
        ("{not: CKR_OK}", 0, Verdict.FAILED),
        ("{not: [CKR_OK, CKR_PIN_LOCKED]}", 0xA4, Verdict.FAILED),
        ("'0x12345678'", 0x12345678, Verdict.PASSED),
    ],
)
def test_codes_are_expected_by_name(fake: FakeLab, tmp_path: Path, expected: str, code: int, verdict: Verdict) -> None:
    steps = OPEN + f"- p11-login: '0000'\n  expect: {{rv: {expected}}}"
    assert run(fake, tmp_path, steps, {"C_Login": code}).verdict is verdict


@pytest.mark.parametrize("how", ["CRASHED", "NO_ANSWER"])
def test_a_module_that_breaks_has_failed_whatever_refusal_was_expected(fake: FakeLab, tmp_path: Path, how: str) -> None:
    steps = OPEN + "- p11-login: '0000'\n  expect: {rv: {not: CKR_OK}}"
    text = suite_text(*(_judged(steps, name) for name in ("one", "two")))
    ran = fake.run(tmp_path, text, {"C_Login": ModuleGoneError(how, "C_Login")})
    # The second scenario has a module again, which breaks again.
    assert ran.verdicts == {"one": Verdict.FAILED, "two": Verdict.FAILED}
    assert [step.expectations[-1].observed for step in ran.steps if step.expectations][1::2] == [how, how]


def _judged(steps: str, name: str, more: str = "") -> str:
    lines = "".join(f"  {line}\n" for line in steps.splitlines())
    return scenario_text(f"judges: module\n{more}\nsteps:\n{lines}", name)


def test_a_key_that_does_not_show_is_no_refusal_of_the_module(fake: FakeLab, tmp_path: Path) -> None:
    hidden: dict[str, Any] = {"C_FindObjects": {"objects": []}}
    steps = OPEN + "- p11-sign: {message: x}\n  expect: {rv: %s}"
    assert run(fake, tmp_path, steps % "NO_SUCH_OBJECT", hidden).verdict is Verdict.PASSED
    assert run(fake, tmp_path, steps % "{not: CKR_OK}", hidden).verdict is Verdict.FAILED
    assert "C_SignInit" not in fake.functions()


def test_a_session_nobody_opened_is_the_scenario_s_mistake(fake: FakeLab, tmp_path: Path) -> None:
    ran = run(fake, tmp_path, "- p11-login: $card.code")
    assert ran.verdict is Verdict.FAILED
    assert "no step has opened the session 'main' of slot cps" in ran.told()


def test_a_signature_that_is_none_is_seen(fake: FakeLab, tmp_path: Path) -> None:
    steps = OPEN + "- p11-sign: {message: x, given: digest-info}\n  expect: {%s: $card.certificates.authentication}"
    assert run(fake, tmp_path, steps % "valid-under").verdict is Verdict.FAILED
    assert run(fake, tmp_path, steps % "not-valid-under").verdict is Verdict.PASSED


def test_the_state_of_the_card_behind_the_module_can_be_expected(fake: FakeLab, tmp_path: Path) -> None:
    steps = OPEN + "- p11-login: '0000'\n  expect: {rv: CKR_PIN_INCORRECT, after: {pin-tries: 2}}"
    # The fake module never asks the card: the card saw no try.
    assert run(fake, tmp_path, steps, {"C_Login": 0xA0}).verdict is Verdict.FAILED


@pytest.mark.parametrize(
    ("flags", "user", "so"),
    [(0x40D, "full", "full"), (0x1040D, "low", "full"), (0x3040D, "final", "full"), (0x40040D, "full", "locked")],
)
def test_the_tries_are_told_in_words(fake: FakeLab, tmp_path: Path, flags: int, user: str, so: str) -> None:
    texts = {"label": "L" * 30 + "\0\0", "manufacturer": "M ", "model": "", "serial": "1"}
    answer = {**texts, "flags": flags, "shortest": 4, "longest": 4}
    steps = f"- p11-token:\n  expect: {{user-pin: {user}, so-pin: {so}, label: {'L' * 30}, manufacturer: M}}"
    ran = run(fake, tmp_path, steps, {"C_GetTokenInfo": answer})
    assert ran.verdict is Verdict.PASSED, ran.told()


def test_mechanisms_are_told_by_name_in_the_order_of_their_numbers(fake: FakeLab, tmp_path: Path) -> None:
    steps = "- p11-mechanisms:\n  expect: {mechanisms: [CKM_RSA_PKCS, CKM_SHA256, '0x80000042']}"
    ran = run(fake, tmp_path, steps)
    assert ran.verdict is Verdict.PASSED, ran.told()


def test_pieces_parameters_and_digests_reach_the_module(fake: FakeLab, tmp_path: Path) -> None:
    steps = (
        OPEN
        + "- p11-sign: {message: abcde, mechanism: CKM_SHA1_RSA_PKCS_PSS, pieces: 2}\n"
        + "- p11-sign: {message: abc, mechanism: CKM_RSA_PKCS_PSS, given: digest, salt: 7, mask: sha1}\n"
        + "- p11-sign: {message: abc, mechanism: CKM_RSA_PKCS_PSS, given: digest, parameter: false}\n"
    )
    run(fake, tmp_path, steps)
    given: dict[str, Any] = {}
    for function, values in fake.log:
        given.setdefault(function, []).append(values)
    assert [item["data"] for item in given["C_SignUpdate"]] == ["6162", "6364", "65"]
    assert [item["mechanism"] for item in given["C_SignInit"]] == [
        {"type": 0x0E, "pss": [0x220, 1, 20]},
        {"type": 0x0D, "pss": [0x250, 1, 7]},
        {"type": 0x0D},
    ]
    assert given["C_Sign"][0]["data"].startswith("ba7816bf")


# -- isolation and the record -----------------------------------------------------------------------------------------


def test_every_scenario_has_a_module_of_its_own(fake: FakeLab, tmp_path: Path) -> None:
    text = suite_text(_judged(OPEN, "one"), _judged(OPEN, "two"))
    assert set(fake.run(tmp_path, text).verdicts.values()) == {Verdict.PASSED}
    told = [name for name in fake.functions() if name in ("C_Initialize", "C_OpenSession", "C_Finalize", "closed")]
    once = ["C_Initialize", "C_OpenSession", "C_Finalize", "closed"]
    # First of all the module is asked who it is; the last one is finalised when the bench is closed.
    assert told == ["C_Initialize", "C_Finalize", "closed", *once, "C_Initialize", "C_OpenSession"]


def test_every_call_is_recorded_and_no_code_is(fake: FakeLab, tmp_path: Path) -> None:
    steps = OPEN + "- p11-login: '7391'\n- p11-set-pin: {old: '7391', new: '7392'}\n- p11-init-pin: '7393'"
    ran = fake.run(tmp_path, suite_text(_judged(steps, "only", "destructive: true")))
    calls = [event for event in ran.events if isinstance(event, Call)]
    assert [call.function for call in calls] == [
        "C_Initialize",
        "C_GetSlotList",
        "C_GetSlotInfo",
        "C_OpenSession",
        "C_Login",
        "C_SetPIN",
        "C_InitPIN",
    ]
    assert {call.index for call in calls if call.function == "C_Login"} == {1}
    text = json.dumps([Secrets().event(to_dict(event)) for event in ran.events])
    assert "739" not in text
    assert b"7391".hex() not in text
    (started,) = [event for event in ran.events if isinstance(event, ScenarioStarted)]
    assert started.judges == "module"


def test_the_guard_stands_before_the_module_of_a_real_card(fake: FakeLab, tmp_path: Path) -> None:
    wrong = OPEN + "- p11-login: '0000'"
    allowed = "destructive: true"
    for may, verdicts in ((False, (Verdict.NOT_RUN, Verdict.NOT_RUN)), (True, (Verdict.NOT_RUN, Verdict.PASSED))):
        bench = fake.bench(guarded=True, allow_destructive=may)
        fake.log.clear()
        sneaks = fake.run(tmp_path, suite_text(_judged(wrong, "sneaks")), bench=bench)
        spends = fake.run(tmp_path, suite_text(_judged(wrong, "spends", allowed)), bench=bench)
        assert (sneaks.verdict, spends.verdict) == verdicts
        assert "a code that is not the card's is not presented to a real card" in sneaks.reason
        assert fake.functions().count("C_Login") == int(may)


# -- where a scenario does not apply ----------------------------------------------------------------------------------


def test_pkcs11_scenarios_are_not_run_where_steps_speak_apdu(lab: Lab, tmp_path: Path) -> None:
    ran = lab.run(tmp_path, steps_text("- p11-info"))
    assert ran.verdict is Verdict.NOT_RUN
    assert ran.reason == "the step speaks PKCS#11: --target pkcs11 --module PATH"


def test_apdu_scenarios_are_not_run_in_front_of_a_module(fake: FakeLab, tmp_path: Path) -> None:
    ran = fake.run(tmp_path, steps_text_of("- verify-code: $card.code"))
    assert ran.verdict is Verdict.NOT_RUN
    assert ran.reason == "the step speaks APDU to the card: --target embedded or pcsc"
    for capability in (Apdu, RunningModule):
        assert capability.lacking.fr != capability.lacking.en


def test_steps_of_the_hand_serve_both(fake: FakeLab, lab: Lab, tmp_path: Path) -> None:
    steps = "- reset-by-another-application\n- remove-card\n- insert-card"
    assert fake.run(tmp_path, steps_text_of(steps)).verdict is Verdict.PASSED
    assert lab.run(tmp_path, steps_text_of(steps)).verdict is Verdict.PASSED


def made_for(**lacks: Title) -> ModuleProfile:
    return ModuleProfile.model_validate(
        {
            "profile": "modules/fake",
            "title": {"fr": "Faux", "en": "Fake"},
            "fidelity": "modelled",
            "source": "a test",
            "recognised": {"manufacturer": "Nobody", "description": "A fake"},
            "lacks": {key.replace("_", "-"): value for key, value in lacks.items()},
        }
    )


NO = Title(fr="pas fait pour", en="not made for it")


def test_what_a_module_is_not_made_for_does_not_apply(
    fake: FakeLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = made_for(write_data=NO, family_cps4=NO)
    monkeypatch.setattr(module_profiles, "module_profiles", lambda: (profile,))
    needs = suite_text(_judged(OPEN, "needs", "requires-module: [write-data]"), _judged(OPEN, "needs-not"))
    ran = fake.run(tmp_path, needs)
    assert ran.verdicts == {"needs": Verdict.NOT_APPLICABLE, "needs-not": Verdict.PASSED}
    ran = run(fake, tmp_path, OPEN, head=CPS4)
    assert (ran.verdict, ran.reason) == (Verdict.NOT_APPLICABLE, "not made for it")
    assert not ran.steps


def test_everything_applies_to_a_module_nobody_described(fake: FakeLab, tmp_path: Path) -> None:
    every = f"requires-module: [{', '.join(ModuleAbility)}]"
    assert fake.run(tmp_path, suite_text(_judged(OPEN, "needs", every))).verdict is Verdict.PASSED
    assert run(fake, tmp_path, OPEN, head=CPS4).verdict is Verdict.PASSED


def test_a_module_that_cannot_say_who_it_is_is_nobody(fake: FakeLab, tmp_path: Path) -> None:
    assert run(fake, tmp_path, OPEN, {"C_GetInfo": 5}).verdict is Verdict.PASSED


def test_the_modules_that_come_described() -> None:
    found = {profile.profile: profile for profile in profiles()}
    assert set(found) == {"modules/opensc", "modules/cryptolib-cps"}
    opensc = ModuleInfo("OpenSC Project", "OpenSC smartcard framework", "0.23")
    assert found["modules/opensc"].is_that_of(opensc)
    assert not found["modules/cryptolib-cps"].is_that_of(opensc)
    assert found["modules/cryptolib-cps"].is_that_of(ModuleInfo("ANS", "CPS3 PKCS#11 LINUX", "3.1"))
    assert not found["modules/cryptolib-cps"].lacks
    for profile in found.values():
        assert all(reason.fr != reason.en for reason in profile.lacks.values())


# -- what is refused when a suite is read -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("- p11-login: '0000'\n  expect: {rv: CKR_PIN_WRONG}", "'CKR_PIN_WRONG' is no return code"),
        ("- p11-login: '0000'\n  expect: {rv: {nott: CKR_OK}}", "a name (CKR_PIN_INCORRECT), a list of them"),
        ("- p11-login: '0000'\n  expect: {rv: []}", "an empty list fits nothing"),
        ("- p11-login: '0000'\n  expect: {sw: 9000}", "p11-login does not let one expect 'sw'"),
        ("- p11-sign: {message: x, mechanism: CKM_RSA}", "no mechanism is named 'CKM_RSA'"),
        ("- p11-sign: {message: x, key: mine}", "signature"),
        ("- p11-call: C_Login", "p11-call"),
        ("- p11-attribute: {object: CPS_DATA, attribute: CKA_COLOUR}", "CKA_MODIFIABLE"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(tmp_path: Path, steps: str, words: str) -> None:
    (complaint,) = complaints(tmp_path, steps_text(steps))
    assert words in complaint


def test_who_is_judged_must_be_said(tmp_path: Path) -> None:
    (complaint,) = complaints(tmp_path, steps_text_of("- p11-info"))
    assert "its steps speak PKCS#11: who is judged? (judges: card, module or host)" in complaint
    assert not complaints(tmp_path, steps_text("- p11-info"))


def test_the_teardown_has_a_module_again_after_a_crash(fake: FakeLab, tmp_path: Path) -> None:
    body = f"judges: module\nsteps:\n  {OPEN}  - p11-login: '0000'\nteardown:\n  - p11-info"
    ran = fake.run(tmp_path, suite_text(scenario_text(body)), {"C_Login": ModuleGoneError("CRASHED", "C_Login")})
    assert ran.step_verdicts == ["passed", "failed", "passed"]
    assert [name for name in fake.functions() if name in ("C_Login", "closed", "C_GetInfo")][-3:] == [
        "C_Login",
        "closed",
        "C_GetInfo",
    ]


def test_a_card_that_takes_the_place_of_another_is_powered_anew(
    fake: FakeLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else pcscd goes on telling the answer to reset of the card before, of another family perhaps."""
    bench = fake.bench()
    powered: list[str] = []
    honest = bench.connect

    def connect(role: str) -> Any:
        powered.append(f"{role} {bench.seated[role].layout.family}")
        return honest(role)

    monkeypatch.setattr(bench, "connect", connect)
    both = "bench: {cards: {cps: [medecin-generaliste, {template: medecin-generaliste, family: cps4}]}}"
    fake.run(tmp_path, steps_text(OPEN, head=both), bench=bench)
    assert powered == ["cps cps3", "cps cps4"]
