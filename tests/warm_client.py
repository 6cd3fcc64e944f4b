"""Stands for a process that is forked from the warm one: the same streams, signals and end. Needs no site package.

``python -I -S warm_client.py SOCKET CODE ARGUMENTS...``
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from pathlib import Path

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def main(path: str, code: str, *arguments: str) -> int:
    """Have it forked, and end as it does. Where this process is killed, it is too."""
    order = {"code": code, "argv": ["-c", *arguments], "cwd": str(Path.cwd()), "env": dict(os.environ)}
    told = json.dumps(order).encode()
    with socket.socket(socket.AF_UNIX) as parent:
        parent.connect(path)
        socket.send_fds(parent, [len(told).to_bytes(4, "big")], [0, 1, 2])
        parent.sendall(told)
        forked = parent.recv(4, socket.MSG_WAITALL)
        if len(forked) < 4:
            raise SystemExit("the warm process is gone")
        number = int.from_bytes(forked, "big")
        for one in FORWARDED:
            signal.signal(one, lambda received, _frame: os.kill(number, received))
        ended = parent.recv(4, socket.MSG_WAITALL)
    if len(ended) < 4:
        raise SystemExit("the warm process is gone")
    status = int.from_bytes(ended, "big", signed=True)
    if status < 0:
        if -status not in (signal.SIGKILL, signal.SIGSTOP):
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    return status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
