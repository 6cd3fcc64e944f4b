"""The journeys, step by step: each step is done by the component that does it on a workstation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from bifente.conformance.domains.dmpconnect.part import ConnectBench
from bifente.conformance.domains.fse.bench import FseBench
from bifente.conformance.domains.support.dmp_calls import ask_from_software
from bifente.conformance.domains.support.journeys import Journey, JourneyStep
from bifente.conformance.domains.support.running import RunningPoste
from bifente.conformance.domains.support.stopping import JourneyStoppedError, code_of, stopped_by
from bifente.conformance.domains.support.tokens import BROWSER_BITS, associate
from bifente.conformance.domains.support.web import open_dmp_in_browser, open_portal
from bifente.simulator.formats.fse.errors import FseError
from bifente.simulator.formats.fse.model import Arl, Payment
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.ssv import Answer, Ssv
from bifente.simulator.software.billing.making import Care
from bifente.simulator.software.billing.ordering import Order
from bifente.simulator.tarification.requests import ActRequest

T = TypeVar("T")

_SECURED = 3
_READ = frozenset({SsvCode.OK, SsvCode.BOTH_COMPLEMENTARIES})


def _library(running: RunningPoste) -> Ssv:
    """The SSV functions of the software, loaded and initialised. Raise JourneyStoppedError."""
    with running.step(JourneyStep.REACH_READER):
        running.pass_through_links()
    with running.step(JourneyStep.LOAD_SSV):
        running.load("fsv")
        if running.poste.get("card-access") == "full-pcsc":
            running.load("mica")
        library = running.station.ssv()
        _answered(library.init_lib(), frozenset({SsvCode.OK, SsvCode.ALREADY_INITIALISED}))
    return library


def _answered(answer: Answer, good: frozenset[SsvCode] = _READ) -> None:
    if answer.code not in good:
        raise stopped_by(SsvError(SsvCode(answer.code), answer.detail))


def connect(running: RunningPoste, *commands: str) -> None:
    """Have the local connector work with the cards, as a page of an online software does."""
    with running.step(JourneyStep.CALL_CONNECTOR):
        if not running.local_pages_reached:
            raise JourneyStoppedError("browser", "LOCAL_NETWORK", "the browser keeps the page from the connector")
        if running.connector_why:
            raise JourneyStoppedError("dmpconnect-js", "UNREACHABLE", running.connector_why)
        connector = running.scene.part(ConnectBench)
        connector.call("hl_openSession", {})
        for command in ("hl_readCpxCard", *commands):
            _taken(connector.call(command, {"s_pinCode": running.code}))


def _taken(answer: Mapping[str, Any]) -> None:
    """Raise JourneyStoppedError for what the connector refused."""
    if answer["s_status"] != "OK":
        code = str(answer.get("s_apiErrorExtendedInformations", ""))
        detail = str(answer.get("s_errorDescription", ""))
        raise code_of(code) or JourneyStoppedError("dmpconnect-js", code or str(answer["s_status"]), detail)


def read_cps(running: RunningPoste) -> None:
    """Read the professional's card by SSV_LireCartePS, or by the connector."""
    if running.software.connector:
        connect(running)
        return
    library = _library(running)
    with running.step(JourneyStep.READ_CPS):
        _answered(library.lire_carte_ps(*running.station.resource_names(), running.code))


def read_vitale(running: RunningPoste) -> None:
    """Read the patient's card by SSV_LireDroitsVitale, or by the connector."""
    if running.software.connector:
        connect(running, "hl_readVitaleCard")
        return
    library = _library(running)
    day = f"{running.scene.bench.now():%Y%m%d}"
    with running.step(JourneyStep.READ_VITALE):
        _answered(library.lire_droits_vitale(*running.station.resource_names(), running.code, day))


def make_sheet(running: RunningPoste) -> FseBench:
    """Read both cards, make a sheet, sign it by both."""
    read_vitale(running)
    fse = running.scene.part(FseBench)
    with running.step(JourneyStep.MAKE_SHEET):
        reading = fse.software.read(running.code)
        _answered(reading.ps)
        _answered(reading.vitale)
        care = Care(payment=Payment.TIERS_PAYANT, care_path="T")
        today = fse.days.today
        made = _made(
            lambda: fse.software.make(Order((ActRequest("G", today),), care, today, 1, 1, _SECURED, paper=False))
        )
        if made.blocked:
            raise JourneyStoppedError("rights", "BLOCKED", str(made.findings[0]))
    with running.step(JourneyStep.SIGN_SHEET):
        _made(lambda: fse.software.sign(made.invoice.number, running.code))
    return fse


def send_lots(running: RunningPoste) -> None:
    """Make a sheet, sign the lot, send it, and have the front end's acknowledgement."""
    fse = make_sheet(running)
    with running.step(JourneyStep.SIGN_LOT):
        _made(lambda: fse.software.office.make_lots(running.code))
    with running.step(JourneyStep.SEND_LOT):
        if running.line.get("down") == "yes":
            raise JourneyStoppedError("network", "LINE_DOWN", "no line to the front end")
        _made(fse.software.office.send)
    with running.step(JourneyStep.RECEIVE_ARL):
        answers = [one for one in _made(fse.receive) if isinstance(one, Arl)]
        if not answers:
            raise JourneyStoppedError("service-frontal", "NO_ARL", "no acknowledgement came from the front end")


def _made(action: Callable[[], T]) -> T:
    try:
        return action()
    except FseError as error:
        raise JourneyStoppedError("service-frontal", "FSE", str(error)) from error


def open_dmp_in_software(running: RunningPoste) -> None:
    """Open the DMP from the software: the card associated where that is wanted, then asked for its signature."""
    if running.software.connector:
        connect(running)
        ask_from_software(running, BROWSER_BITS)
        return
    if running.software.association:
        associate(running)
    ask_from_software(running)


WAYS: Mapping[Journey, Callable[[RunningPoste], object]] = {
    Journey.READ_CPS: read_cps,
    Journey.READ_VITALE: read_vitale,
    Journey.SHEET: make_sheet,
    Journey.LOTS: send_lots,
    Journey.AMELI: open_portal,
    Journey.DMP_WEB: open_dmp_in_browser,
    Journey.DMP_SOFTWARE: open_dmp_in_software,
    Journey.ASSOCIATION: associate,
}
