"""The accidents that happen to XML between its signature and its arrival, tried one after the other."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator

from lxml import etree

from bifente.ground.text import Text
from bifente.simulator.formats.soap.xml import XmlElement, canonical

CHANGED = Text(
    "le contenu a changé après la signature, ou a été condensé avant d'être complet",
    "the content was changed after it was signed, or hashed before it was complete",
)


def what_was_signed(content: XmlElement, name: str, expected: bytes) -> tuple[Text, bytes | None]:
    """Return what happened to a content, and its canonical form as it was signed (None if no accident leads there)."""
    received = canonical(content)
    for other in ("sha1", "sha256", "sha384", "sha512"):
        if other != name and hashlib.new(other, received).digest() == expected:
            return Text(f"le condensat est un {other}, pas un {name}", f"the digest is {other}, not {name}"), received
    if hashlib.new(name, received).hexdigest().encode() == expected.lower():
        return Text("le condensat est en hexadécimal, pas en base64", "the digest is in hex, not in base64"), received
    for cause, made in _ACCIDENTS:
        for form in made(content):
            if hashlib.new(name, form).digest() == expected:
                return cause, form
    return CHANGED, None


def copied(content: XmlElement) -> XmlElement:
    """Return a copy that stands alone, its namespaces with it."""
    return etree.fromstring(etree.tostring(content, with_tail=False))


def _other_c14n(content: XmlElement) -> Iterator[bytes]:
    yield etree.tostring(content, method="c14n", exclusive=False, with_comments=False)
    yield etree.tostring(content, method="c14n", exclusive=True, with_comments=True)
    yield etree.tostring(content, method="c14n", exclusive=False, with_comments=True)


def _not_canonical(content: XmlElement) -> Iterator[bytes]:
    yield etree.tostring(content, encoding="UTF-8")
    yield etree.tostring(content, encoding="UTF-8", xml_declaration=True)
    yield etree.tostring(content)


def _reindented(content: XmlElement) -> Iterator[bytes]:
    bare = copied(content)
    for node in bare.iter():
        if len(node) and not (node.text or "").strip():
            node.text = None
        if node is not bare and not (node.tail or "").strip():
            node.tail = None
    yield canonical(bare)
    for space in ("  ", "    ", "\t", " ", "   "):
        indented = copied(bare)
        etree.indent(indented, space)
        yield canonical(indented)


def _on_texts(change: Callable[[str], str]) -> Callable[[XmlElement], Iterator[bytes]]:
    def changed(text: str | None) -> str | None:
        try:
            return change(text) if text else text
        except UnicodeError:
            # An accident may have struck some texts alone.
            return text

    def made(content: XmlElement) -> Iterator[bytes]:
        form = copied(content)
        try:
            for node in form.iter(etree.Element):
                node.text = changed(node.text)
                node.tail = changed(node.tail) if node is not form else None
                for key, value in node.attrib.items():
                    node.set(key, changed(str(value)) or "")
        except ValueError:  # what XML cannot hold was not signed
            return
        yield canonical(form)

    return made


_ACCIDENTS: tuple[tuple[Text, Callable[[XmlElement], Iterator[bytes]]], ...] = (
    (
        Text(
            "une autre canonicalisation a été utilisée que celle annoncée (exclusive, sans commentaires)",
            "another canonicalisation was used than the one it says (exclusive, without comments)",
        ),
        _other_c14n,
    ),
    (
        Text(
            "le condensat a été calculé sur le XML tel quel, sans canonicalisation",
            "the digest was computed over the XML as it stood, without canonicalisation",
        ),
        _not_canonical,
    ),
    (
        Text(
            "le XML a été mis en forme (espaces, retours à la ligne) après la signature",
            "the XML was pretty-printed or stripped (spaces, line ends) after it was signed",
        ),
        _reindented,
    ),
    (
        Text("les fins de ligne ont changé (CRLF) après la signature", "line ends were changed (CRLF) after signing"),
        _on_texts(lambda text: text.replace("\r\n", "\n").replace("\n", "\r\n")),
    ),
    (
        Text("les fins de ligne ont changé (LF) après la signature", "line ends were changed (LF) after signing"),
        _on_texts(lambda text: text.replace("\r\n", "\n").replace("\r", "\n")),
    ),
    (
        Text(
            "de l'UTF-8 a été relu comme du Latin-1 après la signature (é devenu Ã©)",
            "UTF-8 was read as Latin-1 after signing (é became Ã©)",
        ),
        _on_texts(lambda text: text.encode("latin-1").decode("utf-8")),
    ),
    (
        Text(
            "l'UTF-8 avait été lu comme du Latin-1 avant la signature (Ã© signé, é envoyé)",
            "UTF-8 had been read as Latin-1 before signing (Ã© was signed, é was sent)",
        ),
        _on_texts(lambda text: text.encode("utf-8").decode("latin-1")),
    ),
    (
        Text("les textes ont été rognés ou entourés d'espaces", "texts were trimmed, or padded with spaces"),
        _on_texts(str.strip),
    ),
    (
        Text("forme Unicode NFC changée en NFD", "Unicode form NFC became NFD"),
        _on_texts(lambda text: unicodedata.normalize("NFC", text)),
    ),
    (
        Text("forme Unicode NFD changée en NFC", "Unicode form NFD became NFC"),
        _on_texts(lambda text: unicodedata.normalize("NFD", text)),
    ),
)
