"""Mailboxes in the manner of MSSanté: mail comes in by SMTP on loopback and lies in Maildir folders. Modelled."""

from bifente.simulator.services.mssante.house import MailHouse

__all__ = ["MailHouse"]
