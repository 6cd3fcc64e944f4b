"""Signed tokens (JOSE): one agreed algorithm, bounded, nothing believed before its signature holds."""

from bifente.simulator.formats.jose.refusals import SealError, SealRefusal
from bifente.simulator.formats.jose.seal import Key, Seal, SigningKey

__all__ = ["Key", "Seal", "SealError", "SealRefusal", "SigningKey"]
