"""The Vitale on a phone (apCV): acquired by NFC or QR code, its context kept, renewed, deleted, its rights read."""

from __future__ import annotations

import base64
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from bifente.conformance.bench.facets import Apdu
from bifente.conformance.bench.scene import Act
from bifente.conformance.domains.vitale.apcv import ApcvBench
from bifente.conformance.domains.vitale.steps.ssv import Digits, LireDroitsVitale
from bifente.conformance.domains.vitale.workstation import SOFTWARE
from bifente.conformance.expectations import ChoiceMatcher, ValueMatcher
from bifente.conformance.scenario.step import Observation, Observes, Step
from bifente.conformance.targets.facets import Facet
from bifente.ground.text import Text
from bifente.simulator.middleware.apcv import ApcvContext, ApcvDesk, ApcvError, ApcvRefusal, ApcvReply, RightsCall
from bifente.simulator.middleware.ssv import Answer, Ssv
from bifente.simulator.services.apcv import ApcvParameters
from bifente.simulator.services.apcv.phone import QR_PREFIX
from bifente.simulator.services.apcv.service import UNREACHABLE

DONE = "done"
OUTCOME: Observes = {"outcome": ChoiceMatcher(frozenset({DONE, *(reason.value for reason in ApcvRefusal)}))}
CONTEXT: Observes = {**OUTCOME, "identifier": ValueMatcher(), "end": ValueMatcher()}
PHONE = "phone"


class Activate(Step):
    """Activate the application on a phone of the holder of a Vitale of the bench, inserted or not (modelled)."""

    name: ClassVar[str] = "apcv-activate"
    title: ClassVar[Text] = Text("Activer l'apCV sur un téléphone", "Activate the apCV on a phone")
    shorthand: ClassVar[str] = "phone"

    phone: str = Field(default=PHONE, description="name that the scenario gives the phone")
    holder: str = Field(default="vitale", description="slot of the Vitale whose holder owns the phone")
    clock_ahead: int = Field(default=0, description="seconds by which the phone's clock is ahead")

    def run(self, act: Act) -> Observation:
        """Activate it."""
        act.scene.part(ApcvBench).activate(self.phone, self.holder, self.clock_ahead)
        act.scene.changed(None, Text(f"apCV activée sur {self.phone}", f"apCV activated on {self.phone}"))
        return Observation({})


class RevokePhone(Step):
    """The service believes a phone no longer: lost, or its application removed."""

    name: ClassVar[str] = "apcv-revoke"
    title: ClassVar[Text] = Text("Révoquer le téléphone", "Revoke the phone")
    shorthand: ClassVar[str] = "phone"

    phone: str = Field(default=PHONE, description="name of the phone")

    def run(self, act: Act) -> Observation:
        """Revoke it."""
        act.scene.part(ApcvBench).service.revoke(act.scene.part(ApcvBench).phone(self.phone))
        act.scene.changed(None, Text(f"{self.phone} révoqué", f"{self.phone} revoked"))
        return Observation({})


class Lives(Step):
    """Choose how long a context and a phone's proof last; the real values are not public."""

    name: ClassVar[str] = "apcv-lives"
    title: ClassVar[Text] = Text("Choisir les durées de vie de l'apCV", "Choose how long the apCV's things last")

    context: int = Field(default=900, gt=0, le=86_400, description="seconds a context lasts")
    proof: int = Field(default=60, gt=0, le=86_400, description="seconds a QR code lasts")

    def run(self, act: Act) -> Observation:
        """Choose it."""
        lives = ApcvParameters(context=timedelta(seconds=self.context), proof=timedelta(seconds=self.proof))
        act.scene.part(ApcvBench).set_lives(lives)
        return Observation({})


class ServiceOnline(Step):
    """The service behind the apCV stops answering, or answers again."""

    name: ClassVar[str] = "apcv-service"
    title: ClassVar[Text] = Text("Couper ou rétablir le service apCV", "Cut or restore the apCV service")
    shorthand: ClassVar[str] = "online"

    online: bool = Field(description="whether it answers")

    def run(self, act: Act) -> Observation:
        """Cut or restore it."""
        service = act.scene.part(ApcvBench).service
        if self.online:
            service.relieve(UNREACHABLE)
        else:
            service.strike(UNREACHABLE)
        word = Text("rétabli", "back") if self.online else Text("coupé", "cut")
        act.scene.changed(None, Text(f"service apCV {word.fr}", f"apCV service {word.en}"))
        return Observation({})


class ShowQr(Step):
    """The phone shows a QR code; its text is observed, to be given to ``apcv-acquire-qr``."""

    name: ClassVar[str] = "apcv-show-qr"
    title: ClassVar[Text] = Text("Afficher un QR code sur le téléphone", "Show a QR code on the phone")
    shorthand: ClassVar[str] = "phone"
    observes: ClassVar[Observes] = {"qr": ValueMatcher()}

    phone: str = Field(default=PHONE, description="name of the phone")

    def run(self, act: Act) -> Observation:
        """Show it."""
        return Observation({"qr": act.scene.part(ApcvBench).phone(self.phone).qr()})


class ContextStep(Step, ABC):
    """An operation on the context of a software; it succeeds with the outcome ``done``."""

    success = ("outcome", DONE)
    observes: ClassVar[Observes] = CONTEXT

    application: str = Field(default=SOFTWARE, description="which software of the workstation does it")

    def run(self, act: Act) -> Observation:
        """Do it."""
        desk = act.scene.part(ApcvBench).desk(self.application)
        try:
            context = self.do(act, desk)
        except ApcvError as error:
            told = (("refus", error.refusal.sentence),)
            return Observation({"outcome": error.refusal.value, "identifier": None, "end": None}, told)
        seen = {"identifier": context.identifier, "end": context.end} if context else {}
        return Observation({"outcome": DONE, "identifier": None, "end": None, **seen})

    @abstractmethod
    def do(self, act: Act, desk: ApcvDesk) -> ApcvContext | None:
        """The context there is afterwards. Raises ApcvError."""


class AcquireNfc(ContextStep):
    """Acquire a context from the phone held at the reader; with ``presented: false``, nobody holds one there."""

    name: ClassVar[str] = "apcv-acquire-nfc"
    title: ClassVar[Text] = Text("Acquérir l'apCV par NFC", "Acquire the apCV by NFC")
    shorthand: ClassVar[str] = "phone"

    phone: str = Field(default=PHONE, description="name of the phone")
    presented: bool = Field(default=True, description="whether it is held at the reader")

    def do(self, act: Act, desk: ApcvDesk) -> ApcvContext:
        """Acquire it."""
        context = desk.acquire_by_nfc(act.scene.part(ApcvBench).phone(self.phone) if self.presented else None)
        act.scene.part(ApcvBench).keep(context)
        return context


class Tampering(StrEnum):
    """What happens to the text of a QR code on its way."""

    CONTENT = "content"
    SIGNATURE = "signature"
    CUT = "cut"


class AcquireQr(ContextStep):
    """Acquire a context from the text of a QR code, changed on its way if ``tampered`` says so."""

    name: ClassVar[str] = "apcv-acquire-qr"
    title: ClassVar[Text] = Text("Acquérir l'apCV par QR code", "Acquire the apCV by QR code")
    shorthand: ClassVar[str] = "qr"

    qr: str = Field(max_length=8192, description="text of the code, as apcv-show-qr lets one capture it")
    tampered: Tampering | None = Field(default=None, description="what is changed on its way")

    def do(self, act: Act, desk: ApcvDesk) -> ApcvContext:
        """Acquire it."""
        context = desk.acquire_by_qr(self.qr if self.tampered is None else _TAMPER[self.tampered](self.qr))
        act.scene.part(ApcvBench).keep(context)
        return context


class Restore(ContextStep):
    """Take up the context that the workstation keeps."""

    name: ClassVar[str] = "apcv-restore"
    title: ClassVar[Text] = Text("Restaurer le contexte apCV en cours", "Restore the current apCV context")

    def do(self, act: Act, desk: ApcvDesk) -> ApcvContext:
        """Take it up."""
        return desk.restore()


class Delete(ContextStep):
    """Delete the context."""

    name: ClassVar[str] = "apcv-delete"
    title: ClassVar[Text] = Text("Supprimer le contexte apCV", "Delete the apCV context")

    def do(self, act: Act, desk: ApcvDesk) -> None:
        """Delete it."""
        desk.delete()


class Renew(ContextStep):
    """Renew an expired context for one invoice."""

    name: ClassVar[str] = "apcv-renew"
    title: ClassVar[Text] = Text(
        "Renouveler le contexte apCV pour une facture", "Renew the apCV context for an invoice"
    )
    shorthand: ClassVar[str] = "invoice"

    invoice: Digits = Field(description="number of the invoice that it is renewed for")

    def do(self, act: Act, desk: ApcvDesk) -> ApcvContext:
        """Renew it."""
        context = desk.renew(self.invoice)
        act.scene.part(ApcvBench).keep(context)
        return context


class RestartSoftware(ContextStep):
    """The software is closed and opened again: it uses no context until one is restored or acquired."""

    name: ClassVar[str] = "apcv-restart"
    title: ClassVar[Text] = Text("Relancer le logiciel", "Start the software again")

    def do(self, act: Act, desk: ApcvDesk) -> None:
        """Close and open it."""
        desk.restart()


class PassIn(ContextStep):
    """The software uses a context that it kept itself, changed or not: the ``rank``-th of the scenario, from 1."""

    name: ClassVar[str] = "apcv-pass-in"
    title: ClassVar[Text] = Text("Passer un contexte gardé par le logiciel", "Pass in a context kept by the software")
    shorthand: ClassVar[str] = "rank"

    rank: int = Field(default=1, ge=1, description="which of the contexts that the scenario acquired, from 1")
    end: str | None = Field(default=None, max_length=64, description="another end of validity, YYYYMMDDHHMMSS")
    identifier: str | None = Field(default=None, max_length=64, description="another identifier")

    def do(self, act: Act, desk: ApcvDesk) -> ApcvContext:
        """Use it."""
        given = {"end": self.end, "identifier": self.identifier}
        try:
            context = act.scene.part(ApcvBench).kept(
                self.rank, {name: value for name, value in given.items() if value is not None}
            )
        except LookupError:
            raise ApcvError(ApcvRefusal.NO_CONTEXT) from None
        desk.pass_in(context)
        return context


class LireDroitsApcv(LireDroitsVitale):
    """The rights of the phone's holder, from the context in use: groups 101 to 111 as from the card, and the apCV flag;
    without a professional's card, F001 and all but the coverage (106). ``refusal`` says why the context gave nothing.
    """

    name: ClassVar[str] = "lire-droits-apcv"
    title: ClassVar[Text] = Text("Lire les droits de l'apCV", "Read the rights of the apCV")
    function: ClassVar[str] = "LireDroitsApCV"
    needs = frozenset[type[Facet]]({Apdu})
    observes: ClassVar[Observes] = {
        **LireDroitsVitale.observes,
        "refusal": ChoiceMatcher(frozenset(reason.value for reason in ApcvRefusal)),
    }

    invoice: Digits | None = Field(default=None, description="number of the invoice that a renewed context is read for")

    def call(self, act: Act, library: Ssv) -> Answer:
        """Read them."""
        call = RightsCall(self.ps_name(act), self.reader_name(act), self.code, self.consultation(act))
        apcv = act.scene.part(ApcvBench)
        return apcv.desk(self.application).read_phone(apcv.software(self.application), call, invoice=self.invoice)

    def more(self, answer: Answer) -> Mapping[str, Any]:
        """The flag, and the refusal."""
        refusal = answer.refusal if isinstance(answer, ApcvReply) else None
        return {**super().more(answer), "refusal": refusal.value if refusal else None}


def _other_content(code: str) -> str:
    """The code saying that it lasts an hour more, under the signature it had; what is no code stays as it is."""
    try:
        head, body, signature = code.removeprefix(QR_PREFIX).split(".")
        claims = json.loads(base64.urlsafe_b64decode(body + "=="))
        longer = json.dumps({**claims, "exp": claims["exp"] + 3600}).encode()
    except (ValueError, TypeError, KeyError):
        return code
    return f"{QR_PREFIX}{head}.{base64.urlsafe_b64encode(longer).decode().rstrip('=')}.{signature}"


def _other_signature(code: str) -> str:
    head, _dot, signature = code.rpartition(".")
    return f"{head}.{'B' if signature[:1] == 'A' else 'A'}{signature[1:]}"


_TAMPER: Mapping[Tampering, Callable[[str], str]] = {
    Tampering.CONTENT: _other_content,
    Tampering.SIGNATURE: _other_signature,
    Tampering.CUT: lambda code: code[: len(code) // 2],
}
