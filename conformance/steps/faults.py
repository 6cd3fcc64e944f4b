"""Faults of the catalogue, injected at a step, at the nth command or at a byte."""
