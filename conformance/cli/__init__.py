"""The command line: ``bifente``. Importing it registers every command on the application."""

from conformance.cli import cards, catalogue, live, report, run, schema
from conformance.cli.app import app

__all__ = ["app", "cards", "catalogue", "live", "main", "report", "run", "schema"]


def main() -> None:
    """Run the command line."""
    app()
