"""The reference page of steps, in Markdown, from the same definitions as the loader and the JSON Schema."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from bifente.conformance.expectations.circumstances import COMMON_EXPECTATIONS, DURATIONS
from bifente.conformance.expectations.matchers import Matcher
from bifente.conformance.expectations.typed import TypedMatcher
from bifente.conformance.scenario import reference_words as words
from bifente.conformance.scenario.step import Step, expectable, kebab
from bifente.conformance.scenario.steps import steps
from bifente.ground.french import of_a_step
from bifente.ground.text import Lang
from bifente.simulator.cards.families import state_keys


def steps_page(lang: Lang) -> str:
    """Return the whole page in a language."""
    told = (line for name in sorted(steps()) for line in _step(steps()[name], lang))
    return words.INTRODUCTION.get(lang) + "\n".join((*_common(lang), "", *told))


def _common(lang: Lang) -> Iterator[str]:
    values = {
        "before": ", ".join(state_keys()),
        "after": "",
        "within": ", ".join(f"{name} ({bound:g} s)" for name, bound in DURATIONS.items()),
        "lasts-ms": "",
    }
    for key in COMMON_EXPECTATIONS:
        said = words.CIRCUMSTANCES[key].get(lang).format(values[key])
        yield f"* `{key}`{words.COLON.get(lang)}{said}"


def _step(step: type[Step], lang: Lang) -> Iterator[str]:
    yield f"## {step.name}"
    yield ""
    yield _told(" ".join((step.__doc__ or "").split()), lang)
    yield ""
    schema = step.model_json_schema()
    required = set(schema.get("required", ()))
    for name, about in schema.get("properties", {}).items():
        told = [_type(about, schema.get("$defs", {}), lang)]
        if name in required:
            told.append(words.REQUIRED.get(lang))
        elif about.get("default") not in (None, ""):
            told.append(words.DEFAULT.get(lang).format(_as_written(about["default"])))
        if step.shorthand and name == kebab(step.shorthand):
            told.append(f"{words.ALONE.get(lang)} `{step.name}: ...`")
        if name in step.secrets():
            told.append(words.SECRET.get(lang))
        description = _told(about["description"], lang) if "description" in about else ""
        colon = words.COLON.get(lang) if description else ""
        yield f"* `{name}` ({', '.join(told)}){colon}{description}"
    observed = ", ".join(f"`{key}`{_kind(matcher, lang)}" for key, matcher in sorted(expectable(step).items()))
    if observed:
        yield f"* {words.EXPECTABLE.get(lang)} {observed}"
    if step.needs:
        yield f"* {words.NEEDS.get(lang)} {', '.join(f'`{need.key}`' for need in sorted(step.needs, key=_by_key))}"
    yield ""


def _told(sentence: str, lang: Lang) -> str:
    """A sentence of the code as Markdown has it."""
    return of_a_step(sentence, lang).replace("``", "`")


def _by_key(need: Any) -> str:
    return str(need.key)


def _as_written(value: object) -> str:
    """A default as it is written in YAML."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _kind(matcher: Matcher, lang: Lang) -> str:
    """What may be written, where it is one value of a kind or one of some words."""
    if not isinstance(matcher, TypedMatcher):
        return ""
    if matcher.words:
        return f" ({', '.join(sorted(matcher.words))})"
    return f" ({words.kind(matcher.kind, lang)})"


def _type(about: dict[str, Any], defined: dict[str, Any], lang: Lang) -> str:
    joint = words.OR.get(lang)
    if "$ref" in about:
        return _type(defined[about["$ref"].rpartition("/")[2]], defined, lang)
    if "enum" in about:
        return joint.join(map(str, about["enum"]))
    if "anyOf" in about:
        kinds = dict.fromkeys(_type(one, defined, lang) for one in about["anyOf"] if one.get("type") != "null")
        return joint.join(kinds) or words.kind("any", lang)
    if "format" in about:
        return words.kind(str(about["format"]), lang)
    named = about.get("type", "string")
    kinds = dict.fromkeys([named] if isinstance(named, str) else named)
    # A text may be written as a number (a code of digits); that says nothing more to who writes it.
    return joint.join(words.kind(one, lang) for one in kinds if set(kinds) != {"string", "integer"} or one == "string")
