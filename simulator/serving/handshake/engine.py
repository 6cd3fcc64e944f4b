"""One side of a TLS connection without a socket: bytes in, bytes out. Whatever carries them feeds it."""

# mypy: disallow-subclassing-any=False

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from tlslite.constants import CipherSuite, ExtensionType, HashAlgorithm, SignatureAlgorithm
from tlslite.errors import TLSAbruptCloseError, TLSLocalAlert, TLSRemoteAlert
from tlslite.messages import Certificate, CertificateRequest, ClientHello
from tlslite.tlsconnection import TLSConnection
from tlslite.utils.dns_utils import is_valid_hostname

import bifente.simulator.serving.handshake.primitives  # noqa: F401 - replaces what tlslite-ng draws and computes
from bifente.ground.text import Text
from bifente.simulator.pki.refusals import CertificateRefusal, CertificateRefusedError, TlsAlert
from bifente.simulator.serving.handshake.ciphers import Records
from bifente.simulator.serving.handshake.keys import PSS, Delegated, TlsIdentity, TlsKey, as_chain, as_ders
from bifente.simulator.serving.handshake.terms import TlsTerms, TlsVersion

_BLOCKED = 0
_PIECE = 16_384
Look = Callable[[list[bytes]], object]
"""Judges what the other side presented (DER, its own first). Raises CertificateRefusedError."""


class TlsError(Exception):
    """A connection that came to nothing. ``alert`` is what was sent (``ours``) or received, None if there was none."""

    def __init__(self, text: Text, alert: int | None = None, *, ours: bool = True) -> None:
        self.text = text
        self.alert = alert
        self.ours = ours
        super().__init__(text.en)

    @property
    def word(self) -> str:
        """The alert by its name, ``none`` if there was none."""
        return _word(self.alert)


class TlsRefusedError(TlsError):
    """This side refuses the certificate of the other one."""

    def __init__(self, refused: CertificateRefusedError, alert: int) -> None:
        self.refused = refused
        super().__init__(refused.text, alert)


class TlsKeyError(TlsError):
    """The key of this side cannot do what the other side asks for."""


class _Memory:
    """What tlslite-ng takes for a socket."""

    def __init__(self) -> None:
        self.inbox = bytearray()
        self.outbox = bytearray()
        self.ended = False

    def recv(self, most: int) -> bytes:
        if not self.inbox:
            if self.ended:
                return b""
            raise OSError(errno.EWOULDBLOCK, "nothing there yet")
        found = bytes(self.inbox[:most])
        del self.inbox[:most]
        return found

    def send(self, data: bytes) -> int:
        self.outbox += data
        return len(data)

    def sendall(self, data: bytes) -> None:
        self.outbox += data

    def close(self) -> None:
        """Nothing to close."""


class _Connection(TLSConnection):
    """A connection of tlslite-ng that lets certificates be judged as they come, with the alert of the judge."""

    def __init__(self, memory: _Memory, look: Look | None, required: bool, key: TlsKey | None) -> None:
        super().__init__(memory)
        self._recordLayer = Records(self.sock)
        self._look = look
        self._required = required
        self._signer = key
        self.refused: CertificateRefusedError | None = None
        self.unable: Text | None = None
        self.presented: list[bytes] = []

    def _getMsg(self, *wanted: Any, **more: Any) -> Iterator[Any]:  # noqa: N802
        for result in super()._getMsg(*wanted, **more):
            if isinstance(result, Certificate):
                yield from self._judged(result)
            elif isinstance(result, CertificateRequest) and self._signer is not None:
                yield from self._able(result, self._signer)
            elif isinstance(result, ClientHello):
                _forget_address(result)
            yield result

    def _sigHashesToList(self, settings: Any, *more: Any, **named: Any) -> Any:  # noqa: N802
        """Return the ways to sign: all that were agreed, or those among them that a key of ours has."""
        found = super()._sigHashesToList(settings, *more, **named)
        if self._signer is None or not (more or named.get("privateKey")):
            return found
        return [one for one in found if tuple(one) in _offered(self._signer)]

    def _judged(self, message: Any) -> Iterator[Any]:
        self.presented = as_ders(message.cert_chain)
        if not self.presented and not self._required:
            return
        try:
            if not self.presented:
                raise CertificateRefusedError(CertificateRefusal.MISSING)
            if self._look is not None:
                self._look(self.presented)
        except CertificateRefusedError as refused:
            self.refused = refused
            yield from self._sendError(alert_of(refused.refusal, self.version), str(refused))

    def _able(self, request: Any, key: TlsKey) -> Iterator[Any]:
        asked = {tuple(one) for one in request.supported_signature_algs}
        if not asked & _offered(key):
            self.unable = Text(
                "le serveur n'accepte que des signatures que cette clé ne sait pas faire : "
                f"elle signe en {_ways(key)} (une CPS3 n'a pas RSA-PSS)",
                "the server accepts only signatures that this key cannot make: "
                f"it signs by {_ways(key)} (a CPS3 has no RSA-PSS)",
            )
            yield from self._sendError(TlsAlert.HANDSHAKE_FAILURE, self.unable.en)
        # tlslite-ng gives up in TLS 1.2 where no PKCS#1 way is asked for. One that no key here has changes nothing.
        request.supported_signature_algs.append((HashAlgorithm.md5, SignatureAlgorithm.rsa))


class TlsEngine:
    """One side. ``feed`` what came, send what ``take`` gives; ``shaken`` once both sides agreed, then ``read``.

    Raises TlsError from ``feed`` and ``start``; what is to be sent then, the alert, is still in ``take``.
    """

    def __init__(self, memory: _Memory, connection: _Connection, steps: Iterator[Any]) -> None:
        self._memory = memory
        self._connection = connection
        self._steps = steps
        self._key_error: list[Exception] = []
        self._plain = bytearray()
        self._agreed: tuple[TlsVersion, int] | None = None
        self.ended = False

    @classmethod
    def server(
        cls,
        identity: TlsIdentity,
        terms: TlsTerms,
        look: Look | None = None,
        *,
        required: bool = False,
        authorities: tuple[bytes, ...] = (),
    ) -> TlsEngine:
        """Return the side of a server; with ``look`` a certificate is asked for. ``authorities`` are names, DER."""
        memory = _Memory()
        connection = _Connection(memory, look, required, None)
        failed: list[Exception] = []
        made = cls(
            memory,
            connection,
            connection.handshakeServerAsync(
                certChain=as_chain(identity.chain),
                privateKey=_delegated(identity, failed),
                reqCert=look is not None,
                reqCAs=[bytearray(name) for name in authorities] or None,
                settings=terms.settings(),
                alpn=[bytearray(b"http/1.1")],
            ),
        )
        made._key_error = failed
        return made

    @classmethod
    def client(cls, name: str, terms: TlsTerms, look: Look | None, identity: TlsIdentity | None = None) -> TlsEngine:
        """Return the side of a client that calls a server by ``name``, with a certificate or without."""
        memory = _Memory()
        key = identity.key if identity is not None else None
        connection = _Connection(memory, look, True, key)
        failed: list[Exception] = []
        # A client without PSS cannot speak TLS 1.3, yet it can check what a server signed by PSS.
        agreed = terms if key is None or PSS in key.schemes else terms.up_to(TlsVersion.TLS_1_2)
        made = cls(
            memory,
            connection,
            connection.handshakeClientCert(
                certChain=as_chain(identity.chain) if identity is not None else None,
                privateKey=_delegated(identity, failed) if identity is not None else None,
                settings=agreed.settings(),
                serverName=name if is_valid_hostname(name) else None,
                async_=True,
            ),
        )
        made._key_error = failed
        return made

    def start(self) -> None:
        """Begin: a client has something to say."""
        self._go_on()

    def feed(self, data: bytes) -> None:
        """Take what the other side sent; nothing at all is its end. Raise TlsError."""
        if data:
            self._memory.inbox += data
        else:
            self._memory.ended = True
        self._go_on()

    def take(self) -> bytes:
        """Return what is to be sent to the other side."""
        found = bytes(self._memory.outbox)
        self._memory.outbox.clear()
        return found

    def read(self) -> bytes:
        """Return what the other side said so far."""
        found = bytes(self._plain)
        self._plain.clear()
        return found

    def write(self, data: bytes) -> None:
        """Say something."""
        for at in range(0, len(data), _PIECE):
            for _wait in self._connection.writeAsync(data[at : at + _PIECE]):
                pass

    def close(self) -> None:
        """Say that there is nothing more."""
        if self.shaken and not self._connection.closed:
            for _wait in self._connection.closeAsync():
                break
        self.ended = True

    @property
    def presented(self) -> list[bytes]:
        """What the other side presented, DER, its own first."""
        return self._connection.presented

    @property
    def refused(self) -> CertificateRefusedError | None:
        """Why this side refused the other one, None if it did not."""
        return self._connection.refused

    @property
    def shaken(self) -> bool:
        """Whether both sides agreed."""
        return self._agreed is not None

    @property
    def version(self) -> TlsVersion:
        """The version that was agreed. Raise LookupError before."""
        return self._found()[0]

    @property
    def suite(self) -> int:
        """The suite that was agreed, by its number. Raise LookupError before."""
        return self._found()[1]

    @property
    def suite_name(self) -> str:
        """The suite that was agreed, as the standards name it."""
        return str(CipherSuite.ietfNames.get(self.suite, f"{self.suite:04X}"))

    def _found(self) -> tuple[TlsVersion, int]:
        if self._agreed is None:
            raise LookupError("nothing was agreed yet")
        return self._agreed

    def _go_on(self) -> None:
        try:
            while not self.ended:
                for result in self._steps:
                    if result == _BLOCKED and not isinstance(result, bytes | bytearray):
                        return
                    if isinstance(result, bytes | bytearray):
                        self._plain += result
                if self._agreed is None:
                    major, minor = self._connection.version
                    # Kept here: tlslite-ng forgets them as soon as the other side closes.
                    self._agreed = TlsVersion(major << 8 | minor), int(self._connection.session.cipherSuite)
                elif self._connection.closed:
                    self.ended = True
                    return
                self._steps = self._connection.readAsync(None, 1)
        except TLSLocalAlert as alert:
            self.ended = True
            connection = self._connection
            if connection.refused is not None:
                raise TlsRefusedError(connection.refused, alert.description) from None
            if connection.unable is not None:
                raise TlsKeyError(connection.unable, alert.description) from None
            said = f"{_word(alert.description)}: {alert.message or ''}".rstrip(": ")
            raise TlsError(
                Text(f"négociation refusée ({said})", f"handshake refused ({said})"), alert.description
            ) from None
        except TLSRemoteAlert as alert:
            self.ended = True
            raise TlsError(_told(alert.description), alert.description, ours=False) from None
        except TLSAbruptCloseError:
            self.ended = True
            raise TlsError(Text("la connexion a été coupée", "the connection was cut"), ours=False) from None
        except TlsError:
            raise
        except Exception as error:
            self.ended = True
            if self._key_error:
                raise self._key_error[0] from None
            # Whatever a hostile peer makes tlslite-ng stumble over.
            raise TlsError(
                Text(f"négociation impossible : {error}", f"no handshake: {error}"), TlsAlert.INTERNAL_ERROR
            ) from error


def alert_of(refusal: CertificateRefusal, version: tuple[int, int]) -> int:
    """Return the alert by which a version says a refusal: TLS 1.2 has no word for a certificate that is missing."""
    if refusal is CertificateRefusal.MISSING and version <= (3, 3):
        return TlsAlert.HANDSHAKE_FAILURE
    return refusal.alert


def _forget_address(hello: Any) -> None:
    """Take a name that is an IP address, or another that no DNS has, for none.

    RFC 6066 wants no address there, PHP sends one, and so does whoever was given a URL with an address. tlslite-ng ends
    the handshake; servers of the field go on, since it chooses nothing.
    """
    said = hello.getExtension(ExtensionType.server_name)
    names = (said.hostNames or []) if said is not None else []
    if len(names) == 1 and names[0] and names[0].isascii() and not is_valid_hostname(names[0]):
        hello.extensions.remove(said)


def _delegated(identity: TlsIdentity, failed: list[Exception]) -> Delegated:
    public = identity.chain[0].public_key()
    if not isinstance(public, RSAPublicKey):
        raise TypeError("the laboratory issues RSA certificates alone")
    return Delegated(public, identity.key, failed.append)


def _offered(key: TlsKey) -> set[tuple[int, int]]:
    hashes = {"sha256": 4, "sha384": 5, "sha512": 6}
    return {
        (8, hashes[digest]) if scheme == PSS else (hashes[digest], 1)
        for scheme in key.schemes
        for digest in key.digests
    }


def _ways(key: TlsKey) -> str:
    return ", ".join(f"{'RSA-PSS' if scheme == PSS else 'PKCS#1 v1.5'}" for scheme in key.schemes)


def _word(alert: int | None) -> str:
    if alert is None:
        return "none"
    try:
        return TlsAlert(alert).word
    except ValueError:
        return str(alert)


def _told(alert: int) -> Text:
    said = _word(alert)
    if alert == TlsAlert.PROTOCOL_VERSION:
        return Text(
            f"l'autre partie refuse cette version de TLS ({said}) : "
            "avec une CPS3, TLS 1.2 seulement, TLS 1.3 exigeant RSA-PSS que la carte n'a pas",
            f"the other side refuses this version of TLS ({said}): "
            "with a CPS3 TLS 1.2 alone, since TLS 1.3 requires RSA-PSS, which the card does not have",
        )
    return Text(f"l'autre partie refuse ({said})", f"the other side refuses ({said})")
