"""What the tests with real clients share: a private pcscd with one card in it, and how to run a client there."""

from __future__ import annotations

import hashlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding

from bifente.ground.clock import WallClock
from bifente.simulator.cards.cpx.personalise import PersonalisedCard
from bifente.simulator.iso7816.card import Card
from bifente.simulator.iso7816.engine import SmartCard
from bifente.simulator.pcsc import BridgedExchange, ExchangeKind, PrivatePcscd
from bifente.simulator.pcsc.own.service import OwnPcsc
from bifente.simulator.readers import Reader, Slot

HERE = Path(__file__).parent
PATIENCE = 120.0
"""Seconds for a client that hangs: none of them needs one."""

PIN, PUK = "1234", "12345678"
SIG_ID, AUT_ID = "e828bd080f8025000001ff001001", "e828bd080f8025000001ff001002"
KEY_IDS = {
    "cps3": {"signature": SIG_ID, "authentication": AUT_ID},
    "cps4": {"signature": "e828bd080f8025000001ff001010", "authentication": "e828bd080f8025000001ff001020"},
}
"""What clients know the keys and certificates of a card by (CKA_ID)."""

_PACKAGES = {
    "opensc-tool": "opensc",
    "pkcs15-tool": "opensc",
    "pkcs15-crypt": "opensc",
    "pkcs11-tool": "opensc",
    "iasecc-tool": "opensc",
    "gnutls-cli": "gnutls-bin",
    "p11tool": "gnutls-bin",
    "pcsc_scan": "pcsc-tools",
    "scriptor": "pcsc-tools",
    "chipcard-tool": "libchipcard-tools",
    "ykman": "yubikey-manager",
    "ssh-keygen": "openssh-client",
    "ssh-add": "openssh-client",
    "ssh-agent": "openssh-client",
    "systemd-cryptenroll": "systemd",
    "nsenter": "util-linux",
    "java": "default-jre-headless",
    "javac": "default-jdk-headless",
    "Xvfb": "xvfb",
    "certutil": "libnss3-tools",
    "modutil": "libnss3-tools",
}


def tool(name: str) -> str:
    """The path of a program, or a skip that says which package has it."""
    if (found := shutil.which(name)) is None:
        pytest.skip(f"needs {name} (apt-get install {_PACKAGES.get(name, name)})")
    return found


def shared_object(what: str, package: str, *patterns: str) -> Path:
    """A library found where Debian puts it, or a skip that says which package has it."""
    for pattern in patterns:
        for folder in ("usr/lib", "usr/lib64", "usr/local/lib"):
            if found := sorted(Path("/", folder).glob(pattern)):
                return found[0]
    pytest.skip(f"needs {what} (apt-get install {package})")


def opensc_module() -> Path:
    """OpenSC's PKCS#11 module."""
    return shared_object("OpenSC's PKCS#11 module", "opensc-pkcs11", "*/opensc-pkcs11.so", "opensc-pkcs11.so")


@dataclass(frozen=True, slots=True)
class Specimen:
    """A card ready for the slot, with all that is known of it."""

    made: PersonalisedCard
    card: SmartCard

    def public_key(self, role: str) -> RSAPublicKey:
        key = self.made.certificates[role].public_key()
        assert isinstance(key, RSAPublicKey)
        return key

    def key_id(self, role: str) -> str:
        return KEY_IDS[self.made.template.family][role]

    @property
    def tries(self) -> tuple[int, int]:
        """Tries left of the holder code and of the unblocking code."""
        secrets = self.card.state().secrets
        return secrets["pin"].tries_left, secrets["puk"].tries_left


CardMaker = Callable[..., Specimen]
"""Gives a fresh card of a template by its name; keyword arguments replace values of the template."""


class Disturbed:
    """A card that answers some commands by a status word of ours, without the card inside hearing of them."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self._rule: tuple[str, bytes, range] = ("", b"", range(0))
        self._met = 0
        self.answered = 0
        """How often it gave an answer of ours."""

    def answer(self, status: str, to: str, *, nth: int = 1, times: int = 1) -> None:
        """From now on: ``status`` to the ``nth`` command whose hexadecimal begins with ``to``, ``times`` in a row."""
        self._rule = to, bytes.fromhex(status), range(nth, nth + times)
        self._met = self.answered = 0

    @property
    def atr(self) -> bytes:
        return self._card.atr

    def power_on(self) -> bytes:
        return self._card.power_on()

    def power_off(self) -> None:
        self._card.power_off()

    def reset(self) -> bytes:
        return self._card.reset()

    def transmit(self, command: bytes) -> bytes:
        header, status, when = self._rule
        if command.hex().startswith(header):
            self._met += 1
            if self._met in when:
                self.answered += 1
                return status
        return self._card.transmit(command)


@dataclass(frozen=True, slots=True)
class Done:
    """A client that has ended. ``text`` is all it said, ``cost`` the APDUs it made the card answer."""

    code: int
    out: str
    text: str
    seconds: float
    cost: int


class Bench:
    """One PC/SC service (ours, or a private pcscd), a reader with a card in it. A context manager.

    ``mounts`` exist behind a private pcscd only.
    """

    def __init__(
        self, first: Specimen, folder: Path, mounts: Sequence[tuple[Path, Path]] = (), *, own: bool = False
    ) -> None:
        self.exchanges: list[BridgedExchange] = []
        self.folder = folder
        reader = Reader.of("Bifente CPS", ["fente 1", "fente 2"], WallClock())
        self.slot, self.other_slot = reader.slots  # the other one stays empty unless a test fills it
        self.slot.insert(first.card)
        self.seated = first
        self.behind: tuple[str, ...] = ()
        # The user's own settings must not decide what OpenSC does here.
        (folder / "opensc.conf").write_text("app default { }\n", encoding="utf-8")
        self.pcscd: PrivatePcscd | OwnPcsc
        if own:
            self.pcscd = OwnPcsc.start([reader], observer=self.exchanges.append)
        else:
            self.pcscd = PrivatePcscd.start([reader], observer=self.exchanges.append, mounts=mounts)
        try:
            self.name, self.other_name = (self.pcscd.name_of(slot) for slot in reader.slots)
            self.wait({self.name: "present"})
        except BaseException:
            self.pcscd.close()
            raise

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.pcscd.close()

    @property
    def environment(self) -> dict[str, str]:
        """All that a client is told: nothing of the user's own environment but the way to its programs."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(self.folder),
            "OPENSC_CONF": str(self.folder / "opensc.conf"),
            **self.pcscd.environment,
        }

    def wait(self, states: Mapping[str, str]) -> None:
        """Until clients see each of these readers in the state asked for."""
        with self.client() as client:
            client.ask("wait", states=states)

    def seat(self, specimen: Specimen) -> Specimen:
        """Another card in the slot; the record starts anew.

        Without the wait of a real insertion, unless the ATR is another: pcscd only asks for it then.
        """
        if self.slot.card is None or self.slot.card.atr != specimen.card.atr:
            if self.slot.card is not None:
                self.slot.remove()
                self.wait({self.name: "empty"})
            self.slot.insert(specimen.card)
            self.wait({self.name: "present"})
        else:
            self.slot.replace(specimen.card)
        self.seated = specimen
        self.forget()
        return specimen

    def disturb(self) -> Disturbed:
        """The card in the slot, seated anew, whose answers can be changed."""
        disturbed = Disturbed(self.seated.card)
        self.slot.replace(disturbed)
        self.forget()
        return disturbed

    def forget(self) -> None:
        """Start the record of exchanges anew."""
        self.exchanges.clear()

    @contextmanager
    def faultless(self) -> Iterator[None]:
        """Inside, the card must not break its contract: a client would only see a status word."""
        before = len(self.pcscd.defects)
        yield
        assert not self.pcscd.defects[before:]

    def commands(self, *headers: str, slot: Slot | None = None) -> list[str]:
        """The APDUs the card got since ``forget``, in hexadecimal; only those that begin with one of ``headers``.

        Those of both slots unless ``slot`` says which.
        """
        exchanges = [item for item in tuple(self.exchanges) if slot is None or item.slot == slot.name]
        sent = [item.command.hex() for item in exchanges if item.kind is ExchangeKind.APDU]
        return [command for command in sent if not headers or command.startswith(headers)]

    def answers(self, header: str) -> list[str]:
        """The status words of the APDUs that begin with ``header``."""
        return [item.response[-2:].hex() for item in tuple(self.exchanges) if item.command.hex().startswith(header)]

    def trace(self) -> str:
        """The record in words, for a failed assertion."""
        return "\n".join(f"{item.kind.value} {item.command.hex()} -> {item.response.hex()}" for item in self.exchanges)

    def run(self, command: Sequence[str | Path], *, text: str = "", env: Mapping[str, str] | None = None) -> Done:
        """Run a client to its end. ``text`` is what it reads on its standard input."""
        before, started = len(self.commands()), time.perf_counter()
        done = subprocess.run(
            [*self.behind, *map(str, command)],
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PATIENCE,
            env={**self.environment, **(env or {})},
            cwd=self.folder,
            check=False,
        )
        seconds, cost = time.perf_counter() - started, len(self.commands()) - before
        return Done(done.returncode, done.stdout, done.stdout + done.stderr, seconds, cost)

    def ok(self, command: Sequence[str | Path], *, text: str = "", env: Mapping[str, str] | None = None) -> Done:
        """Run a client that must succeed."""
        done = self.run(command, text=text, env=env)
        assert done.code == 0, f"{command[0]} ended with {done.code}\n{done.text}\n{self.trace()}"
        return done

    def refused(self, command: Sequence[str | Path], because: str, *, env: Mapping[str, str] | None = None) -> Done:
        """Run a client that must fail, and say why."""
        done = self.run(command, env=env)
        assert done.code != 0, f"{command[0]} succeeded\n{done.text}\n{self.trace()}"
        assert because in done.text, f"{command[0]}: {because!r} not in\n{done.text}\n{self.trace()}"
        return done

    @contextmanager
    def talk(self, script: str, *arguments: str | Path) -> Iterator[Talker]:
        """A client of ours that takes orders, in a process of its own."""
        command = [*self.behind, sys.executable, "-P", str(HERE / script), *map(str, arguments)]
        talker = Talker(command, self.environment)
        try:
            yield talker
        finally:
            talker.close()

    def client(self) -> Any:
        """pyscard in a process of its own: libpcsclite keeps for ever the first socket name it was given."""
        return self.talk("raw_pcsc.py")


class Talker:
    """The other end of a script that takes orders, one JSON object a line, and answers in the same way."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._orders, self._answers = self._process.stdin, self._process.stdout
        self._rest = b""

    def ask(self, order: str, **values: Any) -> Any:
        """Give an order and wait for its answer."""
        self._orders.write(json.dumps({"do": order, **values}).encode() + b"\n")
        self._orders.flush()
        return self.hear()

    def hear(self, patience: float = PATIENCE) -> Any:
        """The next line the script says, asked or not."""
        deadline = time.monotonic() + patience
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            ready = left > 0 and select.select([self._answers], [], [], left)[0]
            assert ready, "the client said nothing in time"
            chunk = os.read(self._answers.fileno(), 65536)
            assert chunk, "the client has died"
            self._rest += chunk
        line, self._rest = self._rest.split(b"\n", 1)
        return json.loads(line)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._orders.close()
        self._answers.close()


def write_pem(path: Path, *certificates: x509.Certificate) -> Path:
    """Certificates in a file, as TLS clients and servers take them."""
    path.write_bytes(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates))
    return path


def digest_info(message: bytes) -> bytes:
    """The SHA-256 of a message as PKCS#1 v1.5 has it signed: what a client gives to a key that does not hash."""
    return bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(message).digest()
