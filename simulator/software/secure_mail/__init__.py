"""Mail signed and deciphered by a card, as a mail client of a practice does it (SEED-PKI-06, SEED-PKI-07)."""

from bifente.simulator.software.secure_mail.envelope import ContentCipher, decipher, encipher
from bifente.simulator.software.secure_mail.refusals import MailRefusal, SecureMailError
from bifente.simulator.software.secure_mail.signing import SignedMail, sign, verify

__all__ = ["ContentCipher", "MailRefusal", "SecureMailError", "SignedMail", "decipher", "encipher", "sign", "verify"]
