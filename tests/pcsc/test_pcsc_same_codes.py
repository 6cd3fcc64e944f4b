"""In process, through a real pcscd and through the bench's own service, situation by situation: the same codes.

A difference has a reason; the bench's own service has none but those that are written for it.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from libraries import MACHINE, Library, checked, libraries, named

from bifente.ground.clock import VirtualClock, WallClock
from bifente.simulator.pcsc import EchoCard, PrivatePcscd
from bifente.simulator.pcsc.discovery import Installation
from bifente.simulator.pcsc.own.service import OwnPcsc
from bifente.simulator.readers import (
    Context,
    Disposition,
    Handle,
    PcscCode,
    PcscService,
    Protocol,
    Reader,
    ScardError,
    Share,
)

HERE = Path(__file__).parent
SITUATIONS: dict[str, list[Any]] = yaml.safe_load((HERE / "situations.yaml").read_text(encoding="utf-8"))
SHARES = {"exclusive": Share.EXCLUSIVE, "shared": Share.SHARED, "direct": Share.DIRECT}
HOW = {"leave": Disposition.LEAVE, "reset": Disposition.RESET, "unpower": Disposition.UNPOWER}
PROTOCOLS = {"none": Protocol.NONE, "T0": Protocol.T0, "T1": Protocol.T1}
SELECT = bytes.fromhex("00A40000023F00")
PATIENCE, BLOCKED = 60.0, 0.5
"""Seconds that a call may take on the slowest machine, and after which one that is to block is believed to."""


def calls(situation: str, side: str = "code") -> Iterator[tuple[str, str]]:
    """Each call and the code on one side: of the model in process ("code"), of "pcscd", or of our "own" service."""
    for line in SITUATIONS[situation]:
        (call, told), *_ = line.items()
        told = told if isinstance(told, dict) else {"code": told}
        if told.keys() - {"code"}:
            assert told["reason"], "a difference says why"
            assert told["pcscd"] != told["code"] or told.get("own", told["pcscd"]) != told["pcscd"]
        pcscd = told.get("pcscd") or told["code"]
        yield call, {**told, "pcscd": pcscd, "own": told.get("own", pcscd)}[side]


# -- in process -----------------------------------------------------------------------------------------------------


class Application:
    """The calls of one application in process, named as its script names them."""

    def __init__(self, service: PcscService) -> None:
        self._service = service
        self._handle: Handle | None = None
        self._context: Context = service.establish()

    @property
    def handle(self) -> Handle:
        assert self._handle is not None
        return self._handle

    def establish(self) -> None:
        self._context = self._service.establish()

    def connect(self, reader: str, share: str, protocols: str = "") -> None:
        asked = PROTOCOLS.get(protocols, Protocol.ANY)
        self._handle = self._context.connect(NAMES[reader], SHARES[share], asked)

    def transmit(self) -> None:
        self.handle.transmit(SELECT)

    def control(self) -> None:
        self.handle.control(0x42000000 + 3400, b"")

    def status(self) -> None:
        self.handle.status()

    def begin(self) -> None:
        self.handle.begin()

    def end(self, how: str) -> None:
        self.handle.end(HOW[how])

    def reconnect(self, share: str, how: str) -> None:
        self.handle.reconnect(SHARES[share], HOW[how])

    def disconnect(self, how: str) -> None:
        self.handle.close(HOW[how])

    def look(self, reader: str) -> None:
        self._context.status_change({NAMES[reader]: 0})

    def list(self) -> None:
        self._context.readers()

    def release(self) -> None:
        self._context.release()


NAMES = {"card": "TL 0", "empty": "TL 1", "nowhere": "TL 9"}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_in_process(situation: str) -> None:
    reader = Reader.of("TL", ["TL 0", "TL 1"], VirtualClock())
    card = EchoCard()
    reader.slots[0].insert(card)
    service = PcscService([reader], VirtualClock())
    hand = {"remove": reader.slots[0].remove, "insert": lambda: reader.slots[0].insert(card), "stop": service.stop}
    applications = {who: Application(service) for who in ("A", "B")}
    for number, (call, expected) in enumerate(calls(situation)):
        who, what, *words = call.split()
        try:
            hand[what]() if who == "hand" else getattr(applications[who], what)(*words)
            code = "OK"
        except ScardError as error:
            code = PcscCode.label(error.code)
        assert code == expected, f"{situation}, call {number}: {call}"


# -- through a service -----------------------------------------------------------------------------------------------


class Live:
    """One service and one client process for all situations; the one that stops it comes last."""

    def __init__(self, service: type[PrivatePcscd] | type[OwnPcsc], library: Library = MACHINE) -> None:
        self.reader = Reader.of("Situations TL", ["a", "b"], WallClock())
        self.card = EchoCard()
        self.reader.slots[0].insert(self.card)
        self.service = service.start([self.reader])
        names = dict(zip(("card", "empty"), self.service.reader_names, strict=True)) | {"nowhere": "Nowhere 00 00"}
        self._client = subprocess.Popen(
            library.command(sys.executable, "-P", str(HERE / "situations_client.py"), json.dumps(names)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={
                "PATH": os.defpath,
                "PCSCLITE_NO_BLOCKING": "1",
                **library.environment,
                **self.service.environment,
            },
        )
        assert self.ask("hand", "insert") == 0

    def ask(self, *words: str, patience: float = PATIENCE) -> int | None:
        assert self._client.stdin is not None
        assert self._client.stdout is not None
        self._client.stdin.write(json.dumps([patience, *words]).encode() + b"\n")
        self._client.stdin.flush()
        assert select.select([self._client.stdout], [], [], 2 * PATIENCE)[0], f"no answer to {words}"
        return cast("int | None", json.loads(self._client.stdout.readline()))

    def hand(self, what: str) -> int | None:
        if what == "stop":
            self.service.close()
            return 0
        if what == "remove":
            self.reader.slots[0].remove()
        else:
            self.reader.slots[0].insert(self.card)
        return self.ask("hand", what)

    def close(self) -> None:
        self._client.kill()
        self._client.wait()
        for pipe in (self._client.stdin, self._client.stdout):
            assert pipe is not None
            pipe.close()
        self.service.close()


@pytest.fixture(scope="module")
def pcscd(installation: Installation) -> Iterator[Live]:
    live = Live(PrivatePcscd)
    yield live
    live.close()


@pytest.fixture(scope="module", params=libraries(), ids=named)
def own(request: pytest.FixtureRequest, pyscard: None) -> Iterator[Live]:
    live = Live(OwnPcsc, checked(request.param))
    yield live
    live.close()
    assert not live.service.defects


LAST = sorted(SITUATIONS, key=lambda name: name == "stopped")


@pytest.mark.parametrize("situation", LAST)
def test_through_pcscd(situation: str, pcscd: Live) -> None:
    check(situation, pcscd, "pcscd")


@pytest.mark.parametrize("situation", LAST)
def test_through_our_own_service(situation: str, own: Live) -> None:
    check(situation, own, "own")


def check(situation: str, live: Live, side: str) -> None:
    assert live.ask("new", "") == 0
    if live.reader.slots[0].card is None:
        assert live.hand("insert") == 0
    for number, (call, expected) in enumerate(calls(situation, side)):
        who, what, *words = call.split()
        patience = BLOCKED if expected == "BLOCKS" else PATIENCE
        code = live.hand(what) if who == "hand" else live.ask(who, what, *words, patience=patience)
        said = "BLOCKS" if code is None else "OK" if code == 0 else PcscCode.label(code)
        assert said == expected, f"{situation}, call {number}: {call}"
