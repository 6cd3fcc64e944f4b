"""Why INSi refuses, each with the fault it answers and the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from lxml import etree

from bifente.ground.fidelity import Fidelity
from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.formats.insi.names import ERROR, SIRAM_NS
from bifente.simulator.formats.soap import NS, FaultStyle, SoapCode, SoapFaultError, element
from bifente.simulator.formats.soap.xml import XmlElement
from bifente.simulator.services.insi.quirks import InsiQuirk

EXPLANATION = "{urn:bifente:insi}Explication"
"""Ours, beside the Erreur of the field: what was wrong in words, and how to mend it."""


@dataclass(frozen=True, slots=True)
class InsiRefusal:
    """One row."""

    id: str
    siram: str
    code: str
    side: SoapCode
    severity: str
    text: Text
    remedy: Text
    fidelity: Fidelity
    source: str


class InsiRefusedError(Exception):
    """A request that is refused. ``detail`` says what, without the values sent."""

    def __init__(self, refusal: str, detail: Text | None = None) -> None:
        self.refusal = refusals()[refusal]
        self.detail = detail
        super().__init__(self.refusal.text.en + (f" ({detail.en})" if detail else ""))


@cache
def refusals() -> Mapping[str, InsiRefusal]:
    """Return every refusal by its id."""
    rows = shipped("bifente.simulator.services.insi", "refusals.yaml")["refusals"]
    return {
        row["id"]: InsiRefusal(
            row["id"],
            row["siram"],
            row["code"],
            SoapCode(row["side"]),
            row["severity"],
            Text(**row["text"]),
            Text(**row["remedy"]),
            Fidelity(row["fidelity"]),
            row["source"],
        )
        for row in rows
    }


def fault_for(error: InsiRefusedError, quirks: frozenset[InsiQuirk], message_id: str) -> SoapFaultError:
    """Return the fault that says it."""
    row = error.refusal
    severity = "fatal" if row.severity == "fatale" and InsiQuirk.FATAL in quirks else row.severity
    given = {"severite": severity, "code": row.code, **({"messageID": message_id} if message_id else {})}
    told = element(ERROR, row.text.fr, attributes=given, prefixes={"siram": SIRAM_NS})
    space = NS["env"] if InsiQuirk.SUBCODE_IN_SOAP in quirks else SIRAM_NS
    return SoapFaultError(
        row.side,
        _reason(row, error.detail),
        f"{{{space}}}{row.siram}",
        detail=(told, _explanation(row, error.detail)),
        http=500 if InsiQuirk.HTTP_500 in quirks else None,
    )


def _reason(row: InsiRefusal, detail: Text | None) -> Text:
    """The text of the field as it is; of a refusal of ours, what was wrong with it: many clients show no detail."""
    if detail is None or row.fidelity is not Fidelity.MODELLED:
        return row.text
    return Text(f"{row.text.fr.rstrip('.')} : {detail.fr}", f"{row.text.en.rstrip('.')}: {detail.en}")


def style_of(quirks: frozenset[InsiQuirk]) -> FaultStyle:
    """Return how faults are written."""
    mixed = InsiQuirk.PREFIXES in quirks
    return FaultStyle(
        prefix="soap" if mixed else "env",
        body_prefix="env" if mixed else None,
        fault_prefix="S" if mixed else None,
        lang="en" if InsiQuirk.LANG_EN in quirks else "fr",
    )


def _explanation(row: InsiRefusal, detail: Text | None) -> XmlElement:
    root = etree.Element(EXPLANATION, {"fidelite": row.fidelity.value}, nsmap={"bif": "urn:bifente:insi"})
    for lang in ("fr", "en"):
        said = f"{detail.get(lang)}. " if detail else ""
        node = etree.SubElement(root, "{urn:bifente:insi}Texte", {f"{{{NS['xml']}}}lang": lang})
        node.text = f"{said}{row.remedy.get(lang)}"
    return root
