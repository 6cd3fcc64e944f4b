"""TLS client authentication through the Cryptolib: unmodified servers and clients, the key in a CPS3 or a CPS4."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from clients_bench import CardMaker, Done
from cryptolib_tools import CPS3, CPS4, MECHANISM_INVALID, Cryptolib, Family, needs_cryptolib
from tls_tools import PKCS1, Caller, Server, accepted, server_files

needs_cryptolib()


TLS_1_2: dict[str, Callable[[Caller, Server], Done]] = {
    "openssl s_client": lambda caller, server: caller.s_client(server),
    "curl": lambda caller, server: caller.curl(server),
    "gnutls-cli": lambda caller, server: caller.gnutls_cli(server),
}
TLS_1_3 = {**TLS_1_2, "gnutls-cli": lambda caller, server: caller.gnutls_cli(server, versions="+VERS-TLS1.3")}
CHOOSE, SIGN, CHOOSE_RAW, RAW = "012281b604", "012a9e9a", "012241b8", "012a8086"


def only(family: Family) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("family", [family], indirect=True, ids=[family.name], scope="module")


@pytest.fixture(scope="module")
def folder(make: CardMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cards of both families have the same authority."""
    return server_files(tmp_path_factory.mktemp("tls"), make(), make("pharmacien", lifecycle="revoked"))


@pytest.fixture
def caller(cryptolib: Cryptolib, folder: Path) -> Caller:
    # With a directory of public keys, which a real CPS3 has, OpenSSL's engine does not find the key: a test says so.
    cryptolib.seat(options={"include_pukdf": False})
    return Caller(cryptolib.bench, folder, cryptolib.library)


@pytest.mark.parametrize("client", TLS_1_2)
def test_the_card_opens_a_tls_1_2_server(cryptolib: Cryptolib, caller: Caller, folder: Path, client: str) -> None:
    with Server(folder, *PKCS1, "-crl_check", "-CRL", "crl.pem") as server:
        done = TLS_1_2[client](caller, server)
    assert accepted(done) == cryptolib.bench.seated.made.certificates["authentication"], done.text
    assert cryptolib.bench.commands(*cryptolib.family.authenticate)
    print(f"{client}: {done.cost} APDU, {1000 * done.seconds:.0f} ms")


@pytest.mark.parametrize("client", TLS_1_3)
@only(CPS4)
def test_a_cps4_opens_a_tls_1_3_server(cryptolib: Cryptolib, caller: Caller, folder: Path, client: str) -> None:
    with Server(folder, "-tls1_3", "-crl_check", "-CRL", "crl.pem") as server:
        done = TLS_1_3[client](caller, server)
    assert accepted(done) == cryptolib.bench.seated.made.certificates["authentication"], done.text
    assert cryptolib.bench.commands(CHOOSE)[0] == f"{CHOOSE}91022ca0", "PSS with SHA-256, authentication key"
    assert len(cryptolib.bench.commands(SIGN)) == 1
    assert not cryptolib.bench.commands(RAW)
    print(f"{client}: {done.cost} APDU, {1000 * done.seconds:.0f} ms")


@pytest.mark.parametrize("client", TLS_1_3)
@only(CPS3)
def test_tls_1_3_is_out_of_reach_of_a_cps3(cryptolib: Cryptolib, caller: Caller, folder: Path, client: str) -> None:
    """TLS 1.3 signs with RSA-PSS alone, which the card does not have, nor the module for it.

    OpenSSL's engine then asks for an RSA operation of its own padding, which the module does not do either.
    """
    with Server(folder, "-tls1_3") as server:
        done = TLS_1_3[client](caller, server)
    assert accepted(done) is None, done.text
    assert "Function not supported" in done.text or "No certificate was sent to peer" in done.text
    assert not cryptolib.bench.commands(*CPS3.authenticate)
    with cryptolib.module(login=True) as module:
        for mechanism in ("RSA-PKCS-PSS", "SHA256-RSA-PKCS-PSS"):
            order = {"key": cryptolib.key("authentication"), "mechanism": mechanism, "data": bytes(32).hex()}
            module.do("sign", MECHANISM_INVALID, pss="sha256", **order)


@pytest.mark.parametrize(
    ("algorithm", "choice"),
    [
        ("RSA-PSS+SHA256", f"{CHOOSE}91022ca0"),
        ("RSA+SHA256", f"{CHOOSE_RAW}03830120"),
        ("RSA+SHA384", f"{CHOOSE_RAW}03830120"),
        ("RSA+SHA512", f"{CHOOSE_RAW}03830120"),
        ("RSA+SHA1", f"{CHOOSE_RAW}03830120"),
    ],
)
@only(CPS4)
def test_every_tls_1_2_signature_of_a_cps4(
    cryptolib: Cryptolib, caller: Caller, folder: Path, algorithm: str, choice: str
) -> None:
    weak = ("-cipher", "DEFAULT@SECLEVEL=0")  # for SHA-1
    with Server(folder, "-tls1_2", "-client_sigalgs", algorithm, *weak) as server:
        done = caller.s_client(server, "-tls1_2", *weak)
    assert accepted(done) == cryptolib.bench.seated.made.certificates["authentication"], done.text
    assert cryptolib.bench.commands(CHOOSE, CHOOSE_RAW) == [choice]


@only(CPS4)
def test_a_hash_the_card_has_no_pss_for(cryptolib: Cryptolib, caller: Caller, folder: Path) -> None:
    with Server(folder, "-tls1_3", "-client_sigalgs", "RSA-PSS+SHA384") as server:
        done = caller.s_client(server)
    assert accepted(done) is None, done.text
    assert not cryptolib.bench.commands(SIGN, RAW)


def test_a_directory_of_public_keys_keeps_the_engine_from_the_key(
    cryptolib: Cryptolib, caller: Caller, folder: Path
) -> None:
    cryptolib.seat(options={"include_pukdf": True})
    with Server(folder, *PKCS1) as server:
        done = caller.s_client(server)
    assert "Attribute type invalid" in done.text or "object not found" in done.text
    assert accepted(done) is None
    assert not cryptolib.bench.commands(*cryptolib.family.authenticate)


@only(CPS4)
def test_a_revoked_cps4_is_refused(cryptolib: Cryptolib, make: CardMaker, tmp_path: Path) -> None:
    server_files(tmp_path, make(), cryptolib.seat("pharmacien", lifecycle="revoked"))
    with Server(tmp_path, "-tls1_3", "-crl_check", "-CRL", "crl.pem") as server:
        done = Caller(cryptolib.bench, tmp_path, cryptolib.library).s_client(server)
    assert "alert certificate revoked" in done.text
    assert accepted(done) is None
    assert cryptolib.bench.commands(SIGN), "the card did its part: the server refuses"
