"""The return codes of the SSV functions and of the GALSS, by name (sources#galss-codes and sources#ssv-codes)."""

from __future__ import annotations

from enum import IntEnum


class SsvCode(IntEnum):
    """What an SSV function returns: 16 bits, 0 is success. GALSS codes come through unchanged."""

    OK = 0x0000
    GALSS_INTERNAL = 0x0001
    GALSS_TOO_MANY_SESSIONS = 0x0002
    GALSS_HELD_BY_ANOTHER = 0x0004
    GALSS_ALREADY_EXCLUSIVE = 0x0008
    GALSS_NO_MEMORY = 0x0010
    GALSS_ABANDONED = 0x0040
    GALSS_PROTOCOL = 0x0200
    GALSS_NO_ANSWER = 0x0400
    GALSS_SESSION_OPEN = 0x0800
    GALSS_INI_UNREADABLE = 0x8001
    GALSS_SERVER_NOT_FOUND = 0x8002
    GALSS_CHANNEL_COUNT = 0x8003
    GALSS_CHANNEL_MISSING = 0x8004
    GALSS_PROTOCOL_UNKNOWN = 0x8005
    GALSS_LIBRARY = 0x8006
    GALSS_CHANNEL_TYPE = 0x8007
    GALSS_PSS_INITIALISATION = 0x800A
    GALSS_CHARACTERISTICS = 0x800C
    GALSS_CONFIG_MISSING = 0x800D
    GALSS_VERSIONS = 0x800E
    GALSS_PAD = 0x800F
    GALSS_LAD = 0x8010
    GALSS_LAD_NAME = 0x8011
    PS_ABSENT = 0xF001
    PS_BLOCKED = 0xF002
    WRONG_CODE = 0xF003
    PS_INVALID = 0xF004
    VITALE_ABSENT = 0xF011
    VITALE_COMMUNICATION = 0xF014
    VITALE_WITHDRAWN = 0xF015
    TEST_AND_REAL = 0xF026
    BOTH_COMPLEMENTARIES = 0xF0F0
    INCONSISTENT_MESSAGE = 0xF0FF
    READER_SYNCHRONISATION = 0xF100
    UNKNOWN_RESOURCE = 0xF101
    NOT_INITIALISED = 0xF600
    ALREADY_INITIALISED = 0xF670
    TABLE_PATH = 0xF680
    WORK_DIRECTORY = 0xF6F1
    WORK_FILES = 0xF6F2
    BUFFER = 0xF800
    BAD_INPUT = 0xF802
    CODE_LOST = 0xFF21
    CPS_API = 0xFF30
    UNSPECIFIED = 0xFFFF


class SsvError(Exception):
    """A refusal with its return code; ``detail`` says what was met, for a log."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(f"{code:04X}" + (f": {detail}" if detail else ""))
