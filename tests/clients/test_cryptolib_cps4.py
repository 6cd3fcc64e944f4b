"""What the Cryptolib does with a CPS4 and with no other card: the proof that it accepts ours, and in which variants."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from clients_bench import PIN, PUK, Bench, Specimen, digest_info, tool
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptolib_tools import (
    ARGUMENTS_BAD,
    ATTRIBUTE_TYPE_INVALID,
    COUNT_LOW,
    CPS4,
    FINAL_TRY,
    FUNCTION_NOT_SUPPORTED,
    GENERAL_ERROR,
    KEY_TYPE_INCONSISTENT,
    LOCKED,
    MECHANISM_INVALID,
    MESSAGE,
    OK,
    PIN_INCORRECT,
    PIN_LOCKED,
    PROTECTED,
    SO_COUNT_LOW,
    Cryptolib,
    Family,
    Module,
    needs_cryptolib,
)

from bifente.simulator.cards.cpx.pkcs15 import CertificateObject
from bifente.simulator.cards.families import make_card
from bifente.simulator.iso7816.image import DedicatedFile, ElementaryFile

needs_cryptolib()


START = "01a4040c088025000001ff0100"
FOLDER = "01a40800020001"
ASK_PIN, ASK_PUK = "0120000100", "0120000200"
SHA1_INFO = bytes.fromhex("3021300906052b0e03021a05000414")


@pytest.fixture(scope="module")
def family() -> Family:
    return CPS4


def _signs(cryptolib: Cryptolib, module: Module) -> None:
    """Both keys are there and work."""
    for role in ("signature", "authentication"):
        given = MESSAGE if role == "signature" else digest_info(MESSAGE)
        mechanism = "SHA256-RSA-PKCS" if role == "signature" else "RSA-PKCS"
        signature = module.sign(cryptolib.key(role), mechanism, given)
        key = cryptolib.bench.seated.public_key(role)
        key.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())


def _works(cryptolib: Cryptolib) -> None:
    """The seated card is a token, its keys sign, its objects are read and written."""
    specimen = cryptolib.bench.seated
    with cryptolib.module(open_session=False) as module:
        assert module.do("slots")["slots"] == [0]
        assert module.do("token")["serial"] == specimen.made.serial
        module.do("open")
        module.do("login", code=PIN)
        _signs(cryptolib, module)
        for name in ("CPS_INFO_PS", "CPS_ACTIVITY_05_PS"):
            assert module.read(name).rstrip(b"\0") == specimen.made.objects[name].encode()
        module.do("write", label="CPS_DATA", data="0102")
        assert module.flags() == 0


def _sees_no_token(cryptolib: Cryptolib) -> None:
    with cryptolib.module(open_session=False) as module:
        assert module.do("slots")["slots"] == [] or module.ask("token")["rv"] != OK


def _files(specimen: Specimen) -> dict[str, bytes]:
    root = specimen.made.image.volumes["chipdoc"]
    return {file.name: file.content for file in root.walk() if isinstance(file, ElementaryFile)}


def _rewritten(specimen: Specimen, contents: Mapping[str, bytes], added: Mapping[int, bytes] | None = None) -> Specimen:
    """The same card with other contents in these files, and with more files in its folder, by their identifiers."""
    more = tuple(ElementaryFile(fid, f"{fid:04X}", body, b"\0", b"\0") for fid, body in (added or {}).items())

    def rewrite(file: ElementaryFile | DedicatedFile) -> Any:
        if isinstance(file, ElementaryFile):
            # Access rules of a file added are those of the certificates: read by all, written by nobody.
            return replace(file, content=contents.get(file.name, file.content))
        children = tuple(rewrite(child) for child in file.children)
        if file.name == "DF.CPS":
            model = next(child for child in children if child.name == "EF.C.AUT")
            children += tuple(replace(file, acl=model.acl, contactless_acl=model.contactless_acl) for file in more)
        return replace(file, children=children)

    image = specimen.made.image
    image = replace(image, volumes={**image.volumes, "chipdoc": rewrite(image.volumes["chipdoc"])})
    made = replace(specimen.made, image=image)
    return Specimen(made, make_card(image))


# -- the token ------------------------------------------------------------------------------------------------------


def test_the_first_contact_and_the_next_one(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    sizes = {name: len(content) for name, content in _files(bench.seated).items()}

    def looked_at(path: str, size: int, *, selections: int = 2) -> list[str]:
        """The selection (one for the size, one before the read), then blocks of 256 bytes."""
        select = f"01a40800{len(path) // 2:02x}{path}"
        reads = [f"01b0{start:04x}{min(256, size - start) % 256:02x}" for start in range(0, size, 256)]
        return [*[select, "01c0000010"] * selections, *reads]

    serial = [START, *looked_at("d003", 12, selections=1)]
    found = [
        *serial,
        *looked_at("2f00", sizes["EF.DIR"]),
        FOLDER,
        *looked_at("00015031", sizes["EF.ODF"]),
        *looked_at("00015032", sizes["EF.TokenInfo"]),
    ]
    with cryptolib.module(open_session=False) as module:
        bench.forget()
        module.do("slots")
        module.do("token")
        cold = bench.commands()
    assert cold[: len(found)] == found, bench.trace()
    assert cold[len(found) :][:3] == looked_at("00017005", sizes["EF.AODF"], selections=1)
    assert {ASK_PIN, ASK_PUK} < set(cold)
    for header in ("01c000", "01b000"):
        assert set(bench.answers(header)) == {"9000"}
    with cryptolib.module(open_session=False) as module:
        bench.forget()
        module.do("slots")
        module.do("token")
        warm = bench.commands()
    print(f"first contact {len(cold)} APDU, next one {len(warm)}")
    assert warm[:7] == [*serial, FOLDER, ASK_PIN, ASK_PUK]
    assert set(warm[7:]) <= {ASK_PIN, ASK_PUK}
    assert not {"01a408000400017001", "01b0000000"} & set(warm)


def test_the_mechanisms_in_words(cryptolib: Cryptolib) -> None:
    listed = cryptolib.bench.ok(cryptolib.tool("-M")).out
    names = set(re.findall(r"^  ([A-Z0-9-]+),", listed, re.MULTILINE))
    assert names == {"SHA-1", "SHA256", "RSA-X-509", "RSA-PKCS", "SHA1-RSA-PKCS", "SHA256-RSA-PKCS"} | {
        "RSA-PKCS-PSS",
        "SHA1-RSA-PKCS-PSS",
        "SHA256-RSA-PKCS-PSS",
    }
    assert len(re.findall(r"keySize=\{2048,2048\}", listed)) == 7, listed


def test_pkcs11_tool_counts_the_objects(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench

    def kinds(text: str) -> dict[str, int]:
        found = re.findall(r"^(Certificate|Public Key|Private Key|Data) [Oo]bject", text, re.MULTILINE)
        return {kind: found.count(kind) for kind in set(found)}

    free = kinds(bench.ok(cryptolib.tool("-O")).out)
    assert free == {"Certificate": 2, "Public Key": 2, "Data": len(CPS4.free)}
    everything = kinds(bench.ok(cryptolib.tool("-l", "--pin", PIN, "-O")).out)
    assert everything == {**free, "Private Key": 2, "Data": len(CPS4.free | PROTECTED)}


def test_pkcs11_tool_gives_up_its_own_test(cryptolib: Cryptolib) -> None:
    """It signs by RSA-X-509, which the module lists and does not do."""
    done = cryptolib.bench.refused(cryptolib.tool("-l", "--pin", PIN, "-t"), "CKR_FUNCTION_NOT_SUPPORTED")
    assert "C_SignFinal" in done.text or "C_Sign" in done.text


@pytest.mark.parametrize(
    ("name", "atr"),
    [
        (None, "3bdc18ff00001225006480000401009000"),
        ("t1", "3b9b188001001225006480040100009044"),
        ("t1-release-candidate", "3b9b188001001225006480000401009044"),
    ],
    ids=["T=0", "T=1", "T=1, release candidate"],
)
def test_the_three_atrs(cryptolib: Cryptolib, name: str | None, atr: str) -> None:
    bench = cryptolib.bench
    assert cryptolib.seat(options={"atr": name}).card.atr.hex() == atr
    _works(cryptolib)
    assert bench.commands("01a4080002d003")[0] == "01a4080002d003" + ("" if name is None else "00")
    # In T=1 the length expected is always sent, and the answer comes at once; an empty VERIFY has no length at all.
    assert bool(bench.commands("01c0")) == (name is None)
    assert (ASK_PIN in bench.commands()) == (name is None)


@pytest.mark.parametrize(
    ("atr", "seen"),
    [("3bdc18ff00001225006480000401009001", False), ("3bac00402a001225006480000310009000", True)],
    ids=["unknown", "that of a CPS3"],
)
def test_a_card_is_known_by_its_atr(cryptolib: Cryptolib, atr: str, seen: bool) -> None:
    cryptolib.seat(layout={"atr": {"contact": {"value": atr}}})
    if seen:
        _works(cryptolib)
        assert cryptolib.bench.answers("00a4"), "looked at as a CPS3 first"
    else:
        _sees_no_token(cryptolib)
        assert not cryptolib.bench.commands(START)


@pytest.mark.parametrize(
    "content",
    ["5a0a8025000002994000013f", "5a0a8025000001994000013f00"],
    ids=["another issuer", "13 bytes"],
)
def test_a_card_whose_serial_number_is_no_serial_number(cryptolib: Cryptolib, content: str) -> None:
    cryptolib.bench.seat(_rewritten(cryptolib.make(), {"EF.SN": bytes.fromhex(content)}))
    _sees_no_token(cryptolib)


@pytest.mark.parametrize("form", ["path", "described", "without-path", "unknown-application", "absent"])
def test_the_variants_of_ef_dir(cryptolib: Cryptolib, form: str) -> None:
    cryptolib.seat(options={"directory": form})
    if form == "without-path":
        _sees_no_token(cryptolib)
        return
    _works(cryptolib)
    home = "0001" if form in ("path", "described") else "5015"
    assert cryptolib.bench.commands(f"01a4080004{home}5031")
    assert cryptolib.bench.commands(f"01a4080004{home}d107")


# -- variants that personalisation offers ---------------------------------------------------------------------------


def test_a_directory_of_public_keys_hides_the_modulus(cryptolib: Cryptolib) -> None:
    """The reason why there is none unless asked for: OpenSSL's engine loads no key without its modulus."""
    key = cryptolib.key("authentication")
    number = cryptolib.bench.seated.public_key("authentication").public_numbers().n
    with cryptolib.module(login=True) as module:
        assert module.labels("public") == {
            "Cle publique - Certificat de Signature CPS",
            "Cle publique - Certificat d'Authentification CPS",
        }
        assert int(module.do("modulus", kind="private", identifier=key)["data"], 16) == number
    cryptolib.forget()
    cryptolib.seat(options={"include_pukdf": True})
    _works(cryptolib)
    with cryptolib.module(login=True) as module:
        assert module.labels("public") == {"CPS_PUB_SIG", "CPS_PUB_AUT"}
        module.do("modulus", ATTRIBUTE_TYPE_INVALID, kind="private", identifier=key)
        # Once the public key has been read in this process, the private key has a modulus too.
        assert int(module.do("modulus", kind="public", identifier=key)["data"], 16) == number
        assert int(module.do("modulus", kind="private", identifier=key)["data"], 16) == number


def test_other_references_of_the_codes(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    cryptolib.seat(layout={"secrets": {"pin": {"reference": 0x81}, "puk": {"reference": 0x82}}})
    _works(cryptolib)
    bench.forget()
    with cryptolib.module() as module:
        for _ in range(3):
            module.ask("login", code="0000")
        module.do("login", code=PUK, user="so")
        module.do("init_pin", code="4321")
    assert bench.commands("012c", "0124") == ["012c038100", f"0124018104{b'4321'.hex()}"]
    assert bench.commands("0120008104")
    assert not bench.commands("01200001", "01200002")
    assert bench.seated.tries == (3, 3)


def test_files_longer_than_what_they_hold(cryptolib: Cryptolib) -> None:
    contents = _files(cryptolib.bench.seated)
    names = ("EF.ODF", "EF.TokenInfo", "EF.PrKDF", "EF.CDF", "EF.DODF", "EF.AODF", "EF.C.SIG", "EF.C.AUT")
    padded = [{"name": name, "size": len(contents[name]) + 64} for name in names]
    specimen = cryptolib.seat(layout={"volumes": {"chipdoc": padded}})
    assert _files(specimen)["EF.CDF"] == contents["EF.CDF"] + bytes(64)
    _works(cryptolib)
    with cryptolib.module() as module:
        certificate = specimen.made.certificates["authentication"].public_bytes(Encoding.DER)
        assert module.read("Certificat d'Authentification CPS").rstrip(b"\0") == certificate.rstrip(b"\0")


def test_a_dated_token_has_dated_files_in_the_cache(cryptolib: Cryptolib) -> None:
    _works(cryptolib)
    assert {"99400001_00017004", "99400001_00015032"} < cryptolib.cached()
    cryptolib.forget()
    cryptolib.seat(options={"dated": True})
    _works(cryptolib)
    cached = cryptolib.cached()
    assert "99400001_00015032" in cached
    assert "99400001_00017004" not in cached
    assert any(re.fullmatch(r"99400001_\d{14}Z_00017004", name) for name in cached), cached


def test_the_certificate_of_an_authority_beside_those_of_the_holder(cryptolib: Cryptolib) -> None:
    """No template has one: the card is made, then one more file and one more entry are put on it."""
    specimen = cryptolib.make()
    issuer = specimen.made.chain[0].public_bytes(Encoding.DER)
    entry = CertificateObject(
        {
            "common": {"label": "Certificat AC"},
            "class_attributes": {"id": bytes.fromhex("E828BD080F8025000001FF001030"), "authority": True},
            "type_attributes": {"value": {"path": bytes.fromhex("3F000001C030")}},
        }
    )
    directory = _files(specimen)["EF.CDF"] + entry.dump()
    cryptolib.bench.seat(_rewritten(specimen, {"EF.CDF": directory}, {0xC030: issuer}))
    _works(cryptolib)
    with cryptolib.module() as module:
        assert "Certificat AC" in module.labels("certificate")
        assert module.do("ids", kind="certificate")["ids"]["Certificat AC"] == "00"
        assert module.read("Certificat AC") == issuer


def test_sixteen_exercise_situations_on_each_side(cryptolib: Cryptolib) -> None:
    one = {"mode": "liberal", "structure_id": "10B0000022", "sector": "SA07"}
    activities = [{"number": number, "structure": f"CABINET TEST {number:02}", **one} for number in range(1, 17)]
    specimen = cryptolib.seat(activities=activities)
    with cryptolib.module(login=True) as module:
        assert module.do("count")["count"] == 32, "as many as one search ever finds"
        for number in range(1, 17):
            expected = specimen.made.objects[f"CPS_ACTIVITY_{number:02}_PS"].encode()
            assert module.read(f"CPS_ACTIVITY_{number:02}_PS") == expected
            assert module.read(f"CPS2TER_ACTIVITY_{number:02}_PS") == expected


def test_data_written_anywhere_else_are_not_read_back(cryptolib: Cryptolib) -> None:
    """The reason why CPS_DATA lies where it does: the module serves its cache for any other path."""
    cryptolib.seat(options={"directory": "absent"})
    with cryptolib.module(login=True) as module:
        before = module.read("CPS_DATA")
        module.do("write", label="CPS_DATA", data="0102")
        assert module.read("CPS_DATA") == before
    assert cryptolib.bench.seated.card.state().rewritten_files == ("chipdoc:3F00/5015/D107",)


# -- codes ----------------------------------------------------------------------------------------------------------


def test_codes_command_by_command(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    ask = [ASK_PIN, ASK_PUK]

    def sent(module: Module, order: str, due: str = OK, **values: str) -> list[str]:
        """What an order makes the module send, its questions about the tries left out."""
        bench.forget()
        module.do(order, due, **values)
        return [command for command in bench.commands() if command not in ask]

    def verify(code: str, reference: int = 1) -> str:
        return f"012000{reference:02x}{len(code):02x}{code.encode().hex()}"

    with cryptolib.module() as module:
        for left, due, flags in (
            (2, PIN_INCORRECT, COUNT_LOW),
            (1, PIN_INCORRECT, COUNT_LOW | FINAL_TRY),
            (0, PIN_LOCKED, LOCKED),
            (0, PIN_LOCKED, LOCKED),
        ):
            assert sent(module, "login", due, code="0000") == [verify("0000")]
            assert bench.seated.tries == (left, 3)
            assert module.flags() == flags
        assert sent(module, "login", PIN_LOCKED, code=PIN) == [verify(PIN)]
        assert sent(module, "login", PIN_INCORRECT, code="00000000", user="so") == [verify("00000000", 2)]
        assert module.flags() == LOCKED | SO_COUNT_LOW
        assert sent(module, "login", code=PUK, user="so") == [verify(PUK, 2)]
        assert sent(module, "init_pin", code="4321") == ["012c038100", f"0124010104{b'4321'.hex()}"]
        assert sent(module, "logout") == []
        assert module.flags() == 0
        assert sent(module, "login", code="4321") == [verify("4321")]
        assert sent(module, "set_pin", PIN_INCORRECT, old="0000", new=PIN) == [verify("0000")]
        assert sent(module, "set_pin", old="4321", new=PIN) == [verify("4321"), f"0124010104{PIN.encode().hex()}"]


def test_the_unblocking_code_replaces_a_code_that_is_not_blocked(cryptolib: Cryptolib) -> None:
    with cryptolib.module() as module:
        module.do("login", code=PUK, user="so")
        module.do("init_pin", code="4321")
        module.do("logout")
        module.do("login", code="4321")
    assert cryptolib.bench.seated.tries == (3, 3)


# -- keys -----------------------------------------------------------------------------------------------------------

SHA1, SHA256 = hashlib.sha1(MESSAGE, usedforsecurity=False).digest(), hashlib.sha256(MESSAGE).digest()
NO_ALGORITHM = SHA1 + SHA1[:16]
# Mechanism, hash named by its parameters, data: what the signature key is asked (its algorithm reference), or the
# module's refusal; the same for the authentication key, whose PKCS#1 blocks are made by the module ("raw").
FORMS: dict[str, tuple[str, str, bytes, str, str]] = {
    "SHA1-RSA-PKCS": ("SHA1-RSA-PKCS", "", MESSAGE, "0a", GENERAL_ERROR),
    "SHA256-RSA-PKCS": ("SHA256-RSA-PKCS", "", MESSAGE, "28", GENERAL_ERROR),
    "RSA-PKCS of a SHA-1": ("RSA-PKCS", "", SHA1, "0a", "raw"),
    "RSA-PKCS of a SHA-256": ("RSA-PKCS", "", SHA256, "28", "raw"),
    "RSA-PKCS of a SHA-1 DigestInfo": ("RSA-PKCS", "", SHA1_INFO + SHA1, "0a", "raw"),
    "RSA-PKCS of a SHA-256 DigestInfo": ("RSA-PKCS", "", digest_info(MESSAGE), "28", "raw"),
    "RSA-PKCS of 36 bytes": ("RSA-PKCS", "", NO_ALGORITHM, GENERAL_ERROR, "raw"),
    "SHA1-RSA-PKCS-PSS": ("SHA1-RSA-PKCS-PSS", "sha1", MESSAGE, "15", "15"),
    "SHA256-RSA-PKCS-PSS": ("SHA256-RSA-PKCS-PSS", "sha256", MESSAGE, "2c", "2c"),
    "RSA-PKCS-PSS of a SHA-1": ("RSA-PKCS-PSS", "sha1", SHA1, "15", "15"),
    "RSA-PKCS-PSS of a SHA-256": ("RSA-PKCS-PSS", "sha256", SHA256, "2c", "2c"),
    "RSA-X-509": ("RSA-X-509", "", bytes(256), FUNCTION_NOT_SUPPORTED, FUNCTION_NOT_SUPPORTED),
    "SHA512-RSA-PKCS": ("SHA512-RSA-PKCS", "", MESSAGE, MECHANISM_INVALID, MECHANISM_INVALID),
}
KEY_BYTES = {"signature": "90", "authentication": "a0"}


def _pss(digest: hashes.HashAlgorithm) -> padding.PSS:
    return padding.PSS(padding.MGF1(digest), digest.digest_size)


def _verified(key: RSAPublicKey, signature: bytes, algorithm: str, data: bytes) -> None:
    """By another library: what the card made is what the mechanism says."""
    if algorithm == "raw":
        assert key.recover_data_from_signature(signature, padding.PKCS1v15(), None) == data
        return
    digest: hashes.HashAlgorithm = hashes.SHA1() if algorithm in ("0a", "15") else hashes.SHA256()  # noqa: S303
    scheme = _pss(digest) if algorithm in ("15", "2c") else padding.PKCS1v15()
    hashed = {"0a": SHA1, "15": SHA1}.get(algorithm, SHA256)
    key.verify(signature, hashed, scheme, Prehashed(digest))


@pytest.mark.parametrize("role", ["signature", "authentication"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_signature(cryptolib: Cryptolib, form: str, role: str) -> None:
    mechanism, pss, data, by_signature, by_authentication = FORMS[form]
    expected = by_signature if role == "signature" else by_authentication
    bench = cryptolib.bench
    order = {"key": cryptolib.key(role), "mechanism": mechanism, "data": data.hex(), "pss": pss}
    with cryptolib.module(login=True) as module:
        bench.forget()
        answer = module.ask("sign", **order)
    if expected.startswith("0x"):
        assert answer["rv"] == expected
        assert not bench.commands("012a", "112a"), "no key was asked"
        if form == "RSA-PKCS of 36 bytes":
            assert bench.answers("012281b60491020090") == ["6a88"]
        else:
            assert set(bench.commands()) <= {FOLDER}
        return
    assert answer["rv"] == OK, answer
    _verified(bench.seated.public_key(role), bytes.fromhex(answer["data"]), expected, data)
    if expected == "raw":
        block = b"\x00\x01" + b"\xff" * (253 - len(data)) + b"\x00" + data
        assert bench.commands() == [
            FOLDER,
            "012241b803830120",
            f"112a8086ff{block[:255].hex()}",
            f"012a808601{block[255:].hex()}",
            "01c0000000",
        ]
    else:
        hashed = SHA1 if expected in ("0a", "15") else SHA256
        assert bench.commands() == [
            FOLDER,
            f"012281b6049102{expected}{KEY_BYTES[role]}",
            f"012a9e9a{len(hashed):02x}{hashed.hex()}",
            "01c0000000",
        ]


def test_the_length_of_a_hash_alone_says_which_it_is(cryptolib: Cryptolib) -> None:
    """A fact of the module: the hash that the parameters of the mechanism name is not looked at."""
    with cryptolib.module(login=True) as module:
        signature = module.sign(cryptolib.key("signature"), "RSA-PKCS-PSS", SHA1, pss="sha256")
    _verified(cryptolib.bench.seated.public_key("signature"), signature, "15", SHA1)


@pytest.mark.parametrize("room", [257, 512])
def test_the_room_for_a_signature(cryptolib: Cryptolib, room: int) -> None:
    """A fact of the module: raw signatures want a place of exactly their size. pkcs11-tool gives more, so it fails."""
    order = {"key": cryptolib.key("authentication"), "mechanism": "RSA-PKCS", "data": digest_info(MESSAGE).hex()}
    with cryptolib.module(login=True) as module:
        module.do("sign", ARGUMENTS_BAD, room=room, **order)
        assert not cryptolib.bench.commands("112a")
    with cryptolib.module(login=True) as module:
        module.do("sign", room=256, **order)
        key = cryptolib.key("signature")
        module.do("sign", key=key, mechanism="SHA256-RSA-PKCS", data=MESSAGE.hex(), room=room)


def test_nothing_is_encrypted_for_the_signature_key(cryptolib: Cryptolib) -> None:
    with cryptolib.module(login=True) as module:
        module.do("encrypt", KEY_TYPE_INCONSISTENT, key=cryptolib.key("signature"), data="00")


def test_the_decipherment_command_by_command(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    secret = bench.seated.public_key("authentication").encrypt(MESSAGE, padding.PKCS1v15())
    with cryptolib.module(login=True) as module:
        bench.forget()
        module.do("decrypt", key=cryptolib.key("authentication"), data=secret.hex())
    assert bench.commands() == [
        FOLDER,
        "012241b803830120",
        f"112a8086ff{secret[:255].hex()}",
        f"012a808601{secret[255:].hex()}",
        "01c0000000",
    ]


def _write_key(bench: Bench, role: str) -> None:
    key = bench.seated.public_key(role)
    (bench.folder / "key.pem").write_bytes(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (bench.folder / "message").write_bytes(MESSAGE)
    (bench.folder / "hash").write_bytes(SHA256)


def test_pkcs11_tool_signs_and_openssl_verifies(cryptolib: Cryptolib) -> None:
    bench, openssl = cryptolib.bench, tool("openssl")
    sign = cryptolib.tool("-l", "--pin", PIN, "--sign", "-o", "signed", "--id")
    _write_key(bench, "signature")
    bench.ok([*sign, cryptolib.key("signature"), "-m", "SHA256-RSA-PKCS", "-i", "message"])
    verify = [openssl, "dgst", "-sha256", "-verify", "key.pem", "-signature", "signed", "message"]
    assert bench.ok(verify).out == "Verified OK\n"

    _write_key(bench, "authentication")
    pss = ["-m", "RSA-PKCS-PSS", "--hash-algorithm", "SHA256", "--salt-len", "32", "--mgf", "MGF1-SHA256"]
    bench.ok([*sign, cryptolib.key("authentication"), *pss, "-i", "hash"])
    options = [
        f"-pkeyopt={option}"
        for option in ("digest:sha256", "rsa_padding_mode:pss", "rsa_pss_saltlen:32", "rsa_mgf1_md:sha256")
    ]
    split = [part for option in options for part in option.split("=", 1)]
    check = [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", "key.pem", "-sigfile", "signed", "-in", "hash", *split]
    assert "Signature Verified Successfully" in bench.ok(check).text


# -- objects --------------------------------------------------------------------------------------------------------


def test_data_written_command_by_command(cryptolib: Cryptolib) -> None:
    bench = cryptolib.bench
    size = len(bench.seated.made.objects["CPS_DATA"].encode())
    with cryptolib.module(login=True) as module:
        module.read("CPS_DATA")
        bench.forget()
        module.do("write", label="CPS_DATA", data=b"SPECIMEN".hex())
        written = bench.commands()
        bench.forget()
        module.do("write", GENERAL_ERROR, label="CPS_DATA", data=bytes(size + 1).hex())
        refused = bench.commands()
    body = b"SPECIMEN".ljust(size, b"\0")
    assert [command for command in written if command.startswith("01d6")] == [
        f"01d60000ff{body[:255].hex()}",
        f"01d600ffff{body[255:510].hex()}",
        f"01d601fe02{body[510:].hex()}",
    ]
    assert set(written[:-3]) == {"01a40800040001d107", "01c0000010"}
    assert set(refused) == {"01a40800040001d107", "01c0000010"}


def test_every_free_object_is_read_without_the_code(cryptolib: Cryptolib) -> None:
    files = _files(cryptolib.bench.seated)
    with cryptolib.module() as module:
        for name in CPS4.free:
            assert module.read(name) == files[name], name
        module.do("login", code=PIN)
        for name in PROTECTED:
            assert module.read(name) == files[name], name
    assert not cryptolib.bench.commands("a0"), "no other side of the card is asked"


# -- cost -----------------------------------------------------------------------------------------------------------


def test_cost_of_operations(cryptolib: Cryptolib) -> None:
    """APDUs of each order on a card already known: a fact of the module, given here exactly."""
    bench = cryptolib.bench
    sig, aut = cryptolib.key("signature"), cryptolib.key("authentication")
    secret = bench.seated.public_key("authentication").encrypt(MESSAGE, padding.PKCS1v15()).hex()
    orders: list[tuple[int, str, dict[str, Any]]] = [
        (1, "login", {"code": PIN}),
        (4, "sign", {"key": sig, "mechanism": "SHA256-RSA-PKCS", "data": MESSAGE.hex()}),
        (4, "sign", {"key": aut, "mechanism": "SHA256-RSA-PKCS-PSS", "data": MESSAGE.hex(), "pss": "sha256"}),
        (5, "sign", {"key": aut, "mechanism": "RSA-PKCS", "data": digest_info(MESSAGE).hex()}),
        (5, "decrypt", {"key": aut, "data": secret}),
        (0, "encrypt", {"key": aut, "data": MESSAGE.hex()}),
        (3, "random", {"size": 20}),
        (0, "logout", {}),
        (2, "set_pin", {"old": PIN, "new": PIN}),
        (1, "login", {"code": PUK, "user": "so"}),
        (2, "init_pin", {"code": PIN}),
    ]
    with cryptolib.module() as module:
        module.do("read", label="Certificat d'Authentification CPS")
        module.do("modulus", kind="public", identifier=aut)
        for expected, order, values in orders:
            bench.forget()
            module.do(order, **values)
            # Questions about the tries left come with any order, as often as the module likes.
            sent = [command for command in bench.commands() if command not in (ASK_PIN, ASK_PUK)]
            print(f"{order:8} {values.get('mechanism', ''):20} {len(sent)} APDU, {len(bench.commands())} in all")
            assert len(sent) == expected, bench.trace()
