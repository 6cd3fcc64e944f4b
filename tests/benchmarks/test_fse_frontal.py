"""A large lot of sheets through the front end, beside the bare RSA verifications that it cannot do without.

Ratios alone are asserted, absolute figures belong to the machine: what a sheet costs against its signatures, and what
it costs once the front end knows 100,000 numbers against 100.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmark_tools import sized
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from frontal_bench import Bench

from bifente.simulator.formats.fse.model import ArlKind, LotKind, SecuredInvoice
from bifente.simulator.services.frontal.ledger import ItemState, Ledger

pytestmark = pytest.mark.long

SHEETS = sized(1000, 200)
KNOWN = (100, *(() if sized(0, 1) else (10_000,)), 100_000)
TURNS = sized(3, 2)

MOST = 60
"""A sheet costs this many times the verification of its two signatures at most; about 18 when written. Most of the rest
is reading and writing its zones strictly, sheet by sheet."""
FLAT = 3.0
"""What a sheet costs with the most numbers known, against the fewest, at most."""


@pytest.fixture(scope="module")
def sheets() -> tuple[SecuredInvoice, ...]:
    bench = Bench()
    return tuple(bench.secured(number) for number in range(1, SHEETS + 1))


def seconds(work: Callable[[], object]) -> float:
    start = time.thread_time()  # the processor's: others are at work too
    work()
    return time.thread_time() - start


def knowing(count: int, path: Path) -> Path:
    """The ledger of a front end that knows so many numbers of this sender already: none of those of the lot."""
    ledger = Ledger(path)
    with ledger.at_once():
        for number in range(SHEETS + 1, SHEETS + 1 + count):
            ledger.set_item("991000019", LotKind.FSE, number, ItemState.SETTLED)
    ledger.close()
    return path


def bare(sheets: tuple[SecuredInvoice, ...], bench: Bench) -> float:
    """The signatures alone, keys in hand."""
    professional = bench.cps.certificates["signature"].public_key()
    insured = bench.vitale.certificates["signature"].public_key()
    assert isinstance(professional, RSAPublicKey)
    assert isinstance(insured, RSAPublicKey)

    def verify() -> None:
        for sheet in sheets:
            for key, signature in ((insured, sheet.insured), (professional, sheet.professional)):
                assert signature is not None
                key.verify(signature.value, sheet.content, padding.PKCS1v15(), hashes.SHA256())

    return seconds(verify)


def test_a_large_lot(sheets: tuple[SecuredInvoice, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    costs: dict[int, list[float]] = {count: [] for count in KNOWN}
    reference = []
    written = {count: knowing(count, tmp_path / f"{count}.sqlite") for count in KNOWN}
    for turn in range(TURNS):
        for count in KNOWN:
            copied = Path(shutil.copy(written[count], tmp_path / f"{turn}-{count}.sqlite"))
            bench = Bench(ledger=Ledger(copied))
            frontal = bench.frontal
            file = bench.file(bench.lot(*sheets))
            answers: list[ArlKind] = []
            cost = seconds(lambda: answers.extend(arl.kind for arl in frontal.submit(*file)))  # noqa: B023
            assert answers == [ArlKind.POSITIVE]
            costs[count].append(cost / SHEETS)
            reference.append(bare(sheets, bench) / SHEETS)
    best = {count: min(values) for count, values in costs.items()}
    with capsys.disabled():
        print(f"\n  a sheet's two RSA signatures, bare: {min(reference) * 1e6:.0f} us")
        for count, cost in best.items():
            print(
                f"  {SHEETS} sheets with {count:>7,} numbers known: {1 / cost:,.0f}/s, {cost * 1e6:.0f} us a sheet,"
                f" {cost / min(reference):.1f} x bare"
            )
    assert best[KNOWN[0]] / min(reference) < MOST
    assert best[KNOWN[-1]] / best[KNOWN[0]] < FLAT
