"""The body of a message as a record keeps it: text where it is short text, else its size and its digest."""

from __future__ import annotations

import hashlib
from typing import TypedDict

from bifente.reports.secrets import Secrets

MOST_TEXT = 16_384
"""Most bytes of a body that is kept as text."""


class Body(TypedDict):
    """The fields of `bifente.reports.events.Message` that tell its body."""

    body: str | None
    sha256: str | None
    size: int


def body_of(content: bytes, secrets: Secrets) -> Body:
    """Return the fields that tell `content`. The digest is of the content as masked: no guess can be tried on it."""
    if len(content) <= MOST_TEXT:
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:
            if text.replace("\t", " ").replace("\r", " ").replace("\n", " ").isprintable():
                return Body(body=text, sha256=None, size=len(content))
    return Body(body=None, sha256=hashlib.sha256(secrets.content(content)).hexdigest(), size=len(content))
