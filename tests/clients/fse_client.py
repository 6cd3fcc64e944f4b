"""A workstation's software on PC/SC: it secures sheets with the cards behind a pcscd, one order a line on stdin.

Each answer is a line of JSON: ``secured`` (hexadecimal), or ``code`` and ``refusal`` of what was refused.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from bifente.conformance.targets.pcsc import PcscTarget
from bifente.ground.clock import WallClock
from bifente.simulator.formats.fse.canonical import parse
from bifente.simulator.formats.fse.model import Signer
from bifente.simulator.formats.fse.securing.codec import decode_secured, encode_secured
from bifente.simulator.middleware.codes import SsvError
from bifente.simulator.middleware.full_pcsc import FullPcsc
from bifente.simulator.middleware.patience import Patience
from bifente.simulator.software.billing.securing.desk import SecuringDesk
from bifente.simulator.software.billing.securing.refusals import SecuringError


def serve(desk: SecuringDesk, order: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        match order["do"]:
            case "secure":
                made = desk.secure(parse(bytes.fromhex(order["content"])), order["code"], paper=order["paper"])
            case "begin":
                made = desk.begin(parse(bytes.fromhex(order["content"])), order["code"], Signer(order["signer"]))
            case _:
                made = desk.complete(decode_secured(bytes.fromhex(order["secured"])), order["code"])
    except SsvError as error:
        return {"code": error.code, "refusal": error.refusal if isinstance(error, SecuringError) else error.detail}
    return {"secured": encode_secured(made).hex()}


def main() -> None:
    target = PcscTarget()
    clock = WallClock()
    desk = SecuringDesk(FullPcsc(target, clock, Patience(3, 0.1)), clock)
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "wait":
            answer: Mapping[str, Any] = {"seen": target.wait(order["reader"], present=order["present"], timeout=10.0)}
        else:
            answer = serve(desk, order)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
