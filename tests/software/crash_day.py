"""A day of a practice that may be stopped anywhere and goes on from what its store says; also a program to be killed.

``python crash_day.py FOLDER COUNT`` does the day in FOLDER with the sheets and keys that ``prepare`` left there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from bifente.ground.clock import VirtualClock
from bifente.simulator.formats.fse.canonical import parse
from bifente.simulator.formats.fse.lots import signed_content
from bifente.simulator.formats.fse.model import CardSignature, Invoice, Lot, SecuredInvoice, SheetState, Signer
from bifente.simulator.formats.fse.securing.codec import decode_secured, encode_secured
from bifente.simulator.formats.fse.securing.verifying import Anchors
from bifente.simulator.services.frontal.frontal import Frontal
from bifente.simulator.services.frontal.ledger import Ledger
from bifente.simulator.serving.mail.in_process import InProcessTransport
from bifente.simulator.software.billing.practice import Practice
from bifente.simulator.software.billing.store import Store

_AT = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


def morning(
    practice: Practice,
    count: int,
    sheet: Callable[[int], Invoice],
    secured: Callable[[Invoice], SecuredInvoice],
    given: Callable[[int], None] = lambda number: None,
) -> None:
    """Make and secure sheets until there are ``count``; ``given`` is told each number that was given."""
    store = practice.store
    there = len(store.sheets())
    for row in list(store.open_sheets()):
        if row.state is SheetState.PENDING:
            practice.secured(row.number, secured(practice.invoice(row.number)))
    for _ in range(count - there):
        number = practice.next_number()
        given(number)
        practice.add(sheet(number))
        practice.secured(number, secured(practice.invoice(number)))


def evening(practice: Practice) -> None:
    """Send everything, and what waits for its ARL again, until each file is answered."""
    practice.send()
    practice.receive()
    for file in practice.store.files("sent"):
        practice.resend(file.name)
    practice.receive()


def note(path: Path, **what: object) -> None:
    """Add a line to a log. It begins with its line feed: what a kill has cut stays alone on its line."""
    with path.open("a", encoding="ascii") as log:
        log.write("\n" + json.dumps(what))


def notes(path: Path) -> Iterator[dict[str, Any]]:
    """What was noted. Lines that were cut are left out: what they tell of had not begun."""
    for line in filter(None, path.read_text(encoding="ascii").split("\n")):
        try:
            yield json.loads(line)
        except ValueError:
            if line.endswith("}"):
                raise


def prepare(folder: Path, count: int) -> None:
    """Leave what ``main`` needs: secured sheets under more numbers than a day uses, a key, the anchors."""
    from securing_bench import anchors
    from store_bench import cps, secured, sheet

    def told(authorities: tuple[x509.Certificate, ...]) -> list[str]:
        return [one.public_bytes(Encoding.DER).hex() for one in authorities]

    day = {
        "key": cps().key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()).hex(),
        "certificate": cps().certificate.hex(),
        "sheets": {number: encode_secured(secured(sheet(number))).hex() for number in range(1, count * 2)},
        "professionals": told(anchors().professionals),
        "insured": told(anchors().insured),
    }
    (folder / "day.json").write_text(json.dumps(day), encoding="ascii")


def main(folder: Path, count: int) -> None:
    """The day, in a process of its own that may be killed at any moment."""
    day = json.loads((folder / "day.json").read_text(encoding="ascii"))
    key = load_der_private_key(bytes.fromhex(day["key"]), None)
    assert isinstance(key, RSAPrivateKey)
    certificate = bytes.fromhex(day["certificate"])
    secured = {int(number): decode_secured(bytes.fromhex(data)) for number, data in day["sheets"].items()}
    clock = VirtualClock(_AT)
    anchors = Anchors(_certificates(day["professionals"]), _certificates(day["insured"]))
    frontal = Frontal(clock, anchors, chance=Random(1), ledger=Ledger(folder / "ledger.db"))

    def reception(data: bytes, name: str) -> list[bytes]:
        note(folder / "received.log", name=name, data=data.hex())
        return frontal.receive(data, name)

    def sign_lot(lot: Lot) -> Lot:
        value = key.sign(signed_content(lot), padding.PKCS1v15(), hashes.SHA256())
        return replace(lot, signature=CardSignature(Signer.PROFESSIONAL, certificate, value, f"{_AT:%Y%m%d%H%M%S}"))

    store = Store(folder / "practice.db", clock, "991000019")
    practice = Practice(store, InProcessTransport(reception), sign_lot=sign_lot)
    # Sent in three times, so that there is something on its way at most moments.
    for part in (count // 3, 2 * count // 3, count):
        if len(store.sheets()) <= part:
            morning(
                practice,
                part,
                lambda number: parse(secured[number].content),
                lambda sheet: secured[sheet.number],
                lambda number: note(folder / "numbers.log", number=number),
            )
        evening(practice)
    store.close()


def _certificates(some: list[str]) -> tuple[x509.Certificate, ...]:
    return tuple(x509.load_der_x509_certificate(bytes.fromhex(one)) for one in some)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
