"""A day of a practice that may be stopped anywhere and goes on from what its store says; also a program to be killed.

``python crash_day.py FOLDER COUNT`` does the day in FOLDER with the sheets and keys that ``prepare`` left there.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from simulator.clock import VirtualClock
from simulator.fse.model import Invoice, SecuredInvoice, State
from simulator.fse.practice import Practice
from simulator.fse.store import Store


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
        if row.state is State.PENDING:
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


def prepare(folder: Path, count: int) -> None:
    """Leave what ``main`` needs: secured sheets under more numbers than a day uses, a key, the anchors."""
    from cryptography.hazmat.primitives import serialization as form
    from store_bench import cps, secured, sheet

    from simulator.fse.securing import encode_secured

    card = cps()
    key = card.key.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, form.NoEncryption())
    sheets = {number: sheet(number) for number in range(1, count * 2)}
    secured_ = {number: encode_secured(secured(one)) for number, one in sheets.items()}
    from securing_bench import anchors

    (folder / "day.pickle").write_bytes(pickle.dumps((key, card.certificate, sheets, secured_, anchors_der(anchors()))))


def anchors_der(anchors: Any) -> tuple[list[bytes], list[bytes]]:
    from cryptography.hazmat.primitives.serialization import Encoding

    return tuple([one.public_bytes(Encoding.DER) for one in some] for some in (anchors.professionals, anchors.insured))


def main(folder: Path, count: int) -> None:
    """The day, in a process of its own that may be killed at any moment."""
    from dataclasses import replace
    from datetime import UTC, datetime
    from random import Random

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    from simulator.fse.lots import signed_content
    from simulator.fse.model import Signature, Signer
    from simulator.fse.securing import Anchors, decode_secured
    from simulator.fse.transport.in_process import InProcessTransport
    from simulator.services.frontal import Frontal, decode_return
    from simulator.services.frontal.ledger import Ledger

    at = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
    key, certificate, sheets, secured, ders = pickle.loads((folder / "day.pickle").read_bytes())  # noqa: S301 - ours
    private = load_der_private_key(key, None)
    anchors = Anchors(*(tuple(map(x509.load_der_x509_certificate, some)) for some in ders))
    clock = VirtualClock(at)
    frontal = Frontal(clock, anchors, chance=Random(1), ledger=Ledger(folder / "ledger.db"))

    def reception(data: bytes, name: str) -> list[bytes]:
        with (folder / "received.log").open("ab") as log:
            pickle.dump((name, data), log)
        return frontal.receive(data, name)

    def sign_lot(lot: Any) -> Any:
        value = private.sign(signed_content(lot), padding.PKCS1v15(), hashes.SHA256())  # type: ignore[union-attr,call-arg]
        return replace(lot, signature=Signature(Signer.PROFESSIONAL, certificate, value, f"{at:%Y%m%d%H%M%S}"))

    def given(number: int) -> None:
        with (folder / "numbers.log").open("a") as log:
            log.write(f"{number}\n")

    store = Store(folder / "practice.db", clock, "991000019")
    practice = Practice(store, InProcessTransport(reception), sign_lot=sign_lot, read_return=decode_return)
    # Sent in three times, so that there is something on its way at most moments.
    for part in (count // 3, 2 * count // 3, count):
        if len(store.sheets()) <= part:
            morning(practice, part, sheets.__getitem__, lambda one: decode_secured(secured[one.number]), given)
        evening(practice)
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
