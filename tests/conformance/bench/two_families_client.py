"""A client in a process of its own: visits cards in turn and says which answers were not those of the card visited.

Its standard input is JSON: ``rounds`` and ``cards``, each with its reader and what must be found on it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bifente.conformance.targets.pcsc import PcscTarget
from bifente.simulator.cards.dialogue import Dialogue
from bifente.simulator.cards.families import host_for
from bifente.simulator.cards.layout import Layout


def visit(target: PcscTarget, card: dict[str, Any], message: bytes) -> list[str]:
    """One whole piece of work within a transaction; what was wrong with it."""
    connection = target.connect(card["reader"])
    connection.begin()
    wrong: list[str] = []

    def check(what: str, found: object, right: object) -> None:
        if found != right:
            wrong.append(f"{card['family']} {what}: {found!r}, not {right!r}")

    try:
        layout = Layout.load(card["family"])
        host = host_for(Dialogue(connection, lambda exchanged: None), layout)
        check("ATR", connection.atr.hex(), card["atr"])
        check("application", host.open().sw, 0x9000)
        for name, content in card["free"].items():
            check(name, host.read(layout.path(name)).data.hex(), content)
        # The other card's code, on purpose: were anything shared, it would open this one or cost the other a try.
        check("other code", host.verify(1, card["other_code"].encode()).sw, 0x63C2)
        for name in card["protected"]:
            check(f"{name} closed", host.read(layout.path(name)).sw, 0x6982)
        check("signature closed", host.sign("signature", "sha256", message).sw, 0x6982)
        check("own code", host.verify(1, card["code"].encode()).sw, 0x9000)
        for name, content in card["protected"].items():
            check(name, host.read(layout.path(name)).data.hex(), content)
        signature = host.sign("signature", "sha256", message).data
        try:
            public = rsa.RSAPublicNumbers(65537, int(card["modulus"])).public_key()
            public.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            wrong.append(f"{card['family']} signature: not its own")
        check("tries", host.counters(1)[1]["tries-left"], 3)
    finally:
        connection.end()
        connection.disconnect()
    return wrong


def main() -> None:
    """Visit, and print what was wrong as JSON."""
    work = json.load(sys.stdin)
    target = PcscTarget()
    wrong: list[str] = []
    visits = 0
    for number in range(work["rounds"]):
        for card in work["cards"]:
            wrong += visit(target, card, f"{work['name']} {number}".encode())
            visits += 1
    target.close()
    print(json.dumps({"visits": visits, "wrong": wrong}))


if __name__ == "__main__":
    main()
