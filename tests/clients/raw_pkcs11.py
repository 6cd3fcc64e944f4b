"""A PKCS#11 client that takes orders, one JSON object a line, and answers in the same way.

Standard library only. Its first argument is the module. Each answer has ``rv``, the module's own code in hexadecimal:
nothing here interprets it.
"""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Sequence
from ctypes import POINTER, Structure, byref, c_char, c_ubyte, c_ulong, c_void_p, cast, create_string_buffer, sizeof
from typing import Any

OK = 0
USERS = {"so": 0, "user": 1}
RW, SERIAL = 2, 4
MECHANISMS = {
    "RSA-PKCS": 0x01,
    "RSA-X-509": 0x03,
    "SHA1-RSA-PKCS": 0x06,
    "RSA-PKCS-PSS": 0x0D,
    "SHA1-RSA-PKCS-PSS": 0x0E,
    "SHA256-RSA-PKCS": 0x40,
    "SHA512-RSA-PKCS": 0x42,
    "SHA256-RSA-PKCS-PSS": 0x43,
}
# Hash -> mechanism, mask generation function, length of the salt (that of the hash).
PSS = {"sha1": (0x220, 1, 20), "sha256": (0x250, 2, 32)}
CLASS, LABEL, APPLICATION, VALUE, ID, MODULUS = 0x00, 0x03, 0x10, 0x11, 0x102, 0x120
CLASSES = {"data": 0, "certificate": 1, "public": 2, "private": 3}


class Version(Structure):
    _fields_ = (("major", c_ubyte), ("minor", c_ubyte))


class Information(Structure):
    _fields_ = (
        ("cryptoki", Version),
        ("manufacturer", c_char * 32),
        ("flags", c_ulong),
        ("description", c_char * 32),
        ("library", Version),
    )


class TokenInformation(Structure):
    _fields_ = (
        ("label", c_char * 32),
        ("manufacturer", c_char * 32),
        ("model", c_char * 16),
        ("serial", c_char * 16),
        ("flags", c_ulong),
        ("numbers", c_ulong * 10),
        ("versions", Version * 2),
        ("time", c_char * 16),
    )


class Attribute(Structure):
    _fields_ = (("type", c_ulong), ("value", c_void_p), ("size", c_ulong))


class Mechanism(Structure):
    _fields_ = (("mechanism", c_ulong), ("parameter", c_void_p), ("size", c_ulong))


class PssParameters(Structure):
    _fields_ = (("hash", c_ulong), ("mask", c_ulong), ("salt", c_ulong))


class Refused(Exception):  # noqa: N818 - an answer of the module, which the tests judge
    """The module answered something else than CKR_OK."""

    def __init__(self, function: str, code: int) -> None:
        super().__init__(function)
        self.code = code


def _text(field: bytes) -> str:
    return field.rstrip(b" \0").decode(errors="replace")


def _template(attributes: Sequence[tuple[int, bytes]]) -> Any:
    """The array, whose buffers live as long as it does."""
    array: Any = (Attribute * len(attributes))()
    array.kept = [create_string_buffer(value, len(value)) for _, value in attributes]
    for attribute, (kind, value), buffer in zip(array, attributes, array.kept, strict=True):
        attribute.type, attribute.value, attribute.size = kind, cast(buffer, c_void_p), len(value)
    return array


class Client:
    """One module, initialised. Its orders are for the session opened last, or for that of the slot of ``turn``."""

    def __init__(self, path: str) -> None:
        self._module = ctypes.CDLL(path)
        self._sessions: dict[int, c_ulong] = {}
        self._session = c_ulong()
        self._call("C_Initialize", None)

    def _call(self, function: str, *arguments: Any) -> None:
        code = getattr(self._module, function)(*arguments) & 0xFFFFFFFF
        if code != OK:
            raise Refused(function, code)

    def info(self) -> dict[str, Any]:
        info = Information()
        self._call("C_GetInfo", byref(info))
        return {
            "description": _text(info.description),
            "library": f"{info.library.major}.{info.library.minor}",
            "cryptoki": f"{info.cryptoki.major}.{info.cryptoki.minor}",
        }

    def slots(self) -> dict[str, Any]:
        """The slots with a token in."""
        count = c_ulong(16)
        slots = (c_ulong * 16)()
        self._call("C_GetSlotList", c_ubyte(1), slots, byref(count))
        return {"slots": list(slots[: count.value])}

    def token(self, slot: int = 0) -> dict[str, Any]:
        info = TokenInformation()
        self._call("C_GetTokenInfo", c_ulong(slot), byref(info))
        names = ("label", "manufacturer", "model", "serial")
        values = {name: _text(getattr(info, name)) for name in names}
        return {**values, "flags": info.flags, "pin_max": info.numbers[4], "pin_min": info.numbers[5]}

    def mechanisms(self, slot: int = 0) -> dict[str, Any]:
        count = c_ulong(64)
        found = (c_ulong * 64)()
        self._call("C_GetMechanismList", c_ulong(slot), found, byref(count))
        return {"mechanisms": list(found[: count.value])}

    def open(self, slot: int = 0, write: bool = True) -> None:
        session, flags = c_ulong(), SERIAL | (RW if write else 0)
        self._call("C_OpenSession", c_ulong(slot), c_ulong(flags), None, None, byref(session))
        self._session = self._sessions[slot] = session

    def turn(self, slot: int) -> None:
        self._session = self._sessions[slot]

    def close(self) -> None:
        self._call("C_CloseSession", self._session)

    def login(self, code: str, user: str = "user") -> None:
        self._call("C_Login", self._session, c_ulong(USERS[user]), code.encode(), c_ulong(len(code)))

    def logout(self) -> None:
        self._call("C_Logout", self._session)

    def init_pin(self, code: str) -> None:
        self._call("C_InitPIN", self._session, code.encode(), c_ulong(len(code)))

    def set_pin(self, old: str, new: str) -> None:
        self._call("C_SetPIN", self._session, old.encode(), c_ulong(len(old)), new.encode(), c_ulong(len(new)))

    def labels(self, kind: str) -> dict[str, Any]:
        found = self._find([(CLASS, CLASSES[kind].to_bytes(sizeof(c_ulong), sys.byteorder))])
        return {"labels": sorted(self._get(item, LABEL).decode() for item in found)}

    def ids(self, kind: str) -> dict[str, Any]:
        found = self._find([(CLASS, CLASSES[kind].to_bytes(sizeof(c_ulong), sys.byteorder))])
        return {"ids": {self._get(item, LABEL).decode(): self._get(item, ID).hex() for item in found}}

    def count(self) -> dict[str, Any]:
        """How many objects one search finds."""
        return {"count": len(self._find([]))}

    def modulus(self, kind: str, identifier: str) -> dict[str, Any]:
        return {"data": self._get(self._keyed(kind, identifier), MODULUS).hex()}

    def read(self, label: str) -> dict[str, Any]:
        return {"data": self._get(self._one([(LABEL, label.encode())]), VALUE).hex()}

    def write(self, label: str, data: str, attribute: str = "value") -> None:
        new = _template([({"value": VALUE, "application": APPLICATION}[attribute], bytes.fromhex(data))])
        self._call("C_SetAttributeValue", self._session, self._one([(LABEL, label.encode())]), new, c_ulong(1))

    def sign(
        self, key: str, mechanism: str, data: str, pieces: int = 0, pss: str = "", room: int = 256
    ) -> dict[str, Any]:
        """``pieces``: bytes a time, with C_SignUpdate; 0: all in one C_Sign. ``pss``: the hash it is about.

        ``room`` is what there is for the signature, in bytes.
        """
        self._call("C_SignInit", self._session, self._mechanism(mechanism, pss), self._keyed("private", key))
        message, signature, size = bytes.fromhex(data), create_string_buffer(room), c_ulong(room)
        if pieces:
            for start in range(0, len(message), pieces):
                piece = message[start : start + pieces]
                self._call("C_SignUpdate", self._session, piece, c_ulong(len(piece)))
            self._call("C_SignFinal", self._session, signature, byref(size))
        else:
            self._call("C_Sign", self._session, message, c_ulong(len(message)), signature, byref(size))
        return {"data": signature.raw[: size.value].hex()}

    def decrypt(self, key: str, data: str) -> dict[str, Any]:
        self._call("C_DecryptInit", self._session, self._mechanism("RSA-PKCS"), self._keyed("private", key))
        secret, plain, size = bytes.fromhex(data), create_string_buffer(512), c_ulong(512)
        self._call("C_Decrypt", self._session, secret, c_ulong(len(secret)), plain, byref(size))
        return {"data": plain.raw[: size.value].hex()}

    def encrypt(self, key: str, data: str) -> dict[str, Any]:
        self._call("C_EncryptInit", self._session, self._mechanism("RSA-PKCS"), self._keyed("public", key))
        plain, secret, size = bytes.fromhex(data), create_string_buffer(512), c_ulong(512)
        self._call("C_Encrypt", self._session, plain, c_ulong(len(plain)), secret, byref(size))
        return {"data": secret.raw[: size.value].hex()}

    def random(self, size: int) -> dict[str, Any]:
        buffer = create_string_buffer(size)
        self._call("C_GenerateRandom", self._session, buffer, c_ulong(size))
        return {"data": buffer.raw.hex()}

    @staticmethod
    def _mechanism(name: str, pss: str = "") -> Any:
        if not pss:
            return byref(Mechanism(MECHANISMS[name], None, 0))
        parameters = PssParameters(*PSS[pss])
        mechanism = Mechanism(MECHANISMS[name], cast(byref(parameters), c_void_p), sizeof(parameters))
        mechanism.kept = parameters
        return byref(mechanism)

    def _keyed(self, kind: str, identifier: str) -> c_ulong:
        wanted = CLASSES[kind].to_bytes(sizeof(c_ulong), sys.byteorder)
        return self._one([(CLASS, wanted), (ID, bytes.fromhex(identifier))])

    def _one(self, attributes: Sequence[tuple[int, bytes]]) -> c_ulong:
        found = self._find(attributes)
        if len(found) != 1:
            raise LookupError(f"{len(found)} objects found")
        return c_ulong(found[0])

    def _find(self, attributes: Sequence[tuple[int, bytes]]) -> list[int]:
        self._call("C_FindObjectsInit", self._session, _template(attributes), c_ulong(len(attributes)))
        found, count = (c_ulong * 100)(), c_ulong()
        try:
            self._call("C_FindObjects", self._session, found, c_ulong(100), byref(count))
        finally:
            self._call("C_FindObjectsFinal", self._session)
        return list(found[: count.value])

    def _get(self, handle: int | c_ulong, kind: int) -> bytes:
        handle = handle if isinstance(handle, c_ulong) else c_ulong(handle)
        array = (Attribute * 1)(Attribute(kind, None, 0))
        self._call("C_GetAttributeValue", self._session, handle, cast(array, POINTER(Attribute)), c_ulong(1))
        (buffered,) = array = _template([(kind, bytes(array[0].size))])
        self._call("C_GetAttributeValue", self._session, handle, array, c_ulong(1))
        return bytes(array.kept[0].raw[: buffered.size])


def main() -> None:
    client = Client(sys.argv[1])
    for line in sys.stdin:
        order = json.loads(line)
        answer: dict[str, Any] = {"rv": "0x0"}
        try:
            answer.update(getattr(client, order.pop("do"))(**order) or {})
        except Refused as refused:
            answer.update(rv=f"{refused.code:#x}", function=str(refused))
        except LookupError as error:
            answer.update(rv="not found", detail=str(error))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
