"""What a card and its line may answer, and how a program takes it: lengths, more data, silence, absence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bifente.conformance.observation.facts import Fact
from bifente.conformance.observation.rules.rule import Breach, Rule, breach
from bifente.conformance.observation.rules.sharing import storms
from bifente.conformance.observation.story import Moment, Story
from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text
from bifente.reports.events import Exchange

MUTE_MANY, MUTE_PACE = 4, 3.0
"""So many commands in a row without an answer, each within so many seconds of the one before, are a storm: our model.
A reader gives a mute card up after about a second, so that attempts are at least that far apart."""

ABSENT_MANY, ABSENT_PACE = 20, 0.05
"""So many looks at an empty reader that follow each other so quickly are a storm: our model."""

POLL_MANY = 200
"""So many questions about the readers' state in a row, with no command between, are no waiting: our model.
A module asks once for each of its readers, thirty at a time."""

_MEANT = frozenset({"signal SIGTERM", "signal SIGINT", "signal SIGKILL", "signal SIGHUP"})
"""How a program that was told to end may end."""

GONE_MANY = 3
"""So many commands to a card that has gone, or was reset by another, are blind: our model."""


def _followed(story: Story) -> Iterator[tuple[Moment, Moment | None]]:
    """Each command with the next one of its dialogue."""
    for dialogue in story.dialogues:
        commands = list(dialogue.commands)
        yield from zip(commands, [*commands[1:], None], strict=False)


def _wrong_length(story: Story) -> Sequence[Breach] | None:
    told = [(one, after) for one, after in _followed(story) if one.sw is not None and one.sw >> 8 == 0x6C]
    if not told:
        return None
    return [
        breach(
            f"la carte a dit {one.sw:04X} : la commande n'est pas refaite avec Le = {one.sw & 0xFF:02X}",
            f"the card said {one.sw:04X}: the command is not sent again with Le = {one.sw & 0xFF:02X}",
            *(one, *([after] if after is not None else [])),
        )
        for one, after in told
        if one.sw is not None and (after is None or not _corrected(one, after))
    ]


def _corrected(one: Moment, after: Moment) -> bool:
    if after.header != one.header:
        return False
    sent = after.event.command if isinstance(after.event, Exchange) else ""
    return one.sw is not None and sent[-2:] == f"{one.sw & 0xFF:02X}"


def _more_data(story: Story) -> Sequence[Breach] | None:
    told = [(one, after) for one, after in _followed(story) if one.sw is not None and one.sw >> 8 == 0x61]
    if not told:
        return None
    # What a signature, a reading or an authentication has to say is lost; a SELECT's description may be left alone.
    wanted = [(one, after) for one, after in told if not one.selects]
    return [
        breach(
            f"la carte a dit {one.sw:04X} : les octets qui attendent ne sont pas pris (GET RESPONSE)",
            f"the card said {one.sw:04X}: the bytes that wait are not fetched (GET RESPONSE)",
            *(one, *([after] if after is not None else [])),
        )
        for one, after in wanted
        if after is None or not after.gets_response
    ]


def _goes_on_unanswered(story: Story) -> Sequence[Breach] | None:
    """A command that got no answer is followed by another one, as if the first had been done."""
    if not any(one.unanswered for one in story.commands):
        return None
    found: list[Breach] = []
    for dialogue in story.dialogues:
        silent: Moment | None = None
        for one in dialogue.moments:
            if one.call in ("SCardReconnect", "SCardDisconnect"):
                silent = None
            elif one.instruction is not None:
                if silent is not None and one.header != silent.header and not one.selects:
                    found.append(
                        breach(
                            "commande sans réponse, et la suite est envoyée comme si elle avait été faite",
                            "a command without an answer, and the next ones are sent as if it had been done",
                            *(silent, one),
                        )
                    )
                    silent = None
                elif one.unanswered:
                    silent = one
                else:
                    silent = None
    return found


def _storm_on_mute(story: Story) -> Sequence[Breach] | None:
    silent = [one for one in story.commands if one.unanswered]
    failed = [one for one in story.moments if one.result in ("UNRESPONSIVE_CARD", "UNPOWERED_CARD")]
    if not silent and not failed:
        return None
    found: list[Breach] = []
    for run in storms(sorted([*silent, *failed], key=lambda one: one.seq), MUTE_MANY, MUTE_PACE):
        answered = [one for one in story.commands if run[0].seq < one.seq < run[-1].seq and one.sw is not None]
        if len(answered) * 2 < len(run):
            found.append(
                breach(
                    f"carte muette : {len(run)} tentatives en {run[-1].at - run[0].at:.1f} s",
                    f"mute card: {len(run)} attempts in {run[-1].at - run[0].at:.1f} s",
                    *(run[0], run[-1]),
                )
            )
    return found


def _storm_on_absent(story: Story) -> Sequence[Breach] | None:
    looks = [
        one
        for one in story.moments
        if (one.call == "SCardConnect" and one.result in ("NO_SMARTCARD", "REMOVED_CARD"))
        or one.call in ("SCardListReaders", "SCardStatus")
    ]
    polls = [one for one in story.moments if one.call == "SCardGetStatusChange"]
    if not any(one.call == "SCardConnect" for one in looks) and len(looks) < ABSENT_MANY and len(polls) < POLL_MANY:
        return None
    asked = [run for run in storms(polls, POLL_MANY, ABSENT_PACE) if not _commands_within(story, run)]
    return [
        *(
            breach(
                f"état des lecteurs demandé {len(run)} fois en {run[-1].at - run[0].at:.2f} s, au lieu d'attendre un "
                "changement",
                f"state of the readers asked for {len(run)} times in {run[-1].at - run[0].at:.2f} s, instead of "
                "waiting for a change",
                *(run[0], run[-1]),
            )
            for run in asked
        ),
        *_looks(looks),
    ]


def _commands_within(story: Story, run: Sequence[Moment]) -> bool:
    return any(run[0].seq < one.seq < run[-1].seq for one in story.commands)


def _looks(looks: Sequence[Moment]) -> list[Breach]:
    return [
        breach(
            f"{len(run)} regards aux lecteurs en {run[-1].at - run[0].at:.2f} s, au lieu d'attendre un évènement",
            f"{len(run)} looks at the readers in {run[-1].at - run[0].at:.2f} s, instead of waiting for an event",
            *(run[0], run[-1]),
        )
        for run in storms(looks, ABSENT_MANY, ABSENT_PACE)
    ]


def _speaks_to_a_gone_card(story: Story) -> Sequence[Breach] | None:
    gone = [
        one
        for one in story.commands
        if one.result in ("REMOVED_CARD", "NO_SMARTCARD", "RESET_CARD", "READER_UNAVAILABLE")
    ]
    if not gone:
        return None
    found: list[Breach] = []
    for dialogue in story.dialogues:
        run: list[Moment] = []
        for one in dialogue.moments:
            if one in gone:
                run.append(one)
            elif one.call == "SCardReconnect":
                run = []
            if len(run) == GONE_MANY:
                found.append(
                    breach(
                        f"carte partie ({run[0].result}) : le programme continue de lui parler",
                        f"the card has gone ({run[0].result}): the program goes on speaking to it",
                        *(run[0], run[-1]),
                    )
                )
    return found


def _refused_selection(story: Story) -> Sequence[Breach] | None:
    """A file or application that could not be selected, and a reading all the same: of another file."""
    refused = [
        (one, after)
        for one, after in _followed(story)
        if one.selects and one.sw is not None and one.sw >> 8 in (0x6A, 0x69)
    ]
    if not refused:
        return None
    return [
        breach(
            f"sélection refusée ({one.sw:04X}), lecture quand même : c'est un autre fichier qui est lu",
            f"selection refused ({one.sw:04X}), a reading all the same: another file is what is read",
            *(one, after),
        )
        for one, after in refused
        if after is not None and after.instruction in (0xB0, 0xD6)
    ]


def _crash(story: Story) -> Sequence[Breach] | None:
    ends = list(story.facts(Fact.ENDED))
    if not ends:
        return None
    last = next((one for one in reversed(story.moments) if one.client), None)
    return [
        breach(
            f"le programme s'est écrasé : {call.result}",
            f"the program crashed: {call.result}",
            *([last] if last is not None else []),
        )
        for call in ends
        if call.result.startswith("signal ") and not (call.arguments.get("asked") and call.result in _MEANT)
    ]


def _does_not_end(story: Story) -> Sequence[Breach] | None:
    ends = [call for call in story.facts(Fact.ENDED) if call.arguments.get("asked")]
    if not ends:
        return None
    return [
        breach("prié de s'arrêter, le programme ne l'a pas fait", "asked to stop, the program did not")
        for call in ends
        if call.arguments.get("in-time") == "false"
    ]


RULES = (
    Rule(
        name="wrong-length-is-corrected",
        title=Text(
            "6Cxx : la commande est refaite avec la bonne longueur",
            "6Cxx: the command is sent again with the right length",
        ),
        why=Text(
            "En T=0 la carte dit ainsi combien d'octets elle a : sans cela la lecture échoue.",
            "In T=0 the card tells so how many bytes it has: else the reading fails.",
        ),
        cure=Text("Renvoyer la même commande avec Le = xx, une fois.", "Send the same command with Le = xx, once."),
        requirements=("SOFT-13",),
        fidelity=Fidelity.DOCUMENTED,
        judge=_wrong_length,
    ),
    Rule(
        name="waiting-data-are-fetched",
        title=Text("61xx : les octets qui attendent sont pris", "61xx: the bytes that wait are fetched"),
        why=Text(
            "La signature ou la donnée est dans la carte et n'en sort pas.",
            "The signature or the data is in the card and does not come out.",
        ),
        cure=Text("Envoyer GET RESPONSE avec Le = xx jusqu'à 9000.", "Send GET RESPONSE with Le = xx until 9000."),
        requirements=("SOFT-14",),
        fidelity=Fidelity.DOCUMENTED,
        judge=_more_data,
    ),
    Rule(
        name="silence-is-no-success",
        title=Text("Une réponse vide n'est pas un succès", "An empty answer is no success"),
        why=Text(
            "La suite part d'un état de la carte qui n'est pas celui qu'on croit.",
            "What follows starts from a state of the card that is not the one believed.",
        ),
        cure=Text(
            "Regarder le code de SCardTransmit, puis reprendre la carte par SCardReconnect.",
            "Look at the code of SCardTransmit, then take the card up again by SCardReconnect.",
        ),
        requirements=("SOFT-15",),
        fidelity=Fidelity.MODELLED,
        judge=_goes_on_unanswered,
    ),
    Rule(
        name="no-storm-on-a-mute-card",
        title=Text("Pas de rafale sur une carte muette", "No storm on a mute card"),
        why=Text(
            "Le poste se fige, et l'utilisateur ne sait pas que sa carte est muette.",
            "The workstation freezes, and the user is not told that the card is mute.",
        ),
        cure=Text(
            "Deux essais au plus, puis dire que la carte ne répond pas.",
            "Two attempts at most, then say that the card does not answer.",
        ),
        requirements=("SOFT-16",),
        fidelity=Fidelity.MODELLED,
        judge=_storm_on_mute,
    ),
    Rule(
        name="no-storm-on-an-empty-reader",
        title=Text("Pas de rafale sur un lecteur vide", "No storm on an empty reader"),
        why=Text(
            "Une boucle sans attente prend un processeur pour rien.",
            "A loop without a wait takes a processor for nothing.",
        ),
        cure=Text(
            "Attendre par SCardGetStatusChange, avec un délai qui n'est pas nul.", "Wait by SCardGetStatusChange."
        ),
        requirements=("SOFT-17",),
        fidelity=Fidelity.MODELLED,
        judge=_storm_on_absent,
    ),
    Rule(
        name="a-card-that-has-gone-is-left",
        title=Text("Une carte partie n'est plus interrogée", "A card that has gone is left alone"),
        why=Text(
            "Rien ne viendra plus de ce dialogue : il faut le reprendre.",
            "Nothing will come of this dialogue any more: it has to be taken up anew.",
        ),
        cure=Text(
            "Sur REMOVED_CARD ou RESET_CARD, reconnecter et tout relire.",
            "On REMOVED_CARD or RESET_CARD connect again and read everything anew.",
        ),
        requirements=("SOFT-18",),
        fidelity=Fidelity.MODELLED,
        judge=_speaks_to_a_gone_card,
    ),
    Rule(
        name="a-refused-selection-is-heeded",
        title=Text("Une sélection refusée arrête la lecture", "A refused selection ends the reading"),
        why=Text(
            "Ce qui est lu est le fichier courant d'avant, pris pour un autre.",
            "What is read is the file that was current before, taken for another.",
        ),
        cure=Text("Regarder le mot d'état de SELECT.", "Look at the status word of SELECT."),
        requirements=("SOFT-19",),
        fidelity=Fidelity.MODELLED,
        judge=_refused_selection,
    ),
    Rule(
        name="no-crash",
        title=Text("Le programme ne s'écrase pas", "The program does not crash"),
        why=Text(
            "Une carte ou un lecteur en panne est chose de tous les jours.",
            "A card or a reader that fails is an everyday thing.",
        ),
        cure=Text(
            "Rejouer la trace qui précède, sous un débogueur.", "Play the trace before it again, under a debugger."
        ),
        requirements=("SOFT-20",),
        fidelity=Fidelity.OBSERVED,
        judge=_crash,
    ),
    Rule(
        name="it-ends-when-told",
        title=Text("Le programme s'arrête quand on le lui dit", "The program ends when told"),
        why=Text(
            "Un programme figé garde les cartes du poste.", "A program that hangs keeps the cards of the workstation."
        ),
        cure=Text(
            "Ne jamais attendre une carte sans limite dans le fil qui doit finir.",
            "Never wait for a card without limit in the thread that has to end.",
        ),
        requirements=("SOFT-21",),
        fidelity=Fidelity.MODELLED,
        judge=_does_not_end,
    ),
)
