"""The SSV functions as a shared library: names and call shapes of the field, forwarded to the bench."""
