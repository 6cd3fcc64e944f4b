"""PC/SC clients see readers, cards, insertions and removals. Each wait is for an event, with a deadline."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from clients_bench import HERE, PIN, Bench, CardMaker, Talker, tool

from bifente.ground.clock import WallClock
from bifente.simulator.pcsc import PrivatePcscd
from bifente.simulator.readers import Reader

ATR = "3bac00402a001225006480000310009000"
VERIFY = f"0020000104{PIN.encode().hex()}"
IS_VERIFIED = "00200001"


def test_pyscard_monitors_see_readers_cards_insertion_and_removal(bench: Bench, make: CardMaker) -> None:
    with bench.client() as client:
        readers = sorted(bench.pcscd.reader_names)
        # Two monitors in two threads, and the answer to the order: who speaks first is not known.
        heard = [client.ask("monitor"), *(client.hear() for _ in range(len(readers) + 1))]
        assert {"event": "listening"} in heard
        assert sorted(event["reader"] for event in heard if event["event"] == "reader-added") == readers
        card = {"reader": bench.name, "atr": ATR}
        assert {"event": "card-added", **card} in heard
        bench.slot.remove()
        assert client.hear() == {"event": "card-removed", **card}
        bench.slot.insert(make().card)
        assert client.hear() == {"event": "card-added", **card}


def test_a_reader_monitor_sees_readers_come_and_go(chain: None, tmp_path: Path) -> None:
    def service(name: str) -> PrivatePcscd:
        # One socket path for both: the client never learns that the service behind it was exchanged.
        return PrivatePcscd.start([Reader.of(name, ["fente 1", "fente 2"], WallClock())], run_dir=tmp_path)

    with service("Bifente A") as first:
        watcher = Talker(
            [sys.executable, "-P", str(HERE / "watch_readers.py")], {"PATH": os.defpath, **first.environment}
        )
        try:
            assert watcher.hear() == {"added": ["Bifente A 00 00", "Bifente A 00 01"], "removed": []}
            first.close()
            with service("Bifente B"):
                assert watcher.hear() == {
                    "added": ["Bifente B 00 00", "Bifente B 00 01"],
                    "removed": ["Bifente A 00 00", "Bifente A 00 01"],
                }
        finally:
            watcher.close()


def test_a_removed_card_is_lost_to_its_client_and_forgets_the_code(bench: Bench, make: CardMaker) -> None:
    with bench.client() as client:
        client.ask("connect", reader=bench.name)
        assert client.ask("send", apdu=VERIFY)["sw"] == "9000"
        assert client.ask("send", apdu=IS_VERIFIED)["sw"] == "9000"
        card = bench.slot.remove()
        client.ask("wait", states={bench.name: "empty"})
        assert "removed" in client.ask("send", apdu=IS_VERIFIED)["failed"]
        bench.slot.insert(card)
        assert client.ask("wait", states={bench.name: "present"})["atr"] == {bench.name: ATR}
        assert "removed" in client.ask("send", apdu=IS_VERIFIED)["failed"], "the old session stays dead"
        client.ask("connect", reader=bench.name)
        assert client.ask("send", apdu=IS_VERIFIED)["sw"] == "63c3"


def test_pcsc_scan_lists_the_readers(bench: Bench) -> None:
    done = bench.ok([tool("pcsc_scan"), "-r"])
    assert [line.split(": ", 1)[1] for line in done.out.splitlines()] == list(bench.pcscd.reader_names)


def test_pcsc_scan_knows_the_card(bench: Bench) -> None:
    scan = tool("pcsc_scan")
    seen = bench.ok([scan, "-n", "-c"]).out
    assert f"Reader 0: {bench.name}" in seen
    assert f"ATR: {bytes.fromhex(ATR).hex(' ').upper()}" in seen
    analysed = bench.ok([scan, "-t", "1"]).out
    if "Possibly identified card" in analysed:  # its list of cards is there
        assert "Sesam Vitale card CPS" in analysed
