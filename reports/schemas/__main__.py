"""Write the published schemas anew."""

from __future__ import annotations

from reports.schemas import publish

publish()
