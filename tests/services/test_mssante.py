"""Mailboxes: smtplib delivers, TLS is insisted upon, nobody else's mail is taken."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest
from certificates_bench import Laboratory

from bifente.ground.clock import VirtualClock
from bifente.simulator.services.mssante import MailHouse
from bifente.simulator.services.mssante.house import free_port

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


def test_mails_come_in_the_order_of_their_arrival(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their names in the folder begin with the moment, whose microseconds have as many digits as they need."""
    moments = (1_700_000_000.0 + part for part in (0.000_009, 0.000_05, 0.010, 0.9, 1.000_002, 1.01))
    with MailHouse(tmp_path, [TO]) as house, smtplib.SMTP("127.0.0.1", house.port) as client:
        monkeypatch.setattr("mailbox.time.time", lambda: next(moments))
        for number in range(6):
            client.sendmail("a@mssante.test", [TO], f"Subject: {number}\r\n\r\nx\r\n")
        monkeypatch.undo()
        assert [re.findall(rb"Subject: (.)", mail) for mail in house.mails(TO)] == [[b"%d" % one] for one in range(6)]


def test_a_port_for_later_is_none_that_the_system_gives_away() -> None:
    given = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii")
    lowest = int(given.split()[0])
    assert all(free_port() < lowest for _ in range(20))


def test_a_house_whose_port_is_taken_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        MailHouse(tmp_path, [TO], port=taken.getsockname()[1])
