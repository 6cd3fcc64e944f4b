"""The wireless side of a bench: its terminal, the platform that pairs it, and the reading service in front of it."""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from functools import cached_property

from bifente.conformance.domains.wireless.profile import WirelessProfile
from bifente.ground.clock import Clock
from bifente.simulator.formats.jose.seal import SigningKey
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.middleware.ssv import Ssv
from bifente.simulator.pki.keystore import KeySource
from bifente.simulator.readers import ReaderAccess, Slot
from bifente.simulator.readers.wireless import (
    BatteryModel,
    Pairing,
    Platform,
    Terminal,
    TerminalParameters,
    TerminalSession,
    WeakLink,
)
from bifente.simulator.services.cloudfsv import Bearers, CloudFsv, CloudFsvService, laboratory_key
from bifente.simulator.serving.recording import Hear, recorded
from bifente.simulator.serving.service import Asgi, Declare, to_nobody


class WirelessBench:
    """A paired terminal in session on the slots of a device, another paired one beside it, and their service.

    ``access`` is how the reading functions reach the cards, ``slots`` are the device's by role. ``tokens`` are all the
    workstation ever had of this terminal, the newest last. ``declare`` hears every token as it is born, ``hear`` every
    message of the service.
    """

    def __init__(
        self,
        profile: WirelessProfile,
        slots: Mapping[str, Slot],
        access: ReaderAccess,
        clock: Clock,
        chance: random.Random,
        keys: KeySource,
        declare: Declare = to_nobody,
        hear: Hear | None = None,
    ) -> None:
        self.access_key = SigningKey.es256("laboratory-terminal-1")
        self.platform = Platform(clock, parameters(profile), chance, self.access_key)
        self.platform.declare = declare
        self.terminal = Terminal(slots, self.platform, chance)
        self.other = Terminal({}, self.platform, chance)
        self.tokens: list[str] = []
        self._renewing = threading.RLock()
        self.outcome = ""
        """How the last thing planned for the middle of a call ended; empty before."""
        self._clock = clock
        self._chance = chance
        self._access = access
        self._keys = keys
        self._declare = declare
        self._hear = hear
        self._service: CloudFsv | None = None
        self.platform.pair(self.terminal.id)
        self.platform.pair(self.other.id)
        self.other_token = self.other.open_session()
        self.open_session()

    @property
    def token(self) -> str:
        """The token the workstation now holds."""
        return self.tokens[-1]

    def open_session(self) -> None:
        """Authenticate anew. Raises TokenRefusedError."""
        self.tokens.append(self.terminal.open_session())

    def renew(self, token: str | None = None) -> None:
        """Trade a token, by default the one held, for the next. Raises TokenRefusedError."""
        # A live bench renews in good time by itself, from a thread of its own: each trades what the other got.
        with self._renewing:
            self.tokens.append(self.terminal.renew_session(token or self.token))

    @property
    def bearer_key(self) -> SigningKey:
        """The key that signs the software's own tokens."""
        return laboratory_key(self._keys)

    def bearer(self) -> str:
        """A fresh token of the software."""
        return self.service.bearers.issue()

    @property
    def service(self) -> CloudFsv:
        """The reading service, made when it is first needed: its bearer key is an RSA key."""
        if self._service is None:
            bearers = Bearers(self._clock, self.bearer_key, self._chance)
            bearers.declare = self._declare
            self._service = CloudFsv(self.platform, bearers, self._clock)
            self._service.serve(self.terminal, reading(self._access, self._clock))
        return self._service

    @cached_property
    def served(self) -> CloudFsvService:
        """The reading service as software reaches it."""
        return CloudFsvService(self.service, self._declare)

    @cached_property
    def application(self) -> Asgi:
        """The application of the service; what passes is heard if anybody hears."""
        return self.served.application if self._hear is None else recorded(self.served, self._clock, self._hear)

    def picture(self) -> Mapping[str, str]:
        """``link``, ``token`` (what is left of it, or how the session ended) and ``battery``, in words."""
        session, terminal = self.terminal.session, self.terminal
        return {
            "link": terminal.link.value if terminal.pairing is Pairing.PAIRED else "unpaired",
            "token": f"{terminal.remaining:.0f} s" if session is TerminalSession.OPEN else session.value,
            "battery": f"{terminal.battery:.0f} %" + (" low" if terminal.battery_low else ""),
        }

    def close(self) -> None:
        """Leave the slots as those of a device on a wire."""
        self.terminal.detach()


def parameters(profile: WirelessProfile) -> TerminalParameters:
    """A profile's section as the simulator takes it."""
    battery, weak = profile.battery, profile.weak
    return TerminalParameters(
        ttl=profile.ttl,
        leeway=profile.leeway,
        battery=BatteryModel(battery.hours, battery.exchanges, battery.low),
        weak=WeakLink(weak.lost, weak.late, weak.delay),
    )


def reading(access: ReaderAccess, clock: Clock) -> Ssv:
    """The SSV functions over whatever cards are in these readers, ready for use."""
    ssv = Ssv(FullPcsc(access, clock), clock)
    ssv.init_lib()
    return ssv
