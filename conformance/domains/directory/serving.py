"""The directory as ``bifente serve`` has it: the holders of every card template that comes with the bench."""

from __future__ import annotations

from bifente.conformance.bench.serving import ServingDesk, Told
from bifente.conformance.domains.directory.part import CROWD
from bifente.conformance.model import CardChoice
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.services.directory import DirectoryService, Register, entry_of
from bifente.simulator.services.directory.entries import crowd
from bifente.simulator.services.directory.service import BASE
from bifente.simulator.serving.recording import recorded


class DirectoryAtDesk:
    """The directory that the services of one ``bifente serve`` share."""

    def __init__(self, desk: ServingDesk) -> None:
        today = desk.clock.now().date()
        made = (desk.workshop.personalised(CardChoice(template=name), today) for name in desk.workshop.names)
        cards = [one for one in made if isinstance(one, PersonalisedCard) and one.template.holder.rpps]
        register = Register([*(entry_of(one) for one in cards), *crowd(CROWD)])
        self.service = DirectoryService(register, desk.clock, desk.random, desk.declare)

    @classmethod
    def at(cls, desk: ServingDesk) -> DirectoryAtDesk:
        """Return the directory of a desk."""
        return cls(desk)


def serve(desk: ServingDesk) -> Told:
    """Serve it over HTTPS, and tell the key that it takes."""
    service = desk.part(DirectoryAtDesk).service
    url = desk.serve(recorded(service, desk.clock, desk.hear))
    return {
        "url": f"{url}{BASE}",
        "api-key": service.key,
        "api-key-header": "ESANTE-API-KEY",
        "page": f"{url}/annuaire/personnes",
        "ca": str(desk.ca),
    }
