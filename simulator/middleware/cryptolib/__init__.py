"""The Cryptolib CPS as the programs of a workstation meet it: tokens, code, certificates, signatures, return codes.

A model of ours (sources#cryptolib-source, sources#cryptolib-releases), no PKCS#11 module: it drives the card by the
same commands, and its ``CryptolibTraits`` are what its releases corrected, so that an older one shows its old symptom.
"""

from bifente.simulator.middleware.cryptolib.library import Cryptolib, CryptolibError, CryptolibToken
from bifente.simulator.middleware.cryptolib.traits import CachedCertificate, CryptolibTraits

__all__ = ["CachedCertificate", "Cryptolib", "CryptolibError", "CryptolibToken", "CryptolibTraits"]
