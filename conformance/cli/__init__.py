"""The command line: ``bifente``."""

from conformance.cli.app import main

__all__ = ["main"]
