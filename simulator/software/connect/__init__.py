"""The DMP behind DmpConnect-JS: each command is a transaction in the name of the card's holder, its answer told back.

Names of commands and fields are those of the public wrapper (sources#local-services). Ours, and labelled so: the codes
of errors (``s_apiErrorContext`` has the DMP's own code), the OID behind a bare ``s_ins``, a folder for ``s_filePath``.
"""
