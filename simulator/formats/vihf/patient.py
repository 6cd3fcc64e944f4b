"""The INS as messages write it: matricule with its key, and the OID that says what it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bifente.ground.identifiers import nir_key


class InsOid(StrEnum):
    """Whose numbers an INS is of."""

    NIR = "1.2.250.1.213.1.4.8"
    NIA = "1.2.250.1.213.1.4.9"
    TEST = "1.2.250.1.213.1.4.10"
    DEMO = "1.2.250.1.213.1.4.11"


_NUMBER = re.compile(r"[1-478]\d{4}(?:\d\d|2[AB])\d{6}", re.ASCII)
_WRITTEN = re.compile(r"([0-9AB]{13})([0-9]{2})\^\^\^&([0-9.]{5,64})&ISO\^NH", re.ASCII)


@dataclass(frozen=True, slots=True)
class InsIdentifier:
    """An INS. ``number`` has 13 characters, 2A and 2B for Corsica included; its key is apart."""

    number: str
    key: str
    oid: str = InsOid.TEST

    @property
    def whole(self) -> str:
        """Return number and key together, as CDA and HL7 have them."""
        return self.number + self.key

    @property
    def written(self) -> str:
        """Return it as a VIHF and XDS metadata have it."""
        return f"{self.whole}^^^&{self.oid}&ISO^NH"

    @property
    def problem(self) -> str | None:
        """Return what is wrong with it in one sentence, None if nothing is."""
        if not _NUMBER.fullmatch(self.number):
            return "the number has not the form of a NIR"
        if nir_key(self.number) != self.key:
            return "the key is not that of the number"
        if self.oid not in {*InsOid}:
            return "the OID is none of an INS"
        return None

    @classmethod
    def read(cls, text: str) -> InsIdentifier:
        """Return the INS written as in a VIHF. Raise ValueError, in words, without the number."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError("an INS is written <number and key>^^^&<OID>&ISO^NH")
        made = cls(found[1], found[2], found[3])
        if (problem := made.problem) is not None:
            raise ValueError(problem)
        return made
