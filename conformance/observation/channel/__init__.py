"""The control channel of a live bench: orders in, what passed out, for any program in any language."""

VERSION = 1
"""Of the protocol: raised when a client of the one before would be misled."""
