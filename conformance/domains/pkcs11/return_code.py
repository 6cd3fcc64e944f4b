"""What a PKCS#11 function may be expected to answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bifente.conformance.loading.problems import nearest
from bifente.conformance.targets import cryptoki

NOT_FOUND = "NO_SUCH_OBJECT"
"""A search found nothing, so that the function in question was never called."""
CRASHED, NO_ANSWER = "CRASHED", "NO_ANSWER"
"""The module took its process down, or never came back: no code of PKCS#11, and never what ``not`` asks for."""

_CODES = frozenset(f"CKR_{name}" for name in cryptoki.RETURN_CODES.values())
_WORDS = _CODES | {NOT_FOUND}
_NUMBER = re.compile(r"0x[0-9A-F]{8}")
_EXAMPLE = "a name (CKR_PIN_INCORRECT), a list of them, or {not: CKR_OK}"


@dataclass(frozen=True, slots=True)
class ReturnCodeMatcher:
    """A return code by name, a list of which one must fit, or ``{not: ...}``: any other code."""

    @property
    def schema(self) -> dict[str, Any]:
        """Names, a list of them, or what it must not be."""
        word = {"anyOf": [{"enum": sorted(_WORDS)}, {"type": "string", "pattern": f"^{_NUMBER.pattern}$"}]}
        some = {"anyOf": [word, {"type": "array", "items": word, "minItems": 1}]}
        other = {"type": "object", "properties": {"not": some}, "required": ["not"], "additionalProperties": False}
        return {"anyOf": [some, other]}

    def complaint(self, expected: Any) -> str | None:
        """Says which name is unknown."""
        if isinstance(expected, Mapping):
            if set(expected) != {"not"}:
                return f"{_EXAMPLE} is expected"
            expected = expected["not"]
        words = _listed(expected)
        if not words:
            return "an empty list fits nothing"
        for word in words:
            if not isinstance(word, str) or not (word in _WORDS or _NUMBER.fullmatch(word)):
                return f"{word!r} is no return code: {_EXAMPLE}; {nearest(str(word), _WORDS)}"
        return None

    def meets(self, expected: Any, observed: Any) -> bool:
        """``observed`` is a name, or the hexadecimal value of a code without one."""
        if isinstance(expected, Mapping):
            is_code = observed in _CODES or _NUMBER.fullmatch(str(observed)) is not None
            return is_code and observed not in _listed(expected["not"])
        return observed in _listed(expected)

    def show(self, expected: Any) -> str:
        """``CKR_OK`` or ``CKR_A or CKR_B`` or ``not CKR_OK``."""
        if isinstance(expected, Mapping):
            return f"not {self.show(expected['not'])}"
        return " or ".join(map(str, _listed(expected)))

    def show_observed(self, observed: Any) -> str:
        """The name."""
        return str(observed)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
