"""Pieces of a letter that both a diagnosis and a reproduction have: causes, cures, how sure, what was tried."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from bifente.conformance.domains.support.journeys import JourneyStep, Symptom
from bifente.conformance.domains.support.letter import LetterSection, TriedJourney
from bifente.conformance.domains.support.software import SoftwareProfile
from bifente.ground.shipped import shipped
from bifente.ground.text import Lang, Text
from bifente.simulator.workstation import ABSENT, Confidence, MetRule, Poste, PosteRule, fact_named
from bifente.simulator.workstation.vocabulary import FactKind

SEEN = Text("Ce que vous voyez", "What you see")
WHY = Text("Pourquoi", "Why")
TO_DO = Text("Ce qu'il faut faire", "What to do")
SURE = Text("À quel point nous en sommes sûrs", "How sure we are")
CONFIRM = Text("Comment le confirmer", "How to confirm it")
OTHERS = Text(
    "Si cela ne suffit pas : autres explications possibles", "If that is not enough: other possible explanations"
)
UNSEEN = Text("Ce qui n'a pas pu être regardé", "What could not be looked at")
WORDS = Text("Les mots de cette lettre", "The words of this letter")
NOTED = Text("Remarqué aussi : le banc n'y voit pas d'effet propre", "Also noted: the bench sees no effect of its own")


def sentence(text: Text) -> Text:
    """Return a text as a sentence: a capital at the head, a full stop at the end."""
    return Text(_sentence(text.fr), _sentence(text.en))


def _sentence(words: str) -> str:
    # A command is typed as it is written.
    head = words[:1] if words.startswith("bifente ") else words[:1].upper()
    return (head + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")) if words else words


def both(fr: Iterable[str], en: Iterable[str], separator: str = ", ") -> Text:
    """Join words of each language."""
    return Text(separator.join(fr), separator.join(en))


def why(rules: Sequence[PosteRule]) -> tuple[Text, ...]:
    """Return the cause of each rule, its title before it, none twice."""
    told = (Text(f"{one.title.fr} : {one.cause.fr}.", f"{one.title.en}: {one.cause.en}.") for one in rules)
    return tuple(dict.fromkeys(told))


def cures(rules: Sequence[PosteRule]) -> tuple[Text, ...]:
    """Return the cure of each rule, none twice."""
    return tuple(dict.fromkeys(sentence(one.cure) for one in rules))


def confirmations(rules: Sequence[PosteRule]) -> tuple[Text, ...]:
    """Return what would confirm each rule, none twice."""
    return tuple(dict.fromkeys(sentence(one.confirm) for one in rules))


def sureness(rules: Sequence[PosteRule]) -> Iterator[Text]:
    """Yield how sure each rule is, in words, none twice."""
    told = set()
    for one in rules:
        label = one.confidence.label
        fidelity = one.confidence.fidelity.label
        line = Text(f"{one.title.fr} : {label.fr} ({fidelity.fr}).", f"{one.title.en}: {label.en} ({fidelity.en}).")
        if line not in told:
            told.add(line)
            yield line


def assumptions(
    software: SoftwareProfile, poste: Poste, symptoms: Sequence[Symptom]
) -> Iterator[tuple[Confidence, Text]]:
    """Yield what is taken for granted of a software whose program did not load a library, and how sure that is."""
    process = software.process(poste)
    loading = (JourneyStep.LOAD_CRYPTOLIB, JourneyStep.LOAD_SSV)
    if process.when and any(one.failure is not None and one.failure.step in loading for one in symptoms):
        yield process.confidence, rests_on(process.confidence, process.why.text)


def rests_on(confidence: Confidence, what: Text) -> Text:
    """Return what something rests on, and how sure that is, as a sentence."""
    return sentence(Text(f"{what.fr} : {confidence.label.fr}", f"{what.en}: {confidence.label.en}"))


def compared(one: Poste, other: Poste) -> Text:
    """Return what changes from one workstation to another, fact by fact."""
    found = one.differences(other)
    return both(
        (f"{fact_named(d.key).title.fr} : {shown(d.key, d.one, 'fr')} → {shown(d.key, d.other, 'fr')}" for d in found),
        (f"{fact_named(d.key).title.en}: {shown(d.key, d.one, 'en')} → {shown(d.key, d.other, 'en')}" for d in found),
        " ; ",
    )


def shown(key: str, value: str, lang: Lang) -> str:
    """Return the value of a fact as a reader sees it."""
    if value == ABSENT:
        return "absent" if lang == "fr" else "not there"
    if fact_named(key).kind is not FactKind.CHOICE:
        return value
    return _values().get(value, Text.same(value)).get(lang)


def tried(before: Sequence[Symptom], after: Sequence[Symptom] = ()) -> tuple[TriedJourney, ...]:
    """Return the table of what was tried, in one state of the workstation or in two."""
    rows = []
    for number, one in enumerate(before):
        both_states = (one, after[number]) if after else (one,)
        rows.append(
            TriedJourney(
                one.journey.label,
                tuple(state.text for state in both_states),
                tuple(state.works for state in both_states),
            )
        )
    return tuple(rows)


def read_by_user(symptoms: Sequence[Symptom]) -> Iterator[Text]:
    """Yield what a user reads, one line for each text, with the journeys that give it."""
    by_text: dict[Text, list[Symptom]] = {}
    for one in symptoms:
        if not one.works:
            by_text.setdefault(one.text, []).append(one)
    for text, those in by_text.items():
        doing = both((one.journey.label.fr for one in those), (one.journey.label.en for one in those), " ; ")
        yield Text(f"« {text.fr} » quand on veut : {doing.fr}.", f'"{text.en}" when one wants to: {doing.en}.')
    working = [one.journey.label for one in symptoms if one.works]
    if by_text and working:
        good = both((one.fr for one in working), (one.en for one in working), " ; ")
        yield Text(f"Le reste marche : {good.fr}.", f"The rest works: {good.en}.")


def glossary(rules: Sequence[PosteRule], said: Sequence[Text]) -> LetterSection | None:
    """Return the words of the trade that the letter uses, explained; None if it uses none."""
    written = " ".join(text.fr for text in (*said, *why(rules), *cures(rules))).casefold()
    facts = {one.key for rule in rules for one in rule.conditions}
    used = [text for key, text in _words().items() if key in facts or key in written]
    return LetterSection(WORDS, tuple(used), listed=True) if used else None


def noted_lines(met: Sequence[MetRule]) -> tuple[Text, ...]:
    """Return what was noted, none twice. What one may do is told of what has no effect by itself (an old version); the
    cure of what makes no difference here would only do harm.
    """
    return tuple(
        dict.fromkeys(
            sentence(one.rule.title)
            if one.rule.effects
            else Text(
                f"{_sentence(one.rule.title.fr)} {_sentence(one.rule.cure.fr)}",
                f"{_sentence(one.rule.title.en)} {_sentence(one.rule.cure.en)}",
            )
            for one in met
        )
    )


def weakest(rules: Sequence[PosteRule], *others: Confidence) -> Confidence:
    """Return how sure a chain of rules is: as its weakest."""
    return Confidence.weakest([*(one.confidence for one in rules), *others])


@cache
def _words() -> Mapping[str, Text]:
    return {key: Text(**row) for key, row in shipped(__package__, "glossary.yaml")["words"].items()}


@cache
def _values() -> Mapping[str, Text]:
    return {key: Text(**row) for key, row in shipped(__package__, "glossary.yaml")["values"].items()}
