"""ChannelOrders as a hand types them: ``insert cps``, ``inject card-mute slot=cps at=verify command=2``, or JSON."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from bifente.conformance.bench.live import EMPTY
from bifente.conformance.loading import nearest
from bifente.conformance.observation.channel.answers import OrderRefusedError, Refused
from bifente.conformance.observation.channel.orders import Known
from bifente.conformance.observation.channel.worldly import SLOT
from bifente.ground.french import in_lang
from bifente.ground.text import Lang, Text


def known_of(told: Mapping[str, Any]) -> dict[str, Known]:
    """Return the orders as the answer to ``help`` tells them."""
    return {
        name: Known(name, Text(**one["title"]), one["does"], one["arguments"], one.get("shorthand"))
        for name, one in told["orders"].items()
    }


def read_line(line: str, known: Mapping[str, Known], slots: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return the order of a line and its arguments. Raise OrderRefusedError for what is no order as written."""
    if line.lstrip().startswith("{"):
        try:
            given = json.loads(line)
            name = given.pop("order")
        except (ValueError, RecursionError, KeyError, AttributeError):
            why = Text("un objet JSON avec la clé order est attendu", "a JSON object with the key order is expected")
            raise OrderRefusedError(Refused.WRONG, why, '{"order": "state"}') from None
        return str(name), given
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise OrderRefusedError(Refused.WRONG, Text.same(str(error))) from None
    return read_words(words, known, slots)


def read_words(words: Sequence[str], known: Mapping[str, Known], slots: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Return the order that these words are. A word alone is a slot, or what the order is about; others are KEY=VALUE.

    ``only.slot=cps`` gives one key of an argument that is a mapping. Raise OrderRefusedError.
    """
    name, *rest = words
    order = known.get(name)
    if order is None:
        why = Text(f"aucun ordre ne s'appelle {name!r}", f"no order is called {name!r}")
        raise OrderRefusedError(Refused.UNKNOWN, why, nearest(name, known))
    given: dict[str, Any] = {}
    for word in rest:
        key, equals, value = word.partition("=")
        if equals:
            _put(given, key.split("."), _value(value))
        elif word in slots and SLOT in order.schema.get("properties", {}) and SLOT not in given:
            given[SLOT] = word
        elif order.shorthand is not None and order.shorthand not in given:
            given[order.shorthand] = _value(word)
        else:
            why = Text(f"{word!r} n'est pas compris après {name}", f"{word!r} is not understood after {name}")
            raise OrderRefusedError(Refused.WRONG, why, "KEY=VALUE; help " + name)
    return name, given


def _put(given: dict[str, Any], path: list[str], value: Any) -> None:
    *above, last = path
    for part in above:
        given = given.setdefault(part, {})
        if not isinstance(given, dict):
            raise OrderRefusedError(Refused.WRONG, Text(f"{part} a déjà une valeur", f"{part} has a value already"))
    given[last] = value


def _value(word: str) -> Any:
    """A word as its text, but for JSON lists and mappings: models read numbers from texts, and no digit is lost."""
    if word[:1] in "[{":
        try:
            return json.loads(word)
        except (ValueError, RecursionError):
            return word
    return word


_TOLD_APART = frozenset({"ok", "order", "said", SLOT, "observed"})


def in_words(told: Mapping[str, Any], lang: Lang) -> list[str]:
    """Return an answer as lines that a person reads."""
    if not told["ok"]:
        cure = f" ({in_lang(told['cure'], lang)})" if told.get("cure") else ""
        return [f"bifente: {told['error'][lang]}{cure}"]
    order = told["order"]
    if order == "help":
        width = max(map(len, told["orders"]))
        return [f"{name:{width}}  {one['title'][lang]}" for name, one in told["orders"].items()]
    if order == "state":
        slots, services = told["slots"].items(), told.get("services", {}).items()
        faults = [f"{one['fault']} {one.get(SLOT, '')}".rstrip() for one in told["faults"]]
        stand = [f"{role:8} {one['name']}  [{one['template'] or EMPTY.get(lang)}]" for role, one in slots]
        return stand + [f"{name:8} {json.dumps(held, ensure_ascii=False)}" for name, held in services] + faults
    if "events" in told:
        return [json.dumps(one, ensure_ascii=False) for one in told["events"]]
    beside = {
        key: value for key, value in told.items() if key not in ("ok", "order", "said", SLOT, "observed") and value
    }
    observed = {key: value for key, value in told.get("observed", {}).items() if value != ""}
    words = {
        key: ", ".join(value) if isinstance(value, list) else value for key, value in {**observed, **beside}.items()
    }
    more = ", ".join(f"{key} {value}" for key, value in words.items())
    place = f"{told[SLOT]}: " if SLOT in told else ""
    return [f"{place}{told['said'][lang]}" + (f" ({more})" if more else "")]
