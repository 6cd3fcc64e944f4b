"""Inside the jail: serves a card of a practitioner and lets unmodified clients use it. Says what each saw, as JSON.

Arguments: a folder to work in, with the keys of the laboratory in it; a PKCS#11 module that knows the card. With
"cryptolib" after them that is the ANS Cryptolib, which is asked alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from bifente.ground.clock import WallClock
from bifente.simulator.cards.cpx.loading import shipped_templates
from bifente.simulator.cards.cpx.personalise import personalise
from bifente.simulator.cards.families import make_card
from bifente.simulator.pcsc.own.service import OwnPcsc
from bifente.simulator.pcsc.private_pcscd import try_namespaces
from bifente.simulator.pki.authority import Pki
from bifente.simulator.pki.keystore import KeyStore
from bifente.simulator.readers import Reader

folder = Path(sys.argv[1])
MODULE, KEY = sys.argv[2], "e828bd080f8025000001ff001002"
MONITORS = """
import os, threading
from smartcard.CardMonitoring import CardMonitor, CardObserver
from smartcard.ReaderMonitoring import ReaderMonitor, ReaderObserver
card, readers = threading.Event(), threading.Event()
class Cards(CardObserver):
    def update(self, observable, handlers):
        if len(handlers[0]) == 1: card.set()
class Readers(ReaderObserver):
    def update(self, observable, handlers):
        if len(handlers[0]) == 2: readers.set()
CardMonitor().addObserver(Cards()); ReaderMonitor().addObserver(Readers())
print("card", card.wait(120), "readers", readers.wait(120), flush=True)
os._exit(0)
"""

keys = KeyStore(folder / "keys")
made = personalise(shipped_templates()["medecin-generaliste"], keys, at=datetime.now(UTC).date(), pki=Pki(keys))
reader = Reader.of("Jail TL", ["Jail TL 00 00", "Jail TL 00 01"], WallClock())
reader.slots[0].insert(make_card(made.image))
said: dict[str, object] = {"uid": os.getuid()}
said["capabilities"] = [
    line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff")
]
said["unshare"] = subprocess.run(["unshare", "-Ur", "true"], capture_output=True).returncode
said["mount"] = subprocess.run(["mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True).returncode
refused = try_namespaces()
said["pcscd"] = None if refused is None else refused.link.value
with OwnPcsc.start([reader]) as service:
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(folder), **service.environment}

    def run(*command: str) -> str:
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=60)
        return done.stdout + (f"\nended with {done.returncode}: {done.stderr}" if done.returncode else "")

    if sys.argv[3:] == ["cryptolib"]:
        said["token"] = run("pkcs11-tool", "--module", MODULE, "--list-slots")
    else:
        said["opensc-tool"] = run("opensc-tool", "-l")
        said["name"] = run("opensc-tool", "--name")
        said["pkcs15-tool"] = run("pkcs15-tool", "--dump")
        said["pcsc_scan"] = run("pcsc_scan", "-r")
        said["monitors"] = run(sys.executable, "-P", "-c", MONITORS).strip()
        said["p11tool"] = run("p11tool", "--provider", MODULE, "--list-tokens")
    info = bytes.fromhex("3031300d060960864801650304020105000420") + bytes(range(32))
    (folder / "info").write_bytes(info)
    sign = ("--sign", "-m", "RSA-PKCS", "--id", KEY, "-i", "info", "-o", "signature", "--login", "--pin", "1234")
    said["pkcs11-tool"] = run("pkcs11-tool", "--module", MODULE, *sign)
    public = made.certificates["authentication"].public_key()
    assert isinstance(public, RSAPublicKey)
    signature = (folder / "signature").read_bytes()
    found = public.recover_data_from_signature(signature, padding.PKCS1v15(), hashes.SHA256())
    said["signed"] = found == bytes(range(32))
    said["defects"] = [str(defect) for defect in service.defects]
print(json.dumps(said))
