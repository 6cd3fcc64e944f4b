"""OpenSC's own tools read, verify, change and unblock the card as they do a real one."""

from __future__ import annotations

import re
from pathlib import Path

from clients_bench import AUT_ID, PIN, PUK, SIG_ID, Bench, CardMaker, digest_info, tool
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

VERIFY, CHANGE, RESET = "00200001", "00240001", "002c0201"
MESSAGE = b"message to sign"


def test_the_card_is_known_by_name_serial_and_atr(bench: Bench) -> None:
    opensc = tool("opensc-tool")
    assert bench.ok([opensc, "--name"]).out == "IAS-ECC\n"
    assert bench.ok([opensc, "--serial"]).out == "00 00 01 99 00 00 01 0F ........\n"
    assert bench.ok([opensc, "--atr"]).out == "3b:ac:00:40:2a:00:12:25:00:64:80:00:03:10:00:90:00\n"


def _objects(dump: str) -> dict[str, dict[str, str]]:
    """The objects of ``pkcs15-tool --dump`` by their title, each with its lines ``name : value``."""
    found: dict[str, dict[str, str]] = {}
    for block in dump.split("\n\n"):
        title, *lines = block.strip().splitlines() or [""]
        values = (line.split(":", 1) for line in lines if ":" in line)
        found[title] = {name.strip(): value.strip() for name, value in values}
    return found


def test_the_whole_pkcs15_structure_is_read(bench: Bench) -> None:
    done = bench.ok([tool("pkcs15-tool"), "--dump"])
    assert "failed" not in done.text
    found = _objects(done.out)
    token = found["PKCS#15 Card [CPS3v3-9900000001]:"]
    assert token["Serial number"] == "000001990000010F"
    assert token["Manufacturer ID"] == "ASIP SANTE"
    assert token["Flags"] == "Read-only, Login required"
    assert re.findall(r"algo_ref   : \[0x(..)\]", done.out) == ["10", "40", "12", "42", "02", "1a"]

    pin, puk = found["PIN [Code porteur]"], found["PIN [Code de deblocage]"]
    assert (pin["ID"], pin["Auth ID"], pin["Reference"]) == ("01", "02", "1 (0x01)")
    assert (puk["ID"], puk["Reference"]) == ("02", "2 (0x02)")
    assert "unblockingPin, soPin" in puk["Flags"]

    signs, proves = found["Private RSA Key [CPS_PRIV_SIG]"], found["Private RSA Key [CPS_PRIV_AUT]"]
    assert (signs["ID"], signs["Key ref"], signs["Usage"]) == (SIG_ID, "129 (0x81)", "[0x200], nonRepudiation")
    assert (proves["ID"], proves["Key ref"], proves["Usage"]) == (AUT_ID, "130 (0x82)", "[0x06], decrypt, sign")
    assert (signs["Auth ID"], proves["Auth ID"]) == ("01", "01")
    assert {signs["ModLength"], proves["ModLength"]} == {"2048"}

    assert found["X.509 Certificate [Certificat de Signature CPS]"]["ID"] == SIG_ID
    assert found["X.509 Certificate [Certificat d'Authentification CPS]"]["ID"] == AUT_ID
    objects = {title.split("'")[1]: values for title, values in found.items() if title.startswith("Data object")}
    free = {name for name, values in objects.items() if "Auth ID" not in values}
    assert free == {"CPS_DATA", "CPS_ID_CARD", "CPS_NAME_PS", "CPS_LANG_PS", "CPS_INFO_PS"}
    # The fourth and third situations are missing on purpose: a hole must not hide what follows it.
    assert set(objects) - free == {"CPS_ACTIVITY_01_PS", "CPS_ACTIVITY_02_PS", "CPS_ACTIVITY_05_PS"}


def test_certificates_and_free_objects_come_out_byte_for_byte(bench: Bench) -> None:
    pkcs15 = tool("pkcs15-tool")
    for role, identifier in (("signature", SIG_ID), ("authentication", AUT_ID)):
        pem = bench.ok([pkcs15, "--read-certificate", identifier]).out
        read = x509.load_pem_x509_certificate(pem.encode())
        assert read.public_bytes(Encoding.DER) == bench.seated.made.certificates[role].public_bytes(Encoding.DER)
    for name in ("CPS_ID_CARD", "CPS_NAME_PS", "CPS_INFO_PS"):
        bench.ok([pkcs15, "--read-data-object", name, "--raw", "-o", name])
        assert (bench.folder / name).read_bytes() == bench.seated.made.objects[name].encode()
    assert not bench.commands(VERIFY), "no code was needed"


def test_private_objects_need_the_code(bench: Bench) -> None:
    pkcs15, name = tool("pkcs15-tool"), "CPS_ACTIVITY_05_PS"
    read = [pkcs15, "--read-data-object", name, "--raw", "-o", "private"]
    # An empty answer to the question for the code.
    bench.refused(read, "Authentication error")
    assert not (bench.folder / "private").exists()
    bench.ok([*read, "--verify-pin", "--pin", PIN])
    assert (bench.folder / "private").read_bytes() == bench.seated.made.objects[name].encode()


def test_the_code_is_verified_then_wrong_then_blocked_then_unblocked(bench: Bench) -> None:
    pkcs15 = tool("pkcs15-tool")
    verify = [pkcs15, "--verify-pin", "--pin"]
    bench.ok([*verify, PIN])
    for left in (2, 1, 0):
        bench.refused([*verify, "0000"], "PIN code or key incorrect")
        assert bench.seated.tries == (left, 10)
    bench.refused([*verify, PIN], "Authentication method blocked")
    bench.forget()

    unblock = [pkcs15, "--unblock-pin", "--auth-id", "01", "--new-pin", "4321", "--puk"]
    bench.refused([*unblock, "00000000"], "PUK code incorrect; tries left: 9")
    assert not bench.commands(RESET)
    bench.ok([*unblock, PUK])
    assert bench.commands(RESET) == [f"{RESET}04{b'4321'.hex()}"]
    assert bench.seated.tries == (3, 10)
    bench.refused([*verify, PIN], "PIN code or key incorrect")
    bench.ok([*verify, "4321"])


def test_the_code_is_changed(bench: Bench) -> None:
    pkcs15 = tool("pkcs15-tool")
    bench.refused([pkcs15, "--change-pin", "--pin", "0000", "--new-pin", "4321"], "PIN code incorrect")
    bench.ok([pkcs15, "--change-pin", "--pin", PIN, "--new-pin", "4321"])
    assert bench.commands(CHANGE)[-1] == f"{CHANGE}08{b'12344321'.hex()}"
    bench.refused([pkcs15, "--verify-pin", "--pin", PIN], "PIN code or key incorrect")
    bench.ok([pkcs15, "--verify-pin", "--pin", "4321"])


def test_an_exhausted_unblocking_code_stays_refused(bench: Bench, make: CardMaker) -> None:
    specimen = bench.seat(make(lifecycle="puk-exhausted"))
    pkcs15 = tool("pkcs15-tool")
    bench.refused([pkcs15, "--verify-pin", "--pin", PIN], "Authentication method blocked")
    bench.refused([pkcs15, "--unblock-pin", "--puk", PUK, "--new-pin", "4321"], "blocked")
    assert not bench.commands(RESET)
    assert specimen.tries == (0, 0)


def test_iasecc_tool_says_what_it_says_of_a_real_card(bench: Bench) -> None:
    iasecc = tool("iasecc-tool")
    applications = bench.ok([iasecc, "--list-applications"])
    assert applications.out == (
        "Application 'CPX IAS':\n"
        "\tAID: E828BD080F8025000001FF0010\n"
        "\tDDO: 4F0DE828BD080F8025000001FF0010\n"
        "\n"
        "Application 'CPX IAS CL':\n"
        "\tAID: E828BD080F8025000001FF0020\n"
        "\tDDO: 4F0DE828BD080F8025000001FF0010\n"
        "\n"
    )
    assert bench.ok([iasecc, "--list-sdos", "1"]).out == (
        "Found SDO class 1, reference 1\n"
        "\tcontact ACLs:\tF3:00:00:13:FF:00\n"
        "\ttries maximum:\t03\n"
        "\ttries remaining:\t03\n"
        "Found SDO class 1, reference 2\n"
        "\tcontact ACLs:\tF3:FF:00:FF:FF:00\n"
        "\ttries maximum:\t0A\n"
        "\ttries remaining:\t0A\n"
        "\tusage remaining:\t00:64\n"
    )


def test_iasecc_tool_finds_the_public_half_of_each_key(bench: Bench) -> None:
    # It reads the modulus before it asks for the rules: an answer it cannot parse is an object not found.
    found = bench.ok([tool("iasecc-tool"), "--aid", "E828BD080F8025000001FF0010", "--list-sdos", "32"])
    assert found.out == "".join(
        f"Found SDO class 20, reference {reference}\n\tcontact ACLs:\t03:FF:00\n\tsize:\t01:00\n"
        for reference in (1, 2, 3)
    )


def test_pkcs15_crypt_signs_and_decrypts_with_the_authentication_key(bench: Bench) -> None:
    crypt = tool("pkcs15-crypt")
    key = bench.seated.public_key("authentication")
    (bench.folder / "info").write_bytes(digest_info(MESSAGE))
    common = [crypt, "--pkcs1", "--key", AUT_ID, "--raw", "--pin"]
    bench.refused([*common, "0000", "--sign", "-i", "info", "-o", "signature"], "PIN code verification failed")
    bench.ok([*common, PIN, "--sign", "-i", "info", "-o", "signature"])
    key.verify((bench.folder / "signature").read_bytes(), MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    (bench.folder / "secret").write_bytes(key.encrypt(b"for the card alone", padding.PKCS1v15()))
    bench.ok([*common, PIN, "--decipher", "-i", "secret", "-o", "plain"])
    assert (bench.folder / "plain").read_bytes() == b"for the card alone"


def test_the_signature_key_is_out_of_reach_of_this_opensc(bench: Bench) -> None:
    """OpenSC linked with OpenSSL 3 gives up before asking the card: a fact about OpenSC, shown so that nobody reads a
    fault of the card in it.
    """
    crypt = tool("pkcs15-crypt")
    (bench.folder / "message").write_bytes(MESSAGE)
    sign = [crypt, "--sign", "--sha-256", "--pkcs1", "--key", SIG_ID, "--pin", PIN, "--raw", "-i", "message"]
    done = bench.run([*sign, "-o", "by-signature-key"])
    if done.code == 0:  # an OpenSC built with another library: then the card must do it
        signature = Path(bench.folder / "by-signature-key").read_bytes()
        bench.seated.public_key("signature").verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
        return
    assert "Compute signature failed: Not supported" in done.text
    assert bench.commands("002241aa", "002241b6"), "the card was prepared"
    assert not bench.commands("002a"), "yet never asked to hash or to sign"


def test_cost_of_operations(bench: Bench, make: CardMaker) -> None:
    """How many APDUs each operation takes: a fact of the client's code and of what the card holds."""
    (bench.folder / "info").write_bytes(digest_info(MESSAGE))
    pkcs15, crypt = tool("pkcs15-tool"), tool("pkcs15-crypt")
    operations = {
        "opensc-tool --serial": ([tool("opensc-tool"), "--serial"], 10),
        "pkcs15-tool --dump": ([pkcs15, "--dump"], 90),
        "pkcs15-tool --verify-pin": ([pkcs15, "--verify-pin", "--pin", PIN], 40),
        "iasecc-tool --list-sdos 1": ([tool("iasecc-tool"), "--list-sdos", "1"], 120),
        "pkcs15-crypt --sign": ([crypt, "--sign", "--pkcs1", "--key", AUT_ID, "-R", "--pin", PIN, "-i", "info"], 60),
    }
    for name, (command, most) in operations.items():
        bench.seat(make())
        done = bench.run([*command, "-o", "output"] if command[0] == crypt else command)
        assert done.code == 0, done.text
        print(f"{name:28} {done.cost:4} APDU {1000 * done.seconds:6.0f} ms")
        assert 0 < done.cost <= most
