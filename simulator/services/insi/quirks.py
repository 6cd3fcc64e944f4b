"""What real answers do against their own schema: words alone, for whoever only names them."""

from __future__ import annotations

from enum import StrEnum


class InsiQuirk(StrEnum):
    """What real answers do against their own schema, or against SOAP; each seen (sources#insi-client)."""

    FATAL = "fatal"
    """``severite="fatal"``, which the schema has not: it has ``fatale``."""
    LANG_EN = "lang-en"
    """French text marked ``xml:lang="en"``."""
    SUBCODE_IN_SOAP = "subcode-in-soap"
    """The subcode as a name of the SOAP namespace: ``S:siram_40``."""
    PREFIXES = "prefixes"
    """Three prefixes for one namespace in one envelope: ``soap``, ``env``, ``S``."""
    HTTP_500 = "http-500"
    """Every fault with HTTP 500, a Sender's too."""
    ODD_DATES = "odd-dates"
    """History whose dates run backwards is given as it is; without it the dates are left out."""


ALL_QUIRKS = frozenset(InsiQuirk)
