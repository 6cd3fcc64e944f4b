"""The PC/SC return codes, and the one error that carries them, whether the reader is in process or real."""

from __future__ import annotations

from enum import IntEnum


class PcscCode(IntEnum):
    """PC/SC return codes the bench distinguishes (PCSC-13 to PCSC-15; sources#pcsc-codes)."""

    INVALID_HANDLE = 0x80100003
    UNKNOWN_READER = 0x80100009
    TIMEOUT = 0x8010000A
    SHARING_VIOLATION = 0x8010000B
    NO_SMARTCARD = 0x8010000C
    PROTO_MISMATCH = 0x8010000F
    NOT_READY = 0x80100010
    COMM_ERROR = 0x80100013
    NOT_TRANSACTED = 0x80100016
    READER_UNAVAILABLE = 0x80100017
    NO_SERVICE = 0x8010001D
    SERVICE_STOPPED = 0x8010001E
    UNSUPPORTED_FEATURE = 0x80100022
    NO_READERS_AVAILABLE = 0x8010002E
    UNRESPONSIVE_CARD = 0x80100066
    UNPOWERED_CARD = 0x80100067
    RESET_CARD = 0x80100068
    REMOVED_CARD = 0x80100069

    @classmethod
    def label(cls, code: int) -> str:
        """The name of a code, or its hexadecimal value if it is none of these."""
        known = cls._value2member_map_.get(code)
        return known._name_ if known is not None else f"{code & 0xFFFFFFFF:08X}"


class ScardError(Exception):
    """A PC/SC failure; ``code`` is the same whether the reader is in process or real."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        super().__init__(f"{PcscCode.label(code)} ({code & 0xFFFFFFFF:08X})" + (f": {detail}" if detail else ""))
