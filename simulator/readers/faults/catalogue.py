"""The catalogue of faults: what a user says, where it strikes, which codes must be seen, what the desk does."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from bifente.ground.shipped import shipped_texts
from bifente.ground.text import Text
from bifente.simulator.readers.codes import PcscCode

UNREADABLE = "UNREADABLE_ANSWER"
"""What a client makes of a PC/SC success whose answer has no room for a status word."""


class FaultError(ValueError):
    """The catalogue is wrong, or a fault is asked for that it does not have. One sentence."""


class Place(StrEnum):
    """Where a fault strikes."""

    CARD = "card"
    LINE = "line"
    READER = "reader"
    SERVICE = "service"
    GALSS = "galss"
    CONFIGURATION = "configuration"
    WIRELESS = "wireless"
    NETWORK = "network"


class Mechanism(StrEnum):
    """How the bench makes a fault."""

    MUTE = "mute"
    DEAD = "dead"
    LATE = "late"
    TRUNCATED = "truncated"
    STATUS = "status"
    FAILED = "failed"
    WITHDRAWN_AFTER = "withdrawn-after"
    WITHDRAWN_DURING = "withdrawn-during"
    UNPOWERED = "unpowered"
    MICRO_CUT = "micro-cut"
    SUSPENDED = "suspended"
    THROTTLED = "throttled"
    REMOVED = "removed"
    LOST = "lost"
    SWAPPED = "swapped"
    RESET = "reset"
    HELD = "held"
    TERMINAL = "terminal"
    CARD = "card"
    """Another card stands in the slot, made for the purpose."""
    SERVICE = "service"
    GALSS_FILE = "galss-file"
    GALSS_SERVER = "galss-server"

    @property
    def on_the_line(self) -> bool:
        """Whether it strikes commands, so that one can say which."""
        return self in _LINE


_LINE = frozenset(
    {
        *(Mechanism.MUTE, Mechanism.LATE, Mechanism.TRUNCATED, Mechanism.STATUS, Mechanism.FAILED),
        *(Mechanism.WITHDRAWN_AFTER, Mechanism.WITHDRAWN_DURING, Mechanism.UNPOWERED, Mechanism.MICRO_CUT),
        *(Mechanism.SUSPENDED, Mechanism.THROTTLED),
    }
)


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes a fault promises at each level; None where there is none to expect.

    ``pcsc`` is a name of ``PcscCode``, ``sw`` a status word. ``ssv_ps`` and ``ssv_vitale`` are what an SSV function
    returns when it is the professional's card, or the Vitale, that is struck.
    """

    pcsc: str | None = None
    sw: int | None = None
    galss: int | None = None
    ssv_ps: int | None = None
    ssv_vitale: int | None = None


@dataclass(frozen=True, slots=True)
class Artefact:
    """What a virtual reader behind vpcd shows instead of the promised PC/SC code, and why."""

    shows: tuple[str, ...]
    """Names of ``PcscCode``, or ``UNREADABLE``: any of them, as the moment has it; none where it cannot be made."""
    why: Text


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the catalogue. ``needs`` are capabilities a reader profile must offer for it to be possible."""

    id: str
    symptoms: tuple[Text, ...]
    place: Place
    mechanism: Mechanism
    parameters: Mapping[str, Any]
    """As texts: whoever makes the fault knows what they are."""
    codes: Codes
    cause: Text
    remedy: Text
    artefact: Artefact | None
    """None if the vpcd path is faithful, or not concerned."""
    needs: frozenset[str]
    source: str
    fidelity: str

    def facts(self) -> Mapping[str, Any]:
        """What a scenario may refer to as ``$faults.<id>...``: the codes promised, as texts."""
        codes = self.codes
        numbers = {"sw": codes.sw, "galss": codes.galss, "ssv-ps": codes.ssv_ps, "ssv-vitale": codes.ssv_vitale}
        known = {"pcsc": codes.pcsc, **{key: None if n is None else f"{n:04X}" for key, n in numbers.items()}}
        shown = {"shows": list(self.artefact.shows)} if self.artefact and self.artefact.shows else {}
        return {**{key: value for key, value in known.items() if value is not None}, **shown}


def fault(identifier: str) -> Fault:
    """A fault by its id. Raises FaultError."""
    try:
        return catalogue()[identifier]
    except KeyError:
        raise FaultError(f"no fault is named {identifier!r}") from None


@cache
def catalogue() -> Mapping[str, Fault]:
    """Every fault by its id, in the order of the file."""
    # Codes are hexadecimal: none may turn into a number on the way.
    return parse(shipped_texts(__package__, "catalogue.yaml"))


def parse(data: Any) -> Mapping[str, Fault]:
    """The catalogue from plain data. Raises FaultError with the fault and the key that is wrong."""
    if not isinstance(data, Mapping) or set(data) != {"faults"} or not isinstance(data["faults"], list):
        raise FaultError("a catalogue of faults is a mapping with one key: faults, a list")
    found: dict[str, Fault] = {}
    for item in data["faults"]:
        one = _fault(item)
        if one.id in found:
            raise FaultError(f"two faults bear the id {one.id!r}")
        found[one.id] = one
    return found


_KEYS = {"id", "symptoms", "strikes", "mechanism", "cause", "remedy", "source", "fidelity"}
_OPTIONAL = {"expect", "vpcd", "needs"}
_FIDELITIES = ("documented", "observed", "modelled")
_LEVELS = {"pcsc", "sw", "galss", "ssv"}


def _fault(item: Any) -> Fault:
    if not isinstance(item, Mapping):
        raise FaultError(f"a fault is a mapping, not {item!r}")
    name = str(item.get("id", "?"))
    _keys(name, item, _KEYS, _OPTIONAL)
    try:
        mechanism = dict(item["mechanism"])
        return Fault(
            id=name,
            symptoms=tuple(_sentence(symptom) for symptom in item["symptoms"]),
            place=Place(item["strikes"]),
            mechanism=Mechanism(mechanism.pop("kind")),
            parameters=mechanism,
            codes=_codes(name, item.get("expect") or {}),
            cause=_sentence(item["cause"]),
            remedy=_sentence(item["remedy"]),
            artefact=_artefact(name, item["vpcd"]) if "vpcd" in item else None,
            needs=frozenset(item.get("needs") or ()),
            source=item["source"],
            fidelity=_one_of(item["fidelity"], _FIDELITIES),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FaultError(f"fault {name!r}: {error}") from None


def _keys(name: str, item: Mapping[str, Any], needed: set[str], optional: set[str]) -> None:
    for missing in sorted(needed - item.keys()):
        raise FaultError(f"fault {name!r}: the key {missing!r} is missing")
    for unknown in sorted(item.keys() - needed - optional):
        raise FaultError(f"fault {name!r}: unknown key {unknown!r}")


def _sentence(item: Mapping[str, str]) -> Text:
    if set(item) != {"fr", "en"} or not all(item.values()):
        raise ValueError(f"a sentence has fr and en, not {item!r}")
    return Text(item["fr"], item["en"])


def _codes(name: str, item: Mapping[str, Any]) -> Codes:
    _keys(name, item, set(), _LEVELS)
    ssv = item.get("ssv", {})
    both = {"ps": ssv, "vitale": ssv} if isinstance(ssv, str) else ssv
    _keys(name, both, set(), {"ps", "vitale"})
    return Codes(
        pcsc=_pcsc(item["pcsc"]) if "pcsc" in item else None,
        sw=_hexadecimal(item.get("sw")),
        galss=_hexadecimal(item.get("galss")),
        ssv_ps=_hexadecimal(both.get("ps")),
        ssv_vitale=_hexadecimal(both.get("vitale")),
    )


def _artefact(name: str, item: Any) -> Artefact | None:
    if item == "faithful":
        return None
    if not isinstance(item, Mapping):
        raise ValueError(f"vpcd is faithful, or a mapping of shows and why, not {item!r}")
    _keys(name, item, {"why"}, {"shows"})
    shows = item.get("shows", [])
    names = shows if isinstance(shows, list) else [shows]
    known = tuple(name if name == UNREADABLE else _pcsc(str(name)) for name in names)
    return Artefact(known, _sentence(item["why"]))


def _pcsc(name: str) -> str:
    return _one_of(name, tuple(code.name for code in PcscCode))


def _one_of(value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ValueError(f"{value!r} is none of {', '.join(known)}")
    return value


def _hexadecimal(value: str | None) -> int | None:
    if value is None:
        return None
    if len(value) != 4:
        raise ValueError(f"a code has four hexadecimal digits, not {value!r}")
    return int(value, 16)


# -- the words of a customer ------------------------------------------------------------------------------------------

_SHORTEST = 3
"""Letters of the shortest word that says something."""


def search(words: str, faults: Iterable[Fault] | None = None) -> list[Fault]:
    """The faults whose symptoms, cause or codes have the words a customer used, the likeliest first.

    A word counts by its beginning, accents and case aside, and for more in a symptom than in a cause. A code (F101,
    8010001D, NO_SERVICE) counts as a word. Nothing that fits gives an empty list.
    """
    asked = list(dict.fromkeys(word for word in _words(words) if len(word) >= _SHORTEST))
    scored = []
    for one in catalogue().values() if faults is None else faults:
        said = _words(" ".join(f"{symptom.fr} {symptom.en}" for symptom in one.symptoms))
        known = _words(f"{one.id} {one.cause.fr} {one.cause.en} {' '.join(_all_codes(one))}")
        score = sum(_worth(word, said, known) for word in asked)
        if score:
            scored.append((score / (1 + len(said) / _LONG), one))
    return [one for _score, one in sorted(scored, key=lambda pair: -pair[0])]


_CODE = 9
"""What a code counts for wherever it stands: it is the surest thing a customer can say."""
_SAID = 3
_LONG = 200
"""Words of a symptom after which it counts for half: a long list of symptoms has every word."""


def _worth(word: str, said: list[str], known: list[str]) -> int:
    if _is_code(word):
        return _CODE if word in said or word in known else 0
    return _SAID if _has(word, said) else int(_has(word, known))


def _is_code(word: str) -> bool:
    """A code is that code or another: half of one is nothing."""
    return any(letter.isdigit() or letter == "_" for letter in word)


def _has(word: str, words: list[str]) -> bool:
    stem = word[: max(_SHORTEST + 1, len(word) - 2)]
    return any(other.startswith(stem) for other in words)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(letter if letter.isalnum() or letter == "_" else " " for letter in plain).split()


def _all_codes(one: Fault) -> list[str]:
    codes = one.codes
    numbers = [number for number in (codes.sw, codes.galss, codes.ssv_ps, codes.ssv_vitale) if number is not None]
    pcsc = [codes.pcsc, f"{PcscCode[codes.pcsc].value:08X}"] if codes.pcsc else []
    return [*pcsc, *(f"{number:04X} {number}" for number in numbers)]
