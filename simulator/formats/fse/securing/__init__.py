"""Signatures of sheets and lots: their bytes, who must sign in which mode, whether they hold, OpenSSL's view of them.

All of it is modelled: SHA-256 and RSA of the laboratory's cards over the canonical form, with the published rules
around them (sources#care-sheet).
"""
