"""Distinguished names as texts: every library writes them its own way, so what they name is compared.

Seen in the field for one name: ``CN=..+2.5.4.4=#1404...``, ``SN2=MAX + OID.2.5.4.4=LIBRE``, ``2.5.4.42=X+CN=..+SN=..``.
"""

from __future__ import annotations

import re
from binascii import Error as HexError
from binascii import unhexlify
from collections import Counter

from asn1crypto import core
from cryptography import x509

_PART = re.compile(r"""\s*([^=,+]{1,64}?)\s*=\s*("(?:[^"\\]|\\.)*"|(?:[^,+\\"]|\\.)*)\s*(?:[,+;]|$)""")
_ESCAPED = re.compile(r"\\([0-9A-Fa-f]{2}|.)")
_LONGEST = 2048


def same_name(text: str, name: x509.Name) -> bool:
    """Return whether a text names what a certificate does: the same values, whatever their order and their types."""
    if len(text) > _LONGEST:
        return False
    said = _values(text)
    return said is not None and Counter(said) == Counter(str(one.value) for one in name)


def _values(text: str) -> list[str] | None:
    found, at = [], 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None or part.end() == at:
            return None
        value = part[2].strip()
        if value.startswith("#"):
            decoded = _from_der(value[1:])
            if decoded is None:
                return None
            value = decoded
        elif value.startswith('"'):
            value = _ESCAPED.sub(r"\1", value[1:-1])
        else:
            value = _unescaped(value)
        found.append(value)
        at = part.end()
    return found


def _unescaped(value: str) -> str:
    """RFC 4514, section 2.4: ``\\C3\\A9`` are bytes of UTF-8, ``\\,`` is a comma."""
    out = bytearray()
    at = 0
    for escape in _ESCAPED.finditer(value):
        out += value[at : escape.start()].encode()
        out += bytes.fromhex(escape[1]) if len(escape[1]) == 2 else escape[1].encode()
        at = escape.end()
    out += value[at:].encode()
    return out.decode("utf-8", "replace")


def _from_der(text: str) -> str | None:
    try:
        return str(core.load(unhexlify(text)).native)
    except (HexError, ValueError):
        return None
