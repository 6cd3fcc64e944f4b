"""Rows of the catalogue from plain data: every key and word checked, the mistake named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bifente.ground.text import Text
from bifente.simulator.fault import UNREADABLE, Fault, FaultError, FaultRoom, PromisedCodes, VpcdArtefact


def parse(data: Any, room: FaultRoom) -> Mapping[str, Fault]:
    """Return the rows of a room by id. Raise FaultError with the fault and the key that is wrong."""
    if not isinstance(data, Mapping) or set(data) != {"faults"} or not isinstance(data["faults"], list):
        raise FaultError(f"{room.name}: a catalogue of faults is a mapping with one key: faults, a list")
    found: dict[str, Fault] = {}
    for item in data["faults"]:
        one = _fault(item, room)
        if one.id in found:
            raise FaultError(f"two faults bear the id {one.id!r}")
        found[one.id] = one
    return found


_KEYS = {"id", "symptoms", "strikes", "mechanism", "cause", "remedy", "source", "fidelity"}
_OPTIONAL = {"expect", "vpcd", "needs"}
_FIDELITIES = ("documented", "observed", "modelled")
_LEVELS = {"pcsc", "sw", "galss", "ssv", "http", "word"}


def _fault(item: Any, room: FaultRoom) -> Fault:
    if not isinstance(item, Mapping):
        raise FaultError(f"a fault is a mapping, not {item!r}")
    name = str(item.get("id", "?"))
    _keys(name, item, _KEYS, _OPTIONAL)
    try:
        mechanism = dict(item["mechanism"])
        return Fault(
            id=name,
            symptoms=tuple(_sentence(symptom) for symptom in item["symptoms"]),
            place=_one_of(item["strikes"], tuple(sorted(room.places))),
            room=room.name,
            mechanism=_one_of(mechanism.pop("kind"), tuple(sorted(room.mechanisms))),
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


def _codes(name: str, item: Mapping[str, Any]) -> PromisedCodes:
    _keys(name, item, set(), _LEVELS)
    ssv = item.get("ssv", {})
    both = {"ps": ssv, "vitale": ssv} if isinstance(ssv, str) else ssv
    _keys(name, both, set(), {"ps", "vitale"})
    return PromisedCodes(
        pcsc=_pcsc(item["pcsc"]) if "pcsc" in item else None,
        sw=_hexadecimal(item.get("sw")),
        galss=_hexadecimal(item.get("galss")),
        ssv_ps=_hexadecimal(both.get("ps")),
        ssv_vitale=_hexadecimal(both.get("vitale")),
        http=_status(item.get("http")),
        word=item.get("word"),
    )


def _artefact(name: str, item: Any) -> VpcdArtefact | None:
    if item == "faithful":
        return None
    if not isinstance(item, Mapping):
        raise ValueError(f"vpcd is faithful, or a mapping of shows and why, not {item!r}")
    _keys(name, item, {"why"}, {"shows", "of"})
    shows = item.get("shows", [])
    names = shows if isinstance(shows, list) else [shows]
    known = tuple(name if name == UNREADABLE else _pcsc(str(name)) for name in names)
    return VpcdArtefact(known, _sentence(item["why"]), _one_of(item.get("of", "vpcd"), ("vpcd", "pcsc-lite")))


def _pcsc(name: str) -> str:
    from bifente.simulator.readers.codes import PcscCode  # with it come all readers: a return code need not wait

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


def _status(value: str | None) -> int | None:
    if value is None:
        return None
    if len(value) != 3 or not value.isdecimal():
        raise ValueError(f"an HTTP status has three digits, not {value!r}")
    return int(value)
