"""The professional's card as the SSV functions use it: recognised, its code presented, read, turned into groups."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache, cached_property, lru_cache
from typing import TypeVar

from cryptography import x509

from bifente.ground.shipped import shipped
from bifente.simulator.cards.cpx.business import (
    MAX_ACTIVITIES,
    Activity,
    Billing,
    BillingSituation,
    BusinessError,
    BusinessObject,
    CardIdentity,
    HolderName,
    HolderProfession,
)
from bifente.simulator.cards.cpx.discovery import discover, families_of
from bifente.simulator.cards.cpx.template import FAMILIES
from bifente.simulator.cards.dialogue import Dialogue
from bifente.simulator.cards.families import host_for, layout
from bifente.simulator.cards.host import CardHost
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.apdu import Response
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.ssv.line import Line
from bifente.simulator.zones import Group, unnamed

T = TypeVar("T", bound=BusinessObject)

_OK, _BLOCKED = 0x9000, 0x6983
_ABSENT = frozenset({0x6A82, 0x6A83, 0x9404})
"""No such file, on either side of a card (CARD-CPS3-32)."""
_CERTIFICATE, _SIGNATURE_CERTIFICATE = "EF.C.AUT", "EF.C.SIG"
_TEST_AUTHORITY = "TEST"
MAY_SIGN_INVOICE, MAY_SIGN_LOT = 0x01, 0x02
"""The bits of a situation's signing rights: modelled, no text tells them."""
_FINESS, _RPPS = "1", "8"


class ProfessionalCard:
    """A CPx card of any family, on a line that is open. Every method may raise SsvError."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._found: Mapping[str, bytes] = {}
        self._known: dict[str, Response] = {}
        """What was read already when the card was recognised."""
        self.host, self.layout = self._recognised()

    # -- what it takes to go on ---------------------------------------------------------------------------------------

    def check_in_force(self, today: date) -> None:
        """Refuse a card past its end: F004, "invalid" (that expiry is what this code says is modelled)."""
        end = self.identity.expiry_date
        if end is not None and end < today:
            raise SsvError(SsvCode.PS_INVALID, f"the professional's card expired on {end}")

    def present(self, code: str) -> None:
        """Present the holder code, once, unless the card is blocked already. Raises SsvError (F002, F003)."""
        rule = self.layout.secrets["pin"]
        if not (code.isascii() and code.isdigit() and rule.min <= len(code) <= rule.max):
            raise SsvError(SsvCode.BAD_INPUT, f"a holder code has {rule.min} digits: it was not presented")
        if self.host.verify(rule.reference, b"").sw in (_BLOCKED, 0x63C0):
            raise SsvError(SsvCode.PS_BLOCKED, "no try is left: the code was not presented")
        sw = self.host.verify(rule.reference, code.encode()).sw
        if sw == _BLOCKED or sw >> 4 == 0x63C:
            raise SsvError(SsvCode.WRONG_CODE, f"the card answered {sw:04X}")
        if sw != _OK:
            raise SsvError(SsvCode.CPS_API, f"the card answered {sw:04X} to its code")

    def code_is_presented(self) -> bool | None:
        """Whether the card still holds its code for presented, asked without using a try; None if it never says so.

        Raises SsvError: F002 if it is blocked.
        """
        rule = self.layout.secrets["pin"]
        sw = self.host.verify(rule.reference, b"").sw
        if sw in (_BLOCKED, 0x63C0):
            raise SsvError(SsvCode.PS_BLOCKED, "the card was blocked meanwhile")
        return sw == _OK if rule.tells_verified else None

    def check_domain(self) -> None:
        """Refuse a card without billing situations: it has no health-insurance domain (F004)."""
        if not self.billing:
            raise SsvError(SsvCode.PS_INVALID, "the professional's card has no billing situation")

    # -- what it says -------------------------------------------------------------------------------------------------

    @cached_property
    def identity(self) -> CardIdentity:
        """Which card it is."""
        return self._needed(CardIdentity)

    @cached_property
    def test(self) -> bool:
        """Whether it comes from a TEST authority: the only mark of a test card on our model."""
        try:
            return _from_test_authority(self.certificate)
        except ValueError as error:
            raise SsvError(SsvCode.CPS_API, f"{_CERTIFICATE} cannot be read: {error}") from error

    @cached_property
    def names(self) -> HolderName:
        """How the holder is called."""
        return self._needed(HolderName)

    @cached_property
    def profession(self) -> HolderProfession:
        """The holder's profession, speciality and national identifier."""
        return self._needed(HolderProfession)

    @cached_property
    def rpps(self) -> str:
        """The holder's RPPS number with its key; empty if he is known by another number."""
        kind, number, key = _national_id(self.profession.national_id)
        return number + key if kind == _RPPS else ""

    @cached_property
    def certificate(self) -> bytes:
        """The authentication certificate, DER."""
        answer = self._read(_CERTIFICATE)
        if answer.sw != _OK:
            raise SsvError(SsvCode.CPS_API, f"{_CERTIFICATE}: the card answered {answer.sw:04X}")
        return answer.data

    @cached_property
    def signature_certificate(self) -> bytes:
        """The certificate of the signature key, DER."""
        answer = self._read(_SIGNATURE_CERTIFICATE)
        if answer.sw != _OK:
            raise SsvError(SsvCode.CPS_API, f"{_SIGNATURE_CERTIFICATE}: the card answered {answer.sw:04X}")
        return answer.data

    @cached_property
    def billing(self) -> Mapping[int, BillingSituation]:
        """The billing situations by number; the code must have been presented."""
        found = self._optional(Billing, Billing.NAME)
        return {item.number: item for item in found.situations if item.number is not None} if found else {}

    def groups(self) -> Iterator[Group]:
        """Group 1, then a group 2 for each exercise situation; numbers may have holes. The code must be presented."""
        yield self._holder()
        activities = self.activities
        for number in sorted(activities.keys() | self.billing.keys()):
            yield _situation(number, activities.get(number), self.billing.get(number))

    @cached_property
    def activities(self) -> Mapping[int, Activity]:
        """The exercise situations: every number is asked for, since one that is missing does not end the series."""
        found = {
            number: self._optional(Activity, Activity.NAME.format(number)) for number in range(1, MAX_ACTIVITIES + 1)
        }
        return {number: item for number, item in found.items() if item is not None}

    def _holder(self) -> Group:
        name, profession = self.names, self.profession
        kind, number, key = _national_id(profession.national_id)
        card_type = self.identity.card_type
        return unnamed(
            1,
            {
                "card-type": str(int(card_type, 16)) if card_type else "",
                "national-id-type": kind,
                "national-id": _plain(number),
                "national-id-key": key,
                "civility": _text(name.civility),
                "surname": _plain(name.family_name),
                "first-name": _plain(name.given_name),
            },
        )

    # -- files --------------------------------------------------------------------------------------------------------

    def _recognised(self) -> tuple[CardHost, Layout]:
        for family in families_of(self._line.atr):
            known = layout(family)
            host = host_for(Dialogue(self._line, lambda exchanged: None), known)
            if host.open().sw == _OK:
                # The card's own directories are asked only where the files are not at their usual places.
                identity = host.read(known.path(CardIdentity.NAME))
                if identity.sw == _OK:
                    self._known[CardIdentity.NAME] = identity
                else:
                    self._found = discover(host, known)
                return host, known
        raise SsvError(SsvCode.PS_INVALID, f"no CPS application on the card; known families: {', '.join(FAMILIES)}")

    def _needed(self, kind: type[T]) -> T:
        found = self._optional(kind, kind.NAME)
        if found is None:
            raise SsvError(SsvCode.CPS_API, f"{kind.NAME} is not on the card")
        return found

    def _optional(self, kind: type[T], name: str) -> T | None:
        answer = self._read(name)
        if answer.sw in _ABSENT:
            return None
        if answer.sw != _OK:
            raise SsvError(SsvCode.CPS_API, f"{name}: the card answered {answer.sw:04X}")
        try:
            return kind.decode(answer.data)
        except BusinessError as error:
            raise SsvError(SsvCode.CPS_API, str(error)) from error

    def _read(self, name: str) -> Response:
        if name in self._known:
            return self._known[name]
        return self.host.read(self._found.get(name) or self.layout.path(name), self.layout.volume(name))


@lru_cache(maxsize=256)
def _from_test_authority(certificate: bytes) -> bool:
    return _TEST_AUTHORITY in x509.load_der_x509_certificate(certificate).issuer.rfc4514_string()


def _national_id(value: str | None) -> tuple[str, str, str]:
    """Type digit, number and key: an RPPS number ends with its key, other numbers have none."""
    if not value:
        return "", "", ""
    kind, number = value[0], value[1:]
    return (kind, number[:-1], number[-1]) if kind == _RPPS else (kind, number, "")


def _situation(number: int, activity: Activity | None, billing: BillingSituation | None) -> Group:
    """One situation. A field that our model of the card does not hold is empty: status, substitute, convention,
    speciality, tariff and mileage zones, agreements.
    """
    values = {"logical-number": str(number)}
    if activity is not None:
        values |= {
            "practice-mode": _text(activity.mode),
            "activity-sector": _sectors().get(activity.sector or "", ""),
            "structure-name": _plain(activity.structure),
        }
        if activity.structure_id:
            kind, place = activity.structure_id[0], activity.structure_id[1:]
            split = -1 if kind == _FINESS else len(place)
            values |= {
                "structure-id-type": kind,
                "structure-id": _plain(place[:split]),
                "structure-id-key": place[split:],
            }
    if billing is not None:
        rights = billing.signing_rights or 0
        if billing.billing_id:
            values |= {"billing-id": billing.billing_id[:-1], "billing-id-key": billing.billing_id[-1]}
        values |= {
            "may-sign-invoice": str(int(bool(rights & MAY_SIGN_INVOICE))),
            "may-sign-lot": str(int(bool(rights & MAY_SIGN_LOT))),
        }
    return unnamed(2, values)


def _text(value: int | None) -> str:
    return "" if value is None else str(value)


def _plain(value: str | None) -> str:
    """A text as zones write it: upper-case ASCII, accents left out."""
    return unicodedata.normalize("NFKD", value or "").encode("ascii", "ignore").decode().upper()


@cache
def _sectors() -> Mapping[str, str]:
    return dict(shipped(__package__, "sectors.yaml")["sectors"])
