"""PDF/A-1: ours has nothing against it, and each thing that is done to it is told."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pikepdf import Array, Dictionary, Name

from bifente.simulator.formats.pdf import PdfError, make_pdf_a1, pdf_a1_problems

RIGHT = make_pdf_a1()


def changed(change: Callable[[pikepdf.Pdf], None], **how: Any) -> bytes:
    written = io.BytesIO()
    with pikepdf.open(io.BytesIO(RIGHT)) as pdf:
        change(pdf)
        pdf.save(written, **how)
    return written.getvalue()


def on_page(key: str, value: Any) -> Callable[[pikepdf.Pdf], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0][key] = pdf.make_indirect(value)

    return change


def on_root(key: str, value: Any) -> Callable[[pikepdf.Pdf], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.Root[key] = value

    return change


def other_part(pdf: pikepdf.Pdf) -> None:
    with pdf.open_metadata() as metadata:
        metadata["pdfaid:part"] = "3"


def test_ours_has_nothing_against_it() -> None:
    assert pdf_a1_problems(RIGHT) == ()
    large = make_pdf_a1(size=200_000)
    assert len(large) >= 200_000
    assert make_pdf_a1(size=200_000) == large  # too large to be kept: made a second time


def test_a_small_one_that_is_kept_is_given_for_its_own_arguments_alone() -> None:
    asked = [{}, {"title": "Another"}, {"size": 9_000}, {"seed": 2}]
    made = [make_pdf_a1(**one) for one in asked]  # type: ignore[arg-type]
    assert made[0] == RIGHT
    assert len(set(made)) == len(made)
    assert [make_pdf_a1(**one) for one in reversed(asked)] == made[::-1]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (changed(lambda pdf: pdf.Root.__delitem__("/Metadata")), "no XMP metadata"),
        (changed(other_part), "do not say PDF/A-1"),
        (changed(lambda pdf: pdf.Root.__delitem__("/OutputIntents")), "no output intent"),
        (changed(on_root("/AA", Dictionary())), "additional actions"),
        (changed(on_root("/OCProperties", Dictionary())), "optional content"),
        (changed(on_root("/Names", Dictionary(EmbeddedFiles=Dictionary()))), "embedded files"),
        (changed(on_root("/Names", Dictionary(JavaScript=Dictionary()))), "JavaScript"),
        (changed(on_page("/A", Dictionary(Type=Name.Action, S=Name.Launch))), "action Launch"),
        (changed(on_page("/G", Dictionary(Type=Name.ExtGState, ca=0.5))), "constant alpha"),
        (changed(on_page("/G", Dictionary(Type=Name.ExtGState, SMask=Dictionary()))), "SMask"),
        (changed(on_page("/X", Dictionary(Group=Dictionary(S=Name.Transparency)))), "transparency (group)"),
        (
            changed(on_page("/F", Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))),
            "Helvetica is not embedded",
        ),
        (changed(lambda pdf: pdf.pages.__delitem__(0)), "no page"),
        (changed(lambda pdf: None, encryption=pikepdf.Encryption(owner="x", user="")), "encrypted"),
        (RIGHT[:-200] + b"startxref\n1\n%%EOF", "damaged"),
    ],
)
def test_each_thing_is_told(data: bytes, said: str) -> None:
    found = pdf_a1_problems(data)
    assert any(said in one for one in found), found


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"%PDF-1.4",
        RIGHT[:300],
        RIGHT.replace(b"/Root", b"/Toor"),
        changed(lambda pdf: None, encryption=pikepdf.Encryption(owner="x", user="y")),
    ],
)
def test_what_is_no_pdf_is_refused(data: bytes) -> None:
    with pytest.raises(PdfError):
        pdf_a1_problems(data)


@given(st.integers(0, len(RIGHT) - 1), st.binary(min_size=1, max_size=8))
def test_any_scratch_is_told_or_harmless(at: int, scratch: bytes) -> None:
    """No exception but ours, whatever is written over it."""
    with suppress(PdfError):
        assert all(pdf_a1_problems(RIGHT[:at] + scratch + RIGHT[at + len(scratch) :]))


def test_names_of_the_catalogue_are_a_table() -> None:
    assert pdf_a1_problems(changed(on_root("/Names", Dictionary(Dests=Array())))) == ()


OF_ANOTHER_KIND: list[Callable[[], Any]] = [
    lambda: 7,
    lambda: pikepdf.String("word"),
    lambda: Name.Word,
    lambda: Array([1, pikepdf.String("word"), Array()]),
    lambda: Dictionary(A=1),
]


@pytest.mark.parametrize("make", OF_ANOTHER_KIND, ids=["number", "text", "name", "array", "dictionary"])
@pytest.mark.parametrize(
    "put",
    [
        *(lambda value, key=key: on_root(key, value) for key in ("/OutputIntents", "/Names", "/AA")),
        lambda value: on_page("/F", Dictionary(Type=Name.Font, BaseFont=value, FontDescriptor=value)),
        lambda value: on_page("/G", Dictionary(Type=Name.ExtGState, ca=value, SMask=value)),
        lambda value: on_page("/X", Dictionary(Type=value, S=value, Group=value)),
    ],
    ids=["intents", "names", "actions", "font", "state", "object"],
)
def test_what_stands_where_another_kind_belongs_is_told_or_harmless(put: Any, make: Callable[[], Any]) -> None:
    with suppress(PdfError):
        assert all(pdf_a1_problems(changed(put(make()))))
