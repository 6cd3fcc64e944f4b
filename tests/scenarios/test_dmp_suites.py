"""The suites of the DMP: all passing, and able to fail: each check taken out in turn turns a scenario red."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from selecting import only
from source_mutation import changed
from timeless import timeless

from bifente.conformance import requirements
from bifente.conformance.bench.cards import Workshop
from bifente.conformance.options import RunOptions
from bifente.conformance.run.plan import RunPlan
from bifente.conformance.run.preparing import prepare
from bifente.conformance.run.session import execute
from bifente.conformance.run.suites import default_paths
from bifente.reports.events import Event, ScenarioFinished
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict
from bifente.simulator.formats.soap import qname
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.formats.vihf import checking
from bifente.simulator.formats.xmldsig import VerifiedXml, verifying
from bifente.simulator.pki.keystore import KeySource

pytestmark = pytest.mark.long

LEAST = 310


@pytest.fixture(scope="module")
def workshop(shared_keys: KeySource) -> Workshop:
    return Workshop(shared_keys)


@pytest.fixture(scope="module")
def plan(workshop: Workshop) -> RunPlan:
    return prepare(RunOptions(paths=(default_paths()[0] / "dmp",)), workshop)


def told(plan: RunPlan, workshop: Workshop) -> list[Event]:
    events: list[Event] = []
    execute(plan, workshop, run_id="20250101-000000-000000", command=(), emit=events.append, secrets=Secrets())
    return events


def run(plan: RunPlan, workshop: Workshop) -> dict[str, Verdict]:
    events = told(plan, workshop)
    return {one.scenario: one.verdict for one in events if isinstance(one, ScenarioFinished)}


def test_every_scenario_passes(plan: RunPlan, workshop: Workshop) -> None:
    verdicts = run(plan, workshop)
    assert len(verdicts) >= LEAST
    assert set(verdicts.values()) == {Verdict.PASSED}


def test_the_same_seed_gives_the_same_record(plan: RunPlan, workshop: Workshop) -> None:
    journey = only(plan, "dmp.journey/*")
    assert timeless(told(journey, workshop)) == timeless(told(journey, workshop))


class TakenOut(NamedTuple):
    """A check, where it stands, what it becomes, and the scenarios that must see it."""

    name: str
    module: str
    old: str
    new: str
    seen_by: str


CHECKS = [
    TakenOut(
        "authorisation-asked",
        "bifente.simulator.services.dmp.access",
        "if state is AuthorisationState.FORBIDDEN or (normal and state is not AuthorisationState.VALID):",
        "if False:",
        "dmp.authorisations/first-contact*",
    ),
    TakenOut(
        "block-list",
        "bifente.simulator.services.dmp.access",
        "if state is AuthorisationState.FORBIDDEN or (normal and",
        "if (normal and state is not AuthorisationState.FORBIDDEN and",
        "dmp.authorisations/blocked*",
    ),
    TakenOut(
        "twelve-months",
        "bifente.simulator.services.dmp.authorisations",
        "return self._clock.now() <= months_later(one.last, self.idle_months)",
        "return True",
        "dmp.authorisations/twelve-months*",
    ),
    TakenOut(
        "use-revives",
        "bifente.simulator.services.dmp.authorisations",
        "if party in self._granted and self._alive(self._granted[party]):",
        "if False:",
        "dmp.authorisations/an-access*",
    ),
    TakenOut(
        "blocked-adds",
        "bifente.simulator.services.dmp.authorisations",
        "if self.state(party, *also) is AuthorisationState.FORBIDDEN:",
        "if False:",
        "dmp.authorisations/blocked*",
    ),
    TakenOut(
        "blocked-may-feed",
        "bifente.simulator.services.dmp.access",
        "if state is AuthorisationState.FORBIDDEN and not record.parameters.blocked_may_feed:",
        "if False:",
        "dmp.authorisations/blocked-and-feeding",
    ),
    TakenOut(
        "matrix",
        "bifente.simulator.services.dmp.access",
        "    if found is DmpGrant.NO:\n        raise",
        "    if False:\n        raise",
        "dmp.cards/search*",
    ),
    TakenOut(
        "wishes",
        "bifente.simulator.services.dmp.access",
        "if requester.mode is AccessPurpose.EMERGENCY and record.wishes.opposes_bris_de_glace:",
        "if False:",
        "dmp.modes/opposed-beforehand*",
    ),
    TakenOut(
        "wishes-urgency",
        "bifente.simulator.services.dmp.access",
        "if requester.mode is AccessPurpose.REGULATION and record.wishes.opposes_urgency:",
        "if False:",
        "dmp.modes/opposed-beforehand*",
    ),
    TakenOut(
        "masked-urgency",
        "bifente.simulator.services.dmp.access",
        "return record.wishes.masked_in_urgency",
        "return True",
        "dmp.modes/masked-in*",
    ),
    TakenOut(
        "masked-seen",
        "bifente.simulator.services.dmp.access",
        "    if Confidentiality.MASKED not in document.codes(record.clock.now()):\n        return True",
        "    return True",
        "dmp.documents/masked-to-others",
    ),
    TakenOut(
        "glass-notice",
        "bifente.simulator.services.dmp.record",
        "        if requester.mode is AccessPurpose.EMERGENCY:",
        "        if False:",
        "dmp.modes/bris-de-glace",
    ),
    TakenOut(
        "secret-trace",
        "bifente.simulator.services.dmp.record",
        "secret=requester.secret and self.minor",
        "secret=False",
        "dmp.documents/minor-in*",
    ),
    TakenOut(
        "invisible-ends",
        "bifente.simulator.services.dmp.documents",
        "if self.hidden_until is not None and at >= self.hidden_until:",
        "if False:",
        "dmp.documents/invisible-to*",
    ),
    TakenOut(
        "cumul",
        "bifente.simulator.services.dmp.visibility",
        "if masked and hidden and not record.parameters.cumul:",
        "if False:",
        "dmp.documents/both-at-once*",
    ),
    TakenOut(
        "adult-representatives",
        "bifente.simulator.services.dmp.visibility",
        "if guarded and not record.minor:",
        "if False:",
        "dmp.documents/age-of-majority*",
    ),
    TakenOut(
        "secret-connection",
        "bifente.simulator.services.dmp.visibility",
        "if requester.secret and record.minor and not guarded:",
        "if False:",
        "dmp.documents/minor-in-a-secret-connection",
    ),
    TakenOut(
        "unknown-confidentiality",
        "bifente.simulator.services.dmp.visibility",
        "if unknown := codes - {*Confidentiality}:",
        "if unknown := set():",
        "dmp.hostile/damaged-metadata*",
    ),
    TakenOut(
        "hide-what-was-shown",
        "bifente.simulator.services.dmp.transactions.updating",
        "if hidden := (after - before) & _HIDING:",
        "if hidden := set():",
        "dmp.documents/shown-*",
    ),
    TakenOut(
        "owner-of-move",
        "bifente.simulator.services.dmp.transactions.updating",
        "    if not own:\n        raise denied(",
        "    if False:\n        raise denied(",
        "dmp.documents/others-documents",
    ),
    TakenOut(
        "patient-document",
        "bifente.simulator.services.dmp.transactions.updating",
        "if document.by_patient and starred:",
        "if False:",
        "dmp.documents/documents-of-the-patient",
    ),
    TakenOut(
        "original-status",
        "bifente.simulator.services.dmp.transactions.updating",
        "if document.entry.status is not original:",
        "if False:",
        "dmp.documents/states-that-do-not-follow*",
    ),
    TakenOut(
        "moves",
        "bifente.simulator.services.dmp.transactions.updating",
        "    if operation is None:",
        "    operation = operation or Operation.DELETE\n    if operation is None:",
        "dmp.documents/states-that-do-not-follow*",
    ),
    TakenOut(
        "previous-version",
        "bifente.simulator.services.dmp.transactions.updating",
        'if member is None or member.slot("PreviousVersion") != str(document.entry.version):',
        "if False:",
        "dmp.documents/visibility-of-an-old-version",
    ),
    TakenOut(
        "nothing-else",
        "bifente.simulator.services.dmp.transactions.updating",
        "    _check_nothing_else(document, entry)\n",
        "",
        "dmp.documents/visibility-of-an-old-version",
    ),
    TakenOut(
        "MTOM",
        "bifente.simulator.services.dmp.transactions.feeding",
        "        call.message.check_mtom()",
        "        pass",
        "dmp.hostile/feeding*no-mtom*",
    ),
    TakenOut(
        "rate",
        "bifente.simulator.services.dmp.transactions.feeding",
        "    call.register.count_feeding(requester.structure, requester.software)\n",
        "",
        "dmp.network/more-than-four-a-second",
    ),
    TakenOut(
        "open",
        "bifente.simulator.services.dmp.access",
        "    if record.closing is not None:\n        raise",
        "    if False:\n        raise",
        "dmp.documents/closed-with-mon-espace-sante",
    ),
    TakenOut(
        "patient-in-metadata",
        "bifente.simulator.services.dmp.transactions.feeding",
        "if patient_key(one.patient_id) != (call.requester.patient, call.requester.oid):",
        "if False:",
        "dmp.hostile/wrong-ins*",
    ),
    TakenOut(
        "patient-in-CDA",
        "bifente.simulator.services.dmp.contents",
        "if (requester.oid, requester.patient) not in document.patient_ids:",
        "if False:",
        "dmp.hostile/wrong-ins*",
    ),
    TakenOut(
        "set-twice",
        "bifente.simulator.services.dmp.transactions.feeding",
        "if record.shelf.has_set(lot.unique_id):",
        "if False:",
        "dmp.network/sent-twice*",
    ),
    TakenOut(
        "author",
        "bifente.simulator.services.dmp.transactions.feeding",
        "if requester.structure in institutions and (not by_card or person == requester.id):",
        "if True:",
        "dmp.hostile/damaged-metadata*",
    ),
    TakenOut(
        "hash",
        "bifente.simulator.services.dmp.transactions.feeding",
        "if entry.hash and entry.hash.lower() != digest:",
        "if False:",
        "dmp.hostile/damaged-metadata*",
    ),
    TakenOut(
        "unique-id-twice",
        "bifente.simulator.services.dmp.transactions.feeding",
        "        if entry.unique_id in seen:",
        "        if False:",
        "dmp.hostile/damaged-metadata*",
    ),
    TakenOut(
        "replaced-is-current",
        "bifente.simulator.services.dmp.transactions.feeding",
        "if old.entry.status is not DocumentStatus.APPROVED:",
        "if False:",
        "dmp.documents/replaced-once",
    ),
    TakenOut(
        "replaced-is-own",
        "bifente.simulator.services.dmp.transactions.feeding",
        "        if not own:",
        "        if False:",
        "dmp.documents/replaced-once",
    ),
    TakenOut(
        "replacement-agrees",
        "bifente.simulator.services.dmp.transactions.feeding",
        "if named != set(replaces):",
        "if False:",
        "dmp.documents/replaced-once",
    ),
    TakenOut(
        "class-90",
        "bifente.simulator.services.dmp.transactions.feeding",
        "if entry.class_code.code == PATIENT_CLASS:",
        "if False:",
        "dmp.documents/a-professional-puts*",
    ),
    TakenOut(
        "deprecated",
        "bifente.simulator.services.dmp.transactions.feeding",
        "record.shelf.set_status(old, DocumentStatus.DEPRECATED)",
        "pass",
        "dmp.journey/*",
    ),
    TakenOut(
        "XAdES",
        "bifente.simulator.services.dmp.transactions.feeding",
        "    _check_signature(call, lot, signature, documents, contents)\n",
        "",
        "dmp.hostile/feeding*part-changed*",
    ),
    TakenOut(
        "size",
        "bifente.simulator.services.dmp.contents",
        "if len(content) > most:",
        "if False:",
        "dmp.hostile/not-taken*",
    ),
    TakenOut(
        "CDA-id",
        "bifente.simulator.services.dmp.contents",
        "if document.id != entry.unique_id:",
        "if False:",
        "dmp.hostile/damaged-document*",
    ),
    TakenOut(
        "CDA-structure",
        "bifente.simulator.formats.cda.reading",
        "    found += problems(root)",
        "",
        "dmp.hostile/damaged-document*",
    ),
    TakenOut(
        "format",
        "bifente.simulator.services.dmp.contents",
        "if allowed is None or body.media_type not in allowed:",
        "if False:",
        "dmp.hostile/not-taken*",
    ),
    TakenOut(
        "magic",
        "bifente.simulator.services.dmp.contents",
        "if signs and not body.content.startswith(tuple(signs)):",
        "if False:",
        "dmp.hostile/content-that-is*",
    ),
    TakenOut(
        "PDF/A",
        "bifente.simulator.services.dmp.contents",
        "if problems and register.parameters.pdf_a:",
        "if False:",
        "dmp.hostile/not-taken*",
    ),
    TakenOut(
        "TLS-peer",
        "bifente.simulator.services.dmp.admission",
        "    _check_peer(verified, peer)\n",
        "",
        "dmp.hostile/feeding*other-professional*",
    ),
    TakenOut(
        "structure-known",
        "bifente.simulator.services.dmp.admission",
        "if vihf.structure not in register.structures:",
        "if False:",
        "dmp.hostile/feeding*unknown-structure*",
    ),
    TakenOut(
        "sector",
        "bifente.simulator.services.dmp.admission",
        "if linked[vihf.structure] and linked[vihf.structure] != code:",
        "if False:",
        "dmp.hostile/feeding*other-sector*",
    ),
    TakenOut(
        "AIR-declaration",
        "bifente.simulator.formats.vihf.checking",
        "if vihf.mode == AuthenticationMode.REINFORCED and vihf.declaration not in rules.declarations:",
        "if False:",
        "dmp.modes/air-says*",
    ),
    TakenOut(
        "VIHF-signature",
        "bifente.simulator.formats.vihf.checking",
        "        return verified_enveloped(assertion, rules.signature)",
        "        return _unverified(assertion)",
        "dmp.hostile/feeding*changed-after-signing*",
    ),
    TakenOut(
        "stale",
        "bifente.simulator.formats.vihf.checking",
        "if age > rules.lifetime:",
        "if False:",
        "dmp.hostile/feeding*stale*",
    ),
    TakenOut(
        "signing-certificate",
        "bifente.simulator.pki.judging",
        "            self._check_purpose(end)",
        "            pass",
        "dmp.hostile/signed-with*",
    ),
    TakenOut(
        "revoked",
        "bifente.simulator.pki.revocation",
        "if self.revoked(certificate, at):",
        "if False:",
        "dmp.hostile/card-in-a-bad-state*",
    ),
    TakenOut(
        "reason-of-glass",
        "bifente.simulator.formats.vihf.checking",
        "if vihf.purpose == AccessPurpose.EMERGENCY and not vihf.reason:",
        "if False:",
        "dmp.modes/no-reason",
    ),
    TakenOut(
        "query-patient",
        "bifente.simulator.services.dmp.transactions.searching",
        "if patient_key(given[0]) != (call.requester.patient, call.requester.oid):",
        "if False:",
        "dmp.documents/mistakes-in-a-search*",
    ),
    TakenOut(
        "status-needed",
        "bifente.simulator.services.dmp.transactions.searching",
        "    if not statuses:\n",
        "    if False:\n",
        "dmp.documents/mistakes-in-a-search*",
    ),
    TakenOut(
        "status-list",
        "bifente.simulator.services.dmp.transactions.searching",
        "if _STATUS not in asked.lists:",
        "if False:",
        "dmp.documents/mistakes-in-a-search*",
    ),
    TakenOut(
        "too-many",
        "bifente.simulator.services.dmp.transactions.searching",
        "    if number > most:",
        "    if False:",
        "dmp.documents/too-many-results",
    ),
    TakenOut(
        "repository",
        "bifente.simulator.services.dmp.transactions.fetching",
        "if repository != REPOSITORY:",
        "if False:",
        "dmp.documents/mistakes-in-a-fetch",
    ),
    TakenOut(
        "attached-to-MES",
        "bifente.simulator.services.dmp.transactions.demographics",
        "    if record.attached:",
        "    if False:",
        "dmp.documents/closing-by-software*",
    ),
    TakenOut(
        "certified",
        "bifente.simulator.services.dmp.register",
        "if not found.certified:",
        "if False:",
        "dmp.documents/identity-not-certified",
    ),
    TakenOut(
        "consent",
        "bifente.simulator.software.lps.chart",
        "        if not self.consents:",
        "        if False:",
        "dmp.authorisations/no-consent*",
    ),
    TakenOut(
        "opposition",
        "bifente.simulator.software.lps.chart",
        "        if self.opposes:",
        "        if False:",
        "dmp.authorisations/opposed-is-not-fed",
    ),
    TakenOut(
        "identity",
        "bifente.simulator.software.identity.status",
        "if self is not TrustStatus.QUALIFIEE:",
        "if False:",
        "dmp.authorisations/identity-not*",
    ),
    TakenOut(
        "queue-keeps",
        "bifente.simulator.software.lps.outbox",
        "                done.append((one, None))\n                break",
        "                one.path.unlink()\n                done.append((one, None))\n                break",
        "dmp.network/line-cut",
    ),
    TakenOut(
        "owner-list",
        "bifente.simulator.services.dmp.transactions.habilitations",
        "if owner and owner not in requester.parties:",
        "if False:",
        "dmp.authorisations/my-records",
    ),
    TakenOut(
        "treating-physician",
        "bifente.simulator.services.dmp.transactions.habilitations",
        "if requester.calling is not Calling.PHYSICIAN:",
        "if False:",
        "dmp.authorisations/a-nurse*",
    ),
    TakenOut(
        "structure-list",
        "bifente.simulator.services.dmp.transactions.habilitations",
        "if found is DmpGrant.NEW_ONLY and (date is not ListDate.LAST_AUTHORISATION or not start):",
        "if False:",
        "dmp.modes/structure-list",
    ),
    TakenOut(
        "web-card-type",
        "bifente.simulator.services.dmp.web.visitor",
        "    if calling is Calling.OTHER:",
        "    if False:",
        "dmp.web/who-may-not",
    ),
    TakenOut(
        "web-card",
        "bifente.simulator.services.dmp.web.visitor",
        "    if not chain:\n        raise",
        "    if False:\n        raise",
        "dmp.web/who-may-not",
    ),
    TakenOut(
        "web-employee",
        "bifente.simulator.services.dmp.web.pages",
        "if visitor.calling is Calling.EMPLOYEE and name not in FOR_EMPLOYEES:",
        "if False:",
        "dmp.web/employee*",
    ),
    TakenOut(
        "web-situation",
        "bifente.simulator.services.dmp.web.pages",
        "if not visitor.structure or name == SETTINGS:",
        "if name == SETTINGS:",
        "dmp.web/situation-first",
    ),
    TakenOut(
        "web-own-situation",
        "bifente.simulator.services.dmp.web.acts",
        "if structure not in visitor.structures:",
        "if False:",
        "dmp.web/situation-first",
    ),
    TakenOut(
        "web-closed",
        "bifente.simulator.services.dmp.web.pages",
        "    check_open(record)\n",
        "",
        "dmp.web/closed-and-unknown",
    ),
    TakenOut(
        "web-confirmation",
        "bifente.simulator.services.dmp.web.pages",
        "if state is not AuthorisationState.VALID:\n        return",
        "if False:\n        return",
        "dmp.web/confirmation",
    ),
    TakenOut(
        "web-consent",
        "bifente.simulator.services.dmp.web.acts",
        'if said.get("consent") != "on":',
        "if False:",
        "dmp.web/confirmation",
    ),
    TakenOut(
        "web-origin",
        "bifente.simulator.services.dmp.web.site",
        "if origin is not None and",
        "if origin is None and",
        "dmp.web/confirmation",
    ),
    TakenOut(
        "web-blocked",
        "bifente.simulator.services.dmp.web.pages",
        "if state is AuthorisationState.FORBIDDEN:",
        "if False:",
        "dmp.web/blocking",
    ),
    TakenOut(
        "web-who-blocks",
        "bifente.simulator.services.dmp.web.acts",
        "if requester.id not in record.authorisations.treating or who in",
        "if who in",
        "dmp.web/blocking",
    ),
    TakenOut(
        "web-masked",
        "bifente.simulator.services.dmp.web.pages",
        "and may_see(requester, record, one):",
        ":",
        "dmp.web/masked-by-a-colleague",
    ),
    TakenOut(
        "web-own-traces",
        "bifente.simulator.services.dmp.web.pages",
        "(treating or one.who == requester.id)",
        "True",
        "dmp.web/traces",
    ),
    TakenOut(
        "web-one-year",
        "bifente.simulator.services.dmp.web.pages",
        "one.at >= since and",
        "True and",
        "dmp.web/traces",
    ),
    TakenOut(
        "judge-consent",
        "bifente.simulator.services.dmp.judging",
        "< ASKING",
        "< timedelta(0)",
        "dmp.conduct/consent*",
    ),
    TakenOut(
        "judge-reason",
        "bifente.simulator.services.dmp.judging",
        "len(letters) < _TELLING",
        "False",
        "dmp.conduct/reason*",
    ),
    TakenOut(
        "judge-insi",
        "bifente.simulator.services.dmp.judging",
        "call.patient[:13] not in known",
        "False",
        "dmp.conduct/ins-not*",
    ),
    TakenOut(
        "judge-insists",
        "bifente.simulator.services.dmp.judging",
        "len(last[key]) == INSISTS",
        "False",
        "dmp.conduct/insists*",
    ),
    TakenOut(
        "judge-double",
        "bifente.simulator.services.dmp.judging",
        '        if key in seen:\n            yield ClientFinding(\n                "double"',
        '        if False:\n            yield ClientFinding(\n                "double"',
        "dmp.conduct/doubles*",
    ),
    TakenOut(
        "judge-deletion",
        "bifente.simulator.services.dmp.judging",
        'call.detail == "Deleted" and',
        "False and",
        "dmp.conduct/deleted-unseen",
    ),
    TakenOut(
        "judge-visibility",
        "bifente.simulator.services.dmp.judging",
        "    for call in calls:\n        for code",
        "    for call in ():\n        for code",
        "dmp.conduct/choices*",
    ),
]


def _unverified(assertion: XmlElement) -> VerifiedXml:
    """What a server believes that looks at no signature."""
    signature = assertion.find(qname("ds:Signature"))
    assert signature is not None
    return VerifiedXml(assertion, b"", verifying._certificate(signature))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_that_is_taken_out_is_seen(
    check: TakenOut, plan: RunPlan, workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_unverified", _unverified, raising=False)
    with changed(check.module, check.old, check.new):
        verdicts = run(only(plan, check.seen_by), workshop)
    red = [name for name, verdict in verdicts.items() if verdict is not Verdict.PASSED]
    assert red, f"{check.name}: none of {check.seen_by} saw it"


def test_each_check_is_named_once() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert not fnmatch.filter(names, "* *")


def test_every_approval_test_that_is_known_has_a_scenario() -> None:
    catalogue = Path(requirements.__file__).with_name("catalogue.yaml").read_text(encoding="utf-8")
    known = set(re.findall(r"- id: ((?:INSI|DMPI)-T-\S+)", catalogue))
    told = "".join(one.read_text(encoding="utf-8") for one in (default_paths()[0]).rglob("*.yaml"))
    assert len(known) == 7
    assert {one for one in known if not re.search(rf"[\[ ]{one}[,\]]", told)} == set()
