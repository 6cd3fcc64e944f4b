"""Claims of a token or of UserInfo, by their paths: ``{SubjectRefPro.exercices.0.activities: {length: 3}}``."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bifente.conformance.expectations import Matcher, ValueMatcher

ABSENT = "absent"
_PATH = re.compile(r"[A-Za-z0-9_#-]+(\.[A-Za-z0-9_#-]+)*")


@dataclass(frozen=True, slots=True)
class ClaimsMatcher:
    """Paths to a value or a test, to ``absent``, or to ``{length: n}`` of a list."""

    value: Matcher = field(default_factory=ValueMatcher)

    @property
    def schema(self) -> dict[str, Any]:
        """A mapping whose keys are paths."""
        length = {"type": "object", "properties": {"length": {"type": "integer"}}, "required": ["length"]}
        return {
            "type": "object",
            "propertyNames": {"pattern": f"^{_PATH.pattern}$"},
            "additionalProperties": {"anyOf": [self.value.schema, length]},
            "minProperties": 1,
        }

    def complaint(self, expected: Any) -> str | None:
        """Say which path or test is malformed."""
        if not isinstance(expected, Mapping) or not expected:
            return "a mapping of claims to values is needed, e.g. {SubjectNameID: 899900000011}"
        for path, wanted in expected.items():
            if not _PATH.fullmatch(str(path)):
                return f"{path!r} is no claim: names joined by dots, ranks from 0"
            if _length(wanted) is None and wanted != ABSENT and (complaint := self.value.complaint(wanted)):
                return f"{path}: {complaint}"
        return None

    def meets(self, expected: Any, observed: Any) -> bool:
        """``observed`` are claims; None where there were none."""
        return isinstance(observed, Mapping) and all(
            self._one(found_at(observed, str(path)), wanted) for path, wanted in expected.items()
        )

    def _one(self, found: Any, wanted: Any) -> bool:
        if wanted == ABSENT:
            return found is None
        length = _length(wanted)
        if length is not None:
            return isinstance(found, list) and len(found) == length
        return self.value.meets(wanted, found)

    def show(self, expected: Any) -> str:
        """``SubjectNameID 899900000011, acr eidas1``."""
        return ", ".join(
            f"{path} {wanted if wanted == ABSENT else self.value.show(wanted) or '(empty)'}"
            for path, wanted in expected.items()
        )

    def show_observed(self, observed: Any) -> str:
        """Every claim that is a plain value."""
        if not isinstance(observed, Mapping):
            return "(no claims)"
        return ", ".join(f"{key} {value}" for key, value in observed.items() if not isinstance(value, list | dict))


def claims_of(token: str) -> dict[str, Any]:
    """Return what a token says, unverified; nothing if it cannot be read."""
    try:
        part = token.split(".")[1]
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _length(wanted: Any) -> int | None:
    if isinstance(wanted, Mapping) and set(wanted) == {"length"}:
        return int(wanted["length"])
    return None


def found_at(claims: Any, path: str) -> Any:
    """Return what lies at a path, None if nothing does."""
    found = claims
    for part in path.split("."):
        if isinstance(found, Mapping):
            found = found.get(part)
        elif isinstance(found, list) and part.isdecimal():
            found = found[int(part)] if int(part) < len(found) else None
        else:
            return None
    return found
