"""Inside namespaces of its own: a pcscd as a machine has it, and ``bifente up --vpcd`` that seats cards in it.

Says what each side saw, as JSON. Arguments: a folder to work in, the vpcd driver, the bifente command.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

folder, driver, bifente = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
PORT = 35963
subprocess.run(["mount", "-t", "tmpfs", "run", "/run"], check=True)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:  # loopback up
    fcntl.ioctl(control, 0x8914, struct.pack("16sh14x", b"lo", 0x1 | 0x40))
configuration = folder / "vpcd"
configuration.write_text(
    f'FRIENDLYNAME "Virtual PCD"\nDEVICENAME /dev/null:{PORT:#06x}\nLIBPATH {driver}\nCHANNELID {PORT:#06x}\n'
)
environment = {"PATH": f"{os.environ['PATH']}:/usr/sbin", "HOME": str(folder), "LANG": "C.UTF-8"}


def pcscd() -> subprocess.Popen[bytes]:
    with (folder / "pcscd.log").open("ab") as log:
        command = ["pcscd", "--foreground", "--config", str(configuration)]
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


def client(*command: str) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def until(look: Callable[[], str], wanted: str, patience: float = 15) -> bool:
    deadline = time.monotonic() + patience
    while wanted not in look():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


class Up:
    """``bifente up`` and all that it says."""

    def __init__(self, *options: str) -> None:
        command = [bifente, "up", "--lang", "en", "--keys", str(folder / "keys"), *options]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        self.process = subprocess.Popen(command, env=environment, **pipes)  # type: ignore[call-overload]
        self.said = ""

    def order(self, line: str) -> None:
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def look(self) -> str:
        while select.select([self.process.stdout], [], [], 0)[0]:
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                break
            self.said += chunk.decode()
        return self.said


said: dict[str, object] = {}
up = Up("--vpcd", "127.0.0.1", "--card", "cps=medecin-generaliste", "--card", "vitale=vitale/assure-seul")
said["nobody listens"] = until(up.look, "cps: nobody listens on 127.0.0.1:35963")
daemon = pcscd()
said["seen"] = until(up.look, "cps: the reader at 127.0.0.1:35963 sees the card")
said["both seen"] = until(up.look, "vitale: the reader at 127.0.0.1:35964 sees the card")
said["name"] = client("opensc-tool", "--reader", "0", "--name")
said["certificates"] = client("pkcs15-tool", "--reader", "0", "--list-certificates").count("X.509 Certificate")
said["listed"] = client("opensc-tool", "-l")
up.order("remove cps")
said["removed"] = until(lambda: client("opensc-tool", "-l"), "0    No ")
up.order("insert cps")
said["inserted"] = until(lambda: client("opensc-tool", "-l"), "0    Yes")
said["seen again"] = until(lambda: str(up.look().count("cps: the reader at")), "2")
daemon.kill()
daemon.wait()
said["lost"] = until(lambda: str(up.look().count("cps: nobody listens")), "2")
for name in ("pcscd.comm", "pcscd.pid"):
    Path("/run/pcscd", name).unlink(missing_ok=True)
daemon = pcscd()
said["again"] = until(lambda: client("opensc-tool", "--reader", "0", "--name"), "IAS")
# A second bench finds the slot taken.
other = Up("--vpcd", "127.0.0.1:35963", "--for", "4")
said["taken"] = until(other.look, "holds this slot") or other.said
said["other's code"] = other.process.wait(120)
up.order("quit")
said["code"] = up.process.wait(120)
up.look()
said["told"] = up.said
daemon.terminate()
daemon.wait()
print(json.dumps(said))
