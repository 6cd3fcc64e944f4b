"""One client under load: asks several readers in turn who they are and says what it heard, as one JSON object.

Arguments: {"seconds": ..., "seed": ..., "cards": {reader name: what its card must answer, hexadecimal},
"before": a command in hexadecimal to send first in the same transaction, or "", "read": the command}.
With an empty "read" the command is random data that the card must give back after its mark.
"""

from __future__ import annotations

import json
import random
import sys
import time

from smartcard import scard

order = json.loads(sys.argv[1])
chance = random.Random(order["seed"])
context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)[1]
before = list(bytes.fromhex(order["before"]))
wrong, refused, count, handles = [], [], 0, {}
for name in order["cards"]:
    code, handle, protocol = scard.SCardConnect(context, name, scard.SCARD_SHARE_SHARED, 3)
    if code != 0:
        refused.append([name, code & 0xFFFFFFFF])
        continue
    handles[name] = handle, scard.SCARD_PCI_T0 if protocol == 1 else scard.SCARD_PCI_T1
print(json.dumps("ready"), flush=True)
sys.stdin.readline()
started = time.monotonic()
deadline = started + order["seconds"]
names = list(handles)
while names and time.monotonic() < deadline:
    name = chance.choice(names)
    handle, protocol = handles[name]
    if order["read"]:
        command, expected = bytes.fromhex(order["read"]), bytes.fromhex(order["cards"][name])
    else:
        data = chance.randbytes(chance.randint(1, 200))
        command = bytes((0x00, 0xDA, 0x00, 0x00, len(data))) + data
        expected = bytes.fromhex(order["cards"][name]) + data + b"\x90\x00"
    codes = [scard.SCardBeginTransaction(handle)] if before else []
    if before:
        codes.append(scard.SCardTransmit(handle, protocol, before)[0])
        count += 1
    code, answer = scard.SCardTransmit(handle, protocol, list(command))
    codes.append(code)
    count += 1
    if before:
        codes.append(scard.SCardEndTransaction(handle, scard.SCARD_LEAVE_CARD))
    if any(codes):
        refused.append([name, [code & 0xFFFFFFFF for code in codes]])
    elif bytes(answer) != expected:
        wrong.append([name, bytes(answer).hex(), expected.hex()])
    if len(wrong) + len(refused) > 20:
        break
print(
    json.dumps({"count": count, "wrong": wrong, "refused": refused, "seconds": time.monotonic() - started}), flush=True
)
