"""The mailboxes as ``bifente serve`` has them: one for each holder of a card template."""

from __future__ import annotations

from bifente.conformance.bench.serving import ServingDesk, Told
from bifente.conformance.model import CardChoice
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.services.directory import entry_of
from bifente.simulator.services.mssante import MailHouse


def serve(desk: ServingDesk) -> Told:
    """Serve SMTP with STARTTLS; mail lies in Maildir folders."""
    today = desk.clock.now().date()
    made = (desk.workshop.personalised(CardChoice(template=name), today) for name in desk.workshop.names)
    holders = [entry_of(card) for card in made if isinstance(card, PersonalisedCard) and card.template.holder.rpps]
    addresses = sorted({holder.mailbox for holder in holders})
    folder = desk.folder / "mssante"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    house = desk.stack.enter_context(MailHouse(folder, addresses, desk.identity.context(), desk.next_port()))
    return {
        "smtp": f"127.0.0.1:{house.port}",
        "starttls": "required",
        "mailboxes": ",".join(addresses),
        "maildir": str(folder),
        "ca": str(desk.ca),
    }
