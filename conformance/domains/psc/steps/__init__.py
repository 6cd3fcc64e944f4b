"""The steps of the domain."""
