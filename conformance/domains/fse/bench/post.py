"""The way between the practice of a scene and its front end, under the weather and the hand of the scenario."""

from __future__ import annotations

import random
from contextlib import ExitStack

from cryptography import x509

from bifente.conformance.domains.fse.bench.front_end import FrontEndBench
from bifente.conformance.domains.fse.bench.relying_party import RelyingParty
from bifente.conformance.domains.fse.bench.wire import Wire
from bifente.ground.clock import Clock
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.services.frontal.laboratory import EVERY_BODY
from bifente.simulator.serving.mail import InProcessTransport, SmtpTransport, Transport, Weather


class Post:
    """What the software writes to: one front end that stands for every body. ``chance`` draws the weather."""

    def __init__(self, party: RelyingParty, front_end: FrontEndBench, clock: Clock, chance: random.Random) -> None:
        self._party = party
        self._front_end = front_end
        self._clock = clock
        self._stack = ExitStack()
        self._wire: Wire | None = None
        self._generation = self._known = 1
        self.weather = Weather(random.Random(chance.getrandbits(64)))  # noqa: S311 - a dice for a bench

    @property
    def wire(self) -> Wire:
        """The way of the practice's files. Raises FseError before a sheet was made."""
        if self._wire is None:
            raise FseError("practice", "no sheet was made yet", "make one first")
        return self._wire

    def transport(self, sender: str, *, mail: bool, pop3: bool = False) -> Transport:
        """Return the way of a sender's files, by mail or in process."""
        self._wire = Wire(self._transport(sender, mail, pop3))
        return self._wire

    def certificate(self, body: str) -> x509.Certificate:
        """Return what files for a body are encrypted with, as the practice knows it: one stands for all."""
        return self._party.body_of(self._known).certificate

    def returns_certificate(self) -> x509.Certificate:
        """Return what the body's signatures of its returns are checked with."""
        return self._party.signature.certificate

    def change_body_key(self, *, told: bool) -> None:
        """Let the body change its key; ``told``: the practice has its new certificate."""
        self._generation += 1
        own = self._party.body_of(self._generation)
        self._front_end.frontal.change_key(own.key, own.certificate)
        if told:
            self.learn_body_key()

    def learn_body_key(self) -> None:
        """Give the practice the body's certificate of today."""
        self._known = self._generation

    def _transport(self, sender: str, mail: bool, pop3: bool) -> Transport:
        take = self._front_end.take
        if mail:
            server = SmtpTransport(
                take, sender=sender, body=EVERY_BODY, weather=self.weather, clock=self._clock, pop3=pop3
            )
            return self._stack.enter_context(server)
        return InProcessTransport(take, self.weather)

    def close(self) -> None:
        """Close the mail servers."""
        self._stack.close()
