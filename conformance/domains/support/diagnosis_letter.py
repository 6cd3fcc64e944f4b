"""The letter of a diagnosis: what fails, why, what to do, what could not be looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import shorten

from bifente.conformance.domains.support import plain_words as plain
from bifente.conformance.domains.support.diagnosis import FaultSide, PosteDiagnosis
from bifente.conformance.domains.support.hypotheses import ToldOutcome
from bifente.conformance.domains.support.letter import LetterSection, SupportLetter, sources_foot
from bifente.conformance.domains.support.software import software_profile
from bifente.ground.text import Text
from bifente.simulator.workstation import PosteRule, fact_named

_LONGEST_DETAIL = 80
"""Letters of what a component said by itself: a whole page is no detail."""
_WARNED = (FaultSide.SERVER, FaultSide.BOTH, FaultSide.UNDECIDED)
NOTHING_TOLD = ToldOutcome(fits=True)
_BENCH = Text(
    "Le poste a été rejoué par Bifente, un banc de laboratoire, d'après ce qui en a été relevé.",
    "The workstation was played again by Bifente, a laboratory bench, from what was noted of it.",
)


def side_of(found: PosteDiagnosis, told: ToldOutcome = NOTHING_TOLD) -> FaultSide:
    """Return where the fault is, what the user says included."""
    if told.unexplained and found.side is FaultSide.NONE:
        return FaultSide.UNEXPLAINED
    if not told.hypotheses:
        return found.side
    sides = {one.rule.server for one in told.hypotheses}
    if sides == {True, False} and found.side is FaultSide.NONE:
        return FaultSide.UNDECIDED
    if sides == {True}:
        return FaultSide.SERVER if found.side in (FaultSide.NONE, FaultSide.SERVER) else FaultSide.BOTH
    return found.side if found.side is not FaultSide.NONE else FaultSide.WORKSTATION


def diagnosis_letter(found: PosteDiagnosis, told: ToldOutcome = NOTHING_TOLD) -> SupportLetter:
    """Return the letter."""
    side, supposed = side_of(found, told), told.hypotheses
    likely, further = _likely([one.rule for one in supposed])
    rules = [met.rule for met in found.causes.values()] + likely
    rules += [met.rule for met in found.noted if met.rule.server]
    noted = tuple(met for met in found.noted if not met.rule.server)
    symptoms = supposed[0].symptoms if supposed and not found.failures else found.symptoms
    seen = tuple(plain.read_by_user(symptoms)) or (
        Text("tous les gestes rejoués vont à leur terme", "everything that was played comes to its end"),
    )
    sections = [
        LetterSection(side.label, tuple(_advice(side)), warning=side in _WARNED),
        LetterSection(plain.SEEN, tuple(plain.sentence(one) for one in (*seen, *_not_so(told)))),
        *_meant(told),
        *_reasons(rules, further, len(supposed) > 1, tuple(_assumed(found))),
        *_stopped(found),
        *_files(found),
        *_unseen(found),
    ]
    if noted:
        sections.append(LetterSection(plain.NOTED, plain.noted_lines(noted), listed=True))
    words = plain.glossary(rules, seen)
    if words is not None:
        sections.append(words)
    return SupportLetter(
        Text(f"Votre poste : {side.label.fr}", f"Your workstation: {side.label.en}"),
        tuple(sections),
        (Text(f"poste {found.poste.name}", f"workstation {found.poste.name}"),),
        plain.tried(symptoms),
        (_BENCH, sources_foot([rule.source for rule in rules] or ["sources#bench"])),
    )


def _not_so(told: ToldOutcome) -> Iterator[Text]:
    if told.unexplained:
        yield Text(
            "ce que vous décrivez n'est pas ce que le banc voit d'un tel poste, et aucune cause connue ne l'explique",
            "what you describe is not what the bench sees of such a workstation, and no known cause explains it",
        )


def _stopped(found: PosteDiagnosis) -> Iterator[LetterSection]:
    """The failures that no rule explains, as the component told them."""
    lines = tuple(
        Text(
            f"{one.symptom.journey.label.fr} : arrêt à l'étape « {failure.step.label.fr} », composant "
            f"{failure.component}, code {failure.code} ({shorten(failure.detail, _LONGEST_DETAIL)}).",
            f'{one.symptom.journey.label.en}: stopped at "{failure.step.label.en}", component {failure.component}, '
            f"code {failure.code} ({shorten(failure.detail, _LONGEST_DETAIL)}).",
        )
        for one in found.failures
        if not one.layers and (failure := one.symptom.failure) is not None
    )
    if lines:
        yield LetterSection(Text("Ce qui n'est pas expliqué", "What is not explained"), lines, listed=True)


def _advice(side: FaultSide) -> Iterator[Text]:
    if side is FaultSide.SERVER:
        yield Text(
            "N'installez, ne désinstallez et ne mettez rien à jour : cela ne changerait rien à la panne, et pourrait "
            "en ajouter une.",
            "Install, remove and update nothing: it would not change the fault, and might add another.",
        )
    elif side is FaultSide.BOTH:
        yield Text(
            "Corrigez le poste comme il est dit plus bas ; la panne du serveur, elle, n'est pas entre vos mains, et "
            "peut cacher que le poste est guéri.",
            "Mend the workstation as told below; the fault of the server is not in your hands, and may hide that the "
            "workstation is cured.",
        )
    elif side is FaultSide.UNDECIDED:
        yield Text(
            "Faites d'abord ce que dit « Comment le confirmer » ; n'installez, ne désinstallez et ne mettez rien à "
            "jour avant de savoir.",
            'Do first what "How to confirm it" says; install, remove and update nothing before you know.',
        )
    elif side is FaultSide.NONE:
        yield Text(
            "Ce n'est pas la preuve que tout va bien : seulement que rien de ce que le banc connaît n'est en panne "
            "dans ce qui a été relevé.",
            "That is no proof that all is well: only that nothing the bench knows of is wrong in what was noted.",
        )
    elif side is FaultSide.UNEXPLAINED:
        yield Text(
            "Le code ou le texte ci-dessous est à transmettre à l'éditeur ou à l'assistance.",
            "The code or the text below has to go to the editor or to support.",
        )
    else:
        yield Text("Suivez les étapes ci-dessous.", "Follow the steps below.")


def _assumed(found: PosteDiagnosis) -> Iterator[Text]:
    software = software_profile(found.poste.get("software"))
    return (text for _confidence, text in plain.assumptions(software, found.poste, found.symptoms))


def _reasons(
    rules: Sequence[PosteRule], further: int, several: bool, assumed: tuple[Text, ...]
) -> Iterator[LetterSection]:
    if not rules:
        return
    why = plain.why(rules)
    if several:
        why = (
            Text(
                "Plusieurs causes expliqueraient ce que vous décrivez ; ce qui les départage est plus bas.",
                "Several causes would explain what you describe; what tells them apart is below.",
            ),
            *why,
        )
    if further:
        why = (
            *why,
            Text(
                f"Autres causes possibles, moins sûres ou de même remède : {further}. Le message exact, ou ce qui "
                "marche encore, en écarterait la plupart (bifente diagnose --json les nomme toutes).",
                f"Other possible causes, less sure or cured alike: {further}. The exact message, or what still works, "
                "would rule most of them out (bifente diagnose --json names them all).",
            ),
        )
    yield LetterSection(plain.WHY, why, listed=len(why) > 1)
    yield LetterSection(plain.TO_DO, plain.cures(rules), numbered=len(plain.cures(rules)) > 1)
    yield LetterSection(plain.SURE, (*plain.sureness(rules), *assumed), listed=True)
    yield LetterSection(plain.CONFIRM, plain.confirmations(rules), listed=True)


_MOST = 6
"""Causes that a letter tells: who gets more of them reads none."""


def _likely(rules: Sequence[PosteRule]) -> tuple[list[PosteRule], int]:
    """The causes to tell, one for each cure where there are many, and how many more there are."""
    if len(rules) <= _MOST:
        return list(rules), 0
    by_cure: dict[str, PosteRule] = {}
    for rule in rules:
        by_cure.setdefault(rule.cure.fr, rule)
    told = list(by_cure.values())[:_MOST]
    return told, len(rules) - len(told)


def _meant(told: ToldOutcome) -> Iterator[LetterSection]:
    """What is known of words that the software does not say itself."""
    if not told.foreign:
        return
    quoted = ", ".join(f"« {one} »" for one in told.foreign)
    lines = [
        Text(
            f"{quoted} : ce logiciel n'est pas connu pour afficher ces mots ; le banc n'en a retenu que l'échec.",
            f"{quoted}: this software is not known to show these words; the bench kept the failure alone of them.",
        )
    ]
    lines += [
        Text(
            f"De tels mots désignent d'habitude ceci : {one.cause.fr}. À faire : {one.remedy.fr}.",
            f"Such words usually mean: {one.cause.en}. To do: {one.remedy.en}.",
        )
        for one in told.meant
    ]
    yield LetterSection(Text("Les mots que vous citez", "The words that you quote"), tuple(lines), listed=True)


def _files(found: PosteDiagnosis) -> Iterator[LetterSection]:
    lines = tuple(
        Text(
            f"{one.file}, ligne {one.line} : {one.message.fr} ; {one.cure.fr}.",
            f"{one.file}, line {one.line}: {one.message.en}; {one.cure.en}.",
        )
        for one in found.files
    )
    if lines:
        yield LetterSection(Text("Dans les fichiers de réglage", "In the configuration files"), lines, listed=True)


def _unseen(found: PosteDiagnosis) -> Iterator[LetterSection]:
    lines = [
        Text(f"{fact_named(key).title.fr} : {why}.", f"{fact_named(key).title.en}: {why}.")
        for key, why in found.poste.unseen.items()
    ]
    lines += [
        Text(f"ni vu ni exclu : {rule.title.fr}.", f"neither seen nor excluded: {rule.title.en}.")
        for rule in found.doubtful
    ]
    if "galss.ini" in found.poste.files and not found.poste.slots:
        lines.append(
            Text(
                "les noms des lecteurs de galss.ini n'ont pas été comparés aux lecteurs présents.",
                "the reader names of galss.ini were not compared with the readers that are there.",
            )
        )
    if lines:
        yield LetterSection(plain.UNSEEN, tuple(lines), listed=True)
