"""Chromium logs in by Pro Santé Connect with the card, its code typed in the browser's own dialog."""

from __future__ import annotations

from collections.abc import Iterator

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
    # The authorities of the cards in the readers are those that the provider believes.
    with served(KeyStore(), tmp_path_factory.mktemp("psc")) as found:
        yield found


def test_a_login_with_the_card(bench: Bench, psc: Served, tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    with CardBrowser(bench.environment, home, opensc_module(), trusted=[psc.ca]) as browser:
        page = browser.page
        page.goto(f"{psc.party}/entrer")
        page.click("text=Carte CPS")
        bench.forget()
        browser.codes = [PIN]
        # The first line is the card's technical certificate: the holder's is below it.
        browser.row = 1
        page.click("text=Se connecter avec la carte CPS")
        page.wait_for_url(f"{psc.party}/retour**")
        assert browser.seen == [ASKS_CODE, CHOOSES], "the code, then the certificate, each in its own window"
        assert page.inner_text("h1") == "Bienvenue GENERALISTE TESTMEDECIN"
        told = page.inner_text("#user")
        assert '"authMode": "CARD"' in told
        assert bench.seated.made.template.national_id in told
        assert len(bench.commands(AUTHENTICATE)) >= 1, "the card itself signed"
        assert psc.service.state()["sessions"][-1] == {"user": "899900000011", "mode": "CARD", "clients": ["tiers"]}
