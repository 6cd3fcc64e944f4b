"""INSi: who may ask, what may be asked, what is answered, and how it refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from insi_bench import ALICE, MESSAGE, SENDER, SOAP, InsiBench, code_of
from lxml import etree

from bifente.ground.identifiers import nir_key
from bifente.simulator.formats.insi import (
    AnswerStyle,
    InsiCode,
    InsiFormError,
    InsMatricule,
    TraitSearch,
    VitaleSearch,
    read_answer,
    read_request,
    request_element,
    result_element,
)
from bifente.simulator.formats.insi.requests import Search
from bifente.simulator.formats.soap import Addressing, SoapCode, packed
from bifente.simulator.pki import certificate_profiles as profiles
from bifente.simulator.pki.authority import CertificateLevel, Pki
from bifente.simulator.pki.certificate_profiles import Validity
from bifente.simulator.services.insi.parameters import InsiParameters
from bifente.simulator.services.insi.population import laboratory, person_of
from bifente.simulator.services.insi.quirks import ALL_QUIRKS
from bifente.simulator.services.insi.refusals import refusals
from bifente.simulator.services.insi.service import NOBODY, SEVERAL, TECHNICAL, UNREADABLE
from bifente.simulator.serving.service import ServiceError

PAUL = VitaleSearch(InsMatricule("1801975349002", nir_key("1801975349002")), None, "", "19800312")


@pytest.fixture(scope="module")
def bench(pki: Pki) -> InsiBench:
    return InsiBench(pki)


def _traits(name: str, given: str, sex: str, born: str, place: str = "") -> TraitSearch:
    return TraitSearch(name, tuple(given.split(",")), sex, born, place)


@pytest.mark.parametrize(
    ("search", "code", "number"),
    [
        (ALICE, "00", "2801975056001"),
        (replace(ALICE, birth_place="75056"), "00", "2801975056001"),
        (replace(ALICE, birth_place="69123"), "01", ""),
        (replace(ALICE, name="TESTIN"), "01", ""),
        (replace(ALICE, sex="M"), "01", ""),
        (replace(ALICE, birth_date="1980-03-13"), "01", ""),
        (_traits("TESTPRENOMS", "MARIE", "F", "1971-07-14"), "00", "2711969123002"),
        (_traits("TESTPRENOMS", "CLAIRE", "F", "1971-07-14"), "01", ""),
        (_traits("TESTPRENOMS", "MARIE CLAIRE ANNE", "F", "1971-07-14"), "00", "2711969123002"),
        (_traits("TESTPRENOMS", "MARIE,CLAIRE,ANNE", "F", "1971-07-14"), "00", "2711969123002"),
        (_traits("TESTUSUEL", "CATARINA", "F", "1936-06-21"), "00", "2361999139003"),
        (_traits("TESTTOUS", "PIERRE", "M", "1985-01-02"), "01", ""),
        (_traits("TESTTOUS", "PIERRE PAUL JACQUES", "M", "1985-01-02"), "00", "1851931555004"),
        (_traits("TESTHOMONYME", "JEAN", "M", "1962-11-30"), "02", ""),
        (_traits("TESTHOMONYME", "JEAN", "M", "1962-11-30", "69123"), "00", "1621969123006"),
        (_traits("TESTMEMENOM", "PAUL", "M", "1990-05-06"), "02", ""),
        (_traits("TESTMEMENOM", "PAUL HENRI", "M", "1990-05-06"), "00", "1901913055008"),
        (_traits("TESTSANSLIEU", "YOUSSEF", "M", "1948-12-31", "99999"), "00", "1481999999024"),
        (_traits("TEST-COMPOSE", "ANNE-MARIE", "F", "1979-05-25"), "00", "2791967482025"),
        (_traits("TEST COMPOSE", "ANNE-MARIE", "F", "1979-05-25"), "01", ""),
        (_traits("TEST--DOUBLE", "LOUIS", "M", "2015-03-03"), "00", "1151906088026"),
        (_traits("TEST-DOUBLE", "LOUIS", "M", "2015-03-03"), "01", ""),
        (_traits("D'TEST", "SOPHIE", "F", "1993-06-07"), "00", "2931933063027"),
        (_traits("DE TEST", "LEONARD", "M", "2014-02-01"), "00", "1141937261028"),
        (PAUL, "00", "1801975349002"),
        (replace(PAUL, birth_date="19800313"), "01", ""),
        (VitaleSearch(None, InsMatricule("1801975349002"), "", "20110923"), "00", "1111953130032"),
        (VitaleSearch(None, InsMatricule("2841975349011"), "", "20150808", "1"), "00", "1151975056033"),
        (VitaleSearch(None, InsMatricule("2841975349011"), "", "20150808", "2"), "00", "1151975056034"),
        (VitaleSearch(None, InsMatricule("2841975349011"), "", "20150808"), "02", ""),
        (VitaleSearch(InsMatricule("155192A349010"), None, "", "1955-04-03"), "00", "155192A349010"),
        (VitaleSearch(InsMatricule("1541975349009"), None, "", "19541914"), "00", "1541975349009"),
    ],
)
def test_each_search_finds_whom_it_should(bench: InsiBench, search: Search, code: str, number: str) -> None:
    found = bench.ask(search)
    assert found.code == code
    assert (found.active.matricule.number if found.active else "") == number


def test_an_answer_has_history_and_traits_as_they_are_known(bench: InsiBench) -> None:
    found = bench.ask(_traits("TESTDATES", "PIERRE-ALAIN", "M", "2009-07-14"))
    assert [(one.start, one.end) for one in found.history] == [("2019-03-01", "2019-02-28"), ("", "")]
    assert found.traits is not None
    assert (found.traits.first, found.traits.given) == ("PIERRE-ALAIN", "PIERRE-ALAIN MURIEL")
    listed = bench.ask(_traits("TESTLISTE", "ROSE", "F", "2001-04-05"))
    assert listed.traits is not None
    assert (listed.traits.first, listed.traits.given) == ("", "ROSE MAY")


@pytest.mark.parametrize(
    ("search", "code"),
    [
        (replace(ALICE, name="testins"), "lab_characters"),
        (replace(ALICE, name="TESTÏNS"), "lab_characters"),
        (replace(ALICE, name="TESTŒ"), "lab_characters"),
        (replace(ALICE, name="TEST---INS"), "lab_characters"),
        (replace(ALICE, name=" TESTINS"), "lab_characters"),
        (replace(ALICE, name="-TESTINS"), "lab_characters"),
        (replace(ALICE, name="TEST  INS"), "lab_characters"),
        (replace(ALICE, name="D''TEST"), "lab_characters"),
        (replace(ALICE, name="D' TEST"), "lab_characters"),
        (replace(ALICE, name="TEST1"), "lab_characters"),
        (replace(ALICE, given=("ANNE--MARIE",)), "lab_characters"),
        (replace(ALICE, given=("ALICE-",)), "lab_characters"),
        (replace(ALICE, given=("ALICE'",)), "lab_characters"),
        (replace(ALICE, given=("Alice",)), "lab_characters"),
        (replace(ALICE, name=""), "lab_trait"),
        (replace(ALICE, given=()), "lab_trait"),
        (replace(ALICE, sex=""), "lab_trait"),
        (replace(ALICE, birth_date=""), "lab_trait"),
        (replace(ALICE, sex="I"), "lab_value"),
        (replace(ALICE, birth_date="12/03/1980"), "lab_value"),
        (replace(ALICE, birth_date="1980-13-12"), "lab_value"),
        (replace(ALICE, birth_date="1980-02-30"), "lab_value"),
        (replace(ALICE, birth_place="PARIS"), "lab_value"),
        (replace(ALICE, birth_place="7505"), "lab_value"),
        (replace(ALICE, matricule=InsMatricule("2801975056001", "00")), "lab_value"),
        (VitaleSearch(None, None, "", "19800312"), "lab_trait"),
        (VitaleSearch(None, InsMatricule("1801975349002")), "lab_trait"),
        (VitaleSearch(InsMatricule("180197534900"), None), "lab_value"),
        (VitaleSearch(InsMatricule("1801975349002", "11"), None), "lab_value"),
        (VitaleSearch(InsMatricule("1801975349002"), None, "", "1980"), "lab_value"),
        (VitaleSearch(InsMatricule("1801975349002"), None, "", "", "0"), "lab_value"),
        (VitaleSearch(InsMatricule("1801975349002"), None, "Paul"), "lab_characters"),
    ],
)
def test_what_may_not_be_asked_is_refused(bench: InsiBench, search: Search, code: str) -> None:
    fault = bench.refused(bench.message(search))
    assert (fault.code, code_of(fault), fault.http) == (SoapCode.SENDER, code, 400)


def test_an_assertion_ages(bench: InsiBench) -> None:
    minute, second = timedelta(minutes=1), timedelta(seconds=1)
    assert bench.ask(PAUL, assertion=bench.assertion(age=20 * minute)).code is InsiCode.ONE
    assert (
        code_of(bench.refused(bench.message(PAUL, assertion=bench.assertion(age=20 * minute + second)))) == "lab_vitale"
    )
    assert bench.ask(ALICE, assertion=bench.assertion(age=60 * minute)).code is InsiCode.ONE
    for age in (60 * minute + second, -5 * minute - second):
        assert code_of(bench.refused(bench.message(ALICE, assertion=bench.assertion(age=age)))) == "lab_stale"


def test_who_may_sign_an_assertion(bench: InsiBench) -> None:
    wrong = [
        bench.assertion(bench.card(profile=profiles.AUTHENTICATION)),
        bench.assertion(bench.card(level=CertificateLevel.STANDARD)),
        bench.assertion(issuer="CN=899700000099"),
        bench.assertion(national_id="899700000099"),
        bench.assertion(billing=""),
        bench.assertion(sector=""),
    ]
    changed = bench.assertion()
    next(iter(changed.iter("{*}NameID"))).text = "899700000099"
    for assertion in (*wrong, changed):
        fault = bench.refused(bench.message(assertion=assertion))
        assert code_of(fault) == "lab_signature"
    assert "attendu" in "".join(str(one) for one in fault.detail[1].itertext())
    assert code_of(bench.refused(bench.message(secured=False))) == "lab_assertion"


def test_the_sector_is_a_parameter(pki: Pki) -> None:
    bench = InsiBench(pki, InsiParameters(sector=False))
    assert bench.ask(assertion=bench.assertion(sector="")).code is InsiCode.ONE


def test_structure_certificates(bench: InsiBench) -> None:
    bare = bench.message(secured=False)
    for name in ("INSI-AUTO", "INSI-MANU"):
        assert bench.post(bare, client=bench.structure(name)).status_code == 200
    for wrong in (
        bench.structure("CENTRE"),
        bench.structure(level=CertificateLevel.STANDARD),
        bench.structure(validity=Validity(date(2024, 1, 1), date(2025, 12, 31))),
    ):
        assert code_of(bench.refused(bare, client=wrong)) == "desir_560"
    assert code_of(bench.refused(bench.message(), client=bench.structure())) == "lab_credentials"


def test_only_an_authorised_software_asks(bench: InsiBench) -> None:
    fault = bench.refused(bench.message(sender=replace(SENDER, idam="OTHER")))
    assert (code_of(fault), fault.detail[0].get("messageID")) == ("desir_550", MESSAGE)


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("{*}ContexteBAM", None),
        ("{*}ContexteLPS", None),
        ("{*}MessageID", None),
        ("{*}COUVERTURE", None),
        ("{*}IDAM", None),
        ("{*}LPS", None),
        ("{*}ContexteBAM/{*}Temps", None),
        ("{*}ContexteBAM", ("Version", "01_01")),
        ("{*}ContexteLPS", ("Version", "01_01")),
        ("{*}ContexteLPS", ("Nature", "OTHER")),
        ("{*}IDAM", ("R", "3")),
    ],
)
def test_each_header_counts(bench: InsiBench, path: str, change: tuple[str, str] | None) -> None:
    root = etree.fromstring(bench.message())
    node = root.find(f".//{path}")
    assert node is not None
    if change is None:
        parent = node.getparent()
        assert parent is not None
        parent.remove(node)
    else:
        node.set(*change)
    assert code_of(bench.refused(etree.tostring(root))) == "lab_form"


def test_an_action_that_is_another_s_is_refused(bench: InsiBench) -> None:
    data = bench.message(addressing=Addressing("urn:other", MESSAGE))
    assert code_of(bench.refused(data)) == "lab_form"
    wrong = bench.refused(bench.message(), SOAP + '; action="urn:other"')
    assert wrong.subcodes[0].endswith("InvalidAddressingHeader")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
        b"<a/>",
        b"<a>" * 50_000,
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body/></e:Envelope>',
        b'<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body><x/></e:Body></e:Envelope>',
    ],
)
def test_hostile_bodies_get_a_fault(bench: InsiBench, body: bytes) -> None:
    assert bench.refused(body).http == 400


def test_hostile_requests_get_a_fault(bench: InsiBench) -> None:
    assert bench.refused(bench.message(), "text/plain").http == 415
    assert bench.refused(bench.message(), None).http == 415
    assert bench.refused(b"<a>" + b" " * 300_000 + b"</a>").http == 413
    kind, body = packed(bench.message(), [])
    assert bench.post(body, kind).status_code == 200
    assert bench.post(b"", SOAP).headers["content-type"].startswith("application/soap+xml")


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_change_of_bytes_makes_it_fail(bench: InsiBench, data: Any) -> None:
    message = bytearray(bench.message(secured=False))
    at = data.draw(st.integers(0, len(message) - 1))
    message[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    answer = bench.post(bytes(message))
    # SOAP 1.2 gives these two HTTP 500; anything else of the server's would be a failure of ours.
    standard = b"VersionMismatch" in answer.content or b"MustUnderstand" in answer.content
    assert answer.status_code in (200, 400) or standard


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(TECHNICAL, ("insi_102", SoapCode.RECEIVER, 500)), (SEVERAL, "02"), (NOBODY, "01"), (UNREADABLE, None)],
)
def test_each_trouble_shows(pki: Pki, fault: str, outcome: Any) -> None:
    bench = InsiBench(pki)
    bench.service.strike(fault)
    if isinstance(outcome, tuple):
        told = bench.refused(bench.message())
        assert (code_of(told), told.code, told.http) == outcome
    elif outcome is None:
        assert b"Bad Gateway" in bench.post(bench.message()).content
    else:
        assert bench.ask().code == outcome
    bench.service.relieve(fault)
    assert bench.ask().code is InsiCode.ONE


def test_the_quirks_of_the_field(pki: Pki) -> None:
    bench = InsiBench(pki, InsiParameters(quirks=ALL_QUIRKS, style=AnswerStyle.DEFAULT))
    bench.service.strike(TECHNICAL)
    answer = bench.post(bench.message())
    assert answer.status_code == 500
    for seen in (
        b'severite="fatal"',
        b'xml:lang="en">Le service',
        b"<S:Value>S:siram_40<",
        b"<soap:Envelope",
        b"<env:Body",
    ):
        assert seen in answer.content
    bench.service.relieve(TECHNICAL)
    sender = bench.post(bench.message(sender=replace(SENDER, idam="OTHER")))
    assert sender.status_code == 500
    assert bench.ask().code is InsiCode.ONE
    plain = InsiBench(pki, InsiParameters(quirks=frozenset()))
    plain.service.strike(TECHNICAL)
    standard = plain.post(plain.message()).content
    assert b'severite="fatale"' in standard
    assert b'xml:lang="fr"' in standard
    plain.service.relieve(TECHNICAL)
    assert plain.ask(_traits("TESTDATES", "PIERRE-ALAIN", "M", "2009-07-14")).history[0].start == ""


def test_its_state_is_plain_and_can_be_set(pki: Pki) -> None:
    service = InsiBench(pki).service
    before = service.state()["people"]
    row = {
        "id": "new",
        "name": "TESTNOUVELLE",
        "given": ["ZOE"],
        "sex": "F",
        "born": "2001-01-01",
        "number": "2011975056077",
    }
    service.set_state({"add": row, "software": ["X"], "quirks": ["fatal"]})
    assert (service.state()["people"], service.state()["quirks"]) == (before + 1, ["fatal"])
    service.set_state({"remove": "new"})
    assert service.state()["people"] == before
    for wrong in (
        {"other": 1},
        {"quirks": ["none"]},
        {"add": {"id": "x"}},
        {"add": {**row, "number": "2010175056077"}},
    ):
        with pytest.raises(ServiceError):
            service.set_state(wrong)


@pytest.mark.parametrize("change", [{"sex": "X"}, {"born": "1980"}, {"place": "1"}, {"given": []}, {"unknown": 1}])
def test_a_person_that_is_not_right_is_not_taken(change: dict[str, Any]) -> None:
    row = {
        "id": "x",
        "name": "TEST",
        "given": ["A"],
        "sex": "F",
        "born": "1980-01-01",
        "number": "2801975056001",
        **change,
    }
    with pytest.raises(ValueError, match=r"x|unknown|needs"):
        person_of(row)


def test_everybody_of_the_laboratory_can_be_told_from_real_people_and_from_each_other() -> None:
    people = list(laboratory())
    assert len({one.active.matricule.number for one in people}) == len(people) >= 30
    assert all(one.active.matricule.number[3:5] == "19" for one in people)


def test_every_refusal_has_words_a_remedy_and_a_source() -> None:
    for row in refusals().values():
        assert row.text.fr
        assert row.remedy.fr
        assert row.code.startswith("lab_") == (row.fidelity == "modelled")


@pytest.mark.parametrize("style", AnswerStyle)
def test_answers_go_there_and_back(style: AnswerStyle) -> None:
    for person in laboratory():
        assert replace(read_answer(result_element(person.answer, style)), label="") == person.answer


_names = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ -'", min_size=1, max_size=20)


@settings(max_examples=50, deadline=None)
@given(_names, st.lists(_names.filter(str.strip), min_size=1, max_size=4), st.sampled_from("MF"), st.dates())
def test_searches_go_there_and_back(name: str, given_names: list[str], sex: str, born: date) -> None:
    for search in (
        TraitSearch(name, tuple(given_names), sex, born.isoformat(), "75056", InsMatricule("1", "2", "NIR")),
        VitaleSearch(InsMatricule("1", "2"), InsMatricule("3"), name, born.isoformat(), "1"),
    ):
        assert read_request(etree.fromstring(etree.tostring(request_element(search)))) == search


@pytest.mark.parametrize("xml", ["<x/>", "<RESULTAT xmlns='http://www.cnamts.fr/INSiResultat'/>"])
def test_what_is_no_answer_is_not_read(xml: str) -> None:
    with pytest.raises(InsiFormError):
        read_answer(etree.fromstring(xml))


def test_a_00_without_a_person_is_not_believed() -> None:
    root = result_element(laboratory()["simple"].answer)
    root.remove(root[1])
    with pytest.raises(InsiFormError, match="INDIVIDU"):
        read_answer(root)
