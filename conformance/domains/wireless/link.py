"""The link of a wireless terminal, as something that a bench can act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bifente.conformance.targets.facets import Facet
from bifente.ground.text import Text

if TYPE_CHECKING:
    from bifente.conformance.domains.wireless.bench import WirelessBench


class WirelessLink(Facet):
    """The terminal, its link, session and service, another one for each scenario."""

    key = "link"
    lacking = Text(
        "le lecteur n'est pas sans fil, ou il est réel : sa liaison ne se coupe pas",
        "the reader is not wireless, or it is real: its link cannot be cut",
    )

    def __init__(self) -> None:
        self.current: WirelessBench | None = None

    @property
    def wireless(self) -> WirelessBench:
        """The terminal of the scenario under way."""
        assert self.current is not None  # noqa: S101 - steps run once their scenario has begun
        return self.current
