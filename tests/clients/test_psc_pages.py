"""The pages in a real browser: a login by e-CPS with the keyboard alone, and what axe says of each page at two widths.

Screenshots are kept where BIFENTE_SCREENSHOTS names a folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from browser import chromium

from bifente.simulator.pki.keystore import KeySource

pytest.importorskip("requests_oauth2client")
pytest.importorskip("playwright.sync_api")
pytest.importorskip("axe_playwright_python.sync_playwright")

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import sync_playwright
from psc_bench import PHONE, USER, Served, served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.timeout(180), pytest.mark.long]
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FRAME = "url => { const one = document.createElement('iframe'); one.src = url; document.body.append(one); }"
WIDTHS = {"desktop": (1280, 800), "phone": (390, 844)}


@pytest.fixture(scope="module")
def psc(shared_keys: KeySource, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(shared_keys, tmp_path_factory.mktemp("psc")) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as started:
        launched = started.chromium.launch(executable_path=chromium(), args=list(QUIET))
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(ignore_https_errors=True, locale="fr-FR")
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def judged(page: Page, name: str) -> None:
    """What axe finds, and that nothing is wider than the screen, at each width."""
    for label, (width, height) in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": height})
        found: Any = Axe().run(page)
        assert found.violations_count == 0, f"{name}, {label}: {found.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name}, {label}: too wide"
        if (folder := os.environ.get("BIFENTE_SCREENSHOTS")) is not None:
            page.screenshot(path=str(Path(folder) / f"{name}-{label}.png"), full_page=True)


def test_a_login_by_ecps_with_the_keyboard_alone(psc: Served, page: Page) -> None:
    page.goto(f"{psc.party}/entrer")
    assert page.title().startswith("Se connecter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Aller au contenu"
    for _ in range(12):
        if page.evaluate("document.activeElement.id") == "rpps":
            break
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "rpps"
    page.keyboard.type(USER)
    page.keyboard.press("Enter")
    page.wait_for_selector("#nombre")
    number = page.inner_text("#nombre")
    telephone = page.context.new_page()
    telephone.goto(f"{psc.service.core.addresses.wallet}/bifente/telephone/{PHONE}")
    assert telephone.inner_text(".number") == number
    judged(telephone, "telephone")
    telephone.get_by_role("button", name="Oui, approuver").focus()
    telephone.keyboard.press("Enter")
    telephone.wait_for_selector("text=Connexion approuvée.")
    # The page goes on by itself.
    page.wait_for_url(f"{psc.party}/retour**")
    assert page.inner_text("h1") == "Bienvenue GENERALISTE TESTMEDECIN"
    assert f'"SubjectNameID": "{USER}"' in page.inner_text("#user")
    page.click("text=Se déconnecter")
    assert page.inner_text("h1") == "Au revoir"
    page.goto(f"{psc.party}/entrer")
    assert page.title().startswith("Se connecter"), "logged out at Pro Santé Connect too"


def test_every_page_passes_axe_at_both_widths(psc: Served, page: Page) -> None:
    wallet = psc.service.core.addresses.wallet
    page.goto(f"{psc.party}/entrer")
    judged(page, "ecps")
    page.click("text=Carte CPS")
    judged(page, "carte")
    page.click("text=Diagnostiquer mon poste")
    judged(page, "diagnostic")
    page.click("text=Revenir à la connexion")
    page.click("text=Délégation")
    judged(page, "delegation")
    page.click("text=GHT Specimen")
    judged(page, "fournisseur")
    page.click("text=S'identifier")
    page.wait_for_selector("text=Première connexion par délégation")
    judged(page, "premiere-delegation")
    page.fill("#rpps", "899911111111")
    page.click("text=Se connecter avec e-CPS")
    page.wait_for_selector("text=n'est pas connu")
    judged(page, "inconnu")
    page.fill("#rpps", USER)
    page.click("text=Se connecter avec e-CPS")
    page.wait_for_selector("#nombre")
    judged(page, "attente")
    page.goto(f"{wallet}/")
    judged(page, "activation")
    page.fill("#appareil2", "essai-1")
    page.fill("#id", USER)
    page.fill("#mail", "autre@bifente.test")
    page.fill("#mobile", "0600000011")
    page.click("text=Recevoir les deux codes")
    page.wait_for_selector("text=ne sont pas celles de l'annuaire")
    page.goto(f"{wallet}/auth?client_id=tiers&redirect_uri=https://ailleurs.bifente.test/")
    page.wait_for_selector("text=Paramètre invalide : redirect_uri")
    judged(page, "erreur")
    page.goto(f"{psc.service.core.addresses.protocol('logout')}?client_id=tiers")
    judged(page, "deconnexion")


def test_without_scripts_the_button_does_the_same(psc: Served, browser: Browser) -> None:
    context = browser.new_context(ignore_https_errors=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{psc.party}/entrer")
    page.fill("#rpps", USER)
    page.click("text=Se connecter avec e-CPS")
    number = page.inner_text("#nombre")
    page.click("text=J'ai approuvé, continuer")
    assert page.inner_text("#nombre") == number, "not approved yet"
    platform = psc.service.core.ecps
    platform.accept(PHONE, next(one.key for one in platform.pending(PHONE) if one.number == number), number)
    page.click("text=J'ai approuvé, continuer")
    assert page.inner_text("h1").startswith("Bienvenue")
    context.close()


def test_the_pages_refuse_frames_and_calls_from_other_sites(psc: Served, page: Page) -> None:
    page.goto(f"{psc.party}/")
    wallet = psc.service.core.addresses.wallet
    page.evaluate(
        "url => { const f = document.createElement('iframe'); f.src = url; document.body.append(f); }", f"{wallet}/"
    )
    page.wait_for_timeout(500)
    framed = next((one for one in page.frames if one != page.main_frame), None)
    assert framed is not None
    assert "Activer" not in framed.content()
    called = page.evaluate(
        "url => fetch(url).then(() => 'read', error => error.name)", psc.service.core.addresses.protocol("userinfo")
    )
    assert called == "TypeError", "no CORS"
