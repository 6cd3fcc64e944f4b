"""What a scenario of care sheets has at hand, brought together."""

from __future__ import annotations

import random
from collections.abc import Callable

from bifente.conformance.bench.base import Bench
from bifente.conformance.bench.facets import Personalisation
from bifente.conformance.bench.scene import Scene
from bifente.conformance.domains.fse.bench.days import Days
from bifente.conformance.domains.fse.bench.front_end import FrontEndBench
from bifente.conformance.domains.fse.bench.post import Post
from bifente.conformance.domains.fse.bench.relying_party import RelyingParty
from bifente.conformance.domains.fse.bench.station import SceneStation
from bifente.conformance.domains.fse.bench.tellings import said_again
from bifente.conformance.domains.vitale.apcv import ApcvBench
from bifente.conformance.domains.vitale.workstation import Workstation
from bifente.conformance.model import CardChoice
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Arl, PaymentOutcome, Rsp
from bifente.simulator.formats.fse.numbers import Sequence
from bifente.simulator.formats.fse.returns import encode_return
from bifente.simulator.serving.recording import Hear
from bifente.simulator.software.billing.practice import Sending
from bifente.simulator.software.billing.software import BillingSoftware

_OUTCOMES = {"again": "paid", "rejected": "rejected", "taken-back": "reversed"}


class FseBench:
    """One billing software and one front end, with what happens to them. ``chance`` draws what is drawn."""

    def __init__(
        self, bench: Bench, workstation: Workstation, apcv: ApcvBench, chance: random.Random, hear: Hear
    ) -> None:
        self._bench = bench
        self._chance = chance
        self.days = Days(bench)
        self.relying_party = party = RelyingParty(bench)
        self.front_end = FrontEndBench(party, bench.clock, chance, hear)
        self.post = Post(party, self.front_end, bench.clock, chance)
        self.software = BillingSoftware(
            SceneStation(workstation, apcv),
            bench.clock,
            self.post,
            authorities=lambda: party.anchors.insured,
            opposed=lambda: party.opposed,
            random=chance.randbytes,
        )

    @classmethod
    def of(cls, scene: Scene) -> FseBench:
        """Return the software and the front end of a scene."""
        return cls(scene.bench, scene.part(Workstation), scene.part(ApcvBench), scene.random, scene.hear)

    # -- what happens to the software ---------------------------------------------------------------------------------

    def use_up_lots(self, count: int) -> None:
        """Use up numbers of lots, as by lots that never reached the body. Raises FseError before a sheet was made."""
        for _ in range(count):
            self.software.office.store.reserve(Sequence.LOT_FSE)

    def blocking_after(self, count: int | None) -> Callable[[int], None]:
        """Return what has somebody spend the last tries of the professional's code after so many sheets of a batch."""

        def before(rank: int) -> None:
            if rank == count:
                self._block()

        return before

    def _block(self) -> None:
        """Present a wrong code to the professional's card, under the reader, until no try is left."""
        seated = next(card for card in self._bench.seated.values() if card.made_as(PersonalisedCard) is not None)
        rule = seated.layout.secrets["pin"]
        wrong = bytes([0x00, 0x20, 0x00, rule.reference, rule.min]) + b"0" * rule.min
        while (seated.state() or {})["pin-tries"]:
            seated.card.transmit(wrong)

    def present(self, role: str, choice: CardChoice) -> None:
        """Take the card of a slot out and put another in."""
        self.relying_party.meet()
        self._bench.facet(Personalisation).put(role, choice, self._chance)

    # -- what happens on the way --------------------------------------------------------------------------------------

    def resend(self) -> Sending:
        """Have the last file that was handed over sent once more, as it is. Raises FseError."""
        sent = self.post.wire.sent
        if not sent:
            raise FseError("file", "none was sent yet", "send one first")
        return self.software.office.practice.resend(sent[-1].name)

    def receive(self, *, settle: bool = False) -> tuple[Arl | Rsp, ...]:
        """Have what came back by now applied; ``settle``: the front end first sends what it says of payments by now."""
        practice = self.software.office.practice
        for answer in self.front_end.owed(settle=settle):
            self.post.wire.post(answer)
        return practice.receive()

    def say_of_payment(self, what: str, *, forged: bool) -> None:
        """Send something more about the last payment told. Raises FseError where none was."""
        frontal, sender = self.front_end.frontal, self.software.office.store.sender
        told = [one for one in frontal.returns(sender) if isinstance(one, Rsp)]
        if not told:
            raise FseError("payment", "none was told yet", "settle one first")
        if what == "taken-back" and not forged:
            for number in dict.fromkeys(line.invoice for line in told[-1].lines):
                frontal.take_back(sender, number)
            return
        answer = said_again(told[-1], PaymentOutcome(_OUTCOMES[what]))
        self.post.wire.post(encode_return(answer) if forged else frontal.encode(answer))

    def close(self) -> None:
        """Close the mail servers and forget the practice."""
        self.post.close()
        self.software.close()
