"""A verification in lines of text, and as plain values for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bifente.ground.text import Lang, Text
from bifente.reports.clean import one_line
from bifente.reports.verifying.checks import CheckedPart, Verification, VerifiedCheck

_SIGNS = {True: "✓", False: "✗", None: "○"}
_PARTS = {
    CheckedPart.DIGEST: Text("empreinte", "digest"),
    CheckedPart.JOURNAL: Text("journal", "journal"),
    CheckedPart.STRUCTURE: Text("structure", "structure"),
    CheckedPart.VERDICTS: Text("verdicts", "verdicts"),
    CheckedPart.REPORTS: Text("rapports", "reports"),
    CheckedPart.INPUTS: Text("fichiers lus", "files read"),
}
_HOLDS = Text("Tout ce qui a pu être vérifié tient.", "All that could be checked holds.")
_UNCHECKED = Text("Non vérifié (○) : {count}.", "Not checked (○): {count}.")
_DOES_NOT = Text("Le relevé ne tient pas.", "The record does not hold.")
_UNSIGNED = Text(
    "Rien n'est signé : un relevé réécrit de façon cohérente ne se voit qu'à l'empreinte, gardée ailleurs.",
    "Nothing is signed: a record rewritten with consistency shows by its digest alone, kept elsewhere.",
)
_LONGEST = 400


def lines(found: Verification, lang: Lang) -> Iterator[str]:
    """Yield the lines of a verification, for a terminal."""
    yield f"SHA-256 {found.sha256}"
    for check in found.checks:
        place = f" : {_short(check.place)}" if check.place is not None and check.holds is False else ""
        yield f"{_SIGNS[check.holds]} {_name(check, lang)}{place} : {_short(check.text.get(lang))}"
    yield (_HOLDS if found.holds else _DOES_NOT).get(lang)
    if unchecked := sum(check.holds is None and check.part is not CheckedPart.DIGEST for check in found.checks):
        yield _UNCHECKED.get(lang).format(count=unchecked)
    if not found.known:
        yield _UNSIGNED.get(lang)


def _name(check: VerifiedCheck, lang: Lang) -> str:
    # Where a report fails, its place names it.
    return check.file if check.file and check.holds is not False else _PARTS[check.part].get(lang)


def _short(text: str) -> str:
    text = one_line(text[: _LONGEST + 1])
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def plain(found: Verification, lang: Lang) -> dict[str, Any]:
    """Return a verification as plain values for JSON."""
    return {
        "holds": found.holds,
        "sha256": found.sha256,
        "run": _short(found.start.run_id),
        "checks": [
            {
                "id": check.id,
                "holds": check.holds,
                "place": None if check.place is None else _short(check.place),
                "text": _short(check.text.get(lang)),
            }
            for check in found.checks
        ],
    }
