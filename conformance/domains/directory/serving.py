"""The directory as ``bifente serve`` has it: the holders of every card template that comes with the bench."""

from __future__ import annotations

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.serving import ServedService, ServingBench
from bifente.conformance.domains.directory.part import CROWD
from bifente.conformance.model import CardChoice
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.services.directory import DirectoryEntry, DirectoryService, Register, entry_of
from bifente.simulator.services.directory.entries import crowd
from bifente.simulator.services.directory.service import BASE
from bifente.simulator.serving.loopback import LoopbackServer
from bifente.simulator.serving.recording import recorded
from bifente.simulator.serving.tls import ServerIdentity


def holders(bench: ServingBench) -> list[DirectoryEntry]:
    """Return the professionals of the card templates, as the directory knows them."""
    workshop, today = Workshop(bench.keys), bench.clock.now().date()
    made = (workshop.personalised(CardChoice(template=name), today) for name in workshop.names)
    return [entry_of(card) for card in made if isinstance(card, PersonalisedCard) and card.template.holder.rpps]


def start(bench: ServingBench) -> ServedService:
    """Serve it over HTTPS, and tell the key that it takes. Raise ServingError."""
    register = Register([*holders(bench), *crowd(CROWD)])
    service = DirectoryService(register, bench.clock, bench.chance, bench.declare)
    identity = ServerIdentity.make(bench.pki, bench.keys, bench.clock.now())
    application = recorded(service, bench.clock, bench.hear)
    url = bench.stack.enter_context(LoopbackServer(application, identity.context(), bench.port)).url
    (bench.folder / "annuaire-ca.pem").write_bytes(identity.trust)
    return ServedService(
        {
            "url": f"{url}{BASE}",
            "api key": service.key,
            "api key header": "ESANTE-API-KEY",
            "page": f"{url}/annuaire/personnes",
            "ca": str(bench.folder / "annuaire-ca.pem"),
        },
        (service,),
    )
