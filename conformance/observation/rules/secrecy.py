"""Where a code has no business: arguments, environment, output, files, messages to services."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bifente.conformance.observation.facts import CodePlace, Fact
from bifente.conformance.observation.rules.rule import Breach, Rule
from bifente.conformance.observation.story import Story
from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text


def _lies_in(place: CodePlace, story: Story) -> Sequence[Breach] | None:
    """Silence is enough here: the observation looked everywhere it says it looks, whatever the program did."""
    if not any(True for _ in story.facts(Fact.STARTED)):
        return None
    if place is CodePlace.MESSAGE and not any(one.request for one in story.moments):
        return None
    found = [call for call in story.facts(Fact.CODE) if call.arguments.get("place") == place]
    return [
        Breach(
            Text(f"un code s'y trouve : {call.arguments['where']}", f"a code is there: {call.arguments['where']}"),
            (call.seq,),
        )
        for call in found
    ]


def _rule(place: CodePlace, number: int, title: Text, why: Text, cure: Text) -> Rule:
    return Rule(
        name=f"no-code-in-{place}",
        title=title,
        why=why,
        cure=cure,
        requirements=(f"SOFT-{number}",),
        fidelity=Fidelity.OBSERVED,
        judge=partial(_lies_in, place),
    )


RULES = (
    _rule(
        CodePlace.ARGUMENTS,
        26,
        Text("Pas de code dans les arguments", "No code in the arguments"),
        Text("Tout utilisateur du poste les lit par ps.", "Every user of the machine reads them by ps."),
        Text(
            "Demander le code à l'écran ou par l'entrée standard.",
            "Ask for the code on the screen, or on standard input.",
        ),
    ),
    _rule(
        CodePlace.ENVIRONMENT,
        27,
        Text("Pas de code dans l'environnement", "No code in the environment"),
        Text(
            "Il passe à tout programme lancé, et reste dans les rapports d'incident.",
            "It goes to every program started, and stays in crash reports.",
        ),
        Text("Ne passer le code que par un tube privé.", "Pass the code through a private pipe alone."),
    ),
    _rule(
        CodePlace.OUTPUT,
        28,
        Text("Pas de code à l'affichage", "No code in the output"),
        Text(
            "Il est copié dans les journaux et lu par-dessus l'épaule.",
            "It is copied into logs and read over a shoulder.",
        ),
        Text(
            "Masquer le code à la saisie, et dans toute trace d'APDU.",
            "Mask the code when typed, and in every trace of APDUs.",
        ),
    ),
    _rule(
        CodePlace.FILE,
        29,
        Text("Pas de code dans les fichiers", "No code in files"),
        Text(
            "Un journal ou un fichier temporaire survit au programme.",
            "A log or a temporary file outlives the program.",
        ),
        Text("Masquer la donnée de VERIFY avant d'écrire.", "Mask the data of VERIFY before writing."),
    ),
    _rule(
        CodePlace.MESSAGE,
        30,
        Text("Pas de code vers un téléservice", "No code sent to a teleservice"),
        Text(
            "Le code porteur ne sert qu'à la carte : aucun téléservice ne le demande.",
            "The holder's code is for the card alone: no teleservice asks for it.",
        ),
        Text("Signer par la carte, et n'envoyer que la signature.", "Sign by the card, and send the signature alone."),
    ),
)
