"""Importing this module registers every command."""

from conformance.cli import cards, catalogue, report, run, schema

__all__ = ["cards", "catalogue", "report", "run", "schema"]
