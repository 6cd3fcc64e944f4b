"""Certificates of signatures. Few sign all day: each of theirs is read once."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache

from cryptography import x509
from lxml import etree

from bifente.simulator.formats.soap.names import NS, qname
from bifente.simulator.formats.soap.xml import XmlElement

_LINE = 64


@lru_cache(maxsize=64)
def certificate_of(der: bytes) -> x509.Certificate:
    """Return the certificate that these bytes are. Raise ValueError."""
    return x509.load_der_x509_certificate(der)


def key_info(der: bytes) -> XmlElement:
    """Return a KeyInfo that holds a certificate, in lines as PEM has them. Raise ValueError for what is none."""
    certificate_of(der)
    info = etree.Element(qname("ds:KeyInfo"), nsmap={"ds": NS["ds"]})
    data = etree.SubElement(info, qname("ds:X509Data"))
    text = b64encode(der).decode("ascii")
    lines = [text[at : at + _LINE] + "\n" for at in range(0, len(text), _LINE)]
    etree.SubElement(data, qname("ds:X509Certificate")).text = "".join(lines)
    return info
