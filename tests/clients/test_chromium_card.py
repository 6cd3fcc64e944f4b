"""Chromium authenticates with the card, its code typed into the browser's own window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import ASKS_CODE, CHOOSES, CardBrowser
from clients_bench import PIN, Bench, CardMaker, opensc_module
from cryptography import x509
from tls_tools import PKCS1, Server, server_files

AUTHENTICATE, VERIFY = "00880000", "00200001"


@pytest.fixture(scope="module")
def folder(make: CardMaker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return server_files(tmp_path_factory.mktemp("tls"), make(), make("pharmacien", lifecycle="revoked"))


@pytest.fixture(scope="module")
def browser(shared_bench: Bench, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CardBrowser]:
    home = tmp_path_factory.mktemp("home")
    with CardBrowser(shared_bench.environment, home, opensc_module(), trusted=[folder / "server.pem"]) as browser:
        yield browser


def test_a_wrong_code_opens_nothing_and_the_right_one_does(bench: Bench, browser: CardBrowser, folder: Path) -> None:
    from playwright.sync_api import Error

    with Server(folder, *PKCS1) as server:
        # The certificate of the contactless application needs no code: the person wants none of it.
        browser.codes, browser.row = ["0000"], None
        with pytest.raises(Error, match="ERR_BAD_SSL_CLIENT_AUTH_CERT"):
            browser.page.goto(f"https://localhost:{server.port}/")
        browser.page.wait_for_url("chrome-error://**")
        assert browser.seen.count(ASKS_CODE) > 1, "asked again after the wrong code; the person gave up then"
        assert bench.seated.tries[0] == 2
        assert not bench.commands(AUTHENTICATE)
    bench.forget()
    browser.seen.clear()
    browser.codes, browser.row = [PIN], 1  # below that of the contactless application
    with Server(folder, *PKCS1, "-crl_check", "-CRL", "crl.pem") as server:
        browser.page.goto(f"https://localhost:{server.port}/")
        page = browser.page.inner_text("body")
    assert browser.seen == [ASKS_CODE, CHOOSES]
    shown = page[page.index("-----BEGIN CERTIFICATE") :]
    assert x509.load_pem_x509_certificate(shown.encode()) == bench.seated.made.certificates["authentication"]
    asked = bench.commands(AUTHENTICATE)
    assert len(asked) == 1, "one signature, made by the card"
    assert asked[0].startswith(f"{AUTHENTICATE}33"), "a SHA-256 DigestInfo"
