"""Every step a scenario may use; importing this package registers them."""

from conformance.steps import (
    apcv,
    bench,
    codes,
    faults,
    files,
    galss,
    keys,
    pkcs11,
    pkcs11_keys,
    pkcs11_objects,
    raw,
    readers,
    selection,
    ssv,
    vitale,
    wireless,
)
from conformance.steps.base import STEPS, Observation, Step

__all__ = [
    "STEPS",
    "Observation",
    "Step",
    "apcv",
    "bench",
    "codes",
    "faults",
    "files",
    "galss",
    "keys",
    "pkcs11",
    "pkcs11_keys",
    "pkcs11_objects",
    "raw",
    "readers",
    "selection",
    "ssv",
    "vitale",
    "wireless",
]
