"""Sharing the cards: exclusive connections, transactions and sessions given back in time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bifente.conformance.observation.facts import Fact
from bifente.conformance.observation.rules.rule import Breach, Rule, breach
from bifente.conformance.observation.story import CardDialogue, Moment, Story
from bifente.conformance.run.scribe.calls import SUCCESS
from bifente.ground.fidelity import Fidelity
from bifente.ground.text import Text
from bifente.reports.events import Call

EXCLUSIVE = "exclusive"

IDLE = 1.0
"""Seconds after which somebody who holds a card and does nothing with it keeps others from it: our model."""

BUSY_PACE, BUSY_MANY = 0.05, 10
"""Seconds between two attempts at a card that another holds, and how many of them are a storm: our model."""


def _held_alone(dialogue: CardDialogue) -> Iterator[tuple[Moment, Moment | None]]:
    """Yield the neighbours between which the card was held exclusively, None for the end of the story."""
    share, last = dialogue.share, dialogue.opened
    # What ends a dialogue is among its moments when it is a call on the card, and not when a context ends.
    for one in [*dialogue.moments, *([dialogue.closed] if dialogue.closed else [])]:
        if share == EXCLUSIVE:
            yield last, one
        if one.call == "SCardReconnect" and one.result == SUCCESS and isinstance(one.event, Call):
            share = one.event.arguments.get("share", share)
        last = one
    if dialogue.closed is None and share == EXCLUSIVE:
        yield last, None


def _idle_exclusive(story: Story) -> Sequence[Breach] | None:
    held = [(dialogue.slot, *between) for dialogue in story.dialogues for between in _held_alone(dialogue)]
    if not held:
        return None
    found: list[Breach] = []
    for slot, last, one in held:
        if one is None and story.duration - last.at >= IDLE:
            found.append(
                breach(
                    f"carte {slot} tenue en exclusif jusqu'à la fin",
                    f"card {slot} held exclusively to the end",
                    last,
                )
            )
        elif one is not None and one.at - last.at >= IDLE:
            found.append(
                breach(
                    f"carte {slot} tenue en exclusif {one.at - last.at:.1f} s sans rien en faire",
                    f"card {slot} held exclusively for {one.at - last.at:.1f} s with nothing done",
                    *(last, one),
                )
            )
    return found


_ENDS = frozenset({"SCardEndTransaction", "SCardDisconnect"})


def _transactions(story: Story) -> Iterator[tuple[CardDialogue, list[Moment], Moment | None]]:
    """Each transaction: its dialogue, its moments from the begin on, and its end, if it has one."""
    for dialogue in story.dialogues:
        depth, inside = 0, list[Moment]()
        for one in dialogue.moments:
            if one.call == "SCardBeginTransaction" and one.result == SUCCESS:
                depth += 1
                inside = inside or [one]
            elif one.call in _ENDS and depth:
                # To leave the card ends what was begun on it.
                depth -= 1 if one.call == "SCardEndTransaction" and one.result == SUCCESS else depth
                if not depth:
                    yield dialogue, inside, one
                    inside = []
            elif depth:
                inside.append(one)
        if inside:
            yield dialogue, inside, None


def _idle_transaction(story: Story) -> Sequence[Breach] | None:
    concerned = False
    found: list[Breach] = []
    for dialogue, inside, end in _transactions(story):
        concerned = True
        for before, after in zip(inside, [*inside[1:], *([end] if end is not None else [])], strict=False):
            if after.at - before.at >= IDLE:
                found.append(
                    breach(
                        f"transaction tenue {after.at - before.at:.1f} s sur la carte {dialogue.slot} sans commande",
                        f"a transaction held for {after.at - before.at:.1f} s on card {dialogue.slot} with no command",
                        *(before, after),
                    )
                )
    return found if concerned else None


def _open_transaction(story: Story) -> Sequence[Breach] | None:
    concerned = False
    found: list[Breach] = []
    for dialogue, inside, end in _transactions(story):
        concerned = True
        if end is None:
            found.append(
                breach(
                    f"transaction ouverte sur la carte {dialogue.slot} et jamais rendue",
                    f"a transaction begun on card {dialogue.slot} and never given back",
                    *(inside[0], inside[-1]),
                )
            )
    return found if concerned else None


def _storm_on_busy(story: Story) -> Sequence[Breach] | None:
    busy = [one for one in story.moments if one.result == "SHARING_VIOLATION"]
    if not busy:
        return None
    # libpcsclite itself asks again for a transaction, a tenth of a second later each time.
    own = [one for one in busy if one.call != "SCardBeginTransaction"]
    found = list(storms(own, BUSY_MANY, BUSY_PACE))
    return [
        breach(
            f"carte tenue par un autre : {len(run)} tentatives en {run[-1].at - run[0].at:.2f} s",
            f"card held by another: {len(run)} attempts in {run[-1].at - run[0].at:.2f} s",
            *(run[0], run[-1]),
        )
        for run in found
    ]


def storms(moments: Sequence[Moment], many: int, pace: float) -> Iterator[list[Moment]]:
    """Yield every run of so many moments or more that follow each other within the pace."""
    run: list[Moment] = []
    for one in moments:
        if run and one.at - run[-1].at > pace:
            if len(run) >= many:
                yield run
            run = []
        run.append(one)
    if len(run) >= many:
        yield run


def _left_open(story: Story) -> Sequence[Breach] | None:
    """A code that is still verified on a card when the program has gone."""
    accepted = [one for one in story.codes if one.sw == 0x9000]
    if not accepted:
        return None
    last = {one.slot: one for one in accepted}
    return [
        breach(
            f"le programme est parti, le code reste ouvert sur la carte {call.slot}",
            f"the program has gone, the code is still open on card {call.slot}",
            last[call.slot],
        )
        for call in story.facts(Fact.CARD)
        if call.arguments.get("when") == "end" and call.answer.get("pin-verified") == "true" and call.slot in last
    ]


RULES = (
    Rule(
        name="no-idle-exclusive-connection",
        title=Text("Pas de connexion exclusive au repos", "No exclusive connection kept while idle"),
        why=Text(
            "Les autres logiciels du poste ne peuvent plus lire la carte.",
            "The other programs of the workstation cannot read the card any more.",
        ),
        cure=Text(
            "Se connecter en partagé ; prendre une transaction le temps des commandes.",
            "Connect shared; take a transaction for as long as the commands need.",
        ),
        requirements=("SOFT-08",),
        fidelity=Fidelity.MODELLED,
        judge=_idle_exclusive,
    ),
    Rule(
        name="no-idle-transaction",
        title=Text("Pas de transaction au repos", "No transaction kept while idle"),
        why=Text(
            "Toute commande des autres attend la fin de la transaction.",
            "Every command of others waits for the end of the transaction.",
        ),
        cure=Text(
            "Terminer la transaction avant d'attendre l'utilisateur.",
            "End the transaction before waiting for the user.",
        ),
        requirements=("SOFT-09",),
        fidelity=Fidelity.MODELLED,
        judge=_idle_transaction,
    ),
    Rule(
        name="transactions-are-released",
        title=Text("Les transactions se rendent", "Transactions are released"),
        why=Text(
            "Partir en transaction réinitialise la carte sous les autres logiciels.",
            "Leaving within a transaction resets the card under the other programs.",
        ),
        cure=Text(
            "Un SCardEndTransaction pour chaque SCardBeginTransaction, aussi après une erreur.",
            "One SCardEndTransaction for each SCardBeginTransaction, also after an error.",
        ),
        requirements=("SOFT-10",),
        fidelity=Fidelity.MODELLED,
        judge=_open_transaction,
    ),
    Rule(
        name="no-storm-on-a-busy-card",
        title=Text("Pas de rafale sur une carte occupée", "No storm on a busy card"),
        why=Text(
            "Redemander sans pause prend le processeur et ne libère pas la carte.",
            "Asking again without a pause takes the processor and frees no card.",
        ),
        cure=Text(
            "Attendre au moins 100 ms entre deux essais, et s'arrêter après quelques-uns.",
            "Wait 100 ms at least between two attempts, and give up after a few.",
        ),
        requirements=("SOFT-11",),
        fidelity=Fidelity.MODELLED,
        judge=_storm_on_busy,
    ),
    Rule(
        name="logged-out-at-the-end",
        title=Text("Le code est refermé à la fin", "Logged out, or reset, at the end"),
        why=Text(
            "Un autre logiciel du poste signerait sans code.",
            "Another program of the workstation would sign without a code.",
        ),
        cure=Text(
            "SCardDisconnect avec SCARD_RESET_CARD avant de partir. C_Logout ne suffit que si le module referme le "
            "code : celui d'OpenSC laisse ouvert celui d'une CPS3 (disconnect_action = reset dans opensc.conf).",
            "SCardDisconnect with SCARD_RESET_CARD before leaving. C_Logout is enough only if the module really closes "
            "it: OpenSC's leaves the code of a CPS3 open (disconnect_action = reset in opensc.conf).",
        ),
        requirements=("SOFT-12",),
        fidelity=Fidelity.MODELLED,
        judge=_left_open,
    ),
)
