"""Reading a Vitale 2: files of the application VITALE, the protected one behind the recognition of the two cards.

Where the rights lie and how the cards recognise each other is the laboratory's own (``simulator/cards/vitale2``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from typing import ClassVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bifente.simulator.cards.dialogue import Dialogue
from bifente.simulator.cards.families import layout
from bifente.simulator.cards.host import NotOnThisCardError, in_turn
from bifente.simulator.cards.padding import digest_info
from bifente.simulator.cards.vitale2.contents import ContentError, read_rights, with_coverage
from bifente.simulator.cards.vitale2.engine import CHALLENGE_SIZE
from bifente.simulator.iso7816 import tlv
from bifente.simulator.iso7816.apdu import Command, Response
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.ssv.line import Line
from bifente.simulator.middleware.ssv.professional import ProfessionalCard
from bifente.simulator.middleware.ssv.vitale import OK, VitaleCard, checked, fault
from bifente.simulator.zones import Group

_FCP, _SIZE = 0x62, 0x80
_PIECE, _BLOCK, _CHAINED = 256, 255, 0x10
_NOT_ALLOWED = 0x6982
_LARGEST = 0x8000
"""Bytes that READ BINARY can reach: a larger size told by a card is no size."""
_OWN_CHALLENGE = 16


class Vitale2(VitaleCard):
    """A Vitale 2. ``random`` gives the challenge it must sign; ``anchors`` are the authorities of cards, if known.

    Without anchors the card proves that the key of its certificate is its own, not who certified it.
    """

    can_sign: ClassVar[bool] = True

    def __init__(self, line: Line, random: Callable[[int], bytes], anchors: tuple[x509.Certificate, ...]) -> None:
        self._dialogue = Dialogue(line, lambda exchanged: None)
        self._layout = layout("vitale2")
        self._random = random
        self._anchors = anchors
        self._open_to: ProfessionalCard | None = None
        self._needed("SELECT VITALE", self._send(0xA4, 0x04, 0x0C, self._layout.aids["vitale"]))

    @cached_property
    def administrative(self) -> tuple[Group, ...]:
        """EF.RIGHTS."""
        return _checked(lambda: read_rights(self._read("EF.RIGHTS")))

    def open_to(self, professional: ProfessionalCard) -> None:
        """The professional's card signs a challenge of the Vitale, then the Vitale signs one in turn.

        Once for a meeting: the card stays open until it loses power or is reset, which ends the line as well.
        Raises SsvError: F004 the Vitale does not open to this card; F014 the Vitale is not what its certificate says.
        """
        if self._open_to is professional:
            return
        self._recognise(professional)
        self._be_recognised()
        self._open_to = professional

    def groups(self) -> tuple[Group, ...]:
        """EF.RIGHTS, and EF.COVERAGE once it is open."""
        if self._open_to is None:
            return self.administrative
        coverage = self._read("EF.COVERAGE")
        return _checked(lambda: with_coverage(self.administrative, coverage))

    def sign(self, content: bytes) -> tuple[bytes, bytes]:
        """PSO COMPUTE DIGITAL SIGNATURE of the SHA-256 of a content. Raises SsvError (F014, F015)."""
        certificate = self._signature_certificate
        answer = self._send(0x2A, 0x9E, 0x9A, hashlib.sha256(content).digest(), ne=_PIECE)
        return certificate, self._needed("PSO COMPUTE DIGITAL SIGNATURE", answer)

    @cached_property
    def _signature_certificate(self) -> bytes:
        return self._read("EF.C.SIG")

    # -- the two cards -------------------------------------------------------------------------------------------------

    def _recognise(self, professional: ProfessionalCard) -> None:
        answer = in_turn(
            lambda: self._chained(0x2A, 0x00, 0xBE, professional.certificate), lambda: self._proof(professional)
        )
        if answer.sw != OK:
            raise SsvError(SsvCode.PS_INVALID, f"the Vitale does not open to this card: {answer.sw:04X}")

    def _proof(self, professional: ProfessionalCard) -> Response:
        """EXTERNAL AUTHENTICATE: the challenge of the Vitale, signed by the professional's card."""
        challenge = self._needed("GET CHALLENGE", self._send(0x84, ne=CHALLENGE_SIZE))
        try:
            signed = professional.host.authenticate("authentication", digest_info("sha256", challenge))
        except NotOnThisCardError as error:
            raise SsvError(SsvCode.CPS_API, str(error)) from error
        if signed.sw == _NOT_ALLOWED:
            professional.code_is_presented()  # F002 if it was blocked
            raise SsvError(SsvCode.CODE_LOST, "the professional's card no longer has its code: present it again")
        if signed.sw != OK:
            raise SsvError(SsvCode.CPS_API, f"the professional's card answered {signed.sw:04X} to a challenge")
        return self._chained(0x82, 0x00, 0x00, signed.data)

    def _be_recognised(self) -> None:
        """INTERNAL AUTHENTICATE: the Vitale signs a challenge, its certificate tells with which key."""
        try:
            certificate = x509.load_der_x509_certificate(self._read("EF.C.ICC"))
            key = certificate.public_key()
        except ValueError as error:
            raise fault(f"the certificate of the Vitale cannot be read: {error}") from error
        if self._anchors and not any(_issued(certificate, anchor) for anchor in self._anchors):
            raise fault("the certificate of the Vitale comes from no known authority")
        challenge = self._random(_OWN_CHALLENGE)
        signature = self._needed("INTERNAL AUTHENTICATE", self._send(0x88, data=challenge, ne=_PIECE))
        try:
            if not isinstance(key, RSAPublicKey):
                raise InvalidSignature
            key.verify(signature, challenge, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            raise fault("the Vitale did not prove itself") from None

    # -- files and commands --------------------------------------------------------------------------------------------

    def _read(self, name: str) -> bytes:
        """A file of the application, whole: SELECT for its size, READ BINARY by pieces."""
        fid = self._layout.path(name)[-2:]
        size = _size(self._needed(f"SELECT {name}", self._send(0xA4, 0x02, 0x04, fid)))
        if size is None or size > _LARGEST:
            raise fault(f"{name} tells no size that can be read: {size}")
        content = bytearray()
        while len(content) < size:
            wanted = min(_PIECE, size - len(content))
            piece = self._needed(name, self._send(0xB0, len(content) >> 8, len(content) & 0xFF, ne=wanted))
            if len(piece) != wanted:
                raise fault(f"{name}: {wanted} bytes were asked for, {len(piece)} came")
            content += piece
        return bytes(content)

    def _send(self, ins: int, p1: int = 0, p2: int = 0, data: bytes = b"", *, ne: int | None = None) -> Response:
        return self._dialogue.send(Command(0x00, ins, p1, p2, data, ne))

    def _chained(self, ins: int, p1: int, p2: int, data: bytes) -> Response:
        *first, last = (data[at : at + _BLOCK] for at in range(0, len(data) or 1, _BLOCK))
        for block in first:
            begun = self._dialogue.send(Command(_CHAINED, ins, p1, p2, block))
            if begun.sw != OK:
                return begun
        return self._send(ins, p1, p2, last)

    def _needed(self, what: str, answer: Response) -> bytes:
        if answer.sw != OK:
            raise fault(f"{what}: the Vitale answered {answer.sw:04X}")
        return answer.data


def _checked(reading: Callable[[], tuple[Group, ...]]) -> tuple[Group, ...]:
    try:
        return checked(reading())
    except ContentError as error:
        raise fault(f"the rights of the card cannot be read: {error}") from error


def _size(answer: bytes) -> int | None:
    try:
        found = tlv.find(tlv.parse(answer), _FCP, _SIZE)
    except tlv.TlvError:
        found = None
    return int.from_bytes(found.value, "big") if found else None


def _issued(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
