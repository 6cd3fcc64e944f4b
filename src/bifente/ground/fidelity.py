"""What a simulated behaviour rests on."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from bifente.ground.text import Text


class Fidelity(StrEnum):
    """The ground under a simulated behaviour, strongest first."""

    DOCUMENTED = "documented"
    OBSERVED = "observed"
    MODELLED = "modelled"

    @property
    def label(self) -> Text:
        """The word shown to a reader."""
        return _LABELS[self]

    @property
    def meaning(self) -> Text:
        """One sentence for the legend of a report."""
        return _MEANINGS[self]

    @classmethod
    def weakest(cls, grounds: Iterable[Fidelity]) -> Fidelity:
        """Return the weakest of `grounds`; `documented` when there is none, since nothing weaker was used."""
        return max(grounds, key=_STRONGEST_FIRST.index, default=cls.DOCUMENTED)


_STRONGEST_FIRST = tuple(Fidelity)

_LABELS = {
    Fidelity.DOCUMENTED: Text("documenté", "documented"),
    Fidelity.OBSERVED: Text("observé", "observed"),
    Fidelity.MODELLED: Text("modélisé", "modelled"),
}

_MEANINGS = {
    Fidelity.DOCUMENTED: Text("un texte public décrit ce comportement", "a public text describes this behaviour"),
    Fidelity.OBSERVED: Text(
        "le comportement a été relevé sur un équipement ou un logiciel réel",
        "the behaviour was seen on real equipment or software",
    ),
    Fidelity.MODELLED: Text(
        "aucun texte public : le modèle est celui du banc",
        "no public text exists: the model is the bench's own",
    ),
}
