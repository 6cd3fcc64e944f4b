"""Runs a command as nobody where so many user namespaces may be: ``python limited.py LIMIT COMMAND...``.

The limit is that of a user namespace of its own, set as the doctor says (``sysctl``); only root can make one that has
another user in it.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

_NEW_USER = 0x10000000
NOBODY = 65534

inside, ready = os.pipe()
mapped, go = os.pipe()
child = os.fork()
if child == 0:
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER) != 0:
        os._exit(99)
    os.write(ready, b"x")
    os.read(mapped, 1)
    os.setgid(0)
    os.setuid(0)
    subprocess.run(["sysctl", "-q", "-w", f"user.max_user_namespaces={sys.argv[1]}"], check=True)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - a test's own command
os.close(ready)
if os.read(inside, 1):
    for kind in ("uid_map", "gid_map"):
        Path(f"/proc/{child}/{kind}").write_text("0 0 65536")
    os.write(go, b"x")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
