"""A CPS3 and a CPS4 in the two slots of one reader: the Cryptolib uses both, in one process and in two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from clients_bench import PIN, Specimen, digest_info
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptolib_tools import (
    COUNT_LOW,
    CPS3,
    CPS4,
    FINAL_TRY,
    OK,
    PIN_INCORRECT,
    SESSION_HANDLE_INVALID,
    Cryptolib,
    Family,
    Module,
    needs_cryptolib,
)

needs_cryptolib()


ROLES = {"signature": "SHA256-RSA-PKCS", "authentication": "RSA-PKCS"}


@pytest.fixture(scope="module")
def family() -> Family:
    return CPS3


@pytest.fixture
def cards(cryptolib: Cryptolib) -> tuple[Specimen, Specimen]:
    """The CPS3 in slot 0 and the CPS4 in slot 1."""
    bench = cryptolib.bench
    other = cryptolib.make(family=CPS4.name, options={"cps_data": "modifiable"})
    bench.other_slot.insert(other.card)
    bench.wait({bench.name: "present", bench.other_name: "present"})
    bench.forget()
    return bench.seated, other


def _signs(module: Module, card: Specimen, role: str, message: bytes) -> None:
    """With the session the module is turned to."""
    given = message if role == "signature" else digest_info(message)
    signature = module.sign(card.key_id(role), ROLES[role], given)
    card.public_key(role).verify(signature, message, padding.PKCS1v15(), hashes.SHA256())


def _open_both(module: Module) -> None:
    for slot in (0, 1):
        module.do("open", slot=slot)


def test_one_process_sees_two_tokens(cryptolib: Cryptolib, cards: tuple[Specimen, Specimen]) -> None:
    bench = cryptolib.bench
    with cryptolib.module(open_session=False) as module:
        assert module.do("slots")["slots"] == [0, 1]
        assert [module.do("token", slot=slot)["label"] for slot in (0, 1)] == [CPS3.label, CPS4.label]
        assert [module.do("token", slot=slot)["serial"] for slot in (0, 1)] == [CPS3.serial, CPS4.serial]
        for slot, family in ((0, CPS3), (1, CPS4)):
            assert sorted(module.do("mechanisms", slot=slot)["mechanisms"]) == sorted(family.mechanisms)
    assert not bench.commands("01", "11", slot=bench.slot), "what is for a CPS4 never reaches the CPS3"
    assert set(bench.answers("01a4040c08")) == {"9000"}
    assert {name[:8] for name in cryptolib.cached()} == {CPS3.serial, CPS4.serial}


def test_a_login_is_for_one_token(cryptolib: Cryptolib, cards: tuple[Specimen, Specimen]) -> None:
    with cryptolib.module(open_session=False) as module:
        _open_both(module)
        for logged_in, left_out in ((0, 1), (1, 0)):
            module.do("turn", slot=logged_in)
            module.do("login", code=PIN)
            assert module.labels("private") == {"CPS_PRIV_SIG", "CPS_PRIV_AUT"}
            module.do("turn", slot=left_out)
            assert module.labels("private") == set()
            verified = [card.card.state().secrets["pin"].verified for card in cards]
            assert verified[logged_in]
            if logged_in == 0:
                assert not verified[left_out]
            module.do("turn", slot=logged_in)
            module.do("logout")


def test_tries_are_counted_apart(cryptolib: Cryptolib, cards: tuple[Specimen, Specimen]) -> None:
    with cryptolib.module(open_session=False) as module:
        _open_both(module)
        module.do("turn", slot=1)
        for _ in range(2):
            module.do("login", PIN_INCORRECT, code="0000")
        assert [card.tries[0] for card in cards] == [3, 1]
        assert [module.flags(slot) for slot in (0, 1)] == [0, COUNT_LOW | FINAL_TRY]
        module.do("turn", slot=0)
        module.do("login", PIN_INCORRECT, code="0000")
        assert [card.tries[0] for card in cards] == [2, 1]
        module.do("login", code=PIN)
        assert [card.tries[0] for card in cards] == [3, 1]


def test_one_process_uses_both_by_turns(cryptolib: Cryptolib, cards: tuple[Specimen, Specimen]) -> None:
    with cryptolib.module(open_session=False) as module:
        _open_both(module)
        for slot in (0, 1):
            module.do("turn", slot=slot)
            module.do("login", code=PIN)
        for number in range(3):
            for role in ROLES:
                for slot, card in enumerate(cards):
                    module.do("turn", slot=slot)
                    _signs(module, card, role, bytes((number, slot)))
        for slot, card in enumerate(cards):
            module.do("turn", slot=slot)
            for name in ("CPS_INFO_PS", "CPS_ACTIVITY_05_PS"):
                assert module.read(name) == card.made.objects[name].encode()
        module.do("write", label="CPS_DATA", data="01")
    assert [bool(card.card.state().rewritten_files) for card in cards] == [False, True]


def test_two_processes_at_once(cryptolib: Cryptolib, cards: tuple[Specimen, Specimen]) -> None:
    def work(module: Module, slot: int) -> None:
        for number in range(10):
            for role in ROLES:
                _signs(module, cards[slot], role, bytes((number, slot)))

    with cryptolib.module(open_session=False) as one, cryptolib.module(open_session=False) as two:
        for slot, module in enumerate((one, two)):
            assert module.do("slots")["slots"] == [0, 1]
            module.do("open", slot=slot)
            module.do("login", code=PIN)
        with ThreadPoolExecutor() as pool:
            for future in [pool.submit(work, module, slot) for slot, module in enumerate((one, two))]:
                future.result()


def test_two_processes_on_both_cards_at_once(cryptolib: Cryptolib, cards: tuple[Specimen, Specimen]) -> None:
    """Each holds a session on each card; what one does between two commands of the other harms nothing."""

    def work(module: Module, first: int) -> None:
        for number in range(6):
            for slot in (first, 1 - first):
                module.do("turn", slot=slot)
                for role in ROLES:
                    _signs(module, cards[slot], role, bytes((number, slot, first)))

    with cryptolib.module(open_session=False) as one, cryptolib.module(open_session=False) as two:
        for module in (one, two):
            _open_both(module)
            for slot in (0, 1):
                module.do("turn", slot=slot)
                module.do("login", code=PIN)
        with ThreadPoolExecutor() as pool:
            for future in [pool.submit(work, module, first) for first, module in enumerate((one, two))]:
                future.result()
    assert [card.tries[0] for card in cards] == [3, 3]


@pytest.mark.parametrize("slot", [0, 1])
def test_a_reset_of_one_leaves_the_other(cryptolib: Cryptolib, cards: tuple[Specimen, Specimen], slot: int) -> None:
    bench = cryptolib.bench
    with cryptolib.module(open_session=False) as module, bench.client() as reader:
        _open_both(module)
        for number in (0, 1):
            module.do("turn", slot=number)
            module.do("login", code=PIN)
        reader.ask("connect", reader=(bench.name, bench.other_name)[slot])
        module.do("turn", slot=1 - slot)
        _signs(module, cards[1 - slot], "signature", b"still there")
        module.do("turn", slot=slot)
        order = {"key": cards[slot].key_id("authentication"), "mechanism": "RSA-PKCS", "data": "00"}
        assert module.ask("sign", **order)["rv"] == SESSION_HANDLE_INVALID


def test_a_removal_of_one_leaves_the_other(cryptolib: Cryptolib, cards: tuple[Specimen, Specimen]) -> None:
    bench = cryptolib.bench
    with cryptolib.module(open_session=False) as module:
        _open_both(module)
        for slot in (0, 1):
            module.do("turn", slot=slot)
            module.do("login", code=PIN)
        bench.slot.remove()
        bench.wait({bench.name: "empty"})
        assert module.do("slots")["slots"] == [1]
        module.do("turn", slot=1)
        _signs(module, cards[1], "signature", b"still there")
        module.do("turn", slot=0)
        order = {"key": cards[0].key_id("authentication"), "mechanism": "RSA-PKCS", "data": "00"}
        assert module.ask("sign", **order)["rv"] != OK
