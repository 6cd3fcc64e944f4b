"""The whole chain with a real pcscd, vpcd and PC/SC clients."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from pcsc_tools import PATIENCE, Client, FakeReader, MuteCard, ScriptedCard, new_reader, new_slot

from bifente.simulator.pcsc import (
    BridgedExchange,
    DefectKind,
    EchoCard,
    ExchangeKind,
    Link,
    PcscdError,
    PrivatePcscd,
    SlotBridge,
    doctor,
    vpcd,
)
from bifente.simulator.pcsc.detectors import LinkVerdict, listening
from bifente.simulator.pcsc.discovery import Installation
from bifente.simulator.pcsc.readerconf import FIRST_PORT
from bifente.simulator.readers import Reader

COMMAND = "00DA000001AA"


class Chain:
    """Two bi-slot readers with a card in each slot, and a client."""

    def __init__(self, installation: Installation) -> None:
        self.exchanges: list[BridgedExchange] = []
        self.readers = [new_reader("OLAQIN 90048020 TL VITALACT"), new_reader("Lecteur (bis) #2")]
        self.slots = [slot for reader in self.readers for slot in reader.slots]
        self.cards = [ScriptedCard(bytes([number]), atr=bytes([0x3B, 1, number])) for number in range(4)]
        for slot, card in zip(self.slots, self.cards, strict=True):
            slot.insert(card)
        self.pcscd = PrivatePcscd.start(self.readers, observer=self.exchanges.append, installation=installation)
        self.names = self.pcscd.reader_names
        self.client = Client(self.pcscd.environment)

    def close(self) -> None:
        self.client.close()
        self.pcscd.close()


@pytest.fixture(scope="module")
def shared(installation: Installation) -> Iterator[Chain]:
    chain = Chain(installation)
    yield chain
    chain.close()


@pytest.fixture
def chain(shared: Chain) -> Iterator[Chain]:
    """The shared chain with its four cards in place."""
    yield shared
    for slot, card in zip(shared.slots, shared.cards, strict=True):
        if slot.card is not card:
            if slot.card is not None:
                slot.remove()
            slot.insert(card)
    assert shared.pcscd.alive


def settle(chain: Chain) -> None:
    """Until the client sees each of the four cards."""
    atrs = {name: card.atr.hex() for name, card in zip(chain.names, chain.cards, strict=True)}
    assert chain.client.ask(do="wait", states=atrs, timeout=PATIENCE)["code"] == 0


def test_each_slot_answers_as_itself(chain: Chain) -> None:
    assert chain.names == (
        "OLAQIN 90048020 TL VITALACT 00 00",
        "OLAQIN 90048020 TL VITALACT 00 01",
        "Lecteur (bis) #2 00 00",
        "Lecteur (bis) #2 00 01",
    )
    assert chain.client.ask(do="listed")["names"] == list(chain.names)
    assert [chain.pcscd.name_of(slot) for slot in chain.slots] == list(chain.names)
    settle(chain)
    for number, name in enumerate(chain.names):
        assert chain.client.ask(do="connect", reader=name)["code"] == 0
        answer = chain.client.ask(do="transmit", reader=name, command=COMMAND)
        assert answer["response"] == f"{number:02x}aa9000"
        assert chain.exchanges[-1].slot == chain.slots[number].name
        chain.client.ask(do="disconnect", reader=name)


def test_opensc_lists_the_readers(chain: Chain) -> None:
    if (tool := shutil.which("opensc-tool")) is None:
        pytest.skip("needs opensc-tool (apt-get install opensc)")
    listed = subprocess.run(
        [tool, "--list-readers"], env=chain.pcscd.environment, capture_output=True, check=True, text=True
    ).stdout
    assert all(name in listed for name in chain.names)


def test_insertion_and_removal_are_seen(chain: Chain) -> None:
    settle(chain)
    name, slot = chain.names[1], chain.slots[1]
    chain.client.send(do="wait", states={name: "empty"}, timeout=PATIENCE)
    slot.remove()
    assert chain.client.receive()["code"] == 0
    chain.client.send(do="wait", states={name: "present"}, timeout=PATIENCE)
    slot.insert(EchoCard())
    assert chain.client.receive()["atr"][name] == EchoCard().atr.hex()


def test_hands_faster_than_the_poll_do_not_block_the_slot(chain: Chain) -> None:
    settle(chain)
    name, slot = chain.names[2], chain.slots[2]
    for number in range(5):
        slot.remove()
        slot.insert(EchoCard(b"last" if number == 4 else b"no"))
    assert chain.client.ask(do="wait", states={name: EchoCard().atr.hex()}, timeout=PATIENCE)["code"] == 0
    chain.client.ask(do="connect", reader=name)
    assert chain.client.ask(do="transmit", reader=name, command=COMMAND)["response"] == b"last\xaa\x90\x00".hex()
    chain.client.ask(do="disconnect", reader=name)


def test_power_is_the_card_s_and_is_observed(chain: Chain) -> None:
    settle(chain)
    name, card = chain.names[3], chain.cards[3]
    chain.client.ask(do="connect", reader=name)
    card.history.clear()
    chain.exchanges.clear()
    assert chain.client.ask(do="reset", reader=name)["code"] == 0
    assert card.history == ["reset"]
    chain.client.ask(do="disconnect", reader=name)
    # Nobody answers a power-off: only the next question proves that it was heard.
    chain.client.ask(do="connect", reader=name)
    chain.client.ask(do="disconnect", reader=name)
    assert card.history[:2] == ["reset", "off"]
    assert [each.kind for each in chain.exchanges][:2] == [ExchangeKind.RESET, ExchangeKind.POWER_OFF]


def test_a_card_replaced_needs_no_poll(chain: Chain) -> None:
    settle(chain)
    name, slot = chain.names[0], chain.slots[0]
    chain.client.ask(do="connect", reader=name)
    slot.replace(EchoCard(b"new"))
    chain.client.ask(do="reset", reader=name)
    assert chain.client.ask(do="transmit", reader=name, command=COMMAND)["response"] == b"new\xaa\x90\x00".hex()
    chain.client.ask(do="disconnect", reader=name)
    slot.replace(chain.cards[0])


def test_a_defect_of_the_card_is_6f00_and_the_bench_s_fault(installation: Installation) -> None:
    reader = new_reader("Bug", 1)
    reader.slots[0].insert(ScriptedCard(answer=KeyError("bug")))
    with PrivatePcscd.start([reader], installation=installation) as pcscd, Client(pcscd.environment) as client:
        (name,) = pcscd.reader_names
        client.ask(do="wait", states={name: "present"}, timeout=PATIENCE)
        client.ask(do="connect", reader=name)
        assert client.ask(do="transmit", reader=name, command=COMMAND)["response"] == "6f00"
        assert [defect.kind for defect in pcscd.defects] == [DefectKind.CARD]


def test_removal_and_closing_free_a_client_that_waits(installation: Installation) -> None:
    reader = new_reader("Mute")
    cards = [MuteCard(), MuteCard()]
    for slot, card in zip(reader.slots, cards, strict=True):
        slot.insert(card)
    with PrivatePcscd.start([reader], installation=installation) as pcscd, Client(pcscd.environment) as client:
        names = pcscd.reader_names
        client.ask(do="wait", states=dict.fromkeys(names, "present"), timeout=PATIENCE)
        for name in names:
            client.ask(do="connect", reader=name)
        client.send(do="transmit", reader=names[0], command=COMMAND)
        assert cards[0].asked.wait(PATIENCE)
        reader.slots[0].remove()
        answer = client.receive()
        assert answer["response"] == ""  # vpcd's own artefact: success and nothing
        assert answer["seconds"] < 100
        client.send(do="transmit", reader=names[1], command=COMMAND)
        assert cards[1].asked.wait(PATIENCE)
        for card in cards:
            card.release.set()
        pcscd.close()
        assert client.receive()["seconds"] < 100


def test_sixteen_slots_of_eight_readers(installation: Installation) -> None:
    readers = [new_reader(f"Reader {number}") for number in range(8)]
    slots = [slot for reader in readers for slot in reader.slots]
    for number, slot in enumerate(slots):
        slot.insert(EchoCard(bytes([number])))
    with PrivatePcscd.start(readers, installation=installation) as pcscd, Client(pcscd.environment) as client:
        names = pcscd.reader_names
        assert client.ask(do="wait", states=dict.fromkeys(names, "present"), timeout=PATIENCE)["code"] == 0
        for number, name in enumerate(names):
            assert client.ask(do="connect", reader=name)["code"] == 0
            assert client.ask(do="transmit", reader=name, command=COMMAND)["response"] == f"{number:02x}aa9000"
        assert pcscd.defects == ()


def test_a_reader_of_three_slots(installation: Installation) -> None:
    with PrivatePcscd.start([new_reader("Three", 3)], installation=installation) as pcscd:
        assert pcscd.reader_names == ("Three 00 00", "Three 00 01", "Three (2) 00 00")


def median_latency(pcscd: PrivatePcscd, name: str, count: int) -> float:
    with Client(pcscd.environment) as client:
        client.ask(do="wait", states={name: "present"}, timeout=PATIENCE)
        client.ask(do="connect", reader=name)
        client.ask(do="measure", reader=name, command=COMMAND, count=count // 10)
        return float(median(client.ask(do="measure", reader=name, command=COMMAND, count=count)["seconds"]))


def raw_latency(count: int) -> float:
    """The same card with no pcscd: a reader's socket in the test itself."""
    fake, slot = FakeReader(), new_slot()
    slot.insert(EchoCard())
    seconds = []
    with SlotBridge(slot, lambda: vpcd.tcp_connect(fake.port)):
        fake.accept()
        for _ in range(count):
            started = time.perf_counter()
            fake.ask(bytes.fromhex(COMMAND))
            seconds.append(time.perf_counter() - started)
    fake.close()
    return median(seconds)


def test_the_median_of_an_apdu_is_far_from_the_40_ms_trap(chain: Chain) -> None:
    through = median_latency(chain.pcscd, chain.names[0], 1000)
    raw = raw_latency(1000)
    print(
        f"\nAPDU median through pcscd and vpcd: {through * 1e6:.0f} us; bridge alone: {raw * 1e6:.0f} us; "
        f"ratio {through / raw:.1f}"
    )
    assert through < 0.02


def test_the_doctor_notices_that_quickack_was_dropped(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "3.3" not in doctor.driver_version(installation.driver):
        pytest.skip("only vpcd 3.3 writes length and body separately")
    monkeypatch.setattr(vpcd, "_QUICKACK", None)
    reader = new_reader("Slow", 1)
    reader.slots[0].insert(EchoCard())
    with PrivatePcscd.start([reader], installation=installation) as pcscd:
        latency = list(doctor.probe(pcscd.environment, pcscd.reader_names[0], exchanges=9))[-1]
    assert latency.link is Link.LATENCY
    assert latency.verdict is LinkVerdict.WARNING
    assert "Nagle" in latency.sentence.fr


def test_the_doctor_finds_a_healthy_chain(installation: Installation) -> None:
    findings = list(doctor.diagnose())
    assert [finding.link for finding in findings if finding.verdict in (LinkVerdict.FAILED, LinkVerdict.SKIPPED)] == []
    assert len({finding.link for finding in findings}) == len(findings) == 18


def test_no_port_is_open_on_the_machine(chain: Chain) -> None:
    ports = {port for _, port in listening(Path("/proc/net/tcp").read_text())}
    assert not ports & set(range(FIRST_PORT, FIRST_PORT + 4))


def test_clients_reach_a_second_pcscd_at_the_same_path(installation: Installation, tmp_path: Path) -> None:
    run_dir = tmp_path / "r"
    with PrivatePcscd.start([new_reader("First")], run_dir=run_dir, installation=installation) as pcscd:
        client = Client(pcscd.environment)
        assert client.ask(do="listed")["names"] == ["First 00 00", "First 00 01"]
        with pytest.raises(PcscdError, match="used by another") as caught:
            PrivatePcscd.start([new_reader("Other")], run_dir=run_dir, installation=installation)
        assert caught.value.link is Link.RUN_DIRECTORY
        assert pcscd.alive
        assert client.ask(do="listed")["code"] == 0
    assert not run_dir.exists()
    with PrivatePcscd.start([new_reader("Second")], run_dir=run_dir, installation=installation):
        assert client.ask(do="establish")["code"] == 0
        assert client.ask(do="listed")["names"] == ["Second 00 00", "Second 00 01"]
    client.close()


def test_a_run_directory_of_the_caller_is_left_empty(installation: Installation, tmp_path: Path) -> None:
    PrivatePcscd.start([new_reader("A")], run_dir=tmp_path, installation=installation).close()
    assert list(tmp_path.iterdir()) == []


def test_mounts_exist_behind_enter_only(installation: Installation, tmp_path: Path) -> None:
    if shutil.which("nsenter") is None:
        pytest.skip("needs nsenter (util-linux)")
    source, target = tmp_path / "source", tmp_path / "target"
    for directory in (source, target):
        directory.mkdir()
    (source / "file").write_text("private")
    readers: list[Reader] = [new_reader("A")]
    with PrivatePcscd.start(readers, mounts=[(source, target)], installation=installation) as pcscd:
        inside = [*pcscd.enter, "sh", "-c", f"cat {target}/file; ls {installation.pcscd.usb_driver_directory}"]
        # The machine's USB drivers are hidden as well: a private pcscd must not take real readers.
        assert subprocess.run(inside, capture_output=True, check=True, text=True).stdout == "private"
        assert list(target.iterdir()) == []
    with pytest.raises(PcscdError, match="mount") as caught:
        PrivatePcscd.start(readers, mounts=[(source, tmp_path / "absent")], installation=installation)
    assert caught.value.link is Link.MOUNTS
