"""Starts a private pcscd, says who runs, and waits to be killed. With the argument "fork", a child of it lives on."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from pcsc_tools import new_reader

from bifente.simulator.pcsc import EchoCard, PrivatePcscd

reader = new_reader("Killed")
reader.slots[0].insert(EchoCard())
pcscd = PrivatePcscd.start([reader])
pcscd.bridges[0].wait_connected(5)
agent = pcscd.pid
daemons = [int(pid) for pid in Path(f"/proc/{agent}/task/{agent}/children").read_text().split()]
forked = None
if "fork" in sys.argv:
    forked = os.fork()
    if forked == 0:
        signal.pause()
print(json.dumps({"tree": [agent, *daemons], "run_dir": str(pcscd.run_dir), "forked": forked}), flush=True)
signal.pause()
