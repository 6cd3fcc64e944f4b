"""The ANS Cryptolib CPS, unmodified: the software every CPS workstation in the field relies on.

It cannot be distributed with this project. The tests that need it run when ``BIFENTE_CRYPTOLIB`` is the path of the
library (version 5.2.2 for Linux was used to write them). It keeps a cache of card files in a folder of the machine:
here each test gives it an empty one of its own, in the mount namespace of the private pcscd.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from clients_bench import PIN, Bench, CardMaker, Specimen, Talker, tool

VARIABLE = "BIFENTE_CRYPTOLIB"
MOUNTED = ("/etc/opt", "/var/opt")
"""Folders of the machine that the module works in."""

# Answers of the module, as PKCS#11 numbers them.
OK = "0x0"
GENERAL_ERROR, ARGUMENTS_BAD, ATTRIBUTE_READ_ONLY, ATTRIBUTE_TYPE_INVALID = "0x5", "0x7", "0x10", "0x12"
DATA_LEN_RANGE, FUNCTION_NOT_SUPPORTED, KEY_TYPE_INCONSISTENT, MECHANISM_INVALID = "0x21", "0x54", "0x63", "0x70"
PIN_INCORRECT, PIN_LEN_RANGE, PIN_LOCKED = "0xa0", "0xa2", "0xa4"
SESSION_HANDLE_INVALID, SESSION_READ_ONLY, NOT_LOGGED_IN = "0xb3", "0xb5", "0x101"
BAD_UPDATE = "0x80000001"

# Flags of a token.
COUNT_LOW, FINAL_TRY, LOCKED, SO_COUNT_LOW = 0x10000, 0x20000, 0x40000, 0x100000

MESSAGE = b"Feuille de soins TEST"

FREE = {"CPS_DATA", "CPS_ID_CARD", "CPS_NAME_PS", "CPS_LANG_PS", "CPS_INFO_PS"}
NUMBERS = (1, 2, 5)
"""Exercise situations of the practitioner's card: the hole in the numbers must hide nothing."""
PROTECTED = {"CPS_SIT_FACT"} | {f"CPS{side}_ACTIVITY_{number:02}_PS" for number in NUMBERS for side in ("", "2TER")}


def needs_cryptolib() -> None:
    """Skip a whole module, saying so once. For its first lines."""
    if not os.environ.get(VARIABLE):
        reason = f"needs the ANS Cryptolib CPS: set {VARIABLE} to the path of libcps3_pkcs11_lux.so"
        pytest.skip(reason, allow_module_level=True)


@dataclass(frozen=True, slots=True)
class Family:
    """What the module makes of the cards of a family, and what it sends them.

    Commands are the beginnings of APDUs in hexadecimal: ``sign`` is PSO of the signature key, ``authenticate`` what the
    authentication key is used by, ``decipher`` its chained form; ``change`` the new code after the good old one.
    """

    name: str
    serial: str
    label: str
    manufacturer: str
    mechanisms: tuple[int, ...]
    free: frozenset[str]
    cla: str
    sign: str
    authenticate: tuple[str, ...]
    change: tuple[str, ...]
    puk_tries: int
    longest: int
    """Bytes that the authentication key signs at most; one more and the module answers ``too_long``."""
    too_long: str

    @property
    def verify(self) -> str:
        """A code that is presented; an empty VERIFY is another command."""
        return f"{self.cla}20000104"


CPS3 = Family(
    name="cps3",
    serial="99000001",
    label="CPS3v3-9900000001",
    manufacturer="ASIP SANTE",
    # RSA-PKCS, RSA-X-509, SHA1-RSA-PKCS, SHA256-RSA-PKCS, SHA-1, SHA-256: neither SHA-512 nor PSS.
    mechanisms=(0x01, 0x03, 0x06, 0x40, 0x220, 0x250),
    free=frozenset(FREE),
    cla="00",
    sign="002a9e9a",
    authenticate=("00880000",),
    change=(f"0024000108{b'12344321'.hex()}",),
    puk_tries=10,
    longest=102,
    too_long=DATA_LEN_RANGE,
)
CPS4 = Family(
    name="cps4",
    serial="99400001",
    label="CPS4v1-9900000001",
    manufacturer="NXP",
    # The same and RSA-PKCS-PSS, SHA1-RSA-PKCS-PSS, SHA256-RSA-PKCS-PSS.
    mechanisms=(0x01, 0x03, 0x06, 0x0D, 0x0E, 0x40, 0x43, 0x220, 0x250),
    free=frozenset(FREE | {f"CPS2TER_{name}" for name in ("ATR", "ID", "ICC", "NAME", "LANG", "PSINFO", "DIRAMO")}),
    cla="01",
    sign="012a9e9a",
    authenticate=("112a8086", "012a8086"),
    change=(f"0120000104{b'1234'.hex()}", f"0124010104{b'4321'.hex()}"),
    puk_tries=3,
    longest=245,
    too_long=ARGUMENTS_BAD,
)


class Module:
    """Orders to the module; each one says which answer is due."""

    def __init__(self, talker: Talker) -> None:
        self._talker = talker

    def ask(self, order: str, **values: Any) -> dict[str, Any]:
        """An order whose answer the test judges."""
        answer: dict[str, Any] = self._talker.ask(order, **values)
        return answer

    def do(self, order: str, due: str = OK, **values: Any) -> dict[str, Any]:
        answer = self.ask(order, **values)
        assert answer["rv"] == due, f"{order}: {answer}"
        return answer

    def read(self, label: str) -> bytes:
        return bytes.fromhex(self.do("read", label=label)["data"])

    def sign(self, key: str, mechanism: str, data: bytes, *, pieces: int = 0, pss: str = "") -> bytes:
        answer = self.do("sign", key=key, mechanism=mechanism, data=data.hex(), pieces=pieces, pss=pss)
        return bytes.fromhex(answer["data"])

    def labels(self, kind: str) -> set[str]:
        # Some labels of the module end with a zero.
        return {label.rstrip("\0") for label in self.do("labels", kind=kind)["labels"]}

    def flags(self, slot: int = 0) -> int:
        """What the token says of its codes."""
        return int(self.do("token", slot=slot)["flags"]) & (COUNT_LOW | FINAL_TRY | LOCKED | SO_COUNT_LOW)


class Cryptolib:
    """The module, a bench whose cards it sees, and its cache."""

    def __init__(self, bench: Bench, library: Path, cache: Path, family: Family, make: CardMaker) -> None:
        self.bench, self.library, self.cache, self.family, self._make = bench, library, cache, family, make

    def tool(self, *options: str | Path) -> list[str | Path]:
        return [tool("pkcs11-tool"), "--module", self.library, *options]

    def make(self, template: str = "medecin-generaliste", **overrides: Any) -> Specimen:
        """Another card of the family of this test; CPS_DATA is there on a CPS4 too, unlike on real ones (CL-SRC-09)."""
        if self.family.name == "cps4":
            overrides = {**overrides, "options": {"cps_data": "modifiable", **overrides.get("options", {})}}
        return self._make(template, **{"family": self.family.name, **overrides})

    def seat(self, template: str = "medecin-generaliste", **overrides: Any) -> Specimen:
        """Put another card of the family in the slot."""
        return self.bench.seat(self.make(template, **overrides))

    def key(self, role: str) -> str:
        """CKA_ID of a key of the seated card."""
        return self.bench.seated.key_id(role)

    @contextmanager
    def module(self, *, open_session: bool = True, login: bool = False) -> Iterator[Module]:
        """The module in a process of its own; by default with a session open on the card."""
        with self.bench.talk("raw_pkcs11.py", self.library) as talker:
            module = Module(talker)
            if open_session or login:
                module.do("open")
            if login:
                module.do("login", code=PIN)
            yield module

    def make_the_card_forget_the_code(self) -> None:
        """Behind the module's back."""
        card = self.bench.seated.card
        if self.family.name == "cps3":
            card.reset()
        else:  # a reset would close the channel too; the selection of the application does not
            card.transmit(bytes.fromhex("01A4040C088025000001FF0100"))

    def cached(self) -> set[str]:
        return {path.name for path in self.cache.iterdir()}

    def forget(self) -> None:
        """Empty the cache."""
        for file in self.cache.iterdir():
            file.unlink()
