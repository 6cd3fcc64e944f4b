"""A browser of a workstation: cookies, redirections, forms, and the certificate it shows; what it sees, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx
from lxml import html

from bifente.conformance.domains.psc.calling import transport_of
from bifente.conformance.domains.psc.vocabulary import PscPage
from bifente.simulator.services.psc.addresses import Addresses, Face
from bifente.simulator.serving.service import Asgi

_MOST_REDIRECTIONS = 12

Present = Callable[[], httpx.Client]
"""Opens a connection with the certificate that the user of a browser chose."""


@dataclass(slots=True)
class PageSeen:
    """What a browser shows after a step: the page, and what the address it was sent back to says."""

    http: int
    page: PscPage
    message: str = ""
    number: str = ""
    heading: str = ""
    url: str = ""
    said: Mapping[str, str] = field(default_factory=dict)


class PscBrowser:
    """One browser. ``arrived`` is the last address of a client it was sent to."""

    def __init__(self, application: Asgi, addresses: Addresses) -> None:
        self._transport = transport_of(application)
        self._writes = httpx.Client(transport=self._transport)
        self._addresses = addresses
        self._cookies = httpx.Cookies()
        self._document: Any = None
        self.arrived = ""
        self.number = ""
        self.at = ""

    def open(
        self, url: str, present: Present | None = None, method: str = "GET", form: Mapping[str, str] | None = None
    ) -> PageSeen:
        """Go somewhere, follow where it leads as long as it stays with the provider, and tell what is seen.

        ``present`` opens the connection to the host that asks for the card; what it raises is raised here.
        """
        for _ in range(_MOST_REDIRECTIONS):
            if self._addresses.face(urlsplit(url).netloc) is None:
                self.arrived = url
                return PageSeen(302, PscPage.RETURNED, url=url, said=dict(parse_qsl(urlsplit(url).query)))
            answer = self._asked(method, url, present, form)
            if "set-cookie" in answer.headers:
                self._cookies.extract_cookies(answer)
            if answer.status_code not in (301, 302, 303, 307):
                seen = self._read(answer, url)
                return self._posted_back() or seen
            url, method, form = urljoin(url, answer.headers["location"]), "GET", None
        raise RuntimeError("the provider sends the browser round and round")

    def _posted_back(self) -> PageSeen | None:
        """Send the form that sends itself to a client, as the script of its page does; None if this is no such page."""
        form = (
            next((one for one in self._document.forms if one.get("id") == "retour"), None)
            if self._document is not None
            else None
        )
        if form is None:
            return None
        said = {name: str(value) for name, value in form.form_values()}
        self.arrived = f"{form.action}?{urlencode(said)}"
        return PageSeen(200, PscPage.RETURNED, url=form.action, said=said)

    def submit(self, changes: Mapping[str, str]) -> PageSeen:
        """Fill in the form of the page and send it. Raise LookupError where the page has none."""
        forms = self._document.forms if self._document is not None else []
        if not forms:
            raise LookupError("the page that the browser shows has no form")
        form = forms[0]
        fields = {name: str(value) for name, value in form.form_values()} | dict(changes)
        target = urljoin(self.at, form.action or self.at)
        if form.method.upper() == "GET":
            return self.open(f"{target.partition('?')[0]}?{urlencode(fields)}")
        return self.open(target, None, "POST", fields)

    def link(self, part: str) -> str:
        """Return the address of the first link of the page that contains ``part``. Raise LookupError."""
        if self._document is not None:
            for anchor in self._document.iterfind(".//a"):
                if part in (anchor.get("href") or ""):
                    return str(urljoin(self.at, anchor.get("href") or ""))
        raise LookupError(f"the page that the browser shows has no link to {part}")

    def copy_cookies(self, other: PscBrowser) -> None:
        """Take the cookies of another browser, as somebody who stole them."""
        self._cookies = httpx.Cookies(other._cookies)

    def _asked(self, method: str, url: str, present: Present | None, form: Mapping[str, str] | None) -> httpx.Response:
        request = self._writes.build_request(method, url, data=dict(form) if form is not None else None)
        if self._cookies:
            self._cookies.set_cookie_header(request)
        if present is not None and self._addresses.face(urlsplit(url).netloc) is Face.MTLS:
            with present() as client:
                return client.send(request)
        # Not sent by a client, which keeps cookies and follows redirections of its own.
        answer = self._transport.handle_request(request)
        answer.request = request
        return answer

    def _read(self, answer: httpx.Response, url: str) -> PageSeen:
        self.at = url
        self._document = None
        if not answer.headers.get("content-type", "").startswith("text/html"):
            return PageSeen(answer.status_code, PscPage.OTHER, url=url)
        document: Any = html.document_fromstring(answer.text)
        self._document = document
        told = document.xpath("//*[contains(concat(' ', @class, ' '), ' told ')]")
        number = document.xpath("//*[@id='nombre']")
        self.number = number[0].text_content().strip() if number else ""
        heading = document.xpath("//h1")
        return PageSeen(
            http=answer.status_code,
            page=_which(document),
            message=" ".join(told[0].text_content().split()) if told else "",
            number=self.number,
            heading=heading[0].text_content().strip() if heading else "",
            url=url,
        )


def _which(document: Any) -> PscPage:
    action = next((form.get("action") or "" for form in document.forms), "")
    if document.xpath("//nav"):
        return PscPage.LOGIN
    if document.xpath("//*[@id='nombre']"):
        return PscPage.WAITING
    if document.xpath("//select[@name='account']"):
        return PscPage.PROVIDER
    if action:
        return PscPage.CONFIRM
    return PscPage.MESSAGE
