"""Whether a sheet conforms: its acts, prices, rates and sums by the tables, and the body by the insured's own.

The rules are those that a practice keeps before it secures (``simulator.tarification.rules``). A body looks at
those that need no card: the reasons of ``reasons.yaml`` that name a ``rule``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache

from bifente.simulator.formats.fse.model import Invoice, Rejection
from bifente.simulator.services.frontal.reasons import reasons, rejection
from bifente.simulator.tarification.rules import Facts, examine


def sheet_reasons(sheet: Invoice, today: date) -> Iterator[Rejection]:
    """Why a sheet received ``today`` does not conform, in the order of the rules; the place says what was expected."""
    codes = _codes()
    for finding in examine(sheet, Facts(today)):
        if finding.code in codes:
            yield rejection(codes[finding.code], sheet.number, finding.sentence.fr)


@cache
def _codes() -> Mapping[str, str]:
    """The reason of each rule that a body looks at."""
    return {reason.rule: code for code, reason in reasons().items() if reason.rule}
