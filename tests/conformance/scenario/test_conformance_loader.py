from __future__ import annotations

from pathlib import Path

import pytest
from conformance_bench import CARD, complaints, load, place, scenario_text, steps_text, suite_text, write

from bifente.conformance.loading import InputError
from bifente.conformance.scenario.loader import find_suites
from bifente.ground.fidelity import Fidelity
from bifente.reports.events import Phase


@pytest.mark.parametrize(
    ("steps", "at", "said"),
    [
        ("- verfy-code: '1'", "verfy", "unknown step 'verfy-code' (did you mean 'verify-code'?)"),
        ("- zzz: 1", "zzz", "unknown step 'zzz' (known: "),
        ("- {}", "{}", "a step says nothing to do (one step has one action, and expect beside it)"),
        ("- expect: {sw: 9000}", "expect", "a step says nothing to do (one step has one action"),
        ("- code-status:\n  read: EF.SN", "code-status", "a step says several things to do (code-status, read) (one"),
        ("- code-status:\n  expct: {sw: 9000}", "expct", "a step says several things to do (code-status, expct) (did"),
        ("- code-status:\n  expect: {ws: 9000}", "ws", "code-status does not let one expect 'ws' (known: after,"),
        ("- code-status:\n  should: {ws: 9000}", "ws", "code-status does not let one expect 'ws'"),
        ("- insert-card:\n  expect: {error: RESET_CARD}", "error", "insert-card does not let one expect 'error'"),
        ("- code-status:\n  expect: {sw: xxxx}", "sw:", "sw: xxxx would fit any answer"),
        ("- code-status:\n  expect: {sw: 900}", "sw:", "sw: 900 is no status word"),
        ("- code-status:\n  expect: {error: RESET}", "error", "error: 'RESET' is unknown; known: "),
        ("- code-status:\n  expect: {within: [soon]}", "within", "within: ['soon'] is unknown"),
        ("- code-status:\n  expect:", "expect", "expect takes a mapping of what is observed to what it should be"),
        ("- code-status:\n  expect: {}", "expect", "expect takes a mapping of what is observed to what it should be"),
        ("- code-status:\n  expect: 9000", "expect", "expect takes a mapping of what is observed to what it should be"),
        ("- code-status:\n  should: false", "should", "should takes a mapping of what is observed"),
        ("- code-status:\n  capture: sw", "capture", "capture takes a mapping of new names to observed keys"),
        ("- code-status:\n  capture: {x: ws}", "x:", "code-status does not observe 'ws' (known: error, sw)"),
        ("- code-status:\n  capture: {x: [sw]}", "x:", "code-status does not observe ['sw']"),
        ("- code-status:\n  capture: {x: before}", "x:", "code-status does not observe 'before'"),
        ("- code-status:\n  capture: {1x: sw}", "1x", "a captured value cannot be named '1x' (e.g. first-signature)"),
        ("- code-status:\n  capture: {card: sw}", "card: sw", "a captured value cannot be named 'card'"),
        ("- code-status:\n  slot: vitale", "slot", "no card is in a slot 'vitale' (known: cps)"),
        (
            "- verify-code: $cards.vital.code",
            "verify-code",
            "$cards.vital.code: no card is in a slot 'vital' (known: cps)",
        ),
        (
            "- read: EF.SN\n  expect: {data: {equals: $cards.vitale.serial}}",
            "read",
            "$cards.vitale.serial: no card is in a slot 'vitale'",
        ),
        ("- code-status:\n  slot: 3", "slot", "slot takes the name of a slot (e.g. slot: cps)"),
        ("- code-status:\n  slot: [cps]", "slot", "slot takes the name of a slot"),
        ("- code-status:\n  title: [a]", "title: [a]", "a title is a text, or one for each language"),
        ("- verify-code: $crad.code", "verify-code", "$crad is not known here (did you mean 'card'?)"),
        (
            "- verify-code: $later\n- get-challenge: 8\n  capture: {later: data}",
            "verify-code",
            "$later is not known here",
        ),
        ("- get-challenge: 8\n  expect: {data: {equals: $nope}}", "equals", "$nope is not known here"),
        ("- verify-code: $card.", "verify-code", "'$card.' is no reference, e.g. $card.code (write $$ for a plain $)"),
        ("- verify-code: 'a${card'", "verify-code", "'a${card' is no reference"),
        ("- verify-code:", "verify-code", "verify-code: the key 'code' is missing (arguments: code, which)"),
        ("- verify-code: {code: '1', whch: pin}", "whch", "verify-code: unknown key 'whch' (did you mean 'which'?)"),
        ("- verify-code: ['1']", "verify-code", "verify-code: code: a text is expected"),
        ("- verify-code: {code: '1', which: pinn}", "which", "verify-code: which: no code is named 'pinn', did you"),
        ("- code-status: pinn", "code-status", "code-status: which: no code is named 'pinn', did you mean 'pin'?"),
        ("- get-challenge: 0", "get-challenge", "get-challenge: length: a number of at least 1 is expected"),
        ("- get-challenge: many", "get-challenge", "get-challenge: length: a whole number is expected"),
        (
            "- get-challenge: {length: 300}",
            "length",
            "get-challenge: length: a number of at most 256 is expected",
        ),
        ("- insert-card: now", "insert-card", "insert-card takes no argument (a slot is named beside it"),
        ("- transmit: 0G", "transmit", "transmit: command: hexadecimal is expected"),
        ("- transmit: {command: $card.code, more: 1}", "more", "transmit: unknown key 'more' (known: command)"),
        ("- reset-card: hot", "reset-card", "reset-card: kind: one of warm, cold is expected"),
        ("- use: nowhere", "use", "unknown stage 'nowhere' (none is known here)"),
    ],
)
def test_a_wrong_step_is_refused_where_it_stands(tmp_path: Path, steps: str, at: str, said: str) -> None:
    text = steps_text(steps)
    found = complaints(tmp_path, text)
    assert len(found) == 1, found
    start = text.index("steps:\n")
    before = text[: text.index(at, start)]
    assert found[0].startswith(f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: {said}"), found


@pytest.mark.parametrize(
    "steps",
    [
        "- verify-code: $card.code",
        "- verify-code: '$$5'",
        "- get-challenge: 8\n  capture: {first: data}\n- get-challenge: 8\n  expect: {data: {differs-from: $first}}",
        "- read-binary: {length: $n}\n  expect: {sw: 9000}".replace("$n", "$card.n"),
        "- code-status:\n  expect: {sw: [9000, 63Cx]}\n  should: {within: instant}\n  title: {fr: a, en: b}",
        "- code-status:\n  slot: cps",
        "- code-status",
    ],
)
def test_a_right_step_is_taken(tmp_path: Path, steps: str) -> None:
    assert complaints(tmp_path, steps_text(steps)) == []


def test_a_mistake_in_a_matrix_is_told_once(tmp_path: Path) -> None:
    text = steps_text("- verfy-code: '1'\n  slot: here", head="bench: {cards: {cps: [cpa, infirmier]}}")
    assert len(complaints(tmp_path, text)) == 1


def test_an_unknown_requirement_suggests_the_near_one(tmp_path: Path) -> None:
    text = steps_text("- code-status").replace("CARD-CPS3-16]", "CARD-CPS3-16, CRAD-CPS3-16]")
    (found,) = complaints(tmp_path, text)
    expected = "the catalogue has no requirement 'CRAD-CPS3-16' (did you mean 'CARD-CPS3-16'?)"
    assert found == f"{place(text, 'CRAD-CPS3-16')}: {expected}"


def test_a_scenario_without_any_card_is_refused(tmp_path: Path) -> None:
    text = steps_text("- code-status", head="bench: {profile: readers/generic-bislot}")
    (found,) = complaints(tmp_path, text)
    assert found.startswith(f"{place(text, 'id: only')}: no card is in any slot (e.g. bench: {{cards: {{cps: ")


# -- stages -----------------------------------------------------------------------------------------------------------


def staged(stages: str, *steps: str) -> str:
    return steps_text("\n".join(steps), head=f"{CARD}\nstages:\n{stages}")


LOGIN = "  login:\n    parameters: [code]\n    steps:\n      - verify-code: $code\n"


@pytest.mark.parametrize(
    ("stages", "step", "at", "said"),
    [
        (LOGIN, "- use: logn\n  with: {code: '1'}", "use", "unknown stage 'logn' (did you mean 'login'?)"),
        (LOGIN, "- use: login", "use", "the stage 'login' needs the parameter 'code'"),
        (
            LOGIN,
            "- use: login\n  with: {code: '1', cod: '2'}",
            "cod: ",
            "the stage 'login' has no parameter 'cod' (did",
        ),
        (LOGIN, "- use: login\n  with: [code]", "with", "with takes a mapping of stage parameters to values"),
        (LOGIN, "- use: login\n  with: {code: $nope}", "code: $nope", "$nope is not known here"),
        (LOGIN, "- use: login\n  with: {code: '1'}\n  expect: {sw: 9000}", "expect", "expect does not go with use: it"),
        (LOGIN, "- use: login\n  with: {code: '1'}\n  title: {fr: Un, en: One}", "title", "title does not go with use"),
        (LOGIN, "- use: login\n  with: {code: '1'}\n  slot: 3", "slot", "slot takes the name of a slot"),
        (
            "  a:\n    steps: [use: a]\n",
            "- use: a",
            "use: a]",
            "stages are nested deeper than 8 (does a stage use itself",
        ),
        ("  a:\n    steps: [use: b]\n  b:\n    steps: [use: a]\n", "- use: a", "use: a]", "stages are nested deeper"),
        ("  a:\n    steps: [verfy-code: 1]\n", "- use: a\n- use: a", "verfy", "unknown step 'verfy-code'"),
        ("  a:\n    steps: [verify-code: $code]\n", "- use: a", "verify-code", "$code is not known here"),
    ],
)
def test_a_wrong_stage_is_refused_where_it_stands(tmp_path: Path, stages: str, step: str, at: str, said: str) -> None:
    text = staged(stages, step)
    found = complaints(tmp_path, text)
    start = text.index("stages:") if at in stages else text.index("steps:", text.index("requirements:"))
    before = text[: text.index(at, start)]
    where = f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}: "
    assert any(line.startswith(where + said) for line in found), (where, found)
    if "needs the parameter" not in said and "with takes" not in said:
        assert len(found) == len(set(found)) <= 2, found


def test_a_stage_is_unfolded_with_its_bindings_and_its_name(tmp_path: Path) -> None:
    inner = LOGIN + "  outer:\n    parameters: [who]\n    steps:\n      - use: login\n        with: {code: $who}\n"
    suite = load(tmp_path, staged(inner, "- use: outer", "  with: {who: '1234'}", "- code-status"))
    first, second = suite.scenarios[0].steps
    assert first.kind.name == "verify-code"
    assert first.via == "login"
    assert dict(first.bindings) == {"who": "1234", "code": "$who"}
    assert second.via is None
    assert first.line == first.document.path.read_text().splitlines().index("      - verify-code: $code") + 1


def test_what_a_stage_captures_is_known_after_it_but_its_parameters_are_not(tmp_path: Path) -> None:
    stages = (
        "  draw:\n    parameters: [size]\n    steps:\n      - get-challenge: $size\n        capture: {drawn: data}\n"
    )
    good = staged(stages, "- use: draw", "  with: {size: 8}", "- transmit: $drawn")
    assert complaints(tmp_path, good) == []
    (found,) = complaints(tmp_path, staged(stages, "- use: draw", "  with: {size: 8}", "- get-challenge: $size"))
    assert "$size is not known here" in found


def test_stages_come_from_included_files_and_keep_their_own_positions(tmp_path: Path) -> None:
    write(tmp_path, "stages:\n  a:\n    steps:\n      - verfy-code: 1\n", "_stages.yaml")
    text = steps_text("- use: a", head=f"{CARD}\ninclude: [_stages.yaml]")
    path = write(tmp_path, text)
    with pytest.raises(InputError) as raised:
        load(tmp_path, text)
    assert str(raised.value) == (
        f"{tmp_path / '_stages.yaml'}:4:9: unknown step 'verfy-code' (did you mean 'verify-code'?)"
    )
    write(tmp_path, "stages:\n  a:\n    steps:\n      - code-status:\n", "_stages.yaml")
    suite = load(tmp_path, text)
    assert [document.path.name for document in suite.documents] == [path.name, "_stages.yaml"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("_stage.yaml", "include: {folder}/_stage.yaml: no such file (did you mean '_stages.yaml'?)"),
        (
            "nowhere/a.yaml",
            "include: {folder}/nowhere/a.yaml: no such file (the folder {folder}/nowhere does not exist",
        ),
        ('"a\\0b.yaml"', "include: "),
    ],
)
def test_a_missing_include_is_shown_where_it_is_asked_for(tmp_path: Path, name: str, said: str) -> None:
    write(tmp_path, "stages: {}\n", "_stages.yaml")
    text = steps_text("- code-status", head=f"{CARD}\ninclude:\n  - {name}")
    (found,) = complaints(tmp_path, text)
    assert found.startswith(f"{place(text, name)}: " + said.replace("{folder}", str(tmp_path)))


def test_a_malformed_include_and_a_mistake_of_the_suite_are_told_together(tmp_path: Path) -> None:
    write(tmp_path, "stagse: {}\n", "_stages.yaml")
    text = steps_text("- verfy-code: 1", head=f"{CARD}\ninclude: [_stages.yaml]")
    with pytest.raises(InputError) as raised:
        load(tmp_path, text)
    assert "unknown key 'stagse' (did you mean 'stages'?)" in str(raised.value)
    assert "unknown step 'verfy-code'" in str(raised.value)


def test_two_stages_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "stages:\n  a:\n    steps: [code-status: ]\n", "_stages.yaml")
    text = staged("  a:\n    steps: [code-status: ]\n", "- use: a").replace(
        "stages:", "include: [_stages.yaml]\nstages:"
    )
    (found,) = complaints(tmp_path, text)
    assert found == f"{place(text, '  a:').replace(':1', ':3')}: two stages bear the name 'a' (rename one)"


# -- benches ----------------------------------------------------------------------------------------------------------


def ids(folder: Path, head: str, body: str = "steps: [code-status: ]") -> list[str]:
    return [scenario.id for scenario in load(folder, suite_text(scenario_text(body), head=head)).scenarios]


def test_a_matrix_gives_one_scenario_per_combination(tmp_path: Path) -> None:
    assert ids(tmp_path, CARD) == ["t.one/only"]
    assert ids(tmp_path, "bench: {cards: {cps: [cpa]}}") == ["t.one/only"]
    assert ids(tmp_path, "bench: {cards: {cps: [cpa, infirmier]}}") == ["t.one/only[cpa]", "t.one/only[infirmier]"]
    both = "bench: {profile: [readers/generic-bislot, readers/olaqin-vitalact], cards: {cps: [cpa, infirmier]}}"
    assert ids(tmp_path, both) == [
        f"t.one/only[{profile},{card}]"
        for profile in ("readers/generic-bislot", "readers/olaqin-vitalact")
        for card in ("cpa", "infirmier")
    ]


def test_the_parameters_of_a_matrix_tell_its_scenarios_apart(tmp_path: Path) -> None:
    cards = "[{template: cpa, lifecycle: expired}, {template: cpa, lifecycle: revoked, codes: {pin: '4321'}}, cpa]"
    assert ids(tmp_path, f"bench: {{cards: {{cps: {cards}}}}}") == [
        "t.one/only[cpa+lifecycle=expired]",
        "t.one/only[cpa+lifecycle=revoked+codes=pin=4321]",
        "t.one/only[cpa]",
    ]


def test_a_matrix_with_one_value_twice_is_refused(tmp_path: Path) -> None:
    (found,) = complaints(tmp_path, steps_text("- code-status", head="bench: {cards: {cps: [cpa, cpa]}}"))
    assert "the matrix has 'cpa' twice (keep one)" in found


def test_the_scenario_s_own_bench_goes_before_the_suite_s_and_the_run_s_before_both(tmp_path: Path) -> None:
    body = "bench: {profile: readers/olaqin-vitalact, cards: {vitale: cpa}}\nsteps: [code-status: ]"
    text = suite_text(scenario_text(body))
    plan = load(tmp_path, text).scenarios[0].bench
    assert plan.profile == "readers/olaqin-vitalact"
    assert {role: card.template for role, card in plan.cards.items()} == {"cps": "medecin-generaliste", "vitale": "cpa"}
    chosen = load(tmp_path, text, profile="readers/generic-bislot").scenarios[0].bench
    assert chosen.profile == "readers/generic-bislot"


def test_a_plan_knows_phases_fidelity_and_where_things_stand(tmp_path: Path) -> None:
    body = "fidelity: modelled\nsetup: [code-status: ]\nsteps: [code-status: ]\nteardown: [code-status: ]"
    text = suite_text(scenario_text(body))
    (scenario,) = load(tmp_path, text).scenarios
    assert [step.phase for step in scenario.steps] == [Phase.SETUP, Phase.STEPS, Phase.TEARDOWN]
    assert scenario.fidelity is Fidelity.MODELLED
    assert f"{scenario.line}:5" == place(text, "id: only")
    assert scenario.bench_at("cards", "cps") == ("bench", "cards", "cps")


# -- finding suites ----------------------------------------------------------------------------------------------------


def test_suites_are_found_in_folders_sorted_and_each_once(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "folder.yaml").mkdir()
    for name in ("b.yaml", "a.yml", "deep/er/c.yaml", "_stages.yaml", "notes.txt", "x.yaxml"):
        (tmp_path / name).write_text("suite: x")
    found = [path.relative_to(tmp_path).as_posix() for path in find_suites([tmp_path, tmp_path / "b.yaml"])]
    assert found == ["a.yml", "b.yaml", "deep/er/c.yaml"]


def test_a_folder_without_suites_is_refused(tmp_path: Path) -> None:
    (tmp_path / "_only.yaml").write_text("stages: {}")
    with pytest.raises(InputError, match="holds no scenario file"):
        find_suites([tmp_path])
