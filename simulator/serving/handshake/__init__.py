"""TLS 1.2 and 1.3 where it matters who the client is: each certificate judged by the bench, the key wherever it lies.

tlslite-ng shakes hands, cryptography computes. OpenSSL, which serves where no client certificate is asked for, gives no
way to refuse one by our own clock, by OCSP, or with the alert of our choice.
"""

import warnings

with warnings.catch_warnings():
    # tlslite-ng imports asyncore for an integration that is not used here: no user of the bench need hear of it.
    warnings.filterwarnings("ignore", message=r".*\basyncore\b", category=DeprecationWarning)
    import tlslite.api  # noqa: F401 - here first, for the modules below
