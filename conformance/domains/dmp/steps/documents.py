"""TD3.x: documents found, fetched, masked, shown, archived, deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.dmp.bench import DmpBench
from bifente.conformance.domains.dmp.steps.base import ANSWERED, NONE, DmpStep, DmpTold
from bifente.conformance.expectations import ValueMatcher
from bifente.conformance.scenario.step import ImpossibleStepError, Observes
from bifente.ground.text import Text
from bifente.simulator.formats.dmp.names import REPOSITORY
from bifente.simulator.formats.xds import reading
from bifente.simulator.formats.xds.model import Confidentiality, DocumentEntry, QueryRequest, confidentiality
from bifente.simulator.formats.xds.names import DocumentStatus, ReturnType
from bifente.simulator.software.lps.client import entries_of, find_documents, get_documents

Status = Literal["approved", "deprecated", "archived", "deleted"]
_CODES = {
    "professionals": Confidentiality.MASKED,
    "patient": Confidentiality.HIDDEN_FROM_PATIENT,
    "representatives": Confidentiality.HIDDEN_FROM_REPRESENTATIVES,
}


class DmpSearch(DmpStep):
    """TD3.1: the documents in some states, the current ones by default; the last one is looked at from then on."""

    name: ClassVar[str] = "dmp-search"
    title: ClassVar[Text] = Text("Chercher des documents (TD3.1)", "Look for documents (TD3.1)")
    observes: ClassVar[Observes] = {
        **ANSWERED,
        **{name: ValueMatcher() for name in ("count", "titles", "confidentiality", "status", "unique-id", "version")},
    }

    status: list[Status] = Field(default=["approved"], min_length=1, description="states")
    type: str | None = Field(default=None, max_length=20, description="typeCode")
    since: str = Field(default="", pattern=r"^(\d{8,14})?$", description="created since YYYYMMDD...")
    mistake: (
        Literal[
            "no-status",
            "bare-status",
            "patient-in-parentheses",
            "other-patient",
            "unknown-query",
            "unknown-parameter",
            "unquoted",
        ]
        | None
    ) = Field(default=None, description="a mistake of the field in the query")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Look."""
        more: dict[str, tuple[str, ...]] = {}
        if self.type is not None:
            more["TypeCode"] = (f"{self.type}^^2.16.840.1.113883.6.1",)
        if self.since:
            more["CreationTimeFrom"] = (self.since,)
        query = find_documents(bench.patient, [DocumentStatus[one.upper()] for one in self.status], more=more)
        reply = bench.client.search(bench.patient, _mistaken(self.mistake, query))
        if not reply.ok:
            return DmpTold({"count": 0}, reply)
        entries = entries_of(reply)
        if entries:
            bench.entry = entries[-1]
        return DmpTold(
            {
                "count": len(entries),
                "titles": [one.title for one in entries],
                "confidentiality": sorted(entries[-1].codes) if entries else [],
                "status": entries[-1].status.name.lower() if entries and entries[-1].status else None,
                "unique-id": entries[-1].unique_id if entries else None,
                "version": entries[-1].version if entries else None,
            },
            reply,
        )


class DmpReference(DmpStep):
    """TD3.1b: the technical reference of the document that was sent last, to replace or delete it."""

    name: ClassVar[str] = "dmp-reference"
    title: ClassVar[Text] = Text(
        "Chercher la référence technique (TD3.1b)", "Look for the technical reference (TD3.1b)"
    )
    observes: ClassVar[Observes] = {**ANSWERED, "count": ValueMatcher(), "uuid": ValueMatcher()}

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Look."""
        wanted = _unique_id(bench)
        reply = bench.client.search(bench.patient, get_documents(wanted, returns=ReturnType.REFERENCES))
        found = () if reply.content is None or not reply.ok else reading.references(reply.content)
        if found and bench.sent is not None and bench.entry is None:
            entry = bench.sent.submission.entries[0]
            bench.entry = replace(entry, id=found[0], logical_id=found[0], status=DocumentStatus.APPROVED)
        return DmpTold({"count": len(found), "uuid": found[0] if found else None}, reply)


class DmpFetch(DmpStep):
    """TD3.2: fetch the document that is looked at, byte for byte."""

    name: ClassVar[str] = "dmp-fetch"
    title: ClassVar[Text] = Text("Consulter un document (TD3.2)", "Fetch a document (TD3.2)")
    observes: ClassVar[Observes] = {
        **ANSWERED,
        **{name: ValueMatcher() for name in ("size", "same", "warning")},
    }

    by: Literal["unique-id", "uuid", "unknown"] = Field(
        default="unique-id", description="what is given; a uuid is the classic mistake"
    )
    other_repository: bool = Field(default=False, description="name another repository")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Fetch it."""
        wanted = _unique_id(bench)
        if self.by == "uuid" and bench.entry is not None:
            wanted = bench.entry.id
        elif self.by == "unknown":
            wanted = "1.2.250.1.999.99.1"
        repository = "1.2.250.1.999.3" if self.other_repository else REPOSITORY
        reply = bench.client.fetch(bench.patient, wanted, repository=repository)
        content = reply.files.get(wanted)
        bench.fetched = content
        sent = bench.sent.contents["Document01"] if bench.sent is not None else None
        codes = bench.entry.codes if bench.entry is not None else frozenset()
        return DmpTold(
            {
                "size": len(content) if content is not None else None,
                "same": content is not None and content == sent,
                "warning": _warning(codes),
            },
            reply,
        )


class DmpVisibility(DmpStep):
    """TD3.3a and TD3.3b: mask or unmask the document that is looked at to professionals, show it to patient or
    representatives.
    """

    name: ClassVar[str] = "dmp-visibility"
    title: ClassVar[Text] = Text("Changer la visibilité (TD3.3a, TD3.3b)", "Change who sees it (TD3.3a, TD3.3b)")
    observes: ClassVar[Observes] = ANSWERED

    hide: list[Literal["professionals", "patient", "representatives"]] = Field(
        default_factory=list, max_length=3, description="hide it from"
    )
    show: list[Literal["professionals", "patient", "representatives"]] = Field(
        default_factory=list, max_length=3, description="show it to"
    )
    stale: bool = Field(default=False, description="on a version of the metadata that is not the last one")
    retitle: bool = Field(default=False, description="try to change its type as well")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Change it."""
        entry = _entry(bench)
        codes = (entry.codes | {_CODES[one] for one in self.hide}) - {_CODES[one] for one in self.show}
        newer = replace(entry, confidentiality=tuple(confidentiality(Confidentiality(one)) for one in sorted(codes)))
        if self.stale:
            newer = replace(newer, version=entry.version + 7)
        if self.retitle:
            newer = replace(newer, type_code=replace(entry.type_code, code="34133-9"))
        reply = bench.client.set_entry(bench.patient, newer)
        if reply.ok:
            bench.entry = replace(newer, version=entry.version + 1)
        return DmpTold(reply=reply)


class DmpMove(DmpStep):
    """TD3.3c and TD3.3d: archive the document that is looked at, take it out of the archive, delete it for good."""

    name: ClassVar[str] = "dmp-move"
    title: ClassVar[Text] = Text("Archiver ou supprimer (TD3.3d, TD3.3c)", "Archive or delete (TD3.3d, TD3.3c)")
    shorthand: ClassVar[str] = "to"
    observes: ClassVar[Observes] = {**ANSWERED, "confirmed": ValueMatcher()}

    to: Literal["archived", "approved", "deleted", "deprecated"] = Field(description="the new state")
    confirmed: bool = Field(default=True, description="whether the user confirmed a deletion: it cannot be undone")
    from_: Status | None = Field(default=None, alias="from", description="the state that is told, its own by default")

    def do(self, act: Act, bench: DmpBench) -> DmpTold:
        """Move it."""
        entry = _entry(bench)
        if self.to == "deleted" and not self.confirmed:
            return DmpTold(
                {
                    "code": "local-confirmation",
                    "reason": "une suppression est définitive : la confirmer",
                    "confirmed": False,
                }
            )
        old = DocumentStatus[self.from_.upper()] if self.from_ else entry.status or DocumentStatus.APPROVED
        new = DocumentStatus[self.to.upper()]
        reply = bench.client.set_status(bench.patient, entry.id, old, new)
        if reply.ok:
            bench.entry = replace(entry, status=new)
        return DmpTold({"confirmed": self.confirmed}, reply)


def _entry(bench: DmpBench) -> DocumentEntry:
    if bench.entry is None:
        raise ImpossibleStepError(Text("aucun document n'est choisi : dmp-search", "no document is chosen: dmp-search"))
    return bench.entry


def _unique_id(bench: DmpBench) -> str:
    if bench.entry is not None:
        return bench.entry.unique_id
    if bench.sent is not None:
        return bench.sent.unique_id
    raise ImpossibleStepError(Text("aucun document n'est connu : dmp-feed", "no document is known: dmp-feed"))


def _warning(codes: frozenset[str]) -> str:
    """What is shown beside a document that patient or representatives do not see (DMPI-EX_3_2-1025)."""
    if Confidentiality.HIDDEN_FROM_PATIENT in codes:
        return "patient"
    return "representatives" if Confidentiality.HIDDEN_FROM_REPRESENTATIVES in codes else NONE


def _mistaken(mistake: str | None, query: QueryRequest) -> QueryRequest:
    patient, status = query.parameters[:2]
    match mistake:
        case "no-status":
            return replace(query, parameters=(patient,))
        case "bare-status":
            return replace(query, lists=query.lists - {status[0]})
        case "patient-in-parentheses":
            return replace(query, lists=query.lists | {patient[0]})
        case "other-patient":
            return replace(query, parameters=((patient[0], (patient[1][0].replace("^NH", ""),)), status))
        case "unknown-query":
            return replace(query, query="urn:uuid:00000000-0000-0000-0000-000000000000")
        case "unknown-parameter":
            return replace(query, parameters=(*query.parameters, ("$XDSDocumentEntrySubmissionTimeFrom", ("2026",))))
        case "unquoted":
            return replace(query, parameters=((patient[0], ("x' 'y",)), status))
    return query
