"""Write the published schemas anew."""

from __future__ import annotations

from bifente.reports.schemas import publish

publish()
