"""Chromium logs in by Pro Santé Connect with the card, its code typed in the browser's own dialog."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from browser import ASKS_CODE, CHOOSES, CardBrowser
from clients_bench import PIN, Bench, CardMaker, opensc_module

from bifente.simulator.pki.keystore import KeyStore

pytest.importorskip("requests_oauth2client")

from psc_bench import Served, served

pytestmark = pytest.mark.timeout(180)
AUTHENTICATE = "00880000"


@pytest.fixture(scope="module")
def shared_bench(make: CardMaker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Our own service alone: that a pcscd is the same to Chromium is shown in ``test_chromium_card``."""
    with Bench(make(), tmp_path_factory.mktemp("bench"), own=True) as bench:
        yield bench


@pytest.fixture(scope="module")
def psc(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    base = tmp_path_factory.getbasetemp()
    # The authorities of the cards in the readers are those that the provider believes.
    keys = KeyStore((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "client-keys")
    with served(keys, tmp_path_factory.mktemp("psc")) as found:
        yield found


def log_in(bench: Bench, browser: CardBrowser, psc: Served) -> None:
    """Let the person log in with the card, as far as the provider's last page but one."""
    page = browser.page
    page.goto(f"{psc.party}/entrer")
    page.click("text=Carte CPS")
    bench.forget()
    browser.codes = [PIN]
    # The first line is the card's technical certificate: the holder's is below it.
    browser.row = 1
    page.click("text=Se connecter avec la carte CPS")
    page.wait_for_url(f"{psc.party}/retour**")


@pytest.fixture
def browser(bench: Bench, psc: Served, tmp_path: Path) -> Iterator[CardBrowser]:
    """A browser whose person has logged in.

    Chromium was seen to go away once while it waited, with two workers on two cores, and never alone. A browser that is
    gone says nothing of the card: a second one is started, and only once.
    """
    gone = pytest.importorskip("playwright.sync_api").Error
    with ExitStack() as stack:
        for last in (False, True):
            home = tmp_path / ("again" if last else "home")
            home.mkdir()
            found = stack.enter_context(CardBrowser(bench.environment, home, opensc_module(), trusted=[psc.ca]))
            try:
                log_in(bench, found, psc)
                break
            except gone:
                if last or not found.page.is_closed():
                    raise
                stack.close()
        yield found


def test_a_login_with_the_card(bench: Bench, browser: CardBrowser, psc: Served) -> None:
    page = browser.page
    assert browser.seen == [ASKS_CODE, CHOOSES], "the code, then the choice of the certificate, each in its own window"
    assert page.inner_text("h1") == "Bienvenue GENERALISTE TESTMEDECIN"
    told = page.inner_text("#user")
    assert '"authMode": "CARD"' in told
    assert bench.seated.made.template.national_id in told
    assert len(bench.commands(AUTHENTICATE)) >= 1, "the card itself signed"
    assert psc.service.state()["sessions"][-1] == {"user": "899900000011", "mode": "CARD", "clients": ["tiers"]}
