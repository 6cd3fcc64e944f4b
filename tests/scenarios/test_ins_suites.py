"""The suites about the INS: well made, all passing, and able to fail when a check is taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.domains.ins.bench import InsBench
from bifente.conformance.options import RunOptions
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.journal import FILE_NAME, Recorder
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict
from bifente.simulator.formats.insi import InsiAnswer, InsiCode, contexts
from bifente.simulator.formats.soap import envelope, message, xml
from bifente.simulator.formats.xmldsig import verifying
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.pki.revocation import KnownStatus
from bifente.simulator.services.insi import admission, app, conduct, searching, service
from bifente.simulator.software.identity import patient, status, traits
from bifente.simulator.software.insi import client, desk

LEAST = 150
_DOCUMENTS: tuple[str, ...] = (
    "cni",
    "passeport",
    "titre-de-sejour",
    "livret-de-famille",
    "permis-de-conduire",
    "carte-vitale",
    "sans",
)
SENDER = contexts.InsiSender("", "BIFENTE-IDAM-01", "", "", "")


@pytest.fixture(scope="module")
def workshop(shared_keys: KeySource) -> Workshop:
    return Workshop(shared_keys)


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=(default_paths()[0] / "ins",)), workshop)


def _run(
    plan: RunPlan,
    workshop: Workshop,
    emit: Callable[[Event], None] | None = None,
    secrets: Secrets | None = None,
) -> dict[str, Verdict]:
    events: list[Event] = []

    def both(event: Event) -> None:
        events.append(event)
        if emit is not None:
            emit(event)

    execute(plan, workshop, run_id="20250101-000000-000000", command=(), emit=both, secrets=secrets or Secrets())
    return {one.scenario: one.verdict for one in events if isinstance(one, ScenarioFinished)}


def test_every_scenario_passes_and_no_secret_is_written(plan: RunPlan, workshop: Workshop, tmp_path: Path) -> None:
    secrets, moment = Secrets(), datetime(2025, 1, 1, tzinfo=UTC)
    with Recorder(tmp_path / FILE_NAME, now=lambda: moment, secrets=secrets) as recorder:
        verdicts = _run(plan, workshop, recorder.emit, secrets)
    assert len(verdicts) >= LEAST
    assert set(verdicts.values()) == {Verdict.PASSED}
    journal = (tmp_path / FILE_NAME).read_text(encoding="utf-8")
    assert '"1234"' not in journal
    assert "PRIVATE KEY" not in journal


def _nothing(*arguments: Any, **more: Any) -> None:
    return None


def _always(value: Any) -> Callable[..., Any]:
    return lambda *arguments, **more: value


def _unlocked(self: Any) -> bool:
    return False


def _sent_anyway(self: Any) -> Any:
    from bifente.simulator.formats.vihf.patient import InsIdentifier

    held = self.answer.active if self.answer is not None else None
    return InsIdentifier("1801975349002" if held is None else held.matricule.number, "00")


def _first_only(self: traits.StrictTraits) -> Iterator[Any]:
    yield from list(_ATTEMPTS(self))[:1]


_ATTEMPTS = traits.StrictTraits.attempts


def _kept(self: Any, author: str, **changes: Any) -> None:
    self.traits = replace(self.traits, **changes)


def _no_look(name: str) -> tuple[Any, str, Any]:
    return conduct, "_LOOKS", {key: look for key, look in conduct._LOOKS.items() if key != name}


REMOVED: dict[str, tuple[tuple[Any, str, Any], str]] = {
    # what the software does
    "twenty minutes at the desk": ((desk, "VITALE_LIFETIME", timedelta(days=1)), "vitale/twenty-minutes"),
    "swapped card": ((InsBench, "_serial", lambda self: self.desk.reading.serial), "vitale/swapped"),
    "card taken out": ((InsBench, "_serial", lambda self: self.desk.reading.serial), "vitale/taken-out"),
    "only qualified leaves": ((patient.PatientFile, "outgoing", _sent_anyway), "statuses/document-before-insi"),
    "not asked twice": ((patient.PatientFile, "check_may_ask", _nothing), "traits/not-asked-twice"),
    "complete before asking": ((patient.PatientFile, "check_may_ask", _nothing), "traits/missing-traits"),
    "locks": ((status.Axes, "locked", property(_unlocked)), "statuses/marks-lock"),
    "traits compared": ((traits.StrictTraits, "differences", _always(())), "statuses/traits-of-insi-differ"),
    "other given names": ((traits.StrictTraits, "attempts", _first_only), "traits/all-given-names"),
    "place added": ((traits.StrictTraits, "attempts", _first_only), "traits/homonyms"),
    "capitals": ((traits, "capitals", lambda text: text), "traits/answers"),
    "completed dates": ((traits, "completed", lambda text: text), "traits/incomplete-birth-date"),
    "documents of high trust": (
        (patient, "documents", lambda: {name: SimpleNamespace(high=True) for name in _DOCUMENTS}),
        "statuses/documents",
    ),
    "edited traits drop the INS": ((patient.PatientFile, "edit", _kept), "statuses/trait-edited"),
    "answers in their form": ((client, "_read", _always(InsiAnswer(InsiCode.NONE))), "troubles/unreadable"),
    # what the service does
    "age of an assertion": ((admission, "_check_age", _nothing), "vitale/assertion-older"),
    "trust in a signer": ((KnownStatus, "check", _nothing), "credentials/revoked-card"),
    "issuer": ((admission, "same_name", _always(True)), "hostile/forged[issuer]"),
    "structure certificate": ((admission, "_check_structure", _always("INSI-AUTO")), "credentials/structures"),
    "software": ((service, "check_software", _nothing), "conduct/insists"),
    "characters": ((searching, "_check_name", _nothing), "hostile/forged[accent]"),
    "traits of a request": ((searching, "_check_traits", _nothing), "hostile/forged[no-sex]"),
    "one element of its name": ((verifying, "_check_unique", _nothing), "hostile/forged[wrapped-9]"),
    "document type": ((xml._Counting, "doctype", _nothing), "hostile/bodies"),
    "processing instructions": ((xml._Counting, "pi", _nothing), "hostile/bodies"),
    "depth": ((app, "_LIMITS", xml.XmlLimits(10**9, 10**9, 10**9)), "hostile/nested"),
    "size": ((app, "LONGEST", 10**9), "hostile/oversize"),
    "content type": ((message, "_refuse_type", _nothing), "hostile/content-types"),
    "charset": ((message, "_check_charset", _nothing), "hostile/content-types"),
    "mandatory headers": ((envelope.SoapEnvelope, "check_understood", _nothing), "hostile/mandatory-header"),
    "contexts": ((contexts, "_block", _always(SimpleNamespace())), "hostile/forged[no-bam]"),
    "sender": ((service, "read_sender", _always(SENDER)), "hostile/forged[no-lps]"),
    # what is judged of a client
    "repeated search": (_no_look("repeated-search"), "conduct/repeated"),
    "message id twice": (_no_look("message-id-twice"), "conduct/message-id-twice"),
    "storm": (_no_look("storm"), "conduct/storm"),
    "raw characters": (_no_look("raw-characters"), "conduct/raw-names"),
    "stale Vitale": (_no_look("stale-vitale"), "conduct/stale-vitale"),
    "one assertion for two": (_no_look("assertion-of-another-reading"), "conduct/one-assertion"),
    "insists": (_no_look("insists-on-rights"), "conduct/insists"),
    "incomplete": (_no_look("incomplete"), "conduct/incomplete"),
}


@pytest.mark.parametrize("check", sorted(REMOVED))
def test_a_check_taken_away_turns_a_scenario_red(
    check: str, plan: RunPlan, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (owner, name, other), scenario = REMOVED[check]
    start, _, part = scenario.rstrip("]").partition("[")
    named = ((one.id.removeprefix("ins."), one) for one in plan.scenarios)
    wanted = [one for name, one in named if name.startswith(start) and part in name]
    assert wanted
    monkeypatch.setattr(owner, name, other)
    verdicts = _run(replace(plan, scenarios=tuple(wanted)), workshop)
    assert set(verdicts.values()) - {Verdict.PASSED}, verdicts
