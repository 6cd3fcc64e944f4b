"""A PDF/A-1b of this laboratory, of one page, as large as wanted: a grey picture under a grey profile."""

from __future__ import annotations

import io
import random
import struct
from functools import lru_cache

import pikepdf
from pikepdf import Array, Dictionary, Name

_SIDE = 64


_SMALL = 65_536


def make_pdf_a1(title: str = "Document de test", size: int = 0, seed: int = 1) -> bytes:
    """Return it; ``size`` is about how many bytes it has at least. The same arguments give the same bytes."""
    return (_kept if size <= _SMALL else _made)(title, size, seed)


def _made(title: str, size: int, seed: int) -> bytes:
    # A picture that no filter makes smaller.
    height = max(_SIDE, size // _SIDE)
    pixels = random.Random(seed).randbytes(_SIDE * height)  # noqa: S311 - a picture
    pdf = pikepdf.new()
    image = pikepdf.Stream(pdf, pixels)
    image[Name.Type], image[Name.Subtype] = Name.XObject, Name.Image
    image[Name.Width], image[Name.Height] = _SIDE, height
    image[Name.ColorSpace], image[Name.BitsPerComponent] = Name.DeviceGray, 8
    pdf.add_blank_page(page_size=(595, 842))
    page = pdf.pages[0]
    page[Name.Resources] = Dictionary(XObject=Dictionary(Im0=pdf.make_indirect(image)))
    page[Name.Contents] = pikepdf.Stream(pdf, b"q 200 0 0 200 100 500 cm /Im0 Do Q")
    profile = pikepdf.Stream(pdf, grey_profile())
    profile[Name.N] = 1
    intent = Dictionary(
        Type=Name.OutputIntent,
        S=Name.GTS_PDFA1,
        OutputConditionIdentifier=pikepdf.String("Grey"),
        Info=pikepdf.String("Grey"),
        DestOutputProfile=pdf.make_indirect(profile),
    )
    pdf.Root[Name.OutputIntents] = Array([intent])
    with pdf.open_metadata(set_pikepdf_as_editor=False) as metadata:
        metadata["dc:title"] = title
        metadata["pdfaid:part"] = "1"
        metadata["pdfaid:conformance"] = "B"
    written = io.BytesIO()
    pdf.save(
        written,
        deterministic_id=True,
        object_stream_mode=pikepdf.ObjectStreamMode.disable,
        compress_streams=False,
        force_version="1.4",
    )
    return written.getvalue()


_kept = lru_cache(maxsize=16)(_made)


def grey_profile() -> bytes:
    """Return a grey ICC profile, version 2: the four tags that it must have (ICC.1:2001-04, section 6.3.1.1)."""
    text = b"Grey, gamma 2.2"
    tags = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", len(text) + 1) + text + b"\0" + b"\0" * 78,
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D),
        b"kTRC": b"curv\0\0\0\0" + struct.pack(">IH", 1, 0x0233),
    }
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        padded = content + b"\0" * (-len(content) % 4)
        table += name + struct.pack(">II", at + len(body), len(content))
        body += padded
    total = at + len(body)
    header = struct.pack(">I4sI4s4s4s", total, b"\0\0\0\0", 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    header += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28
    header += struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
