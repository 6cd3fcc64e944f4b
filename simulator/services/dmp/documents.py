"""The documents of one record: registered whole or not at all, found by their ids, their states and their times."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import merge

from bifente.simulator.formats.xds.model import Association, Confidentiality, DocumentEntry, SubmissionSet
from bifente.simulator.formats.xds.names import AssociationKind, DocumentStatus


@dataclass(slots=True)
class StoredDocument:
    """A document as it stands now: its newest entry, its bytes, who wrote it and since when it is here.

    ``hidden_until`` ends its invisibility to the patient by itself; None while it is not invisible.
    """

    entry: DocumentEntry
    content: bytes = field(repr=False)
    author: str
    structure: str
    registered: datetime
    set_id: str
    by_patient: bool = False
    hidden_until: datetime | None = None

    def codes(self, at: datetime) -> frozenset[str]:
        """Return the confidentiality codes that hold at a moment."""
        codes = self.entry.codes
        if self.hidden_until is not None and at >= self.hidden_until:
            codes -= {Confidentiality.HIDDEN_FROM_PATIENT}
        return codes

    def shown(self, at: datetime) -> DocumentEntry:
        """Return its entry as it is told at a moment."""
        codes = self.codes(at)
        kept = tuple(one for one in self.entry.confidentiality if one.code in codes)
        return self.entry if len(kept) == len(self.entry.confidentiality) else replace(self.entry, confidentiality=kept)


class DocumentShelf:
    """All documents, submission sets and associations of one record."""

    def __init__(self) -> None:
        self._by_uuid: dict[str, StoredDocument] = {}
        self._by_unique: dict[str, StoredDocument] = {}
        self._ordered: defaultdict[tuple[DocumentStatus, str], list[tuple[str, str]]] = defaultdict(list)
        """By state and type of document, and by state alone (an empty type): when each was created, and its uuid."""
        self._sets: dict[str, SubmissionSet] = {}
        self._submitted: list[tuple[str, str]] = []
        self._set_uniques: set[str] = set()
        self._associations: dict[str, Association] = {}
        self._ties: dict[str, list[str]] = {}

    def __len__(self) -> int:
        return len(self._by_uuid)

    def __iter__(self) -> Iterator[StoredDocument]:
        return iter(self._by_uuid.values())

    @property
    def sets(self) -> Mapping[str, SubmissionSet]:
        """Return the submission sets by entryUUID."""
        return self._sets

    def find_sets(self, since: str = "", until: str = "") -> Iterator[SubmissionSet]:
        """Tell the submission sets of this span, the oldest first."""
        for _time, uuid in _span(self._submitted, since, until):
            yield self._sets[uuid]

    def has_set(self, unique_id: str) -> bool:
        """Return whether a submission set of this uniqueId was registered."""
        return unique_id in self._set_uniques

    def by_uuid(self, uuid: str) -> StoredDocument | None:
        """Return a document by its entryUUID; None if there is none."""
        return self._by_uuid.get(uuid)

    def by_unique(self, unique_id: str) -> StoredDocument | None:
        """Return a document by its uniqueId; None if there is none."""
        return self._by_unique.get(unique_id)

    def register(
        self, lot: SubmissionSet, documents: Iterable[StoredDocument], associations: Iterable[Association]
    ) -> None:
        """Keep a whole submission: nothing can fail half way, all was checked before."""
        self._sets[lot.id] = lot
        insort(self._submitted, (lot.submission_time, lot.id))
        self._set_uniques.add(lot.unique_id)
        for one in documents:
            self._by_uuid[one.entry.id] = one
            self._by_unique[one.entry.unique_id] = one
            self._enter(one)
        for association in associations:
            self.tie(association)

    def _enter(self, one: StoredDocument) -> None:
        for code in ("", one.entry.type_code.code):
            insort(self._ordered[_status(one), code], _key(one))

    def _leave(self, one: StoredDocument) -> None:
        for code in ("", one.entry.type_code.code):
            listed = self._ordered[_status(one), code]
            del listed[bisect_left(listed, _key(one))]

    def tie(self, association: Association) -> None:
        """Keep one association."""
        self._associations[association.id] = association
        for end in {association.source, association.target}:
            self._ties.setdefault(end, []).append(association.id)

    def associations(self, uuids: Iterable[str]) -> tuple[Association, ...]:
        """Return every association that touches one of these objects, each once."""
        found = dict.fromkeys(one for uuid in uuids for one in self._ties.get(uuid, ()))
        return tuple(self._associations[one] for one in found)

    def set_status(self, one: StoredDocument, status: DocumentStatus) -> None:
        """Move a document to another state."""
        self._leave(one)
        one.entry = replace(one.entry, status=status)
        self._enter(one)

    def set_entry(self, one: StoredDocument, entry: DocumentEntry) -> None:
        """Give a document a new version of its metadata; its times and its state stay what they were."""
        self._leave(one)
        one.entry = replace(
            entry,
            id=one.entry.id,
            unique_id=one.entry.unique_id,
            creation_time=one.entry.creation_time,
            status=one.entry.status,
            hash=one.entry.hash,
            size=one.entry.size,
        )
        self._enter(one)

    def find(
        self,
        statuses: Iterable[DocumentStatus],
        since: str = "",
        until: str = "",
        types: Iterable[str] = (),
    ) -> Iterator[StoredDocument]:
        """Tell the documents in these states, created in this span of ``YYYYMMDDhhmmss`` (until not included).

        ``types`` are typeCodes, of any type where there is none. A search costs what it finds.
        """
        wanted = tuple(types) or ("",)
        for status in statuses:
            spans = [_span(self._ordered.get((status, code), []), since, until) for code in wanted]
            for _time, uuid in merge(*spans):
                yield self._by_uuid[uuid]

    def replaced_by(self, uuid: str) -> str:
        """Return the entryUUID of the document that replaced one, empty without."""
        for association in self.associations([uuid]):
            if association.kind is AssociationKind.REPLACES and association.target == uuid:
                return association.source
        return ""


def _span(listed: list[tuple[str, str]], since: str, until: str) -> list[tuple[str, str]]:
    first = bisect_left(listed, (since, "")) if since else 0
    last = bisect_left(listed, (until, "")) if until else len(listed)
    return listed[first:last]


def _status(one: StoredDocument) -> DocumentStatus:
    assert one.entry.status is not None  # noqa: S101 - given when it was registered
    return one.entry.status


def _key(one: StoredDocument) -> tuple[str, str]:
    return one.entry.creation_time, one.entry.id
