"""What can be said of a client by what the service saw of it: each finding names the rule and the calls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bifente.ground.text import Text

if TYPE_CHECKING:
    from bifente.simulator.services.dmp.service import DmpService

SOON = timedelta(seconds=5)
"""Nobody asks for a search by hand so soon after a feeding (modelled)."""
ASKING = timedelta(seconds=2)
"""Nobody asks a patient, and hears the answer, in less (modelled)."""
INSISTS = 3
"""So many times the same refusal without a pause is insistence (modelled)."""
_TELLING = 4
"""Letters of a reason that says something (modelled)."""
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class HeardCall:
    """One call as the service saw it, refused or not. ``code`` is that of the refusal; ``detail`` what it was about."""

    at: datetime
    user: str
    patient: str
    action: str
    mode: str
    assertion: str
    authorisation: str = ""
    code: str = ""
    detail: str = ""
    reason: str = ""
    """Why a record is entered in an emergency, as the assertion says."""


@dataclass(frozen=True, slots=True)
class ClientFinding:
    """A rule that a client broke; ``requirement`` is its id in the catalogue, empty where it is ours."""

    rule: str
    requirement: str
    text: Text
    at: datetime


def findings(service: DmpService, known: Collection[str] | None = None) -> tuple[ClientFinding, ...]:
    """Return what the record of a service says against its clients, in order of time.

    ``known`` are the numbers, without their keys, that INSi gave to the same software; None where that is not seen.
    """
    found = [finding for rule in _RULES for finding in rule(service.log)]
    if known is not None:
        found += _not_from_insi(service.log, known)
    return tuple(sorted(found, key=lambda one: one.at))


def _not_from_insi(calls: Iterable[HeardCall], known: Collection[str]) -> Iterator[ClientFinding]:
    told: set[str] = set()
    for call in calls:
        if call.patient and call.patient[:13] not in known and call.patient not in told:
            told.add(call.patient)
            yield ClientFinding(
                "ins-not-from-insi",
                "RNIV-EXI-SI-08",
                Text(
                    "un INS part vers le DMP sans avoir été obtenu d'INSi : l'identité n'est pas qualifiée",
                    "an INS goes to the DMP that was not had from INSi: the identity is not qualified",
                ),
                call.at,
            )


def _refusals(calls: Iterable[HeardCall]) -> Iterator[ClientFinding]:
    for call in calls:
        for code, (rule, requirement, text) in _CODES.items():
            if call.code == code:
                yield ClientFinding(rule, requirement, text, call.at)


_CODES = {
    "XDSPatientIdDoesNotMatch": (
        "ins-in-three-places",
        "IHE-ERR-XDSPATIENTIDDOESNOTMATCH",
        Text("l'INS n'est pas le même aux trois endroits", "the INS is not the same in the three places"),
    ),
    "DMPModeReasonMissing": (
        "bris-de-glace-without-reason",
        "SEED-DMP-09",
        Text("bris de glace sans raison", "bris de glace without a reason"),
    ),
    "DMPVisibilityRefused": (
        "visibility",
        "DMPI-EX_2_1-1050",
        Text("visibilité interdite proposée à l'utilisateur", "a visibility that is not allowed was offered"),
    ),
    "DMPNoMtom": ("no-mtom", "DMPI-EX_2_1-1260", Text("document envoyé sans MTOM", "document sent without MTOM")),
    "DMPInvalidDocument": (
        "invalid-document",
        "DMPI-EX_2_1-1071",
        Text("document non conforme envoyé", "a document that does not conform was sent"),
    ),
    "DMPIdentityCertificationFailure": (
        "identity-not-certified",
        "RNIV-EXI-SI-08",
        Text(
            "un DMP dont l'identité n'est pas certifiée est demandé : refaire INSi",
            "a record whose identity is not certified is asked for: INSi again",
        ),
    ),
    "DMPPatientNotFound": (
        "existence-not-tested",
        "DMP-TD-01",
        Text(
            "une transaction sur un DMP qui n'existe pas : le test d'existence (TD0.2) l'aurait dit",
            "a transaction on a record that does not exist: the existence test (TD0.2) would have told",
        ),
    ),
    "XDSRepositoryBusy": (
        "too-many-a-second",
        "IHE-ERR-XDSREPOSITORYBUSY",
        Text("plus de quatre envois par seconde", "more than four feedings a second"),
    ),
}


def _needless_glass(calls: Iterable[HeardCall]) -> Iterator[ClientFinding]:
    for call in calls:
        if call.mode == "bris_de_glace" and call.authorisation == "VALIDE" and not call.code:
            yield ClientFinding(
                "needless-bris-de-glace",
                "SEED-DMP-08",
                Text(
                    "bris de glace alors que l'autorisation est valide",
                    "bris de glace though the authorisation is valid",
                ),
                call.at,
            )


def _unsaid_reason(calls: Iterable[HeardCall]) -> Iterator[ClientFinding]:
    for call in calls:
        letters = {letter for letter in call.reason.lower() if letter.isalpha()}
        if call.mode == "bris_de_glace" and not call.code and call.reason and len(letters) < _TELLING:
            yield ClientFinding(
                "bris-de-glace-unsaid",
                "SEED-DMP-09",
                Text(
                    "la raison du bris de glace ne dit rien : elle est saisie par l'utilisateur, pas remplie d'office",
                    "the reason of a bris de glace says nothing: its user types it, it is not filled in beforehand",
                ),
                call.at,
            )


def _unasked(calls: Iterable[HeardCall]) -> Iterator[ClientFinding]:
    seen: dict[tuple[str, str], datetime] = {}
    for call in calls:
        key = (call.user, call.patient)
        if call.detail == "TEST_EXST" and not call.code and call.authorisation != "VALIDE":
            seen[key] = call.at
        elif call.action != "SET_AUTHORISATION" or call.detail != "AJOUT" or call.code:
            continue
        elif call.at - seen.pop(key, _LONG_AGO) < ASKING:
            yield ClientFinding(
                "consent-unasked",
                "DMPI-EX_0_3-1010",
                Text(
                    "TD0.3 ajout aussitôt après le test d'existence : l'accord du patient n'a pas pu être demandé",
                    "TD0.3 add right after the existence test: the patient's agreement cannot have been asked for",
                ),
                call.at,
            )


def _insists(calls: Iterable[HeardCall]) -> Iterator[ClientFinding]:
    last: dict[tuple[str, str, str], list[datetime]] = {}
    for call in calls:
        key = (call.user, call.patient, call.action)
        if not call.code:
            last.pop(key, None)
            continue
        times = [one for one in last.get(key, []) if call.at - one < SOON]
        last[key] = [*times, call.at]
        if len(last[key]) == INSISTS:
            yield ClientFinding(
                "insists",
                "",
                Text(
                    "le même appel refusé est refait sans pause ni changement",
                    "the same refused call is made again without a pause or a change",
                ),
                call.at,
            )


def _needless_authorisation(calls: Iterable[HeardCall]) -> Iterator[ClientFinding]:
    for call in calls:
        if call.action == "SET_AUTHORISATION" and call.detail == "AJOUT" and call.authorisation == "VALIDE":
            yield ClientFinding(
                "needless-authorisation",
                "DMPI-EX_0_3-1010",
                Text(
                    "TD0.3 ajout sur une autorisation valide : il suit un accord du patient, il n'est pas automatique",
                    "TD0.3 add on a valid authorisation: adding follows the patient's agreement, it is not automatic",
                ),
                call.at,
            )


def _search_after_feeding(calls: Iterable[HeardCall]) -> Iterator[ClientFinding]:
    last: dict[str, datetime] = {}
    for call in calls:
        if call.action == "PROVIDE" and not call.code:
            last[call.user] = call.at
        elif call.action == "QUERY" and call.detail == "search" and call.at - last.pop(call.user, _LONG_AGO) < SOON:
            yield ClientFinding(
                "search-after-feeding",
                "DMPI-EX_3_1-2030",
                Text("recherche automatique après une alimentation", "automatic search after a feeding"),
                call.at,
            )


def _assertion_twice(calls: Iterable[HeardCall]) -> Iterator[ClientFinding]:
    seen: set[str] = set()
    for call in calls:
        if call.assertion and call.assertion in seen:
            yield ClientFinding(
                "assertion-twice",
                "",
                Text("une assertion VIHF sert deux fois", "one VIHF assertion serves twice"),
                call.at,
            )
        seen.add(call.assertion)


def _doubles(calls: Iterable[HeardCall]) -> Iterator[ClientFinding]:
    seen: set[tuple[str, str]] = set()
    for call in calls:
        if call.action != "PROVIDE" or call.code or not call.detail:
            continue
        key = (call.patient, call.detail)
        if key in seen:
            yield ClientFinding(
                "double",
                "DMPI-EX_GEN-1060",
                Text(
                    "le même document envoyé deux fois sous deux identifiants", "one document sent twice under two ids"
                ),
                call.at,
            )
        seen.add(key)


def _deletion_without_reference(calls: Iterable[HeardCall]) -> Iterator[ClientFinding]:
    looked: set[tuple[str, str]] = set()
    for call in calls:
        if call.action == "QUERY" and not call.code:
            looked.add((call.user, call.patient))
        elif call.action == "UPDATE" and call.detail == "Deleted" and (call.user, call.patient) not in looked:
            yield ClientFinding(
                "deletion-without-reference",
                "SEED-DMP-31",
                Text(
                    "suppression sans recherche préalable (TD3.1b) : quel document a été confirmé ?",
                    "deletion without a search before (TD3.1b): which document was confirmed?",
                ),
                call.at,
            )


_RULES: tuple[Callable[[Iterable[HeardCall]], Iterator[ClientFinding]], ...] = (
    _refusals,
    _needless_glass,
    _unsaid_reason,
    _unasked,
    _insists,
    _needless_authorisation,
    _search_after_feeding,
    _assertion_twice,
    _doubles,
    _deletion_without_reference,
)
