"""A PC/SC client that takes orders, one JSON object a line, and answers likewise. Codes are PC/SC's, unsigned."""

from __future__ import annotations

import json
import sys
import time

from smartcard import scard

context = None
cards: dict = {}
BITS = {"present": scard.SCARD_STATE_PRESENT, "empty": scard.SCARD_STATE_EMPTY}


def listed():
    result, names = scard.SCardListReaders(context, [])
    return {"code": result & 0xFFFFFFFF, "names": names}


def wait(states, timeout):
    """Until each reader is as asked: {name: "present", "empty" or an ATR in hexadecimal}; gives the ATRs."""
    known = dict.fromkeys(states, scard.SCARD_STATE_UNAWARE)
    deadline = time.monotonic() + timeout
    while True:
        left = int(1000 * (deadline - time.monotonic()))
        if left <= 0:
            return {"code": scard.SCARD_E_TIMEOUT & 0xFFFFFFFF}
        result, now = scard.SCardGetStatusChange(context, left, list(known.items()))
        if result != 0:
            return {"code": result & 0xFFFFFFFF}
        known = {name: state for name, state, _ in now}
        atrs = {name: bytes(atr).hex() for name, _, atr in now}
        if all(
            known[name] & BITS[wanted] if wanted in BITS else atrs[name] == wanted for name, wanted in states.items()
        ):
            return {"code": 0, "atr": atrs}


def connect(reader, share=scard.SCARD_SHARE_SHARED):
    result, card, protocol = scard.SCardConnect(context, reader, share, 3)
    if result == 0:
        cards[reader] = card
    return {"code": result & 0xFFFFFFFF, "protocol": protocol}


def transmit(reader, command):
    started = time.monotonic()
    result, response = scard.SCardTransmit(cards[reader], scard.SCARD_PCI_T0, list(bytes.fromhex(command)))
    return {"code": result & 0xFFFFFFFF, "response": bytes(response).hex(), "seconds": time.monotonic() - started}


def control(reader, control, data):
    result, response = scard.SCardControl(cards[reader], control, list(bytes.fromhex(data)))
    return {"code": result & 0xFFFFFFFF, "response": bytes(response).hex()}


def attribute(reader, attribute):
    result, value = scard.SCardGetAttrib(cards[reader], attribute)
    return {"code": result & 0xFFFFFFFF, "value": bytes(value).hex()}


def reset(reader):
    result, _ = scard.SCardReconnect(cards[reader], scard.SCARD_SHARE_SHARED, 3, scard.SCARD_RESET_CARD)
    return {"code": result & 0xFFFFFFFF}


def begin(reader):
    return {"code": scard.SCardBeginTransaction(cards[reader]) & 0xFFFFFFFF}


def end(reader):
    return {"code": scard.SCardEndTransaction(cards[reader], scard.SCARD_LEAVE_CARD) & 0xFFFFFFFF}


def disconnect(reader):
    return {"code": scard.SCardDisconnect(cards.pop(reader), scard.SCARD_UNPOWER_CARD) & 0xFFFFFFFF}


def leave():
    """Let go of every card, whatever became of it."""
    while cards:
        scard.SCardDisconnect(cards.popitem()[1], scard.SCARD_LEAVE_CARD)
    return {"code": 0}


def measure(reader, command, count):
    seconds = []
    order = list(bytes.fromhex(command))
    for _ in range(count):
        started = time.perf_counter()
        scard.SCardTransmit(cards[reader], scard.SCARD_PCI_T0, order)
        seconds.append(time.perf_counter() - started)
    return {"seconds": seconds}


def establish():
    global context
    result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    return {"code": result & 0xFFFFFFFF}


ORDERS = {
    order.__name__: order
    for order in (
        *(listed, wait, connect, transmit, control, attribute, reset, begin, end, disconnect, leave, measure),
        establish,
    )
}

for line in sys.stdin:
    asked = json.loads(line)
    if asked["do"] not in ("establish",) and context is None:
        establish()
    print(json.dumps(ORDERS[asked.pop("do")](**asked)), flush=True)
