"""The SSV functions that format and tell in words, for programs: C and ctypes, zones as in process, refusals."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bifente.conformance.bench.cards import Workshop
from bifente.conformance.model import CardChoice
from bifente.conformance.observation.ssv_words import traduire_arl, traduire_fse
from bifente.conformance.observation.standing import Standing, Wanted
from bifente.ground.clock import WallClock
from bifente.simulator.formats.fse.canonical import canonical
from bifente.simulator.formats.fse.lots import decode_lot, encode_lot
from bifente.simulator.formats.fse.model import Arl, ArlKind, CardSignature, Invoice, Lot, LotKind, Rejection
from bifente.simulator.formats.fse.returns import encode_return
from bifente.simulator.formats.fse.securing.codec import decode_secured, encode_secured
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.middleware.ssv import Ssv
from bifente.simulator.middleware.ssv.line import PS, Line
from bifente.simulator.middleware.ssv.professional import ProfessionalCard
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.software.billing.formatting import Formatting
from bifente.simulator.software.billing.making import Care, invoice_from
from bifente.simulator.software.billing.professional import Settings
from bifente.simulator.tarification.deadlines import civil_day
from bifente.simulator.tarification.requests import ActRequest

CODE = "1234"
PROGRAM = r"""
#include "ssv.h"
#include <stdio.h>
#include <stdlib.h>
static void shown(unsigned code, const void *zone, size_t size) {
    printf("%04X ", code);
    for (size_t at = 0; at < size; at++) printf("%02x", ((const unsigned char *)zone)[at]);
    putchar('\n');
}
int main(int count, char **files) {
    static unsigned char sheet[65536];
    void *secured[4], *lots[4], *words;
    size_t sizes[4], lot_sizes[4], size;
    int16_t number = 0;
    if (SSV_InitTrace(files[1], "w", 0, 1) || SSV_InitLIB()) return 1;
    for (int at = 2; at < count; at++) {
        FILE *file = fopen(files[at], "rb");
        size = fread(sheet, 1, sizeof sheet, file);
        fclose(file);
        unsigned code = SSV_FormaterFactures("CPS", "Vitale", "1234", '1', '3', sheet, size, &secured[at - 2],
                                             &sizes[at - 2]);
        shown(code, secured[at - 2], sizes[at - 2]);
        if (code) return 2;
    }
    unsigned code = SSV_FormaterLot("CPS", "Vitale", "1234", count - 2, secured, sizes, &number, lots, lot_sizes);
    if (number != 1) return 3;
    shown(code, lots[0], lot_sizes[0]);
    code = SSV_TraduireFSE(secured[0], sizes[0], &words, &size);
    shown(code, words, size);
    SSV_LibererZoneMem(words);
    SSV_LibererZoneMem(words);
    return SSV_TermLIB();
}
"""
HOSTILE = """
import ctypes, random, sys, threading
library, count = ctypes.CDLL(sys.argv[1]), int(sys.argv[2])
given = [open(name, "rb").read() for name in sys.argv[3:]]
library.SSV_LibererZoneMem.restype = None
C, P, S = ctypes.c_char, ctypes.c_void_p, ctypes.c_size_t
library.SSV_InitLIB()
seen = set()
def run(seed):
    chance = random.Random(seed)
    text = lambda: chance.choice([None, b"", b"CPS", b"Vitale", b"x" * 5000, bytes([chance.randrange(1, 256)]) * 9])
    right = lambda: chance.choice([text(), b"1234"])
    def zone():
        data = bytearray(chance.choice(given))
        if chance.random() < 0.8: data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        if chance.random() < 0.2: data = data[:chance.randrange(len(data))]
        held = ctypes.create_string_buffer(bytes(data), len(data) or 1)
        size = chance.choice([len(data)] * 5 + [0, 1 << 20, (1 << 20) + 1, 1 << 40, (1 << 64) - 1])
        return held, chance.choice([ctypes.addressof(held)] * 8 + [None, 16]), size
    for _ in range(count):
        out, size = P(), S()
        a, b = chance.choice([ctypes.byref(out)] * 5 + [None]), chance.choice([ctypes.byref(size)] * 5 + [None])
        held, at, length = zone()
        others = [zone() for _ in range(3)]
        pointers, sizes = (P * 3)(*(one[1] for one in others)), (S * 3)(*(one[2] for one in others))
        outs, out_sizes, number = (P * 3)(), (S * 3)(), ctypes.c_int16()
        n = ctypes.c_int16(chance.choice([1, 1, 2, 3, 3, 0, -1, 257, 32767, -32768]))
        zones = (n, chance.choice([pointers] * 8 + [None]), chance.choice([sizes] * 8 + [None]))
        which = chance.randrange(5)
        if which == 0:
            how = C(chance.choice(b"0123459\\0")), C(chance.choice(b"012345\\xff"))
            code = library.SSV_FormaterFactures(text(), text(), right(), *how, P(at), S(length), a, b)
        elif which == 1:
            last = chance.choice([(ctypes.byref(number), outs, out_sizes)] * 4 + [(None, outs, out_sizes)])
            code = library.SSV_FormaterLot(text(), text(), right(), *zones, *last)
        elif which == 2: code = library.SSV_TraduireARL(*zones, a, b)
        elif which == 3: code = library.SSV_TraduireFSE(P(at), S(length), a, b)
        else: code = library.SSV_InitTrace(text(), text(), 1, chance.randrange(2))
        seen.add(code & 0xFFFF)
        for one in (out, *(P(one) for one in outs)):
            if chance.random() < 0.7: library.SSV_LibererZoneMem(one); library.SSV_LibererZoneMem(one)
threads = [threading.Thread(target=run, args=(seed,)) for seed in range(2)]
for one in threads: one.start()
for one in threads: one.join()
print(library.SSV_TermLIB(), *sorted(f"{one:04X}" for one in seen))
"""
BUSY = """
import ctypes, sys
library, zone = ctypes.CDLL(sys.argv[1]), open(sys.argv[2], "rb").read()
out, size = ctypes.c_void_p(), ctypes.c_size_t()
how = ctypes.c_char(b"1"), ctypes.c_char(b"3"), zone, ctypes.c_size_t(len(zone))
codes = [library.SSV_InitLIB()]
for _ in range(4):
    given = ctypes.byref(out), ctypes.byref(size)
    codes.append(library.SSV_FormaterFactures(b"CPS", b"Vitale", b"1234", *how, *given))
print([*codes, library.SSV_TermLIB()])
"""


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    workshop = Workshop(KeyStore())
    cards = {"cps": CardChoice(template="medecin-generaliste"), "vitale": CardChoice(template="vitale/assure-seul")}
    with Standing(Wanted(profile="readers/generic-bislot", cards=cards, workshop=workshop)) as stood:
        yield stood


@pytest.fixture(scope="module")
def invoices(standing: Standing) -> tuple[Invoice, Invoice]:
    """Two sheets of what the cards hold."""
    clock = WallClock()
    resources = FullPcsc(standing.device.bench.access, clock)
    ssv = Ssv(resources, clock)
    ssv.init_lib()
    today = civil_day(clock.now())
    ps = ssv.lire_carte_ps("CPS", "Vitale", CODE)
    vitale = ssv.lire_droits_vitale("CPS", "Vitale", CODE, f"{today:%Y%m%d}")
    pair = resources.pair("CPS", "Vitale")
    number = ProfessionalCard(Line(pair.ps(), PS, clock)).identity.card_number or ""
    pair.release()

    def made(rank: int) -> Invoice:
        return invoice_from(
            ps.zone,
            vitale.zone,
            [ActRequest("G", today)],
            number=rank,
            on=today,
            situation=1,
            settings=Settings("01", "1", "30", "01"),
            care=Care(care_path="T"),
            card_number=number,
        )

    return made(1), made(2)


class InProcess:
    """The same library, called as Python calls it."""

    def __init__(self, standing: Standing) -> None:
        clock = WallClock()
        resources = FullPcsc(standing.device.bench.access, clock)
        self.ssv = Ssv(resources, clock)
        self.ssv.init_lib()
        self.formatting = Formatting(self.ssv, resources, clock)

    def secured(self, invoice: Invoice) -> bytes:
        answer = self.formatting.formater_factures("CPS", "Vitale", CODE, "1", "3", canonical(invoice))
        assert answer.code == 0, answer.detail
        return answer.zone


def at(signature: CardSignature | None, other: CardSignature | None) -> CardSignature:
    """A signature at the moment of another: the workstation tells it, no card signs it."""
    assert signature is not None
    assert other is not None
    return replace(signature, moment=other.moment)


def sheet_at(zone: bytes, seen: bytes) -> bytes:
    mine, other = decode_secured(zone), decode_secured(seen)
    return encode_secured(
        replace(mine, insured=at(mine.insured, other.insured), professional=at(mine.professional, other.professional))
    )


def ran(library: Path, standing: Standing, script: str, *arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, library, *arguments],
        env={**os.environ, **standing.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def loaded(library: Path, standing: Standing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ctypes.CDLL:
    """A library of its own in this process: one copy of the file for each test."""
    for name, value in standing.environment.items():
        monkeypatch.setenv(name, value)
    found = ctypes.CDLL(str(shutil.copy(library, tmp_path / "own.so")))
    for name in ("SSV_InitLIB", "SSV_FormaterFactures", "SSV_FormaterLot", "SSV_TraduireARL", "SSV_TraduireFSE"):
        found[name].restype = ctypes.c_uint16
    assert found.SSV_InitLIB() == 0
    return found


def one_out(function: Any, *given: Any) -> tuple[int, bytes]:
    zone, size = ctypes.c_void_p(), ctypes.c_size_t()
    code = function(*given, ctypes.byref(zone), ctypes.byref(size))
    return code, ctypes.string_at(zone.value, size.value) if zone.value else b""


def array(zones: list[bytes]) -> tuple[Any, Any, Any]:
    held = (ctypes.c_char_p * len(zones))(*zones)
    return ctypes.c_int16(len(zones)), held, (ctypes.c_size_t * len(zones))(*map(len, zones))


def lots_of(loaded: ctypes.CDLL, code: bytes | None, zones: list[bytes]) -> tuple[int, list[bytes]]:
    number, outs, sizes = ctypes.c_int16(-1), (ctypes.c_void_p * len(zones))(), (ctypes.c_size_t * len(zones))()
    done = loaded.SSV_FormaterLot(b"CPS", b"Vitale", code, *array(zones), ctypes.byref(number), outs, sizes)
    return done, [ctypes.string_at(outs[rank] or 0, sizes[rank]) for rank in range(number.value)]


def factures(loaded: ctypes.CDLL, zone: bytes, wanted: bytes = b"1", mode: bytes = b"3") -> tuple[int, bytes]:
    how = ctypes.c_char(wanted), ctypes.c_char(mode)
    return one_out(loaded.SSV_FormaterFactures, b"CPS", b"Vitale", b"1234", *how, zone, ctypes.c_size_t(len(zone)))


def test_a_c_program_formats_sheets_and_a_lot_byte_for_byte(
    library: Path, standing: Standing, invoices: tuple[Invoice, Invoice]
) -> None:
    folder = library.parent
    (folder / "program.c").write_text(PROGRAM, encoding="utf-8")
    sheets = [folder / "1.zone", folder / "2.zone"]
    for file, invoice in zip(sheets, invoices, strict=True):
        file.write_bytes(canonical(invoice))
    command: list[str | Path] = [
        shutil.which("cc") or "gcc",
        f"-I{folder}",
        folder / "program.c",
        "-o",
        folder / "program",
        library,
    ]
    assert subprocess.run([*command, f"-Wl,-rpath,{folder}"], check=False).returncode == 0
    environment = {**os.environ, **standing.environment}
    trace = folder / "trace.txt"
    done = subprocess.run(
        [folder / "program", trace, *sheets], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    told = [line.partition(" ") for line in done.stdout.splitlines()]
    assert [code for code, _, _ in told] == ["0000"] * 4
    first, second, lot, words = (bytes.fromhex(zone) for _, _, zone in told)

    here = InProcess(standing)
    mine = [here.secured(invoice) for invoice in invoices]
    assert [sheet_at(zone, seen) for zone, seen in zip(mine, (first, second), strict=True)] == [first, second]
    answer = here.formatting.formater_lot("CPS", "Vitale", CODE, [first, second])
    assert answer.code == 0
    own, other = decode_lot(answer.zones[0]), decode_lot(lot)
    assert encode_lot(replace(own, signature=at(own.signature, other.signature))) == lot
    assert (other.number, other.body, len(other.invoices)) == ("000", invoices[0].body, 2)
    assert traduire_fse(here.ssv, first).zone == words
    assert "Signature de l'assuré" in words.decode("cp1252")
    assert trace.read_text(encoding="ascii").splitlines() == [
        "SSV_InitLIB 0000",
        f"SSV_FormaterFactures 0000 {len(first)}",
        f"SSV_FormaterFactures 0000 {len(second)}",
        f"SSV_FormaterLot 0000 {len(lot)}",
        f"SSV_TraduireFSE 0000 {len(words)}",
        "SSV_TermLIB 0000",
    ]


def test_the_record_tells_the_calls_and_no_code(
    loaded: ctypes.CDLL, standing: Standing, invoices: tuple[Invoice, Invoice]
) -> None:
    assert factures(loaded, canonical(invoices[0]))[0] == 0
    call = [one for one in standing.events() if getattr(one, "function", "") == "SSV_FormaterFactures"][-1]
    size = len(canonical(invoices[0]))
    assert call.arguments == {"first": "CPS", "second": "Vitale", "zones": f"1, {size} bytes"}


def test_lots_of_one_library_are_one_series(loaded: ctypes.CDLL, invoices: tuple[Invoice, Invoice]) -> None:
    first, second = (factures(loaded, canonical(invoice))[1] for invoice in invoices)
    assert lots_of(loaded, None, [first]) == (0xFF21, [])
    done = [lots_of(loaded, b"1234", [first]), lots_of(loaded, None, [second])]
    assert [code for code, _ in done] == [0, 0]
    assert [decode_lot(lots[0]).number for _, lots in done] == ["000", "001"]
    assert (loaded.SSV_TermLIB(), loaded.SSV_InitLIB()) == (0, 0)
    assert lots_of(loaded, None, [first])[0] == 0xFF21


def test_two_programs_at_once_number_their_own_lots(
    loaded: ctypes.CDLL, library: Path, invoices: tuple[Invoice, Invoice], tmp_path: Path
) -> None:
    other = ctypes.CDLL(str(shutil.copy(library, tmp_path / "other.so")))
    other.SSV_FormaterLot.restype = ctypes.c_uint16
    sheet = factures(loaded, canonical(invoices[0]))[1]
    assert lots_of(other, b"1234", [sheet]) == (0xF600, [])
    assert other.SSV_InitLIB() == 0
    lots = [lots_of(one, b"1234", [sheet])[1] for one in (loaded, other)]
    assert [decode_lot(lot[0]).number for lot in lots] == ["000", "000"]


def test_two_programs_at_the_same_moment_wait_for_the_cards(
    library: Path, standing: Standing, invoices: tuple[Invoice, Invoice], tmp_path: Path
) -> None:
    (tmp_path / "sheet").write_bytes(canonical(invoices[0]))
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", BUSY, library, tmp_path / "sheet"],
            env={**os.environ, **standing.environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [program.communicate()[0] for program in programs] == ["[0, 0, 0, 0, 0, 0]\n"] * 2


@pytest.mark.parametrize(("wanted", "mode"), [(b"0", b"3"), (b"2", b"3"), (b"1", b"5"), (b"1", b"\0")])
def test_another_kind_or_mode_than_the_sheet_says_is_bad_input(
    loaded: ctypes.CDLL, invoices: tuple[Invoice, Invoice], wanted: bytes, mode: bytes
) -> None:
    assert factures(loaded, canonical(invoices[0]), wanted, mode) == (0xF802, b"")


def test_what_is_no_sheet_or_not_signed_is_bad_input(loaded: ctypes.CDLL, invoices: tuple[Invoice, Invoice]) -> None:
    whole = canonical(invoices[0])
    assert factures(loaded, whole[:-1]) == (0xF802, b"")
    assert lots_of(loaded, b"1234", [whole]) == (0xF802, [])
    sheet = factures(loaded, whole)[1]
    half = encode_secured(replace(decode_secured(sheet), insured=None))
    assert lots_of(loaded, b"1234", [half]) == (0xF802, [])
    assert lots_of(loaded, b"1234", [sheet, sheet]) == (0xF802, [])
    assert one_out(loaded.SSV_TraduireFSE, whole, ctypes.c_size_t(len(whole))) == (0xF802, b"")


def test_a_wrong_code_signs_nothing(loaded: ctypes.CDLL, standing: Standing, invoices: tuple[Invoice, Invoice]) -> None:
    zone = canonical(invoices[0])
    how = ctypes.c_char(b"1"), ctypes.c_char(b"3")
    wrong = one_out(loaded.SSV_FormaterFactures, b"CPS", b"Vitale", b"0000", *how, zone, ctypes.c_size_t(len(zone)))
    assert wrong == (0xF003, b"")
    assert factures(loaded, zone)[0] == 0


def arl(lot: Lot) -> bytes:
    rejections = (Rejection("signature", "la signature du lot n'est pas la bonne", None, "lot"),)
    return encode_return(
        Arl(
            ArlKind.NEGATIVE,
            "F001",
            "0123456789abcdef" * 4,
            lot.sender,
            lot.body,
            LotKind.FSE,
            lot.number,
            "013490349-000001",
            lot.on,
            lot.on,
            rejections,
        )
    )


SOME_LOT = Lot(LotKind.FSE, "004", "991129768", "013490349", date(2026, 3, 3))


def test_acknowledgements_in_words_are_those_in_process(loaded: ctypes.CDLL, standing: Standing) -> None:
    returns = [arl(SOME_LOT), arl(replace(SOME_LOT, number="005"))]
    code, words = one_out(loaded.SSV_TraduireARL, *array(returns))
    assert (code, words) == (0, traduire_arl(InProcess(standing).ssv, returns).zone)
    text = words.decode("cp1252")
    assert text.startswith("BIFENTE LABORATOIRE")
    assert ["004" in text, "005" in text] == [True, True]
    assert one_out(loaded.SSV_TraduireARL, *array([returns[0], b"x"])) == (0xF802, b"")


def test_a_trace_is_kept_only_as_asked(loaded: ctypes.CDLL, tmp_path: Path) -> None:
    file = tmp_path / "trace.txt"
    asked = [
        (b"", b"w"),
        (bytes(file), b"r"),
        (bytes(file), b"w+"),
        (bytes(tmp_path / "none" / "t"), b"w"),
        (None, b"a"),
    ]
    assert [loaded.SSV_InitTrace(name, mode, 0, 1) & 0xFFFF for name, mode in asked] == [0xF802] * 5
    assert not file.exists()
    assert loaded.SSV_InitTrace(bytes(file), b"a", 0, 1) == 0
    loaded.SSV_TermLIB()
    assert loaded.SSV_InitTrace(bytes(file), b"a", 0, 0) == 0
    loaded.SSV_InitLIB()
    assert file.read_text(encoding="ascii") == "SSV_TermLIB 0000\nSSV_InitTrace 0000\n"


def test_hostile_calls_of_the_formatting_functions_harm_neither_side(
    library: Path, standing: Standing, invoices: tuple[Invoice, Invoice], tmp_path: Path
) -> None:
    here = InProcess(standing)
    zones = {"sheet": canonical(invoices[0]), "secured": here.secured(invoices[0]), "arl": arl(SOME_LOT)}
    for name, zone in zones.items():
        (tmp_path / name).write_bytes(zone)
    count = int(os.environ.get("BIFENTE_HOSTILE", "4000")) // 2
    told = ran(library, standing, HOSTILE, str(count), *(tmp_path / name for name in zones)).split()
    assert told[0] == "0"
    assert {"0000", "F802"} <= set(told[1:])
    assert "F600" not in told
    assert standing.bench.service.alive
    assert here.formatting.formater_factures("CPS", "Vitale", CODE, "1", "3", zones["sheet"]).code == 0
