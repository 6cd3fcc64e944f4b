"""The patient's panel: what the groups of a Vitale say on a day, in the words of the page (SEED-WEBMEDECIN-07)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

LONGEST = 65_536
_NIR = re.compile(r"[1-478][0-9]{4}(?:[0-9]{2}|2[AB])[0-9]{6}(?:[0-9]{2})?", re.ASCII)
_C2S = frozenset({"02", "03"})
_AME = "10"


class UnreadableCardError(ValueError):
    """What a page gave back of a card cannot be read. One sentence, in French."""


@dataclass(frozen=True, slots=True)
class PatientPanel:
    """One beneficiary as the page shows it: labels and values, in their order."""

    rows: Sequence[tuple[str, str]]


def from_card(text: str, today: date) -> list[PatientPanel]:
    """Return a panel for each beneficiary of the groups that the component read. Raise UnreadableCardError."""
    insured: Mapping[str, str] = {}
    found: list[tuple[Mapping[str, str], list[Mapping[str, str]], list[Mapping[str, str]]]] = []
    for group in _groups(text):
        fields = group["fields"]
        if group["id"] == 101:
            insured = fields
        elif group["id"] == 104:
            found.append((fields, [], []))
        elif group["id"] == 105 and found:
            found[-1][1].append(fields)
        elif group["id"] == 106 and found:
            found[-1][2].append(fields)
    if not insured or not found:
        raise UnreadableCardError("la carte n'a ni assuré ni bénéficiaire lisible")
    return [_panel(insured, *one, today) for one in found]


def from_number(typed: str) -> PatientPanel:
    """Return the panel of a number that was typed: nothing medical, and no rights. Raise UnreadableCardError."""
    nir = "".join(typed.split()).upper()
    if not _NIR.fullmatch(nir):
        raise UnreadableCardError("ce numéro n'a pas la forme d'un NIR : 13 chiffres, et la clé si vous la connaissez")
    if len(nir) == 15 and int(nir[13:]) != _key(nir[:13]):
        raise UnreadableCardError("la clé de ce NIR est fausse : vérifiez les chiffres")
    return PatientPanel((("NIR", nir[:13]), ("Clé", f"{_key(nir[:13]):02d}")))


def _key(nir: str) -> int:
    number = int(nir.replace("2A", "19").replace("2B", "18"))
    return 97 - number % 97


def _groups(text: str) -> list[Mapping[str, Any]]:
    if len(text) > LONGEST:
        raise UnreadableCardError("la lecture est trop longue")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(_is_group(one) for one in found):
        raise UnreadableCardError("la lecture de la carte est illisible")
    return found


def _is_group(one: Any) -> bool:
    if not isinstance(one, dict) or not isinstance(one.get("id"), int) or not isinstance(one.get("fields"), dict):
        return False
    return all(isinstance(key, str) and isinstance(value, str) for key, value in one["fields"].items())


def _panel(
    insured: Mapping[str, str],
    one: Mapping[str, str],
    rights: Sequence[Mapping[str, str]],
    coverage: Sequence[Mapping[str, str]],
    today: date,
) -> PatientPanel:
    day = f"{today:%Y%m%d}"
    now = next((period for period in coverage if _covers(period, day)), {})
    service = one.get("service-code", "")
    exempted = now.get("ald-code", "0") not in ("", "0")
    born = one.get("birth-date", "")[:8]
    return PatientPanel(
        (
            ("Nom", one.get("usual-name", "")),
            ("Prénom", one.get("first-name", "")),
            ("NIR", one.get("certified-nir") or insured.get("nir", "")),
            ("Date de naissance", f"{born[6:8]}/{born[4:6]}/{born[:4]}" if len(born) == 8 else born),
            ("Rang", one.get("birth-rank", "")),
            ("Régime", insured.get("regime", "")),
            ("Caisse", f"{insured.get('caisse', '')} {insured.get('centre', '')}".strip()),
            ("Droits ce jour", _yes(any(_covers(period, day) for period in rights))),
            ("Exonération", _yes(exempted)),
            ("Complémentaire santé solidaire", _yes(service in _C2S)),
            ("AME", _yes(service == _AME)),
            ("Médecin traitant", "non connu"),
        )
    )


def _covers(period: Mapping[str, str], day: str) -> bool:
    start, end = period.get("start", "")[:8], period.get("end", "")[:8]
    return (start in ("", "00000000") or start <= day) and (end in ("", "00000000") or day <= end)


def _yes(value: bool) -> str:
    return "oui" if value else "non"
