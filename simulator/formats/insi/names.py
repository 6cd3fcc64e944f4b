"""Namespaces, operations and actions of INSi."""

from __future__ import annotations

from enum import StrEnum

TRAITS_NS = "http://www.cnamts.fr/INSiRecSans"
VITALE_NS = "http://www.cnamts.fr/INSiRecVit"
RESULT_NS = "http://www.cnamts.fr/INSiResultat"
BAM_NS = "urn:siram:bam:ctxbam"
LPS_NS = "urn:siram:lps:ctxlps"
SIRAM_NS = "urn:siram"
SERVICE_NS = "http://www.cnamts.fr/webservice"

RESULT = f"{{{RESULT_NS}}}RESULTAT"
BAM, LPS = f"{{{BAM_NS}}}ContexteBAM", f"{{{LPS_NS}}}ContexteLPS"
ERROR = f"{{{SIRAM_NS}}}Erreur"

_FAMILY = "urn:ServiceIdentiteCertifiee:1.0.0"


class InsiOperation(StrEnum):
    """The searches of the WSDL; it has no verification (INSI-04)."""

    TRAITS = "rechercherInsAvecTraitsIdentite"
    VITALE = "rechercherInsAvecCarteVitale"

    @property
    def element(self) -> str:
        """Return the Clark name of what stands in the body."""
        return f"{{{TRAITS_NS}}}RECSANSVITALE" if self is InsiOperation.TRAITS else f"{{{VITALE_NS}}}RECVITALE"

    @property
    def namespace(self) -> str:
        """Return the namespace of the request."""
        return TRAITS_NS if self is InsiOperation.TRAITS else VITALE_NS


def action_of(operation: InsiOperation, *, answer: bool = False) -> str:
    """Return the action of a request, or of its answer."""
    return f"{_FAMILY}:{operation}{'Response' if answer else ''}"
