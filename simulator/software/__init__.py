"""Simulated software under test: it stands where an editor's own product will."""
