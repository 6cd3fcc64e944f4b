"""The hosts whose form is ours: the one that sees the card, the API, a local provider, and the phone's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from cryptography.x509.oid import NameOID
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bifente.simulator.services.psc.claims import AuthMode
from bifente.simulator.services.psc.ecps import EcpsError
from bifente.simulator.services.psc.errors import PageError
from bifente.simulator.services.psc.model import ListedProfessional
from bifente.simulator.services.psc.requests import bearer_of, chain_of, form_of, query_of

if TYPE_CHECKING:
    from bifente.simulator.services.psc.service import PscService

_MEANS = {"card": ["sc", "pin", "mfa", "hwk"], "app": ["swk", "mfa", "pwd", "okta_verify"], "password": ["pwd"]}
_STATES = {
    "none": "à activer",
    "waiting": "codes envoyés",
    "active": "active",
    "replaced": "remplacée par un autre appareil",
}


class CardFace:
    """Mutual TLS with the card: who is certified there is who logs in, or activates an e-CPS."""

    def __init__(self, service: PscService) -> None:
        self._service = service

    def routes(self) -> list[Route]:
        """Return what the host answers."""
        return [Route("/carte", self.login), Route("/activation", self.activate)]

    async def login(self, request: Request) -> Response:
        """Send the browser back with a ticket for the person of the certificate."""
        key = request.query_params.get("attempt", "")
        state = self._service.core
        attempt = state.attempts.get(key)
        if attempt is None:
            raise PageError("Cette connexion a expiré. Recommencez.")
        professional = self._certified(request)
        attempt.proven = (professional, AuthMode.CARD)
        attempt.ticket = state.mint.secret()
        state.tickets.put(attempt.ticket, key, 60)
        return RedirectResponse(
            f"{state.addresses.wallet}/login-page/retour?{urlencode({'ticket': attempt.ticket})}", 302
        )

    async def activate(self, request: Request) -> Response:
        """Activate an e-CPS with the card."""
        given = query_of(request)
        professional = self._certified(request)
        device = given.get("device", "")[:40]
        try:
            self._service.core.ecps.activate_by_card(device, professional, professional.id)
        except EcpsError as error:
            raise PageError(error.refusal.sentence.fr, 403) from None
        return self._service.pages.page(
            "message.html",
            heading="e-CPS activée",
            kind="good",
            message=f"L'application e-CPS de l'appareil {device} est active pour {professional.id}.",
            link="",
        )

    def _certified(self, request: Request) -> ListedProfessional:
        chain, state = chain_of(request), self._service.core
        if not chain:
            raise PageError("Aucun certificat n'a été présenté : insérez la carte, puis relancez le navigateur.", 403)
        if (why := state.believes(chain)) is not None:
            raise PageError(f"Le certificat présenté n'est pas accepté : {why}.", 403)
        names = chain[0].subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        found = state.registry.professional(str(names[0].value)) if names else None
        if found is None:
            raise PageError("Le titulaire de ce certificat n'est pas connu de Pro Santé Connect.", 403)
        return found


class ApiFace:
    """The API behind a token exchange."""

    def __init__(self, service: PscService) -> None:
        self._service = service

    def routes(self) -> list[Route]:
        """Return what the host answers."""
        return [
            Route("/auth/realms/api/protocol/openid-connect/token", self.exchange, methods=["POST"]),
            Route("/bifente/ressource", self.resource),
        ]

    async def exchange(self, request: Request) -> Response:
        """Exchange a token."""
        answer = self._service.api.exchanged(await form_of(request), chain_of(request))
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

    async def resource(self, request: Request) -> Response:
        """Answer whoever has a token of an exchange, and the certificate it is bound to."""
        return JSONResponse(self._service.api.called(bearer_of(request, {}), chain_of(request)))


class ProviderFace:
    """A local identity provider, with a login that asks for no code: it is not what is tested."""

    def __init__(self, service: PscService) -> None:
        self._service = service

    def routes(self) -> list[Route]:
        """Return what the host answers."""
        return [Route("/bifente/fournisseur/{alias}", self.login, methods=["GET", "POST"])]

    async def login(self, request: Request) -> Response:
        """Show the accounts, and send the browser back with an ID token for the one that was chosen."""
        provider = self._service.delegation.provider(request.path_params["alias"])
        if request.method == "GET":
            given = query_of(request)
            return self._service.pages.page(
                "provider.html",
                name=provider.name,
                accounts=provider.accounts,
                state=given.get("state", ""),
                nonce=given.get("nonce", ""),
            )
        form = await form_of(request)
        amr = _MEANS.get(form.get("means", ""), [])
        token = self._service.delegation.token(provider, form.get("account", ""), form.get("nonce", ""), amr)
        query = urlencode({"alias": provider.alias, "state": form.get("state", ""), "id_token": token})
        return RedirectResponse(f"{self._service.core.addresses.wallet}/login-page/delegation/retour?{query}", 303)


class PhoneFace:
    """A page that shows a phone, and the portal where its application is activated. Ours, on the host of the pages."""

    def __init__(self, service: PscService) -> None:
        self._service = service

    def routes(self) -> list[Route]:
        """Return what it answers."""
        return [
            Route("/bifente/telephone/{device}", self.phone, methods=["GET", "POST"]),
            Route("/", self.portal),
            Route("/bifente/activation", self.begin, methods=["POST"]),
            Route("/bifente/activation/codes", self.finish, methods=["POST"]),
        ]

    async def phone(self, request: Request) -> Response:
        """Show what a phone shows, and do what its holder touches."""
        device, message, kind = request.path_params["device"][:40], "", ""
        platform = self._service.core.ecps
        if request.method == "POST":
            form = await form_of(request)
            try:
                if form.get("answer") == "accept":
                    platform.accept(device, form.get("key", ""), form.get("number", ""))
                    message, kind = "Connexion approuvée.", "good"
                else:
                    platform.refuse(device, form.get("key", ""))
                    message = "Connexion refusée."
            except EcpsError as error:
                message, kind = error.refusal.sentence.fr, "bad"
        known = platform.phones.get(device)
        if known is None:
            raise PageError("Aucun téléphone de ce nom.", 404)
        return self._service.pages.page(
            "phone.html",
            phone=known,
            state=_STATES[known.activation.value],
            pending=platform.pending(device),
            message=message,
            kind=kind,
        )

    async def portal(self, request: Request) -> Response:
        """Show the ways to activate an e-CPS."""
        return self._portal("begin")

    def _portal(self, step: str, message: str = "", kind: str = "", device: str = "telephone-1") -> Response:
        return self._service.pages.page(
            "activation.html",
            step=step,
            message=message,
            kind=kind,
            device=device,
            card=f"{self._service.core.addresses.mtls}/activation",
        )

    async def begin(self, request: Request) -> Response:
        """Send the two codes."""
        form = await form_of(request)
        device = form.get("device", "")[:40]
        professional = self._service.core.registry.professional(form.get("id", ""))
        if professional is None or not device:
            return self._portal("begin", "Ce numéro n'est pas connu.", "bad", device)
        try:
            self._service.core.ecps.begin_by_contact(
                device, professional, form.get("email", ""), form.get("mobile", "")
            )
        except EcpsError as error:
            return self._portal("begin", error.refusal.sentence.fr, "bad", device)
        return self._portal("codes", device=device)

    async def finish(self, request: Request) -> Response:
        """Activate with the two codes."""
        form = await form_of(request)
        device = form.get("device", "")[:40]
        try:
            self._service.core.ecps.finish_by_contact(device, form.get("by_email", ""), form.get("by_mobile", ""))
        except EcpsError as error:
            again = self._service.core.ecps.phone(device).activation.value == "waiting"
            return self._portal("codes" if again else "begin", error.refusal.sentence.fr, "bad", device)
        return RedirectResponse(f"/bifente/telephone/{device}", 303)
