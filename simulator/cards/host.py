"""What the hosts of all families share: files, codes and keys as any middleware handles them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from bifente.ground.text import Text
from bifente.simulator.iso7816 import tlv
from bifente.simulator.iso7816.apdu import Command, Response

if TYPE_CHECKING:
    from bifente.simulator.cards.dialogue import Dialogue
    from bifente.simulator.cards.layout import Layout

OK = 0x9000
_CHAINED = 0x10
_BLOCK = 255
_TEMPLATES, _SIZES = (0x62, 0x6F), (0x80, 0x81)


class NotOnThisCardError(Exception):
    """What a scenario asks for does not exist on cards of this family; the text says what."""

    def __init__(self, family: str, fr: str, en: str) -> None:
        self.why = Text(f"une {family.upper()} {fr}", f"a {family.upper()} {en}")
        super().__init__(self.why.en)


class CardHost:
    """Drives one card through a dialogue. Every method gives the last response: the first refusal ends a sequence. What
    cards of the family do not have raises NotOnThisCardError; a family says how what they have is done.

    ``application`` names the AID that a middleware selects to work with the card, ``channel`` is the logical channel it
    works on, ``piece`` how many bytes it reads at once.
    """

    application: ClassVar[str]
    channel: ClassVar[int] = 0
    piece: ClassVar[int]

    def __init__(self, dialogue: Dialogue, layout: Layout) -> None:
        self._dialogue = dialogue
        self._layout = layout

    # -- applications and files ---------------------------------------------------------------------------------------

    def open(self) -> Response:
        """Take up work: select the application, with whatever recovery the middleware knows."""
        return self.select_application(self._layout.aids[self.application])

    def select_application(self, aid: bytes) -> Response:
        """SELECT by name, no answer wanted; it opens the channel where that is how channels open."""
        return self._dialogue.send(Command(self.channel, 0xA4, 0x04, 0x0C, aid))

    def select_file(self, path: bytes, *, describe: bool = False) -> Response:
        """SELECT by absolute path, the MF's identifier included; ``describe`` asks for what the card tells of it."""
        raise self._lacks("n'a pas de fichiers à sélectionner", "has no files to select")

    def read_binary(self, offset: int, length: int, sfi: int | None = None) -> Response:
        """READ BINARY of the current EF, or of one by short identifier (offset under 256 then)."""
        p1, p2 = (0x80 | sfi, offset) if sfi is not None else (offset >> 8, offset & 0xFF)
        return self._send(0xB0, p1, p2, ne=length)

    def read(self, path: bytes, volume: str | None = None) -> Response:
        """A whole file: SELECT for its size, then READ BINARY by pieces. ``volume`` is where the layout has it."""
        del volume
        selected = self.select_file(path, describe=True)
        if selected.sw != OK:
            return selected
        data = bytearray()
        size = _size(selected.data)
        while len(data) < size:
            piece = self.read_binary(len(data), min(self.piece, size - len(data)))
            if piece.sw != OK or not piece.data:
                return Response(bytes(data), piece.sw)
            data += piece.data
        return Response(bytes(data), OK)

    def update_binary(self, offset: int, data: bytes) -> Response:
        """UPDATE BINARY of the current EF."""
        return self._send(0xD6, offset >> 8, offset & 0xFF, data)

    # -- codes --------------------------------------------------------------------------------------------------------

    def verify(self, reference: int, code: bytes) -> Response:
        """VERIFY; an empty code asks for the counter without using a try."""
        return self._send(0x20, 0x00, reference, code)

    def change(self, reference: int, old: bytes, new: bytes) -> Response:
        """Give a code a new value, the old one known."""
        raise self._lacks("n'a pas de code", "has no code")

    def reset_retry(self, reference: int, new: bytes) -> Response:
        """The last half of an unblocking: tries given back and a new value, the unblocking code being verified."""
        raise self._lacks("n'a pas de code", "has no code")

    def counters(self, reference: int) -> tuple[Response, dict[str, int]]:
        """What the card tells of a code's counters, by name, without using a try."""
        raise self._lacks("n'a pas de code", "has no code")

    # -- keys ---------------------------------------------------------------------------------------------------------

    def challenge(self, length: int) -> Response:
        """GET CHALLENGE."""
        return self._send(0x84, 0x00, 0x00, ne=length)

    def environment(self, template: int, algorithm: int | None, key: int | None = None) -> Response:
        """MSE SET with values as they go to the card."""
        raise self._lacks("n'a pas d'environnement de sécurité", "has no security environment")

    def hash_last_block(self, digest: str, message: bytes) -> Response:
        """Let the card end a hash. Raises NotOnThisCardError where it does not hash."""
        del digest, message
        raise self._lacks(
            "ne condense pas : le poste lui donne le condensat tout fait",
            "does not hash: the host gives it the finished hash",
        )

    def compute_signature(self, key: str, digest: str) -> Response:
        """Have the hash that the card holds signed. Raises NotOnThisCardError where it holds none."""
        del key
        return self.hash_last_block(digest, b"")

    def sign(self, key: str, digest: str, message: bytes, scheme: str = "pkcs1") -> Response:
        """The whole signature of a message. Raises NotOnThisCardError for a scheme the card does not have."""
        raise self._lacks("ne signe pas", "does not sign")

    def sign_hash(self, key: str, digest: str, value: bytes, scheme: str = "pkcs1") -> Response:
        """The signature of a hash that the host made. Raises NotOnThisCardError where the card wants to see the end of
        the message itself.
        """
        del key, value
        raise self._lacks(
            f"ne signe pas un condensat tout fait ({scheme}, {digest})",
            f"does not sign a finished hash ({scheme}, {digest})",
        )

    def authenticate(self, key: str, data: bytes) -> Response:
        """A PKCS#1 v1.5 signature of data as given (a DigestInfo). Raises NotOnThisCardError if they are too long."""
        raise self._lacks("n'authentifie pas", "does not authenticate")

    def decipher(self, key: str, cryptogram: bytes) -> Response:
        """The message in a cryptogram."""
        raise self._lacks("ne déchiffre pas", "does not decipher")

    def enter(self, key: str) -> Response:
        """SELECT the folder that a key of the layout lies in, as a middleware does before each use; nothing if none."""
        folder = self._layout.keys[key].folder
        return Response() if folder is None else self.select_file(self._layout.path(folder))

    def key(self, name: str) -> int:
        """What MSE SET calls a key of the layout."""
        return self._layout.keys[name].mse

    def algorithm(self, operation: str, digest: str | None = None, scheme: str = "pkcs1") -> int:
        """The reference of an algorithm of the layout. Raises NotOnThisCardError."""
        for entry in self._layout.algorithms:
            if entry.operation == operation and entry.digest in (None, digest) and entry.scheme == scheme:
                return entry.reference
        what = " ".join(filter(None, (operation, digest, scheme)))
        raise self._lacks(f"n'a pas l'algorithme {what}", f"has no algorithm {what}")

    def _lacks(self, fr: str, en: str) -> NotOnThisCardError:
        """Return what to raise for something that cards of this family do not have."""
        return NotOnThisCardError(self._layout.family, fr, en)

    # -- commands -----------------------------------------------------------------------------------------------------

    def _send(
        self,
        ins: int,
        p1: int,
        p2: int,
        data: bytes = b"",
        *,
        ne: int | None = None,
        answers: bool = False,
        chained: bool = False,
    ) -> Response:
        """One command on the host's channel, opened if need be. ``answers``: data come back, however many."""
        if self.channel not in self._dialogue.open_channels:
            opened = self.open()
            if opened.sw != OK:
                return opened
        cla = self.channel | (_CHAINED if chained else 0)
        if answers and self._dialogue.block_protocol:
            ne = 256  # PCSC-04
        return self._dialogue.send(Command(cla, ins, p1, p2, data, ne))

    def _private_operation(self, data: bytes) -> Response:
        """PSO DECIPHER, chained as need be."""
        *first, last = (data[at : at + _BLOCK] for at in range(0, len(data) or 1, _BLOCK))
        for block in first:
            begun = self._send(0x2A, 0x80, 0x86, block, chained=True)
            if begun.sw != OK:
                return begun
        return self._send(0x2A, 0x80, 0x86, last, answers=True)


def in_turn(*commands: Callable[[], Response]) -> Response:
    """The response of the last command, or of the first that was refused."""
    response = Response()
    for command in commands:
        response = command()
        if response.sw != OK:
            break
    return response


@lru_cache(maxsize=256)
def _size(answer: bytes) -> int:
    """The size in an FCP or FCI: cards of one family describe a file in the same bytes."""
    try:
        items = tlv.parse(answer)
    except tlv.TlvError:
        return 0
    found = (tlv.find(items, template, size) for template in _TEMPLATES for size in _SIZES)
    return next((int.from_bytes(item.value, "big") for item in found if item), 0)
