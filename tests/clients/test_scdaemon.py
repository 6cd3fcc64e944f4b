"""GnuPG's scdaemon, which speaks to readers for gpg-agent: on our service and on a private pcscd."""

from __future__ import annotations

from pathlib import Path

import pytest
from clients_bench import Bench, Done

PROGRAM = Path("/usr/lib/gnupg/scdaemon")


def scdaemon(bench: Bench, *orders: str) -> Done:
    """Give it these orders of the Assuan protocol. Nothing is told of a reader before the first card is asked for."""
    if not PROGRAM.is_file():
        pytest.skip("needs scdaemon (apt-get install scdaemon)")
    home = bench.folder / "gnupg"
    home.mkdir(mode=0o700, exist_ok=True)
    command: list[str | Path] = [PROGRAM, "--server", "--homedir", home, "--disable-ccid", "--pcsc-shared"]
    return bench.ok(command, text="".join(f"{order}\n" for order in (*orders, "BYE")))


def test_it_lists_readers_and_reaches_the_card(bench: Bench) -> None:
    said = scdaemon(bench, "SERIALNO undefined", "GETINFO reader_list", "APDU 00A4000C023F00").text
    assert f"detected reader '{bench.name}'" in said
    assert f"detected reader '{bench.other_name}'" in said
    assert "S SERIALNO FF7F00" in said
    assert bench.answers("00a4000c023f00")[-1] == "9000"


def test_it_finds_no_openpgp_on_a_practitioners_card_and_says_so(bench: Bench) -> None:
    said = scdaemon(bench, "SERIALNO openpgp").text
    assert "ERR" in said
    assert "S SERIALNO" not in said
    assert bench.answers("00a4040006d27600012401") == ["6a82"]


def test_an_empty_reader_is_told_as_such(bench: Bench) -> None:
    bench.slot.remove()
    bench.wait({bench.name: "empty"})
    said = scdaemon(bench, "SERIALNO undefined").text
    assert "ERR" in said
    assert "S SERIALNO" not in said
    assert bench.commands() == []
