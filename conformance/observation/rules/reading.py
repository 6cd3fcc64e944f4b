"""Whose card it is: read again after a change, and before anything is signed."""

from __future__ import annotations

from collections.abc import Sequence

from bifente.conformance.observation.rules.rule import Breach, Rule, breach
from bifente.conformance.observation.story import Moment, Story
from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text


def _after_a_change(story: Story) -> Sequence[Breach] | None:
    """A card came while the program was there, and it presents a code or signs before it has read anything."""
    concerned = False
    found: list[Breach] = []
    changed: dict[str, Moment] = {}
    met: set[tuple[str, str]] = set()
    for one in story.moments:
        if one.brings_card:
            changed[one.slot] = one
        elif one.instruction is not None and one.slot in changed:
            concerned = concerned or (one.pid, one.slot) in met
            if one.reads or one.selects:
                del changed[one.slot]
            elif (one.presents_code or one.signs) and (one.pid, one.slot) in met:
                found.append(
                    breach(
                        f"carte changée dans la fente {one.slot} : code ou signature sans rien relire",
                        f"the card in slot {one.slot} changed: code or signature with nothing read again",
                        *(changed.pop(one.slot), one),
                    )
                )
        if one.instruction is not None:
            met.add((one.pid, one.slot))
    return found if concerned else None


def _identity_after_a_change(story: Story) -> Sequence[Breach] | None:
    """As above, with the application selected and yet no file read: whose card it is is taken from the one before."""
    concerned = False
    found: list[Breach] = []
    changed: dict[str, Moment] = {}
    met: set[tuple[str, str]] = set()
    for one in story.moments:
        if one.brings_card:
            changed[one.slot] = one
        elif one.instruction is not None and one.slot in changed and (one.pid, one.slot) in met:
            if one.reads:
                concerned = True
                del changed[one.slot]
            elif one.signs:
                concerned = True
                found.append(
                    breach(
                        f"carte changée dans la fente {one.slot} : signature sans avoir lu de qui elle est",
                        f"the card in slot {one.slot} changed: a signature without reading whose it is",
                        *(changed.pop(one.slot), one),
                    )
                )
        if one.instruction is not None:
            met.add((one.pid, one.slot))
    return found if concerned else None


def _before_signing(story: Story) -> Sequence[Breach] | None:
    concerned = False
    found: list[Breach] = []
    read: set[tuple[str, str]] = set()
    for one in story.moments:
        if one.moved:
            read -= {key for key in read if key[1] == one.slot}
        elif one.reads:
            read.add((one.pid, one.slot))
        elif one.signs:
            concerned = True
            if (one.pid, one.slot) not in read:
                found.append(
                    breach(
                        f"signature par la carte {one.slot} sans avoir rien lu d'elle",
                        f"a signature by card {one.slot} with nothing of it read",
                        one,
                    )
                )
                read.add((one.pid, one.slot))
    return found if concerned else None


def _swapped_patient(story: Story) -> Sequence[Breach] | None:
    """The patient's card changed since it was read, and the professional's signs all the same."""
    concerned = False
    found: list[Breach] = []
    read: dict[tuple[str, str], Moment] = {}
    stale: dict[tuple[str, str], Moment] = {}
    for one in story.moments:
        if one.moved:
            for key in [key for key in read if key[1] == one.slot]:
                stale[key] = one
                del read[key]
        elif one.reads:
            read[one.pid, one.slot] = one
            stale.pop((one.pid, one.slot), None)
        elif one.signs:
            others = {key: moved for key, moved in stale.items() if key[0] == one.pid and key[1] != one.slot}
            concerned = concerned or bool(others) or any(key[1] != one.slot for key in read if key[0] == one.pid)
            for (_pid, slot), moved in others.items():
                found.append(
                    breach(
                        f"signature alors que la carte {slot} a changé depuis sa lecture",
                        f"a signature although card {slot} changed since it was read",
                        *(moved, one),
                    )
                )
                stale = {key: value for key, value in stale.items() if key not in others}
    return found if concerned else None


RULES = (
    Rule(
        name="a-changed-card-is-met-anew",
        title=Text("Une carte changée est reprise du début", "A card that was changed is met anew"),
        why=Text("Le code d'un porteur part à la carte d'un autre.", "One holder's code goes to another's card."),
        cure=Text(
            "À chaque insertion : sélectionner, lire, et seulement alors demander le code.",
            "At each insertion: select, read, and only then ask for the code.",
        ),
        requirements=("SOFT-22",),
        fidelity=Fidelity.MODELLED,
        judge=_after_a_change,
    ),
    Rule(
        name="whose-card-it-is-is-read-again",
        title=Text("De qui est la carte se relit après un changement", "Whose card it is is read again after a change"),
        why=Text(
            "La signature est celle d'un autre que celui dont le nom est à l'écran.",
            "The signature is somebody else's than the one whose name is on the screen.",
        ),
        cure=Text(
            "Relire le numéro de la carte après chaque insertion, avant de signer.",
            "Read the card's number again after each insertion, before signing.",
        ),
        requirements=("SOFT-23",),
        fidelity=Fidelity.MODELLED,
        judge=_identity_after_a_change,
    ),
    Rule(
        name="a-card-is-read-before-it-signs",
        title=Text("Une carte est lue avant de signer", "A card is read before it signs"),
        why=Text(
            "Signer en aveugle, c'est signer au nom de quiconque a laissé sa carte.",
            "To sign blindly is to sign in the name of whoever left a card.",
        ),
        cure=Text(
            "Lire le certificat ou le numéro, et le comparer à l'utilisateur du logiciel.",
            "Read certificate or number, and compare it with the user of the software.",
        ),
        requirements=("SOFT-24",),
        fidelity=Fidelity.MODELLED,
        judge=_before_signing,
    ),
    Rule(
        name="nothing-for-a-patient-whose-card-was-swapped",
        title=Text("Rien pour un patient dont la carte a changé", "Nothing for a patient whose card was swapped"),
        why=Text(
            "La feuille porte les droits d'un patient et part avec la carte d'un autre.",
            "The sheet bears one patient's rights and leaves with another's card.",
        ),
        cure=Text(
            "Relire la Vitale au moment de signer (non-substitution).",
            "Read the Vitale again when signing (non-substitution).",
        ),
        requirements=("SOFT-25",),
        fidelity=Fidelity.MODELLED,
        judge=_swapped_patient,
    ),
)
