"""The command line: ``bifente``. Importing it registers every command on the application."""

from conformance.cli import cards, catalogue, codes, configuration, faults, live, read, report, run, schema, serve, zone
from conformance.cli.app import app

__all__ = [
    "app",
    "cards",
    "catalogue",
    "codes",
    "configuration",
    "faults",
    "live",
    "main",
    "read",
    "report",
    "run",
    "schema",
    "serve",
    "zone",
]


def main() -> None:
    """Run the command line."""
    app()
