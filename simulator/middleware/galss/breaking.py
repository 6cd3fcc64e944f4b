"""``galss.ini`` broken on purpose, in each way that is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from bifente.ground.shipped import shipped
from bifente.ground.text import Text
from bifente.simulator.middleware import ini

_WHOLE: Mapping[str, bytes | None] = {
    "missing": None,
    "": b"",
    "utf-16": "[CONFIG]\r\nNbCanaux=2\r\n".encode("utf-16"),
    "binary": bytes(range(256)),
}


@dataclass(frozen=True, slots=True)
class Breakage:
    """One way: an edit of a key or section, or what becomes of the ``whole`` file.

    ``code`` is what the GALSS returns with such a file, 0 where it takes the file all the same.
    """

    id: str
    title: Text
    code: int
    section: str = ""
    key: str | None = None
    value: str | None = None
    whole: str | None = None

    def strike(self, data: bytes) -> bytes | None:
        """The file so broken, None if it is gone. Raises KeyError if it lacks what is to be broken."""
        return _WHOLE[self.whole] if self.whole is not None else ini.edited(data, self.section, self.key, self.value)


@lru_cache(maxsize=1)
def breakages() -> Mapping[str, Breakage]:
    """Every way by its id."""
    data = shipped(__package__, "breakages.yaml")
    return {
        entry["id"]: Breakage(
            id=entry["id"],
            title=Text(fr=entry["fr"], en=entry["en"]),
            code=int(entry.get("code", "0"), 16),
            section=entry.get("section", ""),
            key=entry.get("key"),
            value=entry.get("value"),
            whole=entry.get("whole"),
        )
        for entry in data["breakages"]
    }


def swapped(data: bytes) -> bytes:
    """The file with the reader names of CANAL1 and CANAL2 exchanged: what is in force once the cards changed slots.

    Raises KeyError if it has no two channels.
    """
    file = ini.read(data)
    names = []
    for number in (1, 2):
        section = file.get(f"CANAL{number}")
        entry = section.get("Caracteristiques") if section is not None else None
        if entry is None:
            raise KeyError(f"[CANAL{number}] Caracteristiques")
        names.append(entry.value)
    data = ini.edited(data, "CANAL1", "Caracteristiques", names[1])
    return ini.edited(data, "CANAL2", "Caracteristiques", names[0])
