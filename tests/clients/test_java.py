"""Java's javax.smartcardio: on our service and on a private pcscd."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from clients_bench import HERE, Bench, shared_object, tool


@pytest.fixture(scope="module")
def java(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command that runs the program, compiled here. Java looks for the library where Debian has it not."""
    library = shared_object("pcsc-lite's library", "libpcsclite1", "*/libpcsclite.so.1")
    folder = tmp_path_factory.mktemp("java")
    compiler = [tool("javac"), "-d", str(folder), str(HERE / "Smartcard.java")]
    done = subprocess.run(compiler, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    property_ = f"-Dsun.security.smartcardio.library={library}"
    return [tool("java"), "-Xshare:auto", "-XX:TieredStopAtLevel=1", property_, "-cp", str(folder), "Smartcard"]


def lines(program: subprocess.Popen[str]) -> Iterator[str]:
    assert program.stdout is not None
    yield from (line.rstrip("\n") for line in program.stdout)


def test_terminals_exchanges_and_a_removal(java: list[str], bench: Bench) -> None:
    command = [*java, "00A4000C023F00", "00B0000004"]
    with subprocess.Popen(
        command, env=bench.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as program:
        said = []
        for line in lines(program):
            said.append(line)
            if line == "waiting":
                bench.slot.remove()
    assert program.returncode == 0, said
    assert said == [
        f"reader {bench.name} true",
        f"reader {bench.other_name} false",
        f"atr {bench.seated.card.atr.hex()}",
        "protocol T=0",
        "answer 9000",
        "answer 6986",
        "other CardNotPresentException",
        "waiting",
        "absent true",
        "now false",
    ]


def test_without_a_card_it_says_so(java: list[str], bench: Bench) -> None:
    bench.slot.remove()
    bench.wait({bench.name: "empty"})
    done = bench.refused(java, "CardNotPresentException")
    assert f"reader {bench.name} false" in done.out
    assert bench.commands() == []
