"""MTOM as other libraries write it: CXF, Axis2, WCF, gSOAP, Python's email; and what else RFC 2046 allows."""

from __future__ import annotations

import base64
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.policy import HTTP, SMTP, Policy, compat32
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bifente.simulator.formats.soap import MtomPart, SoapFaultError, packed, received

ENVELOPE = (
    b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Header/><e:Body><d>'
    b'<x:Include xmlns:x="http://www.w3.org/2004/08/xop/include" href="%s"/></d></e:Body></e:Envelope>'
)
ROOT = (
    b'Content-Type: application/xop+xml; charset=UTF-8; type="application/soap+xml"',
    b"Content-Transfer-Encoding: binary",
    b"Content-ID: <root>",
)
DOCUMENT = (b"Content-Type: text/xml", b"Content-Transfer-Encoding: binary", b"Content-ID: <doc>")
TYPE = 'multipart/related; type="application/xop+xml"; boundary="%s"; start="<root>"; start-info="application/soap+xml"'
CONTENT = b"\x00\x01bin\r\n--x\r\n--boundary-but-longer"
Written = tuple[str, bytes]


def message(
    kind: str = TYPE % "boundary",
    boundary: bytes = b"boundary",
    root: tuple[bytes, ...] = ROOT,
    document: tuple[bytes, ...] = DOCUMENT,
    *,
    href: bytes = b"cid:doc",
    before: bytes = b"",
    after: bytes = b"\r\n",
    line: bytes = b"\r\n",
    content: bytes = CONTENT,
    padding: bytes = b"",
) -> Written:
    delimiter = b"--" + boundary
    first = delimiter + padding + line + line.join(root) + line + line + ENVELOPE % href + line
    second = delimiter + line + line.join(document) + line + line + content + line
    return kind, before + first + second + delimiter + b"--" + after


TAKEN: dict[str, Written] = {
    "CXF": message(TYPE % "uuid:12-34", b"uuid:12-34", after=b""),
    "Axis2": message(
        'multipart/related; boundary=MIMEBoundary_abc; type="application/xop+xml"; start="<0.root@apache.org>"; '
        'start-info="application/soap+xml"; action="x"',
        b"MIMEBoundary_abc",
        (*ROOT[:2], b"content-id: <0.root@apache.org>"),
    ),
    "WCF": message(
        'multipart/related; type="application/xop+xml";start="<http://tempuri.org/0>";boundary="uuid:a+id=1";'
        'start-info="application/soap+xml"',
        b"uuid:a+id=1",
        (b"Content-ID: <http://tempuri.org/0>", b"Content-Transfer-Encoding: 8bit", ROOT[0]),
        (b"Content-ID: <http://tempuri.org/1/63>", *DOCUMENT[:2]),
        href=b"cid:http%3A%2F%2Ftempuri.org%2F1%2F63",
    ),
    "gSOAP": message(
        TYPE.replace("<root>", "<SOAP-ENV:Envelope>") % "==abc==",
        b"==abc==",
        (*ROOT[:2], b"Content-ID: <SOAP-ENV:Envelope>"),
    ),
    "action in the root": message(root=(ROOT[0][:-1] + b'; action=\\"x\\""', *ROOT[1:])),
    "start without brackets": message(TYPE.replace("<root>", "root") % "boundary"),
    "no start": message('multipart/related; type="application/xop+xml"; boundary=boundary'),
    "leading line": message(before=b"\r\n"),
    "preamble": message(before=b"This is a message in parts.\r\n\r\n"),
    "epilogue": message(after=b"\r\nThe end\r\n--boundary\r\n"),
    "padding": message(padding=b" \t "),
    "folded header": message(root=(ROOT[0].replace(b"; type", b";\r\n\ttype"), *ROOT[1:])),
    "scheme in capitals": message(href=b"CID:doc"),
    "percent-encoded": message(document=(*DOCUMENT[:2], b"Content-ID: <a b@c>"), href=b"cid:a%20b%40c"),
}


@pytest.mark.parametrize("name", TAKEN)
def test_what_other_libraries_write_is_taken(name: str) -> None:
    (part,) = received(*TAKEN[name]).parts.values()
    assert part.content == CONTENT


def test_base64_in_lines() -> None:
    encoded = base64.encodebytes(CONTENT * 9).replace(b"\n", b"\r\n")
    document = (DOCUMENT[0], b"Content-Transfer-Encoding: base64", DOCUMENT[2])
    (part,) = received(*message(document=document, content=encoded)).parts.values()
    assert part.content == CONTENT * 9


REFUSED: dict[str, tuple[Written, str]] = {
    "LF": (message(line=b"\n", after=b"\n"), "LF alone"),
    "other boundary": (message(boundary=b"other"), "no boundary in the body"),
    "cut": ((message()[0], message()[1][:-30]), "no closing boundary"),
    "base64 that is none": (
        message(document=(DOCUMENT[0], b"Content-Transfer-Encoding: base64", DOCUMENT[2]), content=b"!!"),
        "bad base64",
    ),
    "quoted-printable": (
        message(document=(DOCUMENT[0], b"Content-Transfer-Encoding: quoted-printable", DOCUMENT[2])),
        "quoted-printable",
    ),
    "SOAP with attachments": (message(root=(b"Content-Type: application/soap+xml", *ROOT[1:])), "attachments"),
    "SOAP 1.1": (message(root=(ROOT[0].replace(b"soap+xml", b"xml"), *ROOT[1:])), "instead of application/soap"),
    "form": (("multipart/form-data; boundary=boundary", message()[1]), "multipart/related"),
    "http": (message(href=b"http://doc"), "no cid"),
    "unknown part": (message(href=b"cid:other"), "missing"),
    "endless headers": (message(document=(b"X: " + b"a" * 20_000, *DOCUMENT)), "end of its headers"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_taken_says_why(name: str) -> None:
    (kind, body), said = REFUSED[name]
    with pytest.raises(SoapFaultError) as refused:
        received(kind, body)
    assert said in refused.value.reason.en


def by_email(policy: Policy) -> Written:
    more: dict[str, Any] = {"start": "<root>", "start-info": "application/soap+xml"}
    whole: Any = MIMEMultipart("related", type="application/xop+xml", **more)
    root = MIMEApplication(
        ENVELOPE % b"cid:doc", "xop+xml", _encoder=lambda part: None, charset="utf-8", type="application/soap+xml"
    )
    root.add_header("Content-ID", "<root>")
    document = MIMEApplication(CONTENT * 40)
    document.add_header("Content-ID", "<doc>")
    for part in (root, document):
        whole.attach(part)
    written = whole.as_bytes(policy=policy)
    return str(whole["Content-Type"]), written.partition(b"\n\n" if policy is compat32 else b"\r\n\r\n")[2]


@pytest.mark.parametrize("policy", [HTTP, SMTP], ids=["HTTP", "SMTP"])
def test_python_s_email_is_taken(policy: Policy) -> None:
    """It encodes in base64 and, by SMTP, folds the headers of its parts."""
    (part,) = received(*by_email(policy)).parts.values()
    assert part.content == CONTENT * 40


def test_python_s_email_of_its_own_writes_no_mime_lines() -> None:
    with pytest.raises(SoapFaultError, match="LF alone"):
        received(*by_email(compat32))


@given(st.binary(max_size=300))
def test_any_content_comes_back(content: bytes) -> None:
    kind, body = packed(ENVELOPE % b"cid:doc", [MtomPart("doc", "text/xml", content)], "boundary-of-a-test")
    (part,) = received(kind, body).parts.values()
    assert part.content == content
