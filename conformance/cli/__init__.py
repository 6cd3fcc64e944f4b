"""The command line: ``bifente``."""

from bifente.conformance.cli.app import app

__all__ = ["app", "main"]


def main() -> None:
    """Run the command line."""
    app(prog_name="bifente")
