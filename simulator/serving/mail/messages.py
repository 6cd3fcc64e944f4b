"""Files as mails: one attachment from a practice to a body, or back; read with bounds, refused in one sentence.

The addresses are the laboratory's: names under ``.invalid`` (RFC 2606), that no mail of the world can reach.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import format_datetime

from bifente.simulator.formats.fse.envelope import MAX_FILE, is_sealed
from bifente.simulator.formats.fse.errors import FseError

#: The largest mail that is written or taken: base64 and headers come on top of the file.
MAX_MAIL = MAX_FILE * 4 // 3 + MAX_FILE // 16
_MAX_PARTS = 4
_MAX_HEADERS = 16_384
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PRACTICE, _BODY = "cabinet.invalid", "organisme.invalid"


class MailError(FseError):
    """A mail that carries no file as the bench writes it."""

    def __init__(self, reason: str, cure: str = "send one file as one attachment") -> None:
        super().__init__("mail", reason, cure)


@dataclass(frozen=True, slots=True)
class MailAttachment:
    """What a mail carries."""

    name: str
    data: bytes


def practice_address(sender: str) -> str:
    """The mailbox of a practice, by its billing number."""
    return f"{sender}@{_PRACTICE}"


def body_address(body: str) -> str:
    """The mailbox of a body, by its number."""
    return f"{body}@{_BODY}"


def write_mail(sender: str, recipient: str, item: MailAttachment, at: datetime, identifier: str) -> bytes:
    """A mail with one attachment, of aware time ``at``; the same arguments give the same bytes. Raises MailError."""
    if not _NAME.fullmatch(item.name):
        raise MailError(f"{item.name!r} is no name for an attachment", "name it with letters, digits, dots and dashes")
    mail = EmailMessage(policy.SMTP)
    mail["From"], mail["To"] = sender, recipient
    mail["Subject"] = f"BIFENTE LABORATOIRE {item.name}"
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = f"<{identifier}@{sender.partition('@')[2]}>"
    mail.set_content("BIFENTE LABORATOIRE: essai, test. Rien de reel, nothing real.\n")
    if is_sealed(item.data):
        mail.add_attachment(
            item.data,
            maintype="application",
            subtype="pkcs7-mime",
            filename=item.name,
            params={"smime-type": "enveloped-data"},
        )
    else:
        mail.add_attachment(item.data, maintype="application", subtype="octet-stream", filename=item.name)
    mail.set_boundary(f"=-bifente-{identifier}")
    return mail.as_bytes()


def read_mail(data: bytes) -> MailAttachment:
    """The file in a mail. Raises MailError: too large, too many parts, no attachment or several, broken base64."""
    if len(data) > MAX_MAIL:
        raise MailError(f"it has {len(data)} bytes, more than {MAX_MAIL}", "send fewer lots in one file")
    head = data[: _MAX_HEADERS + 4]
    if b"\r\n\r\n" not in head and b"\n\n" not in head:
        raise MailError(f"its headers have more than {_MAX_HEADERS} bytes, or no end")
    if len(re.findall(rb"boundary\s*=|boundary\*", data, re.IGNORECASE)) > 1:
        raise MailError("it has parts inside its parts")
    try:
        mail = BytesParser(policy=policy.SMTP).parsebytes(data)
        parts = list(mail.walk())
        if mail.defects or len(parts) > _MAX_PARTS:
            raise MailError(f"it is broken, or has more than {_MAX_PARTS} parts")
        files = [part for part in parts if part.get_content_disposition() == "attachment"]
        if len(files) != 1:
            raise MailError(f"it has {len(files)} attachments")
        name, content = files[0].get_filename() or "", files[0].get_payload(decode=True)
    except MailError:
        raise
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, IndexError) as error:
        # The header parser of the standard library raises any of these on hostile headers.
        raise MailError(f"it cannot be read: {type(error).__name__}") from error
    if files[0].defects or not isinstance(content, bytes) or str(files[0]["Content-Transfer-Encoding"]) != "base64":
        raise MailError("its attachment is no sound base64")
    if not _NAME.fullmatch(name):
        raise MailError(f"{name[:40]!r} is no name for an attachment")
    if len(content) > MAX_FILE:
        raise MailError(f"its file has {len(content)} bytes, more than {MAX_FILE}", "send fewer lots in one file")
    return MailAttachment(name, content)
