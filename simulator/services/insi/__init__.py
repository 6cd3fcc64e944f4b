"""INSi: the teleservice that finds the national health identity (SOAP 1.2, WSDL family DESIR_ICIR_EXP 1.5.0).

Known: the messages, the two searches, the answers 00, 01 and 02, three faults, the rule on structure certificates
(sources#insi-guide, sources#insi-client). The other refusals are ours: each has a code that begins with ``lab_``.
Nobody of the population exists: every number has month 19.
"""
