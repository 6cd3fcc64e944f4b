"""Large lots of sheets formatted, put in an envelope and opened, beside SHA-256 and AES-256 of the same bytes.

Ratios alone are asserted, absolute figures belong to the machine: what a file costs against the bare cryptography of
its bytes, and what a sheet costs in a large lot against one of a tenth.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from benchmark_tools import sized
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from securing_bench import PIN, Practice, keys, pki

from bifente.simulator.formats.fse.canonical import canonical
from bifente.simulator.formats.fse.files import make_file, open_file
from bifente.simulator.formats.fse.lots import encode_lot, make_lots, numbers
from bifente.simulator.formats.fse.model import Lot, LotKind, SecuredInvoice
from bifente.simulator.formats.fse.records import read_records, records
from bifente.simulator.pki.body_certificates import body_identity
from bifente.simulator.pki.certificate_profiles import Validity
from bifente.simulator.software.billing.series import LotSeries

SHEETS = sized(1000, 300)
TURNS = 3
MOST = 100
"""Sealing or opening costs this many times the bare cryptography of its bytes at most: zones are read and written
again, strictly, group by group, by a library in Python. About 13 and 27 when written."""
FLAT = 4
"""What a sheet costs in a large lot, against one of a tenth, at most: 0.9 when written, 10 if it grew with the lot."""


@pytest.fixture(scope="module")
def practice() -> Practice:
    return Practice()


@pytest.fixture(scope="module")
def sheets(practice: Practice) -> tuple[SecuredInvoice, ...]:
    """Signatures of one sheet on all of them: nobody checks them here, they have the size that they have."""
    one = practice.secured(number=1)
    return tuple(replace(one, content=canonical(practice.sheet(number=number))) for number in range(1, SHEETS + 1))


def made(sheets: tuple[SecuredInvoice, ...]) -> Lot:
    return make_lots(sheets, on=date(2026, 3, 3), numbers=numbers(LotKind.FSE))[0]


def seconds(work: Callable[[], object]) -> float:
    """The best of a few turns."""
    found = []
    for _ in range(TURNS):
        start = time.thread_time()  # the processor's: others are at work too
        work()
        found.append(time.thread_time() - start)
    return min(found)


def bare(data: bytes) -> None:
    hashlib.sha256(data).digest()
    cipher = Cipher(algorithms.AES256(bytes(32)), modes.CBC(bytes(16))).encryptor()
    cipher.update(data + bytes(-len(data) % 16))


def test_a_large_lot(
    practice: Practice, sheets: tuple[SecuredInvoice, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    body = body_identity("013490349", pki(), keys(), Validity(date(2026, 1, 1), date(2026, 12, 31)))
    grouped = seconds(lambda: made(sheets))
    lot = made(sheets)
    connection = practice.access.connect("Bench TL 1 0")
    signing = seconds(lambda: LotSeries.on(connection, practice.clock).format(lot, PIN))
    lot = LotSeries.on(connection, practice.clock).format(lot, PIN)
    encoding = seconds(lambda: encode_lot(lot))
    sealing = seconds(lambda: make_file([lot], body.certificate))
    file = make_file([lot], body.certificate)
    opening = seconds(lambda: open_file(file, body.key, body.certificate))
    assert open_file(file, body.key, body.certificate) == (lot,)
    reference = seconds(lambda: bare(file.data))
    shaped = records(lot)
    writing, reading = seconds(lambda: records(lot)), seconds(lambda: read_records(shaped))
    few = SHEETS // 10
    # Another small lot each turn: opened twice, its zones would be remembered, which those of a large one are not.
    small = iter([make_file([made(sheets[at : at + few])], body.certificate) for at in range(0, TURNS * few, few)])
    growth = (opening / SHEETS) / (seconds(lambda: open_file(next(small), body.key, body.certificate)) / few)
    with capsys.disabled():
        print(f"\n  a lot of {SHEETS} sheets, {len(file.data):,} bytes; SHA-256 + AES-256: {reference * 1e3:.1f} ms")
        for what, spent in (
            ("grouped", grouped),
            ("signed by the card", signing),
            ("encoded", encoding),
            ("encoded and sealed", sealing),
            ("opened and read", opening),
            ("written as records", writing),
            ("records read", reading),
        ):
            rate, times = SHEETS / spent, spent / reference
            print(f"  {what:22} {spent * 1e3:8.1f} ms {rate:9.0f} sheets/s {times:7.1f} x the reference")
        print(f"  a sheet opened in a lot of {SHEETS} against {few}: {growth:.2f} (at most {FLAT})", end="")
    assert sealing < MOST * reference
    assert opening < MOST * reference
    assert growth < FLAT
