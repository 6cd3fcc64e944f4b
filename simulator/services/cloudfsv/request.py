"""What a call asks for: the function and its body, read and bounded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from bifente.simulator.services.cloudfsv.refusals import bad_request

LONGEST_BODY = 16_384
_LONGEST_FIELD = 64


class Function(StrEnum):
    """The functions seen in the field (sources#cloudfsv)."""

    LIRE_CONFIG = "LireConfig"
    LIRE_DATE_LECTEUR = "LireDateLecteur"
    LIRE_CARTE_PS = "LireCartePS"
    LIRE_DROITS_VITALE = "LireDroitsVitale"


METHODS: Mapping[Function, tuple[str, ...]] = {
    Function.LIRE_CONFIG: ("GET",),
    # Its method was not observed: both are served.
    Function.LIRE_DATE_LECTEUR: ("GET", "POST"),
    Function.LIRE_CARTE_PS: ("POST",),
    Function.LIRE_DROITS_VITALE: ("POST",),
}

TURBO = "1"


@dataclass(frozen=True, slots=True)
class ReadingBody:
    """The fields of a body; what is missing is None."""

    code: str | None = None
    consultation: date | None = None
    mode: str | None = None
    virtual_card: str | None = None

    @property
    def turbo(self) -> bool:
        """The one mode that was observed; any other value is taken for the normal one (modelled)."""
        return self.mode == TURBO

    @classmethod
    def read(cls, raw: bytes) -> ReadingBody:
        """Of JSON; no body at all is an empty one. Others are left alone. Raises HttpRefusal (400, modelled)."""
        if not raw.strip():
            return cls()
        if len(raw) > LONGEST_BODY:
            raise bad_request(f"corps de plus de {LONGEST_BODY} octets", "body-too-long")
        try:
            fields = json.loads(raw)
        except (ValueError, RecursionError):
            raise bad_request("corps illisible : du JSON est attendu", "body-unreadable") from None
        if not isinstance(fields, dict):
            raise bad_request("corps illisible : un objet JSON est attendu", "body-unreadable")
        return cls(
            code=_text(fields, "codePorteur"),
            consultation=_day(fields, "dateConsultation"),
            mode=_text(fields, "mode"),
            virtual_card=_text(fields, "labelCvVirtuelle"),
        )


def _text(fields: Mapping[str, Any], name: str) -> str | None:
    value = fields.get(name)
    if value is None or value == "":
        return None
    if not isinstance(value, str) or len(value) > _LONGEST_FIELD:
        raise bad_request(f"{name} : un texte de {_LONGEST_FIELD} caractères au plus est attendu", f"field-{name}")
    return value


def _day(fields: Mapping[str, Any], name: str) -> date | None:
    value = _text(fields, name)
    try:
        # fromisoformat alone would take 20260101 and 2026-W01-1 too.
        if value is not None and (len(value) != len("YYYY-MM-DD") or value[4] != "-" or value[7] != "-"):
            raise ValueError
        return date.fromisoformat(value) if value is not None else None
    except ValueError:
        raise bad_request(f"{name} : une date AAAA-MM-JJ est attendue", f"field-{name}") from None
