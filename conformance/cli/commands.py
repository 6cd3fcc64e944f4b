"""Importing this module registers every command."""

from conformance.cli import cards, catalogue, live, report, run, schema

__all__ = ["cards", "catalogue", "live", "report", "run", "schema"]
