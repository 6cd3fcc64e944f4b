"""The PKCS#11 target without a card: names, what is told, what is refused, modules that are none or that break."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_module import FakeModule
from hypothesis import given
from hypothesis import strategies as st

from bifente.conformance.run.telling import event_of
from bifente.conformance.targets import cryptoki
from bifente.conformance.targets import pkcs11 as target
from bifente.conformance.targets.base import GuardRefusalError, ScardError
from bifente.conformance.targets.pkcs11 import (
    Called,
    Cryptoki,
    CryptokiError,
    ModuleGoneError,
    ModuleMissingError,
    ModuleProcess,
)
from bifente.conformance.targets.pkcs11_guard import Pkcs11Guard
from bifente.reports.events import Call as CallEvent
from bifente.reports.secrets import Secrets

# -- names ------------------------------------------------------------------------------------------------------------


def test_the_names_are_those_of_pykcs11() -> None:
    known = pytest.importorskip("PyKCS11", reason="needs PyKCS11: pip install bifente[pkcs11]")
    for code, name in cryptoki.RETURN_CODES.items():
        if code < 0x80000000:
            assert known.CKR[code] == f"CKR_{name}"
    for number, name in cryptoki.MECHANISMS.items():
        assert known.CKM[f"CKM_{name}"] == number
    for name, number in cryptoki.ATTRIBUTES.items():
        assert known.CKA[name] == number
    for bit, name in cryptoki.TOKEN_FLAGS.items():
        assert getattr(known, f"CKF_{name}") == bit


@given(st.integers(0, 2**64 - 1))
def test_every_code_has_a_name_or_a_number(code: int) -> None:
    word = cryptoki.result(code)
    low = code & 0xFFFFFFFF
    assert word == (f"CKR_{cryptoki.RETURN_CODES[low]}" if low in cryptoki.RETURN_CODES else f"0x{low:08X}")


def test_the_update_refusal_of_the_cryptolib_has_its_name() -> None:
    assert cryptoki.result(0x80000001) == "CKR_ASIP_BAD_EF_ACTUA"
    assert cryptoki.result(0xFFFFFFFF80000001) == "CKR_ASIP_BAD_EF_ACTUA"
    assert cryptoki.result(0x80000002) == "0x80000002"


def test_flags_are_words_and_unknown_bits_stay() -> None:
    assert cryptoki.flags(0x30004 | 0x8000_0000) == [
        "LOGIN_REQUIRED",
        "USER_PIN_COUNT_LOW",
        "USER_PIN_FINAL_TRY",
        "0x80000000",
    ]


# -- what is told -----------------------------------------------------------------------------------------------------


def module(answers: dict[str, Any] | None = None, guard: Pkcs11Guard | None = None) -> tuple[Cryptoki, list[Called]]:
    told: list[Called] = []
    return Cryptoki(FakeModule(answers or {}, []), guard, told.append), told


def code(text: str) -> str:
    return text.encode().hex()


def test_no_code_is_ever_told() -> None:
    pkcs11, told = module()
    pkcs11.call("C_Login", session=5, user=1, pin=code("7391"))
    pkcs11.call("C_SetPIN", session=5, old=code("7391"), new=code("7392"))
    pkcs11.call("C_InitPIN", session=5, pin=code("7393"))
    assert [call.function for call in told] == ["C_Login", "C_SetPIN", "C_InitPIN"]
    events = [event_of(call, Secrets()) for call in told]
    assert isinstance(events[0], CallEvent)
    assert events[0].arguments == {"session": "5", "user": "user", "pin": "••••"}
    # The arguments alone: a duration may well hold the same digits.
    written = str([event.arguments for event in events if isinstance(event, CallEvent)])
    assert not any(secret in written for secret in ("739", code("7391"), code("7392"), code("7393")))


def test_numbers_are_told_in_words() -> None:
    pkcs11, told = module({"C_Sign": 0xA2})
    pkcs11.call("C_SignInit", session=5, mechanism={"type": 0x43, "pss": [0x250, 2, 32]}, key=3)
    pkcs11.call("C_Sign", session=5, data="00")
    pkcs11.find(5, CKA_CLASS=3, CKA_LABEL=b"CPS_PRIV_AUT")
    assert told[0].arguments["mechanism"] == "CKM_SHA256_RSA_PKCS_PSS (salt 32)"
    assert (told[1].result, told[1].answer) == ("CKR_PIN_LEN_RANGE", {})
    assert told[2].arguments["template"] == "CKA_CLASS private-key, CKA_LABEL CPS_PRIV_AUT"
    assert [call.function for call in told[2:]] == [
        "C_FindObjectsInit",
        "C_FindObjects",
        "C_FindObjects",
        "C_FindObjectsFinal",
    ]
    assert all(call.seconds >= 0 for call in told)


def test_a_search_is_ended_even_when_it_fails() -> None:
    pkcs11, told = module({"C_FindObjects": 5})
    with pytest.raises(CryptokiError, match="C_FindObjects: CKR_GENERAL_ERROR"):
        pkcs11.find(5)
    assert told[-1].function == "C_FindObjectsFinal"


def test_a_reader_the_module_does_not_list() -> None:
    pkcs11, _told = module()
    assert pkcs11.slot("Bifente Bi-Slot Reader 00 01") == 9
    with pytest.raises(ScardError, match="the module lists no slot for 'Another'"):
        pkcs11.slot("Another")


def test_stopping_a_module_that_never_started_asks_nothing() -> None:
    pkcs11, told = module()
    pkcs11.stop()
    assert not told
    pkcs11.start()
    pkcs11.open("cps/main", 7, writable=True)
    pkcs11.stop()
    pkcs11.stop()
    assert [call.function for call in told] == ["C_Initialize", "C_OpenSession", "C_Finalize"]
    assert not pkcs11.sessions


# -- the guard --------------------------------------------------------------------------------------------------------

USER, SO = 1, 0


def guarded(flags: int = 0x40D, *, destructive: bool = False, **answers: Any) -> tuple[Cryptoki, FakeModule]:
    fake = FakeModule({"C_GetTokenInfo": {"flags": flags}, **answers}, [])
    pkcs11 = Cryptoki(fake, Pkcs11Guard({"user": "1234", "so": "12345678"}, destructive=destructive))
    pkcs11.open("cps/main", 7, writable=True)
    return pkcs11, fake


def login(pkcs11: Cryptoki, pin: str, user: int = USER) -> int:
    return int(pkcs11.call("C_Login", session=5, user=user, pin=code(pin))["rv"])


Try = Callable[[Cryptoki], object]
REFUSED: dict[str, Try] = {
    "wrong code": lambda pkcs11: login(pkcs11, "0000"),
    "longer code": lambda pkcs11: login(pkcs11, "12345"),
    "no code": lambda pkcs11: login(pkcs11, ""),
    "wrong unblocking code": lambda pkcs11: login(pkcs11, "00000000", SO),
    "the code as the unblocking code": lambda pkcs11: login(pkcs11, "1234", SO),
    "another user": lambda pkcs11: login(pkcs11, "1234", 2),
    "change": lambda pkcs11: pkcs11.call("C_SetPIN", session=5, old=code("1234"), new=code("4321")),
    "reset": lambda pkcs11: pkcs11.call("C_InitPIN", session=5, pin=code("4321")),
    "writing": lambda pkcs11: pkcs11.call("C_SetAttributeValue", session=5, object=1, type=0x11, value="00"),
    "making": lambda pkcs11: pkcs11.call("C_CreateObject", session=5, label="x"),
    "destroying": lambda pkcs11: pkcs11.call("C_DestroyObject", session=5, object=1),
    "keys": lambda pkcs11: pkcs11.call("C_GenerateKeyPair", session=5),
    "erasing": lambda pkcs11: pkcs11.call("C_InitToken", slot=7, pin="", label="x"),
    "something unheard of": lambda pkcs11: pkcs11.call("C_Novelty", session=5),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_might_harm_a_real_card_never_reaches_the_module(name: str) -> None:
    pkcs11, fake = guarded()
    before = list(fake.log)
    with pytest.raises(GuardRefusalError):
        REFUSED[name](pkcs11)
    assert fake.log == before


@pytest.mark.parametrize(("user", "pin"), [(USER, "1234"), (SO, "12345678")])
def test_the_right_code_passes_after_a_look_at_the_flags(user: int, pin: str) -> None:
    pkcs11, fake = guarded()
    assert login(pkcs11, pin, user) == 0
    assert [function for function, _ in fake.log][-2:] == ["C_GetTokenInfo", "C_Login"]


@pytest.mark.parametrize(
    ("user", "pin", "flag"),
    [(USER, "1234", 0x20000), (USER, "1234", 0x40000), (SO, "12345678", 0x200000), (SO, "12345678", 0x400000)],
)
def test_not_even_the_right_code_is_given_at_the_last_try(user: int, pin: str, flag: int) -> None:
    pkcs11, fake = guarded(0x40D | flag)
    with pytest.raises(GuardRefusalError, match="last try"):
        login(pkcs11, pin, user)
    assert "C_Login" not in [function for function, _ in fake.log]


def test_a_low_count_does_not_keep_the_right_code_out() -> None:
    assert login(guarded(0x1040D)[0], "1234") == 0


def test_where_flags_cannot_be_read_no_code_is_given() -> None:
    pkcs11, _fake = guarded(C_GetTokenInfo=0x30)
    with pytest.raises(GuardRefusalError, match="does not tell the state of the tries"):
        login(pkcs11, "1234")


@pytest.mark.parametrize("refusal", [0xA0, 0xA4])
def test_a_code_the_card_refused_is_not_given_twice(refusal: int) -> None:
    pkcs11, fake = guarded(C_Login=refusal)
    assert login(pkcs11, "1234") == refusal
    with pytest.raises(GuardRefusalError, match="not the card's"):
        login(pkcs11, "1234")
    assert [function for function, _ in fake.log].count("C_Login") == 1
    # The other code is none the worse.
    assert login(pkcs11, "12345678", SO) == refusal


def test_with_permission_everything_passes_but_what_loses_the_card() -> None:
    pkcs11, fake = guarded(destructive=True)
    assert login(pkcs11, "0000") == 0
    assert login(pkcs11, "00000000", SO) == 0
    for name in ("change", "reset", "writing", "making", "keys"):
        REFUSED[name](pkcs11)
    before = list(fake.log)
    with pytest.raises(GuardRefusalError, match="would erase the card"):
        REFUSED["erasing"](pkcs11)
    assert fake.log == before


@pytest.mark.parametrize("flag", [0x100000, 0x200000, 0x400000])
def test_a_wrong_unblocking_code_is_refused_once_tries_are_missing(flag: int) -> None:
    pkcs11, _fake = guarded(0x40D | flag, destructive=True)
    with pytest.raises(GuardRefusalError, match="would lose the card"):
        login(pkcs11, "00000000", SO)
    assert login(pkcs11, "12345678", SO) == 0
    with pytest.raises(GuardRefusalError, match="would lose the card"):
        pkcs11.call("C_SetPIN", session=5, old=code("00000000"), new=code("11111111"))
    assert login(pkcs11, "0000") == 0


# -- modules that are none, or that break -----------------------------------------------------------------------------


def test_a_module_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModuleMissingError, match=r"nothing\.so: there is no such PKCS#11 module; give its path by --m"):
        ModuleProcess(tmp_path / "nothing.so")


def test_without_pykcs11_the_cure_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.so").touch()
    monkeypatch.setattr(target.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleMissingError, match=r"needs PyKCS11: pip install 'bifente\[pkcs11\]'"):
        ModuleProcess(tmp_path / "m.so")


def test_a_file_that_is_no_module(tmp_path: Path) -> None:
    pytest.importorskip("PyKCS11", reason="needs PyKCS11: pip install bifente[pkcs11]")
    (tmp_path / "m.so").write_text("no library")
    with pytest.raises(ModuleMissingError, match=r"m\.so: no PKCS#11 module could be loaded from it"):
        ModuleProcess(tmp_path / "m.so").load()


def test_a_library_that_is_no_module() -> None:
    pytest.importorskip("PyKCS11", reason="needs PyKCS11: pip install bifente[pkcs11]")
    import _ctypes

    with pytest.raises(ModuleMissingError, match="no PKCS#11 module could be loaded from it"):
        ModuleProcess(Path(_ctypes.__file__)).load()


def worker(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> ModuleProcess:
    path = folder / "worker.py"
    path.write_text(script)
    (folder / "m.so").touch()
    monkeypatch.setattr(target, "WORKER", path)
    monkeypatch.setattr(target.importlib.util, "find_spec", lambda name: name)
    return ModuleProcess(folder / "m.so")


def test_a_module_that_crashes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = "import os\ninput()\nprint('{\"ready\": true}', flush=True)\ninput()\nos.abort()\n"
    process = worker(monkeypatch, tmp_path, script).load()
    with pytest.raises(ModuleGoneError, match="the module CRASHED in C_Sign"):
        process.ask("C_Sign", {})
    with pytest.raises(ModuleGoneError):
        process.ask("C_Sign", {})
    process.close()


def test_a_module_that_never_comes_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = "import time\ninput()\nprint('{\"ready\": true}', flush=True)\ntime.sleep(100)\n"
    process = worker(monkeypatch, tmp_path, script).load()
    monkeypatch.setattr(target, "PATIENCE", 0.1)
    with pytest.raises(ModuleGoneError, match="NO_ANSWER"):
        process.ask("C_Sign", {})
    process.close()


def test_a_module_that_crashes_when_it_is_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    process = worker(monkeypatch, tmp_path, "import os\ninput()\nos.abort()\n")
    with pytest.raises(ModuleMissingError, match="cannot be loaded: CRASHED"):
        process.load()


def test_what_a_module_prints_is_not_taken_for_an_answer(tmp_path: Path) -> None:
    pytest.importorskip("PyKCS11", reason="needs PyKCS11: pip install bifente[pkcs11]")
    script = (
        "import os, sys\n"
        f"sys.path.insert(0, {str(target.WORKER.parent)!r})\n"
        "import pkcs11_worker\n"
        "out = pkcs11_worker._private_output()\n"
        "os.write(1, b'noise')\n"
        "out.write('answer'); out.flush()\n"
    )
    import subprocess

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert (done.stdout, done.stderr) == ("answer", "noise")
