"""The mailboxes as ``bifente serve`` has them: one for each holder of a card template."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.serving import ServedService, ServingBench
from bifente.conformance.domains.pki.serving import client_judge, points
from bifente.conformance.model import CardChoice
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.pki.authority import Authority, Branch, CertificateLevel
from bifente.simulator.pki.certificate_profiles import AUTHENTICATION, Validity
from bifente.simulator.services.directory import entry_of
from bifente.simulator.services.mssante import ImapHouse, MailHouse
from bifente.simulator.serving.dovecot import DovecotError
from bifente.simulator.serving.tls import ServerIdentity

_LIFE = timedelta(days=90)
_FIRST = "medecin-generaliste"
"""Whose mailbox a software is given a certificate for."""


def start(bench: ServingBench) -> ServedService:
    """Serve SMTP with STARTTLS and, where Dovecot is installed, IMAP. Raise ServingError.

    Both want the certificate of a card, or one of the laboratory in its place. Mail lies in Maildir folders.
    """
    workshop, today = Workshop(bench.keys), bench.clock.now().date()
    made = {name: workshop.personalised(CardChoice(template=name), today) for name in workshop.names}
    cards = [card for card in made.values() if isinstance(card, PersonalisedCard) and card.template.holder.rpps]
    boxes = {entry_of(card).national_id: entry_of(card).mailbox for card in cards}
    folder = bench.folder / "mssante"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    identity, judge = ServerIdentity.make(bench.pki, bench.keys, bench.clock.now()), client_judge(bench)
    house = bench.stack.enter_context(
        MailHouse(folder, sorted(set(boxes.values())), identity.context(), bench.port, judge=judge, holders=boxes)
    )
    (bench.folder / "mssante-ca.pem").write_bytes(identity.trust)
    first = made[_FIRST]
    assert isinstance(first, PersonalisedCard)  # noqa: S101 - a template that comes with the bench
    return ServedService(
        {
            "smtp": f"localhost:{house.port}",
            "starttls": "required, with a client certificate",
            "imap": _imap(bench, {name: folder / box for name, box in boxes.items()}, identity),
            "mailboxes": ",".join(sorted(set(boxes.values()))),
            "maildir": str(folder),
            "ca": str(bench.folder / "mssante-ca.pem"),
            f"certificate of {entry_of(first).mailbox}": str(_certificate(bench, first)),
        },
        (points(bench),),
    )


def _imap(bench: ServingBench, folders: dict[str, Path], identity: ServerIdentity) -> str:
    port = bench.port + 1 if bench.port else 0
    judge = client_judge(bench)
    try:
        served = ImapHouse(bench.folder / "dovecot", folders, identity, judge.trusted, _lists(bench), port)
    except DovecotError as error:
        return f"none: {error}; mail lies in the folders below maildir"
    bench.stack.callback(served.close)
    return f"localhost:{served.port} (TLS, SASL EXTERNAL)"


def _lists(bench: ServingBench) -> bytes:
    """Return the revocation lists of every authority, as they are published now."""
    service, authorities = points(bench), list[Authority]()
    for level in CertificateLevel:
        authorities += [bench.pki.root(level), *(bench.pki.authority(level, branch) for branch in Branch)]
    return b"".join(service.list_of(one).public_bytes(Encoding.PEM) for one in authorities)


def _certificate(bench: ServingBench, card: PersonalisedCard) -> Path:
    """Return the file of a certificate like the card's, with its key: for a software that has no reader at hand."""
    key, today = bench.keys.key(f"mssante/{card.template.holder.rpps}"), bench.clock.now()
    own = card.certificates["authentication"]
    certificate = card.authority.issue(
        subject=own.subject,
        public_key=key.public_key(),
        validity=Validity((today - timedelta(days=1)).date(), (today + _LIFE).date()),
        profile=AUTHENTICATION,
    )
    path = bench.folder / "mssante-client.pem"
    path.touch(0o600)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem + certificate.public_bytes(Encoding.PEM))
    return path
