"""The pages over HTTP. A form comes from a page of this site, or it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bifente.simulator.services.dmp.errors import DmpRefusalError
from bifente.simulator.services.dmp.web.acts import act, read
from bifente.simulator.services.dmp.web.pages import DASHBOARD, SETTINGS, WebAction, WebPage, WebSection, page
from bifente.simulator.services.dmp.web.visitor import visitor_of
from bifente.simulator.serving.client_certificates import client_chain

if TYPE_CHECKING:
    from bifente.simulator.services.dmp.service import DmpService

ROOT = "/AccesDirect"
_LONGEST_FORM = 4_096
_STYLE = "body{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em}td{padding:.2em .8em .2em 0}"


def routes(service: DmpService) -> list[Route]:
    """Return what leads to the pages."""

    async def shown(request: Request) -> Response:
        name, ins = request.path_params["page"], request.path_params.get("ins", "")
        register = service.register
        try:
            visitor = visitor_of(register, client_chain(request.scope))
            if (wanted := request.query_params.get("document")) is not None and visitor.structure:
                content, kind = read(register, visitor, ins, wanted)
                return Response(content, media_type=kind, headers=_PRIVATE | {"Content-Disposition": "attachment"})
            made = page(register, visitor, name, ins)
        except DmpRefusalError as error:
            return _refused(error)
        if made.state == "settings" and name != SETTINGS:
            return RedirectResponse(f"{ROOT}/{SETTINGS}", HTTPStatus.SEE_OTHER)
        return _html(made)

    async def done(request: Request) -> Response:
        register = service.register
        try:
            visitor = visitor_of(register, client_chain(request.scope))
            act(register, visitor, request.path_params.get("ins", ""), await _form(request))
        except DmpRefusalError as error:
            return _refused(error)
        except (_BadFormError, ClientDisconnect):
            return Response("not a form of this site\n", HTTPStatus.BAD_REQUEST)
        return RedirectResponse(request.url.path, HTTPStatus.SEE_OTHER)

    paths = (f"{ROOT}/{{page}}", f"{ROOT}/{{page}}/{{ins}}")
    return [
        *(Route(path, shown, methods=["GET"]) for path in paths),
        *(Route(path, done, methods=["POST"]) for path in paths),
    ]


class _BadFormError(Exception):
    pass


async def _form(request: Request) -> Mapping[str, str]:
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise _BadFormError
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _LONGEST_FORM:
            raise _BadFormError
    try:
        return dict(parse_qsl(body.decode("ascii"), max_num_fields=16))
    except ValueError:
        raise _BadFormError from None


_PRIVATE = {"Cache-Control": "no-store"}


def _refused(error: DmpRefusalError) -> Response:
    back = f'<p><a href="{ROOT}/{DASHBOARD}">Tableau de bord</a></p>'
    return _sent(error.code, f"<p>{escape(error.told.fr)}</p>{back}", HTTPStatus.FORBIDDEN)


def _html(made: WebPage) -> Response:
    return _sent(made.title, "".join(_section(one) for one in made.sections), HTTPStatus.OK)


def _sent(title: str, inner: str, status: int) -> Response:
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    main = f"<main><h1>{escape(title)}</h1>{inner}</main>"
    text = f'<!doctype html><html lang="fr"><head>{head}</head><body>{main}</body></html>'
    return HTMLResponse(text, status, headers=_PRIVATE)


def _section(one: WebSection) -> str:
    rows = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in one.rows)
    links = "".join(f'<p><a href="{_address(where)}">{escape(text)}</a></p>' for text, where in one.links)
    forms = "".join(map(_action, one.actions))
    return f"<section><h2>{escape(one.heading)}</h2><table>{rows}</table>{links}{forms}</section>"


def _address(where: str) -> str:
    return escape(where if where.startswith("?") else f"{ROOT}/{where}")


def _action(one: WebAction) -> str:
    hidden = "".join(f'<input type="hidden" name="{escape(key)}" value="{escape(value)}">' for key, value in one.fields)
    name, text = one.ask
    asked = f'<label><input type="checkbox" name="{escape(name)}" required> {escape(text)}</label> ' if name else ""
    return f'<form method="post">{hidden}{asked}<button>{escape(one.label)}</button></form>'
