"""Real cards are precious behind a PKCS#11 module too: what is refused before the module hears of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bifente.conformance.targets import cryptoki
from bifente.conformance.targets.base import GuardRefusalError
from bifente.ground.text import Text

_HARMLESS = frozenset(
    {"C_Initialize", "C_Finalize", "C_GetInfo", "C_GetSlotList", "C_GetSlotInfo", "C_GetTokenInfo"}
    | {"C_GetMechanismList", "C_GetMechanismInfo", "C_OpenSession", "C_CloseSession", "C_CloseAllSessions"}
    | {"C_GetSessionInfo", "C_Logout", "C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal"}
    | {"C_GetAttributeValue", "C_SignInit", "C_Sign", "C_SignUpdate", "C_SignFinal", "C_VerifyInit", "C_Verify"}
    | {"C_EncryptInit", "C_Encrypt", "C_EncryptUpdate", "C_EncryptFinal"}
    | {"C_DecryptInit", "C_Decrypt", "C_DecryptUpdate", "C_DecryptFinal"}
    | {"C_DigestInit", "C_Digest", "C_DigestUpdate", "C_DigestFinal", "C_DigestKey", "C_GenerateRandom"}
)
"""Functions that neither change a card nor use up a try. What is not here is refused: C_SetPIN, C_InitPIN,
C_SetAttributeValue, and whatever a module makes of the others.
"""
_NEVER = frozenset({"C_InitToken"})
"""Ends a real card: refused whatever the run allows."""

_NOT_A_READING = Text(
    "un appel qui pourrait modifier la carte n'est pas fait sur une carte réelle "
    "(scénario destructif et --allow-destructive requis)",
    "a call that might change the card is not made on a real card "
    "(a destructive scenario and --allow-destructive are needed)",
)
_NEVER_MADE = Text(
    "un appel qui effacerait la carte n'est jamais fait sur une carte réelle",
    "a call that would erase the card is never made on a real card",
)
_NOT_THE_CODE = Text(
    "un code qui n'est pas celui de la carte n'est pas présenté à une carte réelle "
    "(scénario destructif et --allow-destructive requis)",
    "a code that is not the card's is not presented to a real card "
    "(a destructive scenario and --allow-destructive are needed)",
)
_FLAGS_UNKNOWN = Text(
    "le module ne dit pas l'état des essais : code non présenté à une carte réelle",
    "the module does not tell the state of the tries: the code is not presented to a real card",
)
_LAST_TRY = Text(
    "dernier essai (ou code bloqué) : code non présenté à une carte réelle",
    "last try (or code locked): the code is not presented to a real card",
)
_SPARED = Text(
    "le code de déblocage a déjà perdu des essais ; un code faux perdrait la carte",
    "the unblocking code has lost tries already; a wrong one would lose the card",
)


class Pkcs11Guard:
    """Checks calls to a card that is not ours.

    Unless ``destructive`` (the scenario and the run both allow it) only calls that read or use keys pass, and of the
    codes only the right one, while the token's flags show more than one try. With it, a wrong unblocking code is still
    refused as soon as tries are missing. ``codes`` are the right ones by user (``user``, ``so``), as far as known; one
    that the card refuses is taken out: it was not right, and is not presented a second time.
    """

    def __init__(self, codes: dict[str, str], *, destructive: bool = False) -> None:
        self.destructive = destructive
        self._codes = codes

    def check(self, function: str, given: Mapping[str, Any], flags: Callable[[], Sequence[str]]) -> None:
        """Raises GuardRefusalError."""
        if function in _NEVER:
            raise GuardRefusalError(_NEVER_MADE)
        if function == "C_Login":
            self._check_login(_user(given), str(given["pin"]), flags)
        elif function not in _HARMLESS:
            if not self.destructive:
                raise GuardRefusalError(_NOT_A_READING)
            # In a session of the security officer the old code is the unblocking one; which it is, is not told here.
            if function == "C_SetPIN" and given["old"] not in map(_as_sent, self._codes.values()):
                self._spare_the_puk(flags)

    def learn(self, function: str, given: Mapping[str, Any], code: int) -> None:
        """A code that was refused is forgotten."""
        if function == "C_Login" and cryptoki.result(code) in ("CKR_PIN_INCORRECT", "CKR_PIN_LOCKED"):
            user = _user(given)
            if given["pin"] == _as_sent(self._codes.get(user)):
                del self._codes[user]

    def _check_login(self, user: str, code: str, flags: Callable[[], Sequence[str]]) -> None:
        right = code == _as_sent(self._codes.get(user))
        if self.destructive:
            if user == "so" and not right:
                self._spare_the_puk(flags)
            return
        if not right:
            raise GuardRefusalError(_NOT_THE_CODE)
        found = flags()
        if "UNKNOWN" in found:
            raise GuardRefusalError(_FLAGS_UNKNOWN)
        prefix = "SO" if user == "so" else "USER"
        if {f"{prefix}_PIN_FINAL_TRY", f"{prefix}_PIN_LOCKED"} & set(found):
            raise GuardRefusalError(_LAST_TRY)

    @staticmethod
    def _spare_the_puk(flags: Callable[[], Sequence[str]]) -> None:
        if {"SO_PIN_COUNT_LOW", "SO_PIN_FINAL_TRY", "SO_PIN_LOCKED", "UNKNOWN"} & set(flags()):
            raise GuardRefusalError(_SPARED)


def _user(given: Mapping[str, Any]) -> str:
    return next((user for user, number in cryptoki.USERS.items() if number == given["user"]), "?")


def _as_sent(code: str | None) -> str | None:
    return code.encode().hex() if code is not None else None
