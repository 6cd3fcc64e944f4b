"""Mailboxes: smtplib delivers, TLS is insisted upon, nobody else's mail is taken."""

from __future__ import annotations

import smtplib
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from certificates_bench import Laboratory

from bifente.ground.clock import VirtualClock
from bifente.simulator.services.mssante import MailHouse

TO = "generaliste.testmedecin@mssante.test"
MAIL = "From: a@mssante.test\r\nTo: b\r\nSubject: Test\r\n\r\nBonjour\r\n"


def test_mail_comes_in_by_starttls_and_lies_in_its_folder(tmp_path: Path) -> None:
    lab = Laboratory(VirtualClock(datetime.now(UTC)))
    trust = ssl.create_default_context(cadata=lab.server.trust.decode())
    with MailHouse(tmp_path, [TO], lab.server.context()) as house, smtplib.SMTP("127.0.0.1", house.port) as client:
        with pytest.raises(smtplib.SMTPSenderRefused, match="STARTTLS"):
            client.sendmail("a@mssante.test", [TO], MAIL)
        client.starttls(context=trust)
        client.sendmail("a@mssante.test", [TO.upper()], MAIL)
        with pytest.raises(smtplib.SMTPRecipientsRefused, match="no such mailbox"):
            client.sendmail("a@mssante.test", ["nobody@elsewhere.test"], MAIL)
        (found,) = house.mails(TO)
    assert b"Bonjour" in found
    assert any(one.is_file() for one in (tmp_path / TO / "new").iterdir())


@pytest.mark.parametrize("address", ["../x@mssante.test", "a b@mssante.test", "nobody", "a@b/c"])
def test_an_address_is_no_path(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValueError, match="no address"):
        MailHouse(tmp_path, [address])
