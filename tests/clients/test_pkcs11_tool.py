"""OpenSC's PKCS#11 module, driven by pkcs11-tool."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from clients_bench import AUT_ID, PIN, PUK, SIG_ID, Bench, digest_info, opensc_module, tool
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AUTHENTICATE, SIGN = "0088", "002a9e9a"
MESSAGE = b"message to sign"
PUBLIC = {"CPS_DATA", "CPS_ID_CARD", "CPS_NAME_PS", "CPS_LANG_PS", "CPS_INFO_PS"}
PRIVATE = {"CPS_ACTIVITY_01_PS", "CPS_ACTIVITY_02_PS", "CPS_ACTIVITY_05_PS"}


@pytest.fixture
def pkcs11(bench: Bench) -> list[str]:
    """The start of each command line."""
    return [tool("pkcs11-tool"), "--module", str(opensc_module())]


def _labels(text: str) -> set[str]:
    return set(re.findall(r"label: +'?([^'\n]+)'?", text))


def _file(bench: Bench, name: str, content: bytes) -> Path:
    (bench.folder / name).write_bytes(content)
    return bench.folder / name


def test_the_token_is_listed(bench: Bench, pkcs11: list[str]) -> None:
    out = bench.ok([*pkcs11, "-L"]).out
    assert f"): {bench.name}" in out
    assert "token label        : CPS3v3-9900000001 (Code porteur)" in out
    assert "token manufacturer : ASIP SANTE" in out
    assert "serial num         : 000001990000010F" in out
    assert "pin min/max        : 4/4" in out
    assert "login required" in out


def test_private_objects_appear_with_the_login_only(bench: Bench, pkcs11: list[str]) -> None:
    labels = _labels(bench.ok([*pkcs11, "-O"]).out)
    assert labels >= PUBLIC
    assert not labels & (PRIVATE | {"CPS_PRIV_SIG", "CPS_PRIV_AUT"})
    labels = _labels(bench.ok([*pkcs11, "--login", "--pin", PIN, "-O"]).out)
    assert labels >= PUBLIC | PRIVATE | {"CPS_PRIV_SIG", "CPS_PRIV_AUT"}


def test_a_private_object_is_read_with_the_login_only(bench: Bench, pkcs11: list[str]) -> None:
    # The one after the hole in the numbers.
    read = [*pkcs11, "--read-object", "--type", "data", "--label", "CPS_ACTIVITY_05_PS", "-o", "activity"]
    bench.refused(read, "object not found")
    bench.ok([*read, "--login", "--pin", PIN])
    assert (bench.folder / "activity").read_bytes() == bench.seated.made.objects["CPS_ACTIVITY_05_PS"].encode()


def test_the_authentication_key_signs(bench: Bench, pkcs11: list[str]) -> None:
    _file(bench, "info", digest_info(MESSAGE))
    sign = [*pkcs11, "--sign", "-m", "RSA-PKCS", "--id", AUT_ID, "-i", "info", "-o", "signature"]
    done = bench.ok([*sign, "--login", "--pin", PIN])
    print(f"login and sign: {done.cost} APDU, {1000 * done.seconds:.0f} ms")
    assert len(bench.commands(AUTHENTICATE)) == 1
    signature = (bench.folder / "signature").read_bytes()
    key = bench.seated.public_key("authentication")
    key.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        key.verify(signature, MESSAGE + b".", padding.PKCS1v15(), hashes.SHA256())
    # The same by a verifier that is not Python's.
    openssl = tool("openssl")
    _file(bench, "key.pem", key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    _file(bench, "message", MESSAGE)
    verify = [openssl, "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature"]
    assert bench.ok([*verify, "message"]).out == "Verified OK\n"
    _file(bench, "message", MESSAGE + b".")
    bench.refused([*verify, "message"], "Verification failure")


def test_the_authentication_key_decrypts(bench: Bench, pkcs11: list[str]) -> None:
    key = bench.seated.public_key("authentication")
    _file(bench, "secret", key.encrypt(b"for the card alone", padding.PKCS1v15()))
    decrypt = [*pkcs11, "--decrypt", "-m", "RSA-PKCS", "--id", AUT_ID, "--login", "--pin", PIN, "--input-file"]
    bench.ok([*decrypt, "secret", "-o", "plain"])
    assert (bench.folder / "plain").read_bytes() == b"for the card alone"
    damaged = bytearray((bench.folder / "secret").read_bytes())
    damaged[100] ^= 1
    _file(bench, "damaged", bytes(damaged))
    assert bench.run([*decrypt, "damaged", "-o", "nothing"]).code != 0


def test_three_wrong_codes_lock_then_the_good_one_is_refused(bench: Bench, pkcs11: list[str]) -> None:
    login = [*pkcs11, "-O", "--login", "--pin"]
    for flag in ("user PIN count low", "final user PIN try", "user PIN locked"):
        bench.refused([*login, "0000"], "CKR_PIN_INCORRECT")
        assert flag in bench.ok([*pkcs11, "-L"]).out
    bench.refused([*login, PIN], "CKR_PIN_LOCKED")
    assert bench.answers("0020000104")[-1] == "6983"
    bench.ok([tool("pkcs15-tool"), "--unblock-pin", "--puk", PUK, "--new-pin", "4321"])
    bench.refused([*login, PIN], "CKR_PIN_INCORRECT")
    bench.ok([*login, "4321"])


def test_a_code_of_another_length_never_reaches_the_card(bench: Bench, pkcs11: list[str]) -> None:
    bench.refused([*pkcs11, "-O", "--login", "--pin", "12345"], "CKR_PIN_LEN_RANGE")
    assert bench.seated.tries == (3, 10)


def test_the_code_is_changed(bench: Bench, pkcs11: list[str]) -> None:
    bench.ok([*pkcs11, "--login", "--pin", PIN, "--change-pin", "--new-pin", "4321"])
    bench.refused([*pkcs11, "-O", "--login", "--pin", PIN], "CKR_PIN_INCORRECT")
    bench.ok([*pkcs11, "-O", "--login", "--pin", "4321"])


def test_the_signature_key_is_out_of_reach_of_this_opensc(bench: Bench, pkcs11: list[str]) -> None:
    """See the same fact in test_opensc: the module gives up, the card is never asked."""
    _file(bench, "message", MESSAGE)
    sign = [*pkcs11, "--login", "--pin", PIN, "--sign", "-m", "SHA256-RSA-PKCS", "--id", SIG_ID, "-i", "message"]
    done = bench.run([*sign, "-o", "signature"])
    if done.code == 0:
        signature = (bench.folder / "signature").read_bytes()
        bench.seated.public_key("signature").verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
        return
    assert "CKR_FUNCTION_NOT_SUPPORTED" in done.text
    assert not bench.commands("002a")


@pytest.mark.parametrize(("mechanism", "key"), [("SHA256-RSA-PKCS", AUT_ID), ("RSA-PKCS", SIG_ID)])
def test_a_mechanism_not_meant_for_the_key_is_refused(
    bench: Bench, pkcs11: list[str], mechanism: str, key: str
) -> None:
    _file(bench, "info", digest_info(MESSAGE))
    sign = [*pkcs11, "--login", "--pin", PIN, "--sign", "-m", mechanism, "--id", key, "-i", "info", "-o", "signature"]
    bench.refused(sign, "CKR_MECHANISM_INVALID")
    assert not bench.commands(AUTHENTICATE, SIGN)
