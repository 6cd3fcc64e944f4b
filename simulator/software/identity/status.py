"""The four statuses of an identity and the two axes behind them (RNIV-EXI-SI-07), as a table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from bifente.ground.text import Text


class TrustStatus(StrEnum):
    """A status; the value is the code of FR Core."""

    PROVISOIRE = "PROV"
    RECUPEREE = "RECUP"
    VALIDEE = "VALI"
    QUALIFIEE = "QUAL"

    @property
    def word(self) -> str:
        """Return the French word of the field."""
        return {"PROV": "provisoire", "RECUP": "récupérée", "VALI": "validée", "QUAL": "qualifiée"}[self.value]

    @property
    def colour(self) -> str:
        """Return the colour that software shows (SEED-INS-15); the founding text knows no validated one."""
        return {"PROV": "rouge", "RECUP": "bleu", "VALI": "aucune", "QUAL": "vert"}[self.value]

    def check_leaves(self) -> None:
        """Raise IdentityError unless an INS may leave: with the qualified status alone (RNIV-EXI-SI-08)."""
        if self is not TrustStatus.QUALIFIEE:
            raise IdentityError(IdentityRefusal.NOT_QUALIFIED, self.word)


class IdentityMark(StrEnum):
    """What may be attached to an identity; the value is the code of FR Core."""

    HOMONYME = "HOMD"
    DOUTEUSE = "DOUT"
    FICTIVE = "FICT"

    @property
    def locks(self) -> bool:
        """Return whether it keeps an identity provisional (RNIV-EXI-SI-09)."""
        return self is not IdentityMark.HOMONYME


@dataclass(frozen=True, slots=True)
class Axes:
    """Fetched from INSi or not, checked or not, and what is attached."""

    fetched: bool = False
    checked: bool = False
    marks: frozenset[IdentityMark] = frozenset()

    @property
    def locked(self) -> bool:
        """Return whether a mark keeps it provisional."""
        return any(mark.locks for mark in self.marks)

    @property
    def status(self) -> TrustStatus:
        """Return the status."""
        if self.locked:
            return TrustStatus.PROVISOIRE
        return _STATUSES[self.fetched, self.checked]

    def with_mark(self, mark: IdentityMark) -> Axes:
        """Return it with a mark. A lock drops both axes: the INS is invalidated (INS-EXI-ID-26). Raise ValueError."""
        marks = self.marks | {mark}
        if mark not in self.marks and len(marks) > 1 and marks != {IdentityMark.DOUTEUSE, IdentityMark.HOMONYME}:
            raise ValueError("only doubtful and homonym go together")
        return Axes(False, False, marks) if mark.locks else replace(self, marks=marks)

    def without_mark(self, mark: IdentityMark) -> Axes:
        """Return it without a mark; what the lock dropped does not come back by itself."""
        return replace(self, marks=self.marks - {mark})


_STATUSES = {
    (False, False): TrustStatus.PROVISOIRE,
    (True, False): TrustStatus.RECUPEREE,
    (False, True): TrustStatus.VALIDEE,
    (True, True): TrustStatus.QUALIFIEE,
}


class IdentityRefusal(StrEnum):
    """Why something is not done with an identity."""

    NOT_QUALIFIED = "not-qualified"
    LOCKED = "locked"
    MARKS = "marks"
    LOW_TRUST = "low-trust"
    NO_DOCUMENT = "no-document"
    TRAITS_DIFFER = "traits-differ"
    INCOMPLETE = "incomplete"
    NOT_FETCHED = "not-fetched"
    NO_AUTHOR = "no-author"
    STALE = "stale-vitale"
    SWAPPED = "vitale-swapped"
    NOBODY = "nobody-selected"
    ALREADY = "already-fetched"
    UNKNOWN_PLACE = "unknown-place"

    @property
    def sentence(self) -> Text:
        """Return the reason in words, its cure with it."""
        return _SENTENCES[self]


class IdentityError(ValueError):
    """What is not done with an identity."""

    def __init__(self, refusal: IdentityRefusal, detail: str = "") -> None:
        self.refusal = refusal
        self.detail = detail
        super().__init__(refusal.sentence.en + (f" ({detail})" if detail else ""))


_SENTENCES = {
    IdentityRefusal.NOT_QUALIFIED: Text(
        "l'identité n'est pas qualifiée : rien ne part avec l'INS",
        "the identity is not qualified: nothing leaves with the INS",
    ),
    IdentityRefusal.LOCKED: Text(
        "l'identité est douteuse ou fictive : ni appel INSi, ni autre statut que provisoire",
        "the identity is doubtful or fictitious: no call of INSi, no status but provisional",
    ),
    IdentityRefusal.MARKS: Text("seuls douteuse et homonyme vont ensemble", "only doubtful and homonym go together"),
    IdentityRefusal.LOW_TRUST: Text(
        "cette pièce n'est pas à haut niveau de confiance : elle ne valide pas une identité",
        "this document is not of high trust: it validates no identity",
    ),
    IdentityRefusal.NO_DOCUMENT: Text(
        "aucune pièce de ce nom : en choisir une dans la liste", "no document of this name: choose one of the list"
    ),
    IdentityRefusal.TRAITS_DIFFER: Text(
        "les traits d'INSi ne sont pas ceux de la fiche : les vérifier sur une pièce, corriger, rechercher",
        "the traits of INSi are not those of the file: check them on a document, mend them, search again",
    ),
    IdentityRefusal.INCOMPLETE: Text("il manque un trait", "a trait is missing"),
    IdentityRefusal.NOT_FETCHED: Text(
        "l'identité n'a pas été récupérée d'INSi : elle ne peut pas être qualifiée",
        "the identity was not fetched from INSi: it cannot be qualified",
    ),
    IdentityRefusal.NO_AUTHOR: Text(
        "une attestation a un auteur : qui connaît la personne ?", "an attestation has an author: who knows the person?"
    ),
    IdentityRefusal.STALE: Text(
        "la carte Vitale a été lue il y a plus de 20 minutes : la relire",
        "the Vitale was read more than 20 minutes ago: read it again",
    ),
    IdentityRefusal.SWAPPED: Text(
        "la carte Vitale a été changée ou retirée depuis le choix : la relire et choisir de nouveau",
        "the Vitale was changed or taken out since the choice: read it and choose again",
    ),
    IdentityRefusal.NOBODY: Text(
        "aucun bénéficiaire n'est choisi sur la carte Vitale", "no beneficiary of the Vitale is chosen"
    ),
    IdentityRefusal.ALREADY: Text(
        "l'INS est déjà récupéré pour ces traits : pas de nouvel appel",
        "the INS was already fetched for these traits: no other call",
    ),
    IdentityRefusal.UNKNOWN_PLACE: Text(
        "le lieu de naissance (code COG) est nécessaire pour qualifier ; 99999 s'il est inconnu",
        "the birthplace (COG code) is needed to qualify; 99999 where it is not known",
    ),
}
