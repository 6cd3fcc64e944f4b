"""What the reference program does with the two cards: reads both, takes the code, signs a sheet of the laboratory.

``FAULTS`` are what it can be told to do wrong, each at one place below.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from bifente.simulator.software.reference.pcsc import (
    EXCLUSIVE,
    LEAVE,
    RESET,
    SHARED,
    CardLine,
    PcscError,
    PcscStation,
)

_CPS, _VITALE = bytes.fromhex("e828bd080f8025000001ff0010"), bytes.fromhex("d250000002564954414c45")
_OK, _BLOCKED = 0x9000, 0x6983
_FEW, _STORM = 2, 40
_PACE = 0.2
"""Seconds between two attempts at a card that somebody else holds."""
_HELPED = 0.4
"""Seconds that a helper is given to do its work."""
_IDLE = 1.2
"""Seconds that the idle faults let pass: the user has gone for a coffee."""


class UserToldError(Exception):
    """What the user is told."""


class Desk:
    """The program's state: its dialogues, whose cards they are, what is on its screen."""

    def __init__(self, faults: Collection[str] = ()) -> None:
        self.faults = frozenset(faults)
        self.screen: list[str] = []
        self.failed = False
        self._station = PcscStation()
        self._lines: dict[str, CardLine] = {}
        self._holder = self._patient = ""
        self._code = ""
        self._helpers: list[subprocess.Popen[bytes]] = []

    # -- what the user does -------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Read both cards, and show whose they are."""
        self._holder = self._read_holder()
        self._patient = self._read_patient()
        self._say(f"CPS {self._holder}", f"Vitale {self._patient}")

    def login(self, code: str) -> None:
        """Take the code that the user typed, and present it once."""
        self._code = code
        self._leak(code)
        if "code-to-unknown-card" in self.faults:
            self._drop("cps")
        with self._card("cps") as line:
            if "code-to-unknown-card" not in self.faults and "changed-card-not-met" not in self.faults:
                self._select(line, _CPS)
            self._present(line, code)
        if "replays-code" in self.faults:
            self._verify(self._line("cps"), code)

    def sign(self) -> None:
        """Sign a sheet for the patient whose card is in, both cards read again at that moment."""
        patient = self._patient
        if "swapped-patient" not in self.faults:
            patient = self._read_patient()
        if self._patient and patient != self._patient:
            self._refuse("la Vitale a changé : relire")
        with self._card("cps") as line:
            if "signs-unread" not in self.faults:
                self._select(line, _CPS)
                if "identity-not-read-again" not in self.faults:
                    holder = self._identity(line)
                    careless = "ignores-silence" in self.faults and not holder
                    if self._holder and holder != self._holder and not careless:
                        self._refuse("la CPS a changé : relire, puis taper le code")
            self._sign(line, f"feuille {self._holder} {patient}".encode()[:40])
        self._say("feuille signée")

    def login_and_sign(self, code: str) -> None:
        """The two in one."""
        try:
            self.login(code)
        except UserToldError:
            if "goes-on-after-refusal" not in self.faults:
                raise
        self.sign()

    def idle(self) -> None:
        """The user has gone for a coffee."""
        if "idle-transaction" in self.faults:
            self._line("cps").begin()
            self._send(self._line("cps"), bytes.fromhex("00a4040c0d") + _CPS)
        # Time itself, and nothing asked of the service meanwhile: that is what whoever watches is to see.
        time.sleep(_IDLE)
        if "idle-transaction" in self.faults:
            self._line("cps").end()

    def close(self) -> None:
        """Log out, leave the cards and the service."""
        if "crashes" in self.faults and self.failed:
            ctypes.string_at(0)
        if "transaction-left" in self.faults:
            self._line("cps").begin()
            os._exit(0)
        for line in self._lines.values():
            try:
                line.close(LEAVE if "no-logout" in self.faults else RESET)
            except PcscError:
                continue
        if self._helpers:
            self._station.wait(_HELPED)
        self._station.leave()
        while "does-not-end" in self.faults:
            signal.pause()

    # -- cards --------------------------------------------------------------------------------------------------------

    def _read_holder(self) -> str:
        with self._card("cps") as line:
            self._select(line, _CPS)
            return self._identity(line)

    def _identity(self, line: CardLine) -> str:
        self._send(line, bytes.fromhex("00a40904063f000001d110"))
        return self._must(line, bytes.fromhex("00b000001f"))[11:16].hex()

    def _read_patient(self) -> str:
        with self._card("vitale") as line:
            self._select(line, _VITALE)
            if "ignores-selection" in self.faults:
                self._raw(line, bytes.fromhex("00a40204022fff"))
                self._raw(line, bytes.fromhex("00b0000010"))
            return self._must(line, bytes.fromhex("00b0830000"))[4:].decode("ascii", "replace")

    def _select(self, line: CardLine, application: bytes) -> None:
        self._must(line, bytes([0x00, 0xA4, 0x04, 0x0C, len(application)]) + application)

    def _present(self, line: CardLine, code: str) -> None:
        left = None
        if not self.faults & {"hides-last-try", "code-to-blocked-card", "code-to-unknown-card", "changed-card-not-met"}:
            left = self._tries(line)
            if left == 0:
                self._refuse("carte bloquée : la débloquer avec le code de déblocage")
            if left == 1:
                self._say("attention, dernier essai : il reste 1 essai")
        sw = self._verify(line, code)
        if sw != _OK and "repeats-refused-code" in self.faults:
            sw = self._verify(line, code)
        if sw == _OK:
            self._say("code accepté")
            return
        self._code = ""
        if self.faults & {"silent-refusal", "hides-last-try"}:
            return
        self._refuse("carte bloquée" if sw == _BLOCKED else f"code refusé, il reste {sw & 0xF} essai(s)")

    def _tries(self, line: CardLine) -> int | None:
        _data, sw = self._send(line, bytes.fromhex("0020000100"))
        if sw == _BLOCKED:
            return 0
        return sw & 0xF if sw >> 4 == 0x63C else None

    def _verify(self, line: CardLine, code: str) -> int:
        return self._send(line, bytes([0x00, 0x20, 0x00, 0x01, len(code)]) + code.encode())[1]

    def _sign(self, line: CardLine, content: bytes) -> None:
        last = bytes([0x90, 0x00, 0x80, len(content)]) + content
        for command in ("002241aa03800140", f"002a90a0{len(last):02x}{last.hex()}", "002241b606800142840181"):
            self._must(line, bytes.fromhex(command))
        self._must(line, bytes.fromhex("002a9e9a00"))

    # -- commands -----------------------------------------------------------------------------------------------------

    def _must(self, line: CardLine, command: bytes) -> bytes:
        data, sw = self._send(line, command)
        if sw != _OK and not self.faults & {"ignores-61", "ignores-6c", "goes-on-after-refusal", "signs-unread"}:
            self._refuse(f"la carte refuse ({sw:04X})")
        return data

    def _send(self, line: CardLine, command: bytes) -> tuple[bytes, int]:
        """A command as T=0 wants it: sent again with the right length, what waits is fetched."""
        data, sw = self._raw(line, command)
        if sw >> 8 == 0x6C and "ignores-6c" not in self.faults:
            data, sw = self._raw(line, command[:4] + bytes([sw & 0xFF]))
        while sw >> 8 == 0x61 and "ignores-61" not in self.faults:
            more, sw = self._raw(line, bytes([0x00, 0xC0, 0x00, 0x00, sw & 0xFF]))
            data += more
        return data, sw

    def _raw(self, line: CardLine, command: bytes) -> tuple[bytes, int]:
        attempts = 8 if "storms-mute-card" in self.faults else 1
        if "speaks-to-gone-card" in self.faults:
            attempts = 4
        for attempt in range(attempts):
            try:
                answer = line.transmit(command)
            except PcscError as error:
                self.failed = True
                if "ignores-silence" in self.faults:
                    return b"", _OK
                if attempt == attempts - 1:
                    for role in [role for role, kept in self._lines.items() if kept is line]:
                        self._drop(role)
                    self._refuse(f"la carte ne répond pas ({error.code:08X})")
            else:
                return answer[:-2], int.from_bytes(answer[-2:], "big")
        raise AssertionError("no attempt")

    @contextmanager
    def _card(self, role: str) -> Iterator[CardLine]:
        line = self._line(role)
        try:
            line.begin()
        except PcscError as error:
            # The card was changed or reset: it is met anew.
            if "speaks-to-gone-card" in self.faults:
                yield line
                return
            self._drop(role)
            careless = self.faults & {"changed-card-not-met", "identity-not-read-again"}
            if role == "cps" and self._code and not careless:
                self._refuse(f"la carte a changé ({error.code:08X}) : relire, puis taper le code")
            line = self._line(role)
            line.begin()
        try:
            yield line
        finally:
            try:
                line.end()
            except PcscError:
                self._drop(role)

    def _drop(self, role: str) -> None:
        if (line := self._lines.pop(role, None)) is not None:
            try:
                line.close(RESET)
            except PcscError:
                return

    def _line(self, role: str) -> CardLine:
        if role not in self._lines:
            share = EXCLUSIVE if "exclusive-idle" in self.faults and role == "cps" else SHARED
            self._lines[role] = self._connected(self._found(role), share)
        return self._lines[role]

    def _found(self, role: str) -> str:
        """The reader whose card this is, by its ATR: the slots have no order."""
        for _ in range(_STORM if "polls-empty-reader" in self.faults else 1):
            for seen in self._station.look():
                if seen.present and (b"VITALE" in seen.atr or seen.atr.startswith(b"\x3b\x75")) == (role == "vitale"):
                    return seen.name
        self._refuse("insérer la carte " + ("Vitale" if role == "vitale" else "CPS"))
        raise AssertionError("refused")

    def _connected(self, reader: str, share: int) -> CardLine:
        attempts = _STORM if "storms-busy-card" in self.faults else _FEW
        for attempt in range(attempts):
            try:
                return self._station.connect(reader, share)
            except PcscError as error:
                if attempt == attempts - 1:
                    self._refuse(f"la carte n'est pas libre ({error.code:08X})")
                if "storms-busy-card" not in self.faults:
                    self._station.wait(_PACE)
        raise AssertionError("no attempt")

    # -- the user -----------------------------------------------------------------------------------------------------

    def _say(self, *lines: str) -> None:
        self.screen += lines

    def _refuse(self, why: str) -> None:
        self._say(why)
        raise UserToldError(why)

    def _leak(self, code: str) -> None:
        # A helper that lives as long as this program: it waits for the end of its input.
        wait = ("sh", "-c", "read -r _")
        if "code-in-arguments" in self.faults:
            self._helpers.append(subprocess.Popen([*wait, "helper", "--pin", code], stdin=subprocess.PIPE))
        if "code-in-environment" in self.faults:
            told = {**os.environ, "CPS_CODE": code}
            self._helpers.append(subprocess.Popen(wait, env=told, stdin=subprocess.PIPE))
        if "code-in-output" in self.faults:
            sys.stderr.write(f"debug: VERIFY {code}\n")
        if "code-in-file" in self.faults:
            Path(tempfile.gettempdir(), "reference.log").write_text(f"login code={code}\n", encoding="utf-8")


FAULTS = (
    *("repeats-refused-code", "replays-code", "hides-last-try", "code-to-blocked-card", "code-to-unknown-card"),
    *("goes-on-after-refusal", "silent-refusal", "exclusive-idle", "idle-transaction", "transaction-left"),
    *("storms-busy-card", "no-logout", "ignores-6c", "ignores-61", "ignores-silence", "storms-mute-card"),
    *("polls-empty-reader", "speaks-to-gone-card", "ignores-selection", "crashes", "does-not-end"),
    *("changed-card-not-met", "identity-not-read-again", "signs-unread", "swapped-patient"),
    *("code-in-arguments", "code-in-environment", "code-in-output", "code-in-file"),
)
"""What the program can be told to do wrong."""

ACTIONS: dict[str, Callable[..., None]] = {
    "read": Desk.read,
    "login": Desk.login,
    "sign": Desk.sign,
    "login-and-sign": Desk.login_and_sign,
    "idle": Desk.idle,
}
"""What a user can do; ``login`` and ``login-and-sign`` take a code."""
