"""Traces of PC/SC sessions: read from any log, masked, kept as a journal, replayed, compared, shrunk."""
