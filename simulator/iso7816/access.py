"""Access conditions in the compact format of ISO/IEC 7816-4 (7.4.3): data in, a yes or a no out.

An access mode byte says which operations have a condition, then comes one security condition byte each, from b7 down
to b1. What a bit stands for depends on the class of object, hence one enumeration per class whose values are the bits.
No command holds an access rule of its own: each asks here, and here only the bytes on the card decide.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType

ALWAYS = 0x00
NEVER = 0xFF


class FileOperation(IntEnum):
    """What can be done to an elementary file."""

    DELETE = 0x40
    TERMINATE = 0x20
    ACTIVATE = 0x10
    DEACTIVATE = 0x08
    UPDATE = 0x02
    READ = 0x01


class SecretOperation(IntEnum):
    """What can be done to a PIN or PUK (IAS ECC: same order as a client reads it)."""

    CHANGE = 0x40
    VERIFY = 0x20
    RESET = 0x10
    PUT = 0x02
    GET = 0x01


class KeyOperation(IntEnum):
    """What can be done with a private key."""

    SIGN = 0x40
    AUTHENTICATE = 0x20
    DECIPHER = 0x10
    GENERATE = 0x08
    PUT = 0x02
    GET = 0x01


Operation = FileOperation | SecretOperation | KeyOperation


class AccessRuleError(ValueError):
    """The bytes are no access rule in compact format."""


Verified = Callable[[int], bool]
"""Whether the means of a security environment (by its number) were used since the last reset."""


def _never(environment: int) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Condition:
    """One security condition byte, decoded.

    ``environment`` (1 to 14) tells which secret a user authentication means, which parties an external one.
    ``every`` asks for all the ticked means, otherwise one is enough.
    """

    user: bool
    external: bool
    secure_messaging: bool
    every: bool
    environment: int

    @classmethod
    def parse(cls, byte: int) -> Condition:
        """Decode a byte other than ``ALWAYS`` and ``NEVER``, which are whole answers by themselves."""
        return cls(
            user=bool(byte & 0x10),
            external=bool(byte & 0x20),
            secure_messaging=bool(byte & 0x40),
            every=bool(byte & 0x80),
            environment=byte & 0x0F,
        )

    def met(self, verified: Verified, authenticated: Verified = _never) -> bool:
        """Whether it holds, ``verified`` telling if the secret of an environment was presented, ``authenticated`` if
        an outside party that the environment trusts proved itself (EXTERNAL AUTHENTICATE).

        Secure messaging is not modelled: it never holds.
        """
        asked = (
            (self.user, verified),
            (self.external, authenticated),
            (self.secure_messaging, _never),
        )
        answers = [means(self.environment) for ticked, means in asked if ticked]
        return bool(answers) and (all(answers) if self.every else any(answers))


@dataclass(frozen=True, slots=True)
class AccessRule:
    """The conditions of one object by operation bit; an operation without condition byte is refused."""

    conditions: Mapping[int, int]

    @classmethod
    @lru_cache(maxsize=1024)
    def parse(cls, raw: bytes) -> AccessRule:
        """Read an access mode byte and its condition bytes.

        b8 of the mode byte only qualifies the others and has no condition. Raises AccessRuleError if the number of
        conditions is not that of the bits set.
        """
        if not raw:
            raise AccessRuleError("an access rule has at least its mode byte")
        bits = [bit for bit in (0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01) if raw[0] & bit]
        if len(bits) != len(raw) - 1:
            raise AccessRuleError(f"mode byte {raw[0]:02X} asks for {len(bits)} conditions, {len(raw) - 1} are given")
        return cls(MappingProxyType(dict(zip(bits, raw[1:], strict=True))))

    def condition(self, operation: Operation) -> int:
        """The condition byte of an operation, ``NEVER`` if the rule does not name it."""
        return self.conditions.get(operation, NEVER)

    def allows(self, operation: Operation, verified: Verified, authenticated: Verified = _never) -> bool:
        """Whether the operation may go on: ``verified`` and ``authenticated`` as for ``Condition.met``."""
        byte = self.conditions.get(operation, NEVER)
        if byte == ALWAYS:
            return True
        if byte == NEVER:
            return False
        return Condition.parse(byte).met(verified, authenticated)
