"""The published corrections of the Cryptolib as rules: one for each system, with the versions that had the defect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bifente.ground.shipped import shipped

_CURE = {
    "fr": "installer la Cryptolib CPS {version} ou plus récente, si elle est prévue pour ce système ; redémarrer",
    "en": "install Cryptolib CPS {version} or newer, if it is meant for this system; restart",
}
_CONFIRM = {
    "fr": "relever la version dans CPS-Gestion (« À propos »), puis refaire le même geste avec la {version}",
    "en": 'read the version in CPS-Gestion ("About"), then do the same again with {version}',
}


def correction_rows() -> Iterator[Mapping[str, Any]]:
    """Yield each correction as a row of rules."""
    for row in shipped(__package__, "rules", "corrections.yaml")["corrections"]:
        for system, version in row["cured-in"].items():
            first = row.get("from", {}).get(system)
            yield {
                "id": f"cryptolib-{row['id']}-{system}",
                "when": {
                    "os": system,
                    "cryptolib": f">={first}, <{version}" if first else f"<{version}",
                    **row["when"],
                },
                "effects": row["effects"],
                "title": row["title"],
                "cause": row["cause"],
                "cure": {lang: text.format(version=version) for lang, text in _CURE.items()},
                "confirm": {lang: text.format(version=version) for lang, text in _CONFIRM.items()},
                "source": f"sources#cryptolib-releases ({system} {version}, {row['id']})",
                "confidence": "release-note",
                "cured-by": {"cryptolib": version},
            }
