"""The workstation of a scenario as DmpConnect-JS finds it: the cards in the reader, INSi behind the desk."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from bifente.conformance.bench.scene import Scene
from bifente.conformance.domains.dmp.bench import DmpBench
from bifente.conformance.domains.dmpconnect.reach import SceneReach, card_refused
from bifente.conformance.domains.ins.bench import InsBench
from bifente.conformance.domains.vitale.workstation import SOFTWARE, Workstation
from bifente.simulator.formats.insi import InsiAnswer, InsRecord
from bifente.simulator.formats.vihf.names import PROFESSIONS
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.middleware.dmpconnect.conventions import FUNCTIONAL, ConnectError, ConnectErrorType
from bifente.simulator.middleware.dmpconnect.workplace import ConnectReader, CpxCondition, SlotUse, VitaleCondition
from bifente.simulator.middleware.recognition import CardKind, kind_of
from bifente.simulator.middleware.ssv.line import PS, VITALE, Line
from bifente.simulator.middleware.ssv.meeting import vitale_on
from bifente.simulator.middleware.ssv.professional import ProfessionalCard
from bifente.simulator.readers import ScardError
from bifente.simulator.software.card_signer import CardSigner, met
from bifente.simulator.software.connect.connector import DmpConnector
from bifente.simulator.software.connect.values import ConnectSex
from bifente.simulator.software.identity.patient import PatientFile
from bifente.simulator.software.identity.status import IdentityError
from bifente.simulator.software.identity.traits import StrictTraits
from bifente.simulator.software.insi.client import InsiCallError
from bifente.simulator.software.insi.credentials import Said
from bifente.simulator.software.insi.vitale import vitale_reading
from bifente.simulator.tarification.deadlines import civil_day
from bifente.simulator.zones import named

_USES = {CardKind.CPS: SlotUse.CPS, CardKind.VITALE_1: SlotUse.VITALE, CardKind.VITALE_2: SlotUse.VITALE}
_TEST_CARD, _RESULTS = 4, {"01": 1, "00": 2, "02": 3}
_BLOCKED = frozenset({SsvCode.PS_BLOCKED})


class SceneWorkplace:
    """What is in the readers of a scene, asked anew each time."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._workstation = scene.part(Workstation)
        self._ins = scene.part(InsBench)

    @cached_property
    def dmp(self) -> DmpBench:
        """The DMP behind it, made when it is first asked for."""
        return self._scene.part(DmpBench)

    @cached_property
    def reach(self) -> SceneReach:
        """How its connectors speak to the DMP."""
        return SceneReach(self.dmp, self._met)

    def close(self) -> None:
        """Forget what was fetched."""
        if "reach" in self.__dict__:
            self.reach.close()

    def readers(self) -> tuple[ConnectReader, ...]:
        """Return the readers and what is in each."""
        access = self._scene.bench.access
        try:
            return tuple(ConnectReader(name, self._use(name)) for name in access.readers())
        except ScardError as error:
            raise ConnectError(
                ConnectErrorType.API, FUNCTIONAL, "failed to get the list of connected PC/SC readers", str(error)
            ) from None

    def cpx_condition(self) -> CpxCondition:
        """Return how the professional's card is; its code is not presented."""
        try:
            self.cpx_status()
        except ConnectError as error:
            known = {"F001": CpxCondition.NONE, "F002": CpxCondition.BLOCKED, "F004": CpxCondition.EXPIRED}
            return known.get(error.context, CpxCondition.UNKNOWN)
        return CpxCondition.VALID

    def vitale_condition(self) -> tuple[VitaleCondition, str]:
        """Return how the Vitale is, and its number."""
        pair = self._workstation.resources(SOFTWARE).pair(*self._workstation.resource_names())
        try:
            line = Line(pair.vitale(), VITALE, self._scene.bench.clock)
            head = vitale_on(line, self._scene.random.randbytes, ()).administrative[0]
            return VitaleCondition.NEW, named(head)["serial-number"]
        except SsvError as error:
            absent = error.code == SsvCode.VITALE_ABSENT
            return (VitaleCondition.MISSING if absent else VitaleCondition.READ_ERROR), ""
        finally:
            pair.release()

    def cpx_status(self) -> Mapping[str, Any]:
        """Return tries left, last day and number."""
        pair = self._workstation.resources(SOFTWARE).pair(*self._workstation.resource_names())
        try:
            card = ProfessionalCard(Line(pair.ps(), PS, self._scene.bench.clock))
            card.check_in_force(self._scene.bench.clock.now().date())
            card.code_is_presented()
            sw = card.host.verify(card.layout.secrets["pin"].reference, b"").sw
            end = card.identity.expiry_date
            return {
                "i_nbInputLeft": sw & 0x0F if sw >> 4 == 0x63C else 3,
                "s_validityDate": f"{end:%Y%m%d}" if end else "",
                "s_cardId": card.identity.card_number or "",
                "i_cardStatus": int(CpxCondition.VALID),
            }
        except SsvError as error:
            raise refused(error, ConnectErrorType.API) from None
        finally:
            pair.release()

    def read_cpx(self, code: str, *, certificates: bool) -> Mapping[str, Any]:
        """Return who holds the card, and where he practises."""
        try:
            with self._met(code) as card:
                subject = x509.load_der_x509_certificate(card.certificate).subject
                said = {one.rfc4514_attribute_name: str(one.value) for one in subject}
                found: dict[str, Any] = {
                    "s_internalId": said.get("CN", ""),
                    "s_name": said.get("SN", said.get("2.5.4.4", "")),
                    "s_given": said.get("GN", said.get("2.5.4.42", "")),
                    "s_profession": card.card.profession.profession or "",
                    "s_professionOid": PROFESSIONS,
                    "s_professionDescription": said.get("title", said.get("2.5.4.12", "")),
                    "s_speciality": (card.card.profession.speciality or "").strip(),
                    "i_remainingPinCodeInputs": 3,
                    "PracticeLocations": [
                        {
                            "i_index": number,
                            "s_practiceLocationName": one.structure or "",
                            "s_practiceLocationStructureId": one.structure_id or "",
                            "s_practiceLocationActivity": one.sector or "",
                            "s_practiceLocationHealthcareSettings": one.sector or "",
                            "s_practiceLocationBillingNumber": card.billing(number),
                        }
                        for number, one in sorted(card.activities.items())
                    ],
                }
                if certificates:
                    found["s_authenticationCertificatePEM"] = _pem(card.card.certificate)
                    found["s_signatureCertificatePEM"] = _pem(card.certificate)
                return found
        except SsvError as error:
            raise refused(error, ConnectErrorType.API) from None

    def read_vitale(self, code: str) -> Mapping[str, Any]:
        """Return who is on the Vitale."""
        library = self._workstation.ssv(SOFTWARE)
        library.init_lib()
        now = self._scene.bench.clock.now()
        names = self._workstation.resource_names()
        answer = library.lire_droits_vitale(*names, code, f"{civil_day(now):%Y%m%d}")
        if answer.code:
            raise refused(SsvError(SsvCode(answer.code), answer.detail), ConnectErrorType.VITALE)
        reading = vitale_reading(answer.groups, now)
        self._ins.desk.show(reading)
        for credential in self._ins.credentials():
            credential.renew()
        return {
            "i_cardStatus": _TEST_CARD,
            "s_cardStatusText": "Card found. Test card.",
            "Patients": [
                {
                    "i_index": rank,
                    "s_name": one.name,
                    "s_birthname": one.birth_name,
                    "s_given": one.first_name,
                    "s_birthday": one.birth_date[2:8],
                    "s_nir": f"{reading.insured} {reading.insured_key}",
                    "s_certifiedNir": f"{one.certified} {one.certified_key}".strip(),
                    "i_birthrank": int(one.rank),
                }
                for rank, one in enumerate(reading.people, 1)
            ],
        }

    def sign(self, code: str, content: bytes) -> Mapping[str, Any]:
        """Return the signature of the card's signature key."""
        try:
            with self._met(code) as card:
                return {
                    "s_signature": b64encode(card.sign(content)).decode(),
                    "s_signatureCertificate": _pem(card.certificate),
                    "s_digest": b64encode(hashlib.sha256(content).digest()).decode(),
                }
        except SsvError as error:
            raise refused(error, ConnectErrorType.API) from None

    def ins_from_vitale(self, code: str, rank: int) -> Mapping[str, Any]:
        """Search somebody on the Vitale that was read."""
        try:
            patient = self._ins.desk.choose(rank)
            return _found(self._ins.desk.by_vitale(patient, self._ins.as_card(code, Said()), "", take=False))
        except (IdentityError, InsiCallError, SsvError) as error:
            raise refused(error, ConnectErrorType.SERVER) from None

    def ins_from_traits(self, code: str, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Search somebody on the traits given."""
        traits = StrictTraits(
            str(said.get("s_birthName", "")),
            tuple(str(said.get("s_given", "")).split()),
            ConnectSex.letter_of(said.get("i_sex", 0)),
            str(said.get("s_birthDate", "")),
            str(said.get("s_birthPlace", "")),
        )
        try:
            patient = PatientFile(traits, self._scene.bench.clock)
            return _found(self._ins.desk.by_traits(patient, self._ins.as_card(code, Said()), "", tries=1, take=False))
        except (IdentityError, InsiCallError, SsvError) as error:
            raise refused(error, ConnectErrorType.SERVER) from None

    def dmp_connector(self, code: str, said: Mapping[str, Any]) -> DmpConnector:
        """Return a connector for the holder of the card."""
        return DmpConnector.made(self.reach, code, said)

    def _met(self, code: str) -> AbstractContextManager[CardSigner]:
        return met(
            self._workstation.resources(SOFTWARE), self._workstation.resource_names(), self._scene.bench.clock, code
        )

    def _use(self, reader: str) -> SlotUse:
        try:
            connection = self._scene.bench.access.connect(reader)
        except ScardError:
            return SlotUse.NONE
        try:
            return _USES.get(kind_of(connection.atr), SlotUse.OTHER)
        finally:
            connection.disconnect()


def refused(error: SsvError | IdentityError | InsiCallError, kind: ConnectErrorType) -> ConnectError:
    """Return the error that says which link broke: card, reader, desk or service."""
    if isinstance(error, SsvError):
        found = card_refused(error)
        return ConnectError(kind, found.code, found.description, found.extended, found.context)
    if isinstance(error, InsiCallError):
        return ConnectError(ConnectErrorType.SERVER, FUNCTIONAL, error.reason.fr, "INSi", error.code)
    return ConnectError(kind, FUNCTIONAL, error.refusal.sentence.fr, "desk", error.refusal.value)


def _found(answer: InsiAnswer) -> Mapping[str, Any]:
    values: dict[str, Any] = {"i_insIdentityResult": _RESULTS[answer.code.value]}
    if answer.active is not None and answer.traits is not None:
        values["Identity"] = {
            "Ins": _ins(answer.active),
            "s_birthName": answer.traits.name,
            "s_given": answer.traits.first or answer.traits.given.partition(" ")[0],
            "s_birthGiven": answer.traits.given,
            "i_sex": int(ConnectSex.of(answer.traits.sex)),
            "s_birthDate": answer.traits.birth_date,
            "s_birthPlace": answer.traits.birth_place,
        }
        if answer.history:
            values["Identity"]["History"] = [_ins(one) for one in answer.history]
    return values


def _ins(record: InsRecord) -> Mapping[str, Any]:
    return {
        "s_value": record.matricule.number,
        "s_key": record.matricule.key,
        "s_oid": record.oid,
        "s_startDate": record.start,
        "s_endDate": record.end,
    }


def _pem(certificate: bytes) -> str:
    return x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM).decode("ascii")
