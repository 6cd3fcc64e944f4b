"""What a file says of DmpConnect-JS when it is served: the reader and its cards, whose they are, the token."""

from __future__ import annotations

from pydantic import Field

from bifente.conformance.model import CardChoice, Model


class DmpConnectSection(Model):
    """The workstation behind a served DmpConnect-JS. In a scenario reader and cards are those of the bench."""

    profile: str = Field(default="readers/generic-bislot", max_length=200, description="reader profile")
    cards: dict[str, CardChoice | str] = Field(
        default={"cps": "medecin-generaliste", "vitale": "vitale/famille-trois"},
        description="cards by slot of the reader",
    )
    owner: str = Field(default="", max_length=100, description=r"DOMAIN\\user of the readers; empty for nobody")
    tokens: bool = Field(default=False, description="the token of the card lasts two minutes (modelled)")
    origins: list[str] = Field(default=[], max_length=20, description="pages let in, by origin; empty for all")

    @property
    def choices(self) -> dict[str, CardChoice]:
        """Return the cards as choices."""
        return {role: CardChoice(template=one) if isinstance(one, str) else one for role, one in self.cards.items()}
