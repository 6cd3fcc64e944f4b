"""Nothing survives: whatever dies, and whatever is refused, the rest ends cleanly and says why."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from pcsc_tools import PATIENCE, Client, new_reader

import bifente.simulator as simulator
from bifente.simulator.pcsc import DefectKind, EchoCard, Link, PcscdError, PrivatePcscd, private_pcscd
from bifente.simulator.pcsc.discovery import Installation
from bifente.simulator.pcsc.errors import CURES

HERE = Path(__file__).parent
ROOT = Path(simulator.__file__).parent.parent
BENCH = HERE / "pcsc_bench.py"
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}"}


def wait_descriptors(watched: dict[int, int], patience: float = PATIENCE) -> None:
    """Until every process (descriptor: process id) is over; the descriptors must be open before the kill."""
    deadline = time.monotonic() + patience
    left = dict(watched)
    while left and (remaining := deadline - time.monotonic()) > 0:
        for number in select.select(list(left), [], [], remaining)[0]:
            del left[number]
    for number in watched:
        os.close(number)
    assert not left, f"still running: {list(left.values())}"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("forked", [False, True])
def test_nothing_survives_the_bench(installation: Installation, number: signal.Signals, forked: bool) -> None:
    command = [sys.executable, str(BENCH), *(["fork"] if forked else [])]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as bench:
        assert bench.stdout is not None
        said = json.loads(bench.stdout.readline())
        assert len(said["tree"]) == 2
        assert Path(said["run_dir"]).is_dir()
        watched = {os.pidfd_open(pid): pid for pid in said["tree"]}
        bench.send_signal(number)
        wait_descriptors(watched)
        if said["forked"]:
            os.kill(said["forked"], signal.SIGKILL)
    assert not Path(said["run_dir"]).exists()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_pcscd_that_dies_is_a_bench_defect(installation: Installation) -> None:
    reader = new_reader("Dies")
    reader.slots[0].insert(EchoCard())
    with PrivatePcscd.start([reader], installation=installation) as pcscd, Client(pcscd.environment) as client:
        client.ask(do="wait", states={pcscd.reader_names[0]: "present"}, timeout=PATIENCE)
        assert pcscd.pid is not None
        (daemon,) = children(pcscd.pid)
        watched = {os.pidfd_open(pid): pid for pid in (pcscd.pid, daemon)}
        os.kill(daemon, signal.SIGKILL)
        wait_descriptors(watched)
        assert not pcscd.alive
        defect = pcscd.defects[0]
        assert defect.kind is DefectKind.CONNECTION
        assert "killed by signal 9" in str(defect.error)
        with pytest.raises(PcscdError, match="killed by signal 9"):
            pcscd.open_socket()
        assert client.ask(do="listed")["code"] != 0
    assert not pcscd.run_dir.exists()


def test_a_killed_agent_takes_pcscd_along(installation: Installation) -> None:
    with PrivatePcscd.start([new_reader("Agent")], installation=installation) as pcscd:
        assert pcscd.pid is not None
        watched = {os.pidfd_open(pid): pid for pid in (pcscd.pid, *children(pcscd.pid))}
        assert len(watched) == 2
        os.kill(pcscd.pid, signal.SIGKILL)
        wait_descriptors(watched)
        assert not pcscd.alive
        assert private_pcscd.stale_run_directories(pcscd.run_dir.parent) == (pcscd.run_dir,)
    assert not pcscd.run_dir.exists()
    assert pcscd.defects


def test_a_run_directory_in_use_is_not_stale(installation: Installation) -> None:
    with PrivatePcscd.start([new_reader("Alive")], installation=installation) as pcscd:
        assert pcscd.run_dir not in private_pcscd.stale_run_directories(pcscd.run_dir.parent)
        assert pcscd.pid is not None
        assert os.getsid(pcscd.pid) != os.getsid(0), "the terminal's Ctrl-C must not reach the agent"
    with pytest.raises(PcscdError, match="closed"):
        pcscd.open_socket()
    pcscd.close()


def fake_pcscd(installation: Installation, tmp_path: Path, script: str) -> Installation:
    path = tmp_path / "pcscd"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return replace(installation, pcscd=replace(installation.pcscd, path=path))


def test_what_pcscd_says_is_quoted_when_it_fails(installation: Installation, tmp_path: Path) -> None:
    with pytest.raises(PcscdError, match=r"exit code 3.*no luck today") as caught:
        PrivatePcscd.start(
            [new_reader("A")], installation=fake_pcscd(installation, tmp_path, "echo no luck today; exit 3")
        )
    assert caught.value.link is Link.PRIVATE_PCSCD
    assert "no luck today" in caught.value.log


def test_a_pcscd_that_says_nothing_is_given_up(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_pcscd, "_START_PATIENCE", 0.6)
    with pytest.raises(PcscdError, match="did not answer"):
        PrivatePcscd.start([new_reader("A")], installation=fake_pcscd(installation, tmp_path, "exec sleep 60"))


def test_a_driver_that_is_not_one_is_told(installation: Installation, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(private_pcscd, "_START_PATIENCE", 1.0)
    wrong = tmp_path / "libifdvpcd.so"
    wrong.write_bytes(b"not a library")
    with pytest.raises(PcscdError) as caught:
        PrivatePcscd.start([new_reader("A")], installation=replace(installation, driver=wrong))
    assert caught.value.link is Link.READER_LISTED
    assert caught.value.log


def test_a_path_too_long_for_a_socket_is_refused(installation: Installation, tmp_path: Path) -> None:
    run_dir = tmp_path / ("x" * 120)
    with pytest.raises(PcscdError, match="at most 107") as caught:
        PrivatePcscd.start([new_reader("A")], run_dir=run_dir, installation=installation)
    assert caught.value.link is Link.RUN_DIRECTORY
    assert not run_dir.exists()


@pytest.mark.parametrize(
    ("limits", "link"),
    [
        (("max_net_namespaces",), Link.NETWORK_NAMESPACE),
        (("max_mnt_namespaces",), Link.MOUNT_NAMESPACE),
        (("max_mnt_namespaces", "max_user_namespaces"), Link.USER_NAMESPACE),
    ],
)
def test_a_refused_namespace_is_named_with_its_cure(
    installation: Installation, limits: tuple[str, ...], link: Link
) -> None:
    if (unshare := shutil.which("unshare")) is None:
        pytest.skip("needs unshare (util-linux)")
    # The limits are those of the user namespace we make for this: the machine's are not touched.
    script = (
        "from pathlib import Path\n"
        f"for name in {limits!r}: Path('/proc/sys/user', name).write_text('0')\n"
        "from bifente.simulator.pcsc import PrivatePcscd, PcscdError\n"
        "from pcsc_tools import new_reader\n"
        "try: PrivatePcscd.start([new_reader('A')])\n"
        "except PcscdError as error: print(error.link.value, error.cure.en, sep='|')\n"
    )
    command = [unshare, "--user", "--map-root-user", sys.executable, "-c", script]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"{link.value}|{CURES[link].en}", done.stderr


def test_an_ordinary_user_needs_no_root(installation: Installation) -> None:
    if os.geteuid() != 0 or (su := shutil.which("su")) is None:
        pytest.skip("already runs as an ordinary user, or there is no su")
    script = (
        "from bifente.simulator.pcsc import PrivatePcscd, EchoCard\n"
        "from pcsc_tools import Client, new_reader\n"
        "reader = new_reader('User'); reader.slots[0].insert(EchoCard())\n"
        "with PrivatePcscd.start([reader]) as pcscd, Client(pcscd.environment) as client:\n"
        "    name = pcscd.reader_names[0]\n"
        "    client.ask(do='wait', states={name: 'present'}, timeout=120)\n"
        "    client.ask(do='connect', reader=name)\n"
        "    print(client.ask(do='transmit', reader=name, command='00DA000001AA')['response'])\n"
        "print(pcscd.run_dir.exists(), pcscd.defects)\n"
    )
    inner = f'PYTHONPATH={ENVIRONMENT["PYTHONPATH"]} exec {sys.executable} -c "$SCRIPT"'
    command = [su, "nobody", "-s", "/bin/sh", "-c", inner]

    def run(code: str) -> subprocess.CompletedProcess[str]:
        environment = {**ENVIRONMENT, "SCRIPT": code}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd="/")

    reading = run("import bifente.simulator.pcsc, pcsc_tools, smartcard")
    if reading.returncode != 0:
        pytest.skip(f"the ordinary user cannot read this checkout: {reading.stderr.strip()[-200:]}")
    done = run(script)
    assert done.stdout.splitlines() == ["aa9000", "False ()"], done.stderr
