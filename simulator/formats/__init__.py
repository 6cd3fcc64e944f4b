"""Bytes to values and back, as both sides of an exchange write and read them."""
