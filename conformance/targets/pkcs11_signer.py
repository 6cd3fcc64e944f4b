"""A professional's card that signs sheets through a PKCS#11 module: C_Sign with the signature key, SHA256_RSA_PKCS.

What a module refuses comes as the return codes of the SSV functions, as they do when the card is spoken to directly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from cryptography import x509
from cryptography.x509 import ExtensionNotFound

from bifente.conformance.targets import cryptoki
from bifente.conformance.targets.base import ScardError
from bifente.conformance.targets.pkcs11 import Cryptoki, CryptokiError, ModuleGoneError
from bifente.simulator.middleware.codes import SsvCode, SsvError

T = TypeVar("T")

SHA256_RSA_PKCS = 0x40
_CERTIFICATE, _PRIVATE_KEY = cryptoki.CLASSES["certificate"], cryptoki.CLASSES["private-key"]
_USER = cryptoki.USERS["user"]
_SESSION = "sheets"
_CODES: Mapping[str, SsvCode] = {
    "CKR_PIN_INCORRECT": SsvCode.WRONG_CODE,
    "CKR_PIN_LOCKED": SsvCode.PS_BLOCKED,
    "CKR_PIN_INVALID": SsvCode.BAD_INPUT,
    "CKR_PIN_LEN_RANGE": SsvCode.BAD_INPUT,
    "CKR_TOKEN_NOT_PRESENT": SsvCode.PS_ABSENT,
    "CKR_DEVICE_REMOVED": SsvCode.PS_ABSENT,
    "CKR_TOKEN_NOT_RECOGNIZED": SsvCode.PS_INVALID,
    "CKR_USER_NOT_LOGGED_IN": SsvCode.CODE_LOST,
    "CKR_SESSION_HANDLE_INVALID": SsvCode.CODE_LOST,
}
"""What a module says, as the codes of the field; whatever else is FF30, an error of the CPS's own interface."""
_LOCKED = "USER_PIN_LOCKED"


@dataclass(slots=True)
class Pkcs11Signer:
    """The card in one reader, opened by ``open`` for as many signatures as it gives (a ``SigningCard``).

    No right is checked here: a module does not say what its token may sign.
    """

    module: Cryptoki
    session: int
    certificate: bytes
    key: int

    @classmethod
    def open(cls, module: Cryptoki, reader: str, code: str) -> Pkcs11Signer:
        """Log in once and find the signature key by its certificate (nonRepudiation). ``module`` was started.

        Raises SsvError: F001 no token, F002 blocked (the code is not presented), F003 wrong code, FF30 for the rest.
        """
        return _told(lambda: cls._opened(module, reader, code))

    def sign(self, content: bytes) -> tuple[bytes, bytes]:
        """The certificate (DER) and the signature of a content. Raises SsvError (FF21 if the module was logged out)."""
        return _told(lambda: (self.certificate, self._signature(content)))

    @classmethod
    def _opened(cls, module: Cryptoki, reader: str, code: str) -> Pkcs11Signer:
        slot = module.slot(reader)
        token = module.ok("C_GetTokenInfo", slot=slot)
        if _LOCKED in cryptoki.flags(token["flags"]):
            raise SsvError(SsvCode.PS_BLOCKED, "the token says that its code is blocked: it was not presented")
        module.open(_SESSION, slot, writable=False)
        session = module.sessions[_SESSION]
        module.ok("C_Login", session=session, user=_USER, pin=code.encode().hex())
        for handle in module.find(session, CKA_CLASS=_CERTIFICATE):
            raw = module.attribute(session, handle, "CKA_VALUE")
            if _for_signatures(raw):
                keys = module.find(session, CKA_CLASS=_PRIVATE_KEY, CKA_ID=module.attribute(session, handle, "CKA_ID"))
                if keys:
                    return cls(module, session, raw, keys[0])
        raise SsvError(SsvCode.CPS_API, "the module shows no signature key with its certificate")

    def _signature(self, content: bytes) -> bytes:
        mechanism: dict[str, Any] = {"type": SHA256_RSA_PKCS}
        self.module.ok("C_SignInit", session=self.session, mechanism=mechanism, key=self.key)
        return bytes.fromhex(self.module.ok("C_Sign", session=self.session, data=content.hex())["data"])


def _told(action: Callable[[], T]) -> T:
    try:
        return action()
    except CryptokiError as error:
        raise SsvError(_CODES.get(cryptoki.result(error.code), SsvCode.CPS_API), str(error)) from error
    except ScardError as error:
        raise SsvError(SsvCode.PS_ABSENT, str(error)) from error
    except ModuleGoneError as error:
        raise SsvError(SsvCode.CPS_API, str(error)) from error


def _for_signatures(raw: bytes) -> bool:
    try:
        usage = x509.load_der_x509_certificate(raw).extensions.get_extension_for_class(x509.KeyUsage).value
    except (ValueError, ExtensionNotFound):
        return False
    return usage.content_commitment
