"""SOAP 1.2: XML from outside, envelopes, faults, addressing, MTOM."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from bifente.ground.text import Text
from bifente.simulator.formats.soap import (
    NS,
    Addressing,
    FaultStyle,
    MtomError,
    MtomLimits,
    MtomPart,
    MtomRefusal,
    SoapCode,
    SoapFaultError,
    XmlLimits,
    XmlRefusal,
    XmlRefusedError,
    addressing_of,
    answer_to,
    built,
    canonical,
    element,
    fault_of,
    include,
    opened,
    packed,
    parsed,
    qname,
    received,
    written,
)
from bifente.simulator.formats.soap.mtom import unpacked

SOAP = "application/soap+xml; charset=utf-8"
_LAUGHS = b"<!DOCTYPE l [<!ENTITY a 'ha'>" + b"".join(
    b"<!ENTITY %s '%s'>" % (bytes([98 + i]), b"&%s;" % bytes([97 + i]) * 10) for i in range(9)
)


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (_LAUGHS + b"]><l>&j;</l>", XmlRefusal.DTD),
        (b"<!DOCTYPE a><a/>", XmlRefusal.DTD),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>', XmlRefusal.DTD),
        (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', XmlRefusal.DTD),
        (b'<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x">%x;]><a/>', XmlRefusal.DTD),
        (b"<a>&unknown;</a>", XmlRefusal.NOT_XML),
        (b"<a><b></a>", XmlRefusal.NOT_XML),
        (b"<a/><b/>", XmlRefusal.NOT_XML),
        (b"", XmlRefusal.NOT_XML),
        (b"<a>\x01</a>", XmlRefusal.NOT_XML),
        (b"<?go now?><a/>", XmlRefusal.INSTRUCTION),
        (b"<a><?go now?></a>", XmlRefusal.INSTRUCTION),
        (b"<a>" * 65 + b"</a>" * 65, XmlRefusal.TOO_DEEP),
        (b"<a>" * 100_000, XmlRefusal.TOO_DEEP),
        (b"<a " + b" ".join(b'b%d="1"' % at for at in range(300)) + b"/>", XmlRefusal.TOO_MANY),
        (b"<a>" + b"<b/>" * 300 + b"</a>", XmlRefusal.TOO_MANY),
        (b"<a>" + b"x" * 5000 + b"</a>", XmlRefusal.TOO_LARGE),
        (b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9</a>', XmlRefusal.ENCODING),
        (b"<a>\xe9</a>", XmlRefusal.ENCODING),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', XmlRefusal.ENCODING),
    ],
)
def test_dangerous_or_broken_xml_is_refused(data: bytes, refusal: XmlRefusal) -> None:
    limits = XmlLimits(size=4096 if refusal is XmlRefusal.TOO_LARGE else 1_000_000, nodes=200)
    with pytest.raises(XmlRefusedError) as error:
        parsed(data, limits)
    assert error.value.refusal is refusal


_PIECES = [
    *(
        "<a>",
        "</a>",
        "<b c='1'>",
        "</b>",
        "<d/>",
        "<e f='2' g='3'/>",
        "x",
        "é",
        " ",
        "&lt;",
        "&#65;",
        "&u;",
        "=",
        "<",
        ">",
    ),
    *(
        "<!-- - -->",
        "<![CDATA[y]]>",
        "<!DOCTYPE a>",
        "<?i x?>",
        "<p:q/>",
        "<p:q xmlns:p='urn:p'/>",
        "<a>" * 4,
        "</a>" * 4,
    ),
]


def _outcome(data: bytes, limits: XmlLimits) -> bytes | XmlRefusal:
    try:
        return canonical(parsed(data, limits))
    except XmlRefusedError as error:
        return error.refusal


@settings(max_examples=150)
@given(st.lists(st.sampled_from(_PIECES), max_size=12), st.sampled_from(["", "<?xml version='1.0'?>", "\n"]))
def test_the_short_way_through_a_message_ends_where_the_long_one_does(pieces: list[str], before: str) -> None:
    """A message in UTF-16 is always read the long way: twice, its elements counted one by one."""
    limits = XmlLimits(depth=6, nodes=14)
    message = f"{before}<a>{''.join(pieces)}</a>"
    assert _outcome(message.encode(), limits) == _outcome(message.encode("utf-16"), limits)


@pytest.mark.parametrize("declared", [b"", b'<?xml version="1.0" encoding="UTF-8"?>\n', b"\xef\xbb\xbf"])
def test_the_last_element_within_a_limit_is_read_and_the_next_is_not(declared: bytes) -> None:
    limits = XmlLimits(depth=5, nodes=40)
    for nested in (5, 6):
        deep = declared + b"<a>" * nested + b"</a>" * nested
        assert (_outcome(deep, limits) is XmlRefusal.TOO_DEEP) == (nested == 6)
    for children in (39, 40):
        wide = declared + b"<a>" + b"<b/>" * children + b"</a>"
        assert (_outcome(wide, limits) is XmlRefusal.TOO_MANY) == (children == 40)


def test_a_refusal_never_shows_what_stood_in_the_message() -> None:
    with pytest.raises(XmlRefusedError) as error:
        parsed(b"<a><NomDeNaissance>ADRUN</PasLui></a>")
    assert "ADRUN" not in str(error.value)
    assert "NomDeNaissance" not in str(error.value)


def test_comments_utf_16_and_long_texts_are_read() -> None:
    assert parsed("<a>é<!-- x --></a>".encode("utf-16")).text == "é"
    assert len(parsed(b"<a>" + b"x" * 12_000_000 + b"</a>", XmlLimits(size=13_000_000)).text or "") == 12_000_000


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_reading_fail_otherwise(data: bytes) -> None:
    for kind in (SOAP, 'multipart/related; boundary="b"; type="application/xop+xml"', "text/xml", ""):
        with pytest.raises(SoapFaultError) as error:
            received(kind, data)
        assert error.value.code in {*SoapCode}


def test_an_envelope_goes_there_and_back() -> None:
    data = built(element("{urn:t}Ask", "é"), Addressing("urn:do", "urn:uuid:1").blocks(mandatory_action=True)).bytes()
    envelope = received(SOAP + '; action="urn:do"', data).envelope
    assert envelope.content.text == "é"
    asked = addressing_of(envelope)
    assert (asked.action, asked.message_id) == ("urn:do", "urn:uuid:1")
    assert answer_to(asked, "urn:done", "urn:uuid:2").relates_to == "urn:uuid:1"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (
            b'<a:Envelope xmlns:a="http://schemas.xmlsoap.org/soap/envelope/"><a:Body/></a:Envelope>',
            SoapCode.VERSION_MISMATCH,
        ),
        (b'<Envelope xmlns="urn:other"/>', SoapCode.VERSION_MISMATCH),
        (b"<a/>", SoapCode.SENDER),
        (b'<e:Envelope xmlns:e="%s"/>' % NS["env"].encode(), SoapCode.SENDER),
        (b'<e:Envelope xmlns:e="%s"><e:Body/><e:Body/></e:Envelope>' % NS["env"].encode(), SoapCode.SENDER),
        (b'<e:Envelope xmlns:e="%s"><e:Body/><e:Header/></e:Envelope>' % NS["env"].encode(), SoapCode.SENDER),
        (b'<e:Envelope xmlns:e="%s"><x/><e:Body/></e:Envelope>' % NS["env"].encode(), SoapCode.SENDER),
    ],
)
def test_what_is_no_envelope_of_soap_1_2(data: bytes, code: SoapCode) -> None:
    with pytest.raises(SoapFaultError) as error:
        opened(data)
    assert error.value.code is code


def test_soap_1_1_is_told_its_version_by_its_own_content_type() -> None:
    data = b'<a:Envelope xmlns:a="http://schemas.xmlsoap.org/soap/envelope/"><a:Body/></a:Envelope>'
    with pytest.raises(SoapFaultError) as error:
        received("text/xml", data)
    assert error.value.code is SoapCode.VERSION_MISMATCH
    assert b"SupportedEnvelope" in written(error.value)


@pytest.mark.parametrize(
    "kind", [None, "", "text/plain", "application/json", "text/xml", "application/soap+xml; charset=latin-1"]
)
def test_other_content_types_are_refused_with_415(kind: str | None) -> None:
    with pytest.raises(SoapFaultError) as error:
        received(kind, built(element("{urn:t}Ask")).bytes())
    assert (error.value.code, error.value.http) == (SoapCode.SENDER, 415)


def test_a_mandatory_header_that_is_not_understood_is_told() -> None:
    block = element("{urn:t}Pay", attributes={qname("env:mustUnderstand"): "true"})
    envelope = opened(built(element("{urn:t}Ask"), [block]).bytes())
    envelope.check_understood(["{urn:t}Pay"])
    with pytest.raises(SoapFaultError) as error:
        envelope.check_understood([])
    assert error.value.code is SoapCode.MUST_UNDERSTAND
    root = etree.fromstring(written(error.value))
    told = root.find(f"{qname('env:Header')}/{qname('env:NotUnderstood')}")
    assert told is not None
    assert told.get("qname") == "q:Pay"


def test_a_header_for_another_role_need_not_be_understood() -> None:
    block = element(
        "{urn:t}Pay", attributes={qname("env:mustUnderstand"): "1", qname("env:role"): "http://example.org/another"}
    )
    opened(built(element("{urn:t}Ask"), [block]).bytes()).check_understood([])


@pytest.mark.parametrize("blocks", [["urn:a", "urn:b"], [""], ["not a uri"], ["u" * 3000]])
def test_bad_addressing_is_told_as_such(blocks: list[str]) -> None:
    made = [element(qname("wsa:Action"), text) for text in blocks]
    with pytest.raises(SoapFaultError) as error:
        addressing_of(opened(built(element("{urn:t}Ask"), made).bytes()))
    assert error.value.subcodes == (qname("wsa:InvalidAddressingHeader"),)


def test_a_fault_goes_there_and_back_in_any_style() -> None:
    detail = element("{urn:siram}Erreur", "non", attributes={"code": "x_1"})
    fault = SoapFaultError(
        SoapCode.SENDER, Text("à revoir", "look again"), "{urn:t}Deep", "{urn:t}Deeper", detail=(detail,)
    )
    for style in (FaultStyle(), FaultStyle("soap", "env", "S", "en")):
        data = written(fault, style)
        read = fault_of(opened(data).content)
        assert read is not None
        assert (read.code, read.subcodes) == (SoapCode.SENDER, ("{urn:t}Deep", "{urn:t}Deeper"))
        assert read.reason.fr == "à revoir"
        # A second Text would cost gSOAP the whole fault.
        assert data.count(b":Text ") == 1
        assert read.detail[0].get("code") == "x_1"
    assert b"<S:Fault" in data
    assert b'xml:lang="en">\xc3\xa0 revoir' in data
    assert fault_of(element("{urn:t}Answer")) is None


def _message(parts: list[MtomPart], hrefs: list[str]) -> tuple[str, bytes]:
    body = element("{urn:t}Feed")
    for name in hrefs:
        holder = etree.SubElement(body, "{urn:t}Document")
        holder.append(include(name))
    return packed(built(body).bytes(), parts)


def test_mtom_gives_back_every_byte() -> None:
    contents = [b"%PDF\r\n--MIMEBoundary-not\r\n\x00\xff", b"", bytes(range(256)) * 40]
    parts = [MtomPart(f"doc {at}@x", "application/pdf", content) for at, content in enumerate(contents)]
    message = received(*_message(parts, [part.id for part in parts]))
    message.check_mtom()
    assert [message.content(holder) for holder in message.envelope.content] == contents


def test_without_mtom_content_is_base64_and_the_wish_for_mtom_is_said_clearly() -> None:
    body = element("{urn:t}Feed", None, [element("{urn:t}Document", " YWJj\nZA== "), element("{urn:t}Document", "*")])
    message = received(SOAP, built(body).bytes())
    assert message.content(message.envelope.content[0]) == b"abcd"
    with pytest.raises(SoapFaultError, match="not in base64"):
        message.content(message.envelope.content[1])
    with pytest.raises(SoapFaultError, match="you sent no MTOM"):
        message.check_mtom()


A, B = MtomPart("a@x", "text/plain", b"a"), MtomPart("b@x", "text/plain", b"b")


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        (lambda: _message([A], ["a@x", "b@x"]), MtomRefusal.MISSING_PART),
        (lambda: _message([A, B], ["a@x"]), MtomRefusal.UNREFERENCED),
        (lambda: _message([A], ["a@x", "a@x"]), MtomRefusal.TWICE),
        (lambda: _message([A, A], ["a@x"]), MtomRefusal.TWICE),
        (lambda: _message([A], ["root.message@bifente.invalid", "a@x"]), MtomRefusal.MISSING_PART),
        (lambda: _cut(_message([A], ["a@x"]), -3), MtomRefusal.MALFORMED),
        (lambda: _cut(_message([A], ["a@x"]), 200), MtomRefusal.MALFORMED),
        (
            lambda: _changed(_message([A], ["a@x"]), b"<root.message@bifente.invalid>", b"<other@bifente.invalid>"),
            MtomRefusal.ROOT,
        ),
        (lambda: _changed(_message([A], ["a@x"]), b"application/xop+xml", b"application/xml"), MtomRefusal.ROOT),
        (
            lambda: _changed(_message([A], ["a@x"]), b'type="application/soap+xml"', b'type="text/xml"'),
            MtomRefusal.ROOT,
        ),
        (
            lambda: _changed(_message([A], ["a@x"]), b"Encoding: binary", b"Encoding: quoted-printable"),
            MtomRefusal.ENCODING,
        ),
        (lambda: _changed(_message([A], ["a@x"]), b"cid:a@x", b"http://a/x"), MtomRefusal.INCLUDE),
        (lambda: _changed(_message([A], ["a@x"]), b"<xop:Include", b"beside <xop:Include"), MtomRefusal.INCLUDE),
        (lambda: ("multipart/related", b""), MtomRefusal.BOUNDARY),
        (lambda: ('multipart/related; boundary="\xe9"', b""), MtomRefusal.BOUNDARY),
        (lambda: ('multipart/related; boundary="b"', b""), MtomRefusal.MALFORMED),
        (lambda: ('multipart/related; boundary="b"', b"--b--\r\n"), MtomRefusal.MALFORMED),
    ],
)
def test_a_multipart_that_is_not_whole_is_refused(
    message: Callable[[], tuple[str, bytes]], refusal: MtomRefusal
) -> None:
    with pytest.raises(SoapFaultError) as error:
        received(*message())
    assert error.value.reason.en.startswith(refusal.sentence.en)


def test_parts_are_bounded() -> None:
    for limits, refusal in ((MtomLimits(parts=2), MtomRefusal.TOO_MANY), (MtomLimits(part=600), MtomRefusal.TOO_LARGE)):
        parts = [MtomPart(f"{at}@x", "text/plain", b"x" * 1000) for at in range(3)]
        with pytest.raises(MtomError) as error:
            unpacked(*_message(parts, []), limits)
        assert error.value.refusal is refusal


def test_swapped_roots_are_refused() -> None:
    kind, body = _message([A], ["a@x"])
    with pytest.raises(SoapFaultError, match="the root part is no XOP envelope"):
        received(kind.replace("<root.message@bifente.invalid>", "<a@x>"), body)


def test_each_message_is_cut_at_its_own_boundary() -> None:
    bodies = [packed(b"<r/>", [MtomPart("a@b", "text/plain", bytes([at]))], f"b{at}") for at in (1, 2, 1)]
    for at, (kind, body) in zip((1, 2, 1), bodies, strict=True):
        assert unpacked(kind, body)[1][0].content == bytes([at])
        with pytest.raises(MtomError):
            unpacked(kind.replace(f"b{at}", f"c{at}"), body)


def test_a_boundary_that_a_part_contains_is_not_used() -> None:
    with pytest.raises(ValueError, match="another boundary"):
        packed(b"<a/>", [MtomPart("a", "text/plain", b"\r\n--here")], "here")


def _cut(message: tuple[str, bytes], at: int) -> tuple[str, bytes]:
    return message[0], message[1][:at]


def _changed(message: tuple[str, bytes], old: bytes, new: bytes) -> tuple[str, bytes]:
    assert old in message[1]
    return message[0], message[1].replace(old, new)
