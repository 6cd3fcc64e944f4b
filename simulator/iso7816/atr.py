"""Answer To Reset: which protocols it offers and whether its check byte is right (ISO/IEC 7816-3, 8.2; PCSC-05)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import xor


class AtrError(ValueError):
    """The bytes are no ATR."""


@dataclass(frozen=True, slots=True)
class Atr:
    """What an ATR says. ``protocols`` are T numbers in the order offered, ``historical`` 0 to 15 free bytes."""

    raw: bytes
    protocols: tuple[int, ...]
    historical: bytes

    @classmethod
    def parse(cls, raw: bytes) -> Atr:
        """Read an ATR. Raises AtrError if truncated, over-long, or with a check byte wrong, missing or unduly there."""
        if not 2 <= len(raw) <= 33 or raw[0] not in (0x3B, 0x3F):
            raise AtrError(f"an ATR has 2 to 33 bytes and starts with 3B or 3F: {raw.hex().upper()}")
        protocols: list[int] = []
        position, indicator = 2, raw[1]
        while True:
            position += (indicator >> 4 & 0x7).bit_count()
            if not indicator & 0x80:
                break
            if position >= len(raw):
                raise AtrError(f"truncated interface bytes: {raw.hex().upper()}")
            indicator = raw[position]
            position += 1
            protocols.append(indicator & 0x0F)
        # T=15 is no protocol: it only qualifies interface bytes. T=0 alone has no check byte.
        offered = tuple(dict.fromkeys(t for t in protocols if t != 15)) or (0,)
        checked = any(protocols)
        end = position + (raw[1] & 0x0F)
        if len(raw) != end + checked:
            raise AtrError(f"{end + checked} bytes announced, {len(raw)} there: {raw.hex().upper()}")
        if checked and reduce(xor, raw[1:]):
            raise AtrError(f"wrong check byte: {raw.hex().upper()}")
        return cls(raw, offered, raw[position:end])
