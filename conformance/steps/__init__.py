"""Every step a scenario may use; importing this package registers them."""

from conformance.steps import (
    bench,
    codes,
    files,
    keys,
    pkcs11,
    pkcs11_keys,
    pkcs11_objects,
    raw,
    selection,
)
from conformance.steps.base import STEPS, Observation, Step

__all__ = [
    "STEPS",
    "Observation",
    "Step",
    "bench",
    "codes",
    "files",
    "keys",
    "pkcs11",
    "pkcs11_keys",
    "pkcs11_objects",
    "raw",
    "selection",
]
