"""What a search may find, made into words: each clause of its symptoms, and the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from bifente.simulator.fault import Fault
from bifente.simulator.faults.everyday import EverydayCause
from bifente.simulator.faults.leads import words_of
from bifente.simulator.faults.writing import one_writing

Known: TypeAlias = Fault | EverydayCause
"""What a search may find."""


@dataclass(frozen=True, slots=True)
class SaidEntry:
    """The words of one entry."""

    one: Known
    symptoms: tuple[tuple[str, ...], ...]
    """One tuple of words for each clause of a symptom, in each language."""
    rest: tuple[str, ...]

    words: frozenset[str]


def said_entry(one: Known) -> SaidEntry:
    """Return an entry in words."""
    symptoms = tuple(
        tuple(words_of(one_writing(clause)))
        for symptom in one.symptoms
        for said in (symptom.fr, symptom.en)
        for clause in said.split(",")
    )
    told = f"{one.id} {one.cause.fr} {one.cause.en} {' '.join(_all_codes(one))}"
    rest = tuple(words_of(one_writing(told)))
    return SaidEntry(one, symptoms, rest, frozenset(word for said in (*symptoms, rest) for word in said))


def _all_codes(one: Known) -> list[str]:
    if isinstance(one, EverydayCause):
        return list(one.said_codes)
    from bifente.simulator.readers.codes import PcscCode  # with it come all readers: a return code need not wait

    codes = one.codes
    numbers = [number for number in (codes.sw, codes.galss, codes.ssv_ps, codes.ssv_vitale) if number is not None]
    pcsc = [codes.pcsc, f"{PcscCode[codes.pcsc].value:08X}"] if codes.pcsc else []
    words = [str(codes.http or ""), codes.word or ""]
    return [*pcsc, *words, *(f"{number:04X} {number}" for number in numbers)]
