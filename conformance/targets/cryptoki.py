"""The names of PKCS#11 (Cryptoki) numbers: what a module answers is always told in words."""

from __future__ import annotations

from collections.abc import Mapping

OK = 0

RETURN_CODES: Mapping[int, str] = {
    0x000: "OK",
    0x001: "CANCEL",
    0x002: "HOST_MEMORY",
    0x003: "SLOT_ID_INVALID",
    0x005: "GENERAL_ERROR",
    0x006: "FUNCTION_FAILED",
    0x007: "ARGUMENTS_BAD",
    0x008: "NO_EVENT",
    0x009: "NEED_TO_CREATE_THREADS",
    0x00A: "CANT_LOCK",
    0x010: "ATTRIBUTE_READ_ONLY",
    0x011: "ATTRIBUTE_SENSITIVE",
    0x012: "ATTRIBUTE_TYPE_INVALID",
    0x013: "ATTRIBUTE_VALUE_INVALID",
    0x01B: "ACTION_PROHIBITED",
    0x020: "DATA_INVALID",
    0x021: "DATA_LEN_RANGE",
    0x030: "DEVICE_ERROR",
    0x031: "DEVICE_MEMORY",
    0x032: "DEVICE_REMOVED",
    0x040: "ENCRYPTED_DATA_INVALID",
    0x041: "ENCRYPTED_DATA_LEN_RANGE",
    0x050: "FUNCTION_CANCELED",
    0x051: "FUNCTION_NOT_PARALLEL",
    0x054: "FUNCTION_NOT_SUPPORTED",
    0x060: "KEY_HANDLE_INVALID",
    0x062: "KEY_SIZE_RANGE",
    0x063: "KEY_TYPE_INCONSISTENT",
    0x064: "KEY_NOT_NEEDED",
    0x065: "KEY_CHANGED",
    0x066: "KEY_NEEDED",
    0x067: "KEY_INDIGESTIBLE",
    0x068: "KEY_FUNCTION_NOT_PERMITTED",
    0x069: "KEY_NOT_WRAPPABLE",
    0x06A: "KEY_UNEXTRACTABLE",
    0x070: "MECHANISM_INVALID",
    0x071: "MECHANISM_PARAM_INVALID",
    0x082: "OBJECT_HANDLE_INVALID",
    0x090: "OPERATION_ACTIVE",
    0x091: "OPERATION_NOT_INITIALIZED",
    0x0A0: "PIN_INCORRECT",
    0x0A1: "PIN_INVALID",
    0x0A2: "PIN_LEN_RANGE",
    0x0A3: "PIN_EXPIRED",
    0x0A4: "PIN_LOCKED",
    0x0B0: "SESSION_CLOSED",
    0x0B1: "SESSION_COUNT",
    0x0B3: "SESSION_HANDLE_INVALID",
    0x0B4: "SESSION_PARALLEL_NOT_SUPPORTED",
    0x0B5: "SESSION_READ_ONLY",
    0x0B6: "SESSION_EXISTS",
    0x0B7: "SESSION_READ_ONLY_EXISTS",
    0x0B8: "SESSION_READ_WRITE_SO_EXISTS",
    0x0C0: "SIGNATURE_INVALID",
    0x0C1: "SIGNATURE_LEN_RANGE",
    0x0D0: "TEMPLATE_INCOMPLETE",
    0x0D1: "TEMPLATE_INCONSISTENT",
    0x0E0: "TOKEN_NOT_PRESENT",
    0x0E1: "TOKEN_NOT_RECOGNIZED",
    0x0E2: "TOKEN_WRITE_PROTECTED",
    0x0F0: "UNWRAPPING_KEY_HANDLE_INVALID",
    0x0F1: "UNWRAPPING_KEY_SIZE_RANGE",
    0x0F2: "UNWRAPPING_KEY_TYPE_INCONSISTENT",
    0x100: "USER_ALREADY_LOGGED_IN",
    0x101: "USER_NOT_LOGGED_IN",
    0x102: "USER_PIN_NOT_INITIALIZED",
    0x103: "USER_TYPE_INVALID",
    0x104: "USER_ANOTHER_ALREADY_LOGGED_IN",
    0x105: "USER_TOO_MANY_TYPES",
    0x110: "WRAPPED_KEY_INVALID",
    0x112: "WRAPPED_KEY_LEN_RANGE",
    0x113: "WRAPPING_KEY_HANDLE_INVALID",
    0x114: "WRAPPING_KEY_SIZE_RANGE",
    0x115: "WRAPPING_KEY_TYPE_INCONSISTENT",
    0x120: "RANDOM_SEED_NOT_SUPPORTED",
    0x121: "RANDOM_NO_RNG",
    0x130: "DOMAIN_PARAMS_INVALID",
    0x140: "CURVE_NOT_SUPPORTED",
    0x150: "BUFFER_TOO_SMALL",
    0x160: "SAVED_STATE_INVALID",
    0x170: "INFORMATION_SENSITIVE",
    0x180: "STATE_UNSAVEABLE",
    0x190: "CRYPTOKI_NOT_INITIALIZED",
    0x191: "CRYPTOKI_ALREADY_INITIALIZED",
    0x1A0: "MUTEX_BAD",
    0x1A1: "MUTEX_NOT_LOCKED",
    0x200: "FUNCTION_REJECTED",
    # A card whose update was cut short: what the ANS Cryptolib answers, in the range left to vendors.
    0x80000001: "ASIP_BAD_EF_ACTUA",
}
"""PKCS#11 v2.20 to v2.40, ``CKR_`` left out."""

MECHANISMS: Mapping[int, str] = {
    0x000: "RSA_PKCS_KEY_PAIR_GEN",
    0x001: "RSA_PKCS",
    0x002: "RSA_9796",
    0x003: "RSA_X_509",
    0x005: "MD5_RSA_PKCS",
    0x006: "SHA1_RSA_PKCS",
    0x008: "RIPEMD160_RSA_PKCS",
    0x009: "RSA_PKCS_OAEP",
    0x00D: "RSA_PKCS_PSS",
    0x00E: "SHA1_RSA_PKCS_PSS",
    0x040: "SHA256_RSA_PKCS",
    0x041: "SHA384_RSA_PKCS",
    0x042: "SHA512_RSA_PKCS",
    0x043: "SHA256_RSA_PKCS_PSS",
    0x044: "SHA384_RSA_PKCS_PSS",
    0x045: "SHA512_RSA_PKCS_PSS",
    0x046: "SHA224_RSA_PKCS",
    0x210: "MD5",
    0x220: "SHA_1",
    0x240: "RIPEMD160",
    0x250: "SHA256",
    0x255: "SHA224",
    0x260: "SHA384",
    0x270: "SHA512",
    0x1041: "ECDSA",
    0x1080: "AES_KEY_GEN",
    0x1210: "GOSTR3411",
}
"""Mechanisms that a card module may list, ``CKM_`` left out."""

CLASSES: Mapping[str, int] = {"data": 0, "certificate": 1, "public-key": 2, "private-key": 3}
"""Classes of objects, as scenarios write them."""

USERS: Mapping[str, int] = {"so": 0, "user": 1}
"""Who logs in."""

SERIAL_SESSION, RW_SESSION = 0x4, 0x2

TOKEN_FLAGS: Mapping[int, str] = {
    0x00001: "RNG",
    0x00002: "WRITE_PROTECTED",
    0x00004: "LOGIN_REQUIRED",
    0x00008: "USER_PIN_INITIALIZED",
    0x00100: "PROTECTED_AUTHENTICATION_PATH",
    0x00400: "TOKEN_INITIALIZED",
    0x10000: "USER_PIN_COUNT_LOW",
    0x20000: "USER_PIN_FINAL_TRY",
    0x40000: "USER_PIN_LOCKED",
    0x80000: "USER_PIN_TO_BE_CHANGED",
    0x100000: "SO_PIN_COUNT_LOW",
    0x200000: "SO_PIN_FINAL_TRY",
    0x400000: "SO_PIN_LOCKED",
}
"""Flags of a token, ``CKF_`` left out."""

STATES = ("RO_PUBLIC_SESSION", "RO_USER_FUNCTIONS", "RW_PUBLIC_SESSION", "RW_USER_FUNCTIONS", "RW_SO_FUNCTIONS")
"""States of a session by number, ``CKS_`` left out."""

ATTRIBUTES: Mapping[str, int] = {
    "CKA_CLASS": 0x000,
    "CKA_TOKEN": 0x001,
    "CKA_PRIVATE": 0x002,
    "CKA_LABEL": 0x003,
    "CKA_VALUE": 0x011,
    "CKA_ID": 0x102,
    "CKA_SENSITIVE": 0x103,
    "CKA_ENCRYPT": 0x104,
    "CKA_DECRYPT": 0x105,
    "CKA_SIGN": 0x108,
    "CKA_VERIFY": 0x10A,
    "CKA_MODULUS": 0x120,
    "CKA_PUBLIC_EXPONENT": 0x122,
    "CKA_PRIVATE_EXPONENT": 0x123,
    "CKA_PRIME_1": 0x124,
    "CKA_EXTRACTABLE": 0x162,
    "CKA_NEVER_EXTRACTABLE": 0x164,
    "CKA_MODIFIABLE": 0x170,
}
"""Attributes that scenarios may read or try to write."""
TRUTHS = frozenset(
    {"CKA_TOKEN", "CKA_PRIVATE", "CKA_SENSITIVE", "CKA_ENCRYPT", "CKA_DECRYPT", "CKA_SIGN", "CKA_VERIFY"}
    | {"CKA_EXTRACTABLE", "CKA_NEVER_EXTRACTABLE", "CKA_MODIFIABLE"}
)
"""Those that are true or false."""


def result(code: int) -> str:
    """``CKR_PIN_INCORRECT``; the hexadecimal value of a code without a name."""
    code &= 0xFFFFFFFF
    return f"CKR_{RETURN_CODES[code]}" if code in RETURN_CODES else f"0x{code:08X}"


def mechanism(number: int) -> str:
    """``CKM_RSA_PKCS``; the hexadecimal value of a mechanism without a name."""
    return f"CKM_{MECHANISMS[number]}" if number in MECHANISMS else f"0x{number:08X}"


def flags(number: int) -> list[str]:
    """The flags of a token in words; bits without a name in hexadecimal."""
    rest = number & ~sum(TOKEN_FLAGS)
    return [name for bit, name in TOKEN_FLAGS.items() if number & bit] + ([f"0x{rest:X}"] if rest else [])


def text(field: str) -> str:
    """A fixed field of an information structure, its padding (blanks, or the zeros of some modules) taken off."""
    return field.rstrip(" \0")
