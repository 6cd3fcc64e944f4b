"""The suites of authentication with services: all passing, repeatable, and able to fail when a check is missing."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from selecting import only
from timeless import timeless

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.options import RunOptions
from bifente.conformance.requirements import load_catalogue
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.ground.clock import WallClock
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.journal import FILE_NAME, Recorder
from bifente.reports.render import FORMATS, render
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict
from bifente.simulator.pki import judging, revocation
from bifente.simulator.services.directory import Register, results
from bifente.simulator.services.directory import service as directory
from bifente.simulator.services.pki import RevocationRegister
from bifente.simulator.serving.fetching import fetching
from bifente.simulator.serving.handshake.engine import TlsEngine
from bifente.simulator.software.secure_mail import envelope, signing

ROOT = default_paths()[0] / "authentication"
SUITES = ("tls", "pki", "directory", "mail")
LEAST = 130

Patch = pytest.MonkeyPatch


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=tuple(ROOT / f"{name}.yaml" for name in SUITES)), workshop)


def run(plan: RunPlan, workshop: Workshop) -> list[Event]:
    events: list[Event] = []
    execute(plan, workshop, run_id="20250101-000000-000000", command=("bifente", "run"), emit=events.append)
    return events


def verdicts(events: list[Event]) -> dict[str, Verdict]:
    return {event.scenario: event.verdict for event in events if isinstance(event, ScenarioFinished)}


@pytest.fixture(scope="module")
def first_run(plan: RunPlan, workshop: Workshop) -> list[Event]:
    return run(plan, workshop)


def test_every_scenario_passes(plan: RunPlan, first_run: list[Event]) -> None:
    found = verdicts(first_run)
    assert set(found) == {scenario.id for scenario in plan.scenarios}
    assert {name: verdict for name, verdict in found.items() if verdict is not Verdict.PASSED} == {}


def test_there_are_enough_and_most_expect_a_refusal(plan: RunPlan) -> None:
    once = {scenario.model.id: scenario for scenario in plan.scenarios}
    assert len(plan.scenarios) >= LEAST
    words = ("refus", "sans ", "n'ouvre", "défaut", "ne ", "expir", "révoqu", "perdu", "vol", "n'")
    assert sum(any(word in one.model.title.fr.lower() for word in words) for one in once.values()) > len(once) / 2


def test_every_requirement_of_the_sets_has_a_scenario_or_a_written_reason() -> None:
    """Those of Pro Santé Connect and of the portals are held by ``test_psc_suites``."""
    cited: set[str] = set()
    for path in sorted(ROOT.parent.rglob("*.yaml")):
        for found in re.findall(r"requirements: *\[(.*?)\]", path.read_text(encoding="utf-8"), re.DOTALL):
            cited |= set(re.findall(r"[A-Za-z0-9_-]+", found))
    wanted = {name for name in load_catalogue() if re.match(r"(SEED-PKI|SEED-TOKEN|PKI|TLS|LOCAL)-", name)}
    assert sorted(wanted - cited - REASONS.keys()) == []
    assert sorted(REASONS.keys() & cited) == []


REASONS = {
    "SEED-PKI-13": "the names of authorities through the years: the laboratory's bear the present ones, nothing to try",
    "LOCAL-DCJS-01": "TLS under a name of the machine, WebSocket and HTTPS: tests/clients/test_dmpconnect_clients.py",
    "LOCAL-DCJS-02": "one socket, one command, what is pushed: tests/clients/test_dmpconnect_clients.py",
    "LOCAL-DCJS-07": "what monitoring tells of a card: tests/clients/test_dmpconnect_clients.py",
    "LOCAL-DCJS-09": "two instances on one machine: not simulated",
    "LOCAL-DCJS-10": "a rule of browsers: tests/clients/test_dmpconnect_clients.py, tests/clients/test_portal_pages.py",
}


def test_every_title_says_something_in_both_languages(plan: RunPlan) -> None:
    for scenario in plan.scenarios:
        assert scenario.model.title.fr != scenario.model.title.en, scenario.id
        assert scenario.model.requirements, scenario.id


def test_the_same_seed_gives_the_same_record(plan: RunPlan, workshop: Workshop, first_run: list[Event]) -> None:
    assert timeless(run(plan, workshop)) == timeless(first_run)


def test_another_seed_gives_other_handshakes(plan: RunPlan, workshop: Workshop, first_run: list[Event]) -> None:
    other = run(replace(plan, options=replace(plan.options, seed=2)), workshop)
    assert verdicts(other) == verdicts(first_run)
    assert timeless(other[1:]) != timeless(first_run[1:])


# -- each check taken away: a scenario must notice -----------------------------------------------------------------


def nothing(*given: Any, **named: Any) -> None:
    """Check nothing."""


def yes(*given: Any, **named: Any) -> bool:
    return True


def never_required(patch: Patch) -> None:
    made = TlsEngine.server.__func__  # type: ignore[attr-defined]

    def server(cls: type[TlsEngine], *given: Any, **named: Any) -> Any:
        return made(cls, *given, **{**named, "required": False})

    patch.setattr(TlsEngine, "server", classmethod(server))


def any_branch(patch: Patch) -> None:
    known = judging.authorities_of
    patch.setattr(
        "bifente.conformance.domains.pki.part.authorities_of", lambda pki, levels=None, branches=None: known(pki)
    )


def whatever_server(patch: Patch) -> None:
    patch.setattr("bifente.conformance.domains.pki.steps.tls.server_look", lambda *given: None)


def lists_at_once(patch: Patch) -> None:
    patch.setattr(RevocationRegister, "published", lambda self, at, rhythm: at)


def endless_patience(patch: Patch) -> None:
    patch.setattr("bifente.conformance.domains.pki.part.fetching", lambda caller, clock: fetching(caller, clock, 1e9))


def any_signature(patch: Patch) -> None:
    key = SimpleNamespace(verify=nothing)
    patch.setattr(signing, "RSAPublicKey", object)
    signer = signing._signer
    patch.setattr(signing, "_signer", lambda der: (signer(der)[0], SimpleNamespace(public_key=lambda: key)))
    patch.setattr("bifente.conformance.domains.mail.steps.subjects.told", lambda name: "")
    patch.setattr("bifente.conformance.domains.mail.steps.verify", lambda mail: _without_subject(signing.verify(mail)))


def _without_subject(signed: signing.SignedMail) -> Any:
    return SimpleNamespace(certificate=SimpleNamespace(subject=None), text=signed.text)


class Equal:
    """Equal to anything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


ANY = Equal()


MUTATIONS: dict[str, tuple[Callable[[Patch], None], str]] = {
    "purpose": (
        lambda patch: patch.setattr(judging.CertificateJudge, "_check_purpose", nothing),
        "authentication.tls/signature-certificate-is-not-for-tls",
    ),
    "purpose in TLS 1.3": (
        lambda patch: patch.setattr(judging.CertificateJudge, "_check_purpose", nothing),
        "authentication.tls/signature-certificate-in-tls-1-3",
    ),
    "seal": (
        lambda patch: patch.setattr(judging.CertificateJudge, "_check_purpose", nothing),
        "authentication.tls/a-seal-is-not-for-tls",
    ),
    "validity": (
        lambda patch: patch.setattr(judging.CertificateJudge, "_check_validity", nothing),
        "authentication.tls/expired-card-is-refused",
    ),
    "validity to come": (
        lambda patch: patch.setattr(judging.CertificateJudge, "_check_validity", nothing),
        "authentication.tls/certificate-of-tomorrow-is-refused",
    ),
    "clock of the bench": (
        lambda patch: patch.setattr(judging.CertificateJudge, "_check_validity", nothing),
        "authentication.tls/certificate-ends-while-the-bench-waits",
    ),
    "mark": (
        lambda patch: patch.setattr(judging.CertificateJudge, "_check_marks", nothing),
        "authentication.tls/real-product-under-a-test-authority",
    ),
    "signature of the authority": (
        lambda patch: patch.setattr(judging, "_issued", yes),
        "authentication.tls/same-names-other-keys",
    ),
    "signature of anybody": (
        lambda patch: patch.setattr(judging, "_issued", yes),
        "authentication.tls/certificate-of-nobody",
    ),
    "a certificate at all": (never_required, "authentication.tls/no-certificate-no-access"),
    "branch": (any_branch, "authentication.tls/structures-only"),
    "server": (whatever_server, "authentication.tls/client-checks-the-server-too"),
    "OCSP": (
        lambda patch: patch.setattr(revocation.OcspSource, "check", nothing),
        "authentication.pki/lost-card",
    ),
    "OCSP, stolen": (
        lambda patch: patch.setattr(revocation.OcspSource, "check", nothing),
        "authentication.pki/stolen-card",
    ),
    "list": (
        lambda patch: patch.setattr(revocation.CrlSource, "check", nothing),
        "authentication.tls/revoked-card-is-refused",
    ),
    "delta list": (
        lambda patch: patch.setattr(revocation.CrlSource, "_delta", lambda *given: iter(())),
        "authentication.pki/delta-list-is-fresher",
    ),
    "who signed an answer": (
        lambda patch: patch.setattr(revocation, "answered_by", yes),
        "authentication.pki/foreign-answer-does-not-hide-a-revocation",
    ),
    "who signed a list": (
        lambda patch: patch.setattr(revocation, "listed_by", yes),
        "authentication.pki/list-in-trouble",
    ),
    "age of an answer": (
        lambda patch: patch.setattr(revocation, "current", yes),
        "authentication.pki/foreign-answer-does-not-hide-a-revocation",
    ),
    "what an answer is about": (
        lambda patch: patch.setattr(revocation, "about", yes),
        "authentication.pki/responder-in-trouble",
    ),
    "rhythm of the lists": (lists_at_once, "authentication.pki/list-knows-later-than-ocsp"),
    "soft": (
        lambda patch: patch.setattr(revocation, "_unless_soft", lambda error, soft: None),
        "authentication.pki/service-refuses-when-it-cannot-know",
    ),
    "API key": (
        lambda patch: patch.setattr("bifente.simulator.services.directory.service.hmac.compare_digest", yes),
        "authentication.directory/with-a-wrong-key",
    ),
    "parameters of a search": (
        lambda patch: patch.setattr(directory, "found", lambda everything, kind, asked: list(everything(kind))),
        "authentication.directory/unknown-parameter",
    ),
    "resources of a search": (
        lambda patch: patch.setitem(directory.PARAMETERS, "Patient", {}),
        "authentication.directory/unknown-resource",
    ),
    "includes of a search": (
        lambda patch: patch.setattr(results, "_valid", lambda name, words, valid: tuple(set(words) & set(valid))),
        "authentication.directory/brought-along",
    ),
    "size of a page": (
        lambda patch: patch.setattr(directory, "page_size", lambda asked: 1_000),
        "authentication.directory/pages-of-fifty",
    ),
    "inactive entries": (
        lambda patch: patch.setattr(Register, "close", yes),
        "authentication.directory/inactive-person",
    ),
    "removed entries": (
        lambda patch: patch.setattr(Register, "remove", yes),
        "authentication.directory/missing-person",
    ),
    "hash of a mail": (
        lambda patch: patch.setattr(signing.hashlib, "new", lambda kind, data: SimpleNamespace(digest=lambda: ANY)),
        "authentication.mail/altered-text",
    ),
    "signature of a mail": (any_signature, "authentication.mail/altered-signature"),
    "ciphers of a mail": (
        lambda patch: patch.setattr(envelope, "_TAKEN", frozenset({"aes", "des", "tripledes"})),
        "authentication.mail/old-ciphers-are-not-taken",
    ),
    "hashes of a mail": (
        lambda patch: patch.setitem(signing._HASHES, "md5", hashes.MD5()),  # noqa: S303 - what is not to be taken
        "authentication.mail/old-hash-is-not-taken",
    ),
    "addressee of a mail": (
        lambda patch: patch.setattr("bifente.conformance.domains.mail.steps.decipher", lambda *given: "ouvert"),
        "authentication.mail/not-opened-by-another-card",
    ),
    "certificate of a signer": (
        lambda patch: patch.setattr(judging.CertificateJudge, "_check_validity", nothing),
        "authentication.mail/expired-signer",
    ),
    "certificate of an addressee": (
        lambda patch: patch.setattr(revocation.OcspSource, "check", nothing),
        "authentication.mail/nothing-enciphered-for-a-revoked-card",
    ),
    "patience": (endless_patience, "authentication.pki/late-responder"),
}


@pytest.mark.parametrize("what", MUTATIONS)
def test_a_check_taken_away_is_seen(what: str, plan: RunPlan, workshop: Workshop, monkeypatch: Patch) -> None:
    mutation, scenario = MUTATIONS[what]
    mutation(monkeypatch)
    found = verdicts(run(only(plan, f"{scenario}*"), workshop))
    assert Verdict.FAILED in found.values(), found


def test_no_secret_is_in_any_file_of_a_run(
    plan: RunPlan, workshop: Workshop, tmp_path: Path, monkeypatch: Patch
) -> None:
    """API keys, right and wrong, keys of enciphered mails: in no byte of the journal nor of any report."""
    born: set[bytes] = set()
    declare = Secrets.declare

    def heard(self: Secrets, *secrets: str | bytes) -> None:
        born.update(one.encode() if isinstance(one, str) else one for one in secrets)
        declare(self, *secrets)

    monkeypatch.setattr(Secrets, "declare", heard)
    made = only(plan, "authentication.directory/*", "authentication.mail/*")
    secrets = Secrets()
    with Recorder(tmp_path / FILE_NAME, now=WallClock().now, secrets=secrets) as recorder:
        execute(
            made,
            workshop,
            run_id="20250101-000000-000000",
            command=(),
            emit=recorder.emit,
            emit_lines=recorder.record_lines,
            secrets=secrets,
        )
    render(tmp_path / FILE_NAME, FORMATS, tmp_path)
    long_enough = {secret for secret in born if len(secret) > 8}
    assert len(long_enough) > 20
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert len(files) > 3
    for path in files:
        content = path.read_bytes()
        for secret in long_enough:
            for form in (secret, secret.hex().encode(), secret.hex().upper().encode(), b64encode(secret)):
                assert form not in content, path
