"""The letter of a reproduction: what is seen, why, what to do, how sure, both workstations side by side."""

from __future__ import annotations

from collections.abc import Iterator

from bifente.conformance.domains.support import plain_words as plain
from bifente.conformance.domains.support.diagnosis import FaultSide
from bifente.conformance.domains.support.letter import LetterSection, SupportLetter, sources_foot
from bifente.conformance.domains.support.reproduced_fault import ReproducedFault
from bifente.conformance.domains.support.reproduction import ReproducedSymptom
from bifente.ground.text import Text
from bifente.simulator.fault import Fault
from bifente.simulator.workstation import Confidence, PosteRule

_BENCH = Text(
    "Rejoué par Bifente, un banc de laboratoire : cartes, lecteurs et services virtuels. Rien n'a été fait sur votre "
    "poste.",
    "Played again by Bifente, a laboratory bench: virtual cards, readers and services. Nothing was done on your "
    "workstation.",
)


def symptom_letter(found: ReproducedSymptom) -> SupportLetter:
    """Return the letter for words that a software profile says."""
    rules = [met.rule for met in found.failing.causes.values()]
    rules = rules or [met.rule for met in found.failing.noted]
    seen = tuple(plain.read_by_user(found.failing.symptoms)) or (plain.sentence(found.shown),)
    sections = [
        LetterSection(plain.SEEN, seen),
        *_server_first(found.failing.side),
        LetterSection(plain.WHY, (*plain.why(rules), *_excluded(found), *_replayed(found))),
        LetterSection(plain.TO_DO, plain.cures(rules), numbered=len(plain.cures(rules)) > 1),
        LetterSection(plain.SURE, tuple(_sure(found, rules)), listed=True),
        LetterSection(plain.CONFIRM, plain.confirmations(rules), listed=True),
    ]
    others = (*(text for rule in rules for text in rule.alternatives), *(one.title for one in found.others))
    if others:
        sections.append(LetterSection(plain.OTHERS, tuple(plain.sentence(one) for one in others), listed=True))
    words = plain.glossary(rules, seen)
    if words is not None:
        sections.append(words)
    return SupportLetter(
        Text(f"« {found.shown.fr} » : la cause et le remède", f'"{found.shown.en}": cause and cure'),
        tuple(sections),
        _columns(found),
        plain.tried(found.failing.symptoms, found.after),
        (_BENCH, sources_foot([*(rule.source for rule in rules), *_known_sources(found)])),
    )


def _known_sources(found: ReproducedSymptom) -> Iterator[str]:
    return (one.source for one in (found.known, found.cured_known) if one is not None)


def _server_first(side: FaultSide) -> Iterator[LetterSection]:
    if side in (FaultSide.SERVER, FaultSide.BOTH):
        yield LetterSection(FaultSide.SERVER.label, (plain.sentence(side.label),), warning=True)


def _excluded(found: ReproducedSymptom) -> Iterator[Text]:
    if found.server_excluded:
        yield Text(
            "Le serveur du DMP n'est pas en cause : sur ce même poste, le DMP s'ouvre dans le navigateur.",
            "The DMP server is not to blame: on this very workstation the DMP opens in the browser.",
        )


def _replayed(found: ReproducedSymptom) -> Iterator[Text]:
    if found.known is not None:
        yield Text(f"Poste rejoué : {found.known.title.fr}.", f"Workstation played: {found.known.title.en}.")
    differences = plain.compared(found.failing.poste, found.cured)
    if differences.fr:
        yield Text(
            f"Ce qui change entre le poste en panne et le poste guéri : {differences.fr}.",
            f"What changes from the failing workstation to the cured one: {differences.en}.",
        )
    if not found.cures:
        yield Text(
            "Sur le banc, ce changement seul ne fait pas disparaître le message.",
            "On the bench this change alone does not make the message go away.",
        )


def _sure(found: ReproducedSymptom, rules: list[PosteRule]) -> Iterator[Text]:
    if found.cured_known is not None:
        label = found.cured_known.confidence.label
        yield Text(
            f"Le remède : {label.fr} ({found.cured_known.title.fr}).",
            f"The cure: {label.en} ({found.cured_known.title.en}).",
        )
    yield from plain.sureness(rules)
    assumed = tuple(plain.assumptions(found.software, found.failing.poste, found.failing.symptoms))
    chain = [confidence for confidence, _text in assumed]
    yield from (text for _confidence, text in assumed)
    if found.known is not None and found.known.presumed is not None:
        chain.append(found.known.confidence)
        yield plain.rests_on(found.known.confidence, found.known.presumed)
    whole = plain.weakest(rules, *chain)
    yield Text(
        f"L'explication dans son ensemble : {whole.label.fr} (comme son maillon le plus faible).",
        f"The explanation as a whole: {whole.label.en} (as its weakest link).",
    )


def _columns(found: ReproducedSymptom) -> tuple[Text, ...]:
    failing = found.known.title if found.known is not None else Text("poste en panne", "failing workstation")
    cured = found.cured_known.title if found.cured_known is not None else Text("le même, guéri", "the same, cured")
    return failing, cured


def fault_letter(found: ReproducedFault) -> SupportLetter:
    """Return the letter for a fault of the catalogue, or an everyday cause."""
    one = found.one
    sections = [
        *_unsure(found),
        LetterSection(plain.SEEN, tuple(map(_quoted, one.symptoms))),
        LetterSection(plain.WHY, (plain.sentence(one.cause),)),
        LetterSection(plain.TO_DO, (plain.sentence(one.remedy),)),
        LetterSection(plain.SURE, (_fidelity(found),)),
    ]
    if found.others:
        sections.append(
            LetterSection(plain.OTHERS, tuple(plain.sentence(other.cause) for other in found.others), listed=True)
        )
    if not found.played:
        sections.append(_not_played(found))
    title = _first_way(one.symptoms[0])
    return SupportLetter(
        Text(f"« {title.fr} » : la cause et le remède", f'"{title.en}": cause and cure'),
        tuple(sections),
        (Text("avec la panne", "with the fault"), Text("sans elle", "without it")),
        plain.tried(found.before, found.after) if found.played else (),
        (_BENCH, sources_foot([one.source])),
    )


def _unsure(found: ReproducedFault) -> Iterator[LetterSection]:
    if found.sure:
        return
    untold = (Text("", ""),)
    if found.untold:
        words = ", ".join(found.untold)
        untold = (Text(f" Aucune cause connue du banc ne parle de : {words}.", f" No known cause speaks of: {words}."),)
    yield LetterSection(
        Text("À vérifier avant d'envoyer", "To check before sending"),
        (
            Text(
                f"Vos mots (« {found.said} ») ne désignent aucune panne à coup sûr : ce qui suit est la plus proche."
                f"{untold[0].fr} Demandez le message exact, ou une copie d'écran.",
                f'Your words ("{found.said}") point to no fault for sure: what follows is the nearest.{untold[0].en} '
                "Ask for the exact message, or a screenshot.",
            ),
        ),
        warning=True,
    )


_OR = ", "
"""Between the ways in which customers say the same: so a row of the catalogue tells them."""


def _first_way(symptom: Text) -> Text:
    return Text(symptom.fr.split(_OR)[0], symptom.en.split(_OR)[0])


def _quoted(symptom: Text) -> Text:
    fr = (f"« {one} »" for one in symptom.fr.split(_OR))
    en = (f'"{one}"' for one in symptom.en.split(_OR))
    return Text(_OR.join(fr), _OR.join(en))


def _fidelity(found: ReproducedFault) -> Text:
    labels = {
        "documented": Confidence.PUBLISHED.label,
        "observed": Confidence.FIELD.label,
        "modelled": Text("modèle du banc : aucun texte public", "the bench's own model: no public text"),
    }
    label = labels[str(found.one.fidelity)]
    return plain.sentence(label)


def _not_played(found: ReproducedFault) -> LetterSection:
    scenario = found.scenario
    if scenario is not None and scenario.shown:
        return LetterSection(
            Text("Ce que le banc a rejoué", "What the bench played"),
            (
                Text(
                    "Aucun geste courant du poste ne rencontre cette panne ; le banc l'a jouée seule, jusqu'au retour "
                    f"à la normale : « {scenario.title.fr} » ({scenario.file}).",
                    "Nothing usual at the workstation meets this fault; the bench played it alone, to its end: "
                    f'"{scenario.title.en}" ({scenario.file}).',
                ),
            ),
        )
    heading = Text("Ce que le banc n'a pas rejoué", "What the bench did not play")
    text = (
        Text("aucun geste de ce poste ne rencontre cette panne", "nothing done at this workstation meets this fault")
        if isinstance(found.one, Fault)
        else Text("cette cause n'est pas une panne que le banc fabrique", "this cause is no fault that the bench makes")
    )
    return LetterSection(heading, (plain.sentence(text),))
