"""When a card and its certificates are valid, from the template or from the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from bifente.simulator.cards.cpx.template import Certificate, Lifecycle, Template
from bifente.simulator.pki.certificate_profiles import Validity

#: A revoked card was revoked this long after its issue.
REVOKED_AFTER = timedelta(days=30)
#: Updates of the laboratory took place this long after the issue of the card.
UPDATED_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The days of a card and of its two certificates, whose ends may differ (SEED-PKI-02, SEED-PKI-03)."""

    card: Validity
    signature: Validity
    authentication: Validity


def calendar(template: Template, at: date) -> Calendar:
    """The days of a card seen at ``at``.

    Dates of the template stand. Else a card lives three whole calendar years and is seen in the second one; an
    expired card ended with the last year. Whole years, because clients cache a card's files by its serial number: the
    same template must give the same bytes for as long as possible (CARD-CPS3-37). The authentication certificate
    ends a month before the signature one.
    """
    last = at.year - 1 if template.lifecycle is Lifecycle.EXPIRED else at.year + 1
    given = template.card
    card = (
        Validity(given.issued, given.expires)
        if given.issued and given.expires
        else Validity(date(last - 2, 1, 1), date(last, 12, 31))
    )
    return Calendar(
        card=card,
        signature=_given(template.certificates.signature) or card,
        authentication=_given(template.certificates.authentication)
        or Validity(card.start, max(card.start, _month_before(card.end))),
    )


def _given(certificate: Certificate) -> Validity | None:
    if certificate.start is None or certificate.end is None:
        return None
    return Validity(certificate.start, certificate.end)


def _month_before(day: date) -> date:
    """The last day of the month before."""
    return day.replace(day=1) - timedelta(days=1)
