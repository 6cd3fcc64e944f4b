"""The process that holds a PKCS#11 module: takes orders, one JSON object a line, and answers in the same way.

A module lives in a process of its own for four reasons: PyKCS11 keeps Python's lock during a call, and a virtual card
could then not answer; libpcsclite reads the name of its socket once in the life of a process; a module may crash; it
may never come back.

Functions that give bytes are called twice, for the length and then for the bytes, as most software does. An answer has
``rv``, the module's own code, which nothing here interprets.
"""

# ruff: noqa: N802 - the names are those of PKCS#11

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TextIO

import PyKCS11
from PyKCS11 import LowLevel

from bifente.ground.processes import end_with_starter

Answer = dict[str, Any]

_MOST_SLOTS_FOUND = 64
_ATTEMPTS = 3
"""A slot may fill between the question how many there are and the list of them: it is then asked for again."""
_GIVES_BYTES = frozenset(
    {"C_Sign", "C_SignFinal", "C_Digest", "C_DigestFinal", "C_Decrypt", "C_DecryptUpdate", "C_DecryptFinal"}
    | {"C_Encrypt", "C_EncryptUpdate", "C_EncryptFinal"}
)


class Worker:
    """One loaded module, left as it was found: not initialised."""

    def __init__(self, path: str) -> None:
        self._library = PyKCS11.PyKCS11Lib()
        # PyKCS11 initialises what it loads: whoever gives the orders says when.
        self._library.load(path)
        self._module = self._library.lib
        self._module.C_Finalize()
        self._kept: list[Any] = []

    def do(self, function: str, given: dict[str, Any]) -> Answer:
        """One call."""
        known: Callable[..., Answer] | None = getattr(self, f"_{function}", None)
        if known is not None:
            return known(**given)
        arguments: list[Any] = [
            _bytes(bytes.fromhex(value)) if isinstance(value, str) else value for value in given.values()
        ]
        arguments = [
            _session(value) if name == "session" else value for name, value in zip(given, arguments, strict=True)
        ]
        if function in _GIVES_BYTES:
            return self._bytes_from(function, arguments)
        return {"rv": getattr(self._module, function)(*arguments)}

    def _bytes_from(self, function: str, arguments: Sequence[Any]) -> Answer:
        found = _bytes(b"")
        code = getattr(self._module, function)(*arguments, found)
        if code == 0:
            code = getattr(self._module, function)(*arguments, found)
        return {"rv": code, "data": bytes(found).hex()} if code == 0 else {"rv": code}

    # -- the module, its slots and its tokens -------------------------------------------------------------------------

    def _C_GetInfo(self) -> Answer:
        found = LowLevel.CK_INFO()
        code = self._module.C_GetInfo(found)
        version = f"{found.libraryVersion.major}.{found.libraryVersion.minor}"
        return {
            "rv": code,
            "manufacturer": found.GetManufacturerID(),
            "description": found.GetLibraryDescription(),
            "version": version,
        }

    def _C_GetSlotList(self, present: bool) -> Answer:
        code, found = PyKCS11.CKR_BUFFER_TOO_SMALL, LowLevel.ckulonglist()
        for _attempt in range(_ATTEMPTS):
            if code == PyKCS11.CKR_BUFFER_TOO_SMALL:
                found = LowLevel.ckulonglist()
                code = self._module.C_GetSlotList(1 if present else 0, found)
        return {"rv": code, "slots": list(found)[:_MOST_SLOTS_FOUND]}

    def _C_GetSlotInfo(self, slot: int) -> Answer:
        found = LowLevel.CK_SLOT_INFO()
        code = self._module.C_GetSlotInfo(slot, found)
        return {"rv": code, "description": found.GetSlotDescription(), "flags": found.flags}

    def _C_GetTokenInfo(self, slot: int) -> Answer:
        found = LowLevel.CK_TOKEN_INFO()
        code = self._module.C_GetTokenInfo(slot, found)
        if code != 0:
            return {"rv": code}
        return {
            "rv": code,
            "label": found.GetLabel(),
            "manufacturer": found.GetManufacturerID(),
            "model": found.GetModel(),
            "serial": found.GetSerialNumber(),
            "flags": found.flags,
            "shortest": found.ulMinPinLen,
            "longest": found.ulMaxPinLen,
        }

    def _C_GetMechanismList(self, slot: int) -> Answer:
        found = LowLevel.ckulonglist()
        code = self._module.C_GetMechanismList(slot, found)
        return {"rv": code, "mechanisms": list(found)}

    def _C_GetMechanismInfo(self, slot: int, mechanism: int) -> Answer:
        found = LowLevel.CK_MECHANISM_INFO()
        code = self._module.C_GetMechanismInfo(slot, mechanism, found)
        return {"rv": code, "shortest": found.ulMinKeySize, "longest": found.ulMaxKeySize, "flags": found.flags}

    def _C_InitToken(self, slot: int, pin: str, label: str) -> Answer:
        return {"rv": self._module.C_InitToken(slot, _bytes(bytes.fromhex(pin)), label)}

    # -- sessions and objects -----------------------------------------------------------------------------------------

    def _C_OpenSession(self, slot: int, flags: int) -> Answer:
        found = LowLevel.CK_SESSION_HANDLE()
        code = self._module.C_OpenSession(slot, flags, found)
        return {"rv": code, "session": found.value()}

    def _C_GetSessionInfo(self, session: int) -> Answer:
        found = LowLevel.CK_SESSION_INFO()
        code = self._module.C_GetSessionInfo(_session(session), found)
        return {"rv": code, "state": found.state, "flags": found.flags}

    def _C_FindObjectsInit(self, session: int, template: list[list[Any]]) -> Answer:
        wanted = LowLevel.ckattrlist(len(template))
        # What iteration over such a list gives are copies.
        for index, (kind, value) in enumerate(template):
            if isinstance(value, int):
                wanted[index].SetNum(kind, value)
            else:
                wanted[index].SetBin(kind, _bytes(bytes.fromhex(value)))
        return {"rv": self._module.C_FindObjectsInit(_session(session), wanted)}

    def _C_FindObjects(self, session: int, most: int) -> Answer:
        found = LowLevel.ckulonglist(most)
        code = self._module.C_FindObjects(_session(session), found)
        return {"rv": code, "objects": list(found) if code == 0 else []}

    def _C_GetAttributeValue(self, session: int, object: int, type: int) -> Answer:
        wanted = LowLevel.ckattrlist(1)
        wanted[0].SetType(type)
        code = 0
        for _what in ("length", "value"):
            code = self._module.C_GetAttributeValue(_session(session), _object(object), wanted)
            if code != 0:
                return {"rv": code}
        return {"rv": code, "data": bytes(wanted[0].GetBin()).hex()}

    def _C_SetAttributeValue(self, session: int, object: int, type: int, value: str) -> Answer:
        wanted = LowLevel.ckattrlist(1)
        wanted[0].SetBin(type, _bytes(bytes.fromhex(value)))
        return {"rv": self._module.C_SetAttributeValue(_session(session), _object(object), wanted)}

    def _C_CreateObject(self, session: int, label: str) -> Answer:
        wanted = LowLevel.ckattrlist(2)
        wanted[0].SetNum(PyKCS11.CKA_CLASS, PyKCS11.CKO_DATA)
        wanted[1].SetString(PyKCS11.CKA_LABEL, label)
        return {"rv": self._module.C_CreateObject(_session(session), wanted, LowLevel.CK_OBJECT_HANDLE())}

    def _C_DestroyObject(self, session: int, object: int) -> Answer:
        return {"rv": self._module.C_DestroyObject(_session(session), _object(object))}

    # -- keys ---------------------------------------------------------------------------------------------------------

    def _init(self, function: str, session: int, mechanism: dict[str, Any], key: int | None = None) -> Answer:
        # The parameter must outlive the call that names it.
        self._kept = [_mechanism(mechanism)]
        keys = () if key is None else (_object(key),)
        return {"rv": getattr(self._module, function)(_session(session), self._kept[0].to_native(), *keys)}

    def _C_SignInit(self, **given: Any) -> Answer:
        return self._init("C_SignInit", **given)

    def _C_VerifyInit(self, **given: Any) -> Answer:
        return self._init("C_VerifyInit", **given)

    def _C_EncryptInit(self, **given: Any) -> Answer:
        return self._init("C_EncryptInit", **given)

    def _C_DecryptInit(self, **given: Any) -> Answer:
        return self._init("C_DecryptInit", **given)

    def _C_DigestInit(self, **given: Any) -> Answer:
        return self._init("C_DigestInit", **given)

    def _C_DigestKey(self, session: int, object: int) -> Answer:
        return {"rv": self._module.C_DigestKey(_session(session), _object(object))}

    def _C_GenerateRandom(self, session: int, length: int) -> Answer:
        found = _bytes(bytes(length))
        code = self._module.C_GenerateRandom(_session(session), found)
        return {"rv": code, "data": bytes(found).hex()} if code == 0 else {"rv": code}

    def _C_GenerateKeyPair(self, session: int) -> Answer:
        public, private = LowLevel.ckattrlist(1), LowLevel.ckattrlist(1)
        public[0].SetNum(PyKCS11.CKA_MODULUS_BITS, 2048)
        private[0].SetBool(PyKCS11.CKA_SIGN, True)
        made = (LowLevel.CK_OBJECT_HANDLE(), LowLevel.CK_OBJECT_HANDLE())
        native = PyKCS11.Mechanism(PyKCS11.CKM_RSA_PKCS_KEY_PAIR_GEN).to_native()
        return {"rv": self._module.C_GenerateKeyPair(_session(session), native, public, private, *made)}

    def _C_GenerateKey(self, session: int) -> Answer:
        wanted = LowLevel.ckattrlist(1)
        wanted[0].SetNum(PyKCS11.CKA_VALUE_LEN, 16)
        native = PyKCS11.Mechanism(PyKCS11.CKM_AES_KEY_GEN).to_native()
        return {"rv": self._module.C_GenerateKey(_session(session), native, wanted, LowLevel.CK_OBJECT_HANDLE())}

    def _C_WrapKey(self, session: int, object: int) -> Answer:
        native, key = PyKCS11.Mechanism(PyKCS11.CKM_RSA_PKCS).to_native(), _object(object)
        return {"rv": self._module.C_WrapKey(_session(session), native, key, key, _bytes(b""))}

    def _C_UnwrapKey(self, session: int, object: int) -> Answer:
        native, made = PyKCS11.Mechanism(PyKCS11.CKM_RSA_PKCS).to_native(), LowLevel.CK_OBJECT_HANDLE()
        wrapped, wanted = _bytes(bytes(256)), LowLevel.ckattrlist(2)
        wanted[0].SetNum(PyKCS11.CKA_CLASS, PyKCS11.CKO_SECRET_KEY)
        wanted[1].SetNum(PyKCS11.CKA_KEY_TYPE, PyKCS11.CKK_AES)
        return {"rv": self._module.C_UnwrapKey(_session(session), native, _object(object), wrapped, wanted, made)}

    def _C_DeriveKey(self, session: int, object: int) -> Answer:
        native, made = PyKCS11.Mechanism(PyKCS11.CKM_RSA_PKCS).to_native(), LowLevel.CK_OBJECT_HANDLE()
        return {
            "rv": self._module.C_DeriveKey(_session(session), native, _object(object), LowLevel.ckattrlist(0), made)
        }


def _mechanism(given: dict[str, Any]) -> Any:
    kind = given["type"]
    if (pss := given.get("pss")) is not None:
        return PyKCS11.RSA_PSS_Mechanism(kind, *pss)
    return PyKCS11.Mechanism(kind)


def _bytes(value: bytes) -> Any:
    return PyKCS11.ckbytelist(value)


def _session(number: int) -> Any:
    handle = LowLevel.CK_SESSION_HANDLE()
    handle.assign(number)
    return handle


def _object(number: int) -> Any:
    handle = LowLevel.CK_OBJECT_HANDLE()
    handle.assign(number)
    return handle


def _private_output() -> TextIO:
    """Our way out, which a module that prints cannot reach."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return ours


def main() -> None:
    """Load the module named by the first line, then serve until the input ends."""
    # A module that never comes back would keep the process: the end of the orders alone is not heard then.
    end_with_starter()
    out = _private_output()

    def say(answer: Answer) -> None:
        out.write(json.dumps(answer) + "\n")
        out.flush()

    path = sys.stdin.readline().rstrip("\n")
    if not path:
        return
    try:
        worker = Worker(path)
    except PyKCS11.PyKCS11Error as error:
        say({"failed": str(error)})
        return
    say({"ready": True})
    for line in sys.stdin:
        order = json.loads(line)
        say(worker.do(order["function"], order["given"]))


if __name__ == "__main__":
    main()
