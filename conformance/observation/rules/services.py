"""Teleservices: a session kept alive, and nothing asked for whose card is no longer the one that was read."""

from __future__ import annotations

from collections.abc import Sequence

from bifente.conformance.observation.rules.rule import Breach, Rule, breach
from bifente.conformance.observation.story import Moment, Story
from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text
from bifente.reports.events import Message

_OF_A_PATIENT = frozenset({"insi"})
"""Services whose every request is about the person whose card was read last."""

_ENDED = ("invalid_token", "expired")


def _tokens(story: Story) -> Sequence[Breach] | None:
    """A token that a service took is sent to it on until the service takes it no longer."""
    concerned = False
    found: list[Breach] = []
    taken: set[str] = set()
    asked: dict[str, Moment] = {}
    for one in story.moments:
        if (request := one.request) is not None and _bearer(request):
            asked[request.peer] = one
        elif (answer := one.response) is not None and (before := asked.pop(answer.peer, None)) is not None:
            if answer.line.startswith("2"):
                concerned = True
                taken.add(answer.peer)
            elif answer.peer in taken and answer.line.startswith("401") and _says_ended(answer):
                taken.discard(answer.peer)
                found.append(
                    breach(
                        f"jeton échu encore présenté à {answer.peer}",
                        f"a token that had ended was still presented to {answer.peer}",
                        *(before, one),
                    )
                )
    return found if concerned else None


def _swapped(story: Story) -> Sequence[Breach] | None:
    """Another card came into a slot whose card was read, and a request goes out before that slot is read again."""
    concerned = False
    found: list[Breach] = []
    signing = {one.slot for one in story.commands if one.presents_code or one.signs}
    read: set[str] = set()
    changed: dict[str, Moment] = {}
    for one in story.moments:
        if one.brings_card and one.slot in read:
            changed[one.slot] = one
            read.discard(one.slot)
        elif one.reads and one.slot not in signing:
            concerned = concerned or one.slot in changed
            changed.pop(one.slot, None)
            read.add(one.slot)
        elif (request := one.request) is not None and request.peer in _OF_A_PATIENT:
            for slot, moved in changed.items():
                concerned = True
                found.append(
                    breach(
                        f"demande à {request.peer} alors que la carte {slot} a changé depuis sa lecture",
                        f"a request to {request.peer} although card {slot} changed since it was read",
                        *(moved, one),
                    )
                )
            changed.clear()
    return found if concerned else None


def _bearer(request: Message) -> bool:
    return any(name.lower() == "authorization" and value.startswith("Bearer") for name, value in request.headers)


def _says_ended(answer: Message) -> bool:
    said = " ".join([answer.body or "", *(value for _name, value in answer.headers)]).lower()
    return any(word in said for word in _ENDED)


RULES = (
    Rule(
        name="a-token-is-renewed-before-its-end",
        title=Text("Un jeton se renouvelle avant sa fin", "A token is renewed before its end"),
        why=Text(
            "La demande échoue sous les yeux de l'utilisateur, et la suite est perdue ou rejouée.",
            "The request fails before the user's eyes, and what follows is lost or done twice.",
        ),
        cure=Text(
            "Compter expires_in depuis la réponse, renouveler avant, et reprendre une fois à 401.",
            "Count expires_in from the answer, renew before, and begin anew once at a 401.",
        ),
        requirements=("SOFT-31",),
        fidelity=Fidelity.MODELLED,
        judge=_tokens,
    ),
    Rule(
        name="nothing-asked-for-a-patient-whose-card-was-swapped",
        title=Text(
            "Rien n'est demandé pour un patient dont la carte a changé",
            "Nothing is asked for a patient whose card was swapped",
        ),
        why=Text(
            "L'identité rendue est celle d'un autre que le patient à l'écran.",
            "The identity that comes back is another's than that of the patient on the screen.",
        ),
        cure=Text(
            "À chaque changement de Vitale, oublier le choix du bénéficiaire et relire.",
            "At each change of the Vitale forget which beneficiary was chosen, and read again.",
        ),
        requirements=("SOFT-32", "INSI-T-1_03"),
        fidelity=Fidelity.MODELLED,
        judge=_swapped,
    ),
)
