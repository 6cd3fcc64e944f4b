"""Tokens and what is done with them, on whatever gives access to the readers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bifente.simulator.cards.cpx.discovery import families_of
from bifente.simulator.cards.cpx.personalise import CERTIFICATE_FILES
from bifente.simulator.cards.dialogue import Dialogue
from bifente.simulator.cards.families import host_for, layout
from bifente.simulator.cards.host import CardHost, NotOnThisCardError
from bifente.simulator.cards.layout import Layout
from bifente.simulator.iso7816.apdu import Response
from bifente.simulator.middleware.cryptolib.traits import CryptolibTraits
from bifente.simulator.middleware.recognition import CardKind, kind_of
from bifente.simulator.readers import Connection, PcscCode, ReaderAccess, ScardError

T = TypeVar("T")

_OK, _BLOCKED, _CODE_WANTED = 0x9000, 0x6983, 0x6982
_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
"""DigestInfo of SHA-256 up to the hash (RFC 8017, section 9.2, note 1)."""
_REMOVED = frozenset({PcscCode.REMOVED_CARD, PcscCode.NO_SMARTCARD, PcscCode.READER_UNAVAILABLE})


class CryptolibError(Exception):
    """What a function of the library returned. ``code`` is its PKCS#11 name, ``detail`` one sentence."""

    def __init__(self, code: str, detail: str) -> None:
        self.code, self.detail = code, detail
        super().__init__(f"{code}: {detail}")


class Cryptolib:
    """The library as one program loaded it."""

    def __init__(self, access: ReaderAccess, traits: CryptolibTraits) -> None:
        self._access = access
        self.traits = traits
        self._lost: set[str] = set()
        """Readers that were silent once, given up by a release that does not reopen them."""

    def tokens(self) -> tuple[str, ...]:
        """Return the readers that have a token, as C_GetSlotList does. Raise CryptolibError without a PC/SC service."""
        try:
            names = self._access.readers()
        except ScardError as error:
            raise CryptolibError("CKR_DEVICE_ERROR", str(error)) from None
        return tuple(name for name in names if self._has_token(name))

    def open(self, reader: str) -> CryptolibToken:
        """Open a session with the token in a reader. Raise CryptolibError."""
        try:
            return CryptolibToken(lambda: self._access.connect(reader), self.traits)
        except ScardError as error:
            raise CryptolibError(_code(error, self.traits), str(error)) from None

    def _has_token(self, reader: str) -> bool:
        traits = self.traits
        if not traits.finds_cards or reader in self._lost or (traits.cache_folder_needed and not traits.cache_folder):
            return False
        try:
            return self._looked_at(reader)
        except ScardError as error:
            if error.code not in _REMOVED and not traits.reopens:
                self._lost.add(reader)
            return False
        except CryptolibError:
            return False

    def _looked_at(self, reader: str) -> bool:
        connection = self._access.connect(reader)
        try:
            if kind_of(connection.atr) is not CardKind.CPS:
                return False
        finally:
            connection.disconnect()
        token = CryptolibToken(lambda: self._access.connect(reader), self.traits)
        try:
            return self.traits.shows_exhausted or not token.exhausted()
        finally:
            token.close()


class CryptolibToken:
    """A session with one token. Methods raise CryptolibError, the making of it ScardError where there is no card."""

    def __init__(self, connect: Callable[[], Connection], traits: CryptolibTraits) -> None:
        self._connect = connect
        self._traits = traits
        self._code = ""
        self._connection = connect()
        self._host, self._layout = self._recognised()

    @property
    def serial(self) -> str:
        """The card's serial number as it is on the card, in hexadecimal."""
        return self._read("EF.SN").hex().upper()

    def login(self, code: str) -> None:
        """C_Login. The code is presented once, and not at all to a blocked card."""
        sw = self._run(lambda: self._presented(code))
        if sw == _BLOCKED or sw >> 4 == 0x63C:
            raise CryptolibError("CKR_PIN_INCORRECT", f"the card answered {sw:04X}")
        if sw != _OK:
            raise CryptolibError("CKR_GENERAL_ERROR", f"the card answered {sw:04X} to its code")
        self._code = code

    def certificate(self, key: str) -> bytes:
        """The certificate of a key (``authentication``, ``signature``), DER: from the cache where that is trusted."""
        cache = self._traits.cache
        if cache is not None and cache.sound and key in cache.certificates:
            return cache.certificates[key]
        if cache is not None and not cache.sound and not self._traits.ignores_altered_cache:
            raise CryptolibError("CKR_GENERAL_ERROR", "a file of the cache was altered: the card is not usable")
        return self._read(CERTIFICATE_FILES[key])

    def sign(self, key: str, content: bytes) -> bytes:
        """Sign a content with SHA-256: hash in the library, then the card (CKM_SHA256_RSA_PKCS)."""
        if key == "signature":
            return self._used(lambda: self._host.sign(key, "sha256", content))
        return self._used(lambda: self._host.authenticate(key, _SHA256_INFO + _hash(content)))

    def sign_hash(self, key: str, digest: bytes) -> bytes:
        """Sign a SHA-256 hash that the caller made (CKM_RSA_PKCS): what OpenSSL's engine asks for."""
        if not self._traits.signs_ready_hash:
            raise CryptolibError("CKR_MECHANISM_INVALID", "this release does not sign a ready hash")
        return self._used(lambda: self._host.authenticate(key, _SHA256_INFO + digest))

    def encrypt(self, key: str, content: bytes) -> bytes:
        """Encipher a few bytes with the public key, in the library (C_Encrypt)."""
        if not self._traits.encrypts:
            raise CryptolibError("CKR_FUNCTION_NOT_SUPPORTED", "this release does not encipher")
        public = x509.load_der_x509_certificate(self.certificate(key)).public_key()
        if not isinstance(public, RSAPublicKey):
            raise CryptolibError("CKR_KEY_TYPE_INCONSISTENT", "the certificate bears no RSA key")
        return public.encrypt(content, PKCS1v15())

    def exhausted(self) -> bool:
        """Whether the card can no longer be unblocked: its counter of the unblocking code is at nought."""
        response, counters = self._run(lambda: self._host.counters(self._layout.secrets["puk"].reference))
        return response.sw == _BLOCKED or counters.get("tries-left") == 0

    def close(self) -> None:
        """End the session; the card is left as it is."""
        self._connection.disconnect()

    # ------------------------------------------------------------------------------------------------------------------

    def _recognised(self) -> tuple[CardHost, Layout]:
        for family in families_of(self._connection.atr):
            if family == "cps4" and not self._traits.cps4:
                continue
            known = layout(family)
            host = host_for(Dialogue(self._connection, lambda exchanged: None), known)
            if self._selected(host, known).sw == _OK:
                return host, known
        self._connection.disconnect()
        raise CryptolibError("CKR_TOKEN_NOT_RECOGNIZED", "no card that this release knows")

    def _selected(self, host: CardHost, known: Layout) -> Response:
        return host.open() if self._traits.resumes else host.select_application(known.aids[host.application])

    def _ready(self) -> None:
        """Take the application up anew before an operation: other programs may have been there (8401)."""
        self._selected(self._host, self._layout)

    def _presented(self, code: str) -> int:
        reference = self._layout.secrets["pin"].reference
        self._ready()
        if self._host.verify(reference, b"").sw in (_BLOCKED, 0x63C0):
            raise CryptolibError("CKR_PIN_LOCKED", "no try is left: the code was not presented")
        return self._host.verify(reference, code.encode()).sw

    def _read(self, name: str) -> bytes:
        def read() -> Response:
            self._ready()
            return self._host.read(self._layout.path(name), self._layout.volume(name))

        answer = self._run(read)
        if answer.sw != _OK:
            raise CryptolibError("CKR_GENERAL_ERROR", f"{name}: the card answered {answer.sw:04X}")
        return answer.data

    def _used(self, operation: Callable[[], Response]) -> bytes:
        try:
            answer = self._run(lambda: self._done(operation))
        except NotOnThisCardError as error:
            raise CryptolibError("CKR_MECHANISM_INVALID", str(error)) from None
        if answer.sw == _CODE_WANTED:
            raise CryptolibError("CKR_USER_NOT_LOGGED_IN", "the card wants its code")
        if answer.sw != _OK:
            raise CryptolibError("CKR_GENERAL_ERROR", f"the card answered {answer.sw:04X}")
        return answer.data

    def _done(self, operation: Callable[[], Response]) -> Response:
        """Operate; a card that lost its code is given it once more, for the library keeps it."""
        self._ready()
        answer = operation()
        if answer.sw == _CODE_WANTED and self._code:
            self._host.verify(self._layout.secrets["pin"].reference, self._code.encode())
            answer = operation()
        return answer

    def _run(self, operation: Callable[[], T]) -> T:
        """Run an operation; what PC/SC tells becomes a return code, a reset by another is survived where that is so."""
        try:
            return operation()
        except ScardError as error:
            if error.code != PcscCode.RESET_CARD or not self._traits.survives_reset:
                raise CryptolibError(_code(error, self._traits), str(error)) from None
        try:
            self._connection.disconnect()
            self._connection = self._connect()
            self._host, self._layout = self._recognised()
            return operation()
        except ScardError as error:
            raise CryptolibError(_code(error, self._traits), str(error)) from None


def _hash(content: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(content)
    return digest.finalize()


def _code(error: ScardError, traits: CryptolibTraits) -> str:
    if error.code in _REMOVED:
        return "CKR_TOKEN_NOT_PRESENT" if traits.tells_removal else "CKR_GENERAL_ERROR"
    if error.code == PcscCode.RESET_CARD:
        return "CKR_SESSION_HANDLE_INVALID"
    return "CKR_DEVICE_ERROR"
