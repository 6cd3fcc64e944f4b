"""Server-rendered pages in French, the same look for every service: plain HTML that works with the keyboard alone.

A service brings its own templates, which extend ``layout.html``; what a template is given is escaped.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

_OWN = Path(__file__).parent
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Pages:
    """The templates of one service, in ``folder``; ``policy`` is the Content-Security-Policy they need."""

    def __init__(self, folder: Path, policy: str = POLICY) -> None:
        self._folder = folder
        self._policy = policy

    def page(self, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
        """Return a page."""
        text = _environment(self._folder).get_template(template).render(**values)
        return HTMLResponse(text, status, headers={**HEADERS, "Content-Security-Policy": self._policy})

    def asset(self, name: str) -> Response:
        """Return a style sheet or a script of the service, or the common style sheet."""
        kind = {".css": "text/css", ".js": "text/javascript"}[Path(name).suffix]
        path = self._folder / name
        content = (path if path.is_file() else _OWN / name).read_bytes()
        return Response(content, media_type=kind, headers={"X-Content-Type-Options": "nosniff"})


@cache
def _environment(folder: Path) -> Environment:
    return Environment(
        loader=ChoiceLoader([FileSystemLoader(folder), FileSystemLoader(_OWN)]),
        autoescape=True,
        auto_reload=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
