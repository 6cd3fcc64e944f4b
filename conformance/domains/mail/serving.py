"""The mailboxes as ``bifente serve`` has them: one for each holder of a card template."""

from __future__ import annotations

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.serving import ServedService, ServingBench
from bifente.conformance.model import CardChoice
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.services.directory import entry_of
from bifente.simulator.services.mssante import MailHouse
from bifente.simulator.serving.tls import ServerIdentity


def start(bench: ServingBench) -> ServedService:
    """Serve SMTP with STARTTLS; mail lies in Maildir folders. Raise ServingError."""
    workshop, today = Workshop(bench.keys), bench.clock.now().date()
    made = (workshop.personalised(CardChoice(template=name), today) for name in workshop.names)
    known = [entry_of(card) for card in made if isinstance(card, PersonalisedCard) and card.template.holder.rpps]
    addresses = sorted({holder.mailbox for holder in known})
    folder = bench.folder / "mssante"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    identity = ServerIdentity.make(bench.pki, bench.keys, bench.clock.now())
    house = bench.stack.enter_context(MailHouse(folder, addresses, identity.context(), bench.port))
    (bench.folder / "mssante-ca.pem").write_bytes(identity.trust)
    return ServedService(
        {
            "smtp": f"127.0.0.1:{house.port}",
            "starttls": "required",
            "mailboxes": ",".join(addresses),
            "maildir": str(folder),
            "ca": str(bench.folder / "mssante-ca.pem"),
        }
    )
