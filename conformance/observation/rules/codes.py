"""The holder code: presented once for one entry, never again by itself after a refusal, never to the wrong card."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bifente.conformance.observation.facts import Fact
from bifente.conformance.observation.rules.rule import Breach, Rule, breach
from bifente.conformance.observation.story import Moment, Story
from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text

HAND = 1.0
"""Seconds that a hand needs at least to type a code again: our model."""

BLOCKED, ACCEPTED = 0x6983, 0x9000


def _entered_between(story: Story, first: Moment, last: Moment) -> bool:
    return last.at - first.at >= HAND or any(one.entry for one in story.between(first, last))


def _pairs(story: Story, program: Callable[[Moment], str]) -> Iterator[tuple[Moment, Moment]]:
    """Each code presented by a program with the one that it presented to the same slot before."""
    last: dict[tuple[str, str], Moment] = {}
    for one in story.codes:
        before = last.get((program(one), one.slot))
        if before is not None:
            yield before, one
        last[program(one), one.slot] = one


def _again_after_refusal(story: Story) -> Sequence[Breach] | None:
    if not any(one.refused_code for one in story.codes):
        return None
    return [
        breach(
            f"code refusé ({before.sw:04X}), présenté de nouveau {one.at - before.at:.2f} s après, sans saisie",
            f"code refused ({before.sw:04X}), presented again {one.at - before.at:.2f} s later, without an entry",
            *(before, one),
        )
        for before, one in _pairs(story, story.whole)
        if before.refused_code and before.sw != BLOCKED and not _entered_between(story, before, one)
    ]


def _kept_and_replayed(story: Story) -> Sequence[Breach] | None:
    if not any(one.sw == ACCEPTED for one in story.codes):
        return None
    return [
        breach(
            f"code accepté, présenté de nouveau {one.at - before.at:.2f} s après sans saisie : il a été gardé",
            f"code accepted, presented again {one.at - before.at:.2f} s later without an entry: it was kept",
            *(before, one),
        )
        for before, one in _pairs(story, lambda moment: moment.pid)
        if before.sw == ACCEPTED
        and not any(moment.entry for moment in story.between(before, one))
        and one.at - before.at < HAND
    ]


def _tries_before_last(story: Story) -> Sequence[Breach] | None:
    """The last try is spent by a program that neither asked for the counter nor let its user know of it."""
    left = {
        call.slot: int(call.answer["pin-tries"])
        for call in story.facts(Fact.CARD)
        if call.arguments.get("when") == "start" and call.answer.get("pin-tries", "").isdigit()
    }
    told: dict[str | None, bool] = {}
    found: list[Breach] = []
    concerned = False
    for one in story.moments:
        if one.moved:
            told[one.slot] = False
        elif one.asks_tries and one.instruction == 0x20:
            told[one.slot] = True
            if one.sw is not None and one.sw >> 4 == 0x63C:
                left[one.slot] = one.sw & 0xF
        elif one.output:
            told |= {slot: True for slot, tries in left.items() if one.tells_tries(tries)}
        elif one.presents_code and one.sw is not None and one.sw != BLOCKED:
            if left.get(one.slot) == 1:
                concerned = True
                if not told.get(one.slot):
                    found.append(
                        breach(
                            "dernier essai joué sans avoir lu ni dit combien il en restait",
                            "the last try played without reading or telling how many were left",
                            one,
                        )
                    )
            if one.sw >> 4 == 0x63C:
                left[one.slot] = one.sw & 0xF
                told[one.slot] = False
            elif one.sw == ACCEPTED:
                left.pop(one.slot, None)
    return found if concerned else None


def _to_a_blocked_card(story: Story) -> Sequence[Breach] | None:
    if not any(one.sw == BLOCKED for one in story.commands):
        return None
    found: list[Breach] = []
    blocked: dict[str, Moment] = {}
    for one in story.moments:
        if one.moved:
            blocked.pop(one.slot, None)
        elif one.presents_code and one.slot in blocked:
            found.append(
                breach(
                    "code présenté à une carte qui a dit être bloquée",
                    "code presented to a card that has said it is blocked",
                    *(blocked[one.slot], one),
                )
            )
        if one.instruction == 0x20 and one.sw in (BLOCKED, 0x63C0):
            blocked.setdefault(one.slot, one)
    return found


def _to_an_unknown_card(story: Story) -> Sequence[Breach] | None:
    """A code sent in a dialogue that selected nothing and read nothing: to whatever card is there."""
    presented = False
    found: list[Breach] = []
    for dialogue in story.dialogues:
        known = False
        for one in dialogue.commands:
            if one.presents_code:
                presented = True
                if not known:
                    found.append(
                        breach(
                            "code présenté sans avoir sélectionné l'application ni rien lu de la carte",
                            "code presented before the application was selected or anything of the card read",
                            one,
                        )
                    )
                    known = True
            known = known or ((one.selects or one.reads) and one.sw is not None and one.sw >> 8 in (0x90, 0x61, 0x62))
    return found if presented else None


def _goes_on_after_refusal(story: Story) -> Sequence[Breach] | None:
    refused = [one for one in story.codes if one.refused_code]
    if not refused:
        return None
    found: list[Breach] = []
    for one in refused:
        for later in (moment for moment in story.commands if moment.seq > one.seq and moment.client == one.client):
            if later.presents_code:
                break
            if later.signs:
                found.append(
                    breach(
                        f"code refusé ({one.sw:04X}), signature demandée quand même",
                        f"code refused ({one.sw:04X}), a signature asked for all the same",
                        *(one, later),
                    )
                )
                break
    return found


def _refusal_untold(story: Story) -> Sequence[Breach] | None:
    """A program that leaves with success although the last code it presented was refused, and said nothing."""
    ends = {call.client: call for call in story.facts(Fact.ENDED) if call.client and call.result.startswith("exit ")}
    last = story.codes[-1] if story.codes else None
    if last is None or not last.refused_code:
        return None
    if not ends:
        return None
    said = any(one.output and one.seq > last.seq for one in story.moments)
    if said or any(call.result != "exit 0" for call in ends.values()):
        return []
    return [
        breach(
            f"code refusé ({last.sw:04X}) : rien n'en est dit, et le programme finit par 0",
            f"code refused ({last.sw:04X}): nothing is said of it, and the program ends with 0",
            last,
        )
    ]


RULES = (
    Rule(
        name="no-code-again-after-a-refusal",
        title=Text(
            "Jamais de nouveau le code après un refus sans saisie", "No code again after a refusal without an entry"
        ),
        why=Text(
            "Un code faux répété seul bloque la carte du professionnel en un instant.",
            "A wrong code repeated by itself blocks the professional's card in a moment.",
        ),
        cure=Text(
            "Après 63Cx, oublier le code et le redemander en disant combien d'essais restent.",
            "After 63Cx forget the code, and ask for it again with the number of tries left.",
        ),
        requirements=("SOFT-01",),
        fidelity=Fidelity.MODELLED,
        judge=_again_after_refusal,
    ),
    Rule(
        name="one-verify-for-one-entry",
        title=Text("Une saisie, une présentation du code au plus", "One entry, one presentation of the code at most"),
        why=Text(
            "Un code gardé en mémoire et rejoué survit au porteur, qui croit l'avoir retirée avec sa carte.",
            "A code kept in memory and replayed outlives the holder, who thinks it left with the card.",
        ),
        cure=Text(
            "Garder la session ouverte sur la carte plutôt que le code ; s'il est perdu, le redemander.",
            "Keep the session open on the card rather than the code; when it is lost, ask again.",
        ),
        requirements=("SOFT-02",),
        fidelity=Fidelity.MODELLED,
        judge=_kept_and_replayed,
    ),
    Rule(
        name="tries-told-before-the-last",
        title=Text("Les essais restants lus ou dits avant le dernier", "Remaining tries read or told before the last"),
        why=Text(
            "Le dernier essai bloque la carte : le porteur doit savoir qu'il le joue.",
            "The last try blocks the card: the holder must know that it is being played.",
        ),
        cure=Text(
            "Lire le compteur par un VERIFY sans donnée, et l'afficher avant le dernier essai.",
            "Read the counter by a VERIFY without data, and show it before the last try.",
        ),
        requirements=("SOFT-03",),
        fidelity=Fidelity.MODELLED,
        judge=_tries_before_last,
    ),
    Rule(
        name="no-code-to-a-blocked-card",
        title=Text("Pas de code à une carte bloquée", "No code to a blocked card"),
        why=Text(
            "Rien ne peut plus réussir, et l'utilisateur ne sait pas pourquoi.",
            "Nothing can succeed any more, and the user does not know why.",
        ),
        cure=Text(
            "Après 6983, dire que la carte est bloquée et comment la débloquer.",
            "After 6983 say that the card is blocked, and how to unblock it.",
        ),
        requirements=("SOFT-04",),
        fidelity=Fidelity.MODELLED,
        judge=_to_a_blocked_card,
    ),
    Rule(
        name="no-code-to-an-unknown-card",
        title=Text("Pas de code à une carte qu'on n'a pas reconnue", "No code to a card that was not recognised"),
        why=Text(
            "Le code part à n'importe quelle carte, et coûte un essai à celle d'un autre.",
            "The code goes to whatever card is there, and costs somebody else's a try.",
        ),
        cure=Text(
            "Sélectionner l'application et lire le numéro de la carte avant VERIFY.",
            "Select the application and read the card's number before VERIFY.",
        ),
        requirements=("SOFT-05",),
        fidelity=Fidelity.MODELLED,
        judge=_to_an_unknown_card,
    ),
    Rule(
        name="a-refused-code-ends-the-action",
        title=Text("Un code refusé arrête l'action", "A refused code ends the action"),
        why=Text(
            "Ce qui suit est refusé aussi, et l'erreur montrée n'est plus la bonne.",
            "What follows is refused too, and the error shown is no longer the right one.",
        ),
        cure=Text(
            "Regarder le mot d'état de VERIFY avant de continuer.", "Look at the status word of VERIFY before going on."
        ),
        requirements=("SOFT-06",),
        fidelity=Fidelity.MODELLED,
        judge=_goes_on_after_refusal,
    ),
    Rule(
        name="a-refusal-is-told",
        title=Text("Un refus se dit", "A refusal is told"),
        why=Text(
            "Un programme qui finit bien alors que le code fut refusé trompe ce qui l'appelle.",
            "A program that ends well although the code was refused misleads whatever calls it.",
        ),
        cure=Text("Dire le refus, et finir par un code d'erreur.", "Tell the refusal, and end with an error code."),
        requirements=("SOFT-07",),
        fidelity=Fidelity.MODELLED,
        judge=_refusal_untold,
    ),
)
