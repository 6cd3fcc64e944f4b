"""The standing judge of the cards: the ANS's own PKCS#11 acceptance program, unmodified, behind the real Cryptolib.

It can be distributed with this project no more than the library. It runs where ``BIFENTE_ACCEPTANCE`` is its path and
``BIFENTE_CRYPTOLIB`` that of the library (version 5.2.2 for Linux was used). Due is what it wrote of real cards: the
same tests in the same order, each with the same return code (sources#cryptolib-source).
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from clients_bench import PIN, Bench, CardMaker, tool
from cryptolib_tools import MOUNTED, needs_cryptolib

VARIABLE = "BIFENTE_ACCEPTANCE"

if not os.environ.get(VARIABLE):
    pytest.skip(f"needs the ANS's acceptance program: set {VARIABLE} to its path", allow_module_level=True)
needs_cryptolib()


_ROW = re.compile(r"<tr><td>\s*(\d+)</td><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td><td[^>]*>(.*?)</td>")
_BUSINESS, _HASH_AND_SIGN, _TECHNICAL, _PSS = 9, 10, 11, 13


@dataclass(frozen=True, slots=True)
class Due:
    """What is due of one card: its token's label, how many results each hundred of test numbers has, and their witness,
    SHA-256 over lines ``number,CKR_...`` in the order of the run.

    The two witnesses with contact are those of real cards. Of a real card without contact only counts are public: its
    witness is that of a run where the program found every code as it wants it.
    """

    label: str
    sections: Mapping[int, int]
    witness: str
    card: Mapping[str, Any] = field(default_factory=dict)


_CONTACT = {0: 12, 1: 26, 2: 23, 3: 19, 4: 9, 5: 18, 6: 44, 7: 38, 8: 20, _HASH_AND_SIGN: 29, 12: 2}
CARDS = {
    "cps3": Due(
        "CPS3v3-9900000001",
        {**_CONTACT, _BUSINESS: 28},
        "62e8a88da0e9c8e767fdc91c7a6d037a25cfde46c8d8f1e72db06d0a99b8dcf2",
    ),
    "cps4": Due(
        "CPS4v1-9900000001",
        {**_CONTACT, _BUSINESS: 24, _PSS: 12},
        "0501f04b769331644e17e2e3a2f5d88024c945584357ce5810ad662adc963980",
        {"family": "cps4"},
    ),
    "cps3-contactless": Due(
        "CPS3v3_CL",
        {0: 12, 1: 26, 2: 23, 3: 16, 6: 35, 7: 34, 8: 20, _BUSINESS: 3, _HASH_AND_SIGN: 3, _TECHNICAL: 27, 12: 2},
        "250c1e211e811ae1e476db70ec24c9432c578e972ce49bb0a43345ef58a6a7b7",
        {"options": {"interface": "contactless"}},
    ),
}


@pytest.mark.parametrize("name", CARDS)
def test_the_program_finds_what_it_finds_on_a_real_card(
    chain: None, make: CardMaker, library: Path, tmp_path: Path, name: str
) -> None:
    due, program = CARDS[name], Path(os.environ[VARIABLE]).resolve()
    mounts = [(tmp_path.joinpath(folder.strip("/")), Path(folder)) for folder in MOUNTED]
    for source, target in mounts:
        if not target.is_dir():
            pytest.skip(f"needs the folder {target}, to hide it behind a private one")
        source.joinpath("santesocial/CPS/cache").mkdir(parents=True)
        source.joinpath("santesocial/CPS/log").mkdir()
    with Bench(make(**due.card), tmp_path, mounts=mounts) as bench:
        bench.behind = (*bench.pcscd.enter, tool("env"), f"--chdir={tmp_path}")
        # It loads the library by its name, and waits twice for the return key.
        done = bench.run([program, "/cps3", "/c", PIN], text="\n" * 20, env={"LD_LIBRARY_PATH": str(library.parent)})
    (report,) = tmp_path.glob("Resultats_*.HTML")
    rows = _ROW.findall(report.read_text(encoding="latin-1"))
    wrong = [(number, what, wanted, given) for number, what, wanted, given, verdict in rows if verdict != "OK"]
    assert not wrong, done.text[-2000:]
    assert due.label in report.name
    assert Counter(int(number) // 100 for number, *_ in rows) == Counter(due.sections)
    lines = "".join(f"{int(number)},{given}\n" for number, _what, _wanted, given, _verdict in rows)
    assert hashlib.sha256(lines.encode()).hexdigest() == due.witness
