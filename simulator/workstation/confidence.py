"""How sure a rule is: what stands behind it."""

from __future__ import annotations

from enum import StrEnum

from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text


class Confidence(StrEnum):
    """What stands behind a rule, the surest first."""

    RELEASE_NOTE = "release-note"
    SOURCE_CODE = "source-code"
    PUBLISHED = "published"
    FIELD = "field"
    GENERAL_KNOWLEDGE = "general-knowledge"
    HYPOTHESIS = "hypothesis"

    @property
    def label(self) -> Text:
        """A few words for a reader who knows nothing of the bench."""
        return _LABELS[self]

    @property
    def fidelity(self) -> Fidelity:
        """The same in the words of the reports."""
        return _FIDELITIES.get(self, Fidelity.MODELLED)

    @classmethod
    def weakest(cls, found: list[Confidence]) -> Confidence:
        """Return the weakest of some; a chain is no surer than that."""
        return max(found, key=tuple(cls).index, default=cls.RELEASE_NOTE)


_FIDELITIES = {
    Confidence.RELEASE_NOTE: Fidelity.DOCUMENTED,
    Confidence.PUBLISHED: Fidelity.DOCUMENTED,
    Confidence.SOURCE_CODE: Fidelity.OBSERVED,
    Confidence.FIELD: Fidelity.OBSERVED,
}
_LABELS = {
    Confidence.RELEASE_NOTE: Text("écrit par l'éditeur du composant", "written by the component's publisher"),
    Confidence.SOURCE_CODE: Text("lu dans le code du composant", "read in the component's code"),
    Confidence.PUBLISHED: Text("publié par les organismes", "published by the bodies"),
    Confidence.FIELD: Text("constaté sur le terrain", "seen in the field"),
    Confidence.GENERAL_KNOWLEDGE: Text("connu de tous, sans source écrite", "widely known, no written source"),
    Confidence.HYPOTHESIS: Text("hypothèse à confirmer", "hypothesis to be confirmed"),
}
