"""XML from outside: no DTD, no entity, no network, bounded in size, depth and number of elements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import cast

from lxml import etree

from bifente.ground.text import Text

XmlElement = etree._Element
"""An element as lxml has it."""


class XmlRefusal(StrEnum):
    """Why XML from outside was not read."""

    NOT_XML = "not-xml"
    ENCODING = "encoding"
    DTD = "dtd"
    INSTRUCTION = "processing-instruction"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    TOO_MANY = "too-many-elements"

    @property
    def sentence(self) -> Text:
        """Return the reason in words."""
        return _SENTENCES[self]


_SENTENCES: Mapping[XmlRefusal, Text] = {
    XmlRefusal.NOT_XML: Text("ce n'est pas du XML bien formé", "this is no well-formed XML"),
    XmlRefusal.ENCODING: Text(
        "le message n'est pas en UTF-8 (ou UTF-16 avec marque d'ordre)",
        "the message is not in UTF-8 (or in UTF-16 with a byte order mark)",
    ),
    XmlRefusal.DTD: Text(
        "une DTD ou une entité est refusée : retirer la déclaration DOCTYPE",
        "a DTD or an entity is refused: remove the DOCTYPE declaration",
    ),
    XmlRefusal.INSTRUCTION: Text(
        "SOAP 1.2 n'admet pas d'instruction de traitement : la retirer",
        "SOAP 1.2 allows no processing instruction: remove it",
    ),
    XmlRefusal.TOO_LARGE: Text("le message est trop long", "the message is too long"),
    XmlRefusal.TOO_DEEP: Text("les éléments sont trop emboîtés", "elements are nested too deeply"),
    XmlRefusal.TOO_MANY: Text("il y a trop d'éléments ou d'attributs", "there are too many elements or attributes"),
}


class XmlRefusedError(ValueError):
    """XML that is not read; ``detail`` says where, never what stood there."""

    def __init__(self, refusal: XmlRefusal, detail: str = "") -> None:
        self.refusal = refusal
        self.detail = detail
        super().__init__(refusal.sentence.en + (f" ({detail})" if detail else ""))


@dataclass(frozen=True, slots=True)
class XmlLimits:
    """The most that is read: ``size`` in bytes, ``depth`` of elements, ``nodes`` counts elements and attributes.

    A SOAP message with a signed assertion has some 100 elements, 15 deep; a CDA of 5 MB in base64 is one text.
    """

    size: int = 8_388_608
    depth: int = 64
    nodes: int = 200_000


_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_KNOWN = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def parsed(data: bytes, limits: XmlLimits | None = None, *, instructions: bool = False) -> XmlElement:
    """Return the root element. Raise XmlRefusedError.

    ``instructions``: processing instructions are let through (a CDA has a stylesheet), in no case obeyed.
    """
    limits = limits or XmlLimits()
    if len(data) > limits.size:
        raise XmlRefusedError(XmlRefusal.TOO_LARGE, f"{len(data)} bytes, at most {limits.size}")
    _check_encoding(data)
    root = _read_once(data, limits)
    if root is not None:
        return root
    target = _Counting(limits, instructions=instructions)
    # The first parser builds nothing: what is refused never becomes a tree.
    _fed(_parser(target), data)
    return cast(XmlElement, _fed(_parser(), data))


_SMALL = 1_048_576
_DECLARATION = re.compile(rb"""(\xef\xbb\xbf)?<\?xml version=["']1\.0["']( encoding=["'](?i:utf-8)["'])? ?\?>""")


def _read_once(data: bytes, limits: XmlLimits) -> XmlElement | None:
    """The root of a small message of elements and texts alone, its limits kept; None: the long way must tell.

    Its bytes say beforehand that no limit but that of depth is passed: an element has a ``<`` of its own, an attribute
    a ``=``. Of what begins with ``<!`` or ``<?`` it has the XML declaration and nothing else.
    """
    if len(data) > _SMALL or data.count(b"<") + data.count(b"=") > limits.nodes:
        return None
    declared = _DECLARATION.match(data)
    inside = declared.end() if declared else 0
    if b"\0" in data or data.find(b"<!", inside) != -1 or data.find(b"<?", inside) != -1:
        return None
    try:
        root = etree.fromstring(data, _parser())
    except etree.XMLSyntaxError:
        return None
    return None if _deeper_than(limits.depth)(root) else root


@lru_cache(maxsize=8)
def _deeper_than(depth: int) -> etree.XPath:
    return etree.XPath(f"boolean({'/*' * (depth + 1)})")


def canonical(node: XmlElement) -> bytes:
    """Return the exclusive canonical form of an element, without comments, where it stands."""
    return etree.tostring(node, method="c14n", exclusive=True, with_comments=False)


def _parser(target: _Counting | None = None) -> etree.XMLParser:
    return etree.XMLParser(
        target=target,  # type: ignore[arg-type]  # the stubs want every callback of a SAX parser
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        # Texts above 10 MB are wanted (a document in base64); what bounds them is the size of the whole.
        huge_tree=True,
        remove_comments=False,
        remove_blank_text=False,
    )


def _fed(parser: etree.XMLParser, data: bytes) -> object:
    try:
        parser.feed(data)
        return parser.close()
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise XmlRefusedError(XmlRefusal.NOT_XML, f"line {line}, column {column}: {_without_content(error)}") from None


def _without_content(error: etree.XMLSyntaxError) -> str:
    """What libxml2 found wrong, without names and values, which may be a patient's."""
    return re.sub(r"[:,].*|['\"].*", "", error.msg or "not well-formed", flags=re.DOTALL).strip()[:80]


def _check_encoding(data: bytes) -> None:
    if data.startswith(_UTF16):
        return
    found = _ENCODING.match(data.removeprefix(b"\xef\xbb\xbf")[:400])
    if found is not None and found[1].decode("ascii").lower() not in _KNOWN:
        raise XmlRefusedError(XmlRefusal.ENCODING, found[1].decode("ascii"))
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise XmlRefusedError(XmlRefusal.ENCODING, f"byte {error.start} is not UTF-8") from None


class _Counting:
    """What the first reading tells: it stops where the message goes too far."""

    def __init__(self, limits: XmlLimits, *, instructions: bool) -> None:
        self._limits = limits
        self._instructions = instructions
        self._depth = 0
        self._nodes = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        self._nodes += 1 + len(attributes)
        if self._depth > self._limits.depth:
            raise XmlRefusedError(XmlRefusal.TOO_DEEP, f"more than {self._limits.depth}")
        if self._nodes > self._limits.nodes:
            raise XmlRefusedError(XmlRefusal.TOO_MANY, f"more than {self._limits.nodes}")

    def end(self, tag: str) -> None:
        self._depth -= 1

    def data(self, text: str) -> None:
        pass

    def comment(self, text: str) -> None:
        pass

    def pi(self, target: str, text: str | None = None) -> None:
        if not self._instructions:
            raise XmlRefusedError(XmlRefusal.INSTRUCTION, target)

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        raise XmlRefusedError(XmlRefusal.DTD, name)

    def close(self) -> None:
        pass
