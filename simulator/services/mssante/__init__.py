"""Mailboxes in the manner of MSSanté, on loopback: mail comes in by SMTP, lies in Maildir folders, is read by IMAP.

Modelled.
"""

from bifente.simulator.services.mssante.house import MailHouse
from bifente.simulator.services.mssante.imap import ImapHouse

__all__ = ["ImapHouse", "MailHouse"]
