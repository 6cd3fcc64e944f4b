"""Every fault of the catalogue strikes, gives each code it promises, and leaves the bench usable once it is gone."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator

import pytest
from ssv_bench import CPS_SLOT, PIN, VITALE_SLOT, Desk, cps, vitale

from bifente.simulator.fault import Fault, Undo
from bifente.simulator.faults import catalogue
from bifente.simulator.iso7816.card import Card
from bifente.simulator.middleware.galss import Application, GalssServer, SlotName, for_pcsc, generate
from bifente.simulator.middleware.galss.faults import inject_galss
from bifente.simulator.middleware.ssv import Ssv
from bifente.simulator.pki.keystore import MemoryKeys
from bifente.simulator.readers import Connection, PcscCode, ScardError
from bifente.simulator.readers.faults import Mechanism, Spot, inject
from bifente.simulator.readers.wireless import Platform, Terminal, TerminalParameters
from bifente.simulator.readers.wireless.faults import TerminalSpot
from bifente.simulator.readers.wireless.faults import inject as inject_wireless
from bifente.simulator.services.cloudfsv import Bearers, CloudFsv, Function, laboratory_key

FILE = generate(for_pcsc([SlotName("cps", CPS_SLOT), SlotName("vitale", VITALE_SLOT)]))
READ = bytes.fromhex("00B0000001")
VERIFY = bytes.fromhex("0020000104") + PIN.encode()
SELECT = bytes.fromhex("00A4040C0DE828BD080F8025000001FF0010")


class World:
    """A desk with both cards, a GALSS beside, a terminal around the slots for the faults that need one."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.desk = Desk(cps(), vitale("famille-trois"))
        desk = self.desk
        self.terminal: Terminal | None = None
        self.platform = Platform(desk.clock, TerminalParameters(), random.Random(1))
        self.token = ""
        if "wireless" in fault.needs:
            slots = {"cps": desk.cps_slot, "vitale": desk.vitale_slot}
            self.terminal = Terminal(slots, self.platform, random.Random(1))
            self.platform.pair(self.terminal.id)
            self.reopen()
        self.server = GalssServer(desk.access, desk.clock, FILE)
        self.application = Application(self.server, "software", desk.resources.patience)
        self.galss = Ssv(self.application, desk.clock, random=random.Random(3).randbytes)
        self.galss.init_lib()

    def reopen(self) -> None:
        assert self.terminal is not None
        self.token = self.terminal.open_session()

    def strike(self, slot: str = CPS_SLOT) -> Undo:
        if self.fault.room == "galss":
            return inject_galss(self.fault, self.server, self.application)
        if self.fault.room == "wireless":
            assert self.terminal is not None
            return inject_wireless(self.fault, TerminalSpot(self.terminal, self.reopen))
        desk = self.desk
        spot = Spot(
            slot=desk.slots[slot],
            clock=desk.clock,
            slots=desk.slots,
            rival=lambda share: desk.access.connect(slot, share),
            another_card=lambda parameters: self._another_card(slot),
            service=desk.service,
        )
        return inject(self.fault, spot)

    def _another_card(self, slot: str) -> Undo:
        before = self.desk.slots[slot].remove()
        self.desk.slots[slot].insert(made(self.fault))

        def undo() -> None:
            self.desk.slots[slot].remove()
            self.desk.slots[slot].insert(before)

        return undo

    def handle(self, slot: str = CPS_SLOT) -> Connection:
        """A new dialogue of an application that starts now."""
        return self.desk.service.establish().connect(slot)

    def check_usable(self) -> None:
        """Everything works again: a dialogue, the SSV functions with and without the GALSS."""
        self.desk.access = self.desk.service.establish()
        handle = self.handle()
        assert handle.reset(cold=True)
        assert handle.transmit(SELECT)[-2:] == b"\x90\x00"
        handle.disconnect()
        fresh = Desk.__new__(Desk)
        fresh.__dict__ |= self.desk.__dict__
        fresh.resources = type(self.desk.resources)(self.desk.access, self.desk.clock)
        fresh.ssv = fresh.library()
        fresh.ssv.init_lib()
        assert fresh.holder().code == 0
        assert fresh.rights().code == 0
        self.server.access = self.desk.access
        assert self.galss.lire_carte_ps("CPS", "Vitale", PIN).code == 0
        assert self.desk.cps_slot.reachable
        assert self.desk.cps_slot.interference is None or self.terminal is not None


def made(fault: Fault) -> Card:
    name = fault.parameters.get("template", "medecin-generaliste")
    changed = json.loads(json.dumps(fault.parameters.get("parameters", {})))
    return vitale(name.removeprefix("vitale/"), **changed) if name.startswith("vitale/") else cps(name, **changed)


# -- one proof for each level at which a fault can promise a code -----------------------------------------------------

AT_THE_NEXT_CONNECTION = {Mechanism.REMOVED, Mechanism.DEAD, Mechanism.HELD, Mechanism.SERVICE}


def pcsc(world: World) -> str:
    """The first PC/SC failure that an application meets, which was in dialogue already if the fault lets it be."""
    if world.fault.mechanism in AT_THE_NEXT_CONNECTION:
        world.strike()
        with pytest.raises(ScardError) as met:
            world.handle()
        return PcscCode(met.value.code).name
    handle = world.handle()
    world.strike()
    for _ in range(3):
        try:
            handle.transmit(READ)
        except ScardError as error:
            return PcscCode(error.code).name
    return "none"


def sw(world: World) -> int:
    world.strike()
    handle = world.handle()
    handle.transmit(SELECT)
    return int.from_bytes(handle.transmit(VERIFY)[-2:], "big")


def galss(world: World) -> int:
    assert world.galss.lire_carte_ps("CPS", "Vitale", PIN).code == 0
    world.strike()
    return int(world.galss.lire_carte_ps("CPS", "Vitale", PIN).code)


def ssv_ps(world: World) -> int:
    if world.fault.mechanism == "forget-code":
        return remembered_code(world)
    world.strike()
    return world.desk.holder().code


def ssv_vitale(world: World) -> int:
    world.strike(VITALE_SLOT)
    return world.desk.rights().code


def remembered_code(world: World) -> int:
    """The reading service of a terminal, which needs no code once one was right."""
    assert world.terminal is not None
    bearers = Bearers(world.desk.clock, laboratory_key(MemoryKeys()), random.Random(1))
    service = CloudFsv(world.platform, bearers, world.desk.clock)
    service.serve(world.terminal, world.desk.ssv)

    def call(body: bytes) -> int:
        return service.call(
            Function.LIRE_CARTE_PS, bearer=bearers.issue(), access=world.token, terminal=world.terminal.id, body=body
        ).code

    assert call(b'{"codePorteur": "1234"}') == 0
    assert call(b"{}") == 0
    world.strike()
    return call(b"{}")


PROOFS: dict[str, Callable[[World], object]] = {
    "pcsc": pcsc,
    "sw": sw,
    "galss": galss,
    "ssv_ps": ssv_ps,
    "ssv_vitale": ssv_vitale,
}
ONLY_SLOW = {"card-late", "slow-line", "narrow-band"}


AT_THE_WORKSTATION = [one for one in catalogue().values() if one.room in ("readers", "wireless", "galss")]
"""The rest strikes services: see ``test_faults_services``."""


def promises() -> Iterator[object]:
    for fault in AT_THE_WORKSTATION:
        for level in PROOFS:
            if getattr(fault.codes, level) is not None:
                yield pytest.param(fault, level, id=f"{fault.id}-{level}")


@pytest.mark.parametrize(("fault", "level"), list(promises()))
def test_a_fault_gives_the_code_it_promises(fault: Fault, level: str) -> None:
    assert PROOFS[level](World(fault)) == getattr(fault.codes, level)


@pytest.mark.parametrize("fault", AT_THE_WORKSTATION, ids=lambda fault: fault.id)
def test_the_bench_is_usable_once_the_fault_is_gone(fault: Fault) -> None:
    slot = VITALE_SLOT if fault.codes.ssv_ps is None and fault.mechanism == Mechanism.CARD else CPS_SLOT
    world = World(fault)
    undo = world.strike(slot)
    for call in (world.desk.rights, world.desk.holder, lambda: world.galss.lire_carte_ps("CPS", "Vitale", PIN)):
        call()  # whatever they give
    undo()
    world.check_usable()


def test_every_fault_promises_something_or_is_only_slow() -> None:
    silent = {one.id for one in AT_THE_WORKSTATION if all(getattr(one.codes, level) is None for level in PROOFS)}
    assert silent == ONLY_SLOW


@pytest.mark.parametrize("identifier", sorted(ONLY_SLOW))
def test_a_slow_fault_takes_time_and_changes_nothing(identifier: str) -> None:
    world = World(catalogue()[identifier])
    untouched = World(catalogue()[identifier]).desk.holder()
    undo = world.strike()
    began = world.desk.clock.monotonic()
    assert world.desk.holder() == untouched
    assert world.desk.clock.monotonic() - began > 0.1
    undo()
    before = world.desk.clock.monotonic()
    assert world.desk.holder().code == 0
    assert world.desk.clock.monotonic() == before
