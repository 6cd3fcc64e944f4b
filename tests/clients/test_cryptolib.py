"""The ANS Cryptolib CPS, unmodified: the software every CPS workstation in the field relies on.

It cannot be distributed with this project. These tests run when ``BIFENTE_CRYPTOLIB`` is the path of the library
(version 5.2.2 for Linux was used to write them). It keeps a cache of card files in a folder of the machine: here each
test gives it an empty one of its own, in the mount namespace of the private pcscd.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from clients_bench import AUT_ID, PIN, PUK, SIG_ID, Bench, CardMaker, Talker, digest_info, tool
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tls_tools import PKCS1, Caller, Server, accepted, server_files

VARIABLE = "BIFENTE_CRYPTOLIB"

pytestmark = pytest.mark.timeout(60)

if not os.environ.get(VARIABLE):  # said once for the whole module
    pytest.skip(
        f"needs the ANS Cryptolib CPS: set {VARIABLE} to the path of libcps3_pkcs11_lux.so", allow_module_level=True
    )

SETTINGS, DATA = Path("/etc/opt"), Path("/var/opt")

HASH, SIGN, AUTHENTICATE, VERIFY, LOOK_FOR_UPDATE = "002a90a0", "002a9e9a", "0088", "00200001", "00a40904043f00d010"

# Answers of the module, as PKCS#11 numbers them.
OK = "0x0"
ARGUMENTS_BAD, ATTRIBUTE_READ_ONLY, DATA_LEN_RANGE = "0x7", "0x10", "0x21"
KEY_TYPE_INCONSISTENT, MECHANISM_INVALID = "0x63", "0x70"
PIN_INCORRECT, PIN_LEN_RANGE, PIN_LOCKED = "0xa0", "0xa2", "0xa4"
SESSION_HANDLE_INVALID, NOT_LOGGED_IN = "0xb3", "0x101"
BAD_UPDATE = "0x80000001"
COUNT_LOW, FINAL_TRY, LOCKED = 0x10000, 0x20000, 0x40000

MESSAGE = b"Feuille de soins TEST"


@pytest.fixture(scope="module")
def library() -> Path:
    path = Path(os.environ[VARIABLE])
    assert path.is_file(), f"{VARIABLE} names no file: {path}"
    return path.resolve()


class Cryptolib:
    """The module, a bench whose card it sees, and its cache."""

    def __init__(self, bench: Bench, library: Path, cache: Path) -> None:
        self.bench, self.library, self.cache = bench, library, cache

    def tool(self, *options: str | Path) -> list[str | Path]:
        return [tool("pkcs11-tool"), "--module", self.library, *options]

    @contextmanager
    def module(self, *, open_session: bool = True, login: bool = False) -> Iterator[Module]:
        """The module in a process of its own; by default with a session open on the card."""
        with self.bench.talk("raw_pkcs11.py", self.library) as talker:
            module = Module(talker)
            if open_session or login:
                module.do("open")
            if login:
                module.do("login", code=PIN)
            yield module

    def cached(self) -> set[str]:
        return {path.name for path in self.cache.iterdir()}


class Module:
    """Orders to the module; each one says which answer is due."""

    def __init__(self, talker: Talker) -> None:
        self._talker = talker

    def do(self, order: str, due: str = OK, **values: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._talker.ask(order, **values)
        assert answer["rv"] == due, f"{order}: {answer}"
        return answer

    def read(self, label: str) -> bytes:
        return bytes.fromhex(self.do("read", label=label)["data"])

    def sign(self, key: str, mechanism: str, data: bytes, pieces: int = 0) -> bytes:
        return bytes.fromhex(self.do("sign", key=key, mechanism=mechanism, data=data.hex(), pieces=pieces)["data"])

    def labels(self, kind: str) -> set[str]:
        # Some labels of the module end with a zero.
        return {label.rstrip("\0") for label in self.do("labels", kind=kind)["labels"]}


@pytest.fixture(scope="module")
def cryptolib_bench(
    library: Path, make: CardMaker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Bench, Path]]:
    """A pcscd whose namespace has the folders of the module, empty."""
    for folder in (SETTINGS, DATA):
        if not folder.is_dir():
            pytest.skip(f"needs the folder {folder}, to hide it behind a private one")
    tool("nsenter")
    folder = tmp_path_factory.mktemp("cryptolib")
    settings, data = folder / "etc", folder / "var"
    cache = settings / "santesocial/CPS/cache"
    cache.mkdir(parents=True)
    data.mkdir()
    with Bench(make(), folder, mounts=((settings, SETTINGS), (data, DATA))) as bench:
        # nsenter goes to the folder of this process; the clients work in that of the bench.
        bench.behind = (*bench.pcscd.enter, tool("env"), f"--chdir={folder}")
        yield bench, cache


@pytest.fixture
def cryptolib(cryptolib_bench: tuple[Bench, Path], library: Path, make: CardMaker) -> Iterator[Cryptolib]:
    bench, cache = cryptolib_bench
    for file in cache.iterdir():
        file.unlink()
    if bench.slot.card is None:
        bench.slot.insert(make().card)
    bench.seat(make())
    with bench.faultless():
        yield Cryptolib(bench, library, cache)


# -- the token ------------------------------------------------------------------------------------------------------


def test_pkcs11_tool_lists_the_token(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    cold, warm = bench.ok(cryptolib.tool("-L")), bench.ok(cryptolib.tool("-L"))
    for line in (
        f"): {bench.name}",
        "token label        : CPS3v3-9900000001\n",
        "token manufacturer : ASIP SANTE\n",
        "token model        : IAS ECC\n",
        "token flags        : login required, rng, token initialized, PIN initialized\n",
        "serial num         : 99000001\n",
        "pin min/max        : 4/4\n",
    ):
        assert line in cold.out
    assert warm.out == cold.out
    print(f"-L cold {cold.cost} APDU {1000 * cold.seconds:.0f} ms, warm {warm.cost} APDU {1000 * warm.seconds:.0f} ms")
    assert warm.cost < cold.cost <= 60


def test_the_module_knows_the_card_and_its_mechanisms(cryptolib: Cryptolib) -> None:
    with cryptolib.module(open_session=False) as module:
        assert module.do("info")["description"] == "CPS3 PKCS#11 LINUX"
        assert module.do("slots")["slots"] == [0]
        token = module.do("token")
        assert (token["label"], token["serial"], token["model"]) == ("CPS3v3-9900000001", "99000001", "IAS ECC")
        assert token["flags"] == 0x40D
        # SHA-1, SHA-256, RSA-X-509, RSA-PKCS, SHA1-RSA-PKCS, SHA256-RSA-PKCS: neither SHA-512 nor PSS.
        assert sorted(module.do("mechanisms")["mechanisms"]) == [0x01, 0x03, 0x06, 0x40, 0x220, 0x250]


def test_random_bytes_come_from_the_card(cryptolib: Cryptolib) -> None:
    with cryptolib.module() as module:
        cryptolib.bench.forget()
        assert len(module.do("random", size=20)["data"]) == 40
    assert cryptolib.bench.commands("0084") == ["0084000008"] * 3


# -- codes ----------------------------------------------------------------------------------------------------------


def test_wrong_codes_to_the_end_then_the_unblocking_code(cryptolib: Cryptolib) -> None:
    seated = cryptolib.bench.seated
    with cryptolib.module() as module:

        def flags() -> int:
            return int(module.do("token")["flags"]) & (COUNT_LOW | FINAL_TRY | LOCKED)

        for left, expected in ((2, COUNT_LOW), (1, COUNT_LOW | FINAL_TRY), (0, LOCKED)):
            module.do("login", PIN_INCORRECT, code="0000")
            assert seated.tries == (left, 10)
            assert flags() & expected == expected
        module.do("login", PIN_LOCKED, code=PIN)

        module.do("login", PIN_INCORRECT, code="00000000", user="so")
        assert seated.tries == (0, 9)
        module.do("login", code=PUK, user="so")
        module.do("init_pin", code="4321")
        module.do("logout")
        assert seated.tries == (3, 10)
        assert flags() == 0
        module.do("login", PIN_INCORRECT, code=PIN)
        module.do("login", code="4321")


def test_an_exhausted_unblocking_code_is_locked(cryptolib: Cryptolib, make: CardMaker) -> None:
    cryptolib.bench.seat(make(lifecycle="puk-exhausted"))
    with cryptolib.module() as module:
        module.do("login", PIN_LOCKED, code=PIN)
        module.do("login", PIN_LOCKED, code=PUK, user="so")


def test_the_code_is_changed(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    with cryptolib.module(login=True) as module:
        module.do("set_pin", PIN_LEN_RANGE, old=PIN, new="12345")
        module.do("set_pin", old=PIN, new="4321")
        assert bench.commands("0024") == [f"0024000108{b'12344321'.hex()}"]
        module.do("logout")
        module.do("login", PIN_INCORRECT, code=PIN)
        module.do("login", code="4321")


def test_pkcs11_tool_unblocks_and_changes(cryptolib: Cryptolib, make: CardMaker) -> None:
    bench = cryptolib.bench
    bench.seat(make(lifecycle="pin-blocked"))
    unblock = cryptolib.tool("--login", "--login-type", "so", "--init-pin", "--new-pin", "4321", "--so-pin")
    bench.refused([*unblock, "00000000"], "CKR_PIN_INCORRECT")
    bench.ok([*unblock, PUK])
    bench.ok(cryptolib.tool("--login", "--pin", "4321", "--change-pin", "--new-pin", PIN))
    bench.ok(cryptolib.tool("--login", "--pin", PIN, "-O"))


# -- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_the_signature_key_signs_messages_of_every_length(cryptolib: Cryptolib, digest: str) -> None:
    """The module hashes all but the last block, the card finishes: each way to cut a message is another case."""
    bench = cryptolib.bench
    key = bench.seated.public_key("signature")
    (bench.folder / "key.pem").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    verify = [tool("openssl"), "dgst", f"-{digest}", "-verify", "key.pem", "-signature", "signature", "message"]
    with cryptolib.module(login=True) as module:
        for size in (1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 129, 1000, 100_000):
            message = bytes(number * 7 % 251 for number in range(size))
            bench.forget()
            signature = module.sign(SIG_ID, f"{digest.upper()}-RSA-PKCS", message)
            assert len(bench.commands(HASH)) == len(bench.commands(SIGN)) == 1
            (bench.folder / "message").write_bytes(message)
            (bench.folder / "signature").write_bytes(signature)
            assert bench.ok(verify).out == "Verified OK\n", size
        (bench.folder / "message").write_bytes(b"x")
        bench.refused(verify, "Verification failure")


def test_a_message_given_in_pieces_has_the_same_signature(cryptolib: Cryptolib) -> None:
    message = bytes(500)
    with cryptolib.module(login=True) as module:
        whole = module.sign(SIG_ID, "SHA256-RSA-PKCS", message)
        assert module.sign(SIG_ID, "SHA256-RSA-PKCS", message, pieces=77) == whole


def test_pkcs11_tool_signs_with_both_keys(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    (bench.folder / "text").write_bytes(MESSAGE)
    (bench.folder / "info").write_bytes(digest_info(MESSAGE))
    bench.ok(cryptolib.tool("-O"))  # fills the cache
    listed = bench.ok(cryptolib.tool("-O"))
    print(f"-O without login: {listed.cost} APDU, {1000 * listed.seconds:.0f} ms")
    for role, key, mechanism, given in (
        ("signature", SIG_ID, "SHA256-RSA-PKCS", "text"),
        ("authentication", AUT_ID, "RSA-PKCS", "info"),
    ):
        sign = cryptolib.tool("--login", "--pin", PIN, "--sign", "-m", mechanism, "--id", key)
        done = bench.ok([*sign, "-i", given, "-o", "signed"])
        print(f"login and {role}: {done.cost} APDU, {1000 * done.seconds:.0f} ms")
        assert done.cost <= 40
        signature = (bench.folder / "signed").read_bytes()
        bench.seated.public_key(role).verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())


def test_the_signature_key_signs_a_hash_made_elsewhere(cryptolib: Cryptolib) -> None:
    digest = digest_info(MESSAGE)
    with cryptolib.module(login=True) as module:
        signature = module.sign(SIG_ID, "RSA-PKCS", digest)
        assert cryptolib.bench.commands(SIGN) == [f"{SIGN}20{digest[-32:].hex()}"]
        assert module.sign(SIG_ID, "RSA-PKCS", digest[-32:]) == signature
    key = cryptolib.bench.seated.public_key("signature")
    key.verify(signature, digest[-32:], padding.PKCS1v15(), Prehashed(hashes.SHA256()))


def test_the_authentication_key_signs_what_it_is_given(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    with cryptolib.module(login=True) as module:
        signature = module.sign(AUT_ID, "RSA-PKCS", digest_info(MESSAGE))
        assert bench.commands(AUTHENTICATE) == [f"0088000033{digest_info(MESSAGE).hex()}"]
        assert len(module.sign(AUT_ID, "RSA-PKCS", bytes(102))) == 256
        module.do("sign", DATA_LEN_RANGE, key=AUT_ID, mechanism="RSA-PKCS", data=bytes(103).hex())
    key = bench.seated.public_key("authentication")
    key.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())


def test_the_authentication_key_deciphers(cryptolib: Cryptolib) -> None:
    secret = cryptolib.bench.seated.public_key("authentication").encrypt(MESSAGE, padding.PKCS1v15())
    with cryptolib.module(login=True) as module:
        assert bytes.fromhex(module.do("decrypt", key=AUT_ID, data=secret.hex())["data"]) == MESSAGE
    first, last = cryptolib.bench.commands("102a8086", "002a8086")
    assert (first, last) == (f"102a8086ff81{secret[:254].hex()}", f"002a808602{secret[254:].hex()}")


def test_a_logout_tells_the_card_nothing(cryptolib: Cryptolib) -> None:
    """A fact of the module, worth knowing: until the card is reset, another program may go on with its keys."""
    with cryptolib.module(login=True) as module:
        cryptolib.bench.forget()
        module.do("logout")
        assert module.labels("private") == set()
        assert not cryptolib.bench.commands()
    assert cryptolib.bench.seated.card.state().secrets["pin"].verified


@pytest.mark.parametrize(
    ("key", "mechanism", "due"),
    [
        (AUT_ID, "SHA256-RSA-PKCS", KEY_TYPE_INCONSISTENT),
        (SIG_ID, "SHA512-RSA-PKCS", MECHANISM_INVALID),
        (SIG_ID, "RSA-PKCS-PSS", MECHANISM_INVALID),
        (AUT_ID, "RSA-PKCS-PSS", MECHANISM_INVALID),
    ],
)
def test_a_mechanism_not_meant_for_the_key_is_refused(cryptolib: Cryptolib, key: str, mechanism: str, due: str) -> None:
    with cryptolib.module(login=True) as module:
        module.do("sign", due, key=key, mechanism=mechanism, data=MESSAGE.hex())
    assert not cryptolib.bench.commands(SIGN, AUTHENTICATE)


def test_a_signature_refused_for_want_of_the_code_is_made_after_a_silent_verify(
    cryptolib: Cryptolib, make: CardMaker
) -> None:
    """The module repeats the signature, not the hash: the card must have kept it."""
    bench = cryptolib.bench
    bench.seat(make(options={"pin_consumed_by_signature": True}))
    key = bench.seated.public_key("signature")
    with cryptolib.module(login=True) as module:
        for number in range(3):
            bench.forget()
            message = MESSAGE + bytes((number,))
            signature = module.sign(SIG_ID, "SHA256-RSA-PKCS", message)
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
            refused = ["6982"] if number else []
            assert bench.answers(SIGN) == [*refused, "6100"]
            assert len(bench.commands(f"{VERIFY}04")) == len(refused)
            assert len(bench.commands(HASH)) == 1


def test_an_authentication_refused_for_want_of_the_code_is_made_after_a_silent_verify(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    with cryptolib.module(login=True) as module:
        bench.seated.card.reset()  # behind the module's back
        bench.forget()
        signature = module.sign(AUT_ID, "RSA-PKCS", digest_info(MESSAGE))
    assert bench.answers(AUTHENTICATE) == ["6982", "6100"]
    bench.seated.public_key("authentication").verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())


# -- objects --------------------------------------------------------------------------------------------------------

FREE = {"CPS_DATA", "CPS_ID_CARD", "CPS_NAME_PS", "CPS_LANG_PS", "CPS_INFO_PS"}
NUMBERS = (1, 2, 5)
PROTECTED = {f"CPS_ACTIVITY_{number:02}_PS" for number in NUMBERS}
CPS2TER = {"CPS_SIT_FACT", *(f"CPS2TER_ACTIVITY_{number:02}_PS" for number in NUMBERS)}


def test_objects_appear_with_the_login(cryptolib: Cryptolib) -> None:
    with cryptolib.module() as module:
        assert module.labels("data") == FREE
        assert module.labels("private") == set()
        assert module.labels("certificate") == {"Certificat de Signature CPS", "Certificat d'Authentification CPS"}
        module.do("read", "not found", label="CPS_ACTIVITY_01_PS")
        module.do("login", code=PIN)
        # The hole in the numbers (3 and 4) hides nothing.
        assert module.labels("data") == FREE | PROTECTED | CPS2TER
        assert module.labels("private") == {"CPS_PRIV_SIG", "CPS_PRIV_AUT"}


def test_objects_come_out_byte_for_byte(cryptolib: Cryptolib) -> None:
    made = cryptolib.bench.seated.made
    with cryptolib.module(login=True) as module:
        for name, item in made.objects.items():
            assert module.read(name) == item.encode(), name
        for number in NUMBERS:
            twin = made.objects[f"CPS_ACTIVITY_{number:02}_PS"].encode()
            assert module.read(f"CPS2TER_ACTIVITY_{number:02}_PS") == twin
    assert cryptolib.bench.commands("a0a4"), "the CPS2ter side was asked"


def test_a_private_object_is_not_read_without_the_code(cryptolib: Cryptolib) -> None:
    """The rule is the card's: even a module that thinks it is logged in gets nothing."""
    bench = cryptolib.bench
    with cryptolib.module(login=True) as module:
        bench.seated.card.reset()  # behind the module's back
        bench.forget()
        name = "CPS_ACTIVITY_05_PS"
        assert module.read(name) == bench.seated.made.objects[name].encode()
    assert "6982" in bench.answers("00b0")
    assert bench.answers(f"{VERIFY}04") == ["9000"], "the module verified again by itself"


def test_the_holder_writes_in_his_object_alone(cryptolib: Cryptolib) -> None:
    with cryptolib.module(login=True) as module:
        module.do("write", label="CPS_DATA", data="0102030405")
        module.do("write", ATTRIBUTE_READ_ONLY, label="CPS_NAME_PS", data="00")
        assert module.read("CPS_DATA") == bytes((1, 2, 3, 4, 5)).ljust(64, b"\0")
    with cryptolib.module() as module:
        assert module.read("CPS_DATA") == bytes((1, 2, 3, 4, 5)).ljust(64, b"\0"), "another process reads it back"
    assert cryptolib.bench.seated.card.state().rewritten_files


def test_pkcs11_tool_reads_a_private_object(cryptolib: Cryptolib) -> None:
    bench, name = cryptolib.bench, "CPS_ACTIVITY_05_PS"
    read = cryptolib.tool("--read-object", "--type", "data", "--label", name, "-o", "object")
    bench.refused(read, "object not found")
    bench.ok([*read, "--login", "--pin", PIN])
    assert (bench.folder / "object").read_bytes() == bench.seated.made.objects[name].encode()


# -- updates and the cache ------------------------------------------------------------------------------------------

PRACTICE = "TESTAUTREMEDECIN"


def _updated(year: int) -> dict[str, Any]:
    """A card updated in the year after its issue, so that two years make two updates."""
    return {"lifecycle": "updated", "card": {"issued": date(year, 1, 1), "expires": date(year + 3, 12, 31)}}


def test_a_card_never_updated_opens(cryptolib: Cryptolib) -> None:
    with cryptolib.module():
        assert set(cryptolib.bench.answers(LOOK_FOR_UPDATE)) == {"6a82"}
    assert "99000001_D010" not in cryptolib.cached()


def test_a_card_updated_opens_and_its_update_is_remembered(cryptolib: Cryptolib, make: CardMaker) -> None:
    cryptolib.bench.seat(make(**_updated(2024)))
    with cryptolib.module():
        assert "6a82" not in cryptolib.bench.answers(LOOK_FOR_UPDATE)
    assert "99000001_D010" in cryptolib.cached()


def test_another_update_drops_the_cache(cryptolib: Cryptolib, make: CardMaker) -> None:
    bench = cryptolib.bench
    first = bench.seat(make(**_updated(2024)))
    with cryptolib.module() as module:
        old = module.read("CPS_INFO_PS")
    assert old == first.made.objects["CPS_INFO_PS"].encode()

    # The same serial number and the same update, yet another content: the module believes its cache.
    changed = {"holder": {"practice_name": PRACTICE}}
    bench.seat(make(**_updated(2024), **changed))
    with cryptolib.module() as module:
        assert module.read("CPS_INFO_PS") == old
    assert not bench.commands("00a4090406" + "3f000001d113")

    second = bench.seat(make(**_updated(2025), **changed))
    with cryptolib.module() as module:
        new = module.read("CPS_INFO_PS")
    assert new == second.made.objects["CPS_INFO_PS"].encode() != old
    assert PRACTICE.encode() in new


@pytest.mark.parametrize("lifecycle", ["damaged-update", "empty-update"])
def test_a_card_whose_update_was_cut_short_is_refused_by_name(
    cryptolib: Cryptolib, make: CardMaker, lifecycle: str
) -> None:
    cryptolib.bench.seat(make(lifecycle=lifecycle))
    with cryptolib.module(open_session=False) as module:
        module.do("open", BAD_UPDATE)
        assert module.do("token")["serial"] == "99000001", "the token stays visible"


# -- cards that come and go -----------------------------------------------------------------------------------------


def test_a_removed_card_ends_the_session_and_comes_back(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    with cryptolib.module(login=True) as module, bench.client() as reader:
        card = bench.slot.remove()
        reader.ask("wait", states={bench.name: "empty"})
        refused = module._talker.ask("sign", key=AUT_ID, mechanism="RSA-PKCS", data=digest_info(MESSAGE).hex())
        assert refused["rv"] != OK
        assert module.do("slots")["slots"] == []
        bench.slot.insert(card)
        reader.ask("wait", states={bench.name: "present"})
        assert module.do("slots")["slots"] == [0]
        module._talker.ask("close")
        module.do("open")
        module.do("login", code=PIN)
        assert len(module.sign(AUT_ID, "RSA-PKCS", digest_info(MESSAGE))) == 256


def test_another_card_in_the_reader_is_another_token(cryptolib: Cryptolib, make: CardMaker) -> None:
    bench = cryptolib.bench
    with cryptolib.module(open_session=False) as module, bench.client() as reader:
        assert module.do("token")["serial"] == "99000001"
        bench.slot.remove()
        reader.ask("wait", states={bench.name: "empty"})
        bench.slot.insert(make("pharmacien").card)
        reader.ask("wait", states={bench.name: "present"})
        module.do("slots")
        assert module.do("token")["serial"] == "99000002"


def test_a_reset_by_another_program_ends_the_session(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    with cryptolib.module(login=True) as module, bench.client() as reader:
        reader.ask("connect", reader=bench.name)
        module.do("sign", SESSION_HANDLE_INVALID, key=AUT_ID, mechanism="RSA-PKCS", data=digest_info(MESSAGE).hex())


# -- TLS ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("client", ["s_client", "curl", "gnutls_cli"])
def test_the_card_opens_a_tls_1_2_server(cryptolib: Cryptolib, make: CardMaker, tmp_path: Path, client: str) -> None:
    server_files(tmp_path, make(), make("pharmacien", lifecycle="revoked"))
    caller = Caller(cryptolib.bench, tmp_path, cryptolib.library)
    with Server(tmp_path, *PKCS1, "-crl_check", "-CRL", "crl.pem") as server:
        done = getattr(caller, client)(server)
    assert accepted(done) == cryptolib.bench.seated.made.certificates["authentication"], done.text
    assert cryptolib.bench.commands(AUTHENTICATE)


def test_every_type_of_card_is_a_token(cryptolib: Cryptolib, make: CardMaker) -> None:
    from simulator.personalisation.loading import shipped_templates

    for name in shipped_templates():
        specimen = cryptolib.bench.seat(make(name))
        with cryptolib.module(open_session=False) as module:
            assert module.do("token")["serial"] == specimen.made.template.card.serial
            module.do("open")
            module.do("login", code=PIN)
            for label, item in specimen.made.objects.items():
                assert module.read(label) == item.encode(), (name, label)
            signature = module.sign(SIG_ID, "SHA256-RSA-PKCS", MESSAGE)
        specimen.public_key("signature").verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
