"""The portals in Chromium: the card asked for, the component absent, not trusted, trusted; and Local Network Access."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from browser import CardBrowser, chromium
from clients_bench import PIN, Bench, CardMaker, opensc_module

from bifente.conformance.domains.portal.serving import ExampleReading, ServedPortal
from bifente.simulator.pki.keystore import KeyStore

pytest.importorskip("playwright.sync_api")
pytest.importorskip("axe_playwright_python.sync_playwright")

from playwright.sync_api import sync_playwright
from serving_bench import serving_bench
from test_psc_pages import QUIET, judged

pytestmark = [pytest.mark.timeout(180), pytest.mark.long]
Serve = Callable[..., ServedPortal]


@pytest.fixture(scope="module")
def shared_bench(make: CardMaker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Our own service alone: that a pcscd is the same to Chromium is shown in ``test_chromium_card``."""
    with Bench(make(), tmp_path_factory.mktemp("bench"), own=True) as bench:
        yield bench


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    keys = KeyStore()
    with ExitStack() as stack:

        def make(**more: Any) -> ServedPortal:
            around = serving_bench(keys, tmp_path_factory.mktemp("portal"), stack)
            return ServedPortal(around, ExampleReading, **more)

        yield make


def told(browser: CardBrowser, word: str) -> str:
    browser.page.wait_for_function("word => document.getElementById('composant').textContent.includes(word)", arg=word)
    return browser.page.inner_text("#composant")


def test_the_journey_of_trust(
    shared_bench: Bench, serve: Serve, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    portal = serve()
    authority, local = Path(portal.settings["ca"]), Path(portal.settings["component ca"])

    def before(trusted: list[Path]) -> CardBrowser:
        home = tmp_path_factory.mktemp("home")
        return CardBrowser(shared_bench.environment, home, opensc_module(), trusted=trusted)

    with ExitStack() as over:
        over.callback(portal.stop_component)
        with before([authority]) as browser:
            browser.codes, browser.row = [PIN], 1
            browser.page.goto(f"{portal.url}/ameli")
            assert "GENERALISTE TESTMEDECIN" in browser.page.inner_text("main")
            assert "991000019" in browser.page.inner_text("main")
            # Absent: the page says so, and offers the download.
            assert told(browser, "non actif").endswith("Télécharger et installer le composant")
            # Present, its authority not known to the browser: the page cannot tell the difference.
            portal.start_component()
            browser.page.reload()
            told(browser, "non actif")
            browser.page.click("text=Télécharger et installer le composant")
            assert "faites-lui confiance pour les sites web seulement" in browser.page.inner_text("main")
        with before([authority, local]) as browser:
            browser.codes, browser.row = [PIN], 1
            browser.page.goto(f"{portal.url}/composant")
            assert told(browser, "actif (") == "Composant CNAM actif (5.10.04)."
            browser.page.goto(f"{portal.url}/ameli")
            told(browser, "actif (")
            browser.page.click("text=Activer la lecture de sa carte")
            browser.page.wait_for_selector("section.patient")
            assert "TESTFAMILLE" in browser.page.inner_text("section.patient")
            assert browser.page.locator("#services-patient li").count() == 4
            judged(browser.page, "ameli")


def test_the_pages_pass_axe_at_both_widths(serve: Serve) -> None:
    portal = serve(required=False)
    portal.start_component()
    with sync_playwright() as started:
        launched = started.chromium.launch(executable_path=chromium(), args=list(QUIET))
        page = launched.new_context(ignore_https_errors=True).new_page()
        page.goto(f"{portal.url}/")
        judged(page, "portails")
        page.goto(f"{portal.url}/composant")
        page.wait_for_selector("text=Composant CNAM actif")
        judged(page, "composant")
        portal.stop_component()
        page.reload()
        page.wait_for_selector("text=Composant CNAM non actif")
        judged(page, "composant-absent")
        page.goto(f"{portal.url}/ameli")
        judged(page, "acces-refuse")
        launched.close()


def test_local_network_access_asks_the_user(serve: Serve) -> None:
    """A page of a public site reaches the component only if its user lets it: the browser's own rule."""
    portal = serve(required=False)
    portal.start_component()
    port = portal.url.rpartition(":")[2]
    with sync_playwright() as started:
        # What tells the browser that the page is not of this machine: its address counts as a public one.
        spaces = f"--ip-address-space-overrides=127.0.0.1:{port}=public,[::1]:{port}=public"
        launched = started.chromium.launch(executable_path=chromium(), args=[*QUIET, spaces])
        context = launched.new_context(ignore_https_errors=True)
        page = context.new_page()
        page.goto(f"{portal.url}/composant")
        page.wait_for_selector("text=Composant CNAM non actif")
        granted = launched.new_context(ignore_https_errors=True, permissions=["local-network-access"])
        allowed = granted.new_page()
        allowed.goto(f"{portal.url}/composant")
        allowed.wait_for_selector("text=Composant CNAM actif")
        launched.close()
