"""TLS client authentication: an unmodified server and unmodified clients, the key in the card."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from clients_bench import Bench, CardMaker, Done, opensc_module, tool
from tls_tools import PKCS1, REQUEST, Caller, Server, accepted, server_files

AUTHENTICATE = "00880000"


@pytest.fixture(scope="module")
def folder(make: CardMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return server_files(tmp_path_factory.mktemp("tls"), make(), make("pharmacien", lifecycle="revoked"))


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    """TLS 1.2, PKCS#1 signatures, revocation checked."""
    with Server(folder, *PKCS1, "-crl_check", "-CRL", "crl.pem") as server:
        yield server


@pytest.fixture
def caller(bench: Bench, folder: Path) -> Caller:
    return Caller(bench, folder, opensc_module())


CLIENTS: dict[str, Callable[[Caller, Server], Done]] = {
    "openssl s_client": lambda caller, server: caller.s_client(server, "-tls1_2"),
    "curl": lambda caller, server: caller.curl(server, "--tls-max", "1.2"),
    "gnutls-cli": lambda caller, server: caller.gnutls_cli(server),
}
CLIENTS_ALLOWING_TLS_1_3: dict[str, Callable[[Caller, Server], Done]] = {
    "openssl s_client": lambda caller, server: caller.s_client(server),
    "curl": lambda caller, server: caller.curl(server),
    "gnutls-cli": lambda caller, server: caller.gnutls_cli(server, versions="+VERS-TLS1.3"),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_the_card_opens_a_tls_1_2_server(caller: Caller, server: Server, client: str) -> None:
    done = CLIENTS[client](caller, server)
    assert done.code == 0, done.text
    assert accepted(done) == caller.bench.seated.made.certificates["authentication"]
    asked = caller.bench.commands(AUTHENTICATE)
    assert len(asked) == 1, "one signature, made by the card"
    assert asked[0].startswith(f"{AUTHENTICATE}33"), "a SHA-256 DigestInfo"
    print(f"{client}: {done.cost} APDU, {1000 * done.seconds:.0f} ms")


def test_gnutls_copes_with_a_server_that_offers_pss_too(caller: Caller, folder: Path) -> None:
    with Server(folder, "-tls1_2") as server:
        done = caller.gnutls_cli(server)
        assert accepted(done) == caller.bench.seated.made.certificates["authentication"], done.text


def test_openssl_must_be_told_not_to_choose_pss(caller: Caller, folder: Path) -> None:
    with Server(folder, "-tls1_2") as server:
        done = caller.s_client(server, "-tls1_2")
        assert done.code != 0
        assert not caller.bench.commands(AUTHENTICATE)
        done = caller.s_client(server, "-tls1_2", "-sigalgs", "RSA+SHA256")
        assert accepted(done) == caller.bench.seated.made.certificates["authentication"], done.text


@pytest.mark.parametrize("client", CLIENTS_ALLOWING_TLS_1_3)
def test_tls_1_3_is_out_of_reach(caller: Caller, folder: Path, client: str) -> None:
    """TLS 1.3 signs with RSA-PSS alone, which neither the card nor its modules have."""
    with Server(folder, "-tls1_3") as server:
        done = CLIENTS_ALLOWING_TLS_1_3[client](caller, server)
        assert accepted(done) is None, done.text
        assert "Mechanism invalid" in done.text or "No certificate was sent to peer" in done.text
        assert not caller.bench.commands(AUTHENTICATE)


def test_a_revoked_card_is_refused(caller: Caller, server: Server, make: CardMaker) -> None:
    caller.bench.seat(make("pharmacien", lifecycle="revoked"))
    done = caller.s_client(server, "-tls1_2")
    assert "alert certificate revoked" in done.text
    assert accepted(done) is None
    assert caller.bench.commands(AUTHENTICATE), "the card did its part: the server refuses"


def test_a_card_of_another_authority_is_refused(caller: Caller, server: Server, make: CardMaker) -> None:
    specimen = caller.bench.seat(make("cpe-nominative"))
    assert specimen.made.chain[-1] != make().made.chain[-1]
    done = caller.s_client(server, "-tls1_2")
    assert "alert unknown ca" in done.text
    assert accepted(done) is None


def test_an_expired_card_is_refused(caller: Caller, server: Server, make: CardMaker) -> None:
    caller.bench.seat(make("infirmier", lifecycle="expired"))
    done = caller.s_client(server, "-tls1_2")
    assert "alert certificate expired" in done.text
    assert accepted(done) is None


def test_the_certificate_of_another_card_does_not_go_with_this_one(
    caller: Caller, server: Server, make: CardMaker
) -> None:
    caller.shown = make("infirmier").made.certificates["authentication"]
    done = caller.s_client(server, "-tls1_2")
    assert "key values mismatch" in done.text
    assert accepted(done) is None


def test_a_wrong_code_opens_nothing_and_costs_a_try(caller: Caller, server: Server) -> None:
    done = caller.curl(server, "--tls-max", "1.2", pin="0000")
    assert "Login to token failed" in done.text
    assert accepted(done) is None
    assert not caller.bench.commands(AUTHENTICATE)
    assert caller.bench.seated.tries == (2, 10)


def test_no_certificate_opens_nothing(caller: Caller, server: Server) -> None:
    command = [tool("openssl"), "s_client", "-connect", f"127.0.0.1:{server.port}", "-tls1_2", "-ign_eof"]
    done = caller.bench.run(command, text=REQUEST)
    assert accepted(done) is None
    assert done.code != 0
