"""A comparison in lines of text: what the two runs are, then each difference once with where it shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bifente.ground.text import Lang, Text
from bifente.reports.clean import one_line
from bifente.reports.comparison.compared import Comparison, identities
from bifente.reports.comparison.differing import Aspect, RunDifference
from bifente.reports.verdict import Verdict

PLACES = 3
"""How many places of one difference are told unless all are asked for."""
_PAIRS_APART = 3
"""Where one thing has more pairs of values than that, they are told together: what is drawn at random has as many."""
_SHOWN = 48
"""Most characters of a value: around the first that differs where it has more."""

_ASPECTS = {
    Aspect.PRESENCE: Text("présent d'un seul côté", "on one side only"),
    Aspect.VERDICT: Text("verdict", "verdict"),
    Aspect.STEPS: Text("étapes jouées", "steps played"),
    Aspect.PCSC: Text("code PC/SC", "PC/SC code"),
    Aspect.STATUS_WORD: Text("mot d'état", "status word"),
    Aspect.DATA: Text("données", "data"),
    Aspect.RESULT: Text("code retour", "return code"),
    Aspect.MESSAGE: Text("message", "message"),
    Aspect.COMMANDS: Text("commande", "command"),
    Aspect.OBSERVED: Text("valeur observée", "value observed"),
    Aspect.TIMING: Text("classe de durée", "timing class"),
}
_TRAITS = {
    "tool": Text("banc", "bench"),
    "target": Text("cible", "target"),
    "product": Text("produit", "product"),
    "reader": Text("lecteur", "reader"),
    "profile": Text("profil", "profile"),
    "seed": Text("graine", "seed"),
}
_ENVIRONMENT = Text("autour : ", "around: ")
_INPUT = Text("fichier : ", "file: ")
_IDENTITY = Text("Ce qui distingue les deux passages", "What distinguishes the two runs")
_DIFFERENCES = Text("Ce qui diffère dans ce qui a été observé", "What differs in what was observed")
_STEP = Text("étape", "step")
_MORE = Text("… et ailleurs, {count} fois (--all)", "… and elsewhere, {count} times (--all)")
_ABSENT = Text("(rien)", "(nothing)")
_PAIRS = Text(", {count} couples de valeurs, dont :", ", {count} pairs of values, among them:")
_LENGTH = Text("{count} caractères", "{count} characters")
_COUNT = Text(
    "Différences : {count}, de {kinds} sorte(s), sur {compared} scénario(s) jugé(s) des deux côtés.",
    "Differences: {count}, of {kinds} kind(s), over {compared} scenario(s) judged on both sides.",
)
_ALIKE = Text(
    "Aucune différence, sur {compared} scénario(s) jugé(s) des deux côtés.",
    "No difference, over {compared} scenario(s) judged on both sides.",
)
_NOTHING = Text(
    "Rien n'a été comparé : aucun scénario n'est jugé des deux côtés.",
    "Nothing was compared: no scenario is judged on both sides.",
)
_UNTOLD = Text("Différences de plus, non détaillées : {count}.", "More differences, not detailed: {count}.")
_UNJUDGED = Text(
    "Scénarios jugés ni d'un côté ni de l'autre : {count}. Ils ne prouvent rien.",
    "Scenarios judged on neither side: {count}. They prove nothing.",
)
_VARYING = Text(
    "Différences écartées, car elles existent aussi entre deux passages d'un même côté : {count}.",
    "Differences set aside, for they also exist between two runs of one side: {count}.",
)
_INCOMPLETE = Text(
    "Le passage {side} n'est pas allé à son terme : ce qui manque n'est pas comparé.",
    "Run {side} did not go to its end: what is missing is not compared.",
)
_SEEDS = Text(
    "Les graines diffèrent : ce qui est tiré au hasard diffère avec elles.",
    "The seeds differ: whatever is drawn at random differs with them.",
)


def lines(found: Comparison, lang: Lang, *, everything: bool = False) -> Iterator[str]:
    """Yield the lines of a comparison, for a terminal."""
    traits = list(identities(found))
    if traits:
        yield _IDENTITY.get(lang)
        for name, one, other in traits:
            yield "  " + one_line(f"{_trait(name, lang)} : A {one} | B {other}")
        yield ""
    groups = grouped(found.differences)
    if groups:
        yield _DIFFERENCES.get(lang)
        for group in groups:
            yield from _group(group, lang, everything=everything)
        yield ""
    if any(name == "seed" for name, _one, _other in traits):
        yield _SEEDS.get(lang)
    yield from conclusion(found, lang)


def conclusion(found: Comparison, lang: Lang) -> Iterator[str]:
    """Yield the sentences that sum a comparison up, what was not compared included."""
    for side, incomplete in zip("AB", found.incomplete, strict=True):
        if incomplete:
            yield _INCOMPLETE.get(lang).format(side=side)
    for said, count in ((_UNJUDGED, len(found.unjudged)), (_VARYING, found.varying), (_UNTOLD, found.untold)):
        if count:
            yield said.get(lang).format(count=count)
    count = len(found.differences) + found.untold
    if count:
        kinds = len(grouped(found.differences))
        yield _COUNT.get(lang).format(count=count, kinds=kinds, compared=found.compared)
    elif not found.compared:
        yield _NOTHING.get(lang)
    else:
        yield _ALIKE.get(lang).format(compared=found.compared)


def grouped(found: Iterable[RunDifference]) -> list[list[RunDifference]]:
    """Return the differences of one thing together: of the same two values, or all where there are many pairs.

    Most telling first, then most.
    """
    things: dict[tuple[object, ...], dict[tuple[object, ...], list[RunDifference]]] = {}
    for one in found:
        pairs = things.setdefault((one.aspect, one.what), {})
        pairs.setdefault((one.first, one.second, one.reasons), []).append(one)
    groups: list[list[RunDifference]] = []
    for pairs in things.values():
        alike = list(pairs.values())
        groups += alike if len(alike) <= _PAIRS_APART else [[one for group in alike for one in group]]
    order = list(Aspect)
    return sorted(groups, key=lambda group: (order.index(group[0].aspect), -len(group)))


def _group(group: list[RunDifference], lang: Lang, *, everything: bool) -> Iterator[str]:
    one, said = group[0], _ASPECTS[group[0].aspect]
    what = "" if one.what.en == said.en else f", {one.what.get(lang)}"
    pairs = len({(each.first, each.second) for each in group})
    many = _PAIRS.get(lang).format(count=pairs) if pairs > 1 else ""
    yield "  " + one_line(f"{len(group)} × {said.get(lang)}{what}{many}")
    for side, value in zip("AB", _shown(one, lang), strict=True):
        yield f"      {side}  {value}"
    told = group if everything else group[:PLACES]
    for place in told:
        step = f", {_STEP.get(lang)} {place.step + 1} ({place.name})" if place.step is not None else ""
        yield "      " + one_line(f"{place.scenario}{step}")
    if len(group) > len(told):
        yield "      " + _MORE.get(lang).format(count=len(group) - len(told))


def _shown(one: RunDifference, lang: Lang) -> Iterator[str]:
    begin = 0
    if one.first is not None and one.second is not None:
        pairs = zip(one.first, one.second, strict=False)
        begin = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one.first), len(one.second)))
    for value, reason in zip((one.first, one.second), one.reasons, strict=True):
        if value is None:
            yield _ABSENT.get(lang)
        elif one.aspect in (Aspect.VERDICT, Aspect.PRESENCE) and value in list(Verdict):
            said = Verdict(value).say(lang)
            yield one_line(f"{said} : {reason.get(lang)}") if reason is not None else said
        else:
            yield _cut(one_line(value), begin, lang)


def _cut(value: str, begin: int, lang: Lang) -> str:
    if len(value) <= _SHOWN:
        return value or "-"
    start = max(0, min(begin - 8, len(value) - _SHOWN))
    start -= start % 2  # a byte is two digits
    end = start + _SHOWN
    cut = f"{'…' if start else ''}{value[start:end]}{'…' if end < len(value) else ''}"
    return f"{cut} ({_LENGTH.get(lang).format(count=len(value))})"


def _trait(name: str, lang: Lang) -> str:
    for prefix, said in (("environment.", _ENVIRONMENT), ("input.", _INPUT)):
        if name.startswith(prefix):
            return said.get(lang) + name.removeprefix(prefix)
    return _TRAITS[name].get(lang)


def plain(found: Comparison) -> dict[str, Any]:
    """Return a comparison as plain values for JSON: every difference, none cut."""
    return {
        "alike": found.alike,
        "compared": found.compared,
        "unjudged": found.unjudged,
        "varying": found.varying,
        "incomplete": {"A": found.incomplete[0], "B": found.incomplete[1]},
        "untold": found.untold,
        "runs": [{"trait": name, "A": one, "B": other} for name, one, other in identities(found)],
        "differences": [
            {
                "scenario": one.scenario,
                "step": one.step,
                "name": one.name,
                "aspect": str(one.aspect),
                "what": one.what.en,
                "A": one.first,
                "B": one.second,
                "reasons": [reason and reason.en for reason in one.reasons],
            }
            for one in found.differences
        ],
    }
