"""A wireless terminal attached to a bench: fresh for each scenario, paired, charged, in range and in session."""

from __future__ import annotations

import random
from collections.abc import Mapping
from contextlib import suppress

from bifente.conformance.bench.attachment import Attachment
from bifente.conformance.bench.scene import Scene
from bifente.conformance.bench.virtual import VirtualBench
from bifente.conformance.domains.wireless.link import WirelessLink
from bifente.conformance.domains.wireless.profile import WirelessProfile
from bifente.conformance.targets.facets import Facets
from bifente.simulator.serving.service import to_nobody


def attach(bench: VirtualBench) -> Attachment | None:
    """Return the terminal of a bench whose profile is that of a wireless one."""
    profile = bench.profile.section(WirelessProfile)
    return WirelessAttachment(bench, profile) if profile is not None else None


class WirelessAttachment(Attachment):
    """The terminal around the slots of a bench."""

    def __init__(self, bench: VirtualBench, profile: WirelessProfile) -> None:
        self._bench = bench
        self._profile = profile
        self._link = WirelessLink()
        self._scene: Scene | None = None

    @property
    def facets(self) -> Facets:
        """The link."""
        return Facets({WirelessLink: self._link})

    def opened(self, scene: Scene) -> None:
        """Let its terminal and its service tell this scene what passes."""
        self._scene = scene

    def begin(self, chance: random.Random) -> None:
        """Another terminal, the cards of the last one out if a service may have given them up."""
        # Here, not above: it brings a web framework and signatures along, which no other bench needs.
        from bifente.conformance.domains.wireless.bench import WirelessBench

        bench, before = self._bench, self._link.current
        if before is not None:
            before.close()
            if before.terminal.disturbed:
                # A service that gave a card up takes it again only once it was out.
                for role, slot in bench.slots.items():
                    if slot.card is not None:
                        bench.remove(role)
        own = random.Random(chance.getrandbits(64))  # noqa: S311
        slots = {role: bench.slots[here] for role, here in bench.profile.roles_of(WirelessProfile).items()}
        scene = self._scene
        self._link.current = WirelessBench(
            self._profile,
            slots,
            bench.access,
            bench.clock,
            own,
            bench.workshop.keys,
            declare=scene.declare if scene is not None else to_nobody,
            hear=scene.hear if scene is not None else None,
        )

    def seated(self, *, destructive: bool) -> None:
        """Wait until applications see the cards that the terminal gives."""
        self._bench.follow()

    def keep(self) -> None:
        """Renew the token at half its life, unless something ended the session: then it stays so."""
        from bifente.simulator.readers.wireless.refusals import TokenRefusedError

        current = self._link.current
        if current is not None and 0 < current.terminal.remaining < self._profile.ttl / 2:
            with suppress(TokenRefusedError):
                current.renew()

    def settle(self) -> None:
        """Wait until applications see which cards the terminal still gives."""
        self._bench.follow()

    def time_passed(self) -> None:
        """Let the terminal notice."""
        if (current := self._link.current) is not None:
            current.terminal.look()

    def picture(self) -> Mapping[str, str]:
        """Its link, token and battery."""
        return current.picture() if (current := self._link.current) is not None else {}

    def close(self) -> None:
        """Leave the slots as those of a device on a wire."""
        if (current := self._link.current) is not None:
            current.close()
