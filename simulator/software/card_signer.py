"""XML signed by the professional's card at a workstation: the card is met, given its code once, and let go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from bifente.ground.clock import Clock
from bifente.simulator.cards.cpx.business import Activity
from bifente.simulator.cards.cpx.template import TYPES
from bifente.simulator.cards.host import NotOnThisCardError
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.resources import Resources
from bifente.simulator.middleware.ssv.line import PS, Line
from bifente.simulator.middleware.ssv.professional import ProfessionalCard

_OK = 0x9000


@dataclass(frozen=True, slots=True)
class CardSigner:
    """A card that has its code. It signs as ``XmlSigner``, and tells what an assertion says of its holder."""

    card: ProfessionalCard

    @property
    def certificate(self) -> bytes:
        """Return the certificate of the signature key, DER. Raise SsvError."""
        return self.card.signature_certificate

    def sign(self, content: bytes) -> bytes:
        """Return the signature of a content. Raise SsvError: FF30 for what the card does not do."""
        try:
            answer = self.card.host.sign("signature", "sha256", content)
        except NotOnThisCardError as error:
            raise SsvError(SsvCode.CPS_API, str(error)) from error
        if answer.sw != _OK:
            raise SsvError(SsvCode.CPS_API, f"the card answered {answer.sw:04X} to a signature")
        return answer.data

    @property
    def activities(self) -> Mapping[int, Activity]:
        """Return its exercise situations by number, with holes."""
        return self.card.activities

    def situation(self, number: int | None) -> Activity | None:
        """Return one of them, the first for None; None if there is none of that number."""
        found = self.activities
        return found.get(number) if number is not None else next((found[one] for one in sorted(found)), None)

    def billing(self, number: int | None) -> str:
        """Return the billing number of a situation, of the first for None; empty if there is none."""
        held = self.card.billing
        one = held.get(number) if number is not None else next((held[at] for at in sorted(held)), None)
        return (one.billing_id or "") if one is not None else ""

    @property
    def kind(self) -> str:
        """Return the type of the card as assertions name it: CPS, CPF, CPE, CPA. CDE and CPE share a number (2)."""
        code = int(self.card.identity.card_type or "0", 16)
        known = {rule.code: kind.value for kind, rule in TYPES.items()}
        return known.get(code, "CPS")


@contextmanager
def met(resources: Resources, names: tuple[str, str], clock: Clock, code: str) -> Iterator[CardSigner]:
    """Meet the professional's card, give it its code, and let it go at the end.

    Raise SsvError: F001 absent, F002 blocked, F003 wrong code, F004 expired, FF30.
    """
    pair = resources.pair(*names)
    try:
        card = ProfessionalCard(Line(pair.ps(), PS, clock))
        card.check_in_force(clock.now().date())
        card.present(code)
        yield CardSigner(card)
    finally:
        pair.release()
