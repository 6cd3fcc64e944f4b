"""The known ways to break ``galss.ini`` as rules: each with its code of the GALSS, cured by a file that fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_CURE = {
    "fr": "garder une copie de galss.ini, en écrire un qui convient au lecteur (bifente galss make), relancer le GALSS",
    "en": "keep a copy of galss.ini, write one that fits the reader (bifente galss make), start the GALSS again",
}
_CONFIRM = {
    "fr": "examiner le fichier : bifente galss check galss.ini",
    "en": "examine the file: bifente galss check galss.ini",
}


def breakage_rows() -> Iterator[Mapping[str, Any]]:
    """Yield each way as a row of rules."""
    from bifente.simulator.middleware.galss.breaking import breakages  # with it comes the GALSS

    for one in breakages().values():
        yield {
            "id": f"galss-ini-{one.id}",
            "when": {"galss-ini": one.id, "card-access": "galss"},
            "effects": [{"kind": "galss-file", "breakage": one.id}],
            "title": {"fr": f"galss.ini : {one.title.fr}", "en": f"galss.ini: {one.title.en}"},
            "cause": {
                "fr": f"dans galss.ini, {one.title.fr} : le GALSS ne donne pas accès aux cartes",
                "en": f"in galss.ini {one.title.en}: the GALSS gives no access to the cards",
            },
            "cure": _CURE,
            "confirm": _CONFIRM,
            "source": "sources#galss-codes" if one.code else "sources#galss-ini",
            "confidence": "field",
            "finding": "GALSS_ABSENT_READER" if one.id == "reader-name-wrong" else "",
            "cured-by": {"galss-ini": "fits"},
        }
