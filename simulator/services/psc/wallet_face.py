"""The host of the pages: the login with its tabs, the waiting for the phone, the way back, the end of a session."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bifente.simulator.services.psc import troubles
from bifente.simulator.services.psc.authorization import AuthorizationAnswer, ReturnedError
from bifente.simulator.services.psc.claims import AuthMode
from bifente.simulator.services.psc.ecps import EcpsError, EcpsRefusal, NotificationState
from bifente.simulator.services.psc.errors import PageError
from bifente.simulator.services.psc.requests import BROWSER_COOKIE, SSO_COOKIE, form_of, query_of
from bifente.simulator.services.psc.sessions import LoginAttempt

if TYPE_CHECKING:
    from bifente.simulator.services.psc.service import PscService

TABS = (("ecps", "e-CPS"), ("carte", "Carte CPS"), ("delegation", "Délégation"))
_REFUSED = "Vous avez refusé la connexion sur le téléphone, ou les nombres différaient."
_EXPIRED = "Le téléphone n'a pas répondu dans le temps donné."
_LOGGED_OUT = "Votre session Pro Santé Connect est fermée sur ce navigateur, pour tous les services."


class WalletFace:
    """The pages. Each step is tied to the browser that began: its cookie is asked for every time."""

    def __init__(self, service: PscService) -> None:
        self._service = service

    def routes(self) -> list[Route]:
        """Return what the host answers."""
        return [
            Route("/auth", self.authorize, methods=["GET", "POST"]),
            Route("/login-page", self.login),
            Route("/login-page/ecps", self.by_phone, methods=["POST"]),
            Route("/login-page/attente", self.waiting),
            Route("/login-page/etat", self.look),
            Route("/login-page/annuler", self.abandon),
            Route("/login-page/diagnostic", self.diagnosis),
            Route("/login-page/retour", self.from_card),
            Route("/login-page/delegation", self.to_provider),
            Route("/login-page/delegation/retour", self.from_provider),
            Route("/login-page/confirmer", self.confirmed, methods=["POST"]),
            Route("/logout-confirm", self.leave, methods=["GET", "POST"]),
        ]

    # -- the login -----------------------------------------------------------------------------------------------------

    async def authorize(self, request: Request) -> Response:
        """Answer an authorization request: the login page, a code at once, or an error."""
        given = query_of(request) if request.method == "GET" else await form_of(request)
        authorization = self._service.authorization
        try:
            client, parameters = authorization.checked(given)
            target = authorization.taken_up(client, parameters, request.cookies.get(SSO_COOKIE))
        except ReturnedError as error:
            return self._sent_back(error.answer)
        if target is not None:
            return self._sent_back(target)
        attempt = authorization.begin(client, parameters, request.cookies.get(BROWSER_COOKIE))
        hint = given.get("kc_idp_hint", "")
        where = f"/login-page?{urlencode({'attempt': attempt.key})}"
        if self._service.core.registry.provider(hint) is not None:
            where = f"/login-page/delegation?{urlencode({'attempt': attempt.key, 'alias': hint})}"
        answer = RedirectResponse(where, 302, headers={"Cache-Control": "no-store"})
        _keep(answer, BROWSER_COOKIE, attempt.browser)
        return answer

    async def login(self, request: Request) -> Response:
        """Show the login page, at one of its tabs."""
        attempt = self._attempt(request)
        tab = request.query_params.get("tab", "ecps")
        return self._login(attempt, tab if tab in dict(TABS) else "ecps")

    def _login(self, attempt: LoginAttempt, tab: str, message: str = "", status: int = 200) -> Response:
        state = self._service.core
        return self._service.pages.page(
            "login.html",
            status,
            client=attempt.client.name,
            attempt=attempt.key,
            tab=tab,
            tabs=TABS,
            message=message or attempt.message,
            kind="bad" if message else "",
            card=f"{state.addresses.mtls}/carte?{urlencode({'attempt': attempt.key})}",
            providers=state.registry.providers,
        )

    async def by_phone(self, request: Request) -> Response:
        """Send the notification for the number that was typed, then wait."""
        form = await form_of(request)
        attempt = self._attempt(request, form.get("attempt", ""))
        state, number = self._service.core, "".join(form.get("id", "").split())
        professional = state.registry.professional(number)
        whom = {"client": attempt.client.id, "user": professional.id if professional else number}
        if professional is None or state.suffers(troubles.UNKNOWN_USER, **whom):
            return self._login(attempt, "ecps", "Ce numéro n'est pas connu, ou n'a pas d'e-CPS active.", 200)
        try:
            sent = state.ecps.notify(professional.id, attempt.client.name, state.two_digits(), state.parameters.ciba)
        except EcpsError as error:
            # The same words as for a number that is not known: who has an e-CPS is nobody's business.
            refused = error.refusal is EcpsRefusal.NOT_ACTIVE
            said = "Ce numéro n'est pas connu, ou n'a pas d'e-CPS active." if refused else error.refusal.sentence.fr
            return self._login(attempt, "ecps", said, 200)
        if state.suffers(troubles.USER_REFUSES, **whom):
            sent.answer = NotificationState.REFUSED
        if state.suffers(troubles.USER_SILENT, **whom):
            state.ecps.phone(sent.device).notifications.pop(sent.key)
        self._service.notified.put(attempt.key, sent, state.parameters.login)
        attempt.notification = sent.key
        return RedirectResponse(f"/login-page/attente?{urlencode({'attempt': attempt.key})}", 303)

    async def waiting(self, request: Request) -> Response:
        """Go on once the phone has answered; until then show the number."""
        attempt = self._attempt(request)
        sent = self._service.notification(attempt)
        if sent is None:
            return self._login(attempt, "ecps")
        answer = self._service.core.ecps.answer_of(sent)
        if answer is NotificationState.PENDING:
            return self._service.pages.page(
                "waiting.html", client=attempt.client.name, number=sent.number, attempt=attempt.key
            )
        self._service.forget_notification(attempt)
        if answer is NotificationState.ACCEPTED:
            professional = self._service.core.registry.professional(sent.professional)
            assert professional is not None  # noqa: S101 - it was notified by its number
            return self.proven(attempt, (professional.id, AuthMode.MOBILE))
        return self._login(attempt, "ecps", _REFUSED if answer is NotificationState.REFUSED else _EXPIRED)

    async def look(self, request: Request) -> Response:
        """Tell the waiting page whether the phone has answered."""
        sent = self._service.notification(self._attempt(request))
        word = self._service.core.ecps.answer_of(sent).value if sent is not None else "none"
        return JSONResponse({"answer": word}, headers={"Cache-Control": "no-store"})

    async def abandon(self, request: Request) -> Response:
        """Send the browser back without a code."""
        attempt = self._attempt(request)
        return self._sent_back(self._service.authorization.abandoned(attempt))

    async def diagnosis(self, request: Request) -> Response:
        """Tell what a workstation needs for the card."""
        attempt = self._attempt(request)
        said = (
            "Il faut un lecteur branché, la Cryptolib CPS installée, et le module de la carte chargé par le navigateur."
            " Si le navigateur ne demande ni code ni certificat, installez la Cryptolib puis relancez-le."
        )
        return self._service.pages.page(
            "message.html",
            heading="Diagnostic du poste",
            kind="",
            message=said,
            link=f"/login-page?{urlencode({'attempt': attempt.key, 'tab': 'carte'})}",
            label="Revenir à la connexion",
        )

    async def from_card(self, request: Request) -> Response:
        """Take the browser back from the host that saw the card: the ticket is good once, in the browser that began."""
        ticket = request.query_params.get("ticket", "")
        key = self._service.core.tickets.pop(ticket) or ""
        attempt = self._attempt(request, key)
        if not attempt.ticket or attempt.ticket != ticket or attempt.proven is None:
            raise PageError("Cette connexion par carte n'est pas terminée. Recommencez.")
        return self.proven(attempt, (attempt.proven[0].id, AuthMode.CARD))

    def proven(self, attempt: LoginAttempt, who: tuple[str, AuthMode]) -> Response:
        """Open the session and send the browser back with a code."""
        service = self._service
        professional = service.core.registry.professional(who[0])
        assert professional is not None  # noqa: S101 - it has just been found
        service.authorization.prove(attempt, professional, who[1])
        service.delegation.pair(attempt)
        session, target = service.authorization.finish(attempt)
        answer = self._sent_back(target)
        _keep(answer, SSO_COOKIE, session.cookie or "")
        answer.delete_cookie(BROWSER_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
        return answer

    def _sent_back(self, told: AuthorizationAnswer) -> Response:
        if told.posted:
            return self._service.pages.page("form-post.html", action=told.target, fields=told.said)
        return RedirectResponse(told.location, 302, headers={"Cache-Control": "no-store"})

    # -- delegation ----------------------------------------------------------------------------------------------------

    async def to_provider(self, request: Request) -> Response:
        """Send the browser to a local provider."""
        attempt = self._attempt(request)
        alias = request.query_params.get("alias", "")
        return RedirectResponse(self._service.delegation.sent(attempt, alias), 302)

    async def from_provider(self, request: Request) -> Response:
        """Believe what the local provider says: confirm a login, or pair its account first."""
        given = query_of(request)
        attempt = self._attempt(request, given.get("state", ""))
        known = self._service.delegation.returned(attempt, given.get("alias", ""), given.get("id_token", ""))
        if known is None:
            return self._login(attempt, "ecps")
        return self._service.pages.page(
            "confirm.html",
            heading="Confirmer la connexion",
            message=f"{known.given_name} {known.family_name} se connecte à {attempt.client.name}.",
            action="/login-page/confirmer",
            fields={"attempt": attempt.key},
            label="Confirmer",
        )

    async def confirmed(self, request: Request) -> Response:
        """Finish a delegated login that its user confirmed."""
        form = await form_of(request)
        attempt = self._attempt(request, form.get("attempt", ""))
        if attempt.confirming is None:
            raise PageError("Cette connexion n'est pas terminée.")
        return self.proven(attempt, (attempt.confirming.id, AuthMode.BROKER))

    # -- the end -------------------------------------------------------------------------------------------------------

    async def leave(self, request: Request) -> Response:
        """Have the user confirm a logout that came without an ID token, and do it."""
        given = query_of(request) if request.method == "GET" else await form_of(request)
        kept = {key: value for key, value in given.items() if key in ("client_id", "post_logout_redirect_uri", "state")}
        leaving = self._service.leaving
        if request.method == "GET":
            leaving.target(kept, kept.get("client_id"))
            return self._service.pages.page(
                "confirm.html",
                heading="Se déconnecter",
                message="Voulez-vous fermer votre session Pro Santé Connect, pour tous les services ?",
                action="/logout-confirm",
                fields=kept,
                label="Se déconnecter",
            )
        target = leaving.confirmed(kept, request.cookies.get(SSO_COOKIE))
        answer: Response = (
            RedirectResponse(target, 302)
            if target
            else self._service.pages.page(
                "message.html", heading="Vous êtes déconnecté", kind="good", message=_LOGGED_OUT, link=""
            )
        )
        answer.delete_cookie(SSO_COOKIE, path="/", secure=True, httponly=True, samesite="lax")
        return answer

    def _attempt(self, request: Request, key: str | None = None) -> LoginAttempt:
        wanted = request.query_params.get("attempt", "") if key is None else key
        return self._service.authorization.attempt(wanted, request.cookies.get(BROWSER_COOKIE))


def _keep(answer: Response, name: str, value: str) -> None:
    answer.set_cookie(name, quote(value), path="/", secure=True, httponly=True, samesite="lax")
