"""The catalogue of reasons: why a body refuses a file, a lot, a sheet or a payment. Its codes are the laboratory's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.formats.fse.model import Rejection
from bifente.simulator.formats.fse.securing.verifying import reasons as signature_reasons

_PLACE = 80
"""Characters of a place in a return."""


class RejectionLevel(StrEnum):
    """What a reason is about. A claim counts as an invoice; a signature is that of a lot or of an invoice."""

    FILE = "file"
    LOT = "lot"
    SIGNATURE = "signature"
    INVOICE = "invoice"


class RejectionEffect(StrEnum):
    """What comes of a reason."""

    ARL_NEGATIVE = "arl-negative"
    RSP_REJECT = "rsp-reject"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. ``code`` is what returns carry; ``fidelity`` that of the rule behind it.

    ``rule``: the rule of ``simulator/tarification/rules.yaml`` that a sheet breaks, if it is one of those.
    ``field``: the reject code of the field that says the same, where one is known (sources#noemie).
    """

    code: str
    level: RejectionLevel
    effect: RejectionEffect
    label: Text
    source: str
    fidelity: str
    rule: str | None = None
    field: str | None = None


@cache
def reasons() -> Mapping[str, Reason]:
    """Every reason by its code, in the order of the checks."""
    words = signature_reasons()
    return {
        code: Reason(
            code=code,
            level=RejectionLevel(item["level"]),
            effect=RejectionEffect(item["effect"]),
            label=Text(item["fr"], item["en"]) if "fr" in item else words[code],
            source=item["source"],
            fidelity=item["fidelity"],
            rule=item.get("rule"),
            field=item.get("field"),
        )
        for code, item in shipped(__package__, "reasons.yaml")["reasons"].items()
    }


def rejection(code: str, invoice: int | None = None, place: str = "") -> Rejection:
    """A rejection for a reason of the catalogue, in the words that a return carries: French ones, and a short place."""
    reason = reasons()[code]
    label = f"{reason.label.fr} ({reason.field})" if reason.field else reason.label.fr
    return Rejection(code, label, invoice, shortened(place))


def shortened(place: str) -> str:
    """A place as a return can hold it: printable Latin-1, so many characters, no blank at its end."""
    kept = "".join(letter if " " <= letter <= "~" or "\xa1" <= letter <= "\xff" else "?" for letter in place)
    return (kept if len(kept) <= _PLACE else f"{kept[: _PLACE - 3]}...").rstrip(" ")
