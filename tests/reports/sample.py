"""A small run told by hand: every verdict, every kind of event, and the forms a run can be left in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text
from bifente.reports.events import (
    BenchChange,
    Call,
    Direction,
    Event,
    Exchange,
    Expectation,
    Input,
    Judged,
    Level,
    Message,
    Note,
    Phase,
    Requirement,
    RunFinished,
    RunStarted,
    ScenarioFinished,
    ScenarioStarted,
    StepFinished,
    StepStarted,
    Suite,
    Tool,
)
from bifente.reports.journal import Recorder
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict

SUITE = "authentication.code-porteur"
OTHER = "lecteurs.bi-fente"
HOSTILE = "<script>alert(1)</script> ]]> `|` [red]\x1b[31m\u202e & \"q\" 'é'"


class Ticks:
    """A time source that advances by 7 ms each time it is asked."""

    def __init__(self) -> None:
        self.now = datetime(2025, 3, 1, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=7)
        return self.now


def run_started(**changes: object) -> RunStarted:
    values: dict[str, object] = {
        "run_id": "20250301T093000Z-7f3a",
        "tool": Tool(name="bifente", version="0.1.0", commit="c958973d0a41"),
        "command": ("bifente", "run", "scenarios/authentication", "--seed", "42", "--reader", "Lecteur d'essai 00"),
        "target": "embedded",
        "reader": "Bifente Virtual PCD 00 00",
        "profile": "readers/exemple-bi-fente",
        "seed": 42,
        "lang": "fr",
        "environment": {
            "os": "Debian GNU/Linux 12",
            "python": "3.11.2",
            "pcscd": "1.9.9",
            "vpcd": "0.9",
            "opensc": "0.23.0",
        },
        "inputs": (
            Input(path="scenarios/authentication/code-porteur.yaml", sha256="3b" * 32),
            Input(path="vendor_profiles/readers/exemple-bi-fente.yaml", sha256="9c" * 32),
        ),
        "suites": (
            Suite(
                id=SUITE,
                title=Text("Code porteur de la CPS", "CPS holder code"),
                file="scenarios/authentication/code-porteur.yaml",
                scenarios=5,
            ),
            Suite(
                id=OTHER,
                title=Text("Deux cartes, un lecteur", "Two cards, one reader"),
                file="scenarios/lecteurs/bi-fente.yaml",
                scenarios=3,
            ),
        ),
        "requirements": (
            requirement(
                "CARD-CPS3-16",
                Text(
                    "Un code faux décrémente le compteur d'essais et n'ouvre aucun droit.",
                    "A wrong code takes a try off the counter and opens no right.",
                ),
            ),
            requirement(
                "CARD-CPS3-17",
                Text("Trois codes faux bloquent le code porteur.", "Three wrong codes block the holder code."),
            ),
            requirement(
                "SEED-CPS-03",
                Text(
                    "Le nombre d'essais restants se lit sans en consommer.",
                    "The number of tries left is read without using one up.",
                ),
                level="should",
                note=Text("Voir table 4.", "See table 4."),
            ),
            requirement(
                "RDR-04",
                Text("Chaque fente est vue comme un lecteur PC/SC distinct.", "Each slot is seen as a PC/SC reader."),
                actor="reader",
            ),
            requirement(
                "RDR-09",
                Text("Le retrait d'une carte n'affecte pas l'autre.", "Removing a card leaves the other one alone."),
                level="may",
                actor="reader",
            ),
        ),
        "requirements_total": 64,
    }
    return RunStarted(**(values | changes))  # type: ignore[arg-type]


def requirement(
    name: str, text: Text, level: str = "must", actor: str = "card", note: Text | None = None
) -> Requirement:
    return Requirement(
        id=name,
        set=name.rpartition("-")[0],
        set_title=Text("Cartes et lecteurs", "Cards and readers"),
        source=Text("Texte public d'exemple, version 1.0", "Public text as an example, version 1.0"),
        confidence="documented",
        level=level,
        actor=actor,
        text=text,
        note=note,
    )


def scenario(
    name: str,
    title: Text,
    verdict: Verdict,
    *steps: tuple[Event, ...],
    suite: str = SUITE,
    requirements: tuple[str, ...] = ("CARD-CPS3-16",),
    fidelity: Fidelity = Fidelity.DOCUMENTED,
    reason: Text | None = None,
    line: int = 12,
    destructive: bool = False,
    cards: dict[str, str] | None = None,
    judges: Judged | None = None,
) -> list[Event]:
    full = f"{suite}/{name}"
    file = "scenarios/authentication/code-porteur.yaml" if suite == SUITE else "scenarios/lecteurs/bi-fente.yaml"
    return [
        ScenarioStarted(
            scenario=full,
            suite=suite,
            title=title,
            file=file,
            line=line,
            requirements=requirements,
            fidelity=Fidelity.DOCUMENTED,
            destructive=destructive,
            profile="readers/exemple-bi-fente",
            cards=cards or {"cps": "médecin généraliste d'essai (CPS3, lot 7)"},
            judges=judges,
            reproduce=f"bifente run {file}::{name} --target embedded --seed 42",
        ),
        *(event for step in steps for event in step),
        ScenarioFinished(scenario=full, verdict=verdict, reason=reason, fidelity=fidelity, duration_us=12_400),
    ]


def step(
    of: str,
    index: int,
    name: str,
    verdict: Verdict = Verdict.PASSED,
    *happenings: Event,
    suite: str = SUITE,
    phase: Phase = Phase.STEPS,
    arguments: dict[str, object] | None = None,
    expectations: tuple[Expectation, ...] = (),
    title: Text | None = None,
    via: str | None = None,
    **finish: object,
) -> tuple[Event, ...]:
    full = f"{suite}/{of}"
    return (
        StepStarted(
            scenario=full,
            index=index,
            name=name,
            title=title,
            arguments=arguments or {},  # type: ignore[arg-type]
            file="scenarios/authentication/code-porteur.yaml" if suite == SUITE else "scenarios/lecteurs/bi-fente.yaml",
            line=20 + index,
            phase=phase,
            via=via,
        ),
        *happenings,
        StepFinished(
            scenario=full, index=index, verdict=verdict, expectations=expectations, duration_us=1_830, **finish
        ),  # type: ignore[arg-type]
    )


def exchange(
    of: str, index: int, command: str, response: str, text: str, meaning: Text, suite: str = SUITE
) -> Exchange:
    return Exchange(
        scenario=f"{suite}/{of}",
        index=index,
        slot="cps",
        command=command,
        response=response,
        command_text=Text.same(text),
        response_text=meaning,
        sw=response[-4:],
        duration_us=640,
    )


OK = Text("9000 : exécution normale", "9000: normal completion")
WRONG = Text("63C2 : code faux, 2 essais restants", "63C2: wrong code, 2 tries left")
CLOSED = Text("6982 : droits d'accès non satisfaits", "6982: security status not satisfied")


def select(of: str, index: int, suite: str = SUITE) -> tuple[Event, ...]:
    return step(
        of,
        index,
        "select-application",
        Verdict.PASSED,
        exchange(
            of,
            index,
            "00A4040C10E828BD080F8025000001FF0010010100",
            "9000",
            "SELECT par AID E828BD080F8025000001FF00100101",
            OK,
            suite=suite,
        ),
        suite=suite,
        phase=Phase.SETUP,
        via="carte-prete",
        arguments={"application": "cpx-ias"},
    )


def sw(expected: str, observed: str, *, remark: bool = False) -> Expectation:
    return Expectation(
        name="sw", expected=expected, observed=observed, ok=expected == observed or remark, remark=remark
    )


def wrong_code() -> list[Event]:
    name = "wrong-code-is-counted"
    return scenario(
        name,
        Text("Un code faux est compté et n'ouvre rien", "A wrong code is counted and opens nothing"),
        Verdict.PASSED,
        select(name, 0),
        step(
            name,
            1,
            "verify-code",
            Verdict.PASSED,
            exchange(name, 1, "0020000104" + "30303030", "63C2", "VERIFY code porteur (4 octets)", WRONG),
            arguments={"code": "••••"},
            expectations=(sw("63C2", "63C2"),),
            state_before={"essais code porteur": "3", "droits": "aucun"},
            state_after={"essais code porteur": "2", "droits": "aucun"},
        ),
        step(
            name,
            2,
            "read",
            Verdict.PASSED,
            exchange(name, 2, "00B0810000", "6982", "READ BINARY fichier 01, position 0", CLOSED),
            arguments={"file": "CPS_ACTIVITY_01_PS"},
            expectations=(sw("6982", "6982"),),
        ),
        requirements=("CARD-CPS3-16", "SEED-CPS-03"),
        destructive=True,
    )


def blocked_code() -> list[Event]:
    name = "three-wrong-codes-block"
    return scenario(
        name,
        Text("Trois codes faux bloquent le code", "Three wrong codes block the code"),
        Verdict.FAILED,
        select(name, 0),
        step(
            name,
            1,
            "verify-code",
            Verdict.FAILED,
            exchange(
                name,
                1,
                "00 20 00 01 04 30 30 30 30",
                "63C0",
                "VERIFY code porteur (4 octets)",
                Text("63C0 : code faux, 0 essai restant", "63C0: wrong code, no try left"),
            ),
            title=Text("Présenter un troisième code faux", "Present a third wrong code"),
            arguments={"code": "••••", "reference": {"qualifier": 1, "scope": "global"}},
            expectations=(
                sw("6983", "63C0"),
                Expectation(name="meaning", expected="code bloqué", observed="code faux, 0 essai restant", ok=False),
                Expectation(name="within", expected="< 50 ms", observed="0,64 ms", ok=True),
            ),
            state_before={"essais code porteur": "1"},
            state_after={"essais code porteur": "0"},
            reason=Text("sw : attendu 6983, observé 63C0", "sw: expected 6983, observed 63C0"),
        ),
        step(
            name,
            2,
            "reset-card",
            Verdict.PASSED,
            BenchChange(
                scenario=f"{SUITE}/{name}",
                index=2,
                slot="cps",
                what=Text("carte remise à zéro (à chaud)", "card reset (warm)"),
            ),
            phase=Phase.TEARDOWN,
        ),
        requirements=("CARD-CPS3-17",),
        reason=Text("étape 2 : sw attendu 6983, observé 63C0", "step 2: expected sw 6983, observed 63C0"),
        fidelity=Fidelity.OBSERVED,
        destructive=True,
        line=31,
    )


def with_remark() -> list[Event]:
    name = "tries-left-are-readable"
    return scenario(
        name,
        Text("Les essais restants se lisent", "Tries left can be read"),
        Verdict.PASSED_WITH_REMARK,
        step(
            name,
            0,
            "read",
            Verdict.PASSED_WITH_REMARK,
            exchange(
                name,
                0,
                "00CB3FFF0A4D087006BF8101027A8000",
                "700B" + "BF8101077A0581010182019F" + "9000",
                "GET DATA objet de sécurité 01",
                OK,
            ),
            expectations=(
                sw("9000", "9000"),
                Expectation(name="length", expected="12 octets", observed="13 octets (bourrage)", ok=True, remark=True),
            ),
            decoded=(("essais restants", "1"), ("essais maximum", "3"), ("utilisations", "illimitées")),
        ),
        requirements=("SEED-CPS-03",),
        reason=Text("bourrage toléré", "tolerated padding"),
    )


def others() -> list[Event]:
    name = "deux-fentes"
    return [
        *scenario(
            "blocked",
            Text("Lire après présentation du code", "Read after the code"),
            Verdict.BLOCKED,
            step("blocked", 0, "verify-code", Verdict.BLOCKED, reason=Text("code bloqué", "code blocked")),
            reason=Text("précondition : le code porteur est bloqué", "precondition: the holder code is blocked"),
        ),
        *scenario(
            "pin-pad",
            Text("Saisir le code au clavier du lecteur", "Enter the code on the reader's pad"),
            Verdict.NOT_APPLICABLE,
            reason=Text("ce profil de lecteur n'a pas de clavier", "this reader profile has no pad"),
            requirements=(),
        ),
        *scenario(
            name,
            Text("Deux fentes, deux lecteurs", "Two slots, two readers"),
            Verdict.BENCH_ERROR,
            step(
                name,
                0,
                "insert",
                Verdict.BENCH_ERROR,
                BenchChange(
                    scenario=f"{OTHER}/{name}",
                    index=0,
                    slot="vitale",
                    what=Text("carte Vitale introduite", "Vitale card inserted"),
                ),
                suite=OTHER,
                reason=Text("ZeroDivisionError dans le banc", "ZeroDivisionError in the bench"),
            ),
            suite=OTHER,
            requirements=("RDR-04",),
            fidelity=Fidelity.MODELLED,
            reason=Text("ZeroDivisionError dans le banc", "ZeroDivisionError in the bench"),
        ),
        *scenario(
            "retrait",
            Text("Retirer une carte", "Remove a card"),
            Verdict.NOT_RUN,
            suite=OTHER,
            requirements=("RDR-09",),
            fidelity=Fidelity.MODELLED,
            reason=Text("la cible ne sait pas retirer une carte réelle", "the target cannot remove a real card"),
        ),
        *scenario(
            "hostile",
            Text(HOSTILE, HOSTILE),
            Verdict.FAILED,
            step(
                "hostile",
                0,
                HOSTILE,
                Verdict.FAILED,
                exchange("hostile", 0, HOSTILE, HOSTILE + "9000", HOSTILE, Text.same(HOSTILE), suite=OTHER),
                Call(
                    scenario=f"{OTHER}/hostile",
                    index=0,
                    slot=HOSTILE,
                    function=HOSTILE,
                    arguments={HOSTILE: HOSTILE},
                    result=HOSTILE,
                    answer={HOSTILE: "AB" * 2_000},
                ),
                Message(
                    scenario=f"{OTHER}/hostile",
                    index=0,
                    protocol="http",
                    peer=HOSTILE,
                    direction=Direction.RECEIVED,
                    line=HOSTILE,
                    headers=((HOSTILE, HOSTILE),),
                    body=HOSTILE,
                    size=len(HOSTILE.encode()),
                    text=Text.same(HOSTILE),
                ),
                suite=OTHER,
                arguments={HOSTILE: [HOSTILE, {"a": None, "b": True, "c": 1.5}]},
                expectations=(Expectation(name=HOSTILE, expected=HOSTILE, observed=HOSTILE, ok=False),),
                state_before={HOSTILE: HOSTILE},
                decoded=((HOSTILE, HOSTILE),),
                reason=Text.same(HOSTILE),
            ),
            suite=OTHER,
            requirements=("RDR-04",),
            reason=Text.same(HOSTILE),
            cards={HOSTILE: HOSTILE},
            judges=Judged.MODULE,
        ),
    ]


def full_run(**changes: object) -> list[Event]:
    """A run that went to its end: each of the seven verdicts at least once."""
    return [
        run_started(**changes),
        Note(level=Level.WARNING, text=Text("pcscd répond lentement (180 ms)", "pcscd is slow to answer (180 ms)")),
        *wrong_code(),
        *blocked_code(),
        *with_remark(),
        *others(),
        RunFinished(interrupted=False, duration_us=1_234_567),
    ]


def green_run() -> list[Event]:
    """A run where everything passed."""
    suite = Suite(id=SUITE, title=Text("Code porteur", "Holder code"), file="a.yaml", scenarios=1)
    return [run_started(suites=(suite,)), *wrong_code(), RunFinished(duration_us=20_000)]


def cut_run() -> list[Event]:
    """A run that stops in the middle of its second scenario."""
    return [run_started(), *wrong_code(), *blocked_code()[:6]]


def write(path: Path, events: Iterable[Event], masker: Secrets | None = None) -> tuple[Event, ...]:
    """Record `events` in a journal at `path`; return them as written."""
    with Recorder(path, now=Ticks(), secrets=masker) as recorder:
        return tuple(recorder.record(event) for event in events)


def recorded(events: Iterable[Event]) -> list[Event]:
    """`events` numbered and dated as a recorder would, without a file."""
    from msgspec.structs import replace

    now = Ticks()
    return [
        replace(event, seq=number, time=now().isoformat(timespec="milliseconds").replace("+00:00", "Z"))
        for number, event in enumerate(events)
    ]
