from __future__ import annotations

import base64
import hashlib
import re

import pytest
import sample
from lxml import html as parser

from bifente.ground.text import LANGS, Lang, Text
from bifente.reports import model
from bifente.reports.events import Direction, Event, Exchange, Message, StepFinished, StepStarted
from bifente.reports.messages import body_of
from bifente.reports.model import fold
from bifente.reports.secrets import Secrets
from bifente.reports.verdict import Verdict
from bifente.reports.writers import exchange_html, html


def _text(events: list[Event] | None = None, lang: Lang = "fr") -> str:
    return html.write(fold(sample.recorded(events if events is not None else sample.full_run())), lang)


def _page(events: list[Event] | None = None, lang: Lang = "fr") -> parser.HtmlElement:
    return parser.document_fromstring(_text(events, lang))


def _words(element: parser.HtmlElement) -> str:
    return " ".join(" ".join(element.itertext()).split())


@pytest.mark.parametrize("lang", LANGS)
def test_the_page_says_it_is_not_an_approval(lang: Lang) -> None:
    page = _page(lang=lang)
    assert page.get("lang") == lang
    expected = {"fr": "Ce rapport n'est pas un agrément.", "en": "This report is not an approval."}[lang]
    assert expected in _words(page.xpath("//main")[0])
    assert f'content: "{expected}"' in _text(lang=lang)


@pytest.mark.parametrize("lang", LANGS)
def test_requirements_are_told_in_the_language_of_the_page_alone(lang: Lang) -> None:
    page = _page(lang=lang)
    shown = _words(page.get_element_by_id("requirements"))
    other: Lang = "en" if lang == "fr" else "fr"
    for one in sample.run_started().requirements:
        for said in (one.text, one.set_title, one.source, one.note or one.text):
            assert said.get(lang) in shown
            assert said.get(other) not in shown
    assert not page.xpath("//section[@id='requirements']//@lang")


def test_hostile_text_is_shown_and_does_nothing() -> None:
    text = _text()
    page = _page()
    assert "alert(1)" in text
    assert len(page.xpath("//script")) == 1
    assert "alert" not in page.xpath("//script")[0].text
    assert not page.xpath("//@*[starts-with(name(), 'on')]")
    assert not page.xpath("//@style")
    assert "<script>alert(1)</script>" in _words(page.xpath("//main")[0])
    for harmful in ("\x1b", "\u202e"):
        assert harmful not in text


@pytest.mark.parametrize("where", ["run_id", "target", "reader", "profile"])
def test_hostile_identity_is_escaped_too(where: str) -> None:
    bad = "\"'><img src=x onerror=alert(1)>{{ 7*7 }}</style></title>"
    page = _page(sample.full_run(**{where: bad}))
    assert not page.xpath("//img")
    assert len(page.xpath("//style")) == 1
    assert "{{ 7*7 }}" in _words(page)


def test_nothing_is_loaded_from_elsewhere() -> None:
    page = _page()
    loads = page.xpath("//@src | //link/@href | //@srcset | //@data | //@action | //@poster")
    assert all(value.startswith("data:") for value in loads)
    assert all(value.startswith("#") for value in page.xpath("//a/@href"))
    style = page.xpath("//style")[0].text
    assert "url(" not in style
    assert "@import" not in style
    assert not re.search(r"https?://", _text())


def test_the_page_allows_its_own_style_and_script_and_nothing_else() -> None:
    page = _page()
    policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.xpath(f"//{tag}")[0].text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_every_verdict_is_a_word_beside_its_colour() -> None:
    page = _page()
    for verdict in Verdict:
        chips = page.xpath(f"//section[@id='scenarios']//summary//span[contains(@class, 'v-{verdict.value}')]")
        assert chips
        assert any(_words(chip) == verdict.say("fr") for chip in chips)
    for chip in page.xpath("//span[starts-with(@class, 'v ')]"):
        assert re.fullmatch(r"\S \S.*", _words(chip))


def test_every_link_leads_somewhere_and_no_place_has_two() -> None:
    for events in (sample.full_run(), sample.cut_run(), [], sample.green_run()):
        page = _page(events)
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids))
        assert {link.removeprefix("#") for link in page.xpath("//a/@href")} <= set(ids)


def test_failures_come_first_and_lead_to_their_scenario() -> None:
    page = _page()
    section = page.xpath("//section")[0]
    assert section.get("id") == "failures"
    titles = [_words(title) for title in section.xpath(".//h3")]
    assert titles[0] == "⚠ erreur du banc Deux fentes, deux lecteurs"
    assert "✗ échoué Trois codes faux bloquent le code" in titles
    assert "bifente run" in _words(section)
    target = section.xpath(".//h3/a/@href")[0].removeprefix("#")
    assert "Deux fentes" in _words(page.xpath(f"//*[@id='{target}']/parent::details/summary")[0])


def test_the_identity_of_the_run_is_complete() -> None:
    words = _words(_page().xpath("//section[@id='identity']")[0])
    for expected in (
        "bifente 0.1.0",
        "c958973d0a41",
        "embedded",
        "Bifente Virtual PCD 00 00",
        "readers/exemple-bi-fente",
        "42",
        "2025-03-01 09:30:00 UTC",
        "1,23 s",
        "pcscd 1.9.9",
        "3b" * 32,
        "bifente run scenarios/authentication --seed 42 --reader",
        "pcscd répond lentement",
    ):
        assert expected in words


def test_a_step_shows_its_evidence() -> None:
    page = _page()
    step = page.xpath("//li[@class='step'][.//h5[text()='Présenter un troisième code faux']]")[0]
    words = _words(step)
    for expected in (
        "verify-code",
        "code-porteur.yaml:21",
        "✗ échoué",
        "sw 6983 63C0 ✗ non conforme",
        "within < 50 ms 0,64 ms ✓ conforme",
        "essais code porteur 1 0 changé",
        "VERIFY code porteur (4 octets)",
        "63C0 : code faux, 0 essai restant",
        "640 µs",
        "cps",
    ):
        assert expected in words
    remark = _words(page.xpath("//details[@data-verdict='passed-with-remark']")[0])
    assert "≈ conforme, remarque" in remark
    assert "essais restants 1" in remark
    assert "70 0B BF 81" in remark
    assert "90 00" in remark


def test_the_matrix_is_honest_and_linked() -> None:
    section = _page().xpath("//section[@id='requirements']")[0]
    words = _words(section)
    assert "Exigences du catalogue : 64. Citées par ce passage : 5 (7,8 %) ; jugées : 2 (3,1 %)" in words
    rows = section.xpath(".//tbody/tr")
    assert len(rows) == 5
    assert all(re.search(r"[✓≈✗■–○⚠]", _words(row)) for row in rows)
    page = _page()
    assert page.xpath("//section[@id='scenarios']//dd/a[text()='CARD-CPS3-17']/@href") == [
        "#" + page.xpath("//tr[.//b[text()='CARD-CPS3-17']]/@id")[0]
    ]


def test_bad_and_unfinished_scenarios_are_open_and_good_ones_folded() -> None:
    page = _page()
    for part in page.xpath("//details[contains(@class, 'scenario')]"):
        assert (part.get("open") is not None) == Verdict(part.get("data-verdict")).bad
    assert _page(sample.cut_run()).xpath("//details[@data-verdict='not-run']/@open") == [""]


def test_an_interrupted_run_wears_it_at_the_top() -> None:
    page = _page(sample.cut_run())
    assert "Passage interrompu." in _words(page.xpath("//div[contains(@class, 'hero')]")[0])
    assert "scénarios jamais commencés : 6" in _words(page)
    assert not page.xpath("//div[contains(@class, 'hero')]//*[contains(text(), 'Aucun échec')]")


def test_a_filter_box_stands_for_each_verdict_that_occurs() -> None:
    assert _page().xpath("//fieldset//input/@value") == [verdict.value for verdict in Verdict]
    assert _page(sample.green_run()).xpath("//fieldset//input/@value") == ["passed"]


@pytest.mark.parametrize(
    ("digits", "sw", "shown"),
    [
        ("6f1a9000", "9000", exchange_html.Bytes("6F 1A", 0, "90 00")),
        ("9000", "9000", exchange_html.Bytes("", 0, "90 00")),
        ("00 20 00 01 04 •• ••", "", exchange_html.Bytes("00 20 00 01 04 •• ••", 0)),
        ("6f1a9000", "", exchange_html.Bytes("6F 1A 90 00", 0)),
        ("6f1a9000", "6A82", exchange_html.Bytes("6F 1A 90 00", 0)),
        ("", "", exchange_html.Bytes("", 0)),
        ("6f1", "", exchange_html.Bytes("6f1", 0)),
        ("no hex", "9000", exchange_html.Bytes("no hex", 0)),
        ("AB" * 600, "", exchange_html.Bytes(" ".join(["AB"] * 512), 88)),
    ],
)
def test_bytes_as_shown(digits: str, sw: str, shown: exchange_html.Bytes) -> None:
    assert exchange_html.shown_bytes(digits, sw) == shown


def test_a_large_run_stays_a_reasonable_page() -> None:
    events: list[Event] = [sample.run_started(suites=())]
    for number in range(100):
        full = f"grand/s{number}"
        body: list[Event] = []
        for index in range(15):
            body += [
                StepStarted(scenario=full, index=index, name="read", file="grand.yaml", line=index),
                Exchange(
                    scenario=full,
                    index=index,
                    slot="cps",
                    command="00B0810000",
                    response="AB" * 64 + "9000",
                    command_text=Text.same("READ BINARY"),
                    response_text=Text("9000 : exécution normale", "9000: normal completion"),
                    sw="9000",
                ),
                StepFinished(
                    scenario=full, index=index, verdict=Verdict.PASSED, expectations=(sample.sw("9000", "9000"),)
                ),
            ]
        events += sample.scenario(f"s{number}", Text("Lire", "Read"), Verdict.PASSED, tuple(body), suite="grand")
    page = _text(events)
    assert len(page) < 3_500_000
    # 66 scenarios of 15 exchanges are the samples; of the 34 others the page says how much there was.
    assert page.count("READ BINARY") == 66 * 15
    assert page.count("Étapes : 15 ; faits consignés : 15.") == 34


def test_what_went_well_is_counted_and_what_did_not_is_shown_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = html.write(fold(sample.recorded(sample.full_run())), "fr")
    monkeypatch.setattr(model, "PASSED_IN_FULL", 0)
    brief = html.write(fold(sample.recorded(sample.full_run())), "fr")
    before, after = (
        parser.document_fromstring(page).xpath("//details[contains(@class, 'scenario')]") for page in (whole, brief)
    )
    bad = [part for part in before if part.get("data-verdict") != Verdict.PASSED.value]
    assert len(bad) < len(before)
    assert [_words(part) for part in after] == [_words(part) for part in bad]
    assert "faits consignés" in brief
    assert "faits consignés" not in whole


def test_a_message_is_readable_and_a_long_body_is_told_by_its_digest() -> None:
    content = b"<Envelope>" + bytes(20)
    told = Message(
        protocol="soap",
        peer="insi.example",
        direction=Direction.SENT,
        line="POST /insi HTTP/1.1",
        headers=(("Content-Type", "application/soap+xml"),),
        text=Text("recherche d'identité", "identity search"),
        **body_of(content, Secrets()),
    )
    page = _text([sample.run_started(), told])
    for words in ("envoyé à", "insi.example", "POST /insi HTTP/1.1", "application/soap+xml", "Hors de tout scénario"):
        assert words in page
    assert hashlib.sha256(content).hexdigest() in page
    assert "Envelope" not in page
