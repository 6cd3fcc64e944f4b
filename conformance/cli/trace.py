"""``bifente trace``: its commands, each module adding its own."""

from __future__ import annotations

from bifente.conformance.cli import trace_record, trace_replay, trace_show  # noqa: F401 - they add their commands
from bifente.conformance.cli.app import app
from bifente.conformance.cli.trace_common import trace

# Only once it is whole: a group that is known is not looked for again.
app.add_typer(trace, name="trace")
