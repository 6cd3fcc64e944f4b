"""Signing sheets through a PKCS#11 module: one of Python in front of a real card of ours, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from bifente.conformance.targets import cryptoki
from bifente.conformance.targets.pkcs11 import Cryptoki, ModuleGoneError
from bifente.conformance.targets.pkcs11_signer import Pkcs11Signer
from bifente.ground.clock import VirtualClock
from bifente.simulator.cards.cps3.engine import card as cps3_card
from bifente.simulator.cards.cps3.host import Cps3Host
from bifente.simulator.cards.cpx.loading import shipped_templates
from bifente.simulator.cards.cpx.personalise import PersonalisedCard, personalise
from bifente.simulator.cards.dialogue import Dialogue
from bifente.simulator.formats.fse.model import Signer
from bifente.simulator.formats.fse.securing.rsa import signed_by
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.pki.keystore import MemoryKeys
from bifente.simulator.readers import PcscService, Reader
from bifente.simulator.software.billing.securing.cards import SigningCard, signed

AT = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
READER, SLOT, SESSION = "Bench TL 1 0", 3, 8
CONTENT = b"a sheet"
_FOUND: dict[str, dict[str, object]] = {"C_OpenSession": {"session": SESSION}, "C_GetSlotList": {"slots": [SLOT]}}
_KEYS, _CERTIFICATES = {"10": 20, "11": 21}, {10: "authentication", 11: "signature"}


@cache
def card_data() -> PersonalisedCard:
    return personalise(shipped_templates()["medecin-generaliste"], MemoryKeys(), at=AT.date())


class ModuleOnACard:
    """What a module does, by the commands of our own host. ``answers`` are return codes for some functions instead."""

    def __init__(self, **answers: int | Exception) -> None:
        self.answers = answers
        self.asked: list[str] = []
        self.flags = 0
        clock = VirtualClock(AT)
        reader = Reader.of("Bench", [READER], clock)
        reader.slots[0].insert(cps3_card(card_data().image))
        connection = PcscService([reader], clock).establish().connect(READER)
        self.host = Cps3Host(Dialogue(connection, lambda exchanged: None), card_data().layout)
        self.host.open()
        self.wanted: list[int] = []

    def ask(self, function: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append(function)
        planned = self.answers.get(function)
        if isinstance(planned, Exception):
            raise planned
        if planned is not None:
            return {"rv": planned}
        return {"rv": 0, **self._answer(function, given)}

    def _answer(self, function: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
        match function:
            case "C_GetSlotInfo":
                return {"description": READER.ljust(64), "flags": 7}
            case "C_GetTokenInfo":
                return {"flags": self.flags}
            case "C_Login":
                sw = self.host.verify(1, bytes.fromhex(given["pin"])).sw
                return {} if sw == 0x9000 else {"rv": 0xA0}
            case "C_FindObjectsInit":
                wanted = dict(map(tuple, given["template"]))
                self.wanted = [*_CERTIFICATES] if wanted[0] == 1 else [_KEYS[wanted[0x102]]]
            case "C_FindObjects":
                found, self.wanted = self.wanted, []
                return {"objects": found}
            case "C_GetAttributeValue":
                if given["type"] == cryptoki.ATTRIBUTES["CKA_ID"]:
                    return {"data": str(given["object"])}
                certificate = card_data().certificates[_CERTIFICATES[given["object"]]]
                return {"data": certificate.public_bytes(Encoding.DER).hex()}
            case "C_SignInit":
                # As the Cryptolib: the key of challenges does not hash.
                return {} if given["key"] == _KEYS["11"] else {"rv": 0x63}
            case "C_Sign":
                answer = self.host.sign("signature", "sha256", bytes.fromhex(given["data"]))
                return {"data": answer.data.hex()} if answer.sw == 0x9000 else {"rv": 0x101}
        return _FOUND.get(function, {})

    def close(self) -> None:
        pass


def opened(module: ModuleOnACard, code: str = "1234") -> Pkcs11Signer:
    return Pkcs11Signer.open(Cryptoki(module), READER, code)


def refused(module: ModuleOnACard, code: str = "1234") -> int:
    with pytest.raises(SsvError) as caught:
        opened(module, code).sign(CONTENT)
    return caught.value.code


def test_the_key_of_the_signature_certificate_signs() -> None:
    signer: SigningCard = opened(ModuleOnACard())
    signature = signed(CONTENT, signer, Signer.PROFESSIONAL, VirtualClock(AT))
    assert signed_by(signature.certificate, CONTENT, signature.value)
    assert not signed_by(signature.certificate, CONTENT + b".", signature.value)


def test_the_code_is_given_once_for_many_signatures() -> None:
    module = ModuleOnACard()
    signer = opened(module)
    for _ in range(5):
        signer.sign(CONTENT)
    assert module.asked.count("C_Login") == 1


def test_a_wrong_code_is_f003_and_given_once() -> None:
    module = ModuleOnACard()
    assert refused(module, "9999") == SsvCode.WRONG_CODE
    assert module.asked.count("C_Login") == 1


def test_a_token_that_says_it_is_blocked_is_given_no_code() -> None:
    module = ModuleOnACard()
    module.flags = 0x40000
    assert refused(module) == SsvCode.PS_BLOCKED
    assert "C_Login" not in module.asked


@pytest.mark.parametrize(
    ("function", "word", "code"),
    [
        ("C_Login", "PIN_LOCKED", SsvCode.PS_BLOCKED),
        ("C_Login", "PIN_LEN_RANGE", SsvCode.BAD_INPUT),
        ("C_OpenSession", "TOKEN_NOT_PRESENT", SsvCode.PS_ABSENT),
        ("C_GetTokenInfo", "TOKEN_NOT_RECOGNIZED", SsvCode.PS_INVALID),
        ("C_SignInit", "USER_NOT_LOGGED_IN", SsvCode.CODE_LOST),
        ("C_Sign", "DEVICE_REMOVED", SsvCode.PS_ABSENT),
        ("C_Sign", "DEVICE_ERROR", SsvCode.CPS_API),
        ("C_SignInit", "KEY_TYPE_INCONSISTENT", SsvCode.CPS_API),
    ],
)
def test_what_a_module_refuses_has_a_code_of_the_field(function: str, word: str, code: SsvCode) -> None:
    number = next(number for number, name in cryptoki.RETURN_CODES.items() if name == word)
    assert refused(ModuleOnACard(**{function: number})) == code


def test_a_module_that_falls_is_ff30() -> None:
    assert refused(ModuleOnACard(C_Sign=ModuleGoneError("CRASHED", "C_Sign"))) == SsvCode.CPS_API


def test_another_reader_has_no_card() -> None:
    with pytest.raises(SsvError) as caught:
        Pkcs11Signer.open(Cryptoki(ModuleOnACard()), "Another reader", "1234")
    assert caught.value.code == SsvCode.PS_ABSENT


def test_a_module_without_a_signature_key_is_ff30() -> None:
    module = ModuleOnACard()
    usual = module._answer
    module._answer = lambda function, given: (  # type: ignore[method-assign]
        {"objects": []} if function == "C_FindObjects" else usual(function, given)
    )
    assert refused(module) == SsvCode.CPS_API
