"""Namespaces, by the prefixes that texts give them."""

from __future__ import annotations

from collections.abc import Mapping

NS: Mapping[str, str] = {
    "env": "http://www.w3.org/2003/05/soap-envelope",
    "env11": "http://schemas.xmlsoap.org/soap/envelope/",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "xop": "http://www.w3.org/2004/08/xop/include",
    "xmime": "http://www.w3.org/2005/05/xmlmime",
    "xml": "http://www.w3.org/XML/1998/namespace",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "xs": "http://www.w3.org/2001/XMLSchema",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "hl7": "urn:hl7-org:v3",
}

SOAP_TYPE = "application/soap+xml"
"""The media type of SOAP 1.2."""


def qname(prefixed: str) -> str:
    """Return the Clark name of ``prefix:local``, the prefix one of ``NS``: ``{http://...}local``."""
    prefix, _, local = prefixed.partition(":")
    return f"{{{NS[prefix]}}}{local}"
