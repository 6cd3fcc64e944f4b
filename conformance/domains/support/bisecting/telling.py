"""What was found, in words for a support desk: what is seen, which differences carry it, why, what to do, how sure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from bifente.conformance.bisecting.search import Culprit
from bifente.conformance.domains.support.bisecting.blaming import PosteBlame
from bifente.ground.text import Lang, Text
from bifente.reports.clean import one_line

_WORDS = {
    "pair": Text(
        "Poste en panne : {failing}. Poste qui marche : {working}.", "Failing: {failing}. Working: {working}."
    ),
    "journey": Text("Parcours : {journey}.", "Journey: {journey}."),
    "same": Text(
        "Parcours : {journey} : la même chose que « {other} » ({runs} passages).",
        'Journey: {journey}: the same as "{other}" ({runs} runs).',
    ),
    "seen": Text("Ce que l'utilisateur voit : « {text} »", 'What the user sees: "{text}"'),
    "differences": Text("Différences entre les deux postes : {count}.", "Differences between the two: {count}."),
    "unseen": Text(
        "Pas regardé, donc pas essayé : {facts}.",
        "Not looked at, hence not tried: {facts}.",
    ),
    "steady": Text(
        "La panne est constante : {failures} fois sur {runs}.", "The failure is steady: {failures} times of {runs}."
    ),
    "flaky": Text(
        "La panne va et vient : {failures} fois sur {runs}. Un mélange n'est dit bon qu'après {repeats} passages "
        "sans elle.",
        "The failure comes and goes: {failures} times of {runs}. A mix is called good only after {repeats} runs "
        "without it.",
    ),
    "one": Text("Une seule différence porte la panne :", "A single difference carries the failure:"),
    "together": Text(
        "{count} différences portent la panne ENSEMBLE : il les faut toutes, aucune ne suffit seule :",
        "{count} differences carry the failure TOGETHER: all are needed, none is enough alone:",
    ),
    "another": Text("Autre cause, indépendante de la précédente :", "Another cause, independent of the one before:"),
    "hidden": Text(
        "Autre panne, que la précédente cachait : « {text} »", 'Another failure, hidden by the one before: "{text}"'
    ),
    "change": Text("{title} : en panne {failing}, marche {working}", "{title}: failing {failing}, working {working}"),
    "without": Text("sans elle : {seen}", "without it: {seen}"),
    "works": Text("le parcours va au bout", "the journey comes to its end"),
    "where": Text("échoue à l'étape « {step} », composant {component}, code {code}", "fails at the step {step!r}, "
        "component {component}, code {code}"),
    "why": Text("pourquoi : {cause}", "why: {cause}"),
    "cure": Text("à faire : {cure}", "to do: {cure}"),
    "confirm": Text("pour confirmer : {confirm}", "to confirm: {confirm}"),
    "sure": Text("certitude : {label} ({source})", "certainty: {label} ({source})"),
    "server": Text("c'est le serveur : ne touchez pas au poste", "it is the server: do not touch the workstation"),
    "no_rule": Text("aucune règle connue ne l'explique", "no known rule explains it"),
    "cured": Text(
        "Contrôle : le poste en panne avec, pour ces seules différences, ce qu'a le poste qui marche : le parcours "
        "va au bout ({runs} passages).",
        "Check: the failing workstation with what the working one has for these differences alone: the journey "
        "comes to its end ({runs} runs).",
    ),
    "not_cured": Text(
        "Contrôle : le poste en panne avec, pour ces différences, ce qu'a le poste qui marche : le parcours échoue "
        "encore : « {text} ». Tout n'est donc pas trouvé.",
        "Check: the failing workstation with what the working one has for these differences: the journey still "
        'fails: "{text}". So not everything is found.',
    ),
    "spent": Text(
        "Recherche arrêtée après {runs} passages, sans conclusion. Ce qui suit contient la panne, plus large que "
        "nécessaire : {keys}.",
        "Search stopped after {runs} runs without a conclusion. The failure is within these, more than are needed: "
        "{keys}.",
    ),
    "no_failure": Text(
        "La panne ne se montre pas sur le banc, en {runs} passages : rien n'est cherché. Ce qui la porte n'est "
        "peut-être pas dans le fichier.",
        "The failure does not show on the bench in {runs} runs: nothing is looked for. What carries it may not be "
        "in the file.",
    ),
    "working_fails": Text(
        "Le poste dit qui marche échoue aussi : « {text} ». Donnez un poste qui marche pour ce parcours.",
        'The workstation said to work fails too: "{text}". Give one that works for this journey.',
    ),
    "effort": Text("Passages : {runs}, mélanges essayés : {mixes}.", "Runs: {runs}, mixes tried: {mixes}."),
    "model": Text(
        "Passages joués sur le banc, d'après le modèle du poste : à confirmer sur le poste lui-même.",
        "Runs were made on the bench, by the model of a workstation: confirm on the workstation itself.",
    ),
}  # fmt: skip


def lines_of_all(found: Sequence[PosteBlame], lang: Lang) -> Iterator[str]:
    """Yield what was found of several journeys: what is the same of two is said once."""
    before: dict[tuple[str, ...], str] = {}
    for place, one in enumerate(found):
        told = list(lines(one, lang))
        effort = _say("effort", lang, runs=one.search.runs, mixes=one.search.mixes)
        key = tuple(line for line in told[2:] if line != effort)
        journey = one.journey.label.get(lang)
        if key in before:
            yield _say("same", lang, journey=journey, other=before[key], runs=one.search.runs)
            continue
        before[key] = journey
        yield from ([""] if place else [])
        yield from told


def lines(found: PosteBlame, lang: Lang) -> Iterator[str]:
    """Yield what was found, line by line."""
    for line in _lines(found, lang):
        indent = len(line) - len(line.lstrip())
        yield " " * indent + one_line(line)


def _lines(found: PosteBlame, lang: Lang) -> Iterator[str]:
    search, pair = found.search, found.pair
    yield _say("pair", lang, failing=pair.failing.name, working=pair.working.name)
    yield _say("journey", lang, journey=found.journey.label.get(lang))
    if search.failing is not None:
        yield _say("seen", lang, text=found.seen(search.failing).get(lang))
    yield _say("differences", lang, count=len(found.changes))
    if unseen := pair.unseen():
        yield _say("unseen", lang, facts=", ".join(sorted(unseen)))
    yield from _answer(found, lang)
    yield _say("effort", lang, runs=search.runs, mixes=search.mixes)
    yield _say("model", lang)


def _answer(found: PosteBlame, lang: Lang) -> Iterator[str]:
    search = found.search
    if search.failing is None:
        if search.complete:
            yield _say("no_failure", lang, runs=search.runs)
        else:
            yield _say("spent", lang, runs=search.runs, keys=", ".join(one.key for one in found.changes))
        return
    if search.working is not None:
        yield _say("working_fails", lang, text=found.seen(search.working).get(lang))
        return
    rate = search.rate
    known = {"failures": rate.failures, "runs": rate.runs, "repeats": search.repeats}
    yield _say("steady" if rate.steady else "flaky", lang, **known)
    for place, culprit in enumerate(search.culprits):
        yield ""
        yield from _culprit(found, culprit, lang, before=search.culprits[place - 1] if place else None)
    yield ""
    if not search.complete:
        yield _say("spent", lang, runs=search.runs, keys=", ".join(search.narrowed))
    elif search.rest is None:
        yield _say("cured", lang, runs=search.rest_runs)
    else:
        yield _say("not_cured", lang, text=found.seen(search.rest).get(lang))


def _culprit(found: PosteBlame, culprit: Culprit[str], lang: Lang, before: Culprit[str] | None) -> Iterator[str]:
    if before is not None:
        hidden = culprit.label != before.label
        yield _say("hidden" if hidden else "another", lang, text=found.seen(culprit.label).get(lang))
    count = len(culprit.differences)
    yield _say("one" if count == 1 else "together", lang, count=count)
    for key in culprit.differences:
        change = found.change(key)
        both = {"failing": change.failing.get(lang), "working": change.working.get(lang)}
        yield "  " + _say("change", lang, title=change.title.get(lang), **both)
        if count > 1:
            yield "    " + _say("without", lang, seen=_shown(found, culprit.without[key], lang))
    symptom = found.symptoms.get(culprit.label)
    if symptom is not None and symptom.failure is not None:
        failure = symptom.failure
        step = failure.step.label.get(lang)
        yield "  " + _say("where", lang, step=step, component=failure.component, code=failure.code)
    rules = found.rules(culprit.differences)
    if not rules:
        yield "  " + _say("no_rule", lang)
    for rule in rules:
        if rule.server:
            yield "  " + _say("server", lang)
        yield "  " + _say("why", lang, cause=rule.cause.get(lang))
        yield "  " + _say("cure", lang, cure=rule.cure.get(lang))
        yield "  " + _say("confirm", lang, confirm=rule.confirm.get(lang))
        yield "  " + _say("sure", lang, label=found.confidence(rule, culprit).label.get(lang), source=rule.source)


def _shown(found: PosteBlame, label: str | None, lang: Lang) -> str:
    return _say("works", lang) if label is None else f"« {found.seen(label).get(lang)} »"


def _say(word: str, lang: Lang, **values: object) -> str:
    return _WORDS[word].get(lang).format(**values)


def plain(found: PosteBlame, lang: Lang) -> dict[str, Any]:
    """Return what was found as plain values for JSON."""
    search = found.search
    return {
        "journey": str(found.journey),
        "failing": found.pair.failing.name,
        "working": found.pair.working.name,
        "symptom": None if search.failing is None else found.seen(search.failing).get(lang),
        "explains": search.explains,
        "complete": search.complete,
        "differences": [one.key for one in found.changes],
        "unseen": dict(found.pair.unseen()),
        "culprits": [
            {
                "symptom": found.seen(culprit.label).get(lang),
                "together": len(culprit.differences) > 1,
                "changes": [
                    {
                        "key": key,
                        "failing": found.change(key).failing.get(lang),
                        "working": found.change(key).working.get(lang),
                        "without": None if (seen := culprit.without[key]) is None else found.seen(seen).get(lang),
                    }
                    for key in culprit.differences
                ],
                "rules": [
                    {
                        "id": rule.id,
                        "confidence": str(found.confidence(rule, culprit)),
                        "source": rule.source,
                        "server": rule.server,
                    }
                    for rule in found.rules(culprit.differences)
                ],
            }
            for culprit in search.culprits
        ],
        "rest": None if search.rest is None else found.seen(search.rest).get(lang),
        "working-fails": None if search.working is None else found.seen(search.working).get(lang),
        "rate": {"failures": search.rate.failures, "runs": search.rate.runs, "repeats": search.repeats},
        "narrowed": list(search.narrowed),
        "runs": search.runs,
        "mixes": search.mixes,
    }
