"""S/MIME as bytes: multipart/signed, application/pkcs7-mime (RFC 8551, sources#rfc8551)."""

from __future__ import annotations

import base64
import re
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from bifente.simulator.software.secure_mail.refusals import MailRefusal, SecureMailError

LONGEST = 10_000_000
_SIGNATURE = {"application/pkcs7-signature", "application/x-pkcs7-signature"}
_ENVELOPE = {"application/pkcs7-mime", "application/x-pkcs7-mime"}


def canonical(data: bytes) -> bytes:
    """Return lines ended by CR LF: what is signed."""
    return re.sub(rb"\r?\n", b"\r\n", data)


def text_part(text: str) -> bytes:
    """Return a text as a part of a mail."""
    encoded = base64.encodebytes(text.encode("utf-8")).replace(b"\n", b"\r\n")
    return b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: base64\r\n\r\n' + encoded


def heads(sender: str, addressee: str, subject: str) -> bytes:
    """Return the fields above every mail. Raise SecureMailError for what would break out of them."""
    if any(mark in field for field in (sender, addressee, subject) for mark in "\r\n"):
        raise SecureMailError(MailRefusal.UNREADABLE, "a line break in a field")
    message = EmailMessage(policy=policy.SMTP)
    message["From"], message["To"], message["Subject"] = sender, addressee, subject
    message["MIME-Version"] = "1.0"
    return message.as_bytes().rstrip(b"\r\n") + b"\r\n"


def signed_mail(head: bytes, part: bytes, signature: bytes, boundary: str) -> bytes:
    """Return a multipart/signed mail."""
    mark = boundary.encode()
    encoded = base64.encodebytes(signature).replace(b"\n", b"\r\n")
    return b"".join(
        (
            head,
            b'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg="sha-256";\r\n',
            b' boundary="' + mark + b'"\r\n\r\n',
            b"--" + mark + b"\r\n" + part + b"\r\n--" + mark + b"\r\n",
            b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\n',
            b"Content-Transfer-Encoding: base64\r\n",
            b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n',
            encoded + b"\r\n--" + mark + b"--\r\n",
        )
    )


def enveloped_mail(head: bytes, envelope: bytes) -> bytes:
    """Return an application/pkcs7-mime mail."""
    return b"".join(
        (
            head,
            b'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"\r\n',
            b"Content-Transfer-Encoding: base64\r\n",
            b'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n',
            base64.encodebytes(envelope).replace(b"\n", b"\r\n"),
        )
    )


def split_signed(mail: bytes) -> tuple[bytes, bytes]:
    """Return what was signed, byte for byte, and the signature (DER). Raise SecureMailError."""
    message = _parsed(mail)
    boundary = message.get_boundary()
    if message.get_content_type() != "multipart/signed" or not boundary:
        raise SecureMailError(MailRefusal.NOT_SIGNED)
    body = canonical(mail)
    mark = b"\r\n--" + boundary.encode("latin-1", "replace")
    pieces = (b"\r\n" + body.partition(b"\r\n\r\n")[2]).split(mark)
    if len(pieces) < 4:
        raise SecureMailError(MailRefusal.UNREADABLE, "a part is missing")
    signature = _parsed(pieces[2].partition(b"\r\n")[2])
    if signature.get_content_type() not in _SIGNATURE:
        raise SecureMailError(MailRefusal.NOT_SIGNED, signature.get_content_type())
    return pieces[1].partition(b"\r\n")[2], _content(signature)


def envelope_of(mail: bytes) -> bytes:
    """Return the envelope in a mail (DER). Raise SecureMailError."""
    message = _parsed(mail)
    if message.get_content_type() not in _ENVELOPE:
        raise SecureMailError(MailRefusal.NOT_ENCIPHERED)
    return _content(message)


def text_of(part: bytes) -> str:
    """Return the text of a part; what is no text is empty."""
    content = _parsed(part)
    if content.get_content_maintype() != "text":
        return ""
    return _content(content).decode("utf-8", "replace")


def _parsed(data: bytes) -> EmailMessage:
    if len(data) > LONGEST:
        raise SecureMailError(MailRefusal.UNREADABLE, f"more than {LONGEST} bytes")
    found = BytesParser(policy=policy.default).parsebytes(data)
    assert isinstance(found, EmailMessage)  # noqa: S101 - the policy makes no other
    return found


def _content(message: EmailMessage) -> bytes:
    found = message.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""
