"""What the Cryptolib does with any CPS: every test is run with a CPS3, then with a CPS4."""

from __future__ import annotations

import pytest
from clients_bench import PIN, PUK, Bench, digest_info, tool
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptolib_tools import (
    ATTRIBUTE_READ_ONLY,
    COUNT_LOW,
    FINAL_TRY,
    LOCKED,
    MESSAGE,
    NUMBERS,
    OK,
    PIN_INCORRECT,
    PIN_LEN_RANGE,
    PIN_LOCKED,
    PROTECTED,
    SESSION_HANDLE_INVALID,
    SESSION_READ_ONLY,
    Cryptolib,
    needs_cryptolib,
)

from bifente.simulator.cards.cpx.loading import shipped_templates

needs_cryptolib()


def _verifies(bench: Bench, role: str, signature: bytes, message: bytes = MESSAGE) -> None:
    bench.seated.public_key(role).verify(signature, message, padding.PKCS1v15(), hashes.SHA256())


# -- the token ------------------------------------------------------------------------------------------------------


def test_pkcs11_tool_lists_the_token(cryptolib: Cryptolib) -> None:
    bench, family = cryptolib.bench, cryptolib.family
    cold, warm = bench.ok(cryptolib.tool("-L")), bench.ok(cryptolib.tool("-L"))
    for line in (
        f"): {bench.name}",
        f"token label        : {family.label}\n",
        f"token manufacturer : {family.manufacturer}\n",
        "token model        : IAS ECC\n",
        "token flags        : login required, rng, token initialized, PIN initialized\n",
        f"serial num         : {family.serial}\n",
        "pin min/max        : 4/4\n",
    ):
        assert line in cold.out
    assert warm.out == cold.out
    print(f"-L cold {cold.cost} APDU {1000 * cold.seconds:.0f} ms, warm {warm.cost} APDU {1000 * warm.seconds:.0f} ms")
    assert warm.cost < cold.cost <= 80


def test_the_module_knows_the_card_and_its_mechanisms(cryptolib: Cryptolib) -> None:
    family = cryptolib.family
    with cryptolib.module(open_session=False) as module:
        assert module.do("info")["description"] == "CPS3 PKCS#11 LINUX"
        assert module.do("slots")["slots"] == [0]
        token = module.do("token")
        assert (token["label"], token["serial"], token["model"]) == (family.label, family.serial, "IAS ECC")
        assert token["flags"] == 0x40D
        assert sorted(module.do("mechanisms")["mechanisms"]) == sorted(family.mechanisms)


def test_random_bytes_come_from_the_card(cryptolib: Cryptolib) -> None:
    cla = cryptolib.family.cla
    with cryptolib.module() as module:
        cryptolib.bench.forget()
        assert len(module.do("random", size=20)["data"]) == 40
    assert cryptolib.bench.commands(f"{cla}84") == [f"{cla}84000008"] * 3


def test_p11tool_lists_token_and_objects(cryptolib: Cryptolib) -> None:
    bench, family = cryptolib.bench, cryptolib.family
    p11tool = [tool("p11tool"), "--provider", cryptolib.library]
    tokens = bench.ok([*p11tool, "--list-tokens"]).out
    assert f"Label: {family.label}\n" in tokens
    assert f"Serial: {family.serial}\n" in tokens
    url = f"pkcs11:serial={family.serial}"
    private = ("Label: CPS_PRIV_SIG\n", "Label: CPS_PRIV_AUT\n", "Label: CPS_ACTIVITY_05_PS\n")
    assert not any(label in bench.ok([*p11tool, "--list-all", url]).out for label in private)
    listed = bench.ok([*p11tool, "--login", "--list-all", url], env={"GNUTLS_PIN": PIN}).out
    assert all(label in listed for label in private)


# -- codes ----------------------------------------------------------------------------------------------------------


def test_wrong_codes_to_the_end_then_the_unblocking_code(cryptolib: Cryptolib) -> None:
    seated, puk_tries = cryptolib.bench.seated, cryptolib.family.puk_tries
    with cryptolib.module() as module:
        for left, expected in ((2, COUNT_LOW), (1, COUNT_LOW | FINAL_TRY), (0, LOCKED)):
            # Some cards say "blocked" with the third wrong code, some with the next one (see the tests by family).
            assert module.ask("login", code="0000")["rv"] in ({PIN_INCORRECT} if left else {PIN_INCORRECT, PIN_LOCKED})
            assert seated.tries == (left, puk_tries)
            assert module.flags() & expected == expected
        module.do("login", PIN_LOCKED, code=PIN)

        module.do("login", PIN_INCORRECT, code="00000000", user="so")
        assert seated.tries == (0, puk_tries - 1)
        module.do("login", code=PUK, user="so")
        module.do("init_pin", code="4321")
        module.do("logout")
        assert seated.tries == (3, puk_tries)
        assert module.flags() == 0
        module.do("login", PIN_INCORRECT, code=PIN)
        module.do("login", code="4321")


def test_an_exhausted_unblocking_code_is_locked(cryptolib: Cryptolib) -> None:
    cryptolib.seat(lifecycle="puk-exhausted")
    with cryptolib.module() as module:
        module.do("login", PIN_LOCKED, code=PIN)
        module.do("login", PIN_LOCKED, code=PUK, user="so")


@pytest.mark.parametrize("login", [True, False], ids=["logged in", "not logged in"])
def test_the_code_is_changed(cryptolib: Cryptolib, login: bool) -> None:
    bench, family = cryptolib.bench, cryptolib.family
    with cryptolib.module(login=login) as module:
        bench.forget()
        module.do("set_pin", PIN_LEN_RANGE, old=PIN, new="12345")
        module.do("set_pin", old=PIN, new="4321")
        assert bench.commands(f"{family.cla}24", family.verify) == list(family.change)
        if login:
            module.do("logout")
        module.do("set_pin", PIN_INCORRECT, old=PIN, new="1111")
        module.do("login", PIN_INCORRECT, code=PIN)
        module.do("login", code="4321")


def test_a_code_of_another_length_never_reaches_the_card(cryptolib: Cryptolib) -> None:
    with cryptolib.module() as module:
        cryptolib.bench.forget()
        assert module.ask("login", code="12345")["rv"] in (PIN_LEN_RANGE, PIN_INCORRECT)
        assert not cryptolib.bench.commands(cryptolib.family.verify[:8])
    assert cryptolib.bench.seated.tries[0] == 3


def test_pkcs11_tool_unblocks_and_changes(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    cryptolib.seat(lifecycle="pin-blocked")
    unblock = cryptolib.tool("--login", "--login-type", "so", "--init-pin", "--new-pin", "4321", "--so-pin")
    bench.refused([*unblock, "00000000"], "CKR_PIN_INCORRECT")
    bench.ok([*unblock, PUK])
    bench.ok(cryptolib.tool("--login", "--pin", "4321", "--change-pin", "--new-pin", PIN))
    bench.ok(cryptolib.tool("--login", "--pin", PIN, "-O"))


# -- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_the_signature_key_signs_messages_of_every_length(cryptolib: Cryptolib, digest: str) -> None:
    """A CPS3 finishes the hash itself: each way to cut a message is another case for it."""
    bench = cryptolib.bench
    key = bench.seated.public_key("signature")
    (bench.folder / "key.pem").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    verify = [tool("openssl"), "dgst", f"-{digest}", "-verify", "key.pem", "-signature", "signature", "message"]
    with cryptolib.module(login=True) as module:
        for size in (1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 129, 1000, 100_000):
            message = bytes(number * 7 % 251 for number in range(size))
            bench.forget()
            signature = module.sign(cryptolib.key("signature"), f"{digest.upper()}-RSA-PKCS", message)
            assert len(bench.commands(cryptolib.family.sign)) == 1
            (bench.folder / "message").write_bytes(message)
            (bench.folder / "signature").write_bytes(signature)
            assert bench.ok(verify).out == "Verified OK\n", size
        (bench.folder / "message").write_bytes(b"x")
        bench.refused(verify, "Verification failure")


def test_a_message_given_in_pieces_has_the_same_signature(cryptolib: Cryptolib) -> None:
    key, message = cryptolib.key("signature"), bytes(500)
    with cryptolib.module(login=True) as module:
        whole = module.sign(key, "SHA256-RSA-PKCS", message)
        assert module.sign(key, "SHA256-RSA-PKCS", message, pieces=77) == whole


def test_pkcs11_tool_signs_with_both_keys(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    (bench.folder / "text").write_bytes(MESSAGE)
    (bench.folder / "info").write_bytes(digest_info(MESSAGE))
    bench.ok(cryptolib.tool("-O"))  # fills the cache
    listed = bench.ok(cryptolib.tool("-O"))
    print(f"-O without login: {listed.cost} APDU, {1000 * listed.seconds:.0f} ms")
    for role, mechanism, given in (
        ("signature", "SHA256-RSA-PKCS", "text"),
        ("authentication", "RSA-PKCS", "info"),
    ):
        if (role, cryptolib.family.name) == ("authentication", "cps4"):
            continue  # see test_the_room_for_a_signature in test_cryptolib_cps4
        sign = cryptolib.tool("--login", "--pin", PIN, "--sign", "-m", mechanism, "--id", cryptolib.key(role))
        done = bench.ok([*sign, "-i", given, "-o", "signed"])
        print(f"login and {role}: {done.cost} APDU, {1000 * done.seconds:.0f} ms")
        assert done.cost <= 40
        _verifies(bench, role, (bench.folder / "signed").read_bytes())


def test_the_signature_key_signs_a_hash_made_elsewhere(cryptolib: Cryptolib) -> None:
    digest, bench = digest_info(MESSAGE), cryptolib.bench
    with cryptolib.module(login=True) as module:
        signature = module.sign(cryptolib.key("signature"), "RSA-PKCS", digest)
        assert bench.commands(cryptolib.family.sign) == [f"{cryptolib.family.sign}20{digest[-32:].hex()}"]
        assert module.sign(cryptolib.key("signature"), "RSA-PKCS", digest[-32:]) == signature
    key = bench.seated.public_key("signature")
    key.verify(signature, digest[-32:], padding.PKCS1v15(), Prehashed(hashes.SHA256()))


def test_the_authentication_key_signs_what_it_is_given(cryptolib: Cryptolib) -> None:
    family, key = cryptolib.family, cryptolib.bench.seated.public_key("authentication")
    with cryptolib.module(login=True) as module:
        for data in (b"\0", digest_info(MESSAGE), bytes(range(family.longest))):
            signature = module.sign(cryptolib.key("authentication"), "RSA-PKCS", data)
            assert key.recover_data_from_signature(signature, padding.PKCS1v15(), None) == data
        too_long = bytes(family.longest + 1).hex()
        module.do("sign", family.too_long, key=cryptolib.key("authentication"), mechanism="RSA-PKCS", data=too_long)


def test_what_is_encrypted_for_the_card_is_deciphered_by_it(cryptolib: Cryptolib) -> None:
    bench, key = cryptolib.bench, cryptolib.key("authentication")
    theirs = bench.seated.public_key("authentication").encrypt(MESSAGE, padding.PKCS1v15())
    with cryptolib.module(login=True) as module:
        bench.forget()
        ours = bytes.fromhex(module.do("encrypt", key=key, data=MESSAGE.hex())["data"])
        assert not bench.commands(*cryptolib.family.authenticate), "the card has no part in it"
        for secret in (theirs, ours):
            assert bytes.fromhex(module.do("decrypt", key=key, data=secret.hex())["data"]) == MESSAGE
        damaged = theirs[:100] + bytes((theirs[100] ^ 1,)) + theirs[101:]
        assert module.ask("decrypt", key=key, data=damaged.hex()).get("data") != MESSAGE.hex()


def test_a_logout_tells_the_card_nothing(cryptolib: Cryptolib) -> None:
    """A fact of the module, worth knowing: until the card is reset, another program may go on with its keys."""
    with cryptolib.module(login=True) as module:
        cryptolib.bench.forget()
        module.do("logout")
        assert module.labels("private") == set()
        assert not cryptolib.bench.commands()
    assert cryptolib.bench.seated.card.state().secrets["pin"].verified


def test_a_signature_refused_for_want_of_the_code_is_made_after_a_silent_verify(cryptolib: Cryptolib) -> None:
    """What the module does not repeat (the hash on a CPS3) the card must have kept."""
    bench, family = cryptolib.bench, cryptolib.family
    cryptolib.seat(options={"pin_consumed_by_signature": True})
    with cryptolib.module(login=True) as module:
        for number in range(3):
            bench.forget()
            message = MESSAGE + bytes((number,))
            _verifies(bench, "signature", module.sign(cryptolib.key("signature"), "SHA256-RSA-PKCS", message), message)
            refused = ["6982"] if number else []
            assert bench.answers(family.sign) == [*refused, "6100"]
            assert len(bench.commands(family.verify)) == len(refused)
            assert len(bench.commands("002a90a0")) == (family.name == "cps3")


def test_an_authentication_refused_for_want_of_the_code_is_made_after_a_silent_verify(cryptolib: Cryptolib) -> None:
    bench, family = cryptolib.bench, cryptolib.family
    with cryptolib.module(login=True) as module:
        cryptolib.make_the_card_forget_the_code()
        bench.forget()
        signature = module.sign(cryptolib.key("authentication"), "RSA-PKCS", digest_info(MESSAGE))
    answers = [answer for command in family.authenticate for answer in bench.answers(command)]
    assert "6982" in answers
    assert answers[-1] == "6100"
    assert bench.answers(family.verify) == ["9000"], "the module verified again by itself"
    _verifies(bench, "authentication", signature)


# -- objects --------------------------------------------------------------------------------------------------------


def test_objects_appear_with_the_login(cryptolib: Cryptolib) -> None:
    with cryptolib.module() as module:
        assert module.labels("data") == cryptolib.family.free
        assert module.labels("private") == set()
        certificates = {"Certificat de Signature CPS", "Certificat d'Authentification CPS"}
        assert module.labels("certificate") == certificates
        module.do("read", "not found", label="CPS_ACTIVITY_01_PS")
        module.do("login", code=PIN)
        assert module.labels("data") == cryptolib.family.free | PROTECTED
        assert module.do("ids", kind="private")["ids"] == {
            "CPS_PRIV_SIG": cryptolib.key("signature"),
            "CPS_PRIV_AUT": cryptolib.key("authentication"),
        }
        module.do("logout")
        assert module.labels("data") == cryptolib.family.free
        assert module.labels("private") == set()


def test_objects_come_out_byte_for_byte(cryptolib: Cryptolib) -> None:
    made = cryptolib.bench.seated.made
    with cryptolib.module(login=True) as module:
        for name, item in made.objects.items():
            assert module.read(name) == item.encode(), name
        for number in NUMBERS:
            twin = made.objects[f"CPS_ACTIVITY_{number:02}_PS"].encode()
            assert module.read(f"CPS2TER_ACTIVITY_{number:02}_PS") == twin
        for role, label in (("signature", "de Signature"), ("authentication", "d'Authentification")):
            assert module.read(f"Certificat {label} CPS") == made.certificates[role].public_bytes(Encoding.DER)


def test_a_private_object_is_not_read_without_the_code(cryptolib: Cryptolib) -> None:
    """The rule is the card's: even a module that thinks it is logged in gets nothing."""
    bench, family = cryptolib.bench, cryptolib.family
    with cryptolib.module(login=True) as module:
        cryptolib.make_the_card_forget_the_code()
        bench.forget()
        name = "CPS_ACTIVITY_05_PS"
        assert module.read(name) == bench.seated.made.objects[name].encode()
    assert "6982" in bench.answers(f"{family.cla}b0")
    assert bench.answers(family.verify) == ["9000"], "the module verified again by itself"


def test_the_holder_writes_in_his_object_alone(cryptolib: Cryptolib) -> None:
    size = len(cryptolib.bench.seated.made.objects["CPS_DATA"].encode())
    update = f"{cryptolib.family.cla}d6"
    with cryptolib.module(login=True) as module:
        module.do("write", label="CPS_DATA", data="0102030405")
        assert module.read("CPS_DATA") == bytes((1, 2, 3, 4, 5)).ljust(size, b"\0")
        cryptolib.bench.forget()
        module.do("write", ATTRIBUTE_READ_ONLY, label="CPS_NAME_PS", data="00")
        module.do("write", ATTRIBUTE_READ_ONLY, label="CPS_DATA", data="00", attribute="application")
        assert module.ask("write", label="CPS_DATA", data=bytes(size + 1).hex())["rv"] != OK
        assert not cryptolib.bench.commands(update)
    with cryptolib.module() as module:
        assert module.read("CPS_DATA") == bytes((1, 2, 3, 4, 5)).ljust(size, b"\0"), "another process reads it back"
    assert cryptolib.bench.seated.card.state().rewritten_files


def test_a_read_only_session_writes_nothing(cryptolib: Cryptolib) -> None:
    with cryptolib.module(open_session=False) as module:
        module.do("open", write=False)
        module.do("login", code=PIN)
        cryptolib.bench.forget()
        module.do("write", SESSION_READ_ONLY, label="CPS_DATA", data="00")
        assert not cryptolib.bench.commands()


def test_pkcs11_tool_reads_a_private_object(cryptolib: Cryptolib) -> None:
    bench, name = cryptolib.bench, "CPS_ACTIVITY_05_PS"
    read = cryptolib.tool("--read-object", "--type", "data", "--label", name, "-o", "object")
    bench.refused(read, "object not found")
    bench.ok([*read, "--login", "--pin", PIN])
    assert (bench.folder / "object").read_bytes() == bench.seated.made.objects[name].encode()


# -- cards that come and go -----------------------------------------------------------------------------------------


def test_a_removed_card_ends_the_session_and_comes_back(cryptolib: Cryptolib) -> None:
    bench, order = cryptolib.bench, {"key": cryptolib.key("authentication"), "mechanism": "RSA-PKCS", "data": "00"}
    with cryptolib.module(login=True) as module, bench.client() as reader:
        card = bench.slot.remove()
        reader.ask("wait", states={bench.name: "empty"})
        assert module.ask("sign", **order)["rv"] != OK
        assert module.do("slots")["slots"] == []
        bench.slot.insert(card)
        reader.ask("wait", states={bench.name: "present"})
        assert module.do("slots")["slots"] == [0]
        module.do("sign", SESSION_HANDLE_INVALID, **order)
        module.ask("close")
        module.do("open")
        module.do("login", code=PIN)
        module.do("sign", **order)


def test_another_card_in_the_reader_is_another_token(cryptolib: Cryptolib) -> None:
    bench, pharmacist = cryptolib.bench, cryptolib.make("pharmacien")
    with cryptolib.module(open_session=False) as module, bench.client() as reader:
        assert module.do("token")["serial"] == cryptolib.family.serial
        bench.slot.remove()
        reader.ask("wait", states={bench.name: "empty"})
        bench.slot.insert(pharmacist.card)
        reader.ask("wait", states={bench.name: "present"})
        module.do("slots")
        assert module.do("token")["serial"] == pharmacist.made.serial != cryptolib.family.serial


def test_a_reset_by_another_program_ends_the_session(cryptolib: Cryptolib) -> None:
    bench, order = cryptolib.bench, {"key": cryptolib.key("authentication"), "mechanism": "RSA-PKCS", "data": "00"}
    with cryptolib.module(login=True) as module, bench.client() as reader:
        reader.ask("connect", reader=bench.name)
        module.do("sign", SESSION_HANDLE_INVALID, **order)
        # The next question about a slot meets the card anew.
        assert module.do("token")["serial"] == cryptolib.family.serial
        module.do("open")
        module.do("login", code=PIN)
        module.do("sign", **order)


def test_every_type_of_card_is_a_token(cryptolib: Cryptolib) -> None:
    for name in shipped_templates():
        specimen = cryptolib.seat(name)
        with cryptolib.module(open_session=False) as module:
            assert module.do("token")["serial"] == specimen.made.serial
            module.do("open")
            module.do("login", code=PIN)
            for label, item in specimen.made.objects.items():
                assert module.read(label) == item.encode(), (name, label)
            signature = module.sign(cryptolib.key("signature"), "SHA256-RSA-PKCS", MESSAGE)
        specimen.public_key("signature").verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
