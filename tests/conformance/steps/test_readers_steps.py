"""The steps about readers: what they do shows, what cannot be is a mistake of the scenario, codes stay unwritten."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from conformance_bench import Ran

from bifente.conformance.domains.readers.steps.pin_pad import PinPadStep
from bifente.conformance.loading import InputError
from bifente.conformance.scenario.step import STEPS
from bifente.conformance.targets.embedded import EmbeddedTarget
from bifente.conformance.targets.facets import HotPlug, PinPadKeys, ServiceControl

HEAD = """suite: readers
title: {{fr: Lecteurs, en: Readers}}
fidelity: modelled
bench: {{profile: {profile}, cards: {{cps: medecin-generaliste, vitale: infirmier}}}}
scenarios:
  - id: one
    title: {{fr: Un, en: One}}
    requirements: [PCSC-13]
    destructive: true
    steps:
"""
Run = Callable[..., Ran]


def suite(steps: str, profile: str = "readers/generic-bislot") -> str:
    return HEAD.format(profile=profile) + "".join(f"      {line}\n" for line in steps.strip().splitlines())


def verdict(run: Run, steps: str, profile: str = "readers/generic-bislot") -> tuple[str, str]:
    ran = run(suite(steps, profile))
    return ran.verdicts["one"].value, ran.told()


WRONG = [
    "- list-readers:\n  expect: {count: 3}",
    "- list-readers:\n  expect: {bear-the-device-name: false}",
    "- identify-cards:\n  expect: {cps: cps}",
    "- identify-cards:\n  expect: {several-of-a-type: false}",
    "- open-card: exclusive\n- open-card: exclusive\n  expect: {tries: 2}",
    "- open-card: {reader: Nowhere}",
    "- hold-exclusively:\n- open-card: {patient: true}",
    "- hold-exclusively: {by: connection, for-ms: 4600}\n- open-card: {patient: true}",
    "- hold-exclusively:\n- hold-exclusively:",
    "- end-transaction:",
    "- remove-card:\n- open-card: direct\n- transmit: 00 A4 00 00 02 3F 00\n  expect: {sw: 9000}",
    "- look-at-slot:\n  expect: {holds: nothing}",
    "- look-at-slot:\n- remove-card:\n- look-at-slot:\n  expect: {moves: 0}",
    "- wait-for-card: false\n  expect: {seen: true}",
    "- connect:\n- swap-cards:\n- code-status: pin",
    "- connect:\n- unplug-reader:\n- plug-reader:\n- code-status: pin",
    "- unplug-reader:\n- list-readers:",
    "- plug-reader:\n  expect: {renamed: true}",
    "- stop-service:\n- connect:",
]


@pytest.mark.parametrize("steps", WRONG)
def test_a_wrong_expectation_fails(run: Run, steps: str) -> None:
    if steps.startswith("- plug-reader"):
        steps = "- unplug-reader:\n" + steps
    assert verdict(run, steps)[0] == "failed"


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("- release-by-another-application:", "no other application holds"),
        ("- unplug-reader:\n- unplug-reader:", "is not plugged in"),
        ("- plug-reader:", "two readers would bear the name"),
        ("- unplug-reader:\n- plug-reader: {serial: '99000002'}", "bears no serial"),
        ("- remove-card:\n- swap-cards:", "is empty"),
    ],
)
def test_what_cannot_be_is_the_scenarios_mistake(run: Run, steps: str, said: str) -> None:
    found, told = verdict(run, steps)
    assert found == "failed"
    assert said in told


def test_a_reader_without_keys_is_asked_for_no_code(run: Run) -> None:
    ran = run(suite("- type-on-pin-pad: '1234'"))
    assert ran.verdicts["one"].value == "not-run"
    assert "no PIN pad" in ran.reason


@pytest.mark.parametrize(
    "steps",
    [
        "- type-on-pin-pad:",
        "- type-on-pin-pad: {code: '1234', key: cancel}",
        "- type-on-pin-pad: {key: enter}",
        "- open-card: alone",
        "- hold-exclusively: {for-ms: 0}",
        "- plug-reader: {serial: A}",
        "- wait-for-card: {seconds: 61}",
        "- look-at-slot:\n  expect: {colour: red}",
        "- open-card:\n  expect: {error: NO_LUCK}",
    ],
)
def test_a_bad_argument_is_refused_when_read(run: Run, steps: str) -> None:
    with pytest.raises(InputError):
        run(suite(steps))


def test_patience_ends_at_the_tenth_try(run: Run) -> None:
    in_time = "- hold-exclusively: {by: connection, for-ms: 4500}\n- open-card: {patient: true}\n"
    found, told = verdict(run, in_time + "  expect: {tries: 10, waited-ms: 4500}")
    assert found == "passed", told
    too_late = "- hold-exclusively: {by: connection, for-ms: 4501}\n- open-card: {patient: true}\n"
    assert verdict(run, too_late + "  expect: {error: SHARING_VIOLATION}")[0] == "passed"


def test_a_code_typed_on_the_pad_is_never_written(run: Run) -> None:
    ran = run(
        suite(
            "- select-application:\n- type-on-pin-pad: '8642'\n- verify-on-pin-pad:\n  expect: {sw: 63C2}",
            "readers/generic-pin-pad",
        )
    )
    assert ran.verdicts["one"].value == "passed", ran.told()
    assert "8642" not in repr(ran.events)
    assert "38 36 34 32" not in repr(ran.events)
    assert not [one for one in ran.exchanges if one.command.startswith("00 20")], "the application never sent it"


def test_swapped_cards_go_with_their_slots(run: Run) -> None:
    steps = (
        "- swap-cards: vitale\n- remove-card:\n- insert-card:\n- identify-cards:\n  expect: {cps: vitale, vitale: cps}"
    )
    ran = run(suite(steps).replace("infirmier", "vitale/assure-seul"))
    assert ran.verdicts["one"].value == "passed", ran.told()
    unswapped = suite(steps.replace("- swap-cards: vitale\n", "")).replace("infirmier", "vitale/assure-seul")
    assert run(unswapped).verdicts["one"].value == "failed"


def test_every_step_needs_what_it_uses() -> None:
    hot = {"unplug-reader": HotPlug, "plug-reader": HotPlug}
    service = {"stop-service": ServiceControl, "start-service": ServiceControl}
    for name, need in {**hot, **service}.items():
        assert need in STEPS[name].needs
        assert need in EmbeddedTarget([]).facets
    assert all(PinPadKeys in step.needs for step in STEPS.values() if issubclass(step, PinPadStep))
    for facet in (HotPlug, ServiceControl, PinPadKeys):
        assert facet.lacking.fr != facet.lacking.en


def test_a_code_that_may_be_left_out_is_a_secret_all_the_same() -> None:
    assert STEPS["type-on-pin-pad"].secrets() == {"code"}
    for name, step in STEPS.items():
        if "code" in step.model_fields and "Code" in str(step.__annotations__.get("code")):
            assert "code" in step.secrets(), name
