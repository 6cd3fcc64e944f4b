"""What the Cryptolib makes of status words it does not expect from a CPS4, and of a card taken away under its hands.

The word is put in place of the card's answer, once, in the middle of an order. Most of these are facts of the module:
they say what a card must never answer, and what it may.
"""

from __future__ import annotations

from typing import Any

import pytest
from clients_bench import KEY_IDS, PIN, Disturbed, digest_info
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptolib_tools import (
    CPS4,
    GENERAL_ERROR,
    KEY_TYPE_INCONSISTENT,
    MESSAGE,
    NOT_LOGGED_IN,
    OK,
    PIN_INCORRECT,
    PIN_LOCKED,
    PROTECTED,
    Cryptolib,
    Family,
    Module,
    needs_cryptolib,
)

needs_cryptolib()


START, AGAIN = "01a4040c088025000001ff0100", "01a40404088025000001ff0100"
DOMAIN, CPS2TER = "01a4040c07a0000001510000", "00a4040c088025000001ff0002"
FOLDER, ASK_PIN = "01a40800020001", "0120000100"
VERIFY = f"0120000104{PIN.encode().hex()}"
CHOOSE, SIGN, CHOOSE_RAW, RAW = "012281b6", "012a9e9a", "012241b8", "012a8086"
ACTIVITY, DATA, READ, UPDATE = "01a40800040001d110", "01a40800040001d107", "01b0", "01d6"

# The orders: their words for the module, and the commands that carry them out.
ORDERS: dict[str, dict[str, Any]] = {
    "login": {"order": "login", "code": PIN},
    "sign": {
        "order": "sign",
        "key": KEY_IDS["cps4"]["signature"],
        "mechanism": "SHA256-RSA-PKCS",
        "data": MESSAGE.hex(),
    },
    "authenticate": {
        "order": "sign",
        "key": KEY_IDS["cps4"]["authentication"],
        "mechanism": "RSA-PKCS",
        "data": digest_info(MESSAGE).hex(),
    },
    "read": {"order": "read", "label": "CPS_ACTIVITY_01_PS"},
    "write": {"order": "write", "label": "CPS_DATA", "data": "0102"},
}
PARTS = {
    "sign": (FOLDER, CHOOSE, SIGN),
    "authenticate": (FOLDER, CHOOSE_RAW, RAW),
    "read": (ACTIVITY, READ),
    "write": (DATA, UPDATE),
}
PLACES = [(name, part) for name, parts in PARTS.items() for part in parts]


@pytest.fixture(scope="module")
def family() -> Family:
    return CPS4


@pytest.fixture
def card(cryptolib: Cryptolib) -> Disturbed:
    """The card in the reader, whose answers a test may change."""
    return cryptolib.bench.disturb()


def _order(module: Module, name: str) -> dict[str, Any]:
    return module.ask(**ORDERS[name])


def _fulfilled(cryptolib: Cryptolib, name: str, answer: dict[str, Any]) -> None:
    """The module said yes, and what it did is what was asked."""
    assert answer["rv"] == OK, f"{answer}\n{cryptolib.bench.trace()}"
    seated = cryptolib.bench.seated
    if name in ("sign", "authenticate"):
        key = seated.public_key("signature" if name == "sign" else "authentication")
        key.verify(bytes.fromhex(answer["data"]), MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    elif name == "read":
        assert bytes.fromhex(answer["data"]) == seated.made.objects["CPS_ACTIVITY_01_PS"].encode()
    else:
        assert seated.card.state().rewritten_files == ("chipdoc:3F00/0001/D107",)


def _sent(cryptolib: Cryptolib) -> list[str]:
    """The commands of the order, but GET RESPONSE and the questions about the tries left."""
    asked = ("01c0", ASK_PIN, "0120000200")
    return [command for command in cryptolib.bench.commands() if not command.startswith(asked)]


# -- codes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "due"),
    [
        *((f"63c{left:x}", PIN_INCORRECT) for left in (1, 2, 3, 9, 15)),
        ("63c0", PIN_LOCKED),
        ("6983", PIN_LOCKED),
    ],
)
def test_a_code_refused(cryptolib: Cryptolib, card: Disturbed, status: str, due: str) -> None:
    with cryptolib.module() as module:
        card.answer(status, VERIFY)
        assert _order(module, "login")["rv"] == due
        assert module.labels("private") == set()
    assert card.answered == 1


@pytest.mark.parametrize("status", ["6982", "6985", "6881", "6a82", "6a88", "6f00"])
def test_any_other_answer_to_a_code_is_taken_for_a_yes(cryptolib: Cryptolib, card: Disturbed, status: str) -> None:
    """A fault of the module, worth knowing: it shows private objects. What they hold stays the card's to guard."""
    with cryptolib.module() as module:
        card.answer(status, "0120000104", times=9)
        module.do("login", code="0000")
        assert module.labels("data") == CPS4.free | PROTECTED
        for name in ("sign", "authenticate", "read", "write"):
            assert "data" not in _order(module, name), name
        module.do("write", NOT_LOGGED_IN, label="CPS_DATA", data="00")
    assert not cryptolib.bench.seated.card.state().secrets["pin"].verified
    assert not cryptolib.bench.seated.card.state().rewritten_files


# -- status words in the middle of an order -------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "part"), PLACES)
@pytest.mark.parametrize(
    ("status", "due"),
    [
        ("6985", KEY_TYPE_INCONSISTENT),
        ("6881", GENERAL_ERROR),
        ("6a82", GENERAL_ERROR),
        ("6a88", GENERAL_ERROR),
        ("6f00", GENERAL_ERROR),
    ],
)
def test_a_refusal_ends_the_order_at_once(
    cryptolib: Cryptolib, card: Disturbed, name: str, part: str, status: str, due: str
) -> None:
    with cryptolib.module(login=True) as module:
        cryptolib.bench.forget()
        card.answer(status, part)
        assert _order(module, name)["rv"] == due
        assert _sent(cryptolib)[-1].startswith(part), "nothing is tried again"
        # The session goes on: the next order is served.
        _fulfilled(cryptolib, name, _order(module, name))


@pytest.mark.parametrize(
    ("name", "part"), [place for place in PLACES if place[0] != "write" and place[1] != FOLDER], ids=str
)
def test_a_right_that_was_lost_is_taken_back_silently(
    cryptolib: Cryptolib, card: Disturbed, name: str, part: str
) -> None:
    """6982: the module presents the code it kept since the login, and begins again where the right matters."""
    with cryptolib.module(login=True) as module:
        cryptolib.bench.forget()
        card.answer("6982", part)
        _fulfilled(cryptolib, name, _order(module, name))
        sent = _sent(cryptolib)
    assert sent.count(VERIFY) == 1
    again = {"sign": CHOOSE, "authenticate": CHOOSE_RAW, "read": ACTIVITY}[name]
    assert sent[sent.index(VERIFY) + 1].startswith(again)


@pytest.mark.parametrize(("name", "part"), [("sign", FOLDER), ("write", DATA), ("write", UPDATE)])
def test_a_right_that_was_lost_where_nothing_takes_it_back(
    cryptolib: Cryptolib, card: Disturbed, name: str, part: str
) -> None:
    with cryptolib.module(login=True) as module:
        cryptolib.bench.forget()
        card.answer("6982", part)
        assert _order(module, name)["rv"] == NOT_LOGGED_IN
        assert VERIFY not in _sent(cryptolib)


@pytest.mark.parametrize("status", ["6e00", "6a86"])
@pytest.mark.parametrize(("name", "part"), PLACES)
def test_an_instruction_refused_is_sent_again_after_a_selection(
    cryptolib: Cryptolib, card: Disturbed, name: str, part: str, status: str
) -> None:
    """A selection of the application makes our card forget the code, the file and the key chosen (modelled).

    Where the order has still to choose them, it is fulfilled, the code being presented again; else it fails.
    """
    with cryptolib.module(login=True) as module:
        cryptolib.bench.forget()
        card.answer(status, part)
        answer = _order(module, name)
        sent = _sent(cryptolib)
        place = next(index for index, command in enumerate(sent) if command.startswith(part))
        assert sent[place + 1] == AGAIN
        assert cryptolib.bench.answers(AGAIN) == ["6116"], "its answer is left unread"
        if name == "write":
            assert answer["rv"] == (NOT_LOGGED_IN if part == DATA else KEY_TYPE_INCONSISTENT)
        elif part in (SIGN, RAW, READ):
            assert answer["rv"] == KEY_TYPE_INCONSISTENT
        else:
            assert sent[place + 2] == sent[place]
            assert VERIFY in sent
            _fulfilled(cryptolib, name, answer)


# -- the start ------------------------------------------------------------------------------------------------------


def _starts(cryptolib: Cryptolib) -> list[str]:
    """The token is there and works; gives the first commands of its discovery."""
    with cryptolib.module(open_session=False) as module:
        assert module.do("slots")["slots"] == [0]
        assert module.do("token")["serial"] == CPS4.serial
        sent = cryptolib.bench.commands()
        module.do("open")
        module.do("login", code=PIN)
        _fulfilled(cryptolib, "sign", _order(module, "sign"))
    return sent


@pytest.mark.parametrize("status", ["6985", "6881", "6a82", "6a88", "6982"])
def test_an_application_that_does_not_start_is_helped(cryptolib: Cryptolib, card: Disturbed, status: str) -> None:
    card.answer(status, START)
    assert _starts(cryptolib)[:4] == [START, DOMAIN, CPS2TER, START]
    assert cryptolib.bench.answers(START)[:2] == [status, "9000"]


def test_an_application_busy_on_another_channel(cryptolib: Cryptolib) -> None:
    """The natural cause: this card begins with the application on channel 0."""
    cryptolib.seat(layout={"channels": {0: {"application": "chipdoc"}}})
    assert _starts(cryptolib)[:4] == [START, DOMAIN, CPS2TER, START]
    assert cryptolib.bench.answers(START)[:2] == ["6985", "9000"]


def test_an_application_that_another_program_keeps_busy(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    with bench.client() as reader:
        reader.ask("connect", reader=bench.name)
        assert reader.ask("send", apdu="00a4040c088025000001ff0100")["sw"] == "9000"
        bench.forget()
        assert _starts(cryptolib)[:4] == [START, DOMAIN, CPS2TER, START]
        # The other program has lost the application, and has no means to take it back.
        assert reader.ask("send", apdu="00a4040c088025000001ff0100")["sw"] == "6985"


@pytest.mark.parametrize(
    ("status", "cure"),
    [("6881", START), ("6985", FOLDER), ("6e00", AGAIN), ("6a86", AGAIN), ("6a82", FOLDER), ("6982", FOLDER)],
)
def test_a_question_about_the_tries_refused_at_the_start(
    cryptolib: Cryptolib, card: Disturbed, status: str, cure: str
) -> None:
    card.answer(status, ASK_PIN)
    sent = _starts(cryptolib)
    place = sent.index(ASK_PIN)
    assert sent[place : place + 3] == [ASK_PIN, cure, ASK_PIN]


def test_a_channel_closed_in_the_middle_of_a_session(cryptolib: Cryptolib) -> None:
    """A reset that the module was not told of: it gives up the order; the next question about the token recovers."""
    bench = cryptolib.bench
    with cryptolib.module(login=True) as module:
        bench.seated.card.reset()
        bench.forget()
        assert _order(module, "sign")["rv"] == GENERAL_ERROR
        assert bench.answers(FOLDER) == ["6881"]
        bench.forget()
        assert module.do("token")["serial"] == CPS4.serial
        assert bench.answers(ASK_PIN)[0] == "6881"
        assert bench.commands()[:3] == [ASK_PIN, START, ASK_PIN]
        _fulfilled(cryptolib, "sign", _order(module, "sign"))
