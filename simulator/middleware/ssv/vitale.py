"""What the Vitale of either generation is to the SSV functions: opened to a professional's card, read as groups."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.ssv.professional import ProfessionalCard
from bifente.simulator.zones import Group, OrderError, check_order

OK = 0x9000
_TEST_MARK = b"T"


class VitaleCard(ABC):
    """A Vitale on a line that is open. Every method may raise SsvError. ``can_sign``: it has a key for that."""

    can_sign: ClassVar[bool] = False

    @property
    def test(self) -> bool:
        """Whether the card bears the mark of a test card (the first field of group 101)."""
        return self.administrative[0].fields[0] == _TEST_MARK

    @property
    @abstractmethod
    def administrative(self) -> tuple[Group, ...]:
        """What anyone may read: every group but 106."""

    @abstractmethod
    def open_to(self, professional: ProfessionalCard) -> None:
        """Have the two cards recognise each other, so that the protected data can be read."""

    @abstractmethod
    def groups(self) -> tuple[Group, ...]:
        """What may be read now, in the order of a zone."""

    def sign(self, content: bytes) -> tuple[bytes, bytes]:
        """The insured's signature of a content: certificate (DER) and value; the card must be open to a professional.

        Raises SsvError: FFFF, unspecified, for a card without a key to sign with: no code is known for it (modelled).
        """
        del content
        raise SsvError(SsvCode.UNSPECIFIED, "this Vitale has no key to sign with")


def fault(what: str) -> SsvError:
    """F014, with what was met."""
    return SsvError(SsvCode.VITALE_COMMUNICATION, what)


def checked(groups: Sequence[Group]) -> tuple[Group, ...]:
    """The groups, if they are those of a Vitale in their order. Raises SsvError (F014)."""
    try:
        check_order(groups)
    except OrderError as error:
        raise fault(f"the rights of the card are not in order: {error}") from error
    return tuple(groups)
