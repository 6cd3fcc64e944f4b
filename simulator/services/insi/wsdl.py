"""The description that the service serves of itself: the interface of DESIR_ICIR_EXP 1.5.0 in our own words."""

from __future__ import annotations

from functools import cache
from importlib import resources
from xml.sax.saxutils import quoteattr


@cache
def _template() -> str:
    return resources.files("bifente.simulator.services.insi").joinpath("insi.wsdl").read_text(encoding="utf-8")


def wsdl(address: str) -> str:
    """Return the WSDL, the service at ``address``."""
    return _template().replace('"ADDRESS"', quoteattr(address))
