"""A sheet signed by both virtual cards through a real pcscd, and checked by OpenSSL alone."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from clients_bench import HERE, PATIENCE, PIN, opensc_module, tool
from cryptolib_tools import VARIABLE

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.bench.live import Device, LiveBench
from bifente.conformance.model import CardChoice
from bifente.conformance.targets.pkcs11 import Cryptoki, ModuleProcess
from bifente.conformance.targets.pkcs11_signer import Pkcs11Signer
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.cards.vitale.personalise import PersonalisedVitale
from bifente.simulator.formats.fse.canonical import canonical
from bifente.simulator.formats.fse.model import (
    CareAct,
    CareBeneficiary,
    Insurance,
    Invoice,
    Nomenclature,
    PayerShare,
    Payment,
    Professional,
    Proof,
    SecuredInvoice,
    SecuringMode,
)
from bifente.simulator.formats.fse.securing.codec import decode_secured
from bifente.simulator.formats.fse.securing.exporting import export
from bifente.simulator.formats.fse.securing.rsa import signed_by
from bifente.simulator.formats.fse.securing.verifying import Anchors, verify
from bifente.simulator.iso7816.card import Card
from bifente.simulator.middleware.codes import SsvCode, SsvError
from bifente.simulator.readers import LineError, PcscCode


class Software:
    """The client process, and the bench with its cards."""

    def __init__(self, bench: LiveBench) -> None:
        self.bench = bench
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "fse_client.py")],
            env={**os.environ, **bench.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        cps, vitale = bench.device.cards["cps"].made, bench.device.cards["vitale"].made
        assert isinstance(cps, PersonalisedCard)
        assert isinstance(vitale, PersonalisedVitale)
        self.cps, self.vitale = cps, vitale

    def ask(self, **order: Any) -> dict[str, Any]:
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps(order), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        assert line, "the client is gone"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def secure(self, mode: SecuringMode, code: str = PIN) -> SecuredInvoice:
        paper = mode is SecuringMode.DEGRADED
        return self.done(self.ask(do="secure", content=self.content(mode), code=code, paper=paper))

    def refused(self, mode: SecuringMode = SecuringMode.SECURED, code: str = PIN) -> int:
        answer = self.ask(do="secure", content=self.content(mode), code=code, paper=False)
        assert "code" in answer, "it was not refused"
        return int(answer["code"])

    def done(self, answer: dict[str, Any]) -> SecuredInvoice:
        assert "secured" in answer, f"{answer.get('code', 0):04X} {answer.get('refusal')}"
        return decode_secured(bytes.fromhex(answer["secured"]))

    def content(self, mode: SecuringMode) -> str:
        return canonical(sheet(self.cps, self.vitale, mode)).hex()

    @property
    def anchors(self) -> Anchors:
        return Anchors((self.cps.authority.certificate,), (self.vitale.authority.certificate,))

    def wait(self, role: str, *, present: bool) -> None:
        """Until PC/SC says so: pcscd looks every 0.4 s only."""
        assert self.ask(do="wait", reader=self.bench.name(role), present=present)["seen"]

    def remove(self, role: str) -> None:
        self.bench.device.remove(role)
        self.wait(role, present=False)

    def put_back(self) -> None:
        for role, slot in self.bench.device.slots.items():
            slot.interference = None
            if slot.card is None:
                self.wait(role, present=False)
                self.bench.device.insert(role)
                self.wait(role, present=True)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)


def sheet(cps: PersonalisedCard, vitale: PersonalisedVitale, mode: SecuringMode) -> Invoice:
    facts, person, today = cps.facts(), vitale.facts(), datetime.now(UTC).date()
    return Invoice(
        number=7,
        on=today,
        mode=mode,
        professional=Professional(
            billing_id=cps.template.billing[0].billing_id,
            name=facts["family_name"],
            first_name=facts["given_name"],
            rpps=facts["rpps"],
            situation=1,
            specialty="01",
            convention="1",
            tariff_zone="30",
            ik_zone="01",
            agreements=("0", "0", "0"),
            card_number=facts["card_number"],
            may_sign_invoice=True,
            may_sign_lot=True,
            test=True,
        ),
        beneficiary=CareBeneficiary(
            nir=person["nir"],
            nir_key=person["nir_key"],
            name=person["family_name"],
            first_name=person["given_name"],
            birth="19700119",
            rank=1,
            quality=0,
            regime="01",
            caisse="349",
            centre="0349",
            card_serial=person["serial"],
        ),
        insurance=Insurance.MALADIE,
        payment=Payment.DIRECT,
        proof=Proof.VITALE,
        care_path="T",
        acts=(CareAct(Nomenclature.NGAP, "G", today, 1, Decimal(1), 3000, 3000, 70),),
        amo=PayerShare(2100),
        amc=PayerShare(0),
        body="013490349",
    )


@pytest.fixture(scope="module", params=["cps3", "cps4"])
def shared(request: pytest.FixtureRequest) -> Iterator[Software]:
    cards = {
        "cps": CardChoice(template="medecin-generaliste", family=str(request.param)),
        "vitale": CardChoice(template="vitale/assure-seul"),
    }
    device = Device.assemble("readers/generic-bislot", cards, Workshop.default(), seed=1)
    with LiveBench(device) as bench:
        assert bench.wait_seen()
        software = Software(bench)
        yield software
        software.close()


@pytest.fixture
def software(shared: Software) -> Iterator[Software]:
    yield shared
    shared.put_back()


def openssl(folder: Path) -> list[bool]:
    """What OpenSSL says to each line of VERIFY.txt."""
    tool("openssl")
    lines = [line for line in (folder / "VERIFY.txt").read_text("utf-8").splitlines() if line.startswith("openssl ")]
    return [
        subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, timeout=PATIENCE, check=False).returncode
        == 0
        for line in lines
    ]


def parts(software: Software, secured: SecuredInvoice, folder: Path) -> Path:
    export(secured, folder, [*software.cps.chain, *software.vitale.chain])
    return folder


def test_a_sheet_signed_by_both_cards_is_verified_by_openssl_alone(software: Software, tmp_path: Path) -> None:
    secured = software.secure(SecuringMode.SECURED)
    assert verify(secured, datetime.now(UTC), software.anchors) == ()
    assert openssl(parts(software, secured, tmp_path)) == [True] * 6


@pytest.mark.parametrize("name", ["content.bin", "insured.sig", "professional.sig"])
def test_openssl_refuses_a_byte_that_changed(software: Software, tmp_path: Path, name: str) -> None:
    folder = parts(software, software.secure(SecuringMode.SECURED), tmp_path)
    data = bytearray((folder / name).read_bytes())
    refused = 0
    for at in sorted({0, len(data) // 3, len(data) - 1}):
        data[at] ^= 0x01
        (folder / name).write_bytes(data)
        refused += openssl(folder).count(False)
        data[at] ^= 0x01
    assert refused == 3 * (2 if name == "content.bin" else 1)


def test_a_certificate_of_another_authority_is_refused_by_openssl(software: Software, tmp_path: Path) -> None:
    secured = software.secure(SecuringMode.SECURED)
    export(secured, tmp_path, software.cps.chain)
    assert openssl(tmp_path) == [True, True, False, True, True, True]


@pytest.mark.parametrize("signer", ["insured", "professional"])
def test_a_desynchronised_sheet_in_either_order(software: Software, signer: str) -> None:
    content = software.content(SecuringMode.DESYNCHRONISED)
    begun = software.ask(do="begin", content=content, code=PIN, signer=signer)
    done = software.done(software.ask(do="complete", secured=begun["secured"], code=PIN))
    assert verify(done, datetime.now(UTC), software.anchors) == ()


def test_a_degraded_sheet_needs_no_vitale(software: Software) -> None:
    software.remove("vitale")
    secured = software.secure(SecuringMode.DEGRADED)
    assert secured.paper
    assert verify(secured, datetime.now(UTC), software.anchors) == ()


def test_absent_cards(software: Software) -> None:
    software.remove("vitale")
    assert software.refused() == SsvCode.VITALE_ABSENT
    software.put_back()
    software.remove("cps")
    assert software.refused() == SsvCode.PS_ABSENT


class Removing:
    """Takes a card out at one of its commands; what the client then gets is a PC/SC matter."""

    def __init__(self, remove: Callable[[], None], instruction: int) -> None:
        self._remove = remove
        self._instruction = instruction
        self.done = False

    def exchange(self, card: Card, command: bytes) -> bytes:
        if command[1] == self._instruction and not self.done:
            self.done = True
            self._remove()
            raise LineError(PcscCode.REMOVED_CARD)
        return card.transmit(command)

    def power_on(self, card: Card) -> bytes:
        return card.power_on()


# Behind vpcd a card that goes is an empty answer first, and gone at the next command only.
GONE = {
    "vitale": {SsvCode.VITALE_WITHDRAWN, SsvCode.VITALE_COMMUNICATION},
    "cps": {SsvCode.PS_ABSENT, SsvCode.CPS_API},
}


@pytest.mark.parametrize("role", ["vitale", "cps"])
@pytest.mark.parametrize("instruction", [0xB0, 0x2A])
def test_a_card_withdrawn_during_a_signature_is_a_code_and_the_next_sheet_is_signed(
    software: Software, role: str, instruction: int
) -> None:
    slot = software.bench.device.slots[role]
    striking = Removing(slot.remove, instruction)
    slot.interference = striking
    assert software.refused() in GONE[role]
    assert striking.done
    software.put_back()
    assert verify(software.secure(SecuringMode.SECURED), datetime.now(UTC), software.anchors) == ()


def test_a_wrong_code_then_the_right_one(software: Software) -> None:
    assert software.refused(code="9999") == SsvCode.WRONG_CODE
    assert software.secure(SecuringMode.SECURED).professional


def test_the_vitale_of_another_at_the_second_check(software: Software) -> None:
    content = software.content(SecuringMode.DESYNCHRONISED)
    begun = software.done(software.ask(do="begin", content=content, code=PIN, signer="professional"))
    made = sheet(software.cps, software.vitale, SecuringMode.DESYNCHRONISED)
    other = replace(made, beneficiary=replace(made.beneficiary, card_serial="999000002"))
    order = {"do": "begin", "content": canonical(other).hex(), "code": PIN, "signer": "insured"}
    answer = software.ask(**order)
    assert (answer["code"], begun.insured) == (SsvCode.VITALE_WITHDRAWN, None)
    assert "serial 999000001" in answer["refusal"] or answer["refusal"] == "vitale-substituted"


def test_a_blocked_cps(software: Software) -> None:
    """Last, since the card stays so."""
    assert [software.refused(code="9999") for _ in range(3)] == [SsvCode.WRONG_CODE] * 3
    assert software.refused() == SsvCode.PS_BLOCKED


# -- the professional through a PKCS#11 module -------------------------------------------------------------------------


def through(bench: LiveBench, library: Path, content: bytes) -> tuple[bytes, bytes]:
    module = Cryptoki(ModuleProcess(library, bench.environment).load())
    try:
        module.start()
        return Pkcs11Signer.open(module, bench.name("cps"), PIN).sign(content)
    finally:
        module.stop()
        module.worker.close()


@pytest.fixture(scope="module")
def cps3_bench() -> Iterator[LiveBench]:
    # The Cryptolib keeps on the machine what it read of a card, by serial number: one used before is a card of before.
    own = {"type": "CPS", "serial": f"99{secrets.randbelow(10**6):06}", "number": "9900000001"}
    cps = CardChoice.model_validate({"template": "medecin-generaliste", "card": own})
    cards = {"cps": cps, "vitale": CardChoice(template="vitale/assure-seul")}
    device = Device.assemble("readers/generic-bislot", cards, Workshop.default(), seed=1)
    with LiveBench(device) as bench:
        assert bench.wait_seen()
        yield bench


def test_opensc_does_not_reach_the_signature_key_of_a_cps3_and_that_is_ff30(cps3_bench: LiveBench) -> None:
    """It signs with the authentication key only: the Cryptolib is what signs sheets."""
    pytest.importorskip("PyKCS11", reason="needs PyKCS11: pip install bifente[pkcs11]")
    with pytest.raises(SsvError) as caught:
        through(cps3_bench, opensc_module(), b"a sheet")
    assert caught.value.code == SsvCode.CPS_API
    assert "C_Sign" in caught.value.detail


@pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"needs the ANS Cryptolib CPS: set {VARIABLE}")
def test_the_cryptolib_signs_a_sheet(cps3_bench: LiveBench) -> None:
    certificate, value = through(cps3_bench, Path(os.environ[VARIABLE]), b"a sheet")
    assert signed_by(certificate, b"a sheet", value)
