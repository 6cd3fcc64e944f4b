"""Searches of the directory: each kind of parameter, what is refused, and what comes with a page."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bifente.ground.clock import VirtualClock
from bifente.simulator.services.directory import DirectoryService, Register
from bifente.simulator.services.directory.dates import date_test
from bifente.simulator.services.directory.entries import DirectoryEntry, PracticePlace
from bifente.simulator.services.directory.faults import DirectoryTrouble
from bifente.simulator.services.directory.search import PARAMETERS
from bifente.simulator.services.directory.service import API_KEY, BASE
from bifente.simulator.serving.calling import in_process

PLACE = PracticePlace(1, "Hôpital Éluard", "990000014", "SA01", "S")
PEOPLE = (
    DirectoryEntry("99900000001", "Lefèvre", ("Zoé",), "10", "Médecin", places=(PLACE,), mailbox="zoe@mssante.test"),
    DirectoryEntry("99900000002", "LEFEBVRE", ("Jean", "Éric"), "60", "Infirmier", adeli="990000002", places=(PLACE,)),
    DirectoryEntry("99900000003", "Martin", ("Zoé",), "10", "Médecin", active=False),
)


def test_what_is_remembered_of_a_person_is_of_the_person_as_they_are() -> None:
    """A search leaves the resource as it was; who changed is another; the fault of a December shows and passes."""
    service = DirectoryService(Register(PEOPLE[:1]), VirtualClock(), random.Random(1))
    with in_process(service.application, {API_KEY: service.key}) as found:

        def read() -> dict[str, Any]:
            answer = found.get(f"{BASE}/Practitioner", params={"identifier": PEOPLE[0].rpps})
            return dict(answer.json()["entry"][0]["resource"])

        first = read()
        found.get(f"{BASE}/Practitioner", params={"_elements": "name", "_revinclude": "PractitionerRole:practitioner"})
        assert read() == first
        service.strike(DirectoryTrouble.DECEMBER_2019)
        assert read().keys() - first.keys() == {"modifierExtension"}
        service.relieve(DirectoryTrouble.DECEMBER_2019)
        assert read() == first
        service.register.put(replace(PEOPLE[0], family="Autre"))
        assert read()["name"][0]["family"] == "Autre"
        service.register.put(replace(PEOPLE[0], active=False))
        assert not read().keys() & {"name", "meta"}


@pytest.fixture(scope="module")
def caller() -> Any:
    service = DirectoryService(Register(PEOPLE), VirtualClock(), random.Random(1))
    with in_process(service.application, {API_KEY: service.key}) as found:
        yield found


def ids(caller: Any, kind: str, **by: Any) -> list[str]:
    answer = caller.get(f"{BASE}/{kind}", params={name.replace("__", ":"): value for name, value in by.items()})
    assert answer.status_code == 200, answer.text
    return [one["resource"]["id"][-1] for one in answer.json().get("entry", ())]


@pytest.mark.parametrize(
    ("by", "who"),
    [
        ({"family": "lefe"}, "12"),
        ({"family": "LEFÈV"}, "1"),
        ({"family": "fevre"}, ""),
        ({"family:contains": "FEV"}, "1"),
        ({"family:exact": "LEFEBVRE"}, "2"),
        ({"family:exact": "Lefebvre"}, ""),
        ({"given": "eric"}, "2"),
        ({"family": "martin,lefeb"}, "2"),
        ({"identifier": "99900000003"}, "3"),
        ({"identifier": "https://rpps.esante.gouv.fr|99900000001"}, "1"),
        ({"identifier": "https://adeli.esante.gouv.fr|99900000001"}, ""),
        ({"identifier": "https://adeli.esante.gouv.fr|"}, "2"),
        ({"identifier": "|99900000001"}, ""),
        ({"identifier": "|"}, ""),
        ({"identifier": ""}, ""),
        ({"data-information-system": "ADELI"}, "2"),
        ({"qualification-code": "10"}, "1"),
        ({"active": "false"}, "3"),
        ({"active": "False"}, ""),
        ({"_id": "003-99900000002"}, "2"),
        ({"_id": "99900000002"}, ""),
        ({"_lastUpdated": "2026-01-01"}, "123"),
        ({"_lastUpdated": "lt2026"}, ""),
    ],
)
def test_people_are_found(caller: Any, by: dict[str, str], who: str) -> None:
    assert "".join(ids(caller, "Practitioner", **by)) == who


@pytest.mark.parametrize(
    ("by", "count"),
    [
        ({"practitioner": "003-99900000001"}, 1),
        ({"practitioner": "Practitioner/003-99900000001"}, 1),
        ({"practitioner": "https://gateway.test/fhir/v2/Practitioner/003-99900000001"}, 1),
        ({"practitioner:Practitioner": "003-99900000001"}, 1),
        ({"practitioner": "99900000001"}, 0),
        ({"practitioner": ""}, 0),
        ({"organization": "003-99900000001"}, 0),
        ({"role": "SA01"}, 2),
        ({"practitioner.family": "lefe"}, 2),
        ({"practitioner.family:exact": "LEFEBVRE"}, 1),
        ({"organization.name:contains": "eluard"}, 2),
        ({"practitioner.qualification-code": "10", "organization": "001-990000014"}, 1),
    ],
)
def test_situations_are_found(caller: Any, by: dict[str, str], count: int) -> None:
    assert len(ids(caller, "PractitionerRole", **by)) == count


@pytest.mark.parametrize(
    ("kind", "by", "said"),
    [
        ("Practitioner", {"family:sounds": "x"}, ":contains, :exact"),
        ("Practitioner", {"identifier:contains": "x"}, "it has none"),
        ("Practitioner", {"active:not": "true"}, "it has none"),
        ("Practitioner", {"nom": "x"}, "HAPI-0524"),
        ("Practitioner", {"family.name": "x"}, "no reference"),
        ("PractitionerRole", {"practitioner.nom": "x"}, "HAPI-0524"),
        ("PractitionerRole", {"practitioner:Organization": "x"}, "Unknown modifier"),
        ("Practitioner", {"_lastUpdated": "le"}, "no date"),
        ("Practitioner", {"_lastUpdated": "2026-02-30"}, "no such date"),
        ("Device", {"_lastUpdated": "hier"}, "no date"),
        ("Practitioner", {"_include": "x"}, "HAPI-2015"),
        ("Practitioner", {"_revinclude": "PractitionerRole:organization"}, "HAPI-2015"),
        ("Practitioner", {"_summary": "text"}, "count"),
    ],
)
def test_what_cannot_be_searched_is_told(caller: Any, kind: str, by: dict[str, str], said: str) -> None:
    answer = caller.get(f"{BASE}/{kind}", params=by)
    assert answer.status_code == 400
    assert said in answer.json()["issue"][0]["diagnostics"]


def test_what_comes_along_is_marked_and_comes_once(caller: Any) -> None:
    asked = {"_include": ["PractitionerRole:organization", "PractitionerRole:practitioner"], "role": "SA01"}
    bundle = caller.get(f"{BASE}/PractitionerRole", params=asked).json()
    modes = [(one["resource"]["resourceType"], one["search"]["mode"]) for one in bundle["entry"]]
    assert bundle["total"] == 2
    assert sorted(modes) == [
        ("Organization", "include"),
        ("Practitioner", "include"),
        ("Practitioner", "include"),
        ("PractitionerRole", "match"),
        ("PractitionerRole", "match"),
    ]


def test_pages_bring_along_what_belongs_to_them(caller: Any) -> None:
    asked = {"_count": "1", "_include": "PractitionerRole:practitioner", "role": "SA01"}
    bundle, seen = caller.get(f"{BASE}/PractitionerRole", params=asked).json(), []
    while bundle is not None:
        seen.append([one["resource"]["id"] for one in bundle["entry"]])
        link = next((one["url"] for one in bundle["link"] if one["relation"] == "next"), None)
        bundle = caller.get(link).json() if link else None
    assert seen == [["005-9990000000" + rank + "-1", "003-9990000000" + rank] for rank in "12"]


def test_a_part_of_a_resource_says_that_it_is_one(caller: Any) -> None:
    asked = {"_elements": "name,telecom", "family": "lefev"}
    (entry,) = caller.get(f"{BASE}/Practitioner", params=asked).json()["entry"]
    kept = {"resourceType", "id", "meta", "identifier", "active", "name", "telecom"}
    assert set(entry["resource"]) == kept
    assert entry["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"
    whole = caller.get(f"{BASE}/Practitioner/003-99900000001").json()
    assert "qualification" in whole
    assert "tag" not in whole["meta"]


@pytest.mark.parametrize("asked", [{"_summary": "count"}, {"_count": "0"}])
def test_the_number_alone(caller: Any, asked: dict[str, str]) -> None:
    bundle = caller.get(f"{BASE}/Practitioner", params=asked).json()
    assert bundle["total"] == 3
    assert "entry" not in bundle
    assert [one["relation"] for one in bundle["link"]] == ["self"]
    assert "total" not in caller.get(f"{BASE}/Practitioner", params={"_total": "none"}).json()


def test_a_form_and_its_address_ask_together(caller: Any) -> None:
    answer = caller.post(f"{BASE}/Practitioner/_search?active=true", data={"given": "zoe"})
    assert [one["resource"]["id"] for one in answer.json()["entry"]] == ["003-99900000001"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("DELETE", "/Practitioner/003-99900000001", 405),
        ("POST", "/Practitioner", 405),
        ("PUT", "/Practitioner/1", 405),
        ("POST", "", 405),
        ("GET", "/Practitioner/003-99900000001/_history/1", 404),
        ("GET", "/.well-known/smart-configuration", 404),
    ],
)
def test_what_a_reader_cannot_do_is_an_operation_outcome(caller: Any, method: str, path: str, status: int) -> None:
    answer = caller.request(method, BASE + path)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_what_is_served_is_what_it_says_of_itself(caller: Any) -> None:
    said = caller.get(f"{BASE}/metadata").json()
    assert {"date", "kind", "format", "status", "fhirVersion"} <= set(said)
    for one in said["rest"][0]["resource"]:
        assert {row["name"] for row in one["searchParam"]} == set(PARAMETERS[one["type"]])
        for name, of in (("searchInclude", "_include"), ("searchRevInclude", "_revinclude")):
            for word in one.get(name, ()):
                assert caller.get(f"{BASE}/{one['type']}", params={of: word}).status_code == 200


INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


@settings(max_examples=60)
@given(INSTANTS, INSTANTS, st.sampled_from(["%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%SZ"]))
def test_an_instant_is_before_within_or_after_what_was_given(at: datetime, wanted: datetime, form: str) -> None:
    said, given = at.isoformat(), wanted.strftime(form)

    def meets(prefix: str) -> bool:
        return date_test(f"{prefix}{given}")(said)

    assert [meets("lt"), meets("eq"), meets("gt")].count(True) == 1
    assert meets("le") == (meets("lt") or meets("eq"))
    assert meets("ge") == (meets("gt") or meets("eq"))
    assert meets("ne") != meets("eq")
    assert date_test("lt9999-12-31")(said)
    assert not date_test("eq1000")(said)


@settings(max_examples=80)
@given(st.text(alphabet="egltapb0123456789-T:Z+. ", max_size=24))
def test_garbage_is_no_date(garbage: str) -> None:
    told = ""
    try:
        assert date_test(garbage)(datetime(2026, 1, 1, tzinfo=UTC).isoformat()) in (True, False)
    except ValueError as error:
        told = str(error)
    assert "date" in told or garbage.strip("abeglpt")[:1].isdigit()


@pytest.mark.parametrize(
    "given", ["ap0001", "ap9999", "9999-12-31", "le9999-12-31T23:59:59-12:00", "ge0001-01-01T00:00:00+12:00"]
)
def test_the_ends_of_time_are_dates(given: str) -> None:
    assert date_test(given)(datetime(2026, 1, 1, tzinfo=UTC).isoformat()) is given.startswith(("le", "ge"))


@pytest.mark.parametrize(
    "given", ["2026-03-12T14:00:00+99:99", "0000", "2026-13", "20260312", "xx2026", "2026-03-12T24:00"]
)
def test_no_such_date(given: str) -> None:
    with pytest.raises(ValueError, match="date"):
        date_test(given)


def test_zones_are_heeded() -> None:
    noon = datetime(2026, 3, 12, 12, tzinfo=UTC)
    assert date_test("2026-03-12T14:00:00+02:00")(noon.isoformat())
    assert not date_test("2026-03-12T14:00:00+02:00")((noon + timedelta(seconds=1)).isoformat())
