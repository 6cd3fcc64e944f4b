"""What keeps a PDF from being PDF/A-1b (ISO 19005-1), as far as its structure shows it.

pikepdf reads the file; the rules are the ones that PDFs of practice software break. This is no full validator: see
``NOT_CHECKED``, which a report shows beside a pass.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import pikepdf
from pikepdf import Name

from bifente.ground.text import Text

NOT_CHECKED = Text(
    "non vérifié : opérateurs des flux de contenu, espaces de couleur par objet, métriques et encodage des polices, "
    "concordance Info/XMP, ordre des octets du fichier",
    "not checked: operators of content streams, colour spaces object by object, metrics and encodings of fonts, "
    "agreement of Info and XMP, byte layout of the file",
)
MOST_OBJECTS = 100_000
_BANNED_ACTIONS = frozenset(
    {"/Launch", "/Sound", "/Movie", "/ResetForm", "/ImportData", "/JavaScript", "/SetState", "/NOP"}
)
_PDFA = "http://www.aiim.org/pdfa/ns/id/"


class PdfError(ValueError):
    """Bytes that are no PDF that can be read. One sentence."""


def pdf_a1_problems(data: bytes) -> tuple[str, ...]:
    """Return what is not PDF/A-1, each in one sentence; empty where nothing was found. Raise PdfError."""
    if not data.startswith(b"%PDF-1."):
        raise PdfError("the file does not begin with %PDF-1.")
    try:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            return tuple(dict.fromkeys(_problems(pdf)))
    except pikepdf.PasswordError:
        raise PdfError("the PDF is encrypted with a password") from None
    except (pikepdf.PdfError, ValueError, RuntimeError, OverflowError) as error:
        raise PdfError(f"the PDF cannot be read: {_said(error)}") from None


def _problems(pdf: pikepdf.Pdf) -> Iterator[str]:
    if len(pdf.objects) > MOST_OBJECTS:
        raise PdfError(f"the PDF has more than {MOST_OBJECTS} objects")
    # What qpdf mends while reading: a broken table of objects, a stream of the wrong length.
    if mended := [*pdf.get_warnings(), *pdf.check_pdf_syntax()]:
        yield f"the file is damaged: {_said(mended[0])}"
    if pdf.is_encrypted:
        yield "it is encrypted"
    yield from _catalogue(pdf)
    if not pdf.pages:
        yield "it has no page"
    for item in pdf.objects:
        yield from _object(item)


def _catalogue(pdf: pikepdf.Pdf) -> Iterator[str]:
    root = pdf.Root
    if Name.Metadata not in root:
        yield "it has no XMP metadata"
    else:
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as found:
            part, level = found.get(f"{{{_PDFA}}}part"), found.get(f"{{{_PDFA}}}conformance")
        if part != "1" or level not in ("A", "B"):
            yield f"its metadata do not say PDF/A-1 (pdfaid:part {part}, conformance {level})"
    intents = map(_dictionary, _array(root.get(Name.OutputIntents)))
    if not any(one.get(Name.S) == Name.GTS_PDFA1 and Name.DestOutputProfile in one for one in intents):
        yield "it has no output intent GTS_PDFA1 with a colour profile"
    names = _dictionary(root.get(Name.Names))
    if Name.EmbeddedFiles in names:
        yield "it has embedded files"
    if Name.JavaScript in names:
        yield "it has JavaScript"
    if Name.AA in root:
        yield "it has additional actions"
    if Name.OCProperties in root:
        yield "it has optional content"


def _object(item: Any) -> Iterator[str]:
    if not isinstance(item, pikepdf.Dictionary | pikepdf.Stream):
        return
    kind = str(item.get(Name.Type, ""))
    if kind == "/Font":
        yield from _font(item)
    action = str(item.get(Name.S, ""))
    if action in _BANNED_ACTIONS and kind in ("", "/Action"):
        yield f"it has an action {action[1:]}"
    if kind == "/ExtGState" or Name.SMask in item:
        mask = item.get(Name.SMask)
        if mask is not None and mask != Name("/None"):
            yield "it uses transparency (SMask)"
    if kind == "/ExtGState":
        for key in ("/CA", "/ca"):
            if key in item and not _is_one(item[key]):
                yield "it uses transparency (constant alpha)"
    group = item.get(Name.Group)
    if isinstance(group, pikepdf.Dictionary) and group.get(Name.S) == Name.Transparency:
        yield "it uses transparency (group)"
    if isinstance(item, pikepdf.Stream):
        filters = item.get(Name.Filter)
        if Name.LZWDecode in ([filters] if isinstance(filters, Name) else list(_array(filters))):
            yield "a stream is compressed by LZW"
        if Name.F in item:
            yield "a stream lies in another file"


def _font(item: Any) -> Iterator[str]:
    subtype = str(item.get(Name.Subtype, ""))
    if subtype in ("/Type3", "/Type0"):
        return
    descriptor = _dictionary(item.get(Name.FontDescriptor))
    name = str(item.get(Name.BaseFont, "?"))[1:40]
    if not any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3")):
        yield f"the font {name} is not embedded"


# A file may put anything anywhere: what is not of the kind that stands there says nothing.


def _dictionary(value: object) -> Any:
    return value if isinstance(value, pikepdf.Dictionary) else pikepdf.Dictionary()


def _array(value: object) -> Any:
    return value if isinstance(value, pikepdf.Array) else pikepdf.Array()


def _is_one(value: Any) -> bool:
    try:
        return float(value) == 1.0
    except (TypeError, ValueError):
        return False


def _said(error: object) -> str:
    """What qpdf says, without the name that Python gives a file in memory."""
    return re.sub(r"^stream <[^>]*>( \([^)]*\))?: ", "", str(error))[:160]
